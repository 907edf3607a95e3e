"""A model in a process apart behind `curbside serve`: estimates under load, a card that says so when it has died."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

pytest.importorskip("skops", reason="needs the train extra")

import skops.io
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.servers import free_port
from cds_service.risk.apart import Process
from cds_service.training import importing
from tests.features import built
from tests.training.test_importing import IDS, PATIENT, declaration, rows

HOOK = '''"""Death in hospital at patient-view; without an estimate it finds nothing."""

from cds_service.api import Case, Citation, Finding, NotEstimated, RiskFinding, Service, Severity, Topic, msg


def find(case: Case) -> tuple[Finding, ...]:
    model, result = case.models["hospital-death"], case.results["hospital-death"]
    if isinstance(result, NotEstimated):
        return ()
    headline = msg("Death in hospital {risk}", risk=f"{result[0].value:.3f}")
    return (RiskFinding("hospital-death/high", Severity.INFO, headline, msg("Review."), model=model, result=result),)


service = Service(
    id="death-watch",
    hook="patient-view",
    title=msg("Death watch"),
    description=msg("Death in hospital."),
    models=("hospital-death",),
    find=find,
    source=Citation("Death watch", "https://intranet.example/death-watch"),
    topic=Topic("http://snomed.info/sct", "419620001", "Death"),
    summary=(),
)
'''
SETTINGS = """[server]
port = {port}
workers = 1
[store]
url = "sqlite:///{folder}/store.db"
[plugins]
models = ["{folder}/models"]
hooks = ["{folder}/hooks"]
[models]
unexplained = true
show_unvalidated = true
"""
PATIENCE_S = 300  # a busy machine is slow
FAILED = "Death in hospital: Not calculated: the program that computes it"


def within(condition: Callable[[], Any]) -> Any:
    """What a condition gives as soon as it gives something."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true in time")


def children(parent: int) -> list[int]:
    """Of all its threads."""
    found: list[int] = []
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):  # of a thread that has ended meanwhile
            found.extend(int(child) for child in children.read_text().split())
    return found


def alive(process: int) -> bool:
    """Whether it runs: one that has ended may wait for its exit to be taken."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Served:
    """A running `curbside serve` with one worker, whose one child computes the model."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        templates = self._request("GET", "/cds-services", b"")["services"]
        self._prefetch = next(one["prefetch"] for one in templates if one["id"] == "death-watch")

    def programs(self) -> list[int]:
        return [program for worker in children(self.process.pid) for program in children(worker)]

    def card(self) -> str:
        """The summary of the only card."""
        filled: dict[str, Any] = {key: {"resourceType": "Bundle", "type": "searchset"} for key in self._prefetch}
        for key, template in self._prefetch.items():
            if template.startswith("Patient"):
                filled[key] = built.PATIENT
            elif template.startswith("Observation"):
                found = [row for row in PATIENT if row["code"]["coding"][0]["code"] in template]
                filled[key]["entry"] = [{"resource": row} for row in found]
        body = {"hook": "patient-view", "hookInstance": str(uuid4()), "prefetch": filled,
                "context": {"userId": "Practitioner/x", "patientId": built.PATIENT["id"]}}  # fmt: skip
        (card,) = self._request("POST", "/cds-services/death-watch", orjson.dumps(body))["cards"]
        return str(card["summary"])

    def _request(self, method: str, path: str, body: bytes) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = orjson.loads(connection.getresponse().read())
        connection.close()
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Neighbours of scikit-learn, imported as documented, behind a hook of the site's own."""
    folder = tmp_path_factory.mktemp("apart")
    x, y = rows()
    skops.io.dump(KNeighborsClassifier(15).fit(x, y), folder / "model.skops")
    declared = declaration().replace("model.json", "model.skops")
    declared = declared.replace("minimum = 3", "minimum = 4\ntimeout_ms = 2000")  # the longest that may be
    (folder / "declaration.toml").write_text(declared)
    lines = [",".join(IDS), *(",".join(f"{v:.9g}" for v in row) for row in x[:20])]
    (folder / "samples.csv").write_text("\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Process, "check", lambda self: None)  # the server starts it, too
        out = folder / "models" / "hospital-death"
        importing.bring_in(folder / "declaration.toml", folder / "samples.csv", out, unexplained=True)
    (folder / "hooks").mkdir()
    (folder / "hooks" / "death_watch.py").write_text(HOOK)
    port = free_port()
    (folder / "curbside.toml").write_text(SETTINGS.format(port=port, folder=folder))
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--as-of", built.NOW.isoformat()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder)
    assert process.stdout is not None
    assert b"serves" in process.stdout.readline(), (folder / "log").read_text()
    yield Served(process, port, folder / "log")
    if process.poll() is None:
        process.terminate()  # a killed master would leave its worker
    process.wait()
    process.stdout.close()


def test_calls_at_once_get_estimates_and_one_that_finds_it_dead_gets_a_card_that_says_so(served: Served) -> None:
    """Never no card; the log names the model, and the process is replaced by the next."""
    estimate = within(lambda: (card := served.card()).startswith("Death in hospital 0.") and card)
    with ThreadPoolExecutor(8) as callers:
        assert set(callers.map(lambda _: served.card(), range(8))) == {estimate}
    (program,) = served.programs()
    os.kill(program, signal.SIGKILL)
    assert served.card().startswith(FAILED)
    assert '"reason":"hospital-death: Not calculated' in served.log.read_text()
    assert within(lambda: (card := served.card()) == estimate and card)


def test_no_process_is_left_when_the_service_ends(served: Served) -> None:
    """SIGTERM ends the worker, and with it the input that the model's process lives on."""
    (program,) = within(served.programs)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE_S) == 0
    within(lambda: not alive(program))
