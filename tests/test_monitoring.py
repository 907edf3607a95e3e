"""A live service is watched by counts that hold no patient; what leaves its range rings, and may silence a model."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner

from cds_service import monitoring
from cds_service.app import create_store
from cds_service.cli.monitor import monitor
from cds_service.errors import InputError
from cds_service.monitoring import Watched
from cds_service.settings import Monitoring, load
from cds_service.stores.assessments import Assessment
from cds_service.stores.audit import AuditStore
from cds_service.stores.monitoring import Seen

NAME = "mortality/death"
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def seen(month: int, number: int, shift: float = 0.0, missing: float = 0.0, risk: float = 0.2) -> Seen:
    rng = random.Random(number)
    inputs = [{"id": "sbp", "value": rng.gauss(130 + shift, 15)}]
    if rng.random() < missing:
        inputs = [{"id": "sbp", "unusable": "missing"}]
    results = [{"model": "mortality", "outcome": "death", "horizon_years": 5, "value": risk},
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
    months = monitoring.count([seen(1, 7)], [("2025-01", "prognosis", "overridden", "not relevant")], (), {}, UNTIL)
    assert "p7" not in repr(months)
    assert months["2025-01"].suppressed == Counter({"prognosis": 1})
    assert months["2025-01"].reasons["prognosis"] == Counter({"not relevant": 1})
    assert monitoring.digits(127.4) == 130.0


def kept(n: int) -> Assessment:
    one = seen(1, n)
    return Assessment(
        uuid4(), one.at, one.service, "patient-view", UUID(int=n), one.patient, None, one.inputs, one.results, [],
        b"{}", {},
    )  # fmt: skip


def test_the_command_takes_back_a_sign_off_and_says_so(tmp_path: Path) -> None:
    """With --fall-back: the settings no longer hold it, the audit record holds why, the exit code is 1."""
    file, came, declared = tmp_path / "curbside.toml", tmp_path / "came.csv", tmp_path / "o.toml"
    signed = '[models.signed_off.mortality]\nversion = "1.0.0"\nby = "x"\non = 2026-01-01\nreport = "r"\n'
    limits = "[monitoring]\nleast = 30\n"
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "a.db"}"\n\n{limits}\n{signed}')
    declared.write_text(
        f'until = 2026-11-01\n[outcomes.death]\nkind = "death"\nwithin_days = 365\nhook = "patient-view"\n'
        f'estimates = ["{NAME}"]\n'
    )
    came.write_text("patient,outcome,on\n" + "".join(f"p{n},death,2025-02-01\n" for n in range(30)))
    store = create_store(load(file, {}))
    for n in range(40):
        store.save(kept(n))
    given = ["--config", str(file), "--outcomes", str(declared), "--came", str(came), "--out", str(tmp_path / "m.json")]
    result = CliRunner().invoke(monitor, [*given, "--fall-back"], standalone_mode=False)
    assert result.return_value == 1, (result.output, result.exception)
    assert "observed over expected is 3.75" in result.output
    assert load(file, {}).models.signed_off == {}
    (entry,) = AuditStore(store.database).entries()
    store.close()
    assert entry.kind == "fall-back"
    found = json.loads((tmp_path / "m.json").read_text())
    assert found["months"]["2025-01"]["calls"] == {"prognosis": 40}
    assert '"p1"' not in (tmp_path / "m.json").read_text()


@pytest.mark.parametrize(
    ("csv", "words"),
    [("a,b\n", "columns patient, outcome and on"), ("patient,outcome,on\np,death,soon\n", "line 2: on must be a date")],
)
def test_a_wrong_file_of_outcomes_is_refused(tmp_path: Path, csv: str, words: str) -> None:
    """With the line; and one file without the other."""
    (tmp_path / "came.csv").write_text(csv)
    (tmp_path / "o.toml").write_text(
        'until = 2026-11-01\n[outcomes.d]\nkind = "death"\nwithin_days = 9\nhook = "patient-view"\nestimates = ["m"]\n'
    )
    (tmp_path / "c.toml").write_text("")
    given = ["--config", str(tmp_path / "c.toml"), "--came", str(tmp_path / "came.csv")]
    result = CliRunner().invoke(monitor, [*given, "--outcomes", str(tmp_path / "o.toml")])
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)
    assert "together" in str(CliRunner().invoke(monitor, given).exception)
