"""`curbside demo`: the real server and a small EHR beside it; the cards of some sample patients, and both URLs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import orjson

from cds_service.cli import calls, options
from cds_service.cli.options import Json
from cds_service.errors import CurbsideError, InputError

if TYPE_CHECKING:
    import requests

    from cds_service.cli.terminal import Terminal
    from cds_service.sandbox.ehr.state import Ehr

PATIENTS = {  # sample patient -> what happens in the EHR
    "primary-prevention": "patient-view",
    "missing-lipids": "patient-view",
    "af-not-anticoagulated": "patient-view",
    "masld-high-fib4": "patient-view",
    "heart-failure": "patient-view",
    "acute-deterioration": "encounter-start",
}
_PORT = 8765
_START_S = 60
_STOP_S = 15


class DemoFailed(CurbsideError):
    """The demonstration's own server did not start or went away."""

    exit_code = 1


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help=f"Port of the service, by default {_PORT} or a free one.")
@click.option(
    "--patients",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of patients' bundles (.json, .json.gz) in place of the samples.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the sandbox EHR in a browser.")
@click.option("--once", is_flag=True, help="Stop after the cards are printed.")
def demo(port: int | None, patients: Path | None, no_browser: bool, once: bool) -> None:
    """Start the service and a small EHR, show some patients' cards, and serve both until Ctrl-C.

    Everything listens on this machine alone. Your settings and your store are not touched: it runs with keys made
    for the occasion, a temporary store, and trained models shown as not validated.
    """
    from cds_service.cli.terminal import Terminal

    terminal = Terminal()
    chosen = _port(port, _PORT, terminal)
    url, ehr_url = f"http://127.0.0.1:{chosen}", f"http://127.0.0.1:{_port(None, chosen + 1, terminal)}"
    bundles, as_of = _bundles(patients)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupted)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="curbside-demo-") as folder,
            _ehr(ehr_url, url, bundles, as_of),
            _server(chosen, Path(folder), ehr_url, as_of) as server,
        ):
            if patients is None:
                _show_patients(url, terminal)
            _invite(url, ehr_url, terminal)
            if not once:
                if not no_browser and _has_display():
                    webbrowser.open(ehr_url)
                terminal.note("\nServing until Ctrl-C.")
                terminal.flush()
                server.wait()
                raise DemoFailed("the service stopped by itself. Run curbside serve to see its log.")
    except KeyboardInterrupt:
        terminal.note("\nStopped.")


def _invite(url: str, ehr_url: str, terminal: Terminal) -> None:
    terminal.heading("Try it yourself")
    terminal.line(f"  Sandbox EHR   {ehr_url}")
    terminal.line(f"  Service       {url}/cds-services")
    terminal.line("  Without HTTP  curbside hook --sample diabetes-poor-control --pretty")
    terminal.flush()


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _bundles(folder: Path | None) -> tuple[list[tuple[Json, str]], datetime | None]:
    """Each patient's bundle with a sentence on what to look for, and the moment that counts as now; None for now."""
    if folder is None:
        from cds_service.sandbox.patients import BY_NAME

        found = [(options.read_bundle(path), BY_NAME[name].purpose) for name, path in calls.samples().items()]
        return found, calls.written(found[0][0])
    files = sorted(p for p in folder.iterdir() if p.name.endswith((".json", ".json.gz")))
    if not files:
        raise InputError(f"there is no bundle in {folder}. Give a folder of .json or .json.gz files.")
    return [(options.read_bundle(path), path.name) for path in files], None


@contextmanager
def _ehr(base: str, service: str, bundles: list[tuple[Json, str]], as_of: datetime | None) -> Iterator[Ehr]:
    """The sandbox EHR, served in threads of this process."""
    from cds_service.sandbox.ehr.serve import create_app, running
    from cds_service.sandbox.ehr.state import Ehr

    now: Callable[[], datetime] = options.clock(as_of).now
    redirects = (f"{_app(int(service.rpartition(':')[2]))}/callback",)
    ehr = Ehr(bundles, base=base, service=service, now=now, redirects=redirects)
    host, _, port = base.removeprefix("http://").partition(":")
    with running(create_app(ehr), host, int(port)):
        yield ehr


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _port(wanted: int | None, usual: int, terminal: Terminal) -> int:
    """A port that is free now. Raises InputError if the one asked for is not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or usual))
        except (OSError, OverflowError) as error:
            if wanted is not None:
                reason = getattr(error, "strerror", None) or "it is no port"
                raise InputError(f"port {wanted} cannot be used ({reason}). Name another with --port.") from error
        else:
            return wanted or usual
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    terminal.note(f"Port {usual} is taken; using {free}.")
    return free


def _app(port: int) -> str:
    """Where the review app is: under another name than the EHR, so that its cookies are another site's, as in life."""
    return f"http://localhost:{port}/app"


