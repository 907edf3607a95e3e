"""Figures with censoring: against lifelines where it has them, and against what must hold."""

import numpy as np
import pytest

from cds_service.training import censoring
from cds_service.training.linear import cox

lifelines = pytest.importorskip("lifelines", reason="needs the train extra")


@pytest.fixture(scope="module")
def followed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    g = np.random.default_rng(5)
    x = g.normal(size=(400, 3))
    months, lost = g.exponential(60 / np.exp(x @ [0.8, -0.4, 0.0])), g.uniform(5, 150, 400)
    return np.minimum(months, lost), months <= lost, x


def test_concordance_is_that_of_lifelines(followed: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Harrell's C of a continuous follow-up, and the same from the pairs of the bootstrap."""
    months, came, x = followed
    expected = lifelines.utils.concordance_index(months, -x[:, 0], came)
    assert censoring.concordance(months, came, x[:, 0]) == pytest.approx(expected, abs=1e-9)
    pairs = censoring.Pairs.of(months, came)
    assert pairs.draws([pairs.agreeing(x[:, 0])], 400, 1, 3)[0, 0] == pytest.approx(expected, abs=1e-9)


def test_the_censoring_curve_is_kaplan_meier(followed: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Just before each time, with censoring as the event."""
    months, came, _ = followed
    fitted = lifelines.KaplanMeierFitter().fit(months, ~came)
    times = np.quantile(months, [0.2, 0.5, 0.8])
    expected = fitted.survival_function_at_times(times - 1e-9).to_numpy()
    assert censoring.Followed.of(months, came).before(times) == pytest.approx(expected, abs=1e-9)


def test_weighted_shares_are_the_kaplan_meier_risk(followed: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Weights stand for the lost: the weighted share with the outcome is one minus survival."""
    months, came, _ = followed
    weight = censoring.weights(months, came, 48.0)
    share = float(np.sum(weight * (came & (months <= 48.0))) / len(months))
    survival = lifelines.KaplanMeierFitter().fit(months, came).predict(48.0)
    assert share == pytest.approx(1.0 - survival, abs=1e-9)


def test_the_cox_regression_is_that_of_lifelines(followed: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Without a penalty, times without ties."""
    import pandas

    months, came, x = followed
    frame = pandas.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "t": months, "e": came})
    expected = lifelines.CoxPHFitter().fit(frame, "t", "e").params_.to_numpy()
    assert cox(x, months, came, 0.0) == pytest.approx(expected, abs=1e-4)


def test_the_interval_of_a_concordance_is_that_of_its_bootstrap(followed: tuple[np.ndarray, ...]) -> None:
    """As wide, and about the same figure."""
    months, came, x = followed
    found = censoring.concordance_with_interval(months, came, x[:, 0])
    assert found.value == pytest.approx(censoring.concordance(months, came, x[:, 0]), abs=1e-12)
    pairs = censoring.Pairs.of(months, came)
    drawn = censoring.interval(pairs.draws([pairs.agreeing(x[:, 0])], 400, 1, 400)[:, 0])
    assert found.low == pytest.approx(drawn.low, abs=0.008)
    assert found.high == pytest.approx(drawn.high, abs=0.008)


def test_slope_and_calibration_in_the_large_have_intervals_that_cover_the_truth(
    followed: tuple[np.ndarray, ...],
) -> None:
    """Log-odds one and a half times too extreme; patients who are there twice say no more than once."""
    months, came, x = followed
    weight = censoring.weights(months, came, 48.0)
    happened = (came & (months <= 48.0)).astype(float)
    design = np.column_stack([np.ones(400), x[:, 0]])
    line = design @ censoring.fit(design, happened, weight)
    slope, large = censoring.calibration(1.5 * line, happened, weight)
    assert slope.value == pytest.approx(1 / 1.5, abs=1e-3)
    assert slope.low < slope.value < slope.high < 1
    assert large.low < large.value < large.high
    two = np.tile(np.arange(400), 2)
    again, _ = censoring.calibration(1.5 * line[two], happened[two], weight[two], groups=two)
    rows, _ = censoring.calibration(1.5 * line[two], happened[two], weight[two])
    assert again.high - again.low == pytest.approx(slope.high - slope.low, rel=0.05)
    assert rows.high - rows.low < 0.85 * (again.high - again.low)
