"""Cohorts of outcomes that came or did not: ordered outcomes share a margin, groups stay together, recipes repeat."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from answers import loaded

from cds_service.risk import manifest as manifests
from cds_service.risk.trained import TrainedModel
from cds_service.training import run, study
from cds_service.training.hazard import Recipe
from cds_service.training.metrics import Ranked
from cds_service.training.outcomes import Outcomes
from cds_service.training.study import Plan

RECIPE = Path(__file__).parent.parent.parent / "models" / "icu-mortality" / "train.py"
START = {"eta": 0.2, "max_depth": 2, "num_parallel_tree": 1, "lambda": 1.0}


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    """The module of `models/icu-mortality/train.py`."""
    spec = importlib.util.spec_from_file_location("icu_recipe_under_test", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated stays in the source's columns, with deaths that age, urea nitrogen and the coma scale drive."""
    g, n = np.random.default_rng(5), 500
    columns: dict[str, list[str]] = {"recordid": [str(100 + i) for i in range(n)]}
    for source in recipe.SOURCES:
        if source.column is not None and source.column != "ventilated":  # made from the start of ventilation
            low, high = max(source.limits[0], 0.0), source.limits[1]
            middle, spread = (low + high) / 2, (high - low) / 8
            values = np.clip(g.normal(middle, spread, n), low, high)
            columns[source.column] = ["" if g.random() < 0.1 else f"{value:.4g}" for value in values]
    age, gcs, bun = g.integers(18, 91, n), g.integers(3, 16, n), g.lognormal(3, 0.6, n).clip(2, 200)
    columns |= {"Age": [str(a) for a in age], "Gender": [str(s) for s in g.integers(0, 2, n)]}
    columns |= {"GCS_last": [str(x) for x in gcs], "BUN_last": [f"{x:.0f}" for x in bun]}
    chance = 1 / (1 + np.exp(-(0.04 * (age - 65) - 0.25 * (gcs - 11) + 0.03 * (bun - 20) - 1.2)))
    columns["In-hospital_death"] = [str(int(x)) for x in g.random(n) < chance]
    for name in recipe.UNUSED:
        if name not in columns:
            columns[name] = [str(x) for x in g.integers(-1 if name in {"SAPS-I", "SOFA"} else 0, 2, n)]
    path = tmp_path_factory.mktemp("stays") / "stays.csv"
    lines = [",".join(columns), *(",".join(cells) for cells in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(recipe: ModuleType, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of the recipe on the same generated table."""
    folder = tmp_path_factory.mktemp("icu")
    for name in ("first", "second"):
        recipe.recipe.train(rows, folder / name, 1, rounds=8, outer=2, replicates=3, rival=1, refits=2)
    return folder / "first", folder / "second"


@pytest.mark.parametrize("name", ["weights.ubj", "manifest.json", "card.md", "calibration.svg", "beeswarm.svg"])
def test_the_same_stays_give_the_same_bytes(trained: tuple[Path, Path], name: str) -> None:
    """Anyone can repeat the training and compare digests."""
    first, second = trained
    assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_card_of_outcomes_reports_what_a_board_asks_for(trained: tuple[Path, Path]) -> None:
    """Rivals, the ceiling, comparators, calibration, subgroups, missing inputs, net benefit."""
    card = (trained[0] / "card.md").read_text()
    for heading in ("Intended use", "Data", "Discrimination", "Calibration", "Subgroups", "Missing inputs", "Limits"):
        assert f"\n## {heading}\n" in card
    for words in (
        "tuned XGBoost, same inputs",
        "logistic regression",
        "ceiling",
        "SAPS-I",
        "no coma scale (refused in use)",
        "women",
    ):
        assert words in card
    assert manifests.read(trained[0] / "manifest.json").sha256 in card


def test_a_report_on_other_stays_names_the_outcome(rows: Path) -> None:
    """What a hospital runs before it signs the model off."""
    model = loaded().models["icu-mortality"]
    assert isinstance(model, TrainedModel)
    report = run.evaluate(model, rows)
    assert "## Death in hospital" in report
    assert "| all stays | 500 |" in report


def ordered(n: int = 1500) -> Outcomes:
    """Rows of 500 patients; whoever dies in hospital has died within half a year, too."""
    g = np.random.default_rng(3)
    matrix = g.normal(size=(n, 3)).astype(np.float32)
    chance = g.random(n)
    soon = chance < 1 / (1 + np.exp(-(1.2 * matrix[:, 0] - 2.0)))
    later = chance < 1 / (1 + np.exp(-(1.2 * matrix[:, 0] - 0.5)))
    came = {"soon": soon.astype(np.float64), "later": later.astype(np.float64)}
    return Outcomes(matrix, came, soon.astype(np.int64) + later, np.arange(n, dtype=np.int64) // 3)


def test_an_outcome_that_includes_another_is_never_less_likely() -> None:
    """One margin, one slope, rising intercepts: in every fold and for every row."""
    cohort = ordered()
    everyone = np.ones(len(cohort), dtype=np.bool_)
    plan = Plan(Recipe(15, [0, 0, 0], None, 1), START, {"eta": ("log", 0.1, 0.3)}, everyone, 1, outer=3, seed=2)
    result = study.run(cohort, plan)
    soon, later = (result.log_odds(cohort.matrix, name) for name in ("soon", "later"))
    assert result.final.calibration.horizons == ("soon", "later")
    assert np.all(soon < later)
    assert Ranked(soon, cohort.within("soon")).auroc() > 0.7
    for name, log_odds in (("soon", soon), ("later", later)):
        assert np.mean(1 / (1 + np.exp(-log_odds))) == pytest.approx(cohort.within(name).mean(), abs=0.03)


def test_rows_of_one_patient_are_never_parted() -> None:
    """A model is not judged on patients whom it has seen."""
    cohort = ordered()
    assert cohort.groups is not None
    for train, test in study.folds_of(cohort, np.arange(len(cohort)), 4, 0):
        assert not set(cohort.groups[train]) & set(cohort.groups[test])
