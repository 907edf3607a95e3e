"""What a recipe declares of its table, of how trees learn from it, and of where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas

from cds_service.risk import speaking
from cds_service.risk.manifest import Speaks
from cds_service.risk.table import Computed
from cds_service.training import tables
from cds_service.training.evaluation import Rows
from cds_service.training.hazard import Parameters
from cds_service.training.masking import Dropout
from cds_service.training.tables import Data, Source, Told


@dataclass(frozen=True, slots=True)
class Table:
    """The source table. keep: which of its rows are of the population; the rest as `tables.read` takes it."""

    id: str
    sources: Sequence[Source]
    unused: Sequence[str]
    told: Sequence[Told]
    made: Sequence[Computed] = ()
    keep: Callable[[pandas.DataFrame], Rows] | None = None

    def read(self, path: Path) -> Data:
        """The rows of a file. Raises FeatureMismatch or BadRequest as `tables.read` does."""
        return tables.read(path, self.sources, self.id, self.unused, self.made, self.keep, self.told)

    @property
    def place(self) -> Mapping[str, int]:
        """The column of each input in the matrix, by id."""
        return {source.feature.id: position for position, source in enumerate(self.sources)}

    def spoken(self, table: Data, speaks: Speaks) -> Rows:
        """The rows for which a model gives a number, by the rule that holds for a record."""
        place = self.place
        counted = [place[source.feature.id] for source in self.sources if speaking.is_measured(source.feature)]
        enough = (~np.isnan(table.matrix[:, counted])).sum(axis=1) >= speaks.minimum
        return np.asarray(enough & speaking.of_rows(speaks, table.matrix, place), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What a record may lack together. panels: name -> ids of inputs; never: ids that are never hidden.

    patterns, single, copied: as in `Dropout`. trained: whether the trees see copies with panels hidden, or only the
    card hides them. remade: whether inputs that are derived from others are computed anew where something is hidden.
    """

    panels: Mapping[str, Sequence[str]]
    patterns: Mapping[str, frozenset[str]]
    never: Sequence[str]
    single: float = 0.0
    copied: float = 1.0
    trained: bool = True
    remade: bool = False

    def dropout(self, table: Table) -> Dropout:
        """The same by columns of the matrix."""
        place = table.place
        return Dropout(
            {name: [place[id_] for id_ in ids] for name, ids in self.panels.items()},
            list(self.patterns.values()),
            [place[id_] for id_ in self.never],
            single=self.single,
            copied=self.copied,
            remade=tables.remade(table.sources) if self.remade else None,
        )


@dataclass(frozen=True, slots=True)
class Learning:
    """How trees are grown, tuned and calibrated, as `hazard.Recipe` and `study.Plan` take it.

    everyone: whether the calibration is fitted on all rows, or on those alone for which the model speaks; on: these
    rows in words. replicates: of the bootstrap in the card. rival: sets of parameters that the gradient boosting beside
    it is tuned with.
    """

    rounds: int
    start: Parameters
    space: Mapping[str, tuple[str, float, float]]
    on: str
    everyone: bool = False
    inner: int = 3
    held_out: int = 0
    from_outer: bool = False
    own_slopes: bool = False
    cuts: int = 0
    chains: int = 1
    replicates: int = 300
    rival: int = 8
    further: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the data come from. counted: what rows, and rows to which the outcome came, are called in the manifest.

    deaths: the outcome that is death and is told as such; None if none is.
    """

    source: str
    licence: str
    description: str
    counted: tuple[str, str] = ("people", "with it")
    deaths: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: tests do less. rival: sets of parameters that the rival is tuned with."""

    rounds: int
    outer: int
    replicates: int
    rival: int
    refits: int
