"""The one way to a socket out, against real servers on loopback that behave and that do not."""

from __future__ import annotations

import gzip
import http.server
import json
import logging
import os
import pickle
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from listening import listening

from benchmarks.servers import free_port
from cds_service.clock import Deadline
from cds_service.errors import SettingsError
from cds_service.outbound import Answer, Base, Failure, Outbound, OutboundError, Secret
from cds_service.sandbox.faults import Fault, Misbehaviour
from cds_service.sandbox.fhir_server import FhirServer

PATIENT = {"resourceType": "Patient", "id": "p1"}
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
TOKEN = "tell-nobody-7d1f"


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    with FhirServer([BUNDLE], token=TOKEN).running() as server:
        yield server


def outbound(*allowed: str, **options: Any) -> Outbound:
    return Outbound(allowed, allow_insecure_loopback=True, **options)


def get(out: Outbound, url: str, seconds: float = 30.0, max_bytes: int = 100_000) -> Answer:
    return out.get(url, deadline=Deadline.after(seconds), max_bytes=max_bytes, token=Secret(TOKEN))


def failure(out: Outbound, url: str, seconds: float = 30.0, max_bytes: int = 100_000) -> OutboundError:
    """The error of a request, which must come with the deadline at the latest."""
    started = time.monotonic()
    with pytest.raises(OutboundError) as caught:
        get(out, url, seconds, max_bytes)
    assert time.monotonic() - started < seconds + 20  # a busy machine; what hangs does so for a minute
    assert caught.value.__cause__ is None
    return caught.value


def test_an_answer_comes_with_the_token_and_our_name(fhir: FhirServer) -> None:
    """A plain request under the allowed base URL."""
    answer = get(outbound(fhir.base), f"{fhir.base}/Patient/p1")
    assert json.loads(answer.body) == PATIENT
    assert answer.headers["content-type"].startswith("application/fhir+json")
    (seen,) = fhir.seen
    assert seen.authorized
    assert seen.headers["user-agent"].startswith("Curbside/")


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example/fhir",
        "https://ehr.example/fhir/",
        "https://ehr.example:443/fhir/Patient/1",
        "https://EHR.example/fhir/Observation?code=http://loinc.org|1,2",
    ],
)
def test_what_lies_below_the_base_is_allowed(url: str) -> None:
    """Same origin, and the base path as a whole segment."""
    assert Outbound(["https://ehr.example/fhir"]).allows(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example/fhir/Patient/1",
        "https://ehr.example:8443/fhir/Patient/1",
        "https://ehr.example.evil.test/fhir/Patient/1",
        "https://ehr.example@evil.test/fhir/Patient/1",
        "https://evil.test/fhir/Patient/1",
        "https://ehr.example/fhirs/Patient/1",
        "https://ehr.example/other",
        "https://ehr.example/fhir/../admin",
        "https://ehr.example/fhir/%2e%2e/admin",
        "https://ehr.example/fhir/%252e%252e/admin",
        "https://ehr.example/fhir/%25252e%25252e/admin",
        "https://ehr.example/fhir/..;x=1/admin",
        "https://ehr.example./fhir/Patient/1",
        "https://[::ffff:10.0.0.1]/fhir/Patient/1",
        "https://2130706433/fhir/Patient/1",
        "https://ehr.example/fhir\\..\\admin",
        "https://ehr.example/fhir/a#b",
        "https://ehr.example/fhir/a b",
        "https://ehr.example/fhir/a\r\nHost: evil.test",
        "https://ehr.example:port/fhir/",
        "//ehr.example/fhir/Patient/1",
        "file:///etc/passwd",
        "",
    ],
)
def test_anything_else_is_refused_before_a_socket_is_opened(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up and no byte leaves for what is not on the list."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
    assert failure(Outbound(["https://ehr.example/fhir"]), url).kind is Failure.NOT_ALLOWED


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example/fhir",
        "http://127.0.0.1.evil.test/fhir",
        "http://10.0.0.1/fhir",
        "https://user:word@ehr.example/fhir",
        "https://ehr.example/fhir?x=1",
        "ehr.example",
    ],
)
def test_a_base_that_is_not_https_cannot_be_configured(url: str) -> None:
    """Plain http is for loopback, and credentials are for nobody."""
    with pytest.raises(SettingsError, match=r"^settings: "):
        Outbound([url], allow_insecure_loopback=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.0.1"])
def test_plain_http_on_loopback_needs_its_setting(host: str) -> None:
    """`dev.allow_insecure_loopback`, which is off by default."""
    base = Base.of(f"http://{host}:80/fhir")
    assert base is not None
    assert base.loopback
    assert outbound(f"http://{host}/fhir").allows(f"http://{host}/fhir/metadata")
    with pytest.raises(SettingsError, match="allow_insecure_loopback"):
        Outbound([f"http://{host}/fhir"])


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP, Fault.DRIP_HEAD], ids=lambda f: f.name)
def test_a_server_that_stalls_is_cut_off_at_the_deadline(fhir: FhirServer, fault: Fault) -> None:
    """One byte a second in head or body is no way round it."""
    fhir.faults["*"] = Misbehaviour(fault)
    assert failure(outbound(fhir.base), f"{fhir.base}/Patient/p1", seconds=0.7).kind is Failure.TIMEOUT


