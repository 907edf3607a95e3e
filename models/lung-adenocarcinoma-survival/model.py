"""Death after lung adenocarcinoma from gene expression: a stress test for more columns than patients; see `card.md`.

Research only and never on a card: its inputs are z-scores against one cohort, which no record holds, it knows no stage,
and its order of patients is little better than chance. It runs on tables in the columns of its source data alone.
"""

from __future__ import annotations

import json
from pathlib import Path

from cds_service.api import Citation, FusedModel, msg
from cds_service.api import oncology as o

FOLDER = Path(__file__).parent
COLUMNS = [i["column"]["name"] for i in json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["inputs"]]

model = FusedModel.load(
    FOLDER,
    title=msg("Survival after lung adenocarcinoma (research only)"),
    citation=Citation(
        "TCGA-LUAD, open tier, NIH Genomic Data Commons; prepared by Chen RJ et al. ICCV 2021",
        "https://portal.gdc.cancer.gov/projects/TCGA-LUAD",
    ),
    features=tuple(o.gene_expression(column.removesuffix("_rnaseq")) for column in COLUMNS),
    groups=(),
    outcome_words={"death": msg("death from any cause")},
    population=msg("patients operated on for lung adenocarcinoma, The Cancer Genome Atlas"),
    limits=msg(
        "Research only, never on a card: z-scores of one cohort, no stage, no treatment, 362 patients, and an order of "
        "patients that is little better than chance."
    ),
)
