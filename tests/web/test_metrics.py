"""Metrics: what is counted, who may read it, what it costs, and that it holds no patient's data."""

from __future__ import annotations

import fcntl
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import effort
import pytest
from answers import loaded
from flask import Flask

from benchmarks.servers import free_port
from cds_service import registry
from cds_service.app import create_app, create_pipeline, create_store
from cds_service.cli import calls, options
from cds_service.clock import Deadline, FixedClock
from cds_service.observer import NOBODY
from cds_service.outbound import Outbound, OutboundError
from cds_service.settings import Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.web import metrics as metrics_module
from cds_service.web.metrics import Metrics
from tests.web.test_server import serving

BUNDLE = options.read_bundle(registry.shipped("fhir_samples") / "patients" / "primary-prevention.json")
SERVICE = "cardiovascular-risk"
FAR = {"REMOTE_ADDR": "203.0.113.7"}


def values(page: bytes) -> dict[str, float]:
    """Each sample of a page by its name and labels."""
    lines = [line for line in page.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings().with_("store", url=f"sqlite:///{tmp_path}/a.db").with_("metrics", port=9464)


@pytest.fixture
def store(settings: Settings) -> Iterator[AssessmentStore]:
    store = create_store(settings)
    yield store
    store.close()


@pytest.fixture
def app(settings: Settings, store: AssessmentStore, metrics: Metrics) -> Flask:
    now = calls.written(BUNDLE)
    assert now is not None
    pipeline = create_pipeline(settings, FixedClock(now), store, loaded(), observer=metrics)
    return create_app(settings, pipeline=pipeline, store=store, metrics=metrics)


def hook_call(app: Flask, hook_instance: str = "4f0c2b0e-58a8-4a86-a4f0-1f8f5e6f0001") -> bytes:
    services: Any = app.test_client().get("/cds-services").get_json()["services"]
    made = calls.request(BUNDLE, next(s for s in services if s["id"] == SERVICE))
    assert made is not None
    return json.dumps({**json.loads(made), "hookInstance": hook_instance}).encode()


def post(app: Flask, body: bytes, path: str = f"/cds-services/{SERVICE}") -> int:
    return app.test_client().post(path, data=body, content_type="application/json").status_code


def test_a_first_assessment_that_was_not_stored_rings(metrics: Metrics) -> None:
    """Prometheus sees a rise from 0 to 1, and none in a counter that begins with 1."""
    found = values(metrics.page())
    assert [found[f'curbside_assessments_total{{outcome="{outcome}"}}'] for outcome in ("stored", "failed")] == [0, 0]


def test_calls_findings_refusals_and_assessments_are_counted(app: Flask, metrics: Metrics) -> None:
    """One page tells how many calls were answered how, and what came of them."""
    body = hook_call(app)
    assert [post(app, body), post(app, b"{}"), post(app, b"{}", "/cds-services/none")] == [200, 400, 404]
    found = values(app.test_client().get("/metrics").data)
    assert found[f'curbside_requests_total{{route="invoke",service="{SERVICE}",status="200"}}'] == 1
    assert found[f'curbside_requests_total{{route="invoke",service="{SERVICE}",status="400"}}'] == 1
    assert found['curbside_requests_total{route="invoke",service="",status="404"}'] == 1
    assert found[f'curbside_request_seconds_count{{route="invoke",service="{SERVICE}"}}'] == 2
    assert found[f'curbside_findings_total{{fate="shown",service="{SERVICE}"}}'] >= 1
    assert found['curbside_assessments_total{outcome="stored"}'] == 1
    assert any(re.match(r'curbside_refusals_total\{model="[a-z0-9-]+",reason="[a-z-]+"\}', name) for name in found)


def test_an_assessment_that_was_not_stored_is_counted(app: Flask, store: AssessmentStore) -> None:
    """The alert that matters when the database is away."""
    body = hook_call(app)
    with store.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE assessments RENAME TO away")
    assert post(app, body) == 200
    assert values(app.test_client().get("/metrics").data)['curbside_assessments_total{outcome="failed"}'] == 1


def test_no_patient_and_no_call_is_named(app: Flask) -> None:
    """Ids of services and models are all that labels hold; what a caller sends never becomes one."""
    post(app, hook_call(app))
    post(app, b"{}", "/cds-services/SECRET-PATIENT")
    app.test_client().get("/SECRET-PATIENT", headers={"X-Request-Id": "SECRET-PATIENT"})
    page = app.test_client().get("/metrics").data.decode()
    assert "primary-prevention" not in page
    assert "SECRET" not in page
    assert "4f0c2b0e" not in page
    names = set(re.findall(r'(\w+)="', page))
    assert names == {"route", "service", "status", "fate", "model", "reason", "outcome", "le", "version"}


def test_strangers_do_not_see_metrics(app: Flask) -> None:
    """At the service's own port only callers on this machine read them; for others there is no such page."""
    client = app.test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base=FAR).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404


