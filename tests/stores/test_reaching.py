"""A PostgreSQL that is away, silent or locked costs a call a bounded time, and the next calls none."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest

from benchmarks.servers import free_port
from cds_service.breaker import Breaker
from cds_service.errors import StoreError
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.database import Database, migrate


def assessment() -> Assessment:
    return Assessment(
        id=UUID(int=1),
        at=datetime(2026, 11, 1, 9, tzinfo=UTC),
        service_id="cardiovascular-risk",
        hook="patient-view",
        hook_instance=UUID(int=2),
        patient_id="p-1",
        client=None,
        inputs=[],
        results=[],
        cards=[],
        response=b'{"cards":[]}',
        versions={},
    )


@pytest.fixture
def silent() -> Iterator[tuple[str, socket.socket]]:
    """The URL of a port that takes connections and never says a word, and its socket."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed (the extra postgres)")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield f"postgresql+psycopg://curbside@127.0.0.1:{listener.getsockname()[1]}/curbside", listener


def seconds(store: AssessmentStore) -> float:
    """How long a failing save takes."""
    started = time.monotonic()
    with pytest.raises(StoreError):
        store.save(assessment())
    return time.monotonic() - started


def knocked(listener: socket.socket) -> int:
    """How many connections came since this was asked last."""
    count = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


def test_a_silent_database_is_given_up_and_left_alone(silent: tuple[str, socket.socket]) -> None:
    """The first call waits two seconds; those after it do not even ask, and neither does the readiness check."""
    url, listener = silent
    store = AssessmentStore(Database(url))
    assert 1 < seconds(store) < 20  # a busy machine; without a limit it would wait for ever
    assert knocked(listener) == 1
    with pytest.raises(StoreError):
        store.save(assessment())
    assert not store.reachable()
    assert knocked(listener) == 0
    store.close()


def test_a_database_that_is_not_there_fails_at_once() -> None:
    """Nobody listens at the port."""
    pytest.importorskip("psycopg")
    port = free_port()
    took = []
    for _ in range(3):
        store = AssessmentStore(Database(f"postgresql+psycopg://curbside@127.0.0.1:{port}/curbside"))
        took.append(seconds(store))
        with pytest.raises(StoreError, match="it cannot be reached"):
            store.save(assessment())
        store.close()
    assert min(took) < 1


def test_a_database_that_comes_back_is_used_again(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the pause one call tries it, and all is as before."""
    import psycopg

    from cds_service.stores import reaching

    now = [0.0]
    monkeypatch.setattr(reaching, "Breaker", lambda failures, pause_s: Breaker(failures, pause_s, lambda: now[0]))
    where = postgresql.format(name="postgres").replace("+psycopg", "")
    name = "comes_back"
    store = AssessmentStore(Database(postgresql.format(name=name)))
    with pytest.raises(StoreError):
        store.save(assessment())  # there is no such database yet
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("CREATE DATABASE comes_back")
    migrate(postgresql.format(name=name))
    with pytest.raises(StoreError):
        store.save(assessment())  # nobody asks it yet
    now[0] += 5
    store.save(assessment())
    assert store.get(assessment().id) is not None
    store.close()
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("DROP DATABASE comes_back WITH (FORCE)")
