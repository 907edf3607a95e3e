"""The comorbidities of the Charlson index by the ICD-10 prefixes of Quan 2005, with SNOMED CT codes where known.

Source: Quan H et al. Med Care 2005;43:1130-1139, doi:10.1097/01.mlr.0000182534.19832.83, table 1, enhanced ICD-10.
Resolved entries count: the index asks for a history. Prefixes hold in ICD-10-CM too, which divides them further.
"""

from __future__ import annotations

from cds_service.features import conditions as c
from cds_service.features import snomed_lists
from cds_service.features.feature import ConditionFeature
from cds_service.language import Message, msg


def _group(id: str, label: Message, icd10: tuple[str, ...], snomed: tuple[str, ...]) -> ConditionFeature:
    return ConditionFeature(f"charlson_{id}", label, snomed, icd10, ever=True)


def _span(letter: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number:02}" for number in range(first, last + 1))


def _diabetes(*fourth: str) -> tuple[str, ...]:
    return tuple(f"E{kind}.{digit}" for kind in range(10, 15) for digit in fourth)


CHARLSON_INFARCTION = _group(
    "infarction",
    msg("Myocardial infarction"),
    ("I21", "I22", "I25.2"),
    c.INFARCTION,
)
CHARLSON_HEART_FAILURE = _group(
    "heart_failure",
    msg("Congestive heart failure"),
    ("I09.9", "I11.0", "I13.0", "I13.2", "I25.5", "I42.0", "I42.5", "I42.6", "I42.7", "I42.8", "I42.9", "I43", "I50",
     "P29.0"),
    c.HEART_FAILURE.snomed,
)  # fmt: skip
CHARLSON_PERIPHERAL_VASCULAR = _group(
    "peripheral_vascular",
    msg("Peripheral vascular disease"),
    ("I70", "I71", "I73.1", "I73.8", "I73.9", "I77.1", "I79.0", "I79.2", "K55.1", "K55.8", "K55.9", "Z95.8", "Z95.9"),
    ("399957001", "840580004", "400047006", "63491006", "81817003"),
)
CHARLSON_CEREBROVASCULAR = _group(
    "cerebrovascular",
    msg("Cerebrovascular disease"),
    ("G45", "G46", "H34.0", *_span("I", 60, 69)),
    (
        *c.STROKE_TIA.snomed,
        "62914000",  # cerebrovascular disease
        "274100004",  # cerebral haemorrhage
        "21454007",  # subarachnoid haemorrhage
    ),
)
CHARLSON_DEMENTIA = _group(
    "dementia", msg("Dementia"), ("F00", "F01", "F02", "F03", "F05.1", "G30", "G31.1"), c.DEMENTIA.snomed
)
CHARLSON_PULMONARY = _group(
    "pulmonary",
    msg("Chronic pulmonary disease"),
    ("I27.8", "I27.9", *_span("J", 40, 47), *_span("J", 60, 67), "J68.4", "J70.1", "J70.3"),
    (
        *c.COPD.snomed,
        "195967001",  # asthma
        "12295008",  # bronchiectasis
    ),
)
CHARLSON_RHEUMATIC = _group(
    "rheumatic",
    msg("Rheumatic disease"),
    ("M05", "M06", "M31.5", "M32", "M33", "M34", "M35.1", "M35.3", "M36.0"),
    (
        "69896004",  # rheumatoid arthritis
        "55464009",  # systemic lupus erythematosus
        "65323003",  # polymyalgia rheumatica
        "89155008",  # systemic sclerosis
    ),
)
CHARLSON_ULCER = _group(
    "ulcer",
    msg("Peptic ulcer disease"),
    ("K25", "K26", "K27", "K28"),
    (
        "13200003",  # peptic ulcer
        "397825006",  # gastric
        "51868009",  # duodenal
    ),
)
CHARLSON_MILD_LIVER = _group(
    "mild_liver",
    msg("Mild liver disease"),
    ("B18", "K70.0", "K70.1", "K70.2", "K70.3", "K70.9", "K71.3", "K71.4", "K71.5", "K71.7", "K73", "K74", "K76.0",
     "K76.2", "K76.3", "K76.4", "K76.8", "K76.9", "Z94.4"),
    c.CHRONIC_LIVER_DISEASE.snomed,
)  # fmt: skip
CHARLSON_SEVERE_LIVER = _group(
    "severe_liver",
    msg("Moderate or severe liver disease"),
    ("I85.0", "I85.9", "I86.4", "I98.2", "K70.4", "K71.1", "K72.1", "K72.9", "K76.5", "K76.6", "K76.7"),
    (
        "28670008",  # oesophageal varices
        "34742003",  # portal hypertension
        "51292008",  # hepatorenal syndrome
        "13920009",  # hepatic encephalopathy
    ),
)
CHARLSON_DIABETES = _group(
    "diabetes",
    msg("Diabetes without chronic complication"),
    _diabetes("0", "1", "6", "8", "9"),
    c.DIABETES.snomed,
)
CHARLSON_DIABETES_COMPLICATED = _group(
    "diabetes_complicated",
    msg("Diabetes with chronic complication"),
    _diabetes("2", "3", "4", "5", "7"),
    snomed_lists.DIABETES_COMPLICATED,
)
CHARLSON_PLEGIA = _group(
    "plegia",
    msg("Hemiplegia or paraplegia"),
    ("G04.1", "G11.4", "G80.1", "G80.2", "G81", "G82", "G83.0", "G83.1", "G83.2", "G83.3", "G83.4", "G83.9"),
    (
        "50582007",  # hemiplegia
        "60389000",  # paraplegia
        "11538006",  # quadriplegia
    ),
)
CHARLSON_RENAL = _group(
    "renal",
    msg("Renal disease"),
    ("I12.0", "I13.1", *(f"N{k}.{n}" for k in ("03", "05") for n in range(2, 8)), "N18", "N19", "N25.0", "Z49.0",
     "Z49.1", "Z49.2", "Z94.0", "Z99.2"),
    (*c.CKD.snomed, *(code for code in c.DIALYSIS.snomed if code not in c.CKD.snomed), *c.KIDNEY_TRANSPLANT.snomed),
)  # fmt: skip
CHARLSON_MALIGNANCY = _group(
    "malignancy",
    msg("Any malignancy, lymphoma and leukemia included, skin excepted"),
    (
        *_span("C", 0, 26), *_span("C", 30, 34), *_span("C", 37, 41), "C43", *_span("C", 45, 58), *_span("C", 60, 76),
        *_span("C", 81, 85), "C88", *_span("C", 90, 97),
    ),
    tuple(code for code in c.CANCER.snomed if code not in c.METASTASIS.snomed),
)  # fmt: skip
CHARLSON_METASTASIS = _group(
    "metastasis", msg("Metastatic solid tumor"), ("C77", "C78", "C79", "C80"), c.METASTASIS.snomed
)
CHARLSON_AIDS = _group("aids", msg("AIDS or HIV disease"), ("B20", "B21", "B22", "B24"), ("62479008",))

COMORBIDITIES = (
    CHARLSON_INFARCTION, CHARLSON_HEART_FAILURE, CHARLSON_PERIPHERAL_VASCULAR, CHARLSON_CEREBROVASCULAR,
    CHARLSON_DEMENTIA, CHARLSON_PULMONARY, CHARLSON_RHEUMATIC, CHARLSON_ULCER, CHARLSON_MILD_LIVER,
    CHARLSON_SEVERE_LIVER, CHARLSON_DIABETES, CHARLSON_DIABETES_COMPLICATED, CHARLSON_PLEGIA, CHARLSON_RENAL,
    CHARLSON_MALIGNANCY, CHARLSON_METASTASIS, CHARLSON_AIDS,
)  # fmt: skip
