"""Who calls: decided once, before any route sees the call, for discovery, hooks and feedback alike.

With clients configured, every call needs a client's token; without any, only callers on this machine are answered.
Health is open: a load balancer has no token.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import structlog
from flask import Flask, Response, g, request

from cds_service.errors import StoreError, Unauthorized
from cds_service.security.trust import Caller, Trust
from cds_service.stores.jti import TokenStore
from cds_service.web.errors import refusal
from cds_service.web.limits import Rates, Running
from cds_service.web.peers import Peers

OPEN = frozenset({"health", "metrics", "app"})  # blueprints that have no callers, or judge them by themselves
STORES_USE = frozenset({"cds_hooks.invoke", "feedback.receive"})  # these write the token's use with what they store
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Guard:
    """What it takes to know and to bound a caller. tokens: None where nothing is stored."""

    trust: Trust
    tokens: TokenStore | None
    peers: Peers
    rates: Rates
    running: Running
    base_url: str
    unsigned_loopback: bool = False


def caller() -> Caller:
    """The caller of the current request; one without a name where no guard is registered."""
    found: Caller = g.get("caller") or Caller()
    return found


def register(app: Flask, guard: Guard) -> None:
    """Puts the guard before all routes but the open ones."""

    def admit() -> None:
        if request.blueprint in OPEN:
            return
        try:
            _admit()
        except Unauthorized:
            structlog.contextvars.bind_contextvars(peer=guard.peers.address(request.environ))
            raise

    def _admit() -> None:
        unsigned = guard.unsigned_loopback and "Authorization" not in request.headers
        if unsigned or not guard.trust.configured:
            if (elsewhere := guard.peers.elsewhere(request.environ)) is not None:
                why = "the call has no token" if guard.trust.configured else "no CDS Client is configured"
                raise Unauthorized(f"{why}, and {elsewhere}")
            g.caller = guard.trust.local
            return
        away = request.environ.get("curbside.away", nullcontext)
        found = guard.trust.identify(request.headers.get("Authorization"), guard.base_url + request.path, away)
        name = found.client or ""
        structlog.contextvars.bind_contextvars(client=name)
        guard.rates.take(name)
        guard.running.enter(name)
        g.running = name
        guard.trust.reserve(found)
        g.caller = found
        if request.endpoint not in STORES_USE:
            _spend(guard.tokens, found)

    def finish(response: Response) -> Response:
        """A token whose use was not stored with an answer is spent by a refused call as well."""
        found = caller()
        if found.use is not None and not found.use.spent and response.status_code != 401:
            try:
                _spend(guard.tokens, found)
            except Unauthorized as error:
                return refusal(error)
        return response

    def leave(_error: BaseException | None) -> None:
        name = g.pop("running", None)
        if name is not None:
            guard.running.leave(name)

    app.before_request(admit)
    app.after_request(finish)
    app.teardown_request(leave)


def _spend(tokens: TokenStore | None, found: Caller) -> None:
    """Commits the use of a token. While the database is away, each worker still refuses what it has seen itself."""
    if tokens is None or found.use is None:
        return
    try:
        tokens.spend(found.use)
    except StoreError as error:
        _log.error("token use not stored", client=found.client, reason=str(error))
    except Unauthorized as error:
        raise Unauthorized(error.reason, found.client) from None
