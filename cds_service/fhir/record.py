"""`PatientRecord`: one patient's usable resources, indexed by type and code.

What is left out, and counted in `dropped`: rows of another patient or of nobody, rows entered in error,
cancelled, refuted or without a usable status, rows with a sensitivity label or a modifier that is not understood, and
rows dated after `as_of`. Times are parsed when a row is first asked for, so that a large record costs little where few
codes are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

from cds_service.errors import BadRequest
from cds_service.fhir import resources as fhir
from cds_service.fhir.code_map import NONE, CodeMap
from cds_service.fhir.measurements import UNDATED, Dated, Measurement, Measurements, Timeline
from cds_service.fhir.rows import Selection, date_of, select
from cds_service.fhir.sensitivity import WITHHELD
from cds_service.fhir.times import Span, Times, parse, whole_day
from cds_service.protocol.request import flatten

__all__ = ["Dated", "Measurement", "PatientRecord"]

R = TypeVar("R", bound=fhir.Resource)


class PatientRecord:
    """One patient's resources as known at `as_of`; made by `from_resources` or `from_bundle`."""

    def __init__(self, as_of: datetime, patient_id: str, selection: Selection, listed: frozenset[str]) -> None:
        self.as_of = as_of
        self.patient_id = patient_id
        self.patient = selection.patient
        self._selection = selection
        self._listed = listed - selection.cut
        self._late: dict[str, int] = {}
        self._sorted: dict[type[Any], tuple[Any, ...]] = {}
        self._times = Times()

    @classmethod
    def from_resources(
        cls,
        resources: Sequence[fhir.AnyResource],
        full_urls: Sequence[str | None],
        patient_id: str,
        as_of: datetime,
        *,
        listed: frozenset[str] = frozenset(),
        fhir_server: str | None = None,
        admitted: Collection[str] = frozenset(),
    ) -> PatientRecord:
        """A record of the rows about one patient.

        full_urls: as long as `resources`. listed: types of which the CDS Client supplied the whole list, be it empty.
        admitted: sensitivity labels whose rows may be used.
        """
        return cls(as_of, patient_id, select(resources, full_urls, patient_id, fhir_server, admitted), listed)

    @classmethod
    def from_bundle(
        cls,
        bundle: fhir.Bundle,
        as_of: datetime,
        patient_id: str | None = None,
        *,
        listed: frozenset[str] | None = None,
        code_map: CodeMap = NONE,
    ) -> PatientRecord:
        """The record in a Bundle that holds one patient's data.

        listed: as in `from_resources`; by default the types that occur in the Bundle. code_map: local codes.
        Raises BadRequest if `patient_id` is not given and the Bundle does not hold exactly one Patient.
        """
        found, urls = flatten(bundle)
        if patient_id is None:
            ids = {r.id for r in found if isinstance(r, fhir.Patient) and r.id}
            if len(ids) != 1:
                raise BadRequest(f"The Bundle must hold one Patient with an id, got {len(ids)}. Name the patient.")
            (patient_id,) = ids
        if listed is None:
            listed = frozenset(type(r).__name__ for r in found)
        return cls.from_resources(code_map.translated(found), urls, patient_id, as_of, listed=listed)

    def at(self, moment: datetime) -> PatientRecord:
        """The same record as known at an earlier moment: rows dated later are left out."""
        earlier = PatientRecord(moment, self.patient_id, self._selection, self._listed)
        earlier._times = self._times  # parsed once for all moments
        earlier.measurements = self.measurements.at(moment)
        return earlier

    @property
    def birth_date(self) -> date | None:
        """The day of birth, or None if it is missing or only a year or month."""
        return whole_day(self.patient.birth_date) if self.patient is not None else None

    @property
    def sex(self) -> Literal["female", "male"] | None:
        """Administrative gender if it is female or male, else None: equations know no other."""
        gender = self.patient.gender if self.patient is not None else None
        return "female" if gender == "female" else "male" if gender == "male" else None

    @property
    def deceased(self) -> bool:
        """True if the patient is recorded as dead by `as_of`."""
        if self.patient is None:
            return False
        died = parse(self.patient.deceased_date_time)
        if died is not None:
            return not died.after(self.as_of)
        return bool(self.patient.deceased_boolean) or self.patient.deceased_date_time is not None

    @property
    def dropped(self) -> Mapping[str, int]:
        """Why rows were left out -> how many; looks at the date of every row."""
        for kind in self._selection.rows:
            self.rows(kind)
        late = sum(self._late.values())
        return {**self._selection.dropped, **({"future date": late} if late else {})}

    @property
    def left_out(self) -> Mapping[str, int]:
        """Why rows were left out when the record was made -> how many; rows dated after `as_of` are not counted yet."""
        return self._selection.dropped

    @property
    def withheld(self) -> int:
        """How many of the patient's rows are not used because of their sensitivity labels."""
        return self._selection.dropped[WITHHELD]

    def has_list(self, resource_type: str) -> bool:
        """True if the CDS Client supplied the whole list of the type, even if it is empty.

        False where each of its rows is another's or nobody's, or one has a modifier that is not understood: such a
        list does not say that there is nothing.
        """
        return resource_type in self._listed

    def rows(self, type_: type[R]) -> tuple[R, ...]:
        """Usable rows of a type, latest first, in an order that does not depend on the order of input."""
        found = self._sorted.get(type_)
        if found is None:
            every = self._selection.rows.get(type_, ())
            dated = [(self.date_of(row) or UNDATED, self.sort_key(row), row) for row in every]
            kept = [d for d in dated if not d[0].after(self.as_of)]
            self._late[type_.__name__] = len(dated) - len(kept)
            kept.sort(key=_by_time, reverse=True)
            found = tuple(row for _, _, row in kept)
            self._sorted[type_] = found
        return cast("tuple[R, ...]", found)

    def unordered(self, type_: type[R]) -> Sequence[R]:
        """Usable rows of a type in the order of input, those dated after `as_of` included: a cheap first look."""
        return cast("Sequence[R]", self._selection.rows.get(type_, ()))

    def every(self) -> Iterator[fhir.Resource]:
        """Usable rows of all types, the Patient first."""
        if self.patient is not None:
            yield self.patient
        for kind in sorted(self._selection.rows, key=lambda k: k.__name__):
            yield from self.rows(kind)

    def not_done(self, type_: type[R]) -> tuple[R, ...]:
        """Rows of a type that state what was not done, as known then, latest first."""
        dated = [(self.date_of(r) or UNDATED, self.sort_key(r), r) for r in self._selection.not_done
                 if isinstance(r, type_)]  # fmt: skip
        return tuple(row for _, _, row in sorted((d for d in dated if not d[0].after(self.as_of)), key=_by_time,
                                                 reverse=True))  # fmt: skip

    def people(self) -> Iterator[fhir.Resource]:
        """All that came about people, usable or not: so that nothing of theirs leaves."""
        kinds = (fhir.Patient, fhir.RelatedPerson, fhir.Practitioner)
        return (row for row in self._selection.resources if isinstance(row, kinds))

    def observations(self, codes: tuple[str, ...]) -> tuple[Measurement, ...]:
        """Values under any of the LOINC codes, of an Observation or of a component; latest first, undated last."""
        return tuple(self.newest(codes))

    def newest(self, codes: tuple[str, ...]) -> Iterator[Measurement]:
        """Values under any of the LOINC codes one by one, latest first, for callers that need only the latest."""
        return self.measurements.newest(codes)

    def timeline(self, codes: tuple[str, ...]) -> Timeline:
        """Values under any of the LOINC codes as (time, Observation, it or its component), latest first: no Measurement
        is built, for callers that look at many and keep few."""
        return self.measurements.timeline(codes)

    def timelines(self) -> Iterator[tuple[str, Timeline]]:
        """All values by LOINC code, in order of the codes."""
        return self.measurements.every()

    def measurement(self, dated: Dated) -> Measurement:
        """One of a timeline, with its reference."""
        return self.measurements.measurement(dated)

    def embeddings(self, encoder: str) -> Iterator[Measurement]:
        """The vectors that a program made of slides, images or notes, latest first, undated last."""
        return self.measurements.embeddings(encoder)

    def loinc_codes(self) -> tuple[str, ...]:
        """All LOINC codes under which Observations and their components have values, in order."""
        return self.measurements.codes()

    def has_any(self, codes: Iterable[str]) -> bool:
        """True if a value is recorded under one of the LOINC codes, at whatever time: a first look that is cheap."""
        return self.measurements.has_any(codes)

    @property
    def other_codes(self) -> Set[str]:
        """Codes of Observations and their components in systems other than LOINC, whichever: for a cheap first look."""
        return self.measurements.other_codes

    @cached_property
    def measurements(self) -> Measurements:
        """The Observations by code, indexed on first use."""
        rows = self._selection.rows.get(fhir.Observation, ())
        # The selection's methods, not our own: a record in a cycle would outlive its request.
        return Measurements(rows, self.as_of, self._times, self._selection.sort_key, self._selection.reference)

    def date_of(self, row: fhir.Resource) -> Span | None:
        """The time that a row is about: effective, onset, authored, performed or start; None if it has none."""
        return date_of(row, self._times.__getitem__)

    def ends(self, encounter: fhir.Encounter) -> Span | None:
        """The end of an Encounter; None while it lasts."""
        return self._times[encounter.period.end] if encounter.period is not None else None

    def reference(self, resource: fhir.Resource) -> str:
        """How the resource is cited: `Observation/123`; its full URL or its type alone if it has no id."""
        return self._selection.reference(resource)

    def resolve(self, reference: fhir.Reference | None, within: fhir.Resource) -> fhir.Resource | None:
        """The resource that a reference means: contained (`#id`), by full URL or `Type/id`; None if it is not here."""
        target = reference.reference if reference is not None else None
        if not target:
            return None
        if target.startswith("#"):
            inside = (c for c in within.contained if isinstance(c, fhir.Resource))
            return next((c for c in inside if c.id in (target, target[1:])), None)
        if target in self._by_url:
            return self._by_url[target]
        key = self._selection.servers.key_of(target)
        return self._by_key.get(key) if key is not None else None

    def refers(self, reference: fhir.Reference | None, within: fhir.Resource, to: fhir.Resource) -> bool:
        """True if a reference in a row means that usable resource, in whatever form it is written."""
        if reference is None or reference.reference is None:
            return False
        return reference.reference == self.reference(to) or self.resolve(reference, within) is to

    @cached_property
    def _by_url(self) -> dict[str, fhir.Resource]:
        return self._selection.by_url()

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], fhir.Resource]:
        rows = ((kind.__name__, row) for kind, group in self._selection.rows.items() for row in group)
        return {(name, row.id): row for name, row in rows if row.id is not None}

    def sort_key(self, row: fhir.Resource) -> str:
        """A text that orders rows of one time, the same whatever the order of input."""
        return self._selection.sort_key(row)


def _by_time(dated: tuple[Span, str, Any]) -> tuple[Span, str]:
    return dated[0], dated[1]
