"""The server as it runs: real sockets, real processes."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import loops
import pytest

from benchmarks.servers import free_port
from cds_service.web import server as server_module
from cds_service.web.server import Worker

PATIENCE_S = 60  # a busy machine is slow
STUB = Path(__file__).parent / "stub_server.py"
HEAD = b"POST /cds-services/stub HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


class Running:
    """A server process and its port."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    def workers(self) -> list[int]:
        return [int(x) for x in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def call(self, body: bytes = b"{}", path: str = "/cds-services/stub", method: str = "POST", **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        try:
            connection.request(method, path, body if method == "POST" else None, sent)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def listens(self) -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S):
            return True
        return False

    def open(self, data: bytes) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        sock.sendall(data)
        return sock


@contextmanager
def serving(tmp_path: Path, *settings: str) -> Iterator[Running]:
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(STUB), str(port), *settings], stdout=subprocess.PIPE, stderr=stream, cwd=tmp_path
        )
    assert process.stdout is not None
    try:
        assert process.stdout.readline(), log.read_text()
        yield Running(process, port, log)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        process.stdout.close()


@contextmanager
def busy(server: Running, done: Path, answers: list[int] | None = None) -> Iterator[threading.Thread]:
    """A call that computes as long as the block lasts; then its status is added to the answers."""
    given = [] if answers is None else answers
    body = json.dumps({"until": str(done)}).encode()
    thread = threading.Thread(target=lambda: given.append(server.call(body)[0]))
    thread.start()
    begun, ends = done.with_suffix(".begun"), time.monotonic() + PATIENCE_S
    while not begun.exists():
        assert time.monotonic() < ends
        time.sleep(0.01)
    try:
        yield thread
    finally:
        done.touch()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("server"), "LIMITS__MAX_BODY_BYTES=100000") as running:
        yield running


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that soon gives up slow clients."""
    with serving(tmp_path_factory.mktemp("hasty"), "LIMITS__READ_S=1", "SERVER__WORKERS=1") as running:
        yield running


def diagnostics(body: bytes) -> str:
    outcome = json.loads(body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["severity"] == "error"
    return str(outcome["issue"][0]["diagnostics"])


def test_one_connection_carries_many_calls(server: Running) -> None:
    """Keep-alive: a CDS Client need not connect for each hook."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", "/cds-services/stub", b"{}", {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b'{"cards":[]}')
        assert connection.sock is first
    connection.close()


def test_responses_carry_security_headers_and_a_request_id(server: Running) -> None:
    """Nothing is cached or sniffed, and every answer can be found in the log."""
    status, headers, _ = server.call()
    assert status == 200
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert len(headers["x-request-id"]) == 32
    assert headers["x-request-id"] in server.log.read_text()
    assert "server" not in headers


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_cap_is_refused_and_the_answer_arrives(server: Running, chunked: bool) -> None:
    """413 with an OperationOutcome, whether or not the length was announced."""
    body = b"x" * 400_000
    if chunked:
        message = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    else:
        message = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    with server.open(message) as sock:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.status == 413
        assert "100000 bytes" in diagnostics(answer.read())


def test_an_announced_body_over_the_cap_is_refused_before_it_is_sent(server: Running) -> None:
    """A client that asks first (Expect: 100-continue) need not send the body."""
    with server.open(HEAD + b"Content-Length: 400000\r\nExpect: 100-continue\r\n\r\n") as sock:
        assert sock.recv(100).startswith(b"HTTP/1.1 413")


