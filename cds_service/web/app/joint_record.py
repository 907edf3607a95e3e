"""What an assessment rests on and the chart as it was read later, as one record: for questions and their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cds_service.chart_needs import CHART
from cds_service.fhir.code_map import CodeMap
from cds_service.fhir.context import ClinicalContext, clinical_context
from cds_service.fhir.products import unnamed
from cds_service.fhir.rows import strange
from cds_service.language import Message, msg
from cds_service.protocol.request import HookRequest, PrefetchValue
from cds_service.stores.requests import Basis

Values = Mapping[str, PrefetchValue]
_ALL = 10_000


@dataclass(frozen=True, slots=True)
class Joint:
    """One record of both. left_out: what must be said about entries that came and are not used."""

    context: ClinicalContext
    left_out: tuple[Message, ...]


def joint(
    assessed: Basis,
    assessed_at: datetime,
    lists: Mapping[str, tuple[str, ...]],
    chart: Basis,
    chart_at: datetime,
    code_map: CodeMap,
) -> Joint:
    """The record of both at the later moment; an entry that is in both counts as it was read last.

    lists: prefetch keys of the assessment that ask for whole lists, with their types. Each side is held against its
    own server before: to which patient a reference belongs depends on the address that the server goes by. Where both
    go by one address, what refers to another server means nothing here, whatever id it has there.
    """
    earlier, _ = _own(assessed.request, "assessment")
    later, strangers = _own(chart.request, "chart")
    if chart_at < assessed_at:
        earlier, later = later, earlier
    newer = {_name(row) for value in later.values() for row in value.resources} - {None}
    values = {key: _kept(value, lambda row: _name(row) not in newer) for key, value in earlier.items()} | dict(later)
    server = chart.request.fhir_server
    whole = replace(assessed.request, prefetch=values, fhir_server=None if _strange(values, chart.request) else server)
    asked = {f"chart.{key}": need.types for key, need in CHART.items() if not need.part}
    asked |= {f"assessment.{key}": types for key, types in lists.items()}
    context = clinical_context(
        whole,
        needed={},
        optional=asked,
        now=max(chart_at, assessed_at),
        admitted=assessed.admitted,
        code_map=code_map,
    )
    return Joint(context, tuple(_left_out(context, strangers, len(unnamed(whole, _ALL)))))


def _own(request: HookRequest, side: str) -> tuple[Values, int]:
    """The lists of a request without rows that are not the patient's, under keys of their own; how many those are."""
    others = _strange(request.prefetch, request)
    values = {}
    for key, value in request.prefetch.items():
        own = _kept(value, lambda row: id(row) not in others)
        values[f"{side}.{key}"] = own if own is value else replace(own, complete=False)
    return values, len(others)


def _strange(values: Values, request: HookRequest) -> frozenset[int]:
    """The rows (by `id()`) that are not the patient's, were they sent by the server that the request names."""
    rows = [row for value in values.values() for row in value.resources]
    urls = [url for value in values.values() for url in value.full_urls]
    return strange(rows, urls, request.patient_id, request.fhir_server)


def _kept(value: PrefetchValue, keep: Callable[[object], bool]) -> PrefetchValue:
    """The list with the rows that are to be kept; the same one where all are."""
    pairs = [pair for pair in zip(value.resources, value.full_urls, strict=True) if keep(pair[0])]
    if len(pairs) == len(value.resources):
        return value
    return replace(value, resources=tuple(row for row, _ in pairs), full_urls=tuple(url for _, url in pairs))


def _left_out(context: ClinicalContext, strangers: int, nameless: int) -> Iterable[Message]:
    if strangers:
        yield msg("Entries left out, because they are another patient's or do not say whose: {count}.", count=strangers)
    if withheld := context.record.withheld:
        yield msg("Entries left out for their sensitivity labels: {count}.", count=withheld)
    if nameless:
        yield msg("Current medicines whose names were not read from the EHR: {count}.", count=nameless)


def _name(row: object) -> tuple[str, str] | None:
    id_ = getattr(row, "id", None)
    return (type(row).__name__, id_) if isinstance(id_, str) else None
