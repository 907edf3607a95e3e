"""A live service is watched by counts that hold no patient; what leaves its range rings, and may silence a model."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from cds_service import monitoring
from cds_service.app import create_store
from cds_service.cli.check import silenced
from cds_service.cli.monitor import monitor
from cds_service.errors import InputError
from cds_service.monitoring import Monitored, Watched
from cds_service.settings import Monitoring, load
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import migrate
from cds_service.stores.fallen_back import FallBackStore
from cds_service.stores.monitoring import Answered, Seen, Worded
from cds_service.web.watched import WatchedGauges

NAME = "mortality/death"
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def seen(month: int, number: int, shift: float = 0.0, missing: float = 0.0, risk: float = 0.2) -> Seen:
    rng = random.Random(number)
    inputs = [{"id": "sbp", "value": rng.gauss(130 + shift, 15)}]
    if rng.random() < missing:
        inputs = [{"id": "sbp", "unusable": "missing"}]
    results = [{"model": "mortality", "version": "1.0.0", "outcome": "death", "horizon_years": 5, "value": risk},
               {"finding": "x", "suppressed": "overridden"}]  # fmt: skip
    return Seen(datetime(2025, month, 1, tzinfo=UTC), "prognosis", f"p{number}", inputs, results, 1)


def rung(rows: list[Seen], outcomes: monitoring.Outcomes | None = None) -> list[monitoring.Alarm]:
    watched = (Watched(NAME, "death", YEAR),) if outcomes is not None else ()
    months = monitoring.count(rows, [], watched, outcomes or {}, UNTIL)
    return monitoring.alarms(months, Monitoring())


def test_nothing_rings_while_all_is_as_before() -> None:
    """Chance alone is no alarm."""
    assert rung([seen(1, n) for n in range(600)] + [seen(2, n) for n in range(600, 1200)]) == []


def test_a_shift_and_missing_inputs_ring() -> None:
    """Values that moved by a standard deviation; an input that no longer comes."""
    before = [seen(1, n) for n in range(600)]
    (shift,) = rung(before + [seen(2, n, shift=15.0) for n in range(600, 1200)])
    assert (shift.kind, shift.what, shift.month) == ("psi", "prognosis/sbp", "2025-02")
    (gone,) = rung(before + [seen(2, n, missing=0.5) for n in range(600, 1200)])
    assert gone.kind == "missing"


def test_more_than_expected_rings_once_the_time_is_over() -> None:
    """Observed over expected outside 0.8 to 1.25 over the set volume; what is not known yet is not counted."""
    rows = [seen(1, n) for n in range(600)]
    early = datetime(2025, 3, 1, tzinfo=UTC)
    twice = {(f"p{n}", "death"): (early,) for n in range(240)}
    (alarm,) = rung(rows, twice)
    assert alarm.kind == "observed-expected"
    assert alarm.value == pytest.approx(2.0)
    assert rung(rows, {(f"p{n}", "death"): (early,) for n in range(120)}) == []
    late = monitoring.count(rows, [], (Watched(NAME, "death", 3 * YEAR),), {}, UNTIL)
    assert late["2025-01"].judged == {}


def test_the_counts_hold_no_patient() -> None:
    """Neither ids nor values to more than two digits."""
    answered = Answered("2025-01", "prognosis", "Ward 3", "overridden", "not relevant")
    months = monitoring.count([seen(1, 7)], [answered], (), {}, UNTIL)
    assert "p7" not in repr(months)
    found = months["2025-01"].services()["prognosis"]
    assert (found.suppressed, found.reasons) == (1, {"not relevant": 1})
    assert months["2025-01"].units["prognosis"]["Ward 3"].answers == {"overridden": 1}
    assert monitoring.digits(127.4) == 130.0


def test_counts_outlive_the_assessments_that_they_were_made_of() -> None:
    """Written and read again they are the same; months that the store has pruned come from the run before."""
    answered = Answered("2025-01", "prognosis", "Ward 3", "overridden", "not relevant")
    watched = (Watched(NAME, "death", YEAR),)
    both = [seen(1, n) for n in range(150)] + [seen(2, n, shift=30) for n in range(150)]
    whole = monitoring.count(both, [answered], watched, {}, UNTIL, [Worded("2025-02", 9, 3, 1)])
    before = Monitored(whole, tuple(monitoring.alarms(whole, Monitoring())))
    assert {alarm.kind for alarm in before.alarms} == {"psi", "observed-expected"}
    again = monitoring.from_json(monitoring.to_json(before))
    assert again == before
    later = monitoring.count([seen(2, 1), seen(3, 2)], [], (), {}, UNTIL)
    merged = monitoring.merged(again.months, later)
    assert list(merged) == ["2025-01", "2025-02", "2025-03"]
    assert (merged["2025-01"], merged["2025-02"]) == (whole["2025-01"], whole["2025-02"])
    with pytest.raises(InputError, match="cannot be read by this version"):
        monitoring.from_json(b'{"months": 1}')


def test_slow_answers_and_a_language_model_that_is_not_supported_ring() -> None:
    """One answer in twenty above the limit; fewer sentences kept than the limit asks for."""
    slow = [replace(seen(1, n), elapsed_ms=1500 if n < 20 else 40) for n in range(200)]
    months = monitoring.count(slow, [], (), {}, UNTIL, [Worded("2025-01", 80, 40, 0)])
    found = {alarm.kind: alarm.value for alarm in monitoring.alarms(months, Monitoring())}
    assert found == {"slow": 1500.0, "kept-share": pytest.approx(2 / 3)}
    quick = monitoring.count(slow[20:], [], (), {}, UNTIL, [Worded("2025-01", 118, 2, 0)])
    assert monitoring.alarms(quick, Monitoring()) == []


def test_outcomes_are_judged_over_the_latest_months_that_suffice() -> None:
    """A model that was right for years and is wrong now rings; once lifted, only later months count."""
    early, late = datetime(2025, 1, 20, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
    rows = [seen(1, n) for n in range(2000)] + [seen(6, n) for n in range(2000, 2300)]
    came = {(f"p{n}", "death"): (early,) for n in range(400)}
    came |= {(f"p{n}", "death"): (late,) for n in range(2000, 2120)}
    (alarm,) = rung(rows, came)
    assert (alarm.about, alarm.version, alarm.month) == ("mortality", "1.0.0", "2025-06")
    assert alarm.value == pytest.approx(2.0)
    months = monitoring.count(rows, [], (Watched(NAME, "death", YEAR),), came, UNTIL)
    assert monitoring.alarms(months, Monitoring(), {"mortality": "2025-06"}) == []


def kept(n: int) -> Assessment:
    one = seen(1, n)
    return Assessment(
        uuid4(), one.at, one.service, "patient-view", UUID(int=n), one.patient, None, one.inputs, one.results, [],
        b"{}", {},
    )  # fmt: skip


@dataclass
class Watching:
    """A store with 40 estimates of which 30 came true, and the files that say so."""

    folder: Path
    store: AssessmentStore
    given: list[str]

    def run(self, *more: str) -> Result:
        return CliRunner().invoke(monitor, [*self.given, *more], standalone_mode=False)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    file, came, declared = tmp_path / "curbside.toml", tmp_path / "came.csv", tmp_path / "o.toml"
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "a.db"}"\n\n[monitoring]\nleast = 30\noe_expected = 5.0\n')
    declared.write_text(
        f'until = 2026-11-01\n[outcomes.death]\nkind = "death"\nwithin_days = 365\nhook = "patient-view"\n'
        f'estimates = ["{NAME}"]\n'
    )
    came.write_text("patient,outcome,on\n" + "".join(f"p{n},death,2025-02-01\n" for n in range(30)))
    store = create_store(load(file, {}))
    for n in range(40):
        store.save(kept(n))
    given = ["--config", str(file), "--outcomes", str(declared), "--came", str(came), "--out", str(tmp_path / "m.json")]
    yield Watching(tmp_path, store, given)
    store.close()


def test_an_outcome_that_nobody_foresees_is_named(watching: Watching) -> None:
    """A slip in its name would count as none came, and silence a model; a file that a spreadsheet saved is read."""
    came = watching.folder / "came.csv"
    came.write_text("\ufeffpatient,outcome,on\np1,deaths,2025-02-01\n", encoding="utf-8")
    found = watching.run()
    assert (
        str(found.exception)
        == f"{came}: 'deaths' is not an outcome of {watching.folder / 'o.toml'}. It foresees: death."
    )
    came.write_text("patient,outcome,on\np1\n")
    assert str(watching.run().exception) == f"{came}, line 2: patient and outcome must both be there."


def test_what_came_is_known_up_to_the_day_that_is_named(watching: Watching) -> None:
    """`until` of the file would stand still for years; estimates are judged on the day when their time is over."""
    assert watching.run("--until", "2025-12-31").return_value == 0
    assert watching.run("--until", "2026-01-01").return_value == 1
    alone = CliRunner().invoke(monitor, ["--until", "2026-01-01"], standalone_mode=False)
    assert "give --until with --outcomes and --came" in str(alone.exception)


def test_a_folder_that_is_not_there_is_told_before_anything_is_counted(watching: Watching) -> None:
    """And not as a fault of Curbside's own, behind counts that were kept and models that fell silent."""
    found = watching.run("--fall-back", "--out", str(watching.folder / "away" / "m.json"))
    assert isinstance(found.exception, InputError)
    assert "no such folder" in str(found.exception)
    assert FallBackStore(watching.store.database).in_force() == ()