def test_a_compressed_body_is_refused(server: Running) -> None:
    """415: a small body cannot unfold into a huge one."""
    status, _, body = server.call(Content_Encoding="gzip")
    assert status == 415
    assert "Content-Encoding" in diagnostics(body)


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\r\n\r\n", HEAD + b"Content-Length: -5\r\n\r\n", HEAD + b"Content-Length: x\r\n\r\n"]
)
def test_what_is_no_http_is_refused_like_everything_else(server: Running, sent: bytes) -> None:
    """400 with an OperationOutcome, a request id and the usual headers; TLS on a plain port is one of the causes."""
    with server.open(sent) as sock:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.status == 400
        assert "TLS" in diagnostics(answer.read())
        assert answer.headers["X-Request-Id"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_slow_bodies_hold_up_nobody_and_are_given_up(hasty: Running) -> None:
    """Forty clients that send one byte and wait leave a normal call fast; then they get 408."""
    given_up = True
    for _ in range(5):  # a machine that stands still for a second gives them up before anything is answered
        slow = [hasty.open(HEAD + b"Content-Length: 100\r\n\r\n{") for _ in range(40)]
        assert hasty.call()[0] == 200
        given_up = bool(select.select(slow, [], [], 0)[0])
        for sock in slow:
            with sock:
                assert sock.recv(100).startswith(b"HTTP/1.1 408")
        if not given_up:
            break
    assert not given_up


def test_slow_heads_are_closed(hasty: Running) -> None:
    """A client that dribbles its headers is cut off at the deadline."""
    with hasty.open(b"POST /cds-services/stub HTTP/1.1\r\nHo") as sock:
        assert sock.recv(100) == b""


def test_endless_heads_are_closed(server: Running) -> None:
    """Headers without end do not fill the memory."""
    with server.open(b"POST / HTTP/1.1\r\n") as sock, pytest.raises(OSError):  # noqa: PT012 - closed at some point
        for _ in range(1000):
            sock.sendall(b"X-Filler: " + b"y" * 4000 + b"\r\n")
            time.sleep(0.001)


def test_discovery_and_health_do_not_queue_behind_a_computation(tmp_path: Path) -> None:
    """A load balancer's check is answered while a hook computes, even with one worker."""
    with serving(tmp_path, "SERVER__WORKERS=1") as server, busy(server, tmp_path / "done") as computing:
        assert server.call(path="/health/live", method="GET")[0] == 200
        assert server.call(path="/cds-services", method="GET")[0] == 200
        assert computing.is_alive()


def test_too_many_waiting_calls_are_told_to_try_again(tmp_path: Path) -> None:
    """A bounded queue: 503 beats an answer that comes too late."""
    settings = ("SERVER__WORKERS=1", "LIMITS__MAX_WAITING=1")
    with serving(tmp_path, *settings) as server, busy(server, tmp_path / "done"):
        status, _, body = server.call()
        assert status == 503
        assert "try again" in diagnostics(body)


def test_a_crash_is_a_500_that_tells_nothing(server: Running) -> None:
    """OperationOutcome with the request id; the exception's text reaches neither answer nor log."""
    status, headers, body = server.call(b'{"crash": 1}')
    assert status == 500
    assert headers["x-request-id"] in diagnostics(body)
    assert b"SECRET" not in body
    log = server.log.read_text()
    assert "RuntimeError" in log
    assert "SECRET" not in log


def test_processes_leave_no_dump_and_may_open_many_connections(server: Running) -> None:
    """A dump would hold patients; idle connections of a thousand would shut everybody out."""
    for pid in (server.process.pid, *server.workers()):
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
        assert limits["Max core file size"] == ["0", "0"]
        soft, hard = limits["Max open files"]
        assert int(soft) >= min(int(hard), 65_536)


def two_workers(server: Running, without: int | None = None) -> list[int]:
    """The ids of both workers, as soon as there are two and none is `without`."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        workers = server.workers()
        if len(workers) == 2 and without not in workers:
            return workers
        assert time.monotonic() < deadline, workers
        time.sleep(0.02)


def test_killed_workers_are_replaced_again_and_again(tmp_path: Path) -> None:
    """kill -9 of a worker costs at most its own request; the service goes on."""
    with serving(tmp_path) as server:
        for _ in range(4):
            victim = two_workers(server)[0]
            os.kill(victim, signal.SIGKILL)
            two_workers(server, without=victim)
            assert server.call()[0] == 200


def test_sigterm_lets_the_running_call_finish(tmp_path: Path) -> None:
    """A deployment cuts nobody off, and ends with exit code 0 and no children."""
    with serving(tmp_path) as server:
        answers: list[int] = []
        with busy(server, tmp_path / "done", answers):
            workers = server.workers()
            server.process.send_signal(signal.SIGTERM)
            while server.listens():
                time.sleep(0.02)
        assert answers == [200]
        assert server.process.wait(PATIENCE_S) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def lives(pid: int) -> bool:
    """Whether a process runs: one that ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_end_when_their_master_is_killed(tmp_path: Path) -> None:
    """kill -9 of the master: the running call is answered, then nothing keeps the port, so that it can start again."""
    with serving(tmp_path) as server:
        answers: list[int] = []
        workers = two_workers(server)
        ends = time.monotonic() + PATIENCE_S
        with busy(server, tmp_path / "done", answers):
            server.process.kill()
            while server.listens():
                assert time.monotonic() < ends
                time.sleep(0.02)
        assert answers == [200]
        while any(lives(pid) for pid in workers):
            assert time.monotonic() < ends
            time.sleep(0.02)


class Alive(Worker):
    """A worker's heartbeat, without the worker."""

    def __init__(self, beats: list[int], computing_s: float) -> None:
        self.ppid, self.notify = os.getppid(), lambda: beats.append(1)
        self.wsgi = SimpleNamespace(computing_s=lambda: computing_s)


def test_a_worker_tells_that_it_lives_whatever_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's clock that is put back by an hour does not make the master kill every worker."""
    beats: list[int] = []

    async def live() -> None:
        monkeypatch.setattr(server_module, "_BEAT_S", 0.001)
        monkeypatch.setattr(time, "time", lambda: 0.0)
        Alive(beats, computing_s=0.0).beat()
        while len(beats) < 3:
            await asyncio.sleep(0.001)

    loops.run(asyncio.wait_for(live(), PATIENCE_S))


@pytest.mark.parametrize(("seconds", "told"), [(0.0, 1), (4.9, 1), (5.1, 0), (600.0, 0)])
def test_a_worker_that_computes_without_end_falls_silent(seconds: float, told: int) -> None:
    """It would answer health and no hook; the master replaces who is silent for half a minute."""
    beats: list[int] = []

    async def live() -> None:
        Alive(beats, seconds).beat()

    loops.run(live())
    assert len(beats) == told
