"""Several ensembles of trees as one: their sum in rounds, or their average. A plain ensemble, explained as any."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xgboost

# The base score of each objective that adds nothing to the margin.
NEUTRAL = {"binary:logistic": 0.5, "survival:cox": 1.0}


def joined(boosters: Sequence[xgboost.Booster]) -> xgboost.Booster:
    """One ensemble of the trees of several, in their order, with the base score of the first."""
    return _whole([json.loads(bytes(booster.save_raw("json"))) for booster in boosters])


def averaged(boosters: Sequence[xgboost.Booster]) -> xgboost.Booster:
    """One ensemble whose margin is the mean of those of several that start at the same base score."""
    parts = [json.loads(bytes(booster.save_raw("json"))) for booster in boosters]
    for part in parts:
        for tree in part["learner"]["gradient_booster"]["model"]["trees"]:
            leaves = zip(tree["split_conditions"], tree["left_children"], strict=True)
            tree["split_conditions"] = [at / len(parts) if left < 0 else at for at, left in leaves]
            tree["base_weights"] = [weight / len(parts) for weight in tree["base_weights"]]
    return _whole(parts)


def _whole(parts: Sequence[Any]) -> xgboost.Booster:
    models = [part["learner"]["gradient_booster"]["model"] for part in parts]
    trees = [tree for model in models for tree in model["trees"]]
    for number, tree in enumerate(trees):
        tree["id"] = number
    whole = models[0]
    steps = [np.diff(model["iteration_indptr"]) for model in models]
    ends = np.cumsum([0, *np.concatenate(steps)]).tolist()
    whole |= {"trees": trees, "tree_info": [0] * len(trees), "iteration_indptr": ends}
    whole["gbtree_model_param"]["num_trees"] = str(len(trees))
    one = xgboost.Booster({"nthread": 1})
    one.load_model(bytearray(json.dumps(parts[0]).encode()))
    return one
