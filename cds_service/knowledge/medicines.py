"""Which drugs a draft, a current medicine and an allergy mean; whatever cannot be told stays visible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from cds_service.features.courses import OPEN, Course
from cds_service.features.medicines_on_record import (
    Entry,
    Medicine,
    current_medicines,
    drafted,
    entered,
    held_medicines,
    named_product,
)
from cds_service.features.order_reasons import NONE, Reasons, reasons_of
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import ATC, RXNORM, codings, label, status_codes
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge.harm import harm_of
from cds_service.knowledge.terms import Terms

_NONE_KNOWN = frozenset({"716186003", "409137002", "428607008", "no-known-allergies", "no-known-medication-allergies"})
_MOST_REACTIONS = 3
_SEVERE = frozenset({"severe"})
_MEDICINES = frozenset({"medication", "biologic"})
_INSULIN = "drug:insulin"


@dataclass(frozen=True, slots=True)
class Exposure:
    """A medicine that is drafted or taken. nodes: its drugs, empty if it was not recognised. local: acts where it is
    put and nowhere else; absorbed: is put somewhere, and acts everywhere. words: as the record has them. held: on
    hold. course: when it is taken. row: the order that a draft was read from. reasons: what it says it is for."""

    reference: str
    words: str
    nodes: tuple[str, ...]
    partly: bool = False
    local: bool = False
    draft: bool = False
    absorbed: bool = False
    held: bool = False
    course: Course = OPEN
    row: fhir.MedicationRequest | None = field(default=None, compare=False)
    reasons: Reasons = NONE


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy or intolerance. grave: high criticality, or a severe reaction; never for a mere intolerance.

    reaction: what it did, as recorded; empty where that is not told. of_medicine: the record says that it is to one.
    """

    reference: str
    words: str
    nodes: tuple[str, ...]
    grave: bool
    reaction: str = ""
    of_medicine: bool = False


class Stopped(NamedTuple):
    """A medicine that was stopped because it harmed, and why in the record's words. passing: the harm may be over."""

    exposure: Exposure
    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Medicines:
    """What is drafted, what is taken, and what is not tolerated.

    drafts: each order, also where several are of one medicine. foreign: drafts that are for another patient.
    held: on hold, and not taken by another entry. stopped: because of harm, the latest first. replaced: what a draft
    takes the place of.
    """

    drafts: tuple[Exposure, ...]
    current: tuple[Exposure, ...]
    allergies: tuple[Allergy, ...]
    foreign: int = 0
    held: tuple[Exposure, ...] = ()
    stopped: tuple[Stopped, ...] = ()
    replaced: tuple[Exposure, ...] = ()


def medicines(context: ClinicalContext, terms: Terms) -> Medicines:
    """The medicines of one call. A current entry that is itself among the drafts is no second medicine."""
    record = context.record
    ours = [d for d in context.drafts if _ours(d, record.patient_id)]
    drafts = [e for d in ours if (e := _draft(record, d, terms)) is not None]
    replaced = tuple(_exposure(taken, terms) for taken in _replaced(record, ours))
    named = {exposure.reference for exposure in (*drafts, *replaced)}
    current = _once(_exposure(m, terms) for m in current_medicines(record) if m.reference not in named)
    held = _once(_exposure(m, terms) for m in held_medicines(record) if m.reference not in named)
    taken = {node for exposure in current for node in exposure.nodes}
    return Medicines(
        _each(drafts),
        current,
        tuple(_allergies(record, terms)),
        len(context.drafts) - len(ours),
        tuple(replace(e, held=True) for e in held if not taken.issuperset(e.nodes)),
        tuple(_stopped(record, terms)),
        replaced,
    )


def _stopped(record: PatientRecord, terms: Terms) -> Iterable[Stopped]:
    for row in record.rows(fhir.MedicationRequest):
        if row.status != "stopped" or row.do_not_perform or row.status_reason is None:
            continue
        words = label(row.status_reason) or ""
        found = harm_of(status_codes(row.status_reason), words)
        medicine = entered(record, row) if found is not None else None
        if found is not None and medicine is not None:
            yield Stopped(_exposure(medicine, terms), words or found.name, found.passing)


def given(record: PatientRecord, terms: Terms, since: datetime) -> Iterable[Exposure]:
    """What is no entry of the list any more, or never was: orders that were ended, doses that were given, of a moment
    or later or without a date."""
    orders = [row for row in record.rows(fhir.MedicationRequest) if row.status in ("stopped", "completed")]
    doses = [row for row in record.rows(fhir.MedicationAdministration) if row.status in ("completed", "in-progress")]
    rows: tuple[Entry, ...] = (*doses, *(order for order in orders if not order.do_not_perform))
    for row in rows:
        day = record.date_of(row)
        if (day is None or day.end >= since) and (medicine := entered(record, row)) is not None:
            yield _exposure(medicine, terms)


