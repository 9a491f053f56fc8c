from graphs import *

b, d, h = axis("batch"), axis("d", 8), axis("h", "width")
j, m = axis("j", 8), axis("m", 5)
mlp = block("mlp", {"x": tensor(b, d)}, [
    param("w", tensor(h, d)), param("b", tensor(h)),
    compute("y", tensor(b, h), call("relu", call("add", read("b", "h"), total(call("mul", read("w", "h", "d"), read("x", "batch", "d")), d)))),
], ["y"], {"width": 16})
print(agree(graph(mlp), {"batch": 3, "width": 16})[0])
k = axis("k", 8)
point = block("point", {"q": tensor("batch", "m", d), "e": tensor("batch", "n", d)}, [
    param("W1", tensor(k, d)), param("W2", tensor(k, d)), param("v", tensor(k)),
    compute("u", tensor("batch", "m", "n"), total(call("mul", read("v", "k"), call("tanh", call("add",
      total(call("mul", read("W1", "k", "d1"), read("e", "batch", "n", "d1")), axis("d1", 8)),
      total(call("mul", read("W2", "k", "d2"), read("q", "batch", "m", "d2")), axis("d2", 8))))), k)),
], ["u"])
print(agree(graph(point), {"batch": 3, "m": 4, "n": 5})[0])
kan = block("kan", {"x": tensor(b, d), "B": tensor(b, d, m)}, [
    param("w", tensor(h, d)), param("c", tensor(h, d, m)),
    compute("y", tensor(b, h), total(call("add", call("mul", read("w", "h", "d"), call("silu", read("x", "batch", "d"))),
      total(call("mul", read("c", "h", "d", "m"), read("B", "batch", "d", "m")), m)), d)),
], ["y"], {"width": 16})
print(agree(graph(kan), {"batch": 3, "width": 16})[0])
