"""Points of acute physiology: how far measurements lie from the usual, added up, along the bands of APACHE III.

Bands and points are those of Knaus WA et al. Chest 1991;100:1619-36, doi:10.1378/chest.100.6.1619. They were checked
one by one against two programs that compute the score, which agree with each other: `apsiii.sql` of the MIMIC Code
Repository (MIT-LCP/mimic-code) and `apache3.R` of icuscoreR (mcshaz/icuscoreR), which gives them in SI units.

Ours, not the paper's: the bands of PaO2/FiO2 and of pH by itself, because a record rarely joins what the paper's need;
a straight line through the Glasgow Coma Scale's sum, where the paper has a table of eyes, speech and movement; and the
worst of several values as the one with most points. Left out: hematocrit, the paper's rules on acute kidney failure,
and its rule that slow breathing on a ventilator counts for nothing.
What is not measured counts as usual, as in the paper. It is an input of models, never shown as the score itself: the
hours are not those of the paper, and the sum lacks age and chronic health.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cds_service.features.feature import Derived, Feature, Value
from cds_service.language import Message


@dataclass(frozen=True, slots=True)
class Bands:
    """Points by band. edges: where each band but the first begins, inclusive, ascending."""

    edges: tuple[float, ...]
    points: tuple[float, ...]

    def of(self, value: float) -> float:
        """The points of one value, in the unit of the feature of that name."""
        return self.points[bisect_right(self.edges, value)]


BANDS: Mapping[str, Bands] = {
    "heart_rate": Bands((40, 50, 100, 110, 120, 140, 155), (8, 5, 0, 1, 5, 7, 13, 17)),
    "mean_pressure": Bands((40, 60, 70, 80, 100, 120, 130, 140), (23, 15, 7, 6, 0, 4, 7, 9, 10)),
    "temperature": Bands((33, 33.5, 34, 35, 36, 40), (20, 16, 13, 8, 2, 0, 4)),
    "respiratory_rate": Bands((6, 12, 14, 25, 35, 40, 50), (17, 8, 7, 0, 6, 9, 11, 18)),
    "wbc": Bands((1, 3, 20, 25), (19, 5, 0, 1, 5)),
    "creatinine": Bands((0.5, 1.5, 1.95), (3, 0, 4, 7)),
    "urine": Bands((400, 600, 900, 1500, 2000, 4000), (15, 8, 7, 5, 4, 0, 1)),
    "bun": Bands((17, 20, 40, 80), (0, 2, 7, 11, 12)),
    "sodium": Bands((120, 135, 155), (3, 2, 0, 4)),
    "albumin": Bands((2.0, 2.5, 4.5), (11, 6, 0, 4)),
    "bilirubin": Bands((2, 3, 5, 8), (0, 5, 6, 8, 16)),
    "glucose": Bands((40, 60, 200, 350), (8, 9, 0, 3, 5)),
    "oxygenation": Bands((100, 200, 300), (15, 9, 4, 0)),
    "arterial_ph": Bands((7.2, 7.3, 7.35, 7.5, 7.6), (12, 6, 3, 0, 3, 6)),
}
# The coma scale, our own: between these, in a straight line.
_COMA = ((3.0, 48.0), (6.0, 30.0), (8.0, 20.0), (11.0, 12.0), (14.0, 4.0), (15.0, 0.0))


def coma(gcs: float) -> float:
    """Points of a Glasgow Coma Scale of 3 to 15."""
    for (low, high_points), (high, low_points) in pairwise(_COMA):
        if gcs <= high:
            return high_points + (low_points - high_points) * (gcs - low) / (high - low)
    return 0.0


def points(id_: str, label: Message, of: Mapping[str, Sequence[Feature]], gcs: Feature | None = None) -> Derived:
    """A feature that adds up the worst points of each measurement.

    of: name in `BANDS` -> the features with its values; gcs: the coma scale, if it counts. None if nothing is measured.
    """
    measured = tuple(feature for features in of.values() for feature in features)
    names = [name for name, features in of.items() for _ in features]
    return Derived(
        id_, label, "1", (*measured, *(() if gcs is None else (gcs,))), _added(names, gcs is not None), partial=True
    )


def _added(names: Sequence[str], with_coma: bool) -> Callable[..., Value | None]:
    bands = [BANDS[name] for name in names]

    def compute(*values: float | None) -> float | None:
        if all(value is None for value in values):
            return None
        worst: dict[str, float] = {}
        for name, band, value in zip(names, bands, values, strict=False):
            if value is not None:
                worst[name] = max(worst.get(name, 0.0), band.of(value))
        last = values[-1] if with_coma else None
        return sum(worst.values()) + (coma(last) if last is not None else 0.0)

    return compute
