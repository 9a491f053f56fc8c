"""What elaboration finds wrong with a spec; each docstring is what `archc explain CODE` prints."""

from __future__ import annotations

from archc.base.diagnostic import Diagnostic


class UnknownName(Diagnostic):
    """A name is used that nothing in scope defines.

    Values come from ports, `let`, `param`, `const` and `state`; blocks from this file, from `use` and from the library.

    Wrong, there is no `z`:
        net N (x: real[d]) -> (y: real[d]) { return relu(z) }
    Right:
        net N (x: real[d]) -> (y: real[d]) { return relu(x) }
    """

    code = "E0201"
    title = "unknown name `{name}`"


class UnknownArgument(Diagnostic):
    """A call names an argument that the operation or block does not have.

    Wrong:
        x |> softmax(along = d)
    Right:
        x |> softmax(over = d)
    """

    code = "E0202"
    title = "`{callee}` has no argument `{name}`"


class WrongArity(Diagnostic):
    """A call gives too few or too many operands.

    Wrong, `exp` takes one:
        exp(x, y)
    Right:
        exp(x)
    """

    code = "E0203"
    title = "`{callee}` takes {expected}, {given} given"


class WrongArgument(Diagnostic):
    """An argument has the wrong sort: an axis where a number belongs, a number where an edge belongs, and so on.

    Wrong, `over` takes axes:
        x |> softmax(over = 3)
    Right:
        x |> softmax(over = d)
    """

    code = "E0204"
    title = "`{name}` of `{callee}` takes {expected}"


class MissingArgument(Diagnostic):
    """A hyper-parameter, an attribute or an arrow without a default is not given.

    Wrong, over which axis is left open:
        x |> softmax()
    Right:
        x |> softmax(over = d)
    """

    code = "E0205"
    title = "`{callee}` needs `{name}`"


class NotCallable(Diagnostic):
    """Only blocks, operations, elementwise functions and edges are called.

    Wrong, `x` is a value:
        let h = x(2)
    Right, position 2 on axis n:
        let h = x[n: 2]
    """

    code = "E0206"
    title = "`{name}` is {what} and cannot be called"


class NotAValue(Diagnostic):
    """A block, an edge or a list of axes stands where a tensor or a number belongs.

    Wrong:
        return x + relu
    Right:
        return x + relu(x)
    """

    code = "E0207"
    title = "{what} is not a value"


class UnknownChoice(Diagnostic):
    """A `choice(...)` hyper-parameter takes one of its words.

    Wrong:
        conv(over = (h, w), boundary = circular)
    Right:
        conv(over = (h, w), boundary = periodic)
    """

    code = "E0208"
    title = "{given} is not a choice of `{name}`"


class RepeatedArgument(Diagnostic):
    """An argument is named twice in one call.

    Wrong:
        softmax(x, over = d, over = n)
    Right:
        softmax(x, over = (d, n))
    """

    code = "E0209"
    title = "`{name}` is given twice"
    advice = "give it once; several axes stand in parentheses, as in `(h, w)`"


class AmbiguousNet(Diagnostic):
    """A command that compiles one net was given a file with several.

    Wrong:
        archc build specs/two.arch
    Right:
        archc build specs/two.arch --net First
    """

    code = "E0210"
    title = "the file has {count} nets"


class UnknownNet(Diagnostic):
    """The net asked for is not in the file.

    Wrong:
        archc build specs/basic/mlp.arch --net Mlp
    Right:
        archc build specs/basic/mlp.arch --net MLP
    """

    code = "E0211"
    title = "no net is called `{name}`"


class UnknownHyper(Diagnostic):
    """`--set` (or a keyword of `load` and `build`) names a hyper-parameter that the net does not have.

    Wrong:
        archc build specs/kan/kan.arch --set hiden=8
    Right:
        archc build specs/kan/kan.arch --set hidden=8
    """

    code = "E0212"
    title = "`{net}` has no hyper-parameter `{name}`"


