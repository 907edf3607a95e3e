"""The straight line: request → record → features → explained estimates → findings → summary → cards → response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import orjson
import structlog

from cds_service import fetch
from cds_service.clock import Clock, Deadline
from cds_service.desks import Desk, Desks
from cds_service.errors import BadRequest, PreconditionFailed
from cds_service.features import catalogue
from cds_service.features.extract import extract
from cds_service.features.feature import FeatureValues, Unusable
from cds_service.fhir.code_map import CodeMap
from cds_service.fhir.context import clinical_context
from cds_service.findings import Finding
from cds_service.hook import Case, Service
from cds_service.knowledge.library import Library
from cds_service.language import Message
from cds_service.ledger import Decision, Known, Ledger
from cds_service.needs import Gap
from cds_service.not_calculated import with_failures
from cds_service.observer import NOBODY, Observer
from cds_service.outlook import with_outlook
from cds_service.protocol.request import HookRequest, decode
from cds_service.registry import Registry
from cds_service.risk.model import NotEstimated, Refusal, Result, RiskModel
from cds_service.security.trust import Caller
from cds_service.settings import Settings
from cds_service.silenced import Silenced
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.requests import Basis
from cds_service.stores.scopes import scope_of
from cds_service.stores.suppression import ShownElsewhere

if TYPE_CHECKING:
    from cds_service.stores.statements import Unit
    from cds_service.telling import Teller

_ASSESSMENTS = UUID("7f1d3c52-5a0e-5d4c-9a55-3f0f3a2c9b10")  # namespace of assessment ids (uuid5)
_LOCAL = Caller()
_ATTEMPTS = 3  # to say what no other service is saying at the same moment


class Pipeline:
    """Answers hooks; made once with all that it needs, then shared by all requests."""

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        clock: Clock,
        store: AssessmentStore | None = None,
        observer: Observer = NOBODY,
        teller: Teller | None = None,
    ) -> None:
        """teller: where a language model words summaries."""
        silenced = Silenced(store.database) if store is not None else None
        self._desks = Desks(registry, settings, silenced)
        self._ledger = Ledger(self._desks, settings, store, observer)
        self._fetcher = fetch.create(settings, observer)
        self._teller = teller
        self._settings = settings
        self._clock = clock

    @property
    def models(self) -> Mapping[str, RiskModel]:
        """All loaded models by id."""
        return self._desks.models

    def run_by(self, model_id: str) -> tuple[str, ...]:
        """The ids of the services that run a model."""
        return self._desks.run_by(model_id)

    @property
    def library(self) -> Library | None:
        """The knowledge graph, if any service asks it."""
        return self._desks.library

    @property
    def code_map(self) -> CodeMap:
        """The hospital's own codes and units."""
        return self._desks.code_map

    def discovery(self) -> dict[str, object]:
        """The body of `GET /cds-services`."""
        return self._desks.discovery()

    def desk(self, service_id: str) -> Desk:
        """The service of that id, made ready. Raises UnknownService with the nearest id."""
        return self._desks.of(service_id)

    def versions(self, desk: Desk) -> dict[str, str]:
        """What shapes the answers of a service: versions, and digests of code and settings."""
        return self._desks.versions(desk)

    def validated(self, model: RiskModel) -> bool:
        """True if a model may speak at this site: it is published, or its exact version was signed off as it runs."""
        return self._desks.validated(model, self._clock.now())

    def allowed(self) -> list[tuple[RiskModel, Message, tuple[str, ...]]]:
        """Every trained model, whether it may speak here and on whose word, and the services that run it."""
        return self._desks.allowed(self._clock.now())

    def answer(
        self,
        service_id: str,
        body: bytes,
        client: Caller = _LOCAL,
        *,
        deadline: Deadline | None = None,
        away: fetch.Away = nullcontext,
        hold: Callable[[object], None] = lambda _: None,
    ) -> bytes:
        """The JSON body of the response to one hook call; stored before it is returned.

        client: who calls, as its token proved. deadline: of the answer; by default `limits.answer_s` from now.
        away: entered while data are fetched, so that others may compute. hold: is given what the answer rests on, so
        that freeing its many objects may wait until the answer is sent.

        Raises CurbsideError with its HTTP status for what the caller can mend.
        """
        desk = self.desk(service_id)
        request = decode(body, max_depth=self._settings.limits.max_depth, keys=desk.needs)
        structlog.contextvars.bind_contextvars(hook_instance=str(request.hook_instance))
        base = client.fhir_base(request.fhir_server)
        known = self._ledger.known(client)
        deadline = deadline or Deadline.after(self._settings.limits.answer_s)
        decision = self.assess(desk, request, base=base, deadline=deadline, away=away, caller=client, known=known)
        decision, asking = self._worded(desk, decision, client, deadline, away)
        decision, answer = self._kept(desk, decision, client, asking, deadline)
        self._ledger.count(desk, decision)
        hold((request, decision))
        return answer

    def _kept(
        self, desk: Desk, decision: Decision, client: Caller, asking: tuple[Unit, ...], deadline: Deadline
    ) -> tuple[Decision, bytes]:
        """The decision that stands and its bytes, stored: decided again where another service says the same just now.

        asking: what asks for a summary's words, written with it.
        """
        answer = orjson.dumps(decision.response.wire())
        for attempt in range(_ATTEMPTS if self._ledger.keeps else 0):
            try:
                stored = self._ledger.keep(decision, desk, answer, client, asking, deadline)
                if stored and asking and self._teller is not None:
                    self._teller.ring()
                break
            except ShownElsewhere:  # decide again, now that this is known
                if attempt + 1 == _ATTEMPTS:
                    self._ledger.lost(desk, "other services keep showing the same findings")
                    break
                now = decision.case.context.now
                seen = self._ledger.known(client)(decision.basis, now)
                decision = self.decide(desk, replace(decision.basis, seen=seen), now)
                answer = orjson.dumps(decision.response.wire())
        return decision, answer

    def _worded(
        self, desk: Desk, decision: Decision, client: Caller, deadline: Deadline, away: fetch.Away
    ) -> tuple[Decision, tuple[Unit, ...]]:
        """The decision with its summary in a model's words, if they are there; and what asks for them, if not."""
        if self._teller is None or not decision.response.cards:
            return decision, ()
        scope = scope_of(client.issuer, client.tenant)
        wanted = self._teller.wanted(
            decision.summary,
            decision.basis,
            desk.service.id,
            scope,
            decision.assessment_id,
            decision.case.context.now,
        )
        if wanted is None:
            return decision, ()
        lines, asking = self._teller.told(wanted, deadline, away)
        if not lines:
            return decision, () if asking is None else (asking,)
        basis = replace(decision.basis, told=lines)
        return self._shown(desk, basis, decision.case, decision.findings, decision.assessment_id), ()

    def recorded(self, desk: Desk, decision: Decision) -> Assessment:
        """A decision as it would be stored; nothing is."""
        return self._ledger.entry(decision, desk, orjson.dumps(decision.response.wire()), _LOCAL).assessment

    def rehearse(self, desk: Desk, request: HookRequest) -> None:
        """Goes through one call as `answer` does; nothing is kept, counted or shown."""
        decision = self.assess(desk, request, known=self._ledger.known(_LOCAL))
        self._ledger.rehearse(decision, desk, orjson.dumps(decision.response.wire()))

    def assess(
        self,
        desk: Desk,
        request: HookRequest,
        *,
        base: str | None = None,
        deadline: Deadline | None = None,
        away: fetch.Away = nullcontext,
        caller: Caller = _LOCAL,
        known: Known | None = None,
    ) -> Decision:
        """One case from its request to its cards.

        base: the FHIR base URL from which data that prefetch lacks may be fetched. known: reads what is known about
        the patient's findings. Raises PreconditionFailed naming the needed data that cannot be had.
        """
        if request.hook != desk.service.hook:
            raise BadRequest(f"hook: the service {desk.service.id} answers '{desk.service.hook}' only; mend the call")
        deadline = deadline or Deadline.after(self._settings.limits.answer_s)
        request, gaps = self._fetcher.gather(request, desk.needs, base, deadline, away)
        if (lacking := fetch.refusal(gaps)) is not None:
            raise PreconditionFailed(lacking)
        client = self._settings.clients.get(caller.client) if caller.client is not None else None
        writes, admitted = (client.system_actions, client.admitted_labels) if client is not None else (False, ())
        basis = Basis(request, gaps, (), writes, admitted, silenced=self._desks.silent(desk))
        now = self._clock.now()
        return self.decide(desk, replace(basis, seen=known(basis, now)) if known is not None else basis, now)

    def decide(self, desk: Desk, basis: Basis, now: datetime) -> Decision:
        """The clinical part of the line, with all data in hand; the same basis and moment give the same decision."""
        service, request = desk.service, basis.request
        needed = {key: need.types for key, need in desk.needs.items() if need.required}
        optional = {k: need.types for k, need in desk.needs.items() if not (need.required or need.part)}
        context = clinical_context(
            request, needed=needed, optional=optional, now=now, admitted=basis.admitted, code_map=self._desks.code_map
        )
        assessment_id = uuid5(_ASSESSMENTS, f"{service.id}/{request.hook_instance}/{now}")
        unseen = frozenset[str]().union(*(desk.fed.get(gap.key, ()) for gap in basis.gaps))
        values = extract(context.record, desk.features, unseen)
        models = {m.id: m for m in desk.models}
        estimates = estimate(desk.models, values, dict(basis.failed))
        if (failed := _failed(estimates)) != basis.failed:
            basis = replace(basis, failed=failed)
        case = Case(context, values, models, estimates, desk.thresholds, desk.library, desk.beside)
        findings: tuple[Finding, ...] = ()
        if not context.record.deceased:  # none about the dead
            findings = with_failures(case, with_outlook(case, service.find(case)))
        if not context.record.deceased and all(finding.quiet for finding in findings):
            _refuse(service, basis.gaps, values)  # no card for want of data is not the same as nothing to say
        return self._shown(desk, basis, case, findings, assessment_id)

    def _shown(
        self, desk: Desk, basis: Basis, case: Case, findings: tuple[Finding, ...], assessment_id: UUID
    ) -> Decision:
        """What is shown of what was found."""
        now = case.context.now
        showable = tuple(f for f in findings if self._desks.may_show(f, basis, now))
        unvalidated = frozenset(m.id for m in desk.models if not self._desks.validated(m, now))
        shown = desk.showing.show(case.context, case.values, showable, basis, assessment_id, unvalidated)
        withheld = tuple(f for f in findings if f not in showable)
        return Decision(assessment_id, basis, case, findings, withheld, shown)


