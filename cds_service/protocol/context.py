"""The context of a hook call: the members that its hook requires, in the shapes that the hooks library gives them.

Drafts are read leniently: a Bundle may lack its `type`, and orders their intent or their medication; the public
sandbox sends both. Members that the hook does not know are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.errors import BadRequest
from cds_service.protocol.hooks import DEPRECATED, HOOKS, Hook, Member, Shape

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_IDS = ("patientId", "userId", "encounterId")


@dataclass(frozen=True, slots=True)
class Context:
    """What a context says, under the hook that it is read as; `members` are those other than the three ids."""

    hook: str
    patient_id: str
    user_id: str | None
    encounter_id: str | None
    members: Mapping[str, Any]


def read(name: str, given: Mapping[str, Any], max_depth: int) -> Context:
    """The context of a call of the hook of that name. Raises BadRequest with the path, never with a value."""
    if _deeper_than(given, max_depth):
        raise BadRequest(f"context is nested deeper than {max_depth} levels.")
    hook, context = _successor(name, given)
    patient = _patient_id(context)
    user, encounter = _optional_text(context, "userId"), _encounter_id(context)
    if hook.user and user is None:
        raise BadRequest(f"context.userId is required by the hook {hook.id}, got nothing.")
    if hook.encounter and encounter is None:
        raise BadRequest(f"context.encounterId is required by the hook {hook.id}, got nothing.")
    for member in hook.members:
        _check(hook, member, context.get(member.name))
    return Context(hook.id, patient, user, encounter, {k: v for k, v in context.items() if k not in _IDS})


def _successor(name: str, context: Mapping[str, Any]) -> tuple[Hook, Mapping[str, Any]]:
    """The hook of that name and the context in its words; a deprecated hook is read as its successor."""
    known = HOOKS.get(name)
    if known is not None:
        return known, context
    old = DEPRECATED.get(name)
    if old is None or old.read_as is None:
        raise BadRequest(f"hook must be one of the hooks library: {', '.join((*HOOKS, *DEPRECATED))}.")
    names = dict(old.renames)
    return HOOKS[old.read_as], {names.get(key, key): value for key, value in context.items()}


def _check(hook: Hook, member: Member, value: Any) -> None:
    if value is None:
        if member.required:
            raise BadRequest(f"context.{member.name} is required by the hook {hook.id}, got nothing.")
        return
    where = f"context.{member.name}"
    fault = _bundle_fault(where, value) if _bundled(member.shape, value) else _fault(member.shape, where, value)
    if fault is not None:
        raise BadRequest(f"{fault}.")


def _bundled(shape: Shape, value: Any) -> bool:
    return shape is Shape.BUNDLE or (shape is Shape.RESOURCES and isinstance(value, dict))


def _fault(shape: Shape, where: str, value: Any) -> str | None:
    """What is wrong with a member that is no Bundle: its path, what it must be, and what it is."""
    lists = {Shape.REFERENCES: Shape.REFERENCE, Shape.RESOURCES: Shape.RESOURCE}
    if shape in lists and isinstance(value, list):
        found = (_fault(lists[shape], f"{where}[{number}]", one) for number, one in enumerate(value))
        return next((fault for fault in found if fault is not None), None)
    if (shape is Shape.REFERENCE and _is_text(value)) or (shape is Shape.RESOURCE and _is_resource(value)):
        return None
    return f"{where} must be {shape.value}, got {_kind(value)}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and _is_text(value.get("resourceType"))


def _bundle_fault(where: str, value: Any) -> str | None:
    """What is wrong with a Bundle: `type` may be missing, and `resourceType` where there are entries."""
    named = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or named not in (None, "Bundle") or not ("entry" in value or named):
        kind = "another resource" if named else _kind(value)
        return f"{where} must be {Shape.BUNDLE.value}, got {kind}"
    entries = value.get("entry", [])
    if not isinstance(entries, list):
        return f"{where}.entry must be a list, got {_kind(entries)}"
    for number, entry in enumerate(entries):
        place = f"{where}.entry[{number}]"
        if not isinstance(entry, dict):
            return f"{place} must be an object, got {_kind(entry)}"
        if (
            "resource" in entry
            and (fault := _fault(Shape.RESOURCE, f"{place}.resource", entry["resource"])) is not None
        ):
            return fault
    return None


def _patient_id(context: Mapping[str, Any]) -> str:
    given = context.get("patientId")
    if not isinstance(given, str):
        raise BadRequest(f"context.patientId must be the id of a Patient as text, got {_kind(given)}.")
    bare = given.removeprefix("Patient/")
    if FHIR_ID.fullmatch(bare) is None:
        raise BadRequest("context.patientId must be a FHIR id: 1 to 64 letters, digits, hyphens or dots.")
    return bare


def _encounter_id(context: Mapping[str, Any]) -> str | None:
    given = _optional_text(context, "encounterId")
    if given is None:
        return None
    bare = given.removeprefix("Encounter/")
    if FHIR_ID.fullmatch(bare) is None:
        raise BadRequest("context.encounterId must be a FHIR id: 1 to 64 letters, digits, hyphens or dots.")
    return bare


def _optional_text(context: Mapping[str, Any], name: str) -> str | None:
    """The text, or None: clients without an encounter may send an empty one."""
    given = context.get(name)
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if isinstance(given, str):
        return given
    raise BadRequest(f"context.{name} must be text, got {_kind(given)}.")


def _deeper_than(value: Any, levels: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(levels + 1):
        below: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                below += [x for x in item.values() if isinstance(x, (dict, list))]
            elif isinstance(item, list):
                below += [x for x in item if isinstance(x, (dict, list))]
        if not below:
            return False
        layer = below
    return True


def _kind(value: Any) -> str:
    """The JSON type of a value in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "empty text" if not value.strip() else "text"
    if isinstance(value, (int, float)):
        return "a number"
    return "an array" if isinstance(value, list) else "an object"
