"""Recipe of `icu-mortality`: death in hospital from the first 48 hours in intensive care, PhysioNet Challenge 2012.

The population and the columns that leak are in `card.md`, which this recipe writes. Run it with
`curbside models train icu-mortality --data physionet2012_train.csv.gz`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.api import Made, intensive_care
from cds_service.api import catalogue as c
from cds_service.training import folder
from cds_service.training.declaring import Gaps, Learning, Origin, Table
from cds_service.training.hazard import Floats, Matrix
from cds_service.training.outcomes import Outcomes
from cds_service.training.recipes import OutcomeRecipe
from cds_service.training.tables import Data, Source, Told

ID, VERSION = "icu-mortality", "1.2.0"
TITLE = "Death in hospital after 48 hours of intensive care"
OUTCOME, COLUMN = "in_hospital_death", "In-hospital_death"
AGES = (16, 120)

# Series -> (name in the source, unit there, what is possible at all there, factor to our unit, group)
SERIES = {
    "gcs": ("GCS", "1", (3, 15), 1.0, "gcs"),
    "heart_rate": ("HR", "/min", (0, 400), 1.0, "heart-rate"),
    "sbp": ("NISysABP", "mm[Hg]", (0, 400), 1.0, "blood-pressure"),
    "dbp": ("NIDiasABP", "mm[Hg]", (0, 400), 1.0, "blood-pressure"),
    "arterial_sbp": ("SysABP", "mm[Hg]", (0, 400), 1.0, "blood-pressure"),
    "arterial_dbp": ("DiasABP", "mm[Hg]", (0, 400), 1.0, "blood-pressure"),
    "arterial_mean": ("MAP", "mm[Hg]", (0, 400), 1.0, "blood-pressure"),
    "total_cholesterol": ("Cholesterol", "mg/dL", (0, 2000), 1.0, "total-cholesterol"),
    "troponin_i": ("TroponinI", "ng/mL", (0, 2000), 1.0, "troponin"),
    "mean_pressure": ("NIMAP", "mm[Hg]", (0, 400), 1.0, "blood-pressure"),
    "respiratory_rate": ("RespRate", "/min", (0, 200), 1.0, "respiratory-rate"),
    "spo2": ("SaO2", "%", (0, 100), 1.0, "spo2"),
    "temperature": ("Temp", "Cel", (10, 50), 1.0, "temperature"),
    "glucose": ("Glucose", "mg/dL", (0, 3000), 1.0, "glucose"),
    "albumin": ("Albumin", "g/dL", (0, 15), 1.0, "albumin"),
    "alp": ("ALP", "U/L", (0, 100000), 1.0, "liver"),
    "alt": ("ALT", "U/L", (0, 100000), 1.0, "liver"),
    "ast": ("AST", "U/L", (0, 100000), 1.0, "liver"),
    "bilirubin": ("Bilirubin", "mg/dL", (0, 150), 1.0, "liver"),
    "bun": ("BUN", "mg/dL", (0, 500), 1.0, "kidney"),
    "creatinine": ("Creatinine", "mg/dL", (0, 60), 1.0, "kidney"),
    "bicarbonate": ("HCO3", "mmol/L", (0, 100), 1.0, "blood-gas"),
    "hematocrit": ("HCT", "%", (0, 100), 1.0, "hematocrit"),
    "potassium": ("K", "mmol/L", (0, 30), 1.0, "potassium"),
    "lactate": ("Lactate", "mmol/L", (0, 60), 1.0, "lactate"),
    "magnesium": ("Mg", "mg/dL", (0, 30), 1.0, "magnesium"),
    "sodium": ("Na", "mmol/L", (50, 300), 1.0, "sodium"),
    "platelets": ("Platelets", "10*3/uL", (0, 5000), 1.0, "platelets"),
    "wbc": ("WBC", "10*3/uL", (0, 1000), 1.0, "wbc"),
    "troponin_t": ("TroponinT", "ng/mL", (0, 500), 1.0, "troponin"),
    "arterial_ph": ("pH", "[pH]", (6, 9), 1.0, "blood-gas"),
    "paco2": ("PaCO2", "mm[Hg]", (0, 300), 1.0, "blood-gas"),
    "pao2": ("PaO2", "mm[Hg]", (0, 1000), 1.0, "blood-gas"),
    "fio2": ("FiO2", "1", (0.1, 1), 100.0, "blood-gas"),
}
SEX = Source(c.SEX, "Gender", "1", (0, 1), cells={"1": "male", "0": "female"}, numbers={"female": 0.0, "male": 1.0})


def sources() -> tuple[Source, ...]:
    """Every input in the order of the matrix."""
    found = [Source(c.AGE, "Age", "a", (0, 130), monotone=1, whole=True), SEX]
    for id_, features in {**intensive_care.VITALS, **intensive_care.LABS}.items():
        name, unit, limits, factor, group = SERIES[id_]
        found += [
            Source(feature, f"{name}_{feature.statistic.value}", unit, limits, factor, group) for feature in features
        ]
    found += [Source(feature, group="blood-gas") for feature in intensive_care.OXYGENATION]
    found.append(Source(intensive_care.VENTILATED, "ventilated", "", ranges={"no": 0.0, "yes": 1.0}))
    found += [Source(feature, group=SERIES[id_][-1]) for id_, feature in intensive_care.CHANGES.items()]
    found.append(Source(intensive_care.SHOCK_INDEX, group="blood-pressure"))
    found.append(Source(intensive_care.BUN_TO_CREATININE, group="kidney"))
    return (*found, *(Source(feature, group="physiology") for feature in intensive_care.POINTS))


SOURCES = sources()
# Known columns of the source data that are no inputs: what is about the outcome, other scores, kind of unit and
# weight (they add nothing), and "UrineOutputSum", which is no volume (1 to 44, in ventilated patients only).
MADE = (Made(("ventilated",), ("MechVentStartTime",), lambda cells: {"ventilated": "yes" if cells[0] else "no"}),)
UNUSED = (
    *"SAPS-I SOFA Length_of_stay Survival In-hospital_death Height Weight CCU CSRU SICU".split(),  # noqa: SIM905
    *"Weight_first Weight_last MechVentStartTime MechVentDuration MechVentLast8Hour UrineOutputSum".split(),  # noqa: SIM905
)
LEAKS = frozenset({"SAPS-I", "SOFA", "Length_of_stay", "Survival", "In-hospital_death"})

# Series that are measured together or not at all.
TOLD = (Told(COLUMN, ("0", "1")), *(Told(unit) for unit in ("CCU", "CSRU", "SICU")))
PANELS = {
    "respiratory rate": ("respiratory_rate",),
    "oxygen saturation": ("spo2",),
    "blood gases": ("arterial_ph", "paco2", "pao2", "fio2"),
    "lactate": ("lactate",),
    "liver panel and albumin": ("alp", "alt", "ast", "bilirubin", "albumin"),
    "troponin": ("troponin_t", "troponin_i"),
    "arterial line": ("arterial_sbp", "arterial_dbp", "arterial_mean"),
    "coma scale": ("gcs",),
    "cuff pressures": ("sbp", "dbp", "mean_pressure"),
}
PATTERNS = {
    "no arterial line": frozenset({"arterial line"}),
    "ventilation not known": frozenset({"ventilation"}),
    "no lactate, troponin": frozenset({"lactate", "troponin"}),
    "no blood gases, lactate, troponin": frozenset({"blood gases", "lactate", "troponin"}),
    "no liver panel, lactate, troponin": frozenset({"liver panel and albumin", "lactate", "troponin"}),
    "no coma scale (refused in use)": frozenset({"coma scale"}),
    "coma scale, vital signs, basic panel, blood count alone": frozenset(
        {"blood gases", "lactate", "troponin", "liver panel and albumin"}
    ),
}

# Each round adds four shallow trees grown on different halves and a sixth of the inputs: they are many and alike.
LEARNING = Learning(
    rounds=400,
    start={
        "eta": 0.035, "max_depth": 3, "num_parallel_tree": 4, "min_child_weight": 3.0, "lambda": 2.0, "subsample": 0.5,
        "colsample_bytree": 0.17,
    },
    space={
        "eta": ("log", 0.025, 0.05),
        "min_child_weight": ("log", 3.0, 10.0),
        "lambda": ("log", 1.0, 10.0),
        "subsample": ("float", 0.4, 0.7),
        "colsample_bytree": ("float", 0.1, 0.25),
    },
    on="out-of-fold margins of all stays",
    everyone=True,
)  # fmt: skip


def cohort(table: Data) -> Outcomes:
    """The stays of the table."""
    died = table.frame[COLUMN].to_numpy().astype(np.int64)
    return Outcomes(table.matrix, {OUTCOME: died.astype(np.float64)}, died)


def subgroups(table: Data) -> dict[str, NDArray[np.bool_]]:
    """Who is reported on apart: by sex, age, kind of unit, and ventilation, of which sex and age alone are inputs."""
    frame, age, sex = table.frame, table.matrix[:, 0], table.matrix[:, 1]
    units = {"coronary": "CCU", "cardiac surgery": "CSRU", "surgical": "SICU"}
    groups = {"women": np.asarray(sex == 0), "men": np.asarray(sex == 1)}
    for low, high in ((16, 49), (50, 64), (65, 79), (80, 120)):
        groups[f"{low}–{high}" if high < AGES[1] else f"{low} and over"] = np.asarray((age >= low) & (age <= high))
    groups |= {f"{name} unit": (frame[column] == 1).to_numpy() for name, column in units.items()}
    groups["medical unit"] = (frame[list(units.values())].sum(axis=1) == 0).to_numpy()
    ventilated = frame["MechVentStartTime"].notna().to_numpy()
    return groups | {"ventilated": ventilated, "never ventilated": ~ventilated}


def panels() -> dict[str, tuple[str, ...]]:
    """What the card hides together: all features of each series, and what is made of them."""
    series = {**intensive_care.VITALS, **intensive_care.LABS}
    found = {name: tuple(f.id for id_ in ids for f in series[id_]) for name, ids in PANELS.items()}
    found["blood gases"] += tuple(feature.id for feature in intensive_care.OXYGENATION)
    return found | {"ventilation": (intensive_care.VENTILATED.id,)}


def scores(table: Data) -> dict[str, dict[str, Floats]]:
    """Scores of the source data, where -1 says that there is none."""
    columns = {"SAPS-I of the first 48 hours": "SAPS-I", "SOFA of the first 48 hours": "SOFA"}
    found = {words: table.frame[column].to_numpy().astype(np.float64) for words, column in columns.items()}
    return {words: {OUTCOME: np.where(values < 0, np.nan, values)} for words, values in found.items()}


def ceiling(table: Data) -> Matrix:
    """Every column that does not leak."""
    columns = [name for name in table.frame.columns if name != "recordid" and name not in LEAKS]
    return table.frame[columns].to_numpy().astype(np.float32)


recipe = OutcomeRecipe(
    id=ID,
    version=VERSION,
    title=TITLE,
    outcome="death",
    titles={OUTCOME: "death in hospital"},
    seed=20260502,
    table=Table("recordid", SOURCES, UNUSED, TOLD, MADE),
    origin=Origin(
        source="PhysioNet/Computing in Cardiology Challenge 2012, set A (MIMIC-II, Beth Israel Deaconess, Boston)",
        licence=(
            "contains information from the PhysioNet/Computing in Cardiology Challenge 2012, which is made available "
            "under the ODC Attribution License 1.0 (https://opendatacommons.org/licenses/by/1-0/); de-identified, no "
            "re-identification"
        ),
        description="patients of 16 years and over whose first stay in intensive care lasted 48 hours or more",
        counted=("people", "deaths"),
        deaths=OUTCOME,
    ),
    cohort=cohort,
    speaks=folder.Speaks(AGES, ("age", "gcs_last_48h"), 25),
    # What the card hides to show what is lost; the trees are trained on the rows as they are.
    gaps=Gaps(panels(), PATTERNS, ("age", "sex"), trained=False, remade=True),
    learning=LEARNING,
    ceiling=ceiling,
    scores=scores,
    subgroups=subgroups,
    thresholds={OUTCOME: (0.1, 0.3, 0.5)},
    everyone="all stays",
    those="stays for which it speaks",
    who="stays with enough measurements",
    words=Path(__file__).with_name("words.md"),
)
