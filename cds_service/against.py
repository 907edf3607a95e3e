"""Another release, or another version of a model, that answers the site's own stored requests.

Another installation runs in a process of its own, with its own Python where it has one. It is given the stored requests
in a file that only this user can read, and never the database, which a newer release would change.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cds_service import answers, registry
from cds_service.answers import Answer, Kept
from cds_service.errors import InputError
from cds_service.registry import Registry
from cds_service.settings import Settings

FORMS = (
    "Give the version of Curbside that sent stored answers, the folder of another installation (a virtual environment "
    "or a checkout), a wheel, a file of answers (.jsonl), or MODEL=VERSION or MODEL=FOLDER."
)
_LOUDEST = 2000  # characters of the other one's complaint


@dataclass(frozen=True, slots=True)
class Installation:
    """How another one is called. command: up to the name of the command. environment: what is added to this one's."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def answers(self, kept: Iterable[Kept], config: Path | None) -> Iterator[Answer]:
        """Its answers, in the order of the requests. Raises InputError if it fails."""
        with TemporaryDirectory(prefix="curbside-replay-") as name:
            asked, told = Path(name) / "requests.jsonl", Path(name) / "answers.jsonl"
            with asked.open("wb") as stream:
                stream.writelines(map(answers.write, kept))
            settings = ("--config", str(config.resolve())) if config is not None else ()
            given = (*self.command, "replay", "--requests", str(asked), "--answers", str(told), *settings)
            found = subprocess.run(  # noqa: S603 - the operator named it
                given, cwd=name, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
            )
            if found.returncode or not told.exists():
                said = found.stderr.strip()[-_LOUDEST:] or f"exit code {found.returncode}"
                raise InputError(f"the other installation could not answer. It said: {said}")
            with told.open("rb") as stream:
                yield from map(answers.read_answer, stream)


def installation(place: Path, unpacked: Path) -> Installation | None:
    """The installation at a path; None if there is none. unpacked: a folder for the content of a wheel."""
    module = ("-m", "cds_service.cli")
    if place.suffix == ".whl" and place.is_file():
        with zipfile.ZipFile(place) as wheel:
            wheel.extractall(unpacked)
        return Installation((sys.executable, *module), {"PYTHONPATH": str(unpacked)})
    if place.is_file() and os.access(place, os.X_OK):
        called = module if place.name.startswith("python") else ()
        return Installation((str(place.absolute()), *called), {"PYTHONPATH": ""})
    if (place / "bin" / "python").exists():
        return Installation((str((place / "bin" / "python").absolute()), *module), {"PYTHONPATH": ""})
    if (place / "cds_service" / "cli").is_dir():
        own = place / ".venv" / "bin" / "python"
        python = str(own.absolute()) if own.exists() else sys.executable
        return Installation((python, *module), {"PYTHONPATH": str(place.resolve())})
    return None


def with_model(loaded: Registry, settings: Settings, model_id: str, wanted: str) -> Registry:
    """The registry with another version of one model: in a folder, or kept among the plugins. Raises InputError."""
    if model_id not in loaded.models:
        raise InputError(f"there is no model {model_id!r} for which {wanted} could stand. See: curbside models.")
    place = Path(wanted)
    if (place / "model.py").is_file():
        found = [model for model in registry.models_in(place / "model.py") if model.id == model_id]
    else:
        roots = (registry.shipped("models"), *settings.plugins.models)
        kept = [loaded.models[model_id], *registry.models_named(model_id, roots)]
        found = [model for model in kept if model.version == wanted]
        if not found:
            known = ", ".join(sorted({model.version for model in kept}))
            raise InputError(f"no version {wanted} of {model_id} is kept here, and it is no folder. Kept: {known}.")
    if not found:
        raise InputError(f"{place / 'model.py'} declares no {model_id}.")
    return replace(loaded, models={**loaded.models, model_id: found[0]})
