"""The review itself: estimate, reasons, sources; accept, override, snooze; and what was decided before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from cds_service.clock import Clock
from cds_service.documents.attachments import TYPES
from cds_service.documents.statements import name_of
from cds_service.errors import BadRequest
from cds_service.features.feature import FeatureValue
from cds_service.fhir import resources as fhir
from cds_service.findings import CareGapFinding, EvidenceFinding, Finding, RiskFinding
from cds_service.language import Message, msg
from cds_service.protocol.feedback import Item
from cds_service.risk.model import Citation, EstimateKind, Refusal, RiskEstimate, RiskModel
from cds_service.risk.wording import estimate_words
from cds_service.security.smart import SmartClient
from cds_service.stores.columns import scope_of
from cds_service.stores.feedback import FeedbackStore
from cds_service.web.app import drawing, evidence_page, model_page
from cds_service.web.app.library import Library
from cds_service.web.app.opening import NothingToReview, Opened, Opener, moments
from cds_service.web.app.pages import Pages
from cds_service.web.app.session import Sessions, finder, in_language, take
from cds_service.web.app.what_if import changes, form, models_of, outcomes
from cds_service.web.models import about

SNOOZE = ("urn:curbside:review", "snoozed", "Snoozed in the review app")
_LONGEST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class EstimateView:
    """One estimate as a section of the page."""

    estimate: RiskEstimate
    model: RiskModel
    words: Message
    meaning: Message | None
    bars: tuple[drawing.Bar, ...]
    trend: tuple[drawing.Point, ...]
    validated: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding: its sentence, advice and, of a model, its estimates. targets: what is changed, and the estimates."""

    finding: Finding
    estimates: tuple[EstimateView, ...] = ()
    refusal: Message | None = None
    path: tuple[tuple[Message, str], ...] = ()
    due: Message | None = None
    targets: tuple[tuple[Message, tuple[Message, ...], Citation | None], ...] = ()


