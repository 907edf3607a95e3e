"""CDS Hooks over HTTP: discovery and invocation."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from contextlib import nullcontext
from typing import TYPE_CHECKING

import orjson
from flask import Blueprint, Response, g, request
from werkzeug.datastructures import Headers

from cds_service.errors import PayloadTooLarge, UnsupportedMediaType
from cds_service.web.auth import caller
from cds_service.web.outcome import JSON

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from cds_service.pipeline import Pipeline


def blueprint(pipeline: Pipeline, max_body_bytes: int) -> Blueprint:
    """`GET /cds-services` and `POST /cds-services/{id}` for one pipeline."""
    routes = Blueprint("cds_hooks", __name__)
    listing = orjson.dumps(pipeline.discovery())
    etag = hashlib.sha256(listing).hexdigest()[:32]

    @routes.get("/cds-services", strict_slashes=False)
    def discover() -> Response:
        response = Response(listing, mimetype=JSON)
        response.set_etag(etag)
        response.headers["Cache-Control"] = "private, no-cache"  # kept by the client, and asked for again each time
        response.make_conditional(request)
        return response

    @routes.post("/cds-services/<service_id>", strict_slashes=False)
    def invoke(service_id: str) -> Response:
        g.service = pipeline.desk(service_id).service.id  # logged only if it is one of ours
        environ = request.environ
        answer = pipeline.answer(
            service_id,
            read_body(max_body_bytes),
            caller(),
            deadline=environ.get("curbside.deadline"),
            away=environ.get("curbside.away", nullcontext),
            hold=environ.get("curbside.hold", _let_go),
        )
        return _Answer(answer, mimetype=JSON)

    return routes


class _Answer(Response):
    """A whole JSON body: its headers are complete, and need not be looked through and copied once more."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as they are."""
        return self.headers


def _let_go(_what: object) -> None:
    """Holds nothing."""


def read_body(max_body_bytes: int) -> bytes:
    """The body as it arrived, without Werkzeug's form parsing. Raises on another media type or too large a body."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType("Content-Type must be application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType("Content-Encoding is not supported; send the JSON uncompressed")
    if (request.content_length or 0) > max_body_bytes:
        raise PayloadTooLarge(f"the body is larger than {max_body_bytes} bytes (limits.max_body_bytes)")
    body = request.stream.read()
    if len(body) > max_body_bytes:
        raise PayloadTooLarge(f"the body is larger than {max_body_bytes} bytes (limits.max_body_bytes)")
    return body.removeprefix(BOM_UTF8)  # which RFC 8259, section 8.1, lets a parser ignore
