"""The sandbox EHR's SMART App Launch 2.2 authorization server, for the one app that is registered.

Source: hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html. The user is already signed in to the EHR, so an EHR
launch is granted without a question; a standalone launch asks for the patient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, redirect, render_template, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from werkzeug.wrappers import Response as Redirect

from cds_service.sandbox.ehr import view
from cds_service.sandbox.ehr.state import USER, Ehr
from cds_service.sandbox.ehr.tokens import TOKEN_LIFE, Grant, Launch

CLIENT_ID = "curbside-review"
NARROW = ("patient/Patient.rs", "patient/Observation.rs")
_CONTEXT = ("openid", "fhirUser", "launch", "launch/patient", "online_access", "offline_access")


@dataclass(slots=True)
class Smart:
    """How the authorization server behaves.

    id_token: changes of its claims; None drops one. configuration: changes of its discovery document. secret: that
    the app must send (HTTP Basic); client_keys: the app's key set, by which its assertions must be signed. Without
    either, the app is public.
    """

    id_token: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    secret: str | None = None
    client_keys: dict[str, Any] | None = None


def blueprint(ehr: Ehr, smart: Smart) -> Blueprint:
    """Discovery, authorization, token and key endpoints."""
    tokens = ehr.tokens
    routes = Blueprint("smart", __name__)

    @routes.get("/fhir/.well-known/smart-configuration")
    def configuration() -> Response:
        return _json(_configuration(ehr) | smart.configuration)

    @routes.get("/jwks")
    def jwks() -> Response:
        return Response(ehr.signer.jwks(), mimetype="application/json")

    @routes.get("/smart/authorize")
    def authorize() -> Response | Redirect | str | tuple[str, int]:
        asked = request.args
        problem = _unsafe(ehr, asked)
        if problem:
            return render_template("message.html", title="The app cannot be opened", text=problem), 400
        wrong = _wrong(ehr, asked)
        if wrong:
            return _back(asked["redirect_uri"], error=wrong[0], error_description=wrong[1], state=asked.get("state"))
        launch = tokens.launches.get(asked.get("launch", ""))
        if launch is None:
            chosen = asked.get("patient", "")
            if chosen not in ehr.charts:
                charts = [(one, view.person(one.patient, ehr.now().date())) for one in ehr.charts.values()]
                return render_template("choose.html", charts=charts, asked=asked)
            launch = Launch(chosen)
        scope = _granted(ehr, asked["scope"].split())
        grant = Grant(CLIENT_ID, launch, scope, ehr.now() + TOKEN_LIFE, asked.get("nonce"))
        code = tokens.code(grant, asked["redirect_uri"], asked["code_challenge"])
        return _back(asked["redirect_uri"], code=code, state=asked.get("state"))

    @routes.post("/smart/token")
    def token() -> Response:
        return _token(ehr, smart)

    return routes


def _configuration(ehr: Ehr) -> dict[str, Any]:
    return {
        "issuer": ehr.fhir,
        "jwks_uri": f"{ehr.base}/jwks",
        "authorization_endpoint": f"{ehr.base}/smart/authorize",
        "token_endpoint": f"{ehr.base}/smart/token",
        "token_endpoint_auth_methods_supported": ["none"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "response_types_supported": ["code"],
        "scopes_supported": [*_CONTEXT, "patient/*.rs"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "launch-ehr", "launch-standalone", "client-public", "sso-openid-connect", "context-ehr-patient",
            "context-ehr-encounter", "context-standalone-patient", "context-banner", "permission-online",
            "permission-patient", "permission-v2",
        ],
    }  # fmt: skip


def _unsafe(ehr: Ehr, asked: Any) -> str | None:
    """Why the browser must not be sent back to the app at all, or None."""
    if asked.get("client_id") != CLIENT_ID:
        return "No app is registered under this client_id."
    if asked.get("redirect_uri") not in ehr.redirects:
        return "This redirect_uri is not registered for the app."
    return None


def _wrong(ehr: Ehr, asked: Any) -> tuple[str, str] | None:
    """OAuth error and description of a request that cannot be granted, or None."""
    scopes = asked.get("scope", "").split()
    checks = (
        (asked.get("response_type") == "code", "unsupported_response_type", "response_type must be code"),
        (asked.get("aud") == ehr.fhir, "invalid_request", "aud must be the FHIR base URL"),
        (asked.get("code_challenge_method") == "S256", "invalid_request", "code_challenge_method must be S256"),
        (bool(asked.get("code_challenge")), "invalid_request", "code_challenge is missing"),
        (bool(asked.get("state")), "invalid_request", "state is missing"),
        (bool(scopes), "invalid_scope", "scope is missing"),
        ("launch" not in asked or asked["launch"] in ehr.tokens.launches, "invalid_request", "launch is not known"),
        ("launch" in asked or "launch/patient" in scopes, "invalid_scope", "a standalone launch needs launch/patient"),
    )
    return next(((error, words) for good, error, words in checks if not good), None)


def _granted(ehr: Ehr, asked: list[str]) -> tuple[str, ...]:
    if "narrow-scopes" not in ehr.switches:
        return tuple(asked)
    return (*(scope for scope in asked if scope in _CONTEXT), *NARROW)


def _token(ehr: Ehr, smart: Smart) -> Response:
    sent, tokens = request.form, ehr.tokens
    if not _proved(ehr, smart):
        return _json({"error": "invalid_client"}, 401)
    if sent.get("grant_type") == "authorization_code":
        grant = tokens.exchange(
            sent.get("code", ""), sent.get("redirect_uri", ""), sent.get("code_verifier", ""), CLIENT_ID
        )
    elif sent.get("grant_type") == "refresh_token":
        old = tokens.refresh.pop(sent.get("refresh_token", ""), None)
        grant = old and Grant(old.client_id, old.launch, old.scope, ehr.now() + TOKEN_LIFE, old.nonce)
    else:
        return _json({"error": "unsupported_grant_type"}, 400)
    if grant is None:
        return _json({"error": "invalid_grant"}, 400)
    return _json(_token_response(ehr, smart, grant))


def _proved(ehr: Ehr, smart: Smart) -> bool:
    """True if the app has proved that it is the one that is registered."""
    sent = request.form
    if smart.secret is not None:
        given = request.authorization
        return given is not None and (given.username, given.password) == (CLIENT_ID, smart.secret)
    if sent.get("client_id") != CLIENT_ID:
        return False
    if smart.client_keys is None:
        return True
    try:
        keys = KeySet.import_key_set(smart.client_keys)  # type: ignore[arg-type]
        token = jwt.decode(sent.get("client_assertion", ""), keys, algorithms=["ES384", "RS384"])
    except (JoseError, ValueError):
        return False
    claims, now = token.claims, ehr.now().timestamp()
    return (
        claims.get("iss") == claims.get("sub") == CLIENT_ID
        and claims.get("aud") == f"{ehr.base}/smart/token"
        and now < claims.get("exp", 0) <= now + 300
        and bool(claims.get("jti"))
    )


def _token_response(ehr: Ehr, smart: Smart, grant: Grant) -> dict[str, Any]:
    launch = grant.launch
    body: dict[str, Any] = {
        "access_token": ehr.tokens.token(grant),
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()),
        "scope": " ".join(grant.scope),
        "patient": launch.patient,
        "need_patient_banner": not launch.framed,
    }
    if launch.encounter:
        body["encounter"] = launch.encounter
    if launch.app_context is not None:
        body["appContext"] = launch.app_context
    if "openid" in grant.scope:
        body["id_token"] = _id_token(ehr, smart, grant)
    if {"online_access", "offline_access"} & set(grant.scope):
        body["refresh_token"] = ehr.tokens.refresh_token(grant)
    return body


def _id_token(ehr: Ehr, smart: Smart, grant: Grant) -> str:
    user = f"{ehr.fhir}/Practitioner/{USER['id']}"
    claims: dict[str, Any] = {"sub": USER["id"], "fhirUser": user, "name": USER["name"][0]["text"]}
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    expires = int((ehr.now() + timedelta(minutes=5)).timestamp())
    claims |= {"exp": expires, "jti": None, **smart.id_token}
    return ehr.signer.token(grant.client_id, claims=claims, header={"jku": None})


def _back(redirect_uri: str, **parameters: str | None) -> Redirect:
    given = {name: value for name, value in parameters.items() if value is not None}
    separator = "&" if "?" in redirect_uri else "?"
    return redirect(f"{redirect_uri}{separator}{urlencode(given)}")


def _json(body: dict[str, Any], status: int = 200) -> Response:
    response = Response(orjson.dumps(body), status, mimetype="application/json")
    response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache"})
    return response
