"""The rows of a backtest as arrays, one part after another: numbers and short texts alone are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq

from cds_service.cohort.groups import DIMENSIONS
from cds_service.cohort.judging import Judgeable, month
from cds_service.cohort.outcomes import Declared, Outcome
from cds_service.cohort.planning import Load
from cds_service.cohort.speaking import Speaking, speaking


@dataclass(slots=True)
class _Estimates:
    """Estimates of one kind for one outcome, as they are collected. came: 1, 0, or NaN where it is not known."""

    version: str = ""
    probability: bool = False
    values: list[float] = field(default_factory=list)
    came: list[float] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    wards: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in DIMENSIONS})
    patients: list[int] = field(default_factory=list)
    intervals: int = 0

    def add(self, row: dict[str, Any], patient: int, came: bool | None, days: float | None) -> None:
        self.version, self.probability = row["version"], row["probability"]
        if came is not None:
            self.intervals += row["high"] is not None  # the lower end is judged, and the report says how many
        self.values.append(row["value"])
        self.came.append(np.nan if came is None else float(came))
        self.days.append(days if days is not None else np.nan)
        self.at.append(row["at"])
        self.wards.append(row["ward"])
        self.patients.append(patient)
        for name in DIMENSIONS:
            self.groups[name].append(row[name])


@dataclass(slots=True)
class _Cards:
    """What one service said, as it is collected."""

    cards: list[bool] = field(default_factory=list)
    truth: list[dict[str, Any]] = field(default_factory=list)
    clinicians: list[str] = field(default_factory=list)
    months: list[str] = field(default_factory=list)
    patients: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Collected:
    """All that the rows of a backtest hold. encounters: calls of a hook, by hook. patients: with any call."""

    estimates: tuple[Judgeable, ...]
    services: tuple[Speaking, ...]
    encounters: dict[str, int]
    patients: int


def collect(rows: Path, declared: Declared) -> Collected:
    """The rows of all parts. rows: the folder of the parts."""
    estimates: dict[tuple[str, str], _Estimates] = {}
    refusals: dict[tuple[str, str], Counter[str]] = {}
    cards: dict[str, _Cards] = {}
    seen: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for part in sorted(rows.glob("*.parquet")):
        found = pq.read_table(part).to_pylist()
        for hook, _ in {(row["hook"], (row["patient"], row["encounter"], row["at"])) for row in found}:
            seen[hook] = seen.get(hook, 0) + 1
        for row in found:
            number = numbers.setdefault(row["patient"], len(numbers))
            _take(row, number, declared, estimates, refusals, cards)
    made = tuple(_judgeable(key, got, declared, refusals) for key, got in sorted(estimates.items()))
    return Collected(made, tuple(_services(cards, declared)), seen, len(numbers))


def _take(
    row: dict[str, Any],
    patient: int,
    declared: Declared,
    estimates: dict[tuple[str, str], _Estimates],
    refusals: dict[tuple[str, str], Counter[str]],
    cards: dict[str, _Cards],
) -> None:
    truth = orjson.loads(row["truth"])
    if row["kind"] in ("card", "none"):
        kept = cards.setdefault(row["name"], _Cards())
        kept.cards.append(row["kind"] == "card")
        kept.truth.append(truth)
        kept.clinicians.append(row["clinician"])
        kept.months.append(row["at"].strftime("%Y-%m"))
        kept.patients.append(patient)
        return
    for outcome in declared.outcomes:
        if outcome.hook != row["hook"]:
            continue
        if row["kind"] == "refusal" and any(w.split("/")[0] == row["name"] for w in outcome.estimates):
            refusals.setdefault((row["name"], outcome.id), Counter())[row["reason"]] += 1
        elif row["kind"] == "estimate" and outcome.judges(row["name"], row["outcome"], row["horizon"]):
            name = "/".join(str(part) for part in (row["name"], row["outcome"], row["horizon"]) if part is not None)
            estimates.setdefault((name, outcome.id), _Estimates()).add(row, patient, *truth[outcome.id])


def _judgeable(
    key: tuple[str, str], got: _Estimates, declared: Declared, refusals: dict[tuple[str, str], Counter[str]]
) -> Judgeable:
    name, id_ = key
    outcome = next(one for one in declared.outcomes if one.id == id_)
    came = np.array(got.came, dtype=np.float64)
    known = ~np.isnan(came)
    dates = np.array([np.datetime64(at.replace(tzinfo=None), "s") for at in got.at], dtype="datetime64[s]")
    values, patients = np.array(got.values, dtype=np.float64), np.array(got.patients, dtype=np.int64)
    return Judgeable(
        name=name,
        version=got.version,
        outcome=id_,
        title=outcome.title,
        probability=got.probability,
        values=values[known],
        outcomes=came[known],
        days=np.array(got.days, dtype=np.float64)[known],
        months=np.array([month(at) for at in got.at], dtype=np.str_)[known],
        dates=dates[known],
        groups={dimension: np.array(names, dtype=np.str_)[known] for dimension, names in got.groups.items()},
        patients=patients[known],
        load=Load(values, came, np.array(got.wards, dtype=np.str_), dates, patients),
        unknown=int((~known).sum()),
        intervals=got.intervals,
        refusals=dict(refusals.get((name.split("/")[0], id_), {})),
    )


def _services(cards: dict[str, _Cards], declared: Declared) -> Iterator[Speaking]:
    for service, got in sorted(cards.items()):
        judged: Sequence[Outcome | None] = [o for o in declared.outcomes if service in o.services] or [None]
        for outcome in judged:
            told = [truth.get(outcome.id, [None, None]) if outcome else [None, None] for truth in got.truth]
            came = np.array([np.nan if one[0] is None else float(one[0]) for one in told])
            days = np.array([np.nan if one[1] is None else one[1] for one in told], dtype=np.float64)
            yield speaking(
                service, outcome.id if outcome else "", np.array(got.cards, dtype=bool), came, days,
                np.array(got.clinicians, dtype=np.str_), np.array(got.months, dtype=np.str_),
                np.array(got.patients, dtype=np.int64),
            )  # fmt: skip
