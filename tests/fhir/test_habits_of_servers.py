"""Habits of real FHIR servers that are told in public threads: each gives all rows, or says that some are missing."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cds_service.clock import Deadline
from cds_service.fhir.client import Budget, Fetched, FhirClient
from cds_service.outbound import Failure, OutboundError

BASE = "https://ehr.example/api/FHIR/R4"
SEARCH = "Condition?patient=p1&_sort=-date&_count=2"
PLAIN = "Condition?patient=p1&_count=2"
NEXT = "Condition?page=2"


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"resource": {"resourceType": "Condition", "id": f"c{n}"}} for n in numbers]


def said(severity: str, code: str) -> dict[str, Any]:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}
    return {"resource": outcome, "search": {"mode": "outcome"}}


def page(*entries: dict[str, Any], following: str | None = None, **more: Any) -> bytes:
    link = {"link": [{"relation": "next", "url": following}]} if following else {}
    return json.dumps({"resourceType": "Bundle", "type": "searchset", **link, "entry": entries, **more}).encode()


class Scripted:
    """A server that answers by a script and refuses the rest. asked: in order, without the base URL."""

    def __init__(self, answers: dict[str, bytes | int]) -> None:
        self.asked: list[str] = []
        self.answers = answers
        self.unsorted: set[str] = set()

    def get(self, url: str, **_: Any) -> SimpleNamespace:
        assert url.startswith(BASE)
        self.asked.append(url.removeprefix(BASE).removeprefix("/"))
        answer = self.answers.get(self.asked[-1], 404)
        if isinstance(answer, int):
            raise OutboundError(Failure.STATUS, answer)
        return SimpleNamespace(body=answer)

    def fetch(self, *, pages: bool = True, requests: int = 9) -> Fetched:
        budget = Budget(requests, 10**6, first=1)
        client = FhirClient(self, BASE, None, Deadline.after(9), budget, self.unsorted)  # type: ignore[arg-type]
        return client.fetch(SEARCH, ("Condition",), pages=pages)


def ids(fetched: Fetched) -> list[str]:
    assert fetched.value is not None
    return [row.id for row in fetched.value.resources]  # type: ignore[union-attr, misc]


@pytest.mark.parametrize("where", [NEXT, f"{BASE}/{NEXT}", f"/api/FHIR/R4/{NEXT}", f"../R4/{NEXT}"])
def test_a_link_to_a_page_may_be_relative(where: str) -> None:
    """To the base, to the server, or whole."""
    server = Scripted({SEARCH: page(*rows(1), following=where, total=2), NEXT: page(*rows(2), total=2)})
    fetched = server.fetch()
    assert (ids(fetched), fetched.problem) == (["c1", "c2"], None)


@pytest.mark.parametrize("where", ["/other/page", "//evil.example/page", "../../../admin", "https://ehr.example/"])
def test_a_link_that_leads_elsewhere_is_not_followed(where: str) -> None:
    """Off the base or the host: what was read stays, and it is said that there is more."""
    server = Scripted({SEARCH: page(*rows(1), following=where)})
    fetched = server.fetch()
    assert ids(fetched) == ["c1"]
    assert "not on the EHR's own server" in str(fetched.problem)
    assert server.asked == [SEARCH]


@pytest.mark.parametrize("pages", [True, False])
def test_a_server_that_cannot_sort_is_asked_without(pages: bool) -> None:
    """All pages are then read, for the newest row may be on any; the next call does not try again."""
    server = Scripted({SEARCH: 400, PLAIN: page(*rows(1), following=NEXT), NEXT: page(*rows(2))})
    first = server.fetch(pages=pages)
    assert (ids(first), first.problem) == (["c1", "c2"], None)
    assert server.asked == [SEARCH, PLAIN, NEXT]
    assert server.fetch(pages=pages) == first
    assert server.asked[3:] == [PLAIN, NEXT]


def test_a_search_that_is_refused_for_another_reason_is_named_by_it() -> None:
    """It is asked once more, within what one call may ask; other statuses are not tried again."""
    server = Scripted({SEARCH: 400, PLAIN: 400})
    assert "answered 400" in str(server.fetch().problem)
    assert server.asked == [SEARCH, PLAIN]
    assert server.unsorted == set()
    assert "answered 400" in str(Scripted({SEARCH: 400, PLAIN: page()}).fetch(requests=1).problem)
    away = Scripted({SEARCH: 403, PLAIN: page()})
    assert "answered 403" in str(away.fetch().problem)
    assert away.asked == [SEARCH]


@pytest.mark.parametrize(
    "issue",
    [said("warning", "suppressed"), said("information", "incomplete"), said("error", "exception")],
)
@pytest.mark.parametrize("pages", [True, False])
def test_a_list_from_which_the_ehr_left_something_out_is_not_whole(issue: dict[str, Any], pages: bool) -> None:
    """On the first page or a later one, with rows or without."""
    one = Scripted({SEARCH: page(*rows(1), issue)}).fetch(pages=pages)
    assert ids(one) == ["c1"]
    assert "left something out" in str(one.problem)
    assert one.value is not None
    assert not one.value.complete
    if pages:
        later = Scripted({SEARCH: page(*rows(1), following=NEXT), NEXT: page(*rows(2), issue)}).fetch()
        assert ids(later) == ["c1", "c2"]
        assert "left something out" in str(later.problem)
        first = Scripted({SEARCH: page(*rows(1), issue, following=NEXT), NEXT: page(*rows(2))}).fetch()
        assert ids(first) == ["c1", "c2"]
        assert "left something out" in str(first.problem)


def test_nothing_that_was_let_through_is_not_nothing_there() -> None:
    """A warning alone, where all rows were held back; an empty list needs none, or one that tells of no results."""
    held_back = Scripted({SEARCH: page(said("warning", "suppressed"))}).fetch()
    assert ids(held_back) == []
    assert "left something out" in str(held_back.problem)
    for harmless in (said("warning", "processing"), said("information", "informational"), said("warning", "not-found")):
        assert Scripted({SEARCH: page(harmless)}).fetch().problem is None


def test_a_list_that_counts_more_than_it_holds_is_not_whole() -> None:
    """`total` is that of all pages: with the others at hand it is no contradiction."""
    short = Scripted({SEARCH: page(*rows(1), total=7)}).fetch()
    assert "no address" in str(short.problem)
    whole = Scripted({SEARCH: page(*rows(1), following=NEXT, total=2), NEXT: page(*rows(2), total=2)}).fetch()
    assert whole.problem is None


def test_a_byte_order_mark_is_passed_over() -> None:
    """As in the body of a call."""
    assert ids(Scripted({SEARCH: b"\xef\xbb\xbf" + page(*rows(1))}).fetch()) == ["c1"]
