"""Plugins: adding one is one file; whatever is wrong with one stops the start and names the file."""

from pathlib import Path
from shutil import copytree

import pytest

from cds_service import registry
from cds_service.errors import PluginError

ROOT = Path(__file__).parent.parent
SCORE = """
from cds_service.api import Citation, NotEstimated, PublishedScore, Refusal, catalogue, msg

model = PublishedScore(
    id="{id}",
    version="{version}",
    title=msg("Example"),
    citation=Citation("Example 2026", "{url}"),
    features=({feature},),
    compute=lambda values: NotEstimated("{id}", Refusal.NOT_APPLICABLE, msg("an example")),
    vectors={{}},
    limits=msg("none"),
)
"""
SERVICE = """
from cds_service.api import Citation, Service, Topic, msg

service = Service(
    id="{id}",
    hook="{hook}",
    title=msg("Example"),
    description=msg("An example."),
    models=({models}),
    find=lambda case: (),
    source=Citation("Example", "https://example.org"),
    topic=Topic("http://snomed.info/sct", "1", "Example"),
    summary=(),
)
"""


def score(folder: Path, name: str = "example.py", **values: str) -> Path:
    """A folder of models with one more score in it."""
    given = {"id": "example", "version": "1", "url": "https://example.org", "feature": "catalogue.AGE"} | values
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(SCORE.format(**given))
    return folder


def service(folder: Path, **values: str) -> Path:
    """A folder of hooks with one more service in it."""
    folder.mkdir(exist_ok=True)
    (folder / "example.py").write_text(
        SERVICE.format(**{"id": "example", "hook": "patient-view", "models": ""} | values)
    )
    return folder


def test_one_file_in_a_folder_adds_a_score(tmp_path: Path) -> None:
    """No change in the core: the file is there, and so is the model."""
    loaded = registry.load(extra_models=[score(tmp_path / "m")])
    assert "example" in loaded.models
    assert loaded.origins["model example"] == tmp_path / "m" / "example.py"


def test_one_file_in_a_folder_adds_a_service(tmp_path: Path) -> None:
    """The service is discovered beside the shipped ones."""
    assert "example" in registry.load(extra_hooks=[service(tmp_path / "h")]).services


def test_a_model_that_a_service_may_run_need_not_be_there(tmp_path: Path) -> None:
    """A site without it loses nothing; a site that has it gets its result."""
    hooks = service(tmp_path / "h", models='), may_run=("example", ')
    assert registry.load(extra_hooks=[hooks]).services["example"].models == ()
    both = registry.load(extra_models=[score(tmp_path / "m")], extra_hooks=[hooks])
    assert both.services["example"].models == ("example",)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"id": "news2"}, "already declared in"),
        ({"id": "Not Kebab"}, "must be kebab-case"),
        ({"version": ""}, "needs a version"),
        ({"url": "doi:10.1/x"}, "citation with an absolute URL"),
        ({"feature": "__import__('dataclasses').replace(catalogue.SBP, unit='kPa')"}, "differs from another"),
    ],
)
def test_a_faulty_score_stops_the_start_and_is_named(tmp_path: Path, values: dict[str, str], sentence: str) -> None:
    """A sentence with the file at fault and what to change."""
    with pytest.raises(PluginError, match=sentence) as refused:
        registry.load(extra_models=[score(tmp_path / "m", **values)])
    assert str(tmp_path / "m" / "example.py") in str(refused.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"id": "prognosis"}, "already declared in"),
        ({"hook": "patient-veiw"}, "names hook 'patient-veiw'"),
        ({"models": "'news3',"}, "names model 'news3', which is not loaded; did you mean 'news2'"),
    ],
)
def test_a_faulty_service_stops_the_start_and_is_named(tmp_path: Path, values: dict[str, str], sentence: str) -> None:
    """A sentence with the file at fault and what to change."""
    with pytest.raises(PluginError, match=sentence) as refused:
        registry.load(extra_hooks=[service(tmp_path / "h", **values)])
    assert str(tmp_path / "h" / "example.py") in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("x = 1", "declares nothing"), ("import nothing_of_this_name", "ModuleNotFoundError"), ("def", "SyntaxError")],
)
def test_a_file_that_declares_nothing_or_breaks_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    """Never a trace that a hospital must decipher, never a model silently left out."""
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(PluginError, match=sentence) as refused:
        registry.load(extra_models=[tmp_path])
    assert "broken.py" in str(refused.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A misspelt setting is not an empty folder."""
    with pytest.raises(PluginError, match="no such folder"):
        registry.load(extra_models=[tmp_path / "absent"])


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A folder of models with a copy of the mortality model under another id."""
    folder = tmp_path / "trained"
    copytree(ROOT / "models" / "mortality", folder / "mortality-copy")
    manifest = folder / "mortality-copy" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"id": "mortality"', '"id": "mortality-copy"', 1))
    return folder


def test_a_folder_adds_a_trained_model(trained: Path) -> None:
    """One folder, no change in the core."""
    assert "mortality-copy" in registry.load(extra_models=[trained]).models


@pytest.mark.parametrize("missing", ["model.py", "weights.ubj", "manifest.json"])
def test_a_trained_model_with_a_file_missing_stops_the_start(trained: Path, missing: str) -> None:
    """A service that runs without a model that the hospital believes in is worse than one that does not start."""
    (trained / "mortality-copy" / missing).unlink()
    with pytest.raises(PluginError, match=missing):
        registry.load(extra_models=[trained])


def test_weights_that_were_changed_stop_the_start(trained: Path) -> None:
    """The manifest's SHA-256 is of exactly these weights."""
    weights = trained / "mortality-copy" / "weights.ubj"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(PluginError, match=r"weights\.ubj"):
        registry.load(extra_models=[trained])
