"""The resources that a card cites: numbered in its lines, listed once at its end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cds_service.explain.wording import listing
from cds_service.language import Message, Words, msg
from cds_service.markdown import Block, Heading, Paragraph

_SHOWN = 3
# `curbside/limits/...`, `variant:...`: names of rows and nodes of the graph, where a resource has a type.
_ROW = re.compile(r"(?!urn:|https?:)[a-z][\w-]*[/:]")


class Cited:
    """The resources that a card cites, numbered as they come, so that its lines stay short; listed once at its end."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._numbers: dict[str, int] = {}

    def mark(self, references: Sequence[str]) -> Message | None:
        """`source 3`, `sources 3, 4, 2 more`; None without any. Rows of knowledge are cited by their publication."""
        found = [r for r in references if not _ROW.match(r)]
        if not found:
            return None
        numbers = [self._numbers.setdefault(r, len(self._numbers) + 1) for r in found[:_SHOWN]]
        if len(found) == 1:
            return msg("source {number}", number=numbers[0])
        shown: list[Message | str] = [str(number) for number in numbers]
        if more := len(found) - len(numbers):
            shown.append(msg("{count} more", count=more))
        return msg("sources {numbers}", numbers=listing(shown))

    def bracketed(self, references: Sequence[str]) -> str:
        """The numbers of the sources in brackets; empty where there is no source."""
        mark = self.mark(references)
        return self.words(msg("({references})", references=mark)) if mark is not None else ""

    def sources(self) -> list[Block]:
        """Each number with its resource."""
        if not self._numbers:
            return []
        items = [self.words(msg("{number}: {reference}", number=n, reference=r)) for r, n in self._numbers.items()]
        parted = (f"{item};" for item in items[:-1])
        return [Heading(self.words(msg("Sources in the record"))), Paragraph((*parted, items[-1]))]
