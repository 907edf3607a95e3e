"""Estimates in words: number, outcome, horizon."""

from __future__ import annotations

from cds_service.language import Message, msg
from cds_service.risk.model import EstimateKind, RiskEstimate
from cds_service.risk.values_in_words import percent, with_unit


def estimate_words(estimate: RiskEstimate) -> Message:
    """An estimate as it is read: number, outcome, horizon."""
    value, outcome = estimate.value, estimate.outcome_words
    if estimate.kind is EstimateKind.PROBABILITY:
        if estimate.horizon_years is None:
            return msg("Risk of {outcome}: {percent}%", outcome=outcome, percent=percent(value))
        years = estimate.horizon_years
        return msg("{years}-year risk of {outcome}: {percent}%", years=years, outcome=outcome, percent=percent(value))
    if estimate.kind is EstimateKind.POINTS:
        if estimate.high is not None and estimate.high != value:
            return msg("{outcome}: {low} to {high} points possible", outcome=outcome, low=value, high=estimate.high)
        if value == 1:
            return msg("{outcome}: {points} point", outcome=outcome, points=value)
        return msg("{outcome}: {points} points", outcome=outcome, points=value)
    # Whole numbers from 10 on, as laboratories report an eGFR and as its bands are read.
    return msg("{outcome}: {value}", outcome=outcome, value=with_unit(value, estimate.unit, 0 if value >= 10 else 2))


def by_modality(outcome: Message, years: int, shares: Message) -> Message:
    """What each modality adds to the log-odds of an outcome within so many years; of one without a horizon, 0."""
    if not years:
        return msg("{outcome}, by modality on the log-odds: {shares}", outcome=outcome, shares=shares)
    return msg(
        "{years}-year risk of {outcome}, by modality on the log-odds: {shares}",
        years=years, outcome=outcome, shares=shares,
    )  # fmt: skip
