"""A sentence as tokens: clinical terms, amounts, dates, and what its other words do; English, Chinese or mixed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cds_service.summary import terms, words
from cds_service.summary.amounts import Number, number_at, pair_at
from cds_service.summary.families import FAMILIES
from cds_service.summary.moments import When, when_at
from cds_service.summary.spelling import atoms, normal
from cds_service.summary.vocabulary import Meanings, extend

_SEPARATORS = {",", ";", ".", ":", "，", "；", "。", "：", "!", "?"}
_JOINING = {"、", "/"}
_SPLITTING_WORDS = {
    "and",
    "but",
    "while",
    "whereas",
    "plus",
    "then",
    "和",
    "及",
    "与",
    "并",
    "而",
    "但",
    "且",
    "以及",
    "并且",
}
_OTHER_CLASSES = {"condition": terms.CONDITIONS, "drug": terms.DRUGS, "measure": terms.MEASUREMENTS,
                  "group": terms.GROUPS,
                  "act": terms.PROCEDURES, "quality": words.QUALIFIERS}  # fmt: skip
WHOLE = re.compile(r"⟦(\d+)⟧")  # stands for a name that a sentence takes whole from what it cites
_FALLING = re.compile(  # a person's fall, not a value's
    r"(?i)fall(?:s|ing)?\b(?=\s+(?:at home|down|out of bed))|falls?\b(?!\s+(?:from|to|by|of|below|over)\b)"
    r"(?!\s+in\s+(?!the\s+(?:past|last|previous|bath|ward|street)|\d|hospital|"
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\b))"
    r"|fell\s+(?=(?:at|in|on)\s+(?:home|the|her|his)\b|down\b|out\s+of\s+bed)"
)
_EVERY = re.compile(
    r"(?i)(?:every|q) ?(\d{1,3}(?: ?(?:to|-) ?\d{1,3})? ?(?:h|hour|day|week|month))s?(?!\w)"
    r"|每(\d{1,3} ?(?:小时|天|日|周))(?!\w)"
)
_GENDERS = {"f": "female", "m": "male"}
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a sentence.

    kind: `term`, `word` (in no table), `number`, `pressure`, `when`, `neutral`, `separator`, or a table of operators.
    value: the meaning: a term's id (`#htn`, so that no word is taken for it), a word's stem, an operator's value.
    also: the same phrase as an operator.
    """

    kind: str
    value: str
    text: str
    start: int
    end: int
    number: Number | None = None
    second: Number | None = None
    when: When | None = None
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All phrases by their first atom, the class of each term, and what each term implies.

    combined: substances and the product that is made of them all; codes: of illnesses, with their term.
    """

    phrases: dict[str, list[tuple[Key, tuple[tuple[str, str], ...]]]]
    classes: dict[str, str]
    implied: dict[str, frozenset[str]]
    combined: tuple[tuple[frozenset[str], str], ...]
    codes: dict[tuple[str, str], str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The tables of `terms` and `words`, ready for look-up."""
    meanings: dict[Key, dict[tuple[str, str], None]] = {}
    classes: dict[str, str] = {}
    implied: dict[str, set[str]] = {}
    for class_, table in _OTHER_CLASSES.items():
        for name, phrases, more in _lines(table):
            id_ = f"#{name}"
            classes[id_] = class_
            implied[id_] = {f"#{other}" for other in more}
            for phrase in phrases:
                meanings.setdefault(phrase, {})["term", id_] = None
    for kind, table in words.OPERATORS.items():
        for value, phrases, _ in _lines(table):
            for phrase in phrases:
                meanings.setdefault(phrase, {})[kind, value] = None
    for text in (*words.NEUTRAL.replace("\n", " ").split(";"), *words.NEUTRAL_ZH.replace("\n", "").split(";")):
        neutral = tuple(a for a, _, _ in atoms(text))
        if neutral:
            meanings.setdefault(neutral, {("neutral", ""): None})
    for class_, members in terms.CLASSES.items():
        for member in members.split():
            implied[f"#{member}"].add(f"#{class_}")
    _family(meanings, classes, implied)
    base = extend(meanings, _key)
    classes |= base.classes
    for own, others in base.implied.items():
        implied.setdefault(own, set()).update(others)
    by_first: dict[str, list[tuple[Key, tuple[tuple[str, str], ...]]]] = {}
    for key, found in meanings.items():
        by_first.setdefault(key[0], []).append((key, tuple(found)))
    for group in by_first.values():
        group.sort(key=lambda pair: -len(pair[0]))
    return Lexicon(by_first, classes, {id_: _closed(id_, implied) for id_ in implied}, base.combined, base.codes)


def _key(name: str) -> Key:
    """A name as phrases are written: without hyphens, which a sentence may have or not."""
    return tuple(a for a, _, _ in atoms(normal(name)) if a not in ("-", "/"))


