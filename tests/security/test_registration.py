"""`curbside check`: are each client's keys and FHIR servers there, and what is to be mended?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from ehrs import ISSUER

from cds_service.cli import run
from cds_service.clock import FixedClock
from cds_service.errors import SettingsError
from cds_service.sandbox.signing import SigningClient
from cds_service.security import registration
from cds_service.security.registration import Finding, require_files
from cds_service.security.trust import fetcher
from cds_service.settings import Client, Settings, SmartEhr

CAPABILITY = b'{"resourceType": "CapabilityStatement", "status": "active"}'
Pages = dict[str, tuple[int, bytes]]


@pytest.fixture
def pages() -> Pages:
    """What the EHR's server answers, by path."""
    return {}


@pytest.fixture
def base(pages: Pages) -> Iterator[str]:
    """An EHR's server on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def look(base: str) -> Callable[..., list[Finding]]:
    """What the check finds for a client whose keys are at /keys and whose FHIR server is at /fhir."""

    def check(**changes: object) -> list[Finding]:
        client = Client(issuer=ISSUER, jwks_url=f"{base}/keys", fhir_base_urls=(f"{base}/fhir/",))
        client = replace(client, **changes)  # type: ignore[arg-type]
        settings = replace(Settings().with_("dev", allow_insecure_loopback=True), clients={"main": client})
        return list(registration.check("main", client, settings, fetcher(settings)))

    return check


def test_a_complete_registration_has_nothing_to_mend(look: Callable[..., list[Finding]], pages: Pages) -> None:
    """The keys are read as a call would read them; the FHIR server shows its CapabilityStatement."""
    pages["/keys"] = (200, SigningClient(ISSUER).jwks())
    pages["/fhir/metadata"] = (200, CAPABILITY)
    keys, fhir = look()
    assert (keys.state, keys.mend) == ("ok: 1 for ES384, RS384", None)
    assert (fhir.state, fhir.mend) == ("ok", None)


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_wants_a_token_is_reached(look: Callable[..., list[Finding]], pages: Pages, status: int) -> None:
    """Some guard their metadata as well."""
    pages["/fhir/metadata"] = (status, b"")
    fhir = look()[1]
    assert "reached" in fhir.state
    assert fhir.mend is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, b"<html>Sign in</html>"), "it is not a JWKS"),
        ((200, b'{"keys": []}'), "holds no signature key"),
        ((302, b""), "status 302"),
        ((500, b""), "status 500"),
    ],
)
def test_keys_that_cannot_be_used_are_named(
    look: Callable[..., list[Finding]], pages: Pages, answer: tuple[int, bytes], words: str
) -> None:
    """With what came instead, and the setting to look at."""
    pages["/keys"] = answer
    keys = look()[0]
    assert words in keys.state
    assert keys.mend == "Check clients.main.jwks_url."


def test_keys_of_another_algorithm_are_named(look: Callable[..., list[Finding]], pages: Pages) -> None:
    """The set is fine, the setting is not."""
    pages["/keys"] = (200, SigningClient(ISSUER, algorithm="RS256").jwks())
    keys = look()[0]
    assert keys.state == "no key for ES384, RS384"
    assert keys.mend == "The set is for RS256: see clients.main.algorithms."


@pytest.mark.parametrize(("version", "good"), [("4.0.1", True), ("4.3.0", True), ("3.0.2", False), ("5.0.0", False)])
def test_a_server_of_another_fhir_version_is_named(
    look: Callable[..., list[Finding]], pages: Pages, version: str, good: bool
) -> None:
    """What it answers could not be read, one call after another."""
    pages["/fhir/metadata"] = (200, b'{"resourceType": "CapabilityStatement", "fhirVersion": "%s"}' % version.encode())
    assert (look()[1].mend is None) is good


def test_the_ehrs_of_the_review_app_are_asked_as_at_a_launch(base: str, pages: Pages) -> None:
    """Its discovery document, endpoints and keys: each is named that a launch would fail for."""
    smart = {"main": SmartEhr(issuer=f"{base}/fhir", client_id="app")}
    settings = replace(Settings().with_("dev", allow_insecure_loopback=True), smart=smart)
    found: dict[str, object] = {"authorization_endpoint": f"{base}/a", "token_endpoint": f"{base}/t"}

    def state() -> str:
        pages["/fhir/.well-known/smart-configuration"] = (200, json.dumps(found).encode())
        (one,) = registration.launches(settings, FixedClock(datetime(2026, 11, 1, tzinfo=UTC)))
        assert one.part == f"smart.main {base}/fhir"
        assert (one.mend is None) is (one.state == "ok")
        return one.state

    (away,) = registration.launches(settings, FixedClock(datetime(2026, 11, 1, tzinfo=UTC)))
    assert away.state == "the EHR's smart-configuration: status 404"
    assert "PKCE" in state()
    found["code_challenge_methods_supported"] = ["S256"]
    assert state() == "the EHR's jwks_uri is missing from its smart-configuration"
    found["jwks_uri"] = f"{base}/jwks"
    assert state() == "the EHR's key set: status 404"
    pages["/jwks"] = (200, b'{"keys": []}')
    assert state() == "ok"


@pytest.mark.parametrize("answer", [(200, b"{}"), (200, b"<html>"), (404, b""), (200, b'{"resourceType": "Patient"}')])
def test_a_fhir_server_that_is_none_is_named(
    look: Callable[..., list[Finding]], pages: Pages, answer: tuple[int, bytes]
) -> None:
    """A base URL that is one path off is the usual mistake."""
    pages["/fhir/metadata"] = answer
    assert look()[1].mend is not None


def test_a_server_that_does_not_answer_is_named(look: Callable[..., list[Finding]], tmp_path: Path) -> None:
    """Nobody listens; no file lies there."""
    keys, fhir = look(jwks_url="", jwks_file=tmp_path / "none.json", fhir_base_urls=("http://127.0.0.1:9/fhir",))
    assert keys.state == f"cannot be used: {tmp_path}/none.json: No such file or directory"
    assert keys.mend == "Check clients.main.jwks_file."
    assert fhir.state == "outbound: no connection"
    assert fhir.mend is not None


def test_the_command_says_what_to_mend_and_exits_with_1(
    base: str, pages: Pages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it in one go; --offline leaves the reaching out."""
    config = tmp_path / "curbside.toml"
    config.write_text(
        f'[store]\nurl = "sqlite:///{tmp_path}/a.db"\n[dev]\nallow_insecure_loopback = true\n'
        f'[clients.main]\nissuer = "{ISSUER}"\njwks_url = "{base}/keys"\nfhir_base_urls = ["{base}/fhir"]\n'
    )
    assert run(["check", "--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert "clients.main keys: cannot be used: outbound: status 404. Check clients.main.jwks_url." in told
    assert "clients.main FHIR" in told
    assert run(["check", "--offline", "--config", str(config)]) == 0
    pages["/keys"] = (200, SigningClient(ISSUER).jwks())
    pages["/fhir/metadata"] = (200, CAPABILITY)
    assert run(["check", "--config", str(config)]) == 0
    assert "ok: 1 for ES384, RS384" in capsys.readouterr().out


def test_a_wrong_client_is_told_by_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The service would not start; the sentence is the same."""
    config = tmp_path / "curbside.toml"
    smart = '[smart.main]\nissuer = "https://ehr.example/fhir"\nclient_id = "a"\nclient = "other"\n'
    config.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/a.db"\n{smart}[clients.main]\nissuer = "{ISSUER}"\n')
    assert run(["check", "--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert "clients.main must have either jwks_url or jwks_file" in told
    assert "review app: would fail: smart.main.client names no [clients.NAME] table" in told
    with config.open("a") as text:
        text.write('jwks_file = "none.json"\n')
    assert run(["check", "--offline", "--config", str(config)]) == 1  # a file is there or not, whoever is reached
    assert "none.json: No such file or directory. Check clients.main.jwks_file." in capsys.readouterr().err


def test_the_start_ends_at_a_key_file_that_cannot_be_used(tmp_path: Path) -> None:
    """All calls of that client would be refused, with nothing but a bare 401 to tell it."""
    kept = tmp_path / "keys.json"
    made = replace(Settings(), clients={"main": Client(issuer=ISSUER, jwks_file=kept)})
    for content, words in (
        (None, r"keys\.json: No such file or directory\. Check clients\.main\.jwks_file"),
        (b"<html>", "it is not a JWKS"),
        (SigningClient(ISSUER, algorithm="RS256").jwks(), "no key for ES384, RS384"),
    ):
        if content is not None:
            kept.write_bytes(content)
        with pytest.raises(SettingsError, match=words):
            require_files(made)
    kept.write_bytes(SigningClient(ISSUER).jwks())
    require_files(made)


def test_an_unfit_url_is_named_with_its_key() -> None:
    """Before anything is made that could only name its host."""
    made = replace(Settings(), clients={"main": Client(issuer=ISSUER, jwks_url="http://ehr.example/keys")})
    with pytest.raises(SettingsError, match=r"clients\.main\.jwks_url must be https, got http"):
        fetcher(made)
