"""Whether a condition is on the problem list, and when its absence may be read from that list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from msgspec import structs

from cds_service.features.elsewhere import said_elsewhere
from cds_service.features.feature import Absence, ConditionFeature, FeatureValue, Reason, Unusable
from cds_service.features.remembered import Remembered
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import ICD10, ICD10_CM, IPS_ABSENT, SNOMED, codings, icd10_key, label, status_codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import Span, parse
from cds_service.language import Message, msg
from cds_service.markdown import shorten

_AGAIN = frozenset({"recurrence", "relapse"})
_ACTIVE = frozenset({"active", *_AGAIN})
_NOBODY_ASKED = (IPS_ABSENT, "no-problem-info")
_MOST_NAMED, _MAX_NAME = 4, 40  # entries in words that a remark names, and characters of each
_READ = frozenset({SNOMED, ICD10_CM, ICD10, IPS_ABSENT})  # what an entry is coded by that says anything here


class Problem(NamedTuple):
    """One row of the list. active: present at `as_of`; sure: confirmed, or no doubt stated; since: when it began."""

    row: fhir.Condition
    active: bool
    sure: bool
    since: Span | None
    reference: str


class _ValueSet(NamedTuple):
    """What a feature says of records in advance: its codes as sets, and what a list without any of them gives."""

    snomed: frozenset[str]
    icd10: frozenset[str]
    itself: tuple[str, ...]  # ICD-10 prefixes that do not name it within another disease
    not_listed: FeatureValue
    no_list: Unusable


def _value_set(feature: ConditionFeature) -> _ValueSet:
    words = msg("There is no problem list from which the absence of {what} could be read", what=feature.label)
    return _ValueSet(
        frozenset(feature.snomed),
        frozenset(map(icd10_key, feature.icd10)),
        tuple(icd10_key(code) for code in feature.icd10 if code not in feature.combined),
        FeatureValue(feature, False, None, (), inferred=True),
        Unusable(feature, Reason.NO_LIST, words),
    )


_prepared: Remembered[ConditionFeature, _ValueSet] = Remembered(_value_set)


def codes_of(feature: ConditionFeature) -> frozenset[str]:
    """Its SNOMED CT codes and ICD-10 prefixes, as a problem list's `codes` has them."""
    wanted = _prepared(feature)
    return wanted.snomed | wanted.icd10


def not_listed(feature: ConditionFeature) -> FeatureValue | None:
    """What a list that holds something, but none of its codes, says of it: "no", or None where that says nothing."""
    return _prepared(feature).not_listed if feature.absence is Absence.NO_IF_LISTED else None