def _family(meanings: Meanings, classes: dict[str, str], implied: dict[str, set[str]]) -> None:
    """Adds the word families: a phrase that another table has keeps its meaning there, and is of the family besides."""
    for name, phrases, _ in _lines(FAMILIES):
        id_ = f"#{name}"
        classes[id_] = "family"
        implied[id_] = set()
        for phrase in phrases:
            known = meanings.setdefault(phrase, {})
            if not known:
                known["term", id_] = None
            for kind, other in known:
                if kind == "term" and other != id_:
                    implied[other].add(id_)


def _lines(table: str) -> Iterator[tuple[str, list[Key], list[str]]]:
    for line in table.strip().splitlines():
        id_, _, rest = line.partition(":")
        rest, _, more = rest.partition(" => ")
        phrases = [tuple(a for a, _, _ in atoms(normal(p))) for half in rest.split("|") for p in half.split(";")]
        yield id_.strip(), [p for p in phrases if p], more.split()


def _closed(id_: str, implied: dict[str, set[str]]) -> frozenset[str]:
    found, todo = {id_}, [id_]
    while todo:
        for other in implied.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return frozenset(found)


def scan(text: str) -> list[Token]:
    """The tokens of a sentence, in order; the longest phrase wins."""
    text = normal(text)
    pieces = atoms(text)
    found: list[Token] = []
    at = 0
    while at < len(pieces):
        token = _token(text, pieces, at, found[-1] if found else None)
        found.append(token)
        while at < len(pieces) and pieces[at][1] < token.end:
            at += 1
    return found


def _token(text: str, pieces: list[tuple[str, int, int]], at: int, before: Token | None) -> Token:
    piece, start, end = pieces[at]
    whole = WHOLE.match(text, start)
    if whole is not None:
        return Token("term", f"@{whole.group(1)}", whole.group(), start, whole.end())
    when = when_at(text, start)
    if when is not None:
        return Token("when", when.kind, text[start : when.end], start, when.end, when=when)
    if piece in _GENDERS and before is not None and before.when is not None and before.when.kind == "oldness":
        return Token("gender", _GENDERS[piece], text[start:end], start, end)
    if piece in ("t", "d", "s", "m") and start and text[start - 1] == "'":
        return Token("neutral", piece, piece, start, end)
    pair = pair_at(text, start)
    if pair is not None:
        return Token("pressure", "", text[start : pair[0].end], start, pair[0].end, number=pair[0], second=pair[1])
    fallen = _FALLING.match(text, start)
    if fallen is not None:
        return Token("term", "#fall", fallen.group().strip(), start, end)
    phrase = _phrase(text, pieces, at)
    every = _EVERY.match(text, start)
    if every is not None and (phrase is None or phrase.kind != "freq"):
        return Token("freq", f"every {every[1] or every[2]}", every.group(), start, every.end())
    if phrase is not None and not (len(phrase.text) <= 2 and phrase.value in ("#k", "#na")):
        return phrase
    number = number_at(text, start)
    if number is not None:
        return Token("number", str(number.value), text[start : number.end], start, number.end, number=number)
    if piece in _SEPARATORS:
        return Token("separator", piece, piece, start, end)
    if not any(c.isalnum() for c in piece):
        return Token("neutral", piece, piece, start, end)
    return Token("word", piece, text[start:end], start, end)


def _phrase(text: str, pieces: list[tuple[str, int, int]], at: int) -> Token | None:
    for key, meanings in lexicon().phrases.get(pieces[at][0], ()):
        last = _match(pieces, at, key)
        if last is not None:
            start, end = pieces[at][1], pieces[last][2]
            if _cut(text, end):
                continue
            kind, value = meanings[0]
            return Token(kind, value, text[start:end], start, end, also=meanings[1:])
    return None


def _match(pieces: list[tuple[str, int, int]], at: int, key: Key) -> int | None:
    """The place where a phrase that begins at `at` ends; hyphens and slashes within it do not count."""
    place = at
    for n, part in enumerate(key):
        while n and place < len(pieces) and pieces[place][0] in ("-", "/") and part not in ("-", "/"):
            place += 1
        if place >= len(pieces) or pieces[place][0] != part:
            return None
        place += 1
    return place - 1


def _cut(text: str, end: int) -> bool:
    """True if a phrase that ends in a figure would end within a number or an amount: `CKD 3` in `CKD 3.5`."""
    return (
        end < len(text)
        and text[end - 1].isdigit()
        and re.match(r"[.,]\d|\s*(?:%|years?|months?|days?|weeks?|mg)", text[end:]) is not None
    )


def splits(token: Token) -> bool:
    """True for a comma, `and` and their like, where one claim may end and another begin."""
    return token.kind == "separator" or token.text.lower() in _SPLITTING_WORDS or token.text in _JOINING
