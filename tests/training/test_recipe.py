"""The mortality recipe on a small generated table."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import msgspec
import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from answers import loaded

from cds_service.errors import BadRequest, FeatureMismatch, PluginError
from cds_service.risk import manifest as manifests
from cds_service.risk.likeness import Alike, Likeness
from cds_service.risk.trained import TrainedModel
from cds_service.training import card, likeness, run

MODELS = Path(__file__).parent.parent.parent / "models"
People = Callable[[Path, int], Path]


@pytest.fixture(scope="module")
def trained(recipe: ModuleType, people: People, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of the recipe on the same generated table."""
    folder = tmp_path_factory.mktemp("recipe")
    data = people(folder / "people.csv", 1500)
    for name in ("first", "second"):
        recipe.recipe.train(data, folder / name, 2, rounds=12, outer=2, replicates=20, refits=2)
    return folder / "first", folder / "second"


@pytest.mark.parametrize("name", ["weights.ubj", "manifest.json", "likeness.json", "card.md", "beeswarm.svg"])
def test_the_same_data_give_the_same_bytes(trained: tuple[Path, Path], name: str) -> None:
    """Anyone can repeat the training and compare digests."""
    first, second = trained
    assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_manifest_tells_what_was_learnt_from_whom(trained: tuple[Path, Path]) -> None:
    """Inputs with codes and units, population, seeds, versions, calibration in order."""
    manifest = manifests.read(trained[0] / "manifest.json")
    assert manifest.population.people == 1500
    assert manifest.calibration.intercepts["5"] < manifest.calibration.intercepts["10"]
    assert manifest.calibration.slope > 0
    assert manifest.versions["xgboost-cpu" if "xgboost-cpu" in manifest.versions else "xgboost"]
    by_id = {declared.id: declared for declared in manifest.inputs}
    assert by_id["crp"].column is not None
    assert by_id["crp"].column.factor == 10.0
    assert by_id["crp"].training.p50 == pytest.approx(2.2, abs=0.5)
    assert by_id["egfr"].column is None
    assert by_id["creatinine"].codes[0] == "2160-0"


def test_the_card_claims_tuning_only_if_parameters_were_searched_for(trained: tuple[Path, Path]) -> None:
    """One trial is the parameters that the recipe starts with; the head and the method say so."""
    searched = manifests.read(trained[0] / "manifest.json")
    fixed = msgspec.structs.replace(searched, training={**searched.training, "trials": 1})
    assert "Optuna, TPE, 2 trials" in (trained[0] / "card.md").read_text()
    assert "tuned" in card.head(searched)
    assert "tuned" not in card.head(fixed)
    assert "Nothing is tuned within the folds" in card.validation(fixed)


def like(folder: Path) -> Likeness:
    return msgspec.json.decode((folder / "likeness.json").read_bytes(), type=Likeness)


def as_told(found: Likeness) -> dict[str, tuple[Alike, ...]]:
    """What came of like estimates as the card tells it, which says how far refits differ in another section."""
    return {
        target: tuple(msgspec.structs.replace(band, apart=None) for band in bands)
        for target, bands in found.similar.items()
    }


