"""One margin, several horizons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.risk.calibration import Calibration, Observed, expit, fit, in_the_large, refit, slope_and_intercept

finite = st.floats(-20, 20)


@given(a=finite, gap=st.floats(1e-6, 10), slope=st.floats(1e-3, 5), margin=finite)
def test_a_longer_horizon_never_has_a_lower_risk(a: float, gap: float, slope: float, margin: float) -> None:
    """By construction, for every margin: no clamping is needed."""
    calibration = Calibration(slope, {10: a + gap, 5: a})
    assert calibration.probability(5, margin) <= calibration.probability(10, margin)


@given(slope=st.floats(1e-3, 5), low=finite, step=st.floats(1e-3, 10))
def test_a_higher_margin_means_a_higher_risk_at_every_horizon(slope: float, low: float, step: float) -> None:
    """Two people never change places between horizons."""
    calibration = Calibration(slope, {5: -2.0, 10: -1.0})
    for horizon in calibration.horizons:
        assert calibration.log_odds(horizon, low + step) > calibration.log_odds(horizon, low)


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan"), float("inf")])
def test_a_slope_that_is_not_positive_is_refused(slope: float) -> None:
    """It would turn the order of people round."""
    with pytest.raises(ValueError, match="slope"):
        Calibration(slope, {5: -2.0, 10: -1.0})


def test_intercepts_that_fall_with_the_horizon_are_refused() -> None:
    """They would give a ten-year risk below the five-year risk."""
    with pytest.raises(ValueError, match="10 years"):
        Calibration(1.0, {5: -1.0, 10: -2.0})


def test_fitting_finds_the_slope_and_intercepts_that_made_the_outcomes() -> None:
    """Simulated people: margin from a normal distribution, outcomes drawn from the stated calibration."""
    generator = np.random.default_rng(1)
    truth = Calibration(0.8, {5: -3.0, 10: -1.5})
    margins = generator.normal(size=200_000)
    observed = {
        h: Observed(margins, (generator.random(len(margins)) < truth.probability(h, margins)).astype(float))
        for h in truth.horizons
    }
    found = fit(observed)
    assert found.slope == pytest.approx(0.8, abs=0.02)
    assert found.intercepts == pytest.approx({5: -3.0, 10: -1.5}, abs=0.03)


def test_a_horizon_without_outcomes_cannot_be_fitted() -> None:
    """The likelihood has no maximum there."""
    rows = np.linspace(-1, 1, 50)
    with pytest.raises(ValueError, match="5 years"):
        fit({5: Observed(rows, np.zeros(50)), 10: Observed(rows, (rows > 0.1).astype(float))})


def test_a_shift_of_the_log_odds_is_what_calibration_in_the_large_reports() -> None:
    """Estimates that are too low by half a logit give +0.5 and a slope of 1."""
    generator = np.random.default_rng(2)
    truth = generator.normal(-1, 1, size=200_000)
    outcomes = (generator.random(len(truth)) < expit(truth)).astype(float)
    slope, large = slope_and_intercept(truth - 0.5, outcomes)
    assert slope == pytest.approx(1.0, abs=0.02)
    assert large == pytest.approx(0.5, abs=0.02)
    assert in_the_large(truth, outcomes) == pytest.approx(0.0, abs=0.02)


def test_estimates_that_are_far_off_still_get_a_shift() -> None:
    """A table of another population may be wrong by many logits; the search neither overflows nor runs away."""
    outcomes = (np.random.default_rng(3).random(5000) < 0.5).astype(float)
    assert in_the_large(np.full(5000, -25.0), outcomes) == pytest.approx(25.0, abs=0.1)
    assert expit(np.array([-800.0, 800.0])).tolist() == pytest.approx([0.0, 1.0])


@given(slope=st.floats(0.1, 5), own=st.floats(0.1, 5), gap=st.floats(1e-3, 5), ends=st.tuples(finite, finite))
def test_two_horizons_that_do_not_cross_at_the_ends_of_what_trees_reach_do_not_in_between(
    slope: float, own: float, gap: float, ends: tuple[float, float]
) -> None:
    """Whatever the slopes: either they are named, or the shorter is nowhere the riskier."""
    reach = min(ends), max(ends)
    calibration = Calibration(slope, {5: -2.0, 10: -2.0 + gap}, {5: own})
    between = np.linspace(*reach, 41)
    above = calibration.log_odds(5, between) > calibration.log_odds(10, between) + 1e-12
    if calibration.crossed(reach) is None:
        assert not above.any()
    else:
        assert calibration.crossed(reach) == (5, 10)


def simulated(truth: Calibration, seed: int, n: int = 20_000) -> dict[int, Observed]:
    """People whose margins are from a normal distribution, and outcomes drawn from a calibration."""
    generator = np.random.default_rng(seed)
    margins, rank = generator.normal(size=n), generator.random(n)
    return {h: Observed(margins, (rank < truth.probability(h, margins)).astype(float)) for h in (5, 10)}


def test_slopes_that_would_put_ten_years_below_five_for_some_patients_become_one() -> None:
    """The lines cross at a margin of -4: with trees that go to -3 each keeps its slope, with trees to -5 none does."""
    observed = simulated(Calibration(1.2, {5: -2.5, 10: -1.3}, {5: 0.9}), 6)
    near, far = fit(observed, reach=(-3.0, 3.0)), fit(observed, reach=(-5.0, 3.0))
    assert near.slopes
    assert near.crossed((-5.0, 3.0)) == (5, 10)
    assert far.slopes == {}
    assert far == fit(observed)


def test_each_horizon_gets_the_slope_that_made_its_outcomes() -> None:
    """A hazard that is not proportional: one slope for both would be too steep for one and too flat for the other."""
    generator = np.random.default_rng(4)
    truth = Calibration(1.2, {5: -2.8, 10: -1.6}, {5: 0.9})
    margins = generator.normal(size=200_000)
    observed = {
        h: Observed(margins, (generator.random(len(margins)) < truth.probability(h, margins)).astype(float))
        for h in truth.horizons
    }
    found = fit(observed, reach=(-3.0, 3.0))
    assert [found.slope_of(h) for h in (5, 10)] == pytest.approx([0.9, 1.2], abs=0.03)
    shared = fit(observed)
    for h, low, high in ((5, 0.7, 0.95), (10, 1.02, 1.3)):
        of_shared, _ = slope_and_intercept(shared.log_odds(h, margins), observed[h].outcomes)
        of_own, _ = slope_and_intercept(found.log_odds(h, margins), observed[h].outcomes)
        assert low < of_shared < high
        assert of_own == pytest.approx(1.0, abs=1e-6)


def test_other_rows_move_each_line_and_scale_all_alike() -> None:
    """What a hospital's outcomes say: shift and scale of the log-odds as they were, the ratio of slopes kept."""
    known = Calibration(1.2, {5: -2.8, 10: -1.2}, {5: 0.9})
    truth = Calibration(0.8 * 1.2, {5: 0.3 + 0.8 * -2.8, 10: 0.1 + 0.8 * -1.2}, {5: 0.8 * 0.9})
    found = refit(known, simulated(truth, 8, 200_000), (-4.0, 4.0))
    assert found.intercepts == pytest.approx(truth.intercepts, abs=0.03)
    assert found.slope == pytest.approx(truth.slope, abs=0.03)
    assert found.slopes[5] / found.slope == pytest.approx(0.75)


def test_one_slope_for_all_is_refitted_as_it_was_fitted() -> None:
    """The log-odds that a model had are an affine map of its margin: both give the same line."""
    observed = simulated(Calibration(0.7, {5: -2.0, 10: -1.0}), 9)
    assert refit(Calibration(1.0, {5: -1.0, 10: 0.0}), observed, None) == fit(observed)


def test_a_slope_of_a_horizon_without_an_intercept_is_refused() -> None:
    """A misspelt horizon would silently get the common slope."""
    with pytest.raises(ValueError, match="7 years has a slope"):
        Calibration(1.0, {5: -2.0, 10: -1.0}, {7: 1.0})
