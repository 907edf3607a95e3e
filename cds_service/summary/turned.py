"""What a claim turns round that a sentence of a document says of its name: present or past, his or a relative's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from cds_service.fhir.times import Span
from cds_service.summary.bound import Group
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.moments import When, named_span
from cds_service.summary.spelling import normal

_FROM_TO = re.compile(
    r"(?i)\bfrom\s+(\d+(?:\.\d+)?)[^,;.\d]{0,20}?\s+(?:up |down )?to\s+(\d+(?:\.\d+)?)"
    r"|[由从]\s*(\d+(?:\.\d+)?)[^,;，；。\d]{0,12}?[至到]\s*(\d+(?:\.\d+)?)"
)
_RECORDING = re.compile(r"(?i)\b(?:telemetry|holter|monitor(?:ing)?|ecg|ekg|electrocardiogra\w+)\b|心电|监护")
_PRESENT = frozenset({"has", "have", "患有", "伴有", "存在", "现有", "有"})
_OVER = frozenset({"past", "stopped", "completed", "held"})
_BECAUSE = re.compile(r"(?i)\b(?:because of|due to|owing to|secondary to)\b|由于|因")
_WAS = re.compile(r"(?i)\b(?:was|were|had been|stopped|discontinued|held|switched)\b|已|停")
_SINCE = frozenset({"since", "than", "compared with", "compared to", "from", "before", "after", "自", "较", "比"})
_ABOUT = {"day": 0.5, "week": 4.0, "month": 20.0, "year": 250.0}  # days by which so many units ago may be off
_CARE = re.compile(r"(?i)\b(?:patient|she|he|pt)\b|患者|病人|本人")


def turned_reasons(claim: Claim, own: Sequence[Group], part: Part, sentence: str, as_of: datetime) -> list[str]:
    """What is wrong about a claim that rests on one sentence of a document.

    own: what that says of its name.
    """
    text, sentence = normal(part.text), normal(sentence)
    return [
        *_from_to(claim, sentence),
        *_recording(claim, text, sentence),
        *_present(claim, own, text),
        *_relative(claim, own),
        *_fresh(claim, part),
        *_sided(claim, own),
        *_dated(claim, own, as_of),
    ]


def _from_to(claim: Claim, sentence: str) -> list[str]:
    """What is wrong about `fell from 20 to 40`."""
    trend = claim.values("trend")
    said = ((float(m[1] or m[3]), float(m[2] or m[4])) for m in _FROM_TO.finditer(sentence))
    turned = any(trend == {"down" if a < b else "up"} and a != b for a, b in said)
    return ["its numbers go the other way than its words"] if turned else []


def _recording(claim: Claim, text: str, sentence: str) -> list[str]:
    """What is wrong about `no atrial fibrillation` where the document says `none seen on telemetry`."""
    denied = any(m.denied for m in claim.mentions)
    wider = denied and _RECORDING.search(text) and not _RECORDING.search(sentence)
    return ["the document says it of one recording only"] if wider else []


def _present(claim: Claim, own: Sequence[Group], text: str) -> list[str]:
    """What is wrong about `has a cough` where the document has it as over, or as why something was stopped."""
    if any(m.denied for m in claim.mentions) or not any(t.text.lower() in _PRESENT for t in claim.tokens):
        return []
    if claim.values("state") & _OVER or any(t.kind == "cause" for t in claim.tokens):
        return []
    tokens = [t for group in own for t in group.tokens]
    written = {v for t in tokens for k, v in ((t.kind, t.value), *t.also) if k == "state"}
    if written & _OVER:
        return ["it is said to go on, and the document says that it is over"]
    because = _BECAUSE.search(text)
    starts = [t.start for t in tokens if t.value in {u.value for m in claim.mentions for u in m.tokens}]
    past = because is not None and starts and min(starts) > because.start() and _WAS.search(text[: because.start()])
    return ["the document names it as the reason of something past"] if past else []


def _relative(claim: Claim, own: Sequence[Group]) -> list[str]:
    """What is wrong about `his` illness where the document has it of a relative."""
    if claim.of("person"):
        return []
    names = {t.value for m in claim.mentions for t in m.tokens if t.kind != "side"}
    for group in own:
        starts = [t.start for t in group.tokens if t.value in names]
        persons = [t for t in group.tokens if t.kind == "person" and starts and t.start < min(starts)]
        if not persons:
            return []
        between = [t for t in group.tokens if persons[-1].end <= t.start < min(starts)]
        if any(_CARE.fullmatch(t.text) for t in between):
            return []
    return ["the document says that of another person"] if own and names else []


def _fresh(claim: Claim, part: Part) -> list[str]:
    """What is wrong about `new` where the document does not say so."""
    told = ("agree", "recent") in part.operators
    return ["the document does not say that it is new"] if "recent" in claim.values("agree") and not told else []


def _sided(claim: Claim, own: Sequence[Group]) -> list[str]:
    """What is wrong about `right leg swollen` where the document has the left swollen and the right not."""
    sides = claim.values("side")
    there = [g for g in own if any(t.kind == "side" and t.value in sides for t in g.tokens)]
    if not sides or not there:
        return []
    denied = bool(claim.of("deny")) or any(m.denied for m in claim.mentions)
    if any(any(t.kind == "deny" for t in g.tokens) is denied for g in there):
        return []
    return ["the document says the opposite of that side"]


def _dated(claim: Claim, own: Sequence[Group], as_of: datetime) -> list[str]:
    """What is wrong about `last month` in a note of last month that says `in October 2019`."""
    written: list[Span] = []
    for group in own:
        tokens = group.tokens
        written += [
            span
            for at, t in enumerate(tokens)
            if t.when is not None and not (at and tokens[at - 1].text.lower() in _SINCE)
            for span in t.when.spans
        ]
    said = [s for t in claim.tokens if t.when is not None for s in _spans(t.when, as_of)]
    if not written or not said or any(a.start <= b.end and b.start <= a.end for a in said for b in written):
        return []
    return ["the document gives another time"]


def _spans(when: When, as_of: datetime) -> tuple[Span, ...]:
    if when.kind == "named":
        span = named_span(when, as_of)
        return (span,) if span is not None else ()
    if when.kind == "ago":
        middle, off = as_of - timedelta(days=when.days), timedelta(days=_ABOUT.get(when.unit, 0.5))
        return (Span(middle - off, middle + off),)
    return when.spans
