"""Which medicines a patient takes now, by ingredient, and when absence may be read from the list.

One entry that cannot be read may be the very medicine that is looked for, so with it no absence is concluded. An
entry with a name that is not in our tables is read: its name is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from cds_service.features import chinese_names
from cds_service.features.applied import acts_everywhere, is_local
from cds_service.features.courses import OPEN, Course, course_of
from cds_service.features.feature import Absence, FeatureValue, MedicationFeature, Reason, Unusable
from cds_service.features.medicines import BRANDS, NAME_OF_CODE, NAMES, PRODUCTS
from cds_service.features.remembered import Remembered
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import ATC, IPS_ABSENT, RXNORM, SNOMED, codings, label, status_codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import parse
from cds_service.language import Message, msg

Entry = fhir.MedicationRequest | fhir.MedicationStatement | fhir.MedicationAdministration
_WORD = re.compile(r"[a-z]{3,}")
_ENDS = frozenset({"cancelled", "stopped", "completed", "entered-in-error"})
_NOT_TAKEN_INTENTS = frozenset({"proposal", "option"})
_NONE_TAKEN = {(IPS_ABSENT, "no-known-medications"), (SNOMED, "787481004"), (SNOMED, "182849000")}
_NOBODY_ASKED = (IPS_ABSENT, "no-medication-info")


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine in use: its ingredients as far as known, and its words as the record has them.

    names: ingredient names; codes: RxNorm codes as recorded; atc: ATC codes. All empty: nothing was recognised.
    local: it treats the place where it is put. absorbed: such a one, and yet it acts in the whole body.
    course: when it is taken, as its order bounds it.
    """

    reference: str
    label: str | None
    names: frozenset[str]
    codes: frozenset[str]
    atc: frozenset[str]
    since: datetime | None
    local: bool = False
    absorbed: bool = False
    course: Course = OPEN

    @property
    def recognised(self) -> bool:
        """True if at least one ingredient or ATC class is known."""
        return bool(self.names or self.atc)

    def belongs_to(self, feature: MedicationFeature) -> bool:
        """True if it has one of the feature's ingredients or belongs to one of its ATC classes; a local form never."""
        if self.local:
            return False
        if not self.names.isdisjoint(feature.names) or not self.codes.isdisjoint(feature.ingredients):
            return True
        return any(code.upper().startswith(prefix) for code in self.atc for prefix in feature.atc)


class _ValueSet(NamedTuple):
    """What a feature says of records in advance: its codes as sets, and what a list without any of them gives."""

    names: frozenset[str]
    codes: frozenset[str]
    not_listed: FeatureValue
    no_list: Unusable


def _value_set(feature: MedicationFeature) -> _ValueSet:
    words = msg("There is no medication list from which the absence of {what} could be read", what=feature.label)
    return _ValueSet(
        frozenset(feature.names),
        frozenset(feature.ingredients),
        FeatureValue(feature, False, None, (), inferred=True),
        Unusable(feature, Reason.NO_LIST, words),
    )


_prepared: Remembered[MedicationFeature, _ValueSet] = Remembered(_value_set)


def names_of(feature: MedicationFeature) -> frozenset[str]:
    """Its names and RxNorm codes, as a medication list's `names` has them."""
    wanted = _prepared(feature)
    return wanted.names | wanted.codes


def not_taken(feature: MedicationFeature) -> FeatureValue | None:
    """What a list that can be read, but holds none of its medicines, says of it: "no", or None if that says nothing."""
    return _prepared(feature).not_listed if feature.absence is Absence.NO_IF_LISTED else None


class MedicationList:
    """The medicines that a patient takes at `as_of`, read once."""

    def __init__(self, record: PatientRecord) -> None:
        self.medicines = current_medicines(record)
        self.stated = _listed(record)
        self._names = frozenset().union(*[m.names for m in self.medicines])
        self._codes = frozenset().union(*[m.codes for m in self.medicines])
        self._has_atc = any(m.atc for m in self.medicines)
        self._unread = tuple(sorted(m.reference for m in self.unreadable()))

    @property
    def names(self) -> frozenset[str] | None:
        """All ingredients and RxNorm codes of the list; None if they do not tell what it lacks."""
        return None if self._has_atc or self._unread or not self.stated else self._names | self._codes

    def unreadable(self) -> tuple[Medicine, ...]:
        """Entries of which nothing is known: neither a code nor a name that could tell what they are."""
        return tuple(m for m in self.medicines if not m.recognised and not _named(m.label))

    def value(self, feature: MedicationFeature) -> FeatureValue | Unusable:
        """True with its sources, False read from a list that can be read (an empty one says "none"), or a reason."""
        wanted = _prepared(feature)
        found = [m for m in self.medicines if m.belongs_to(feature)] if self._may_hold(wanted) else []
        if found:
            since = [m.since for m in found if m.since is not None]
            sources = tuple(sorted({m.reference for m in found}))
            return FeatureValue(feature, True, min(since, default=None), sources)
        if feature.absence is not Absence.NO_IF_LISTED or not self.stated:
            return wanted.no_list
        if self._unread:
            return Unusable(feature, Reason.UNREADABLE, _unread_words(len(self._unread)), sources=self._unread)
        return wanted.not_listed

    def _may_hold(self, wanted: _ValueSet) -> bool:
        """False if certainly no entry is of the set."""
        known = self._names, self._codes
        return not known[0].isdisjoint(wanted.names) or not known[1].isdisjoint(wanted.codes) or self._has_atc


