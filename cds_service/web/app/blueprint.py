"""The review app as one blueprint under `/app`."""

from __future__ import annotations

import structlog
from flask import Blueprint, g
from werkzeug.exceptions import HTTPException, NotFound

from cds_service.clock import Clock
from cds_service.errors import CurbsideError
from cds_service.language import msg
from cds_service.needs import Need
from cds_service.observer import NOBODY, Observer
from cds_service.pipeline import Pipeline
from cds_service.security.smart import LaunchError, SmartClient
from cds_service.settings import Settings
from cds_service.stores.app_sessions import AppSessionStore
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.fallen_back import FallBackStore
from cds_service.stores.feedback import FeedbackStore
from cds_service.web.app import asking, governance, launch, looking, review
from cds_service.web.app.asker import Asker
from cds_service.web.app.library import DOCUMENT_TYPES, Library
from cds_service.web.app.opening import Opener
from cds_service.web.app.pages import STATIC, Pages
from cds_service.web.app.patient_chart import Charts, further_types
from cds_service.web.app.renewing import finder
from cds_service.web.app.session import Sessions, switcher
from cds_service.web.errors import crashed

_log = structlog.get_logger(__name__)


def blueprint(
    settings: Settings, pipeline: Pipeline, store: AssessmentStore, clock: Clock, observer: Observer = NOBODY
) -> Blueprint:
    """All of the app. Raises SettingsError for registrations that cannot be used."""
    pages = Pages(settings)
    smart = SmartClient(settings, clock, observer)
    kept = AppSessionStore(store.database)
    sessions = Sessions(kept, settings.app, clock)
    opener = Opener(pipeline, store.database, settings)
    types = read_types(pipeline)
    library = Library(settings, smart, sessions, observer)
    asked = tuple(dict.fromkeys((*types, *DOCUMENT_TYPES, *further_types(settings))))
    charts = Charts(settings, smart, sessions, opener, store.database, clock, asked, observer)
    app = Blueprint("app", __name__, url_prefix="/app", static_folder=str(STATIC), static_url_path="/static")
    launch.routes(app, smart, sessions, kept, pages, clock, asked)
    asker = Asker(settings, store.database, clock, observer)
    found = finder(sessions, smart, clock)
    asking.routes(app, found, smart, sessions, opener, charts, library, asker, pages)
    looking.routes(app, found, smart, sessions, opener, library, asker, pages)
    feedback = FeedbackStore(store.database)
    review.routes(app, review.ReviewPages(smart, sessions, opener, feedback, pages, clock, types, library, charts))
    watching = FallBackStore(store.database)
    governance.routes(app, smart, sessions, opener, pages, clock, watching, settings.monitoring)

    app.add_url_rule("/<path:_other>", view_func=_no_page)  # else the service's JSON would answer a browser
    app.before_request(switcher(sessions, pages))
    app.after_request(pages.head)
    _refusals(app, pages)
    return app


def _no_page(_other: str) -> str:
    raise NotFound


def _refusals(app: Blueprint, pages: Pages) -> None:
    """Whatever fails is a page with a sentence and a way on."""

    @app.errorhandler(CurbsideError)
    def refuse(error: CurbsideError) -> tuple[str, int]:
        return pages.refusal(error)

    @app.errorhandler(LaunchError)
    def no_launch(error: LaunchError) -> tuple[str, int]:
        _log.warning("launch refused", request_id=g.request_id, reason=error.reason)
        return pages.refusal(error, own_window=True)

    @app.errorhandler(HTTPException)
    def no_page(error: HTTPException) -> tuple[str, int]:
        status = error.code or 500
        return pages.render("refusal.html", reason=str(msg("There is no such page.")), status=status), status

    @app.errorhandler(Exception)
    def fail(error: Exception) -> tuple[str, int]:
        crashed(error)
        return pages.render(
            "refusal.html", reason=str(msg("The app failed on this. Tell your help desk.")), status=500
        ), 500


def read_types(pipeline: Pipeline) -> tuple[str, ...]:
    """The resource types that the services of patient-view read, the Patient first: for the scopes to ask for."""
    found: dict[str, None] = {"Patient": None}
    for need in _needs(pipeline):
        found |= dict.fromkeys(need.types)
    return tuple(found)


def _needs(pipeline: Pipeline) -> list[Need]:
    listing = pipeline.discovery()["services"]
    assert isinstance(listing, list)
    desks = [pipeline.desk(service["id"]) for service in listing]
    return [need for desk in desks for need in desk.needs.values()]