def test_the_metrics_port_has_metrics_and_health_alone(app: Flask) -> None:
    """Whoever reaches that port reads metrics, and can call no hook there."""
    client = app.test_client()
    there = {**FAR, "SERVER_PORT": "9464"}
    assert client.get("/metrics", environ_overrides=there).status_code == 200
    assert client.get("/health/live", environ_overrides=there).status_code == 200
    for path in ("/cds-services", "/elsewhere"):
        assert client.get(path, environ_overrides=there).status_code == 404


def test_requests_out_are_counted_by_what_came_of_them(metrics: Metrics) -> None:
    """By purpose and outcome, never by address."""
    outbound = Outbound(
        ["http://127.0.0.1:9/fhir"], allow_insecure_loopback=True, purpose="fhir", observer=metrics, failures=1
    )
    for url in ("http://127.0.0.1:9/fhir/Patient/SECRET", "http://127.0.0.1:9/fhir/x", "http://127.0.0.1:9/other"):
        with pytest.raises(OutboundError):
            outbound.get(url, deadline=Deadline.after(2), max_bytes=10)
    found = {name: n for name, n in values(metrics.page()).items() if name.startswith("curbside_outbound_requests_t")}
    assert found == {
        'curbside_outbound_requests_total{outcome="refused",purpose="fhir"}': 1,
        'curbside_outbound_requests_total{outcome="paused",purpose="fhir"}': 1,
        'curbside_outbound_requests_total{outcome="not_allowed",purpose="fhir"}': 1,
    }


def test_counting_a_call_is_little_work(metrics: Metrics) -> None:
    """All that one hook call tells takes a hundred or so calls of functions: a twentieth of a millisecond."""

    def call() -> None:
        metrics.waiting(1)
        metrics.refused((("a", "input"), ("b", "not-applicable"), ("c", "out-of-range")))
        metrics.decided("x", 2, 1, 1)
        metrics.kept(True)
        metrics.answered("invoke", "x", 200, 0.01)
        metrics.waiting(0)

    call()  # the first one makes what the others find
    assert effort.calls(call) < 180


def test_nobody_counts_nothing() -> None:
    """The observer of the command line takes everything and does nothing."""
    NOBODY.answered("invoke", "x", 200, 0.1)
    NOBODY.decided("x", 1, 1, 1)
    NOBODY.refused([("a", "input")])
    NOBODY.kept(False)
    NOBODY.fetched("fhir", "ok")
    NOBODY.waiting(3)
    assert vars(NOBODY) == {}


def test_workers_count_together(tmp_path: Path) -> None:
    """Whichever worker answers the page, it shows the calls of both; what a killed worker counted stays."""
    import os
    import signal

    port = free_port()
    with serving(tmp_path, f"METRICS__PORT={port}") as server:
        for _ in range(40):
            assert server.call()[0] == 200
        counted = 'curbside_requests_total{route="invoke",service="stub",status="200"}'
        for _ in range(4):
            assert values(server.call(path="/metrics", method="GET")[2])[counted] == 40
        first = server.workers()
        for worker in first:
            os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while len(set(server.workers()) - set(first)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        page = values(server.call(path="/metrics", method="GET")[2])
        assert page[counted] == 40
        assert page["curbside_waiting_calls"] == 0


def test_the_folder_of_counts_goes_with_the_server(tmp_path: Path) -> None:
    """A service that ends leaves nothing behind in memory."""
    with serving(tmp_path) as server:
        mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
        (used,) = set(re.findall(r"(/\S*curbside-metrics-\w+)/", mapped))
        assert Path(used).is_dir()
    assert not Path(used).exists()


def test_the_folder_of_a_killed_server_goes_with_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is small, and full it kills workers; the folder of a server that runs is left alone."""
    monkeypatch.setattr(metrics_module, "memory", lambda: str(tmp_path))
    runs = metrics_module._own_folder()
    killed, theirs = tmp_path / "curbside-metrics-killed", tmp_path / "curbside-metrics-without-a-lock"
    for folder in (killed, theirs):
        folder.mkdir()
        (folder / "counter_1.db").touch()
    (killed / "held").touch()
    second = metrics_module._own_folder()
    assert {path.name for path in tmp_path.iterdir()} == {runs.name, theirs.name, second.name}


def test_a_folder_that_another_start_removes_before_it_is_held_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two services that start in the same moment: neither counts in a folder that is gone."""
    monkeypatch.setattr(metrics_module, "memory", lambda: str(tmp_path))
    lock, others = fcntl.flock, []

    def late(file: Any, how: int) -> None:
        if how == fcntl.LOCK_EX and not others:
            others.append(None)
            others.append(metrics_module._own_folder())  # it finds the first one's folder, which nobody holds yet
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    own = metrics_module._own_folder()
    assert {path.name for path in tmp_path.iterdir()} == {own.name, others[1].name}


def test_a_file_of_counts_without_content_is_passed_over(tmp_path: Path) -> None:
    """A worker that was killed between making and filling it does not end the page for good."""
    (tmp_path / "counter_1.db").touch()
    (tmp_path / "gauge_livesum_2.db").symlink_to(tmp_path / "gone")  # seen, and then removed with its worker
    assert Metrics(tmp_path).page() == b""
