"""What a review shows: the assessment behind the card, given again as it was, or the patient's latest, or a new one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import structlog

from cds_service import service_settings
from cds_service.clock import Deadline
from cds_service.errors import CurbsideError, PreconditionFailed, UnknownService
from cds_service.features.feature import Feature
from cds_service.fhir.code_map import CodeMap
from cds_service.knowledge.library import Library as KnowledgeLibrary
from cds_service.language import Message, Words, msg
from cds_service.ledger import Decision
from cds_service.pipeline import Pipeline
from cds_service.risk.model import RiskModel
from cds_service.security.smart import Grant, LaunchError, Registration
from cds_service.security.trust import Caller
from cds_service.settings import Settings
from cds_service.stores.about import AboutStore, Told
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database
from cds_service.stores.reading import Reader
from cds_service.stores.requests import RequestStore
from cds_service.suppression import Rules

_log = structlog.get_logger(__name__)
_PATIENCE_S = 8.0  # for new assessments: who waits at a white page for longer takes the app for broken


class NothingToReview(CurbsideError):
    """There is no assessment, and none can be made."""

    http_status = 404
    issue_code = "not-found"


@dataclass(frozen=True, slots=True)
class Opened:
    """One assessment as it is reviewed.

    decision: given again from what was kept. same: whether that gives the very answer that was shown.
    validated: model id -> whether it may speak at this site: published, or its exact version signed off.
    features: what the service's own rules look at, beside its models' inputs.
    """

    assessment: Assessment
    decision: Decision
    same: bool
    validated: Mapping[str, bool]
    features: tuple[Feature, ...] = ()

    @property
    def cards(self) -> list[Mapping[str, Any]]:
        """The cards as they were sent."""
        found: list[Mapping[str, Any]] = orjson.loads(self.assessment.response)["cards"]
        return found


class Opener:
    """Finds or makes the assessment of a review."""

    def __init__(self, pipeline: Pipeline, database: Database, settings: Settings) -> None:
        self._pipeline = pipeline
        self._database = database
        self._settings = settings

    @property
    def models(self) -> Mapping[str, RiskModel]:
        """All models that are loaded, by id."""
        return self._pipeline.models

    def allowed(self) -> list[tuple[RiskModel, Message, tuple[str, ...]]]:
        """Every trained model, whether it may speak here and on whose word, and the services that run it."""
        return self._pipeline.allowed()

    def title(self, service_id: str) -> Message:
        """What a service is called; of one that is not loaded any more, its id."""
        try:
            return self._pipeline.desk(service_id).service.title
        except UnknownService:
            return msg("{name}", name=service_id)

    @property
    def knowledge(self) -> KnowledgeLibrary | None:
        """The knowledge graph, if any service asks it."""
        return self._pipeline.library

    @property
    def code_map(self) -> CodeMap:
        """The hospital's own codes and units."""
        return self._pipeline.code_map

    def lists(self, shown: Opened) -> Mapping[str, tuple[str, ...]]:
        """The prefetch keys of an assessment's service that ask for whole lists, with the types of each."""
        needs = self._pipeline.desk(shown.assessment.service_id).needs
        return {key: need.types for key, need in needs.items() if not need.part}

    def caller(self, registration: Registration) -> Caller:
        """The CDS Client whose cards an EHR's users review."""
        name = registration.ehr.client
        if not name:
            return Caller(fhir_base_urls=(registration.issuer,))
        client = self._settings.clients[name]
        bases = (*client.fhir_base_urls, registration.issuer)
        return Caller(name, client.issuer, registration.ehr.tenant or None, tuple(b.rstrip("/") for b in bases))

    def reader(self, registration: Registration) -> Reader:
        """Reads what is kept for that client."""
        caller = self.caller(registration)
        return Reader(self._database, caller.issuer, caller.tenant)

    def open(self, registration: Registration, grant: Grant, card: str | None) -> Opened:
        """The assessment behind a card; without one, the patient's latest, or a new one.

        Raises LaunchError where the card is another patient's, NothingToReview where nothing can be shown.
        """
        reader = self.reader(registration)
        if card:
            found = reader.of_card(_uuid(card))
            if found is None:
                raise NothingToReview(
                    msg(
                        "The card that opened this review is not known here any more. Open the patient's chart again "
                        "for a new one."
                    )
                )
            if found.patient_id != grant.patient:
                raise LaunchError(msg("The card belongs to another patient than the one who is open in the EHR."))
        else:
            found = reader.latest(grant.patient) or self._fresh(registration, grant, reader)
        return self.given_again(found)

    def became(self, id_: uuid.UUID) -> tuple[str, tuple[Told, ...]]:
        """The user whose call it answers, or empty, and what became of its cards. Raises StoreError."""
        entries = AuditStore(self._database).about(id_)
        made = next((e.content for e in entries if e.kind == "assessment" and e.content is not None), {})
        return str(made.get("user", "")), AboutStore(self._database).feedback(id_)

    def kept(self, id_: uuid.UUID) -> Assessment | None:
        """An assessment by its id, whoever's it is: for those who govern. Raises StoreError."""
        return AssessmentStore(self._database).get(id_)

    def given_again(self, assessment: Assessment) -> Opened:
        """An assessment with its decision. Raises NothingToReview where it cannot be given again."""
        desk = self._pipeline.desk(assessment.service_id)
        basis = RequestStore(self._database).get(assessment.id, desk.needs)
        if basis is None:
            raise NothingToReview(msg("What this assessment rested on is not kept any more."))
        try:
            decision = self._pipeline.decide(desk, basis, assessment.at)
        except PreconditionFailed:
            raise NothingToReview(msg("This version of the service would not answer that call any more.")) from None
        validated = {model.id: self._pipeline.validated(model) for model in desk.models}
        same = orjson.dumps(decision.response.wire()) == assessment.response
        return Opened(assessment, decision, same, validated, desk.service.features)

    def rules(self, shown: Opened) -> Rules:
        """How long what is answered to the cards of an assessment rests."""
        return service_settings.rules(self._pipeline.desk(shown.assessment.service_id).service, self._settings)

    def cards_in(self, shown: Opened, words: Words) -> list[Mapping[str, Any]]:
        """The cards of an assessment as they were sent, worded in the reader's language where that is another."""
        if words.language == self._settings.cards.language:
            return shown.cards
        desk = self._pipeline.desk(shown.assessment.service_id)
        there = replace(desk, showing=desk.showing.worded(words))
        told = self._pipeline.decide(there, shown.decision.basis, shown.assessment.at).response.wire()["cards"]
        by_uuid = {card["uuid"]: card for card in told}
        return [by_uuid.get(card["uuid"], card) for card in shown.cards]

    def _fresh(self, registration: Registration, grant: Grant, reader: Reader) -> Assessment:
        """A new assessment by each service of patient-view that can be had with the granted scopes, in time."""
        caller, deadline = self.caller(registration), Deadline.after(_PATIENCE_S)
        for service in self._pipeline.discovery()["services"]:  # type: ignore[attr-defined]
            if service["hook"] != "patient-view":
                continue
            if not deadline.remaining():
                _log.warning("no fresh assessment", service=service["id"], reason="the EHR is slow")
                continue
            try:
                self._pipeline.answer(service["id"], _call(registration, grant), caller)
            except CurbsideError as error:
                _log.info("no fresh assessment", service=service["id"], reason=error.issue_code)
        found = reader.latest(grant.patient)
        if found is None and not deadline.remaining():
            raise NothingToReview(msg("The EHR was too slow for a new assessment of this patient. Try again later."))
        if found is None:
            raise NothingToReview(
                msg(
                    "There is no assessment of this patient yet, and none could be made with the data that the EHR "
                    "lets this app read."
                )
            )
        return found


def _call(registration: Registration, grant: Grant) -> bytes:
    """A patient-view call on behalf of the user, with leave to fetch what the scopes allow."""
    context = {"userId": "/".join(grant.user.rstrip("/").split("/")[-2:]), "patientId": grant.patient}
    authorization = {
        "access_token": grant.access_token.reveal(),
        "token_type": "Bearer",
        "scope": " ".join(grant.scopes),
    }
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": context,
        "fhirServer": registration.issuer,
        "fhirAuthorization": authorization,
    }
    return orjson.dumps(body)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise LaunchError(msg("The EHR names a card in a way that is not a card's. Open the card again.")) from None


def moments(
    history: list[tuple[datetime, Any]], model: str, outcome: str, horizon: int | None
) -> list[tuple[datetime, float]]:
    """Earlier values of one estimate in the results of assessments, one a day: the latest of the day."""
    found: dict[Any, tuple[datetime, float]] = {}
    for at, results in history:
        for row in results:
            same = row.get("model") == model and row.get("outcome") == outcome and row.get("horizon_years") == horizon
            if same and row.get("high") is None:
                found.setdefault(at.date(), (at, float(row["value"])))
    return list(found.values())
