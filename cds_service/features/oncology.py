"""What a record says of a breast cancer after its operation: tumour, nodes, grade, receptors, intrinsic subtype.

Read as mCODE and Genomics Reporting STU3 write them; the LOINC and SNOMED CT codes are those of their profiles and
value sets (of a stage group those of LOINC too, as mCODE had them until STU2), the NCI Thesaurus codes those of the
subtypes by gene expression. A pathology report is of the operation, so that its date stands for that of the operation:
what is older than six months is another question.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from cds_service.features import catalogue as c
from cds_service.features.feature import Coded, ConditionFeature, Derived, Quantity, Value
from cds_service.fhir.codes import GENOMICS, LOINC, SNOMED
from cds_service.language import msg

HALF_YEAR = timedelta(days=183)
PATHOLOGY = "laboratory"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
AJCC = "http://cancerstaging.org"

TUMOR_SIZE = Quantity(
    "tumor_size",
    msg("Largest dimension of the tumour"),
    "mm",
    ("33728-7", "21889-1"),
    (0.1, 400),
    HALF_YEAR,
    PATHOLOGY,
)
POSITIVE_NODES = Quantity(
    "positive_nodes",
    msg("Lymph nodes with cancer"),
    "1",
    ("21893-3", "85343-2"),
    (0, 90),
    HALF_YEAR,
    PATHOLOGY,
    conversions=MappingProxyType({"{#}": (1.0, 0.0), "{nodes}": (1.0, 0.0)}),
)
_GRADES = {
    "grade 1": ("369790002", "1155708003", "54102005"),
    "grade 2": ("369791003", "1286893008", "1663004"),
    "grade 3": ("369792005", "1155707008", "61026006"),
}
TUMOR_GRADE = Coded(
    "tumor_grade",
    msg("Histologic grade (Nottingham)"),
    ("33732-9", "44648-4"),
    MappingProxyType({(SNOMED, code): word for word, codes in _GRADES.items() for code in codes}),
    HALF_YEAR,
    PATHOLOGY,
)
# Those of ten digits are the AJCC's groups, which mCODE has since STU3: one code, whichever way it was staged.
_STAGES = {
    "stage 1": (
        ("13104003", "258215001", "1222723001", "1222724007", "1222725008", "1222726009", "1222727000", "1222728005",
         "1222729002", "1222730007", "1222731006"),
        "1 1A 1B I IA IB",
    ),
    "stage 2": (
        ("60333009", "258219007", "1222765007", "1222766008", "1222767004", "1222768009", "1222769001", "1222770000"),
        "2 2A 2B II IIA IIB",
    ),
    "stage 3": (
        ("50283003", "258224005", "261638004", "1222801008", "1222802001", "1222803006", "1222804000", "1222805004",
         "1222806003", "1222807007", "1222809005", "1222811001"),
        "3 3A 3B 3C III IIIA IIIB IIIC",
    ),
    "stage 4": (("2640006", "258228008", "1222837003", "1222838008", "1222841004", "1222842006"), "4 IV"),
}  # fmt: skip
TUMOR_STAGE = Coded(
    "tumor_stage",
    msg("Stage group"),
    ("21902-2", "21908-9", *(f"{SNOMED}|{code}" for code in ("399390009", "399537006", "399588009"))),
    MappingProxyType(
        {(SNOMED, code): word for word, (codes, _) in _STAGES.items() for code in codes}
        | {(AJCC, f"{how}{name}"): word for word, (_, names) in _STAGES.items() for name in names.split() for how in
           ("", "c", "p")}
    ),
    HALF_YEAR,
    PATHOLOGY,
)  # fmt: skip
# The answers and modalities that cards tell in words, which are read from tables and manifests: for translation.
WORDS = (
    msg("grade 1"), msg("grade 2"), msg("grade 3"), msg("stage 1"), msg("stage 2"), msg("stage 3"), msg("stage 4"),
    msg("positive"), msg("negative"), msg("luminal A"), msg("luminal B"), msg("HER2-enriched"), msg("normal-like"),
    msg("basal-like"), msg("Pathology"), msg("Tumour markers"), msg("Both together"), msg("Gene expression"),
)  # fmt: skip
M_CATEGORY = Coded(
    "m_category",
    msg("Distant metastases (M category)"),
    ("21907-1", "21901-4", *(f"{SNOMED}|{code}" for code in ("399387003", "371497001", "277208005"))),
    MappingProxyType(
        {(SNOMED, code): "M0" for code in ("1229901006", "30893008")}
        | {(SNOMED, code): "M1" for code in ("1229903009", "1229916009", "55440008")}
        | {(AJCC, f"{how}{name}"): name for name in ("M0", "M1") for how in ("", "c", "p")}
    ),
    category=PATHOLOGY,  # of any time: what has spread stays so
)
_RECEPTOR = MappingProxyType(
    {
        (SNOMED, "10828004"): "positive",
        (SNOMED, "260385009"): "negative",
        (LOINC, "LA6576-8"): "positive",
        (LOINC, "LA6577-6"): "negative",
    }
)
ER = Coded("er", msg("Oestrogen receptor"), ("16112-5", "85337-4"), _RECEPTOR, HALF_YEAR, PATHOLOGY)
PR = Coded("pr", msg("Progesterone receptor"), ("16113-3", "85339-0"), _RECEPTOR, HALF_YEAR, PATHOLOGY)
HER2 = Coded("her2", msg("HER2 by staining or in situ hybridisation"), ("48676-1", "85319-2", "85318-4"), _RECEPTOR,
             HALF_YEAR, PATHOLOGY)  # fmt: skip
INTRINSIC_SUBTYPE = Coded(
    "intrinsic_subtype",
    msg("Intrinsic subtype (PAM50)"),
    ("81259-4",),  # component of a Diagnostic Implication: the phenotype that the genes tell of
    MappingProxyType(
        {
            (NCIT, "C53554"): "luminal A",
            (NCIT, "C53555"): "luminal B",
            (NCIT, "C53556"): "HER2-enriched",
            (NCIT, "C53557"): "normal-like",
            (NCIT, "C53558"): "basal-like",
        }
    ),
    HALF_YEAR,
    PATHOLOGY,
    panels=(f"{GENOMICS}|diagnostic-implication",),
    shared=True,  # of any phenotype
)


def gene_expression(symbol: str) -> Quantity:
    """The expression of a gene by RNA sequencing, as a z-score against a cohort; no record holds it, tables may."""
    words = msg("Expression of {gene} (z-score of the cohort)", gene=symbol)
    return Quantity(f"rna_{symbol.lower().replace('-', '_')}", words, "1", (), (-100, 100), None, PATHOLOGY, 2)


def nottingham_index(size_mm: Value, grade: Value, nodes: Value) -> Value | None:
    """The Nottingham prognostic index: 0.2 x size in cm + grade + 1, 2 or 3 for 0, 1-3 or more positive nodes.

    Source: Galea et al. 1992, doi:10.1007/BF01840834.
    """
    points = 1 if float(nodes) == 0 else 2 if float(nodes) <= 3 else 3
    return 0.02 * float(size_mm) + float(str(grade).removeprefix("grade ")) + points


def _is_her2_positive(her2: Value) -> Value | None:
    return her2 == "positive"


def _is_stage_4(stage: Value) -> Value | None:
    return stage == "stage 4"


def _is_m1(category: Value) -> Value | None:
    return category == "M1"


def _is_male(sex: Value) -> Value | None:
    return sex == "male"


def _is_false(flag: Value) -> Value | None:
    return not flag


NPI = Derived(
    "nottingham_index",
    msg("Nottingham prognostic index"),
    "1",
    (TUMOR_SIZE, TUMOR_GRADE, POSITIVE_NODES),
    nottingham_index,
    2,
)
_BREAST = ("254837009", "372064008", "408643008", "278054005", "372137005")
BREAST_CANCER = ConditionFeature("breast_cancer", msg("Breast cancer"), _BREAST, ("C50",))
BREAST_CANCER_AGAIN = ConditionFeature(
    "breast_cancer_again", msg("Breast cancer that came back"), _BREAST, ("C50",), again=True
)
NO_BREAST_CANCER = Derived("no_breast_cancer", msg("No breast cancer"), "", (BREAST_CANCER,), _is_false)
HER2_POSITIVE = Derived("her2_positive", msg("HER2-positive"), "", (HER2,), _is_her2_positive)
STAGE_4 = Derived("stage_4", msg("Stage 4"), "", (TUMOR_STAGE,), _is_stage_4)
M1 = Derived("m1", msg("M1"), "", (M_CATEGORY,), _is_m1)
MALE = Derived("male", msg("Male"), "", (c.SEX,), _is_male)
