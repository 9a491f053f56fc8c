from graphs import *

from archc.formula.tree import *

b, h, w = axis("batch"), axis("h"), axis("w")
c, k, dy, dx = axis("c", 3), axis("k", "width"), axis("dy", 3), axis("dx", 3)
S=lambda n: SizeValue(Size.symbol(n))
def conv(index, outside=None, out=(h, w), T=3, sizes=None):
    dy, dx = axis("dy", T), axis("dx", T)
    net = block("conv", {"x": tensor(b, c, h, w)}, [
    param("K", tensor(k, c, dy, dx)), param("bias", tensor(k)),
    compute("y", tensor(b, k, axis("p", out[0].size), axis("q", out[1].size)), call("add", read("bias", "k"), total(call("mul", read("K", "k", "c", "dy", "dx"),
       read("x", "batch", "c", index("p","dy", "h"), index("q", "dx", "w"), outside=outside)), c, dy, dx))),
    ], ["y"], {"width": 4})
    text, _ = agree(graph(net), sizes or {"batch": 3, "width": 4, "h": 6, "w": 5})
    print(text[text.index("    def forward"):])
P = Position
conv(lambda p, t, s: call("mod", call("sub", call("add", P(p), P(t)), 1), S(s)))
conv(lambda p, t, s: call("sub", call("add", P(p), P(t)), 1), Literal(0.0))
conv(lambda p, t, s: call("sub", call("add", P(p), P(t)), 1), Literal(1.5))
conv(lambda p, t, s: call("add", P(p), P(t)), None, (axis("h", size("h")-2), axis("w", size("w")-2)))
conv(lambda p, t, s: call("sub", call("add", call("mul", 2, P(p)), P(t)), 1), Literal(0.0), (axis("h", (size("h")-1)//2+1), axis("w", (size("w")-1)//2+1)))
conv(lambda p, t, s: call("sub", call("add", P(p), call("mul", 2, P(t))), 2), Literal(0.0))
conv(lambda p, t, s: call("mod", call("sub", call("add", P(p), P(t)), 2), S(s)), T=5)
conv(lambda p, t, s: call("mod", call("sub", call("add", P(p), P(t)), 2), S(s)), T=5, sizes={"batch": 3, "width": 4, "h": 1, "w": 2})