class WrongOption(Diagnostic):
    """`--set` (or a keyword of `load` and `build`) gives a hyper-parameter a value that it does not take.

    Wrong:
        archc build specs/basic/mlp.arch --set neuron=tahn
    Right:
        archc build specs/basic/mlp.arch --set neuron=tanh
    """

    code = "E0214"
    title = "`{name}` of `{net}` takes {expected}, not {given}"


class BareName(Diagnostic):
    """A function of several operands, an operation or a reduction stands where a value, a neuron or an edge does.

    Only a function of one operand can: it is the neuron, or the edge, itself.

    Wrong:
        x |> layer(d -> k: 4, neuron = softmax)
    Right:
        x |> layer(d -> k: 4) |> softmax(over = k)
    """

    code = "E0215"
    title = "`{name}` stands without its operands"


class UnknownKind(Diagnostic):
    """Values are real, complex, int, bool, index(n), simplex(n) or point(v);
    hyper-parameters are int, real, bool, axes, activation, edge, block or choice(...).

    Wrong:
        (x: float[d])
    Right:
        (x: real[d])
    """

    code = "E0213"
    title = "unknown kind `{name}`"


class UnknownAxis(Diagnostic):
    """An operation, an index or a layer names an axis that its operand does not have.

    Wrong:
        (x: real[n, d]) ... x |> softmax(over = m)
    Right:
        (x: real[n, d]) ... x |> softmax(over = n)
    """

    code = "E0301"
    title = "{what} has no axis `{axis}`"


class UndeterminedSize(Diagnostic):
    """A parameter or a result has an axis whose size follows from nothing.

    Wrong:
        x |> layer(d -> h)
    Right:
        x |> layer(d -> h: 64)
    """

    code = "E0302"
    title = "nothing says how wide `{axis}` is"


class DuplicateAxis(Diagnostic):
    """A value has each axis once. A second axis over the same set has its own name, `m ~ n`.

    Wrong:
        real[n, n]
    Right:
        real[n, m ~ n]
    """

    code = "E0303"
    title = "axis `{axis}` appears twice"


class AxisValueClash(Diagnostic):
    """Axes and values share one namespace, since an axis name used as a value is its position.

    Wrong:
        (d: real[d]) -> (y: real[d])
    Right:
        (x: real[d]) -> (y: real[d])
    """

    code = "E0304"
    title = "`{name}` is both an axis and a value"


class WrongAxes(Diagnostic):
    """The axes of a result are not those that its declaration says.

    Wrong:
        net N (x: real[n, d]) -> (y: real[n]) { return x }
    Right:
        net N (x: real[n, d]) -> (y: real[n]) { return sum(x, over = d) }
    """

    code = "E0310"
    title = "{what} is declared {declared} but has {actual}"


class OuterProduct(Diagnostic):
    """Arithmetic needs the axes of one side to contain those of the other. A wider result is made only where it is
    declared, or in a product under a reduction.

    Wrong:
        (a: real[n], b: real[m]) ... a + b
    Right:
        (a: real[n], b: real[m]) ... let r[n, m] = a + b
    """

    code = "E0311"
    title = "`{operator}` would make an outer product of {left} and {right}"


class SizeMismatch(Diagnostic):
    """Where two values meet, axes of one name are one axis, and their sizes must be equal.

    Wrong:
        (x: real[d: 64], w: real[d: 32]) ... sum d: w * x
    Right:
        (x: real[d: 64], w: real[d: 64]) ... sum d: w * x
    """

    code = "E0312"
    title = "axis `{axis}` has size {left} here but {right} there"


class UnprovedSize(Diagnostic):
    """Sizes must be equal for every admissible value of their symbols; what cannot be proved is not accepted.

    Wrong, though the default of width is 64:
        (x: real[d: width], y: real[d: 64]) ... x + y
    Right:
        (x: real[d: width], y: real[d: width]) ... x + y
    """

    code = "E0313"
    title = "axis `{axis}` has size {left} here and {right} there, which are not provably equal"


