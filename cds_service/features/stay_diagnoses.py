"""The diagnoses of the present stay: its principal one, and the others, as far as the record ranks them.

What counts are the Conditions that `Encounter.diagnosis` names; failing these, those recorded as diagnoses of that
Encounter. The models learnt from at most three diagnoses a stay: where they are ranked, the first three count for
the groups; where they are not, all count, and none is taken for the principal one.
"""

from __future__ import annotations

from functools import cached_property

from cds_service.features.contacts import parts
from cds_service.features.diagnosis_groups import (
    DEGREES,
    GROUPS,
    NONE,
    OTHER,
    PRINCIPAL,
    DiagnosisGroup,
    of_icd9,
)
from cds_service.features.feature import Feature, FeatureValue, Reason, Unusable
from cds_service.features.stays import present_stay
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import ICD9_CM, ICD10, ICD10_CM, SNOMED, codings, icd10_key, status_codes
from cds_service.fhir.record import PatientRecord
from cds_service.language import msg

_COUNTED = 3  # diagnoses a stay in the training data
_REFUTED = frozenset({"refuted", "entered-in-error", "differential", "provisional", "unconfirmed"})
_ICD10 = tuple((prefix.replace(".", ""), g.id) for g in GROUPS for prefix in g.icd10)
_SNOMED = {code: g.id for g in GROUPS for code in g.snomed}

Ranked = tuple[int | None, fhir.Condition]


class StayDiagnoses:
    """The diagnoses of one record's present stay, read once."""

    def __init__(self, record: PatientRecord) -> None:
        self._record = record

    @cached_property
    def rows(self) -> tuple[Ranked, ...]:
        """(rank, Condition), first rank first; a rank of None where none is stated."""
        stay = present_stay(self._record)
        if stay is None:
            return ()
        named = [
            (entry.rank, row) for entry in stay.row.diagnosis
            if isinstance(row := self._record.resolve(entry.condition, stay.row), fhir.Condition)
        ]  # fmt: skip
        if not named:
            conditions = self._record.rows(fhir.Condition)
            of_stay = (stay.row, *parts(self._record, stay.row))
            named = [
                (None, row) for row in conditions
                if any(self._record.refers(row.encounter, row, contact) for contact in of_stay)
            ]  # fmt: skip
        sure = [(rank, row) for rank, row in named if not status_codes(row.verification_status) & _REFUTED]
        return tuple(sorted(sure, key=lambda r: (r[0] is None, r[0] or 0, self._record.reference(r[1]))))

    @cached_property
    def _found(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Group id -> (degree, references), for the groups that are there."""
        ranked = [(rank, row) for rank, row in self.rows if rank is not None]
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for rank, row in ranked[:_COUNTED] if ranked else self.rows:
            degree = PRINCIPAL if rank == 1 or len(self.rows) == 1 else OTHER
            for id_ in groups_of(row):
                known, sources = found.get(id_, (NONE, ()))
                stronger = max(known, degree, key=lambda word: DEGREES[word])
                found[id_] = stronger, tuple(sorted({*sources, self._record.reference(row)}))
        return found

    def value(self, feature: DiagnosisGroup) -> FeatureValue | Unusable:
        """In what degree a group is there, read from the diagnoses of the stay; unknown if there are none."""
        if not self.rows:
            return self._none(feature)
        degree, sources = self._found.get(feature.id, (NONE, ()))
        return FeatureValue(feature, degree, None, sources, inferred=degree == NONE)

    def count(self, feature: Feature, most: float) -> FeatureValue | Unusable:
        """How many diagnoses the stay has, counted to `most`."""
        if not self.rows:
            return self._none(feature)
        sources = tuple(sorted({self._record.reference(row) for _, row in self.rows}))
        return FeatureValue(feature, min(float(len(sources)), most), None, sources)

    def _none(self, feature: Feature) -> Unusable:
        words = msg("{what} cannot be told: no diagnosis of the stay is on record", what=feature.label)
        return Unusable(feature, Reason.NO_LIST, words)


def groups_of(row: fhir.Condition) -> frozenset[str]:
    """Ids of the groups of a diagnosis, by its codes."""
    found: set[str] = set()
    for system, code in codings((row.code,)):
        if system in (ICD10, ICD10_CM):
            key = icd10_key(code).replace(".", "")
            found.update(_of_icd10(key))
        elif system == SNOMED and code in _SNOMED:
            found.add(_SNOMED[code])
        elif system == ICD9_CM:
            found.update(_of_icd9(code))
    return frozenset(found)


def _of_icd10(key: str) -> tuple[str, ...]:
    """The groups that name a code most closely: `N39` is urinary, though `N3` is genitourinary."""
    fitting = [(len(prefix), id_) for prefix, id_ in _ICD10 if key.startswith(prefix)]
    closest = max((length for length, _ in fitting), default=0)
    return tuple(id_ for length, id_ in fitting if length == closest)


def _of_icd9(code: str) -> tuple[str, ...]:
    try:
        return of_icd9(code)
    except ValueError:
        return ()
