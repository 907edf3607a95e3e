"""What changes at a site is named in plain words, and what does not change rings nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cds_service import monitoring
from cds_service.monitoring import Alarm, Counts, Judged, Month, Watched
from cds_service.settings import Monitoring
from cds_service.stores.monitoring import Answered, Seen

NAME = "mortality/death/1"
YEAR = timedelta(days=365)
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
Json = dict[str, Any]
Change = Callable[[Json], None]


def patient(rng: random.Random) -> Json:
    """One made-up patient: eight inputs, a risk that is right, whether a card was shown and overridden."""
    risk = rng.betavariate(2, 8)
    return {
        "sex": rng.choice(("female", "male")), "age": rng.uniform(50, 79), "creatinine": rng.lognormvariate(0, 0.3),
        "sodium": round(rng.gauss(140, 3)), "sbp": rng.gauss(130, 15), "diabetes": rng.random() < 0.2,
        "dialysis": rng.random() < 0.04, "crp": rng.lognormvariate(1, 1), "risk": risk, "came": rng.random() < risk,
        "card": rng.random() < 0.3, "overridden": rng.random() < 0.6, "refused": rng.random() < 0.1,
        "called": True, "other": rng.random() < 0.5,
    }  # fmt: skip


def six_months(seed: int, change: Change | None = None, each: int = 240) -> tuple[list[Json], list[Alarm]]:
    """The patients of January to June 2025, those of June changed, and what rings."""
    rng = random.Random(seed)
    people = []
    for month in range(1, 7):
        for number in range(each):
            one = patient(rng) | {"month": month, "id": f"p{month}-{number}", "gone": ()}
            if month == 6 and change is not None:
                change(one)
            people.append(one)
    came = {(p["id"], "death"): (datetime(2025, p["month"], 28, tzinfo=UTC),) for p in people if p["came"]}
    rows = [row(p) for p in people if p["called"]] + [other(p) for p in people if p["other"]]
    answers = [
        Answered(f"2025-0{p['month']}", "prognosis", None, "overridden" if p["overridden"] else "accepted", "")
        for p in people
        if p["card"]
    ]
    watched = (Watched(NAME, "death", YEAR),)
    months = monitoring.count(sorted(rows, key=lambda r: r.at), answers, watched, came, UNTIL)
    return people, monitoring.alarms(months, Monitoring())


def row(p: Json) -> Seen:
    inputs: list[Json] = [
        {"id": id_, "unusable": dict(p["gone"])[id_]} if id_ in dict(p["gone"]) else {"id": id_, "value": p[id_]}
        for id_ in ("sex", "age", "creatinine", "sodium", "sbp", "diabetes", "dialysis", "crp")
    ]
    results: list[Json] = [
        {"model": "mortality", "version": "1", "outcome": "death", "horizon_years": 1, "value": p["risk"]}
    ]
    if p["refused"]:
        results = [{"model": "mortality", "refusal": "input"}]
    return Seen(datetime(2025, p["month"], 2, tzinfo=UTC), "prognosis", p["id"], inputs, results, int(p["card"]))


def other(p: Json) -> Seen:
    return Seen(datetime(2025, p["month"], 3, tzinfo=UTC), "diabetes", p["id"], [], [], 0)


@pytest.mark.parametrize("seed", range(5))
def test_months_without_drift_ring_nothing(seed: int) -> None:
    """Whatever chance brings among ten spreads, shares and ratios; with few patients a month too."""
    assert six_months(seed)[1] == []
    assert six_months(seed, each=110)[1] == []


def fewer_women(p: Json) -> None:
    if p["sex"] == "female" and int(p["id"].split("-")[1]) % 2:
        p["sex"] = "male"


DRIFTS: list[tuple[str, Change, str, str]] = [
    ("a unit changed and was named", lambda p: p.update(creatinine=p["creatinine"] * 3),
     "psi", "prognosis/creatinine: its values have shifted, median 3, before 1 (PSI"),
    ("a unit changed and was not named", lambda p: p.update(gone=(("creatinine", "implausible"),)),
     "missing", "prognosis/creatinine: no usable value in 100 %, before in 0 %; implausible in 100 %, as numbers in"),
    ("a code stopped arriving", lambda p: p.update(gone=(("crp", "absent"),)),
     "missing", "prognosis/crp: no usable value in 100 %, before in 0 %; not on record in 100 %"),
    ("a diagnosis stopped arriving", lambda p: p.update(diabetes=False),
     "psi", "prognosis/diabetes: yes in 0 %, before in 2"),
    ("fewer women", fewer_women, "psi", "prognosis/sex: female in 2"),
    ("the service is not called", lambda p: p.update(called=False, card=False),
     "calls", "prognosis: not called any more, before in 6"),
    ("the service says nothing", lambda p: p.update(card=False), "cards",
     "prognosis: a card for 0 of 100 patients, before for"),
    ("the model never answers", lambda p: p.update(refused=True),
     "refused", "mortality: no estimate for 100 of 100 patients, before for 1"),
    ("all cards are overridden", lambda p: p.update(card=True, overridden=True),
     "overridden", "prognosis: 100 % of answers override it"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "kind", "words"), DRIFTS, ids=[one[0] for one in DRIFTS])
def test_a_drift_is_named(what: str, change: Change, kind: str, words: str) -> None:
    """In the month in which it came, by what changed, from what to what."""
    found = [alarm for alarm in six_months(1, change)[1] if alarm.kind == kind]
    assert [alarm.month for alarm in found] == ["2025-06"], what
    assert found[0].words.startswith(words), found[0].words


def test_a_rare_diagnosis_that_no_longer_comes_is_named() -> None:
    """Two in a hundred, and then none: too little for the shift, and no chance; of half as many it may be chance."""
    what = "prognosis/dialysis"
    before = {"2025-01": Month(words={what: {"no": 2940, "yes": 60}})}
    (alarm,) = monitoring.alarms(before | {"2025-02": Month(words={what: {"no": 1000}})}, Monitoring())
    assert alarm.words == "prognosis/dialysis: yes no longer comes, before in 2 %"
    assert monitoring.alarms(before | {"2025-02": Month(words={what: {"no": 500}})}, Monitoring()) == []


def test_outcomes_that_doubled_ring_with_their_numbers() -> None:
    """Observed and expected are those that a table of the same patients gives."""
    rng = random.Random(9)
    people, alarms = six_months(1, lambda p: p.update(came=p["came"] or rng.random() < p["risk"]))
    (alarm,) = [one for one in alarms if one.kind == "observed-expected"]
    table = pd.DataFrame(people).query(f"month >= {alarm.month[5:].lstrip('0')} and not refused")
    assert alarm.value == pytest.approx(table.came.sum() / table.risk.sum())
    assert (
        f"{table.came.sum()} outcomes came where {table.risk.sum():.0f} were expected ({len(table)} est" in alarm.words
    )


def test_the_stability_index_is_that_of_its_definition() -> None:
    """Sum of (now - before) x ln(now / before) over tenths of the earlier values, as pandas and numpy compute it."""
    people, alarms = six_months(1, lambda p: p.update(sbp=p["sbp"] + 15))
    (alarm,) = [one for one in alarms if one.what == "prognosis/sbp"]
    table = pd.DataFrame(people)
    table["rounded"] = [monitoring.digits(value) for value in table.sbp]
    before, now = (table.loc[late, "rounded"] for late in (table.month < 6, table.month == 6))
    edges = before.quantile(np.arange(0.1, 1.0, 0.1), interpolation="inverted_cdf").unique()
    was, is_ = (np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1) for part in (before, now))
    p, q = was / was.sum(), np.maximum(is_ / is_.sum(), 1e-4)
    assert alarm.value == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=0.02)


def test_the_first_days_of_a_month_do_not_end_an_alarm() -> None:
    """Where the latest month has too few calls, those before it count with it."""
    rng = random.Random(3)
    rows = []
    for month, n, shift in ((1, 300, 0), (2, 300, 0), (3, 300, 30), (4, 5, 30)):
        for number in range(n):
            one = patient(rng) | {"month": month, "id": f"p{month}-{number}", "gone": ()}
            rows.append(row(one | {"sbp": one["sbp"] + shift}))
    (alarm,) = monitoring.alarms(monitoring.count(rows, [], (), {}, UNTIL), Monitoring())
    assert (alarm.what, alarm.month) == ("prognosis/sbp", "2025-03")


def test_a_patient_who_is_seen_every_hour_counts_once() -> None:
    """Two hundred calls for one sick patient are no shift of a hospital."""
    rng = random.Random(4)
    rows = [row(patient(rng) | {"month": 1, "id": f"p{n}", "gone": ()}) for n in range(300)]
    rows += [row(patient(rng) | {"month": 2, "id": f"p{n}", "gone": ()}) for n in range(300)]
    sick = patient(rng) | {"month": 2, "id": "sick", "gone": (), "sbp": 70.0}
    months = monitoring.count(rows + [row(sick)] * 200, [], (), {}, UNTIL)
    assert months["2025-02"].calls == 500
    assert monitoring.alarms(months, Monitoring()) == []


def test_a_chart_that_is_opened_all_day_is_one_patient_with_a_card() -> None:
    """Cards and their calls are counted all the same."""
    rng = random.Random(3)
    calls = [row(patient(rng) | {"month": m, "id": f"p{m}{n}", "gone": (), "card": n < 20})
             for m in (1, 2) for n in range(200)]  # fmt: skip
    sick = row(patient(rng) | {"month": 2, "id": "p20", "gone": (), "card": True})
    months = monitoring.count(calls + [sick] * 200, [], (), {}, UNTIL)
    found = months["2025-02"].services()["prognosis"]
    assert (found.calls, found.with_cards, found.patients, found.shown) == (400, 220, 200, 20)
    assert monitoring.alarms(months, Monitoring()) == []


def judged_months(true: float, number: int, risk: float, seed: int = 1) -> list[int]:
    """How many of six models ring in each of so many months, each on 300 estimates of a risk that comes true so."""
    rng, months, found = np.random.default_rng(seed), dict[str, Month](), []
    for month in range(number):
        name = f"{2000 + month // 12}-{month % 12 + 1:02}"
        came = rng.binomial(300, risk * true, 6)
        months[name] = Month(
            judged={f"m{n}/x": Judged(f"m{n}", "1", 300, 300 * risk, int(o)) for n, o in enumerate(came)}
        )
        found.append(sum(alarm.kind == "observed-expected" for alarm in monitoring.alarms(months, Monitoring())))
    return found


def test_models_that_are_right_hardly_ever_ring_in_two_hundred_months() -> None:
    """Somebody is asked to answer for each, and it may silence a model: with a 95 % interval, one in forty did."""
    assert sum(judged_months(1.0, 200, 0.2)) / (200 * 6) < 0.006
    assert sum(judged_months(1.0, 200, 0.05)) / (200 * 6) < 0.02


@pytest.mark.parametrize("true", [0.65, 1.44])
def test_a_model_that_is_wrong_rings_within_months(true: float) -> None:
    """Most of them from the third month on, of which each brings 60 expected outcomes."""
    assert sum(judged_months(true, 12, 0.2)[2:]) / (10 * 6) > 0.9


def test_a_patient_who_is_looked_at_every_hour_is_one_outcome() -> None:
    """Forty openings of one chart before a death are not forty deaths."""
    at = datetime(2025, 1, 2, tzinfo=UTC)
    result: Json = {"model": "mortality", "version": "1", "outcome": "death", "horizon_years": 1, "value": 0.5}
    rows = [Seen(at + timedelta(hours=n), "prognosis", "p", [], [result], 0) for n in range(40)]
    months = monitoring.count(rows, [], (Watched(NAME, "death", YEAR),), {("p", "death"): (at + YEAR,)}, UNTIL)
    (judged,) = months["2025-01"].judged.values()
    assert (judged.n, judged.expected, judged.observed) == (1, 0.5, 1)


def chronic(seed: int, true: float) -> tuple[list[Seen], monitoring.Outcomes]:
    """Sixty patients who come each month of a year, each with one outcome or none; twelve times as many estimates."""
    rng, result = random.Random(seed), {"model": "m", "version": "1", "outcome": "death", "value": 0.3}
    rows = [Seen(datetime(2024, month, 1, tzinfo=UTC), "s", f"p{n}", [], [result], 0)
            for month in range(1, 13) for n in range(60)]  # fmt: skip
    ill = {(f"p{n}", "death"): (datetime(2024, 12, 20, tzinfo=UTC),) for n in range(60) if rng.random() < 0.3 * true}
    return rows, ill


def test_patients_who_come_every_month_are_no_more_patients_for_it() -> None:
    """A model that is right for them does not ring, where chance in sixty people was taken for that in hundreds."""
    watched = (Watched("m/death", "death", YEAR),)
    rang = {1.0: 0, 2.6: 0}
    for true in rang:
        for seed in range(8):
            rows, ill = chronic(seed, true)
            rang[true] += bool(monitoring.alarms(monitoring.count(rows, [], watched, ill, UNTIL), Monitoring()))
    assert rang[1.0] == 0
    assert rang[2.6] == 8


def test_a_small_service_that_is_always_overridden_rings_after_some_months() -> None:
    """Forty answers a month: the latest months that together have a hundred, and on the first of a month as well."""
    months = {}
    for month in (3, 4, 5, 6):
        counts = Counts(calls=50, answers={"overridden": 1 if month == 6 else 40}, ms={1500.0: 1 if month == 6 else 40})
        months[f"2025-{month:02}"] = Month(units={"prognosis": {"": counts}}, told={"kept": 10, "dropped": 30})
    found = {alarm.kind: (alarm.month, alarm.value) for alarm in monitoring.alarms(months, Monitoring())}
    assert found == {
        "overridden": ("2025-03", 1.0),
        "slow": ("2025-03", 1500.0),
        "kept-share": ("2025-04", 0.25),
    }
