"""What a recipe of a fused model leaves in the model's folder: weights of each part, and the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import xgboost

from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.risk import fusion, modality
from cds_service.risk.calibration import expit
from cds_service.risk.fusion import Fusion, Modality, Similar
from cds_service.risk.likeness import Likeness
from cds_service.training import censoring, likeness
from cds_service.training.fused_model import Fused, Part
from cds_service.training.linear import Floats, Line
from cds_service.training.modalities import Patients

__all__ = ["Fusion", "Modality", "similar", "write"]


def write(folder: Path, manifest: Fusion, fused: Fused, like: Likeness | None = None) -> Fusion:
    """The weights, `likeness.json` if there is any, and the manifest, completed with parts, patterns and digests.

    Of a modality of the kind `additive`, only the columns that count are written; the manifest has these as inputs.
    """
    sparse = {m.id for m in manifest.modalities if m.kind == "additive"}
    folder.mkdir(parents=True, exist_ok=True)
    parts = tuple(_part(folder, outcome, kind, part, sparse) for (outcome, kind), part in fused.parts.items())
    patterns = tuple(
        fusion.Pattern(outcome, pattern, dict(c.weights), _by_text(c.intercepts), c.people, _by_text(c.slopes))
        for (outcome, pattern), c in fused.combiners.items()
    )
    found = None if like is None else likeness.write(folder, like)
    complete = msgspec.structs.replace(manifest, parts=parts, patterns=patterns, likeness=found)
    fusion.write(complete, folder / "manifest.json")
    return complete


def _by_text(by_horizon: Mapping[int, float]) -> dict[str, float]:
    return {str(horizon): number for horizon, number in by_horizon.items()}


def _part(folder: Path, outcome: str, kind: str, part: Part, sparse: Collection[str]) -> fusion.Part:
    if isinstance(part.model, Line):
        trained = part.model
        kept = np.flatnonzero(trained.weight) if kind in sparse else np.arange(len(trained.weight))
        mean, scale, weight = (tuple(c[kept].tolist()) for c in (trained.mean, trained.scale, trained.weight))
        line: modality.Additive | modality.Line = modality.Line(mean, scale, weight)
        if kind in sparse:
            line = modality.Additive(mean, scale, weight, trained.logarithm)
        name, content, expected = f"{outcome}-{kind}.json", msgspec.json.encode(line), 0.0
    else:
        name, content = f"{outcome}-{kind}.ubj", bytes(part.model.save_raw("ubj"))
        expected = _checked(content, part.model).expected
    (folder / name).write_bytes(content)
    return fusion.Part(kind, outcome, name, hashlib.sha256(content).hexdigest(), part.intercept, part.slope, expected)


def _checked(content: bytes, booster: xgboost.Booster) -> LeafTables:
    tables = LeafTables.read(content)
    if tables is None:
        raise ValueError("Curbside cannot read these trees")
    if (apart := tables.difference(booster)) > AGREEMENT:
        raise ValueError(f"Curbside and XGBoost compute values {apart:.2g} apart from these weights")
    return tables


def similar(
    patients: Patients, log_odds: Mapping[tuple[str, int], Floats], rows: Sequence[bool] | None = None, bins: int = 8
) -> tuple[Similar, ...]:
    """What came of patients in groups of equal size by their out-of-fold risk, for each outcome and horizon.

    Beyond the lowest and the highest of these risks there is nobody to tell of.
    """
    keep = np.ones(len(patients), dtype=np.bool_) if rows is None else np.asarray(rows, dtype=np.bool_)
    found = []
    for (outcome, horizon), line in log_odds.items():
        risk = expit(line[keep])
        weight = censoring.weights(patients.months[keep], patients.ended[keep], 12 * horizon)
        happened = patients.came[outcome][keep] & (patients.months[keep] <= 12 * horizon)
        groups = np.array_split(np.argsort(risk, kind="stable"), bins)
        inner = [risk[group[0]] for group in groups[1:]]
        edges = [float(f"{edge:.3f}") for edge in (risk.min(), *inner, risk.max())]
        for group, low, high in zip(groups, edges, edges[1:], strict=False):
            observed = float(np.sum(weight[group] * happened[group]) / np.sum(weight[group]))
            found.append(Similar(outcome, horizon, low, high, len(group), float(f"{observed:.3f}")))
    return tuple(found)
