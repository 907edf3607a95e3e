"""Deep trees: the same exact values as XGBoost's own TreeSHAP, and our own format of trees read strictly."""

import numpy as np
import pytest

from cds_service.explain.forest import Forest, Nodes
from cds_service.explain.leaf_paths import LeafPaths, exact
from cds_service.explain.leaf_tables import LeafTables, difference, residual
from tests.explain.test_leaf_tables import drawn, trained, weights


def test_every_value_of_deep_trees_is_that_of_the_native_computation() -> None:
    """Depth 11, inputs split on several times, gaps: within float32."""
    booster = trained(4, max_depth=11, min_child_weight=0.1)
    forest = Forest.read(weights(booster))
    assert forest is not None
    assert LeafTables.of(forest) is None
    paths = LeafPaths.of(forest)
    assert paths is not None
    assert difference(paths, booster) < 1e-5
    assert residual(paths) < 1e-6


def test_paths_and_tables_agree_as_far_as_leaves_are_precise() -> None:
    """Two ways to one exact value; tables keep it in float32, as the leaves' own values are."""
    forest = Forest.read(weights(trained(10, max_depth=3)))
    assert forest is not None
    tables, paths = LeafTables.of(forest), LeafPaths.of(forest)
    assert tables is not None
    assert paths is not None
    assert paths.expected == pytest.approx(tables.expected, abs=1e-12)
    for row in drawn(5, 50):
        phi, margin = paths.explain(row)
        other, same = tables.explain(row)
        assert margin == same
        assert np.abs(phi - other).max() < 1e-6


def test_a_forest_too_large_for_a_hook_is_not_explained() -> None:
    """None, instead of an answer that comes too late."""
    size = 2**17 - 1
    inner = size // 2
    left = [2 * n + 1 if n < inner else -1 for n in range(size)]
    right = [2 * n + 2 if n < inner else -1 for n in range(size)]
    feature = [(n + 1).bit_length() - 1 if n < inner else 0 for n in range(size)]
    cover = [float(2 ** (17 - (n + 1).bit_length())) for n in range(size)]
    tree = Nodes(16, 0.0, [feature], [[0.0] * size], [[False] * size], [left], [right], [[0.0] * size], [cover])
    forest = Forest.of_nodes(tree.encoded())
    assert forest is not None
    assert exact(forest) is None


@pytest.mark.parametrize("left", [[0, -1, -1], [5, -1, -1]], ids=["to itself", "to nowhere"])
def test_trees_whose_ways_end_nowhere_are_not_read(left: list[int]) -> None:
    """A loop would never end; a child that is not there has no value."""
    tree = Nodes(1, 0.0, [[0, 0, 0]], [[1.0, 0, 0]], [[False] * 3], [left], [[2, -1, -1]], [[0, 1.0, 2.0]], [[2, 1, 1]])
    assert Forest.of_nodes(tree.encoded()) is None
    assert Forest.of_nodes(b"{}") is None
