"""SMART App Launch 2.2, the app's side: registered EHRs, PKCE, the exchange of a code, and the id_token.

Nothing is fetched for an issuer that is not registered, exactly; and nothing from a host that is not named in the
registration. Source: hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html, OpenID Connect Core 1.0, RFC 7636.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from joserfc import jwt

from cds_service.clock import Clock, Deadline
from cds_service.errors import CurbsideError, SettingsError
from cds_service.language import Message, msg
from cds_service.observer import NOBODY, Observer
from cds_service.outbound import Outbound, OutboundError, Secret
from cds_service.protocol.context import FHIR_ID
from cds_service.protocol.request import BEARER
from cds_service.security import id_token
from cds_service.security.smart_registration import Registration as Registration
from cds_service.security.smart_registration import registered
from cds_service.settings import Settings

SESSION_SCOPES = ("openid", "fhirUser", "online_access")
_TIMEOUT_S = 5.0
_MAX_BYTES = 200_000
_ASSERTION_S = 240
_NO_ENDPOINT = msg(
    "The EHR does not say where its sign-in is, or names a place that is not registered for it. Tell your help desk."
)


class LaunchError(CurbsideError):
    """A launch that cannot go on; the words are for the person at the screen, the reason for the log."""

    http_status = 400
    issue_code = "login"

    def __init__(self, words: Message, reason: str = "") -> None:
        super().__init__(words)
        self.reason = reason or str(words)


class InvalidGrant(LaunchError):
    """The EHR's token endpoint says no to what it was sent (RFC 6749, 5.2), and will not say yes to it later."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What must be remembered between leaving for the EHR and coming back.

    issuer: as the authorization server names itself, if it does. says_issuer: it says so again on the way back.
    """

    registration: str
    state: str
    nonce: str
    verifier: str
    token_endpoint: str
    jwks_uri: str
    issuer: str = ""
    says_issuer: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What an EHR granted: whose record, to whom, in which scopes. expires: of the access token."""

    patient: str
    encounter: str | None
    user: str
    user_name: str
    scopes: tuple[str, ...]
    access_token: Secret
    refresh_token: Secret | None
    expires: datetime
    needs_banner: bool
    app_context: str | None = None

    def allows(self, type_: str) -> bool:
        """True if the scopes let the type be searched."""
        for scope in self.scopes:
            context, _, rest = scope.partition("/")
            name, _, letters = rest.partition("?")[0].partition(".")
            if context in ("patient", "user") and name in (type_, "*"):
                return letters in ("read", "*") or "s" in letters
        return False


