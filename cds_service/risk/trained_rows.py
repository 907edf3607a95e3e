"""A trained model on tables: the rows of a file in the source data's columns, or of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.features.feature import Feature
from cds_service.risk import likeness, narrower, speaking, table
from cds_service.risk.calibration import Calibration, Target, expit
from cds_service.risk.manifest import Manifest
from cds_service.risk.margin import Margin
from cds_service.risk.narrower import Narrower


@dataclass(frozen=True)
class TrainedRows:
    """What a trained model needs for rows; members as in `TrainedModel`."""

    manifest: Manifest
    inputs: tuple[Feature, ...]
    made: tuple[table.Computed, ...]
    margin: Margin
    calibration: Calibration
    narrower: tuple[Narrower, ...]

    def predict(self, path: Path) -> table.Predictions:
        """Probabilities for the rows of a file.

        Raises FeatureMismatch or BadRequest as `table.read` does; nothing is predicted if a single cell is at fault.
        """
        declared = self.manifest
        rows = table.read(path, declared.inputs, declared.table, self.made)
        matrix = table.matrix(rows.values, declared.inputs, self.inputs)
        spoken = self._speaks(matrix) & self._applies(rows)
        header, columns = [declared.table.id], [list[str | float | None](rows.ids)]
        for horizon, log_odds in self.log_odds(matrix).items():
            risk = expit(log_odds).tolist()
            name = f"{declared.outcome}_{horizon}y" if isinstance(horizon, int) else horizon
            header += [name, f"{name}_unrestricted"]
            columns += [[p if ok else None for p, ok in zip(risk, spoken, strict=True)], risk]
        return table.Predictions(tuple(header), tuple(zip(*columns, strict=True)))

    def log_odds(self, matrix: NDArray[np.float32]) -> dict[Target, NDArray[np.float64]]:
        """Calibrated log-odds of each row of a matrix, by outcome or horizon, narrowest first."""
        margins, (first, *longer) = self.margin.of_rows(matrix), self.calibration.horizons
        own = [part.calibration.log_odds(part.outcome, part.margin.of_rows(matrix)) for part in self.narrower]
        ordered = narrower.in_order([*own, self.calibration.log_odds(first, margins)])
        names: Sequence[Target] = [*(part.outcome for part in self.narrower), first]
        wide: dict[Target, NDArray[np.float64]] = {h: self.calibration.log_odds(h, margins) for h in longer}
        return dict(zip(names, ordered, strict=True)) | wide

    def _speaks(self, matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
        """For which rows of a matrix the model gives a number; the same rule as for a record."""
        speaks = self.manifest.speaks
        measured = ~np.isnan(matrix[:, [at for at, f in enumerate(self.inputs) if speaking.is_measured(f)]])
        enough = measured.sum(axis=1) >= speaks.minimum
        enough &= ~likeness.contradictory(matrix, self._place)
        return np.asarray(enough & speaking.of_rows(speaks, matrix, self._place), dtype=np.bool_)

    def _applies(self, rows: table.Rows) -> NDArray[np.bool_]:
        """For which rows no input has a word at which the model does not apply."""
        ok = np.ones(len(rows.ids), dtype=np.bool_)
        for id_, words in self.manifest.speaks.never.items():
            ok &= np.array([value not in words for value in rows.values[id_]], dtype=np.bool_)
        return ok

    @cached_property
    def _place(self) -> dict[str, int]:
        return {declared.id: position for position, declared in enumerate(self.manifest.inputs)}
