"""Starts the servers that are compared, and reads what they cost from the operating system."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
_PORTS = count(os.getpid())  # another run on the machine begins elsewhere


@dataclass(frozen=True)
class Server:
    """A running server: its name, port and process."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    started: float

    def processes(self) -> list[int]:
        """The server's process and all below it."""
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):  # of a thread that has ended meanwhile
                    found.extend(int(child) for child in children.read_text().split())
        return found

    def cpu_s(self) -> float:
        """Seconds of processor time used so far by all its processes."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def pss_mb(self) -> float:
        """Proportional set size of all its processes."""
        kilobytes = 0
        for pid in self.processes():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return kilobytes / 1024


def free_port() -> int:
    """A port that nobody listens on, for a server that is about to start.

    None of those that the system gives to whoever asks for any (on Linux from 32768): it would give it to somebody's
    connection before the server has it. Test processes side by side take every eighth.
    """
    lane = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % 8
    while True:
        port = 20_000 + (next(_PORTS) * 8 + lane) % 12_000
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(
    name: str, command: list[str], environment: dict[str, str] | None = None, python: str = sys.executable
) -> Iterator[Server]:
    """A server started by `python COMMAND`, where `{port}` is filled in; stopped at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        variables = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "OMP_NUM_THREADS": "1",
            "CURBSIDE_STORE__URL": f"sqlite:///{folder}/bench.db",
            "CURBSIDE_MODELS__SHOW_UNVALIDATED": "true",
            **(environment or {}),
        }
        started = time.perf_counter()
        process = subprocess.Popen(
            [python, *(part.format(port=port) for part in command)],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        server = Server(name, port, process, started)
        try:
            _wait(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server) -> None:
    while time.perf_counter() - server.started < 120:
        if server.process.poll() is not None:
            raise RuntimeError(f"{server.name} ended with {server.process.returncode} before it answered")
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"{server.name} did not listen within 120 s")


class Caller:
    """One client that posts hook calls one after another, on one connection where the server keeps it."""

    def __init__(self, port: int, service: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._path = f"/cds-services/{service}"

    def post(self, body: bytes) -> tuple[float, bytes]:
        """Seconds until the whole answer was read, and the answer. Raises RuntimeError unless it is a 200."""
        begun = time.perf_counter()
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        took = time.perf_counter() - begun
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:300]!r}")
        return took, answer
