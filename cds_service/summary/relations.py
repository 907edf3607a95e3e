"""Who, what and which in a relation that has a direction: before and after, from and to, for and instead, more than.

Each row of the table is a kind of relation, by the words between its two sides and which side they put first. What the
sentence puts first the document must not put last; an order in time, or that one thing took the place of another, the
document must tell itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain, islice

from cds_service.summary.keys import PATIENT, Read, key, keys_of
from cds_service.summary.lexicon import lexicon
from cds_service.summary.words import OPERATORS


class Kind(Enum):
    """What two sides are to each other: first and later, what went and what came, less and more, doer and done to."""

    ORDER = "the document does not tell them in that order"
    CAUSE = "the document does not name that cause"
    REASON = "the document does not name that reason"
    EXCHANGE = "the document has it the other way round"
    DEGREE = "the document compares them the other way round"
    EFFECT = "the document does not say that it comes of it"
    DOING = "the document has another person do it"


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a text: what its two sides speak of. act: what is done, of a doing.

    An effect is `Penicillin: hives`, which only documents tell.
    """

    kind: Kind
    first: frozenset[str]
    second: frozenset[str]
    act: str = ""


_IN_TIME = frozenset({Kind.CAUSE, Kind.EXCHANGE, Kind.EFFECT})
_NEEDED = frozenset({Kind.ORDER, Kind.CAUSE, Kind.REASON, Kind.EXCHANGE})
_FIRST_LEFT, _FIRST_RIGHT, _THEN, _FROM = "left", "right", "then", "from"
CUES: tuple[tuple[Kind, str, re.Pattern[str]], ...] = tuple(
    (kind, side, re.compile(pattern, re.IGNORECASE))
    for kind, side, pattern in (
        (
            Kind.ORDER,
            _FIRST_LEFT,
            r"(?<!than )\b(?:before|prior to)\b",
        ),
        (Kind.ORDER, _THEN, r"\b(?:followed by|then|subsequently|thereafter)\b|随后|其后|继而"),
        (
            Kind.ORDER,
            _FIRST_RIGHT,
            r"\b(?:after|following|subsequent to|preceded by|once(?! (?:a|per|daily|weekly|nightly)\b))\b",
        ),
        (
            Kind.CAUSE,
            _FIRST_RIGHT,
            r"\b(?:because(?: of)?|(?:due|owing|attribut(?:ed|able)|secondary) to|(?:caused|induced|triggered) by"
            r"|(?:result|consequence|complication) of)\b|继发于",
        ),
        (Kind.CAUSE, _FIRST_LEFT, r"\b(?:caus(?:es?|ed|ing)(?! by)|(?:led|leading) to|resulted in)\b|导致|引起|造成"),
        (
            Kind.REASON,
            _FIRST_RIGHT,
            r"\bfor\b(?! (?:which|\d|the|a |an |several|some|his|her|at|about|more|now|further)\b)",
        ),
        (Kind.REASON, _FIRST_LEFT, r"\bfor which\b"),
        (Kind.REASON, _FIRST_RIGHT, r"\b(?:consistent|compatible|in keeping) with\b|\bsuggestive of\b"),
        (
            Kind.EXCHANGE,
            _FIRST_LEFT,
            r"\b(?:reduced|increased|lowered|raised|corrected|titrated) to (?=\d)"
            r"|\b(?:replaced|substituted) (?:by|with)\b|\b(?:switched|changed|converted) to\b"
            r"|改[为用成行]|换[为成用]|替换为|调整为|转为",
        ),
        (
            Kind.EXCHANGE,
            _FIRST_RIGHT,
            r"(?<!was )(?<!were )(?<!been )\breplaced\b(?! (?:by|with)\b)|\b(?:instead|in place) of\b|\brather than\b",
        ),
        (Kind.EXCHANGE, _FROM, r"\bfrom\b|[由从自]"),
        (
            Kind.DEGREE,
            _FIRST_RIGHT,
            r"(?P<what>\b(?:more|higher|larger|greater|bigger|better|longer|stronger)\b)[^.;,]{0,60}(?P<than>\bthan\b)",
        ),
        (
            Kind.DEGREE,
            _FIRST_LEFT,
            r"(?P<what>\b(?:less|lower|smaller|shorter|weaker|worse)\b)[^.;,]{0,60}(?P<than>\bthan\b)",
        ),
        (
            Kind.DEGREE,
            _FIRST_RIGHT,
            r"[较比](?!前|之前|以前)(?P<other>[^,，。；;]{1,20}?)(?:明显|更|稍)?[重高大多强长快]",
        ),
        (
            Kind.DEGREE,
            _FIRST_LEFT,
            r"[较比](?!前|之前|以前)(?P<other>[^,，。；;]{1,20}?)(?:明显|更|稍)?[轻低小少弱短慢]",
        ),
    )
)
_HAN_ORDER = re.compile(
    r"(?<![较目日以之此比])(?:(?<![比较])之前|(?<![比较])以前|前)(?![列壁降囊叶臂瞻])|(?<![预最背之以])(?:之后|以后|后)(?![壁续遗])"
)
_FROM_TO = re.compile(r"\b(?:to|into)\b|转[入至回到为]|改[为用]|[升降增减]?[至到]", re.IGNORECASE)
_DONE = re.compile(
    r"(?i)\b(?P<be>(?:was|were|is|are|been|being) )?"
    r"(?P<act>[a-z]{2,}ed|taught|gave|given|told|shown|seen|saw|found|took|taken|made|brought|sent|put)\b(?P<by> by\b)?"
)
_WHO = re.compile(r"(?i)[,，]?\s*(?:who|which)\s+")
_PERSONS = frozenset({PATIENT, *(line.partition(":")[0].strip() for line in OPERATORS["person"].strip().splitlines())})
_NEAR = 16  # characters of the name before `who`
_WITH = re.compile(r"\b(?:with|for)\b", re.IGNORECASE)  # before admission with fever
_WEAK = frozenset({"begin", "go", "give", "see", "appear", "occur", "develop", "show", "symptom", "receiv", "treat"})
_STOP = re.compile(r"[.;。；!?！？]")
_COMMA = re.compile(r"[,，:：]|\band\b|\bbut\b|并|且", re.IGNORECASE)
_ENDED = re.compile(r"(?i)\b(?:stopped|discontinued|withdrawn|ceased)\b|停用|停药|停服|已停|停(?=[\u3400-\u9fff])")
_BEGUN = re.compile(r"(?i)\b(?:started|begun|commenced|initiated|introduced)\b|加用|启用|开始")
_COLON = re.compile(r"[:：]")
_APART = re.compile(r"[,，](?!\s*(?:which|who|whose|where|whom)\b)", re.IGNORECASE)  # not of a relative clause
_TAKES = re.compile(
    r"\b(?:takes|(?:is|are|remains?) (?:on|taking|using|given|continued)|uses|receives|continues?)\b"
    r"|(?:目前|现在?|仍|继续)[服使应]?用|(?<!曾)(?<!未)服用",
    re.IGNORECASE,
)
_NO_MORE = re.compile(
    r"\b(?:was|were|had|before|until|previous(?:ly)?|formerly|instead|rather|no longer|not)\b|[曾原未]|(?<!目)前",
    re.IGNORECASE,
)
_MOST = 500  # relations that are read of a text; no sentence tells as many


