"""Read-only access to the EHR's FHIR server for one hook call: reads, type searches, and the pages that follow.

Whatever goes wrong becomes one worded reason, for the card or the 412; no address, no token, nothing of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, cast
from urllib.parse import urljoin

from cds_service.clock import Deadline
from cds_service.errors import BadRequest
from cds_service.fhir import resources
from cds_service.language import Message, msg
from cds_service.outbound import Answer, Base, Failure, Outbound, OutboundError, Secret
from cds_service.protocol.request import PrefetchValue, decode_resource, value_of

FHIR_JSON = "application/fhir+json"
_REASONS = {
    Failure.NOT_ALLOWED: msg("the EHR's server referred to another place"),
    Failure.TIMEOUT: msg("the EHR's server did not answer in time"),
    Failure.REFUSED: msg("the EHR's server could not be reached"),
    Failure.BROKEN: msg("the EHR's server broke off its answer"),
    Failure.TOO_LARGE: msg("the EHR's server answered more than may be read"),
    Failure.PAUSED: msg("the EHR's server failed repeatedly and is tried again in a few seconds"),
}
_NOT_FHIR = msg("the EHR's server answered something other than FHIR")
_OTHER = msg("the EHR's server answered something other than what was asked")
REFUSED = msg("the EHR refused access")
_LOOP = msg("the pages of the EHR's server lead back to one that was read")
_FOREIGN = msg("the further pages are not on the EHR's own server")
_NOWHERE = msg("the further pages have no address")
_BUDGET = msg("there are more pages than one call may fetch")
WITHHELD = msg("the EHR says that it left something out")
_SORT = re.compile(r"&_sort=[^&]*|_sort=[^&]*&")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of one query: a value, or a problem, or both where pages are missing at the end."""

    value: PrefetchValue | None
    problem: Message | None = None


class Budget:
    """How many requests one hook call may still make, and how many bytes it may still read; shared by its threads."""

    def __init__(self, requests: int, max_bytes: int, first: int) -> None:
        """first: requests kept for the first page of each query, so that the pages of one do not use up all."""
        self._lock = Lock()
        self._first = min(first, requests)
        self._further = requests - self._first
        self._bytes = max_bytes

    def take(self, *, first: bool) -> bool:
        """True if a request may be made."""
        with self._lock:
            if first and self._first > 0:
                self._first -= 1
                return True
            self._further -= 1
            return self._further >= 0

    def spend(self, size: int) -> None:
        """Notes bytes that were read."""
        with self._lock:
            self._bytes -= size

    @property
    def bytes_left(self) -> int:
        """The cap for the next answer."""
        with self._lock:
            return max(0, self._bytes)


