"""Hooks replayed through time: what was planted is found, nothing later is known, and nothing partial looks whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import loaded
from click.testing import CliRunner, Result
from following import PATIENTS, SEED, Followed

from cds_service.cli.cohort import cohort
from cds_service.cohort import groups, judging, output, report, report_files
from cds_service.cohort.judging import Judgeable
from cds_service.cohort.outcomes import read, truth
from cds_service.cohort.patients import Loaded, load
from cds_service.cohort.planning import Load
from cds_service.cohort.spool import Spool
from cds_service.errors import InputError
from cds_service.protocol.request import decode_resource
from cds_service.sandbox.population import Mechanism, Person, Served, people
from cds_service.signed import facts_in

OUTCOMES = """
until = 2026-11-01
[outcomes.death-5y]
title = "death within five years"
kind = "death"
within_days = 1826
hook = "patient-view"
estimates = ["mortality/death/5"]
services = ["prognosis"]
[outcomes.readmission-30d]
kind = "readmission"
within_days = 30
hook = "encounter-discharge"
estimates = ["lace"]
services = ["transition-of-care"]
"""


@pytest.fixture(scope="module")
def planted() -> list[Person]:
    """What the population was made of."""
    return list(people(PATIENTS, SEED, Mechanism(), Served.load()))


@pytest.fixture
def done(followed: Followed) -> Path:
    """A backtest of a small population."""
    return followed.folder / "backtest"


def run(population: Path, folder: Path, *more: str, outcomes: str = OUTCOMES) -> Result:
    (folder / "outcomes.toml").write_text(outcomes)
    given = ["backtest", str(population), "--outcomes", str(folder / "outcomes.toml"), "--out", str(folder / "out")]
    services = ["--service", "prognosis", "--service", "transition-of-care"]
    return CliRunner().invoke(cohort, [*given, *services, *more])


def test_each_estimate_and_outcome_is_the_one_that_was_planted(done: Path, planted: list[Person]) -> None:
    """The replay sees what the model saw at the visit, and reads from later data what came of it."""
    rows = [row for row in output.read(done).to_pylist() if row["name"] == "mortality"]
    found = {row["patient"]: (row["value"], json.loads(row["truth"])["death-5y"][0]) for row in rows}
    made = {p.resources[0]["id"]: (p.estimate, p.died) for p in planted}
    assert found == made
    refused = {row["patient"] for row in rows if row["kind"] == "refusal"}
    assert refused == {p.resources[0]["id"] for p in planted if p.estimate is None}
    scores = [row for row in output.read(done).to_pylist() if row["encounter"].endswith("-stay")]
    scores = [row for row in scores if row["name"] == "lace"]
    assert sorted(row["value"] for row in scores) == sorted(p.lace for p in planted if p.lace is not None)


def test_the_report_is_whole_and_says_what_it_is_about(done: Path) -> None:
    """HTML and PDF, figures by subgroup with small ones withheld, and the versions that a sign-off checks."""
    page = (done / "report.html").read_bytes()
    facts = facts_in(page)
    assert facts is not None
    assert facts["models"]["mortality"]["version"] == loaded().models["mortality"].version
    assert b"Each has fewer than 100 patients" in page
    assert page.count(b"<svg ") >= 4
    assert b"p000001" not in page
    assert (done / "report.pdf").read_bytes().startswith(b"%PDF-")
    found = json.loads((done / "figures.json").read_text())
    small = [g for e in found["estimates"] for g in e["groups"] if g["name"] == "American Indian or Alaska Native"]
    assert small
    assert all(group["measures"] is None for group in small)
    assert not (done.parent / "backtest.partial").exists()


def drawn(mechanism: Mechanism, n: int) -> tuple[Judgeable, np.ndarray[Any, Any]]:
    """Estimates with outcomes drawn by the rule, over two years; and the true chances."""
    generator = np.random.default_rng(4)
    values = 1 / (1 + np.exp(-generator.normal(-2.2, 1.0, n)))
    start = datetime(2018, 7, 1, tzinfo=UTC)
    at = [start + timedelta(days=int(day)) for day in generator.integers(0, 730, n)]
    chance = np.array([mechanism.dies(v, a.date()) for v, a in zip(values, at, strict=True)])
    outcomes = (generator.random(n) < chance).astype(np.float64)
    sex = np.where(generator.random(n) < 0.5, "female", "male")
    tiny = np.where(np.arange(n) < 30, "rare", "frequent")
    named = {name: sex if name == "sex" else tiny for name in groups.DIMENSIONS}
    dates = np.array([np.datetime64(a.date(), "s") for a in at])
    made = Judgeable(
        "model", "1", "death", "death", True, values, outcomes, np.where(outcomes > 0, 100.0, np.nan),
        np.array([judging.month(a) for a in at]), dates, named, np.arange(n),
        Load(values, outcomes, np.array(["ward"] * n), dates, np.arange(n)),
    )  # fmt: skip
    return made, chance


def test_planted_discrimination_calibration_and_drift_are_found() -> None:
    """Of 20,000: slope and intercept of the rule, the AUROC that the chances imply, and the day of the drift."""
    steady, chance = drawn(Mechanism(drift=0.0), 20_000)
    found = judging.judge(steady).measures
    assert found.slope is not None
    assert found.slope.low < 0.9 < found.slope.high
    order = np.argsort(steady.values)
    cases, others = chance[order], 1 - chance[order]
    implied = float(np.sum(cases * (np.cumsum(others) - others / 2)) / (cases.sum() * others.sum()))
    assert found.auroc is not None
    assert found.auroc.low < implied < found.auroc.high
    assert found.observed_expected is not None
    expected = chance.sum() / steady.values.sum()
    assert found.observed_expected.low < expected < found.observed_expected.high
    moved, _ = drawn(Mechanism(drift_from=date(2019, 7, 1)), 20_000)
    months = judging.judge(moved).months
    ratios = {month.name: month.observed_expected.value for month in months if month.observed_expected}
    before = max(ratios[name] for name in ratios if name < "2019-Q3")
    assert before < min(ratios[name] for name in ratios if name >= "2019-Q3")


def test_small_subgroups_are_withheld_and_thresholds_are_planned() -> None:
    """Thirty people are too few to judge; the planned threshold keeps to the number of cards a day."""
    made, _ = drawn(Mechanism(), 4000)
    judged = judging.judge(made, 0.5)
    by_name = {(group.dimension, group.name): group.measures for group in judged.groups}
    assert by_name[("race", "rare")] is None
    assert by_name[("race", "frequent")] is None  # all people are told, and so thirty would be, by subtraction
    assert by_name[("sex", "female")] is not None
    (plan,) = judged.plans
    assert plan.threshold is not None
    assert 0.45 < plan.per_day <= 0.5


def test_an_interval_that_holds_1_is_no_proof_of_agreement() -> None:
    """The sentence for a board says that no difference is shown, and never that there is none; words may break."""
    few = judging.judge(drawn(Mechanism(drift=0.0), 600)[0])
    ratio = few.measures.observed_expected
    assert ratio is not None
    assert ratio.low < 1 < ratio.high
    told = report._in_short(few)
    assert "no difference from the estimates is shown, and whatever lies in the brackets may be true" in told
    rows = (("x", "death within five years"), ("y", "21 % (16 to 28)"))
    page = report_files.to_html(report.Report("T", (report.Table("t", ("a", "b"), rows),), {}))
    assert b"<td class=words>death within five years</td>" in page
    assert b"<td>21 % (16 to 28)</td>" in page


def test_an_outcome_that_cannot_be_known_yet_is_not_counted_as_none(tmp_path: Path) -> None:
    """Follow-up that ends too early is unknown; death of something else is not the outcome; a date is needed."""
    (tmp_path / "o.toml").write_text(OUTCOMES)
    death, back = read(tmp_path / "o.toml").outcomes
    lines = [
        {"resourceType": "Patient", "id": "p", "deceasedDateTime": "2020-03-01"},
        {"resourceType": "Encounter", "id": "e", "status": "finished", "subject": {"reference": "Patient/p"},
         "class": {"code": "IMP"}, "period": {"start": "2020-02-01", "end": "2020-02-20"}},
    ]  # fmt: skip
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "all.ndjson").write_text("\n".join(map(json.dumps, lines)))
    spool = Spool(tmp_path / "s.db", writable=True)
    spool.fill(tmp_path / "e")
    loaded = load(spool, "p", spool.types())
    spool.close()
    at, until = datetime(2020, 2, 20, tzinfo=UTC), datetime(2020, 2, 25, tzinfo=UTC)
    assert truth(back, loaded, at, "e", until).came is None
    assert truth(back, loaded, at, "e", datetime(2021, 1, 1, tzinfo=UTC)).came is False
    assert truth(death, loaded, at, "e", datetime(2021, 1, 1, tzinfo=UTC)).came is None
    assert truth(death, loaded, at, "e", datetime(2026, 1, 1, tzinfo=UTC)).came is True
    assert truth(replace(back, within=timedelta(days=20)), loaded, datetime(2020, 1, 31, tzinfo=UTC), None, until).came


@pytest.mark.parametrize(
    ("value", "unit", "came"),
    [(2.5, "mg/dL", True), (221, "umol/L", None), (25, "mg/L", True), (1.5, "mg/dL", False), (2.5, "widgets", None)],
)
def test_a_result_counts_in_its_unit_or_is_not_known(
    tmp_path: Path, value: float, unit: str, came: bool | None
) -> None:
    """Converted where that needs no molar mass; a unit that cannot be converted is no "did not come"."""
    rise = 'kind = "result"\nloinc = ["2160-0"]\nunit = "mg/dL"\nat_least = 2\nwithin_days = 7\nhook = "patient-view"\n'
    (tmp_path / "o.toml").write_text(f'until = 2026-11-01\n[outcomes.aki]\n{rise}services = ["x"]\n')
    (outcome,) = read(tmp_path / "o.toml").outcomes
    rows = [
        {"resourceType": "Patient", "id": "p"},
        {"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
         "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}, "effectiveDateTime": "2026-01-03",
         "valueQuantity": {"value": value, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"}},
    ]  # fmt: skip
    found = tuple(decode_resource(json.dumps(row).encode()) for row in rows)
    loaded = Loaded("p", found, (None, None), 0, frozenset())
    assert (
        truth(outcome, loaded, datetime(2026, 1, 1, tzinfo=UTC), None, datetime(2026, 11, 1, tzinfo=UTC)).came is came
    )
    dead = Loaded("p", (decode_resource(b'{"resourceType":"Patient","id":"p","deceasedBoolean":true}'),), (None,), 0,
                  frozenset())  # fmt: skip
    death = replace(outcome, kind="death")
    assert truth(death, dead, datetime(2026, 1, 1, tzinfo=UTC), None, datetime(2026, 11, 1, tzinfo=UTC)).came is None


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ("", "until must be the day"),
        ("until = 2026-11-01\n", "declares no outcome"),
        (OUTCOMES.replace("mortality/", "mortalty/"), "there is no model 'mortalty'"),
        (OUTCOMES.replace('"prognosis"', '"diabetes-x"'), "there is no service 'diabetes-x'"),
        (OUTCOMES.replace("within_days = 30", "within = 30"), "there is no key within. Did you mean within_days?"),
        (OUTCOMES.replace('"patient-view"', '"patient-vieu"'), "hook must be one of"),
        (OUTCOMES.replace('kind = "death"', 'kind = "diagnosis"'), "needs codes"),
        ("until = [", "is not TOML"),
    ],
)
def test_wrong_outcomes_are_refused_with_a_sentence(tmp_path: Path, outcomes: str, words: str) -> None:
    """Before anything is read or written."""
    result = run(tmp_path / "nowhere", tmp_path, outcomes=outcomes)
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_population_without_encounters_gives_no_report(tmp_path: Path) -> None:
    """A report about nothing would look like a report."""
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "p.ndjson").write_text('{"resourceType":"Patient","id":"p"}\n')
    result = run(tmp_path / "e", tmp_path)
    assert "no encounter of the population" in str(result.exception)
    assert not (tmp_path / "out").exists()
