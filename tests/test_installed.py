"""What a user installs: the wheel and the editable checkout, run from another folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TREES = ("cds_service", "models", "hooks", "fhir_samples")
FILES = ("pyproject.toml", "README.md", "LICENSE", ".gitignore")
IGNORED = (
    "cds_service/build/leak.py",
    "cds_service/__pycache__/leak.py",
    "models/__pycache__/leak.py",
    "models/local.db",
)
SERVICES = {
    "af-anticoagulation",
    "cardiovascular-risk",
    "cirrhosis",
    "diabetes",
    "kidney-liver-check",
    "prognosis",
    "deterioration",
    "renal-dosing",
    "renal-dosing-select",
}


def run(command: list[str | Path], folder: Path, **variables: str) -> str:
    """The output of a command that must succeed."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("CURBSIDE_", "PYTHON"))} | variables
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout, with files in it that git ignores."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in TREES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_bundled"))
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    for name in IGNORED:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("LEAKED = True\n")
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from that copy."""
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, checkout], out)
    (built,) = out.glob("*.whl")
    return built


def environment(folder: Path) -> Path:
    """The Python of a new virtual environment that sees our dependencies but not this checkout."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    # A path file inside a folder that a path file names is not read: the editable install stays unseen.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


def pip(python: Path, *arguments: str | Path) -> None:
    base = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
    run([*base, "--no-deps", "--no-index", "--force-reinstall", "--no-warn-script-location", *arguments], python.parent)


@pytest.fixture(scope="module", params=["wheel", "editable"])
def curbside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `curbside` program of an installation."""
    python = environment(tmp_path_factory.mktemp("venv") / request.param)
    if request.param == "wheel":
        pip(python, request.getfixturevalue("wheel"))
    else:
        pip(python, "--no-build-isolation", "--editable", request.getfixturevalue("checkout"))
    return python.parent / "curbside"


def test_the_wheel_holds_what_serving_needs_and_nothing_else(wheel: Path) -> None:
    """Plugins, samples, migrations and types are in it; tests, other top-level packages and ignored files are not."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        text = b"".join(archive.read(name) for name in names)
    bundled = "cds_service/_bundled"
    for needed in (
        "cds_service/py.typed",
        "cds_service/stores/migrations/env.py",
        "cds_service/stores/migrations/versions/r0001_assessments.py",
        "cds_service/stores/migrations/newest.sql",
        f"{bundled}/models/prevent.py",
        f"{bundled}/hooks/cardiovascular_risk.py",
        f"{bundled}/fhir_samples/patients/primary-prevention.json",
    ):
        assert needed in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"cds_service", next(t for t in tops if t.endswith(".dist-info"))}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert b"LEAKED" not in text
    assert not [n for n in names if n.endswith((".db", ".pyc", ".pkl", ".bin")) or "/tests/" in n]


def test_every_shipped_plugin_and_weight_is_in_the_wheel(wheel: Path) -> None:
    """A file added to models/ or hooks/ reaches the users."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = [
        p for kind in ("models", "hooks") for p in (ROOT / kind).rglob("*") if p.suffix in {".py", ".ubj", ".json"}
    ]
    assert len(wanted) > 5
    missing = [
        p for p in wanted if f"cds_service/_bundled/{p.relative_to(ROOT)}" not in names and "__pycache__" not in str(p)
    ]
    assert missing == []


def test_the_installation_works_from_another_folder(curbside: Path, tmp_path: Path) -> None:
    """Services are found, and a sample patient gets a card, wherever the command is typed."""
    listed = json.loads(run([curbside, "services", "--json"], tmp_path))
    assert {service["id"] for service in listed} >= SERVICES
    answer = json.loads(
        run([curbside, "hook", "--sample", "primary-prevention", "--service", "cardiovascular-risk"], tmp_path)
    )
    assert answer["cards"][0]["summary"]


def test_the_installation_can_make_its_store(curbside: Path, tmp_path: Path) -> None:
    """The migrations are packaged: `check` creates and opens the database."""
    run([curbside, "check"], tmp_path, CURBSIDE_STORE__URL=f"sqlite:///{tmp_path / 'a.db'}")
    assert (tmp_path / "a.db").stat().st_size > 0
