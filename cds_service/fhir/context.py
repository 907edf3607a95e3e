"""What a hook call brings: the record of its prefetch, who looks, in which encounter, with which drafts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cds_service.errors import BadRequest, PreconditionFailed
from cds_service.fhir import resources as fhir
from cds_service.fhir.code_map import NONE, CodeMap
from cds_service.fhir.drafts import chosen, unread
from cds_service.fhir.drafts import read as read_drafts
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.sensitivity import withheld
from cds_service.protocol.request import HookRequest


@dataclass(frozen=True, slots=True)
class ClinicalContext:
    """The record and what the hook adds: who looks, in which encounter, with which drafts, at what time."""

    record: PatientRecord
    hook: str
    user_id: str | None
    encounter_id: str | None
    encounter: fhir.Encounter | None
    drafts: tuple[fhir.Resource, ...]
    now: datetime
    selected: frozenset[str] = frozenset()  # of order-select: references to the drafts that were just chosen
    unread: int = 0  # drafts of a kind from which no medicine is read
    withheld: int = 0  # rows and drafts that are not used because of their sensitivity labels


def clinical_context(
    request: HookRequest,
    *,
    needed: Mapping[str, Iterable[str]],
    now: datetime,
    optional: Mapping[str, Iterable[str]] = MappingProxyType({}),
    admitted: Collection[str] = frozenset(),
    code_map: CodeMap = NONE,
) -> ClinicalContext:
    """The context of a call, from its prefetch.

    needed, optional: prefetch key -> the resource types that its template asks for.
    admitted: sensitivity labels whose resources may be used. code_map: the hospital's own codes and units.
    Raises PreconditionFailed naming the needed keys that are absent or refused, or if there is no Patient;
    BadRequest if the Patient is not the one of the context.
    """
    _require(request, needed)
    found: list[fhir.AnyResource] = []
    urls: list[str | None] = []
    for value in request.prefetch.values():
        found += value.resources
        urls += value.full_urls
    patients = {r.id for r in found if type(r) is fhir.Patient}
    if patients and request.patient_id not in patients:
        raise BadRequest("The prefetched Patient is not the patient of context.patientId: both ids must be equal.")
    if not patients:
        raise PreconditionFailed("No prefetch key holds the Patient: send the Patient of context.patientId.")
    record = PatientRecord.from_resources(
        code_map.translated(found),
        urls,
        request.patient_id,
        now,
        listed=_listed(request, {**optional, **needed}),
        fhir_server=request.fhir_server,
        admitted=admitted,
    )
    drafts = tuple(code_map.translated(read_drafts(request.context)))
    usable = tuple(draft for draft in drafts if not withheld(draft, admitted))
    encounters = (e for e in record.rows(fhir.Encounter) if e.id == request.encounter_id)
    return ClinicalContext(
        record=record,
        hook=request.hook,
        user_id=request.user_id,
        encounter_id=request.encounter_id,
        encounter=next(encounters, None) if request.encounter_id is not None else None,
        drafts=usable,
        now=now,
        selected=chosen(request.context.get("selections"), drafts),
        unread=unread(request.context),
        withheld=record.withheld + len(drafts) - len(usable),
    )


def _listed(request: HookRequest, asked: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The types whose list was supplied as a whole: the CDS Client answered each key for it, without a further page."""
    whole: set[str] = set()
    cut: set[str] = set()
    for key, types in asked.items():
        value = request.prefetch.get(key)
        if value is not None:
            (whole if value.complete and value.state != "refused" else cut).update(types)
    return frozenset(whole - cut)


def _require(request: HookRequest, needed: Mapping[str, Iterable[str]]) -> None:
    absent = [key for key in needed if key not in request.prefetch]
    refused = [key for key in needed if key in request.prefetch and request.prefetch[key].state == "refused"]
    parts = []
    if absent:
        parts.append(f"absent: {', '.join(sorted(absent))}")
    if refused:
        parts.append(f"refused (OperationOutcome): {', '.join(sorted(refused))}")
    if parts:
        raise PreconditionFailed(f"Prefetch keys that this service needs are {'; '.join(parts)}.")
