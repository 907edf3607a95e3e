"""What is known about a patient's findings, in one read a call; and which service showed which finding last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from cds_service.errors import CurbsideError
from cds_service.findings import Severity
from cds_service.stores.database import Database
from cds_service.stores.statements import Statement, insert_into, moment
from cds_service.suppression import SNOOZED, Seen

if TYPE_CHECKING:
    from cds_service.stores.statements import Connection

_SEEN = Statement(
    "SELECT 'shown' AS outcome, service_id, at, finding, severity, CAST(NULL AS TEXT) AS findings, "
    "CAST(NULL AS TEXT) AS proposals FROM shown_findings WHERE patient_id = :patient AND scope = :scope "
    "UNION ALL SELECT CASE WHEN reason_system = :system AND reason_code = :code THEN 'snoozed' "
    "ELSE outcome END, service_id, at, CAST(NULL AS TEXT), CAST(NULL AS INTEGER), findings, proposals FROM feedback "
    "WHERE patient_id = :patient AND scope = :scope AND at >= :since"
)
# Takes a finding over unless another service showed it lately and as urgently; a critical one always.
_CLAIM = insert_into(
    "shown_findings",
    "patient_id, scope, finding, service_id, at, severity",
    "ON CONFLICT (patient_id, scope, finding) DO UPDATE SET service_id = excluded.service_id, at = excluded.at, "
    "severity = excluded.severity WHERE shown_findings.service_id = excluded.service_id "
    "OR shown_findings.at <= :before OR shown_findings.at >= :after "  # the latter by a clock that ran ahead
    f"OR shown_findings.severity < excluded.severity OR excluded.severity >= {int(Severity.CRITICAL)}",
)


class ShownElsewhere(CurbsideError):
    """Another service showed one of the findings a moment ago, in another process; decide again with that known."""


@dataclass(frozen=True, slots=True)
class Showing:
    """Findings that one answer shows; written in the transaction of its assessment.

    findings: keys and severities. same: within which another service's finding is the same matter.
    """

    patient_id: str
    scope: str
    service_id: str
    at: datetime
    findings: Sequence[tuple[str, int]]
    same: timedelta

    def write(self, connection: Connection) -> None:
        """Claims the findings for the service. Raises ShownElsewhere if another service has one of them."""
        rows = [
            {
                "patient_id": self.patient_id,
                "scope": self.scope,
                "finding": key,
                "service_id": self.service_id,
                "at": self.at,
                "severity": severity,
            }
            for key, severity in sorted(self.findings)  # one order for all, so that no two wait for each other
        ]
        for row in rows:
            if (
                _CLAIM.run(connection, {**row, "before": self.at - self.same, "after": self.at + self.same}).rowcount
                != 1
            ):
                raise ShownElsewhere("another service showed the same finding a moment ago")


class SuppressionStore:
    """Reads what is known about a patient's findings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, patient_id: str, scope: str, since: datetime) -> tuple[Seen, ...]:
        """What services showed, and what clinicians answered since a moment. Raises StoreError."""
        system, code = SNOOZED
        asked = {"patient": patient_id, "scope": scope, "since": since, "system": system, "code": code}
        with self._database.reading("the patient's feedback could not be read") as connection:
            rows = _SEEN.run(connection, asked).fetchall()
        found: list[Seen] = []
        for outcome, service, at, finding, severity, findings, proposals in rows:
            if outcome == "shown":
                found.append(Seen("shown", finding, moment(at), service, severity))
                continue
            accepted = tuple(orjson.loads(proposals))
            found += (
                Seen(outcome, key, moment(at), service, severity, size, accepted)
                for key, severity, size in orjson.loads(findings)
            )
        return tuple(found)
