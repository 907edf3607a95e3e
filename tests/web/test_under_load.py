"""The real service under load and failure: what was acknowledged is stored, and slow clients hold up nobody."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import load, soak
from benchmarks.ehr import Ehr, Line
from benchmarks.hook_path import CURBSIDE
from benchmarks.servers import Server, running
from cds_service.settings import Settings


@dataclass(frozen=True)
class Started:
    """A server, what it said when it first said anything, and the processor time of its first call."""

    server: Server
    ready: tuple[int, bytes]
    first_cpu_s: float


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Ehr:
    return Ehr(tmp_path_factory.mktemp("ehr"), patients=8)


@pytest.fixture(scope="module")
def started(ehr: Ehr) -> Iterator[Started]:
    with running("Curbside", CURBSIDE, ehr.environment) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        ready = response.status, response.read()
        connection.close()
        yield Started(server, ready, cpu_s(server, ehr, 1))


def cpu_s(server: Server, ehr: Ehr, calls: int) -> float:
    """What some calls cost, which a busy machine changes less than how long they take."""
    before = server.cpu_s()
    assert len(load.drive(ehr, server.port, 1, calls).seconds) == calls
    return server.cpu_s() - before


@pytest.fixture
def server(started: Started) -> Server:
    """The same for all tests but one, which ends its own."""
    return started.server


def lost(ehr: Ehr, tally: load.Tally) -> set[str]:
    return tally.instances - load.stored(ehr, "assessments", "hook_instance")


def test_killed_workers_lose_nothing_that_was_acknowledged(ehr: Ehr, server: Server) -> None:
    """kill -9 costs the calls that were under way; the service goes on, and feedback on its cards is kept."""
    tally = load.killed(server, ehr, 150)
    assert tally.seconds
    assert not tally.others
    assert not lost(ehr, tally)
    after = load.drive(ehr, server.port, 4, 20)
    assert len(after.seconds) == 20
    kept = load.feed_back(ehr, server.port, set(sorted(after.cards)[:10]))
    assert len(kept) == 10
    assert kept <= load.stored(ehr, "feedback", "card")


def test_sigterm_under_load_lets_calls_finish(tmp_path: Path) -> None:
    """Calls that were taken are answered; exit code 0."""
    ehr = Ehr(tmp_path, patients=8)
    with running("Curbside", CURBSIDE, ehr.environment) as server:
        tally, code = load.ended(server, ehr)
    assert code == 0
    assert tally.seconds
    assert not tally.others
    assert not lost(ehr, tally)


def test_two_hundred_slow_connections_hold_up_nobody(ehr: Ehr, server: Server) -> None:
    """Normal calls, with token and audit, are answered long before the service gives up any of the slow ones."""
    assert load.slow_clients(server, ehr) < Settings().limits.read_s / 2


def test_the_first_sign_of_readiness_comes_when_cards_can_be_given(ehr: Ehr, started: Started) -> None:
    """Nothing is answered before models are loaded and warm; then the first hook call is as fast as later ones."""
    assert started.ready == (200, b'{"status":"ready","store":"ok"}')
    assert started.first_cpu_s < 0.3 + cpu_s(started.server, ehr, 10)


def test_refusals_do_not_pile_up(ehr: Ehr, server: Server) -> None:
    """Broken calls, and connections that go away in the middle, leave no files and threads behind."""
    load.drive(ehr, server.port, 4, 40)
    deadline = time.monotonic() + 60
    while True:  # until no more files and threads are used than were ever needed at once
        soak.broken_calls(ehr, server.port, 30)
        before = soak.sample(server, 0, 0)
        for _ in range(4):
            soak.broken_calls(ehr, server.port, 30)
        now = soak.sample(server, 0, 0)
        if now.files <= before.files + 2 and now.threads <= before.threads + 2:
            break
        assert time.monotonic() < deadline, (before, now)
        time.sleep(0.05)


def test_calls_of_many_clients_at_once_are_all_answered(ehr: Ehr, server: Server) -> None:
    """Sixty-four connections opened at the same moment, one call each."""
    ehr.sign(64)
    requests = [ehr.call(number)[1] for number in range(64)]
    statuses: list[int] = []

    def one(request: bytes) -> None:
        line = Line(server.port)
        statuses.append(line.ask(request)[0])
        line.close()

    threads = [threading.Thread(target=one, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 64
