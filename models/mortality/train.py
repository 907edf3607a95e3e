"""Recipe of `mortality`: death within five and ten years, from the NHANES 1999-2014 linked mortality files.

The population, the columns that leak and the waves that may be used for each horizon are in `card.md`, which this
recipe writes. Run it with `curbside models train mortality --data nhanes_mortality_train.csv.gz`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.api import catalogue as c
from cds_service.training import folder
from cds_service.training.declaring import Gaps, Learning, Origin, Table
from cds_service.training.hazard import Cohort, Matrix
from cds_service.training.horizon_recipe import HorizonRecipe
from cds_service.training.tables import Data, Source, Told

ID, VERSION = "mortality", "1.2.0"
TITLE = "Five- and ten-year mortality"
LAST_WAVE = {5: 2009, 10: 2005}  # first year of the last wave that was followed for the horizon
REQUIRED = ("age", "sex", "creatinine")
ENDS = (np.inf, 84.0)  # months after which follow-up counts no more, for every other chain
PERCENT, PER_NL = (0.0, 100.0), (0.01, 800.0)

SOURCES = (
    Source(c.AGE, "age", "a", (18, 120), monotone=1, whole=True),
    Source(c.SEX, "gender", "1", (1, 2), cells={"1": "male", "2": "female"}, numbers={"female": 0.0, "male": 1.0}),
    Source(c.SBP, "sbp", "mm[Hg]", (20, 350), group="blood-pressure"),
    Source(c.DBP, "dbp", "mm[Hg]", (0, 250), group="blood-pressure"),
    Source(c.BMI, "bmi", "kg/m2", (5, 150), group="body-size"),
    Source(c.WAIST, "waist", "cm", (20, 300), group="body-size"),
    Source(c.CREATININE, "creat", "mg/dL", (0.02, 50), group="kidney"),
    Source(c.EGFR, group="kidney"),
    Source(c.BUN, "bun", "mg/dL", (0.5, 400), group="kidney"),
    Source(c.URIC_ACID, "uap", "mg/dL", (0.05, 60)),
    Source(c.ALBUMIN, "albumin", "g/dL", (0.3, 10), monotone=-1),
    Source(c.ALP, "alp", "U/L", (0.5, 10000), group="liver"),
    Source(c.BILIRUBIN, "ttbl", "mg/dL", (0, 80), group="liver"),
    Source(c.GGT, "ggt", "U/L", (0.5, 10000), group="liver"),
    Source(c.GLUCOSE, "glucose", "mg/dL", (5, 2500), group="glucose"),
    Source(c.HBA1C, "hba1c", "%", (1, 25), group="glucose"),
    Source(c.TOTAL_CHOLESTEROL, "totchol", "mg/dL", (20, 1500), group="cholesterol"),
    Source(c.HDL, "hdl", "mg/dL", (1, 300), group="cholesterol"),
    Source(c.CRP, "crp", "mg/dL", (0, 100), factor=10.0, monotone=1),
    Source(c.WBC, "wbc", "10*3/uL", PER_NL, group="white-cells"),
    Source(c.LYMPHOCYTES_PERCENT, "lymph", "%", PERCENT, group="white-cells"),
    Source(c.NEUTROPHILS_PERCENT, "neut", "%", PERCENT, group="white-cells"),
    Source(c.MONOCYTES_PERCENT, "monopa", "%", PERCENT, group="white-cells"),
    Source(c.RBC, "rbc", "10*6/uL", (0.3, 15), group="red-cells"),
    Source(c.MCV, "mcv", "fL", (30, 180), group="red-cells"),
    Source(c.RDW, "rdw", "%", (5, 50), monotone=1, group="red-cells"),
)
# Known columns of the source data that are no inputs: leaks, race, income, education, transforms, and what no FHIR
# record holds. "diabetes" and "hyperten" are death-certificate flags; "pulse" is the pulse pressure, not a rate.
UNUSED = """
    year wave annual_income income_recode education edu ethnicity race poverty_ratio pregnant adl height weight
    btotpf ffm fm fev fev_1000 grip_r grip_l grip_d grip_scaled health lnwalk vomeas albumin_gL lnalp lnbun
    creat_umol lncreat lncreat_umol glucose_mmol lnuap bap basopa eosnpa cadmium crp_cat lncrp cyst meanbp pulse
    glucose_fasting insulin phpfast lnhba1c ldl trig vitaminA vitaminE vitaminB12 vitaminC eligstat
    status_agerelated_bioage ucod_leading diabetes hyperten permth_int time death_allcause
