"""Tables in the source data's own columns: strict, and nothing imputed."""

import gzip
from pathlib import Path

import pytest

from cds_service.errors import BadRequest, FeatureMismatch
from cds_service.risk.trained import TrainedModel

HEADER = "id,age,gender,creat,crp,alb,note"
GOOD = "p1,62,1,1.1,0.3,4.1,x"


def table(folder: Path, *lines: str, name: str = "rows.csv") -> Path:
    path = folder / name
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_the_answer_has_the_rows_in_order_with_both_forms_of_each_horizon(tiny: TrainedModel, tmp_path: Path) -> None:
    """The id first, then a cell a horizon and beside it the unrestricted one."""
    found = tiny.predict_table(table(tmp_path, HEADER, GOOD, "p2,40,2,0.8,,4.0,"))
    assert found.header == ("id", "death_5y", "death_5y_unrestricted", "death_10y", "death_10y_unrestricted")
    first, second = found.lines
    assert first[0] == "p1"
    assert first[1] == first[2]
    assert 0 < first[2] < first[4] < 1
    assert second[1] is None
    assert second[3] is None
    assert 0 < second[2] < second[4] < 1


def test_too_few_measurements_leave_the_cell_empty(tiny: TrainedModel, tmp_path: Path) -> None:
    """Creatinine alone is one measurement, the model needs two; the unrestricted cell is filled all the same."""
    ((_, five, unrestricted, _, _),) = tiny.predict_table(table(tmp_path, HEADER, "p1,62,1,1.1,NA,,")).lines
    assert five is None
    assert unrestricted is not None


def test_gzip_or_not_and_the_order_of_columns_make_no_difference(tiny: TrainedModel, tmp_path: Path) -> None:
    """Columns are found by name, and the file by its content, not its suffix."""
    plain = tiny.predict_table(table(tmp_path, HEADER, GOOD))
    assert tiny.predict_table(table(tmp_path, HEADER, GOOD, name="rows.csv.gz")) == plain
    assert tiny.predict_table(table(tmp_path, "alb,crp,id,creat,gender,age", "4.1,0.3,p1,1.1,1,62")) == plain


def test_a_row_gets_what_the_same_patient_gets_from_a_record(tiny: TrainedModel, tmp_path: Path) -> None:
    """CRP in mg/dL times ten is CRP in mg/L; eGFR is derived the same way; ages count in whole years."""
    low = tiny.predict_table(table(tmp_path, HEADER, "p1,62,1,1.1,0.3,4.1,")).lines
    fraction = tiny.predict_table(table(tmp_path, HEADER, "p1,62.9,1,1.1,0.3,4.1,")).lines
    assert low == fraction


def test_rows_with_the_same_id_or_none_are_told_by_line(tiny: TrainedModel, tmp_path: Path) -> None:
    """Which estimate is whose could not be told; the message does not repeat the id."""
    twice = table(tmp_path, HEADER, GOOD, "p2,40,2,0.8,,4.0,", " p1 ,50,2,0.8,,4.0,", ",55,2,0.8,,4.0,")
    with pytest.raises(BadRequest) as told:
        tiny.predict_table(twice)
    assert "line 4: column id: the id is that of line 2; each row needs its own" in str(told.value)
    assert "line 5: column id: is empty" in str(told.value)
    assert "p1" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f'{HEADER}\n{GOOD}\n"p2,40\n'.encode(), r"is no CSV file: .* \(line 3\)"),
        (f"{HEADER}\n{GOOD}\n".replace(",", ";").encode(), "cells are parted by semicolons; save it with commas"),
        (f"sep=;\n{HEADER}\n".replace(",", ";").encode(), "parted by semicolons"),
        (f"{HEADER}\n{GOOD}\n".replace(",", "\t").encode(), "parted by tabs"),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "is not a CSV file in UTF-8"),
        (f"{HEADER}\n\0{GOOD}\n".encode(), "is not a CSV file in UTF-8"),
        (b"PK\x03\x04\x14", "is a workbook or a zip file; save its sheet as CSV"),
        (
            f'{HEADER}\np1,62,1,"1,1",0.3,4.1,\n'.encode(),
            r"line 2: column creat: .* \(numbers have a point and no comma",
        ),
        (b"\n\n", "is empty"),
    ],
)
def test_what_other_programs_save_is_told_in_words(
    tiny: TrainedModel, tmp_path: Path, content: bytes, told: str
) -> None:
    """Each with what to do about it; none is guessed at."""
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(BadRequest, match=told):
        tiny.predict_table(path)


