"""Death after lung adenocarcinoma from gene expression: a stress test for more columns than patients; see `card.md`.

Five published sets of genes with equal weights. Research only and never on a card: its inputs are z-scores against one
cohort, which no record holds, and it knows no stage. It runs on tables in the columns of its source data alone.
"""

from __future__ import annotations

from pathlib import Path

from cds_service.api import Citation, FusedModel, Group, gene_sets, msg
from cds_service.api import oncology as o

SETS = gene_sets.LUNG_ADENOCARCINOMA
GENES = {one: tuple(o.gene_expression(gene) for gene in one.genes) for one in SETS}

model = FusedModel.load(
    Path(__file__).parent,
    title=msg("Survival after lung adenocarcinoma (research only)"),
    citation=Citation(
        "TCGA-LUAD, open tier, NIH Genomic Data Commons; prepared by Chen RJ et al. ICCV 2021",
        "https://portal.gdc.cancer.gov/projects/TCGA-LUAD",
    ),
    features=tuple(feature for features in GENES.values() for feature in features),
    groups=tuple(Group(one.id, one.label, tuple(f.id for f in features)) for one, features in GENES.items()),
    outcome_words={"death": msg("death from any cause")},
    population=msg("patients operated on for lung adenocarcinoma, The Cancer Genome Atlas"),
    limits=msg(
        "Research only, never on a card: z-scores of one cohort, no stage, no treatment, 362 patients; of two patients "
        "it ranks the wrong one first in about one of three pairs."
    ),
    research=True,
)
