"""Who a patient is and where an encounter was, for results by subgroup: read from the rows as they came.

Sex, race and ethnicity (US Core), language, age; site (`serviceProvider`), ward (the last `location`) and clinician
(the first `participant`) of the Encounter. What is not stated is "not stated".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cds_service.fhir.times import parse

NOT_STATED = "not stated"
DIMENSIONS = ("sex", "race", "ethnicity", "age", "language", "site")
_AROUND = re.compile(rb'"resourceType"\s*:\s*"(?:Patient|Encounter)"')
_RACE, _ETHNICITY = "us-core-race", "us-core-ethnicity"


class _Coding(msgspec.Struct):
    code: str | None = None
    display: str | None = None


class _Concept(msgspec.Struct):
    coding: list[_Coding] = []
    text: str | None = None


class _Reference(msgspec.Struct):
    reference: str | None = None
    display: str | None = None


class _Inner(msgspec.Struct, rename="camel"):
    url: str = ""
    value_coding: _Coding | None = None


class _Extension(msgspec.Struct):
    url: str = ""
    extension: list[_Inner] = []


class _Communication(msgspec.Struct):
    language: _Concept | None = None
    preferred: bool = False


class _Location(msgspec.Struct):
    location: _Reference | None = None


class _Participant(msgspec.Struct):
    individual: _Reference | None = None


class _Row(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    id: str | None = None
    gender: str | None = None
    birth_date: str | None = None
    communication: list[_Communication] = []
    extension: list[_Extension] = []
    service_provider: _Reference | None = None
    location: list[_Location] = []
    participant: list[_Participant] = []


@dataclass(frozen=True, slots=True)
class Place:
    """Where an encounter was, and with whom."""

    site: str = NOT_STATED
    ward: str = NOT_STATED
    clinician: str = NOT_STATED


@dataclass(frozen=True, slots=True)
class Who:
    """A patient's subgroups, and the places of the encounters by their ids."""

    sex: str
    race: str
    ethnicity: str
    language: str
    born: datetime | None
    places: dict[str, Place]

    def age_band(self, at: datetime) -> str:
        """The decade of life at a moment, such as `60-69`."""
        if self.born is None:
            return NOT_STATED
        decade = int((at - self.born).days / 365.25) // 10 * 10
        return "under 20" if decade < 20 else f"{decade}-{decade + 9}" if decade < 90 else "90 and over"


def read(bodies: Iterable[bytes]) -> Who:
    """The subgroups that a patient's rows state."""
    rows = [row for body in bodies if _AROUND.search(body) and (row := _decoded(body)) is not None]
    person = next((row for row in rows if row.resource_type == "Patient"), _Row())
    born = parse(person.birth_date)
    return Who(
        person.gender or NOT_STATED,
        _category(person, _RACE),
        _category(person, _ETHNICITY),
        _language(person),
        born.start if born is not None else None,
        {row.id: _place(row) for row in rows if row.resource_type == "Encounter" and row.id},
    )


def _decoded(body: bytes) -> _Row | None:
    try:
        return msgspec.json.decode(body, type=_Row)
    except msgspec.MsgspecError:
        return None


def _category(person: _Row, name: str) -> str:
    inner = [part for ext in person.extension if ext.url.endswith(name) for part in ext.extension]
    stated = [p.value_coding for p in inner if p.url == "ombCategory" and p.value_coding is not None]
    return " and ".join(c.display or c.code or NOT_STATED for c in stated) or NOT_STATED


def _language(person: _Row) -> str:
    spoken = sorted(person.communication, key=lambda one: not one.preferred)
    codes = [c.code for one in spoken if one.language is not None for c in one.language.coding if c.code]
    return codes[0].split("-")[0] if codes else NOT_STATED


def _place(row: _Row) -> Place:
    ward = row.location[-1].location if row.location else None
    clinician = row.participant[0].individual if row.participant else None
    return Place(_named(row.service_provider), _named(ward), _named(clinician))


def _named(reference: _Reference | None) -> str:
    if reference is None:
        return NOT_STATED
    return reference.display or (reference.reference or NOT_STATED).rsplit("/", 1)[-1]
