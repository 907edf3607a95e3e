"""What prefetch lacks, fetched from the EHR's FHIR server: key by key, in parallel, inside the request's deadline.

Each server has its own threads and its own limit of hook calls that wait for it, so that one that hangs holds up
neither the others nor the calls that need no fetching: those wait for the compute turn alone, which is given up
while a call is fetching.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from threading import BoundedSemaphore, Lock
from typing import NamedTuple

from cds_service import outbound
from cds_service.clock import Deadline
from cds_service.fhir.client import REFUSED, WITHHELD, Budget, Fetched, FhirClient, coverage
from cds_service.fhir.products import unnamed
from cds_service.fhir.rows import strangers
from cds_service.fhir.subjects import Servers, Subjects
from cds_service.language import Message, msg
from cds_service.needs import Gap, Need
from cds_service.observer import NOBODY, Observer
from cds_service.protocol.prefetch import fill
from cds_service.protocol.request import HookRequest, PrefetchValue
from cds_service.settings import Settings

Away = Callable[[], AbstractContextManager[None]]
_RESERVE_S = 0.4  # of the deadline, for what follows the fetching: the turn, the decision, storing, sending
_LAST_S = 0.1  # of that, so that a list whose next page is late gives what came of it
_PRODUCT = Need("", ("Medication",), msg("prescribed medicines"))
_PRODUCTS_S = 1.0  # for them: a card that would come without them must not wait long
_PRODUCTS = "medicationsByReference"  # under which they are kept with what was prefetched
_NOT_SENT = msg("not sent by the EHR")
_ELSEWHERE = msg("not sent, and the EHR's server is not configured here")
_OUT_OF_SCOPE = msg("not sent, and the EHR's token does not cover it")
_IN_PART = msg("the EHR's token covers only a part of it")
_ANOTHERS = msg("what the EHR sent is another patient's, or does not say whose")
_STRANGE = msg("the EHR sent something other than what was asked")
_UNNAMED = msg("the call does not say whose")
_FIRST_PAGE = msg("only the first page was sent")
_BUSY = msg("too many calls are waiting for the EHR's server")
_WHOLE = frozenset({"conditions", "medications", "allergies"})  # what is not in them counts as not there
_LATE = msg("the EHR's server did not answer in time")


class Gathered(NamedTuple):
    """A request with all that could be had, and what could not."""

    request: HookRequest
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class _Errand:
    """One key to fetch: the query, or the first page of its list, which has arrived.

    in_part: the token covers only some of its rows.
    """

    query: str
    begun: PrefetchValue | None = None
    in_part: bool = False


class _Server:
    """The threads, the limit and the habits of one server, in this process."""

    def __init__(self, connections: int, calls: int) -> None:
        self.unsorted: set[str] = set()  # types that it cannot sort
        self.threads = ThreadPoolExecutor(connections, "fetch")
        self.calls = BoundedSemaphore(calls)


class Fetcher:
    """Fetches for all requests of a process. Made before the fork; its threads start after it."""

    def __init__(self, wire: outbound.Outbound, settings: Settings) -> None:
        self._outbound = wire
        self._settings = settings
        self._lock = Lock()
        self._process = 0
        self._servers: dict[str, _Server] = {}
        self._all = BoundedSemaphore(settings.limits.max_fetching)

    def gather(
        self,
        request: HookRequest,
        needs: Mapping[str, Need],
        base: str | None,
        deadline: Deadline,
        away: Away = nullcontext,
    ) -> Gathered:
        """The request with every key of `needs` that can be had.

        base: the configured FHIR base URL that the call names; None if it names none of its client's.
        away: entered while waiting for the server, so that others may compute.
        """
        gaps: dict[str, Gap] = {}
        errands: dict[str, _Errand] = {}
        strange = frozenset(key for key, need in needs.items() if _strange(request.prefetch.get(key), need))
        if strange:
            request = replace(request, prefetch={k: v for k, v in request.prefetch.items() if k not in strange})
        for key, need in needs.items():
            found = _look(request, key, need, base, _STRANGE if key in strange else _NOT_SENT)
            if isinstance(found, Gap):
                gaps[key] = found
            elif found is not None:
                errands[key] = found
        if base is None:
            return _gathered(request, needs, gaps)
        client = self._client(request, base, deadline.sooner(_RESERVE_S), errands)
        prefetch = dict(request.prefetch)
        for key, fetched in self._run(errands, needs, client, away).items():
            if fetched.value is not None:
                prefetch[key] = fetched.value
            if fetched.problem is not None:
                gaps[key] = Gap(key, needs[key], fetched.problem, partial=fetched.value is not None)
        request = self._with_products(replace(request, prefetch=prefetch), client, away)
        return _gathered(request, needs, gaps)

    def _client(
        self, request: HookRequest, base: str, deadline: Deadline, errands: Mapping[str, _Errand]
    ) -> FhirClient:
        """The call's access to its server, with one budget for all that it asks."""
        first = sum(errand.begun is None for errand in errands.values())
        budget = Budget(self._settings.limits.max_fetches, self._settings.fetch.max_bytes, first)
        token = request.fhir_authorization.token if request.fhir_authorization is not None else None
        return FhirClient(self._outbound, base, token, deadline, budget, self._server(base).unsorted)

    def _with_products(self, request: HookRequest, client: FhirClient, away: Away) -> HookRequest:
        """The request with the Medications by which alone some medicines are named; without those it cannot get."""
        granted = request.fhir_authorization
        if granted is not None and coverage(granted.scopes, "Medication", search=False) == "none":
            return request
        reads = [f"Medication/{id_}" for id_ in unnamed(request)]
        client = replace(client, deadline=client.deadline.sooner(client.deadline.remaining() - _PRODUCTS_S))
        found = self._run(
            dict(zip(reads, map(_Errand, reads), strict=True)), dict.fromkeys(reads, _PRODUCT), client, away
        )
        read = [row for fetched in found.values() if fetched.value is not None for row in fetched.value.resources]
        if not read:
            return request
        had = request.prefetch.get(_PRODUCTS) or PrefetchValue("none")
        products = PrefetchValue("present", (*had.resources, *read), (*had.full_urls, *(None for _ in read)))
        return replace(request, prefetch={**request.prefetch, _PRODUCTS: products})

    def _run(
        self, errands: Mapping[str, _Errand], needs: Mapping[str, Need], client: FhirClient, away: Away
    ) -> dict[str, Fetched]:
        """One result an errand, whatever happens, before the deadline."""
        if not errands:
            return {}
        server, deadline = self._server(client.base), client.deadline
        with self._admitted(server) as admitted:
            if not admitted:
                return {key: Fetched(errand.begun, _BUSY) for key, errand in errands.items()}
            with away():
                futures = {
                    key: server.threads.submit(_fetch, client, errand, needs[key]) for key, errand in errands.items()
                }
                wait(futures.values(), timeout=deadline.remaining() + _LAST_S)
        return {key: _result(futures[key], errand) for key, errand in errands.items()}

    @contextmanager
    def _admitted(self, server: _Server) -> Iterator[bool]:
        """True if one more call may wait for the server. Nobody queues here: a late answer helps nobody."""
        held = [limit for limit in (self._all, server.calls) if limit.acquire(blocking=False)]
        try:
            yield len(held) == 2
        finally:
            for limit in held:
                limit.release()

    def _server(self, base: str) -> _Server:
        with self._lock:
            if self._process != os.getpid():
                self._process, self._servers = os.getpid(), {}  # threads do not cross a fork
            if base not in self._servers:
                fetch = self._settings.fetch
                self._servers[base] = _Server(fetch.connections, fetch.calls)
            return self._servers[base]


