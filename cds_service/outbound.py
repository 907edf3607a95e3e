"""The only way to a socket out: FHIR servers, key sets, language models.

An exact allow-list of base URLs, https (plain http on loopback only where `dev.allow_insecure_loopback` says so), no
redirects, no proxies or credentials from the environment, a cap on bytes, and one deadline for everything from the
look-up of the name to the last byte. Errors and logs hold neither URLs, which may name a patient, nor tokens.
`requests` is imported when something is first fetched.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from cds_service.addresses import Base as Base
from cds_service.addresses import Secret as Secret
from cds_service.addresses import parts_of
from cds_service.breaker import Breaker
from cds_service.clock import Deadline
from cds_service.errors import SettingsError
from cds_service.exchange import Answer as Answer
from cds_service.exchange import Failure as Failure
from cds_service.exchange import OutboundError as OutboundError
from cds_service.exchange import lines, prepared, send, whole
from cds_service.observer import NOBODY, Observer

if TYPE_CHECKING:
    from cds_service.timed import Adapter

_PATIENCE_S = 0.5  # a server that had less time than this has not failed if it did not answer


class Outbound:
    """All requests of this process to other machines. Made before the fork; connects after it."""

    def __init__(
        self,
        allowed: Iterable[str],
        *,
        allow_insecure_loopback: bool = False,
        ca_file: str = "",
        connections: int = 16,
        failures: int = 10,
        pause_s: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
        purpose: str = "",
        observer: Observer = NOBODY,
    ) -> None:
        """purpose: what is fetched, in one word, for the observer.

        Raises SettingsError for an allowed URL that cannot be one, or that would be plain http.
        """
        self._purpose = purpose
        self._observer = observer
        self._allowed = tuple(_allowed(url, allow_insecure_loopback) for url in allowed)
        self._ca_file = ca_file
        self._connections = connections
        self._new_breaker: Callable[[], Breaker] = lambda: Breaker(failures, pause_s, monotonic)
        self._lock = Lock()
        self._process = 0
        self._adapters: dict[tuple[str, str, int], Adapter] = {}
        self._breakers: dict[tuple[str, str, int], Breaker] = {}

    def allows(self, url: str) -> bool:
        """True if the URL is one of the allowed base URLs or lies below one."""
        return any(base.admits(url) for base in self._allowed)

    def paused(self, url: str) -> bool:
        """True while the server of the URL is left alone after repeated failures."""
        parts = parts_of(url)
        return parts is not None and self._breaker(parts[0].origin).is_open

    def get(
        self,
        url: str,
        *,
        deadline: Deadline,
        max_bytes: int,
        token: Secret | None = None,
        accept: str = "application/json",
    ) -> Answer:
        """The answer to a GET. Raises OutboundError."""
        return self._told("GET", url, None, {"Accept": accept}, deadline, max_bytes, token)

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        deadline: Deadline,
        max_bytes: int,
        token: Secret | None = None,
        accept: str = "application/json",
        also: Collection[int] = (),
    ) -> Answer:
        """The answer to a POST. also: further statuses whose body is wanted. Raises OutboundError."""
        headers = {"Accept": accept, "Content-Type": content_type}
        return self._told("POST", url, body, headers, deadline, max_bytes, token, also)

    def post_for_lines(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        deadline: Deadline,
        max_bytes: int,
        token: Secret | None = None,
        accept: str = "text/event-stream",
    ) -> Iterator[bytes]:
        """The lines of the answer to a POST as they arrive, without their ends; close it to break off.

        Raises OutboundError, when the first line is asked for or in between.
        """
        parts = parts_of(url)
        if parts is None or not self.allows(url):
            raise OutboundError(Failure.NOT_ALLOWED)
        breaker = self._breaker(parts[0].origin)
        if not breaker.admits():
            raise OutboundError(Failure.PAUSED)
        headers = {"Accept": accept, "Content-Type": content_type}
        given_s, report, outcome = deadline.remaining(), breaker.gave_up, "broken off"
        try:
            yield from self._lines(parts[0].origin, url, body, headers, deadline, max_bytes, token)
            report, outcome = breaker.succeeded, "ok"
        except OutboundError as error:
            report, outcome = _verdict(breaker, error, given_s), error.kind.name.lower()
            raise
        finally:
            report()
            self._observer.fetched(self._purpose, outcome)

    def _lines(
        self,
        origin: tuple[str, str, int],
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        deadline: Deadline,
        max_bytes: int,
        token: Secret | None,
    ) -> Iterator[bytes]:
        from cds_service.timed import keeping

        with keeping(deadline):
            response = send(self._adapter(origin), prepared("POST", url, body, headers, token), deadline)
        try:
            if not 200 <= response.status_code < 300:
                raise OutboundError(Failure.STATUS, response.status_code)
            yield from lines(response, deadline, max_bytes)
        finally:
            response.close()

    def _told(self, *request: Any) -> Answer:
        """Asks, and tells the observer what came of it."""
        try:
            answer = self._ask(*request)
        except OutboundError as error:
            kind = error.kind.name.lower()
            self._observer.fetched(self._purpose, f"{kind}_{error.status // 100}xx" if error.status else kind)
            raise
        self._observer.fetched(self._purpose, "ok")
        return answer

    def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        deadline: Deadline,
        max_bytes: int,
        token: Secret | None,
        also: Collection[int] = (),
    ) -> Answer:
        parts = parts_of(url)
        if parts is None or not self.allows(url):
            raise OutboundError(Failure.NOT_ALLOWED)
        origin = parts[0].origin
        breaker = self._breaker(origin)
        if not breaker.admits():
            raise OutboundError(Failure.PAUSED)
        given_s = deadline.remaining()
        report = breaker.gave_up
        try:
            answer = self._exchange(origin, method, url, body, headers, deadline, max_bytes, token, also)
            report = breaker.succeeded
        except OutboundError as error:
            report = _verdict(breaker, error, given_s)
            raise
        finally:
            report()
        return answer

    def _exchange(
        self,
        origin: tuple[str, str, int],
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        deadline: Deadline,
        max_bytes: int,
        token: Secret | None,
        also: Collection[int],
    ) -> Answer:
        from cds_service.timed import keeping

        request = prepared(method, url, body, headers, token)
        adapter = self._adapter(origin)
        with keeping(deadline):
            response = send(adapter, request, deadline)
            try:
                return whole(response, deadline, max_bytes, also)
            finally:
                response.close()

    def _adapter(self, origin: tuple[str, str, int]) -> Adapter:
        from cds_service.timed import Adapter, tls_context

        with self._lock:
            self._after_fork()
            if origin not in self._adapters:
                self._adapters[origin] = Adapter(
                    tls_context(self._ca_file) if origin[0] == "https" else None, self._connections
                )
            return self._adapters[origin]

    def _breaker(self, origin: tuple[str, str, int]) -> Breaker:
        with self._lock:
            self._after_fork()
            return self._breakers.setdefault(origin, self._new_breaker())

    def _after_fork(self) -> None:
        """Connections and threads do not cross a fork."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._adapters, self._breakers = {}, {}


def warm() -> None:
    """Imports what a first request needs: before the fork, where something may be fetched at all."""
    import cds_service.timed  # noqa: F401


def _allowed(url: str, allow_insecure_loopback: bool) -> Base:
    base = Base.of(url)
    if base is None:
        raise SettingsError("settings: a URL to fetch from must be absolute, without user, query or fragment.")
    if base.scheme != "https" and not (allow_insecure_loopback and base.loopback):
        raise SettingsError(
            f"settings: the URL of the host {base.host} must be https, got http. Plain http is for servers on this "
            "machine only, with dev.allow_insecure_loopback = true."
        )
    return base


def _verdict(breaker: Breaker, error: OutboundError, given_s: float) -> Callable[[], None]:
    """What a failure says about the server: nothing, that it is there, or that it fails."""
    if error.kind is Failure.TIMEOUT and given_s < _PATIENCE_S:
        return breaker.gave_up
    if error.kind in (Failure.TIMEOUT, Failure.REFUSED, Failure.BROKEN):
        return breaker.failed
    if error.status is not None and (error.status >= 500 or error.status == 429):
        return breaker.failed
    return breaker.succeeded
