"""Trust: which CDS Client a token speaks for, and what that client may name as its FHIR server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cds_service.clock import Clock, Deadline
from cds_service.errors import Forbidden, SettingsError, Unauthorized
from cds_service.observer import NOBODY, Observer
from cds_service.outbound import Base, Outbound
from cds_service.security import client_jwt
from cds_service.security.client_jwt import ALGORITHMS, Token
from cds_service.security.keys import Away, KeyRing, Lives, Read, Spawn
from cds_service.settings import Client, Settings
from cds_service.stores.jti import TokenUse

Fetch = Callable[[str, Deadline], bytes]
_MAX_KEY_SET_BYTES = 1_000_000
_MAX_REMEMBERED = 50_000
_FORGET_EVERY = 2_000  # tokens after which those that have expired are forgotten


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, once that is proved.

    client: the name in the settings; None for a caller on this machine where no client is configured.
    issuer, tenant: of the token. fhir_base_urls: where data may be fetched for this caller, without a final slash.
    use: the use of the token, to be written with what the call stores.
    """

    client: str | None = None
    issuer: str | None = None
    tenant: str | None = None
    fhir_base_urls: tuple[str, ...] = ()
    use: TokenUse | None = field(default=None, compare=False)

    def stored(self) -> None:
        """Notes that the use of the token was committed with what the call stored."""
        if self.use is not None:
            self.use.spent = True

    def fhir_base(self, fhir_server: str | None) -> str | None:
        """The configured base URL that a call's `fhirServer` names; None if it names none.

        A caller without a token may name any server: nothing is fetched from one that is not configured. Raises
        Forbidden where a client names a server that is not one of its own: its patients are not these patients.
        """
        if fhir_server is None:
            return None
        base = fhir_server.rstrip("/")
        if base in self.fhir_base_urls:
            return base
        if self.client is None:
            return None
        raise Forbidden(
            "fhirServer is not a FHIR base URL that is configured for this CDS Client; have it added to "
            "fhir_base_urls, or mend the call"
        )


class Trust:
    """The configured CDS Clients and their keys, in one process."""

    def __init__(self, settings: Settings, clock: Clock, fetch: Fetch, spawn: Spawn | None = None) -> None:
        """fetch: reads a key set from its URL. Raises SettingsError naming the client and the key to mend."""
        self._settings = settings.security
        self._clock = clock
        lives = Lives(
            refresh=timedelta(seconds=settings.security.keys_refresh_s),
            stale=timedelta(seconds=settings.security.keys_stale_s),
        )
        timeout_s = settings.security.keys_timeout_s
        self._clients: dict[str, tuple[str, Client]] = {}
        self._rings: dict[str, KeyRing] = {}
        for name, client in settings.clients.items():
            _check(name, client, settings.dev.allow_insecure_loopback)
            if client.issuer in self._clients:
                other = self._clients[client.issuer][0]
                raise SettingsError(f"settings: clients.{name}.issuer is also that of clients.{other}. Merge the two.")
            self._clients[client.issuer] = name, client
            for algorithm in client.algorithms:
                client_jwt.registry(algorithm)
            self._rings[client.issuer] = KeyRing(name, reader(client, fetch, timeout_s), lives, clock, spawn)
        self.local = Caller(fhir_base_urls=_bases(settings.dev.fhir_base_urls))
        self._recent = _Recent()

    @property
    def configured(self) -> bool:
        """True if there are clients, so that every call needs a token."""
        return bool(self._clients)

    def identify(self, authorization: str | None, url: str, away: Away = nullcontext) -> Caller:
        """The caller whom an Authorization header proves.

        url: what is called. away: entered while keys are fetched, so that others may compute. Raises Unauthorized.
        """
        token = client_jwt.read(client_jwt.bearer(authorization))
        name, client = self._clients.get(token.claims.iss, ("", None))
        if client is None:
            raise Unauthorized("the token's issuer is not configured")
        try:
            return self._judge(token, name, client, url, away)
        except Unauthorized as error:
            raise Unauthorized(error.reason, name) from None

    def _judge(self, token: Token, name: str, client: Client, url: str, away: Away) -> Caller:
        header, claims, now = token.header, token.claims, self._clock.now()
        if header.alg not in client.algorithms:
            raise Unauthorized("the token's algorithm is not accepted")
        expected = client.jku or client.jwks_url
        if header.jku is not None and expected and header.jku != expected:
            raise Unauthorized("the token's jku is not the one that is configured")
        client_jwt.check_times(
            claims, now, leeway_s=self._settings.leeway_s, max_life_s=self._settings.max_token_life_s
        )
        if token.audiences.isdisjoint((url, *client.audiences)):
            raise Unauthorized(
                "the token is for another audience: neither the called URL (server.public_url and the path) "
                f"nor one of clients.{name}.audiences"
            )
        if client.tenants and claims.tenant not in client.tenants:
            raise Unauthorized("the token's tenant is not configured")
        key = self._rings[client.issuer].find(header.kid, header.alg, away)
        if key is None:
            raise Unauthorized("no key of that kid and algorithm is known, or the key set is too old")
        client_jwt.check_signature(token, key)
        use = TokenUse.of(
            claims.iss,
            claims.jti,
            expires=int(claims.exp) + self._settings.leeway_s + 1,
            now=int(now.timestamp()),
            enforce=client.jti == "enforce",
        )
        return Caller(name, claims.iss, claims.tenant, _bases(client.fhir_base_urls), use)

    def reserve(self, caller: Caller) -> None:
        """Notes the use of a token in this process, before any work is done for it.

        The database has the last word, for all processes; this spares the work of a plain replay, and holds while
        the database is away. Raises Unauthorized.
        """
        use = caller.use
        if use is not None and use.enforce and not self._recent.add(use.digest, use.expires, use.now):
            raise Unauthorized("the token was used before (jti)", caller.client)


