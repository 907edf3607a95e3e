"""Nothing that says who it is leaves: known values and what looks like one become tokens, dates move by secret days.

Tokens are stable: the same text is the same token throughout one question, and `put_back` gives the texts again.
Known are all names, numbers, contacts and places of patient, relatives and practitioners, with their parts, in any
order, case and accents. Patterns find the rest: mail, web and street addresses, phone numbers, SSN, MRN, Chinese ID
and mobile numbers, long numbers, titled names, ages from 90. Years alone stay, as 45 CFR 164.514(b)(2) permits.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cds_service.fhir.identity import Kind, Known
from cds_service.summary.cleaning import visible
from cds_service.summary.dates import UNSURE, Found, dates
from cds_service.summary.names import alternatives
from cds_service.summary.patterns import PATTERNS

What = TypeVar("What")
_TOKEN = re.compile(r"[\[【［]\s*(NAME|ID|CONTACT|PLACE|DATE|AGE|TEXT)\s*[-–—_ ]?\s*(\d{1,5})\s*[\]】］]", re.I)
_GAP = "\0"  # which nothing visible holds


@dataclass
class Scrubber:
    """Replaces and puts back, for one question. days: by which dates move; secret, and never 0."""

    known: Sequence[Known]
    days: int
    _texts: dict[tuple[str, str], str] = field(default_factory=dict)  # (kind, text) -> token
    _numbers: Counter[str] = field(default_factory=Counter)  # kind -> its last number
    _tokens: dict[str, str] = field(default_factory=dict)  # token -> text
    _moved: dict[str, str] = field(default_factory=dict)  # a moved date as written -> the date as it was written
    _patterns: list[tuple[str, re.Pattern[str]]] | None = None

    def scrub(self, text: str) -> str:
        """The text without what says whom it is about. Hidden characters go, so that they cannot part a name."""
        text = visible(text)
        text = _TOKEN.sub(lambda m: self._token("TEXT", m[0]), text)  # what only looks like a token
        folded, places = _folded(text)
        for kind, pattern in self._known():
            spans = [(places[m.start()], places[m.end() - 1] + 1, kind) for m in pattern.finditer(folded)]
            text = self._replaced(text, spans)
            folded, places = _folded(text)
        for kind, places_in in PATTERNS:
            text = self._replaced(text, ((start, end, kind) for start, end in places_in(text)))
        return self._dated(text)

    def put_back(self, text: str) -> str:
        """A model's text with the texts in place of their tokens, and dates where they were.

        A token that was never given out stays as it is.
        """
        found = dates(text, -self.days)
        for one in reversed(found):
            text = text[: one.start] + self._moved.get(one.text, one.moved) + text[one.end :]
        for _ in range(3):  # a token's text may hold another: an address, a name
            text = _TOKEN.sub(lambda m: m[0] if m[1].upper() == "TEXT" else self._given(m), text)
        return _TOKEN.sub(self._given, text)

    def _given(self, token: re.Match[str]) -> str:
        return self._tokens.get(f"[{token[1].upper()}-{int(token[2])}]", token[0])

    def leaks(self, text: str) -> bool:
        """True if a known value stands in a text, and not astride a token: the last look before it is sent."""
        between = [_folded(part)[0] for part in _TOKEN.sub(_GAP, visible(text)).split(_GAP)]
        return any(pattern.search(part) is not None for _, pattern in self._known() for part in between)

    def _known(self) -> list[tuple[str, re.Pattern[str]]]:
        if self._patterns is None:
            by_kind: dict[Kind, set[str]] = {}
            for one in self.known:
                by_kind.setdefault(one.kind, set()).update(alternatives(one))
            # The longest first: a whole name before its parts, an address before its town.
            order = (Kind.CONTACT, Kind.PLACE, Kind.NAME, Kind.ID)
            self._patterns = [
                (kind.value, re.compile("|".join(sorted(by_kind[kind], key=lambda p: (-len(p), p)))))
                for kind in order
                if by_kind.get(kind)
            ]
        return self._patterns

    def _dated(self, text: str) -> str:
        sure = dates(text, self.days)
        ends = [one.end for one in sure]
        spans: list[tuple[int, int, Found | None]] = [(one.start, one.end, one) for one in sure]
        for m in UNSURE.finditer(text):
            after = bisect_right(ends, m.start())  # the first that ends behind its start
            if after == len(sure) or sure[after].start >= m.end():
                spans.append((m.start(), m.end(), None))

        def moved(one: Found | None, written: str) -> str:
            if one is None:
                return self._token("DATE", written)
            self._moved.setdefault(one.moved, one.text)
            return one.moved

        return _rewritten(text, spans, moved)

    def _replaced(self, text: str, spans: Iterable[tuple[int, int, str]]) -> str:
        """The text with spans replaced by their tokens; what lies within a token stays."""
        return _rewritten(text, spans, self._token)

    def _token(self, kind: str, text: str) -> str:
        token = self._texts.get((kind, text))
        if token is None:
            self._numbers[kind] += 1
            token = self._texts[(kind, text)] = f"[{kind}-{self._numbers[kind]}]"
            self._tokens[token] = text
        return token


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place of the original."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFD", character.casefold()):
            if unicodedata.category(part) != "Mn":
                letters.append(part)
                places.append(place)
    return "".join(letters), places


def _rewritten(text: str, spans: Iterable[tuple[int, int, What]], write: Callable[[What, str], str]) -> str:
    """The text with spans written anew, from its end; those that touch a token, or one that was written, stay."""
    tokens = [m.span() for m in _TOKEN.finditer(text)]
    pieces: list[str] = []
    kept = len(text)  # from here on, it is in the pieces
    for start, end, what in sorted(spans, key=lambda span: span[:2], reverse=True):
        while tokens and tokens[-1][0] >= end:
            tokens.pop()
        if start < end <= kept and not (tokens and tokens[-1][1] > start):
            pieces += (text[end:kept], write(what, text[start:end]))
            kept = start
    return "".join((text[:kept], *reversed(pieces)))
