"""Contributions in percentage points: exact, in no order of inputs, for every kind of link."""

from __future__ import annotations

from itertools import pairwise
from math import exp, isclose, log

import pytest

from cds_service.explain.explanation import Baseline, Contribution, Explanation, Scale
from cds_service.language import msg
from cds_service.risk.absolute import per_unit, reference_risk
from cds_service.risk.model import EstimateKind, RiskEstimate


def estimate(scale: Scale, value: float, baseline: float, *amounts: float, kind=EstimateKind.PROBABILITY):
    parts = tuple(Contribution((f"x{i}",), msg("x"), a, msg("1")) for i, a in enumerate(amounts))
    explained = Explanation(scale, Baseline.REFERENCE_PERSON, baseline, msg("r"), parts, baseline + sum(amounts))
    return RiskEstimate("m", "1", kind, "o", msg("o"), 10, value, "1", None, explained, ())


def logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_points_add_up_to_the_difference_of_the_two_risks() -> None:
    """Log-odds, and a hazard with a baseline survival that the predictor does not hold."""
    odds = estimate(Scale.LOG_ODDS, logistic(-1.2), -3.0, 1.5, 0.8, -0.5)
    assert isclose(reference_risk(odds), logistic(-3.0), rel_tol=1e-12)
    hazard = estimate(Scale.LOG_HAZARD, 1 - 0.924 ** exp(1.1), -0.2, 0.9, 0.4)
    assert isclose(reference_risk(hazard), 1 - 0.924 ** exp(-0.2), rel_tol=1e-12)
    for one in (odds, hazard):
        shared = sum(per_unit(one) * c.amount for c in one.explanation.contributions)
        assert isclose(shared, one.value - reference_risk(one), rel_tol=1e-12)


def test_it_is_the_average_slope_from_the_reference_to_the_patient() -> None:
    """Aumann-Shapley by numbers: a thousand small steps along the straight line give the same shares."""
    one = estimate(Scale.LOG_ODDS, logistic(0.7), -2.0, 2.2, 0.5)
    steps = [i / 1000 for i in range(1001)]
    slopes = [(logistic(-2 + 2.7 * b) - logistic(-2 + 2.7 * a)) / 2.7 for a, b in pairwise(steps)]
    assert isclose(per_unit(one), sum(slopes), rel_tol=1e-9)


def test_where_patient_and_reference_agree_it_is_the_slope_itself() -> None:
    """No division by nothing: the limit of the ratio."""
    assert isclose(per_unit(estimate(Scale.LOG_ODDS, 0.2, 1.0, 0.5, -0.5)), 0.16, rel_tol=1e-9)
    hazard = per_unit(estimate(Scale.LOG_HAZARD, 0.2, 1.0, 0.5, -0.5))
    assert isclose(hazard, -0.8 * log(0.8), rel_tol=1e-9)
    near = estimate(Scale.LOG_HAZARD, 0.2, 1.0, 1e-7)
    assert isclose(hazard, per_unit(near), rel_tol=1e-5)


@pytest.mark.parametrize("kind", [EstimateKind.POINTS, EstimateKind.QUANTITY])
def test_points_and_quantities_have_none(kind) -> None:
    """They are on their own scale already."""
    assert per_unit(estimate(Scale.POINTS, 3.0, 0.0, 3.0, kind=kind)) is None
