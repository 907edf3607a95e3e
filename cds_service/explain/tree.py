"""Exact attributions of a tree ensemble, on the scale of its calibrated log-odds.

TreeSHAP gives the margin's attributions: from tables (`leaf_tables.py`), or XGBoost's own. The calibration is affine,
so multiplying them by its slope and adding its intercept to the expected value keeps them exact. What was not measured
becomes one contribution, and inputs that tell of the same thing are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import FeatureMismatch
from cds_service.explain.explanation import Baseline, Contribution, Explanation, Scale
from cds_service.explain.leaf_tables import LeafTables
from cds_service.explain.wording import listing
from cds_service.features.feature import FeatureValue, Unusable
from cds_service.language import Message, msg

if TYPE_CHECKING:
    import xgboost

NOT_MEASURED = msg("Not measured")
NO_EXPLANATION = msg("No exact explanation: what each input added to this estimate is not known")
TOLERANCE = 5e-5  # between a margin and the sum of its attributions: what float32 may lose over some hundred trees


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs that tell of the same thing; their contributions are shown as one.

    features: ids of the inputs, in the order in which their values are read out.
    """

    id: str
    label: Message
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each input adds to each row's margin.

    phi: shape (n_patients, n_features). expected: the margin's expected value.
    margins: shape (n_patients,), computed apart from the attributions.
    `expected` plus the row's sum of `phi` equals its margin within 5e-5.
    """

    phi: NDArray[np.float64]
    expected: float
    margins: NDArray[np.float64]


def attribute(booster: xgboost.Booster, matrix: NDArray[np.float32], tables: LeafTables | None = None) -> Attribution:
    """Exact TreeSHAP values of a margin, one row per patient.

    matrix: shape (n_patients, n_features), columns in manifest order, NaN for what was not measured.
    tables: of the same booster; without them, or where they do not add up to the margin, XGBoost computes both.
    Raises FeatureMismatch if the column count differs from the model's.
    Source: Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9.
    """
    if tables is not None and (found := tabled(tables, matrix)) is not None:
        return found
    rows = as_rows(booster, matrix)
    contributions = np.asarray(booster.predict(rows, pred_contribs=True), dtype=np.float64)
    margins = np.asarray(booster.predict(rows, output_margin=True), dtype=np.float64)
    return Attribution(contributions[:, :-1], float(contributions[0, -1]), margins)


def tabled(tables: LeafTables, matrix: NDArray[np.float32]) -> Attribution | None:
    """The same from tables alone, without XGBoost; None where they do not add up to the margin.

    Raises FeatureMismatch as `attribute` does.
    """
    _check_width(tables.forest.n_features, matrix)
    found = [tables.explain(row) for row in matrix]
    phi, margins = np.stack([row for row, _ in found]), np.array([margin for _, margin in found])
    if np.abs(tables.expected + phi.sum(axis=1) - margins).max() > TOLERANCE:
        return None
    return Attribution(phi, tables.expected, margins)


def margins(booster: xgboost.Booster, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """The margins alone, shape (n_patients,). Raises FeatureMismatch as `attribute` does."""
    return np.asarray(booster.predict(as_rows(booster, matrix), output_margin=True), dtype=np.float64)


def as_rows(booster: xgboost.Booster, matrix: NDArray[np.float32]) -> xgboost.DMatrix:
    """The matrix in XGBoost's form. Raises FeatureMismatch if the column count differs from the model's."""
    import xgboost  # a service does without

    _check_width(booster.num_features(), matrix)
    return xgboost.DMatrix(matrix, nthread=1)


def _check_width(expected: int, matrix: NDArray[np.float32]) -> None:
    if matrix.ndim != 2 or matrix.shape[1] != expected:
        raise FeatureMismatch(f"the model takes {expected} inputs, got an array of shape {matrix.shape}")


def explanation(shown: tuple[Contribution, ...], *, baseline: float, output: float, population: Message) -> Explanation:
    """One patient's explanation on the calibrated log-odds of one horizon.

    shown: contributions, the same for all horizons that share a slope. baseline: the calibrated expected value.
    output: the calibrated log-odds, computed apart from the attributions.
    population: whom the expected value is an average over.
    """
    return Explanation(Scale.LOG_ODDS, Baseline.POPULATION, baseline, population, shown, output)


def unexplained(output: float) -> Explanation:
    """What stands in for the explanation of a model that cannot be explained exactly: no contributions at all."""
    return Explanation(Scale.LOG_ODDS, Baseline.NONE, output, NO_EXPLANATION, (), output)


def contributions(
    amounts: NDArray[np.float64],
    inputs: Sequence[FeatureValue | Unusable],
    groups: Sequence[Group],
    words: Callable[[FeatureValue], Message],
) -> tuple[Contribution, ...]:
    """Grouped contributions in the order of the inputs; all that was not measured comes last, as one.

    amounts: shape (n_features,), attributions times the calibration's slope. words: a value as it is read.
    """
    return weighed(amounts, shares(inputs, groups, words))


def weighed(amounts: NDArray[np.float64], shared: Sequence[Share]) -> tuple[Contribution, ...]:
    """The contributions of some shares, from the amounts of all inputs."""
    every = amounts.tolist()
    return tuple([Contribution(s.features, s.label, sum([every[at] for at in s.places]), *s.told) for s in shared])


def shares(
    inputs: Sequence[FeatureValue | Unusable], groups: Sequence[Group], words: Callable[[FeatureValue], Message]
) -> list[Share]:
    """What `contributions` says of the inputs whatever they add: the same for all horizons of a margin."""
    owner = {feature: group for group in groups for feature in group.features}
    places: dict[str, list[int]] = {}
    absent: list[int] = []
    for at, entry in enumerate(inputs):
        if isinstance(entry, Unusable):
            absent.append(at)
        else:
            group = owner.get(entry.feature.id)
            places.setdefault(entry.feature.id if group is None else group.id, []).append(at)
    found: list[Share] = []
    for together in places.values():
        members = [entry for at in together if isinstance(entry := inputs[at], FeatureValue)]
        found.append(_joined(owner.get(members[0].feature.id), members, together, words))
    if absent:
        found.append(Share(tuple(inputs[at].feature.id for at in absent), NOT_MEASURED, absent, (None,)))
    return found


class Share(NamedTuple):
    """A contribution without its amount. places: of its inputs. told: the value in words, its time and sources."""

    features: tuple[str, ...]
    label: Message
    places: Sequence[int]
    told: tuple[Any, ...]


def _joined(
    group: Group | None, found: Sequence[FeatureValue], places: Sequence[int], words: Callable[[FeatureValue], Message]
) -> Share:
    """The share of one input, or of the measured inputs of one group."""
    shown = partial(words, found[0]) if group is None else partial(_together, found, words)
    sources = tuple(dict.fromkeys(source for entry in found for source in entry.sources))
    label = found[0].feature.label if group is None else group.label
    return Share(tuple([entry.feature.id for entry in found]), label, places, (shown, _oldest(found), sources))


def _together(found: Sequence[FeatureValue], words: Callable[[FeatureValue], Message]) -> Message:
    return listing([_named(entry, words) for entry in found])


def _named(entry: FeatureValue, words: Callable[[FeatureValue], Message]) -> Message:
    return msg("{label} {value}", label=entry.feature.label, value=words(entry))


def _oldest(found: Sequence[FeatureValue]) -> datetime | None:
    return min((entry.effective for entry in found if entry.effective is not None), default=None)
