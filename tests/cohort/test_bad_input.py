"""What exports are like in life: mixed, doubled, damaged, cut off, of other time zones; and runs that are killed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import light_scorer
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cli import cohort as commands
from cds_service.cohort import engine, output
from cds_service.cohort.patients import known_at, load
from cds_service.cohort.spool import Spool
from cds_service.errors import InputError
from cds_service.fhir import resources as fhir
from cds_service.sandbox.patients import BY_NAME

NAMES = ("diabetes-poor-control", "ckd-g3b-albuminuria", "heart-failure", "healthy-adult", "primary-prevention")
AT = "2026-11-01T09:00:00Z"


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """One score is loaded, and a part is two patients."""
    monkeypatch.setattr(commands, "make_scorer", light_scorer.make)
    monkeypatch.setattr(engine, "PART", 2)


def bundles(folder: Path) -> Path:
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.json").write_text(json.dumps(BY_NAME[name].chart().bundle()))
    return folder


def arguments(path: Path, out: Path) -> list[str]:
    return ["score", str(path), "--out", str(out), "--as-of", AT]


def score(path: Path, out: Path) -> tuple[list[dict[str, Any]], str]:
    result = CliRunner().invoke(commands.cohort, arguments(path, out))
    assert result.exit_code == 0, (result.output, result.exception)
    return list(output.read(out).to_pylist()), result.output


@pytest.fixture
def plain(tmp_path: Path) -> list[dict[str, Any]]:
    """The rows of the folder of bundles."""
    return score(bundles(tmp_path / "plain"), tmp_path / "plain-out")[0]


def lines(name: str) -> str:
    return "".join(json.dumps(entry["resource"]) + "\n" for entry in BY_NAME[name].chart().bundle()["entry"])


def test_bundles_and_lines_in_one_folder_and_rows_that_come_twice(tmp_path: Path, plain: list[dict[str, Any]]) -> None:
    """The same patients in both forms are the same patients once; an equal second Patient is no problem."""
    folder = bundles(tmp_path / "mixed")
    (folder / "all.ndjson").write_text("".join(map(lines, NAMES)))
    assert score(folder, tmp_path / "out") == (plain, f"5 patients scored into {tmp_path / 'out'}.\n")


def test_a_mark_at_the_begin_of_a_file_and_windows_line_ends_are_read(
    tmp_path: Path, plain: list[dict[str, Any]]
) -> None:
    """As other programs write UTF-8."""
    (tmp_path / "e").mkdir()
    text = "".join(map(lines, NAMES)).replace("\n", "\r\n")
    (tmp_path / "e" / "all.ndjson").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert score(tmp_path / "e", tmp_path / "out")[0] == plain


def test_what_is_no_fhir_is_counted_and_told(tmp_path: Path, plain: list[dict[str, Any]]) -> None:
    """Another encoding, a list, a cut-off bundle, a resource of nobody: rows of the report, and the rest is scored."""
    folder = bundles(tmp_path / "e")
    (folder / "utf16.ndjson").write_bytes(lines(NAMES[0]).splitlines()[0].encode("utf-16"))
    (folder / "list.ndjson").write_text("[1, 2]\n")
    (folder / "cut.json").write_text('{"resourceType": "Bundle", "entry": [{"resource": {"resourceT')
    (folder / "raw.ndjson").write_bytes(b'{"resourceType":"Observation","id":"\x1e"}\n')
    stray = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/nobody"}}
    (folder / "stray.ndjson").write_text(json.dumps(stray))
    ownerless = [{"resourceType": "Observation", "id": "o2"}, {"resourceType": "Practitioner", "id": "d"}]
    (folder / "ownerless.ndjson").write_text("\n".join(map(json.dumps, ownerless)))
    rows, said = score(folder, tmp_path / "out")
    assert rows == plain
    import pyarrow.parquet as pq

    told = {row["file"]: row["reason"] for row in pq.read_table(tmp_path / "out" / "problems.parquet").to_pylist()}
    assert set(told) == {"", "utf16.ndjson", "list.ndjson", "cut.json", "raw.ndjson", "ownerless.ndjson"}
    assert told["ownerless.ndjson"] == "an Observation names no patient by reference; it is left out"
    assert told[""].startswith("1 patients are referred to, and have no Patient resource")
    assert "lines or files are not in it: problems.parquet says which" in said
    assert not any("nobody" in reason for reason in told.values())


TIMES = st.timedeltas(timedelta(0), timedelta(days=12_000)).map(lambda past: datetime(2030, 1, 1, tzinfo=UTC) - past)


@given(TIMES, st.integers(-14 * 60, 14 * 60), TIMES, st.sampled_from([4, 7, 10, 0]))
def test_time_zones_never_decide_what_was_known(when: datetime, minutes: int, at: datetime, length: int) -> None:
    """The short way (texts of days before) says what parsing says, whatever zones and precision."""
    text = when.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    row = fhir.Observation(issued=text[:length] if length else text)
    sure = (at - timedelta(days=1)).date().isoformat()
    assert known_at(row, at, sure) == known_at(row, at)


@pytest.mark.parametrize("text", ["", "soon", "1", "2026-13-45", "9999", "0001-01-01", "20261101"])
def test_times_that_are_none_hide_nothing(text: str) -> None:
    """A junk time is no reason to leave a row out; the models refuse it by their own rules."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    row = fhir.Observation(issued=text)
    assert known_at(row, at, "2026-10-31") == known_at(row, at)