@dataclass(frozen=True, slots=True)
class FhirClient:
    """One call's access to one server. base: a configured base URL. token: of the call, used and forgotten.

    unsorted: types of which the server refuses a sorted search; it outlives the call.
    """

    outbound: Outbound
    base: str
    token: Secret | None
    deadline: Deadline
    budget: Budget
    unsorted: set[str] = field(default_factory=set)

    def fetch(self, query: str, types: Sequence[str], *, pages: bool = True) -> Fetched:
        """The answer to a read (`Patient/1`) or a type search, with all its pages.

        types: the resource types that are asked for. pages: False if the first page is enough.
        """
        plain, found = self._searched(query)
        if isinstance(found, Message):
            return Fetched(None, found)
        value = value_of(found)
        if value.state == "refused":
            return Fetched(None, REFUSED)
        if isinstance(found, resources.Bundle) != ("?" in query) or not _asked_for(found, types):
            return Fetched(None, _OTHER)
        if "?" not in query and cast("resources.Resource", found).id != query.partition("/")[2]:
            return Fetched(None, _OTHER)
        if pages or plain:
            return self.follow(value, types)
        return Fetched(value, WITHHELD if value.withheld else None)

    def _searched(self, query: str) -> tuple[bool, resources.AnyResource | Message]:
        """Whether a search could not be sorted, so that the newest may be on any page, and what it or a read found.

        A server that does not know `_sort` may answer 400 (hl7.org/fhir/R4/search.html#errors): it is asked without.
        """
        where, type_ = self.base.rstrip("/"), query.partition("?")[0]
        sorts = _SORT.search(query) is not None
        plain = sorts and type_ in self.unsorted
        found = self._resource(f"{where}/{_SORT.sub('', query, 1) if plain else query}", first=True)
        if not sorts or plain or found != status_words(400):
            return plain, found
        again = self._resource(f"{where}/{_SORT.sub('', query, 1)}", first=False)
        if isinstance(again, Message):
            return False, found if again == _BUDGET else again
        self.unsorted.add(type_)
        return True, again

    def follow(self, value: PrefetchValue, types: Sequence[str]) -> Fetched:
        """A value with the pages that follow it; what was read stays, should one of them fail."""
        rows, urls = list(value.resources), list(value.full_urls)
        seen: set[str] = set()
        following = value.next_url if value.complete or value.withheld else value.next_url or ""
        problem, withheld = None, value.withheld
        while following is not None and problem is None:
            page = self._page(following, types, seen)
            if isinstance(page, Message):
                problem = page
            else:
                rows += page.resources
                urls += page.full_urls
                withheld = withheld or page.withheld
                following = page.next_url if page.complete or page.withheld else page.next_url or ""
        problem = problem or (WITHHELD if withheld else None)
        complete = problem is None
        state = value.state if not rows else "present"
        return Fetched(PrefetchValue(state, tuple(rows), tuple(urls), complete), problem)

    def _page(self, url: str, types: Sequence[str], seen: set[str]) -> PrefetchValue | Message:
        if not url:
            return _NOWHERE
        target = self._absolute(url)
        if target is None:
            return _FOREIGN
        if target in seen:
            return _LOOP
        seen.add(target)
        found = self._resource(target, first=False)
        if isinstance(found, Message):
            return found
        if not isinstance(found, resources.Bundle) or not _asked_for(found, types):
            return _OTHER
        page = value_of(found, counted=False)
        return REFUSED if page.state == "refused" else page

    def _absolute(self, url: str) -> str | None:
        """A page's URL if it lies on the server and below its base; a relative one is read from the base."""
        base = Base.of(self.base)
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", url):
            url = urljoin(f"{self.base.rstrip('/')}/", url)
        return url if base is not None and base.admits(url) else None

    def _resource(self, url: str, *, first: bool) -> resources.AnyResource | Message:
        """The resource at a URL, or why there is none."""
        if not self.budget.take(first=first):
            return _BUDGET
        try:
            answer = self._get(url)
        except OutboundError as error:
            if error.kind is Failure.STATUS:
                return status_words(error.status)
            return _REASONS.get(error.kind, _NOT_FHIR)
        self.budget.spend(len(answer.body))
        try:
            return decode_resource(answer.body)
        except BadRequest:  # its sentence is for those who sent the request; here it is another server's answer
            return _NOT_FHIR

    def _get(self, url: str) -> Answer:
        return self.outbound.get(
            url, deadline=self.deadline, max_bytes=self.budget.bytes_left, token=self.token, accept=FHIR_JSON
        )


def status_words(status: int | None) -> Message:
    """What is said of an answer with an HTTP status that is none of success."""
    return msg("the EHR's server answered {status}", status=status)


def _asked_for(found: resources.AnyResource, types: Sequence[str]) -> bool:
    """True if a resource, or every match of a searchset, is of a type that was asked for."""
    if not isinstance(found, resources.Bundle):
        return type(found).__name__ in types
    return all(
        type(entry.resource).__name__ in types
        for entry in found.entry
        if entry.resource is not None
        and not isinstance(entry.resource, resources.OperationOutcome)
        and (entry.search is None or entry.search.mode in (None, "match"))
    )


_SCOPE = re.compile(r"(?:patient|user|system)/(\*|[A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)(\?.*)?")


def coverage(scopes: Sequence[str], type_: str, *, search: bool) -> Literal["all", "part", "none"]:
    """How much of a type SMART scopes (v1 or v2) allow to read or search: part of it where each has a query of its own.

    All of it if none of the scopes is about resources.
    """
    clinical = [match for match in map(_SCOPE.fullmatch, scopes) if match is not None]
    needed = "s" if search else "r"
    queries = [
        query
        for kind, access, query in (match.groups() for match in clinical)
        if kind in ("*", type_) and (access in ("*", "read") or (access != "write" and needed in access))
    ]
    if not clinical or None in queries:
        return "all"
    return "part" if queries else "none"
