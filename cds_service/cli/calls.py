"""Hook calls and records made of a patient's bundle, for the commands that work without HTTP."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from cds_service import local_codes, registry
from cds_service.cli.options import Json
from cds_service.errors import InputError
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import Bundle
from cds_service.protocol.request import decode_resource
from cds_service.settings import Codes

NO_CODES = Codes()
_EXTENSIONS = (".json", ".json.gz")


def samples() -> dict[str, Path]:
    """The sample patients that came with this installation, by name."""
    folder = registry.shipped("fhir_samples") / "patients"
    files = (p for p in sorted(folder.iterdir()) if p.name.endswith(_EXTENSIONS))
    return {path.name.removesuffix(".gz").removesuffix(".json"): path for path in files}


def sample(name: str) -> Path:
    """The file of one sample patient. Raises InputError with the nearest name."""
    known = samples()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
        raise InputError(f"there is no sample patient {name!r}. {hint}")
    return known[name]


def written(bundle: Json) -> datetime | None:
    """The time at which a bundle was written (`Bundle.timestamp`), or None: "now" for the samples."""
    text = bundle.get("timestamp")
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def request(bundle: Json, service: Mapping[str, Any]) -> bytes | None:
    """The body of a hook call for the patient of a bundle, as an EHR would send it.

    service: an entry of the discovery response. None for an encounter hook where the bundle holds no Encounter, and
    for medication-verify where it holds no order to verify.
    Raises InputError where the bundle does not hold one Patient.
    """
    from cds_service.sandbox import prefetch

    patient(bundle)
    if service["hook"] == "medication-verify" and not _holds(bundle, "MedicationRequest"):
        return None
    try:
        return orjson.dumps(prefetch.request_for(service, bundle))
    except prefetch.NoEncounter:
        return None


def _holds(bundle: Json, kind: str) -> bool:
    rows = (entry.get("resource") for entry in bundle.get("entry") or () if isinstance(entry, dict))
    return any(isinstance(row, dict) and row.get("resourceType") == kind for row in rows)


def patient(bundle: Json) -> Json:
    """The one Patient of a bundle. Raises InputError."""
    rows = [entry.get("resource") for entry in bundle.get("entry") or () if isinstance(entry, dict)]
    found = [r for r in rows if isinstance(r, dict) and r.get("resourceType") == "Patient"]
    if len({str(p.get("id")) for p in found}) != 1:
        raise InputError(f"the bundle must hold one Patient, got {len(found)}. Give the bundle of one patient.")
    return found[0]


def record(bundle: Json, now: datetime, codes: Codes = NO_CODES) -> PatientRecord:
    """The record in a bundle as known at a moment, read with the hospital's own codes.

    Raises BadRequest naming what is not FHIR in it; SettingsError for a code map that cannot be read.
    """
    patient(bundle)
    decoded = decode_resource(orjson.dumps(bundle))
    if not isinstance(decoded, Bundle):
        raise InputError("the file must hold a FHIR Bundle. Give a patient's Bundle.")
    return PatientRecord.from_bundle(decoded, now, code_map=local_codes.load(codes.map))
