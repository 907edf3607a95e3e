"""Features that are asked of every record alike: most conditions, medicines and measurements are not on most records.

What a record without any code of a feature answers follows from the declaration alone. So a record's codes are looked
up among those of all features at once, and only features that one of them leads to are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TypeGuard

from cds_service.features.conditions_on_record import ProblemList, codes_of, not_listed
from cds_service.features.feature import Coded, ConditionFeature, Feature, MedicationFeature, Quantity
from cds_service.features.latest import Found, absent
from cds_service.features.medicines_on_record import MedicationList, names_of, not_taken
from cds_service.fhir.measurements import Measurements

_MEASURED = (Quantity, Coded)  # and what is a kind of them: of an empty timeline none gives a value


class Asked(tuple[Feature, ...]):
    """Features, and what is known of them before any record is seen."""

    @cached_property
    def _conditions(self) -> _Index:
        return _Index((f, codes_of(f), not_listed(f)) for f in self if _from_list_alone(f))

    @cached_property
    def _measurements(self) -> _Index:
        return _Index((f, frozenset(f.codes), absent(f)) for f in self if isinstance(f, _MEASURED))

    @cached_property
    def _medicines(self) -> _Index:
        return _Index((f, names_of(f), not_taken(f)) for f in self if type(f) is MedicationFeature)

    def not_recorded(
        self, problems: ProblemList, medicines: MedicationList, measurements: Measurements
    ) -> dict[str, Found]:
        """The answers of conditions, medicines and measurements of which the record holds no code, by feature id."""
        found = self._measurements.without(measurements.every_code())
        if problems.stated and problems.remark is None:
            found |= self._conditions.without(problems.codes)
        if (names := medicines.names) is not None:
            found |= self._medicines.without(names)
        return found


def _from_list_alone(feature: Feature) -> TypeGuard[ConditionFeature]:
    return type(feature) is ConditionFeature and feature.elsewhere is None


class _Index:
    """The features to which a code leads, and the answer of each without any of its codes."""

    def __init__(self, features: Iterable[tuple[Feature, frozenset[str], Found | None]]) -> None:
        self._leads: dict[str | None, set[str]] = {}
        self._answers: dict[str, Found] = {}
        for feature, codes, answer in features:
            if answer is not None:
                self._answers[feature.id] = answer
                for code in codes:
                    self._leads.setdefault(code, set()).add(feature.id)

    def without(self, codes: Iterable[str | None]) -> dict[str, Found]:
        """The answers of all features but those that a code leads to."""
        leads = self._leads
        found = self._answers.copy()
        for code in codes:
            for id_ in leads.get(code, ()):
                found.pop(id_, None)
        return found
