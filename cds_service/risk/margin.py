"""The trees of one margin: weights whose digest was checked, explained from tables, or by XGBoost where they cannot be.

A service with tables never loads XGBoost; whoever asks for the margins of a whole table does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.explain import kept_tables, tree
from cds_service.explain.forest import Forest
from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.risk.calibration import Reach

if TYPE_CHECKING:
    import xgboost


@dataclass(frozen=True)
class Margin:
    """One file of weights. inputs: how many the manifest declares. tables: None if the trees are many or deep."""

    path: Path
    sha256: str
    inputs: int
    tables: LeafTables | None = field(default=None, repr=False)

    @classmethod
    def read(cls, path: Path, sha256: str, inputs: int) -> Margin:
        """The trees in a file. Raises PluginError if it is missing, not the manifest's, or takes other inputs."""
        margin = cls(path, sha256, inputs)
        tables = kept_tables.tables(path, margin._content(), sha256)
        if tables is None:
            _ = margin.booster  # now, not at the first patient
            return margin
        margin._check_width(tables.forest.n_features)
        return cls(path, sha256, inputs, tables)

    @cached_property
    def booster(self) -> xgboost.Booster:
        """The ensemble in XGBoost, one thread. Raises PluginError as `read` does."""
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(self._content()))
        self._check_width(booster.num_features())
        return booster

    def check(self) -> None:
        """Raises PluginError if what explains the estimates differs from XGBoost."""
        if self.tables is not None and (apart := self.tables.difference(self.booster)) > AGREEMENT:
            raise PluginError(
                f"{self.path}: Curbside and XGBoost compute values {apart:.2g} apart from these weights; report it, "
                "and do not use the model"
            )

    def reach(self) -> Reach | None:
        """The least and the greatest margin that any patient can have; None if these are no plain trees."""
        forest = self.tables.forest if self.tables is not None else Forest.read(self._content())
        return None if forest is None else forest.reach()

    def attribution(self, matrix: NDArray[np.float32]) -> tree.Attribution:
        """Exact attributions for one patient. matrix: shape (1, n_inputs), NaN for what was not measured."""
        found = tree.tabled(self.tables, matrix) if self.tables is not None else None
        return found or tree.attribute(self.booster, matrix)

    def of_rows(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """The margin of each row of a matrix, shape (n_rows, n_inputs)."""
        return tree.margins(self.booster, matrix) if len(matrix) else np.empty(0)

    def _content(self) -> bytes:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError as error:
            raise PluginError(
                f"{self.path}: the weights are missing; restore the file or train the model again"
            ) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise PluginError(
                f"{self.path}: these are not the weights of {self.path.with_name('manifest.json')} (SHA-256 differs); "
                "restore both files from one version"
            )
        return content

    def _check_width(self, taken: int) -> None:
        if taken != self.inputs:
            raise PluginError(f"{self.path}: takes {taken} inputs, the manifest has {self.inputs}")
