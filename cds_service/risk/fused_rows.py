"""A fused model on tables: the rows of a file in the source data's columns, or of a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.features.feature import Derived, Feature
from cds_service.risk import fusion, speaking, table
from cds_service.risk.calibration import expit
from cds_service.risk.fusion import Fusion, Modality
from cds_service.risk.modality import Scorer

Floats = NDArray[np.float64]


def in_order(
    own: Mapping[tuple[str, int], Floats], outcomes: Sequence[str], horizons: Sequence[int]
) -> dict[tuple[str, int], Floats]:
    """Log-odds by outcome and horizon, each at least those of every narrower outcome and shorter horizon.

    outcomes: widest first. horizons: ascending.
    """
    found: dict[tuple[str, int], Floats] = {}
    for outcome in reversed(outcomes):
        for horizon in horizons:
            within = [line for (_, shorter), line in found.items() if shorter <= horizon]
            found[outcome, horizon] = np.maximum.reduce([own[outcome, horizon], *within])
    return found


@dataclass(frozen=True)
class FusedRows:
    """What a fused model needs for rows. gates: features that forbid an answer where they are true."""

    manifest: Fusion
    inputs: tuple[Feature, ...]
    gates: tuple[Feature, ...]
    scorers: Mapping[tuple[str, str], Scorer]

    def predict(self, path: Path) -> table.Predictions:
        """Probabilities for the rows of a file. Raises FeatureMismatch or BadRequest as `table.read` does."""
        declared = self.manifest
        rows = table.read(path, declared.inputs, declared.table)
        matrix = table.matrix(rows.values, declared.inputs, self.inputs)
        spoken = self.speaks(matrix)
        header, columns = [declared.table.id], [list[str | float | None](rows.ids)]
        log_odds = self.log_odds(matrix)
        for outcome in declared.outcomes:
            for horizon in declared.horizons:
                risk = expit(log_odds[outcome, horizon]).tolist()
                name = f"{outcome}_{horizon}y" if horizon else outcome
                header += [name, f"{name}_unrestricted"]
                columns += [[p if ok else None for p, ok in zip(risk, spoken, strict=True)], risk]
        return table.Predictions(tuple(header), tuple(zip(*columns, strict=True)))

    def log_odds(self, matrix: NDArray[np.float32]) -> dict[tuple[str, int], Floats]:
        """Fused log-odds of each outcome and horizon for the rows of a matrix, shape (n_rows, n_inputs)."""
        return in_order(self.own_log_odds(matrix), self.manifest.outcomes, self.manifest.horizons)

    def own_log_odds(self, matrix: NDArray[np.float32]) -> dict[tuple[str, int], Floats]:
        """The same before one is raised to a narrower outcome or a shorter horizon that it includes."""
        there = self._present_rows(matrix)
        found: dict[tuple[str, int], Floats] = {}
        for outcome in self.manifest.outcomes:
            parts = {m.id: self._part_log_odds(outcome, m, matrix) for m in self.manifest.modalities}
            for horizon in self.manifest.horizons:
                result = np.empty(len(matrix))
                for pattern in (p for p in self.manifest.patterns if p.outcome == outcome):
                    rows = (there == self._bits(pattern.modalities)).nonzero()[0]
                    intercept, slope = pattern.line(horizon)
                    total = np.zeros(len(rows))
                    for id_, weight in pattern.weights.items():
                        total += weight * parts[id_][rows]
                    result[rows] = intercept + slope * total
                found[outcome, horizon] = result
        return found

    def speaks(self, matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
        """For which rows the model gives a number; the same rule as for a record, gates told by inputs included."""
        there = self._counts(matrix)
        ok = np.any([there[m.id] >= m.minimum for m in self.manifest.modalities], axis=0)
        ok &= speaking.of_rows(self.manifest.speaks, matrix, self._place)
        for feature in self.gates:
            ok &= ~self._gated(feature, matrix)
        return np.asarray(ok, dtype=np.bool_)

    def _gated(self, gate: Feature, matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
        """The rows for which a gate is true, as far as the model's own inputs tell it."""
        if not isinstance(gate, Derived) or len(gate.inputs) != 1 or gate.inputs[0].id not in self._place:
            return np.zeros(len(matrix), dtype=np.bool_)
        place = self._place[gate.inputs[0].id]
        words = {number: word for word, number in self.manifest.inputs[place].answers.items()}
        column = matrix[:, place].tolist()
        return np.array([number in words and bool(gate.compute(words[number])) for number in column], dtype=np.bool_)

    def _counts(self, matrix: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
        measured = ~np.isnan(matrix)
        return {
            m.id: measured[:, [self._place[i] for i in m.own if not isinstance(self._by_id[i], Derived)]].sum(axis=1)
            for m in self.manifest.modalities
        }

    def _present_rows(self, matrix: NDArray[np.float32]) -> NDArray[np.int64]:
        """The pattern of each row, as bits: enough of a modality, else any of it, else as if all were there."""
        counts = self._counts(matrix)
        enough = [counts[m.id] >= m.minimum for m in self.manifest.modalities]
        some = [counts[m.id] > 0 for m in self.manifest.modalities]
        bits = [np.left_shift(1, position) for position in range(len(enough))]
        full = sum(bits)
        by_enough = np.asarray(sum(b * e for b, e in zip(bits, enough, strict=True)), dtype=np.int64)
        by_some = np.asarray(sum(b * s for b, s in zip(bits, some, strict=True)), dtype=np.int64)
        return np.where(by_enough > 0, by_enough, np.where(by_some > 0, by_some, full))

    def _bits(self, modalities: Sequence[str]) -> int:
        return sum(1 << position for position, m in enumerate(self.manifest.modalities) if m.id in modalities)

    def _part_log_odds(self, outcome: str, modality: Modality, matrix: NDArray[np.float32]) -> Floats:
        part = self._parts[outcome, modality.id]
        columns = [self._place[id_] for id_ in modality.inputs]
        return part.intercept + part.slope * self.scorers[outcome, modality.id].margins(matrix[:, columns])

    @cached_property
    def _place(self) -> Mapping[str, int]:
        return {declared.id: position for position, declared in enumerate(self.manifest.inputs)}

    @cached_property
    def _by_id(self) -> Mapping[str, Feature]:
        return {feature.id: feature for feature in self.inputs}

    @cached_property
    def _parts(self) -> Mapping[tuple[str, str], fusion.Part]:
        return {(p.outcome, p.modality): p for p in self.manifest.parts}
