"""pharmacogenomics: what genes on record say of a draft, as different laboratories write it."""

import pytest
from charts import LOINC, NOW, Chart

from cds_service.findings import Severity
from cds_service.language import ENGLISH

SERVICE = "pharmacogenomics"


def gene(chart, code, value=None, loinc=None, component=(), **more):
    coding = [{"system": LOINC, "code": loinc}] if loinc else []
    found = {"valueCodeableConcept": {"text": value}} if value else {}
    return chart.add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, effectiveDateTime=NOW.isoformat(),
        code={"coding": coding, "text": code}, component=list(component), **found, **more,
    )  # fmt: skip


def answered(ask, chart, drug):
    return ask(SERVICE, chart.draft(drug)).findings


# Drug, how the gene is reported, how loud the card must be. From CPIC's guidelines, from memory; none was open.
PAIRS = (
    ("clopidogrel 75 mg", "CYP2C19 genotype", "*2/*2", "warning"),
    ("clopidogrel", "CYP2C19", "Poor metabolizer", "warning"),
    ("Plavix", "CYP2C19 phenotype", "Intermediate Metabolizer", "info"),
    ("codeine", "CYP2D6", "*1/*2xN", "critical"), ("codeine", "CYP2D6", "*4/*4", "warning"),
    ("tramadol", "CYP2D6", "Ultrarapid metaboliser", "critical"), ("citalopram", "CYP2C19", "*2/*3", "warning"),
    ("voriconazole", "CYP2C19", "*1/*17", "warning"), ("omeprazole", "CYP2C19", "*17/*17", "info"),
    ("simvastatin", "SLCO1B1", "*5/*5", "warning"), ("simvastatin", "SLCO1B1", "Decreased function", "info"),
    ("azathioprine", "TPMT", "*3A/*3A", "critical"), ("mercaptopurine", "NUDT15", "*3/*3", "critical"),
    ("fluorouracil", "DPYD", "*2A/*2A", "critical"), ("capecitabine", "DPYD", "Intermediate Metabolizer", "warning"),
    ("warfarin", "CYP2C9", "*3/*3", "warning"), ("warfarin", "VKORC1 -1639G>A", "A/A", "info"),
    ("siponimod", "CYP2C9", "*3/*3", "critical"), ("abacavir", "HLA-B*57:01", "Positive", "critical"),
    ("carbamazepine", "HLA-B typing", "*15:02/*40:01", "critical"),
    ("allopurinol", "HLA-B*58:01", "Detected", "critical"),
    ("oxcarbazepine", "HLA-B*15:02 [Presence]", "Present", "critical"),
    ("rasburicase", "G6PD", "Deficient", "critical"),
    ("amitriptyline", "CYP2D6", "Poor metabolizer", "warning"), ("tacrolimus", "CYP3A5", "*1/*1", "info"),
    ("efavirenz", "CYP2B6", "*6/*6", "info"), ("irinotecan", "UGT1A1", "*28/*28", "warning"),
)  # fmt: skip


@pytest.mark.parametrize(("drug", "code", "value", "loud"), PAIRS)
def test_a_gene_on_record_is_held_against_the_draft(ask, drug, code, value, loud):
    """As loud as the policy has it for the severity of the row."""
    found = answered(ask, gene(Chart(), code, value), drug)
    assert [f.severity for f in found] == [Severity[loud.upper()]], [ENGLISH(f.headline) for f in found]


@pytest.mark.parametrize(
    ("drug", "code", "value"),
    [
        ("clopidogrel", "CYP2C19", "*1/*1"), ("codeine", "CYP2D6", "*1/*2"), ("abacavir", "HLA-B*57:01", "Negative"),
        ("carbamazepine", "HLA-B typing", "*07:02/*40:01"), ("simvastatin", "SLCO1B1", "Normal function"),
        ("azathioprine", "TPMT", "Normal metabolizer"), ("rasburicase", "G6PD", "Normal"),
        ("metformin", "CYP2C19", "*2/*2"), ("fluorouracil", "DPYD", "*1/*1"),
    ],
)  # fmt: skip
def test_ordinary_results_and_other_medicines_are_silent(ask, drug, code, value):
    """No card says that all is well."""
    assert answered(ask, gene(Chart(), code, value), drug) == ()


