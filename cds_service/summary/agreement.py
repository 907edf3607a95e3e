"""Whether cited resources disagree, fall on one day, or are the third of their kind, where a sentence says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cds_service.summary.chart import Chart
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.figures import values
from cds_service.summary.order import Spoken
from cds_service.summary.ranks import peers

_NEW = timedelta(days=183)


def agreement_reasons(found: Sequence[Claim], spoken: Sequence[Spoken], chart: Chart) -> list[str]:
    """What is wrong about `conflicting`, `on the same day`, `new` and `third` in a sentence."""
    said = {value for claim in found for value in claim.values("agree")}
    groups = [group for _, group in spoken]
    reasons = []
    if "conflict" in said and not any(_differ(group) for group in groups):
        reasons.append("what is cited does not disagree")
    if "same_day" in said and not _one_day(groups):
        reasons.append("what is cited is not of one day")
    if "recent" in said and not any(_recent(part, chart) for group in groups for part in group):
        reasons.append("what is cited is not new")
    for claim in found:
        reasons += [
            f"the record does not show that it is the {token.text}"
            for token in claim.of("ordinal")
            if not _is_nth(int(token.value), token.start, claim, spoken, chart)
        ]
    return reasons


def _recent(part: Part, chart: Chart) -> bool:
    """True for what began within half a year, or is ordered and not begun."""
    moment = part.moment
    return part.state == "planned" or (moment is not None and chart.as_of - moment <= _NEW)


def _differ(group: Sequence[Part]) -> bool:
    """True if two resources of one name hold different values or states."""
    by_reference = {p.reference: p for p in group}
    amounts = {tuple(a.value for a in values(p)) for p in by_reference.values() if values(p)}
    states = {p.state for p in by_reference.values() if p.state}
    return len(by_reference) > 1 and (len(amounts) > 1 or len(states) > 1)


def _one_day(groups: Sequence[Sequence[Part]]) -> bool:
    """True if two or more resources are cited, and some of each name are of one day."""
    if len({p.reference for group in groups for p in group}) < 2:
        return False
    if len(groups) == 1:
        return len({day for p in groups[0] for day in _days(p)}) == 1
    days = [{day for p in group for day in _days(p)} for group in groups]
    return bool(set.intersection(*days))


def _days(part: Part) -> set[str]:
    return {m.text[:10] for m in part.dates if len(m.text) >= 10 and not m.path.endswith(".end")}


def _is_nth(number: int, start: int, claim: Claim, spoken: Sequence[Spoken], chart: Chart) -> bool:
    """True if a resource of the next name is the n-th of its kind, in the record or in the year that is said."""
    group = next((g for at, g in spoken if at >= start), None) or next((g for _, g in reversed(spoken)), ())
    years = [t.when.spans[0] for t in claim.of("when") if t.when is not None and len(t.text) == 4 and t.when.spans]
    for part in group:
        moment = part.moment
        if moment is None:
            continue
        others = [m for m in _begun(part, chart) if not years or years[0].start <= m <= years[0].end]
        if sum(m <= moment for m in set(others)) == number:
            return True
    return False


def _begun(part: Part, chart: Chart) -> list[datetime]:
    return [min(m.span.start for m in other.dates) for other in peers(part, chart) if other.dates]
