"""CORS: pages on the allow-list may call and read every answer; others may not."""

from __future__ import annotations

from typing import Any

import loops
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from cds_service.errors import BadRequest, SettingsError
from cds_service.settings import Cors, Limits
from cds_service.web import cors, errors
from cds_service.web.asgi import Adapter

PAGE = "https://sandbox.example"


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("cors", static_folder=None)
    errors.register(app)
    cors.register(app, cors.Policy.of(Cors(origins=(PAGE, "http://localhost:8000"))))
    app.get("/ok")(lambda: Response("ok"))

    @app.post("/bad")
    def bad() -> Response:
        raise BadRequest("no")

    @app.post("/crash")
    def crash() -> Response:
        raise RuntimeError

    return app.test_client()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/ok", 200), ("POST", "/bad", 400), ("POST", "/crash", 500), ("GET", "/none", 404), ("POST", "/ok", 405)],
)
def test_every_answer_can_be_read_by_an_allowed_page(client: FlaskClient, method: str, path: str, status: int) -> None:
    """Errors, too: otherwise the browser shows its user nothing but a network error."""
    response = client.open(path, method=method, headers={"Origin": PAGE})
    assert response.status_code == status
    assert response.headers.getlist("Access-Control-Allow-Origin") == [PAGE]
    assert "Origin" in response.headers["Vary"]
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://sandbox.example.evil.example", "http://sandbox.example", "*"]
)
def test_another_page_cannot_read_an_answer(client: FlaskClient, origin: str) -> None:
    """Exact comparison; caches keep the answers apart."""
    response = client.get("/ok", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Vary"] == "Origin"


def test_a_preflight_is_answered_without_a_token(client: FlaskClient) -> None:
    """Browsers ask before they send Authorization and JSON, and never with a token."""
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = client.options("/bad", headers=asked)
    assert response.status_code == 204
    assert "Content-Type" not in response.headers
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert response.headers["Access-Control-Max-Age"] == "600"
    refused = client.options("/bad", headers={**asked, "Origin": "https://evil.example"})
    assert not [name for name, _ in refused.headers if name.startswith("Access-Control")]


def test_without_origins_nothing_is_said() -> None:
    """EHRs that call from a server need no CORS."""
    policy = cors.Policy.of(Cors())
    assert policy.headers(PAGE) == ()
    assert policy.preflight(PAGE) == ()


@pytest.mark.parametrize("origin", ["*", "https://*.example", "https://a.example/", "a.example", "null", "ftp://a"])
def test_what_no_browser_sends_is_a_settings_error(origin: str) -> None:
    """No wildcard: patient data are behind it."""
    with pytest.raises(SettingsError, match=r"cors\.origins must hold origins"):
        cors.Policy.of(Cors(origins=(origin,)))


def test_refusals_before_the_application_are_marked_as_well() -> None:
    """A body that is too large is refused by the server itself, with the caller's id and CORS."""
    sent: list[dict[str, Any]] = []
    adapter = Adapter(lambda *_: [], Limits(max_body_bytes=1000), cors.Policy.of(Cors(origins=(PAGE,))))
    id_ = "0a1b2c3d-0000-4000-8000-00000000000f"
    scope = {"type": "http", "method": "POST", "headers": [(b"origin", PAGE.encode()), (b"x-request-id", id_.encode())]}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 2000, "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    loops.run(adapter(scope, receive, send))
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 413
    assert headers[b"access-control-allow-origin"] == PAGE.encode()
    assert headers[b"x-request-id"] == id_.encode()
