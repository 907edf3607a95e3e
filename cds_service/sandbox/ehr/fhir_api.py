"""The sandbox EHR's FHIR API: reads, searches and pages of one patient's record, under a bearer token."""

from __future__ import annotations

import time
from collections.abc import Iterable

import orjson
from flask import Blueprint, Response, request

from cds_service.sandbox.ehr.state import USER, Ehr
from cds_service.sandbox.ehr.tokens import Grant
from cds_service.sandbox.faults import outcome
from cds_service.sandbox.fhir_server import CAPABILITIES, page_of
from cds_service.sandbox.prefetch import Shelf
from cds_service.sandbox.resources import Json
from cds_service.sandbox.search import UnsupportedSearch

_PAGE = 100
_SLOW_S = 2.0


def blueprint(ehr: Ehr) -> Blueprint:
    """`/fhir/...` for the charts of an EHR."""
    routes = Blueprint("fhir", __name__, url_prefix="/fhir")

    @routes.before_request
    def misbehave() -> Response | None:
        if "slow-fhir" in ehr.switches:
            time.sleep(_SLOW_S)
        if "broken-fhir" in ehr.switches and not request.path.endswith("smart-configuration"):
            return _answer(outcome("exception", "the server is out of order"), 500)
        return None

    @routes.get("/metadata")
    def metadata() -> Response:
        return _answer(CAPABILITIES)

    @routes.get("/<type_>/<id_>")
    def read(type_: str, id_: str) -> Response:
        grant = _grant(ehr, type_, "r")
        if isinstance(grant, Response):
            return grant
        found = USER if (type_, id_) == ("Practitioner", USER["id"]) else _shelf(ehr, grant).read(f"{type_}/{id_}")
        return _answer(found) if found else _answer(outcome("not-found", "there is no such resource"), 404)

    @routes.get("/<type_>")
    def query(type_: str) -> Response:
        return _search(ehr, type_, request.query_string.decode())

    @routes.post("/<type_>/_search")
    def posted_query(type_: str) -> Response:
        parts = (request.query_string.decode(), request.get_data(as_text=True))
        return _search(ehr, type_, "&".join(part for part in parts if part))

    return routes


def _search(ehr: Ehr, type_: str, parameters: str) -> Response:
    grant = _grant(ehr, type_, "s")
    if isinstance(grant, Response):
        return grant
    try:
        with ehr.lock:
            return _answer(page_of(_shelves(ehr, grant), ehr.fhir, _PAGE, type_, parameters))
    except (UnsupportedSearch, ValueError):
        return _answer(outcome("not-supported", "this search is not supported"), 400)


def _grant(ehr: Ehr, type_: str, action: str) -> Grant | Response:
    grant = ehr.tokens.granted(request.headers.get("Authorization", ""))
    if grant is None or ("refused-token" in ehr.switches and grant.client_id == "cds-service"):
        return _answer(outcome("login", "a valid bearer token is needed"), 401)
    if not grant.allows(type_, action):
        return _answer(outcome("forbidden", "the scopes of this token do not cover that"), 403)
    return grant


def _shelf(ehr: Ehr, grant: Grant) -> Shelf:
    return ehr.charts[grant.launch.patient].shelf


def _shelves(ehr: Ehr, grant: Grant) -> Iterable[Shelf]:
    return (_shelf(ehr, grant),)


def _answer(body: Json, status: int = 200) -> Response:
    response = Response(orjson.dumps(body), status, mimetype="application/fhir+json")
    response.headers["Cache-Control"] = "no-store"
    return response