class AbsentAxis(Diagnostic):
    """A reduction over an axis that its body does not have.

    Wrong:
        (x: real[d]) ... sum n: x
    Right:
        (x: real[d]) ... sum d: x
    """

    code = "E0314"
    title = "nothing under `{kind}` has axis `{axis}`"


class IndexOutside(Diagnostic):
    """An index that is not provably inside its axis needs `else`, which says what stands outside, or a modulo.

    Wrong:
        sum t: K * x[h: h + t - 1]
    Right:
        sum t: K * x[h: h + t - 1 else 0]
        sum t: K * x[h: (h + t - 1) % size(h)]
    """

    code = "E0316"
    title = "the index of axis `{axis}` may leave it"


class IndexKind(Diagnostic):
    """Axes are indexed by positions: integers, other axes, or pointers of kind `index(n)`.

    Wrong:
        x[n: 0.5]
    Right:
        x[n: 0]
    """

    code = "E0317"
    title = "an index must be a whole number, this is {kind}"
    advice = "indices are made of positions on axes, whole numbers and pointers, `x[n: p]` with `p: index(n)[e]`"


class UnprovedCondition(Diagnostic):
    """A block's `where` (or an operation's side condition) must follow from what the caller knows.

    Wrong:
        net N (x: real[n, d]) -> (y: real[n, d]) { return x |> encoder(heads = 4) }
    Right:
        net N (x: real[n, d]) -> (y: real[n, d]) where d % 4 == 0 { return x |> encoder(heads = 4) }
    """

    code = "E0320"
    title = "`{callee}` needs {condition}, which does not follow here"


class RefutedCondition(Diagnostic):
    """A side condition on sizes does not hold for the sizes given.

    Wrong, 4 does not divide 10:
        net N (x: real[n, d: 10]) ... encoder(x, heads = 4)
    Right:
        net N (x: real[n, d: 12]) ... encoder(x, heads = 4)
    """

    code = "E0321"
    title = "`{callee}` needs {condition}, which is false{numbers}"
    advice = "choose sizes for which it holds"


class BadSize(Diagnostic):
    """An axis has at least one position, and every size has a value.

    Wrong:
        real[d: 0]
        real[d: 8 // 0]
    Right:
        real[d: 1]
    """

    code = "E0322"
    title = "{what} is not a size"
    advice = "an axis has at least one position, and no size is divided by 0"


class KindMismatch(Diagnostic):
    """A value of one kind stands where another is needed.

    Wrong, a truth value:
        relu(x < 0)
    Right:
        where(x < 0, 0, x)
    """

    code = "E0330"
    title = "{what} takes {expected}, this is {given}"


class NotASize(Diagnostic):
    """Sizes are made of whole numbers, hyper-parameters, axes and `+ - * // % ^ min max size`.

    Wrong:
        real[d: width / 2]
    Right:
        real[d: width // 2]
    """

    code = "E0332"
    title = "{what} cannot stand in a size"


class DivisionByZero(Diagnostic):
    """A quotient or a remainder by the number 0 has no value.

    Wrong:
        x // 0
    Right:
        x // 2
    """

    code = "E0333"
    title = "`{operator}` by zero"
    advice = "divide by a number that is not 0"


class CarryChanges(Diagnostic):
    """The carry of a loop keeps its type.

    Wrong:
        repeat 3 with h { return h |> layer(d -> d: 2 * size(d)) }
    Right:
        repeat 3 with h { return h |> layer(d -> d) }
    """

    code = "E0340"
    title = "the carry `{name}` starts as {before} and comes back as {after}"


class NotStatic(Diagnostic):
    """A static `if`, the bound of a recursion, a constant, or an attribute such as an order depends on what only a run
    knows.

    Wrong, where n is the size of an input:
        if n == 3 { ... } else { ... }
    Right, where level is a hyper-parameter:
        if level == 0 { ... } else { ... }
    """

    code = "E0341"
    title = "{what} must be known when the spec is compiled"