def test_what_came_of_like_estimates_is_written_as_data_and_as_the_card_tells_it(trained: tuple[Path, Path]) -> None:
    """Ten groups of each horizon, in a file of which the manifest has the digest."""
    declared, found = manifests.read(trained[0] / "manifest.json"), like(trained[0])
    assert {target: len(bands) for target, bands in found.similar.items()} == {"5": 10, "10": 10}
    assert likeness.in_card((trained[0] / "card.md").read_text(), ["5", "10"]) == as_told(found)
    assert found.refits == 2
    assert all(0 < band.apart < 60 for bands in found.similar.values() for band in bands if band.apart is not None)
    assert any(band.apart is not None for band in found.similar["10"])
    assert declared.likeness == hashlib.sha256((trained[0] / "likeness.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("id_", ["mortality", "readmission-30d", "icu-mortality", "serious-illness"])
def test_a_shipped_model_has_the_rates_of_its_card_as_data(id_: str) -> None:
    """Narrowest outcome or shortest horizon first."""
    declared = manifests.read(MODELS / id_ / "manifest.json")
    targets = [*declared.narrower, *declared.calibration.intercepts]
    found = like(MODELS / id_)
    assert likeness.in_card((MODELS / id_ / "card.md").read_text(), targets) == as_told(found) != {}
    assert found.refits == 6
    assert all(band.apart is not None for bands in found.similar.values() for band in bands)


def test_a_model_that_was_trained_before_gets_its_file_and_digest(trained: tuple[Path, Path], tmp_path: Path) -> None:
    """From its card, or the file that is there; a version calibrated at a site has no people with like estimates."""
    folder = tmp_path / "before"
    shutil.copytree(trained[0], folder)
    known, text = like(folder), (folder / "manifest.json").read_text()
    bare = msgspec.structs.replace(known, similar={}, refits=0)
    likeness.renew(folder, bare)
    assert like(folder) == known
    assert (folder / "manifest.json").read_text() == text
    (folder / "likeness.json").unlink()
    likeness.renew(folder, bare)
    assert like(folder) == msgspec.structs.replace(bare, similar=as_told(known))
    site = msgspec.structs.replace(manifests.read(folder / "manifest.json"), recalibrates="0.9.0")
    manifests.write(site, folder / "manifest.json")
    likeness.renew(folder, bare)
    assert like(folder) == bare


@pytest.mark.parametrize("id_", ["mortality", "readmission-30d", "icu-mortality", "serious-illness"])
def test_a_shipped_card_has_the_words_that_its_recipe_writes(id_: str) -> None:
    """Head and method agree with the manifest and with `words.md`."""
    folder = MODELS / id_
    shipped, manifest = (folder / "card.md").read_text(encoding="utf-8"), manifests.read(folder / "manifest.json")
    words = card.read_words(folder / "words.md")
    assert shipped.startswith(f"{card.head(manifest)}\n\n")
    assert f"## Method\n\n{words['Method']}\n\n{card.validation(manifest)}\n\nFinal model: " in shipped


def test_the_card_reports_what_a_board_asks_for(trained: tuple[Path, Path]) -> None:
    """Discrimination, calibration, subgroups, gain over age and sex, missing inputs, limits, licence."""
    text = (trained[0] / "card.md").read_text()
    for heading in (
        "Intended use",
        "Data",
        "Discrimination",
        "Calibration",
        "Gain over age and sex",
        "Subgroups",
        "Missing inputs",
        "Net benefit",
        "Limits",
        "Licence and version",
    ):
        assert f"\n## {heading}\n" in text
    assert "non-Hispanic Black" in text
    assert json.loads((trained[0] / "manifest.json").read_text())["sha256"] in text


@pytest.mark.parametrize(
    "id_",
    ["mortality", "readmission-30d", "icu-mortality", "serious-illness", "breast-cancer-survival"],
)
def test_a_model_is_trained_anew_as_its_weights_were_made(id_: str) -> None:
    """Whoever names no number of trials gets the bytes that are shipped, not another model."""
    manifest = json.loads((MODELS / id_ / "manifest.json").read_text())
    assert run.as_shipped(id_) == manifest["training"]["trials"]


def test_a_column_that_leaks_is_no_input(recipe: ModuleType) -> None:
    """Follow-up, causes of death, race, income and education are declared unused."""
    used = {source.column for source in recipe.SOURCES}
    never = {
        "diabetes", "hyperten", "ucod_leading", "time", "permth_int", "eligstat", "status_agerelated_bioage",
        "death_allcause", "race", "ethnicity", "annual_income", "poverty_ratio", "education", "year", "wave",
        "sampleID",
    }  # fmt: skip
    assert not used & never


def test_a_table_of_another_source_is_refused(recipe: ModuleType, people: People, tmp_path: Path) -> None:
    """The recipe reads its table as strictly as a prediction does."""
    data = people(tmp_path / "people.csv", 50)
    text = data.read_text()
    data.write_text(text.replace(",creat,", ",kreat,", 1))
    with pytest.raises(FeatureMismatch, match="creat"):
        recipe.recipe.train(data, tmp_path / "out", 1)
    data.write_text(text.replace("g_3,", "g_3,,", 1))
    with pytest.raises(BadRequest, match="line 5"):
        recipe.recipe.train(data, tmp_path / "out", 1)


def test_a_table_of_few_rows_is_told_before_it_is_parted(recipe: ModuleType, people: People, tmp_path: Path) -> None:
    """With how many had the outcome, and how many are needed; nothing is written."""
    data = people(tmp_path / "people.csv", 60)
    with pytest.raises(BadRequest, match=r"too few rows to train on \(death within 5 years: \d+ of 60\).* 40 with"):
        recipe.recipe.train(data, tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()


def test_too_few_outcomes_to_train_on_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sentence, where a line through them has no one slope."""

    class Singular:
        def train(self, *_: object) -> None:
            raise np.linalg.LinAlgError

    monkeypatch.setattr(run, "recipe", lambda _: Singular())
    with pytest.raises(BadRequest, match="too few rows with the outcome"):
        run.train("mortality", tmp_path / "few.csv", tmp_path / "out", 1)


def test_a_report_on_other_rows_has_both_horizons_and_the_subgroups(people: People, tmp_path: Path) -> None:
    """What a hospital runs before it signs a model off."""
    model = loaded().models["mortality"]
    assert isinstance(model, TrainedModel)
    report = run.evaluate(model, people(tmp_path / "people.csv", 1500))
    assert "## Death within 5 years" in report
    assert "## Death within 10 years" in report
    assert "| everyone | 1500 |" in report
    assert "| women |" in report


def test_no_calibration_is_fitted_on_the_rows_of_the_training(people: People, tmp_path: Path) -> None:
    """There the estimates look less extreme than they should be, and the new version would be too sure of itself."""
    model, data = loaded().models["mortality"], people(tmp_path / "people.csv", 300)
    assert isinstance(model, TrainedModel)
    here = run.recipe("mortality").table.read(data).inputs
    same = model.with_manifest(msgspec.structs.replace(model.manifest, inputs=here))
    with pytest.raises(BadRequest, match=r"people\.csv: holds the rows that mortality was trained on"):
        run.recalibrate(same, data, "intercept", tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_rows_of_which_too_few_died_are_refused_with_their_numbers(people: People, tmp_path: Path) -> None:
    """A report in which every line says "withheld" would look like one."""
    model = loaded().models["mortality"]
    assert isinstance(model, TrainedModel)
    for n, told in ((20, r"death within 5 years: \d+ of \d+; .* at least 20 with and 20 without"), (0, "0 of 0")):
        with pytest.raises(BadRequest, match=rf"people\.csv: nothing can be judged .*{told}"):
            run.evaluate(model, people(tmp_path / "people.csv", n))


def test_a_model_without_a_recipe_is_named(tmp_path: Path) -> None:
    """The sentence says which models can be trained."""
    with pytest.raises(PluginError, match=r"can be trained: .*mortality"):
        run.train("prevent-base", tmp_path / "rows.csv")


def test_other_rows_do_not_take_the_place_of_the_shipped_weights(people: People, tmp_path: Path) -> None:
    """Two models of one version could not be told apart; a folder of one's own may hold them."""
    before = (MODELS / "mortality" / "weights.ubj").read_bytes()
    with pytest.raises(BadRequest, match=r"other rows than those that mortality was trained on.*--out"):
        run.train("mortality", people(tmp_path / "people.csv", 300))
    assert (MODELS / "mortality" / "weights.ubj").read_bytes() == before
