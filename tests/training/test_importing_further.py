"""Imported trees of scikit-learn and ONNX are explained exactly; other kinds run apart, labelled, or are refused."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("skops", reason="needs the train extra")

import skops.io
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from cds_service import app, registry
from cds_service.cli import run
from cds_service.errors import PluginError, SettingsError
from cds_service.explain import tree, wording
from cds_service.features.extract import extract
from cds_service.needs import with_inputs
from cds_service.risk.absolute import reference_risk
from cds_service.risk.apart import ApartError, Process
from cds_service.risk.fused import FusedModel
from cds_service.risk.modality import Apart
from cds_service.risk.model import NotEstimated
from cds_service.settings import Models, Plugins, Settings
from cds_service.training import importing
from tests.features import built
from tests.training.test_importing import IDS, PATIENT, change, declaration, rows, write_samples

VOTES = (DecisionTreeClassifier(max_depth=4), RandomForestClassifier(12, max_depth=9), ExtraTreesClassifier(8))
BOOSTED = (GradientBoostingClassifier(n_estimators=20), HistGradientBoostingClassifier(max_iter=15))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The declaration and sample rows, some with gaps."""
    x, _ = rows()
    (tmp_path / "declaration.toml").write_text(declaration())
    lines = [",".join(IDS), *(",".join(f"{v:.9g}" for v in row) for row in x[:120])]
    (tmp_path / "samples.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def save(folder: Path, model: Any, kind: str = "skops", *, gaps: bool = False) -> Any:
    x, y = rows()
    x = x.astype(np.float64)
    if gaps:
        x[::3, 2], x[1::4, 3] = np.nan, np.nan
    fitted = model.set_params(random_state=0).fit(x, y) if "random_state" in model.get_params() else model.fit(x, y)
    if kind == "skops":
        skops.io.dump(fitted, folder / "model.skops")
    else:
        skl2onnx = pytest.importorskip("skl2onnx")
        types = [("x", skl2onnx.common.data_types.FloatTensorType([None, 4]))]
        (folder / "model.onnx").write_bytes(skl2onnx.convert_sklearn(fitted, initial_types=types).SerializeToString())
    change(folder, "model.json", f"model.{kind}")
    if gaps:
        write_samples(folder, x[:120])
    else:
        change(folder, "minimum = 3", "minimum = 4")
    return fitted


def votes(folder: Path) -> None:
    change(folder, "intercept = 0.0\nslope = 1.0", 'of = "vote"\nintercept = -3.0\nslope = 6.0')


def bring_in(folder: Path, *, unexplained: bool = False) -> FusedModel:
    out = folder / "models" / "hospital-death"
    importing.bring_in(folder / "declaration.toml", folder / "samples.csv", out, unexplained=unexplained)
    found = registry.load(extra_models=[folder / "models"]).models["hospital-death"]
    assert isinstance(found, FusedModel)
    return found


def estimated(model: FusedModel) -> tuple[Any, np.ndarray]:
    values = extract(built.record(*PATIENT), with_inputs(model.features))
    (estimate,) = model.estimate(values)
    return estimate, np.array([[values.number(f) for f in model.inputs]], dtype=np.float64)


@pytest.mark.parametrize("model", VOTES, ids=lambda m: type(m).__name__)
def test_a_forest_that_averages_votes_is_explained_exactly_on_its_calibrated_votes(folder: Path, model: Any) -> None:
    """The average vote is the margin, and the declared calibration takes it to log-odds."""
    original = save(folder, model)
    votes(folder)
    estimate, row = estimated(bring_in(folder))
    expected = -3.0 + 6.0 * float(original.predict_proba(row)[0, 1])
    assert estimate.explanation.output == pytest.approx(expected, abs=1e-6)
    assert estimate.explanation.residual() < 1e-6
    assert len(estimate.explanation.contributions) == 4


@pytest.mark.parametrize("model", BOOSTED, ids=lambda m: type(m).__name__)
def test_boosted_trees_of_scikit_learn_keep_their_log_odds(folder: Path, model: Any) -> None:
    """To a millionth, with contributions that add up."""
    original = save(folder, model)
    estimate, row = estimated(bring_in(folder))
    assert estimate.explanation.output == pytest.approx(float(original.decision_function(row)[0]), abs=1e-6)
    assert estimate.explanation.residual() < 1e-6


def test_missing_inputs_go_the_way_that_the_original_sends_them(folder: Path) -> None:
    """Trees that were trained with gaps answer where one is."""
    original = save(folder, HistGradientBoostingClassifier(max_iter=15), gaps=True)
    change(folder, "minimum = 3", "minimum = 2")
    model = bring_in(folder)
    values = extract(built.record(PATIENT[0], PATIENT[2]), with_inputs(model.features))
    (estimate,) = model.estimate(values)
    row = np.array([[values.number(f) if values.usable(f) else np.nan for f in model.inputs]])
    assert np.isnan(row[0, 2])
    assert estimate.explanation.output == pytest.approx(float(original.decision_function(row)[0]), abs=1e-6)


@pytest.mark.parametrize("votes_", [True, False], ids=["forest", "boosted"])
def test_tree_ensembles_of_onnx_are_explained_exactly(folder: Path, votes_: bool) -> None:
    """The covers that the file lacks are counted from the sample rows; too few of them are refused."""
    save(folder, RandomForestClassifier(6, max_depth=5) if votes_ else VOTES[0], "onnx")
    votes(folder)
    estimate, _ = estimated(bring_in(folder))
    assert estimate.explanation.residual() < 1e-6
    text = (folder / "samples.csv").read_text()
    (folder / "samples.csv").write_text("\n".join(text.split("\n")[:50]) + "\n")
    with pytest.raises(PluginError, match="at least 100 sample rows"):
        bring_in(folder)


def test_votes_must_be_declared_as_votes(folder: Path) -> None:
    """An average vote is no log-odds, and nobody takes it for one."""
    save(folder, VOTES[0])
    with pytest.raises(PluginError, match=r'of = "vote"'):
        bring_in(folder)


def test_columns_in_another_order_are_told(folder: Path) -> None:
    """Where the file names its columns, they must be those declared."""
    pandas = pytest.importorskip("pandas")
    x, y = rows()
    named = pandas.DataFrame(x.astype(np.float64), columns=["age", "albumin", "creatinine", "procalcitonin"])
    skops.io.dump(GradientBoostingClassifier(n_estimators=3).fit(named, y), folder / "model.skops")
    change(folder, "model.json", "model.skops")
    with pytest.raises(PluginError, match="in the model's order"):
        bring_in(folder)


def test_other_kinds_are_refused_unless_the_site_allows_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At import and at the start, in a sentence that names the setting."""
    monkeypatch.setattr(Process, "check", lambda self: None)  # tried below; it takes seconds
    save(folder, KNeighborsClassifier(15))
    with pytest.raises(PluginError, match=r"KNeighborsClassifier.*models\.unexplained"):
        bring_in(folder)
    bring_in(folder, unexplained=True)
    plugins = Plugins(models=(folder / "models",))
    with pytest.raises(SettingsError, match="cannot be explained exactly"):
        app.load_registry(Settings(plugins=plugins))
    assert app.load_registry(Settings(plugins=plugins, models=Models(unexplained=True)))


def test_a_model_apart_answers_under_a_label_and_its_process_is_replaced_when_it_dies(folder: Path) -> None:
    """The estimate is the original's own; the label is on the estimate and in its words; kill -9 loses no answer."""
    original = save(folder, KNeighborsClassifier(15))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Process, "check", lambda self: None)
        model = bring_in(folder, unexplained=True)
    (scorer,) = model.scorers.values()
    assert isinstance(scorer, Apart)
    scorer.process._seconds = 60.0  # the machine of the tests may be busy
    try:
        estimate, row = estimated(model)
        assert estimate.value == pytest.approx(float(original.predict_proba(row)[0, 1]), abs=1e-6)
        assert estimate.explanation.contributions == ()
        assert tree.NO_EXPLANATION in estimate.notes
        assert wording.baseline(estimate.explanation) == tree.NO_EXPLANATION
        assert reference_risk(estimate) is None
        running = scorer.process._running
        assert running is not None
        os.kill(running.program.pid, signal.SIGKILL)
        running.program.wait(60)
        again, _ = estimated(model)
        assert again.value == estimate.value
        scorer.process._seconds = 0.0
        refusal = model.estimate(extract(built.record(*PATIENT), with_inputs(model.features)))
        assert isinstance(refusal, NotEstimated)
        assert "did not answer in time" in str(refusal.reason)
    finally:
        scorer.process.end()


def test_a_changed_file_is_not_read_by_the_process_apart(folder: Path) -> None:
    """Its digest is compared before anything of it is opened."""
    save(folder, SVC())
    process = Process(folder / "model.skops", "0" * 64, 60.0, time.monotonic)
    try:
        with pytest.raises(PluginError, match="does not start"):
            process.check()
        with pytest.raises(ApartError):
            process.margins(np.zeros((1, 4), dtype=np.float32), 0.1)
    finally:
        process.end()


def test_check_tells_that_source_attributes_are_missing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And import says so beforehand."""
    save(folder, VOTES[0])
    votes(folder)
    monkeypatch.chdir(folder)
    store = f'[store]\nurl = "sqlite:///{folder / "a.db"}"\n'
    (folder / "curbside.toml").write_text('[plugins]\nmodels = ["models"]\n' + store)
    given = ["declaration.toml", "--samples", "samples.csv", "--out", "models/hospital-death"]
    assert run(["models", "import", *given]) == 0
    assert "attributes" in capsys.readouterr().err
    assert run(["check", "--config", "curbside.toml", "--offline"]) == 1
    assert "hospital-death: its 31 source attributes are missing" in capsys.readouterr().err
