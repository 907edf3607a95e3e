"""The process of a model apart: slow starts, late answers, ends, and what a decision keeps of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from answers import RISK, bundle, loaded

from cds_service.clock import FixedClock
from cds_service.findings import RiskFinding
from cds_service.not_calculated import with_failures
from cds_service.pipeline import Pipeline
from cds_service.protocol.request import decode
from cds_service.risk import apart
from cds_service.risk.apart import ApartError, Process
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import request_for
from cds_service.settings import Settings
from cds_service.stores import requests

WAITS = """
import pathlib, time
while not pathlib.Path({ready!r}).exists():
    time.sleep(0.01)
"""
ECHO = """
import json, sys, time
print(json.dumps(dict(number=0)), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    time.sleep(asked["rows"][0][0] if asked["rows"] else 0)
    print(json.dumps(dict(number=asked["number"], margins=[row[1] for row in asked["rows"]])), flush=True)
"""
SAYS = """
import json, sys
print("some library greets you")
print(json.dumps(dict(number=0)), flush=True)
for line in sys.stdin:
    print("a warning of a library")
    print('{{"number": %d, "margins": {margins}}}' % json.loads(line)["number"], flush=True)
"""
ENDS = "raise SystemExit(1)"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """One whose program waits for the first number of a row and answers with the second."""
    found = Process(tmp_path / "model.skops", "", 30.0, time.monotonic)
    found._arguments = [sys.executable, "-c", ECHO]
    yield found
    found.end()


def asked(process: Process, wait: float, answer: float, seconds: float | None = None) -> float:
    return float(process.margins(np.array([[wait, answer]], dtype=np.float32), seconds)[0])


def body(entry: Any) -> bytes:
    return orjson.dumps(request_for(entry, bundle("diabetes-poor-control")))


def test_a_late_answer_is_never_taken_for_that_of_the_next_question(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program that was late is asked again once it has answered, and is not replaced."""
    monkeypatch.setattr(apart, "_HUNG_SECONDS", 60.0)  # a busy machine is late, too
    assert asked(process, 0, 1.0) == 1.0
    before = process._running
    with pytest.raises(ApartError, match="in time"):
        asked(process, 0.3, 2.0, 0.01)
    assert asked(process, 0, 3.0) == 3.0
    assert process._running is before


def test_a_service_refuses_while_the_program_starts_and_lets_it_start(process: Process, tmp_path: Path) -> None:
    """A slow start is not ended by the calls that come meanwhile: it would never be ready."""
    ready = tmp_path / "ready"
    process._arguments = [sys.executable, "-c", WAITS.format(ready=str(ready)) + ECHO]
    process.start()
    before = process._running
    with pytest.raises(ApartError, match="still starting"):
        asked(process, 0, 1.0)
    assert process._running is before
    ready.touch()
    process._serves = 0  # as on the command line, where a call waits
    assert asked(process, 0, 1.0) == 1.0


def test_a_program_that_cannot_start_is_not_started_at_every_call(process: Process) -> None:
    """It rests; calls meanwhile are refused at once."""
    process._arguments = [sys.executable, "-c", ENDS]
    with pytest.raises(ApartError, match="still starting"):
        asked(process, 0, 1.0)
    with pytest.raises(ApartError, match="cannot be started"):
        asked(process, 0, 1.0)
    assert process._running is None


@pytest.mark.parametrize("margins", ["[NaN]", "[Infinity]", "[]", "[1, 2]", "[null]", '"x"', "[[1]]"])
def test_an_answer_that_is_no_number_for_each_row_is_a_worded_refusal(process: Process, margins: str) -> None:
    """Never an estimate of nothing."""
    process._arguments = [sys.executable, "-c", SAYS.format(margins=margins)]
    with pytest.raises(ApartError, match="could not use these inputs"):
        asked(process, 0, 1.0)


def test_lines_that_are_no_answer_are_passed_over(process: Process) -> None:
    """A library that prints does not break what is asked of it."""
    process._arguments = [sys.executable, "-c", SAYS.format(margins="[0.5]")]
    assert asked(process, 0, 1.0) == 0.5


def test_numbers_arrive_as_they_were_written(process: Process) -> None:
    """4.6, and not the number of single precision beside it, which is another category to an encoder."""
    assert asked(process, 0, 4.6) == 4.6
    assert asked(process, 0, 1234.56) == 1234.56


def test_a_failure_opens_a_card_and_is_kept_with_what_the_answer_rested_on() -> None:
    """A service that finds nothing without an estimate says so, now and when it is replayed."""
    pipeline = Pipeline(loaded(), Settings(), FixedClock(AS_OF))
    entries: Any = pipeline.discovery()["services"]
    entry = next(one for one in entries if one["id"] == RISK)
    desk = pipeline.desk(RISK)
    request = decode(body(entry), keys=desk.needs)
    basis = pipeline.assess(desk, request).basis
    model = desk.models[0]
    words = "Not calculated: the program that computes it did not answer in time"
    failing = requests.thaw(
        requests.freeze(requests.Basis(basis.request, basis.gaps, failed=((model.id, words),))), desk.needs
    )
    decision = pipeline.decide(desk, failing, AS_OF)
    result = decision.case.results[model.id]
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.FAILED
    assert decision.basis.failed == ((model.id, words),)
    (alone,) = with_failures(decision.case, ())
    assert isinstance(alone, RiskFinding)
    assert not alone.quiet
    assert str(alone.headline).endswith(words)
    assert with_failures(decision.case, (alone,)) == (alone,)
