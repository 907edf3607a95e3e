"""Whether a condition is on the problem list, and when its absence may be read from that list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cds_service.features.feature import Absence, ConditionFeature, FeatureValue, Reason, Unusable
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import ICD10, ICD10_CM, IPS_ABSENT, SNOMED, codings, icd10_key, status_codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import parse
from cds_service.language import msg

_AGAIN = frozenset({"recurrence", "relapse"})
_ACTIVE = frozenset({"active", *_AGAIN})
_NOBODY_ASKED = (IPS_ABSENT, "no-problem-info")


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the list. active: present at `as_of`; sure: confirmed, or no doubt stated."""

    row: fhir.Condition
    active: bool
    sure: bool


class ProblemList:
    """The conditions of a record, indexed once by SNOMED CT code and by every prefix of an ICD-10 code."""

    def __init__(self, record: PatientRecord) -> None:
        self._record = record
        self._by_snomed: dict[str, list[Problem]] = {}
        self._by_icd10: dict[str, list[Problem]] = {}
        self.stated = False  # True if the list says anything about this patient, be it "no known problems"
        for row in record.rows(fhir.Condition):
            found = set(codings((row.code,)))
            self.stated = self.stated or _NOBODY_ASKED not in found
            problem = Problem(row, _active(record, row), _sure(row))
            for system, code in found:
                if system == SNOMED:
                    self._by_snomed.setdefault(code, []).append(problem)
                elif system in (ICD10_CM, ICD10):
                    key = icd10_key(code)
                    for end in range(3, len(key[:8]) + 1):
                        self._by_icd10.setdefault(key[:end], []).append(problem)

    def value(self, feature: ConditionFeature) -> FeatureValue | Unusable:
        """True with its sources, False read from a list that holds something, or a reason.

        Active means `clinicalStatus` active, recurrence or relapse, or none stated, and not abated by `as_of`.
        Unconfirmed, provisional and differential entries are no diagnosis; the value then carries a note.
        """
        found = [p for p in self.matching(feature) if p.active or feature.ever]
        sure = [p.row for p in found if p.sure]
        if sure:
            return self._present(feature, sure)
        if not self.stated or feature.absence is not Absence.NO_IF_LISTED:
            words = msg("There is no problem list from which the absence of {what} could be read", what=feature.label)
            return Unusable(feature, Reason.NO_LIST, words)
        if not found:
            return FeatureValue(feature, False, None, (), inferred=True)
        note = msg("{what} is on the list, but not confirmed", what=feature.label)
        return FeatureValue(feature, False, None, self._cited([p.row for p in found]), inferred=True, note=note)

    def matching(self, feature: ConditionFeature) -> list[Problem]:
        """All entries of the value set, whatever their status."""
        found: list[Problem] = []
        if self._by_snomed:
            for code in feature.snomed:
                found += self._by_snomed.get(code, ())
        if self._by_icd10:
            for prefix in feature.icd10:
                found += self._by_icd10.get(icd10_key(prefix), ())
        return found

    def _outlived(self, feature: ConditionFeature, row: fhir.Condition) -> bool:
        """True if all that is dated in the entry is further back than such a condition lasts; an undated one is not."""
        if feature.most_days is None or status_codes(row.clinical_status) & _AGAIN:
            return False
        dates = [span.end for span in (self._record.date_of(row), parse(row.recorded_date)) if span is not None]
        return bool(dates) and max(dates) < self._record.as_of - timedelta(days=feature.most_days)

    def _present(self, feature: ConditionFeature, rows: Sequence[fhir.Condition]) -> FeatureValue:
        fresh = [row for row in rows if not self._outlived(feature, row)]
        rows, note = fresh or rows, None
        if not fresh:
            note = msg("{what} began longer ago than it can last: end the entry, or confirm it", what=feature.label)
        onsets = [span.start for row in rows if (span := self._record.date_of(row)) is not None]
        return FeatureValue(feature, True, min(onsets, default=None), self._cited(rows), note=note)

    def _cited(self, rows: Sequence[fhir.Condition]) -> tuple[str, ...]:
        return tuple(sorted({self._record.reference(row) for row in rows}))


def current_problems(
    record: PatientRecord, features: Mapping[str, ConditionFeature]
) -> Callable[[str], FeatureValue | None]:
    """Looks a condition up by its name among `features`: its entry on the problem list, or None if there is none."""
    problems = ProblemList(record)

    def present(name: str) -> FeatureValue | None:
        feature = features.get(name)
        found = problems.value(feature) if feature is not None else None
        return found if isinstance(found, FeatureValue) and found.value is True else None

    return present


def _sure(row: fhir.Condition) -> bool:
    stated = status_codes(row.verification_status)
    return not stated or "confirmed" in stated


def _active(record: PatientRecord, row: fhir.Condition) -> bool:
    """True if the condition was present at `as_of`; one that ended only later still was."""
    text = row.abatement_date_time
    if text is None and row.abatement_period is not None:
        text = row.abatement_period.start or row.abatement_period.end
    ended = parse(text)
    if ended is not None:
        return ended.start > record.as_of
    if row.abatement_string or row.abatement_period is not None:
        return False
    stated = status_codes(row.clinical_status)
    return not stated or bool(stated & _ACTIVE)
