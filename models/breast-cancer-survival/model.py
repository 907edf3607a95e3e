"""Death, and death from breast cancer, within five and ten years of the operation; research only; see `card.md`.

Trained by `train.py` on METABRIC. Two modalities, pathology and tumour markers, each with the age beside it, joined on
the log-odds. It speaks for women with a breast cancer that was operated on in the last six months, is not HER2-positive
and has not spread: trastuzumab came after most of these patients, and metastatic disease is another illness.
"""

from __future__ import annotations

from pathlib import Path

from cds_service.api import Citation, FusedModel, Group, msg
from cds_service.api import catalogue as c
from cds_service.api import oncology as o

FEATURES = (
    c.AGE,
    o.TUMOR_SIZE,
    o.TUMOR_GRADE,
    o.POSITIVE_NODES,
    o.TUMOR_STAGE,
    o.NPI,
    o.ER,
    o.PR,
    o.HER2,
    o.INTRINSIC_SUBTYPE,
)
GROUPS = (
    Group(
        "extent",
        msg("Size, nodes, grade and stage"),
        ("tumor_size", "tumor_grade", "positive_nodes", "tumor_stage", "nottingham_index"),
    ),
    Group("receptors", msg("Receptors"), ("er", "pr", "her2")),
)
GATES = (
    (o.NO_BREAST_CANCER, msg("no active breast cancer is on record")),
    (o.BREAST_CANCER_AGAIN, msg("the cancer has come back, which is another question")),
    (o.MALE, msg("the model has seen women only")),
    (o.HER2_POSITIVE, msg("the tumour is HER2-positive: its treatment is newer than these data")),
    (o.STAGE_4, msg("the cancer has spread, which decides")),
    (o.M1, msg("the cancer has spread, which decides")),
    (c.METASTASIS, msg("the cancer has spread, which decides")),
)

model = FusedModel.load(
    Path(__file__).parent,
    title=msg("Survival after breast cancer (research only)"),
    citation=Citation(
        "METABRIC: Curtis C et al. Nature 2012;486:346-52; Pereira B et al. Nat Commun 2016;7:11479",
        "https://www.cbioportal.org/study/summary?id=brca_metabric",
    ),
    features=FEATURES,
    groups=GROUPS,
    outcome_words={
        "death": msg("death from any cause"),
        "cancer_death": msg("death from breast cancer"),
    },
    population=msg("women operated on for breast cancer in the United Kingdom and Canada, METABRIC, 1977–2005"),
    limits=msg(
        "Research only: not for treatment decisions. Operations of 1977 to 2005, before today's treatments; therapy is "
        "not among its inputs. Women, within six months of the operation, not HER2-positive, not metastatic."
    ),
    gates=GATES,
    research=True,
)
