"""What a failed call is answered with, and the log line and headers of every call."""

from __future__ import annotations

import time
from typing import Any

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from cds_service.errors import CurbsideError, Unauthorized
from cds_service.observer import NOBODY, Observer
from cds_service.web.logs import where
from cds_service.web.outcome import HEADERS, JSON, hints, of_error, outcome, request_id

_CODES = {404: "not-found", 405: "not-supported", 413: "too-long", 415: "not-supported"}
_WORDS = {
    404: "nothing is served at this path; GET /cds-services lists the services",
    405: "this path does not answer this method; see the Allow header",
}
_log = structlog.get_logger()


def register(app: Flask, observer: Observer = NOBODY) -> None:
    """Gives an application our errors, response headers and request log. observer: is told of every answer."""

    def end(response: Response) -> Response:
        asked, known = _current(request), _current(g)
        service = known.get("service")
        _end(asked, known, service, response)
        route = (asked.endpoint or "none").rpartition(".")[2]
        seconds = time.perf_counter() - asked.environ.get("curbside.started", known.started)
        observer.answered(route, service or "", response.status_code, seconds)
        return response

    app.before_request(_begin)
    app.after_request(end)
    app.register_error_handler(CurbsideError, refusal)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, crashed)


def _begin() -> None:
    structlog.contextvars.clear_contextvars()
    known = _current(g)
    known.request_id = request_id(request.environ.get("HTTP_X_REQUEST_ID"))
    known.started = time.perf_counter()


def _end(asked: Any, known: Any, service: str | None, response: Response) -> None:
    own = response.headers
    there = {name.lower() for name, _ in own}
    own.extend([header for header in HEADERS if header[0].lower() not in there])
    own["X-Request-Id"] = known.request_id
    if asked.method == "POST" or response.status_code >= 400:
        _log.info(
            "request",
            request_id=known.request_id,
            service=service,
            status=response.status_code,
            ms=round(1000 * (time.perf_counter() - known.started), 2),
        )


def _current(proxy: Any) -> Any:
    """What Flask's proxy stands for: each look through a proxy costs several calls."""
    return proxy._get_current_object()


def refusal(error: CurbsideError) -> Response:
    """The response to a call that cannot be answered; the log has the reason that a stranger is not told."""
    if isinstance(error, Unauthorized):
        _log.warning("caller refused", request_id=g.request_id, reason=error.reason, client=error.client)
    elif error.http_status >= 500:
        _log.error("failed", request_id=g.request_id, error=type(error).__name__, where=where(error))
    return Response(of_error(error), error.http_status, hints(error), mimetype=JSON)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    words = _WORDS.get(status, f"the request was refused with status {status}")
    response = Response(outcome(_CODES.get(status, "processing"), words), status, mimetype=JSON)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def crashed(error: Exception) -> Response:
    """The response to a call on which the service failed; the log says where, and nothing of the call."""
    _log.error("crashed", request_id=g.request_id, error=type(error).__name__, where=where(error))
    words = f"the service failed on this request; report the request id {g.request_id} to whoever runs it"
    return Response(outcome("exception", words), 500, mimetype=JSON)
