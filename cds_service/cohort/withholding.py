"""Which subgroups are not told: small ones, and those without which a small one could be had by subtraction.

All people are told as well, and the groups of one dimension make up all. So where one group is withheld alone, what is
told of the others and of all gives it away. Then the smallest of the others is withheld with it, until what is
withheld is two groups or more, and together as large as a group must be. These are told as one.
Source: Hundepool et al. 2010, Handbook on Statistical Disclosure Control (ESSnet), on secondary cell suppression.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.metrics import Patients

Texts = NDArray[np.str_]
Rows = NDArray[np.bool_]


def withheld(names: Texts, patients: Patients, too_few: Callable[[Rows], bool]) -> tuple[str, ...]:
    """The names of the groups that are not told by themselves, in order.

    names, patients: of each row, its group and the number of its patient. too_few: whether some rows are too few
    people, or too few outcomes, to be told.
    """
    sizes = {name: len(np.unique(patients[names == name])) for name in sorted(set(names.tolist()))}
    kept_back = [name for name in sizes if too_few(names == name)]
    told = sorted((name for name in sizes if name not in kept_back), key=lambda name: sizes[name])
    while kept_back and told and (len(kept_back) == 1 or too_few(np.isin(names, kept_back))):
        kept_back.append(told.pop(0))
    return tuple(sorted(kept_back))
