"""The recipes of readmission, serious illness and lung adenocarcinoma on small tables: same data, same bytes."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from answers import loaded

from cds_service.features import gene_sets
from cds_service.risk.fused import FusedModel
from cds_service.risk.trained import TrainedModel
from cds_service.training import run
from cds_service.training.local import caution
from tests import source_tables

ROOT = Path(__file__).parent.parent.parent
LOADED = loaded().models


def recipe(id_: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"recipe_{id_.replace('-', '_')}", ROOT / "models" / id_ / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.recipe


def rows(id_: str, n: int, further: Mapping[str, Any]) -> dict[str, list[str]]:
    """Cells of the inputs, and of all columns that the recipe knows and does not use."""
    model = LOADED[id_]
    assert isinstance(model, TrainedModel)
    cells = source_tables.rows(model, n, empty=0.05)
    numbers = {name: ["1"] * n for name in model.manifest.table.unused if name not in cells}
    return cells | numbers | {name: [str(cell) for cell in column] for name, column in further.items()}


def stays(path: Path) -> Path:
    """Stays after which those are readmitted who were admitted often before."""
    g, n = np.random.default_rng(4), 600
    before = g.poisson(1.0, n)
    soon = g.random(n) < 1 / (1 + np.exp(4.0 - 3.0 * before))
    further = {
        "number_inpatient": before, "discharge_disposition_id": ["1"] * n,
        "readmitted": np.where(soon, "<30", g.choice(["NO", ">30"], n)),
        "encounter_id": np.arange(n), "patient_nbr": np.arange(n) // 2,
        "race": g.choice(["Caucasian", "AfricanAmerican"], n),
        "payer_code": g.choice(["MC", "?"], n), "num_lab_procedures": g.integers(1, 90, n),
    }  # fmt: skip
    return source_tables.write(path, rows("readmission-30d", n, further))


def ill(path: Path) -> Path:
    """Patients whose creatinine and age drive both deaths."""
    g, n = np.random.default_rng(4), 240
    age, creatinine, rank = g.integers(20, 95, n), g.lognormal(0.3, 0.6, n).round(2), g.random(n)
    odds = 0.04 * (age - 60) + 0.8 * (creatinine - 1.5)
    hospital, later = rank < 1 / (1 + np.exp(1.0 - odds)), rank < 1 / (1 + np.exp(-odds))
    further = {
        "age": age, "crea": creatinine, "hospdead": hospital.astype(int), "death": later.astype(int),
        "d.time": np.where(later, 60, 900), "race": g.choice(["white", "black"], n), "income": g.choice(["low", ""], n),
        **{name: g.random(n).round(3) for name in ("surv2m", "surv6m", "prg2m", "prg6m", "sps", "aps")},
    }  # fmt: skip
    return source_tables.write(path, rows("serious-illness", n, further))


def tumours(path: Path) -> Path:
    """Patients whose genes of the cell cycle, but for the first three, drive death."""
    g, n = np.random.default_rng(4), 150
    names = [gene for one in gene_sets.LUNG_ADENOCARCINOMA for gene in one.genes]
    genes = g.normal(size=(n, len(names)))
    death = g.exponential(40 * np.exp(-genes[:, 3:13].mean(axis=1)))
    lost = g.uniform(5, 80, n)
    cells = {f"{name}_rnaseq": [f"{x:.4f}" for x in genes[:, i]] for i, name in enumerate(names)}
    cells |= {f"GENE{i}_cnv": [str(x) for x in g.integers(-2, 3, n)] for i in range(3)}
    cells |= {
        "case_id": [f"t{i}" for i in range(n)], "site": ["a"] * n, "oncotree_code": ["LUAD"] * n,
        "is_female": [str(x) for x in g.integers(0, 2, n)], "age": [str(x) for x in g.integers(40, 85, n)],
        "survival_months": [f"{x:.2f}" for x in np.minimum(death, lost)],
        "censorship": [str(int(x)) for x in death > lost],
    }  # fmt: skip
    return source_tables.write(path, cells)


@pytest.mark.parametrize(("id_", "make"), [("readmission-30d", stays), ("serious-illness", ill)])
def test_age_groups_of_a_card_part_those_for_whom_it_speaks(
    id_: str, make: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Everyone of an age for which the model speaks is in one of them, and nobody in two."""
    made = recipe(id_)
    table = made.table.read(make(tmp_path / "rows.csv"))
    groups = [rows for name, rows in made.subgroups(table).items() if name[0].isdigit()]
    age = table.matrix[:, 0]
    assert np.sum(groups, axis=0)[age >= 20].tolist() == [1] * int(np.sum(age >= 20))
    assert all(rows.any() for rows in groups)


SMALL = {"rounds": 8, "outer": 2, "replicates": 3, "rival": 1, "refits": 2}
CASES = [
    ("readmission-30d", stays, {**SMALL, "rounds": 15, "refits": 1}),
    ("serious-illness", ill, {**SMALL, "rounds": 6, "refits": 1}),
    ("lung-adenocarcinoma-survival", tumours, {"outer": 2, "refits": 1, "replicates": 5}),
]


@pytest.mark.parametrize(("id_", "make", "size"), CASES, ids=[id_ for id_, *_ in CASES])
def test_the_same_rows_give_the_same_bytes(
    id_: str, make: Callable[[Path], Path], size: Mapping[str, int], tmp_path: Path
) -> None:
    """Weights, manifest, card and plots of two runs; the card has its sections."""
    data, made = make(tmp_path / "rows.csv"), recipe(id_)
    for name in ("first", "second"):
        made.train(data, tmp_path / name, 1, **size)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert {"manifest.json", "card.md", "calibration.svg", "beeswarm.svg"} < set(names)
    assert names == sorted(path.name for path in (tmp_path / "second").iterdir())
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
    card = (tmp_path / "first" / "card.md").read_text()
    for heading in ("Intended use", "Data", "Discrimination", "Calibration", "Subgroups", "Limits"):
        assert f"\n## {heading}\n" in card
    for heading in ("Applicability", "Similar people", "Steadiness", "Plausible values"):
        assert f"\n## {heading}\n" in card


@pytest.mark.parametrize(("id_", "make", "words"), [
    ("readmission-30d", stays, "| stays for which it speaks | "),
    ("serious-illness", ill, "| all patients | 240 |"),
])  # fmt: skip
def test_a_report_on_other_rows_can_be_made(id_: str, make: Callable[[Path], Path], words: str, tmp_path: Path) -> None:
    """What a hospital runs before it signs the model off."""
    model = LOADED[id_]
    assert isinstance(model, TrainedModel | FusedModel)
    report = run.evaluate(model, make(tmp_path / "rows.csv"))
    assert words in report
    assert "The figures hold if none of these rows" in report
    assert "flatter" in caution(model.manifest.inputs, model.manifest.inputs, None)