def relations(read: Read) -> list[Relation]:
    """The relations that a text tells."""
    stops = [m.start() for m in _STOP.finditer(read.plain)]
    commas = sorted({*stops, *(m.start() for m in _COMMA.finditer(read.plain))})
    found = chain(
        _told(read, stops, commas),
        _han_order(read, stops, commas),
        _doings(read, commas),
        _swap(read, commas),
        _effects(read, stops, commas),
    )
    return [_told_apart(one) for one in islice(found, _MOST)]


def _told_apart(one: Relation) -> Relation:
    """A relation without what both of its sides have, and what says little where a side says more."""
    first, second = one.first - one.second, one.second - one.first
    return Relation(one.kind, first - _WEAK or first, second - _WEAK or second, one.act)


def _told(read: Read, stops: Sequence[int], commas: Sequence[int]) -> Iterator[Relation]:
    for kind, side, words in CUES:
        for cue in words.finditer(read.plain):
            start, end = cue.span()
            if side == _FROM:
                to = _FROM_TO.search(read.plain, end, read.behind(end, commas))
                if to is not None:
                    yield Relation(kind, read.keys(end, to.start()), read.keys(to.end(), read.behind(to.end(), commas)))
                continue
            near = stops if kind is Kind.EXCHANGE or side == _THEN else commas
            left = read.keys(_left(read, start, near), start)
            close = read.behind(end, commas)
            beside = _WITH.search(read.plain, end, close) if kind is Kind.ORDER else None
            right = read.keys(end, beside.start() if beside is not None else close)
            if not left and kind is Kind.REASON:  # an infection, for which
                begin = read.before(start, commas)
                left = read.keys(read.before(begin, commas), begin)
            if "other" in words.groupindex:
                right = read.keys(*cue.span("other"))
            elif kind is Kind.DEGREE:
                left = read.keys(cue.end("what"), cue.start("than")) or read.keys(read.before(start, commas), start)
            elif not left and kind is Kind.ORDER and side != _THEN:  # After A, B
                right, left = _opening(read, end, stops)
                left = left or read.keys(read.before(start, stops), start)
            yield Relation(kind, right, left) if side == _FIRST_RIGHT else Relation(kind, left, right)