def test_a_byte_order_mark_line_ends_of_windows_and_empty_last_lines_make_no_difference(
    tiny: TrainedModel, tmp_path: Path
) -> None:
    """As Excel saves "CSV UTF-8"; an empty line between rows is a fault all the same."""
    plain = tiny.predict_table(table(tmp_path, HEADER, GOOD))
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{GOOD}\r\n\r\n\r\n".encode())
    assert tiny.predict_table(path) == plain
    with pytest.raises(BadRequest, match="line 3: 0 cells, expected 7"):
        tiny.predict_table(table(tmp_path, HEADER, GOOD, "", "p2,40,2,0.8,,4.0,"))


def test_a_missing_column_is_named(tiny: TrainedModel, tmp_path: Path) -> None:
    """A column that the model needs must be there, even if empty."""
    with pytest.raises(FeatureMismatch, match=r"crp, alb"):
        tiny.predict_table(table(tmp_path, "id,age,gender,creat", "p1,62,1,1.1"))
    with pytest.raises(FeatureMismatch, match=r"missing: crp, alb \(it has 'kreat', not known here\)"):
        tiny.predict_table(table(tmp_path, "id,age,gender,creat,kreat", "p1,62,1,1.1,1"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("p1,abc,1,1.1,0.3,4.1,", "line 2: column age: expected a number from 18 to 120 years"),
        ("p1,130,1,1.1,0.3,4.1,", "line 2: column age"),
        ("p1,62,3,1.1,0.3,4.1,", "line 2: column gender: expected 1 \\(male\\) or 2 \\(female\\)"),
        ("p1,62,1.5,1.1,0.3,4.1,", "line 2: column gender"),
        ("p1,62,1,-1,0.3,4.1,", "line 2: column creat"),
        ("p1,62,1,inf,0.3,4.1,", "line 2: column creat"),
        ("p1,62,1,1.1,'0.3',4.1,", "line 2: column crp"),
        ("p1,62,1,1.1,0.3", "line 2: 5 cells, expected 7"),
    ],
)
def test_a_cell_that_cannot_be_is_reported_by_line_and_column(
    tiny: TrainedModel, tmp_path: Path, line: str, words: str
) -> None:
    """Nothing is imputed and nothing clipped: the whole table is refused."""
    with pytest.raises(BadRequest, match=words):
        tiny.predict_table(table(tmp_path, HEADER, line))


def test_all_faults_are_reported_at_once_without_their_values(tiny: TrainedModel, tmp_path: Path) -> None:
    """A report says where, never what: cells may be a patient's data."""
    with pytest.raises(BadRequest) as caught:
        tiny.predict_table(table(tmp_path, HEADER, "p1,secret,1,1,1,4,", "p2,62,9,1,1,4,"))
    assert "2 faults" in str(caught.value)
    assert "line 3: column gender" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "words"), [(HEADER + ",extra", "'extra'"), (HEADER + ",age", r"'age'\) is there twice")]
)
def test_unknown_and_doubled_columns_are_refused(tiny: TrainedModel, tmp_path: Path, header: str, words: str) -> None:
    """A column that is not the source data's may be a mistake that changes the answer."""
    with pytest.raises(BadRequest, match=words):
        tiny.predict_table(table(tmp_path, header, GOOD + ",1"))


def test_what_is_no_table_is_refused_in_words(tiny: TrainedModel, tmp_path: Path) -> None:
    """Empty files, damaged gzip, other encodings, no file."""
    for name, content in (("empty.csv", b""), ("bad.gz", b"\x1f\x8bxxxx"), ("utf16.csv", "id,age\n".encode("utf-16"))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadRequest, match=name):
            tiny.predict_table(tmp_path / name)
    with pytest.raises(BadRequest, match="cannot be read"):
        tiny.predict_table(tmp_path / "nowhere.csv")


def test_a_header_without_rows_gives_no_lines(tiny: TrainedModel, tmp_path: Path) -> None:
    """An empty cohort is no fault."""
    assert tiny.predict_table(table(tmp_path, HEADER)).lines == ()


@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz"])
def test_predictions_are_written_as_csv_with_empty_cells_for_refusals(
    tiny: TrainedModel, tmp_path: Path, name: str
) -> None:
    """The same bytes each time, gzipped or not."""
    found = tiny.predict_table(table(tmp_path, HEADER, "p2,40,2,0.8,,4.0,"))
    found.write(tmp_path / name)
    first = (tmp_path / name).read_bytes()
    found.write(tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    text = gzip.decompress(first).decode() if name.endswith(".gz") else first.decode()
    assert text.splitlines()[1].startswith("p2,,0.")
