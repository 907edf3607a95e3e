"""Callers over HTTP: who gets an answer, what a stranger is told, and that a token works once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import answers
import pytest
import structlog
from answers import overheard
from flask import Flask
from flask.testing import FlaskClient

from cds_service import registry
from cds_service.app import create_app, create_pipeline, create_store
from cds_service.cli import calls, options
from cds_service.clock import FixedClock
from cds_service.pipeline import Pipeline
from cds_service.registry import Registry
from cds_service.sandbox.signing import SigningClient
from cds_service.settings import Client, Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.web import logs

BUNDLE = options.read_bundle(registry.shipped("fhir_samples") / "patients" / "primary-prevention.json")
NOW = calls.written(BUNDLE)
assert NOW is not None
CLOCK = FixedClock(NOW)
BASE = "https://cds.example"
SERVICE = "cardiovascular-risk"
PATH = f"/cds-services/{SERVICE}"
FHIR = "https://ehr.example/fhir"
PATHS = [("GET", "/cds-services"), ("POST", PATH), ("POST", PATH + "/feedback"), ("GET", "/elsewhere")]


@pytest.fixture(scope="module")
def loaded() -> Registry:
    return answers.loaded()


@pytest.fixture
def ehr() -> SigningClient:
    return SigningClient("https://ehr.example", tenant="north", now=CLOCK.now)


@pytest.fixture
def settings(tmp_path: Path, ehr: SigningClient) -> Settings:
    """One client, whose keys lie in a file."""
    (tmp_path / "keys.json").write_bytes(ehr.jwks())
    client = Client(issuer=ehr.issuer, jwks_file=tmp_path / "keys.json", fhir_base_urls=(FHIR,))
    made = Settings().with_("store", url=f"sqlite:///{tmp_path / 'a.db'}").with_("server", public_url=BASE + "/")
    return replace(made, clients={"main": client})


@pytest.fixture
def store(settings: Settings) -> Iterator[AssessmentStore]:
    store = create_store(settings)
    yield store
    store.close()


@pytest.fixture
def app(settings: Settings, store: AssessmentStore, loaded: Registry) -> Flask:
    return create_app(settings, CLOCK, pipeline=create_pipeline(settings, CLOCK, store, loaded), store=store)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    logs.configure(stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def request_body(loaded: Registry) -> dict[str, Any]:
    pipeline = create_pipeline(Settings(), CLOCK, None, loaded)
    services: Any = pipeline.discovery()["services"]
    made = calls.request(BUNDLE, next(s for s in services if s["id"] == SERVICE))
    assert made is not None
    body: dict[str, Any] = json.loads(made)
    body.pop("fhirServer", None)
    return body


Call = Callable[..., Any]


@pytest.fixture
def call(client: FlaskClient, ehr: SigningClient, request_body: dict[str, Any]) -> Call:
    """Calls the service with a token, which may be given."""

    def send(token: str | None = None, body: dict[str, Any] | None = None, **headers: str) -> Any:
        authorization = f"Bearer {token or ehr.token(BASE + PATH)}"
        return client.post(PATH, json=body or request_body, headers={"Authorization": authorization, **headers})

    return send


def lines(log: io.BytesIO, name: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == name]


def assert_stranger(response: Any) -> None:
    """A bare 401: what to do, and not why."""
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    issue = {"severity": "error", "code": "login", "diagnostics": "the call is not authorised"}
    assert response.get_json() == {"resourceType": "OperationOutcome", "issue": [issue]}
    assert response.headers["Cache-Control"] == "no-store"


def test_a_call_with_a_token_is_answered_and_stored_for_its_client(
    call: Call, store: AssessmentStore, settings: Settings
) -> None:
    """Issuer and tenant are in the assessment, so that feedback and replay stay within them."""
    assert call().status_code == 200
    with store.database.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT client, tenant FROM assessments").one()
    assert tuple(row) == ("https://ehr.example", "north")


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_token_nothing_is_answered(client: FlaskClient, method: str, path: str) -> None:
    """Discovery, hooks and feedback alike; nor can a stranger find out which paths there are."""
    assert_stranger(client.open(path, method=method, json={} if method == "POST" else None))


@pytest.mark.parametrize(("method", "path"), PATHS[:3])
def test_a_token_for_another_path_is_refused(client: FlaskClient, ehr: SigningClient, method: str, path: str) -> None:
    """`aud` is the URL that is called."""
    headers = ehr.authorization(BASE + path + "x")
    assert_stranger(client.open(path, method=method, json={} if method == "POST" else None, headers=headers))


def test_discovery_and_feedback_take_tokens_of_their_own(client: FlaskClient, ehr: SigningClient) -> None:
    """A token for its URL opens each of them; what lies behind is another matter."""
    assert client.get("/cds-services", headers=ehr.authorization(BASE + "/cds-services")).status_code == 200
    path = PATH + "/feedback"
    assert client.post(path, json={}, headers=ehr.authorization(BASE + path)).status_code != 401


def test_health_needs_no_token(client: FlaskClient) -> None:
    """A load balancer has none."""
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 200


def test_the_reason_is_in_the_log_and_the_token_nowhere(
    client: FlaskClient, ehr: SigningClient, log: io.BytesIO
) -> None:
    """Whoever runs the service can mend a registration; whoever reads the log cannot call."""
    token = ehr.token("https://other.example", claims={"sub": "SECRET-SUBJECT"})
    response = client.post(PATH, json={}, headers={"Authorization": f"Bearer {token}"})
    assert_stranger(response)
    (line,) = lines(log, "caller refused")
    assert (line["client"], line["peer"]) == ("main", "127.0.0.1")
    assert line["reason"].startswith("the token is for another audience: neither the called URL")
    assert line["reason"].endswith("nor one of clients.main.audiences")
    assert line["request_id"] == response.headers["X-Request-Id"]
    text = log.getvalue().decode()
    assert token not in text
    assert token.split(".")[1] not in text
    assert "SECRET" not in text
    assert "other.example" not in text


def test_a_token_works_once(
    call: Call, ehr: SigningClient, store: AssessmentStore, request_body: dict[str, Any]
) -> None:
    """A replay is a stranger's call, and leaves no assessment."""
    token = ehr.token(BASE + PATH)
    assert call(token).status_code == 200
    assert_stranger(call(token, {**request_body, "hookInstance": str(UUID(int=5))}))
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM assessments").scalar() == 1


