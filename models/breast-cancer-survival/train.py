"""Recipe of `breast-cancer-survival`: death and death from breast cancer within five and ten years, from METABRIC.

What leaks, what a record cannot supply and why each is left out is in `card.md`, which this recipe writes.
Run it with `curbside models train breast-cancer-survival --data metabric_train.csv.gz`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.api import catalogue as c
from cds_service.api import oncology as o
from cds_service.training import folder, predict_breast
from cds_service.training.declaring import Origin, Table
from cds_service.training.fused_folder import Modality
from cds_service.training.fused_recipe import FusedRecipe, Fusing, kinds
from cds_service.training.modalities import Patients
from cds_service.training.tables import Data, Source, Told

ID, VERSION = "breast-cancer-survival", "1.1.0"
TITLE = "Survival after breast cancer (research only)"
EXTENT, RECEPTORS = "extent", "receptors"

GRADES = {"1": "grade 1", "2": "grade 2", "3": "grade 3"}
STAGES = {"0": "stage 0", "1": "stage 1", "2": "stage 2", "3": "stage 3", "4": "stage 4"}
STATUS = {"Positive": "positive", "Negative": "negative"}
# In order of the hazard that the literature gives; trees need an order, not a distance.
SUBTYPES = {
    "Normal": "normal-like",
    "LumA": "luminal A",
    "claudin-low": "claudin-low",
    "LumB": "luminal B",
    "Basal": "basal-like",
    "Her2": "HER2-enriched",
}


def _numbered(words: dict[str, str]) -> dict[str, float]:
    return {word: float(number) for number, word in enumerate(words.values())}


TWO = {"negative": 0.0, "positive": 1.0}
SOURCES = (
    Source(c.AGE, "Age", "a", (18, 120)),
    Source(o.TUMOR_SIZE, "Tumor Size", "mm", (0, 400), monotone=1, group=EXTENT),
    Source(o.TUMOR_GRADE, "Neoplasm Histologic Grade", "1", (1, 3), cells=GRADES, numbers=_numbered(GRADES),
           monotone=1, group=EXTENT),
    Source(o.POSITIVE_NODES, "Lymph nodes examined positive", "1", (0, 90), monotone=1, group=EXTENT),
    Source(o.TUMOR_STAGE, "Tumor Stage", "1", (0, 4), cells=STAGES, numbers=_numbered(STAGES), monotone=1,
           group=EXTENT),
    Source(o.NPI, monotone=1, group=EXTENT),
    Source(o.ER, "ER Status", "1", cells=STATUS, numbers=TWO, group=RECEPTORS),
    Source(o.PR, "PR Status", "1", cells=STATUS, numbers=TWO, group=RECEPTORS),
    Source(o.HER2, "HER2 Status", "1", cells=STATUS, numbers=TWO, group=RECEPTORS),
    Source(o.INTRINSIC_SUBTYPE, "Pam50 + Claudin-low subtype", "1", cells=SUBTYPES, numbers=_numbered(SUBTYPES),
           missing=("NC",)),
)  # fmt: skip
# Known columns that are no inputs: what follows the operation, what no record holds, and what is the outcome.
UNUSED = (
    "Type of Breast Surgery", "Cancer Type", "Cancer Type Detailed", "Cellularity", "Chemotherapy", "Cohort",
    "ER status measured by IHC", "HER2 status measured by SNP6", "Tumor Other Histologic Subtype", "Hormone Therapy",
    "Inferred Menopausal State", "Integrative Cluster", "Primary Tumor Laterality", "Mutation Count",
    "Nottingham prognostic index", "Oncotree Code", "time", "status", "Radio Therapy",
    "Relapse Free Status (Months)", "Relapse Free Status", "Sex", "3-Gene classifier subtype",
    "Patient's Vital Status", "MKI67_expr", "EGFR_expr", "PGR_expr", "ERBB2_expr",
)  # fmt: skip
TOLD = (
    Told("time", limits=(0, 1200), empty=True),
    Told("status", ("Living", "Deceased"), empty=True),
    Told("Patient's Vital Status", ("Living", "Died of Disease", "Died of Other Causes"), empty=True),
)
PATHOLOGY = ("age", "tumor_size", "tumor_grade", "positive_nodes", "tumor_stage", "nottingham_index")
MARKERS = ("age", "er", "pr", "her2", "intrinsic_subtype")
MODALITIES = (
    Modality("pathology", "Pathology", PATHOLOGY, ("tumor_size", "tumor_grade", "positive_nodes", "tumor_stage"), 3),
    Modality("markers", "Tumour markers", MARKERS, ("er", "pr", "her2", "intrinsic_subtype"), 3),
    Modality("together", "Both together", (*PATHOLOGY, *MARKERS[1:]), (*PATHOLOGY[1:5], *MARKERS[1:]), 6),
)
# What a record may lack together: columns by their place among the sources.
PANELS = {
    "no pathology": (1, 2, 3, 4, 5), "no tumour markers": (6, 7, 8, 9), "no stage group": (4,),
    "no intrinsic subtype": (9,),
}  # fmt: skip
LEARNING = Fusing(
    kinds=kinds(MODALITIES, SOURCES),
    rounds=120,
    start={
        "aft_loss_distribution_scale": 0.8, "eta": 0.05, "max_depth": 3, "min_child_weight": 2.0, "lambda": 5.0,
        "subsample": 0.5, "colsample_bytree": 0.5, "num_parallel_tree": 3,
    },
    space={
        "aft_loss_distribution_scale": ("float", 0.6, 1.4),
        "eta": ("log", 0.03, 0.08),
        "max_depth": ("int", 2.0, 4.0),
        "min_child_weight": ("log", 1.0, 8.0),
        "lambda": ("log", 1.0, 20.0),
    },
    alone=frozenset({"together"}),
    by_horizon=True,
)  # fmt: skip
CEILING = (
    "Cellularity", "Mutation Count", "MKI67_expr", "EGFR_expr", "PGR_expr", "ERBB2_expr", "Integrative Cluster",
    "Inferred Menopausal State", "3-Gene classifier subtype", "Type of Breast Surgery", "Cohort",
)  # fmt: skip


def followed(table: Data) -> NDArray[np.bool_]:
    """The rows whose end is known."""
    return table.frame["time"].notna().to_numpy() & table.frame["status"].notna().to_numpy()


def patients(table: Data) -> Patients:
    """The women whose end is known; whoever died of something else has not died of cancer."""
    rows = followed(table)
    frame = table.frame[rows]
    died = (frame["status"] == "Deceased").to_numpy()
    of_cancer = (frame["Patient's Vital Status"] == "Died of Disease").to_numpy()
    months = np.maximum(frame["time"].to_numpy().astype(np.float64), 0.05)
    return Patients(table.matrix[rows], months, {"death": died, "cancer_death": of_cancer})


def spoken(women: Patients) -> NDArray[np.bool_]:
    """For whom the model gives a number."""
    columns = {source.feature.id: women.matrix[:, position] for position, source in enumerate(SOURCES)}
    there = np.any([kind.there(women.matrix) for kind in LEARNING.kinds], axis=0)
    return np.asarray(there & (columns["her2"] == 0.0) & ~(columns["tumor_stage"] == 4.0))


def subgroups(table: Data, women: Patients) -> dict[str, NDArray[np.bool_]]:
    """Who is reported on apart."""
    age, er, nodes = (women.matrix[:, i] for i in (0, 6, 3))
    return {
        "under 50": np.asarray(age < 50),
        "50 to 69": np.asarray((age >= 50) & (age < 70)),
        "70 and over": np.asarray(age >= 70),
        "oestrogen receptor positive": np.asarray(er == 1),
        "oestrogen receptor negative": np.asarray(er == 0),
        "no lymph node with cancer": np.asarray(nodes == 0),
        "lymph nodes with cancer": np.asarray(nodes > 0),
    }


def linear(table: Data, women: Patients) -> NDArray[np.float64]:
    """The inputs as a Cox regression takes them: splines of age, logarithms, medians with marks for what is missing."""
    matrix = women.matrix.astype(np.float64)
    missing = np.isnan(matrix)
    filled = np.where(missing, np.nanmedian(matrix, axis=0), matrix)
    age, size, nodes, subtype = (filled[:, i] for i in (0, 1, 3, 9))
    knots = [np.maximum(age - knot, 0.0) for knot in (45, 60, 75)]
    kinds = [np.asarray(subtype == k, dtype=np.float64) for k in range(1, 6)]
    columns = [filled, *knots, np.log(size + 1), np.log1p(nodes), nodes > 0, *kinds, missing[:, [1, 2, 3, 4]]]
    return np.column_stack(columns).astype(np.float64)


def published(women: Patients) -> dict[str, dict[str, NDArray[np.float64]]]:
    """The Nottingham index and PREDICT, which are made for death from breast cancer."""
    age, size, grade, nodes, _, npi, er, _, her2, _ = women.matrix.astype(np.float64).T
    death, cancer = predict_breast.log_hazards(age, size, grade + 1.0, nodes, er, her2)
    return {
        "Nottingham prognostic index": {"death": npi, "cancer_death": npi},
        "PREDICT version 2, without treatment": {"death": death, "cancer_death": cancer},
    }


def ceiling(table: Data, women: Patients) -> NDArray[np.float32]:
    """Everything known at the operation, what no record holds and what is another hospital's habit included."""
    frame = table.frame[followed(table)][list(CEILING)]
    texts = frame.select_dtypes("object").columns
    coded = frame.assign(**{name: frame[name].astype("category").cat.codes for name in texts})
    return np.column_stack([women.matrix, coded.to_numpy()]).astype(np.float32)


recipe = FusedRecipe(
    id=ID,
    version=VERSION,
    title=TITLE,
    outcomes={"death": "death from any cause", "cancer_death": "death from breast cancer"},
    horizons=(5, 10),
    seed=20261104,
    table=Table("Patient ID", SOURCES, UNUSED, TOLD),
    origin=Origin(
        source="METABRIC (cBioPortal study brca_metabric): Curtis 2012, Pereira 2016",
        licence=(
            "contains information from METABRIC (cBioPortal, brca_metabric), which is made available "
            "under the Open Database License 1.0 (https://opendatacommons.org/licenses/odbl/1-0/)"
        ),
        description="women operated on for primary breast cancer, United Kingdom and Canada",
    ),
    patients=patients,
    speaks=folder.Speaks((21, 96), ("age", "her2"), 3),
    spoken=spoken,
    modalities=MODALITIES,
    learning=LEARNING,
    linear=linear,
    ceiling=ceiling,
    published=published,
    subgroups=subgroups,
    thresholds={("death", 10): (0.2, 0.5), ("cancer_death", 10): (0.1, 0.25)},
    panels=PANELS,
    who="women with a tumour that is not HER2-positive and not stage 4",
    words=Path(__file__).with_name("words.md"),
)
