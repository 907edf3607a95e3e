"""The process beside the workers as `curbside serve` keeps it: words summaries, survives kill -9, ends on SIGTERM."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from answers import RISK, bundle, loaded
from faulty_model import Model, misbehaving

from benchmarks.servers import free_port
from cds_service.clock import FixedClock
from cds_service.pipeline import Pipeline
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import request_for
from cds_service.settings import Settings
from cds_service.summary.cleaning import MARK

WORDED = "worded by a language model"
PATIENCE_S = 300  # a busy machine is slow


def copies(body: dict[str, Any]) -> str:
    lines = re.findall(r"^(F\d+) \| (.*)$", body["messages"][-1]["content"], re.M)
    return json.dumps({"sentences": [{"text": t.replace(MARK, " "), "cites": [i]} for i, t in lines]})


def within(condition: Callable[[], Any]) -> Any:
    """What a condition gives as soon as it gives something."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true in time")


class Service:
    """A running `curbside serve` with one worker."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def children(self) -> list[int]:
        return [int(x) for x in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def writer(self) -> int:
        """The process that has no listening socket: the nice one."""
        nice = [p for p in self.children() if os.getpriority(os.PRIO_PROCESS, p) > os.getpriority(os.PRIO_PROCESS, 0)]
        return nice[0] if nice else 0

    def call(self) -> str:
        entries: Any = Pipeline(loaded(), Settings(), FixedClock(AS_OF)).discovery()["services"]
        request = request_for(next(e for e in entries if e["id"] == RISK), bundle("diabetes-poor-control"))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("POST", f"/cds-services/{RISK}", orjson.dumps(request), {"Content-Type": "application/json"})
        body = connection.getresponse().read().decode()
        connection.close()
        return body


@pytest.fixture
def server() -> Iterator[Model]:
    with misbehaving(speak=copies) as model:
        yield model


@pytest.fixture
def service(server: Model, tmp_path: Path) -> Iterator[Service]:
    port = free_port()
    environ = {
        **os.environ,
        "CURBSIDE_LLM__URL": server.url,
        "CURBSIDE_LLM__MODEL": "tiny",
        "CURBSIDE_DEV__ALLOW_INSECURE_LOOPBACK": "true",
        "CURBSIDE_STORE__URL": f"sqlite:///{tmp_path / 'store.db'}",
        "CURBSIDE_SERVER__PORT": str(port),
        "CURBSIDE_SERVER__WORKERS": "1",
    }
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--as-of", AS_OF.isoformat()]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=tmp_path, env=environ)
    assert process.stdout is not None
    assert b"serves" in process.stdout.readline()
    yield Service(process, port)
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


def test_summaries_are_worded_beside_the_hooks(service: Service, server: Model) -> None:
    """The first answer is deterministic, a later one has the model's words; a killed process is replaced; SIGTERM ends
    both within the time that running calls get."""
    first = within(service.writer)
    os.kill(first, signal.SIGKILL)
    second = within(lambda: (found := service.writer()) and found != first and found)
    assert WORDED not in service.call()
    assert within(lambda: WORDED in service.call())
    assert len(server.received) == 1
    assert service.writer() == second
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(PATIENCE_S) == 0
    assert not Path(f"/proc/{second}").exists()
