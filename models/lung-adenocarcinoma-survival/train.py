"""Recipe of `lung-adenocarcinoma-survival`: a sparse sum of gene expressions, from TCGA-LUAD.

Run it with `curbside models train lung-adenocarcinoma-survival --data tcga_luad_train.csv.gz`. Nothing is tuned: with
126 deaths, tuning would choose noise; what was compared beforehand stands in `card.md`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
from numpy.typing import NDArray

from cds_service.api import FusedModel
from cds_service.api import oncology as o
from cds_service.training import card, folder, fused_card, fused_evidence, fused_folder, fusing, local_fused, tables
from cds_service.training.fusing import Kind, Patients, Plan
from cds_service.training.local_fused import Seen
from cds_service.training.tables import Data, Source, Told

ID, VERSION, SEED = "lung-adenocarcinoma-survival", "1.0.0", 20261105
TITLE = "Survival after lung adenocarcinoma (research only)"
HORIZONS = (1, 3)
GENES = 50
RNA = "_rnaseq"
UNUSED = ("site", "is_female", "oncotree_code", "age", "survival_months", "censorship", "*_rnaseq", "*_cnv")
TOLD = (Told("survival_months", limits=(0, 1200)), Told("censorship", ("0", "1")))
START = {"eta": 0.05, "max_depth": 2, "subsample": 0.6, "colsample_bytree": 0.1, "aft_loss_distribution_scale": 1.0}


def main(data: Path, out: Path, trials: int, *, outer: int = 5, refits: int = 20, replicates: int = 500) -> None:
    """Writes weights, manifest, card and plots into `out`; the same data give the same bytes; `trials` are unused."""
    table = _read(data)
    patients = _patients(table)
    width = patients.matrix.shape[1]
    rna = Kind("rna", range(width), range(width), 1, [0] * width, linear=True, keep=GENES, logarithm=True)
    plan = Plan((rna,), HORIZONS, START, {}, 80, 0, SEED, outer, calibration=10)
    result = fusing.run(patients, plan)
    everyone = np.ones(len(patients), dtype=np.bool_)
    evidence = fused_evidence.Evidence(
        patients=patients, plan=plan, fusing=result, spoken=everyone, outcomes={"death": "death from any cause"},
        subgroups=_subgroups(table), linear=_clinical(table), ceiling=_ceiling(table, patients), thresholds={},
        who="patients with gene expression", refits=refits, replicates=replicates,
        linear_words="Cox regression, age and sex",
    )  # fmt: skip
    written = fused_folder.write(out, _manifest(table, patients, evidence, plan), result.final)
    fused_card.write(out, written, evidence, card.read_words(Path(__file__).with_name("words.md")))


def evaluate(data: Path, model: FusedModel) -> str:
    """How the model does on rows with outcomes, in the source data's columns; Markdown."""
    patients = _of_model(data, model)
    log_odds = model.rows.log_odds(patients.matrix)
    everyone = {"everyone": np.ones(len(patients), dtype=np.bool_)}
    block = fused_card.judged(patients, "death", HORIZONS, log_odds, everyone)
    return f"# {TITLE}, version {model.version}, on {data.name}\n\n## Death\n\n{block}\n"


def observed(data: Path, model: FusedModel) -> Seen:
    """What came to the rows of a table, and for which of them the model speaks."""
    return local_fused.of_patients(_of_model(data, model), model)


def _of_model(data: Path, model: FusedModel) -> Patients:
    """The patients of a table, with the model's own inputs alone."""
    table = _read(data)
    patients = _patients(table)
    return replace(patients, matrix=tables.select(table, model.manifest.inputs, data))


def _read(data: Path) -> Data:
    """The table with every gene's expression as an input; which of them count is learnt."""
    names = [name for name in pandas.read_csv(data, nrows=0).columns if name.endswith(RNA)]
    sources = [Source(o.gene_expression(name.removesuffix(RNA)), name, "1", (-1e4, 1e4)) for name in names]
    return tables.read(data, sources, "case_id", UNUSED, told=TOLD)


def _patients(table: Data) -> Patients:
    months = np.maximum(table.frame["survival_months"].to_numpy().astype(np.float64), 0.05)
    return Patients(table.matrix, months, {"death": (table.frame["censorship"] == 0).to_numpy()})


def _subgroups(table: Data) -> dict[str, NDArray[np.bool_]]:
    age, female = table.frame["age"].to_numpy(), table.frame["is_female"].to_numpy()
    return {"women": female == 1, "men": female == 0, "under 65": age < 65, "65 and over": age >= 65}


def _clinical(table: Data) -> NDArray[np.float64]:
    frame = table.frame[["age", "is_female"]].astype(float)
    return np.asarray(frame.fillna(frame.median()).to_numpy(), dtype=np.float64)


def _ceiling(table: Data, patients: Patients) -> NDArray[np.float32]:
    """Expression, copy number, age and sex."""
    copies = [name for name in table.frame.columns if name.endswith("_cnv")]
    more = table.frame[[*copies, "age", "is_female"]].to_numpy()
    return np.column_stack([patients.matrix, more]).astype(np.float32)


def _manifest(table: Data, patients: Patients, evidence: fused_evidence.Evidence, plan: Plan) -> fused_folder.Fusion:
    model = evidence.fusing.final.parts["death", "rna"].model
    if not isinstance(model, fusing.Line):
        raise TypeError("the model of gene expression is a sum")
    inputs = tuple(table.inputs[i] for i in np.flatnonzero(model.weight).tolist())
    ids = tuple(i.id for i in inputs)
    counts = {
        f"death within {h} years": {
            "people": len(patients),
            "with it": int((patients.ended & (patients.months <= 12 * h)).sum()),
            "lost before": int((~patients.ended & (patients.months <= 12 * h)).sum()),
        }
        for h in HORIZONS
    }
    return fused_folder.Fusion(
        id=ID, version=VERSION, title=TITLE, outcomes=("death",), horizons=HORIZONS, inputs=inputs,
        modalities=(fused_folder.Modality("rna", "Gene expression", ids, ids, len(ids) - 2, "additive"),),
        parts=(), patterns=(), similar=fused_folder.similar(patients, evidence.ours, bins=4),
        speaks=folder.Speaks((0, 130), (), len(ids) - 2),
        population=folder.Population(
            source="TCGA-LUAD (NIH GDC, open tier), prepared by Chen et al. 2021",
            licence="open access; research only",
            people=len(patients),
            deaths=int(patients.ended.sum()),
            description="patients operated on for lung adenocarcinoma, United States and elsewhere",
            horizons=counts,
        ),
        table=folder.Table("case_id", UNUSED),
        training={"seed": SEED, "genes": GENES, "trials": 0, "outer_folds": plan.outer,
                  "calibration_folds": plan.calibration},
        versions=folder.versions(),
    )  # fmt: skip
