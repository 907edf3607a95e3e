"""Audit entries as FHIR R4 AuditEvents, for the site's own audit repository.

Source: hl7.org/fhir/R4/auditevent.html. Types: DICOM 110100 (application activity), and `destroy` of ISO 21089 for
deletions. What was deleted of an entry is missing here as well; its number and hash are always there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cds_service.fhir.propose import reference

KINDS = f"urn:oid:2.25.{UUID('aeb02f41-6d0c-5f0b-8a40-7e1f6ee1b2c4').int}"
"""The code system of the kinds of entries: an OID made of a UUID, which needs no registration."""
_ACTIVITY = {
    "system": "http://dicom.nema.org/resources/ontology/DCM",
    "code": "110100",
    "display": "Application Activity",
}
_DELETION = {
    "system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
    "code": "destroy",
    "display": "Destroy/Delete Record Lifecycle Event",
}
_ACTIONS = dict.fromkeys(("sign-off", "fall-back", "fall-back-lifted"), "U") | {
    "assessment": "E",
    "feedback": "C",
    "wording": "C",
    "dialogue": "E",
    "chart": "R",
}
_DELETIONS = {"forgotten": "D", "pruned": "D"}
_BY_OPERATOR = frozenset({"sign-off", "fall-back", "fall-back-lifted"})
_USER = re.compile(r"(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-.]{1,64}")


def audit_event(
    seq: int, at: datetime, kind: str, subject: UUID | None, hash_: bytes, content: Mapping[str, Any] | None
) -> dict[str, Any]:
    """One entry. content: None where it was deleted."""
    known = content or {}
    deletion = kind in _DELETIONS
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"curbside-{seq}",
        "type": _DELETION if deletion else _ACTIVITY,
        "subtype": [{"system": KINDS, "code": kind}],
        "action": (_ACTIONS | _DELETIONS)[kind],
        "recorded": at.isoformat(timespec="milliseconds"),
        "outcome": "0",
        "agent": [_agent(known, operator=deletion or kind in _BY_OPERATOR)],
        "source": {"observer": {"display": "Curbside"}},
        "entity": [_object(seq, subject, hash_, known)],
    }
    if content is None:
        event["outcomeDesc"] = "The content of this entry was deleted."
    if isinstance(known.get("patient"), str):
        event["entity"].insert(0, _patient(known["patient"]))
    return event


def _agent(known: Mapping[str, Any], *, operator: bool) -> dict[str, Any]:
    """Who caused it: the user of the EHR where the call named one, else the CDS Client, else whoever runs Curbside."""
    user = known.get("user")
    if isinstance(user, str) and _USER.fullmatch(user):
        who: dict[str, Any] = {"reference": user}
    else:
        who = {"display": "Operator of Curbside" if operator else str(known.get("client") or "CDS Client")}
    agent: dict[str, Any] = {"who": who, "requestor": True}
    if known.get("client"):
        agent["altId"] = str(known["client"])
    return agent


def _patient(id_: str) -> dict[str, Any]:
    return {
        "what": {"reference": reference("Patient", id_)},
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
            "code": "1",
            "display": "Person",
        },
        "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1", "display": "Patient"},
    }


def _object(seq: int, subject: UUID | None, hash_: bytes, known: Mapping[str, Any]) -> dict[str, Any]:
    """The entry itself: which assessment, and what the audit record says of it."""
    details = {"entry": str(seq), "hash": hash_.hex()}
    for name in ("service", "hook", "outcome", "reason", "response", "model", "version", "by", "report_sha256"):
        if known.get(name):
            details[name] = str(known[name])
    for name in ("cards", "shown"):
        if known.get(name):
            details[name] = " ".join(map(str, known[name]))
    for name, version in known.get("versions", {}).items():
        details[f"version {name}"] = str(version)
    for one in known.get("suppressed", ()):
        details[f"suppressed {one['finding']}"] = str(one["suppressed"])
    entity: dict[str, Any] = {
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
            "code": "2",
            "display": "System Object",
        },
        "detail": [{"type": name, "valueString": value} for name, value in details.items()],
    }
    if subject is not None:
        entity["what"] = {"identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{subject}"}}
    return entity
