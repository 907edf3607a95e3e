"""Medicines by their Chinese names, brands and compound preparations: which ingredients they mean.

`chinese_names.tsv` holds a name and its ingredients, by the English names of the knowledge base; `class:` before a word
names a class (a member that the base does not hold, or a class that an allergy names). A name without ingredients is
there so that the shorter name inside it is not read: daunorubicin's name holds erythromycin's last letters.
Names were written from the Chinese Pharmacopoeia's usage and from products on the Chinese market, from knowledge.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "chinese_names.tsv"
_HAN = re.compile(r"[\u4e00-\u9fff]")
_COMPOUND = "复方"
# Forms that act on the skin, the eye, the ear, the nose or in the vagina only.
_LOCAL = (
    "滴眼",
    "眼膏",
    "眼用",
    "滴耳",
    "滴鼻",
    "鼻喷",
    "喷鼻",
    "乳膏",
    "软膏",
    "洗剂",
    "搽剂",
    "外用",
    "阴道",
    "漱口",
)


def is_chinese(text: str) -> bool:
    """True if a text holds Chinese characters."""
    return _HAN.search(text) is not None


def is_local(text: str) -> bool:
    """True if the words of a product name a form that does not act in the whole body."""
    return any(form in text for form in _LOCAL)


def meant(text: str) -> tuple[str, ...]:
    """The ingredients, in English, and classes (`class:ID`) that a Chinese text names, the longest name first."""
    return tuple(dict.fromkeys(word for name in _found(text) for word in table()[name]))


def in_part(text: str) -> bool:
    """True if a text names a compound preparation that is not known as one, though an ingredient of it may be."""
    return _COMPOUND in text and not any(name.startswith(_COMPOUND) for name in _found(text))


@cache
def table() -> dict[str, tuple[str, ...]]:
    """Chinese name -> ingredients and classes; empty for a name that only keeps a shorter one from being read."""
    rows = (line.split("\t") for line in FILE.read_text("utf-8").splitlines()[1:])
    return {name: tuple(filter(None, ingredients.split("|"))) for name, ingredients in rows}


@cache
def _by_start() -> dict[str, tuple[str, ...]]:
    """First two characters -> names, the longest first."""
    found: dict[str, list[str]] = {}
    for name in sorted(table(), key=len, reverse=True):
        found.setdefault(name[:2], []).append(name)
    return {start: tuple(names) for start, names in found.items()}


def _found(text: str) -> list[str]:
    folded = "".join(unicodedata.normalize("NFKC", text).lower().split())
    found: list[str] = []
    place = 0
    while place < len(folded):
        names = _by_start().get(folded[place : place + 2], ())
        name = next((n for n in names if folded.startswith(n, place)), None)
        if name is not None:
            found.append(name)
        place += len(name) if name is not None else 1
    return found
