"""An outcome with trees of its own that a wider outcome includes, as death in hospital is among deaths in 180 days.

Its log-odds are the lower of two: its own margin's, and the wider outcome's. So its risk never exceeds that of what
includes it, whatever the trees say, and nothing is moved to a number that no margin gave: the explanation is that of
the margin that is in force, and exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.explain import kept_tables, tree
from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.risk.calibration import Calibration
from cds_service.risk.manifest import Own

if TYPE_CHECKING:
    import xgboost


@dataclass(frozen=True)
class Narrower:
    """The margin of one such outcome. content: its weights, after their digest was checked."""

    outcome: str
    path: Path
    calibration: Calibration
    content: Callable[[], bytes] = field(repr=False)
    tables: LeafTables | None = field(default=None, repr=False)

    @classmethod
    def of(cls, outcome: str, path: Path, own: Own, content: Callable[[], bytes]) -> Narrower:
        """The margin as the manifest declares it. Raises PluginError if its calibration cannot be."""
        try:
            calibration = Calibration(own.slope, {outcome: own.intercept})
        except ValueError as error:
            raise PluginError(f"{path.parent / 'manifest.json'}: calibration of {outcome}: {error}") from error
        return cls(outcome, path, calibration, content, kept_tables.tables(path, content(), own.sha256))

    @cached_property
    def booster(self) -> xgboost.Booster:
        """The ensemble in XGBoost, one thread."""
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(self.content()))
        return booster

    def check(self) -> None:
        """Raises PluginError if what explains the estimates differs from XGBoost."""
        if self.tables is not None and (apart := self.tables.difference(self.booster)) > AGREEMENT:
            raise PluginError(
                f"{self.path}: Curbside and XGBoost compute values {apart:.2g} apart from these weights; report it, "
                "and do not use the model"
            )

    def attribution(self, matrix: NDArray[np.float32]) -> tree.Attribution:
        """Exact attributions of its own margin for one patient."""
        found = tree.tabled(self.tables, matrix) if self.tables is not None else None
        return found or tree.attribute(self.booster, matrix)

    def log_odds(self, matrix: NDArray[np.float32], wider: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log-odds of each row. wider: those of the outcome that includes this one."""
        return np.minimum(self.calibration.log_odds(self.outcome, self.margins(matrix)), wider)

    def margins(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """The uncalibrated output of each row of a matrix."""
        return tree.margins(self.booster, matrix)