def routes(
    blueprint: Blueprint,
    smart: SmartClient,
    sessions: Sessions,
    opener: Opener,
    feedback: FeedbackStore,
    pages: Pages,
    clock: Clock,
    types: tuple[str, ...],
    library: Library,
) -> None:
    """Adds `/app/r/<id>` and what its forms do."""

    found = finder(sessions, smart, clock)

    @blueprint.get("/r/<id_>")
    def review(id_: str) -> Answer | str:
        opened = found(id_)
        asked = request.args.get("lang")
        if asked and asked != opened.language:
            sessions.keep(in_language(opened, pages.language()), request)
            return redirect(url_for("app.review", id_=id_))
        registration = smart.registrations[opened.registration]
        shown = opener.open(registration, opened.grant, opened.card)
        reader = opener.reader(registration)
        cards = shown.cards
        return pages.render(
            "review.html",
            review=opened,
            governs=governs(registration.ehr.governance, opened.grant.user),
            person=_person(shown) if opened.grant.needs_banner else None,
            shown=shown,
            cards=[(card, reader.answers(UUID(card["uuid"]))) for card in cards],
            what_if=models_of(shown),
            findings=views(shown, reader.history(opened.grant.patient, shown.assessment.service_id)),
            missing_types=[t for t in types if not opened.grant.allows(t)],
            unusable=_unusable(shown),
        )

    @blueprint.post("/r/<id_>/answer")
    def answer(id_: str) -> Answer:
        opened = found(id_)
        registration = smart.registrations[opened.registration]
        shown = opener.open(registration, opened.grant, opened.card)
        item = _item(shown, request.form, clock)
        caller = opener.caller(registration)
        scope = scope_of(caller.issuer, caller.tenant)
        feedback.keep(shown.assessment.service_id, scope, (item,), clock.now(), client=caller.client)
        return redirect(url_for("app.review", id_=id_, _anchor="answers"))

    @blueprint.route("/r/<id_>/what-if/<model_id>", methods=["GET", "POST"])
    def what_if(id_: str, model_id: str) -> str:
        opened = found(id_)
        shown = opener.open(smart.registrations[opened.registration], opened.grant, opened.card)
        model = models_of(shown).get(model_id)
        if model is None:
            raise NothingToReview("This review has no such score, or it is not one whose inputs can be changed.")
        fields = form(shown, model)
        sent = request.form if request.method == "POST" else {}
        changed = changes(fields, sent)
        made = outcomes(shown, model, changed)
        return pages.render(
            "what_if.html",
            review=opened,
            model=model,
            fields=[(field, sent.get(field.feature.id, field.now)) for field in fields],
            changed=changed,
            outcomes=made if isinstance(made, tuple) else (),
            refusal=made if not isinstance(made, tuple) else None,
        )

    @blueprint.get("/r/<id_>/sources/<type_>/<row_id>")
    def source(id_: str, type_: str, row_id: str) -> str | tuple[str, int]:
        opened = found(id_)
        shown = opener.open(smart.registrations[opened.registration], opened.grant, opened.card)
        row = _resource(shown, f"{type_}/{row_id}")
        if type_ in TYPES:
            named = library.document(opened, f"{type_}/{row_id}", request)
            if named is not None and (named.passages or row is None):
                return pages.render("document.html", review=opened, document=named, title=name_of(named))
        if row is None:
            return pages.render("refusal.html", reason=str(_NO_SOURCE), status=404, review=opened), 404
        text = msgspec.json.format(msgspec.json.encode(row), indent=2).decode()
        return pages.render("source.html", review=opened, reference=f"{type_}/{row_id}", text=text)

    @blueprint.get("/r/<id_>/knowledge/<path:row_id>")
    def knowledge_row(id_: str, row_id: str) -> str:
        opened = found(id_)
        shown = opener.open(smart.registrations[opened.registration], opened.grant, opened.card)
        page = evidence_page.page(opener.knowledge, shown.decision.findings, row_id)
        if page is None:
            raise NothingToReview("The knowledge graph has no such row; a newer release may have replaced it.")
        return pages.render("knowledge.html", review=opened, rows=page.rows, near=page.near, path=page.path)

    @blueprint.get("/r/<id_>/models/<model_id>/", defaults={"name": ""})
    @blueprint.get("/r/<id_>/models/<model_id>/<name>")
    def model(id_: str, model_id: str, name: str) -> str | Response:
        opened = found(id_)
        known = opener.models.get(model_id)
        if known is None:
            raise NothingToReview("There is no model of this name here.")
        if name:
            drawn = model_page.plot(known, name)
            if drawn is None:
                raise NothingToReview("This model has no such plot.")
            return Response(drawn, mimetype="image/svg+xml")
        return pages.render(
            "model.html",
            review=opened,
            model=known,
            limits=getattr(known, "limits", None),
            attributes=about(known, pages.words()).get("sourceAttributes"),
            card=model_page.card(known),
        )

    @blueprint.post("/r/<id_>/close")
    def close(id_: str) -> Answer:
        opened = found(id_)
        sessions.end(opened, request)
        response = Answer(pages.render("closed.html"), mimetype="text/html")
        take(response, id_)
        return response


_NO_SOURCE = msg("This resource is not among the data that the assessment rests on.")


def governs(users: tuple[str, ...], user: str) -> bool:
    """True if a user is one of those named, as `Practitioner/42` or as a whole URL."""
    relative = "/".join(urlsplit(user).path.rstrip("/").split("/")[-2:])
    return user in users or relative in users


def views(shown: Opened, history: list[Any]) -> list[FindingView]:
    """The findings of an assessment for the page; what does not apply to the patient is left out."""
    found = []
    for finding in shown.decision.findings:
        if isinstance(finding, RiskFinding):
            refused = finding.refused
            if refused is not None and refused.refusal is Refusal.NOT_APPLICABLE:
                continue
            estimates = finding.result if isinstance(finding.result, tuple) else ()
            made = tuple(_estimate(e, finding, [*history, *_before(finding, e)], shown.validated) for e in estimates)
            targets = tuple((c.words, tuple(map(estimate_words, c.estimates)), c.source) for c in finding.changes)
            reason = refused.reason if refused is not None else None
            found.append(FindingView(finding, made, reason, targets=targets))
        elif isinstance(finding, EvidenceFinding):
            found.append(FindingView(finding, path=finding.path))
        elif isinstance(finding, CareGapFinding):
            found.append(FindingView(finding, due=finding.due))
        else:
            found.append(FindingView(finding))
    return found


