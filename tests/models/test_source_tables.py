"""`curbside models predict --table` for every trained model, on rows of its source's own columns."""

import csv
import gzip
import os
import re
from pathlib import Path

import pytest
from answers import loaded

from cds_service.cli import run
from cds_service.errors import BadRequest
from cds_service.risk.fused import FusedModel
from cds_service.risk.trained import TrainedModel
from tests import source_tables

ROOT = Path(__file__).parent.parent.parent
DATA = Path(os.environ.get("CURBSIDE_DATA") or ROOT.parent / "shared" / "data")
N = 40
TRAINED = {id_: m for id_, m in loaded().models.items() if isinstance(m, TrainedModel | FusedModel)}
each = pytest.mark.parametrize("id_", TRAINED)
# Folder and train table of the real source data, and its outcome columns, which unseen rows may lack.
REAL = {
    "mortality": ("nhanes_mortality", ("permth_int", "death_allcause")),
    "readmission-30d": ("readmission_diabetes130", ("readmitted",)),
    "icu-mortality": ("physionet2012", ("In-hospital_death", "Survival", "Length_of_stay")),
    "serious-illness": ("support2", ("death", "hospdead", "d.time", "slos")),
    "breast-cancer-survival": ("metabric", ("time", "status", "Patient's Vital Status")),
    "lung-adenocarcinoma-survival": ("tcga_luad", ("survival_months", "censorship")),
}


def predicted(id_: str, table: Path, out: Path) -> tuple[list[str], list[list[str]]]:
    """Header and lines of the written file."""
    TRAINED[id_].predict_table(table).write(out)
    content = out.read_bytes()
    text = (gzip.decompress(content) if out.suffix == ".gz" else content).decode()
    header, *lines = list(csv.reader(text.splitlines()))
    return header, lines


def check(header: list[str], lines: list[list[str]], ids: list[str]) -> None:
    """The row's id first, in the order of the table; every `_unrestricted` is a probability."""
    assert [line[0] for line in lines] == ids
    places = [p for p, name in enumerate(header) if name.endswith("_unrestricted")]
    assert places
    assert all(0.0 < float(line[p]) < 1.0 for line in lines for p in places)
    assert all(line[p - 1] in ("", line[p]) for line in lines for p in places)


@each
def test_every_model_scores_rows_without_outcomes(id_: str, tmp_path: Path) -> None:
    """Plain and gzipped, with and without the columns that it knows and does not use: the same answers."""
    model = TRAINED[id_]
    cells = source_tables.rows(model, N)
    key = model.manifest.table.id
    header, lines = predicted(id_, source_tables.write(tmp_path / "rows.csv", cells), tmp_path / "p.csv")
    check(header, lines, cells[key])
    assert header[0] == key
    given = ["models", "predict", id_, "--table", str(tmp_path / "rows.csv"), "--out", str(tmp_path / "command.csv")]
    assert run(given) == 0
    assert (tmp_path / "command.csv").read_bytes() == (tmp_path / "p.csv").read_bytes()
    known = {name: ["1"] * N for name in model.manifest.table.unused if not name.startswith("*") and name not in cells}
    again = predicted(id_, source_tables.write(tmp_path / "rows.csv.gz", cells | known), tmp_path / "p.csv.gz")
    assert again == (header, lines)


@each
def test_rows_of_which_nothing_is_known_are_refused_and_still_have_an_unrestricted_number(
    id_: str, tmp_path: Path
) -> None:
    """Empty cells, and how R and pandas write them."""
    model = TRAINED[id_]
    made = {name for one in getattr(model, "made", ()) for name in one.sources}
    names = source_tables.columns(model)
    blank = {n: ["", "NA", "NaN"] if n not in made else ["", "", ""] for n in names}
    cells = {model.manifest.table.id: ["a", "b", "c"]} | blank
    header, lines = predicted(id_, source_tables.write(tmp_path / "rows.csv", cells), tmp_path / "p.csv")
    check(header, lines, ["a", "b", "c"])
    spoken = [p for p, name in enumerate(header) if p and not name.endswith("_unrestricted")]
    assert all(line[p] == "" for line in lines for p in spoken)


@each
def test_an_unknown_column_or_a_wrong_cell_is_told_by_line_and_column(id_: str, tmp_path: Path) -> None:
    """Nothing is computed if a single cell is at fault."""
    cells = source_tables.rows(TRAINED[id_], 3)
    for wrong, words in (
        (cells | {"surprise": ["1"] * 3}, "'surprise'"),
        (cells | {(name := source_tables.columns(TRAINED[id_])[0]): ["", "banana", ""]}, f"line 3: column {name}"),
    ):
        table = source_tables.write(tmp_path / "rows.csv", wrong)
        with pytest.raises(BadRequest, match=re.escape(words)):
            TRAINED[id_].predict_table(table)


def test_a_wrong_cell_ends_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and nothing is written."""
    cells = source_tables.rows(TRAINED["mortality"], 3) | {"age": ["60", "old", "61"]}
    table, out = source_tables.write(tmp_path / "rows.csv", cells), tmp_path / "p.csv"
    assert run(["models", "predict", "mortality", "--table", str(table), "--out", str(out)]) == 2
    assert "line 3: column age" in capsys.readouterr().err
    assert not out.exists()


def test_a_question_mark_is_not_measured_where_the_source_writes_so(tmp_path: Path) -> None:
    """The readmission table writes ? for what is unknown."""
    model = TRAINED["readmission-30d"]
    cells = source_tables.rows(model, 5, empty=0.0)
    asked = [i.column.name for i in model.manifest.inputs if i.column is not None and "?" in i.column.missing]
    assert asked
    header, lines = predicted(
        "readmission-30d",
        source_tables.write(tmp_path / "rows.csv", cells | {name: ["?"] * 5 for name in asked if name in cells}),
        tmp_path / "p.csv",
    )
    check(header, lines, cells[model.manifest.table.id])


@pytest.mark.skipif(not (DATA / "metabric").is_dir(), reason="no data folder: set CURBSIDE_DATA")
@pytest.mark.parametrize("id_", REAL)
def test_the_first_rows_of_the_source_are_scored_with_and_without_outcomes(id_: str, tmp_path: Path) -> None:
    """What unseen rows look like: the same columns, outcomes dropped."""
    folder, outcomes = REAL[id_]
    (source,) = sorted((DATA / folder).glob("*train*.csv.gz"))
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        body = [row for row, _ in zip(reader, range(200), strict=False)]
    cells = {name: [row[p] for row in body] for p, name in enumerate(header)}
    whole = predicted(id_, source_tables.write(tmp_path / "rows.csv", cells), tmp_path / "p.csv")
    check(*whole, cells[TRAINED[id_].manifest.table.id])
    dropped = {name: column for name, column in cells.items() if name not in outcomes}
    assert len(dropped) == len(cells) - len(outcomes)
    assert predicted(id_, source_tables.write(tmp_path / "rows.csv.gz", dropped), tmp_path / "p.csv.gz") == whole
