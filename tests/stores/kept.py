"""Assessments with cards for the tests of stores."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from cds_service.stores import audit
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.database import Database
from cds_service.stores.feedback import ShownCard, ShownCards
from cds_service.stores.requests import FrozenRequest
from cds_service.stores.scopes import scope_of
from cds_service.stores.suppression import Showing

NAMES = UUID(int=7)
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SERVICE = "cardiovascular-risk"
SCOPE = scope_of(None, None)


def card_of(number: int) -> UUID:
    return uuid5(NAMES, f"card {number}")


def suggestion_of(number: int) -> UUID:
    return uuid5(NAMES, f"suggestion {number}")


def keep(
    database: Database,
    number: int = 1,
    *,
    patient: str = "p-1",
    client: str | None = None,
    tenant: str | None = None,
    at: datetime = NOW,
    service: str = SERVICE,
    findings: Sequence[tuple[str, int, float | None]] = (("risk", 1, 0.1),),
) -> Assessment:
    """Stores an assessment with one card that has one suggestion, as the pipeline does."""
    scope = scope_of(client, tenant)
    assessment = Assessment(
        id=uuid5(NAMES, str(number)),
        at=at,
        service_id=service,
        hook="patient-view",
        hook_instance=uuid5(NAMES, "hook"),
        patient_id=patient,
        client=client,
        inputs=[{"id": "sbp", "value": 128.5}],
        results=[{"model": "prevent-base", "value": -0.0}],
        cards=[],
        response=b'{"cards":[]}',
        versions={"prevent-base": "1.0"},
        tenant=tenant,
    )
    card = ShownCard(card_of(number), findings, {suggestion_of(number): "lipid-panel"})
    content = {"response": hashlib.sha256(assessment.response).hexdigest(), "patient": patient, "service": service}
    entry = audit.Entry("assessment", at, assessment.id, content)
    AssessmentStore(database).save(
        assessment,
        parts=(
            FrozenRequest(assessment.id, b"frozen").write,
            ShownCards(assessment.id, patient, scope, service, [card]).write,
            Showing(patient, scope, service, at, [(key, severity) for key, severity, _ in findings], MINUTE).write,
            lambda connection: audit.append(connection, [entry]),
        ),
    )
    return assessment
