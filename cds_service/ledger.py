"""One decision and what becomes of it: what is known beforehand of the patient, what is stored, what is counted.

A database that is away costs the record, not the patient's card: that is logged and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from cds_service.clock import Deadline
from cds_service.desks import Desk, Desks
from cds_service.errors import StoreError
from cds_service.findings import Finding
from cds_service.hook import Case
from cds_service.keeping import Answer, Keeper, unit_of, wire
from cds_service.needs import Gap
from cds_service.observer import Observer
from cds_service.protocol.response import HookResponse
from cds_service.risk.model import NotEstimated
from cds_service.security.trust import Caller
from cds_service.settings import Settings
from cds_service.showing import Shown
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.entries import inputs, results
from cds_service.stores.requests import Basis
from cds_service.summary.template import Summary
from cds_service.suppression import Seen

if TYPE_CHECKING:
    from cds_service.stores.statements import Unit

_NOT_ASKED_FOR = "no resource, under a prefetch key that nobody asked for"
_log = structlog.get_logger(__name__)
Known = Callable[[Basis, datetime], tuple[Seen, ...]]


@dataclass(frozen=True)
class Decision:
    """What came of one case: all that it rests on, everything that was computed, and what is shown of it."""

    assessment_id: UUID
    basis: Basis
    case: Case
    findings: tuple[Finding, ...]
    withheld: tuple[Finding, ...]
    shown: Shown

    @property
    def response(self) -> HookResponse:
        """What is sent."""
        return self.shown.response

    @property
    def summary(self) -> Summary:
        """The lines from the record."""
        return self.shown.summary

    @property
    def missing(self) -> tuple[Gap, ...]:
        """Data that could not be had."""
        return self.basis.gaps


class Ledger:
    """Where decisions are entered."""

    def __init__(self, desks: Desks, settings: Settings, store: AssessmentStore | None, observer: Observer) -> None:
        """store: None where nothing is kept."""
        self.keeps = store is not None
        self._keeper = Keeper(store, settings) if store is not None else None
        self._desks = desks
        self._answer_s = settings.limits.answer_s
        self._observer = observer

    def known(self, client: Caller) -> Known:
        """Reads what is known about a patient's findings; nothing while the database is away."""

        def known(basis: Basis, now: datetime) -> tuple[Seen, ...]:
            if self._keeper is None:
                return ()
            try:
                return self._keeper.seen(basis, client, now)
            except StoreError as error:
                _log.error("feedback not read", reason=str(error))
                return ()

        return known

    def keep(
        self, decision: Decision, desk: Desk, answer: bytes, client: Caller, also: tuple[Unit, ...], deadline: Deadline
    ) -> bool:
        """Stores one decision and the use of the caller's token, or neither. True if they are stored.

        Raises Unauthorized where the token was used before, ShownElsewhere where another service shows one of the
        findings.
        """
        assert self._keeper is not None
        try:
            self._keeper.keep(replace(self.entry(decision, desk, answer, client, deadline), also=also), client)
        except StoreError as error:
            self.lost(desk, str(error))
            return False
        self._observer.kept(True)
        return True

    def lost(self, desk: Desk, reason: str) -> None:
        """Logs and counts an answer that is not stored."""
        self._observer.kept(False)
        _log.error("assessment not stored", service=desk.service.id, reason=reason)

    def rehearse(self, decision: Decision, desk: Desk, answer: bytes) -> None:
        """Writes one decision and takes it back."""
        if self._keeper is None:
            return
        try:
            self._keeper.rehearse(self.entry(decision, desk, answer, Caller()))
        except StoreError as error:
            _log.warning("store not tried", service=desk.service.id, reason=str(error))

    def entry(
        self, decision: Decision, desk: Desk, answer: bytes, client: Caller, deadline: Deadline | None = None
    ) -> Answer:
        """What is stored of one decision. deadline: of the answer, `limits.answer_s` after its head came."""
        case, request, shown = decision.case, decision.basis.request, decision.shown
        left_out = dict(case.context.record.left_out)
        if request.passed_over:
            left_out[_NOT_ASKED_FOR] = request.passed_over
        assessment = Assessment(
            id=decision.assessment_id,
            at=case.context.now,
            service_id=desk.service.id,
            hook=request.hook,
            hook_instance=request.hook_instance,
            patient_id=request.patient_id,
            client=client.issuer,
            tenant=client.tenant,
            inputs=inputs(case.values),
            results=results(
                case.results,
                decision.findings,
                decision.withheld,
                case.context.withheld,
                shown.suppressed,
                left_out,
            ),
            cards=wire(shown.kept_back),
            response=answer,
            versions=self._desks.versions(desk),
            unit=unit_of(case.context.encounter),
            elapsed_ms=None if deadline is None else round(1000 * (self._answer_s - deadline.remaining())),
        )
        return Answer(assessment, decision.basis, shown)

    def count(self, desk: Desk, decision: Decision) -> None:
        """Counts what was found and refused."""
        withheld = len(decision.withheld)
        suppressed = len({one.finding for one in decision.shown.suppressed if not one.proposals})
        shown = len(decision.findings) - withheld - suppressed
        self._observer.decided(desk.service.id, shown, withheld, suppressed)
        results = decision.case.results.items()
        self._observer.refused((id_, r.refusal.value) for id_, r in results if isinstance(r, NotEstimated))
        for model_id, reason in decision.basis.failed:
            _log.error("model gave no answer", service=desk.service.id, reason=f"{model_id}: {reason}")
