"""What leaves a process beside its answers: lines of libraries, and exceptions nobody caught. None holds a patient."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service import cli

CANARY = "Zebediah-Quuxworth-1949"
SERVING = f"""
import logging, sys, threading, warnings
import flask
from cds_service.web import errors, logs

logs.configure()
logs.guard()
app = flask.Flask("cds_service", static_folder=None)
errors.register(app)
app.after_request(lambda response: 1 / 0 if "{CANARY}" else response)
app.get("/<name>")(lambda name: name)
app.config["PROPAGATE_EXCEPTIONS"] = False
assert app.test_client().get("/{CANARY}").status_code == 500
logging.getLogger("sqlalchemy.pool").error("Key (id)=(%s) already exists", "{CANARY}")
try:
    raise ValueError("{CANARY}")
except ValueError:
    logging.getLogger("lib").exception("{CANARY}")
warnings.warn("{CANARY} is no number")

def fail():
    raise ValueError("{CANARY}")

thread = threading.Thread(target=fail)
thread.start()
thread.join()

class Clean:
    def __del__(self):
        fail()

Clean()
fail()
"""


def test_libraries_and_uncaught_exceptions_are_logged_without_their_words() -> None:
    """A driver's error quotes the row, a warning the value, a traceback the payload: the log has type and place."""
    done = subprocess.run([sys.executable, "-c", SERVING], capture_output=True, text=True, timeout=300)
    assert CANARY not in done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    told = list(dict.fromkeys(line["reason"] for line in lines if line["event"] != "request"))
    assert told == [
        "logged by cds_service",
        "logged by sqlalchemy.pool",
        "logged by lib",
        "logged by py.warnings",
        "a thread failed",
        "a clean-up failed",
        "a process failed",
    ]
    assert [line["error"] for line in lines if line["event"] == "not caught"] == ["ValueError"] * 3
    assert done.returncode == 1


def test_a_command_that_fails_by_its_own_fault_says_so_without_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 70, which is neither a "no" nor a user's mistake; the exception's words stay inside."""

    def fail(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("cds_service.cli.options.read_bundle", fail)
    (tmp_path / "b.json").write_text("{}")
    assert cli.run(["summarise", str(tmp_path / "b.json")]) == 70
    told = capsys.readouterr()
    assert CANARY not in told.out + told.err
    assert "a fault of Curbside's own: ValueError at test_leaving.py:" in told.err