def _unread_words(count: int) -> Message:
    """The same for every medicine, so that it is said once."""
    if count == 1:
        return msg("one entry of the medication list cannot be read, so none can be said to be absent")
    return msg("{count} entries of the medication list cannot be read, so none can be said to be absent", count=count)


def _named(label: str | None) -> bool:
    """True if a name is in letters in which our tables could know it, or in Chinese and known there."""
    return label is not None and (_WORD.search(label.lower()) is not None or bool(chinese_names.meant(label)))


def intolerances(record: PatientRecord, feature: MedicationFeature) -> tuple[str, ...]:
    """References of the active allergies and intolerances to one of the feature's ingredients."""
    found = []
    for row in record.rows(fhir.AllergyIntolerance):
        stated = status_codes(row.clinical_status)
        if stated and "active" not in stated:
            continue
        codes = frozenset(code for system, code in codings((row.code,)) if system == RXNORM)
        words = label(row.code)
        texts = [words] if words else []
        texts += [c.display for c in row.code.coding if c.display] if row.code is not None else []
        names = frozenset() if is_local((), texts) else _ingredients(codes, texts)
        in_class = any(re.search(rf"\b{feature.id.replace('_', ' ')}s?\b", text.lower()) for text in texts)
        if in_class or not names.isdisjoint(feature.names) or not codes.isdisjoint(feature.ingredients):
            found.append(record.reference(row))
    return tuple(sorted(found))


def current_medicines(record: PatientRecord) -> tuple[Medicine, ...]:
    """Medicines in use at `as_of`, latest first: active prescriptions and statements."""
    return tuple(medicine for row in _current(record) if (medicine := _read(record, row)) is not None)


def held_medicines(record: PatientRecord) -> tuple[Medicine, ...]:
    """Medicines whose entries are on hold, latest first."""
    rows: list[fhir.MedicationRequest | fhir.MedicationStatement] = [
        row for row in record.rows(fhir.MedicationRequest) if row.status == "on-hold" and _ordered(row)
    ]
    rows += [row for row in record.rows(fhir.MedicationStatement) if row.status == "on-hold"]
    return tuple(medicine for row in rows if (medicine := _read(record, row)) is not None)


