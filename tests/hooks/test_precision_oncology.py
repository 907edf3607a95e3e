"""precision-oncology: which variants are read, what is said of them in which cancer, and what is not."""

import pytest
from charts import LOINC, NOW, Chart

from cds_service.findings import Severity
from cds_service.knowledge.variants import variants
from cds_service.language import ENGLISH

SERVICE = "precision-oncology"
GENE, PROTEIN, CODING, COPIES, SIGNIFICANCE = "48018-6", "48005-3", "48004-6", "82155-3", "53037-8"


def component(code, text=None, **value):
    held = {"valueCodeableConcept": {"text": text}} if text else value
    return {"code": {"coding": [{"system": LOINC, "code": code}]}, **held}


def reported(chart, *components, value="LA9633-4", **more):
    return chart.add(
        "Observation",
        status="final",
        subject={"reference": "Patient/p1"},
        effectiveDateTime=NOW.isoformat(),
        code={"coding": [{"system": LOINC, "code": "69548-6"}]},
        valueCodeableConcept={"coding": [{"system": LOINC, "code": value}]},
        component=list(components),
        **more,
    )


def plain(chart, text, value=None):
    found = {"valueString": value} if value else {}
    return chart.add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, code={"text": text},
        effectiveDateTime=NOW.isoformat(), **found,
    )  # fmt: skip


def headlines(answer):
    return [ENGLISH(f.headline) for f in answer.findings if not f.quiet]


def read(ask, chart):
    case = ask(SERVICE, chart).case
    return [(v.words, v.names, v.wider, v.unclear) for v in variants(case.context.record, case.knowledge.graph)]


def test_a_variant_of_genomics_reporting_names_the_treatment_by_level(ask):
    """EGFR L858R in three-letter HGVS, in a lung cancer whose type is on record."""
    chart = Chart().problem("254637007", "Non-small cell lung cancer")
    answer = ask(SERVICE, reported(chart, component(GENE, "EGFR"), component(PROTEIN, "NP_005219.2:p.(Leu858Arg)")))
    (finding,) = answer.findings
    assert headlines(answer) == ["EGFR L858R in non-small cell lung cancer: osimertinib; erlotinib (evidence A)"]
    references = [reference for _, reference in finding.path]
    assert references[0].startswith("Observation/")
    assert references[1].startswith("Condition/")
    assert any(reference.startswith("curbside/predictions/egfr-l858r") for reference in references[2:])


@pytest.mark.parametrize(
    ("problem", "there", "absent"),
    [("372244006", "dabrafenib + trametinib", "cetuximab"), ("363406005", "cetuximab + encorafenib", "dabrafenib")],
)
def test_braf_v600e_means_another_treatment_in_melanoma_than_in_colorectal_cancer(ask, problem, there, absent):
    """The disease decides, not the variant alone."""
    (line,) = headlines(ask(SERVICE, plain(Chart().problem(problem), "BRAF V600E")))
    assert there in line
    assert absent not in line


def test_what_does_not_work_alone_stands_beside_what_works(ask):
    """In colorectal cancer a BRAF inhibitor alone is said not to work, with its row and the prognosis."""
    answer = ask(SERVICE, plain(Chart().problem("363406005"), "BRAF p.V600E mutation", "Detected"))
    (line,) = headlines(answer)
    assert "vemurafenib: resistance or lack of effect (evidence B)" in line
    path = [ENGLISH(words) for words, _ in answer.findings[0].path]
    assert any(step.startswith("Against vemurafenib: A BRAF inhibitor alone") for step in path)
    assert any(step.startswith("Prognosis: poor outcome") for step in path)


def test_a_lung_cancer_of_unstated_type_is_matched_with_a_word_of_caution(ask):
    """C34 tells no type: the evidence is shown, and the type is to be confirmed."""
    (finding,) = ask(SERVICE, plain(Chart().diagnosis("C34.1"), "KRAS G12C")).findings
    assert "sotorasib" in ENGLISH(finding.headline)
    assert ENGLISH(finding.advice).startswith("The evidence is for a type of this cancer")


def test_small_cell_lung_cancer_is_not_given_the_evidence_of_the_other(ask):
    """Its sibling is no match."""
    answer = ask(SERVICE, plain(Chart().problem("254632001"), "EGFR L858R"))
    assert headlines(answer) == ["Not judged: EGFR L858R"]


def test_resistance_to_a_medicine_that_is_taken_warns(ask):
    """Cetuximab in colorectal cancer with KRAS G12D."""
    chart = Chart().problem("363406005").medicine("", "cetuximab")
    loud = [f for f in ask(SERVICE, plain(chart, "KRAS", "p.Gly12Asp")).findings if f.severity is Severity.WARNING]
    assert [ENGLISH(f.headline) for f in loud] == [
        "Cetuximab is taken; resistance or lack of effect with KRAS G12D (evidence A)"
    ]


def test_a_combination_that_overcomes_resistance_is_no_warning(ask):
    """Panitumumab beside sotorasib for KRAS G12C is the treatment itself."""
    chart = Chart().problem("363406005").medicine("", "panitumumab").medicine("", "sotorasib")
    found = ask(SERVICE, plain(chart, "KRAS G12C")).findings
    assert all(f.severity is Severity.INFO for f in found)


