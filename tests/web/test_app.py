"""The web application over the real pipeline: discovery, health, refusals, logs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from answers import loaded
from flask.testing import FlaskClient

from cds_service import registry
from cds_service.app import create_app, create_pipeline, create_store
from cds_service.cli import calls, options
from cds_service.clock import FixedClock
from cds_service.pipeline import Pipeline
from cds_service.settings import Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.web import logs

BUNDLE = options.read_bundle(registry.shipped("fhir_samples") / "patients" / "primary-prevention.json")
NOW = calls.written(BUNDLE)
PATH = "/cds-services/cardiovascular-risk"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('app') / 'a.db'}"
    return Settings().with_("store", url=url).with_("limits", max_body_bytes=200_000)


@pytest.fixture
def store(settings: Settings) -> Iterator[AssessmentStore]:
    store = create_store(settings)
    yield store
    store.close()


@pytest.fixture
def pipeline(settings: Settings, store: AssessmentStore) -> Pipeline:
    assert NOW is not None
    return create_pipeline(settings, FixedClock(NOW), store, loaded())


@pytest.fixture
def client(settings: Settings, store: AssessmentStore, pipeline: Pipeline) -> FlaskClient:
    return create_app(settings, pipeline=pipeline, store=store).test_client()


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    """What is logged, for the time of one test."""
    stream = io.BytesIO()
    logs.configure(stream)
    yield stream
    structlog.reset_defaults()


def lines(log: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def body(pipeline: Pipeline) -> bytes:
    services: Any = pipeline.discovery()["services"]
    made = calls.request(BUNDLE, next(s for s in services if s["id"] == "cardiovascular-risk"))
    assert made is not None
    return made


def refused(response: Any, status: int) -> str:
    """The diagnostics of a refusal, which must be an OperationOutcome with our headers."""
    assert response.status_code == status
    assert response.content_type == "application/json"
    assert len(response.headers["X-Request-Id"]) == 32
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    outcome = response.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert (issue["severity"], bool(issue["code"])) == ("error", True)
    return str(issue["diagnostics"])


def test_discovery_lists_the_services(client: FlaskClient) -> None:
    """`GET /cds-services` gives what CDS Hooks 2.0 asks of each service."""
    listed = client.get("/cds-services").get_json()["services"]
    assert len(listed) >= 4
    for service in listed:
        assert {"hook", "id", "description", "prefetch"} <= set(service)


def test_a_slash_at_the_end_is_passed_over(client: FlaskClient) -> None:
    """Whoever types the base URL into an EHR's form may end it with one."""
    assert client.get("/cds-services/").data == client.get("/cds-services").data
    plain, slash = (client.post(path, json={}) for path in (PATH, f"{PATH}/"))
    assert (slash.status_code, slash.data) == (plain.status_code, plain.data) == (400, plain.data)


def test_a_hook_is_answered_and_stored_before_the_answer(
    client: FlaskClient, pipeline: Pipeline, store: AssessmentStore, log: io.BytesIO
) -> None:
    """The stored response is the body, byte for byte; the log names the call by hookInstance and nothing of it."""
    call = body(pipeline)
    response = client.post(PATH, data=call, content_type="application/json; charset=utf-8")
    assert response.status_code == 200
    card = response.get_json()["cards"][0]
    assert "10-year cardiovascular risk" in card["summary"]
    with store.database.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT response, patient_id FROM assessments").all()
    assert (response.data, "primary-prevention") in [tuple(row) for row in stored]
    (line,) = lines(log)
    assert line["hook_instance"] == json.loads(call)["hookInstance"]
    assert (line["service"], line["status"]) == ("cardiovascular-risk", 200)
    assert set(line) <= logs.ALLOWED
    assert b"primary-prevention" not in log.getvalue()


def test_cards_go_on_while_the_store_is_away(
    client: FlaskClient, pipeline: Pipeline, store: AssessmentStore, log: io.BytesIO
) -> None:
    """A full disk costs the record of a card, not the card; log and health say so, until something is kept again."""
    with store.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE assessments RENAME TO away")
    try:
        assert client.post(PATH, data=body(pipeline), content_type="application/json").status_code == 200
        assert client.get("/health/ready").get_json() == {"status": "ready", "store": "failing"}
    finally:
        with store.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO assessments")
    another = json.loads(body(pipeline)) | {"hookInstance": "0b1c5a3e-7f1d-4d5e-9a53-2f1f5f0d9c11"}
    assert client.post(PATH, json=another).status_code == 200
    assert client.get("/health/ready").get_json() == {"status": "ready", "store": "ok"}
    assert "assessment not stored" in {line["event"] for line in lines(log)}


