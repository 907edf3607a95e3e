"""How a fused survival model does on a hospital's own rows: the figures of its card, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cds_service.risk.calibration import expit
from cds_service.training import censoring
from cds_service.training.evaluation import FEWEST, markdown, two
from cds_service.training.fused_figures import LogOdds
from cds_service.training.linear import Flags, Floats
from cds_service.training.metrics import ici
from cds_service.training.modalities import Patients

Row = Sequence[object]
_WITHHELD = f"fewer than {FEWEST} with or without"


def figures(
    patients: Patients, outcome: str, horizons: Sequence[int], log_odds: LogOdds, parts: Mapping[str, Flags]
) -> str:
    """Concordance of each part, then its figures at each horizon. parts: name -> rows."""
    concordances: list[Row] = []
    at_horizons: list[Row] = []
    for name, keep in parts.items():
        months, came, ended = patients.months[keep], patients.came[outcome][keep], patients.ended[keep]
        if came.sum() < FEWEST:
            concordances.append((name, len(came), f"fewer than {FEWEST}", ""))
            continue
        c = censoring.concordance_with_interval(months, came, log_odds[outcome, horizons[-1]][keep])
        concordances.append((name, len(came), int(came.sum()), c))
        for horizon in horizons:
            line = log_odds[outcome, horizon][keep]
            years = f"{horizon} {'year' if horizon == 1 else 'years'}"
            at_horizons.append((f"within {years}, {name}", *_at(months, came, ended, line, horizon)))
    head = ("", "followed long enough", "with it", "Uno's C", "Brier", "slope", "in the large", "ICI")
    first = markdown(("", "people", "with it", "C"), concordances)
    return f"{first}\n\n{markdown(head, at_horizons)}" if at_horizons else first


def _at(months: Floats, came: Flags, ended: Flags, line: Floats, horizon: int) -> Row:
    weight = censoring.weights(months, ended, 12 * horizon)
    happened = np.asarray(came & (months <= 12 * horizon), dtype=np.float64)
    known = weight > 0
    people, had = int(known.sum()), int(happened[known].sum())
    if min(had, people - had) < FEWEST:
        return (people, _WITHHELD, *[""] * 5)
    slope, large = censoring.calibration(line, happened, weight)
    return (
        people,
        had,
        f"{censoring.uno(months, came, ended, line, 12 * horizon):.3f}",
        f"{censoring.brier(expit(line), happened, weight):.3f}",
        two(slope),
        two(large),
        f"{ici(line[known], happened[known], weight[known]):.3f}",
    )