def test_a_token_that_another_worker_saw_is_refused(
    settings: Settings, loaded: Registry, ehr: SigningClient, request_body: dict[str, Any]
) -> None:
    """The workers share the database and nothing else: the second one has computed, and keeps nothing."""
    token = ehr.token(BASE + PATH)
    counts = []
    statuses = []
    for number in range(2):
        store = create_store(settings)
        pipeline = create_pipeline(settings, CLOCK, store, loaded)
        client = create_app(settings, CLOCK, pipeline=pipeline, store=store).test_client()
        body = {**request_body, "hookInstance": str(UUID(int=number))}
        response = client.post(PATH, json=body, headers={"Authorization": f"Bearer {token}"})
        statuses.append(response.status_code)
        with store.database.engine.connect() as connection:
            counts.append(connection.exec_driver_sql("SELECT count(*) FROM assessments").scalar())
        store.close()
    assert (statuses, counts) == ([200, 401], [1, 1])


@pytest.mark.parametrize("failing", [{"hook": 1}, {"hook": "order-sign", "hookInstance": "x"}])
def test_a_refused_call_spends_its_token(
    call: Call, ehr: SigningClient, store: AssessmentStore, failing: dict[str, Any]
) -> None:
    """A token from a failed call is worth nothing to whoever has seen it, in any worker."""
    token = ehr.token(BASE + PATH)
    assert call(token, failing).status_code == 400
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM token_uses").scalar() == 1
    assert_stranger(call(token))


def test_discovery_spends_its_token(client: FlaskClient, ehr: SigningClient) -> None:
    """In a transaction of its own."""
    headers = ehr.authorization(BASE + "/cds-services")
    assert client.get("/cds-services", headers=headers).status_code == 200
    assert_stranger(client.get("/cds-services", headers=headers))


def test_a_hook_call_commits_once(call: Call, store: AssessmentStore) -> None:
    """The token and the assessment share a transaction: one wait for the disk."""
    told = overheard(store.database)
    assert call().status_code == 200
    assert told.count("COMMIT") == 1


def test_repeats_are_answered_and_logged_where_a_client_may(
    settings: Settings, store: AssessmentStore, loaded: Registry, ehr: SigningClient, log: io.BytesIO, request_body: Any
) -> None:
    """`jti = "log"`, for EHRs that use a token until it expires."""
    lenient = replace(settings, clients={"main": replace(settings.clients["main"], jti="log")})
    pipeline = create_pipeline(lenient, CLOCK, store, loaded)
    client = create_app(lenient, CLOCK, pipeline=pipeline, store=store).test_client()
    headers = ehr.authorization(BASE + PATH)
    bodies = [{**request_body, "hookInstance": str(UUID(int=n))} for n in range(2)]
    assert [client.post(PATH, json=body, headers=headers).status_code for body in bodies] == [200, 200]
    (line,) = lines(log, "token used again")
    assert line["client"] == "main"


def test_cards_go_on_while_the_database_is_away(
    call: Call, ehr: SigningClient, store: AssessmentStore, log: io.BytesIO
) -> None:
    """The clinician gets the card; a replay in the same worker is refused all the same."""
    with store.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE token_uses")
    token = ehr.token(BASE + PATH)
    assert call(token).status_code == 200
    assert_stranger(call(token))
    assert lines(log, "assessment not stored")
    assert lines(log, "token use not stored")


