"""Value sets for venous thrombosis and its risk (Padua, Wells, Khorana).

SNOMED CT codes were looked up in public value sets and code lists, not in a release. ICD-10 prefixes serve ICD-10-CM
and the WHO edition. The problem list seldom tells how mobile somebody is or what a leg looks like: that nothing is
listed there says nothing (`Absence.UNKNOWN`).
"""

from __future__ import annotations

from datetime import timedelta

from cds_service.features import conditions as c
from cds_service.features.feature import Absence, ConditionFeature
from cds_service.features.operations import Surgery
from cds_service.features.recent import Recent, Suspected
from cds_service.language import msg

MONTH = timedelta(days=30)
FOUR_WEEKS = timedelta(days=28)
TWELVE_WEEKS = timedelta(days=84)

_DVT = (
    "128053003",  # deep venous thrombosis
    "132281000119108",  # acute
    "404223003",  # of lower extremity
)
_PE = (
    "59282003",  # pulmonary embolism
    "706870000",  # acute
    "133971000119108",  # chronic
)
DEEP_VEIN_THROMBOSIS = ConditionFeature(
    "deep_vein_thrombosis", msg("Deep vein thrombosis"), _DVT, ("I80.1", "I80.2", "I82.4", "I82.5")
)
PULMONARY_EMBOLISM = ConditionFeature("pulmonary_embolism", msg("Pulmonary embolism"), _PE, ("I26", "I27.82"))
# Not superficial thrombophlebitis (I80.0, I80.8), as Padua says.
VTE_EVER = ConditionFeature(
    id="vte_ever",
    label=msg("Deep vein thrombosis or pulmonary embolism, now or before"),
    snomed=(*_DVT, *_PE, "161508001", "161512007"),  # history of either
    icd10=("I26", "I27.82", "I80.1", "I80.2", "I82.4", "I82.5", "Z86.711", "Z86.718"),
    ever=True,
)
THROMBOPHILIA = ConditionFeature(
    id="thrombophilia",
    label=msg("Thrombophilia"),
    snomed=(
        "234467004",  # thrombophilia
        "307091009",  # factor V Leiden
        "307115002",  # homozygous
        "307116001",  # heterozygous
        "26843008",  # antiphospholipid syndrome
    ),
    icd10=("D68.5", "D68.6"),
    ever=True,
)
REDUCED_MOBILITY = ConditionFeature(
    id="reduced_mobility",
    label=msg("Bed rest expected for three days or more"),
    snomed=("160685001",),  # bed-ridden
    icd10=("Z74.0", "R26.3"),
    absence=Absence.UNKNOWN,
)
RESPIRATORY_FAILURE = ConditionFeature(
    id="respiratory_failure",
    label=msg("Respiratory failure"),
    snomed=("409622000", "65710008", "67782005"),  # respiratory failure, acute; ARDS
    icd10=("J96", "J80"),
)
_INFARCTION_OR_STROKE = ConditionFeature(
    id="infarction_or_stroke",
    label=msg("Myocardial infarction or ischemic stroke"),
    snomed=(
        "22298006",  # myocardial infarction
        "57054005",  # acute
        "401303003",  # STEMI
        "401314000",  # NSTEMI
        "422504002",  # ischaemic stroke
        "230690007",  # stroke
    ),
    icd10=("I21", "I22", "I63"),
    ever=True,
)
ACUTE_INFARCTION_OR_STROKE = Recent(
    "acute_infarction_or_stroke",
    msg("Myocardial infarction or ischemic stroke in the last 30 days"),
    _INFARCTION_OR_STROKE,
    MONTH,
)
_TRAUMA = ConditionFeature(
    id="trauma",
    label=msg("Major injury"),
    snomed=(
        "125605004",  # fracture of bone
        "5913000",  # of the neck of the femur
        "71620000",  # of the femur
        "417746004",  # traumatic injury
    ),
    icd10=(
        "S02", "S06", "S12", "S22", "S25", "S26", "S27", "S32", "S35", "S36", "S37", "S42", "S52", "S72", "S82", "S92",
        "T07",
    ),
    ever=True,
)  # fmt: skip
RECENT_TRAUMA = Recent("recent_trauma", msg("Major injury in the last 30 days"), _TRAUMA, MONTH)
SURGERY_MONTH = Surgery("surgery_month", msg("Surgery in the last 30 days"), MONTH)
SURGERY_FOUR_WEEKS = Surgery("surgery_four_weeks", msg("Surgery in the last 4 weeks"), FOUR_WEEKS)
SURGERY_TWELVE_WEEKS = Surgery("surgery_twelve_weeks", msg("Surgery in the last 12 weeks"), TWELVE_WEEKS)
SUSPECTED_DVT = Suspected(
    "suspected_dvt",
    msg("Suspected deep vein thrombosis"),
    DEEP_VEIN_THROMBOSIS,
    ("432805000",),  # suspected deep vein thrombosis
    ("deep vein thrombosis", "deep venous thrombosis", "dvt"),
)
SUSPECTED_PE = Suspected(
    "suspected_pe", msg("Suspected pulmonary embolism"), PULMONARY_EMBOLISM, (), ("pulmonary embol",)
)
HEMOPTYSIS = ConditionFeature(
    id="hemoptysis",
    label=msg("Coughing of blood"),
    snomed=("66857006",),
    icd10=("R04.2",),
    absence=Absence.UNKNOWN,
)
LEG_PLEGIA = ConditionFeature(
    id="leg_paralysis",
    label=msg("Paralysis or paresis of a leg"),
    snomed=("50582007", "60389000", "11538006"),  # hemiplegia, paraplegia, quadriplegia
    icd10=("G81", "G82", "G83.1", "G83.4"),
    absence=Absence.UNKNOWN,
)

