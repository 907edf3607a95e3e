"""The orders that a hook brings with it, as cited lines: what is about to be ordered."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.fhir import codes
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.resources import CodeableConcept, MedicationRequest, Procedure, Resource, ServiceRequest
from cds_service.language import msg
from cds_service.markdown import shorten
from cds_service.summary import must
from cds_service.summary.facts import PLAN, Fact
from cds_service.summary.rows import MAX_NAME, name_of


def drafts(context: ClinicalContext) -> Iterator[Fact]:
    """Each draft of the hook's context that has a name, with its dose."""
    for row in context.drafts:
        name = name_of(_code(row))
        if not name:
            continue
        doses = [d.text for d in row.dosage_instruction if d.text] if isinstance(row, MedicationRequest) else []
        dose = shorten(" ".join(doses[0].split()), MAX_NAME) if doses else ""
        text = msg("Being ordered: {order}", order=name)
        if dose:
            text = msg("Being ordered: {order}: {dose}", order=name, dose=dose)
        key = next((f"{system}|{code}" for system, code in codes.codings((_code(row),))), name)
        yield Fact(PLAN, text, (f"{type(row).__name__}/{row.id}",) if row.id else (), None, key=f"draft/{key}",
                   status="planned", tags=frozenset({must.DRAFT}))  # fmt: skip


def _code(row: Resource) -> CodeableConcept | None:
    if isinstance(row, MedicationRequest):
        return row.medication_codeable_concept
    return row.code if isinstance(row, ServiceRequest | Procedure) else None