def _configuration(port: int, folder: Path, ehr_url: str) -> str:
    """The service's settings for the demonstration: the sandbox EHR is its one CDS Client."""
    from cds_service.sandbox.ehr.smart import CLIENT_ID

    return f"""
[server]
port = {port}

[store]
url = "sqlite:///{folder / "demo.db"}"

[models]
show_unvalidated = true

[dev]
allow_insecure_loopback = true
unsigned_loopback = true

[app]
launch_url = "{_app(port)}/launch"
chart_types = ["FamilyMemberHistory", "AdverseEvent", "Consent", "DeviceUseStatement", "Medication"]

[smart.sandbox]
issuer = "{ehr_url}/fhir"
client_id = "{CLIENT_ID}"
client = "sandbox"
frame_ancestors = ["{ehr_url}"]
governance = ["Practitioner/example"]

[clients.sandbox]
issuer = "{ehr_url}/fhir"
jwks_url = "{ehr_url}/jwks"
fhir_base_urls = ["{ehr_url}/fhir"]
"""


@contextmanager
def _server(port: int, folder: Path, ehr_url: str, as_of: datetime | None) -> Iterator[subprocess.Popen[str]]:
    """The service in its own process group, ready to answer; stopped on the way out."""
    settings = folder / "curbside.toml"
    settings.write_text(_configuration(port, folder, ehr_url))
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--config", str(settings)]
    command += ["--as-of", as_of.isoformat()] if as_of else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CURBSIDE_")}
    log = folder / "log"
    with log.open("wb") as stream:
        server = subprocess.Popen(  # noqa: S603 - our own program
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            start_new_session=True,  # Ctrl-C reaches us alone; the service is then asked to finish
        )
    try:
        _await(server, log)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _await(server: subprocess.Popen[str], log: Path) -> None:
    """Returns when the service has said that it serves. Raises DemoFailed with the end of its log."""
    line = server.stdout.readline() if server.stdout is not None else ""
    if not line:
        server.wait(_START_S)
        lines = log.read_text(errors="replace").strip().splitlines()
        raise DemoFailed(f"the service did not start: {lines[-1] if lines else 'it said nothing'}")


def _show_patients(url: str, terminal: Terminal) -> None:
    import requests

    with requests.Session() as session:
        session.trust_env = False  # no proxy between us and the loopback
        services = _get(session, f"{url}/cds-services")["services"]
        terminal.heading("Curbside", f"{len(services)} CDS Services answer at {url}/cds-services")
        for name, hook in PATIENTS.items():
            bundle = options.read_bundle(calls.sample(name))
            terminal.heading(_person(bundle), f"curbside hook --sample {name}")
            for service in (s for s in services if s["hook"] == hook):
                _show_call(session, url, service, bundle, terminal)
            terminal.flush()


def _show_call(session: requests.Session, url: str, service: Json, bundle: Json, terminal: Terminal) -> None:
    """One hook as an EHR sends it, and its cards."""
    body = calls.request(bundle, service)
    if body is None:
        return
    started = time.perf_counter()
    response = session.post(
        f"{url}/cds-services/{service['id']}", data=body, headers={"Content-Type": "application/json"}, timeout=30
    )
    spent = 1000 * (time.perf_counter() - started)
    about = f"{service['hook']}: {service['id']}, {len(body) / 1000:.0f} KB in {spent:.0f} ms"
    answer = orjson.loads(response.content)
    if response.status_code != 200:
        terminal.line(f"{about}: {response.status_code} {answer['issue'][0]['diagnostics']}")
    elif answer["cards"]:
        terminal.cards(answer, about)
    else:
        terminal.note(f"{about}: no card")


def _get(session: requests.Session, url: str) -> Json:
    response = session.get(url, timeout=30)
    response.raise_for_status()
    answer: Json = orjson.loads(response.content)
    return answer


def _person(bundle: Json) -> str:
    """Name, sex and birth date of a sample patient, as an EHR's banner shows them."""
    person = calls.patient(bundle)
    name = (person.get("name") or [{}])[0]
    full = name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")])
    sex, born = person.get("gender", "sex unknown"), person.get("birthDate", "on an unknown day")
    return f"{full.strip() or 'Without a name'}, {sex}, born {born}"