class WrongResults(Diagnostic):
    """The number of results does not fit.

    Wrong, one result:
        let (a, b) = relu(x)
    Right:
        let a = relu(x)
    """

    code = "E0342"
    title = "{what} gives {given}, {expected} expected"
    advice = "`return` as many values as are taken"


class LayerAxes(Diagnostic):
    """The unit axes of a `layer` do not fit its wiring or its edge.

    Wrong, two axes to one:
        x |> layer((h, w) -> k: 9, wiring = one_to_one)
    Right:
        x |> layer((h, w) -> (k, l), wiring = one_to_one)
    """

    code = "E0343"
    title = "this layer cannot map its axes: {reason}"


class RepeatedName(Diagnostic):
    """Two definitions of a file, two inputs of a signature (ports or hyper-parameters), two of its outputs, two
    parameters of a body, or two carries of a loop share a name. Only `let` may give a name a new meaning.

    Wrong:
        param w: real[d]   param w: real[k]
    Right:
        param w: real[d]   param v: real[k]
    """

    code = "E0403"
    title = "`{name}` is declared twice"
    advice = "give one of them another name"


class ReservedName(Diagnostic):
    """`size`, `tied`, `grad` and `value_and_grad` are called by rules of their own, so that a block of such a name
    could not be called. Ports, hyper-parameters and values may have these names.

    Wrong:
        block size (x: real[d]) -> (y: real[d]) { return 2 * x }
    Right:
        block double (x: real[d]) -> (y: real[d]) { return 2 * x }
    """

    code = "E0404"
    title = "`{name}` is built in, and no name for a definition"


class EndlessRecursion(Diagnostic):
    """Static recursion needs an `if` on a whole hyper-parameter that ends it.

    Wrong:
        block f(n: int) (x: real[]) -> (y: real[]) { return f(x, n = n - 1) }
    Right:
        block f(n: int) (x: real[]) -> (y: real[]) { return if n == 0 { return x } else { return f(x, n = n - 1) } }
    """

    code = "E0405"
    title = "`{name}` uses itself without end: {chain}"
    advice = "end it by an `if` on a whole hyper-parameter that falls from call to call"


class NotYet(Diagnostic):
    """The language has a place for it, this version of the compiler does not.

    Not yet, the gradient as a value of a block that draws random numbers where it solves for a fixed point:
        fixpoint with z = x { return dropout(f(z), rate = 0.1) + x }
    Works:
        repeat 4 with z = x { return dropout(f(z), rate = 0.1) + x }
    """

    code = "E0410"
    title = "{what} is not built yet"


class SharedApart(Diagnostic):
    """What is shared is one module, so that each use passes through the same axes that the block does not speak of.

    Wrong:
        share f = mlp(d -> d, width = 64)   return f(x) + mean(f(y), over = t)      # y has an axis t more than x
    Right:
        share f = mlp(d -> d, width = 64)   let x[t: size(y, t), d] = x   return mean(f(x) + f(y), over = t)
    """

    code = "E0414"
    title = "`{name}` is shared, and was used on values with other axes"
    advice = "bring both values to the same axes, or share a block for each"


class EmitOutsideScan(Diagnostic):
    """`emit` gives one entry of a scan's output per step.

    Wrong:
        block b (x: real[d]) -> (y: real[d]) { emit x   return x }
    Right:
        scan over t with h = h0 { let h = f(h, x)   emit h   return h }
    """

    code = "E0411"
    title = "`emit` stands outside a `scan`"
    advice = "emit from the body of a `scan`, or return it"


