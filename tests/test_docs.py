"""The documentation's examples are programs: each is loaded and run as a reader would."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import answers
import click
import orjson
import pytest

from cds_service import registry
from cds_service.cli import calls, curbside
from cds_service.clock import FixedClock
from cds_service.pipeline import Pipeline
from cds_service.risk.model import is_on
from cds_service.risk.trained import TrainedModel
from cds_service.risk.vectors import check_file
from cds_service.sandbox.prefetch import request_for
from cds_service.settings import Settings
from cds_service.training import evidence_page

ROOT = Path(__file__).parent.parent


def code(page: str) -> str:
    """The plugin of a page: its Python program that imports the API."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S)
    (plugin,) = [block for block in blocks if "from cds_service.api import" in block]
    return str(plugin)


@pytest.fixture
def hospital(tmp_path: Path) -> registry.Registry:
    """A registry with the two plugins that the documentation tells a hospital to write."""
    for kind, page, name in (("models", "adding-a-model.md", "shock_index"), ("hooks", "adding-a-hook.md", "shock")):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name}.py").write_text(code(page))
    return registry.load(extra_models=[tmp_path / "models"], extra_hooks=[tmp_path / "hooks"])


def test_a_hospitals_model_and_hook_answer_beside_the_shipped_ones(hospital: registry.Registry) -> None:
    """What the documentation calls a whole model and a whole hook is one: it opens a card with its number."""
    bundle = orjson.loads(calls.sample("acute-deterioration").read_bytes())
    written = calls.written(bundle)
    assert written is not None
    pipeline = Pipeline(hospital, Settings(), FixedClock(written))
    service = next(s for s in pipeline.discovery()["services"] if s["id"] == "shock-watch")
    answer = orjson.loads(pipeline.answer("shock-watch", orjson.dumps(request_for(service, bundle))))
    (card,) = answer["cards"]
    assert re.match(r"Shock index [01]\.\d\d at ", card["summary"])
    assert "heart rate 70/min and systolic pressure 120 mmHg" in card["detail"]


def test_the_vectors_of_the_documented_model_are_checked(hospital: registry.Registry, tmp_path: Path) -> None:
    """`curbside models vectors` holds a hospital's score against cases of its own."""
    file = tmp_path / "shock_index.json"
    case = {"inputs": {"hr": 90, "sbp": 100}, "expected": {"shock_index": 0.9}}
    wrong = {"inputs": {"hr": 90, "sbp": 100}, "expected": {"shock_index": 0.8}}
    file.write_bytes(orjson.dumps({"meta": {"score": "Shock index"}, "cases": [case]}))
    assert check_file(file, hospital.models.values()).ok
    file.write_bytes(orjson.dumps({"meta": {"score": "Shock index"}, "cases": [case, wrong]}))
    assert not check_file(file, hospital.models.values()).ok


PAGES = sorted(p for p in ROOT.rglob("*.md") if ".venv" not in p.parts)


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a link may point at inside a page: its headings as GitHub names them, and ids."""
    found = Counter[str]()
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    names = set(re.findall(r'\bid="([^"]+)"', text))
    for heading in re.findall(r"^#{1,6} +(.+)$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return frozenset(names)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A reader never meets a dead link inside the repository, nor one to a heading that is not there."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.S | re.M)
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        place, _, anchor = target.partition("#")
        file = page.parent / place if place else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


def commands(page: Path) -> Iterator[str]:
    """The command lines of a page, in its sentences and in its blocks."""
    text = page.read_text()
    yield from re.findall(r"`curbside ([a-z][^`]*)`", text)
    for block in re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", text, re.S | re.M):
        yield from re.findall(r"^(?:\$ )?(?:\S*/)?curbside ([a-z][^|;>#\n]*)", block, re.M)


def test_the_commands_of_the_pages_are_there() -> None:
    """What a page tells a reader to type names a command and options that exist."""
    wrong = []
    for page in PAGES:
        for line in commands(page):
            command: click.Command = curbside
            words = line.split()
            while isinstance(command, click.Group) and words and re.fullmatch("[a-z-]+", words[0]):
                found = command.get_command(click.Context(command), words.pop(0))
                if found is None:
                    wrong.append(f"{page.name}: curbside {line}")
                    break
                command = found
            known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
            wrong += [f"{page.name}: {o} of curbside {line}" for o in words if o.startswith("--") and o not in known]
    assert wrong == []


def test_pages_that_the_program_names_are_there() -> None:
    """An error or a help text that sends a reader to `docs/...` sends nobody to nothing."""
    files = [*(ROOT / "cds_service").rglob("*.py"), *(ROOT / "models").rglob("*.py"), *(ROOT / "hooks").glob("*.py")]
    named = {name for file in files for name in re.findall(r"docs/[\w/.-]+\.(?:md|tsv)", file.read_text())}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_figures_of_trained_models_are_those_of_their_cards() -> None:
    """docs/evidence/models.md is what its command writes; each card has the version and the lines of its manifest."""
    assert (ROOT / "docs" / "evidence" / "models.md").read_text() == evidence_page.page()
    for model in answers.loaded().models.values():
        if not model.trained:
            continue
        card = (ROOT / "models" / model.id / "card.md").read_text()
        assert model.version in card, model.id
        if isinstance(model, TrainedModel):
            known = model.manifest.calibration
            for number in (known.slope, *known.slopes.values(), *known.intercepts.values()):
                assert f"{number:.4f}" in card, f"{model.id}: {number}"


def test_the_page_of_coverage_knows_every_model_that_a_service_runs() -> None:
    """A model that came since the page was made is missing there: `python -m cds_service.sandbox.coverage`."""
    loaded = answers.loaded()
    page = (ROOT / "docs" / "coverage.md").read_text()
    run = {model_id for service in loaded.services.values() for model_id in service.models}
    on = (id_ for id_ in sorted(run) if is_on(loaded.models[id_], ()))
    assert [id_ for id_ in on if f"| {id_} |" not in page] == []


def test_versions_of_shipped_models_on_the_pages_are_those_that_ship() -> None:
    """A sign-off that is copied from a page must name the version that is there."""
    models = answers.loaded().models
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for model_id, version in re.findall(r'\[models\.signed_off\.([\w-]+)\]\nversion = "([^"]+)"', text):
            assert models[model_id].version == version, f"{page.name}: {model_id}"
        for model_id, version in re.findall(r"reports/([\w-]+?)-(\d+\.\d+\.\d+)", text):
            assert models[model_id].version == version, f"{page.name}: {model_id}"
