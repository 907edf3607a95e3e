"""The review itself: estimate, reasons, sources; accept, override, snooze; and what was decided before."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from cds_service.card_detail import not_had
from cds_service.clock import Clock
from cds_service.documents.attachments import TYPES
from cds_service.documents.statements import name_of
from cds_service.knowledge import guidance
from cds_service.language import Message, msg
from cds_service.protocol.feedback import refusal
from cds_service.security.smart import Registration, SmartClient
from cds_service.stores.feedback import FeedbackStore
from cds_service.stores.scopes import scope_of
from cds_service.web.app import evidence_page, graph_search, model_page, source_page
from cds_service.web.app.decisions import item, rests
from cds_service.web.app.library import Library
from cds_service.web.app.missing import missing
from cds_service.web.app.opening import NothingToReview, Opened, Opener
from cds_service.web.app.pages import Pages
from cds_service.web.app.patient_chart import Charts
from cds_service.web.app.renewing import finder
from cds_service.web.app.session import Review, Sessions, take
from cds_service.web.app.views import person, views
from cds_service.web.app.what_if import changes, form, models_of, outcomes
from cds_service.web.models import about

_NO_SOURCE = msg("This resource is not among the data that the assessment rests on, nor in the chart as it was read.")


@dataclass(frozen=True, slots=True)
class ReviewPages:
    """What the pages of a review show and its forms do; every method answers one address.

    types: the resource types that the models read.
    """

    smart: SmartClient
    sessions: Sessions
    opener: Opener
    feedback: FeedbackStore
    pages: Pages
    clock: Clock
    types: tuple[str, ...]
    library: Library
    charts: Charts

    def review(self, id_: str) -> Answer | str:
        """The review."""
        opened = self._found(id_)
        shown = self._shown(opened)
        reader = self.opener.reader(self._registration(opened))
        cards = self.opener.cards_in(shown, self.pages.words())
        return self.pages.render(
            "review.html",
            review=opened,
            person=person(shown),
            shown=shown,
            rests=partial(rests, self.opener.rules(shown)),
            cards=[(card, reader.answers(UUID(card["uuid"]))) for card in cards],
            what_if=models_of(shown),
            findings=views(
                shown, reader.history(opened.grant.patient, shown.assessment.service_id, shown.assessment.at)
            ),
            missing_types=[t for t in self.types if not opened.grant.allows(t)],
            missing=missing(shown),
            not_had=not_had(shown.decision.missing, shown.decision.case.context.withheld),
            guidelines=guidance.finder(self.opener.knowledge),
            form=secrets.token_urlsafe(12),
        )

    def answer(self, id_: str) -> Answer:
        """Keeps a decision."""
        opened = self._found(id_)
        shown = self._shown(opened)
        decided = item(shown, request.form, self.clock.now(), opened.grant.user)
        caller = self.opener.caller(self._registration(opened))
        scope = scope_of(caller.issuer, caller.tenant)
        service = shown.assessment.service_id
        kept = self.feedback.keep(service, scope, (decided,), self.clock.now(), client=caller.client)
        if kept.faults:
            raise refusal(kept.faults, 0)
        return redirect(url_for("app.review", id_=id_, _anchor="answers"))

    def what_if(self, id_: str, model_id: str) -> str:
        """A form of a score's inputs, and the estimates for other values."""
        opened = self._found(id_)
        shown = self._shown(opened)
        model = models_of(shown).get(model_id)
        if model is None:
            raise NothingToReview(msg("This review has no such score, or it is not one whose inputs can be changed."))
        fields = form(shown, model, self.pages.words().units)
        sent = request.form if request.method == "POST" else {}
        changed = changes(fields, sent)
        made = outcomes(shown, model, changed) if not isinstance(changed, Message) else changed
        return self.pages.render(
            "what_if.html",
            review=opened,
            model=model,
            fields=[(field, sent.get(field.feature.id, field.now)) for field in fields],
            changed=changed if not isinstance(changed, Message) else {},
            outcomes=made if isinstance(made, tuple) else (),
            refusal=made if not isinstance(made, tuple) else None,
        )

    def source(self, id_: str, type_: str, row_id: str) -> str | tuple[str, int]:
        """A resource that the assessment rests on, or that was read of the chart, or a document that was read."""
        opened, name = self._found(id_), f"{type_}/{row_id}"
        shown, chart = self._shown(opened), self.charts.kept(opened, request)
        row = source_page.source(shown.decision.case.context.record, name)
        both = self.charts.together(shown, chart).context if chart is not None else None
        newer = source_page.source(both.record, name) if both is not None else None
        if type_ in TYPES:
            named = self.library.document(opened, name, request)
            if named is not None and (named.passages or (row or newer) is None):
                return self.pages.render("document.html", review=opened, document=named, title=name_of(named))
        if row is None and newer is None:
            return self.pages.render("refusal.html", reason=str(_NO_SOURCE), status=404, review=opened), 404
        read = chart.at if chart is not None else None
        return self.pages.render("source.html", review=opened, source=row, newer=newer, read=read)

    def knowledge_row(self, id_: str, row_id: str) -> str:
        """A row of the knowledge graph."""
        opened = self._found(id_)
        found = self._shown(opened).decision.findings
        page = evidence_page.page(self.opener.knowledge, found, row_id, self.pages.words())
        if page is None:
            raise NothingToReview(msg("The knowledge graph has no such row; a newer release may have replaced it."))
        return self.pages.render("knowledge.html", review=opened, rows=page.rows, near=page.near, path=page.path)

    def search(self, id_: str) -> str:
        """What the graph holds of some words, what stands beside it, and how it leads to something else."""
        opened = self._found(id_)
        words, other = (request.form.get(name, "").strip() for name in ("words", "other"))
        found = graph_search.search(self.opener.knowledge, words, other, self.pages.words())
        return self.pages.render("search.html", review=opened, words=words, other=other, found=found)

    def model(self, id_: str, model_id: str, name: str = "") -> str | Response:
        """The facts of a model, or one of its plots."""
        opened = self._found(id_)
        known = self.opener.models.get(model_id)
        if known is None:
            raise NothingToReview(msg("There is no model of this name here."))
        if name:
            drawn = model_page.plot(known, name)
            if drawn is None:
                raise NothingToReview(msg("This model has no such plot."))
            return Response(drawn, mimetype="image/svg+xml")
        return self.pages.render(
            "model.html",
            review=opened,
            model=known,
            limits=getattr(known, "limits", None),
            attributes=about(known, self.pages.words()).get("sourceAttributes"),
            card=model_page.card(known),
        )

    def close(self, id_: str) -> Answer:
        """Closes the review for good."""
        self.sessions.end(self._found(id_), request)
        response = Answer(self.pages.render("closed.html"), mimetype="text/html")
        take(response, id_)
        response.headers["Clear-Site-Data"] = '"cache"'  # with the pages that "Back" would show as they were
        return response

    def _found(self, id_: str) -> Review:
        return finder(self.sessions, self.smart, self.clock)(id_)

    def _registration(self, opened: Review) -> Registration:
        return self.smart.registrations[opened.registration]

    def _shown(self, opened: Review) -> Opened:
        return self.opener.open(self._registration(opened), opened.grant, opened.card)


def routes(blueprint: Blueprint, screens: ReviewPages) -> None:
    """Adds `/app/r/<id>` and what its forms do."""
    for methods, path, view_function in (
        (["GET"], "", screens.review),
        (["POST"], "/answer", screens.answer),
        (["GET", "POST"], "/what-if/<model_id>", screens.what_if),
        (["GET"], "/sources/<type_>/<row_id>", screens.source),
        (["GET", "POST"], "/knowledge", screens.search),
        (["GET"], "/knowledge/<path:row_id>", screens.knowledge_row),
        (["GET"], "/models/<model_id>/", screens.model),
        (["GET"], "/models/<model_id>/<name>", screens.model),
        (["POST"], "/close", screens.close),
    ):
        blueprint.add_url_rule(f"/r/<id_>{path}", view_func=view_function, methods=methods)