def test_amplification_is_read_from_words_and_from_copies(ask):
    """HER2 is ERBB2; six copies are an amplification, three are not."""
    breast = Chart().problem("254837009")
    assert "pertuzumab" in headlines(ask(SERVICE, plain(breast, "HER2 gene amplification", "Amplified")))[0]
    six, three = (
        reported(Chart().problem("254837009"), component(GENE, "ERBB2"),
                 component(COPIES, valueQuantity={"value": n, "unit": "1"})) for n in (14, 3)
    )  # fmt: skip
    assert headlines(ask(SERVICE, six))[0].startswith("ERBB2 amplification in breast cancer")
    assert headlines(ask(SERVICE, three))[0].startswith("Not judged")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("EGFR L858R", "Not detected"), ("BRAF V600E mutation analysis", None), ("KRAS gene mutation", "Wild type"),
        ("HER2 amplification", "Negative"), ("Family history of BRCA1 mutation", None), ("ALK fusion", "Absent"),
    ],
)  # fmt: skip
def test_what_was_not_found_or_not_resulted_is_no_variant(ask, text, value):
    """Nor is a relative's."""
    assert ask(SERVICE, plain(Chart().problem("254637007"), text, value)).findings == ()


def test_an_absent_variant_of_genomics_reporting_is_no_variant(ask):
    """LA9634-2."""
    chart = Chart().problem("254637007")
    found = ask(SERVICE, reported(chart, component(GENE, "EGFR"), component(PROTEIN, "p.L858R"), value="LA9634-2"))
    assert found.findings == ()


def test_uncertain_significance_is_listed_and_never_followed(ask):
    """A BRCA1 missense of uncertain significance is not a BRCA1 mutation."""
    parts = (component(GENE, "BRCA1"), component(PROTEIN, "p.Arg1699Gln"))
    unsure = reported(
        Chart(sex="female").problem("363443007"), *parts, component(SIGNIFICANCE, "Uncertain significance")
    )
    answer = ask(SERVICE, unsure)
    assert headlines(answer) == ["Not judged: BRCA1 R1699Q"]
    assert "uncertain significance" in ENGLISH(answer.findings[0].path[0][0])
    sure = reported(Chart(sex="female").problem("363443007"), *parts, component(SIGNIFICANCE, "Pathogenic"))
    assert "niraparib; olaparib (evidence A)" in headlines(ask(SERVICE, sure))[0]


def test_a_truncation_of_brca1_counts_as_its_loss(ask):
    """Frameshifts and stops."""
    for change in ("p.Gln1756Profs*74", "p.Arg1203Ter", "p.R1203*"):
        (_, _, wider, unclear) = read(ask, reported(Chart(), component(GENE, "BRCA1"), component(PROTEIN, change)))[0]
        assert "BRCA1 MUTATION" in wider, change
        assert unclear is None


@pytest.mark.parametrize(
    ("change", "group"),
    [("p.Glu746_Ala750del", "EGFR EXON 19 DELETION"), ("p.Ala767_Val769dup", "EGFR EXON 20 INSERTION")],
)
def test_changes_of_egfr_belong_to_their_exon(ask, change, group):
    """As evidence names them."""
    (_, _, wider, _) = read(ask, reported(Chart(), component(GENE, "EGFR"), component(PROTEIN, change)))[0]
    assert group in wider


def test_a_fusion_names_its_partner(ask):
    """EML4-ALK."""
    chart = plain(Chart().problem("254637007"), "ALK rearrangement", "EML4-ALK fusion detected")
    assert "lorlatinib; alectinib" in headlines(ask(SERVICE, chart))[0]


def test_an_unknown_gene_and_a_change_in_dna_alone_are_listed(ask):
    """Never ignored in silence."""
    chart = Chart().problem("254637007")
    reported(chart, component(GENE, "ZZZ9"), component(PROTEIN, "p.A1B"))
    reported(chart, component(GENE, "EGFR"), component(CODING, "c.89A>C"))
    (line,) = headlines(ask(SERVICE, chart))
    assert line == "Not judged: EGFR c.89A>C, ZZZ9 p.A1B"


def test_a_change_of_dna_that_everybody_knows_is_that_of_the_protein(ask):
    """c.2573T>G is L858R."""
    assert read(ask, reported(Chart(), component(GENE, "EGFR"), component(CODING, "c.2573T>G")))[0][0] == "EGFR L858R"


def test_no_cancer_on_the_list_means_no_treatment(ask):
    """A variant alone is no indication."""
    answer = ask(SERVICE, plain(Chart().problem("38341003"), "BRAF V600E"))
    assert headlines(answer) == ["Not judged: BRAF V600E"]


def test_genes_of_medicines_and_ordinary_results_are_left_alone(ask):
    """CYP2C19 belongs to pharmacogenomics; ALK PHOS is an enzyme."""
    chart = Chart().problem("254637007").measured(creatinine=1.0)
    plain(chart, "CYP2C19 *2/*2")
    plain(chart, "ALK PHOS", "normal")
    assert ask(SERVICE, chart).findings == ()


def test_genetic_data_that_is_labelled_as_sensitive_is_not_used(ask):
    """GDIS stays out of cards."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "GDIS"}
    chart = Chart().problem("254637007")
    reported(chart, component(GENE, "EGFR"), component(PROTEIN, "p.L858R"), meta={"security": [label]})
    assert ask(SERVICE, chart).findings == ()
