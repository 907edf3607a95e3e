"""Follows `docs/go-live.md` on a tiny population: what its commands say, and what they leave."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cds_service.app import create_store
from cds_service.cli import run
from cds_service.language import msg
from cds_service.sandbox.chart import AS_OF
from cds_service.settings import load
from cds_service.stores.fallen_back import FallBackStore, FallenBack

PAGE = Path(__file__).parent.parent / "docs" / "go-live.md"
PATIENTS, SEED = 110, 1
_BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_SMALLER = {"--patients 20000": f"--patients {PATIENTS}", "--patients 2000": "--patients 20"}


@dataclass(frozen=True)
class Followed:
    """The folder in which the page was followed, and for each command its exit code and what it said."""

    folder: Path
    said: dict[str, tuple[int, str]]


def follow(folder: Path) -> Followed:
    """Every command of the page as it is written there, but for fewer patients; other machines' paths are left out."""
    said: dict[str, tuple[int, str]] = {}
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CURBSIDE_") and name != "CURBSIDE_DATA"]:
            patch.delenv(name)
        for kind, text in _BLOCK.findall(PAGE.read_text()):
            first = text.splitlines()[0]
            if kind == "toml" and first.startswith("# "):
                Path(first.removeprefix("# ")).write_text(text)
            for line in text.splitlines() if not kind else ():
                if "/opt/" not in line:
                    said[line] = _one(line)
    return Followed(folder, said)


def _one(line: str) -> tuple[int, str]:
    for large, small in _SMALLER.items():
        line = line.replace(large, small)
    program, *arguments = shlex.split(line)
    if "--lift" in arguments:  # so few patients show no drift
        store = create_store(load(None))
        FallBackStore(store.database).silence(
            FallenBack("mortality", "1.0.0", AS_OF, msg("observed over expected is 1.6"))
        )
        store.close()
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        if program == "curbside":
            return run(arguments), told.getvalue()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [arguments[1], *arguments[2:]])
            importlib.import_module(arguments[1]).main()
        return 0, told.getvalue()
