"""Recipe of `lung-adenocarcinoma-survival`: five published sets of genes with equal weights, from TCGA-LUAD.

Run it with `curbside models train lung-adenocarcinoma-survival --data tcga_luad_train.csv.gz`. Only scales and the
calibration are learnt: with 126 deaths, choosing genes would choose noise; what was compared stands in `card.md`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.api import FusedModel, gene_sets
from cds_service.api import oncology as o
from cds_service.training import card, folder, fused_card, fused_evidence, fused_folder, fusing, local_fused, tables
from cds_service.training.fused_figures import judged
from cds_service.training.fusing import Kind, Patients, Plan
from cds_service.training.local_fused import Seen
from cds_service.training.tables import Data, Source, Told

ID, VERSION, SEED = "lung-adenocarcinoma-survival", "2.0.0", 20261105
TITLE = "Survival after lung adenocarcinoma (research only)"
HORIZONS = (1, 3)
SETS = gene_sets.LUNG_ADENOCARCINOMA
GENES = tuple((gene, one.id) for one in SETS for gene in one.genes)
MEASURED = len(GENES) - 2
RNA = "_rnaseq"
UNUSED = ("site", "is_female", "oncotree_code", "age", "survival_months", "censorship", "*_rnaseq", "*_cnv")
TOLD = (Told("survival_months", limits=(0, 1200)), Told("censorship", ("0", "1")))
START = {"eta": 0.05, "max_depth": 2, "subsample": 0.6, "colsample_bytree": 0.1, "aft_loss_distribution_scale": 1.0}


def main(data: Path, out: Path, trials: int, *, outer: int = 5, refits: int = 20, replicates: int = 500) -> None:
    """Writes weights, manifest, card and plots into `out`; the same data give the same bytes; `trials` are unused."""
    table = _read(data)
    patients = _patients(table)
    columns = range(len(GENES))
    rna = Kind("rna", columns, columns, 1, [0] * len(GENES), linear=True, sets=_sets(), logarithm=True)
    plan = Plan((rna,), HORIZONS, START, {}, 80, 0, SEED, outer, calibration=10)
    result = fusing.run(patients, plan)
    everyone = np.ones(len(patients), dtype=np.bool_)
    evidence = fused_evidence.Evidence(
        patients=patients, plan=plan, fusing=result, spoken=everyone, outcomes={"death": "death from any cause"},
        subgroups=_subgroups(table), linear=_clinical(table), ceiling=_ceiling(table), thresholds={},
        panels={"two of the four genes of dendritic cells": range(len(GENES) - 2, len(GENES))},
        who="patients with gene expression", refits=refits, replicates=replicates,
        linear_words="Cox regression, age and sex",
    )  # fmt: skip
    written = fused_folder.write(out, _manifest(table, patients, evidence, plan), result.final)
    fused_card.write(out, written, evidence, card.read_words(Path(__file__).with_name("words.md")))


def evaluate(data: Path, model: FusedModel) -> str:
    """How the model does on rows with outcomes, in the source data's columns; Markdown."""
    patients = _patients(_read(data))
    log_odds = model.rows.log_odds(patients.matrix)
    everyone = {"everyone": np.ones(len(patients), dtype=np.bool_)}
    block = judged(patients, "death", HORIZONS, log_odds, everyone)
    return f"# {TITLE}, version {model.version}, on {data.name}\n\n## Death\n\n{block}\n"


def observed(data: Path, model: FusedModel) -> Seen:
    """What came to the rows of a table, and for which of them the model speaks."""
    return local_fused.of_patients(_patients(_read(data)), model)


def _read(data: Path) -> Data:
    sources = [Source(o.gene_expression(gene), gene + RNA, "1", (-1e4, 1e4), group=group) for gene, group in GENES]
    return tables.read(data, sources, "case_id", UNUSED, told=TOLD)


def _sets() -> tuple[tuple[range, int], ...]:
    """The places of each set's genes, one set after the other, and its sign."""
    found, first = [], 0
    for one in SETS:
        found.append((range(first, first + len(one.genes)), one.sign))
        first += len(one.genes)
    return tuple(found)


def _patients(table: Data) -> Patients:
    months = np.maximum(table.frame["survival_months"].to_numpy().astype(np.float64), 0.05)
    return Patients(table.matrix, months, {"death": (table.frame["censorship"] == 0).to_numpy()})


def _subgroups(table: Data) -> dict[str, NDArray[np.bool_]]:
    age, female = table.frame["age"].to_numpy(), table.frame["is_female"].to_numpy()
    return {"women": female == 1, "men": female == 0, "under 65": age < 65, "65 and over": age >= 65}


def _clinical(table: Data) -> NDArray[np.float64]:
    frame = table.frame[["age", "is_female"]].astype(float)
    return np.asarray(frame.fillna(frame.median()).to_numpy(), dtype=np.float64)


def _ceiling(table: Data) -> NDArray[np.float32]:
    """Expression of all genes, copy number, age and sex."""
    more = [name for name in table.frame.columns if name.endswith((RNA, "_cnv"))]
    return table.frame[[*more, "age", "is_female"]].to_numpy().astype(np.float32)


def _manifest(table: Data, patients: Patients, evidence: fused_evidence.Evidence, plan: Plan) -> fused_folder.Fusion:
    ids = tuple(i.id for i in table.inputs)
    counts = {
        f"death within {h} {'year' if h == 1 else 'years'}": {
            "people": len(patients),
            "with it": int((patients.ended & (patients.months <= 12 * h)).sum()),
            "lost before": int((~patients.ended & (patients.months <= 12 * h)).sum()),
        }
        for h in HORIZONS
    }
    return fused_folder.Fusion(
        id=ID, version=VERSION, title=TITLE, outcomes=("death",), horizons=HORIZONS, inputs=table.inputs,
        modalities=(fused_folder.Modality("rna", "Gene expression", ids, ids, MEASURED, "additive"),),
        parts=(), patterns=(), similar=fused_folder.similar(patients, evidence.ours, bins=4),
        speaks=folder.Speaks((0, 130), (), MEASURED),
        population=folder.Population(
            source="TCGA-LUAD (NIH GDC, open tier), prepared by Chen et al. 2021",
            licence="open access; research only",
            people=len(patients),
            deaths=int(patients.ended.sum()),
            description="patients operated on for lung adenocarcinoma, United States and elsewhere",
            horizons=counts,
        ),
        table=folder.Table("case_id", UNUSED),
        training={"seed": SEED, "gene_sets": len(SETS), "genes": len(GENES), "trials": 0, "outer_folds": plan.outer,
                  "calibration_folds": plan.calibration},
        versions=folder.versions(),
    )  # fmt: skip
