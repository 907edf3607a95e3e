"""A model calibrated on a hospital's own outcomes is a new version beside the old one."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

import answers

from cds_service import registry
from cds_service.errors import BadRequest
from cds_service.risk.calibration import expit
from cds_service.risk.manifest import Learnt
from cds_service.risk.trained import TrainedModel
from cds_service.training import local
from cds_service.training.local import Local

N = 1500


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    found = answers.loaded().models["mortality"]
    assert isinstance(found, TrainedModel)
    return found


def site(model: TrainedModel, shift: float, slope: float = 1.0) -> Local:
    """Patients whose true log-odds are moved from those of the model."""
    g = np.random.default_rng(5)
    inputs = model.manifest.inputs
    matrix = np.array([[g.uniform(i.training.p01, i.training.p99) for i in inputs] for _ in range(N)], dtype=np.float32)
    came = {}
    rank = g.random(N)
    for target, log_odds in model.rows.log_odds(matrix).items():
        came[target] = np.ones(N, dtype=bool), (rank < expit(shift + slope * log_odds)).astype(float)
    return Local(matrix, came, np.ones(N, dtype=bool))


@pytest.mark.parametrize("method", ["intercept", "slope-and-intercept"])
def test_a_shift_of_all_risks_is_found(model: TrainedModel, method: local.Method) -> None:
    """Calibration in the large becomes nought, and the slope stays where it was."""
    here = site(model, 0.7)
    fresh = local.recalibrated(model, here, method)
    moved = fresh.calibration.intercepts["10"] - model.manifest.calibration.intercepts["10"]
    assert moved == pytest.approx(0.7, abs=0.2)
    assert fresh.calibration.slope == pytest.approx(model.calibration.slope, rel=0.1)
    if method == "intercept":
        assert fresh.calibration.slope == model.calibration.slope
        assert fresh.calibration.slopes == model.manifest.calibration.slopes


def test_estimates_that_are_too_extreme_are_drawn_in(model: TrainedModel) -> None:
    """A slope of one half is found; slopes of the horizons keep their ratio, and their lines do not cross."""
    fresh = local.recalibrated(model, site(model, 0.0, slope=0.5), "slope-and-intercept")
    assert fresh.calibration.slope == pytest.approx(0.5 * model.calibration.slope, rel=0.15)
    assert fresh.calibration.slopes == pytest.approx({"5": 0.5 * model.calibration.slope_of(5)}, rel=0.15)


def test_the_new_version_lies_beside_the_old_and_replaces_it_where_it_is_loaded(
    model: TrainedModel, tmp_path: Path
) -> None:
    """Same weights, another version and digest-bound name; both can be loaded; the report has before and after."""
    data = tmp_path / "rows.csv"
    data.write_text("x")
    folder = local.write(model, data, site(model, 0.7), "intercept", tmp_path / "site")
    assert "| within 10 years, recalibrated |" in (folder / "recalibration.md").read_text()
    loaded = registry.load(extra_models=[tmp_path / "site"]).models["mortality"]
    assert loaded.version.startswith(f"{model.version}+local.")
    assert registry.load().models["mortality"].version == model.version
    assert (folder / "weights.ubj").read_bytes() == (model.folder / "weights.ubj").read_bytes()
    assert isinstance(loaded, TrainedModel)
    assert model.like is not None
    assert set(model.like.similar) == {"5", "10"}
    assert loaded.like == msgspec.structs.replace(model.like, similar={})
    with pytest.raises(BadRequest, match="exists already"):
        local.write(model, data, site(model, 0.7), "intercept", tmp_path / "site")


def test_a_version_calibrated_here_can_be_calibrated_again_and_takes_its_place(
    model: TrainedModel, tmp_path: Path
) -> None:
    """Named in place of the folder before it, or after it; the method is part of the version's name."""
    data = tmp_path / "rows.csv"
    data.write_text("x")
    sites = [tmp_path / "first", tmp_path / "again"]
    local.write(model, data, site(model, 0.7), "slope-and-intercept", sites[0])
    first = registry.load(extra_models=sites[:1]).models["mortality"]
    assert isinstance(first, TrainedModel)
    local.write(first, data, site(model, 0.9), "intercept", sites[1])
    again = {registry.load(extra_models=found).models["mortality"].version for found in (sites, sites[1:])}
    assert len(again) == 1
    assert again != {first.version}
    assert again.pop().startswith(f"{model.version}+local.")
    names = {local.named(model, data, method)["version"] for method in ("intercept", "slope-and-intercept")}
    assert len(names) == 2
    assert first.version in names


