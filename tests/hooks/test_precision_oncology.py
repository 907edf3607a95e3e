"""precision-oncology: which variants are read, what is said of them in which cancer, and what is not."""

import pytest
from charts import LOINC, NOW, Chart

from cds_service.findings import Severity
from cds_service.knowledge.variants import variants
from cds_service.language import ENGLISH, words

SERVICE = "precision-oncology"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
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
    assert headlines(answer) == [
        "EGFR L858R in non-small cell lung cancer: amivantamab + lazertinib; carboplatin + osimertinib + pemetrexed; "
        "osimertinib (evidence A)"
    ]
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
        ("ALK rearrangement", "Not rearranged"), ("ALK FISH", "No rearrangement identified"),
        ("EGFR L858R", "No"), ("EGFR L858R", "Neg"), ("EGFR mutation", "WT"), ("ROS1 fusion", "None detected"),
        ("BRAF V600E", "No BRAF V600E mutation was detected"), ("EGFR mutations", "Not detected: L858R, T790M"),
        ("EGFR L858R", "阴性"), ("EGFR L858R突变", "未检出"), ("KRAS G12C", "野生型"),
    ],
)  # fmt: skip
def test_what_was_not_found_or_not_resulted_is_no_variant(ask, text, value):
    """Nor is a relative's."""
    assert ask(SERVICE, plain(Chart().problem("254637007"), text, value)).findings == ()


def test_a_flag_of_negative_is_no_variant(ask):
    """The words of the test name the change; the laboratory's flag says that it is not there."""
    chart = plain(Chart().problem("254637007"), "EGFR L858R", "see report")
    chart.rows[-1]["interpretation"] = [{"coding": [{"system": INTERPRETATION, "code": "NEG"}]}]
    assert ask(SERVICE, chart).findings == ()


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("EGFR mutations", "T790M not detected. L858R detected.", ["EGFR L858R"]),
        ("EGFR mutations", "Detected: L858R, T790M", ["EGFR L858R", "EGFR T790M"]),
        ("EGFR mutation", "L858R detected. No other pathogenic variants.", ["EGFR L858R"]),
        ("NGS panel EGFR KRAS", "KRAS wild-type; EGFR L858R detected", ["EGFR L858R"]),
        ("EGFR基因检测", "L858R突变 阳性", ["EGFR L858R"]),
        ("EGFR 19外显子缺失", "阳性", ["EGFR exon 19 deletion"]),
        ("ALK融合", "阳性", ["ALK fusion"]),
        ("HER2扩增", "阳性", ["ERBB2 amplification"]),
    ],
)
def test_what_was_found_is_told_apart_from_what_was_not(ask, text, value, told):
    """In one result, in either language: never a treatment for what the same words say is not there."""
    assert [words for words, *_ in read(ask, plain(Chart().problem("254637007"), text, value))] == told


@pytest.mark.parametrize("value", ["Indeterminate", "Pending", "Not performed", "不确定"])
def test_a_result_that_says_nothing_names_no_treatment(ask, value):
    """It is listed as not judged."""
    answer = ask(SERVICE, plain(Chart().problem("254637007"), "EGFR L858R", value))
    assert headlines(answer) == ["Not judged: EGFR L858R"]


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
    coded = {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA26333-7"}]}}
    by_code = reported(Chart(sex="female").problem("363443007"), *parts, component(SIGNIFICANCE, **coded))
    assert headlines(ask(SERVICE, by_code)) == ["Not judged: BRCA1 R1699Q"]
    for grade in ("Tier III", "Conflicting interpretations of pathogenicity", "意义不明"):
        doubted = reported(Chart().problem("254637007"), component(GENE, "EGFR"), component(PROTEIN, "p.L858R"),
                           component(SIGNIFICANCE, grade))  # fmt: skip
        assert headlines(ask(SERVICE, doubted)) == ["Not judged: EGFR L858R"]
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


@pytest.mark.parametrize(
    ("text", "value"), [("NTRK fusion", "Detected"), ("NTRK融合", "阳性"), ("NGS", "ETV6-NTRK3 fusion")]
)
def test_a_fusion_of_a_family_is_one_of_its_members(ask, text, value):
    """A report that says NTRK without a number: what helps is the same for the three."""
    (line, *_) = headlines(ask(SERVICE, plain(Chart().problem("254637007"), text, value)))
    assert "larotrectinib" in line


def test_a_family_without_a_fusion_is_listed_as_unclear(ask):
    """What is known of a mutation of one is not known of the others."""
    asked = ask(SERVICE, plain(Chart().problem("254637007"), "NTRK mutation", "Detected"))
    assert headlines(asked) == ["Not judged: NTRK mutation"]


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


@pytest.mark.parametrize(
    ("problem", "variant", "first", "later"),
    [
        (
            "363406005",
            "BRAF V600E",
            "cetuximab + encorafenib + fluorouracil + oxaliplatin",
            "cetuximab + encorafenib (",
        ),
        ("254837009", "HER2 amplification", "pertuzumab + trastuzumab deruxtecan", "trastuzumab (evidence A)"),
        ("254637007", "KRAS G12C", "adagrasib", "sotorasib (evidence A)"),
        ("372244006", "BRAF V600K", "binimetinib + encorafenib", "dabrafenib + trametinib"),
    ],
)
def test_what_is_given_first_or_was_shown_last_leads(ask, problem, variant, first, later):
    """As approvals stood in 2026; what stands after earlier treatment comes behind."""
    (line,) = headlines(ask(SERVICE, plain(Chart().problem(problem), variant, "Detected")))
    assert line.index(first) < line.index(later)


def test_a_change_outside_the_known_codons_is_no_mutation_of_the_gene(ask):
    """KRAS R68S and PIK3CA R38H in cancers where hotspots count: listed, no treatment and no resistance."""
    assert headlines(ask(SERVICE, plain(Chart().problem("363406005"), "KRAS R68S"))) == ["Not judged: KRAS R68S"]
    assert headlines(ask(SERVICE, plain(Chart().problem("254837009"), "PIK3CA R38H"))) == ["Not judged: PIK3CA R38H"]


def test_treatments_are_named_in_the_readers_language(ask):
    """Medicines, what the rows say and their management."""
    (finding,) = ask(SERVICE, plain(Chart().problem("363406005"), "BRAF V600E")).findings
    say = words("zh_Hans")
    assert "西妥昔单抗 + 恩考芬尼" in say(finding.headline)
    told = " ".join(say(step) for step, _ in finding.path[2:4])
    assert "无进展生存期" in told
    assert "progression" not in told