def _refuse(service: Service, missing: tuple[Gap, ...], values: FeatureValues) -> None:
    """Raises PreconditionFailed if data are missing that the service can do without only if it finds something.

    Age is one of them: whether a service may speak at all depends on it.
    """
    lacking = fetch.refusal(tuple(gap for gap in missing if gap.key in service.optional), required=False)
    lacking = lacking or fetch.unfinished(missing, service.optional)
    if lacking is not None:
        raise PreconditionFailed(lacking)
    age = values.entries.get(catalogue.AGE.id)
    if isinstance(age, Unusable):
        raise PreconditionFailed(f"{age.words}, and without the age nothing can be said: send Patient.birthDate.")


def estimate(
    models: tuple[RiskModel, ...], values: FeatureValues, failed: Mapping[str, str] | None = None
) -> dict[str, Result]:
    """Each model's estimates or refusal. failed: models that had failed when this was decided, and in which words."""
    known = failed or {}
    return {
        model.id: NotEstimated(model.id, Refusal.FAILED, Message(known[model.id], {}))
        if model.id in known
        else model.estimate(values)
        for model in models
    }


def _failed(estimates: Mapping[str, Result]) -> tuple[tuple[str, str], ...]:
    """The models whose program gave no answer, as the basis holds them."""
    refused = (result for result in estimates.values() if isinstance(result, NotEstimated))
    return tuple((one.model_id, one.reason.text) for one in refused if one.refusal is Refusal.FAILED)