def _left(read: Read, at: int, walls: Sequence[int]) -> int:
    """Where the stretch before a word begins: that of `who taught her` at the nurse before it."""
    begin = read.before(at, walls)
    return max(read.before(begin, walls), begin - _NEAR) if _WHO.fullmatch(read.plain, begin, at) else begin


def _opening(read: Read, at: int, stops: Sequence[int]) -> tuple[frozenset[str], frozenset[str]]:
    """The keys of A and of B in `After A, B` or `After A B`, behind the word that opens it."""
    close = read.behind(at, stops)
    comma = next((m.start() for m in _APART.finditer(read.plain, at, close)), None)
    if comma is None:
        first = next((t for t in read.within(at, close) if keys_of([t])), None)
        comma = first.end if first is not None else at
    return read.keys(at, comma), read.keys(comma, read.behind(comma + 1, stops))


def _han_order(read: Read, stops: Sequence[int], commas: Sequence[int]) -> Iterator[Relation]:
    """服用青霉素后出现皮疹: what stands before the sign is the earlier, or with 前 the later."""
    for cue in _HAN_ORDER.finditer(read.plain):
        start, end = cue.span()
        begin, close = read.before(start, commas), read.behind(end, commas)
        if read.plain[start - 1 : start] == "术":  # 引流管于术后第3天拔除
            anchor, other = frozenset({"术"}), read.keys(begin, start - 1) | read.keys(end, close)
        else:
            anchor = read.keys(begin, start)
            other = read.keys(end, close) or read.keys(close, read.behind(close + 1, commas))
            other = other or read.keys(read.before(start, stops), begin)
        yield Relation(Kind.ORDER, other, anchor) if "前" in cue[0] else Relation(Kind.ORDER, anchor, other)


def _doings(read: Read, commas: Sequence[int]) -> Iterator[Relation]:
    """Who did what to whom: `the nurse taught her`, `she was taught by the nurse`."""
    doer: frozenset[str] = frozenset()
    last = 0
    for cue in _DONE.finditer(read.plain):
        left = read.keys(_left(read, cue.start(), commas), cue.start(), persons=True)
        if not left and not _STOP.search(read.plain, last, cue.start()):  # she found him and called
            left = doer
        doer, last = left, cue.end()
        right = read.keys(cue.end(), read.behind(cue.end(), commas), persons=True)
        act = key(cue["act"].lower())
        if cue["be"] and not cue["by"]:
            yield Relation(Kind.DOING, frozenset(), left | right, act)
        else:
            yield Relation(Kind.DOING, *((right, left) if cue["by"] else (left, right)), act)