def _replaced(record: PatientRecord, drafts: Iterable[fhir.Resource]) -> Iterable[Medicine]:
    """What the drafts take the place of, as they say themselves."""
    for draft in drafts:
        row = record.resolve(draft.prior_prescription, draft) if isinstance(draft, fhir.MedicationRequest) else None
        medicine = entered(record, row) if isinstance(row, fhir.MedicationRequest) else None
        if medicine is not None:
            yield medicine


def _ours(draft: fhir.Resource, patient_id: str) -> bool:
    subject = getattr(draft, "subject", None)
    target = subject.reference if isinstance(subject, fhir.Reference) else None
    return not target or "Patient/" not in target or target.rsplit("/", 1)[-1] == patient_id


def _draft(record: PatientRecord, row: fhir.Resource, terms: Terms) -> Exposure | None:
    medicine = None
    if isinstance(row, fhir.MedicationRequest):
        medicine = drafted(record, row)
    elif isinstance(row, fhir.Medication):
        medicine = named_product(record, row)
    elif isinstance(row, (fhir.MedicationStatement, fhir.MedicationAdministration)):
        medicine = entered(record, row)  # what some EHRs verify or refill
    found = _exposure(medicine, terms, draft=True) if medicine is not None else None
    if found is None or not isinstance(row, fhir.MedicationRequest):
        return found
    return replace(found, row=row, reasons=reasons_of(record, row))


def _exposure(medicine: Medicine, terms: Terms, *, draft: bool = False) -> Exposure:
    words = medicine.label or ""
    pairs = [*((RXNORM, code) for code in sorted(medicine.codes)), *((ATC, code) for code in sorted(medicine.atc))]
    found = terms.medicine(pairs, [words])
    unsaid = sorted(name for name in medicine.names if name not in words.lower())
    others = terms.medicine((), unsaid).nodes  # of displays that the words do not repeat
    nodes = tuple(dict.fromkeys((*found.nodes, *others)))
    return Exposure(
        medicine.reference,
        words,
        _narrowest(nodes),
        found.partly,
        medicine.local and not medicine.absorbed,
        draft,
        medicine.absorbed,
        course=medicine.course,
    )


def _narrowest(nodes: tuple[str, ...]) -> tuple[str, ...]:
    """Without the plain insulin that the name of a certain insulin holds too."""
    certain = any(node.startswith(f"{_INSULIN}-") for node in nodes)
    return tuple(node for node in nodes if not (certain and node == _INSULIN))


def _each(drafts: Iterable[Exposure]) -> tuple[Exposure, ...]:
    """Each order once: two of one medicine are two, but one that came twice is one."""
    return tuple({e.reference if "/" in e.reference else str(place): e for place, e in enumerate(drafts)}.values())


def _once(exposures: Iterable[Exposure]) -> tuple[Exposure, ...]:
    """Entries of the same drugs once: a statement and a request about one medicine are one medicine."""
    return tuple({(e.nodes or e.words.lower(), e.local): e for e in reversed(list(exposures))}.values())[::-1]


def _allergies(record: PatientRecord, terms: Terms) -> Iterable[Allergy]:
    for row in record.rows(fhir.AllergyIntolerance):
        stated, verified = status_codes(row.clinical_status), status_codes(row.verification_status)
        pairs = list(codings((row.code,)))
        if (stated and "active" not in stated) or "refuted" in verified:
            continue
        if any(code in _NONE_KNOWN for _, code in pairs):
            continue
        substances = [row.code, *(reaction.substance for reaction in row.reaction)]
        texts = [c.display for concept in substances if concept for c in concept.coding if c.display]
        words = label(row.code) or next(iter(texts), "")
        found = terms.medicine([*pairs, *codings(substances[1:])], [words, *texts])
        grave = row.criticality == "high" or any(r.severity in _SEVERE for r in row.reaction)
        did = [name for r in row.reaction for m in r.manifestation if (name := label(m))]
        reaction = ", ".join(dict.fromkeys(did[:_MOST_REACTIONS]))
        of_medicine = not _MEDICINES.isdisjoint(row.category) or any(system in (RXNORM, ATC) for system, _ in pairs)
        grave = grave and row.type != "intolerance"
        yield Allergy(record.reference(row), words, found.nodes, grave, reaction, of_medicine)


def unresolved(exposures: Sequence[Exposure]) -> tuple[Exposure, ...]:
    """Those that were not recognised, or not in all their components."""
    return tuple(e for e in exposures if not e.nodes or e.partly)
