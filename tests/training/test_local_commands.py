"""`curbside models evaluate` and `recalibrate` from the command line: a tree model, a fused one and an imported one."""

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skops", reason="needs the train extra")

import answers

from cds_service import registry
from cds_service.cli import options, run
from cds_service.errors import InputError
from cds_service.risk.calibration import expit
from cds_service.risk.fused import FusedModel
from cds_service.risk.trained import TrainedModel
from cds_service.settings import Settings
from cds_service.signed import conditions
from tests import source_tables
from tests.source_tables import Model
from tests.training import test_importing

N = 200
LOADED = {id_: m for id_, m in answers.loaded().models.items() if isinstance(m, TrainedModel | FusedModel)}
TWICE = {"patient": [f"P{i // 2}" for i in range(N)]}
SHIFT = 0.9  # of all true log-odds, so that there is something to calibrate
folder = test_importing.folder


@pytest.fixture
def imported(folder: Path) -> FusedModel:
    return test_importing.bring_in(folder)


def came(model: Model, cells: dict[str, list[str]], path: Path, target: str, shift: float = SHIFT) -> np.ndarray:
    """Whether an outcome came, by the model's own probability with the shift; `path` gets the rows."""
    found = model.predict_table(source_tables.write(path, cells))
    risk = np.array([float(str(row[found.header.index(f"{target}_unrestricted")])) for row in found.lines])
    g = np.random.default_rng(9)
    return np.asarray(g.random(len(risk)) < expit(np.log(risk / (1 - risk)) + shift))


def icu(path: Path) -> Path:
    model = loaded("icu-mortality")
    cells = source_tables.rows(model, N)
    died = came(model, cells, path, "in_hospital_death")
    units = {name: [str(i % 2) for i in range(N)] for name in ("CCU", "CSRU", "SICU")}
    return source_tables.write(path, cells | units | {"In-hospital_death": [str(int(d)) for d in died]})


def breast(path: Path) -> Path:
    model = loaded("breast-cancer-survival")
    cells = source_tables.rows(model, N)
    cells["HER2 Status"] = ["Negative"] * N
    soon, later = (came(model, cells, path, f"death_{h}y") for h in (5, 10))
    of_cancer = np.arange(N) % 3 > 0
    months = np.where(soon, 30, np.where(later, 90, 150)) + np.arange(N) % 20
    died = soon | later
    told = {
        "time": [str(m) for m in months],
        "status": ["Deceased" if d else "Living" for d in died],
        "Patient's Vital Status": [
            ("Died of Disease" if c else "Died of Other Causes") if d else "Living"
            for d, c in zip(died, of_cancer, strict=True)
        ],
    }
    return source_tables.write(path, cells | told)


def loaded(id_: str) -> Model:
    return LOADED[id_]


