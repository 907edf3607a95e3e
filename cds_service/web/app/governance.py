"""For users with that role: recent cards and what became of them, assessments given again, the latest monitoring."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, g, request

from cds_service.clock import Clock
from cds_service.errors import Forbidden
from cds_service.language import msg
from cds_service.monitoring import from_json
from cds_service.security.smart import Registration, SmartClient
from cds_service.settings import Monitoring
from cds_service.stores.fallen_back import FallBackStore
from cds_service.web.app.monitored_page import view
from cds_service.web.app.opening import NothingToReview, Opener
from cds_service.web.app.pages import Pages, governs
from cds_service.web.app.session import Review, Sessions
from cds_service.web.app.views import views

_DAYS = 30


def routes(
    blueprint: Blueprint,
    smart: SmartClient,
    sessions: Sessions,
    opener: Opener,
    pages: Pages,
    clock: Clock,
    watching: FallBackStore,
    limits: Monitoring,
) -> None:
    """Adds `/app/r/<id>/governance`, the views below it, and `/app/r/<id>/monitoring`, which is of all EHRs."""

    def allowed(id_: str) -> tuple[Review, Registration]:
        review = sessions.find(id_, request)
        g.app_language = review.language
        registration = smart.registrations[review.registration]
        if not governs(registration.ehr, review.grant.user):
            raise Forbidden(msg("These views are for users with the governance role."))
        return review, registration

    @blueprint.get("/r/<id_>/governance")
    def governance(id_: str) -> str:
        review, registration = allowed(id_)
        reader = opener.reader(registration)
        tallies = reader.tallies(clock.now() - timedelta(days=_DAYS))
        silenced = {(one.model, one.version) for one in watching.in_force()}
        return pages.render("governance.html", review=review, tallies=tallies, recent=reader.recent(), days=_DAYS,
                            models=opener.allowed(), silenced=silenced, title=opener.title)  # fmt: skip

    @blueprint.get("/r/<id_>/monitoring")
    def monitoring(id_: str) -> str:
        review, _ = allowed(id_)
        counts = watching.counts()
        silent = watching.in_force()
        shown = None
        if counts is not None:
            shown = view(from_json(counts[1]), counts[0], clock.now(), silent, limits)
        return pages.render("monitoring.html", review=review, shown=shown, silent=silent)

    @blueprint.get("/r/<id_>/governance/<uuid:assessment>")
    def replayed(id_: str, assessment: UUID) -> str:
        review, registration = allowed(id_)
        found = next((one for one in opener.reader(registration).recent(500) if one.id == assessment), None)
        kept = opener.kept(assessment) if found is not None else None
        if kept is None:
            raise NothingToReview(msg("There is no such assessment for this EHR."))
        shown, (asked, told) = opener.given_again(kept), opener.became(assessment)
        return pages.render(
            "replayed.html",
            review=review,
            shown=shown,
            findings=views(shown, []),
            asked=asked,
            told=told,
            title=opener.title,
        )
