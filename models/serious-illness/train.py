"""Recipe of `serious-illness`: death in hospital and within 180 days, SUPPORT.

The population and the columns that leak are in `card.md`, which this recipe writes. Run it with
`curbside models train serious-illness --data support2_train.csv.gz`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.api import catalogue as c
from cds_service.api import serious_illness as s
from cds_service.training import folder
from cds_service.training.declaring import Gaps, Learning, Origin, Table
from cds_service.training.hazard import Floats, Matrix
from cds_service.training.outcomes import Outcomes
from cds_service.training.recipes import OutcomeRecipe
from cds_service.training.tables import Data, Source, Told

ID, VERSION = "serious-illness", "1.2.0"
TITLE = "Death in hospital and within 180 days in serious illness"
HOSPITAL, HALF_YEAR = "hospital_death", "death_180d"
TITLES = {HOSPITAL: "death in hospital", HALF_YEAR: "death within 180 days"}
AGES = (18, 120)
REQUIRED = ("age", s.ILLNESS.id, s.HOSPITAL_DAY.id)

_ILLNESSES = {
    "ARF/MOSF w/Sepsis": s.ORGAN_FAILURE, "MOSF w/Malig": s.ORGAN_FAILURE_CANCER, "CHF": s.HEART_FAILURE,
    "COPD": s.COPD, "Cirrhosis": s.CIRRHOSIS, "Colon Cancer": s.COLON_CANCER, "Lung Cancer": s.LUNG_CANCER,
    "Coma": s.COMA,
}  # fmt: skip
_EXTENTS = {"no": s.NO_CANCER, "yes": s.CANCER, "metastatic": s.METASTATIC}
# The coma score of the study -> Glasgow Coma Scale.
_COMA = {"0": 15.0, "9": 14.0, "26": 12.0, "37": 10.0, "41": 9.0, "44": 8.0, "55": 7.0, "61": 6.0, "89": 5.0,
         "94": 4.0, "100": 3.0}  # fmt: skip
SOURCES = (
    Source(c.AGE, "age", "a", (0, 130), monotone=1),
    Source(c.SEX, "sex", "", cells={"female": "female", "male": "male"}, numbers={"female": 0.0, "male": 1.0}),
    Source(s.ILLNESS, "dzgroup", "", cells=_ILLNESSES, numbers=s.ORDER, group="illness"),
    Source(s.CANCER_EXTENT, "ca", "", cells=_EXTENTS, group="illness",
           numbers={s.NO_CANCER: 0.0, s.CANCER: 1.0, s.METASTATIC: 2.0}),
    Source(s.COMORBIDITIES, "num.co", "1", (0, 30), monotone=1),
    Source(c.DIABETES, "diabetes", "", (0, 1)),
    Source(c.DEMENTIA, "dementia", "", (0, 1)),
    Source(s.HOSPITAL_DAY, "hday", "d", (0, 1000)),
    Source(s.GCS, "scoma", "", ranges=_COMA, monotone=-1),
    Source(s.PRESSURE, "meanbp", "mm[Hg]", (0, 400)),
    Source(s.HEART_RATE, "hrt", "/min", (0, 400)),
    Source(s.RESPIRATORY_RATE, "resp", "/min", (0, 200), group="breathing"),
    Source(s.TEMPERATURE, "temp", "Cel", (10, 50)),
    Source(s.OXYGENATION, "pafi", "mm[Hg]", (0, 2000), group="breathing", monotone=-1),
    Source(s.PH, "ph", "[pH]", (6, 9), group="breathing"),
    Source(s.WBC, "wblc", "10*3/uL", (0, 1000)),
    Source(s.ALBUMIN, "alb", "g/dL", (0, 40), monotone=-1),
    Source(s.BILIRUBIN, "bili", "mg/dL", (0, 150), monotone=1),
    Source(s.CREATININE, "crea", "mg/dL", (0, 60), group="kidney", monotone=1),
    Source(s.BUN, "bun", "mg/dL", (0, 500), group="kidney", monotone=1),
    Source(s.SODIUM, "sod", "mmol/L", (50, 300)),
    Source(s.GLUCOSE, "glucose", "mg/dL", (0, 3000)),
    Source(s.URINE, "urine", "mL", (0, 30000), group="kidney"),
    Source(s.POINTS, monotone=1),
)  # fmt: skip
# Known columns of the source data that are no inputs.
UNUSED = """
    death hospdead slos d.time dzclass edu income charges totcst totmcst avtisst race sps aps surv2m surv6m prg2m prg6m
    dnr dnrday adlp adls sfdm2 adlsc