class ProblemList:
    """The conditions of a record, indexed once by SNOMED CT code and by every prefix of an ICD-10 code."""

    def __init__(self, record: PatientRecord) -> None:
        self._record = record
        self._by_snomed: dict[str, list[Problem]] = {}
        self._by_icd10: dict[str, list[Problem]] = {}
        self._in_words: list[str] = []  # active entries that no code is read of
        # True if the list says anything that is read here, be it "no known problems"; entries in words alone are not.
        self.stated = False
        for row in record.rows(fhir.Condition):
            found = set(codings((row.code,)))
            self.stated = self.stated or any(pair[0] in _READ and pair != _NOBODY_ASKED for pair in found)
            problem = Problem(row, _active(record, row), _sure(row), record.date_of(row), record.reference(row))
            if problem.active and all(pair[0] not in _READ for pair in found):
                self._in_words.append(label(row.code) or "?")
            for system, code in found:
                if system == SNOMED:
                    self._by_snomed.setdefault(code, []).append(problem)
                elif system in (ICD10_CM, ICD10):
                    key = icd10_key(code)
                    for end in range(3, len(key[:8]) + 1):
                        self._by_icd10.setdefault(key[:end], []).append(problem)
        self._snomed, self._icd10 = frozenset(self._by_snomed), frozenset(self._by_icd10)

    @cached_property
    def remark(self) -> Message | None:
        """What of the list could not be read and so counts for nothing, named; None if all of it could."""
        if not self._in_words or not self.stated:
            return None
        names = "; ".join(shorten(name, _MAX_NAME) for name in self._in_words[:_MOST_NAMED])
        if len(self._in_words) > _MOST_NAMED:
            return msg("{count} entries of the problem list have no code that is read here and were not counted: "
                       "{entries} and others", count=len(self._in_words), entries=names)  # fmt: skip
        return msg("On the problem list in words alone, and not counted: {entries}", entries=names)

    @property
    def codes(self) -> frozenset[str]:
        """All SNOMED CT codes of the list, and all prefixes of its ICD-10 codes."""
        return self._snomed | self._icd10

    def value(self, feature: ConditionFeature) -> FeatureValue | Unusable:
        """True with its sources, False read from a list that holds something, or a reason.

        Active means `clinicalStatus` active, recurrence or relapse, or none stated, and not abated by `as_of`.
        Unconfirmed, provisional and differential entries are no diagnosis; the value then carries a note.
        What says the same elsewhere counts as well.
        """
        known = self._listed(feature)
        if feature.elsewhere is None or (isinstance(known, FeatureValue) and known.value is True):
            return known
        said = said_elsewhere(self._record, feature.elsewhere)
        if not said:
            return known
        begun = min((span.start for _, span in said if span is not None), default=None)
        return FeatureValue(feature, True, begun, tuple(sorted({reference for reference, _ in said})))

    def _listed(self, feature: ConditionFeature) -> FeatureValue | Unusable:
        """What the list alone says."""
        wanted = _prepared(feature)
        if self._snomed.isdisjoint(wanted.snomed) and self._icd10.isdisjoint(wanted.icd10):  # nearly all
            no = self.stated and feature.absence is Absence.NO_IF_LISTED
            return self._remarked(wanted.not_listed) if no else wanted.no_list
        found = [p for p in self.matching(feature) if p.active or feature.ever]
        if feature.again:
            found = [p for p in found if status_codes(p.row.clinical_status) & _AGAIN]
        if feature.forgotten_days is not None:
            found = [p for p in found if not self._outlived(p, timedelta(days=feature.forgotten_days))]
        sure = [p for p in found if p.sure]
        if sure:
            return self._present(feature, sure)
        if not self.stated or feature.absence is not Absence.NO_IF_LISTED:
            return wanted.no_list
        if not found:
            return self._remarked(wanted.not_listed)
        note = msg("{what} is on the list, but not confirmed", what=feature.label)
        return FeatureValue(feature, False, None, _cited(found), inferred=True, note=note)

    def _remarked(self, absent: FeatureValue) -> FeatureValue:
        """An absence that was read from the list, with what of the list could not be read."""
        return structs.replace(absent, note=self.remark) if self.remark is not None else absent

    def matching(self, feature: ConditionFeature) -> list[Problem]:
        """All entries of the value set, whatever their status."""
        wanted = _prepared(feature)
        coded = sorted(self._snomed & wanted.snomed, key=feature.snomed.index)
        found = [problem for code in coded for problem in self._by_snomed[code]]
        if self._by_icd10:
            for prefix in feature.icd10:
                found += self._by_icd10.get(icd10_key(prefix), ())
        return found

    def _outlived(self, problem: Problem, longest: timedelta) -> bool:
        """True if all that is dated in the entry is further back than such a condition lasts; an undated one is not."""
        if status_codes(problem.row.clinical_status) & _AGAIN:
            return False
        dates = [span.end for span in (problem.since, parse(problem.row.recorded_date)) if span is not None]
        return bool(dates) and max(dates) < self._record.as_of - longest

    def _present(self, feature: ConditionFeature, found: Sequence[Problem]) -> FeatureValue:
        note = None
        if feature.most_days is not None:
            fresh = [problem for problem in found if not self._outlived(problem, timedelta(days=feature.most_days))]
            found = fresh or found
            if not fresh:
                note = msg("{what} began longer ago than it can last: end the entry, or confirm it", what=feature.label)
        dated = found
        if feature.combined:
            dated = [problem for problem in found if _by_itself(feature, problem)]
            if not dated and any(not p.active and _by_itself(feature, p) for p in self.matching(feature)):
                note = msg("{what}: the entry of its own is over, one that includes it is not", what=feature.label)
        onsets = [problem.since.start for problem in dated if problem.since is not None]
        return FeatureValue(feature, True, min(onsets, default=None), _cited(found), False, note)


def _by_itself(feature: ConditionFeature, problem: Problem) -> bool:
    """True if an entry names the condition itself, and not only within another disease."""
    wanted = _prepared(feature)
    return any(
        code in wanted.snomed
        if system == SNOMED
        else system in (ICD10_CM, ICD10) and icd10_key(code).startswith(wanted.itself)
        for system, code in codings((problem.row.code,))
    )


def _cited(problems: Sequence[Problem]) -> tuple[str, ...]:
    if len(problems) == 1:
        return (problems[0].reference,)
    return tuple(sorted({problem.reference for problem in problems}))


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
