"""The container, Compose and Kubernetes files hang together with the code, and the bill of materials with the lock."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from cds_service import cli, http_api
from cds_service import settings as settings_module
from cds_service.stores.sqlite_file import STARTING_MS

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (ROOT / "Containerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
KUBERNETES = {found["kind"]: found for found in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}
URL = "postgresql+psycopg://curbside:secret@database/curbside"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile: name and argument, with continued lines joined."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", CONTAINERFILE))
    return [tuple(line.strip().split(None, 1)) for line in text.splitlines() if line.strip()]  # type: ignore[misc]


def environment() -> dict[str, str]:
    """What the image sets."""
    words = [word for name, rest in instructions() if name == "ENV" for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


def container() -> dict[str, Any]:
    (found,) = KUBERNETES["Deployment"]["spec"]["template"]["spec"]["containers"]
    return found


def curbsides(variables: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith("CURBSIDE_")}


def test_the_image_copies_what_there_is_and_runs_as_nobody_special() -> None:
    """Every source exists; the last user is not root; the command is ours."""
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
    assert [rest for name, rest in instructions() if name == "USER"] == ["10001"]
    assert ("ENTRYPOINT", '["curbside"]') in instructions()
    assert ("CMD", '["serve"]') in instructions()


def test_the_images_variables_are_settings() -> None:
    """A misspelt one would end the start."""
    loaded = settings_module.load(None, curbsides(environment()))
    assert (loaded.server.host, loaded.server.port, loaded.metrics.port) == ("0.0.0.0", 8080, 9464)
    exposed = next(rest for name, rest in instructions() if name == "EXPOSE")
    assert exposed.split() == ["8080", "9464"]


def test_the_images_packages_are_locked_with_hashes() -> None:
    """What the build takes from the large lock file is there, each with hashes."""
    for names in re.findall(r"subset\.py requirements-all\.lock ([a-z0-9 -]+) >", CONTAINERFILE):
        done = subprocess.run(
            [sys.executable, DEPLOY / "subset.py", ROOT / "requirements-all.lock", *names.split()],
            capture_output=True,
            text=True,
            check=True,
        )
        entries = re.split(r"\n(?=[a-z])", done.stdout.strip())
        assert [entry.partition("==")[0] for entry in entries] == names.split()
        assert all("--hash=sha256:" in entry for entry in entries)


def test_the_build_backend_comes_with_all_that_it_needs() -> None:
    """With hashes, pip takes nothing that is not in the list."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    (names,) = re.findall(r"lock (hatchling [a-z0-9 -]+) >", CONTAINERFILE)
    needed = [Requirement(text) for text in requires("hatchling") or []]
    assert {n.name for n in needed if n.marker is None or n.marker.evaluate()} <= set(names.split())


