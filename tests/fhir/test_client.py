"""The FHIR client against the sandbox's server, well and in each way unwell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.clock import Deadline
from cds_service.fhir.client import Budget, Fetched, FhirClient, coverage
from cds_service.outbound import Outbound, Secret
from cds_service.protocol.request import PrefetchValue
from cds_service.sandbox.faults import Fault, Misbehaviour
from cds_service.sandbox.fhir_server import FhirServer

TOKEN = "tell-nobody-7d1f"
SEARCH = "Condition?patient=p1&_count=500"
ROWS = 7


def condition(number: int) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": f"c{number}", "subject": {"reference": "Patient/p1"}}


BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": r} for r in ({"resourceType": "Patient", "id": "p1"}, *map(condition, range(ROWS)))],
}


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with FhirServer([BUNDLE], token=TOKEN, page=3).running() as running:
        yield running


def client(
    server: FhirServer, *, seconds: float = 30.0, requests: int = 40, max_bytes: int = 1_000_000, token: str = TOKEN
) -> FhirClient:
    out = Outbound([server.base], allow_insecure_loopback=True)
    budget = Budget(requests, max_bytes, first=1)
    return FhirClient(out, server.base, Secret(token), Deadline.after(seconds), budget)


def ids(fetched: Fetched) -> list[str | None]:
    assert fetched.value is not None
    return [row.id for row in fetched.value.resources if hasattr(row, "id")]


def test_a_read_brings_the_resource(server: FhirServer) -> None:
    """With the token in its header."""
    fetched = client(server).fetch("Patient/p1", ("Patient",))
    assert ids(fetched) == ["p1"]
    assert fetched.problem is None
    assert all(seen.authorized for seen in server.seen)
    assert server.seen[0].headers["accept"] == "application/fhir+json"


def test_a_search_brings_all_pages(server: FhirServer) -> None:
    """Seven rows on pages of three, and the token on every page."""
    fetched = client(server).fetch(SEARCH, ("Condition",))
    assert ids(fetched) == [f"c{n}" for n in range(ROWS)]
    assert fetched.value is not None
    assert fetched.value.complete
    assert fetched.problem is None
    assert len(server.seen) == 3
    assert all(seen.authorized for seen in server.seen)


def test_nothing_found_is_an_empty_list(server: FhirServer) -> None:
    """An answer, and not a problem."""
    fetched = client(server).fetch("AllergyIntolerance?patient=p1", ("AllergyIntolerance",))
    assert fetched == Fetched(PrefetchValue("present"))


FAULTS = [
    (Misbehaviour(Fault.STATUS, status=401), "answered 401"),
    (Misbehaviour(Fault.STATUS, status=403), "answered 403"),
    (Misbehaviour(Fault.STATUS, status=404), "answered 404"),
    (Misbehaviour(Fault.STATUS, status=429), "answered 429"),
    (Misbehaviour(Fault.STATUS, status=500), "answered 500"),
    (Misbehaviour(Fault.STATUS, status=503), "answered 503"),
    (Misbehaviour(Fault.REDIRECT), "answered 302"),
    (Misbehaviour(Fault.HANG), "did not answer in time"),
    (Misbehaviour(Fault.SLOW, seconds=50), "did not answer in time"),
    (Misbehaviour(Fault.DRIP), "did not answer in time"),
    (Misbehaviour(Fault.DRIP_HEAD), "did not answer in time"),
    (Misbehaviour(Fault.CLOSE), "broke off"),
    (Misbehaviour(Fault.TRUNCATED), "broke off"),
    (Misbehaviour(Fault.CUT_JSON), "other than FHIR"),
    (Misbehaviour(Fault.HTML), "other than FHIR"),
    (Misbehaviour(Fault.WRONG_TYPES), "other than FHIR"),
    (Misbehaviour(Fault.OTHER_RESOURCE), "other than what was asked"),
    (Misbehaviour(Fault.OUTCOME), "refused access"),
    (Misbehaviour(Fault.HUGE), "more than may be read"),
]


@pytest.mark.parametrize(
    ("bad", "words"), FAULTS, ids=lambda x: f"{x.fault.name}-{x.status}" if hasattr(x, "fault") else ""
)
@pytest.mark.parametrize(("query", "type_"), [(SEARCH, "Condition"), ("Patient/p1", "Patient")], ids=["search", "read"])
def test_each_fault_is_worded(server: FhirServer, bad: Misbehaviour, words: str, query: str, type_: str) -> None:
    """One sentence without the server's own words, and in time."""
    server.faults[type_] = bad
    seconds = 0.6 if "in time" in words else 30.0  # a busy machine is not the server's fault
    started = time.monotonic()
    fetched = client(server, seconds=seconds).fetch(query, (type_,))
    assert time.monotonic() - started < seconds + 20  # what hangs does so for a minute
    assert fetched.value is None
    assert words in str(fetched.problem)
    assert "SECRET" not in str(fetched.problem)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.LOOP, "lead back"),
        (Fault.FOREIGN_NEXT, "not on the EHR's own server"),
        (Fault.BROKEN_NEXT, "answered 500"),
        (Fault.ENDLESS, "more pages than"),
    ],
    ids=lambda x: x.name if isinstance(x, Fault) else "",
)
def test_a_list_whose_end_is_missing_keeps_its_beginning(server: FhirServer, fault: Fault, words: str) -> None:
    """What was read counts; the list is not complete, and nothing is asked of another server."""
    with FhirServer([BUNDLE]).running() as other:
        server.faults["Condition"] = Misbehaviour(fault, target=other.base)
        fetched = client(server, requests=10).fetch(SEARCH, ("Condition",))
        assert other.seen == []
    assert "c0" in ids(fetched)
    assert fetched.value is not None
    assert not fetched.value.complete
    assert words in str(fetched.problem)
    assert len(server.seen) <= 10


