"""What a stretch of text speaks of, as keys under which two wordings of one thing meet: `admitted` and `admission`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from cds_service.summary.bound import follows
from cds_service.summary.claims import claims
from cds_service.summary.lexicon import Token, scan
from cds_service.summary.spelling import atoms, normal

# Words of one act in all their forms, the first of which is their key; what a verb and its noun share needs no line.
_FAMILIES = """
begin began begun start started starting restart restarted initiate initiated commence commenced introduced
stop stopped stopping discontinued discontinuation ceased cessation withdrawn withheld halted
go went gone going
fall fell fallen falling fall
admit admitted admission admissions readmitted
move moved transfer transferred transferring transfers
replace replaced replacing replacement arthroplasty switched switch changed substituted converted
grow grew grown increase increased enlarged larger bigger
shrink shrank shrunk decrease decreased smaller reduced reduction
remove removed removal taken
postpone postponed delayed delay deferred
refuse refused refusal declined decline declining
help helped helpful effective
see saw seen
give gave given
teach taught
operate operation operated surgery surgical postoperative
restore restored
invade invasion invasive
complicate complicated complication complications
recommend recommended advised suggested recommendation
plan planned scheduled booked arranged
request requested ordered
treat treated treatment therapy management managed
religion religious
pain painful
diagnose diagnosed diagnosis diagnoses
infect infected infection
"""
_FAMILY = {word: line.split()[0] for line in _FAMILIES.strip().splitlines() for word in line.split()}
_ENDINGS = (
    "ations",
    "ation",
    "ition",
    "ments",
    "ment",
    "ions",
    "ion",
    "ings",
    "ing",
    "ied",
    "ies",
    "ed",
    "es",
    "ly",
    "s",
)
_LEAST = 3
_REACH = 160  # characters on either side of a word that it may relate
_NOTHING = """
a an the of in on at to by with for from as is are was were be been being and or but that this these those it
its which who whose there then than has have had do does did not no will would can could may might must she he
her his him they them their patient patients pt so also very before after prior following followed subsequently
thereafter preceded until once because due owing secondary into up down per each other still now since during
through over under within without s t one about while when where what both all any some only
的 了 于 在 为 是 有 和 与 及 并 而 或 后 前 之 以 由 从 自 至 到 将 被 把 因 已 曾 可 予
行 该 其 患 者 患者 病人 较 比 示 约 每 等 也 又 再 入 出 转 改 用 换 成 升 降
"""
_EMPTY = frozenset(_NOTHING.split())
_PERSON = frozenset({"she", "he", "her", "him", "patient", "患者", "病人"})
PATIENT = "the patient"
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WORDED = re.compile(rf"(?i)\b({'|'.join(_WORDS)})\b(?=[ -][a-z])")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_ORDINAL = re.compile(rf"(?i)\b({'|'.join(_ORDINALS)})\b")
_HAN = "〇一二三四五六七八九"
_HAN_NUMBER = re.compile(r"(?<=第)[一二三四五六七八九]|[一二三四五六七八九](?=(?:个?月|小时|天|日|周|年))")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?")
_WALL = re.compile(r"[,;，；。]|[:：](?!\d)|\b(?:and|then|but|while|whereas)\b|[但而]", re.IGNORECASE)
_JOINS = frozenset({"and", "but", "then", ",", "while", "whereas", ";", ":", "，", "。", "；"})
_VERBS = frozenset({"is", "was", "are", "were", "has", "had", "have", "will", "with", "without", "no", "not"})
_ENDS = frozenset(";；。")
_UNIT = re.compile(r"\s?-?(%|[a-z]+|[\u3400-\u9fff])", re.IGNORECASE)
_COUNTED = frozenset({"number", "pressure", "when"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A name of a sentence with all that is said of it, up to the next name.

    keys: what it speaks of. at: where in the text each token begins, and the keys of that. kinds: of its tokens.
    """

    text: str
    keys: frozenset[str]
    at: tuple[tuple[int, frozenset[str]], ...]
    kinds: frozenset[str]

    def beside(self, words: Iterable[re.Match[str]]) -> frozenset[str]:
        """The keys of what it says beside some of its words."""
        spans = [m.span() for m in words]
        return frozenset(k for at, keys in self.at if not any(a <= at < b for a, b in spans) for k in keys)