def _gathered(request: HookRequest, needs: Mapping[str, Need], gaps: dict[str, Gap]) -> Gathered:
    """The request with its gaps, in the order of the needs; a list of which no row is the patient's is one, too."""
    values = request.prefetch.values()
    rows = [row for value in values for row in value.resources]
    urls = [url for value in values for url in value.full_urls]
    servers = Servers(request.fhir_server, rows, urls)
    subjects = Subjects.of(request.patient_id, rows, urls, servers)
    for key, need in needs.items():
        value = request.prefetch.get(key)
        if key not in gaps and value is not None and strangers(value.resources, need.types, subjects):
            gaps[key] = Gap(key, need, _ANOTHERS)
    return Gathered(_forgetting(request), tuple(gaps[key] for key in needs if key in gaps))


def _forgetting(request: HookRequest) -> HookRequest:
    """The request without its token, which nothing after the fetching has a use for."""
    return request if request.fhir_authorization is None else replace(request, fhir_authorization=None)


def create(settings: Settings, observer: Observer = NOBODY) -> Fetcher:
    """The fetcher for all FHIR base URLs of the settings. Raises SettingsError for one that cannot be used."""
    bases = [*settings.dev.fhir_base_urls, *(url for c in settings.clients.values() for url in c.fhir_base_urls)]
    fetch = settings.fetch
    wire = outbound.Outbound(
        bases,
        allow_insecure_loopback=settings.dev.allow_insecure_loopback,
        ca_file=fetch.ca_file,
        connections=fetch.connections,
        failures=fetch.failures,
        pause_s=fetch.pause_s,
        purpose="fhir",
        observer=observer,
    )
    if bases:
        outbound.warm()
    return Fetcher(wire, settings)


