"""A sentence as tokens: clinical terms, amounts, dates, and what its other words do; English, Chinese or mixed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cds_service.summary import terms, words
from cds_service.summary.amounts import Number, number_at, pair_at
from cds_service.summary.families import FAMILIES
from cds_service.summary.moments import When, when_at
from cds_service.summary.vocabulary import Meanings, extend

_ATOM = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|[^\W\d_]+|\S")
_CJK = re.compile(r"[\u3400-\u9fff]")
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
_OTHER_CLASSES = {"condition": terms.CONDITIONS, "drug": terms.DRUGS, "measure": terms.MEASUREMENTS, "group": terms.GROUPS,
                  "act": terms.PROCEDURES, "quality": words.QUALIFIERS}  # fmt: skip
WHOLE = re.compile(r"⟦(\d+)⟧")  # stands for a name that a sentence takes whole from what it cites
_SPELLINGS = (
    ("haem", "hem"), ("aemi", "emi"), ("oedema", "edema"), ("tumour", "tumor"), ("foet", "fet"), ("oesoph", "esoph"),
    ("rrhoea", "rrhea"), ("leuco", "leuko"), ("paed", "ped"), ("gynaec", "gynec"), ("caesar", "cesar"),
    ("oestro", "estro"), ("fibre", "fiber"),
    ("pnoe", "pne"),
)  # fmt: skip
# An adjective of a finding is the finding: tachypneic, hyponatremic, neutropenic, hypotensive.
_ADJECTIVES = (("pneic", "pnea"), ("emic", "emia"), ("penic", "penia"), ("cardic", "cardia"), ("tensive", "tension"))
_NUMERALS = {"I": 1, "II": 2, "III": 3, "IV": 4}
_ROMAN = re.compile(r"\b(stage) (I{1,3}|IV)([ABC]?)\b", re.IGNORECASE)
_HAN = "〇一二三四五六七八九"
_HAN_DATE = re.compile(
    r"(?P<y>[一二][〇零一二三四五六七八九]{3})年(?:(?P<m>十[一二]?|[一二三四五六七八九])月(?:(?P<d>[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[日号])?)?"
)
_ASKED = re.compile(r"(?<![\w?])\?\s?(?=[A-Za-z\u4e00-\u9fff])")  # ?DVT
_DOTTED = re.compile(r"(?i)\b(?:[btq]\. ?i\. ?d|p\. ?o|p\. ?r\. ?n|q\. ?d|i\. ?v|i\. ?m|s\. ?c|h\. ?s)\b\.?(?!\w)")
_HOURLY = re.compile(r"\b(every \d{1,2}) ?(?:h|hr|hrs)\b", re.IGNORECASE)
_FALLING = re.compile(  # a person's fall, not a value's
    r"(?i)falls?\b(?!\s+(?:from|to|by|of|below|over)\b)"
    r"(?!\s+in\s+(?!the\s+(?:past|last|previous|bath|ward|street)|\d|hospital|"
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\b))"
    r"|fell\s+(?=(?:at|in|on)\s+(?:home|the|her|his)\b|down\b|out\s+of\s+bed)"
)
_GENDERS = {"f": "female", "m": "male"}
_LOOKALIKE = str.maketrans({"μ": "u", "µ": "u", "’": "'"})
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


def _digits(match: re.Match[str]) -> str:
    """A date in Chinese numerals with figures: 二〇二六年八月 as 2026年8月."""
    year, month, day = match["y"], match["m"], match["d"]
    figures = "".join(str(_HAN.index(c)) if c != "零" else "0" for c in year or "")
    text = f"{figures}年" if year else ""
    text += f"{_tens(month)}月" if month else ""
    return text + (f"{_tens(day)}{match.group()[-1]}" if day else "")


def _tens(text: str) -> int:
    tens, ten, ones = text.partition("十")
    return (_HAN.index(tens) if tens else 1) * 10 + (_HAN.index(ones) if ones else 0) if ten else _HAN.index(tens)


def normal(text: str) -> str:
    """The text with compatible characters unified and hidden ones removed."""
    plain = unicodedata.normalize("NFKC", text)
    plain = _ASKED.sub("suspected ", _HAN_DATE.sub(_digits, plain))
    plain = _DOTTED.sub(lambda m: m.group().replace(".", "").replace(" ", ""), plain)
    plain = _HOURLY.sub(r"\1 hours", plain.replace("i.e.", "ie").replace("e.g.", "eg"))
    plain = _ROMAN.sub(lambda m: f"{m[1]} {_NUMERALS[m[2].upper()]}{m[3]}", plain)
    return (
        "".join(c for c in plain if c.isprintable() or c.isspace())
        .replace("μ", "u")
        .replace("µ", "u")
        .replace("’", "'")
    )


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without its plural, in lower case."""
    word = word.lower()
    for british, american in _SPELLINGS:
        word = word.replace(british, american)
    for adjective, noun in _ADJECTIVES:
        if word.endswith(adjective):
            return word[: -len(adjective)] + noun
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def atoms(text: str) -> list[tuple[str, int, int]]:
    """(stem, start, end) of each word, number, Chinese character and sign."""
    found: list[tuple[str, int, int]] = []
    for match in _ATOM.finditer(text):
        piece = match.group()
        if len(piece) > 1 and _CJK.search(piece):
            found += _mixed(piece, match.start())
        else:
            found.append((stem(piece), match.start(), match.end()))
    return found


def _mixed(piece: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Chinese characters one by one, Latin letters between them together."""
    for match in re.finditer(r"[\u3400-\u9fff]|[^\u3400-\u9fff]+", piece):
        yield stem(match.group()), at + match.start(), at + match.end()


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
    base = extend(meanings, lambda name: tuple(a for a, _, _ in atoms(normal(name))))
    classes |= base.classes
    for id_, more in base.implied.items():
        implied.setdefault(id_, set()).update(more)
    by_first: dict[str, list[tuple[Key, tuple[tuple[str, str], ...]]]] = {}
    for key, found in meanings.items():
        by_first.setdefault(key[0], []).append((key, tuple(found)))
    for group in by_first.values():
        group.sort(key=lambda pair: -len(pair[0]))
    return Lexicon(by_first, classes, {id_: _closed(id_, implied) for id_ in implied}, base.combined, base.codes)


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
            if _cut(text, start, end):
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


def _cut(text: str, start: int, end: int) -> bool:
    """True if a phrase would end or begin within a number or a Latin word: `CKD 3` in `CKD 3.5`."""
    return (
        end < len(text)
        and text[end - 1].isdigit()
        and re.match(r"[.,]\d|\s*(?:%|years?|months?|days?|weeks?|mg)", text[end:]) is not None
    )


def splits(token: Token) -> bool:
    """True for a comma, `and` and their like, where one claim may end and another begin."""
    return token.kind == "separator" or token.text.lower() in _SPLITTING_WORDS or token.text in _JOINING
