"""Trained models of other libraries, opened by their own library: the oracle of a conversion, or the model itself.

skops files are read only if every type in them is one that skops trusts or one of `TRUSTED`; nothing is unpickled.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cds_service.errors import PluginError
from cds_service.training import boosters, onnx_file
from cds_service.training.original import Counts, Floats, Opened, log_odds

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


def opened(path: Path) -> Opened:
    """The model in a file. Raises PluginError with one sentence that says what to mend."""
    readers = {".json": boosters.opened, ".ubj": boosters.opened, ".skops": _skops, ".onnx": onnx_file.opened}
    if path.suffix in {".pkl", ".pickle", ".joblib"}:
        raise PluginError(f"{path.name}: a pickle runs code when it is read; save it with skops, ONNX or XGBoost")
    if path.suffix not in readers:
        raise PluginError(f"{path.name}: is none of {', '.join(readers)}; save the model in one of these formats")
    if not path.is_file():
        raise PluginError(f"{path}: there is no such file; mend `file` in the declaration")
    return readers[path.suffix](path)


def _skops(path: Path) -> Opened:
    import skops.io
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    try:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        model: Any = None if unknown else skops.io.load(path, trusted=list(TRUSTED))
    except Exception as error:  # noqa: BLE001 - a foreign file may fail in any way
        raise PluginError(
            f"{path.name}: is not a skops file ({type(error).__name__}); save it with skops.io.dump"
        ) from None
    if unknown:
        raise PluginError(
            f"{path.name}: holds types that are not trusted ({', '.join(unknown[:3])}); {_instead(unknown)}"
        )
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    kinds = tuple(type(step).__name__ for step in steps)
    if (classes := getattr(model, "classes_", None)) is None or [str(c) for c in classes] not in _BINARY:
        raise PluginError(
            f"{path.name}: is a {' + '.join(kinds)} that does not tell 0 from 1; train a classifier on an outcome "
            "of 0 and 1, so that nobody need guess which of them is the outcome"
        )
    parts = _parts(model)
    if any(isinstance(part, ColumnTransformer) and _by_name(part) for part in parts):
        raise PluginError(
            f"{path.name}: its ColumnTransformer names columns, and Curbside gives a matrix; name them by position, or "
            "give it numbers and leave the ColumnTransformer out"
        )
    counts, margins = _scikit_learn(path, model, steps[-1])
    names = tuple(map(str, model.feature_names_in_)) if hasattr(model, "feature_names_in_") else None
    fills = next((type(part).__name__ for part in parts if _FILLS.search(type(part).__name__)), None)
    return Opened(model, kinds, counts, margins, names, int(model.n_features_in_), fills)


def _instead(unknown: Sequence[str]) -> str:
    """What to do in place of a file with types that are not trusted."""
    if any(name.startswith("xgboost.") for name in unknown):
        return "it is not read; save XGBoost with save_model() as .json or .ubj"
    if any("check_array" in name for name in unknown):
        return "it is not read; train it without categorical columns: a column of 0 and 1 for each category"
    return "it is not read; save a classifier of scikit-learn's own parts alone, or export it as ONNX"


def _parts(model: Any) -> list[Any]:
    """A fitted model and all that it is put together from."""
    return [model, *model.get_params(deep=True).values()]


def _by_name(transformer: Any) -> bool:
    columns = [columns for _, _, columns in transformer.transformers]
    return any(isinstance(one, str) for asked in columns for one in ([asked] if isinstance(asked, str) else asked))


_BINARY = (["0", "1"], ["False", "True"], ["0.0", "1.0"])
_VOTING = {"DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}
_ON_LOG_ODDS = {"LogisticRegression", "GradientBoostingClassifier", "HistGradientBoostingClassifier"}


_FILLS = re.compile("Imputer|FunctionTransformer")  # what puts numbers into gaps, or may


def _scikit_learn(path: Path, model: Any, last: Any) -> tuple[Counts, Callable[[Floats], Floats]]:
    by_decision = type(last).__name__ in _ON_LOG_ODDS and getattr(last, "loss", "log_loss") == "log_loss"
    if by_decision or not hasattr(model, "predict_proba"):
        if not hasattr(model, "decision_function"):
            raise PluginError(f"{path.name}: has neither predict_proba nor decision_function; save a classifier")
        return "log-odds" if by_decision else "decision", _quiet(model.decision_function)
    if type(last).__name__ in _VOTING:
        return "vote", _quiet(lambda rows: model.predict_proba(rows)[:, 1])
    return "log-odds", _quiet(lambda rows: log_odds(model.predict_proba(rows)[:, 1]))


def _quiet(compute: Callable[[Floats], Any]) -> Callable[[Floats], Floats]:
    def margins(rows: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # columns without names: their order was compared at import
            return np.asarray(compute(rows), dtype=np.float64)

    return margins
