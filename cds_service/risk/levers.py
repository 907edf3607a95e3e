"""Levers: the inputs of a score that can be changed, with the target that a guideline gives for each.

A model declares them beside its equation. What comes of them is the model's arithmetic with one input put at its
target: it says nothing about what a treatment does, for the people behind the equation were not treated so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cds_service.features import catalogue
from cds_service.features.feature import Feature, FeatureValues, Quantity, Value
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Citation, RiskEstimate

Estimates = tuple[RiskEstimate, ...]
Changes = Mapping[str, Value]  # id of an input -> its value at the target
AT_TARGET: Changes = {}


@dataclass(frozen=True, slots=True)
class Lever:
    """One input that can be changed.

    changes: from the patient's values and estimates to what is changed, or nothing where the target is reached.
    words: the target and what there is instead, for people. source: of the target.
    """

    id: str
    changes: Callable[[FeatureValues, Estimates], Changes]
    words: Callable[[FeatureValues, Changes], Message]
    source: Citation


HYPERTENSION_2025 = Citation(
    "2025 AHA/ACC high blood pressure guideline (goal below 130/80 mmHg, read in secondary sources)",
    "https://doi.org/10.1161/CIR.0000000000001356",
)
DYSLIPIDEMIA_2026 = Citation(
    "2026 ACC/AHA dyslipidemia guideline (goals read in secondary sources)",
    "https://doi.org/10.1161/CIR.0000000000001423",
)
PREVENTION_2019 = Citation(
    "2019 ACC/AHA primary prevention guideline (tobacco)", "https://doi.org/10.1161/CIR.0000000000000678"
)
ESC_2021 = Citation("2021 ESC prevention guidelines", "https://doi.org/10.1093/eurheartj/ehab484")
ADA_KIDNEY = Citation(
    "ADA Standards of Care 2026, section 11 (albuminuria; read in secondary sources)",
    "https://doi.org/10.2337/dc26-S011",
)
ADA_GLYCEMIA = Citation(
    "ADA Standards of Care 2026, section 6 (HbA1c goal; read in secondary sources)", "https://doi.org/10.2337/dc26-S006"
)


def lower_to(feature: Quantity, target: float, source: Citation, *, only: Feature | None = None) -> Lever:
    """The lever of a measured value that is above its target. only: a condition without which there is no target."""

    def changes(values: FeatureValues, estimates: Estimates) -> Changes:
        number = values.number(feature)
        speaks = only is None or bool(values.flag(only))
        return {feature.id: target} if speaks and number is not None and number > target else AT_TARGET

    def words(values: FeatureValues, changes: Changes) -> Message:
        return instead(feature.label, _alike(values, feature, target), _now(values, feature))

    return Lever(feature.id, changes, words, source)


def not_smoking(source: Citation) -> Lever:
    """The lever of a current smoker: counted as a former one."""

    def changes(values: FeatureValues, estimates: Estimates) -> Changes:
        return {catalogue.SMOKING.id: "former"} if values.text(catalogue.SMOKING) == "current" else AT_TARGET

    return Lever("smoking", changes, lambda values, changes: msg("Not smoking any more"), source)


def lower_non_hdl(target: Callable[[Estimates], float], source: Citation) -> Lever:
    """The lever of non-HDL cholesterol (mg/dL): total cholesterol falls, HDL cholesterol stays as it is."""

    def changes(values: FeatureValues, estimates: Estimates) -> Changes:
        total, hdl = values.number(catalogue.TOTAL_CHOLESTEROL), values.number(catalogue.HDL)
        goal = target(estimates)
        if total is None or hdl is None or total - hdl <= goal:
            return AT_TARGET
        return {catalogue.TOTAL_CHOLESTEROL.id: goal + hdl}

    def words(values: FeatureValues, changes: Changes) -> Message:
        total, hdl = values.number(catalogue.TOTAL_CHOLESTEROL) or 0.0, values.number(catalogue.HDL) or 0.0
        goal, found = float(changes[catalogue.TOTAL_CHOLESTEROL.id]) - hdl, values.usable(catalogue.TOTAL_CHOLESTEROL)
        stated = found.stated if found is not None else None
        return instead(
            catalogue.NON_HDL.label,
            published.measured(catalogue.NON_HDL, goal, stated),
            published.measured(catalogue.NON_HDL, total - hdl, stated),
        )

    return Lever("non_hdl", changes, words, source)


def lower_by(feature: Quantity, share: float, start: float, source: Citation) -> Lever:
    """The lever of a measured value of which a guideline wants a share less, from `start` on."""

    def changes(values: FeatureValues, estimates: Estimates) -> Changes:
        number = values.number(feature)
        return {feature.id: number * (1 - share)} if number is not None and number >= start else AT_TARGET

    def words(values: FeatureValues, changes: Changes) -> Message:
        target = _alike(values, feature, float(changes[feature.id]))
        return instead(feature.label, target, _now(values, feature))

    return Lever(feature.id, changes, words, source)


def instead(label: Message, target: Message, now: Message) -> Message:
    """The target and what there is instead of it."""
    return msg("{label} {target} instead of {now}", label=label, target=target, now=now)


def _alike(values: FeatureValues, feature: Quantity, value: float) -> Message:
    """A value in words, in the unit in which the record has its own."""
    found = values.usable(feature)
    return published.measured(feature, value, found.stated if found is not None else None)


def _now(values: FeatureValues, feature: Feature) -> Message:
    found = values.usable(feature)
    return published.in_words(found) if found is not None else msg("an unknown value")
