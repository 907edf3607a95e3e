"""What a resource states, whatever its type: names, amounts, dates, status and about whom, read from its JSON.

For checking sentences against the resources that they cite: nothing is interpreted here and nothing is left out that
a sentence could rest on. Members that say who filed it, labels and extensions are not read.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.fhir.codes import canonical_system
from cds_service.fhir.times import Span, parse

Json = Mapping[str, Any]

_UNREAD = frozenset({
    "meta", "identifier", "extension", "modifierExtension", "subject", "patient", "performer", "recorder", "asserter",
    "requester", "resourceType", "id", "contained", "implicitRules", "text_div", "clinicalStatus",
    "verificationStatus", "participant", "serviceProvider", "location", "author", "custodian", "insurance", "basedOn",
    "informationSource", "encounter", "context", "manufacturer", "masterIdentifier", "communication", "telecom",
    "address", "photo", "managingOrganization", "generalPractitioner", "link", "contact",
})  # fmt: skip
_RANGES = frozenset({"referenceRange"})
_SAID = frozenset({
    "text", "description", "conclusion", "comment", "valueString", "title", "patientInstruction", "note", "name",
    "onsetString", "abatementString", "instruction", "detailString", "data", "lotNumber", "additionalInstruction",
})  # fmt: skip
_CODED = frozenset({"criticality", "severity", "gender", "code", "intent", "type"})
_FREE = frozenset({"conclusion", "comment", "note", "valueString", "data", "patientInstruction"})
_DATE = re.compile(r"(date|Date|DateTime|Period|issued|authoredOn|Instant|period|start|end|recorded|sent|created)$")
_STATUS = ("status", "lifecycleStatus", "docStatus")
_MAX_TEXT = 200_000
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit as the resource writes it. path: the member that holds it (`valueQuantity`)."""

    value: float
    unit: str | None
    comparator: str | None
    path: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time. text: as written. path: the member that holds it (`onsetDateTime`)."""

    span: Span
    text: str
    path: str


@dataclass(slots=True)
class Stated:
    """What one resource states.

    names: (member, words) of every concept, reference and short text. free: longer texts, as a note or a conclusion.
    limits: the reference ranges, low and high. status: of the resource; clinical, verification: of a condition.
    flags: codes of an Observation's interpretation. owner: the reference to whom it is about.
    linked: references to other resources (reason, product).
    """

    kind: str
    reference: str
    json: Json
    names: list[tuple[str, str]] = field(default_factory=list)
    codes: set[tuple[str, str]] = field(default_factory=set)
    free: list[str] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    dates: list[Moment] = field(default_factory=list)
    limits: list[tuple[Amount | None, Amount | None]] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    flags: frozenset[str] = frozenset()
    status: str | None = None
    clinical: frozenset[str] = frozenset()
    verification: frozenset[str] = frozenset()
    owner: str | None = None

    @property
    def erroneous(self) -> bool:
        """True if the resource was entered in error."""
        return self.status == "entered-in-error" or "entered-in-error" in self.verification


def stated(resource: Json, reference: str) -> Stated:
    """What a resource states. reference: how it is cited."""
    found = Stated(str(resource.get("resourceType", "")), reference, resource)
    found.status = next((str(resource[k]) for k in _STATUS if isinstance(resource.get(k), str)), None)
    found.clinical = _codes_of(resource.get("clinicalStatus"))
    found.verification = _codes_of(resource.get("verificationStatus"))
    found.flags = _codes_of(resource.get("interpretation"))
    owner = resource.get("subject") or resource.get("patient")
    found.owner = owner.get("reference") if isinstance(owner, dict) else None
    for member, value in resource.items():
        if member == "text" and isinstance(value, dict):
            continue  # the narrative says nothing that the members do not
        _walk(found, member, member, value, 0)
    return found


def codings_of(resource: Json, *members: str) -> frozenset[tuple[str, str]]:
    """(system, code) of a resource's own concept, by which its peers are found."""
    pairs: set[tuple[str, str]] = set()
    for member in members:
        value = resource.get(member)
        for concept in value if isinstance(value, list) else [value]:
            if isinstance(concept, dict):
                pairs |= {(s, c) for s, c, _ in _codings(concept)}
    return frozenset(pairs)