def test_without_time_left_nothing_is_sent(fhir: FhirServer) -> None:
    """A deadline that has passed costs the server nothing."""
    assert failure(outbound(fhir.base), f"{fhir.base}/Patient/p1", seconds=0).kind is Failure.TIMEOUT
    assert fhir.seen == []


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up the name counts against the deadline."""
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(60))
    assert failure(Outbound(["https://ehr.example/fhir"]), "https://ehr.example/fhir/x", 0.4).kind is Failure.TIMEOUT
    done.set()


def test_a_handshake_that_hangs_is_not_waited_for() -> None:
    """A port that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"https://127.0.0.1:{silent.getsockname()[1]}/fhir"
        assert failure(Outbound([base]), f"{base}/x", 0.5).kind is Failure.TIMEOUT


def test_nobody_there_is_told_from_no_answer() -> None:
    """A port that nobody listens on, and a name that does not exist."""
    port = free_port()
    assert failure(outbound(f"http://127.0.0.1:{port}"), f"http://127.0.0.1:{port}/x").kind is Failure.REFUSED
    assert failure(Outbound(["https://no.invalid"]), "https://no.invalid/x").kind is Failure.REFUSED


@pytest.mark.parametrize(
    ("bad", "kind", "status"),
    [
        (Misbehaviour(Fault.CLOSE), Failure.BROKEN, None),
        (Misbehaviour(Fault.TRUNCATED), Failure.BROKEN, None),
        (Misbehaviour(Fault.HUGE), Failure.TOO_LARGE, None),
        (Misbehaviour(Fault.STATUS, status=401), Failure.STATUS, 401),
        (Misbehaviour(Fault.STATUS, status=503), Failure.STATUS, 503),
    ],
    ids=lambda x: x.fault.name if isinstance(x, Misbehaviour) else str(x),
)
def test_each_failure_has_its_kind(fhir: FhirServer, bad: Misbehaviour, kind: Failure, status: int | None) -> None:
    """What happened is told apart, because words and the breaker depend on it."""
    fhir.faults["*"] = bad
    error = failure(outbound(fhir.base), f"{fhir.base}/Patient/p1")
    assert (error.kind, error.status) == (kind, status)


def test_an_announced_length_over_the_cap_is_not_read(fhir: FhirServer) -> None:
    """The cap holds before the first byte of the body."""
    assert failure(outbound(fhir.base), f"{fhir.base}/Patient/p1", max_bytes=10).kind is Failure.TOO_LARGE


def test_a_small_answer_does_not_unfold_into_a_huge_one() -> None:
    """Compressed though nobody asked for it, once or twice over: read no further than the cap, in little memory."""
    bomb = gzip.compress(bytes(60_000_000), 1)

    def app(environ: Any, start: Any) -> list[bytes]:
        twice = environ["PATH_INFO"] == "/twice"
        start("200 OK", [("Content-Encoding", "gzip, gzip" if twice else "gzip")])
        return [gzip.compress(bomb) if twice else bomb]

    with listening(app) as port:
        base = f"http://127.0.0.1:{port}"
        tracemalloc.start()
        kinds = [failure(outbound(base), f"{base}/{path}", max_bytes=200_000).kind for path in ("once", "twice")]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert kinds == [Failure.TOO_LARGE] * 2
    assert peak < 25_000_000


def test_redirects_are_not_followed(fhir: FhirServer) -> None:
    """The status is the answer; the target, allowed or not, is never asked."""
    fhir.faults["Patient"] = Misbehaviour(Fault.REDIRECT, target=f"{fhir.base}/metadata")
    error = failure(outbound(fhir.base), f"{fhir.base}/Patient/p1")
    assert (error.kind, error.status) == (Failure.STATUS, 302)
    assert len(fhir.seen) == 1


