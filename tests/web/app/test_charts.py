"""Charts by month: every value is written, what cannot be told is a gap, and limits lie where they belong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.language import msg
from cds_service.sandbox.chart import AS_OF
from cds_service.web.app import drawing
from cds_service.web.app.charts import HEIGHT, TOP, by_month, spread

MONTHS = [("2025-12", 10.0), ("2026-01", None), ("2026-02", 40.0)]


def test_values_are_placed_by_their_size_and_written() -> None:
    """The largest reaches the top, zero is the bottom, a month without a value is a gap; years where they begin."""
    chart = by_month(msg("Calls"), MONTHS, limits=(("20", 20.0),))
    assert chart is not None
    first, gap, last = chart.columns
    assert (last.y, chart.bottom) == (TOP, TOP + HEIGHT)
    assert first.y == pytest.approx(TOP + HEIGHT * 0.75)
    assert (first.words, gap.words, gap.value, last.words) == ("10", "", None, "40")
    assert chart.limits[0].y == pytest.approx(TOP + HEIGHT / 2)
    assert [column.year for column in chart.columns] == ["2025", "2026", ""]


def test_without_a_value_there_is_no_chart() -> None:
    """Nothing known, or not a number."""
    assert by_month(msg("Calls"), [("2026-01", None), ("2026-02", float("nan"))]) is None


def test_a_chart_shows_the_latest_twelve_months() -> None:
    """And no more."""
    chart = by_month(msg("Calls"), [(f"{year}-{month:02}", 1.0) for year in (2025, 2026) for month in range(1, 13)])
    assert chart is not None
    assert [chart.columns[0].name, chart.columns[-1].name, len(chart.columns)] == ["2026-01", "2026-12", 12]


def test_shares_before_and_now_each_add_up() -> None:
    """Ranges of about as many earlier values; the same values give the same shares."""
    before = dict.fromkeys(map(float, range(80)), 2)
    pairs = spread(before, before)
    assert len(pairs) == 8
    assert all(pair.before == pair.now == pytest.approx(1 / 8) for pair in pairs)
    moved = spread(before, {200.0: 10})
    assert (moved[-1].now, sum(pair.now for pair in moved)) == (1.0, 1.0)
    assert spread({}, before) == ()
    assert spread(before, {200.0: 9}) == ()  # a bar of one estimate says what somebody's is


def test_a_line_of_small_changes_is_drawn_small() -> None:
    """3.8 and 3.9 g/dL are no cliff; a doubling fills the height; like values lie in the middle."""
    moments = [AS_OF + timedelta(days=days) for days in (0, 100)]
    small = drawing.trend(list(zip(moments, (3.8, 3.9), strict=True)))
    assert small[0].y - small[1].y == pytest.approx(48 * 0.1 / 0.39, abs=0.1)
    doubled = drawing.trend(list(zip(moments, (100.0, 200.0), strict=True)))
    assert [point.y for point in doubled] == [54.0, 6.0]
    assert [point.y for point in drawing.trend([(AS_OF, 0.0), (AS_OF, 0.0)])] == [30.0, 30.0]
    assert drawing.trend([(AS_OF, 5.0)]) == ()


def test_a_share_that_rounds_to_nothing_is_not_printed_as_nothing() -> None:
    """It moved the estimate, and an arrow says which way."""
    assert [str(drawing.points(share)) for share in (0.04, -0.04, 0.05, -1.26, 0.0)] == [
        "under 0.1",
        "under 0.1",
        "+0.1",
        "\N{MINUS SIGN}1.3",
        "0.0",
    ]
