"""Patients with several kinds of data, some of which may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cds_service.training.linear import Flags, Floats, Matrix, Sets


@dataclass(frozen=True, slots=True)
class Patients:
    """Rows with inputs and follow-up.

    matrix: shape (n, n_inputs). months: > 0. came: outcome -> whether follow-up ended with it, widest outcome first;
    the first is any death, and whoever has none of them was lost or is alive.
    """

    matrix: Matrix
    months: Floats
    came: Mapping[str, Flags]

    @property
    def ended(self) -> Flags:
        """Whether follow-up ended with any death."""
        return next(iter(self.came.values()))

    def __len__(self) -> int:
        return len(self.months)


@dataclass(frozen=True, slots=True)
class Kind:
    """A modality: the columns of its model, which of them make it present, and how many of these must be measured.

    monotone: for each column, 1 if more may only raise the risk, -1 only lower it. linear: a ridge Cox regression
    instead of trees, for embeddings. sets: of a linear kind with more columns than patients can teach, sets of columns
    known beforehand, each with its sign; they weigh the same and nothing of them is learnt but their scale.
    logarithm: of one plus the size, with the sign, in place of the columns.
    """

    id: str
    columns: Sequence[int]
    own: Sequence[int]
    minimum: int
    monotone: Sequence[int]
    linear: bool = False
    sets: Sets = ()
    logarithm: bool = False

    def there(self, matrix: Matrix) -> Flags:
        """The rows in which enough of it is measured."""
        return np.asarray((~np.isnan(matrix[:, list(self.own)])).sum(axis=1) >= self.minimum)