def test_genomics_reporting_names_the_gene_in_a_component(ask):
    """A genotype of LOINC 84413-4 with the gene studied, and a coded phenotype."""
    studied = {"code": {"coding": [{"system": LOINC, "code": "48018-6"}]}, "valueCodeableConcept": {"text": "CYP2C19"}}
    (finding,) = answered(ask, gene(Chart(), "Genotype", "*2/*2", "84413-4", [studied]), "clopidogrel")
    assert ENGLISH(finding.headline).startswith("Clopidogrel: CYP2C19 Poor Metabolizer.")
    effect = {"code": {"coding": [{"system": LOINC, "code": "53040-2"}]},
              "valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA9657-3"}]}}  # fmt: skip
    (finding,) = answered(ask, gene(Chart(), "Implication", None, None, [studied, effect]), "clopidogrel")
    assert ENGLISH(finding.short_headline) == "Clopidogrel: CYP2C19 Poor Metabolizer"


def test_the_path_leads_from_the_draft_over_the_result_to_the_row(ask):
    """Removal is offered only where the draft must not be given: an antiplatelet is replaced, not dropped."""
    (finding,) = answered(ask, gene(Chart(), "CYP2C19", "*2/*2"), "clopidogrel")
    references = [reference for _, reference in finding.path]
    assert references[0] == "MedicationRequest/draft-1"
    assert references[1].startswith("Observation/")
    assert references[2] == "curbside/genes/clopidogrel+cyp2c19+poor-metabolizer"
    assert finding.proposals == ()
    (finding,) = answered(ask, gene(Chart(), "CYP2D6", "*1/*2x3"), "codeine")
    assert [p.action for p in finding.proposals] == ["delete"]


@pytest.mark.parametrize("value", ["*2/*99", "Indeterminate", "see report"])
def test_a_result_that_is_not_understood_is_said_and_never_taken_for_normal(ask, value):
    """An allele whose function is not listed, a doubtful result, words."""
    (finding,) = answered(ask, gene(Chart(), "CYP2C19", value), "clopidogrel")
    assert "was not understood" in ENGLISH(finding.headline)


def test_results_that_disagree_are_said(ask):
    """Genes do not change: one of the two is wrong."""
    chart = gene(gene(Chart(), "CYP2C19", "Normal metabolizer"), "CYP2C19", "Poor metabolizer")
    (finding,) = answered(ask, chart, "clopidogrel")
    assert ENGLISH(finding.advice).startswith("Results disagree")


def test_a_test_that_the_label_asks_for_first_is_missed_unless_the_medicine_is_taken_already(ask):
    """Abacavir without HLA-B*57:01."""
    (finding,) = answered(ask, Chart(), "abacavir")
    assert ENGLISH(finding.headline) == "Abacavir: no result of HLA-B on record"
    assert answered(ask, Chart().medicine("190521", "abacavir"), "abacavir") == ()


def test_what_the_problem_list_says_is_left_to_drug_safety(ask):
    """One matter, one card: G6PD deficiency as condition and as gene."""
    chart = gene(Chart().diagnosis("D55.0"), "G6PD", "Deficient")
    assert answered(ask, chart, "rasburicase") == ()
    assert any("g6pd" in f.key for f in ask("drug-safety", chart).findings)


def test_genetic_data_that_is_labelled_as_sensitive_is_not_used(ask):
    """GDIS stays out of cards."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "GDIS"}
    assert answered(ask, gene(Chart(), "CYP2C19", "*2/*2", meta={"security": [label]}), "clopidogrel") == ()