def test_health(client: FlaskClient, settings: Settings, pipeline: Pipeline, tmp_path: Path) -> None:
    """Live is live; ready tells of the store, and a failing store does not take the cards away."""
    from cds_service.stores.database import Database

    assert client.get("/health/live").get_json() == {"status": "live"}
    assert client.get("/health/ready").get_json() == {"status": "ready", "store": "ok"}
    away = AssessmentStore(Database(f"sqlite:///{tmp_path}/none/a.db"))
    other = create_app(settings, pipeline=pipeline, store=away).test_client()
    answer = other.get("/health/ready")
    assert (answer.status_code, answer.get_json()["store"]) == (200, "failing")


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("POST", "/cds-services/cardio-risk", 404, "did you mean cardiovascular-risk?"),
        ("POST", "/cds-services/%3Cscript%3E", 404, "known are"),
        ("GET", "/", 404, "GET /cds-services lists the services"),
        ("GET", PATH, 405, "Allow header"),
        ("PUT", PATH, 405, "Allow header"),
        ("DELETE", "/cds-services", 405, "Allow header"),
    ],
)
def test_wrong_paths_and_methods(client: FlaskClient, method: str, path: str, status: int, words: str) -> None:
    """A sentence that says where to go, never HTML, never the path itself."""
    response = client.open(path, method=method, data=b"{}", content_type="application/json")
    assert words in refused(response, status)
    assert b"script" not in response.data
    assert status != 405 or response.headers["Allow"]


@pytest.mark.parametrize("type_", ["text/plain", "application/fhir+json", "application/x-www-form-urlencoded", None])
def test_another_media_type_is_refused(client: FlaskClient, type_: str | None) -> None:
    """415: CDS Hooks is application/json."""
    assert "application/json" in refused(client.post(PATH, data=b"{}", content_type=type_), 415)


def test_a_compressed_body_is_refused(client: FlaskClient) -> None:
    """415, under any WSGI server."""
    response = client.post(PATH, data=b"x", content_type="application/json", headers={"Content-Encoding": "gzip"})
    assert "Content-Encoding" in refused(response, 415)


def test_a_byte_order_mark_before_the_json_is_read_over(client: FlaskClient, pipeline: Pipeline) -> None:
    """Some platforms write one, and JSON's specification lets a reader ignore it."""
    marked = client.post(PATH, data=b"\xef\xbb\xbf" + body(pipeline), content_type="application/json")
    assert marked.status_code == 200


def test_a_body_over_the_cap_is_refused(client: FlaskClient) -> None:
    """413 with the limit and its key, under any WSGI server."""
    response = client.post(PATH, data=b"x" * 200_001, content_type="application/json")
    assert "200000 bytes (limits.max_body_bytes)" in refused(response, 413)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b'{"hook": 1}', b'{"a":' * 5000 + b"1" + b"}" * 5000]
)
def test_a_body_that_is_no_request_is_refused(client: FlaskClient, content: bytes) -> None:
    """400 and a sentence; never a 5xx, never an empty list of cards."""
    assert refused(client.post(PATH, data=content, content_type="application/json"), 400)


def test_a_crash_tells_and_logs_nothing_of_the_payload(
    client: FlaskClient, pipeline: Pipeline, log: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 with a request id that is in the log, beside the place of the crash and its type."""

    def crash(*_: object, **__: object) -> bytes:
        raise ValueError("Jane Doe, 07700 900123")

    monkeypatch.setattr(pipeline, "answer", crash)
    response = client.post(PATH, data=b"{}", content_type="application/json")
    assert response.headers["X-Request-Id"] in refused(response, 500)
    crashed = next(line for line in lines(log) if line["event"] == "crashed")
    assert crashed["error"] == "ValueError"
    assert "test_app.py" in crashed["where"]
    assert crashed["request_id"] == response.headers["X-Request-Id"]
    assert b"Jane" not in log.getvalue() + response.data


def test_fields_that_are_not_on_the_list_never_reach_a_log(log: io.BytesIO) -> None:
    """An allow-list: a developer's slip of the pen does not leak a name."""
    structlog.get_logger().info("event", patient="Jane Doe", service="x")
    (line,) = lines(log)
    assert set(line) == {"at", "level", "event", "service"}


def test_a_request_leaves_nothing_for_the_collector(pipeline: Pipeline) -> None:
    """Everything is freed by reference counts: the collector may stay lazy and the memory small."""
    import gc

    call = json.loads(body(pipeline))
    left: list[int] = []
    gc.collect()
    gc.freeze()  # what other tests left is not looked through each time
    gc.disable()
    try:
        for number in range(6):
            one = json.dumps({**call, "hookInstance": str(UUID(int=number))}).encode()
            gc.collect()
            pipeline.answer("cardiovascular-risk", one)
            left.append(gc.collect())
    finally:
        gc.enable()
        gc.unfreeze()
    assert min(left) == 0, left  # the first ones fill caches