class NotAffine(Diagnostic):
    """`using associative()` joins the steps of a scan in any order, which is right for affine steps only: what a pass
    gives back is a number times what it starts from, plus another, both known before the loop runs.

    Wrong:
        scan over t with h = 0 using associative() { let h = tanh(a * h + x)   emit h   return h }
    Right:
        scan over t with h = 0 using associative() { let h = a * h + tanh(x)   emit h   return h }
    """

    code = "E0412"
    title = "the steps of this scan cannot be joined: a pass {reason}"


class StateInside(Diagnostic):
    """A state belongs to a module that runs once for each run of the net: what it holds after a loop over data, or for
    an edge that stands between many units, would have no meaning.

    Wrong:
        scan over t with h = h0 { state s: real[d] = zero   let s = s + h   emit s   return h }
    Right:
        state s: real[d] = zero
        let (h, last) = scan over t with h = h0, a = s { let a = a + h   return h, a }
        let s = last
    """

    code = "E0413"
    title = "there is no state in {where}"
    advice = "declare it in the body around; what changes from pass to pass is carried by the loop"


class UnknownGroup(Diagnostic):
    """Claims speak of permute, shift, rotate90, dihedral, flip, sign, rotate, orthogonal, translate or group.

    Wrong:
        claim equivariant under permutation(n)
    Right:
        claim equivariant under permute(n)
    """

    code = "E0501"
    title = "unknown group `{name}`"


class UnknownModule(Diagnostic):
    """`use std.NAME` reads `specs/std/NAME.arch` of the library; `archc list std` shows what is there.

    Wrong:
        use std.mpl
    Right:
        use std.mlp
    """

    code = "E0604"
    title = "the library has no `{name}`"


class OutsideFolder(Diagnostic):
    """A `use` names a file by a path from the file that it stands in, which may not lead out of the folder of the spec
    that is compiled: not by an absolute path, not by `..`, not by a link.

    Wrong, in the spec itself:
        use "../other.arch"
    Right:
        use "blocks.arch"
    """

    code = "E0601"
    title = "`{path}` leaves the folder of the spec"


class UseCycle(Diagnostic):
    """Files that use each other in a circle have no order in which to be read.

    Wrong, in left.arch and in right.arch:
        use "right.arch"
        use "left.arch"
    Right, with what both need in a third file:
        use "common.arch"
        use "common.arch"
    """

    code = "E0603"
    title = "`{path}` uses itself: {chain}"
    advice = "move what these files have in common into one that uses none of them"


class TooManyFiles(Diagnostic):
    """A spec and the files it uses are at most 64, with 8 MiB of text in all.

    Put blocks that belong together into one file.
    """

    code = "E0909"
    title = "more than {files} files, or {bytes} bytes in all"


class TooLarge(Diagnostic):
    """Sizes stay below 2^53 and their formulas below 256 terms of degree 8, so that a hostile spec cannot stall the
    compiler.

    Wrong:
        real[d: 2^60]
    Right:
        real[d: 2^20]
    """

    code = "E0904"
    title = "a size grows beyond its bounds: {reason}"
    advice = "keep sizes below 2^53 and their degree at 8 or less"


class TooManyPasses(Diagnostic):
    """Loops are kept as loops, but each pass may have weights of its own.

    Wrong:
        repeat 1000000000 with h { ... }
    Right:
        repeat 12 with h { ... }
    """

    code = "E0905"
    title = "`repeat` of {count} passes, at most {limit}"
    advice = "write at most {limit}"


class TooManyNodes(Diagnostic):
    """The elaborated net is larger than the compiler accepts. Use `repeat`, which stays a loop, in place of copies.

    Wrong, 60,000 times:
        let h = f(h)   let h = f(h)   ...
    Right:
        let h = repeat 4096 with h { return f(h) }
    """

    code = "E0906"
    title = "the net has more than {limit} nodes"


class TooDeep(Diagnostic):
    """Blocks call blocks more deeply than the compiler accepts; most often a static recursion goes too far.

    Wrong:
        unet(level = 500)
    Right:
        unet(level = 4)
    """

    code = "E0907"
    title = "blocks nest deeper than {limit}"
