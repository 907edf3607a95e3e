"""Input dropout: copies of training rows with whole panels hidden, so that a sparse record is an ordinary case.

In a survey nearly everyone has every test, and whoever has none was too ill to come: a tree learns that "not measured"
means danger. In a record it means that nobody asked. Hiding panels at random, in the patterns in which clinics order
them, makes absence carry as little as it should.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Dropout:
    """How rows are masked.

    panels: name -> the columns that are measured together. patterns: sets of panels missing together in practice.
    share: of rows that get one of the patterns; the others lose each panel with a chance drawn anew for each row.
    single: chance of each further value to be hidden by itself. kept: columns that are never hidden.
    copied: share of the rows that enter training once more, masked. remade: gives a matrix with its derived columns
    computed anew from what is left; None if none depends on what is hidden.
    """

    panels: Mapping[str, Sequence[int]]
    patterns: Sequence[frozenset[str]]
    kept: Sequence[int]
    share: float = 0.5
    single: float = 0.04
    copied: float = 1.0
    remade: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None

    def masked(self, matrix: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        """A copy of the matrix, shape (n_rows, n_inputs), with values hidden as NaN."""
        rows, names = len(matrix), list(self.panels)
        hidden = generator.random((rows, len(names))) < generator.random(rows)[:, None]
        if self.patterns:
            typical = generator.random(rows) < self.share
            chosen = generator.integers(len(self.patterns), size=rows)
            table = np.array([[name in pattern for name in names] for pattern in self.patterns])
            hidden[typical] = table[chosen[typical]]
        cells = generator.random(matrix.shape) < self.single
        for position, name in enumerate(names):
            cells[:, list(self.panels[name])] |= hidden[:, position, None]
        cells[:, list(self.kept)] = False
        return self.consistent(np.where(cells, np.float32(np.nan), matrix).astype(np.float32))

    def without(self, matrix: NDArray[np.float32], pattern: frozenset[str]) -> NDArray[np.float32]:
        """A copy of the matrix with exactly the panels of a pattern hidden."""
        masked = matrix.copy()
        for name in pattern:
            masked[:, list(self.panels[name])] = np.nan
        return self.consistent(masked)

    def consistent(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """The matrix with derived columns that follow from the others."""
        return matrix if self.remade is None else self.remade(matrix)
