"""Whether a result is the latest, first, highest, lowest or baseline of its kind in the record."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.fhir.stated import Stated, codings_of
from cds_service.summary.chart import Chart
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import DENIED_STATUS, Part
from cds_service.summary.figures import figure, values
from cds_service.summary.timing import fits

Group = list[Part]
_NOT_HELD = frozenset({"planned", "cancelled"})
_OWN_CODES = ("code", "type", "vaccineCode", "medicationCodeableConcept")


def rank_reasons(claim: Claim, about: Group, usable: Group, chart: Chart) -> list[str]:
    """What is wrong about a rank. The number or date said with it tells which of the cited results is meant."""
    whens = [(at, t) for at, t in enumerate(claim.tokens) if t.when is not None and t.when.kind != "oldness"]
    among = usable if any(t.text.lower() in ("these", "those") for t in claim.tokens) else None
    for at, token in enumerate(claim.tokens):
        rank = token.value if token.kind == "rank" else next((v for k, v in token.also if k == "rank"), None)
        if rank is None:
            continue
        group = [p for p in about if all(fits(t.when, claim, n, [p], chart) for n, t in whens if t.when is not None)]
        number = next((t for t in claim.tokens[at + 1 :] if t.number is not None), None)
        if number is not None and number.number is not None:
            group = [p for p in group or about if figure(p, number, claim)] or group
        of_all = not _dated(claim, at)
        if not any(("rank", rank) in p.operators or _ranked(p, rank, chart, among, of_all) for p in group or about):
            return [f"the record does not show that it is the {rank}"]
    return []


def _before_others(part: Part, others: list[Stated]) -> bool:
    """True for a baseline: nothing earlier is needed, but something later."""
    starts = [o.dates[0].span.start for o in others if o.dates]
    return part.moment is not None and any(start > part.moment for start in starts)


def _dated(claim: Claim, at: int) -> bool:
    """Whether a rank is of its date, as in "15 times, last on 3 May": of what is named, not of all visits."""
    return next((t.when is not None for t in claim.tokens[at + 1 :] if t.text.lower() not in ("on", "in", "于")), False)


def _ranked(part: Part, rank: str, chart: Chart, among: Group | None, of_all: bool) -> bool:
    if not part.dates:
        return False
    moment = part.dates[0].span.start
    others = [*peers(part, chart), *(_stays(part, chart, rank) if of_all else ())]
    if among is not None:
        cited = {p.reference for p in among}
        others = [o for o in others if o.reference in cited]
    if rank == "baseline":
        return _before_others(part, others)
    if rank in ("latest", "first"):
        moments = [o.dates[0].span.start for o in others if o.dates and not o.dates[0].span.after(chart.as_of)]
        return all(m <= moment for m in moments) if rank == "latest" else all(m >= moment for m in moments)
    own = next((a.value for a in values(part)), None)
    numbers = [a.value for o in others for a in o.amounts if a.path.startswith("value")]
    if own is None:
        return False
    return own >= max(numbers, default=own) if rank == "highest" else own <= min(numbers, default=own)


def peers(of: Part, chart: Chart) -> Iterator[Stated]:
    """The patient's resources that share a code with a part's resource."""
    own = codings_of(of.source.json, *_OWN_CODES)
    called = _called(of.source)
    for other in chart.of_kind(of.kind):
        alike = codings_of(other.json, *_OWN_CODES) & own or _called(other) & called
        if alike and not other.erroneous and other.status not in DENIED_STATUS:
            yield other


def _stays(of: Part, chart: Chart, rank: str) -> Iterator[Stated]:
    """The visits or stays of a visit's class: the first admission is the first of all, whatever it was for.

    The last one is the last that is over, unless that which goes on is meant.
    """
    own = _class(of.source)
    if of.kind != "Encounter" or not own or rank not in ("first", "latest"):
        return
    for one in chart.of_kind("Encounter"):
        over = rank == "first" or one.status == "finished" or of.source.status != "finished"
        if _class(one) == own and over and not one.erroneous and one.status not in _NOT_HELD:
            yield one


def _class(visit: Stated) -> object:
    row = visit.json.get("class")
    return row.get("code") if isinstance(row, dict) else None


def _called(one: Stated) -> set[str]:
    return {text.casefold() for path, text in one.names if path.partition(".")[0] in _OWN_CODES}