@lru_cache(maxsize=4096)
def key(word: str) -> str:
    """The key of a word: its family's first word, or the word without its endings."""
    if word in _FAMILY:
        return _FAMILY[word]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > _LEAST:
            word = word[: -len(ending)]
            break
    return _FAMILY.get(word, word.removesuffix("e").removesuffix("at") if len(word) > _LEAST + 1 else word)


def keys_of(tokens: Iterable[Token], *, persons: bool = False) -> frozenset[str]:
    """The keys of tokens; words that hold a sentence together have none. persons: with the patient among them."""
    found: set[str] = set()
    listed = list(tokens)
    for n, token in enumerate(listed):
        if token.kind in _COUNTED:
            found |= {str(float(d)) for d in _DIGITS.findall(token.text)}
        elif persons and token.text.lower() in _PERSON:
            found |= set() if _owns(listed[n : n + 3]) else {PATIENT}
        elif token.kind == "person":
            found |= {token.value, f"={token.text.lower()}"}
        elif token.kind == "term":
            found |= {token.value, f"={token.text.lower()}"}  # of two names of one thing the same words come nearer
        elif token.kind != "separator":
            found |= {key(a) for a, _, _ in atoms(token.text.lower()) if a not in _EMPTY and a.isalnum()}
    return frozenset(found)


def _owns(tokens: Sequence[Token]) -> bool:
    """True for `the patient's daughter`, `her husband`: another person is meant."""
    return any(t.kind == "person" for t in tokens) or any(t.text == "'" for t in tokens[1:2])


def figures(text: str) -> str:
    """A text with small numbers in figures, ordinals as 第1."""
    plain = _WORDED.sub(lambda m: str(_WORDS.index(m[1].lower())), text)
    plain = _ORDINAL.sub(lambda m: f"第{_ORDINALS.index(m[1].lower()) + 1}", plain)
    return _HAN_NUMBER.sub(lambda m: str(_HAN.index(m[0])), plain)


