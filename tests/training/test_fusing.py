"""The recipe of survival after breast cancer on a small generated table, and late fusion of generated modalities."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from answers import loaded

from cds_service.risk import fusion
from cds_service.risk.calibration import expit
from cds_service.risk.fused import FusedModel
from cds_service.training import censoring, fused_evidence, fusing, run
from cds_service.training.at_horizons import Happened
from cds_service.training.fused_model import Fusing
from cds_service.training.fusing import Plan
from cds_service.training.modalities import Kind, Patients

ROOT = Path(__file__).parent.parent.parent


def recipe(model_id: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fused_recipe_under_test", ROOT / "models" / model_id / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def women(path: Path, module: ModuleType, n: int = 350) -> Path:
    """Generated women whose nodes, size and receptors drive death from cancer, and whose age drives other deaths."""
    g = np.random.default_rng(3)
    age, size, nodes = g.uniform(30, 90, n).round(1), g.lognormal(3, 0.5, n).round(), g.poisson(1.5, n)
    er, pam = g.random(n) < 0.7, g.choice(list(module.SUBTYPES), n)
    cancer = g.exponential(150 / np.exp(0.15 * nodes + size / 50 - 0.7 * er), n)
    other = g.exponential(200 * np.exp(-(age - 60) / 12), n)
    lost = g.uniform(20, 220, n)
    time = np.minimum(np.minimum(cancer, other), lost)
    vital = np.where(time == lost, "Living", np.where(time == cancer, "Died of Disease", "Died of Other Causes"))
    columns = {name: [""] * n for name in (*(s.column for s in module.SOURCES if s.column), *module.UNUSED)}
    columns |= {
        "Patient ID": [f"g{i}" for i in range(n)], "Age": age, "Tumor Size": size, "Patient's Vital Status": vital,
        "Neoplasm Histologic Grade": g.integers(1, 4, n), "Tumor Stage": g.integers(1, 4, n),
        "Lymph nodes examined positive": nodes,
        "ER Status": np.where(er, "Positive", "Negative"), "PR Status": g.choice(["Positive", "Negative"], n),
        "HER2 Status": g.choice(["Positive", "Negative"], n, p=[0.1, 0.9]), "Pam50 + Claudin-low subtype": pam,
        "time": time.round(2), "status": np.where(vital == "Living", "Living", "Deceased"),
    }  # fmt: skip
    lines = [",".join(columns), *(",".join(str(column[i]) for column in columns.values()) for i in range(n))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the recipe on the same generated table."""
    folder, module = tmp_path_factory.mktemp("fused"), recipe("breast-cancer-survival")
    data = women(folder / "women.csv", module)
    for name in ("first", "second"):
        module.recipe.train(data, folder / name, 1, rounds=3, outer=2, refits=1, replicates=10)
    return folder


def test_the_same_data_give_the_same_bytes(trained: Path) -> None:
    """Weights of every part, manifest, card and plots."""
    names = sorted(path.name for path in (trained / "first").iterdir())
    assert {"manifest.json", "card.md", "calibration.svg", "beeswarm.svg", "death-together.ubj"} <= set(names)
    for name in names:
        assert (trained / "first" / name).read_bytes() == (trained / "second" / name).read_bytes(), name


def test_the_card_reports_what_a_board_asks_for(trained: Path) -> None:
    """Every pattern of modalities, calibration with censoring, refits, limits and licence."""
    card = (trained / "first" / "card.md").read_text()
    for heading in ("Discrimination", "Calibration", "Missing modalities", "Subgroups", "Net benefit", "Limits",
                    "Applicability", "Similar people", "Steadiness", "Plausible values",
                    "Licence and version"):  # fmt: skip
        assert f"\n## {heading}\n" in card
    assert "| pass all checks |" in card
    assert "top three reasons kept" in card
    assert "Uno's C, 10 y" in card
    assert "| pathology + markers |" in card


def test_a_manifest_without_a_pattern_stops_the_start(trained: Path, tmp_path: Path) -> None:
    """A modality that is missing must be a defined case, never an accident."""
    import msgspec

    from cds_service.errors import PluginError

    declared = fusion.read(trained / "first" / "manifest.json")
    fusion.write(msgspec.structs.replace(declared, patterns=declared.patterns[1:]), tmp_path / "manifest.json")
    with pytest.raises(PluginError, match="has no combiner"):
        fusion.read(tmp_path / "manifest.json")
    assert all(0 < group.low <= group.high < 1 for group in declared.similar)
    for changes, words in (({"horizon": 7}, "which the model does not"), ({"observed": 1.2}, "no risks of 0 to 1")):
        odd = msgspec.structs.replace(declared.similar[0], **changes)
        fusion.write(msgspec.structs.replace(declared, similar=(odd,)), tmp_path / "manifest.json")
        with pytest.raises(PluginError, match=f"similar: .*{words}"):
            fusion.read(tmp_path / "manifest.json")


def test_a_report_on_other_rows_has_both_outcomes(trained: Path) -> None:
    """What a hospital runs before it signs off."""

    model = loaded().models["breast-cancer-survival"]
    assert isinstance(model, FusedModel)
    report = run.evaluate(model, trained / "women.csv")
    assert "## Death from breast cancer" in report
    assert "| everyone | 350 |" in report
    number = r"[-−]?\d+\.\d\d"
    within = rf"{number} \({number} to {number}\)"
    found = re.search(
        rf"^\| within 10 years, everyone \| \d+ \| \d+ \| 0.\d+ \| 0.\d+ \| {within} \| {within} \|", report, re.M
    )
    assert found is not None


