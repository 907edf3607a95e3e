"""Populations: read in any order, one patient at a time, and scored as served; nothing partial looks whole."""

from __future__ import annotations

import gzip
import json
import random
import re
import shutil
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import light_scorer
import pytest
from click.testing import CliRunner

from cds_service.cli import cohort as commands
from cds_service.cli.cohort import cohort
from cds_service.cohort import engine, output
from cds_service.cohort.patients import load
from cds_service.cohort.spool import Spool
from cds_service.errors import InputError
from cds_service.fhir import resources as fhir
from cds_service.sandbox.patients import BY_NAME

NAMES = ("healthy-adult", "diabetes-poor-control", "ckd-g3b-albuminuria", "heart-failure", "child")
AT = "2026-11-01T09:00:00Z"


def rows() -> list[dict[str, Any]]:
    bundles = [BY_NAME[name].chart().bundle() for name in NAMES]
    return [entry["resource"] for bundle in bundles for entry in bundle["entry"]]


def export(folder: Path, order: int = 0, packed: bool = False) -> Path:
    """A Bulk Data export of the samples, each file's lines shuffled."""
    folder.mkdir(parents=True)
    by_type: dict[str, list[str]] = {}
    for row in rows():
        by_type.setdefault(row["resourceType"], []).append(json.dumps(row))
    for type_, lines in by_type.items():
        random.Random(order).shuffle(lines)
        text = ("\n".join(lines) + "\n").encode()
        file = folder / f"{type_}.ndjson{'.gz' if packed else ''}"
        file.write_bytes(gzip.compress(text) if packed else text)
    return folder