""".split()  # noqa: SIM905 - columns are easier to read so

TOLD = (
    Told("death_allcause", ("0", "1")), Told("permth_int", limits=(0, 1200)), Told("year", limits=(1900, 2100)),
    Told("ethnicity"),
)  # fmt: skip
PANELS = {
    "blood pressure": ("sbp", "dbp"),
    "body mass index": ("bmi",),
    "waist": ("waist",),
    "urea nitrogen": ("bun",),
    "glucose": ("glucose",),
    "liver panel and albumin": ("albumin", "alp", "bilirubin"),
    "blood count": ("wbc", "rbc", "mcv", "rdw"),
    "differential": ("lymphocytes_percent", "neutrophils_percent", "monocytes_percent"),
    "lipids": ("total_cholesterol", "hdl"),
    "HbA1c": ("hba1c",),
    "CRP": ("crp",),
    "GGT": ("ggt",),
    "uric acid": ("uric_acid",),
}
_RARE = frozenset({"CRP", "GGT", "uric acid", "waist"})
_METABOLIC = _RARE | {"liver panel and albumin", "blood count", "differential", "lipids", "HbA1c"}
# What is missing together in clinics' records; the card reports on each of these.
PATTERNS = {
    "vital signs, metabolic panel, blood count, differential, lipids, HbA1c": _RARE,
    "vital signs, metabolic panel, blood count, differential, lipids": _RARE | {"HbA1c"},
    "vital signs, metabolic panel, blood count, lipids": _RARE | {"differential", "HbA1c"},
    "vital signs, basic metabolic panel, blood count, lipids": _RARE
    | {"liver panel and albumin", "differential", "HbA1c"},
    "vital signs, basic metabolic panel, lipids, HbA1c": _METABOLIC - {"lipids", "HbA1c"},
    "vital signs, basic metabolic panel, blood count": _METABOLIC - {"blood count"},
    "vital signs, basic metabolic panel": _METABOLIC,
    "basic metabolic panel alone (below the minimum)": _METABOLIC | {"blood pressure", "body mass index"},
}

# Four ensembles grown apart on small random parts of rows and inputs, averaged; one trial, which is these numbers,
# makes the shipped weights.
LEARNING = Learning(
    rounds=300,
    start={
        "eta": 0.05, "max_depth": 4, "min_child_weight": 10.0, "lambda": 5.0, "subsample": 0.3,
        "colsample_bynode": 0.2,
    },
    space={
        "eta": ("log", 0.03, 0.08),
        "min_child_weight": ("log", 5.0, 40.0),
        "lambda": ("log", 1.0, 20.0),
        "subsample": ("float", 0.2, 0.6),
        "colsample_bynode": ("float", 0.1, 0.5),
    },
    on="out-of-fold margins of all people aged 50-79",
    from_outer=True,
    own_slopes=True,
    chains=4,
    further={"months_of_every_other_chain": ENDS[1]},
)  # fmt: skip
ETHNICITIES = {1: "non-Hispanic White", 2: "non-Hispanic Black", 3: "Hispanic", 4: "other or mixed"}
# What a record cannot supply or a model must not use; for the ceiling in the card alone.
CEILING = """
    annual_income education ethnicity poverty_ratio adl height weight btotpf ffm fev grip_d health lnwalk bap
    basopa eosnpa cadmium cyst ldl trig insulin glucose_fasting vitaminA vitaminE vitaminB12 vitaminC
""".split()  # noqa: SIM905 - columns are easier to read so


def cohort(table: Data) -> Cohort:
    """The people of the table with follow-up from the interview, and for which horizon their wave was early enough."""
    frame = table.frame
    died = frame["death_allcause"].to_numpy().astype(np.int64)
    year = frame["year"].to_numpy().astype(np.int64)
    # A death in the month of the interview still took some time.
    months = np.maximum(frame["permth_int"].to_numpy().astype(np.float64), 0.5)
    known = {horizon: np.asarray(year <= last) for horizon, last in LAST_WAVE.items()}
    return Cohort(table.matrix, months, died, year * 10 + died, known, ENDS)


def subgroups(table: Data) -> dict[str, NDArray[np.bool_]]:
    """Who is reported on apart: by sex, and by race and ethnicity, which are never inputs."""
    ethnicity, sex = table.frame["ethnicity"].to_numpy(), table.matrix[:, 1]
    groups = {"women": np.asarray(sex == 0), "men": np.asarray(sex == 1)}
    return groups | {name: np.asarray(ethnicity == code) for code, name in ETHNICITIES.items()}


def waves(table: Data) -> dict[str, NDArray[np.bool_]]:
    """The people of each survey wave, by its two years."""
    year = table.frame["year"].to_numpy()
    return {f"{int(y)}–{int(y) + 1}": np.asarray(year == y) for y in np.unique(year)}


def ceiling(table: Data) -> Matrix:
    """The inputs with every other column that does not leak."""
    inputs = [source.column for source in SOURCES if source.column]
    return table.frame[[*inputs, *CEILING]].to_numpy().astype(np.float32)


recipe = HorizonRecipe(
    id=ID,
    version=VERSION,
    title=TITLE,
    outcome="death",
    titles={horizon: f"death within {horizon} years" for horizon in LAST_WAVE},
    seed=20260501,
    table=Table("sampleID", SOURCES, UNUSED, TOLD),
    origin=Origin(
        source="NHANES 1999-2014, deaths linked to December 2015 (CDC/NCHS), prepared by Kwon and Belsky 2021",
        licence="United States government work, public domain; statistical use only, no re-identification",
        description="adults of 20 years and over living at home in the United States, examined or interviewed",
        counted=("people", "deaths"),
    ),
    cohort=cohort,
    last_wave=LAST_WAVE,
    speaks=folder.Speaks((50, 79), REQUIRED, 6),
    # Age, sex, creatinine and eGFR are never hidden: without them the model does not speak.
    gaps=Gaps(PANELS, PATTERNS, (*REQUIRED, "egfr"), single=0.04, copied=0.5),
    learning=LEARNING,
    ceiling=ceiling,
    subgroups=subgroups,
    waves=waves,
    thresholds={5: (0.1, 0.25), 10: (0.25, 0.5)},
    everyone="everyone",
    those="aged 50–79",
    words=Path(__file__).with_name("words.md"),
)
