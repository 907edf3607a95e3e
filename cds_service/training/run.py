"""Runs a trained model's recipe: what `models/<id>/train.py` declares as `recipe`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cds_service.errors import BadRequest, PluginError
from cds_service.registry import shipped
from cds_service.risk.fused import FusedModel
from cds_service.risk.manifest import Learnt
from cds_service.risk.trained import TrainedModel
from cds_service.training import local, local_fused
from cds_service.training.local import Local, Method


def train(model_id: str, data: Path, out: Path | None = None, trials: int | None = None) -> Path:
    """The folder that now holds new weights, manifest and card; by default the model's own.

    trials: sets of parameters to try; by default as many as `as_shipped` tells.
    Raises PluginError if there is no recipe, and BadRequest or FeatureMismatch for a table that is not its own, or
    holds other rows than those of the weights that would be overwritten.
    """
    target = out or shipped("models") / model_id
    if out is None:
        _check_rows(model_id, data)
    try:
        recipe(model_id).train(data, target, trials or as_shipped(model_id))
    except np.linalg.LinAlgError:
        raise BadRequest(
            f"{data.name}: holds too few rows with the outcome, or without it, to train {model_id} on; give the whole "
            "table of its source"
        ) from None
    return target


def _check_rows(model_id: str, data: Path) -> None:
    """Raises BadRequest if a table has other rows than those from which the weights in the model's folder came."""
    manifest = shipped("models") / model_id / "manifest.json"
    found = recipe(model_id)
    if not manifest.is_file():
        return
    stated = msgspec.json.decode(manifest.read_bytes())["inputs"]
    known = [msgspec.convert(one["training"], Learnt) for one in stated]
    if _learnt(found, data) != known:
        raise BadRequest(
            f"{data.name}: holds other rows than those that {model_id} was trained on, and its weights would be "
            "overwritten under the same version; name a folder with --out"
        )


def _learnt(found: Any, data: Path) -> list[Learnt]:
    """How each input is spread in a table, which tells one set of rows from another."""
    return [one.training for one in found.table.read(data).inputs]


def _check_unseen(model: TrainedModel | FusedModel, data: Path) -> None:
    """Raises BadRequest if a table holds the rows that a model was trained on."""
    if _learnt(recipe(model.id), data) == [one.training for one in model.manifest.inputs]:
        raise BadRequest(
            f"{data.name}: holds the rows that {model.id} was trained on; a calibration on them would make it surer of "
            "itself than it is. Give rows that it has not seen"
        )


def as_shipped(model_id: str) -> int:
    """How many sets of parameters the model's weights were chosen from: with these the same table gives the same bytes.

    1, which tunes nothing, where there are no weights yet.
    """
    manifest = shipped("models") / model_id / "manifest.json"
    if not manifest.is_file():
        return 1
    return max(1, int(msgspec.json.decode(manifest.read_bytes())["training"]["trials"]))


def evaluate(model: TrainedModel | FusedModel, data: Path) -> str:
    """A report in Markdown of how a model does on a table with outcomes, in the source data's own columns.

    An imported model has no recipe: its table has a column for each feature, and one of 1 and 0 named as the outcome.
    Raises as `train` does.
    """
    if isinstance(model, FusedModel) and not _recipe_file(model.id).is_file():
        return local_fused.evaluation(model, local_fused.of_table(model, data), data.name)
    return str(recipe(model.id).evaluate(data, model))


def recalibrate(model: TrainedModel | FusedModel, data: Path, method: Method, out: Path) -> Path:
    """The folder of a new version of a model, calibrated on a table with outcomes. Raises as `train` does, and
    BadRequest for the rows that it was trained on."""
    known = _recipe_file(model.id).is_file()
    if known:
        _check_unseen(model, data)
    if isinstance(model, FusedModel):
        seen = recipe(model.id).observed(data, model) if known else local_fused.of_table(model, data)
        return local_fused.write(model, data, seen, method, out)
    observed: Local = recipe(model.id).observed(data)
    return local.write(model, data, observed, method, out)


def recipe(model_id: str) -> Any:
    """A model's recipe: a `Declared` or `FusedRecipe`. Raises PluginError if there is none."""
    file = _recipe_file(model_id)
    if not file.is_file():
        known = sorted(p.parent.name for p in shipped("models").glob("*/train.py"))
        raise PluginError(f"{model_id} has no recipe; models that can be trained: {', '.join(known) or 'none'}")
    spec = importlib.util.spec_from_file_location(f"curbside_recipe_{model_id.replace('-', '_')}", file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.recipe


def _recipe_file(model_id: str) -> Path:
    return shipped("models") / model_id / "train.py"