def score(path: Path, out: Path, *more: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(cohort, ["score", str(path), "--out", str(out), "--as-of", AT, *more])
    assert result.exit_code == 0, (result.output, result.exception)
    return list(output.read(out).to_pylist())


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes load one score instead of everything, and a part is two patients."""
    monkeypatch.setattr(commands, "make_scorer", light_scorer.make)
    monkeypatch.setattr(engine, "PART", 2)
    monkeypatch.setenv("PYTHONPATH", str(Path(light_scorer.__file__).parent))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of the export as it is, in one process."""
    folder = tmp_path_factory.mktemp("plain")
    return score(export(folder / "e"), folder / "out", "--model", "ckd-epi-2021")


def test_the_order_of_lines_packing_and_processes_change_nothing(
    tmp_path: Path, plain: list[dict[str, Any]], light: None
) -> None:
    """An export is a set: shuffled, gzipped, by two processes, the rows are the same and in the same order."""
    folder = export(tmp_path / "e", 7, packed=True)
    assert score(folder, tmp_path / "o", "--model", "ckd-epi-2021", "--workers", "2") == plain
    assert any(row["kind"] == "estimate" for row in plain)
    assert {row["patient"] for row in plain} == set(NAMES)


def test_bundles_give_what_the_export_gives(tmp_path: Path, plain: list[dict[str, Any]]) -> None:
    """A folder of bundles holds the same population."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.json").write_text(json.dumps(BY_NAME[name].chart().bundle()))
    assert score(folder, tmp_path / "x", "--model", "ckd-epi-2021") == plain


def test_estimates_carry_their_inputs_and_an_explanation_where_asked(tmp_path: Path) -> None:
    """Each input with value, time and source; explanations from a threshold on."""
    found = score(export(tmp_path / "e"), tmp_path / "o", "--model", "mortality", "--explain-from", "0.2")
    made = [row for row in found if row["kind"] == "estimate"]
    assert all(json.loads(row["inputs"])[0]["from"] for row in made)
    assert {row["explanation"] is not None for row in made if row["value"] >= 0.2} <= {True}
    assert {row["explanation"] is not None for row in made if row["value"] < 0.2} <= {False}


def test_what_cannot_be_read_is_told_by_file_and_line(tmp_path: Path) -> None:
    """Junk, a Patient without an id, a second different Patient, a broken gzip; the rest is scored."""
    folder = export(tmp_path / "e")
    other = {"resourceType": "Patient", "id": "healthy-adult", "gender": "male"}
    lines = ["{not json", json.dumps({"resourceType": "Patient"}), json.dumps(other)]
    (folder / "zz.ndjson").write_text("\n".join(lines))
    (folder / "zzz.ndjson.gz").write_bytes(gzip.compress(b'{"resourceType":"Basic"}\n')[:-9])
    score(folder, tmp_path / "o", "--model", "ckd-epi-2021")
    import pyarrow.parquet as pq

    found = [(p["file"], p["line"]) for p in pq.read_table(tmp_path / "o" / "problems.parquet").to_pylist()]
    assert found == [("zz.ndjson", 1), ("zz.ndjson", 2), ("zz.ndjson", 3), ("zzz.ndjson.gz", 0)]
    assert stat.S_IMODE((tmp_path / "o").stat().st_mode) == 0o700  # rows about patients


def test_an_interrupted_run_goes_on_and_another_does_not_mix_with_it(tmp_path: Path) -> None:
    """Parts that are there are not made again; other options are refused; results appear when they are whole."""
    folder, out = export(tmp_path / "e"), tmp_path / "o"
    whole = score(folder, tmp_path / "whole", "--model", "ckd-epi-2021")
    partial = tmp_path / "o.partial"
    shutil.copytree(tmp_path / "whole", partial)
    arguments = ["score", str(folder), "--out", str(out), "--as-of", AT]
    refused = CliRunner().invoke(cohort, [*arguments, "--model", "mortality"])
    assert isinstance(refused.exception, InputError)
    assert not out.exists()
    assert CliRunner().invoke(cohort, [*arguments, "--model", "ckd-epi-2021"]).exit_code == 0
    assert list(output.read(out).to_pylist()) == whole
    assert not partial.exists()
    assert not list(out.glob("spool*"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "is not a folder"),
        (lambda folder: folder.mkdir(), "no FHIR file"),
        (lambda folder: (folder.mkdir(), (folder / "x.ndjson").write_text('{"resourceType":"Basic"}\n')), "no Patient"),
    ],
)
def test_an_empty_population_is_refused(tmp_path: Path, make: Any, words: str) -> None:
    """With a sentence, and without results."""
    make(tmp_path / "e")
    result = CliRunner().invoke(cohort, ["score", str(tmp_path / "e"), "--out", str(tmp_path / "o"), "--as-of", AT])
    assert words in str(result.exception)
    assert not (tmp_path / "o").exists()
    assert not (tmp_path / "o.partial").exists()  # the next call with the right path is no other run


def test_a_place_where_nothing_can_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    """And is no fault of Curbside's own."""
    folder, file = export(tmp_path / "e"), tmp_path / "file"
    file.write_text("")
    given = ["score", str(folder), "--out", str(file / "o"), "--as-of", AT, "--model", "ckd-epi-2021"]
    result = CliRunner().invoke(cohort, given)
    assert "cannot be made (Not a directory). Name a folder that you may write to." in str(result.exception)


def test_a_record_is_as_it_was_known_then(tmp_path: Path) -> None:
    """A result issued later was not there; a stay that ended later went on; who died later lived."""
    folder = tmp_path / "p"
    folder.mkdir()
    at = datetime(2026, 1, 10, tzinfo=UTC)
    lines: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p", "deceasedDateTime": "2026-02-01"},
        {
            "resourceType": "Observation",
            "id": "late",
            "status": "final",
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2026-01-09T08:00:00Z",
            "issued": "2026-01-11T08:00:00Z",
        },
        {
            "resourceType": "Encounter",
            "id": "stay",
            "status": "finished",
            "subject": {"reference": "Patient/p"},
            "period": {"start": "2026-01-08T08:00:00Z", "end": "2026-01-15T08:00:00Z"},
        },
        {"resourceType": "Condition", "id": "dx", "subject": {"reference": "Patient/p"}, "recordedDate": "2026-01-12"},
    ]
    (folder / "all.ndjson").write_text("\n".join(map(json.dumps, lines)))
    spool = Spool(tmp_path / "s.db", writable=True)
    spool.fill(folder)
    record = load(spool, "p", spool.types()).record(at)
    assert not record.deceased
    assert record.rows(fhir.Observation) == ()
    assert record.rows(fhir.Condition) == ()
    (stay,) = record.rows(fhir.Encounter)
    assert stay.status == "in-progress"
    assert stay.period is not None
    assert stay.period.end is None
    spool.close()


def java_release() -> int:
    """The release of the machine's Java; 0 where there is none."""
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found is not None else 0


def test_spark_gives_what_the_default_engine_gives(
    tmp_path: Path, plain: list[dict[str, Any]], light: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row by row, for an export with a damaged line; Java compiles little, for the run is short."""
    java = '--driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" pyspark-shell'
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", java)
    pytest.importorskip("pyspark", reason="PySpark is not installed (the extra spark)")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")  # the machine's name may lead nowhere
    if java_release() < 17:
        pytest.skip("Java is not installed, or too old: Spark needs Java 17")
    folder = export(tmp_path / "e")
    (folder / "zz.ndjson").write_text("{not json\n")
    spark = score(folder, tmp_path / "spark", "--model", "ckd-epi-2021", "--engine", "spark", "--master", "local[1]")
    assert spark == plain
