"""Recipe of `readmission-30d`: readmission within 30 days of people with diabetes, Diabetes 130-US hospitals.

The population and the columns that leak are in `card.md`, which this recipe writes. Run it with
`curbside models train readmission-30d --data diabetic_data_train.csv.gz`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
from numpy.typing import NDArray

from cds_service.api import catalogue as c
from cds_service.api import diagnosis_groups, discharge, earlier_stays, readmission
from cds_service.training import folder
from cds_service.training.declaring import Gaps, Learning, Origin, Table
from cds_service.training.hazard import Matrix
from cds_service.training.outcomes import Outcomes
from cds_service.training.recipes import OutcomeRecipe
from cds_service.training.tables import Data, Source, Told

ID, VERSION, TITLE = "readmission-30d", "1.2.0", "Readmission within 30 days, with diabetes"
OUTCOME, COLUMN, CAME = "readmission_30d", "readmitted", "<30"
PATIENT = "patient_nbr"
REQUIRED = ("age", "admissions_year", "stay_days")
NEVER = {"disposition": (discharge.DIED, discharge.HOSPICE)}

_AGES = {f"[{low}-{low + 10})": float(low) for low in range(0, 100, 10)}
_DOSES = {"No": 0.0, "Steady": 1.0, "Up": 1.0, "Down": 1.0}
_ANY = {"no": 0.0, "yes": 1.0}
# The codes of IDs_mapping.csv; those that say nothing (not mapped, NULL, unknown) are missing.
_PRIORITIES = {"1": discharge.EMERGENCY, "7": discharge.EMERGENCY, "2": discharge.URGENT, "3": discharge.ELECTIVE}
_SOURCES = {
    **dict.fromkeys(("1", "2", "3"), discharge.REFERRED),
    "7": discharge.BY_EMERGENCY,
    **dict.fromkeys(("4", "5", "6", "10", "18", "19", "22", "25", "26"), discharge.TRANSFERRED),
}
_DISPOSITIONS = {
    **dict.fromkeys(("1",), discharge.HOME),
    **dict.fromkeys(("6", "8"), discharge.HOME_CARE),
    **dict.fromkeys(("16", "17"), discharge.OUTPATIENT),
    **dict.fromkeys(("3", "4", "15", "24"), discharge.NURSING),
    **dict.fromkeys(("2", "9", "10", "12", "23", "27", "29", "30"), discharge.HOSPITAL),
    **dict.fromkeys(("5", "22"), discharge.REHABILITATION),
    "7": discharge.AGAINST,
    "28": discharge.PSYCHIATRIC,
    **dict.fromkeys(("11", "19", "20", "21"), discharge.DIED),
    **dict.fromkeys(("13", "14"), discharge.HOSPICE),
}
_ORDER = {
    discharge.HOME: 0.0, discharge.HOME_CARE: 1.0, discharge.OUTPATIENT: 2.0, discharge.NURSING: 3.0,
    discharge.HOSPITAL: 4.0, discharge.REHABILITATION: 5.0, discharge.AGAINST: 6.0,
    discharge.PSYCHIATRIC: 7.0,
}  # fmt: skip
_UNKNOWN_SOURCES = ("?", "8", "9", "11", "12", "13", "14", "15", "17", "20", "21", "23", "24")
_UNKNOWN = ("?", "None")
_MEDICINES = "diabetes-medicines"


def _diagnosis(group: diagnosis_groups.DiagnosisGroup) -> Source:
    kind = "diabetes-kind" if group.id in readmission.DIABETES_CODES else None
    words = tuple(diagnosis_groups.DEGREES)
    return Source(
        group, group.id, "", cells={word: word for word in words}, numbers=diagnosis_groups.DEGREES, group=kind
    )


SOURCES = (
    Source(c.AGE, "age", "a", (0, 130), ranges=_AGES, whole=True, missing=_UNKNOWN),
    Source(c.SEX, "gender", "", cells={"Female": "female", "Male": "male"}, numbers={"female": 0.0, "male": 1.0},
           missing=("?", "Unknown/Invalid")),
    Source(c.ADMISSIONS_YEAR, "number_inpatient", "1", (0, 200), monotone=1, missing=_UNKNOWN,
           group="earlier-stays"),
    Source(discharge.EMERGENCY_YEAR, "number_emergency", "1", (0, 500), monotone=1, missing=_UNKNOWN),
    Source(discharge.OUTPATIENT_YEAR, "number_outpatient", "1", (0, 500), missing=_UNKNOWN),
    Source(c.STAY_DAYS, "time_in_hospital", "d", (0, 400), missing=_UNKNOWN),
    Source(discharge.ADMISSION_PRIORITY, "admission_type_id", "", cells=_PRIORITIES, missing=("?", "4", "5", "6", "8"),
           numbers={discharge.ELECTIVE: 0.0, discharge.URGENT: 1.0, discharge.EMERGENCY: 2.0}),
    Source(discharge.ADMISSION_SOURCE, "admission_source_id", "", cells=_SOURCES, missing=_UNKNOWN_SOURCES,
           numbers={discharge.REFERRED: 0.0, discharge.BY_EMERGENCY: 1.0, discharge.TRANSFERRED: 2.0}),
    Source(discharge.DISPOSITION, "discharge_disposition_id", "", cells=_DISPOSITIONS, numbers=_ORDER,
           missing=("?", "18", "25", "26")),
    Source(discharge.DIAGNOSES, "number_diagnoses", "1", (0, 200), missing=_UNKNOWN),
    Source(discharge.MEDICINES, "num_medications", "1", (0, 300), missing=_UNKNOWN),
    Source(discharge.PROCEDURES, "num_procedures", "1", (0, 200), missing=_UNKNOWN),
    Source(discharge.HBA1C_OF_STAY, "A1Cresult", "%", ranges={"Norm": 4.0, ">7": 7.0, ">8": 8.0}, missing=_UNKNOWN),
    Source(discharge.INSULIN, "insulin", "", ranges=_DOSES, group=_MEDICINES, missing=_UNKNOWN),
    Source(c.METFORMIN, "any metformin", "", ranges=_ANY, group=_MEDICINES),
    Source(discharge.SULFONYLUREA, "any sulfonylurea", "", ranges=_ANY, group=_MEDICINES),
    Source(discharge.GLITAZONE, "any glitazone", "", ranges=_ANY, group=_MEDICINES),
    Source(discharge.DIABETES_MEDICINES, "kinds of diabetes medicine", "1", (0, 5), group=_MEDICINES),
    *(_diagnosis(group) for group in diagnosis_groups.GROUPS),
    *(Source(f, f.id, f.unit, (0, 10000), group="earlier-stays") for f in earlier_stays.FEATURES),
)  # fmt: skip
# Known columns of the source data that are no inputs.
UNUSED = """
    race weight payer_code medical_specialty num_lab_procedures max_glu_serum repaglinide nateglinide
    chlorpropamide glimepiride acetohexamide glipizide glyburide tolbutamide pioglitazone rosiglitazone acarbose
    miglitol troglitazone tolazamide examide citoglipton glyburide-metformin glipizide-metformin metformin
    glimepiride-pioglitazone metformin-rosiglitazone metformin-pioglitazone change diabetesMed diag_1 diag_2 diag_3
    readmitted
