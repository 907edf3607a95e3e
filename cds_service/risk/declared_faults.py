"""What is wrong with the declaration of a model that came without code: one sentence, of the first fault."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cds_service.features.feature import (
    Coded,
    ConditionFeature,
    Demographic,
    Feature,
    FirstOf,
    MedicationFeature,
    Quantity,
    Value,
)
from cds_service.fhir import units

if TYPE_CHECKING:
    from cds_service.risk.declared import Declaration, FeatureDeclaration

_ID, _NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*"), re.compile(r"[a-z][a-z0-9_]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[+-][0-9A-Za-z.-]+)?")
_NEVER = frozenset({"race"})
_COLUMNS = frozenset({"id", "patient"})  # of tables, beside those of features and the outcome
_LOINC = re.compile(r"(\d{1,7})-(\d)")


def first(declared: Declaration, known: Callable[[], tuple[Feature, ...]]) -> str | None:
    """The first fault, or None. known: the declared features, once nothing is wrong with their declaration."""
    for found in (_head(declared), _numbers(declared), _features(declared), _card(declared)):
        if (fault := next(found, None)) is not None:
            return fault
    features = known()
    return next(_seen(declared, features), None) or next(_answers(declared, features), None)


def is_yes_or_no(feature: Feature) -> bool:
    """Whether a feature is true or false, 1 or 0 in a table."""
    if isinstance(feature, ConditionFeature | MedicationFeature):
        return True
    return isinstance(feature, Coded) and set(_said(feature)) == {True, False}


def _said(feature: Feature) -> tuple[Value, ...]:
    """All that a feature of words, or of yes and no, can be; empty for numbers."""
    if isinstance(feature, Demographic):
        return {"sex": ("female", "male")}.get(feature.id, ())
    if isinstance(feature, Coded):
        return tuple(dict.fromkeys(feature.answers.values()))
    return tuple(word for one in feature.alternatives for word in _said(one)) if isinstance(feature, FirstOf) else ()


def _head(declared: Declaration) -> Iterator[str]:
    if not _ID.fullmatch(declared.id):
        yield "id: must be small letters, digits and hyphens, such as hospital-death"
    if not _VERSION.fullmatch(declared.version):
        yield "version: must be three numbers, such as 1.0.0; new weights or a new calibration are a new version"
    if not _NAME.fullmatch(declared.outcome):
        yield "outcome: must be small letters, digits and underscores, such as hospital_death; it names a column"
    if declared.people < 1:
        yield "people: must be the number of people or stays that the model was trained on"
    if not 0 <= declared.age[0] <= declared.age[1] <= 130:
        yield "age: must be two ages in completed years, the lower one first"
    if not declared.url.startswith("https://"):
        yield "url: must begin with https://, where a reader finds the model's description"


def _numbers(declared: Declaration) -> Iterator[str]:
    calibration, thresholds = declared.calibration, declared.thresholds
    if not 50 <= declared.timeout_ms <= 2000:
        yield "timeout_ms: must be from 50 to 2000; a hook waits for the answer"
    if not (math.isfinite(calibration.intercept) and math.isfinite(calibration.slope)):
        yield "calibration: intercept and slope must be numbers"
    if calibration.slope <= 0:
        yield "calibration.slope: must be above 0; a model that ranks the wrong way round is not calibrated but mended"
    if thresholds and min(t.at for t in thresholds) != 0.0:
        yield "thresholds: the lowest must be at 0, so that every probability has a band"
    if not all(0.0 <= t.at < 1.0 for t in thresholds):
        yield "thresholds: each must be a probability from 0 to below 1; 20 % is 0.2"
    if len({t.at for t in thresholds}) != len(thresholds) or len({t.id for t in thresholds}) != len(thresholds):
        yield "thresholds: each needs a place and an id of its own"


def _features(declared: Declaration) -> Iterator[str]:
    ids = [one.id for one in declared.features]
    if not ids or len(set(ids)) != len(ids):
        yield "features: there must be some, and each id once"
    if unknown := set(declared.required) - set(ids):
        yield f"required: names {min(unknown)}, which is not among the features"
    if not 1 <= declared.minimum <= len(ids):
        yield f"minimum: must be from 1 to {len(ids)}, the number of features"
    if declared.outcome in ids or declared.outcome in _COLUMNS:
        yield "outcome: needs a name that is no feature's and not id or patient; tables have a column for each"
    if taken := _COLUMNS.intersection(ids):
        yield f"features.{min(taken)}: needs another id; tables have a column {min(taken)} of their own"
    for one in declared.features:
        if one.id in _NEVER:
            yield f"features.{one.id}: is never an input here; train the model without it"
        if not _ascending(one.seen, strictly=False):
            yield f"features.{one.id}.seen: must be the lowest and the highest value in training, in this order"
        if one.unit is not None:
            yield from _own(one, one.unit)


def _own(one: FeatureDeclaration, unit: str) -> Iterator[str]:
    """Faults of a quantity of the hospital's own."""
    where = f"features.{one.id}"
    for given in (unit, *one.conversions):
        if units.read(given) is None:
            yield f"{where}: {given} is no UCUM unit that Curbside knows; write it as records do, such as mg/dL"
    for code in one.codes:
        if not _is_loinc(code):
            yield (
                f"{where}.codes: {code} is no LOINC code (its check digit counts); a hospital's own codes are mapped "
                "to LOINC by codes.map in the settings"
            )
    if one.plausible is not None and not _ascending(one.plausible, strictly=True):
        yield f"{where}.plausible: must be the lowest and the highest value that can be, in this order"
    if one.look_back_days is not None and one.look_back_days < 1:
        yield f"{where}.look_back_days: must be 1 or more"
    if not 0 <= one.digits <= 6:
        yield f"{where}.digits: must be from 0 to 6, the decimals that are shown"
    for given, factor in one.conversions.items():
        if not (factor > 0 and math.isfinite(factor)):
            yield f"{where}.conversions: a factor must be above 0"
        known, target = units.read(given), units.read(unit)
        if known is not None and target is not None and known.dimension == target.dimension:
            right = known.factor / target.factor
            if abs(factor - right) > 1e-6 * right:
                yield f"{where}.conversions: 1 {given} is {right:g} {unit}, and not {factor:g}; leave the line out"


