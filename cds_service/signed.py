"""Whether a trained model may speak at this site: the sign-off of its exact version, and what that rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson

from cds_service import service_settings
from cds_service.hook import Service
from cds_service.language import Message, msg
from cds_service.risk.model import RiskModel, is_on
from cds_service.settings import Settings

FACTS = '<script type="application/json" id="curbside-report">'
State = Literal["published", "valid", "none", "another version", "by hand", "other conditions"]


def conditions(model: RiskModel, services: Iterable[Service], settings: Settings, code_map: str) -> str:
    """A digest of what a local evaluation rests on beside the version.

    The weights, the hospital's code map, and the thresholds of every service that runs the model: a change of any of
    them may change whom the model speaks about. code_map: its digest, empty without one.
    """
    running = [s for s in services if model.id in s.models or model.id in s.may_run]
    folder: Path | None = getattr(model, "folder", None)  # its manifest holds the digests of all weights
    manifest = (folder / "manifest.json").read_bytes() if folder is not None else b""
    basis = {
        "model": model.id,
        "version": model.version,
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "code_map": code_map,
        "thresholds": {s.id: service_settings.thresholds(s, settings) for s in running},
    }
    return hashlib.sha256(orjson.dumps(basis, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def state(model: RiskModel, services: Iterable[Service], settings: Settings, code_map: str) -> State:
    """Why a model may speak, or may not."""
    if not model.trained:
        return "published"
    entry = settings.models.signed_off.get(model.id)
    if entry is None:
        return "none"
    if entry.version != model.version:
        return "another version"
    if not entry.conditions:
        return "by hand"
    return "valid" if entry.conditions == conditions(model, services, settings, code_map) else "other conditions"


def lapses(model_id: str, settings: Settings) -> date | None:
    """The day from which a model's sign-off is no longer good; None without a sign-off, or where none lapses."""
    entry, days = settings.models.signed_off.get(model_id), settings.models.sign_off_days
    return entry.on + timedelta(days=days) if entry is not None and days else None


def has_lapsed(model_id: str, settings: Settings, today: date) -> bool:
    """True from the day on which a model's sign-off lapses."""
    until = lapses(model_id, settings)
    return until is not None and today >= until


def told(model: RiskModel, services: Iterable[Service], settings: Settings, code_map: str, today: date) -> Message:
    """Whether a model may speak at this site, on whose word and until when, or why it is silent."""
    if not model.trained:
        off = not is_on(model, settings.models.enabled)
        return msg("off: name it in models.enabled") if off else msg("speaks")
    found = state(model, services, settings, code_map)
    until = lapses(model.id, settings)
    if found == "valid":
        entry = settings.models.signed_off[model.id]
        if until is None:
            return msg("signed off by {who} on {day}", who=entry.by, day=entry.on)
        if today < until:
            return msg("signed off by {who} on {day}, until {until}", who=entry.by, day=entry.on, until=until)
    if settings.models.show_unvalidated:
        return msg("shown unvalidated")
    return _SILENT["lapsed" if found == "valid" else found]


_SILENT = {
    "none": msg("silent until signed off"),
    "another version": msg("silent: another version was signed off"),
    "by hand": msg("silent: its sign-off has no digests; write it with curbside models sign-off"),
    "other conditions": msg("silent: code map, thresholds or weights changed since the sign-off"),
    "lapsed": msg("silent: the sign-off has lapsed; evaluate it again"),
}


def facts_in(data: bytes) -> Mapping[str, Any] | None:
    """The facts in an HTML report, or None where the bytes hold none that can be read."""
    start = data.find(FACTS.encode())
    if start < 0:
        return None
    found = data[start + len(FACTS) :].split(b"</script>", 1)[0]
    try:
        value = orjson.loads(found)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