class SmartClient:
    """Starts and finishes launches. Made before the fork."""

    def __init__(self, settings: Settings, clock: Clock, observer: Observer = NOBODY) -> None:
        """Raises SettingsError naming the registration and the key to mend."""
        self._clock = clock
        self.registrations: dict[str, Registration] = {}
        for name, ehr in settings.smart.items():
            self.registrations[name] = registered(name, ehr, settings)
        issuers = [r.issuer for r in self.registrations.values()]
        if len(set(issuers)) != len(issuers):
            raise SettingsError("settings: two [smart.NAME] tables have the same issuer. Merge the two.")
        allowed = [origin for r in self.registrations.values() for origin in r.origins]
        self._outbound = Outbound(
            allowed,
            allow_insecure_loopback=settings.dev.allow_insecure_loopback,
            ca_file=settings.fetch.ca_file,
            purpose="smart",
            observer=observer,
        )

    def by_issuer(self, issuer: str) -> Registration:
        """The registration of an issuer, compared exactly but for a final slash. Raises LaunchError."""
        for registration in self.registrations.values():
            if secrets.compare_digest(registration.issuer.encode(), issuer.rstrip("/").encode()):
                return registration
        raise LaunchError(msg("This EHR is not registered here, so nothing was asked of it."))

    def begin(
        self, registration: Registration, launch: str | None, redirect_uri: str, types: Iterable[str], issuer: str = ""
    ) -> tuple[Flow, str]:
        """The flow to remember and the URL to send the browser to. types: resource types to ask for.

        issuer: as the EHR wrote it, for it may compare `aud` to the letter; by default as it is registered.
        """
        found = self._configuration(registration)
        verifier = secrets.token_urlsafe(48)
        flow = Flow(
            registration.name,
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            verifier,
            found["token_endpoint"],
            found["jwks_uri"],
            found["issuer"],
            bool(found["says_issuer"]),
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": registration.ehr.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(
                ("launch" if launch else "launch/patient", *SESSION_SCOPES, *(f"patient/{t}.rs" for t in types))
            ),
            "state": flow.state,
            "nonce": flow.nonce,
            "aud": issuer or registration.ehr.issuer,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | ({"launch": launch} if launch else {})
        endpoint = found["authorization_endpoint"]
        return flow, f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def reach(self, registration: Registration) -> None:
        """Asks for what a launch begins and ends with, signed by nobody. Raises LaunchError, whose reason says why."""
        keys = self._configuration(registration)["jwks_uri"]
        self._json("key set", lambda d: self._outbound.get(keys, deadline=d, max_bytes=_MAX_BYTES).body)

    def finish(self, flow: Flow, code: str, redirect_uri: str, issuer: str | None = None) -> Grant:
        """What the EHR grants for a code. Raises LaunchError for anything that is not as it must be.

        issuer: who sent the code, where it says so: a code of another EHR's must not be handed to this one (RFC 9207).
        """
        registration = self.registrations[flow.registration]
        own = self._names(registration, flow.issuer)
        if (issuer is None and flow.says_issuer) or (issuer is not None and issuer.rstrip("/") not in own):
            words = msg("The answer did not come from the EHR that was asked. Start again from the EHR.")
            raise LaunchError(words, "the iss that came with the code is missing or another EHR's")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.verifier,
        }
        got = self._tokens(registration, flow.token_endpoint, form)
        claims = self._id_token(registration, flow, got.get("id_token"))
        return self._grant(got, claims)

    def _names(self, registration: Registration, stated: str) -> set[str]:
        """What an EHR is called where it sends a code: as it is registered, and as its discovery document calls it.

        stated: by that document. An EHR that is broken into writes there what it likes: another EHR's name is not
        believed, nor one at another EHR's origins.
        """
        others = [one for one in self.registrations.values() if one is not registration]
        foreign = not registration.owns(stated) and any(other.owns(stated) for other in others)
        if foreign or any(stated.rstrip("/") in other.names for other in others):
            return registration.names
        return registration.names | ({stated.rstrip("/")} - {""})

    def refresh(self, registration: Registration, grant: Grant) -> Grant:
        """The grant with a new access token; as it was where the EHR gives none just now, and without its refresh
        token where the EHR refuses that for good.
        """
        if grant.refresh_token is None:
            return grant
        kept = {"sub": grant.user, "fhirUser": grant.user, "name": grant.user_name}
        told: dict[str, Any] = {"patient": grant.patient, "encounter": grant.encounter, "appContext": grant.app_context}
        told |= {"scope": " ".join(grant.scopes), "need_patient_banner": grant.needs_banner}
        told |= {"refresh_token": grant.refresh_token.reveal()}  # good again, unless the EHR sends another
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        try:
            endpoint = self._configuration(registration)["token_endpoint"]
        except LaunchError:
            return grant
        try:
            got = self._tokens(registration, endpoint, form)
            renewed = self._grant(told | {name: value for name, value in got.items() if value is not None}, kept)
        except InvalidGrant:
            return replace(grant, refresh_token=None)
        except LaunchError:
            return grant
        return renewed if renewed.patient == grant.patient else replace(grant, refresh_token=None)

    def _configuration(self, registration: Registration) -> dict[str, str]:
        """What a launch needs of the EHR's discovery document; empty where it does not say. Raises LaunchError."""
        url = f"{registration.issuer}/.well-known/smart-configuration"
        found = self._json(
            "smart-configuration", lambda d: self._outbound.get(url, deadline=d, max_bytes=_MAX_BYTES).body
        )
        methods = found.get("code_challenge_methods_supported")
        if not isinstance(methods, list) or "S256" not in methods:
            raise LaunchError(msg("The EHR does not offer PKCE with S256, which this app requires."))
        endpoints = {}
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            value = found.get(name)
            if not isinstance(value, str) or not registration.owns(value):
                where = "is missing from its smart-configuration"
                if value is not None:
                    where = "is on a host that is neither the issuer's nor among smart.NAME.origins"
                raise LaunchError(_NO_ENDPOINT, f"the EHR's {name} {where}")
            endpoints[name] = value
        issuer = found.get("issuer")
        endpoints["issuer"] = issuer if isinstance(issuer, str) else ""
        endpoints["says_issuer"] = "yes" if found.get("authorization_response_iss_parameter_supported") is True else ""
        return endpoints

    def _tokens(self, registration: Registration, endpoint: str, form: Mapping[str, str]) -> dict[str, Any]:
        sent, token = dict(form), None
        if registration.ehr.auth == "client_secret" and registration.secret is not None:
            pair = f"{registration.ehr.client_id}:{registration.secret.reveal()}"
            token = Secret(base64.b64encode(pair.encode()).decode(), "Basic")
        else:
            sent["client_id"] = registration.ehr.client_id
        if registration.ehr.auth == "private_key_jwt":
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            sent |= {"client_assertion_type": kind, "client_assertion": self._assertion(registration, endpoint)}
        body = urlencode(sent).encode()
        return self._json(
            "token endpoint",
            lambda d: (
                self._outbound.post(
                    endpoint,
                    body,
                    content_type="application/x-www-form-urlencoded",
                    deadline=d,
                    max_bytes=_MAX_BYTES,
                    token=token,
                ).body
            ),
        )

    def _assertion(self, registration: Registration, endpoint: str) -> str:
        """A token that proves who the client is, signed with the first of its keys."""
        assert registration.keys is not None
        key = registration.keys.keys[0]
        now = int(self._clock.now().timestamp())
        name = registration.ehr.client_id
        claims = {"iss": name, "sub": name, "aud": endpoint, "iat": now, "exp": now + _ASSERTION_S}
        claims["jti"] = secrets.token_urlsafe(24)
        algorithm = "ES384" if key.key_type == "EC" else "RS384"
        return jwt.encode({"alg": algorithm, "typ": "JWT", "kid": key.kid}, claims, key, algorithms=[algorithm])

    def _id_token(self, registration: Registration, flow: Flow, compact: Any) -> Mapping[str, Any]:
        """The claims of an id_token once all of them are checked. Raises LaunchError."""
        found = self._json(
            "key set", lambda d: self._outbound.get(flow.jwks_uri, deadline=d, max_bytes=_MAX_BYTES).body
        )
        issuer = registration.ehr.id_token_issuer.rstrip("/") or registration.issuer
        expected = id_token.Expected(issuer, registration.ehr.client_id, flow.nonce)
        try:
            return id_token.checked(compact, found, expected, self._clock.now())
        except id_token.Untrusted as error:
            words = msg("The EHR's word on who you are could not be checked. Start again from the EHR.")
            raise LaunchError(words, str(error)) from None

    def _grant(self, got: Mapping[str, Any], claims: Mapping[str, Any]) -> Grant:
        patient, token, scope = got.get("patient"), got.get("access_token"), got.get("scope")
        lasts = got.get("expires_in", 300)
        if isinstance(lasts, str) and lasts.isascii() and lasts.isdigit():  # as some servers write it
            lasts = int(lasts[:9])
        if not isinstance(patient, str) or FHIR_ID.fullmatch(patient) is None:
            raise LaunchError(
                msg("The EHR did not say which patient is open. Open a patient first, then start the app.")
            )
        kind = str(got.get("token_type", "")).lower()
        if not isinstance(token, str) or BEARER.fullmatch(token) is None or kind != "bearer":
            raise LaunchError(msg("The EHR's answer holds no bearer token. Start again from the EHR."))
        if not isinstance(scope, str) or isinstance(lasts, bool) or not isinstance(lasts, int | float):
            raise LaunchError(msg("The EHR did not say what it grants. Start again from the EHR."))
        refresh, context, encounter = got.get("refresh_token"), got.get("appContext"), got.get("encounter")
        expires = datetime.fromtimestamp(self._clock.now().timestamp() + min(max(float(lasts), 0.0), 86_400.0), tz=UTC)
        return Grant(
            patient=patient,
            encounter=encounter if isinstance(encounter, str) and FHIR_ID.fullmatch(encounter) else None,
            user=str(claims["fhirUser"]),
            user_name=str(claims.get("name") or ""),
            scopes=tuple(scope.split()),
            access_token=Secret(token),
            refresh_token=Secret(refresh) if isinstance(refresh, str) else None,
            expires=expires,
            needs_banner=got.get("need_patient_banner") is not False,
            app_context=context if isinstance(context, str) else None,
        )

    def _json(self, what: str, ask: Callable[[Deadline], bytes]) -> dict[str, Any]:
        """The JSON object of an answer. Raises LaunchError in words that hold nothing of it."""
        try:
            value = orjson.loads(ask(Deadline.after(_TIMEOUT_S)))
        except OutboundError as error:
            kind = InvalidGrant if error.status == 400 else LaunchError
            words = msg("The EHR did not answer as expected. Try again; if it stays, tell your help desk.")
            status = f" {error.status}" if error.status is not None else ""
            raise kind(words, f"the EHR's {what}: {error.kind.value}{status}") from None
        except ValueError:
            value = None
        if not isinstance(value, dict):
            words = msg("The EHR's answer could not be read. Tell your help desk.")
            raise LaunchError(words, f"the EHR's {what}: no JSON object")
        return value

    def public_keys(self) -> dict[str, Any]:
        """The key set that EHRs fetch to check our assertions: public parts of every key, for rotation."""
        sets = [r.keys for r in self.registrations.values() if r.keys is not None]
        found = {key.kid: key.as_dict(private=False) | {"use": "sig"} for keys in sets for key in keys.keys}
        return {"keys": list(found.values())}