def generated(n: int, seed: int) -> tuple[Patients, Plan]:
    """Two modalities: three numbers for trees, and a vector of six dimensions for a line; a tenth lacks each."""
    g = np.random.default_rng(seed)
    numbers, vectors = g.normal(size=(n, 3)), g.normal(size=(n, 6))
    risk = 0.8 * numbers[:, 0] + 0.5 * numbers[:, 1] + 0.9 * vectors[:, 0] - 0.4 * vectors[:, 3]
    months, lost = g.exponential(90 / np.exp(risk)), g.uniform(10, 240, n)
    numbers[g.random(n) < 0.1] = np.nan
    vectors[g.random(n) < 0.1] = np.nan
    matrix = np.column_stack([numbers, vectors]).astype(np.float32)
    patients = Patients(matrix, np.minimum(months, lost), {"death": months <= lost})
    kinds = (
        Kind("clinical", (0, 1, 2), (0, 1, 2), 2, (1, 0, 0)),
        Kind("slide", range(3, 9), range(3, 9), 6, [0] * 6, True),
    )
    start = {"eta": 0.1, "max_depth": 2, "aft_loss_distribution_scale": 1.0}
    return patients, Plan(kinds, (5, 10), start, {}, 30, 0, 1, outer=3, calibration=3)


@pytest.fixture(scope="module")
def fused() -> tuple[Patients, Plan, Fusing]:
    patients, plan = generated(900, 7)
    return patients, plan, fusing.run(patients, plan)


@pytest.mark.parametrize("pattern", [("clinical",), ("slide",), ("clinical", "slide")])
def test_every_pattern_is_calibrated_on_rows_not_trained_on(
    fused: tuple[Patients, Plan, Fusing], pattern: tuple[str, ...]
) -> None:
    """Slope near one and nothing left in the large, whatever is missing."""
    patients, plan, result = fused
    rows = np.all([kind.there(patients.matrix) for kind in plan.kinds], axis=0)
    for horizon in plan.horizons:
        line = result.log_odds(patients.matrix, "death", horizon, pattern)[rows]
        weight = censoring.weights(patients.months, patients.ended, 12 * horizon)[rows]
        happened = (patients.ended & (patients.months <= 12 * horizon)).astype(float)[rows]
        slope, large = censoring.slope_and_large(line, happened, weight)
        assert 0.65 < slope < 1.4
        assert abs(large) < 0.3


def test_two_modalities_rank_better_than_either(fused: tuple[Patients, Plan, Fusing]) -> None:
    """Else there were no reason to fuse; and shorter horizons are below longer ones for everyone."""
    patients, plan, result = fused
    rows = np.all([kind.there(patients.matrix) for kind in plan.kinds], axis=0)
    found = {
        pattern: censoring.concordance(
            patients.months[rows], patients.ended[rows], result.log_odds(patients.matrix, "death", 10, pattern)[rows]
        )
        for pattern in fusion.subsets(("clinical", "slide"))
    }
    assert found["clinical", "slide"] > max(found["clinical",], found["slide",]) + 0.02
    ours = fused_evidence.by_pattern(patients.matrix, ("death",), plan, result.log_odds)
    assert np.all(expit(ours["death", 5]) < expit(ours["death", 10]))


def test_a_patient_drawn_twice_is_never_on_both_sides_of_a_fold() -> None:
    """Else a model refitted on resampled patients would be calibrated on patients whom it has seen."""
    patients, plan = generated(200, 5)
    drawn = np.sort(np.random.default_rng(2).choice(200, 200))
    for train, test in fusing._folds(patients, drawn, plan.outer, plan.seed):
        assert not set(drawn[train]) & set(drawn[test])


def test_contributions_and_the_average_sum_to_the_fused_log_odds(
    fused: tuple[Patients, Plan, Fusing],
) -> None:
    """Of every pattern: each row's log-odds minus its contributions is one and the same number."""
    patients, plan, result = fused
    rows = np.all([kind.there(patients.matrix) for kind in plan.kinds], axis=0)
    matrix = patients.matrix[rows]
    for pattern in fusion.subsets(("clinical", "slide")):
        line = result.final.log_odds(matrix, "death", 10, pattern)
        rest = line - result.final.contributions(matrix, "death", pattern).sum(axis=1)
        assert rest.max() - rest.min() < 5e-5


def test_horizons_apart_are_each_calibrated() -> None:
    """Hazards whose effect fades need a steeper line for the shorter horizon."""
    g = np.random.default_rng(3)
    risk = g.normal(size=4000)
    early, late = g.exponential(100 * np.exp(-1.5 * risk)), 60 + g.exponential(90, 4000)
    months = np.where(early < 60, early, late)
    ended = np.ones(4000, dtype=np.bool_)
    seen = Happened.of(months, ended, ended, (5, 10))
    there = np.ones(4000, dtype=np.bool_)
    intercepts, slopes = seen.lines(risk, there, True)
    _, common = seen.lines(risk, there, False)
    assert common[0] == common[1]
    assert slopes[0] > common[0] > slopes[1]
    assert intercepts[0] < intercepts[1]