def test_a_prefetched_first_page_is_followed(server: FhirServer) -> None:
    """The CDS Client sent page one; the rest is fetched, and page one is not asked for again."""
    first = client(server).outbound.get(
        f"{server.base}/{SEARCH}", deadline=Deadline.after(1), max_bytes=100_000, token=Secret(TOKEN)
    )
    from cds_service.protocol.request import decode_resource, value_of

    page = value_of(decode_resource(first.body))
    server.seen.clear()
    fetched = client(server).follow(page, ("Condition",))
    assert ids(fetched) == [f"c{n}" for n in range(ROWS)]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("link", "followed"),
    [
        ("Condition?patient=p1&_offset=3", True),
        ("?_offset=3", False),
        ("/fhir/Condition?_offset=3", True),
        ("//evil.test/fhir/Condition", False),
        ("https://evil.test/fhir/Condition", False),
        ("", False),
        (None, False),
    ],
)
def test_only_links_below_the_base_are_followed(server: FhirServer, link: str | None, followed: bool) -> None:
    """Absolute on the same origin, or relative to the base or the origin."""
    page = PrefetchValue("present", complete=False, next_url=link)
    fetched = client(server).follow(page, ("Condition",))
    assert (fetched.problem is None) == followed


def test_another_patient_than_asked_for_is_not_taken(server: FhirServer) -> None:
    """A read must bring the id that was read."""
    server.shelves[0].rows["Patient/p1"] = {"resourceType": "Patient", "id": "p2"}
    fetched = client(server).fetch("Patient/p1", ("Patient",))
    assert fetched.value is None
    assert "other than what was asked" in str(fetched.problem)


def test_a_wrong_token_is_worded(server: FhirServer) -> None:
    """The server's 401, nothing of the token."""
    fetched = client(server, token="wrong-token").fetch("Patient/p1", ("Patient",))
    assert "answered 401" in str(fetched.problem)


def test_the_bytes_of_all_pages_count_together(server: FhirServer) -> None:
    """Each page is small; together they are more than one call may read."""
    fetched = client(server, max_bytes=1500).fetch(SEARCH, ("Condition",))
    assert "more than may be read" in str(fetched.problem)
    assert fetched.value is not None


def test_first_pages_come_before_further_ones() -> None:
    """The pages of one list cannot use up what another list needs."""
    budget = Budget(5, 1000, first=3)
    assert [budget.take(first=False) for _ in range(4)] == [True, True, False, False]
    assert [budget.take(first=True) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("scopes", "search", "read"),
    [
        ("", "all", "all"),
        ("launch openid", "all", "all"),
        ("patient/Condition.rs", "all", "all"),
        ("patient/Condition.read", "all", "all"),
        ("patient/*.*", "all", "all"),
        ("user/*.cruds", "all", "all"),
        ("system/Condition.s?category=x", "part", "none"),
        ("patient/Condition.rs?category=x patient/Condition.rs?category=y", "part", "part"),
        ("patient/Condition.rs?category=x patient/*.s", "all", "part"),
        ("patient/Condition.r", "none", "all"),
        ("patient/Observation.rs", "none", "none"),
        ("patient/Condition.write", "none", "none"),
        ("patient/Condition.cud", "none", "none"),
    ],
)
def test_scopes_are_read_in_both_versions(scopes: str, search: str, read: str) -> None:
    """What the token does not cover is not asked for; scopes that say nothing about resources forbid nothing."""
    assert coverage(scopes.split(), "Condition", search=True) == search
    assert coverage(scopes.split(), "Condition", search=False) == read
