"""Points of acute physiology: bands, the worst of several values, and what is not measured."""

import pytest

from cds_service.features import physiology_points as p
from cds_service.features import serious_illness as s


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [
        ("heart_rate", 75, 0), ("heart_rate", 99.9, 0), ("heart_rate", 100, 1), ("heart_rate", 155, 17),
        ("mean_pressure", 39, 23), ("mean_pressure", 85, 0), ("temperature", 37, 0), ("temperature", 40, 4),
        ("respiratory_rate", 20, 0), ("respiratory_rate", 50, 18), ("wbc", 0.5, 19), ("creatinine", 1.95, 7),
        ("urine", 300, 15), ("urine", 2500, 0), ("bun", 80, 12), ("sodium", 140, 0), ("albumin", 1.9, 11),
        ("bilirubin", 8, 16), ("glucose", 59, 9), ("oxygenation", 90, 15), ("arterial_ph", 7.4, 0),
    ],
)  # fmt: skip
def test_points_stand_in_bands_that_begin_where_the_table_says(name: str, value: float, points: float) -> None:
    """A lower edge belongs to its band."""
    assert p.BANDS[name].of(value) == points


# Limits and the points below each, then the points from the last one up, as two programs of others have them: the MIMIC
# Code Repository, mimic-iv/concepts/score/apsiii.sql, and mcshaz/icuscoreR, R/apache3.R (there in SI units). PaO2/FiO2
# and pH are not among them: these bands are our own.
PUBLISHED = {
    "heart_rate": "40:8 50:5 100:0 110:1 120:5 140:7 155:13 17",
    "mean_pressure": "40:23 60:15 70:7 80:6 100:0 120:4 130:7 140:9 10",
    "temperature": "33:20 33.5:16 34:13 35:8 36:2 40:0 4",
    "respiratory_rate": "6:17 12:8 14:7 25:0 35:6 40:9 50:11 18",
    "wbc": "1:19 3:5 20:0 25:1 5",
    "creatinine": "0.5:3 1.5:0 1.95:4 7",
    "urine": "400:15 600:8 900:7 1500:5 2000:4 4000:0 1",
    "bun": "17:0 20:2 40:7 80:11 12",
    "sodium": "120:3 135:2 155:0 4",
    "albumin": "2:11 2.5:6 4.5:0 4",
    "bilirubin": "2:0 3:5 5:6 8:8 16",
    "glucose": "40:8 60:9 200:0 350:3 5",
}


def test_every_band_is_that_of_two_programs_of_others() -> None:
    """On both sides of every limit, in every measurement that the paper has."""
    assert set(p.BANDS) - set(PUBLISHED) == {"oxygenation", "arterial_ph"}
    for name, told in PUBLISHED.items():
        *below, last = told.split()
        limits, points = zip(*(pair.split(":") for pair in below), strict=True)
        after = [*points[1:], last]
        for limit, under, over in zip(map(float, limits), map(float, points), map(float, after), strict=True):
            assert (p.BANDS[name].of(limit - 0.01), p.BANDS[name].of(limit)) == (under, over), (name, limit)


def test_every_table_has_a_band_more_than_edges_and_a_band_without_points() -> None:
    """What is usual is worth nothing, in every measurement."""
    for name, bands in p.BANDS.items():
        assert len(bands.points) == len(bands.edges) + 1, name
        assert list(bands.edges) == sorted(bands.edges), name
        assert 0 in bands.points, name


def test_the_coma_scale_runs_from_48_points_to_none() -> None:
    """In straight lines between, never upwards."""
    points = [p.coma(gcs) for gcs in range(3, 16)]
    assert (points[0], points[-1]) == (48, 0)
    assert points == sorted(points, reverse=True)


def test_what_is_not_measured_counts_as_usual_and_nothing_measured_is_no_number() -> None:
    """A sum of what there is, or none."""
    n = len(s.POINTS.inputs)
    assert s.POINTS.partial
    assert s.POINTS.compute(*[None] * n) is None
    assert s.POINTS.compute(150.0, *[None] * (n - 1)) == 13
    assert s.POINTS.compute(150.0, 50.0, *[None] * (n - 2)) == 28


def test_the_worst_of_several_values_counts_once() -> None:
    """Lowest and highest of one measurement are not added up."""
    both = p.points("x", s.POINTS.label, {"heart_rate": (s.HEART_RATE, s.HEART_RATE)})
    assert both.compute(75.0, 130.0) == 7
    assert both.compute(30.0, 130.0) == 8
