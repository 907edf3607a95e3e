"""A trained model's manifest: what it takes, from whom it learnt, how it is calibrated, and its weights' digest."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cds_service.errors import PluginError


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an input stands in the source data's tables.

    unit: the unit there. factor: from there to the feature's unit. limits: what is possible at all, inclusive, in
    the table's unit; a cell outside is a fault of the table. answers: cell -> the feature's word, for coded columns.
    numbers: cell -> its number, where the table has words for ranges. missing: further cells that say "not measured".
    """

    name: str
    unit: str
    factor: float
    limits: tuple[float, float]
    answers: dict[str, str] = msgspec.field(default_factory=dict)
    numbers: dict[str, float] = msgspec.field(default_factory=dict)
    missing: tuple[str, ...] = ()


class Learnt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input's distribution in the training population, in the feature's unit.

    measured: number of people with a value. p01, p50, p99: percentiles.
    """

    measured: int
    lowest: float
    p01: float
    p50: float
    p99: float
    highest: float


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input of the model, in the order of its matrix.

    column: None if it is derived from other inputs. answers: the feature's word -> its number in the matrix.
    whole: floored first (completed years). monotone: 1 if more may only raise the estimate, -1 only lower it.
    """

    id: str
    label: str
    unit: str
    codes: tuple[str, ...]
    column: Column | None
    answers: dict[str, float]
    whole: bool
    group: str | None
    monotone: int
    training: Learnt


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the model learnt from.

    deaths: None if the outcome is another. horizons: by horizon or outcome, how many it was known of, and came to.
    """

    source: str
    licence: str
    people: int
    deaths: int | None
    description: str
    horizons: dict[str, dict[str, int]]


class Speaks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom the model gives a number.

    age: completed years, inclusive. required: inputs without which it refuses.
    minimum: how many measured inputs it needs; demographics and derived inputs do not count.
    never: input -> the words of it at which the model does not apply.
    """

    age: tuple[int, int]
    required: tuple[str, ...]
    minimum: int
    never: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class Calibrated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """logit P = intercept + slope x margin, of each horizon (years, as text) or named outcome, narrowest first.

    slopes: of horizons or outcomes that have one of their own; all others have `slope`.
    """

    slope: float
    intercepts: dict[str, float]
    rows: str
    slopes: dict[str, float] = msgspec.field(default_factory=dict)


class Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The margin of an outcome that has weights of its own: logit P = intercept + slope x margin."""

    weights: str
    sha256: str
    slope: float
    intercept: float
    expected_margin: float


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The source data's tables: the id column, and the columns that are known and not used (leaks among them).

    unused: names, or `*` with an ending for all columns of that ending.
    """

    id: str
    unused: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `manifest.json`.

    narrower: outcomes with a margin of their own that the first of `calibration` includes.
    recalibrates: the version whose weights these are, if a site calibrated them anew.
    likeness: the SHA-256 of `likeness.json`; None if there is none.
    """

    id: str
    version: str
    title: str
    outcome: str
    inputs: tuple[Input, ...]
    speaks: Speaks
    calibration: Calibrated
    expected_margin: float
    population: Population
    table: Table
    training: dict[str, str | int | float]
    versions: dict[str, str]
    weights: str
    sha256: str
    narrower: dict[str, Own] = msgspec.field(default_factory=dict)
    recalibrates: str | None = None
    likeness: str | None = None


def read(path: Path) -> Manifest:
    """The manifest in a file. Raises PluginError naming the file if it is missing or not as declared here."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise PluginError(f"{path}: is missing; train the model again or restore the file") from error
    except msgspec.MsgspecError as error:
        raise PluginError(f"{path}: is not a manifest: {error}") from error


def write(manifest: Manifest, path: Path) -> None:
    """The manifest as indented JSON, the same bytes for the same manifest."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
