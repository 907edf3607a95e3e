"""Whether a time of a sentence is the time of what it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cds_service.fhir.stated import Moment
from cds_service.fhir.times import Span
from cds_service.summary.chart import Chart
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.lexicon import Token
from cds_service.summary.moments import When, named_span

_END = frozenset(
    {
        "until",
        "through",
        "discharged",
        "was discharged",
        "discharge",
        "ended",
        "ended on",
        "ending",
        "出院",
        "结束",
        "结束于",
        "至",
        "已结束",
        "结束日期",
    }
)
_UNTIL = frozenset({"to", "至", "-", "–", "until", "到"})
_START = frozenset(
    {
        "since",
        "from",
        "onset",
        "began",
        "begun",
        "beginning",
        "started",
        "自",
        "起",
        "始于",
        "开始",
        "admitted",
        "was admitted",
        "入院",
        "起病",
        "发病",
        "dating back to",
        "start date",
        "开始于",
    }
)
_SINCE = frozenset({"since", "自"})
_BORN = frozenset(
    {"born", "birth", "birth date", "date of birth", "birthday", "出生", "出生于", "生于", "生日", "出生日期"}
)
_TOLERANCE = {"minute": 0.1, "hour": 0.6, "day": 0.6, "week": 0.4, "month": 0.7, "year": 0.75}
_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}


def fits(when: When, claim: Claim, at: int, parts: Sequence[Part], chart: Chart) -> bool:
    """True if a time of a claim belongs to one of the parts that the claim speaks of. at: its place in the claim."""
    role = _role(claim.tokens, at)
    if when.kind == "clock":
        return any(_clock(m, when) for p in parts for m in p.dates)
    if when.kind in ("lasting",):
        return _lasting(when, parts) or any(w.days == when.days for p in parts for w in p.whens)
    if when.days and any(w.kind == when.kind and w.days == when.days for p in parts for w in p.whens):
        return True
    if when.kind == "days":
        if any(all(any(_within(m, span) for m in p.dates) for span in when.spans) for p in parts):
            return True
        measured = [m for p in parts if p.kind == "Observation" for m in p.dates]
        return all(any(_within(m, span) for m in measured) for span in when.spans)
    if when.kind == "for" and any(_lasts(p, when) for p in parts):
        return True
    if when.kind == "for" and any(w.kind == "for" for p in parts for w in p.whens):
        return False  # the record says for how long, and it is another time
    if when.kind == "past":
        return any(_since(m, chart.as_of - timedelta(days=when.days), chart.as_of) for p in parts for m in _of(p, role))
    moments = [m for p in parts for m in _of(p, "start" if when.kind == "for" else role)]
    if when.most:
        return any(when.days <= (chart.as_of - m.span.start).total_seconds() / 86400 < when.most for m in moments)
    if when.kind == "nth":  # the first day is the first, or the day after it
        return any((chart.as_of.date() - m.span.start.date()).days + 1 - when.amount in (0, 1) for m in moments)
    if when.kind in ("ago", "for"):
        return any(_ago(when, m, chart.as_of) for m in moments)
    if when.kind == "day":
        if any(w.kind == "day" and (w.month, w.day) == (when.month, when.day) for p in parts for w in p.whens):
            return True
        return any(
            _days(m, when.day) & {(when.month, when.day)} and _in_third(m, when.third)
            for m in moments
            if len(m.text) >= 10
        )
    spans = when.spans
    if when.kind == "named":
        span = named_span(when, chart.as_of)
        spans = (span,) if span is not None else ()
    if any(_within(m, span) for m in moments for span in spans):
        return True
    return any(_overlap(w, spans) for p in parts for w in p.whens)


def _role(tokens: Sequence[Token], at: int) -> str:
    for token in reversed(tokens[max(0, at - 3) : at]):
        text = token.text.lower()
        if text in _BORN:
            return "born"
        if text in _UNTIL and at > 1 and tokens[at - 2].when is not None:
            return "end"
        if text in _END or (token.kind == "state" and token.value in ("past", "stopped", "completed")):
            return "end"
        if text in _START:
            return "end" if text in _SINCE and _over(tokens[:at]) else "start"
        if token.kind not in ("neutral", "compare"):
            break
    following = tokens[at + 1].text.lower() if at + 1 < len(tokens) else ""
    if following in ("出生", "生", "born"):
        return "born"
    return (
        "start"
        if following in ("起", "开始", "入院", "起病")
        else "end"
        if following in ("出院", "结束", "停用", "停药", "已停用", "缓解")
        else ""
    )


def _over(before: Sequence[Token]) -> bool:
    """True for what is said to be over before `since`: no longer on dialysis since August."""
    return any(t.kind == "state" and t.value in ("past", "stopped") for t in before)


def _of(part: Part, role: str) -> Iterable[Moment]:
    for moment in part.dates:
        if part.kind == "Observation" and role != "born":
            role = ""
        end = moment.path.endswith(".end") or moment.path.startswith("abatement")
        born = moment.path == "birthDate"
        if born != (role == "born") and (born or role == "born"):
            continue
        if role == "end" and not end:
            continue
        if role == "start" and end:
            continue
        yield moment


def _within(moment: Moment, said: Span) -> bool:
    """True if the recorded time lies within what the sentence says, by the clock of the record or of UTC."""
    if said.start <= moment.span.start and moment.span.end <= said.end:
        return True
    if len(moment.text) > 10:
        local = moment.text[:10]
        return f"{said.start:%Y-%m-%d}" <= local <= f"{said.end:%Y-%m-%d}"
    return False


def _overlap(when: When, spans: Iterable[Span]) -> bool:
    return any(w.start >= s.start and w.end <= s.end for w in when.spans for s in spans)


def _days(moment: Moment, day: int) -> set[tuple[int, int]]:
    """Month and day, by UTC and by the clock of the record; day 0 where only the month is asked for."""
    utc, local = moment.span.start, (int(moment.text[5:7]), int(moment.text[8:10]))
    return {(utc.month, utc.day), local} if day else {(utc.month, 0), (local[0], 0)}


def _in_third(moment: Moment, third: int) -> bool:
    """True if a day lies in the first, middle or last third of its month, give or take five days; 0 is any."""
    return not third or 10 * third - 14 <= int(moment.text[8:10]) <= 10 * third + 5


def _clock(moment: Moment, when: When) -> bool:
    if len(moment.text) < 16:
        return False
    minutes = int(moment.text[11:13]) * 60 + int(moment.text[14:16])
    utc = moment.span.start.hour * 60 + moment.span.start.minute
    return int(when.amount) in (minutes, utc, (minutes - 720) % 1440)


def _ago(when: When, moment: Moment, now: datetime) -> bool:
    unit = _DAYS[when.unit]
    slack = _TOLERANCE[when.unit] * unit
    earliest = (now - moment.span.end).total_seconds() / 86400
    latest = (now - moment.span.start).total_seconds() / 86400
    if when.unit in ("month", "year") and when.amount == int(when.amount) and when.amount > 2:
        # rounded, or counted in whole years: 14.4 years are 14, and never 15
        return latest / unit > when.amount - 0.55 and earliest / unit < when.amount + 1.05
    return earliest - slack <= when.days <= latest + slack


def _since(moment: Moment, start: datetime, now: datetime) -> bool:
    return moment.span.end >= start and moment.span.start <= now


def _lasting(when: When, parts: Sequence[Part]) -> bool:
    if any(_lasts(p, when) for p in parts):
        return True
    moments = sorted(m for p in parts if (m := p.moment) is not None)
    if len(moments) < 2:
        return False
    return close((moments[-1] - moments[0]).total_seconds() / 86400, when)


def _lasts(part: Part, when: When) -> bool:
    starts = [m.span.start for m in part.dates if m.path.endswith((".start", "onsetDateTime"))]
    ends = [m.span.start for m in part.dates if m.path.endswith(".end") or m.path.startswith("abatement")]
    return any(close((e - s).total_seconds() / 86400, when) for s in starts for e in ends)


def close(days: float, when: When) -> bool:
    """True if a length of time is what a sentence calls it."""
    return abs(days - when.days) <= _TOLERANCE[when.unit] * _DAYS[when.unit]
