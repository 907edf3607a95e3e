"""A hospital's model without code: the documented example, every format, and each refusal in words."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skops", reason="needs the train extra")

import xgboost

from cds_service import registry
from cds_service.cli import run
from cds_service.errors import BadRequest, PluginError
from cds_service.features.extract import extract
from cds_service.needs import with_inputs
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import NotEstimated
from cds_service.training import importing
from tests.features import built

ROOT = Path(__file__).parent.parent.parent
IDS = ("age", "creatinine", "albumin", "procalcitonin")


def declaration() -> str:
    """The TOML of the documentation."""
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "adding-a-model.md").read_text(), re.S)
    (found,) = [block for block in blocks if "[[features]]" in block]
    return str(found)


def rows(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(2)
    x = np.column_stack([g.uniform(18, 100, n), g.lognormal(0, 0.4, n), g.normal(3.8, 0.6, n), g.lognormal(0, 1, n)])
    x = np.clip(x, [18, 0.31, 1.41, 0], [104, 11, 5.19, 180])  # within what the declaration says was seen
    risk = (x[:, 0] - 65) / 15 + x[:, 1] - x[:, 2] + 3 + 0.2 * x[:, 3]
    return x.astype(np.float32), (g.random(n) < 1 / (1 + np.exp(-risk))).astype(int)


def with_gaps(table: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The same rows, some without albumin or procalcitonin."""
    x, y = table
    x = x.copy()
    x[::3, 2], x[1::4, 3] = np.nan, np.nan
    return x, y


def write_samples(folder: Path, x: np.ndarray) -> None:
    """The sample rows of a hospital, empty where nothing was measured."""
    lines = [",".join(IDS), *(",".join("" if np.isnan(v) else f"{v:.9g}" for v in row) for row in x)]
    (folder / "samples.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The declaration, sample rows and an XGBoost model, as a hospital has them."""
    x, y = with_gaps(rows())
    (tmp_path / "declaration.toml").write_text(declaration())
    write_samples(tmp_path, x[:20])
    trees = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "seed": 1}, xgboost.DMatrix(x, y, nthread=1), 15
    )
    trees.save_model(tmp_path / "model.json")
    return tmp_path


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "declaration.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def bring_in(folder: Path) -> FusedModel:
    importing.bring_in(folder / "declaration.toml", folder / "samples.csv", folder / "models" / "hospital-death")
    found = registry.load(extra_models=[folder / "models"]).models["hospital-death"]
    assert isinstance(found, FusedModel)
    return found


PATIENT = (
    built.lab("2160-0", 1.8, "mg/dL"),
    built.lab("1751-7", 2.9, "g/dL"),
    built.lab("33959-8", 4.0, "ug/L", "2026-05-30"),
)


def test_the_documented_example_runs_from_file_to_estimate(folder: Path) -> None:
    """Through the command; the estimate of a record is XGBoost's own, with contributions that add up."""
    out = folder / "models" / "hospital-death"
    given = [str(folder / "declaration.toml"), "--samples", str(folder / "samples.csv"), "--out", str(out)]
    assert run(["models", "import", *given]) == 0
    model = registry.load(extra_models=[folder / "models"]).models["hospital-death"]
    values = extract(built.record(*PATIENT), with_inputs(model.features))
    (estimate,) = model.estimate(values)
    original = xgboost.Booster({"nthread": 1}, model_file=folder / "model.json")
    row = np.array([[values.number(f) for f in model.features]], dtype=np.float32)
    assert estimate.value == pytest.approx(float(original.predict(xgboost.DMatrix(row, nthread=1))[0]), abs=1e-5)
    assert estimate.explanation.residual() <= 5e-5
    assert estimate.horizon_years is None
    assert model.trained
    assert "Internal use" in (out / "card.md").read_text()


@pytest.mark.parametrize("kind", ["skops", "onnx"])
def test_a_logistic_regression_becomes_a_sum(folder: Path, kind: str) -> None:
    """Behind a scaler, from scikit-learn and from ONNX; its own library agrees on the sample rows."""
    import skops.io
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = rows()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x.astype(np.float64), y)
    if kind == "skops":
        skops.io.dump(model, folder / "model.skops")
    else:
        skl2onnx = pytest.importorskip("skl2onnx")
        kinds = [("x", skl2onnx.common.data_types.FloatTensorType([None, 4]))]
        (folder / "model.onnx").write_bytes(skl2onnx.convert_sklearn(model, initial_types=kinds).SerializeToString())
    change(folder, "model.json", f"model.{kind}")
    change(folder, "minimum = 3", "minimum = 4")
    write_samples(folder, x[:20])
    imported = bring_in(folder)
    (estimate,) = imported.estimate(extract(built.record(*PATIENT), with_inputs(imported.features)))
    assert estimate.explanation.residual() <= 1e-9
    without = imported.estimate(extract(built.record(*PATIENT[:2]), with_inputs(imported.features)))
    assert isinstance(without, NotEstimated)


