"""`Before this stay`: when the stay began, and whether all that is cited comes from before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cds_service.summary.chart import Chart
from cds_service.summary.evidence import Part

_STAYS = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC", "SS"})
_EMERGENCY = "EMER"
_LED_TO_IT = timedelta(days=1)  # an emergency visit that ended so shortly before a stay belongs to it


def stay_reasons(usable: Sequence[Part], chart: Chart) -> list[str]:
    """What is wrong about `before this stay`: none goes on, or something cited has no day or comes from it."""
    began = _began(chart)
    if began is None:
        return ["the record shows no stay that goes on"]
    if all(part.dates and all(d.span.start < began and d.span.end <= began for d in part.dates) for part in usable):
        return []
    return ["not all that is cited comes from before the stay"]


def _began(chart: Chart) -> datetime | None:
    """When the stay that goes on began, with the emergency visit that led to it; None if none does."""
    visits = [v for v in chart.of_kind("Encounter") if v.dates]
    stays = [v for v in visits if v.status == "in-progress" and _class(v.json) in _STAYS]
    if not stays:
        return None
    began = max(min(d.span.start for d in v.dates) for v in stays)
    led = [
        min(d.span.start for d in v.dates)
        for v in visits
        if _class(v.json) == _EMERGENCY and began - _LED_TO_IT <= max(d.span.end for d in v.dates) <= began + _LED_TO_IT
    ]
    return min([began, *led])


def _class(row: object) -> str:
    found = row.get("class") if isinstance(row, dict) else None
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, str) else ""