def test_an_encounter_of_another_zone_is_scored_at_its_moment(tmp_path: Path) -> None:
    """23:30 at −05:00 is 04:30 UTC of the next day: a result issued at 04:00 UTC was known, one at 05:00 was not."""
    (tmp_path / "e").mkdir()
    rows = [
        {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1960-01-01"},
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
         "subject": {"reference": "Patient/p"}, "period": {"start": "2026-01-01T23:30:00-05:00"}},
        *({"resourceType": "Observation", "id": f"o{hour}", "status": "final", "subject": {"reference": "Patient/p"},
           "issued": f"2026-01-02T0{hour}:00:00Z"} for hour in (4, 5)),
    ]  # fmt: skip
    (tmp_path / "e" / "all.ndjson").write_text("\n".join(map(json.dumps, rows)))
    spool = Spool(tmp_path / "s.db", writable=True)
    spool.fill(tmp_path / "e")
    loaded = load(spool, "p", spool.types())
    spool.close()
    at = datetime(2026, 1, 2, 4, 30, tzinfo=UTC)
    assert [row.id for row in loaded.record(at).rows(fhir.Observation)] == ["o4"]
    result = CliRunner().invoke(
        commands.cohort, ["score", str(tmp_path / "e"), "--out", str(tmp_path / "out"), "--at-encounters"]
    )
    assert result.exit_code == 0, result.exception
    assert {row["at"] for row in output.read(tmp_path / "out").to_pylist()} == {at}


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import light_scorer
from cds_service.cli import cohort as commands
from cds_service.cohort import engine, output, spool
commands.make_scorer, engine.PART = light_scorer.make, 2
real, calls = {place}, [0]
def killed(*given):
    calls[0] += 1
    if calls[0] == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
{place} = killed
commands.cohort({arguments!r})
"""


@pytest.mark.parametrize(
    ("place", "after", "left"), [("spool.keyed_file", 3, 0), ("output.write_rows", 3, 2)], ids=["reading", "scoring"]
)
def test_a_killed_run_goes_on_where_it_was(
    tmp_path: Path, plain: list[dict[str, Any]], place: str, after: int, left: int
) -> None:
    """kill -9 while files are read, and between parts: no result is there, and the next run gives all of it."""
    folder, out = bundles(tmp_path / "e"), tmp_path / "out"
    script = KILLED.format(
        tests=str(Path(light_scorer.__file__).parent), place=place, after=after, arguments=arguments(folder, out)
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert ended.returncode == -9, ended.stderr
    assert not out.exists()
    made = list((tmp_path / "out.partial").glob("rows/part-*.parquet"))
    assert len(made) == left
    times = {part: part.stat().st_mtime_ns for part in made}
    rows, said = score(folder, out)
    assert rows == plain
    assert {out / "rows" / p.name: t for p, t in times.items()}.items() <= {
        part: part.stat().st_mtime_ns for part in (out / "rows").iterdir()
    }.items()
    assert said.startswith("5 patients scored")
    assert not (tmp_path / "out.partial").exists()


def test_files_that_changed_between_two_runs_are_refused(tmp_path: Path) -> None:
    """Half of one export and half of another would look whole."""
    folder, out = bundles(tmp_path / "e"), tmp_path / "out"
    score(folder, tmp_path / "first")
    shutil.copytree(tmp_path / "first", tmp_path / "out.partial")
    (tmp_path / "out.partial" / "spool.db").unlink(missing_ok=True)
    spool = Spool(tmp_path / "out.partial" / "spool.db", writable=True)
    spool.fill(folder)
    spool.close()
    (folder / f"{NAMES[0]}.json").write_text("{}")
    result = CliRunner().invoke(commands.cohort, arguments(folder, out))
    assert isinstance(result.exception, InputError)
    assert "has changed since it was read" in str(result.exception)
    assert not out.exists()
