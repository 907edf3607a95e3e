"""Contributions in words: direction, size, value, date and source; never a cause."""

from datetime import UTC, datetime

import pytest

from cds_service.explain.explanation import Baseline, Contribution, Explanation, Scale
from cds_service.explain.wording import amount, baseline, influences
from cds_service.features.feature import Demographic, Reason, Unusable
from cds_service.language import msg

DAY = datetime(2026, 5, 6, 8, 30, tzinfo=UTC)


def item(name, size, value="1", sources=()):
    return Contribution((name,), msg(name), size, None if value is None else msg(value), DAY, sources)


def explained(*items, scale=Scale.LOG_ODDS, kind=Baseline.REFERENCE_PERSON, words="a person"):
    return Explanation(scale, kind, 0.0, msg(words) if words else msg(""), items, sum(c.amount for c in items))


def test_the_largest_three_each_way_are_named_and_the_rest_counted():
    """A card has room for what matters most."""
    ups = [item(f"up{n}", 0.1 * n) for n in range(1, 6)]
    downs = [item(f"down{n}", -0.1 * n) for n in range(1, 5)]
    found = influences(explained(*ups, *downs))
    assert [str(line).split(":")[0] for line in found.raised] == ["up5", "up4", "up3"]
    assert [str(line).split(":")[0] for line in found.lowered] == ["down4", "down3", "down2"]
    assert str(found.rest) == "3 more inputs moved this estimate less"


def test_a_line_has_value_size_date_and_source():
    """A clinician can trace every contribution."""
    found = influences(explained(item("Systolic pressure", 0.3, "152 mmHg", ("Observation/1",))))
    assert str(found.raised[0]) == "Systolic pressure: 152 mmHg (odds × 1.35; 6 May 2026; Observation/1)"


def test_many_sources_are_counted():
    """A grouped input cites two sources and counts the others."""
    found = influences(explained(item("x", 1.0, "1", ("A/1", "A/2", "A/3", "A/4"))))
    assert str(found.raised[0]).endswith("A/1; A/2; 2 more)")


def test_what_did_not_move_the_estimate_is_neither_raised_nor_lowered():
    """Zero points are no direction."""
    found = influences(explained(item("a", 0.0), item("b", 0.001)))
    assert found.raised == found.lowered == ()
    assert found.rest is None


def test_all_that_was_not_measured_is_one_line():
    """Absent inputs are named together, with their joint size where there is one."""
    missing = [
        Unusable(Demographic(name, msg(name)), Reason.ABSENT, msg("absent")) for name in ("albumin", "platelets")
    ]
    found = influences(explained(item("age", 1.0), item("not measured", 0.2, None)), missing)
    assert str(found.not_measured) == "Not measured: albumin, platelets (together odds × 1.22)"
    assert "not measured" not in " ".join(map(str, found.raised))
    alone = influences(explained(item("rate", 0, None), scale=Scale.POINTS))
    assert str(alone.not_measured) == "Not measured: rate"


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        (Baseline.REFERENCE_PERSON, "Compared with a reference person: "),
        (Baseline.POPULATION, "Compared with the average of the training population: "),
        (Baseline.ZERO, "Counted from "),
    ],
)
def test_each_baseline_is_worded_for_what_it_is(kind, begins):
    """A reference person is no population average, and points start from zero."""
    assert str(baseline(explained(kind=kind))).startswith(begins)


@pytest.mark.parametrize(
    ("size", "scale", "words"),
    [
        (0.0953102, Scale.LOG_ODDS, "odds × 1.10"),
        (-0.6931472, Scale.LOG_HAZARD, "hazard × 0.50"),
        (2, Scale.POINTS, "+2 points"),
        (1.0, Scale.POINTS, "+1 point"),
        (-12.345, Scale.NATURAL, "−12.3"),
    ],
)
def test_sizes_are_on_a_scale_that_a_clinician_knows(size, scale, words):
    """Odds and hazards are multiplied, points are counted."""
    assert str(amount(size, scale)) == words


def test_no_wording_claims_a_cause():
    """Attributions describe the model."""
    import inspect

    from cds_service.explain import wording

    assert "caus" not in inspect.getsource(wording).replace("never what caused it", "")
