"""What a record knows of who people are: names, numbers, addresses of the patient, relatives and practitioners.

Read leniently, for one purpose: that none of it leaves. Whatever text stands in a member that identifies counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import msgspec
import orjson

from cds_service.fhir.record import PatientRecord

_PEOPLE = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"})


class Kind(Enum):
    """What a value tells of a person."""

    NAME = "NAME"
    ID = "ID"
    CONTACT = "CONTACT"
    PLACE = "PLACE"


class Known(NamedTuple):
    """One value; parts: of a name, family and given names in their order, where the record has them apart."""

    kind: Kind
    value: str
    parts: tuple[str, ...] = ()


def known(record: PatientRecord) -> tuple[Known, ...]:
    """All that the record tells of who its people are, each value once."""
    found: list[Known] = [Known(Kind.ID, record.patient_id)]
    for row in record.people():
        body = orjson.loads(msgspec.json.encode(row))
        found += _person(body)
    for row in record.every():
        found += _mentioned(orjson.loads(msgspec.json.encode(row)))
    return tuple(dict.fromkeys(one for one in found if one.value.strip()))


def _person(body: dict[str, Any]) -> Iterator[Known]:
    if isinstance(body.get("id"), str):
        yield Known(Kind.ID, body["id"])
    for kind, members in (
        (Kind.ID, ("identifier",)),
        (Kind.CONTACT, ("telecom",)),
        (Kind.PLACE, ("address",)),
    ):
        for member in members:
            yield from (Known(kind, text) for text in _values(body.get(member), kind))
    yield from _names(body.get("name"))
    contacts = body.get("contact")
    for contact in contacts if isinstance(contacts, list) else ():
        if isinstance(contact, dict):
            yield from _names(contact.get("name"))
            yield from (Known(Kind.CONTACT, text) for text in _values(contact.get("telecom"), Kind.CONTACT))
            yield from (Known(Kind.PLACE, text) for text in _values(contact.get("address"), Kind.PLACE))


def _names(value: Any) -> Iterator[Known]:
    for name in value if isinstance(value, list) else [value]:
        if isinstance(name, str):
            yield Known(Kind.NAME, name)
        if not isinstance(name, dict):
            continue
        family = name.get("family")
        given = name.get("given")
        parts = [family, *(given if isinstance(given, list) else [given])]
        texts = tuple(part for part in parts if isinstance(part, str) and part.strip())
        if texts:
            yield Known(Kind.NAME, " ".join(texts), texts)
        if isinstance(name.get("text"), str):
            yield Known(Kind.NAME, name["text"])


_WANTED = {
    Kind.ID: frozenset({"value"}),
    Kind.CONTACT: frozenset({"value"}),
    Kind.PLACE: frozenset({"text", "line", "city", "district", "state", "postalCode"}),
}


def _values(value: Any, kind: Kind, name: str = "") -> Iterator[str]:
    """The texts of the members that identify, however deep."""
    if isinstance(value, str) and name in _WANTED[kind]:
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _values(part, kind, name)
    elif isinstance(value, dict):
        for member, part in value.items():
            yield from _values(part, kind, member)


def _mentioned(value: Any) -> Iterator[Known]:
    """What references to people display, wherever they stand."""
    if isinstance(value, list):
        for part in value:
            yield from _mentioned(part)
    elif isinstance(value, dict):
        reference, display = value.get("reference"), value.get("display")
        kind = reference.rsplit("/", 2)[-2:][0] if isinstance(reference, str) and "/" in reference else ""
        if isinstance(display, str) and (kind in _PEOPLE or value.get("type") in _PEOPLE):
            yield Known(Kind.NAME, display)
        for part in value.values():
            if isinstance(part, list | dict):
                yield from _mentioned(part)
