"""Handing a file's comments, in order, to the parts they stand at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from archc.base.span import Source, Span
from archc.syntax.tree import Comment


class Comments:
    """The comments not yet printed. Each is asked for once, by the first part that follows or precedes it."""

    def __init__(self, source: Source | None = None, comments: Iterable[Comment] = ()) -> None:
        self._source = source
        self._left = deque(comments)

    def before(self, offset: int) -> list[Comment]:
        """Take the comments that start before an offset."""
        taken = []
        while self._left and self._left[0].span.start < offset:
            taken.append(self._left.popleft())
        return taken

    @property
    def left(self) -> int:
        """How many are not yet taken."""
        return len(self._left)

    def beside(self, span: Span) -> list[Comment]:
        """Take the comment that ends the line on which a span ends, at most a comma between them."""
        if self._source is None or not self._left:
            return []
        start = self._left[0].span.start
        between = self._source.text[span.end : start] if start >= span.end else "\n"
        return [self._left.popleft()] if between.strip(" \t") in ("", ",") else []

    def blank_before(self, offset: int) -> bool:
        """Whether an empty line stands above an offset."""
        if self._source is None:
            return False
        text = self._source.text
        at = offset
        while at and text[at - 1] in " \t\r\n":
            at -= 1
        return text.count("\n", at, offset) > 1

    def word_before(self, word: str, offset: int) -> int:
        """Where the keyword before an offset starts."""
        return max(self._source.text.rfind(word, 0, offset), 0) if self._source else offset
