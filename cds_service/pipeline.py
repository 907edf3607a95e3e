"""The straight line: request → record → features → explained estimates → findings → summary → cards → response."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import orjson
import structlog

from cds_service import fetch, local_codes, service_settings, signed
from cds_service.clock import Clock, Deadline
from cds_service.errors import BadRequest, PreconditionFailed, StoreError, UnknownService
from cds_service.features.extract import extract
from cds_service.features.feature import Feature, FeatureValues
from cds_service.fhir.code_map import CodeMap
from cds_service.fhir.record import clinical_context
from cds_service.findings import Finding, RiskFinding
from cds_service.hook import Case, Service
from cds_service.keeping import Answer, Keeper, unit_of, versions, wire
from cds_service.knowledge import library
from cds_service.knowledge.library import Library
from cds_service.language import words
from cds_service.needs import Gap, Need, data_needs, fed_by, with_inputs
from cds_service.observer import NOBODY, Observer
from cds_service.outlook import with_outlook
from cds_service.protocol.hooks import HOOKS
from cds_service.protocol.request import HookRequest, decode
from cds_service.protocol.response import HookResponse
from cds_service.registry import Registry
from cds_service.risk.model import NotEstimated, Result, RiskModel, is_on
from cds_service.security.trust import Caller
from cds_service.settings import Settings
from cds_service.showing import Showing, Shown
from cds_service.silenced import Silenced
from cds_service.stores.assessments import Assessment, AssessmentStore, Unit
from cds_service.stores.columns import scope_of
from cds_service.stores.entries import inputs, results
from cds_service.stores.requests import Basis
from cds_service.stores.suppression import ShownElsewhere
from cds_service.summary.template import Summary
from cds_service.suppression import Seen

if TYPE_CHECKING:
    from cds_service.telling import Teller

_log = structlog.get_logger(__name__)
_ASSESSMENTS = UUID("7f1d3c52-5a0e-5d4c-9a55-3f0f3a2c9b10")  # namespace of assessment ids (uuid5)
_LOCAL = Caller()
_ATTEMPTS = 3  # to say what no other service is saying at the same moment
Known = Callable[[Basis, datetime], tuple[Seen, ...]]


@dataclass(frozen=True)
class Desk:
    """A service made ready: its models, all its features with their inputs, its prefetch keys and its thresholds.

    fed: prefetch key -> ids of the features that read its Observations. beside: see Case.
    """

    service: Service
    models: tuple[RiskModel, ...]
    features: tuple[Feature, ...]
    needs: Mapping[str, Need]
    thresholds: Mapping[str, float]
    showing: Showing
    fed: Mapping[str, frozenset[str]]
    library: Library | None = None
    beside: frozenset[str] = frozenset()


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
        self._observer = observer
        self._teller = teller
        self._registry = registry
        self._code_map = local_codes.load(settings.codes.map)
        self._settings = settings
        self._clock = clock
        self._keeper = Keeper(store, settings) if store is not None else None
        self._silenced = Silenced(store.database) if store is not None else None
        self._fetcher = fetch.create(settings, observer)
        self._words = words(settings.cards.language, settings.cards.units)
        self._versions: dict[str, dict[str, str]] = {}
        self._signed: dict[str, bool] = {}
        asked = any(service.knowledge for service in registry.services.values())
        self._library = library.opened(settings) if asked else None
        self._desks = {id_: self._desk(service) for id_, service in registry.services.items()}

    def _desk(self, service: Service) -> Desk:
        named = (self._registry.models[id_] for id_ in service.models)
        models = tuple(model for model in named if is_on(model, self._settings.models.enabled))
        features = tuple(with_inputs([*(f for m in models for f in m.features), *service.features]))
        return Desk(
            service,
            models,
            features,
            data_needs(features, service.hook, service.optional, self._code_map, service.lists),
            service_settings.thresholds(service, self._settings),
            Showing(service, self._settings, self._words),
            fed_by(features),
            self._library if service.knowledge else None,
            service_settings.beside(service, self._registry.services.values(), self._settings),
        )

    @property
    def models(self) -> Mapping[str, RiskModel]:
        """All loaded models by id."""
        return self._registry.models

    @property
    def library(self) -> Library | None:
        """The knowledge graph, if any service asks it."""
        return self._library

    @property
    def code_map(self) -> CodeMap:
        """The hospital's own codes and units."""
        return self._code_map

    def discovery(self) -> dict[str, object]:
        """The body of `GET /cds-services`."""
        return {"services": [self._describe(desk) for desk in self._desks.values()]}

    def _describe(self, desk: Desk) -> dict[str, object]:
        service = desk.service
        entry: dict[str, object] = {
            "hook": service.hook,
            "id": service.id,
            "title": self._words(service.title),
            "description": self._words(service.description),
            "prefetch": {key: need.template for key, need in desk.needs.items()},
        }
        if service.usage_requirements is not None:
            entry["usageRequirements"] = self._words(service.usage_requirements)
        if self._settings.discovery.version != "2.0":
            entry |= {"version": f"{self._settings.discovery.version}.0", "hookVersion": HOOKS[service.hook].version}
        return entry

    def desk(self, service_id: str) -> Desk:
        """The service of that id, made ready. Raises UnknownService with the nearest id."""
        desk = self._desks.get(service_id)
        if desk is None:
            near = difflib.get_close_matches(service_id, self._desks, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(self._desks)}"
            raise UnknownService(f"there is no CDS Service with the id that was called{hint}")
        return desk

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
        known = self._known(client)
        deadline = deadline or Deadline.after(self._settings.limits.answer_s)
        decision = self.assess(desk, request, base=base, deadline=deadline, away=away, caller=client, known=known)
        decision, asking = self._worded(desk, decision, client, deadline, away)
        answer = orjson.dumps(decision.response.wire())
        for attempt in range(_ATTEMPTS if self._keeper is not None else 0):
            try:
                self._keep(decision, desk, answer, client, asking, deadline)
                break
            except ShownElsewhere:  # decide again, now that this is known
                if attempt + 1 == _ATTEMPTS:
                    self._lost(desk, "other services keep showing the same findings")
                    break
                basis = replace(decision.basis, seen=known(decision.basis, decision.case.context.now))
                decision = self.decide(desk, basis, decision.case.context.now)
                answer = orjson.dumps(decision.response.wire())
        self._tell(desk, decision)
        hold((request, decision))
        return answer

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

    def _known(self, client: Caller) -> Known:
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

    def _tell(self, desk: Desk, decision: Decision) -> None:
        """Counts what was found and refused."""
        withheld = len(decision.withheld)
        suppressed = len({one.finding for one in decision.shown.suppressed if not one.proposals})
        shown = len(decision.findings) - withheld - suppressed
        self._observer.decided(desk.service.id, shown, withheld, suppressed)
        results = decision.case.results.items()
        self._observer.refused((id_, r.refusal.value) for id_, r in results if isinstance(r, NotEstimated))

    def _keep(
        self, decision: Decision, desk: Desk, answer: bytes, client: Caller, also: tuple[Unit, ...], deadline: Deadline
    ) -> None:
        """Stores one decision and the use of the caller's token, or neither.

        A database that is away costs the record, not the patient's card: logged, counted. Raises Unauthorized where
        the token was used before, ShownElsewhere where another service shows one of the findings.
        """
        assert self._keeper is not None
        try:
            self._keeper.keep(replace(self._kept(decision, desk, answer, client, deadline), also=also), client)
            self._observer.kept(True)
            if also and self._teller is not None:
                self._teller.ring()
        except StoreError as error:
            self._lost(desk, str(error))

    def _lost(self, desk: Desk, reason: str) -> None:
        self._observer.kept(False)
        _log.error("assessment not stored", service=desk.service.id, reason=reason)

    def _kept(
        self, decision: Decision, desk: Desk, answer: bytes, client: Caller, deadline: Deadline | None = None
    ) -> Answer:
        """What is stored of one decision. deadline: of the answer, `limits.answer_s` after its head came."""
        case, request, shown = decision.case, decision.basis.request, decision.shown
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
                case.results, decision.findings, decision.withheld, case.context.withheld, shown.suppressed
            ),
            cards=wire(shown.kept_back),
            response=answer,
            versions=self.versions(desk),
            unit=unit_of(case.context.encounter),
            elapsed_ms=None if deadline is None else self._elapsed_ms(deadline),
        )
        return Answer(assessment, decision.basis, shown)

    def recorded(self, desk: Desk, decision: Decision) -> Assessment:
        """A decision as it would be stored; nothing is."""
        return self._kept(decision, desk, orjson.dumps(decision.response.wire()), _LOCAL).assessment

    def _elapsed_ms(self, deadline: Deadline) -> int:
        return round(1000 * (self._settings.limits.answer_s - deadline.remaining()))

    def rehearse(self, desk: Desk, request: HookRequest) -> None:
        """Goes through one call as `answer` does; nothing is kept, counted or shown."""
        decision = self.assess(desk, request, known=self._known(_LOCAL))
        answer = orjson.dumps(decision.response.wire())
        if self._keeper is not None:
            try:
                self._keeper.rehearse(self._kept(decision, desk, answer, _LOCAL))
            except StoreError as error:
                _log.warning("store not tried", service=desk.service.id, reason=str(error))

    def versions(self, desk: Desk) -> dict[str, str]:
        """What shapes the answers of a service: versions, and digests of code and settings."""
        found = self._versions.get(desk.service.id)
        if found is None:
            origins = self._registry.origins
            names = [f"service {desk.service.id}", *(f"model {m.id}" for m in desk.models)]
            files = [origins[name] for name in names if name in origins]
            models = {m.id: m.version for m in desk.models}
            found = versions(self._settings, models, files, self._code_map.digest)
            if desk.library is not None:
                found["knowledge"] = desk.library.graph.digest
            self._versions[desk.service.id] = found
        return found

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
        basis = Basis(request, gaps, (), writes, admitted, silenced=self._silent(desk))
        now = self._clock.now()
        return self.decide(desk, replace(basis, seen=known(basis, now)) if known is not None else basis, now)

    def decide(self, desk: Desk, basis: Basis, now: datetime) -> Decision:
        """The clinical part of the line, with all data in hand; the same basis and moment give the same decision."""
        service, request = desk.service, basis.request
        needed = {key: need.types for key, need in desk.needs.items() if need.required}
        optional = {key: need.types for key, need in desk.needs.items() if not need.required}
        context = clinical_context(
            request, needed=needed, optional=optional, now=now, admitted=basis.admitted, code_map=self._code_map
        )
        assessment_id = uuid5(_ASSESSMENTS, f"{service.id}/{request.hook_instance}/{now}")
        unseen = frozenset[str]().union(*(desk.fed.get(gap.key, ()) for gap in basis.gaps))
        values = extract(context.record, desk.features, unseen)
        models = {m.id: m for m in desk.models}
        estimates = estimate(desk.models, values)
        case = Case(context, values, models, estimates, desk.thresholds, desk.library, desk.beside)
        findings = () if context.record.deceased else with_outlook(case, service.find(case))  # none about the dead
        if not context.record.deceased and all(finding.quiet for finding in findings):
            _refuse(service, basis.gaps)  # no card for want of data is not the same as nothing to say
        return self._shown(desk, basis, case, tuple(findings), assessment_id)

    def _shown(
        self, desk: Desk, basis: Basis, case: Case, findings: tuple[Finding, ...], assessment_id: UUID
    ) -> Decision:
        """What is shown of what was found."""
        showable = tuple(f for f in findings if self._may_show(f, basis))
        unvalidated = frozenset(m.id for m in desk.models if not self.validated(m))
        shown = desk.showing.show(case.context, case.values, showable, basis, assessment_id, unvalidated)
        withheld = tuple(f for f in findings if f not in showable)
        return Decision(assessment_id, basis, case, findings, withheld, shown)

    def _silent(self, desk: Desk) -> tuple[str, ...]:
        """The models of a service that monitoring has silenced."""
        found = self._silenced.now() if self._silenced is not None else frozenset()
        return tuple(m.id for m in desk.models if (m.id, m.version) in found) if found else ()

    def _may_show(self, finding: Finding, basis: Basis) -> bool:
        """False for a model that monitoring silenced, or that is trained and its exact version not signed off here."""
        if isinstance(finding, RiskFinding) and finding.model.id in basis.silenced:
            return False
        if not isinstance(finding, RiskFinding) or not finding.model.trained:
            return True
        return self.validated(finding.model) or self._settings.models.show_unvalidated

    def validated(self, model: RiskModel) -> bool:
        """True if a model may speak at this site: it is published, or its exact version was signed off as it runs."""
        found = self._signed.get(model.id)
        if found is None:
            services = self._registry.services.values()
            found = signed.state(model, services, self._settings, self._code_map.digest) in ("published", "valid")
            self._signed[model.id] = found
        return found


def _refuse(service: Service, missing: tuple[Gap, ...]) -> None:
    """Raises PreconditionFailed if data are missing that the service can do without only if it finds something."""
    lacking = fetch.refusal(tuple(gap for gap in missing if gap.key in service.optional), required=False)
    if lacking is not None:
        raise PreconditionFailed(lacking)


def estimate(models: tuple[RiskModel, ...], values: FeatureValues) -> dict[str, Result]:
    """Each model's estimates or refusal."""
    return {model.id: model.estimate(values) for model in models}
