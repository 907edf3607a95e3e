"""The ways in which a known value may stand in a text, as patterns over text without case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise, permutations

from cds_service.fhir.identity import Kind, Known
from cds_service.summary.cleaning import visible

_TITLES = frozenset(
    {"dr", "mr", "mrs", "ms", "miss", "prof", "professor", "md", "phd", "rn", "jr", "sr", "ii", "iii", "iv"}
)
_PARTICLES = frozenset({"von", "van", "de", "la", "der", "den", "del", "da", "di"})  # no name, beside another word
_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_ALL_CJK = re.compile(rf"[{_CJK}·•]+")
_WORD = re.compile(r"[^\W_]+")
_SHORTEST_NUMBER = 4  # characters: shorter ids say nothing, and 12 would be in every result
_SHORTEST_PLACE = 4
_MOST_ORDERED = 4  # parts of a name that are looked for in every order
CALLED = "先生|女士|小姐|太太|医生|医师|大夫|主任|护士|护师|教授|老师|阿姨|大爷|大妈|奶奶|爷爷|患者|同志|某某|某|氏"


def alternatives(one: Known) -> Iterator[str]:
    """Patterns of a value in every form. Each is bounded, so that `Ann` is not found in `annual`."""
    if one.kind is Kind.NAME:
        yield from _name(one)
        return
    text = _fold(one.value)
    if one.kind is Kind.ID:
        if len(text) >= _SHORTEST_NUMBER:
            yield _bounded(_run(text) or re.escape(text))
    elif one.kind is Kind.CONTACT:
        yield from _contact(text)
    else:
        yield from _place(text)


def _name(one: Known) -> Iterator[str]:
    words = [w for part in (one.parts or (one.value,)) for w in _words(_fold(part))]
    yield from _latin([w for w in words if not _ALL_CJK.fullmatch(w)])
    yield from _chinese([w for w in words if _ALL_CJK.fullmatch(w)])
    if len("".join(words)) > 1:
        yield _bounded(_loose(_fold(one.value)))


def _words(part: str) -> list[str]:
    found = [w for w in re.split(r"[\s,，、]+", part) if _WORD.search(w) and w.strip(".") not in _TITLES]
    return found if len(found) == 1 else [w for w in found if w not in _PARTICLES]


def _latin(words: list[str]) -> Iterator[str]:
    """Each part alone, and all together in every order: `wang, x.`, `wangxiaoming`, `x wang`."""
    for word in words:
        pieces = _WORD.findall(word)
        if len("".join(pieces)) > 1:
            yield _bounded(_run(word))
        yield from (_bounded(re.escape(piece)) for piece in pieces if len(pieces) > 1 and len(piece) > 2)
    few = words[:_MOST_ORDERED]
    for count in range(2, len(few) + 1):
        for chosen in permutations(few, count):
            yield _bounded(r"[\W_]*".join(map(_run, chosen)))
    for word, other in permutations(few, 2):
        initial = re.escape(_WORD.findall(other)[0][0])
        yield _bounded(rf"{_run(word)}[\s,]+{initial}(?:\.|\b)")
        yield _bounded(rf"{initial}(?:\.\s*|\s+){_run(word)}")


def _run(word: str) -> str:
    """A word whose hyphens and apostrophes may be others, or none."""
    return r"[\W_]*".join(map(re.escape, _WORD.findall(word)))


def _chinese(words: list[str]) -> Iterator[str]:
    """Whole names in either order, given names of two and more, and a family name as people are called by it."""
    joined = "".join(words)
    for text in {joined, "".join(reversed(words)), *words}:
        if len(text) > 1:
            yield r"\s*".join(map(re.escape, text))
    family = words[0] if len(words) > 1 else joined[:1] if 2 <= len(joined) <= 3 else joined[:2]
    given = words[1] if len(words) > 1 else joined[1:] if len(joined) <= 3 else joined[2:]
    if family:
        yield rf"{family}(?={CALLED})"
        yield rf"(?<=[老小])(?<![大老]小){family}(?![{_CJK}])"
    if len(given) > 1:
        yield re.escape(given)
    elif given:
        yield rf"(?<=[小阿]){given}(?![{_CJK}])|{given}(?={CALLED})"


def _contact(text: str) -> Iterator[str]:
    """An address of any kind as it is; a phone number with any separators, with or without the country's."""
    digits = re.sub(r"\D", "", text)
    if "@" in text or "/" in text:
        yield _bounded(_loose(text))
    elif len(digits) >= 7:
        least = digits[-11:] if digits[-11:-10] == "1" and len(digits) > 11 else digits[-10:]
        for number in dict.fromkeys((digits, least, digits[-7:] if len(digits) <= 11 else least)):
            yield r"(?<!\d)" + r"[\s().+/-]*".join(number) + r"(?!\d)"
    elif len(text) >= _SHORTEST_NUMBER:
        yield _bounded(_loose(text))


def _place(text: str) -> Iterator[str]:
    if len(text) >= _SHORTEST_PLACE or (len(text) > 1 and _ALL_CJK.fullmatch(text)):
        yield _bounded(_loose(text))


def _loose(text: str) -> str:
    """The words and signs of a text, however they are parted."""
    parts: list[str] = re.findall(r"[^\W_]+|[^\s\w]|_", text)
    if not parts:
        return re.escape(text)
    pattern: str = re.escape(parts[0])
    for before, part in pairwise(parts):
        between = r"[\s\W_]+" if before[-1].isalnum() and part[0].isalnum() else r"\s*"
        pattern += between + re.escape(part)
    return pattern


def _bounded(pattern: str) -> str:
    """Not within a longer word of Latin letters or digits; Chinese has no such bounds."""
    return rf"(?<![^\W_{_CJK}])(?:{pattern})(?![^\W_{_CJK}])"


def _fold(text: str) -> str:
    parts = unicodedata.normalize("NFD", visible(text).casefold())
    return " ".join("".join(c for c in parts if unicodedata.category(c) != "Mn").split())
