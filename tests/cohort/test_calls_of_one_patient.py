"""Ten calls of one patient are not ten people: intervals of a backtest count patients, and small groups are of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from cds_service.cohort import groups, judging
from cds_service.cohort.judging import Judgeable
from cds_service.cohort.planning import Load
from cds_service.cohort.speaking import speaking
from cds_service.risk import metrics
from cds_service.risk.metrics import Interval


def given(people: int, calls: int, known: bool = True) -> Judgeable:
    """People with a fixed chance each, called so many times; the outcome is one for all calls of a patient."""
    rng = np.random.default_rng(5)
    risk = 1 / (1 + np.exp(-rng.normal(-1, 1, people)))
    values, came = np.repeat(risk, calls), np.repeat((rng.random(people) < risk).astype(np.float64), calls)
    n, at = people * calls, datetime(2025, 1, 1, tzinfo=UTC)
    dates = np.datetime64("2025-01-01") + np.arange(n) % 100
    return Judgeable(
        "m", "1", "o", "o", True, values, came, np.full(n, np.nan), np.array([judging.month(at)] * n), dates,
        {name: np.array(["all"] * n) for name in groups.DIMENSIONS}, np.repeat(np.arange(people), calls),
        Load(values, came if known else np.full(n, np.nan), np.array(["ward"] * n), dates,
             np.repeat(np.arange(people), calls)),
    )  # fmt: skip


def of(found: Interval | None) -> tuple[float, float, float]:
    assert found is not None
    return found.value, found.low, found.high


def test_copies_of_a_call_tell_nothing_more() -> None:
    """Of 400 people each called nine times, every interval is that of the 400; taken as calls it were a third."""
    once, often = judging.judge(given(400, 1)), judging.judge(given(400, 9))
    for name in ("auroc", "slope", "intercept", "observed_expected"):
        one, nine = of(getattr(once.measures, name)), of(getattr(often.measures, name))
        assert nine == pytest.approx(one, rel=0.05, abs=0.02), name
        assert nine[2] - nine[1] == pytest.approx(one[2] - one[1], rel=0.2), name
    for single, several in zip(once.thresholds, often.thresholds, strict=True):
        if single.right is not None:
            assert of(several.right) == pytest.approx(of(single.right), abs=0.02)
            assert of(several.found) == pytest.approx(of(single.found), abs=0.02)


def test_intervals_hold_the_truth_where_patients_come_often() -> None:
    """Of 300 samples in which patients come 1 to 15 times, about 95 in 100 intervals hold it; of calls, too few do."""
    rng = np.random.default_rng(2)
    held = np.zeros((3, 2))
    for _ in range(300):
        people = 150
        often = rng.integers(1, 16, people)
        own = rng.normal(0, 1, people)
        case = rng.random(people) < 0.4
        scores, came = np.repeat(own + case, often), np.repeat(case, often).astype(np.float64)
        who = np.repeat(np.arange(people), often)
        shown = np.repeat(own > 0.5, often)
        flat = np.full(len(came), np.log(0.4 / 0.6))
        for column, patients in enumerate((who, None)):
            area = metrics.auroc_with_interval(scores, came, patients)
            ratio = metrics.observed_to_expected(flat, came, patients)
            rows = np.arange(len(came)) if patients is None else who
            right = metrics.share_among(came[shown], rows[shown])
            for row, (truth, found) in enumerate(((0.7602, area), (1.0, ratio), (0.4, right))):
                held[row, column] += found.low <= truth <= found.high
    assert (held[:, 0] / 300 > 0.90).all()
    assert (held[:, 1] / 300 < 0.80).all()


def test_of_patients_who_come_once_the_intervals_are_those_of_the_books() -> None:
    """DeLong's and Wilson's, as before."""
    rng = np.random.default_rng(1)
    scores, came = rng.normal(0, 1, 200), (rng.random(200) < 0.3).astype(np.float64)
    plain, grouped = (metrics.auroc_with_interval(scores, came, who) for who in (None, np.arange(200)))
    assert of(grouped) == pytest.approx(of(plain), abs=0.002)
    assert metrics.share_among(came, np.arange(200)) == metrics.share(came.sum(), 200)
    alike = metrics.share_among(np.ones(60), np.repeat(np.arange(6), 10))
    assert of(alike) == pytest.approx(of(metrics.share(6, 6)))


def test_a_group_of_few_patients_with_many_calls_is_withheld() -> None:
    """Fifty people who were called twenty times each are fifty people."""
    assert {group.measures for group in judging.judge(given(50, 20)).groups} == {None}
    assert all(group.measures is not None for group in judging.judge(given(150, 2)).groups)


def test_a_plan_counts_calls_whose_outcome_is_not_known() -> None:
    """They ring too; only what is right and found rests on the others."""
    (plan,) = judging.judge(given(100, 4, known=False), 1.0).plans
    assert plan.threshold is not None
    assert 0.9 < plan.per_day <= 1.0
    assert (plan.right, plan.found, plan.judged) == (None, None, 0)


def test_what_is_told_of_cards_rests_on_so_many_patients() -> None:
    """Nine people of forty calls each are nine people: no share of their cards, at a threshold or on a ward."""
    few, many = (judging.judge(given(people, 40), 100.0) for people in (9, 60))
    assert {at.right for at in few.thresholds} == {None}
    assert {plan.right for plan in few.plans} == {None}
    assert any(at.right is not None for at in many.thresholds)
    assert all(plan.right is not None for plan in many.plans)


def test_how_often_a_card_is_right_counts_patients() -> None:
    """One patient with forty right cards does not make a service right."""
    came, cards = np.ones(40), np.ones(40, dtype=bool)
    names = np.array(["x"] * 40)
    told = speaking("s", "o", cards, came, came, names, names, np.zeros(40, dtype=np.int64))
    assert told.right is not None
    assert told.right.low < 0.25


def test_a_quarter_in_which_nothing_came_is_told() -> None:
    """Where forty were expected, a feed of outcomes that ended is no dash: 0, and at most what chance allows."""
    one = given(200, 1)
    none = replace(one, values=np.full(200, 0.2), outcomes=np.zeros(200))
    (quarter,) = judging.judge(none).months
    assert of(quarter.observed_expected) == pytest.approx((0.0, 0.0, 0.0922), abs=1e-4)  # chi-squared(0.975, 2)/2/40


@pytest.mark.parametrize(
    ("sizes", "apart", "as_one"),
    [
        ({"a": 500, "b": 300}, {"a", "b"}, None),
        ({"a": 500, "b": 300, "c": 20}, {"a"}, "b, c"),
        ({"a": 500, "b": 300, "c": 20, "d": 15}, {"a"}, "b, c, d"),
        ({"a": 500, "b": 300, "c": 80, "d": 70}, {"a", "b"}, "c, d"),
        ({"a": 500, "c": 20}, set(), None),
        ({"c": 40, "d": 30}, set(), None),
    ],
)
def test_no_small_group_can_be_had_by_subtraction(sizes: dict[str, int], apart: set[str], as_one: str | None) -> None:
    """All people are told too: what is withheld is two groups or more, large enough together, and told as one."""
    made = given(sum(sizes.values()), 1)
    names = np.repeat(list(sizes), list(sizes.values()))
    made = replace(made, groups={**made.groups, "race": names})
    found = {g.name: g.measures for g in judging.judge(made).groups if g.dimension == "race"}
    told = {name: measures.n for name, measures in found.items() if measures is not None}
    together = f"{as_one} (together)"
    assert set(told) == apart | ({together} if as_one else set())
    assert all(told[name] == sizes[name] for name in apart)
    assert sum(told.values()) in (0, sum(sizes.values()))
    assert min(told.values(), default=judging.SMALLEST) >= judging.SMALLEST