# --- sites of cancer, as the Khorana score groups them ---
CANCER_VERY_HIGH = ConditionFeature(
    id="cancer_stomach_pancreas",
    label=msg("Cancer of the stomach or pancreas"),
    snomed=("363349007", "363418001"),
    icd10=("C16", "C25"),
)
CANCER_HIGH = ConditionFeature(
    id="cancer_high_risk_site",
    label=msg("Lymphoma, or cancer of lung, bladder, testis or female genital organs"),
    snomed=(
        "363358000", "93880001", "254632001", "254637007", "67811000119102", "424132000",  # lung
        "118600007", "118601006", "118599009",  # lymphoma, non-Hodgkin, Hodgkin
        "363443007", "363354003", "371973000",  # ovary, cervix, uterus
        "399326009", "363449006",  # bladder, testis
    ),
    icd10=(
        "C33", "C34", *(f"C{n}" for n in range(51, 59)), "C62", "C67", "C81", "C82", "C83", "C84", "C85", "C86", "C88",
    ),
)  # fmt: skip
CANCER_OTHER_SITE = ConditionFeature(
    id="cancer_other_site",
    label=msg("Cancer of another site"),
    snomed=(
        "363406005", "109838007", "93761005", "363351006",  # colon, rectum
        "254837009", "408643008",  # breast
        "399068003",  # prostate
        "1260050006",  # bile duct
        "372244006",  # melanoma
    ),
    icd10=(
        *(f"C{n:02}" for n in range(16)), *(f"C{n}" for n in range(17, 25)), "C30", "C31", "C32", "C37", "C38", "C40",
        "C41", "C43", "C45", "C46", "C47", "C48", "C49", "C4A", "C50", "C60", "C61", "C63", "C64", "C65", "C66", "C68",
        "C69", "C70", "C71", "C72", "C73", "C74", "C75", "C7A",
    ),
)  # fmt: skip
# Myeloma and leukaemia: neither solid tumours nor lymphoma, and so outside the Khorana score.
BLOOD_CANCER = ConditionFeature(
    id="myeloma_leukemia",
    label=msg("Myeloma or leukemia"),
    snomed=("109989006", "93143009"),
    icd10=("C90", "C91", "C92", "C93", "C94", "C95"),
)
ACTIVE_BLEEDING = Recent(
    "recent_major_bleeding",
    msg("Major bleeding in the last 3 months"),
    c.MAJOR_BLEEDING,
    timedelta(days=90),
)

CONDITIONS = (
    DEEP_VEIN_THROMBOSIS, PULMONARY_EMBOLISM, VTE_EVER, THROMBOPHILIA, REDUCED_MOBILITY, RESPIRATORY_FAILURE,
    HEMOPTYSIS, LEG_PLEGIA, CANCER_VERY_HIGH, CANCER_HIGH, CANCER_OTHER_SITE, BLOOD_CANCER,
)  # fmt: skip