class _Recent:
    """Tokens that this process has seen lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expires: dict[str, int] = {}
        self._look_again = _FORGET_EVERY

    def add(self, digest: str, expires: int, now: int) -> bool:
        """False if it was there already."""
        with self._lock:
            if digest in self._expires:
                return False
            if len(self._expires) >= self._look_again:
                self._expires = {d: e for d, e in self._expires.items() if e > now}
                self._look_again = len(self._expires) + _FORGET_EVERY
            if len(self._expires) < _MAX_REMEMBERED:
                self._expires[digest] = expires
            return True


def fetcher(settings: Settings, observer: Observer = NOBODY) -> Fetch:
    """Reads key sets from the configured URLs, and from nowhere else. Raises SettingsError naming what is unfit."""
    for name, client in settings.clients.items():
        _check(name, client, settings.dev.allow_insecure_loopback)
    outbound = Outbound(
        [client.jwks_url for client in settings.clients.values() if client.jwks_url],
        allow_insecure_loopback=settings.dev.allow_insecure_loopback,
        ca_file=settings.fetch.ca_file,
        purpose="keys",
        observer=observer,
    )

    def fetch(url: str, deadline: Deadline) -> bytes:
        return outbound.get(url, deadline=deadline, max_bytes=_MAX_KEY_SET_BYTES).body

    return fetch


def reader(client: Client, fetch: Fetch, timeout_s: float) -> Read:
    """Reads one client's key set from its file or URL."""
    if client.jwks_file is not None:
        path: Path = client.jwks_file
        return path.read_bytes
    return lambda: fetch(client.jwks_url, Deadline.after(timeout_s))


def _bases(urls: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(url.rstrip("/") for url in urls)


def _check(name: str, client: Client, insecure: bool) -> None:
    """Raises SettingsError for what makes a client unusable."""
    where = f"settings: clients.{name}"
    if not client.issuer:
        raise SettingsError(f"{where}.issuer is missing. Give the iss of the client's tokens.")
    if bool(client.jwks_url) == (client.jwks_file is not None):
        raise SettingsError(f"{where} must have either jwks_url or jwks_file, and not both.")
    urls: Mapping[str, tuple[str, ...]] = {
        "jwks_url": (client.jwks_url,) if client.jwks_url else (),
        "fhir_base_urls": client.fhir_base_urls,
    }
    for key, values in urls.items():
        for url in values:
            base = Base.of(url)
            if base is None:
                raise SettingsError(f"{where}.{key} must be an absolute URL without user, query or fragment.")
            if base.scheme != "https" and not (insecure and base.loopback):
                raise SettingsError(
                    f"{where}.{key} must be https, got {base.scheme}. Plain http is for this machine only, with "
                    "dev.allow_insecure_loopback = true."
                )
    unknown = [a for a in client.algorithms if a not in ALGORITHMS]
    if unknown or not client.algorithms:
        raise SettingsError(f"{where}.algorithms must be some of {', '.join(ALGORITHMS)}, got {unknown or 'none'}.")
