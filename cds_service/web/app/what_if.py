"""What-if in the review: some inputs of a prevention score changed, and the exact estimate for these values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import NamedTuple

from cds_service.errors import InputError
from cds_service.features.feature import (
    Coded,
    Derived,
    Feature,
    FeatureValue,
    FirstOf,
    MedicationFeature,
    Quantity,
    Value,
)
from cds_service.features.si import holds_si, in_si
from cds_service.findings import RiskFinding
from cds_service.language import Message, msg
from cds_service.prospects import same
from cds_service.risk.model import NotEstimated, RiskEstimate, RiskModel
from cds_service.risk.values_in_words import printed_unit, with_unit
from cds_service.web.app.estimates import EstimateView, value, view
from cds_service.web.app.opening import Opened
from cds_service.what_if import levers_of, limits_of, what_if

_SAID = {  # words of coded inputs, and of medicines, as the form offers them
    "current": msg("current smoker"),
    "former": msg("former smoker"),
    "never": msg("never smoked"),
    "yes": msg("yes"),
    "no": msg("no"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the form. choices: of a coded or yes/no input; empty for a number between low and high.

    now, low, high: in `unit`, which is the reader's. slope, offset: from the reader's number to the model's.
    """

    feature: Feature
    now: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    digits: int = 0
    choices: tuple[str, ...] = ()
    slope: float = 1.0
    offset: float = 0.0

    @property
    def step(self) -> str:
        """The least difference of two numbers."""
        return f"{10.0**-self.digits:g}"

    @property
    def options(self) -> tuple[tuple[str, Message], ...]:
        """The choices with their words."""
        return tuple((choice, said(choice)) for choice in self.choices)

    @property
    def present(self) -> Message:
        """The present value in words."""
        return said(self.now) if self.choices else msg("{value}", value=self.now)


class _Estimated(NamedTuple):
    model: RiskModel
    result: tuple[RiskEstimate, ...]


def said(choice: str) -> Message:
    """A choice of the form in words."""
    return _SAID.get(choice) or Message(choice)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One estimate now and with the changes."""

    now: Message | None
    then: EstimateView


def models_of(shown: Opened) -> dict[str, RiskModel]:
    """The models of an assessment that can be asked what-if: published scores with levers that gave an estimate."""
    return {one.model.id: one.model for one in _estimated(shown) if levers_of(one.model)}


def form(shown: Opened, model: RiskModel, units: str = "record") -> list[Field]:
    """The inputs of a model that somebody can change, with their present values. units: one of `language.UNITS`.

    Of inputs that mean the same (a recorded and a computed body mass index) the one that counts is offered, and not
    what it may be computed from: a field that changes nothing would mislead.
    """
    entries = shown.decision.case.values.entries
    found: dict[str, Field] = {}
    for feature in _offered(model.features):
        entry = entries.get(feature.id)
        made = _field(feature, entry, units) if isinstance(entry, FeatureValue) else None
        if made is not None:
            found.setdefault(feature.id, made)
    return list(found.values())


def _offered(features: Iterable[Feature]) -> Iterator[Feature]:
    """Measurements, habits and medicines, in place of what is computed from them; a disease is not undone by a form."""
    for feature in features:
        if isinstance(feature, Quantity | Coded | MedicationFeature) or limits_of(feature) is not None:
            yield feature
        elif isinstance(feature, Derived):
            yield from _offered(feature.inputs)
        elif isinstance(feature, FirstOf):
            yield from _offered(feature.alternatives)


def _field(feature: Feature, entry: FeatureValue, units: str) -> Field | None:
    limits = limits_of(feature)
    if isinstance(feature, Quantity | FirstOf) and limits is not None:
        return _number(feature, entry, limits, units)
    if isinstance(feature, Coded):
        words = tuple(dict.fromkeys(str(word) for word in feature.answers.values()))
        return Field(feature, str(entry.value), choices=words)
    if isinstance(feature, MedicationFeature):
        return Field(feature, "yes" if entry.value else "no", choices=("no", "yes"))
    return None


def _number(feature: Quantity | FirstOf, entry: FeatureValue, limits: tuple[float, float], units: str) -> Field:
    """A field in the unit in which the page prints the value; limits are rounded inwards."""
    unit, digits, slope, offset = feature.unit, feature.digits, 1.0, 0.0
    at_zero, at_one = in_si(feature, 0.0), in_si(feature, 1.0)
    if at_zero is not None and at_one is not None:
        wanted = holds_si(at_zero[1], entry.stated) if units == "record" else units == "si"
        if wanted:
            _, unit, digits = at_zero
            slope = 1 / (at_one[0] - at_zero[0])
            offset = -at_zero[0] * slope
    step = 10.0**-digits
    low, high = ((limit - offset) / slope for limit in limits)
    return Field(
        feature,
        f"{(float(entry.value) - offset) / slope:.{digits}f}",
        printed_unit(unit),
        round(ceil(round(low / step, 6)) * step, digits),
        round(floor(round(high / step, 6)) * step, digits),
        digits,
        slope=slope,
        offset=offset,
    )


def changes(fields: list[Field], sent: Mapping[str, str]) -> dict[str, Value] | Message:
    """What the form changes: id of an input -> its new value; a sentence for what no input can be."""
    found: dict[str, Value] = {}
    for field in fields:
        text = sent.get(field.feature.id, field.now).strip()
        if text == field.now:
            continue
        if field.choices:
            if text not in field.choices:
                return msg("{input} must be one of those offered. Choose one of them.", input=field.feature.label)
            found[field.feature.id] = text == "yes" if field.choices == ("no", "yes") else text
            continue
        number = _read(text)
        if number is None or not field.low <= number <= field.high:
            return _outside(field)
        found[field.feature.id] = number * field.slope + field.offset
    return found


def _read(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _outside(field: Field) -> Message:
    low, high = (with_unit(limit, "", field.digits) for limit in (field.low, field.high))
    if not field.unit:
        return msg("{input} must be a number from {low} to {high}.", input=field.feature.label, low=low, high=high)
    return msg(
        "{input} must be a number from {low} to {high} {unit}.",
        input=field.feature.label,
        low=low,
        high=high,
        unit=field.unit,
    )


def outcomes(shown: Opened, model: RiskModel, changed: Mapping[str, Value]) -> tuple[Outcome, ...] | Message:
    """The estimates with the changes beside those without, or the model's own refusal."""
    try:
        result = what_if(model, shown.decision.case.values, changed)
    except InputError as error:
        return msg("{text}", text=str(error).removeprefix("what-if: "))
    if isinstance(result, NotEstimated):
        return result.reason
    now = next((f.result for f in _estimated(shown) if f.model.id == model.id), ())
    first = [estimate for one in now if (estimate := same(result, one)) is not None]  # in the finding's order
    rest = [estimate for estimate in result if estimate not in first]
    return tuple(
        Outcome(value(before) if (before := same(now, estimate)) is not None else None, view(estimate, model, []))
        for estimate in (*first, *rest)
    )


def _estimated(shown: Opened) -> Iterator[_Estimated]:
    for finding in shown.decision.findings:
        if isinstance(finding, RiskFinding) and isinstance(finding.result, tuple):
            yield _Estimated(finding.model, finding.result)
