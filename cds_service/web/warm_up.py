"""Warming up before the fork: one made-up patient through every service, so that no clinician pays for first use.

Imports, compiled patterns, caches and the pages they live in are then shared by all workers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from cds_service.desks import Desk
from cds_service.errors import CurbsideError, PluginError
from cds_service.features.feature import Quantity
from cds_service.fhir import propose
from cds_service.pipeline import Pipeline
from cds_service.protocol.hooks import HOOKS, Shape
from cds_service.protocol.request import decode
from cds_service.web.logs import where
from cds_service.web.plugin_shapes import looked_at

_PATIENT = "warm-up"
_AGE_DAYS = 60 * 365
_DRAFT = {
    "resourceType": "MedicationRequest",
    "id": _PATIENT,
    "status": "draft",
    "intent": "order",
    "subject": {"reference": f"Patient/{_PATIENT}"},
    "medicationCodeableConcept": {"text": "Gabapentin 300 mg capsule"},
    "dosageInstruction": [{"text": "1 capsule three times daily"}],
}
_DRAFT_REFERENCE = f"MedicationRequest/{_PATIENT}"


def warm_up(pipeline: Pipeline, now: datetime) -> None:
    """Runs a made-up patient through every service and as far as the store; nothing stays stored.

    now: the moment the pipeline's clock shows, so that the measurements are fresh. Raises PluginError naming a service
    that crashes: it would crash for patients too.
    """
    propose.warm()
    entries: Any = pipeline.discovery()["services"]
    for entry in entries:
        desk = pipeline.desk(entry["id"])
        try:
            pipeline.rehearse(replace(desk, service=looked_at(desk.service)), decode(request(desk, now)))
        except CurbsideError:
            raise
        except Exception as error:
            place = f"{type(error).__name__}: {error} at {where(error).partition(' < ')[0]}"  # no real patient's words
            raise PluginError(
                f"the service {entry['id']} fails on a made-up patient ({place}). Mend its file."
            ) from error


def request(desk: Desk, now: datetime) -> bytes:
    """The body of a hook call for a person of sixty in whom every quantity of the service was measured an hour ago."""
    subject = {"reference": f"Patient/{_PATIENT}"}
    measured = (now.astimezone(UTC) - timedelta(hours=1)).isoformat()
    observations = [
        {"resource": {**_observation(number, feature), "subject": subject, "effectiveDateTime": measured}}
        for number, feature in enumerate(desk.features)
        if isinstance(feature, Quantity) and feature.codes
    ]
    prefetch: dict[str, Any] = dict.fromkeys(desk.needs)
    prefetch["patient"] = {
        "resourceType": "Patient",
        "id": _PATIENT,
        "gender": "female",
        "birthDate": (now - timedelta(days=_AGE_DAYS)).date().isoformat(),
    }
    prefetch["warmUp"] = {"resourceType": "Bundle", "type": "searchset", "entry": observations}
    ids = {"patientId": _PATIENT, "userId": "Practitioner/warm-up", "encounterId": "warm-up"}
    context = ids | {m.name: _member(m.shape) for m in HOOKS[desk.service.hook].members if m.required}
    call = {"hook": desk.service.hook, "hookInstance": str(UUID(int=0)), "context": context, "prefetch": prefetch}
    return orjson.dumps(call)


def _member(shape: Shape) -> Any:
    """What a member of a hook's context may hold: one draft order of a medicine."""
    if shape in (Shape.REFERENCE, Shape.REFERENCES):
        return [_DRAFT_REFERENCE] if shape is Shape.REFERENCES else _DRAFT_REFERENCE
    if shape is Shape.RESOURCE:
        return _DRAFT
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _DRAFT}]}


def _observation(number: int, feature: Quantity) -> dict[str, Any]:
    low, high = feature.plausible
    quantity = {"value": (low + high) / 2, "unit": feature.unit, "code": feature.unit}
    return {
        "resourceType": "Observation",
        "id": f"warm-up-{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": feature.codes[0]}]},
        "valueQuantity": {**quantity, "system": "http://unitsofmeasure.org"},
    }