def _walk(found: Stated, path: str, member: str, value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH or member in _UNREAD or value is None:
        return
    if isinstance(value, list):
        for item in value:
            _walk(found, path, member, item, depth + 1)
    elif isinstance(value, dict):
        _object(found, path, member, value, depth)
    elif isinstance(value, str):
        _string(found, path, member, value)
    elif isinstance(value, bool):
        found.names.append((path, f"{member}={str(value).lower()}"))
    elif isinstance(value, int | float):
        found.amounts.append(Amount(float(value), None, None, path))


def _object(found: Stated, path: str, member: str, value: Json, depth: int) -> None:
    if member in _RANGES:
        found.limits.append((_amount(value.get("low"), path), _amount(value.get("high"), path)))
        if isinstance(value.get("text"), str):
            found.names.append((path, value["text"]))
        return
    amount = _amount(value, path)
    if amount is not None:
        found.amounts.append(amount)
        return
    if isinstance(value.get("coding"), list):
        for system, code, display in _codings(value):
            found.codes.add((system, code))
            if display:
                found.names.append((path, display))
    if isinstance(value.get("code"), str) and isinstance(value.get("display"), str):
        found.names.append((path, value["display"]))
    if isinstance(value.get("reference"), str):
        found.linked.append(value["reference"])
        if isinstance(value.get("display"), str):
            found.names.append((path, value["display"]))
        return
    for key, inner in value.items():
        if key in ("coding", "system", "display", "contentType"):
            continue
        if key == "data" and isinstance(inner, str):
            _attachment(found, value, inner)
        else:
            _walk(found, f"{path}.{key}" if key != "text" else path, key, inner, depth + 1)


def _string(found: Stated, path: str, member: str, value: str) -> None:
    root = path.partition(".")[0]
    span = parse(value) if _DATE.search(member) else None
    if span is not None:
        found.dates.append(Moment(span, value, path))
    elif member in _FREE or root in _FREE or len(value) > 200:
        found.free.append(value[:_MAX_TEXT])
    elif member in _SAID | _CODED or (path == member and member not in _STATUS):
        found.names.append((path, value))


def _attachment(found: Stated, holder: Json, data: str) -> None:
    if not str(holder.get("contentType", "")).startswith("text/plain") or len(data) > 2 * _MAX_TEXT:
        return
    try:
        found.free.append(base64.b64decode(data, validate=True).decode("utf-8", "replace"))
    except (binascii.Error, ValueError):
        return


def _amount(value: Any, path: str) -> Amount | None:
    if not isinstance(value, dict):
        return None
    number = value.get("value")
    if not isinstance(number, int | float) or isinstance(number, bool):
        return None
    unit = value.get("code") if isinstance(value.get("code"), str) else value.get("unit")
    unit = unit if isinstance(unit, str) else value.get("unit")
    return Amount(float(number), unit if isinstance(unit, str) else None, value.get("comparator"), path)


def _codings(concept: Json) -> Iterator[tuple[str, str, str | None]]:
    rows = concept.get("coding")
    for coding in rows if isinstance(rows, list) else ():
        if isinstance(coding, dict):
            system, code, display = coding.get("system"), coding.get("code"), coding.get("display")
            yield (
                canonical_system(system if isinstance(system, str) else None) or "",
                code if isinstance(code, str) else "",
                display if isinstance(display, str) else None,
            )


def _codes_of(value: Any) -> frozenset[str]:
    concepts = value if isinstance(value, list) else [value]
    return frozenset(code for c in concepts if isinstance(c, dict) for _, code, _ in _codings(c) if code)