""".split()  # noqa: SIM905 - columns are easier to read so

# What a record may lack together; the lists of diagnoses and medicines are there as a whole or not at all.
TOLD = (Told(COLUMN, ("NO", "<30", ">30")), Told(PATIENT, patient=True), Told("race"), Told("payer_code"))
PANELS = {
    "diagnoses of the stay": (discharge.DIAGNOSES.id, *(group.id for group in diagnosis_groups.GROUPS)),
    "medicines in the stay": (discharge.MEDICINES.id,),
    "list of medicines": (
        discharge.INSULIN.id,
        "metformin",
        discharge.SULFONYLUREA.id,
        discharge.GLITAZONE.id,
        discharge.DIABETES_MEDICINES.id,
    ),
    "procedures": (discharge.PROCEDURES.id,),
    "HbA1c": (discharge.HBA1C_OF_STAY.id,),
    "kind and source of admission": (discharge.ADMISSION_PRIORITY.id, discharge.ADMISSION_SOURCE.id),
    "disposition": (discharge.DISPOSITION.id,),
    "visits": (discharge.EMERGENCY_YEAR.id, discharge.OUTPATIENT_YEAR.id),
    "earlier stays": readmission.EARLIER,
}
PATTERNS = {
    "no HbA1c, number of medicines, procedures": frozenset({"HbA1c", "medicines in the stay", "procedures"}),
    "no disposition": frozenset({"disposition"}),
    "no kind and source of admission, disposition": frozenset({"kind and source of admission", "disposition"}),
    "no emergency and outpatient visits": frozenset({"visits"}),
    "nothing known of earlier stays but their number in the last year": frozenset({"earlier stays"}),
    "no diagnoses of the stay (refused in use)": frozenset({"diagnoses of the stay"}),
}

LEARNING = Learning(
    rounds=500,
    start={
        "eta": 0.04, "max_depth": 4, "num_parallel_tree": 1, "min_child_weight": 10.0, "lambda": 5.0,
        "subsample": 0.7, "colsample_bytree": 0.25, "max_bin": 64,
    },
    space={
        "min_child_weight": ("log", 5.0, 40.0),
        "lambda": ("log", 2.0, 20.0),
        "colsample_bytree": ("float", 0.15, 0.35),
    },
    on="out-of-fold margins of all stays for which it speaks",
    inner=5,
    held_out=2,
    from_outer=True,
    replicates=200,
    rival=4,
)  # fmt: skip
RACES = {"Caucasian": "White", "AfricanAmerican": "African American", "Hispanic": "Hispanic", "Asian": "Asian"}


def alive(frame: pandas.DataFrame) -> NDArray[np.bool_]:
    """Stays that did not end with death or hospice."""
    over = {int(code) for code, word in _DISPOSITIONS.items() if word in NEVER["disposition"]}
    return np.asarray(~frame["discharge_disposition_id"].isin(over))


def cohort(table: Data) -> Outcomes:
    """The stays of the table; those of one patient are never parted."""
    came = np.asarray(table.frame[COLUMN] == CAME)
    return Outcomes(
        table.matrix, {OUTCOME: came.astype(np.float64)}, came.astype(np.int64), table.frame[PATIENT].to_numpy()
    )


def subgroups(table: Data) -> dict[str, NDArray[np.bool_]]:
    """Who is reported on apart: by sex, age, race, payer and history, of which sex, age and history are inputs."""
    frame, age, sex = table.frame, table.matrix[:, 0], table.matrix[:, 1]
    groups = {"women": np.asarray(sex == 0), "men": np.asarray(sex == 1)}
    # Ages are told by decade, as the first year of it.
    for low, below in ((20, 50), (50, 60), (60, 70), (70, 80), (80, 130)):
        groups[f"{low} to {below - 1}" if low < 80 else f"{low} and over"] = np.asarray((age >= low) & (age < below))
    groups |= {words: (frame["race"] == race).to_numpy() for race, words in RACES.items()}
    payers = {"Medicare": "MC", "Medicaid": "MD", "payer not known": "?"}
    groups |= {words: (frame["payer_code"] == code).to_numpy() for words, code in payers.items()}
    first = ~frame[PATIENT].duplicated().to_numpy()
    never = (frame["number_inpatient"] == 0).to_numpy()
    return groups | {"first stay of each patient": first, "not admitted in the year before": never}


def ceiling(table: Data) -> Matrix:
    """The inputs with every other column that does not leak, race and payer among them."""
    frame = table.frame
    numbers = [frame["num_lab_procedures"].to_numpy().astype(np.float32)]
    for name in ("race", "payer_code", "medical_specialty", "max_glu_serum", "change", "insulin", "weight"):
        common = frame[name].value_counts().index[:15]
        numbers += [(frame[name] == value).to_numpy().astype(np.float32) for value in sorted(common.astype(str))]
    return np.column_stack([table.matrix, *numbers]).astype(np.float32)


recipe = OutcomeRecipe(
    id=ID,
    version=VERSION,
    title=TITLE,
    outcome=OUTCOME,
    titles={OUTCOME: "readmission within 30 days"},
    seed=20261101,
    table=Table("encounter_id", SOURCES, UNUSED, TOLD, readmission.MADE, alive),
    origin=Origin(
        source="Diabetes 130-US hospitals 1999-2008 (Cerner Health Facts; UCI Machine Learning Repository 296)",
        licence=(
            "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/): Strack et al. 2014, "
            "doi:10.1155/2014/781670; de-identified, no re-identification"
        ),
        description="stays in hospital of 1 to 14 days of people with diabetes who left alive and not for hospice",
        counted=("stays", "readmitted"),
    ),
    cohort=cohort,
    speaks=folder.Speaks((18, 120), REQUIRED, 30, NEVER),
    # Age, sex, days and earlier admissions are never hidden: without them the model does not speak.
    gaps=Gaps(PANELS, PATTERNS, (*REQUIRED, "sex"), copied=0.2),
    learning=LEARNING,
    ceiling=ceiling,
    subgroups=subgroups,
    thresholds={OUTCOME: (0.1, 0.15, 0.2)},
    everyone="all stays but those that ended with death or hospice",
    those="stays for which it speaks",
    who="stays of adults",
    words=Path(__file__).with_name("words.md"),
)
