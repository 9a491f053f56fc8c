"""A diagnostic is data: a class with a stable code and an explanation, an instance with spans and words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal, NamedTuple

from archc.base.span import Span


class Note(NamedTuple):
    """A second place that takes part in a diagnostic, with what it says there."""

    span: Span
    text: str


class Diagnostic:
    """One finding. Subclasses set `code` and `title` (a format string over the details given by name), and `advice`
    where the help is the same every time (also over the details).

    The docstring of a subclass is what `archc explain CODE` prints.
    Messages are lower case, without a full stop; `help` says what to write.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    advice: ClassVar[str] = ""
    severity: ClassVar[Literal["error", "warning", "note"]] = "error"
    catalogue: ClassVar[dict[str, type[Diagnostic]]] = {}

    def __init_subclass__(cls) -> None:
        if cls.code in Diagnostic.catalogue:
            raise TypeError(f"two diagnostics carry the code {cls.code}")
        Diagnostic.catalogue[cls.code] = cls

    def __init__(
        self,
        span: Span,
        *,
        label: str = "",
        notes: Iterable[Note] = (),
        help: str = "",
        **details: object,
    ) -> None:
        self.span = span
        self.message = self.title.format(**details)
        self.label = label
        self.notes = tuple(notes)
        self.help = help or self.advice.format(**details)
        self.axis = str(details.get("axis", ""))

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        """Where diagnostics are ordered and told apart: file, offset, code, and the axis they speak of, if any."""
        return (self.span.source.path, self.span.start, self.span.end, self.code, self.axis)

    def __str__(self) -> str:
        return f"{self.span}: {self.severity}[{self.code}]: {self.message}"

    __repr__ = __str__


class Fault(Exception):
    """Raised to abandon the statement at hand; carries its diagnostic to the nearest collector."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(str(diagnostic))
        self.diagnostic = diagnostic


class ArchError(Exception):
    """Raised by the public API for a spec with errors; `diagnostics` holds every one of them."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


class Findings:
    """Collects diagnostics in a deterministic order: of one place and one axis, each code once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, int, str, str], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic unless the same was reported at the same place."""
        self._found.setdefault(diagnostic.key, diagnostic)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter([self._found[key] for key in sorted(self._found)])

    def __len__(self) -> int:
        return len(self._found)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that make the spec unusable."""
        return tuple(found for found in self if found.severity == "error")