@pytest.mark.parametrize(("id_", "make", "lines"), [
    ("icu-mortality", icu, ("| all stays | 200 |", "| stays for which it speaks |")),
    ("breast-cancer-survival", breast, ("## Death from breast cancer", "| for whom it speaks |")),
])  # fmt: skip
def test_a_shipped_model_is_judged_and_calibrated_on_local_rows(
    id_: str, make: Callable[[Path], Path], lines: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report, the new version beside the old, silent until it is signed off."""
    data = make(tmp_path / "rows.csv")
    assert run(["models", "evaluate", id_, "--data", str(data)]) == 0
    report = capsys.readouterr().out
    assert all(line in report for line in lines)
    site = tmp_path / "site"
    given = ["models", "recalibrate", id_, "--data", str(data), "--out", str(site), "--method", "intercept"]
    assert run(given) == 0
    before, after = loaded(id_), registry.load(extra_models=[site]).models[id_]
    assert after.version.startswith(f"{before.version}+local.")
    told = (site / id_ / "recalibration.md").read_text()
    assert "as it was" in told
    assert "recalibrated" in told
    assert (site / id_ / "attributes.json").is_file()
    settings = tmp_path / "curbside.toml"
    signed = (
        f'[models.signed_off.{id_}]\nversion = "{before.version}"\nby = "Dr. A"\non = 2026-01-02\nreport = "r.md"\n'
    )
    settings.write_text(f'[plugins]\nmodels = ["{site}"]\n\n{signed}')
    capsys.readouterr()
    assert run(["models", "--config", str(settings), "show", id_]) == 0
    assert "silent until signed off" in capsys.readouterr().out
    rests_on = conditions(after, answers.loaded().services.values(), Settings(), "")
    text = settings.read_text().replace(before.version, after.version)
    settings.write_text(f'{text}conditions = "{rests_on}"\n')
    assert run(["models", "--config", str(settings), "show", id_]) == 0
    assert "signed off by Dr. A" in capsys.readouterr().out


def test_the_calibration_of_a_fused_model_moves_every_risk_by_the_shift(tmp_path: Path) -> None:
    """Intercepts of all patterns rise together, contributions stay exact, and the old version is as it was."""
    data = breast(tmp_path / "rows.csv")
    given = ["--data", str(data), "--out", str(tmp_path / "site"), "--method", "intercept"]
    assert run(["models", "recalibrate", "breast-cancer-survival", *given]) == 0
    before = loaded("breast-cancer-survival")
    after = registry.load(extra_models=[tmp_path / "site"]).models["breast-cancer-survival"]
    assert isinstance(before, FusedModel)
    assert isinstance(after, FusedModel)
    for old, new in zip(before.manifest.patterns, after.manifest.patterns, strict=True):
        assert new.weights == old.weights
        if old.outcome == "death":
            assert new.intercepts["5"] - old.intercepts["5"] == pytest.approx(SHIFT, abs=0.4)
    assert after.manifest.similar == ()


def test_an_imported_model_is_judged_and_calibrated_on_a_table_of_its_features(
    imported: FusedModel, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A column of 1 and 0 is named as the outcome; slope and intercept are found."""
    settings = tmp_path / "curbside.toml"
    settings.write_text(f'[plugins]\nmodels = ["{folder / "models"}"]\n')
    (outcome,) = imported.manifest.outcomes
    cells = source_tables.rows(imported, N)
    happened = came(imported, cells, tmp_path / "rows.csv", outcome, -SHIFT)
    data = source_tables.write(tmp_path / "rows.csv", cells | {outcome: [str(int(h)) for h in happened]})
    command = ["models", "--config", str(settings)]
    assert run([*command, "evaluate", imported.id, "--data", str(data)]) == 0
    assert f"| everyone | {N} |" in capsys.readouterr().out
    data = source_tables.write(tmp_path / "rows.csv", cells | {outcome: [str(int(h)) for h in happened], **TWICE})
    assert run([*command, "evaluate", imported.id, "--data", str(data)]) == 0
    assert run([*command, "recalibrate", imported.id, "--data", str(data), "--out", str(tmp_path / "site")]) == 0
    after = registry.load(extra_models=[folder / "models", tmp_path / "site"]).models[imported.id]
    assert isinstance(after, FusedModel)
    assert after.manifest.patterns[0].intercepts["0"] < -0.2
    told = (tmp_path / "site" / imported.id / "recalibration.md").read_text()
    assert "5-fold cross-fit that keeps the rows of a patient together" in told
    assert re.search(r"as it was \| \d+ \| \d+ \| [\d.]+ \([\d.-]+ to [\d.-]+\) \|", told)
    assert run([*command, "predict", imported.id, "--table", str(data), "--out", str(tmp_path / "p.csv")]) == 0


@pytest.mark.parametrize(("command", "id_", "make", "column"), [
    ("evaluate", "icu-mortality", icu, "In-hospital_death"),
    ("recalibrate", "breast-cancer-survival", breast, "status"),
])  # fmt: skip
def test_a_bad_outcome_is_told_by_line_and_column(
    command: str,
    id_: str,
    make: Callable[[Path], Path],
    column: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 2; a table without the column says so too."""
    data = make(tmp_path / "rows.csv")
    header, *body = [line.split(",") for line in data.read_text().splitlines()]
    place = header.index(column)
    body[6][place] = "perhaps"
    data.write_text("\n".join(",".join(line) for line in [header, *body]) + "\n")
    given = ["models", command, id_, "--data", str(data)]
    given += ["--out", str(tmp_path / "site")] if command == "recalibrate" else []
    assert run(given) == 2
    assert f"line 8: column {column}: expected" in capsys.readouterr().err
    for line in (header, *body):
        del line[place]
    data.write_text("\n".join(",".join(line) for line in [header, *body]) + "\n")
    assert run(given) == 2
    assert f"columns are missing: {column}" in capsys.readouterr().err


def test_a_bad_row_of_an_imported_model_is_told(
    imported: FusedModel, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An outcome that is neither 0 nor 1, and a value that cannot be."""
    settings = tmp_path / "curbside.toml"
    settings.write_text(f'[plugins]\nmodels = ["{folder / "models"}"]\n')
    (outcome,) = imported.manifest.outcomes
    cells = source_tables.rows(imported, 3) | {outcome: ["1", "2", "0"], "creatinine": ["1", "1", "9999"]}
    data = source_tables.write(tmp_path / "rows.csv", cells)
    assert run(["models", "--config", str(settings), "evaluate", imported.id, "--data", str(data)]) == 2
    told = capsys.readouterr().err
    assert f"line 3: column {outcome}" in told
    assert "line 4: column creatinine" in told


@pytest.mark.parametrize("command", ["evaluate", "recalibrate", "predict"])
def test_rows_of_an_imported_model_that_cannot_be_told_apart_are_refused(
    command: str, imported: FusedModel, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An id twice, none, or what other programs write for none; a patient without a name."""
    settings = tmp_path / "curbside.toml"
    settings.write_text(f'[plugins]\nmodels = ["{folder / "models"}"]\n')
    (outcome,) = imported.manifest.outcomes
    cells = source_tables.rows(imported, N) | {outcome: [str(i % 2) for i in range(N)]}
    given = ["models", "--config", str(settings), command, imported.id]
    given += ["--table" if command == "predict" else "--data", str(tmp_path / "rows.csv")]
    given += [] if command == "evaluate" else ["--out", str(tmp_path / "out")]
    source_tables.write(tmp_path / "rows.csv", cells | {"id": ["a", "a ", "", "NA", *cells["id"][4:]]})
    assert run(given) == 2
    told = capsys.readouterr().err
    assert "line 3: column id: the id is that of line 2" in told
    assert told.count("column id: is empty; each row needs an id of its own") == 2
    assert not (tmp_path / "out").exists()
    if command != "predict":
        source_tables.write(tmp_path / "rows.csv", cells | {"patient": ["7", "", *["8"] * (N - 2)]})
        assert run(given) == 2
        assert "line 3: column patient: is empty" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "out"), [
    ("evaluate", "none/report.md"), ("recalibrate", "rows.csv/site"), ("train", "rows.csv/mortality"),
])  # fmt: skip
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    command: str, out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not after minutes of it, and not as a fault of Curbside's own; the table is not even read."""
    (tmp_path / "rows.csv").write_text("no,table\n")
    given = ["models", command, "mortality", "--data", str(tmp_path / "rows.csv"), "--out", str(tmp_path / out)]
    assert run(given) == 2
    assert f"{out} cannot be written (" in capsys.readouterr().err


def test_a_file_that_is_there_needs_no_folder_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as /dev/stdout, or a file mounted into a container; a folder in its place is told before the work."""
    (tmp_path / "report.md").touch()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path)
    with options.writing(tmp_path / "report.md"):
        pass
    with pytest.raises(InputError, match="no permission"), options.writing(tmp_path / "other.md"):
        pytest.fail("told too late")
    with pytest.raises(InputError, match="it is a folder"), options.writing(tmp_path):
        pytest.fail("told too late")
    with pytest.raises(InputError, match=r"run\.json cannot"), options.writing(tmp_path / "run.json", folder=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "run.json.part"))


def test_a_folder_in_which_nothing_may_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the system says it, where that shows only in the end."""
    full = pytest.raises(InputError, match=r"site cannot be written \(No space left on device\)")
    with full, options.writing(tmp_path / "site", folder=True):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "site" / "mortality"))
    with pytest.raises(FileNotFoundError), options.writing(tmp_path / "site", folder=True):
        (tmp_path / "other").read_bytes()
