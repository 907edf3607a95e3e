"""Feedback over HTTP: acknowledged only once it is kept, by whom the card was given, with the words of a refusal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import answers
import pytest
from flask.testing import FlaskClient

from benchmarks.servers import free_port
from cds_service import registry
from cds_service.app import create_app, create_pipeline, create_store
from cds_service.cli import options
from cds_service.clock import FixedClock
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import request_for
from cds_service.sandbox.signing import SigningClient
from cds_service.settings import Client, Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database

CLOCK = FixedClock(AS_OF)
BASE = "https://cds.example"
SERVICE = "cardiovascular-risk"
PATH = f"/cds-services/{SERVICE}"
FEEDBACK = PATH + "/feedback"
BUNDLE = options.read_bundle(registry.shipped("fhir_samples") / "patients" / "missing-lipids.json")
AT = "2026-11-01T09:00:00Z"


@pytest.fixture(scope="module")
def loaded() -> registry.Registry:
    return answers.loaded()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings().with_("store", url=f"sqlite:///{tmp_path / 'a.db'}").with_("server", public_url=BASE)


@pytest.fixture
def store(settings: Settings) -> Iterator[AssessmentStore]:
    store = create_store(settings)
    yield store
    store.close()


def client_of(settings: Settings, store: AssessmentStore | None, loaded: registry.Registry) -> FlaskClient:
    pipeline = create_pipeline(settings, CLOCK, store, loaded)
    return create_app(settings, CLOCK, pipeline=pipeline, store=store).test_client()


@pytest.fixture
def client(settings: Settings, store: AssessmentStore, loaded: registry.Registry) -> FlaskClient:
    return client_of(settings, store, loaded)


def card_from(client: FlaskClient, number: int = 1, **headers: str) -> dict[str, Any]:
    """The card that the service gives for the sample patient."""
    (entry,) = [s for s in discovered(client, **headers) if s["id"] == SERVICE]
    body = {**request_for(entry, BUNDLE), "hookInstance": str(UUID(int=number))}
    body.pop("fhirServer", None)
    found: dict[str, Any] = client.post(PATH, json=body, headers=headers).get_json()["cards"][0]
    return found


def discovered(client: FlaskClient, **headers: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/cds-services", headers=headers).get_json()["services"]
    return found


def overridden(card: dict[str, Any]) -> dict[str, Any]:
    reason = {"reason": card["overrideReasons"][0], "userComment": "discussed last week"}
    return {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": AT, "overrideReason": reason}


def accepted(card: dict[str, Any]) -> dict[str, Any]:
    ids = [{"id": s["uuid"]} for s in card["suggestions"]]
    return {"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": AT, "acceptedSuggestions": ids}


def kept(store: AssessmentStore) -> int:
    with store.database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM feedback").scalar_one())


def words(response: Any, status: int) -> str:
    assert response.status_code == status
    (issue,) = response.get_json()["issue"]
    return str(issue["diagnostics"])


def test_feedback_is_acknowledged_with_a_small_body(client: FlaskClient, store: AssessmentStore) -> None:
    """Several cards in one call; a repeat is acknowledged the same way and kept once."""
    items = [overridden(card_from(client, 1)), accepted(card_from(client, 2))]
    for _ in range(2):
        response = client.post(FEEDBACK, json={"feedback": items})
        assert (response.status_code, response.get_json()) == (200, {"received": 2})
        assert response.headers["X-Request-Id"]
    assert kept(store) == 2
    assert AuditStore(store.database).verify().faults == ()


def test_what_was_overridden_rests(client: FlaskClient) -> None:
    """From the acknowledgement on."""
    card = card_from(client)
    client.post(FEEDBACK, json={"feedback": [overridden(card)]})
    (entry,) = [s for s in discovered(client) if s["id"] == SERVICE]
    body = {**request_for(entry, BUNDLE), "hookInstance": str(UUID(int=2))}
    assert client.post(PATH, json=body).get_json() == {"cards": []}


def test_an_unknown_card_is_404_for_everybody_alike(
    tmp_path: Path, settings: Settings, store: AssessmentStore, loaded: registry.Registry
) -> None:
    """A card of nobody, of another tenant, of another client, of another service: one and the same answer."""
    ehrs = {
        "a": SigningClient("https://a.example", tenant="north", now=CLOCK.now),
        "b": SigningClient("https://b.example", now=CLOCK.now),
    }
    clients = {}
    for name, ehr in ehrs.items():
        (tmp_path / f"{name}.json").write_bytes(ehr.jwks())
        clients[name] = Client(issuer=ehr.issuer, jwks_file=tmp_path / f"{name}.json")
    client = client_of(replace(settings, clients=clients), store, loaded)
    south = SigningClient("https://a.example", tenant="south", now=CLOCK.now)
    south.key = ehrs["a"].key  # one EHR for two tenants

    def bearer(ehr: SigningClient, path: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {ehr.token(BASE + path)}"}

    (entry,) = [s for s in discovered(client, **bearer(ehrs["a"], "/cds-services")) if s["id"] == SERVICE]
    body = request_for(entry, BUNDLE)
    body.pop("fhirServer", None)
    (card,) = client.post(PATH, json=body, headers=bearer(ehrs["a"], PATH)).get_json()["cards"]
    item = overridden(card)
    answers = []
    for ehr, path, sent in (
        (ehrs["a"], FEEDBACK, {**item, "card": str(UUID(int=5))}),
        (south, FEEDBACK, item),
        (ehrs["b"], FEEDBACK, item),
        (ehrs["a"], "/cds-services/prognosis/feedback", item),
    ):
        response = client.post(path, json={"feedback": [sent]}, headers=bearer(ehr, path))
        answers.append((response.status_code, response.get_json()))
    assert len({json.dumps(answer) for answer in answers}) == 1
    assert answers[0][0] == 404
    assert kept(store) == 0
    token = bearer(ehrs["a"], FEEDBACK)
    assert client.post(FEEDBACK, json={"feedback": [item]}, headers=token).status_code == 200
    assert client.post(FEEDBACK, json={"feedback": [item]}, headers=token).status_code == 401  # the token is spent


def test_an_unknown_service_is_404(client: FlaskClient) -> None:
    """With the nearest id."""
    response = client.post("/cds-services/cardio-risk/feedback", json={"feedback": []})
    assert "did you mean cardiovascular-risk?" in words(response, 404)


def test_what_is_wrong_is_named(client: FlaskClient, store: AssessmentStore) -> None:
    """The item's index and the member, and no value."""
    card = card_from(client)
    sent = {"feedback": [{**overridden(card), "outcomeTimestamp": "yesterday, Jane"}]}
    said = words(client.post(FEEDBACK, json=sent), 400)
    assert said.startswith("feedback[0].outcomeTimestamp must be")
    assert "Jane" not in said
    foreign = {**accepted(card), "acceptedSuggestions": [{"id": str(UUID(int=3))}]}
    assert "acceptedSuggestions[0].id" in words(client.post(FEEDBACK, json={"feedback": [foreign]}), 400)
    assert kept(store) == 0


