"""Models that came without code: a TOML declaration beside converted weights, made by `curbside models import`.

The declaration says what a feature is (a catalogue id, or codes, unit, window and plausible range), the calibration,
thresholds and the words for people. Everything is checked when it is read; nothing in it is ever executed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec

from cds_service.errors import PluginError
from cds_service.features import catalogue
from cds_service.features.feature import Feature, Quantity
from cds_service.language import Message, msg
from cds_service.risk import declared_faults
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import Band, Citation

DECLARATION = "declaration.toml"
PATIENT = "patient"  # a column that a table of rows may have: which rows are of one patient


class FeatureDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input: an `id` of the catalogue alone, or a quantity of one's own with all its members.

    plausible: inclusive, in `unit` (UCUM). look_back_days: how old a value may be. seen: lowest and highest value in
    training. conversions: UCUM unit -> factor to `unit`. column: the name in the model's file, where it has another.
    """

    id: str
    seen: tuple[float, float]
    column: str | None = None
    label: str | None = None
    unit: str | None = None
    codes: tuple[str, ...] = ()
    plausible: tuple[float, float] | None = None
    look_back_days: int | None = None
    category: str = "laboratory"
    digits: int = 0
    conversions: dict[str, float] = msgspec.field(default_factory=dict)
    answers: dict[str, float] = msgspec.field(default_factory=dict)


class CalibrationDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """log-odds = intercept + slope x the model's own output; 0 and 1 leave log-odds as they are.

    of: what that output is: `log-odds`, the average `vote` of a forest's trees (0 to 1), or another `decision` value.
    """

    intercept: float
    slope: float
    of: Literal["log-odds", "vote", "decision"] = "log-odds"


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named range that begins at a probability."""

    at: float
    id: str
    label: str


class CardDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model card must say, in whole sentences."""

    intended_use: str
    not_for: str
    data: str
    method: str
    performance: str
    limits: str
    licence: str


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a declaration. age: completed years, inclusive. required: features without which it refuses.

    minimum: how many features must be measured; all of them for a model that knows no gaps. timeout_ms: how long a
    model in a process apart may take for one patient. research: every card says that it is for no more.
    """

    id: str
    version: str
    title: str
    file: str
    outcome: str
    outcome_words: str
    population: str
    people: int
    source: str
    url: str
    age: tuple[int, int]
    required: tuple[str, ...]
    minimum: int
    calibration: CalibrationDeclaration
    card: CardDeclaration
    features: tuple[FeatureDeclaration, ...]
    thresholds: tuple[Threshold, ...] = ()
    timeout_ms: int = 500
    research: bool = False


def read(path: Path) -> Declaration:
    """The declaration in a file. Raises PluginError with one sentence that says what to mend."""
    try:
        declared = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Declaration)
    except OSError as error:
        raise PluginError(f"{path}: cannot be read; give the declaration of the model") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginError(f"{path}: is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        where = where.strip("`.")
        raise PluginError(
            f"{path}: {_place(where, path) + ': ' if where else ''}{what}; see the declaration in "
            "docs/adding-a-model.md"
        ) from error
    try:
        fault = declared_faults.first(declared, lambda: features(declared))
    except PluginError as error:
        raise PluginError(f"{path}: {error}") from error
    if fault:
        raise PluginError(f"{path}: {fault}")
    return declared


def _place(where: str, path: Path) -> str:
    """Where a fault is, with the feature's id in place of its number: features[2].seen is told as albumin's."""
    found = re.match(r"features\[(\d+)\]", where)
    if found is None:
        return where
    features_ = tomllib.loads(path.read_text(encoding="utf-8"))["features"]
    one = features_[int(found[1])]
    return f"features.{one['id']}{where[found.end() :]}" if isinstance(one, dict) and "id" in one else where


def features(declared: Declaration) -> tuple[Feature, ...]:
    """The features that are declared, in their order. Raises PluginError for an unknown one."""
    known = {feature.id: feature for feature in catalogue.all_features()}
    return tuple(_feature(one, known) for one in declared.features)


def load(folder: Path) -> FusedModel:
    """The model of a folder that `curbside models import` wrote. Raises PluginError naming the file at fault."""
    declared = read(folder / DECLARATION)
    bands: list[tuple[float, Band]] = [
        (t.at, Band(t.id, _text(t.label))) for t in sorted(declared.thresholds, key=lambda t: t.at)
    ]
    return FusedModel.load(
        folder,
        title=_text(declared.title),
        citation=Citation(declared.source, declared.url),
        features=features(declared),
        groups=(),
        outcome_words={declared.outcome: _text(declared.outcome_words)},
        population=_text(declared.population),
        limits=_text(declared.card.limits),
        bands={(declared.outcome, 0): bands} if bands else None,
        research=declared.research,
    )


def _text(words: str) -> Message:
    return msg("{words}", words=words)


def _feature(one: FeatureDeclaration, known: Mapping[str, Feature]) -> Feature:
    if one.unit is None:
        if one.id not in known:
            raise PluginError(
                f"features.{one.id}: is not in the catalogue; name one of docs/inputs.md, or give label, unit, codes, "
                "plausible and look_back_days"
            )
        return known[one.id]
    if one.label is None or one.plausible is None or not one.codes or one.look_back_days is None:
        raise PluginError(f"features.{one.id}: needs label, unit, codes, plausible and look_back_days")
    if one.id in known:
        raise PluginError(f"features.{one.id}: is an id of the catalogue; leave out the unit, or choose another id")
    return Quantity(
        one.id,
        _text(one.label),
        one.unit,
        one.codes,
        one.plausible,
        timedelta(days=one.look_back_days),
        one.category,
        one.digits,
        {unit: (factor, 0.0) for unit, factor in one.conversions.items()},
    )
