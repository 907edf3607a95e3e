"""Starting the app: from the EHR or by itself, to the EHR's authorization server, and back with a review open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import orjson
import structlog
from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from cds_service.clock import Clock
from cds_service.language import msg
from cds_service.security.smart import Flow, LaunchError, SmartClient
from cds_service.stores.app_sessions import AppSessionStore
from cds_service.web.app.pages import Pages
from cds_service.web.app.session import Sessions, cookie, give, take

_FLOW_LIFE = timedelta(minutes=10)
_LONGEST = 4000
_ERRORS = frozenset(
    {
        "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
        "server_error", "temporarily_unavailable", "interaction_required", "login_required",
        "account_selection_required", "consent_required",
    }
)  # RFC 6749, 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6  # fmt: skip


def routes(
    blueprint: Blueprint,
    smart: SmartClient,
    sessions: Sessions,
    store: AppSessionStore,
    pages: Pages,
    clock: Clock,
    types: Iterable[str],
) -> None:
    """Adds `/app/launch`, `/app/callback`, `/app/jwks` and `/app/`. types: what the models read of a record."""
    asked = tuple(types)

    @blueprint.get("/")
    def home() -> str:
        return pages.render("home.html", registrations=smart.registrations.values())

    @blueprint.get("/launch")
    def launch() -> Answer:
        issuer, opened = request.args.get("iss", ""), request.args.get("launch")
        if not issuer:
            raise LaunchError(msg("This address is for EHRs: it needs the parameters iss and launch."))
        if len(request.query_string) > _LONGEST:
            raise LaunchError(msg("The launch is longer than any EHR's is."))
        registration = smart.by_issuer(issuer)
        structlog.contextvars.bind_contextvars(client=registration.name)
        flow, url = smart.begin(registration, opened, _callback(), asked, issuer)
        now = clock.now()
        store.prune(now)
        content = {name: getattr(flow, name) for name in Flow.__slots__}
        value = store.put("flow", content, now + _FLOW_LIFE)
        response = redirect(url)
        give(response, _flow_id(flow.state), value)
        return response

    @blueprint.get("/callback")
    def callback() -> Answer:
        flow = _begun(store, clock)
        structlog.contextvars.bind_contextvars(client=flow.registration)
        code = request.args.get("code", "")
        if "error" in request.args or not code:
            words = msg("The EHR did not allow the app to open this record. Start again, or ask your help desk.")
            raise LaunchError(words, _refusal(request.args.get("error")))
        grant = smart.finish(flow, code, _callback(), request.args.get("iss"))
        review, opened = sessions.open(flow.registration, grant)
        response = redirect(url_for("app.review", id_=review.id))
        take(response, _flow_id(flow.state))
        give(response, review.id, opened)
        return response

    @blueprint.get("/jwks")
    def jwks() -> Response:
        return Response(orjson.dumps(smart.public_keys()), mimetype="application/json")

    def _callback() -> str:
        return pages.callback


def _begun(store: AppSessionStore, clock: Clock) -> Flow:
    """The launch that the EHR answers, which this browser began; it is good once. Raises LaunchError."""
    state = request.args.get("state", "")
    value = request.cookies.get(cookie(_flow_id(state))) if state else None
    content = store.take("flow", value, clock.now()) if value else None
    if content is None or content["state"] != state:
        raise LaunchError(
            msg(
                "This launch was not begun in this browser, was used before, or took too long. Start again from the "
                "EHR. If that happens each time, the browser may block cookies in frames: open the app in its own "
                "window."
            )
        )
    return Flow(**content)


def _refusal(error: str | None) -> str:
    """What the EHR's authorization endpoint answered, for the log: a word of the standards, and no other."""
    if error is None:
        return "the EHR sent neither a code nor an error"
    return f"the EHR answered {error if error in _ERRORS else 'an error that no standard knows'}"


def _flow_id(state: str) -> str:
    return "flow-" + "".join(letter for letter in state[:16] if letter.isalnum() or letter in "-_")