def test_a_package_that_is_not_locked_is_named() -> None:
    """The build stops there."""
    done = subprocess.run(
        [sys.executable, DEPLOY / "subset.py", ROOT / "requirements-all.lock", "nothing-of-that-name"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "not in the lock file: nothing-of-that-name" in done.stderr


def test_the_example_settings_load() -> None:
    """They know one client, whose names are to be replaced."""
    loaded = settings_module.load(DEPLOY / "curbside.toml", {})
    assert list(loaded.clients) == ["main-ehr"]
    assert loaded.base_url() == "https://cds.hospital.example"


def test_compose_starts_the_service_after_its_database() -> None:
    """With settings that load, the database's own name, and nothing published beyond this machine."""
    ours, database = COMPOSE["services"]["curbside"], COMPOSE["services"]["database"]
    variables = {**environment(), **ours["environment"], "CURBSIDE_STORE__URL": URL}
    del variables["CURBSIDE_CONFIG"]
    assert settings_module.load(None, curbsides(variables)).store_url() == URL
    assert "@database/curbside" in ours["environment"]["CURBSIDE_STORE__URL"]
    assert ours["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in database
    assert all(port.startswith("127.0.0.1:") for port in ours["ports"])
    for mount in ours["volumes"]:
        source, target, mode = mount.split(":")
        assert (ROOT / source).exists()
        assert (target, mode) == (ours["environment"]["CURBSIDE_CONFIG"], "ro")
    assert (ROOT / ours["build"]["dockerfile"]).exists()
    assert set(COMPOSE["volumes"]) == {"database"}


def test_kubernetes_probes_ask_what_is_served() -> None:
    """Paths are the application's, and ports are the image's."""
    found = container()
    ports = {port["name"]: port["containerPort"] for port in found["ports"]}
    assert ports == {"http": 8080, "metrics": 9464}
    paths = {path for _, path in http_api.routes()}
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = found[name]["httpGet"]
        assert probe["path"] in paths
        assert probe["port"] in ports
    annotations = KUBERNETES["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] in paths
    assert int(annotations["prometheus.io/port"]) == ports["metrics"]


def test_kubernetes_lets_a_start_wait_for_another_that_migrates_the_store() -> None:
    """Killed before, the one that migrates would begin again each time."""
    probe = container()["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= STARTING_MS / 1000 + 30


def test_kubernetes_gives_a_call_time_to_finish() -> None:
    """The grace period holds the pause before SIGTERM and the drain."""
    pod = KUBERNETES["Deployment"]["spec"]["template"]["spec"]
    pause = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > pause + settings_module.Settings().server.drain_s


def test_kubernetes_objects_name_one_another() -> None:
    """Selectors match labels, mounts match volumes, and variables are settings."""
    pod = KUBERNETES["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert KUBERNETES["Service"]["spec"]["selector"] == labels
    assert KUBERNETES["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert KUBERNETES["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert {m["name"] for m in container()["volumeMounts"]} == {v["name"] for v in pod["spec"]["volumes"]}
    names = {variable["name"] for variable in container()["env"]}
    assert names == {"CURBSIDE_CONFIG", "CURBSIDE_STORE__URL"}
    context = container()["securityContext"]
    assert context["readOnlyRootFilesystem"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert pod["spec"]["securityContext"]["runAsUser"] == 10001


def test_the_systemd_units_run_what_there_is_and_let_calls_finish() -> None:
    """Their commands and settings exist, the store lies where they may write, a stop waits for the longest drain."""
    units = {path.name: path.read_text() for path in DEPLOY.glob("*.service")}
    assert set(units) == {"curbside.service", "curbside-nightly.service"}
    for text in units.values():
        whole = text.replace("\\\n", "")
        lines = [line.partition("=")[::2] for line in whole.splitlines() if "=" in line and not line.startswith("#")]
        (value,) = [value for name, value in lines if name == "ExecStart"]
        for words in re.findall(r"bin/curbside ([a-z]+(?: [a-z]+)?)", value):
            command: Any = cli.curbside
            for word in words.split():
                command = command.get_command(click.Context(command), word)
                assert command is not None, value
        variables = dict(value.split("=", 1) for name, value in lines if name == "Environment")
        found = settings_module.load(None, {k: v for k, v in variables.items() if k != "CURBSIDE_CONFIG"})
        (state,) = [value for name, value in lines if name == "StateDirectory"]
        assert found.store.url.startswith(f"sqlite:////var/lib/{state.split()[0]}/")
    waits = re.search(r"TimeoutStopSec=(\d+)", units["curbside.service"])
    most = next(one.metadata for one in fields(settings_module.Server) if one.name == "drain_s")
    assert waits is not None
    assert int(waits[1]) > most["most"]
    assert "RestartPreventExitStatus=2" in units["curbside.service"]


@pytest.mark.parametrize("fails", ["records", "audit", "monitor", ""])
def test_a_nightly_step_that_fails_keeps_no_other_from_running(tmp_path: Path, fails: str) -> None:
    """A fault of the audit record must not end the monitoring; the unit fails all the same."""
    stub = tmp_path / "curbside"
    stub.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/ran\ntest "$1" != "{fails}"\n')
    stub.chmod(0o700)
    text = (DEPLOY / "curbside-nightly.service").read_text().replace("\\\n", "")
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    words = shlex.split(command.replace("$$", "$").replace("%%", "%").replace("/opt/curbside/bin/curbside", str(stub)))
    done = subprocess.run(words, check=False)
    assert (tmp_path / "ran").read_text().split() == ["records", "audit", "monitor"]
    assert done.returncode == bool(fails)


def test_the_bill_of_materials_is_the_lock_file(tmp_path: Path) -> None:
    """`make sbom` without a network: valid CycloneDX, with every locked package, its version and its hashes."""
    makefile = (ROOT / "Makefile").read_text()
    command = next(line for line in makefile.splitlines() if "cyclonedx-py" in line)
    arguments = shlex.split(command.partition("cyclonedx-py")[2])
    out = tmp_path / "sbom.json"
    arguments[arguments.index("-o") + 1] = str(out)
    arguments.append("--no-validate")  # that is done here, once
    tool = Path(sys.executable).parent / "cyclonedx-py"
    subprocess.run([tool, *arguments], cwd=ROOT, check=True, capture_output=True, env={"PYTHONWARNINGS": "ignore"})
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = out.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    made = {c["name"]: c for c in json.loads(text)["components"]}
    locked = dict(re.findall(r"(?m)^([a-z0-9.-]+)==([^ ]+)", (ROOT / "requirements.lock").read_text()))
    assert {name: component["version"] for name, component in made.items()} == locked
    for component in made.values():
        (reference,) = [r for r in component["externalReferences"] if r["type"] == "distribution"]
        assert reference["hashes"]
        assert component["purl"].startswith("pkg:pypi/")


@pytest.mark.parametrize("path", ["Containerfile", "compose.yaml", "deploy/kubernetes.yaml"])
def test_no_file_names_a_registry_or_a_secret(path: str) -> None:
    """Images come from wherever the site's own tools look; passwords come from outside."""
    text = (ROOT / path).read_text()
    images = re.findall(r"image: *(\S+)", text) + re.findall(r"PYTHON_IMAGE=(\S+)", text)
    assert images
    assert all("/" not in image for image in images)
    assert not re.search(r"(?i)password: +[^$]", text)
