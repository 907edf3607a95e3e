"""The measures of `risk.metrics`, and those that need scikit-learn or weights."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression

from cds_service.risk.calibration import expit
from cds_service.risk.metrics import (
    REPLICATES,
    Floats,
    Interval,
    Patients,
    Ranked,
    auprc,
    auroc,
    gain,
    large,
    net_benefit,
    observed_to_expected,
    slope,
)

__all__ = [
    "REPLICATES",
    "Floats",
    "Interval",
    "Patients",
    "Ranked",
    "auprc",
    "auroc",
    "gain",
    "ici",
    "large",
    "net_benefit",
    "net_benefit_weighted",
    "observed_to_expected",
    "slope",
]


def ici(log_odds: Floats, outcomes: Floats, weight: Floats | None = None) -> float:
    """Integrated calibration index: mean distance of a risk from the observed one, smoothed by isotonic regression.

    weight: of each row, above 0, where some stand for the censored.
    Source: Austin and Steyerberg 2019, doi:10.1002/sim.8281 (there with loess).
    """
    risk = expit(log_odds)
    smooth = IsotonicRegression(out_of_bounds="clip").fit(risk, outcomes, sample_weight=weight).predict(risk)
    return float(np.average(np.abs(smooth - risk), weights=weight))


def net_benefit_weighted(risk: Floats, outcomes: Floats, weight: Floats, threshold: float) -> float:
    """The same with weights that stand for the censored, who have none themselves.

    Source: Vickers et al. 2008, doi:10.1186/1472-6947-8-53.
    """
    flagged = risk >= threshold
    right = float(np.sum((weight * outcomes)[flagged]))
    wrong = float(np.sum(weight[flagged])) - right
    return (right - wrong * threshold / (1.0 - threshold)) / len(outcomes)
