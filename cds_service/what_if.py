"""What if: a model's estimate with some inputs changed, and with each changeable input at its guideline target.

Nothing of the model is approximated: the same function that made the estimate is asked again. Values that are
computed from a changed one are computed anew; what looks at the history of a value (a lasting or unsteady creatinine)
stays as the record has it. Every result is the model's arithmetic and not the effect of a treatment.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.errors import InputError
from cds_service.features.extract import derived, first_usable
from cds_service.features.feature import (
    Coded,
    ConditionFeature,
    Derived,
    Feature,
    FeatureValue,
    FeatureValues,
    FirstOf,
    MedicationFeature,
    Quantity,
    Unusable,
    Value,
)
from cds_service.language import Message, msg
from cds_service.needs import with_inputs
from cds_service.risk.levers import Lever
from cds_service.risk.model import Citation, PublishedScore, Result, RiskEstimate, RiskModel


@dataclass(frozen=True, slots=True)
class Change:
    """The estimates of a model with one input at its target, or with all of them.

    id: of the lever, or `all`. words: what is changed. values: id of input -> value at the target.
    """

    id: str
    words: Message
    values: Mapping[str, Value]
    estimates: tuple[RiskEstimate, ...]
    source: Citation | None


def what_if(model: RiskModel, values: FeatureValues, changes: Mapping[str, Value]) -> Result:
    """The model's estimates or refusal with some inputs changed.

    values: of a patient, with all that the model looks at. changes: id of an input -> value in the input's unit.
    Raises InputError naming the input that the model does not have, that cannot be changed, or whose new value is
    not one that the input can have.
    """
    features = {feature.id: feature for feature in with_inputs(model.features)}
    entries = dict(values.entries)
    for id_, value in changes.items():
        feature, before = _known(model, features, id_), entries.get(id_)
        stated = before.stated if isinstance(before, FeatureValue) else None  # it is printed as the record's own was
        entries[id_] = FeatureValue(feature, _checked(feature, value), values.as_of, (), stated=stated)
    touched = set(changes)
    for feature in features.values():  # what another is computed from comes before it
        if feature.id not in changes and _rests_on(feature, touched):
            entries[feature.id] = _anew(feature, entries)
            touched.add(feature.id)
    return model.estimate(FeatureValues(values.as_of, entries))


def at_targets(model: RiskModel, values: FeatureValues, estimates: tuple[RiskEstimate, ...]) -> tuple[Change, ...]:
    """What each lever of the model would make of its estimates, then all levers together if there are several.

    Left out: levers whose target is reached, and those whose target lies where the model gives no estimate.
    """
    found: list[Change] = []
    for lever in levers_of(model):
        changes = lever.changes(values, estimates)
        if changes and isinstance(result := what_if(model, values, changes), tuple):
            found.append(Change(lever.id, lever.words(values, changes), changes, result, lever.source))
    if len(found) < 2:
        return tuple(found)
    together = {id_: value for change in found for id_, value in change.values.items()}
    result = what_if(model, values, together)
    if isinstance(result, tuple):
        found.append(Change("all", msg("All of these together"), together, result, None))
    return tuple(found)


def levers_of(model: RiskModel) -> tuple[Lever, ...]:
    """The levers that a model declares; none for trained models, whose inputs are no causes."""
    return model.levers if isinstance(model, PublishedScore) else ()


def _known(model: RiskModel, features: Mapping[str, Feature], id_: str) -> Feature:
    feature = features.get(id_)
    if feature is None:
        near = difflib.get_close_matches(id_, features, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(features)}."
        raise InputError(f"what-if: {model.id} has no input of that name. {hint}")
    return feature


def _checked(feature: Feature, value: Value) -> Value:
    """The value, if the input can have it. Raises InputError, which does not repeat it."""
    if isinstance(feature, Quantity | FirstOf) and (limits := limits_of(feature)) is not None:
        return _number(feature, value, limits)
    if isinstance(feature, Coded):
        words = dict.fromkeys(feature.answers.values())
        if value not in words or isinstance(value, bool) is not all(isinstance(word, bool) for word in words):
            raise InputError(f"what-if: {feature.id} must be one of {', '.join(map(str, words))}. Choose one of them.")
        return value
    if isinstance(feature, ConditionFeature | MedicationFeature):
        if not isinstance(value, bool):
            raise InputError(f"what-if: {feature.id} must be true or false. Give one of them.")
        return value
    if isinstance(feature, Derived):
        inputs = ", ".join(f.id for f in feature.inputs)
        raise InputError(f"what-if: {feature.id} is computed from {inputs}. Change one of those.")
    raise InputError(f"what-if: {feature.id} cannot be changed. Leave it out.")


def _number(feature: Quantity | FirstOf, value: Value, limits: tuple[float, float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not limits[0] <= value <= limits[1]:
        unit = f" {feature.unit}" if feature.unit not in ("", "1") else ""
        raise InputError(
            f"what-if: {feature.id} must be a number from {limits[0]:g} to {limits[1]:g}{unit}. Give one inside."
        )
    return float(value)


def limits_of(feature: Feature) -> tuple[float, float] | None:
    """Between which numbers an input may be changed, in its unit; None if it is not changed by a number."""
    if isinstance(feature, Quantity):
        return feature.plausible
    if not isinstance(feature, FirstOf):
        return None
    measured = [alternative for alternative in feature.alternatives if isinstance(alternative, Quantity)]
    return measured[0].plausible if measured else None


def _rests_on(feature: Feature, touched: set[str]) -> bool:
    parts = feature.inputs if isinstance(feature, Derived) else ()
    parts = feature.alternatives if isinstance(feature, FirstOf) else parts
    return any(part.id in touched for part in parts)


def _anew(feature: Feature, entries: Mapping[str, FeatureValue | Unusable]) -> FeatureValue | Unusable:
    if isinstance(feature, Derived):
        return derived(feature, [entries[part.id] for part in feature.inputs])
    assert isinstance(feature, FirstOf)
    return first_usable(feature, [entries[part.id] for part in feature.alternatives])
