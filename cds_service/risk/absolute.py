"""Contributions in percentage points of risk: from the linear predictor to the risk itself, in no order of inputs.

An equation's contributions add up on its own scale (log-odds, log-hazard). The risk is a function of their sum alone,
and the Aumann-Shapley value of such a function, the average slope along the straight line from the reference person
to the patient, gives each input its contribution times (risk - reference risk) / (predictor - reference predictor).
So the points add up to the difference of the two risks, keep the order of the inputs by size, and depend on no order
in which inputs are changed.
Source: Aumann RJ, Shapley LS. Values of non-atomic games, 1974; as integrated gradients: Sundararajan M et al. 2017,
arXiv:1703.01365.
"""

from __future__ import annotations

from math import exp, expm1, isclose, log1p

from cds_service.explain.explanation import Baseline, Scale
from cds_service.risk.model import EstimateKind, RiskEstimate


def reference_risk(estimate: RiskEstimate) -> float | None:
    """The risk (0-1) of the person, or population, that contributions are measured from; None where it is no risk.

    From the patient's own risk and the distance between the two predictors: what the equation adds or multiplies
    beside the predictor (a baseline survival, say) cancels out.
    """
    if estimate.explanation.baseline_kind is Baseline.NONE:
        return None
    if estimate.kind is not EstimateKind.PROBABILITY or not 0.0 < estimate.value < 1.0:
        return None
    distance = estimate.explanation.baseline - estimate.explanation.output
    if estimate.explanation.scale is Scale.LOG_ODDS:
        odds = estimate.value / (1.0 - estimate.value) * exp(distance)
        return odds / (1.0 + odds)
    if estimate.explanation.scale is Scale.LOG_HAZARD:
        return -expm1(log1p(-estimate.value) * exp(distance))
    return None


def per_unit(estimate: RiskEstimate) -> float | None:
    """Risk (0-1) for one unit of contribution, or None where the estimate is no risk."""
    reference = reference_risk(estimate)
    if reference is None:
        return None
    distance = estimate.explanation.output - estimate.explanation.baseline
    if not isclose(distance, 0.0, abs_tol=1e-9):
        return (estimate.value - reference) / distance
    slope = 1.0 - estimate.value
    return estimate.value * slope if estimate.explanation.scale is Scale.LOG_ODDS else -slope * log1p(-estimate.value)
