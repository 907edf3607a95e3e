"""The draft resources of a hook's context, read leniently, and which of them were just chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cds_service.errors import BadRequest
from cds_service.fhir import resources as fhir
from cds_service.protocol.faults import worded
from cds_service.protocol.request import flatten

_UNREAD = frozenset({"MedicationDispense", "RequestGroup", "RequestOrchestration"})


def read(context: Mapping[str, Any]) -> tuple[fhir.Resource, ...]:
    """The draft resources among the members of a context: they may lack type, intent or id.

    A Medication that an order beside it refers to is read into the order. Raises BadRequest with the path.
    """
    kept: list[fhir.Resource] = []
    for name in sorted(context):
        member = context[name]
        if isinstance(member, dict) and ("resourceType" in member or "entry" in member):
            kept += _read(name, member)
    return tuple(kept)


def unread(context: Mapping[str, Any]) -> int:
    """How many resources among the members of a context may hold a medicine that is not read from their kind."""
    members = [member for member in context.values() if isinstance(member, dict)]
    entries = [entry for member in members for entry in member.get("entry") or () if isinstance(entry, dict)]
    held = [*members, *(entry["resource"] for entry in entries if isinstance(entry.get("resource"), dict))]
    return sum(resource.get("resourceType") in _UNREAD for resource in held)


def chosen(selections: Any, drafts: Iterable[fhir.Resource]) -> frozenset[str]:
    """References (`Type/id`) to the drafts that order-select's `selections` name; empty for all drafts.

    A selection may be absolute, a bare id or a full URL. Where one cannot be told, all drafts count as chosen: no
    order may go unchecked because of how it was pointed at.
    """
    known = {f"{type(draft).__name__}/{draft.id}" for draft in drafts if draft.id}
    by_id = {name.partition("/")[2]: name for name in known}
    texts = [text for text in selections if isinstance(text, str)] if isinstance(selections, list) else []
    found = {name if (name := _tail(text)) in known else by_id.get(text.lstrip("#")) for text in texts}
    return frozenset(name for name in found if name) if None not in found else frozenset()


def _tail(reference: str) -> str:
    """`Type/id` of a reference that may be absolute or have a version."""
    return "/".join(reference.partition("/_history/")[0].lstrip("#").split("/")[-2:])


def _read(name: str, member: dict[str, Any]) -> list[fhir.Resource]:
    shape: Any = fhir.AnyResource if "resourceType" in member else fhir.Bundle
    try:
        draft = fhir.decoder(shape).decode(msgspec.json.encode({"resourceType": "Bundle", **member}))
    except msgspec.ValidationError as error:
        raise BadRequest(worded(str(error), f"context.{name}")) from None
    found, urls = flatten(draft) if isinstance(draft, fhir.Bundle) else ([draft], [None])
    return _with_products([r for r in found if isinstance(r, fhir.Resource)], found, urls)


def _with_products(
    drafts: list[fhir.Resource], found: Sequence[fhir.AnyResource], urls: Sequence[str | None]
) -> list[fhir.Resource]:
    """The drafts without the Medications that orders beside them refer to: these orders have their codes."""
    products = {url: r for r, url in zip(found, urls, strict=True) if isinstance(r, fhir.Medication) and url}
    products |= {f"Medication/{r.id}": r for r in found if isinstance(r, fhir.Medication) and r.id}
    used: list[fhir.Resource] = []
    kept: list[fhir.Resource] = []
    for draft in drafts:
        target = draft.medication_reference if isinstance(draft, fhir.MedicationRequest) else None
        named = (target.reference or "") if target is not None else ""
        product = products.get(named) or products.get(_tail(named))
        if product is not None and product.code is not None:
            used.append(product)
            draft = msgspec.structs.replace(draft, medication_codeable_concept=product.code, medication_reference=None)
        kept.append(draft)
    return [draft for draft in kept if not any(draft is product for product in used)]
