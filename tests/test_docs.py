"""The documentation's examples are programs: each is loaded and run as a reader would."""

import re
from pathlib import Path

import answers
import orjson
import pytest

from cds_service import registry
from cds_service.app import load_registry
from cds_service.cli import calls
from cds_service.clock import FixedClock
from cds_service.pipeline import Pipeline
from cds_service.risk.model import is_on
from cds_service.risk.vectors import check_file
from cds_service.sandbox.prefetch import request_for
from cds_service.settings import Settings

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


@pytest.mark.parametrize("page", sorted(p for p in ROOT.rglob("*.md") if ".venv" not in p.parts), ids=lambda p: p.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A reader never meets a dead link inside the repository."""
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_page_of_coverage_knows_every_model_that_a_service_runs() -> None:
    """A model that came since the page was made is missing there: `python -m cds_service.sandbox.coverage`."""
    loaded = load_registry(Settings())
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