""".split()  # noqa: SIM905 - columns are easier to read so
CEILING = ("edu", "adlp", "adls")

TOLD = (
    Told("hospdead", ("0", "1")), Told("death", ("0", "1")), Told("d.time", limits=(0, 1e5)), Told("race"),
)  # fmt: skip
PANELS = {
    "blood gases": (s.OXYGENATION.id, s.PH.id),
    "albumin and bilirubin": (s.ALBUMIN.id, s.BILIRUBIN.id),
    "urea nitrogen": (s.BUN.id,),
    "glucose": (s.GLUCOSE.id,),
    "urine": (s.URINE.id,),
    "coma scale": (s.GCS.id,),
    "vital signs": (s.PRESSURE.id, s.HEART_RATE.id, s.RESPIRATORY_RATE.id, s.TEMPERATURE.id),
}
PATTERNS = {
    "no urine": frozenset({"urine"}),
    "no blood gases, urine": frozenset({"blood gases", "urine"}),
    "no blood gases, albumin, bilirubin, urine": frozenset({"blood gases", "albumin and bilirubin", "urine"}),
    "no coma scale": frozenset({"coma scale"}),
}
# Each round adds two trees, which may cut an input at four places drawn at random.
LEARNING = Learning(
    rounds=300,
    start={
        "eta": 0.06, "max_depth": 4, "num_parallel_tree": 2, "min_child_weight": 6.0, "lambda": 3.0, "subsample": 0.7,
        "colsample_bynode": 0.4,
    },
    space={},
    on="out-of-fold margins of all patients",
    everyone=True,
    cuts=4,
)  # fmt: skip
RACES = ("white", "black", "hispanic", "asian", "other")


def cohort(table: Data) -> Outcomes:
    """The patients of the table, with both outcomes."""
    frame = table.frame
    hospital = frame["hospdead"].to_numpy().astype(np.float64)
    half_year = ((frame["death"] == 1) & (frame["d.time"] <= 180)).to_numpy().astype(np.float64)
    strata = (np.maximum(half_year, hospital) + hospital).astype(np.int64)
    return Outcomes(table.matrix, {HOSPITAL: hospital, HALF_YEAR: half_year}, strata)


def subgroups(table: Data) -> dict[str, NDArray[np.bool_]]:
    """Who is reported on apart: by sex, age, illness and race, which is never an input."""
    frame, age, sex = table.frame, table.matrix[:, 0], table.matrix[:, 1]
    groups = {"women": np.asarray(sex == 0), "men": np.asarray(sex == 1)}
    for low, high in ((18, 50), (50, 65), (65, 80), (80, 121)):
        groups[f"{low}–{high - 1}" if high < AGES[1] else f"{low} and over"] = np.asarray((age >= low) & (age < high))
    groups |= {word: (frame["dzgroup"] == cell).to_numpy() for cell, word in _ILLNESSES.items()}
    return groups | {f"{race} (race as recorded)": (frame["race"] == race).to_numpy() for race in RACES}


def ceiling(table: Data) -> Matrix:
    """The inputs with every other column that does not leak."""
    frame = table.frame
    further = [frame[name].to_numpy().astype(np.float32) for name in CEILING]
    further += [frame["income"].astype("category").cat.codes.to_numpy().astype(np.float32)]
    further += [(frame["race"] == race).to_numpy().astype(np.float32) for race in RACES]
    return np.column_stack([table.matrix, *further]).astype(np.float32)


def guesses(table: Data) -> dict[str, dict[str, Floats]]:
    """What SUPPORT's own model and the physicians gave: chances to live, so that less is worse."""
    frame = table.frame
    names = {"SUPPORT's own model": ("surv2m", "surv6m"), "the physician's guess": ("prg2m", "prg6m")}
    return {
        words: {HALF_YEAR: -frame[months_6].to_numpy(np.float64), HOSPITAL: -frame[months_2].to_numpy(np.float64)}
        for words, (months_2, months_6) in names.items()
    }


recipe = OutcomeRecipe(
    id=ID,
    version=VERSION,
    title=TITLE,
    outcome="death",
    titles=TITLES,
    apart=True,
    seed=20261102,
    table=Table("sno", SOURCES, UNUSED, TOLD),
    origin=Origin(
        source="SUPPORT phases I and II, five teaching hospitals in the United States, 1989-1994",
        licence=(
            "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/): Knaus et al. 1995, UCI Machine"
            " Learning Repository 880; de-identified, no re-identification"
        ),
        description="seriously ill in-patients of 18 years and over with one of eight illnesses",
        counted=("patients", "died"),
        deaths=HALF_YEAR,
    ),
    cohort=cohort,
    speaks=folder.Speaks(AGES, REQUIRED, 6),
    gaps=Gaps(PANELS, PATTERNS, (*REQUIRED, "sex"), copied=0.25, remade=True),
    learning=LEARNING,
    ceiling=ceiling,
    scores=guesses,
    subgroups=subgroups,
    thresholds={HOSPITAL: (0.25, 0.5), HALF_YEAR: (0.5, 0.75)},
    everyone="all patients",
    those="patients for whom it speaks",
    who="patients with enough measurements",
    words=Path(__file__).with_name("words.md"),
)