def test_a_call_of_a_clock_that_ran_ahead_blinds_nobody(watching: Watching) -> None:
    """Its month would be the latest for years, and hold too little of everything to compare."""
    watching.store.save(replace(kept(99), at=datetime(2236, 1, 1, tzinfo=UTC)))
    result = watching.run()
    assert "calls of 2236-01 are left out" in result.stderr
    assert list(json.loads((watching.folder / "m.json").read_text())["months"]) == ["2025-01"]


def test_the_command_silences_a_model_and_says_how_to_lift_it(watching: Watching) -> None:
    """With --fall-back: the store and the audit record hold it once; somebody by name lifts it; exit code 1 rings."""
    result = watching.run("--fall-back")
    assert result.return_value == 1, (result.output, result.exception)
    assert "observed over expected is 3.75" in result.output
    assert "curbside monitor --lift mortality --by NAME" in result.output
    found = json.loads((watching.folder / "m.json").read_text())
    assert found["months"]["2025-01"]["units"]["prognosis"][""]["calls"] == 40
    assert [one["model"] for one in found["silent"]] == ["mortality"]
    assert '"p1"' not in (watching.folder / "m.json").read_text()
    assert silenced(load(watching.folder / "curbside.toml", {})).startswith("mortality 1.0.0 since ")
    watching.run("--fall-back")
    assert [entry.kind for entry in AuditStore(watching.store.database).entries()] == ["fall-back"]
    assert "together" in str(watching.run("--lift", "mortality").exception)
    assert "did not fall back" in str(watching.run("--lift", "lace", "--by", "Dr Li").exception)
    assert "may speak again" in watching.run("--lift", "mortality", "--by", "Dr Li").output
    assert FallBackStore(watching.store.database).in_force() == ()
    assert silenced(load(watching.folder / "curbside.toml", {})) == "none by monitoring"
    (_, lifted) = AuditStore(watching.store.database).entries()
    assert (lifted.kind, (lifted.content or {})["by"]) == ("fall-back-lifted", "Dr Li")