def test_a_batch_loses_no_outcome_for_a_card_that_is_not_known(client: FlaskClient, store: AssessmentStore) -> None:
    """404 that names the card and says that the others are kept; sent again, it changes nothing; mended, it is 200."""
    known = [overridden(card_from(client, 1)), accepted(card_from(client, 2))]
    unknown = {**known[0], "card": str(UUID(int=5))}
    batch = {"feedback": [known[0], unknown, known[1]]}
    for _ in range(2):
        said = words(client.post(FEEDBACK, json=batch), 404)
        assert said.startswith("feedback[1].card is not a card that this service gave to this CDS Client.")
        assert said.endswith("The other 2 items are kept; to send them again changes nothing.")
        assert kept(store) == 2
    assert client.post(FEEDBACK, json={"feedback": known}).get_json() == {"received": 2}
    assert kept(store) == 2
    assert AuditStore(store.database).verify().faults == ()


def test_a_batch_loses_nothing_for_an_item_that_is_not_understood(client: FlaskClient, store: AssessmentStore) -> None:
    """400 as soon as one item is malformed, an unknown card beside it or not; what can be kept is kept."""
    good = overridden(card_from(client))
    sent = {"feedback": [{"card": "x"}, {**good, "card": str(UUID(int=5))}, good]}
    said = words(client.post(FEEDBACK, json=sent), 400)
    assert said.index("feedback[0].outcome") < said.index("feedback[1].card") < said.index("The other item is kept")
    assert kept(store) == 1


@pytest.mark.parametrize(
    ("method", "type_", "data", "status"),
    [
        ("GET", "application/json", b"", 405),
        ("POST", "text/plain", b"{}", 415),
        ("POST", "application/json", b"{", 400),
        ("POST", "application/json", b"x" * 10_000_001, 413),
    ],
)
def test_other_calls_are_refused(client: FlaskClient, method: str, type_: str, data: bytes, status: int) -> None:
    """As on every path: an OperationOutcome."""
    assert words(client.open(FEEDBACK, method=method, content_type=type_, data=data), status)


def test_feedback_that_cannot_be_kept_is_503(
    client: FlaskClient, settings: Settings, store: AssessmentStore, loaded: registry.Registry
) -> None:
    """The client keeps it and sends it again; the same where the service runs without a store."""
    card = card_from(client)
    with store.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE feedback RENAME TO away")
    assert "could not be stored" in words(client.post(FEEDBACK, json={"feedback": [overridden(card)]}), 503)
    without = client_of(settings, None, loaded)
    assert "without a store" in words(without.post(FEEDBACK, json={"feedback": [overridden(card)]}), 503)


def test_feedback_that_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """The real server, killed with all its workers right after the answer: feedback and audit record are there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    environment = {**os.environ, "CURBSIDE_STORE__URL": database.url, "CURBSIDE_SERVER__WORKERS": "1"}
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port)]
    log = (tmp_path / "log").open("wb")
    server = subprocess.Popen(command, env=environment, start_new_session=True, stderr=log, stdout=log)
    try:
        _wait_for(server, port)
        (entry,) = [s for s in _post(url + "/cds-services")["services"] if s["id"] == SERVICE]
        (card,) = _post(url + PATH, request_for(entry, BUNDLE))["cards"]
        assert _post(url + FEEDBACK, {"feedback": [overridden(card)]}) == {"received": 1}
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        log.close()
    store = AssessmentStore(database)
    assert kept(store) == 1
    assert AuditStore(database).verify().faults == ()
    store.close()


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Returns once the server accepts connections."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
            pytest.fail("the server did not start")


def _post(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=300) as answer:
        return json.loads(answer.read())