def distinct(record: PatientRecord, ordered: Iterable[fhir.MedicationRequest], current: MedicationList) -> int:
    """How many different medicines some orders and the list of those in use name, by ingredient or else by words."""
    read = [*(m for row in ordered if (m := _read(record, row)) is not None), *current.medicines]
    return len({m.names or m.codes or frozenset({(m.label or m.reference).casefold()}) for m in read})


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An entry of a medicine that is on hold or was stopped. reason: as the record has it, or None."""

    reference: str
    label: str
    held: bool
    reason: str | None


def given_up(record: PatientRecord, feature: MedicationFeature) -> tuple[GivenUp, ...]:
    """Entries of a class that are on hold or were stopped, latest first; what ran out is none of them."""
    rows: list[fhir.MedicationRequest | fhir.MedicationStatement] = [
        row for row in record.rows(fhir.MedicationRequest) if not row.do_not_perform
    ]
    rows += record.rows(fhir.MedicationStatement)
    found = []
    for row in rows:
        medicine = _read(record, row) if row.status in ("on-hold", "stopped") else None
        if medicine is not None and medicine.belongs_to(feature):
            reason = label(row.status_reason) if isinstance(row, fhir.MedicationRequest) else None
            named = medicine.label or ", ".join(sorted(medicine.names)) or str(feature.label)
            found.append((medicine.since, GivenUp(medicine.reference, named, row.status == "on-hold", reason)))
    dated = sorted(
        (pair for pair in found if pair[0] is not None), key=lambda pair: pair[0] or record.as_of, reverse=True
    )
    return tuple(entry for _, entry in (*dated, *(pair for pair in found if pair[0] is None)))


def prescriptions(record: PatientRecord, feature: MedicationFeature) -> Iterator[tuple[str, str]]:
    """(words of the medicine, words of its dosage) of each current entry of a class."""
    for row in _current(record):
        medicine = _read(record, row)
        if medicine is not None and medicine.belongs_to(feature):
            dosages = row.dosage_instruction if isinstance(row, fhir.MedicationRequest) else row.dosage
            yield medicine.label or "", " ".join(d.text for d in dosages if d.text)


def drafted(record: PatientRecord, row: fhir.MedicationRequest) -> Medicine | None:
    """The medicine of a draft order, or None if it says that none is taken or must not be given, or ends one."""
    return None if row.do_not_perform or row.status in _ENDS else _read(record, row)


def entered(record: PatientRecord, row: Entry) -> Medicine | None:
    """The medicine of an entry of any status, or None if it says that none is taken."""
    return _read(record, row)


def named_product(record: PatientRecord, product: fhir.Medication) -> Medicine | None:
    """The medicine that a Medication resource is."""
    concept = fhir.MedicationRequest(id=product.id, medication_codeable_concept=product.code)
    found = _read(record, concept)
    return replace(found, reference=f"Medication/{product.id}" if product.id else "Medication") if found else None


def _current(record: PatientRecord) -> list[fhir.MedicationRequest | fhir.MedicationStatement]:
    rows: list[fhir.MedicationRequest | fhir.MedicationStatement] = [
        row for row in record.rows(fhir.MedicationRequest) if _prescribed(row)
    ]
    return [*rows, *(row for row in record.rows(fhir.MedicationStatement) if _taken(record, row))]


def _listed(record: PatientRecord) -> bool:
    """True if there is a list of medicines: supplied as a whole, or with at least one entry."""
    rows: list[fhir.MedicationRequest | fhir.MedicationStatement] = [*record.rows(fhir.MedicationRequest)]
    rows += record.rows(fhir.MedicationStatement)
    if rows and all(_NOBODY_ASKED in codings((_concept(record, row),)) for row in rows):
        return False
    return bool(rows) or record.has_list("MedicationRequest") or record.has_list("MedicationStatement")


def _prescribed(row: fhir.MedicationRequest) -> bool:
    return row.status == "active" and _ordered(row)


def _ordered(row: fhir.MedicationRequest) -> bool:
    return row.intent not in _NOT_TAKEN_INTENTS and not row.do_not_perform


def _taken(record: PatientRecord, row: fhir.MedicationStatement) -> bool:
    if row.status not in ("active", "intended"):
        return False
    ended = parse(row.effective_period.end) if row.effective_period is not None else None
    return ended is None or ended.end > record.as_of


def _concept(record: PatientRecord, row: Entry) -> fhir.CodeableConcept | None:
    if row.medication_codeable_concept is not None:
        return row.medication_codeable_concept
    product = record.resolve(row.medication_reference, row)
    return product.code if isinstance(product, fhir.Medication) else None


def _read(record: PatientRecord, row: Entry) -> Medicine | None:
    concept = _concept(record, row)
    pairs = set(codings((concept,)))
    if pairs & _NONE_TAKEN or _NOBODY_ASKED in pairs:
        return None
    codes = frozenset(code for system, code in pairs if system == RXNORM)
    words = label(concept) or (row.medication_reference.display if row.medication_reference is not None else None)
    texts = [words] if words else []
    texts += [c.display for c in concept.coding if c.display] if concept is not None else []
    span = record.date_of(row)
    dosages: tuple[fhir.Dosage, ...] = ()
    if not isinstance(row, fhir.MedicationAdministration):
        dosages = row.dosage_instruction if isinstance(row, fhir.MedicationRequest) else row.dosage
    local = is_local(codes, texts, dosages)
    return Medicine(
        reference=record.reference(row),
        label=words,
        names=frozenset() if local else _ingredients(codes, texts),
        codes=codes,
        atc=frozenset(code for system, code in pairs if system == ATC),
        since=span.start if span is not None else None,
        local=local,
        absorbed=local and acts_everywhere(codes, texts),
        course=course_of(dosages),
    )


def _ingredients(codes: frozenset[str], texts: list[str]) -> frozenset[str]:
    found = {NAME_OF_CODE[code] for code in codes if code in NAME_OF_CODE}
    found.update(name for code in codes for name in PRODUCTS.get(code, ()))
    for text in texts:
        words = set(_WORD.findall(text.lower()))
        if chinese_names.is_chinese(text):
            found.update(word for name in chinese_names.meant(text) for word in name.split() if word in NAMES)
        found |= words & NAMES
        found.update(BRANDS[word] for word in words if word in BRANDS)
    return frozenset(found)