def test_what_chance_may_bring_does_not_ring() -> None:
    """A ratio outside its range, with an interval that holds 1; and few expected outcomes, whatever the ratio."""
    early = datetime(2025, 1, 20, tzinfo=UTC)
    rows = [seen(1, n) for n in range(300)]
    assert rung(rows, {(f"p{n}", "death"): (early,) for n in range(46)}) == []  # 0.77 of 60
    assert len(rung(rows, {(f"p{n}", "death"): (early,) for n in range(36)})) == 1
    assert rung(rows[:200], {(f"p{n}", "death"): (early,) for n in range(200)}) == []


def test_points_are_no_probabilities() -> None:
    """A score of one point is not a certain outcome."""
    row = {"model": "lace", "version": "1", "outcome": "lace", "horizon_years": None, "value": 1, "scale": "points"}
    one = Seen(datetime(2025, 1, 1, tzinfo=UTC), "transition-of-care", "p", [], [row], 0)
    months = monitoring.count([one], [], (Watched("lace", "readmission", YEAR),), {}, UNTIL)
    assert months["2025-01"].judged == {}


def test_without_the_setting_nothing_falls_silent(watching: Watching) -> None:
    """It rings, and that is all."""
    assert watching.run().return_value == 1
    assert FallBackStore(watching.store.database).every() == ()


def test_a_run_without_outcomes_forgets_none(watching: Watching) -> None:
    """What was judged before still rings, on the page and in the metrics."""
    watching.run()
    place = watching.given.index("--outcomes")
    watching.given[place : place + 4] = []
    again = watching.run()
    assert again.return_value == 1, again.output
    assert "observed over expected is 3.75" in again.output
    assert 'kind="observed-expected"} 1.0' in WatchedGauges(watching.store.database).page().decode()


def test_the_metrics_tell_of_alarms_by_model_and_kind(watching: Watching) -> None:
    """What rings, what is watched and does not, who is silent, and when it was looked at; nothing before a run."""
    gauges = WatchedGauges(watching.store.database)
    assert b"curbside_alarms" not in gauges.page()
    watching.run("--fall-back")
    page = gauges.page().decode()
    assert 'curbside_alarms{about="mortality",kind="observed-expected"} 1.0' in page
    assert 'curbside_alarms{about="prognosis",kind="overridden"} 0.0' in page
    assert 'curbside_silenced_models{model="mortality",version="1.0.0"} 1.0' in page
    assert re.search(r"^curbside_monitored_timestamp_seconds [1-9]\.", page, re.M)


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        ("a,b\n", "columns patient, outcome and on"),
        ("patient,outcome,on\np,death,soon\n", "line 2: on must be a date"),
        ("patient,outcome,on\np,death,9999-12-31\n", "line 2: on must be a date"),
    ],
)
def test_a_wrong_file_of_outcomes_is_refused(tmp_path: Path, csv: str, words: str) -> None:
    """With the line; and one file without the other."""
    (tmp_path / "came.csv").write_text(csv)
    (tmp_path / "o.toml").write_text(
        'until = 2026-11-01\n[outcomes.d]\nkind = "death"\nwithin_days = 9\nhook = "patient-view"\nestimates = ["m"]\n'
    )
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url)
    (tmp_path / "c.toml").write_text(f'[store]\nurl = "{url}"\n')
    given = ["--config", str(tmp_path / "c.toml"), "--came", str(tmp_path / "came.csv")]
    result = CliRunner().invoke(monitor, [*given, "--outcomes", str(tmp_path / "o.toml")])
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)
    assert "together" in str(CliRunner().invoke(monitor, given).exception)