class Read:
    """A text with its tokens, of which any stretch gives its keys."""

    def __init__(self, text: str) -> None:
        self.plain = figures(normal(text))
        self.tokens: list[Token] = scan(self.plain)
        self.starts = [t.start for t in self.tokens]

    def keys(self, start: int, end: int, *, persons: bool = False) -> frozenset[str]:
        """What a stretch speaks of."""
        return keys_of(self.within(start, end), persons=persons)

    def within(self, start: int, end: int) -> list[Token]:
        """The tokens that begin in a stretch."""
        return self.tokens[bisect_left(self.starts, start) : bisect_left(self.starts, end)]

    def before(self, at: int, walls: Sequence[int]) -> int:
        """Where the stretch that ends at a place begins."""
        n = bisect_left(walls, at)
        return max(walls[n - 1] if n else 0, at - _REACH)

    def behind(self, at: int, walls: Sequence[int]) -> int:
        """Where the stretch that begins at a place ends."""
        n = bisect_left(walls, at)
        return min(walls[n] if n < len(walls) else len(self.plain), at + _REACH)


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch between commas.

    keys: what it speaks of beside its numbers. numbers: each with the word behind it. persons: whom it names. around:
    of whom it is, these or, where it names nobody, those before it. opened: its text with what stands before it.
    first: the key that it begins with, empty where it goes on about what was named before. about: the keys of that, as
    of heparin in `heparin was started and stopped on day 3`. pairs: keys side by side.
    """

    text: str
    keys: frozenset[str]
    numbers: frozenset[tuple[str, str]]
    persons: frozenset[str]
    around: frozenset[str]
    opened: str
    first: str
    pairs: frozenset[tuple[str, str]]
    about: frozenset[str]


def clauses(read: Read) -> list[Clause]:
    """The clauses of a text, in order."""
    found: list[Clause] = []
    start = opened = 0
    subject, around = frozenset[str](), frozenset[str]()
    for end in [*(m.start() for m in _WALL.finditer(read.plain)), len(read.plain)]:
        piece, tokens = read.plain[start:end], read.within(start, end)
        numbers = frozenset((str(float(m[0])), _behind(piece, m)) for m in _NUMBER.finditer(piece))
        keys = frozenset(k for k in keys_of(tokens) if not k[0].isdigit())
        persons = frozenset(t.value for t in tokens if t.kind == "person")
        named = persons or any(t.text.lower() in _PERSON for t in tokens)
        around = persons if named else around
        before = read.plain[max(opened, start - _REACH) : end]
        first, pairs = _in_order(tokens)
        keyed = next((t for t in tokens if keys_of([t])), None)
        about = subject if not first and keyed is not None and keyed.kind not in _COUNTED else frozenset()
        if first:
            subject = next(own for t in tokens if first in (own := keys_of([t])))
        found.append(Clause(piece, keys, numbers, persons, around, before, first, pairs, about))
        if read.plain[end : end + 1] in _ENDS:
            subject, opened, around = frozenset(), end, frozenset()
        start = end
    return found


def _in_order(tokens: Sequence[Token]) -> tuple[str, frozenset[tuple[str, str]]]:
    """The first key of a clause that names its own subject, and its keys side by side."""
    each = [min(keys_of([t]), key=lambda one: (one.startswith("="), len(one), one), default="") for t in tokens]
    at = next((n for n, one in enumerate(each) if one), 0)
    opens = [t.text.lower() for t in tokens[: at + 1] if t.text.lower() not in _JOINS]
    verb = not opens or opens[0] in _VERBS or opens[0].endswith("ed") or opens[0] in _FAMILY
    first = "" if verb or not each or each[at][:1].isdigit() else each[at]
    return first, frozenset((one, other) for one, other in pairwise(each) if one and other)


Stretch = TypeVar("Stretch", Unit, Clause)


def _behind(text: str, number: re.Match[str]) -> str:
    """The word behind a number, as its unit; of an ordinal with the sign of one."""
    word = _UNIT.match(text, number.end())
    sign = "第" if text[: number.start()].endswith("第") else ""
    return sign + (word[1].lower().removesuffix("s") if word is not None else "")


def nearest(keys: frozenset[str], of: Sequence[Stretch]) -> list[Stretch]:
    """The units or clauses that share most with what is spoken of; none where nothing is shared."""
    shared = [len(keys & one.keys) for one in of]
    most = max(shared, default=0)
    return [one for one, n in zip(of, shared, strict=True) if n == most] if most else []


def units(text: str) -> tuple[Unit, ...]:
    """The units of a sentence, in order; one that names nothing is one unit."""
    plain = normal(text)
    found: list[list[Token]] = []
    named = False
    for clause in claims(plain):
        own = [t for n, t in enumerate(clause.tokens) if not n or t.start > clause.tokens[n - 1].start]
        if found and (not named or not clause.mentions or follows(clause)):
            found[-1] += own
        else:
            found.append(own)
        named |= bool(clause.mentions)
    return tuple(_unit(plain, tokens) for tokens in found if tokens)


def _unit(plain: str, tokens: Sequence[Token]) -> Unit:
    start = tokens[0].start
    places = tuple((t.start - start, keys_of([t])) for t in tokens)
    kinds = frozenset(kind for t in tokens for kind in (t.kind, *(k for k, _ in t.also)))
    return Unit(plain[start : tokens[-1].end], keys_of(tokens), places, kinds)
