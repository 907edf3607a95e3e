"""What the pages say to those who register and run the service is so: settings, JSON, metrics, tests, curls."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import orjson
import pytest
from answers import loaded

from cds_service import settings as settings_module
from cds_service.app import create_app, create_pipeline
from cds_service.clock import FixedClock
from cds_service.protocol import feedback
from cds_service.sandbox.chart import AS_OF
from cds_service.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "deploy" / "README.md"])
SECTIONS = {item.name: get_type_hints(Settings)[item.name] for item in fields(Settings)}


def blocks(page: Path, kind: str) -> list[str]:
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```", page.read_text(), re.S | re.M)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


def examples() -> Iterator[Any]:
    """The TOML blocks that are settings; others are tables of codes and the like."""
    for page in PAGES:
        for number, text in enumerate(blocks(page, "toml")):
            if tomllib.loads(text).keys() <= SECTIONS.keys():
                yield pytest.param(text, id=f"{page.name}-{number}")


@pytest.mark.parametrize("text", list(examples()))
def test_settings_in_the_pages_are_read(tmp_path: Path, text: str) -> None:
    """Every key exists and every value is of its kind."""
    file = tmp_path / "curbside.toml"
    file.write_text(text)
    assert settings_module.load(file, {}) != Settings()


def keys_of(section: Any) -> set[str]:
    """The keys of a section, of one table or of many under names."""
    kinds = [section, *get_args(section)]
    return {item.name for kind in kinds if is_dataclass(kind) for item in fields(kind)}


def test_settings_that_the_pages_name_are_there() -> None:
    """`limits.answer_s` in a sentence is a key of `[limits]`."""
    wrong = []
    for page in PAGES:
        for section, name in re.findall(r"`(?:\[?)([a-z_]+)\.([a-z_]+)(?: = [^`]*)?`", page.read_text()):
            if section in SECTIONS and name not in ("py", "json") and name not in keys_of(SECTIONS[section]):
                wrong.append(f"{page.name}: {section}.{name}")
    assert wrong == []


def test_the_feedback_of_the_page_is_feedback() -> None:
    """The example of a call is understood, and the example of a refusal is what the service says."""
    call, refused = blocks(DOCS / "feedback.md", "json")
    items, faults = feedback.decode(call.encode())
    assert ([item.outcome for item in items], faults) == (["overridden", "accepted"], ())
    told = orjson.loads(refused)["issue"][0]["diagnostics"]
    client = create_app(Settings(), pipeline=create_pipeline(Settings(), loaded=loaded()), store=None).test_client()
    why = "feedback[1].card is not a card that this service gave to this CDS Client."
    assert told == str(feedback.refusal([feedback.Fault(1, why, unknown=True)], 1))
    assert client.post("/cds-services/diabetes/feedback", data=call, content_type="application/json").status_code == 503


def test_metrics_that_the_pages_name_are_exported() -> None:
    """An alert on a metric that nobody exports never rings."""
    source = "".join(file.read_text() for file in (ROOT / "cds_service" / "web").glob("*.py"))
    for page in PAGES:
        named = re.findall(r"\bcurbside_[a-z_]+\b(?!:)", page.read_text())
        assert [name for name in named if f'"{name.removesuffix("_total")}"' not in source] == [], page.name


def test_tests_that_the_pages_name_are_there() -> None:
    """The threat table says where each defence is tested."""
    for page in PAGES:
        named = re.findall(r"`(tests/[\w/]+\.py)`", page.read_text())
        assert [name for name in named if not (ROOT / name).exists()] == [], page.name


def test_the_calls_of_the_readme_are_answered() -> None:
    """Each curl of the README, with its file, at its path: 200, and cards where a hook is called."""
    lines = re.sub(r"\\\n\s*", "", (ROOT / "README.md").read_text())
    calls = [line.split() for line in lines.splitlines() if line.startswith("curl ")]
    assert len(calls) >= 2
    client = create_app(
        Settings(), pipeline=create_pipeline(Settings(), FixedClock(AS_OF), None, loaded())
    ).test_client()
    for words in calls:
        path = words[-1].removeprefix("http://127.0.0.1:8765")
        if "-d" not in words:
            assert client.get(path).get_json()["services"]
            continue
        sent = (ROOT / words[words.index("-d") + 1].removeprefix("@")).read_bytes()
        assert client.post(path, data=sent, content_type="application/json").get_json()["cards"]