def _seen(declared: Declaration, features: tuple[Feature, ...]) -> Iterator[str]:
    """Training ranges beyond what a record may hold: most often the column had another unit."""
    for one, feature in zip(declared.features, features, strict=True):
        if not isinstance(feature, Quantity):
            continue
        low, high = feature.plausible
        if one.seen[0] < low or one.seen[1] > high:
            yield (
                f"features.{one.id}.seen: {one.seen[0]:g} to {one.seen[1]:g} goes beyond what is plausible "
                f"({low:g} to {high:g} {feature.unit}); was the column in another unit, or held it errors?"
            )


def _answers(declared: Declaration, features: tuple[Feature, ...]) -> Iterator[str]:
    """Words that the model would not get as a number, or numbers for what is no word."""
    for one, feature in zip(declared.features, features, strict=True):
        words = {word for word in _said(feature) if isinstance(word, str)}
        if words and set(one.answers) != words:
            lacking = ", ".join(f"{word} = ..." for word in sorted(words))
            yield f"features.{one.id}.answers: must tell the model's number for each word: {{ {lacking} }}"
        if words and not all(one.seen[0] <= number <= one.seen[1] for number in one.answers.values()):
            yield f"features.{one.id}.seen: must hold the numbers of its answers"
        if not words and one.answers:
            yield (
                f"features.{one.id}.answers: is for features of words, and this one is a number; yes counts as 1, no "
                "as 0: leave the answers out"
            )
        if is_yes_or_no(feature) and not (one.seen[0] >= 0 and one.seen[1] <= 1):
            yield f"features.{one.id}.seen: yes counts as 1 and no as 0; train the model on these, and say [0, 1]"


def _card(declared: Declaration) -> Iterator[str]:
    for name in declared.card.__struct_fields__:
        if len(getattr(declared.card, name).split()) < 3:
            yield f"card.{name}: needs a whole sentence"


def _ascending(pair: tuple[float, float], *, strictly: bool) -> bool:
    low, high = pair
    return math.isfinite(low) and math.isfinite(high) and (low < high or (low == high and not strictly))


def _is_loinc(code: str) -> bool:
    """Whether a code has the form of LOINC and its check digit (mod 10, as LOINC's users' guide gives it)."""
    found = _LOINC.fullmatch(code)
    if found is None:
        return False
    digits = [int(digit) for digit in reversed(found[1])]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    return (doubled + sum(digits[1::2]) + int(found[2])) % 10 == 0
