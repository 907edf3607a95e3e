"""Recipe of `lung-adenocarcinoma-survival`: five published sets of genes with equal weights, from TCGA-LUAD.

Run it with `curbside models train lung-adenocarcinoma-survival --data tcga_luad_train.csv.gz`. Only scales and the
calibration are learnt: with 126 deaths, choosing genes would choose noise; what was compared stands in `card.md`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.api import gene_sets
from cds_service.api import oncology as o
from cds_service.training import folder
from cds_service.training.declaring import Origin, Table
from cds_service.training.fused_folder import Modality
from cds_service.training.fused_recipe import FusedRecipe, Fusing
from cds_service.training.modalities import Kind, Patients
from cds_service.training.tables import Data, Source, Told

ID, VERSION = "lung-adenocarcinoma-survival", "2.0.0"
TITLE = "Survival after lung adenocarcinoma (research only)"
SETS = gene_sets.LUNG_ADENOCARCINOMA
GENES = tuple((gene, one.id) for one in SETS for gene in one.genes)
COLUMNS, MEASURED = range(len(GENES)), len(GENES) - 2
RNA = "_rnaseq"
UNUSED = ("site", "is_female", "oncotree_code", "age", "survival_months", "censorship", "*_rnaseq", "*_cnv")
SOURCES = tuple(Source(o.gene_expression(gene), gene + RNA, "1", (-1e4, 1e4), group=group) for gene, group in GENES)
TOLD = (Told("survival_months", limits=(0, 1200)), Told("censorship", ("0", "1")))


def _sets() -> tuple[tuple[range, int], ...]:
    """The places of each set's genes, one set after the other, and its sign."""
    found, first = [], 0
    for one in SETS:
        found.append((range(first, first + len(one.genes)), one.sign))
        first += len(one.genes)
    return tuple(found)


def patients(table: Data) -> Patients:
    """Everyone of the table, with any death."""
    months = np.maximum(table.frame["survival_months"].to_numpy().astype(np.float64), 0.05)
    return Patients(table.matrix, months, {"death": (table.frame["censorship"] == 0).to_numpy()})


def subgroups(table: Data, people: Patients) -> dict[str, NDArray[np.bool_]]:
    """Who is reported on apart, by what is no input."""
    age, female = table.frame["age"].to_numpy(), table.frame["is_female"].to_numpy()
    return {"women": female == 1, "men": female == 0, "under 65": age < 65, "65 and over": age >= 65}


def clinical(table: Data, people: Patients) -> NDArray[np.float64]:
    """Age and sex, for the regression that genes are compared with."""
    frame = table.frame[["age", "is_female"]].astype(float)
    return np.asarray(frame.fillna(frame.median()).to_numpy(), dtype=np.float64)


def ceiling(table: Data, people: Patients) -> NDArray[np.float32]:
    """Expression of all genes, copy number, age and sex."""
    more = [name for name in table.frame.columns if name.endswith((RNA, "_cnv"))]
    return table.frame[[*more, "age", "is_female"]].to_numpy().astype(np.float32)


IDS = tuple(o.gene_expression(gene).id for gene, _ in GENES)
recipe = FusedRecipe(
    id=ID,
    version=VERSION,
    title=TITLE,
    outcomes={"death": "death from any cause"},
    horizons=(1, 3),
    seed=20261105,
    table=Table("case_id", SOURCES, UNUSED, TOLD),
    origin=Origin(
        source="TCGA-LUAD (NIH GDC, open tier), prepared by Chen et al. 2021",
        licence=(
            "open access (NIH GDC data use: cite TCGA, no re-identification); the weights are for "
            "research only"
        ),
        description="patients operated on for lung adenocarcinoma, United States and elsewhere",
    ),
    patients=patients,
    speaks=folder.Speaks((0, 130), (), MEASURED),
    spoken=lambda people: np.ones(len(people), dtype=np.bool_),
    modalities=(Modality("rna", "Gene expression", IDS, IDS, MEASURED, "additive"),),
    learning=Fusing(
        kinds=(Kind("rna", COLUMNS, COLUMNS, 1, [0] * len(GENES), linear=True, sets=_sets(), logarithm=True),),
        rounds=80,
        start={"eta": 0.05, "max_depth": 2, "subsample": 0.6, "colsample_bytree": 0.1,
               "aft_loss_distribution_scale": 1.0},
        calibration=10,
        bins=4,
        further={"gene_sets": len(SETS), "genes": len(GENES)},
    ),
    linear=clinical,
    linear_words="Cox regression, age and sex",
    ceiling=ceiling,
    subgroups=subgroups,
    panels={"two of the four genes of dendritic cells": range(len(GENES) - 2, len(GENES))},
    who="patients with gene expression",
    words=Path(__file__).with_name("words.md"),
)  # fmt: skip
