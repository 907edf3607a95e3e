"""What is known about a patient's findings, in one read a call; and which service showed which finding last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import CurbsideError, StoreError
from cds_service.findings import Severity
from cds_service.stores.assessments import METADATA
from cds_service.stores.columns import Moment
from cds_service.stores.database import Database
from cds_service.stores.feedback import FEEDBACK
from cds_service.stores.prepared import Prepared, insert_into, reader
from cds_service.suppression import Seen

SHOWN = sa.Table(
    "shown_findings",
    METADATA,
    sa.Column("patient_id", sa.String(255), primary_key=True),
    sa.Column("scope", sa.String(32), primary_key=True),
    sa.Column("finding", sa.String(255), primary_key=True),
    sa.Column("service_id", sa.String(100), nullable=False),
    sa.Column("at", Moment(), nullable=False),
    sa.Column("severity", sa.Integer(), nullable=False),
    sa.Index("shown_findings_at", "at"),
)
_NOTHING = sa.cast(sa.null(), sa.Text())
_SEEN = Prepared(
    sa.union_all(
        sa.select(
            sa.literal_column("'shown'").label("outcome"),
            SHOWN.c.service_id,
            SHOWN.c.at,
            SHOWN.c.finding,
            SHOWN.c.severity,
            _NOTHING.label("findings"),
            _NOTHING.label("proposals"),
        ).where(SHOWN.c.patient_id == sa.bindparam("patient"), SHOWN.c.scope == sa.bindparam("scope")),
        sa.select(
            FEEDBACK.c.outcome,
            FEEDBACK.c.service_id,
            FEEDBACK.c.at,
            _NOTHING,
            sa.cast(sa.null(), sa.Integer()),
            FEEDBACK.c.findings,
            FEEDBACK.c.proposals,
        ).where(
            FEEDBACK.c.patient_id == sa.bindparam("patient"),
            FEEDBACK.c.scope == sa.bindparam("scope"),
            FEEDBACK.c.at >= sa.bindparam("since"),
        ),
    )
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

    def write(self, connection: sa.Connection) -> None:
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
            if _CLAIM.run(connection, {**row, "before": self.at - self.same}).rowcount != 1:
                raise ShownElsewhere("another service showed the same finding a moment ago")


def _claim(dialect: sa.Dialect) -> sa.Insert:
    """Takes a finding over unless another service showed it lately and as urgently; a critical one always."""
    statement = insert_into(SHOWN, dialect)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[SHOWN.c.patient_id, SHOWN.c.scope, SHOWN.c.finding],
        set_={"service_id": new.service_id, "at": new.at, "severity": new.severity},
        where=sa.or_(
            SHOWN.c.service_id == new.service_id,
            SHOWN.c.at <= sa.bindparam("before", type_=Moment()),
            SHOWN.c.severity < new.severity,
            new.severity >= int(Severity.CRITICAL),
        ),
    )


_CLAIM = Prepared(_claim)


class SuppressionStore:
    """Reads what is known about a patient's findings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, patient_id: str, scope: str, since: datetime) -> tuple[Seen, ...]:
        """What services showed, and what clinicians answered since a moment. Raises StoreError."""
        asked = {"patient": patient_id, "scope": scope, "since": since}
        try:
            with self._database.engine.connect() as connection:
                rows = _SEEN.run(connection, asked).fetchall()
                moment = reader(Moment(), connection.dialect)
        except SQLAlchemyError as error:
            raise StoreError(f"the patient's feedback could not be read ({type(error).__name__})") from error
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
