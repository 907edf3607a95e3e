# ruff: noqa: E402 - the train extra is looked for before anything that needs it is imported
"""Figures of model cards against scikit-learn and against simulations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sklearn_metrics = pytest.importorskip("sklearn.metrics", reason="needs the train extra")

from cds_service.risk.calibration import expit
from cds_service.training import metrics
from cds_service.training.evaluation import Judge, calibration_points, judged_table, markdown
from cds_service.training.metrics import Ranked


def simulated(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    log_odds = generator.normal(-1, 1.2, n)
    return log_odds, (generator.random(n) < expit(log_odds)).astype(float)


@given(
    scores=st.lists(st.integers(0, 5), min_size=4, max_size=40),
    seed=st.integers(0, 1000),
)
def test_auroc_and_average_precision_agree_with_scikit_learn(scores: list[int], seed: int) -> None:
    """Ties included, and with the weights of a bootstrap replicate."""
    generator = np.random.default_rng(seed)
    outcomes = generator.integers(0, 2, len(scores)).astype(float)
    outcomes[:2] = [0.0, 1.0]
    weights = generator.integers(0, 3, len(scores)).astype(float)
    weights[:2] = 1.0
    x = np.array(scores, dtype=float)
    ranked = Ranked(x, outcomes)
    assert ranked.auroc() == pytest.approx(sklearn_metrics.roc_auc_score(outcomes, x))
    assert ranked.auprc() == pytest.approx(sklearn_metrics.average_precision_score(outcomes, x))
    assert ranked.auroc(weights) == pytest.approx(sklearn_metrics.roc_auc_score(outcomes, x, sample_weight=weights))
    assert ranked.auprc(weights) == pytest.approx(
        sklearn_metrics.average_precision_score(outcomes, x, sample_weight=weights)
    )


def test_a_perfectly_calibrated_model_has_slope_one_and_no_shift() -> None:
    """The intervals include 1, 0 and 1, and the ICI is small."""
    x, y = simulated(20_000)
    for interval, truth in (
        (metrics.slope(x, y), 1.0),
        (metrics.large(x, y), 0.0),
        (metrics.observed_to_expected(x, y), 1.0),
    ):
        assert interval.low < truth < interval.high
        assert interval.low < interval.value < interval.high
    assert metrics.ici(x, y) < 0.02


def test_estimates_twice_too_extreme_have_half_the_slope() -> None:
    """A slope below 1 is what overfitting looks like."""
    x, y = simulated(20_000)
    assert metrics.slope(2 * x, y).value == pytest.approx(0.5, abs=0.03)


def test_the_interval_of_a_gain_is_narrower_for_paired_models() -> None:
    """The same people are drawn for both, so that a model has no gain over itself."""
    x, y = simulated(1000)
    itself = metrics.gain(x, x, y, seed=1, replicates=50)
    assert (itself.value, itself.low, itself.high) == (0.0, 0.0, 0.0)
    noise = np.random.default_rng(4).normal(0, 2, len(x))
    better = metrics.gain(x, x + noise, y, seed=1, replicates=50)
    assert better.low > 0


def test_net_benefit_is_zero_when_nobody_is_flagged() -> None:
    """And that of flagging everyone at the prevalence as threshold is zero too."""
    x, y = simulated(1000)
    assert metrics.net_benefit(expit(x), y, 0.9999999) == 0.0
    prevalence = float(y.mean())
    assert metrics.net_benefit(np.ones(len(y)), y, prevalence) == pytest.approx(0.0, abs=1e-12)


def test_small_groups_are_withheld() -> None:
    """Fewer than twenty outcomes say nothing and may point at a person."""
    x, y = simulated(400)
    few = np.zeros(400, dtype=bool)
    few[:15] = True
    judge = Judge(y, seed=1, replicates=20)
    assert judge(x, few) is None
    assert judge.gain(x, x, few) is None
    assert "withheld" in judged_table({"few": judge(x, few)})
    assert "400" in judged_table({"all": judge(x, np.ones(400, dtype=bool))})


def test_calibration_points_lie_on_the_diagonal_for_a_calibrated_model() -> None:
    """Tenths of the population, lowest risk first."""
    expected, observed = calibration_points(*simulated(40_000))
    assert len(expected) == 10
    assert np.all(np.diff(expected) > 0)
    assert np.allclose(expected, observed, atol=0.03)


def test_a_table_is_github_flavoured_markdown() -> None:
    """Header, ruler, rows."""
    assert markdown(("a", "b"), [("x", 1)]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_patients_with_several_rows_say_no_more_than_with_one() -> None:
    """Everyone four times over: as rows, intervals are half as wide as they should be; as patients, as they should."""
    g = np.random.default_rng(8)
    x = g.normal(size=900)
    y = (g.random(900) < 1 / (1 + np.exp(-x))).astype(float)
    four = np.tile(np.arange(900), 4)
    for measure in (metrics.slope, metrics.large, metrics.observed_to_expected):
        once, rows, people = measure(x, y), measure(x[four], y[four]), measure(x[four], y[four], four)
        assert people.value == pytest.approx(once.value)
        assert people.high - people.low == pytest.approx(once.high - once.low, rel=0.05)
        assert rows.high - rows.low == pytest.approx((once.high - once.low) / 2, rel=0.05)
    area = metrics.auroc(x, y, 1, 200)
    again = metrics.auroc(x[four], y[four], 1, 200, four)
    assert (again.low, again.high) == pytest.approx((area.low, area.high), abs=1e-9)