def test_too_few_outcomes_calibrate_nothing(model: TrainedModel) -> None:
    """A sentence says how many there are and how many are needed."""
    here = site(model, 0.0)
    none = {target: (known, np.zeros(N)) for target, (known, _) in here.came.items()}
    with pytest.raises(BadRequest, match="at least 20"):
        local.recalibrated(model, Local(here.matrix, none, here.spoken), "intercept")


@pytest.fixture
def nearer(model: TrainedModel) -> Local:
    """Five years more common and ten years rarer than the model says: shifted so, its two lines would cross."""
    here = site(model, 0.0)
    return Local(here.matrix, {5: site(model, 0.2).came[5], 10: site(model, -0.4).came[10]}, here.spoken)


def test_horizons_whose_lines_would_cross_share_one_slope_and_the_report_says_so(
    model: TrainedModel, nearer: Local
) -> None:
    """Nobody's ten-year risk falls below the five-year risk, and the new version can be loaded."""
    fresh = local.recalibrated(model, nearer, "slope-and-intercept")
    assert model.with_manifest(fresh).calibration.slopes == {}
    told = local.report(model, fresh, nearer, "slope-and-intercept")
    assert "all horizons share one slope" in told
    assert "no better" not in told


def test_a_calibration_that_does_no_better_than_the_old_one_is_told_so(model: TrainedModel) -> None:
    """From few outcomes it is mostly chance, and who reads only the last column would not see it."""
    n, here = 150, site(model, 0.0)
    few = Local(here.matrix[:n], {h: (k[:n], c[:n]) for h, (k, c) in here.came.items()}, here.spoken[:n])
    told = local.report(model, local.recalibrated(model, few, "slope-and-intercept"), few, "slope-and-intercept")
    assert "no better than the old one (by the log loss): within 5 years" in told
    assert "`--method intercept`" in told
    assert "--method" not in local.no_better(["within 5 years"], "intercept")


def test_shifts_that_would_make_lines_cross_are_refused_with_what_to_do(model: TrainedModel, nearer: Local) -> None:
    """A shift alone cannot be right for everyone here."""
    with pytest.raises(BadRequest, match=r"10 years would fall below that of 5 years.* --method slope-and-intercept"):
        local.recalibrated(model, nearer, "intercept")


def test_a_report_on_a_version_calibrated_here_warns_of_the_rows_it_was_calibrated_on(model: TrainedModel) -> None:
    """They flatter it as training rows do."""
    other = [msgspec.structs.replace(one, label="other") for one in model.manifest.inputs]
    moved = [msgspec.structs.replace(one, training=Learnt(1, 0, 0, 0, 0, 0)) for one in other]
    assert "was trained on" in local.caution(moved, model.manifest.inputs, None)
    assert "calibrated on the site's own rows" in local.caution(moved, model.manifest.inputs, model.version)
    assert "**These are the rows" in local.caution(other, model.manifest.inputs, model.version)


def test_a_patients_rows_stay_together_in_the_cross_fit() -> None:
    """Else somebody is judged by a calibration that was fitted on him; the report says which it was."""
    patients = np.repeat(np.arange(40), 5)[np.random.default_rng(1).permutation(200)]
    fold = local.folds(200, patients)
    assert all(len(set(fold[patients == one])) == 1 for one in range(40))
    assert [int(np.sum(fold == number)) for number in range(5)] == [40] * 5
    alone = local.folds(200, None)
    assert any(len(set(alone[patients == one])) > 1 for one in range(40))
    assert "keeps the rows of a patient together" in local.cross_fit(patients)
    assert "together" not in local.cross_fit(None)


def test_just_enough_outcomes_calibrate_and_a_refusal_leaves_no_folder(model: TrainedModel, tmp_path: Path) -> None:
    """Four fifths of twenty are fewer than are asked for, which the cross-fit does not mind."""
    data = tmp_path / "rows.csv"
    data.write_text("x")
    here, n = site(model, 0.0), 500

    def with_(events: int, *, one: bool = False) -> Local:
        """As many within five years, all of one patient or each another; within ten years everyone who had it."""
        later = here.came[10][1][:n]
        soon = np.where(np.cumsum(later) <= events, later, 0.0)
        known = np.ones(n, dtype=bool)
        who = np.where(soon > 0, n if one else np.arange(n), np.arange(n))
        return Local(here.matrix[:n], {5: (known, soon), 10: (known, later)}, here.spoken[:n], who)

    with pytest.raises(BadRequest, match="within 5 years: 19 of 500 patients had it; at least 20"):
        local.write(model, data, with_(19), "intercept", tmp_path / "site")
    with pytest.raises(BadRequest, match=r"within 5 years: .* too few patients to judge the new calibration"):
        local.write(model, data, with_(40, one=True), "intercept", tmp_path / "site")
    assert not (tmp_path / "site").exists()
    assert (local.write(model, data, with_(20), "intercept", tmp_path / "site") / "manifest.json").is_file()