def test_a_fhir_server_that_is_not_the_clients_is_refused(call: Call, request_body: dict[str, Any]) -> None:
    """403 with a sentence; nothing is fetched, whatever the address."""
    assert call(body={**request_body, "fhirServer": FHIR + "/"}).status_code == 200
    for other in ("https://evil.example/fhir", "http://169.254.169.254/latest", FHIR + "/../x", ""):
        response = call(body={**request_body, "fhirServer": other})
        assert response.status_code == 403
        assert "fhir_base_urls" in response.get_json()["issue"][0]["diagnostics"]
        assert "evil" not in response.get_data(as_text=True)


def test_a_client_that_calls_too_fast_is_told_when_to_come_back(
    settings: Settings, store: AssessmentStore, loaded: Registry, ehr: SigningClient, request_body: dict[str, Any]
) -> None:
    """429 with Retry-After; its token is still good then."""
    slow = settings.with_("limits", rate_per_s=0.5, burst=1)
    pipeline = create_pipeline(slow, CLOCK, store, loaded)
    client = create_app(slow, CLOCK, pipeline=pipeline, store=store).test_client()
    assert client.post(PATH, json=request_body, headers=ehr.authorization(BASE + PATH)).status_code == 200
    token = ehr.authorization(BASE + PATH)
    response = client.post(PATH, json=request_body, headers=token)
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 2
    assert response.get_json()["issue"][0]["code"] == "throttled"
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM token_uses").scalar() == 1


def test_a_stranger_does_not_use_up_a_clients_rate(
    settings: Settings, store: AssessmentStore, loaded: Registry, ehr: SigningClient, request_body: dict[str, Any]
) -> None:
    """Only proved calls count."""
    slow = settings.with_("limits", rate_per_s=0.5, burst=1)
    pipeline = create_pipeline(slow, CLOCK, store, loaded)
    client = create_app(slow, CLOCK, pipeline=pipeline, store=store).test_client()
    forged = SigningClient(ehr.issuer, now=CLOCK.now)
    for _ in range(5):
        assert_stranger(client.post(PATH, json=request_body, headers=forged.authorization(BASE + PATH)))
    assert client.post(PATH, json=request_body, headers=ehr.authorization(BASE + PATH)).status_code == 200


@pytest.fixture
def open_client(settings: Settings, store: AssessmentStore, loaded: Registry) -> FlaskClient:
    """A service without clients."""
    bare = replace(settings, clients={})
    pipeline = create_pipeline(bare, CLOCK, store, loaded)
    return create_app(bare, CLOCK, pipeline=pipeline, store=store).test_client()


def test_without_clients_this_machine_is_answered(open_client: FlaskClient, request_body: dict[str, Any]) -> None:
    """Trying it out needs no registration, and a fhirServer that nobody configured is not called."""
    assert open_client.get("/cds-services").status_code == 200
    body = {**request_body, "fhirServer": "https://anything.example/fhir"}
    assert open_client.post(PATH, json=body).status_code == 200


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": "192.168.1.2", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_FORWARDED_FOR": "10.0.0.7"},
        {"HTTP_FORWARDED": "for=10.0.0.7"},
        {"HTTP_HOST": "rebound.example"},
        {"REMOTE_ADDR": ""},
    ],
)
def test_without_clients_others_are_refused(open_client: FlaskClient, environ: dict[str, str], log: io.BytesIO) -> None:
    """Another machine, a proxy that runs here and was not configured, a web page under a name of its own."""
    response = open_client.get("/cds-services", environ_overrides=environ)
    assert_stranger(response)
    assert lines(log, "caller refused")[0]["reason"].startswith("no CDS Client is configured")


def test_a_pipeline_without_a_guard_knows_no_client(request_body: dict[str, Any], loaded: Registry) -> None:
    """`curbside hook`: the request of a file, whatever server it names."""
    pipeline: Pipeline = create_pipeline(Settings(), CLOCK, None, loaded)
    body = json.dumps({**request_body, "fhirServer": "https://anything.example/fhir"}).encode()
    assert b"cards" in pipeline.answer(SERVICE, body)


def test_a_demonstration_may_answer_this_machine_beside_its_clients(
    settings: Settings, store: AssessmentStore, loaded: Registry, ehr: SigningClient
) -> None:
    """Only callers here that send no token at all; a bad token stays bad, and the setting is off by default."""
    eased = settings.with_("dev", unsigned_loopback=True)
    pipeline = create_pipeline(eased, CLOCK, store, loaded)
    client = create_app(eased, CLOCK, pipeline=pipeline, store=store).test_client()
    assert client.get("/cds-services").status_code == 200
    assert_stranger(client.get("/cds-services", environ_overrides={"REMOTE_ADDR": "10.0.0.7"}))
    assert_stranger(client.get("/cds-services", headers={"Authorization": "Bearer made.up.token"}))
    assert client.get("/cds-services", headers=ehr.authorization(BASE + "/cds-services")).status_code == 200
    assert not Settings().dev.unsigned_loopback
