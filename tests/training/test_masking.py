"""Input dropout."""

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from cds_service.features import physiology_points
from cds_service.features.intensive_care import ARTERIAL_PH
from cds_service.training.masking import Dropout
from cds_service.training.tables import Source, remade

DROPOUT = Dropout({"left": [1, 2], "right": [3]}, [frozenset({"left"})], kept=[0], share=0.5, single=0.0)


def rows(n: int = 2000) -> np.ndarray:
    return np.arange(n * 5, dtype=np.float32).reshape(n, 5)


def test_panels_disappear_together_and_kept_columns_never() -> None:
    """Columns of one panel are measured together, so they are missing together."""
    masked = DROPOUT.masked(rows(), np.random.default_rng(1))
    hidden = np.isnan(masked)
    assert not hidden[:, 0].any()
    assert not hidden[:, 4].any()
    assert np.array_equal(hidden[:, 1], hidden[:, 2])
    assert 0.2 < hidden[:, 1].mean() < 0.9
    assert np.array_equal(masked[~hidden], rows()[~hidden])


def test_single_values_disappear_too() -> None:
    """A value may be missing although its panel is there."""
    dropout = Dropout({"left": [1, 2]}, [], kept=[0], single=0.3)
    hidden = np.isnan(dropout.masked(rows(), np.random.default_rng(1)))
    assert not hidden[:, 0].any()
    assert (hidden[:, 1] != hidden[:, 2]).any()
    assert hidden[:, 4].mean() == pytest.approx(0.3, abs=0.05)


def test_the_same_seed_hides_the_same_cells() -> None:
    """Training can be repeated to the bit."""
    first, second = (DROPOUT.masked(rows(), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second, equal_nan=True)


def test_a_pattern_hides_exactly_its_panels() -> None:
    """What the card reports on is what it says."""
    hidden = np.isnan(DROPOUT.without(rows(10), frozenset({"right"})))
    assert hidden[:, 3].all()
    assert hidden.sum() == 10


def test_what_is_computed_anew_falls_into_the_band_of_the_record() -> None:
    """A pH of 7.35 is usual in a record; as a float32 it lies below 7.35, and must not count there."""
    points = physiology_points.points("points", ARTERIAL_PH.label, {"arterial_ph": (ARTERIAL_PH,)})
    given = [7.2, 7.3, 7.35, 7.5, 7.6]
    matrix = np.array([[ph, np.nan] for ph in given], dtype=np.float32)
    anew = remade((Source(ARTERIAL_PH, "pH", "[pH]"), Source(points)))(matrix)
    assert anew[:, 1].tolist() == [points.compute(ph) for ph in given]
