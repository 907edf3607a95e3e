"""Boosted trees with one margin that all horizons, or all ordered outcomes, share; by default that of Cox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xgboost
from numpy.typing import NDArray

from cds_service.risk.calibration import Observed, T
from cds_service.training import random_cuts
from cds_service.training.joining import NEUTRAL, averaged
from cds_service.training.masking import Dropout

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]
_APART = 1000  # between the seeds of two chains: more than either has rounds


@dataclass(frozen=True, slots=True)
class Labelled:
    """What trees are fitted to: rows, XGBoost's label of each, and where its margin starts (None: at nothing)."""

    matrix: Matrix
    labels: Floats
    offsets: Floats | None = None


class People(Protocol[T]):
    """A cohort as a study sees it, by horizon in years or by name of outcome.

    strata: kept in equal shares by every split. groups: rows of one number are never parted by a split, or None.
    known: of whom the outcome is known.
    """

    @property
    def matrix(self) -> Matrix: ...
    @property
    def strata(self) -> NDArray[np.int64]: ...
    @property
    def groups(self) -> NDArray[np.int64] | None: ...
    @property
    def known(self) -> Mapping[T, NDArray[np.bool_]]: ...
    @property
    def objective(self) -> str: ...
    def __len__(self) -> int: ...
    def within(self, target: T, /) -> Floats: ...
    def observed(self, margins: Floats, rows: NDArray[np.bool_]) -> dict[T, Observed]: ...
    def labelled(self, rows: NDArray[np.int64], chain: int = 0) -> Labelled: ...


@dataclass(frozen=True, slots=True)
class Cohort:
    """People with inputs, follow-up and strata.

    matrix: shape (n, n_inputs). months: follow-up, > 0. died: 1 if it ended with the outcome, else 0.
    strata: kept in equal shares by every split. known: horizon in years -> who was enrolled early enough to tell.
    ends: months after which follow-up counts no more, for each of the recipe's chains in turn; none: all of it counts.
    """

    matrix: Matrix
    months: Floats
    died: NDArray[np.int64]
    strata: NDArray[np.int64]
    known: Mapping[int, NDArray[np.bool_]]
    ends: tuple[float, ...] = ()

    @property
    def objective(self) -> str:
        """XGBoost's name of what is fitted."""
        return "survival:cox"

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """Everyone is there once."""
        return None

    def __len__(self) -> int:
        return len(self.matrix)

    def labelled(self, rows: NDArray[np.int64], chain: int = 0) -> Labelled:
        """Follow-up in months; XGBoost's Cox objective takes censored times as negative numbers."""
        end = self.ends[chain % len(self.ends)] if self.ends else np.inf
        died = (self.died[rows] == 1) & (self.months[rows] <= end)
        months = np.minimum(self.months[rows], end)
        return Labelled(self.matrix[rows], np.where(died, months, -months))

    def within(self, horizon: int) -> Floats:
        """1 for those who died within the horizon, else 0."""
        return np.asarray((self.died == 1) & (self.months <= 12 * horizon), dtype=np.float64)

    def observed(self, margins: Floats, rows: NDArray[np.bool_]) -> dict[int, Observed]:
        """What was seen at each horizon among some rows: input of the calibration."""
        seen = {}
        for horizon, known in self.known.items():
            use = known & rows
            seen[horizon] = Observed(margins[use], self.within(horizon)[use])
        return seen


@dataclass(frozen=True, slots=True)
class Recipe:
    """What does not change between fits of a study.

    rounds: of boosting; `num_parallel_tree` of the parameters says how many trees each adds.
    monotone: -1, 0 or 1 for each input. dropout: None trains on the rows as they are.
    cuts: places, drawn at random in each round, at which an input may be cut; 0 for all that XGBoost finds.
    chains: ensembles grown apart whose margins are averaged; `rounds` counts those of each.
    """

    rounds: int
    monotone: Sequence[int]
    dropout: Dropout | None
    seed: int
    cuts: int = 0
    chains: int = 1


Parameters = Mapping[str, float | int]


def fit(cohort: People[T], rows: NDArray[np.int64], parameters: Parameters, recipe: Recipe) -> xgboost.Booster:
    """Trees fitted to some rows of a cohort and to one masked copy of them; the same rows give the same bytes."""
    chains = [_chain(cohort, rows, parameters, recipe, number) for number in range(recipe.chains)]
    return chains[0] if len(chains) == 1 else averaged(chains)


def _chain(
    cohort: People[T], rows: NDArray[np.int64], parameters: Parameters, recipe: Recipe, number: int
) -> xgboost.Booster:
    """One ensemble of a recipe: of the chains each has its own random numbers, and so its own masked copy."""
    seed = recipe.seed + _APART * number
    given = cohort.labelled(rows, number)
    matrix, labels, offsets = given.matrix, given.labels, given.offsets
    if recipe.dropout is not None:
        generator = np.random.default_rng(seed)
        again = np.arange(len(matrix))
        if recipe.dropout.copied < 1.0:
            again = np.sort(generator.permutation(len(matrix))[: int(recipe.dropout.copied * len(matrix))])
        masked = recipe.dropout.masked(matrix[again], generator)
        matrix, labels = np.vstack([matrix, masked]), np.concatenate([labels, labels[again]])
        offsets = None if offsets is None else np.concatenate([offsets, offsets[again]])
    settings: dict[str, str | int | float] = {
        "objective": cohort.objective,
        "tree_method": "hist",
        "nthread": 1,
        "seed": seed,
        "monotone_constraints": "(" + ",".join(str(sign) for sign in recipe.monotone) + ")",
        **parameters,
    }
    if offsets is not None or recipe.chains > 1:
        settings["base_score"] = NEUTRAL[cohort.objective]  # so that nothing is added where no start is given
    if recipe.cuts:
        return random_cuts.train(matrix, labels, offsets, settings, recipe.rounds, recipe.cuts)
    table = xgboost.DMatrix(matrix, labels, nthread=1)
    if offsets is not None:
        table.set_base_margin(offsets)
    return xgboost.train(settings, table, recipe.rounds)


def margins(booster: xgboost.Booster, matrix: Matrix) -> Floats:
    """The margin of each row of a matrix."""
    predicted = booster.predict(xgboost.DMatrix(matrix, nthread=1), output_margin=True)
    return np.asarray(predicted, dtype=np.float64)
