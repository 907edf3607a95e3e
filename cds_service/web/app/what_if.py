"""What-if in the review: some inputs of a prevention score changed, and the exact estimate for these values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.errors import BadRequest, InputError
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
from cds_service.findings import RiskFinding
from cds_service.language import Message, msg
from cds_service.risk.model import NotEstimated, RiskModel
from cds_service.risk.values_in_words import printed_unit
from cds_service.web.app.estimates import EstimateView, value, view
from cds_service.web.app.opening import Opened
from cds_service.what_if import levers_of, limits_of, what_if


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the form. choices: of a coded or yes/no input; empty for a number between low and high."""

    feature: Feature
    now: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    step: str = "any"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One estimate now and with the changes."""

    now: Message | None
    then: EstimateView


def models_of(shown: Opened) -> dict[str, RiskModel]:
    """The models of an assessment that can be asked what-if: published scores with levers that gave an estimate."""
    found = [f for f in shown.decision.findings if isinstance(f, RiskFinding) and isinstance(f.result, tuple)]
    return {f.model.id: f.model for f in found if levers_of(f.model)}


def form(shown: Opened, model: RiskModel) -> list[Field]:
    """The inputs of a model that somebody can change, with their present values.

    Of inputs that mean the same (a recorded and a computed body mass index) the one that counts is offered, and not
    what it may be computed from: a field that changes nothing would mislead.
    """
    entries = shown.decision.case.values.entries
    found: dict[str, Field] = {}
    for feature in _offered(model.features):
        entry = entries.get(feature.id)
        made = _field(feature, entry) if isinstance(entry, FeatureValue) else None
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


def _field(feature: Feature, entry: FeatureValue) -> Field | None:
    limits = limits_of(feature)
    if isinstance(feature, Quantity | FirstOf) and limits is not None:
        number = f"{float(entry.value):.{feature.digits}f}"
        unit = printed_unit(feature.unit)
        return Field(feature, number, unit, *limits, f"{10.0**-feature.digits:g}")
    if isinstance(feature, Coded):
        words = tuple(dict.fromkeys(str(word) for word in feature.answers.values()))
        return Field(feature, str(entry.value), choices=words)
    if isinstance(feature, MedicationFeature):
        return Field(feature, "yes" if entry.value else "no", choices=("no", "yes"))
    return None


def changes(fields: list[Field], sent: Mapping[str, str]) -> dict[str, Value]:
    """What the form changes: id of an input -> its new value. Raises BadRequest for what is no number."""
    found: dict[str, Value] = {}
    for field in fields:
        text = sent.get(field.feature.id, field.now).strip()
        if text == field.now:
            continue
        if field.choices == ("no", "yes"):
            found[field.feature.id] = text == "yes"
        elif field.choices:
            found[field.feature.id] = text
        else:
            try:
                found[field.feature.id] = float(text.replace(",", "."))
            except ValueError:
                raise BadRequest(
                    msg("{input} must be a number. Write it with digits.", input=field.feature.label)
                ) from None
    return found


def outcomes(shown: Opened, model: RiskModel, changed: Mapping[str, Value]) -> tuple[Outcome, ...] | Message:
    """The estimates with the changes beside those without, or the model's own refusal."""
    try:
        result = what_if(model, shown.decision.case.values, changed)
    except InputError as error:
        return msg("{text}", text=str(error).removeprefix("what-if: "))
    if isinstance(result, NotEstimated):
        return result.reason
    now = shown.decision.case.results.get(model.id)
    before = {(e.outcome, e.horizon_years): value(e) for e in now} if isinstance(now, tuple) else {}
    return tuple(Outcome(before.get((e.outcome, e.horizon_years)), view(e, model, [])) for e in result)
