"""What a sentence turns round that a sentence of a document says: begun for stopped, urine for serum, from 20 to 40."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from cds_service.fhir.times import Span
from cds_service.summary.bound import Group
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.lexicon import Token, lexicon, scan
from cds_service.summary.moments import When, named_span
from cds_service.summary.spelling import normal

_ACTS = {
    "begin": r"\b(?:re)?start(?:ed|ing|s)?\b|\binitiat\w+|\bcommenc\w+|\bintroduc\w+|\bresum\w+|\bbeg[au]n\b"
    r"|开始|加用|启用|起始|恢复使用",
    "go on": r"(?<!dis)\bcontinu\w+|\bmaintain\w+|继续|维持",
    "end": r"\bstop(?:ped|ping|s)?\b|\bdiscontinu\w+|\bceas\w+|\bwithdrawn\b|\bwithh[eo]ld\w*|\bheld\b|\bholds?\b"
    r"|\btaken off\b|停用|停药|停服|停止|已停|暂停",
    "up": r"\b(?:up-?titrat\w+|increas\w+|doubled)\b|加量|增量|增加|增至",
    "down": r"\b(?:down-?titrat\w+|decreas\w+|reduc\w+|lowered|halved|taper\w*)\b|减量|减少|减至",
}
_ACT = {name: re.compile(pattern, re.I) for name, pattern in _ACTS.items()}
_FROM_TO = re.compile(
    r"(?i)\bfrom\s+(\d+(?:\.\d+)?)[^,;.\d]{0,20}?\s+(?:up |down )?to\s+(\d+(?:\.\d+)?)"
    r"|[由从]\s*(\d+(?:\.\d+)?)[^,;，；。\d]{0,12}?[至到]\s*(\d+(?:\.\d+)?)"
)
_EXCHANGE = re.compile(
    r"(?i)\b(?P<be>(?:is|was|were|been|be|being)\s+)?(?P<what>replac(?:ed|es|ing)|switched|changed|converted)\b"
    r"(?P<by>\s+(?:by|with|to)\b)?"
)
_FOR = re.compile(r"(?i)\b(?:to|with|by)\b")
_SPECIMENS = {
    "urine": r"\burin(?:e|ary)\b|尿",
    "serum": r"\b(?:serum|plasma|blood)\b|血",
    "stool": r"\b(?:stool|faec\w+|fec\w+)\b|粪|大便",
    "csf": r"\bcsf\b|\bcerebrospinal\b|脑脊液",
    "sputum": r"\bsputum\b|痰",
    "pleural": r"\bpleural\b|胸水|胸腔积液",
}
_SPECIMEN = {name: re.compile(pattern, re.I) for name, pattern in _SPECIMENS.items()}
_TESTED = re.compile(
    r"(?i)\b(?:cultures?|electrophoresis|protein|cytology|gram stain|toxin|antigen)\b|培养|电泳|蛋白|细胞学|涂片"
)
_RECORDING = re.compile(r"(?i)\b(?:telemetry|holter|monitor(?:ing)?|ecg|ekg|electrocardiogra\w+)\b|心电|监护")
_PRESENT = frozenset({"has", "have", "患有", "伴有", "存在", "现有", "有"})
_OVER = frozenset({"past", "stopped", "completed", "held"})
_BECAUSE = re.compile(r"(?i)\b(?:because of|due to|owing to|secondary to)\b|由于|因")
_WAS = re.compile(r"(?i)\b(?:was|were|had been|stopped|discontinued|held|switched)\b|已|停")
_RANK = re.compile(
    r"(?i)(?:(?P<high>\bpeak(?:ed|ing)?\b|\bmaxim\w+|\bhighest\b|最高|峰值)|(?P<low>\bnadir\b|\bminim\w+|\blowest\b|最低))"
    r"[^\d,;，；。]{0,20}(?P<n>\d+(?:\.\d+)?)"
)
_LENGTH = re.compile(
    r"(?i)\b(?P<n>\d+(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten)[ -]"
    r"(?P<u>hour|day|week|month|year)s?\b"
    r"|(?<![\d.])(?P<m>\d+(?:\.\d+)?)\s*(?P<v>小时|天|日|周|个月|月|年)"
)
_UNITS = {"小时": "hour", "天": "day", "日": "day", "周": "week", "个月": "month", "月": "month", "年": "year"}
_WORDS = {
    w: str(n) for n, w in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1)
}
_SINCE = frozenset({"since", "than", "compared with", "compared to", "from", "before", "after", "自", "较", "比"})
_ABOUT = {"day": 0.5, "week": 4.0, "month": 20.0, "year": 250.0}  # days by which so many units ago may be off
_POLAR = frozenset({"#positive", "#negative"})
_EARLIER = re.compile(r"(?i)\b(?:previous|prior|earlier|initial|baseline|from|before)\w*|既往|之前|原|由|从|曾")
_SEGMENT = re.compile(r"(?i)[,;，；]|\band\b|\bthen\b")
_CIRCUMSTANCE = re.compile(
    r"(?i)(?<![\d./])(\d+(?:[./]\d+)?)[^\d]{0,80}?\b(?:after|before|on|at|during|following)\s+([a-z]{3,})"
)
_CARE = re.compile(r"(?i)\b(?:patient|she|he|pt)\b|患者|病人|本人")


def turned_reasons(
    claim: Claim, own: Sequence[Group], groups: Sequence[Group], part: Part, sentence: str, as_of: datetime
) -> list[str]:
    """What is wrong about a claim that rests on one sentence of a document.

    own: what that says of its name, out of all its groups.
    """
    text, sentence = normal(part.text), normal(sentence)
    return [
        *_act(claim, own, text, sentence),
        *_from_to(claim, text, sentence),
        *_exchanged(text, sentence),
        *_specimen(text, sentence),
        *_recording(claim, text, sentence),
        *_present(claim, own, text),
        *_relative(claim, own),
        *_fresh(claim, part),
        *_sided(claim, own),
        *_ranked(claim, text, sentence),
        *_length(text, sentence),
        *_dated(claim, own, as_of),
        *_polar(claim, groups),
        *_first_of_two(claim, text, sentence),
        *_beside(text, sentence),
    ]


def _act(claim: Claim, own: Sequence[Group], text: str, sentence: str) -> list[str]:
    """What is wrong about `was started` where the document says `was stopped`, of the same name."""
    said = _acts(sentence, claim.tokens)
    tokens = [t for group in own for t in group.tokens]
    written = _acts(text, tokens)
    return ["the document tells of another change"] if said and written and not said & written else []


def _acts(text: str, tokens: Sequence[Token]) -> set[str]:
    """The kinds of change that a stretch of a text tells."""
    if not tokens:
        return set()
    stretch = text[min(t.start for t in tokens) : max(t.end for t in tokens)]
    return {name for name, pattern in _ACT.items() if pattern.search(stretch)}


def _from_to(claim: Claim, text: str, sentence: str) -> list[str]:
    known, said = _pairs(text), _pairs(sentence)
    trend = claim.values("trend")
    if any(trend == {"down" if a < b else "up"} and a != b for a, b in said):
        return ["its numbers go the other way than its words"]
    return ["the document has it the other way round"] if any(p[::-1] in known and p not in known for p in said) else []


def _pairs(text: str) -> set[tuple[float, float]]:
    return {(float(m[1] or m[3]), float(m[2] or m[4])) for m in _FROM_TO.finditer(text)}


def _exchanged(text: str, sentence: str) -> list[str]:
    """What is wrong about `A replaced B` where the document says `A was replaced by B`."""
    said = _exchange(sentence)
    written = _exchange(text) if said is not None else None
    if said is None or written is None:
        return []
    turned = (said[0] & written[1]) - written[0] or (said[1] & written[0]) - written[1]
    return ["the document has it the other way round"] if turned else []


def _exchange(text: str) -> tuple[set[str], set[str]] | None:
    """(medicines that went, medicines that came in their place); None where a text tells of no such change."""
    found = _EXCHANGE.search(text)
    if found is None:
        return None
    drugs = [t for t in scan(text) if lexicon().classes.get(t.value) == "drug"]
    before = {t.value for t in drugs if t.start < found.start()}
    after = {t.value for t in drugs if t.start >= found.end()}
    if found["by"]:
        return before, after
    if before and not found["be"] and found["what"].casefold().startswith("replac"):
        return after, before
    cut = _FOR.search(text, found.end())  # switched from A to B, replaced A with B
    if cut is None:
        return None
    came = {t.value for t in drugs if t.start >= cut.end()}
    return after - came, came


def _specimen(text: str, sentence: str) -> list[str]:
    """What is wrong about `serum` where the document says `urine`, of a test that is made of either."""
    if not _TESTED.search(sentence) or not _TESTED.search(text):
        return []
    said = {name for name, pattern in _SPECIMEN.items() if pattern.search(sentence)}
    written = {name for name, pattern in _SPECIMEN.items() if pattern.search(text)}
    return ["the document says it of another specimen"] if said and written and not said & written else []


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


def _ranked(claim: Claim, text: str, sentence: str) -> list[str]:
    """What is wrong about a highest or lowest value: another number, or said as if it were any value."""
    written = {(bool(m["high"]), float(m["n"])) for m in _RANK.finditer(text)}
    if not written:
        return []
    said = {(bool(m["high"]), float(m["n"])) for m in _RANK.finditer(sentence)}
    if said - written:
        return ["the document gives another number as the highest or lowest"]
    plain = {t.number.value for t in claim.tokens if t.number is not None and t.kind == "number"}
    loose = not said and not claim.of("rank") and not claim.of("trend") and plain & {n for _, n in written}
    return ["the document gives it as the highest or lowest"] if loose else []


def _length(text: str, sentence: str) -> list[str]:
    """What is wrong about `for 3 weeks` where the document says `for 3 days`."""
    written, said = _lengths(text), _lengths(sentence)
    numbers = {n for n, _ in written}
    return ["the document has another unit of time"] if any(n in numbers for n, _ in said - written) else []


def _lengths(text: str) -> set[tuple[str, str]]:
    return {
        (_WORDS.get((m["n"] or "").lower(), m["n"] or m["m"]), (m["u"] or "").lower() or _UNITS[m["v"]])
        for m in _LENGTH.finditer(text)
    }


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


def _polar(claim: Claim, groups: Sequence[Group]) -> list[str]:
    """What is wrong about `HER2 positive` where the document has that of another receptor."""
    values = {t.value for m in claim.mentions for t in m.tokens}
    said, names = values & _POLAR, values - _POLAR
    if not said or not names or any(m.denied for m in claim.mentions):
        return []
    shared = [(len(names & {t.value for t in g.tokens}), {t.value for t in g.tokens} & _POLAR) for g in groups]
    best = max((n for n, _ in shared), default=0)
    written = {value for n, polar in shared if n == best for value in polar}
    return ["the document says the opposite of it"] if best and written and not said & written else []


def _first_of_two(claim: Claim, text: str, sentence: str) -> list[str]:
    """What is wrong about `ejection fraction 35 %` where the document says `rose from 35 % to 48 %`."""
    pairs = _pairs(text)
    before = {a for a, _ in pairs} - {b for _, b in pairs}
    said = {t.number.value for t in claim.tokens if t.number is not None and t.kind == "number"}
    if claim.of("trend") or not said & before or _EARLIER.search(sentence):
        return []
    return ["the document gives it as an earlier value"]


def _beside(text: str, sentence: str) -> list[str]:
    """What is wrong about `188/104 after labetalol` where the document says `188/104 on arrival, 152/90 after it`."""
    written = {
        m[1]: segment.casefold()
        for segment in _SEGMENT.split(text)
        for m in [_CIRCUMSTANCE.search(segment)]
        if m is not None
    }
    said = (_CIRCUMSTANCE.search(segment) for segment in _SEGMENT.split(sentence))
    whole = text.casefold()
    wrong = (m for m in said if m is not None and m[1] in written and m[2].casefold() not in written[m[1]])
    return ["the document says that of something else"] if any(m[2].casefold() in whole for m in wrong) else []
