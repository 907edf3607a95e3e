"""Tables of leaves: the same exact values as XGBoost's own TreeSHAP, or none at all."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from cds_service.explain import kept_tables, tree
from cds_service.explain.forest import Forest
from cds_service.explain.leaf_tables import LeafTables

N_FEATURES = 5
ROWS = 400


def drawn(seed: int, count: int = ROWS) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(count, N_FEATURES)).astype(np.float32)
    rows[generator.random(rows.shape) < 0.3] = np.nan
    return rows


def trained(rounds: int = 60, **params: Any) -> xgboost.Booster:
    rows = drawn(1, 3000)
    filled = np.nan_to_num(rows)
    label = (filled[:, 0] * filled[:, 1] + np.abs(filled[:, 2]) > 0.4).astype(float)
    defaults = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.2, "nthread": 1, "seed": 0}
    return xgboost.train({**defaults, **params}, xgboost.DMatrix(rows, label, nthread=1), rounds)


def weights(booster: xgboost.Booster) -> bytes:
    return bytes(booster.save_raw("ubj"))


def native(booster: xgboost.Booster, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(booster.predict(xgboost.DMatrix(rows, nthread=1), pred_contribs=True), dtype=np.float64)


@pytest.mark.parametrize(
    "params",
    [
        {"max_depth": 1},
        {"max_depth": 4},
        {"max_depth": 6, "rounds": 15},
        {"objective": "count:poisson", "base_score": 0.3},
        {"objective": "binary:logistic", "base_score": 0.2},
        {"objective": "reg:squarederror"},
        {"grow_policy": "lossguide", "max_leaves": 6},
        {"num_parallel_tree": 2, "rounds": 20, "subsample": 0.7},
    ],
    ids=str,
)
def test_every_value_is_that_of_the_native_computation(params: dict[str, Any]) -> None:
    """Inputs that are split on twice, missing inputs, several shapes of trees: within float32."""
    booster = trained(**params)
    tables = LeafTables.read(weights(booster))
    assert tables is not None
    rows = drawn(2)
    expected = native(booster, rows)
    found = [tables.explain(row) for row in rows]
    assert np.abs(np.stack([phi for phi, _ in found]) - expected[:, :-1]).max() < 1e-5
    assert tables.expected == pytest.approx(expected[0, -1], abs=1e-5)
    assert tables.difference(booster) < 1e-5
    margins = booster.predict(xgboost.DMatrix(rows, nthread=1), output_margin=True)
    assert np.array_equal(np.array([margin for _, margin in found], dtype=np.float32), margins)


def test_no_margin_lies_beyond_what_the_trees_can_reach() -> None:
    """Bounds of all patients, in the rounding of a margin; of one tree, somebody is at each of both."""
    rows = drawn(6, 3000)
    for rounds in (1, 60):
        booster = trained(rounds, base_score=0.3)
        forest = Forest.read(weights(booster))
        assert forest is not None
        low, high = forest.reach()
        margins = booster.predict(xgboost.DMatrix(rows, nthread=1), output_margin=True)
        assert low <= margins.min() < margins.max() <= high
        assert rounds > 1 or (margins.min(), margins.max()) == (low, high)


def test_tables_that_were_kept_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every member, bit for bit, and their types."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    content = weights(trained(20))
    made = LeafTables.read(content)
    assert made is not None
    for _ in range(2):
        kept = kept_tables.tables(tmp_path / "weights.ubj", content, "digest")
        assert kept is not None
        for part, other in ((made, kept), (made.forest, kept.forest)):
            for field in dataclasses.fields(part):
                value, again = getattr(part, field.name), getattr(other, field.name)
                assert type(value) is type(again)
                if isinstance(value, np.ndarray):
                    assert value.dtype == again.dtype
                    assert np.array_equal(value, again)
    assert (tmp_path / "__pycache__").exists()


def test_a_value_on_a_split_goes_the_way_that_the_model_sends_it() -> None:
    """Rows made of the splits themselves: "less than" goes left, equal goes right."""
    booster = trained(30)
    tables = LeafTables.read(weights(booster))
    assert tables is not None
    generator = np.random.default_rng(3)
    rows = drawn(4)
    forest = tables.forest
    for feature in range(N_FEATURES):
        rows[:, feature] = generator.choice(forest.at[forest.feature == feature], ROWS)
    found = np.stack([tables.explain(row)[0] for row in rows])
    assert np.abs(found - native(booster, rows)[:, :-1]).max() < 1e-5


@pytest.mark.parametrize(
    "params",
    [
        {"booster": "dart", "rate_drop": 0.1, "rounds": 5},
        {"max_depth": 11, "min_child_weight": 0, "rounds": 40},
        {"objective": "multi:softprob", "num_class": 2, "rounds": 5},
    ],
    ids=lambda p: str(next(iter(p.values()))),
)
def test_other_ensembles_have_no_tables(params: dict[str, Any]) -> None:
    """Weighted, deep or several-class models are left to XGBoost."""
    assert LeafTables.read(weights(trained(**params))) is None


def test_splits_by_category_have_no_tables() -> None:
    """A set of categories is not a threshold."""
    generator = np.random.default_rng(5)
    rows = generator.integers(0, 6, size=(500, 1)).astype(np.float32)
    label = np.isin(rows[:, 0], (1, 4)).astype(float)
    data = xgboost.DMatrix(rows, label, feature_types=["c"], enable_categorical=True, nthread=1)
    booster = xgboost.train({"max_depth": 2, "nthread": 1, "max_cat_to_onehot": 1}, data, 3)
    assert LeafTables.read(weights(booster)) is None


def test_a_slip_at_the_splits_shows_beside_the_native_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison that `curbside check` and training make is on rows that lie on the splits."""
    booster = trained()
    tables = LeafTables.read(weights(booster))
    assert tables is not None
    monkeypatch.setattr(Forest, "goes_left", lambda forest, row: row.take(forest.feature) <= forest.at)
    assert tables.difference(booster) > 0.01


@pytest.mark.parametrize("damage", [b"", b"{", b"[$d#L", b"{i\x07learner{}}"], ids=repr)
def test_what_is_not_understood_has_no_tables(damage: bytes) -> None:
    """Another format or a cut file is left to XGBoost, which knows more of them, or refuses."""
    assert LeafTables.read(damage) is None
    assert LeafTables.read(weights(trained(2))[:-1]) is None


def test_tables_that_do_not_add_up_give_way_to_the_native_values() -> None:
    """The sum is compared with the margin each time."""
    booster = trained()
    tables = LeafTables.read(weights(booster))
    assert tables is not None
    row = drawn(6, 1)
    wrong = dataclasses.replace(tables, amounts=tables.amounts + 1e-3)
    found, honest = tree.attribute(booster, row, wrong), tree.attribute(booster, row)
    assert np.array_equal(found.phi, honest.phi)
    assert not np.array_equal(tree.attribute(booster, row, tables).phi, honest.phi)
