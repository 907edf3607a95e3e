"""What a sentence says otherwise than the one sentence of a document that it rests on.

A resource has members for its state, its time and its reason; a document has words, and here the words of the two are
compared: over or going on, asked for or done, what caused what, allergic or tolerated, and which part of the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from cds_service.summary.bound import Group, bound_reasons, groups_of, own_groups, ratio_reasons
from cds_service.summary.claims import Claim
from cds_service.summary.doubts import asks
from cds_service.summary.evidence import Part
from cds_service.summary.keys import Read, clauses, units
from cds_service.summary.lexicon import Token
from cds_service.summary.number_marks import mark_reasons, marked, ordinal_reasons, swap_reasons
from cds_service.summary.order import Spoken
from cds_service.summary.provisos import borrowed_reasons, proviso_reasons
from cds_service.summary.relations import gone_reasons, relation_reasons, relations
from cds_service.summary.scales import scale_reasons
from cds_service.summary.spelling import normal
from cds_service.summary.turned import turned_reasons
from cds_service.summary.undone import undone_reasons

_OVER = frozenset({"past", "stopped", "completed", "held"})
_LASTING = frozenset({  # words for what is active that may be said of what began once
    "since", "has", "have", "has had since", "present", "receive", "use", "自", "以来", "伴有", "合并", "存在", "患",
    "患有", "罹患", "有效",
})  # fmt: skip
_STOP = frozenset({"stop", "hold", "discontinue", "cease"})
_DONE = re.compile(
    r"(?i)\b(?:was|were|has been|have been|had been|underwent|received|had|saw)\b|已|(?<!未)行过|做过|曾"
)
_ONCE = frozenset({"history of", "h/o", "previous", "previously", "prior", "past", "既往", "曾", "曾有", "曾患", "史"})
_TAKING = re.compile(r"(?i)\btak(?:es?|ing)|\bis on\b|\bus(?:es?|ing)\b|receiv|服|用")
_EXCEPT = re.compile(r"(?i)\b(?:except|other than|apart from|aside from|besides)\b|除.{0,20}外")
_IF = re.compile(
    r"(?i)\b(?:if|unless|in case|should (?:she|he|they|symptoms))\b|\b(?:when|as) (?:necessary|needed|required)\b"
    r"|必要时|如果|如有|若|一旦|如(?=发|出|有|仍)"
)
_ALLERGIC = re.compile(
    r"(?i)allerg|anaphyla|hives|urticaria|angio-?o?edema|\brash|adverse (?:drug )?reaction|intoleran"
    r"|过敏|皮疹|荨麻疹|不耐受"
)
_TOLERATED = re.compile(r"(?i)\btolerat|(?<!不)耐受|\bnot allergic")
_PLACE = re.compile(
    r"(?i)\b(?:upper|lower|middle|mid|proximal|distal|anterior|posterior|superior|inferior|medial|lateral)[ -]"
    r"(?:and [a-z]+ )?(?:lobes?|lungs?|zones?|limbs?|extremit(?:y|ies)|quadrants?|poles?|thirds?|gi\b|gastro|abdomen"
    r"|legs?|arms?|back|respiratory|jaw|eyelids?|lips?|wall|tibia|femur|humerus|radius|aort\w*)"
    r"|[上中下](?:叶|肢|极|段|腹|消化道)"
)
_BOTH = re.compile(
    r"(?i)\bboth\s+(?:the\s+)?(?:ankle|leg|foot|feet|arm|hand|knee|hip|lung|kidney|eye|ear|breast|calf|calve|side|base|lobe"
    r"|shoulder|wrist|thigh|ovar|lower|upper)\w*|双(?:下肢|上肢|侧|肺|肾|眼|足|膝|踝)"
)
_LIVES_WITH = re.compile(
    r"(?i)\bliv(?:es?|ing) with (?:an? |her |his |the )?(?:wife|husband|partner|spouse|son|daughter|mother|father"
    r"|parents?|family|sister|brother|friends?)\b|与.{1,6}同住"
)
_NEGATIVE = "#negative"
_TWO_SIDES = re.compile(r"\bboth\b|bilateral|双|两侧|\A(?=.*左).*右|\A(?=.*\bleft\b).*\bright\b", re.S)


def in_text_reasons(
    text: str, found: Sequence[Claim], spoken: Sequence[Spoken], usable: Sequence[Part], as_of: datetime
) -> list[str]:
    """What is wrong about a sentence that rests on sentences of documents; empty where it rests on none.

    text: the sentence. found: its claims. spoken: for each name, where it stands and the parts that bear it. as_of: the
    moment from which `last month` counts.
    """
    by_start = dict(spoken)
    reasons = _place(text, usable)
    before = [] if any(claim.mentions for claim in found) else [p for p in usable if p.text]
    about: list[Claim] = []
    rests: dict[str, None] = {}
    for claim in found:
        groups = [by_start[m.tokens[0].start] for m in claim.mentions if m.tokens[0].start in by_start]
        about = [claim] if claim.mentions else about
        before = [p for p in (groups[0] if groups else before) if p.text and all(p in g for g in groups)]
        if not any(not p.text and all(p in g for g in groups) for g in groups[:1] for p in g):  # no resource says so
            rests |= dict.fromkeys(p.text for p in before)
        each = [_otherwise(claim, about, part, text, as_of) for part in before]
        if each and all(each):
            reasons += each[0]
    return reasons + (_told(text, list(rests)) if rests else [])


def _told(text: str, rests: Sequence[str]) -> list[str]:
    """What a sentence says otherwise than the sentences of documents that it rests on, these taken together."""
    said, written = units(text), [unit for one in rests for unit in units(one)]
    sentence, texts = Read(text), [Read(one) for one in rests]
    pieces, clauses_of = clauses(sentence), [c for one in texts for c in clauses(one)]
    related = [r for one in texts for r in relations(one)]
    return [
        *proviso_reasons(pieces, clauses_of),
        *borrowed_reasons(pieces, clauses_of),
        *scale_reasons(said, written),
        *relation_reasons(relations(sentence), related),
        *gone_reasons(sentence, related),
        *ordinal_reasons(pieces, clauses_of),
        *mark_reasons(said, [marked(one.plain) for one in texts]),
        *swap_reasons(pieces, clauses_of),
    ]


def _otherwise(claim: Claim, about: Sequence[Claim], part: Part, sentence: str, as_of: datetime) -> list[str]:
    """What one claim says otherwise than one sentence of a document. about: what it speaks of."""
    groups = groups_of(part.text)
    own = own_groups(about, groups)
    return [
        *_state(claim, own, asks(part.text)),
        *_except(claim, part, sentence),
        *_asked(part, sentence),
        *_conditional(claim, own, part, sentence),
        *_allergy(claim, part),
        *_whose(claim, own, part),
        *_which(claim, own),
        *bound_reasons(claim, own, groups, part.text),
        *ratio_reasons(sentence, part.text),
        *turned_reasons(claim, own, part, sentence, as_of),
        *undone_reasons(claim, own, part.text, sentence),
    ]


def _state(claim: Claim, own: Sequence[Group], asked: bool) -> list[str]:
    """What is wrong about what is over, or goes on. asked: the document only asks for it."""
    tokens = [t for group in own for t in group.tokens]
    said, written = claim.values("state"), {v for t in tokens for k, v in ((t.kind, t.value), *t.also) if k == "state"}
    if any(m.denied for m in claim.mentions) or claim.of("deny"):
        return []
    if said & _OVER and not written & _OVER and not any(t.value == "#ex_smoker" for t in tokens):
        return ["it is said to be over, and the document does not say so"]
    if not _goes_on(claim.tokens) or _goes_on(tokens):
        return []
    if written & _OVER or any(t.text.lower() in _STOP for t in tokens):
        return ["it is said to go on, and the document says that it is over"]
    if any(t.text.lower() in _ONCE for t in tokens):
        return ["it is said to go on, and the document tells of it as history"]
    return (
        []
        if asked is False and (_taken(tokens) or not _takes(claim))
        else ["the document does not say that it goes on"]
    )


def _takes(claim: Claim) -> bool:
    """True if a claim says that a medicine is taken."""
    return any(t.kind == "state" and _TAKING.search(t.text) for t in claim.tokens)


def _taken(tokens: Iterable[Token]) -> bool:
    """True if what a document says of a medicine reads like one that is taken: how much, how often, that it began."""
    return any(t.kind in ("freq", "route", "form", "kind") or (t.number is not None and t.number.unit) for t in tokens)


def _goes_on(tokens: Iterable[Token]) -> bool:
    return any(t.kind == "state" and t.value == "active" and t.text.lower() not in _LASTING for t in tokens)


def _asked(part: Part, sentence: str) -> list[str]:
    if not _DONE.search(sentence) or _DONE.search(part.text):
        return []
    return ["it is said to be done, and the document only asks for it"] if asks(part.text) else []


def _except(claim: Claim, part: Part, sentence: str) -> list[str]:
    """What is wrong about `no known allergies` where the document goes on: `except codeine`."""
    none = any(t.value in ("#nka", "#nkda") for t in claim.tokens)
    denied = none or claim.of("deny") or any(m.denied for m in claim.mentions)
    left_out = _EXCEPT.search(part.text) and not _EXCEPT.search(sentence)
    return ["the document names an exception"] if denied and left_out else []


def _conditional(claim: Claim, own: Sequence[Group], part: Part, sentence: str) -> list[str]:
    """What is wrong about `Potassium is above 5.5` where the document says `if potassium is above 5.5`."""
    first = _IF.search(normal(part.text))
    names = {t.value for m in claim.mentions for t in m.tokens if t.kind in ("term", "word")}
    values = {t.value for t in claim.tokens if t.number is not None}
    tokens = [t for group in own for t in group.tokens]
    named = [t.start for t in tokens if t.value in names] or [t.start for t in tokens if t.value in values]
    starts = named or [t.start for t in tokens if t.kind in ("term", "word")]
    if first is None or _IF.search(normal(sentence)) or not starts or min(starts) < first.start():
        return []
    return ["the document says it under a condition"]


def _allergy(claim: Claim, part: Part) -> list[str]:
    if "AllergyIntolerance" not in claim.values("kind") or any(m.denied for m in claim.mentions) or claim.of("deny"):
        return []
    if _TOLERATED.search(part.text):
        return ["the document says that it is tolerated"]
    said = f"{part.text} {part.source.json.get('meta', '')}"  # a tag holds the heading that the sentence stands under
    return [] if _ALLERGIC.search(said) else ["the document tells of no allergy"]


def _whose(claim: Claim, own: Sequence[Group], part: Part) -> list[str]:
    """What is wrong about `his wife tested negative` where the document names no such person, or another one beside."""
    known = {t.value for group in own for t in group.tokens if t.kind == "person"}
    known = known or {value for kind, value in part.operators if kind == "person"}
    if claim.values("person") - known:
        return ["the document says that of another person"]
    if claim.of("deny") or any(m.denied or _NEGATIVE in {t.value for t in m.tokens} for m in claim.mentions):
        return []
    has = [g for g in own if not any(t.kind == "deny" or t.value == _NEGATIVE for t in g.tokens)]
    others = 0 < len(has) < len(own) and all(any(t.kind == "person" for t in g.tokens) for g in has)
    return ["the document says that of another person"] if others and not claim.values("person") else []


def _which(claim: Claim, own: Sequence[Group]) -> list[str]:
    """What is wrong about `the first dose` where the document says `the last dose`."""
    kinds = ("rank", "ordinal")
    said = {v for kind in kinds for v in claim.values(kind)}
    written = {t.value for group in own for t in group.tokens if t.kind in kinds}
    return ["the document says it of another one"] if said and written and not said & written else []


def _place(text: str, usable: Iterable[Part]) -> list[str]:
    """Parts of the body and company at home that the sentence names otherwise, or more closely, than what it cites."""
    plain = normal(text)
    found = {m[0].casefold() for m in _PLACE.finditer(plain)}
    both, lives = _BOTH.search(plain), _LIVES_WITH.search(plain)
    if not found and both is None and lives is None:
        return []
    sources = {id(p.source): p.source for p in usable}.values()
    known = " ".join(normal(t) for s in sources for t in (*(name for _, name in s.names), *s.free)).casefold()
    reasons = [f"not in what is cited: {place}" for place in sorted(found) if place.replace("-", " ") not in known]
    if lives is not None and not _LIVES_WITH.search(known):
        reasons.append(f"not in what is cited: {lives[0]}")
    return reasons + ([f"not in what is cited: {both[0]}"] if both is not None and not _TWO_SIDES.search(known) else [])
