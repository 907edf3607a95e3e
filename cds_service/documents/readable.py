"""What reading one document gives: blocks of text, or a word for why there are none.

A block is (page, is a heading, text); pages count from 1, and are 1 where a format has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Block = tuple[int, bool, str]


class Unreadable(Exception):
    """The document gives no text. word: why, one of the keys of `reading.PROBLEMS`."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass
class Read:
    """What a document gives.

    blank: pages without text. notes: words of `reading.NOTES`. names, births, numbers: what a C-CDA's header says of
    its patient. images: (page, media type, base64) of pages without text.
    """

    blocks: list[Block] = field(default_factory=list)
    pages: int = 1
    blank: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    births: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    images: list[tuple[int, str, str]] = field(default_factory=list)