def _strange(value: PrefetchValue | None, need: Need) -> bool:
    """True for an answer in which nothing is of the types that were asked for: it does not say that there is none."""
    if value is None or not value.resources:
        return False
    return not any(type(row).__name__ in need.types for row in value.resources)


def _look(request: HookRequest, key: str, need: Need, base: str | None, why: Message) -> _Errand | Gap | None:
    """What is to be done about one key: nothing, an errand, or nothing can be done. why: it is not there."""
    value = request.prefetch.get(key)
    if value is not None:
        if value.state == "refused":
            return Gap(key, need, REFUSED)
        if value.withheld and (base is None or need.newest or value.next_url is None):
            return Gap(key, need, WITHHELD, partial=True)
        if value.complete or need.newest:
            return None
        return Gap(key, need, _FIRST_PAGE, partial=True) if base is None else _Errand("", value)
    query = fill(need.template, request)
    if query is None:
        return Gap(key, need, _UNNAMED) if need.required else None
    if base is None:
        return Gap(key, need, why if request.fhir_server is None or why is _STRANGE else _ELSEWHERE)
    granted = request.fhir_authorization
    covered = {coverage(granted.scopes, t, search="?" in query) for t in need.types} if granted is not None else set()
    if "none" in covered:
        return Gap(key, need, _OUT_OF_SCOPE)
    return _Errand(query, in_part="part" in covered)


def _fetch(client: FhirClient, errand: _Errand, need: Need) -> Fetched:
    if errand.begun is not None:
        return client.follow(errand.begun, need.types)
    found = client.fetch(errand.query, need.types, pages=not need.newest)
    if not errand.in_part:
        return found
    part = replace(found.value, complete=False) if found.value is not None else None
    return Fetched(part, found.problem or _IN_PART)


def _result(future: Future[Fetched], errand: _Errand) -> Fetched:
    if future.done():
        return future.result()
    future.cancel()
    return Fetched(errand.begun, _LATE)


def refusal(gaps: tuple[Gap, ...], *, required: bool = True) -> str | None:
    """The sentence of a 412 that names each key that is lacking and why; None if there is none.

    required: count needed keys only.
    """
    lacking = [gap for gap in gaps if not gap.partial and (gap.need.required or not required)]
    if not lacking:
        return None
    return f"Prefetch keys that this service needs cannot be had: {_named(lacking)}."


def unfinished(gaps: tuple[Gap, ...], optional: tuple[str, ...]) -> str | None:
    """The sentence of a 412 that names each list of which only a beginning came and that must be whole to say no.

    optional: keys that the service can do without only if it finds something.
    """
    cut = [g for g in gaps if g.partial and g.key in _WHOLE and (g.need.required or g.key in optional)]
    return f"Lists that this service needs are not complete: {_named(cut)}." if cut else None


def _named(gaps: Iterable[Gap]) -> str:
    return "; ".join(f"{gap.key} ({gap.reason})" for gap in gaps)
