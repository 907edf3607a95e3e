"""Observations by LOINC code: of the Observation itself or of one of its components, latest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from copy import copy
from datetime import UTC, datetime
from operator import gt, lt

import msgspec

from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import CURBSIDE, EMBEDDING, LOINC, SNOMED, canonical_system
from cds_service.fhir.rows import date_of
from cds_service.fhir.times import Span, Times

_READ = frozenset({LOINC, CURBSIDE})
Part = fhir.Observation | fhir.ObservationComponent
UNDATED = Span(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
Dated = tuple[Span | None, fhir.Observation, Part]
Timeline = list[Dated]


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One value of an Observation, or of one of its components, with its time."""

    observation: fhir.Observation
    part: Part
    time: Span | None
    reference: str

    @property
    def effective(self) -> datetime | None:
        """The first moment that the effective time may mean (UTC), or None if there is no readable one."""
        return self.time.start if self.time is not None else None

    @property
    def status(self) -> str | None:
        """Observation.status."""
        return self.observation.status

    @property
    def quantity(self) -> fhir.Quantity | None:
        """valueQuantity, or None."""
        return self.part.value_quantity

    @property
    def concept(self) -> fhir.CodeableConcept | None:
        """valueCodeableConcept, or None."""
        return self.part.value_codeable_concept

    @property
    def text(self) -> str | None:
        """valueString, or None."""
        return self.part.value_string

    @property
    def boolean(self) -> bool | None:
        """valueBoolean, or None."""
        return self.part.value_boolean

    @property
    def integer(self) -> int | None:
        """valueInteger, or None."""
        return self.part.value_integer

    @property
    def absent(self) -> bool:
        """True if a dataAbsentReason stands in place of the value."""
        return self.part.data_absent_reason is not None


_MARK = EMBEDDING + "|"  # tells the codes of embeddings from those of LOINC in the index


class Measurements:
    """The Observations of a record, indexed on first use; times are parsed for the codes that are asked for."""

    def __init__(
        self,
        observations: Iterable[fhir.Observation],
        as_of: datetime,
        times: Times,
        name_of: Callable[[fhir.Observation], str],
        reference: Callable[[fhir.Observation], str],
    ) -> None:
        self._as_of = as_of
        self._times = times
        self._name_of = name_of
        self._reference = reference
        self._by_code, self.other_codes = _index(observations)
        self._dated: dict[str, Timeline] = {}
        self._timelines: dict[str, Timeline] = {}

    def at(self, moment: datetime) -> Measurements:
        """The same as known at another moment: indexed and dated once for all."""
        other = copy(self)
        other._as_of, other._timelines = moment, {}
        return other

    def has_any(self, codes: Iterable[str]) -> bool:
        """True if there is a value under one of the codes."""
        return not self._by_code.keys().isdisjoint(codes)

    def every_code(self) -> Set[str | None]:
        """All codes of the index, in no order."""
        return self._by_code.keys()

    def codes(self) -> tuple[str, ...]:
        """All LOINC codes of the Observations and their components, in order."""
        return tuple(sorted(code for code in self._by_code if code is not None and "|" not in code))

    def every(self) -> Iterator[tuple[str, Timeline]]:
        """Each LOINC code with its values, in order of the codes."""
        known = self._timelines
        for code in self.codes():
            found = known.get(code)
            yield code, self._timeline(code) if found is None else found

    def embeddings(self, encoder: str) -> Iterator[Measurement]:
        """The vectors that a program made, latest first, undated last."""
        return self.newest((_MARK + encoder,))

    def newest(self, codes: tuple[str, ...]) -> Iterator[Measurement]:
        """Values under any of the codes that are not later than the record's time, latest first, undated last."""
        return map(self.measurement, self.timeline(codes))

    def measurement(self, dated: Dated) -> Measurement:
        """A value of a timeline with its reference."""
        time, observation, part = dated
        return Measurement(observation, part, time, self._reference(observation))

    def timeline(self, codes: tuple[str, ...]) -> Timeline:
        """Values under any of the codes as (time, Observation, it or its component), latest first, undated last."""
        if len(codes) == 1:
            return self._timeline(codes[0]) if codes[0] in self._by_code else []
        present = [code for code in codes if code in self._by_code]
        if len(present) == 1:
            return self._timeline(present[0])
        # One value may have several of the codes.
        every = {id(dated[2]): dated for code in present for dated in self._timeline(code)}
        return sorted(every.values(), key=self._rank, reverse=True)

    def _timeline(self, code: str) -> Timeline:
        found = self._timelines.get(code)
        if found is None:
            found = self._dated.get(code)
            if found is None:
                times, read = self._times, self._time_of
                found = self._dated[code] = self._sorted(
                    [
                        (times[text] if (text := row.effective_date_time) is not None else read(row), row, part)
                        for row, part in self._by_code[code]
                    ]
                )
            late = 0
            while late < len(found) and (time := found[late][0]) is not None and time.start > self._as_of:
                late += 1
            if late:
                found = [d for d in found[:late] if d[0] is None or not d[0].after(self._as_of)] + found[late:]
            self._timelines[code] = found
        return found

    def _time_of(self, observation: fhir.Observation) -> Span | None:
        return date_of(observation, self._times.__getitem__)

    def _sorted(self, found: Timeline) -> Timeline:
        """Latest first; most lists come so, or the other way round, and need no sorting."""
        if len(found) < 2:
            return found
        starts = [time.start if time is not None else UNDATED.start for time, _, _ in found]
        if all(map(gt, starts, starts[1:])):
            return found
        if all(map(lt, starts, starts[1:])):
            return found[::-1]
        return sorted(found, key=self._rank, reverse=True)

    def _rank(self, dated: Dated) -> tuple[Span, str]:
        time, observation, _ = dated
        return time or UNDATED, observation.id or self._name_of(observation)


Index = dict[str | None, list[tuple[fhir.Observation, Part]]]


def _index(observations: Iterable[fhir.Observation]) -> tuple[Index, frozenset[str]]:
    """(values by code, codes of other systems)."""
    index: defaultdict[str | None, list[tuple[fhir.Observation, Part]]] = defaultdict(list)
    others: set[str] = set()
    for row in observations:
        codings = row.code.coding
        if len(codings) == 1 and codings[0].system == LOINC:  # most rows of most records
            index[codings[0].code].append((row, row))
        else:
            for coding in codings:
                if coding.system == LOINC or canonical_system(coding.system) in _READ:
                    _add(index, coding.code, row, row)
                elif coding.system == EMBEDDING:
                    _add(index, f"{_MARK}{coding.code}", row, row)
                elif coding.code is not None:
                    others.add(coding.code)
                    if canonical_system(coding.system) == SNOMED:
                        _add(index, f"{SNOMED}|{coding.code}", row, row)
        if row.component:
            for component in row.component:
                for coding in component.code.coding:
                    if coding.system == LOINC or canonical_system(coding.system) in _READ:
                        _add(index, coding.code, row, component)
                    elif coding.code is not None:
                        others.add(coding.code)
    return index, frozenset(others)


def _add(index: Index, code: str | None, row: fhir.Observation, part: Part) -> None:
    """Adds a value under a code, once."""
    known = index.get(code)
    if known is None:
        index[code] = [(row, part)]
    elif known[-1][1] is not part:
        known.append((row, part))