def test_a_model_that_cannot_be_explained_exactly_is_refused_by_name(folder: Path) -> None:
    """A forest of scikit-learn is no sum."""
    import skops.io
    from sklearn.neighbors import KNeighborsClassifier

    x, y = rows()
    skops.io.dump(KNeighborsClassifier().fit(x, y), folder / "model.skops")
    change(folder, "model.json", "model.skops")
    with pytest.raises(PluginError, match=r"KNeighbors|not trusted"):
        bring_in(folder)


FAULTS: dict[str, tuple[str, str, str]] = {
    "a pickle": ('file = "model.json"', 'file = "model.pkl"', "a pickle runs code"),
    "no such file": ('file = "model.json"', 'file = "nowhere.json"', "no such file"),
    "an unknown feature": ('id = "albumin"', 'id = "albumen"', "not in the catalogue"),
    "an unknown key": ("people = 12000", "peeple = 12000", "peeple"),
    "a slope the wrong way round": ("slope = 1.0", "slope = -1.0", "ranks the wrong way round"),
    "an empty section of the card": ('licence = "Internal use at Example Hospital only."', 'licence = ""', "licence"),
    "a required feature that is none": ('required = ["age", "creatinine"]', 'required = ["bmi"]', "bmi"),
    "a version that is none": ('version = "1.0.0"', 'version = "one"', "three numbers"),
    "an id with spaces": ('id = "hospital-death"', 'id = "Hospital death"', "small letters"),
    "an outcome with spaces": ('"hospital_death"', '"hospital death"', "underscores"),
    "nobody": ("people = 12000", "people = -3", "number of people"),
    "ages the wrong way round": ("age = [18, 110]", "age = [110, 18]", "lower one first"),
    "a range the wrong way round": ("seen = [18, 104]", "seen = [104, 18]", "in this order"),
    "a range in another unit": ("seen = [0.3, 11.0]", "seen = [27, 970]", r"mg/dL\); was the column in another unit"),
    "a unit that is none": ('unit = "ng/mL"', 'unit = "ng/mLL"', "UCUM"),
    "a code with a wrong digit": ('codes = ["33959-8"]', 'codes = ["33959-7"]', "check digit"),
    "a code of the hospital": ('codes = ["33959-8"]', 'codes = ["PCT"]', r"codes\.map"),
    "limits the wrong way round": ("plausible = [0.0, 1000.0]", "plausible = [1000.0, 0.0]", "plausible"),
    "no window": ("look_back_days = 7", "look_back_days = 0", "1 or more"),
    "a factor of nothing": ('{ "ug/L" = 1.0 }', '{ "ug/L" = 0.0 }', "above 0"),
    "a percentage as a threshold": ("at = 0.2", "at = 20", "0.2"),
    "two thresholds of one id": ('id = "high"', 'id = "low"', "of its own"),
    "an intercept that is no number": ("intercept = 0.0", "intercept = nan", "must be numbers"),
    "a text for a number": ("people = 12000", 'people = "many"', "people: Expected `int`"),
    "not TOML": ("people = 12000", "people = ", "is not TOML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_mistake_is_told_in_one_sentence_and_nothing_is_written(folder: Path, fault: str) -> None:
    """What was expected, what arrived, what to change."""
    old, new, words = FAULTS[fault]
    change(folder, old, new)
    with pytest.raises(PluginError, match=words):
        bring_in(folder)
    assert not (folder / "models").exists()


def test_sample_rows_must_have_the_features(folder: Path) -> None:
    """By column, and enough of them."""
    path = folder / "samples.csv"
    text = path.read_text()
    path.write_text(text.replace("albumin", "albumen", 1))
    with pytest.raises(BadRequest, match="albumin"):
        bring_in(folder)
    path.write_text("\n".join(text.split("\n")[:3]) + "\n")
    with pytest.raises(BadRequest, match="at least 5"):
        bring_in(folder)


def test_weights_that_were_changed_afterwards_stop_the_start(folder: Path) -> None:
    """The digest is checked whenever the service starts, and by `curbside check`."""
    bring_in(folder)
    path = folder / "models" / "hospital-death" / "weights.ubj"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(PluginError, match="SHA-256"):
        registry.load(extra_models=[folder / "models"])
