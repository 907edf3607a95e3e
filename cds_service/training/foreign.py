"""Trained models of other libraries, opened by their own library: the oracle of a conversion, or the model itself.

skops files are read only if every type in them is one that skops trusts or one of `TRUSTED`; nothing is unpickled.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
Counts = Literal["log-odds", "vote", "decision"]
LEAST = 1e-4  # a probability of 0 or 1 has no log-odds: it counts as this, or one minus this
TRUSTED = (  # parts of scikit-learn's own classifiers that skops does not trust by itself; they hold numbers
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A model in its own library.

    margins: of rows, on the scale that `counts` names: log-odds, the average vote of trees (0 to 1), or another
    library's own decision value. names: of its columns, where the file has them. kinds: what it consists of.
    """

    model: Any
    kinds: tuple[str, ...]
    counts: Counts
    margins: Callable[[Matrix], Floats]
    names: tuple[str, ...] | None
    width: int | None


def opened(path: Path) -> Opened:
    """The model in a file. Raises PluginError with one sentence that says what to mend."""
    readers = {".json": _xgboost, ".ubj": _xgboost, ".skops": _skops, ".onnx": _onnx}
    if path.suffix in {".pkl", ".pickle", ".joblib"}:
        raise PluginError(f"{path.name}: a pickle runs code when it is read; save it with skops, ONNX or XGBoost")
    if path.suffix not in readers:
        raise PluginError(f"{path.name}: is none of {', '.join(readers)}; save the model in one of these formats")
    if not path.is_file():
        raise PluginError(f"{path}: there is no such file; mend `file` in the declaration")
    return readers[path.suffix](path)


def _xgboost(path: Path) -> Opened:
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(path.read_bytes()))
    except xgboost.core.XGBoostError as error:
        raise PluginError(f"{path.name}: XGBoost cannot read it; save it with save_model()") from error
    learner = booster.save_config().split('"objective":', 1)[-1]
    if '"binary:logistic"' not in learner:
        raise PluginError(f"{path.name}: its objective is not binary:logistic; Curbside shows risks of one outcome")

    def margins(rows: Matrix) -> Floats:
        matrix = xgboost.DMatrix(rows, nthread=1)
        return np.asarray(booster.predict(matrix, output_margin=True, validate_features=False), dtype=np.float64)

    names = tuple(booster.feature_names) if booster.feature_names else None
    return Opened(booster, ("XGBoost",), "log-odds", margins, names, booster.num_features())


def _skops(path: Path) -> Opened:
    import skops.io
    from sklearn.pipeline import Pipeline

    try:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        model: Any = None if unknown else skops.io.load(path, trusted=list(TRUSTED))
    except Exception as error:  # noqa: BLE001 - a foreign file may fail in any way
        raise PluginError(
            f"{path.name}: is not a skops file ({type(error).__name__}); save it with skops.io.dump"
        ) from None
    if unknown:
        raise PluginError(f"{path.name}: holds types that are not trusted ({', '.join(unknown[:3])}); it is not read")
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    kinds = tuple(type(step).__name__ for step in steps)
    if (classes := getattr(model, "classes_", None)) is None or [str(c) for c in classes] not in _BINARY:
        raise PluginError(
            f"{path.name}: is a {' + '.join(kinds)} that does not tell 0 from 1; train a classifier on an outcome "
            "of 0 and 1, so that nobody need guess which of them is the outcome"
        )
    counts, margins = _scikit_learn(path, model, kinds[-1])
    names = tuple(map(str, model.feature_names_in_)) if hasattr(model, "feature_names_in_") else None
    return Opened(model, kinds, counts, margins, names, int(model.n_features_in_))


_BINARY = (["0", "1"], ["False", "True"], ["0.0", "1.0"])
_VOTING = {"DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}
_ON_LOG_ODDS = {"LogisticRegression", "GradientBoostingClassifier", "HistGradientBoostingClassifier"}


def _scikit_learn(path: Path, model: Any, last: str) -> tuple[Counts, Callable[[Matrix], Floats]]:
    by_decision = last in _ON_LOG_ODDS and getattr(model, "loss", "log_loss") == "log_loss"
    if by_decision or not hasattr(model, "predict_proba"):
        if not hasattr(model, "decision_function"):
            raise PluginError(f"{path.name}: has neither predict_proba nor decision_function; save a classifier")
        return "log-odds" if by_decision else "decision", _quiet(model.decision_function)
    if last in _VOTING:
        return "vote", _quiet(lambda rows: model.predict_proba(rows)[:, 1])
    return "log-odds", _quiet(lambda rows: _log_odds(model.predict_proba(rows)[:, 1]))


def _quiet(compute: Callable[[Floats], Any]) -> Callable[[Matrix], Floats]:
    def margins(rows: Matrix) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # columns without names: their order was compared at import
            return np.asarray(compute(rows.astype(np.float64)), dtype=np.float64)

    return margins


def _onnx(path: Path) -> Opened:
    import onnx
    import onnxruntime

    try:
        graph = onnx.load(path, load_external_data=False).graph
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - a foreign file may fail in any way
        raise PluginError(f"{path.name}: is not an ONNX file ({type(error).__name__})") from None
    if len(session.get_inputs()) != 1:
        raise PluginError(f"{path.name}: takes {len(session.get_inputs())} inputs; export it with one matrix as input")

    def margins(rows: Matrix) -> Floats:
        return _log_odds(probabilities(session, rows))

    shape = session.get_inputs()[0].shape
    width = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None
    return Opened((graph, session), tuple(node.op_type for node in graph.node), "log-odds", margins, None, width)


def probabilities(session: Any, rows: Matrix) -> Floats:
    """What an ONNX classifier says of rows. Raises ValueError if it is no probability."""
    answer: Any = session.run(None, {session.get_inputs()[0].name: rows})[-1]
    if isinstance(answer, list):  # a map of classes for each row
        found = np.array([row[1] for row in answer], dtype=np.float64)
    else:
        found = np.asarray(answer, dtype=np.float64).reshape(len(rows), -1)[:, -1]
    if not np.all((found >= -1e-6) & (found <= 1 + 1e-6)):
        raise ValueError("the last output is no probability of 0 to 1")
    return found


def _log_odds(probability: Any) -> Floats:
    bounded = np.clip(np.asarray(probability, dtype=np.float64), LEAST, 1 - LEAST)
    return np.asarray(np.log(bounded / (1 - bounded)), dtype=np.float64)


def as_listed(names: Sequence[str]) -> str:
    """The first few of a file's own column names, for a sentence."""
    return ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")
