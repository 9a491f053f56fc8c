"""What can be wrong with a text before its meaning is asked for."""

from __future__ import annotations

from archc.base.diagnostic import Diagnostic


class UnreadableText(Diagnostic):
    """A spec is text in UTF-8, without a byte order mark and without NUL characters.

    The message counts bytes from 0 and lines from 1. Save the file as "UTF-8" (not "UTF-8 with BOM", not UTF-16).
    """

    code = "E0001"
    title = "{problem} at byte {byte}, line {line}"


class UnexpectedToken(Diagnostic):
    """The text does not follow the grammar: something stands where it cannot stand.

    Wrong: a comparison where a value is given.
        let y == x
    Right:
        let y = x

    Wrong: no comma between two arguments.
        norm(x over = d)
    Right:
        norm(x, over = d)
    """

    code = "E0100"
    title = "unexpected {found}"


class MissingNet(Diagnostic):
    """A file that is compiled must declare at least one `net`; a file of `block`s is a library for `use`.

    Right:
        net Double () (x: real[d]) -> (y: real[d]) { return 2 * x }
    """

    code = "E0101"
    title = "no net in this file"
    advice = "begin with `net Name (x: real[d]) -> (y: real[d]) {{ return x }}`"


class Unclosed(Diagnostic):
    """A brace, bracket, parenthesis or string is opened and never closed.

    Wrong:
        let y = tanh(x
        return y
    Right:
        let y = tanh(x)
        return y
    """

    code = "E0102"
    title = "this {opener} is never closed"


class BadNumber(Diagnostic):
    """A number that cannot be represented: integers end at 2^53 - 1, reals at about 1.8e308.

    Wrong:
        let y = x * 1e999
    Right:
        let y = x * 1e99
    """

    code = "E0103"
    title = "{problem}"
    advice = "write a smaller number: whole ones have at most 53 bits, real ones are those of double precision"


class IllegalName(Diagnostic):
    """A name is at most 64 of the characters `A-Z a-z 0-9 _`, starts with no digit and with no two underscores.

    Letters outside ASCII are refused because two names that look alike could differ.

    Wrong:
        let \N{GREEK SMALL LETTER ALPHA} = x
        let __class__ = x
    Right:
        let alpha = x
        let class_ = x
    """

    code = "E0104"
    title = "{problem}"


class ControlCharacter(Diagnostic):
    """A control character, a lone carriage return or a mark that changes the direction of writing.

    Such characters make a file look different from what it says, so they are refused everywhere, comments included.
    Delete the character; the position is its line and column.
    """

    code = "E0105"
    title = "{name} in the text"


class IllegalCharacter(Diagnostic):
    """A character that is no part of the language.

    Wrong:
        let y = x ** 2; let z = !y
    Right:
        let y = x ^ 2
        let z = not y
    """

    code = "E0106"
    title = "illegal character {found}"


class MissingFile(Diagnostic):
    """The file does not exist or may not be read. Check the path as the message shows it."""

    code = "E0600"
    title = "`{path}` cannot be read: {reason}"
    advice = "check the path, and whether you may read the file"


class NotASpec(Diagnostic):
    """A spec is a regular file, not a folder, a pipe, a socket or a device; a file named in `use` ends in `.arch`.

    Wrong:
        use "blocks.txt"
    Right:
        use "blocks.arch"
    """

    code = "E0602"
    title = "`{path}` is not a spec file"


class FileTooLarge(Diagnostic):
    """A spec is at most 1 MiB unless the limit is raised: larger texts are data. Keep data in weights."""

    code = "E0901"
    title = "the file is larger than {limit} bytes"


class TooDeep(Diagnostic):
    """Brackets, bodies and operators such as `-`, `not`, `^` and `else if` nest at most 64 deep.

    The position is the first one too many. Name an inner part with `let` and use the name.

    Wrong:
        ((((( ... 65 of them ... x
    Right:
        let inner = ...
        let outer = f(inner)
    """

    code = "E0902"
    title = "nested deeper than {limit}"


class TooManyTokens(Diagnostic):
    """A spec has at most 200,000 tokens unless the limit is raised. Use `repeat` or a block for what recurs."""

    code = "E0903"
    title = "more than {limit} tokens"