def _swap(read: Read, commas: Sequence[int]) -> Iterator[Relation]:
    """`A was stopped and B was started`, as an exchange."""
    ended = next(_ENDED.finditer(read.plain), None)
    begun = next(_BEGUN.finditer(read.plain), None)
    if ended is None or begun is None:
        return
    went, came = (read.keys(read.before(m.start(), commas), read.behind(m.end(), commas)) for m in (ended, begun))
    yield Relation(Kind.EXCHANGE, went - came, came - went)


def _effects(read: Read, stops: Sequence[int], commas: Sequence[int]) -> Iterator[Relation]:
    """`Penicillin: hives`: what follows a drug and a colon came of it."""
    for cue in _COLON.finditer(read.plain):
        drugs = [
            t
            for t in read.within(read.before(cue.start(), commas), cue.start())
            if lexicon().classes.get(t.value) == "drug"
        ]
        if drugs:
            yield Relation(Kind.EFFECT, keys_of(drugs), read.keys(cue.end(), read.behind(cue.end(), stops)))


def relation_reasons(said: Sequence[Relation], written: Sequence[Relation]) -> list[str]:
    """What is wrong about the relations of a sentence that rests on documents with these."""
    return [one.kind.value for one in said if one.kind is not Kind.EFFECT and _wrong(one, _telling(one, written))]


def gone_reasons(sentence: Read, written: Sequence[Relation]) -> list[str]:
    """What is wrong about `takes A` where the document says that A was changed to B."""
    if not _TAKES.search(sentence.plain) or _NO_MORE.search(sentence.plain):
        return []
    swaps = [(_drugs(one.first), _drugs(one.second)) for one in written if one.kind is Kind.EXCHANGE]
    went = frozenset(drug for old, new in swaps if new for drug in old) - frozenset(d for _, new in swaps for d in new)
    taken = _drugs(sentence.keys(0, len(sentence.plain)))
    told = any(one.kind is Kind.EXCHANGE for one in relations(sentence))
    return [] if told or not taken & went else ["the document says that it was changed for another"]


def _drugs(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in keys if lexicon().classes.get(one) == "drug")


def _telling(one: Relation, written: Sequence[Relation]) -> list[Relation]:
    """The relations that may tell one of a sentence; an order only its own kind, where that has it turned round."""
    own = [o for o in written if o.kind is one.kind and o.act == one.act]
    if one.kind is Kind.ORDER and any(_turned(one, o) for o in own):
        return own
    return [o for o in written if _tells(o, one)]


def _turned(one: Relation, other: Relation) -> bool:
    crossed = bool(one.first & other.second and one.second & other.first)
    return crossed and not one.first & other.first and not one.second & other.second


def _tells(other: Relation, one: Relation) -> bool:
    """True if a relation of a document may tell one of a sentence: what comes of a thing came after it."""
    same = other.kind is one.kind or (one.kind is Kind.ORDER and other.kind in _IN_TIME)
    return same and other.act == one.act


def _wrong(one: Relation, others: Sequence[Relation]) -> bool:
    turned = False
    for other in others:
        straight = len(one.first & other.first), len(one.second & other.second)
        crossed = len(one.first & other.second), len(one.second & other.first)
        if sum(straight) > sum(crossed) and (straight[0] or not one.first) and (straight[1] or not one.second):
            return False
        if (
            one.kind is Kind.DOING
            and _PERSONS & one.first
            and _PERSONS & other.first
            and not _PERSONS & one.first & other.first
        ):
            turned = True
        more = sum(crossed) > sum(straight) and one.kind is not Kind.DOING
        turned |= more or (all(crossed) and not all(straight))
    return turned or (one.kind in _NEEDED and bool(one.first or one.second))