def test_the_environment_has_no_say(fhir: FhirServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither proxies nor a netrc file change where a request goes and what it carries."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    out = outbound(fhir.base)
    out.get(f"{fhir.base}/metadata", deadline=Deadline.after(1), max_bytes=100_000, token=Secret(TOKEN))
    with pytest.raises(OutboundError, match="401"):
        out.get(f"{fhir.base}/metadata", deadline=Deadline.after(1), max_bytes=100_000)
    assert "authorization" not in fhir.seen[-1].headers


class _Counting(http.server.BaseHTTPRequestHandler):
    """Answers each connection as often as the server says, sets cookies, and counts."""

    protocol_version = "HTTP/1.1"
    connections = 0
    cookies: list[str | None] = []
    keeps = True

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_GET(self) -> None:
        self.cookies.append(self.headers.get("Cookie"))
        self.send_response(200)
        self.send_header("Set-Cookie", "session=another-patient")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.wfile.flush()
        self.close_connection = not self.keeps

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def counting(context: ssl.SSLContext | None = None, *, keeps: bool = True) -> Iterator[tuple[str, type[_Counting]]]:
    class Handler(_Counting):
        cookies: list[str | None] = []

    Handler.keeps = keeps
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}", Handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_connection_is_used_again_without_cookies() -> None:
    """Pooled by server; nothing that a server says about one patient goes with the next request."""
    with counting() as (base, server):
        out = outbound(base)
        for _ in range(3):
            get(out, f"{base}/x")
        assert server.connections == 1
        assert server.cookies == [None, None, None]


def test_a_kept_connection_that_the_server_closed_costs_nothing() -> None:
    """The request goes out again on a new one."""
    with counting(keeps=False) as (base, server):
        out = outbound(base)
        for _ in range(3):
            get(out, f"{base}/x")
            time.sleep(0.02)
        assert server.connections == 3


def certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return pem


def test_only_trusted_certificates_are_spoken_to(tmp_path: Path) -> None:
    """A hospital's own authority is trusted by `fetch.ca_file`; without it there is no connection."""
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with counting(context) as (base, server):
        assert failure(Outbound([base]), f"{base}/x").kind is Failure.REFUSED
        trusting = Outbound([base], ca_file=str(pem))
        assert get(trusting, f"{base}/x").body == b"{}"
        assert get(trusting, f"{base}/y").body == b"{}"
        assert len(server.cookies) == 2


def test_a_server_that_fails_again_and_again_is_left_alone(fhir: FhirServer) -> None:
    """The breaker is per server: no request is made for a while, then one."""
    now = [0.0]
    out = outbound(fhir.base, failures=3, pause_s=5, monotonic=lambda: now[0])
    fhir.faults["*"] = Misbehaviour(Fault.STATUS, status=500)
    for _ in range(3):
        assert failure(out, f"{fhir.base}/Patient/p1").status == 500
    assert failure(out, f"{fhir.base}/Patient/p1").kind is Failure.PAUSED
    assert out.paused(fhir.base)
    assert len(fhir.seen) == 3
    fhir.faults.clear()
    now[0] = 5.1
    assert get(out, f"{fhir.base}/Patient/p1").status == 200
    assert get(out, f"{fhir.base}/Patient/p1").status == 200


def test_a_refused_token_does_not_close_a_server_to_others(fhir: FhirServer) -> None:
    """401, 403 and 404 are answers: the server is well."""
    out = outbound(fhir.base, failures=2)
    for status in (401, 403, 404, 403):
        fhir.faults["*"] = Misbehaviour(Fault.STATUS, status=status)
        assert failure(out, f"{fhir.base}/Patient/p1").status == status


def test_a_secret_is_shown_by_nothing() -> None:
    """Neither repr nor format nor pickle."""
    secret = Secret(TOKEN)
    assert TOKEN not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(secret)


@pytest.mark.parametrize("fault", [Fault.STATUS, Fault.CLOSE, Fault.TRUNCATED, Fault.REDIRECT], ids=lambda f: f.name)
def test_neither_errors_nor_logs_name_a_patient_or_the_token(
    fhir: FhirServer, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Even where every logger is set to debug."""
    caplog.set_level(logging.DEBUG)
    fhir.faults["*"] = Misbehaviour(fault)
    error = failure(outbound(fhir.base), f"{fhir.base}/Patient/p1")
    told = f"{error} {error!r} {error.__context__!r} {caplog.text}"
    assert "p1" not in str(error)
    assert "Patient" not in caplog.text
    assert TOKEN not in told


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # Python 3.12 and the test's server
def test_connections_do_not_cross_a_fork(fhir: FhirServer) -> None:
    """A worker that is forked after a request opens its own."""
    out = outbound(fhir.base)
    get(out, f"{fhir.base}/Patient/p1")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, b"ok" if get(out, f"{fhir.base}/Patient/p1").status == 200 else b"no")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"ok"
    os.waitpid(child, 0)
