"""Open reviews in the store: what two requests do to one at the same moment, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import Any, ClassVar

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from cds_service.addresses import Secret
from cds_service.clock import FixedClock
from cds_service.security.smart import Grant
from cds_service.settings import App
from cds_service.stores.app_sessions import AppSessionStore
from cds_service.stores.database import Database
from cds_service.web.app.renewing import Renewal
from cds_service.web.app.session import Review, SessionOver, Sessions, cookie

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)
GRANT = Grant("p-1", None, "Practitioner/1", "", (), Secret("old"), Secret("once"), NOW, True)


class Rotating:
    """An EHR whose refresh tokens are good once; one that comes twice ends the grant."""

    def __init__(self) -> None:
        self.registrations = {"main": None}
        self.sent: list[str] = []
        self.asked, self.let_go = Event(), Event()

    def refresh(self, _: object, grant: Grant) -> Grant:
        assert grant.refresh_token is not None
        self.sent.append(grant.refresh_token.reveal())
        self.asked.set()
        assert self.let_go.wait(60)
        if self.sent.count(self.sent[-1]) > 1:
            return replace(grant, refresh_token=None)
        return replace(grant, access_token=Secret("new"), refresh_token=Secret("next"), expires=LATER)


def a_review(database: Database) -> tuple[Sessions, Review, Request]:
    sessions = Sessions(AppSessionStore(database), App(), FixedClock(NOW))
    review, value = sessions.open("main", GRANT)
    return sessions, review, Request(EnvironBuilder(headers={"Cookie": f"{cookie(review.id)}={value}"}).get_environ())


def test_of_two_requests_that_find_a_token_run_out_one_renews_it(database: Database) -> None:
    """The other waits for it; what a third changed meanwhile, and what the first renewed, are both kept."""
    sessions, review, request = a_review(database)
    ehr = Rotating()
    renewal = Renewal(sessions, ehr, FixedClock(NOW))  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(renewal.good, review, request)
        assert ehr.asked.wait(60)
        second = threads.submit(renewal.good, review, request)
        sessions.change(review, request, lambda was: replace(was, language="zh_Hans"))
        ehr.let_go.set()
        got = (first.result(), second.result(), sessions.find(review.id, request))
    assert ehr.sent == ["once"]
    assert {one.grant.access_token.reveal() for one in got} == {"new"}
    assert got[2].grant.refresh_token is not None
    assert got[2].grant.refresh_token.reveal() == "next"
    assert {one.language for one in got} == {"zh_Hans"}
    assert renewal.good(got[2], request) == got[2]


def test_a_review_that_is_closed_while_it_is_renewed_stays_closed(database: Database) -> None:
    """And so does one whose time to idle is put off in the same moment."""
    sessions, review, request = a_review(database)
    ehr = Rotating()
    with ThreadPoolExecutor(1) as threads:
        renewing = threads.submit(Renewal(sessions, ehr, FixedClock(NOW)).good, review, request)  # type: ignore[arg-type]
        assert ehr.asked.wait(60)
        sessions.end(review, request)
        ehr.let_go.set()
        with pytest.raises(SessionOver):
            renewing.result()
    AppSessionStore(database).stretch(request.cookies[cookie(review.id)], LATER)
    with pytest.raises(SessionOver):
        sessions.find(review.id, request)


def test_a_renewal_that_died_holds_up_the_others_for_its_time_alone(database: Database) -> None:
    """A worker that is killed between asking and storing leaves its claim behind."""
    store = AppSessionStore(database)
    assert store.claim("renewal", "v", NOW, NOW + timedelta(seconds=20))
    assert not store.claim("renewal", "v", NOW + timedelta(seconds=19), LATER)
    assert store.claimed("v", NOW + timedelta(seconds=19))
    assert not store.claimed("v", NOW + timedelta(seconds=20))
    assert store.claim("renewal", "v", NOW + timedelta(seconds=20), LATER)


def test_a_renewal_that_comes_too_late_undoes_no_later_one(database: Database) -> None:
    """A worker that stood still while another renewed the token brings the EHR's refusal of the old one."""
    sessions, review, request = a_review(database)
    good = replace(GRANT, access_token=Secret("new"), refresh_token=Secret("next"), expires=LATER)

    class Still:
        registrations: ClassVar = {"main": None}

        def refresh(self, _: object, grant: Grant) -> Grant:
            sessions.change(review, request, lambda was: replace(was, grant=good))
            return replace(grant, refresh_token=None)

    Renewal(sessions, Still(), FixedClock(NOW)).good(review, request)  # type: ignore[arg-type]
    kept = sessions.find(review.id, request).grant
    assert (kept.access_token.reveal(), kept.refresh_token is not None) == ("new", True)


def test_changes_at_the_same_moment_undo_nothing(database: Database) -> None:
    """Each is made upon what the one before left."""
    store = AppSessionStore(database)
    value = store.put("review", {"seen": []}, LATER)
    both = Barrier(2, timeout=60)

    def note(name: str) -> None:
        tries: list[int] = []

        def how(was: Any) -> Any:
            tries.append(1)
            if len(tries) == 1:
                both.wait()  # both have read, neither has written
            return {"seen": [*was["seen"], name]}

        assert store.change("review", value, how, NOW) is not None

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(note, ("a", "b")))
    found = store.get("review", value, NOW)
    assert found is not None
    assert sorted(found.content["seen"]) == ["a", "b"]
    assert store.change("review", value, lambda was: was, LATER) is None


def test_what_two_tabs_keep_at_the_same_moment_is_kept_by_one(database: Database) -> None:
    """Neither is told that the store is away: both read the same chart."""
    store = AppSessionStore(database)
    both = Barrier(2, timeout=60)

    def keep(name: str) -> None:
        for n in range(10):
            both.wait()
            store.put("chart", {"kept": name}, LATER, f"cookie-{n}:chart")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(keep, ("a", "b")))
    found = [store.get("chart", f"cookie-{n}:chart", NOW) for n in range(10)]
    assert all(one is not None and one.content["kept"] in ("a", "b") for one in found)


def test_what_comes_for_a_review_that_is_closed_is_not_kept(database: Database) -> None:
    """An answer that was on its way leaves nothing behind."""
    sessions, review, request = a_review(database)
    sessions.keep_beside("chart", review, request, "read")
    assert sessions.beside("chart", review, request) == "read"
    sessions.end(review, request)
    sessions.keep_beside("chart", review, request, "read")
    assert sessions.beside("chart", review, request) is None
