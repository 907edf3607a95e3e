"""`curbside demo` and `curbside serve` as processes: start, cards, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from benchmarks.servers import free_port
from cds_service.cli.demo import PATIENTS, _bundles, _has_display, _port
from cds_service.cli.terminal import Terminal
from cds_service.errors import InputError
from cds_service.sandbox.patients import BY_NAME

PATIENCE_S = 300  # a busy machine is slow
CURBSIDE = [sys.executable, "-m", "cds_service.cli"]


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith("CURBSIDE_")}
    environment |= {"COLUMNS": "100", "TMPDIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    return subprocess.Popen(
        [*CURBSIDE, *arguments],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeding_ctrl_c,
    )


def heeding_ctrl_c() -> None:
    """A shell has its background jobs, and what they start, ignore Ctrl-C; this one is to heed it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def gone(tmp_path: Path, port: int) -> bool:
    """True if a demo left nothing: no files of its own, no state, nobody who listens."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    return not list(tmp_path.glob("curbside-demo-*")) and not (tmp_path / "state").exists()


@pytest.fixture
def one_patient(tmp_path: Path) -> Path:
    """A folder with one bundle: a demo of it shows no cards in the terminal and is soon there."""
    folder = tmp_path / "patients"
    folder.mkdir()
    (folder / "one.json").write_bytes(orjson.dumps(BY_NAME["child"].chart().bundle()))
    return folder


def serves_until(number: signal.Signals, demo: subprocess.Popen[str], port: int) -> str:
    """What a demo prints that is stopped once it serves."""
    assert demo.stdout is not None
    shown = []
    for line in demo.stdout:
        shown.append(line)
        if "until Ctrl-C" in line:
            break
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/health/ready")
    assert b'"store":"ok"' in connection.getresponse().read()
    connection.close()
    demo.send_signal(number)
    out, err = demo.communicate(timeout=PATIENCE_S)
    assert (demo.returncode, err) == (0, "")
    assert "Stopped." in out
    return "".join(shown)


def test_the_demo_shows_cards_for_every_patient_and_serves_until_ctrl_c(tmp_path: Path) -> None:
    """Real server, real HTTP, cards in the terminal; Ctrl-C stops it and its workers, and nothing is left."""
    port = free_port()
    out = serves_until(signal.SIGINT, start(tmp_path, "demo", "--no-browser", "--port", str(port)), port)
    for name in PATIENTS:
        assert f"curbside hook --sample {name}" in out
    assert out.count("╭─") >= len(PATIENTS)
    assert f"http://127.0.0.1:{port}/cds-services" in out
    assert gone(tmp_path, port)


def test_the_demo_serves_until_it_is_told_to_end(tmp_path: Path, one_patient: Path) -> None:
    """SIGTERM is as good as Ctrl-C."""
    port = free_port()
    demo = start(tmp_path, "demo", "--no-browser", "--patients", str(one_patient), "--port", str(port))
    serves_until(signal.SIGTERM, demo, port)
    assert gone(tmp_path, port)


def test_a_demo_of_once_ends_by_itself(tmp_path: Path, one_patient: Path) -> None:
    """Exit code 0 when all was shown, and nothing is left."""
    port = free_port()
    demo = start(tmp_path, "demo", "--once", "--patients", str(one_patient), "--port", str(port))
    out, err = demo.communicate(timeout=PATIENCE_S)
    assert (demo.returncode, err) == (0, "")
    assert f"http://127.0.0.1:{port}/cds-services" in out
    assert gone(tmp_path, port)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A port that was asked for and is taken: exit code 2 and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo = start(tmp_path, "demo", "--once", "--port", str(taken.getsockname()[1]))
        _, err = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 2
    assert "Name another with --port." in err


def test_serve_announces_its_url_and_refuses_a_broken_setting(tmp_path: Path) -> None:
    """The line tells an operator what to enter in the EHR; a typing error in the settings ends the start."""
    port = free_port()
    (tmp_path / "curbside.toml").write_text(
        f"[server]\nport = {port}\nworkers = 1\npublic_url = 'https://cds.example'\n"
    )
    server = start(tmp_path, "serve")
    assert server.stdout is not None
    assert server.stdout.readline() == "Curbside serves CDS Hooks at https://cds.example/cds-services\n"
    server.terminate()
    assert server.wait(PATIENCE_S) == 0
    server.communicate()
    (tmp_path / "curbside.toml").write_text("[server]\nporrt = 1\n")
    refused = start(tmp_path, "serve")
    _, err = refused.communicate(timeout=PATIENCE_S)
    assert refused.returncode == 2
    assert "Did you mean port?" in err


def test_a_second_demo_takes_another_port_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody asked for a port, the usual one being taken is no error."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        usual = int(taken.getsockname()[1])
        port = _port(None, usual, Terminal())
    assert port != usual
    assert f"Port {usual} is taken; using {port}." in capsys.readouterr().out


def test_a_folder_of_bundles_takes_the_place_of_the_samples(tmp_path: Path) -> None:
    """Each bundle is a patient, by its file's name; a folder without one is told."""
    with pytest.raises(InputError, match="there is no bundle"):
        _bundles(tmp_path)
    chart = BY_NAME["child"].chart().bundle()
    (tmp_path / "one.json").write_bytes(orjson.dumps(chart))
    found, now = _bundles(tmp_path)
    assert [(bundle, name) for bundle, name in found] == [(chart, "one.json")]
    assert now is None


def test_a_browser_is_opened_only_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server without a display the URL is printed and that is all."""
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not _has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert _has_display()