def _before(finding: RiskFinding, estimate: RiskEstimate) -> list[Any]:
    """Earlier values that the record itself gives, in the form of stored results."""
    first = isinstance(finding.result, tuple) and finding.result[0] is estimate
    return [
        (one.at, [{"model": one.estimate.model_id, "outcome": one.estimate.outcome,
                   "horizon_years": one.estimate.horizon_years, "value": one.estimate.value}])
        for one in (finding.before if first else ())
    ]  # fmt: skip


def _estimate(
    estimate: RiskEstimate, finding: RiskFinding, history: list[Any], validated: Mapping[str, bool]
) -> EstimateView:
    model = finding.model
    earlier = moments(history, estimate.model_id, estimate.outcome, estimate.horizon_years)
    return EstimateView(
        estimate,
        model,
        estimate_words(estimate),
        _meaning(estimate),
        drawing.waterfall(estimate.explanation),
        drawing.trend(earlier),
        validated[model.id],
    )


def _meaning(estimate: RiskEstimate) -> Message | None:
    """A probability as a count of people; it is about a group, and says nothing of what causes it."""
    if estimate.kind is not EstimateKind.PROBABILITY:
        return None
    count = round(100 * estimate.value)
    of_whom = str(count) if count else msg("fewer than one")
    if estimate.horizon_years is None:
        return msg("Of 100 people with these values, about {count} would have it ({outcome}), if the model holds here.",
                   count=of_whom, outcome=estimate.outcome_words)  # fmt: skip
    return msg(
        "Of 100 people with these values, about {count} would have it ({outcome}) within {years} years, if the model "
        "holds here.",
        count=of_whom,
        outcome=estimate.outcome_words,
        years=estimate.horizon_years,
    )


def _unusable(shown: Opened) -> list[tuple[Message | str, Message]]:
    """What was missing, old or not usable: label and reason, each once."""
    values = shown.decision.case.values
    found = [(value.feature.label, value.words) for value in values if not isinstance(value, FeatureValue)]
    return list({str(label): (label, words) for label, words in found}.values())


def _person(shown: Opened) -> dict[str, Any]:
    record = shown.decision.case.context.record
    patient = record.patient
    name = patient.name[0] if patient is not None and patient.name else fhir.HumanName()
    full = name.text or " ".join([*(g_ for g_ in name.given if g_), name.family or ""]).strip()
    born, now = record.birth_date, shown.assessment.at.date()
    age = now.year - born.year - ((now.month, now.day) < (born.month, born.day)) if born is not None else None
    return {"name": full, "sex": patient.gender if patient is not None else None, "born": born, "age": age}


def _resource(shown: Opened, name: str) -> fhir.Resource | None:
    """A resource that the assessment rests on, by `Type/id`."""
    record = shown.decision.case.context.record
    return next((row for row in record.every() if record.reference(row) == name), None)


def _item(shown: Opened, form: Any, clock: Clock) -> Item:
    """What the clinician decided. Raises BadRequest in a sentence for what is missing."""
    card = next((c for c in shown.cards if c["uuid"] == form.get("card")), None)
    if card is None:
        raise BadRequest("Choose a card of this review.")
    outcome, now = form.get("outcome"), clock.now()
    if outcome == "accepted":
        chosen = [s["uuid"] for s in card.get("suggestions", ()) if s["uuid"] in form.getlist("suggestion")]
        if not chosen:
            raise BadRequest("Choose at least one suggestion to accept.")
        return Item(UUID(card["uuid"]), "accepted", now, tuple(UUID(one) for one in chosen))
    comment = form.get("comment", "").strip()[:_LONGEST_COMMENT] or None
    if outcome == "snoozed":
        return Item(UUID(card["uuid"]), "overridden", now, (), SNOOZE, comment)
    if outcome != "overridden":
        raise BadRequest("Choose whether to accept, override or snooze the card.")
    reason = next((r for r in card.get("overrideReasons", ()) if r["code"] == form.get("reason")), None)
    if reason is None and comment is None:
        raise BadRequest("Choose a reason for the override, or write one.")
    coded = (reason["system"], reason["code"], reason["display"]) if reason is not None else None
    return Item(UUID(card["uuid"]), "overridden", now, (), coded, comment)
