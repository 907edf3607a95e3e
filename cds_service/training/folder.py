"""What a recipe leaves in a model's folder: weights in XGBoost's own format and the manifest with their digest."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import xgboost
from numpy.typing import NDArray

from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.risk import manifest as manifests
from cds_service.risk.calibration import Calibration
from cds_service.risk.likeness import Likeness
from cds_service.risk.manifest import Calibrated, Input, Learnt, Manifest, Own, Population, Speaks, Table
from cds_service.training import likeness
from cds_service.training.study import Fitted

__all__ = [
    "Calibrated",
    "Input",
    "Learnt",
    "Manifest",
    "Population",
    "Speaks",
    "Table",
    "calibrated",
    "expected_margin",
    "versions",
    "write",
]

WEIGHTS = "weights.ubj"
_LIBRARIES = ("numpy", "optuna", "pandas", "scikit-learn", "xgboost-cpu", "xgboost")


def versions() -> dict[str, str]:
    """Python and the libraries that a fit depends on, by name."""
    installed = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def calibrated(calibration: Calibration, rows: str) -> Calibrated:
    """A calibration as the manifest holds it. rows: in words, what it was fitted on."""
    intercepts = {str(h): calibration.intercepts[h] for h in calibration.horizons}
    return Calibrated(calibration.slope, intercepts, rows, {str(h): b for h, b in calibration.slopes.items()})


def expected_margin(booster: xgboost.Booster, matrix: NDArray[np.float32]) -> float:
    """The average of the margin over the training population, as exact SHAP weighs it."""
    return float(booster.predict(xgboost.DMatrix(matrix[:1], nthread=1), pred_contribs=True)[0, -1])


def write(
    folder: Path,
    manifest: Manifest,
    booster: xgboost.Booster,
    narrower: Mapping[str, Fitted] | None = None,
    like: Likeness | None = None,
) -> Manifest:
    """The weights, `likeness.json` if there is any, and the manifest, completed with their SHA-256.

    narrower: outcomes with a margin of their own, which the first of the manifest's calibration includes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = {
        outcome: _own(folder, f"{outcome.replace('_', '-')}.ubj", outcome, fitted)
        for outcome, fitted in (narrower or {}).items()
    }
    digest = _weights(folder, WEIGHTS, booster)
    found = None if like is None else likeness.write(folder, like)
    complete = msgspec.structs.replace(manifest, weights=WEIGHTS, sha256=digest, narrower=own, likeness=found)
    manifests.write(complete, folder / "manifest.json")
    return complete


def _own(folder: Path, name: str, outcome: str, fitted: Fitted) -> Own:
    calibration = fitted.calibration
    digest = _weights(folder, name, fitted.booster)
    expected = LeafTables.read((folder / name).read_bytes())
    if expected is None:
        raise ValueError(f"the trees of {outcome} are too many or too deep to be explained from tables")
    return Own(name, digest, calibration.slope, calibration.intercepts[outcome], expected.expected)


def _weights(folder: Path, name: str, booster: xgboost.Booster) -> str:
    """Writes the weights; their SHA-256. Raises ValueError if our tables and XGBoost differ on them."""
    content = bytes(booster.save_raw("ubj"))
    tables = LeafTables.read(content)
    if tables is not None and (apart := tables.difference(booster)) > AGREEMENT:
        raise ValueError(f"Curbside and XGBoost compute values {apart:.2g} apart from these weights")
    (folder / name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()
