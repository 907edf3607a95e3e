"""Samples about tumours whose variants are on record, as different systems write them."""

from __future__ import annotations

from datetime import date

from cds_service.sandbox import resources as fhir
from cds_service.sandbox.chart import Chart
from cds_service.sandbox.patients.sample import Sample
from cds_service.sandbox.resources import Json
from cds_service.sandbox.terms import LOINC

HGNC = "http://www.genenames.org/geneId"
ON = date(2026, 10, 19)


def _patient(name: str, given: str, gender: str, born: str, problem: str, onset: str) -> Chart:
    chart = Chart(name, family="Genomic", given=given, gender=gender, born=born)
    chart.problem(problem, onset)
    chart.no_known_allergies(onset)
    return chart


def _reported(chart: Chart, gene: tuple[str, str], *components: Json) -> None:
    """A variant as HL7 Genomics Reporting and mCODE write it."""
    hgnc, symbol = gene
    studied = {"code": _code("48018-6", "Gene studied [ID]")}
    studied["valueCodeableConcept"] = fhir.concept([(HGNC, hgnc, symbol)])
    code = _code("69548-6", "Genetic variant assessment")
    value = {"valueCodeableConcept": fhir.concept([(LOINC, "LA9633-4", "Present")])}
    row = fhir.observation(chart.id("variant"), chart.subject, code, ON, "laboratory", value=value,
                           component=[studied, *components])  # fmt: skip
    chart.add(row)


def _code(loinc: str, display: str) -> Json:
    return fhir.concept([(LOINC, loinc, display)])


def _part(loinc: str, display: str, text: str) -> Json:
    return {"code": _code(loinc, display), "valueCodeableConcept": {"text": text}}


def _protein(text: str) -> Json:
    return _part("48005-3", "Amino acid change (pHGVS)", text)


def egfr_lung(name: str) -> Chart:
    """A woman of 64 with lung cancer and EGFR L858R."""
    chart = _patient(name, "Ayako", "female", "1962-03-11", "nsclc", "2026-09-28")
    _reported(chart, ("HGNC:3236", "EGFR"), _protein("NP_005219.2:p.(Leu858Arg)"))
    return chart


def braf_melanoma(name: str) -> Chart:
    """A man of 52 with melanoma and BRAF V600E, reported as text."""
    chart = _patient(name, "Magnus", "male", "1974-06-02", "melanoma", "2026-08-17")
    code = {"coding": [{"system": LOINC, "code": "69548-6"}], "text": "BRAF V600E"}
    value = {"valueCodeableConcept": {"text": "Detected"}}
    chart.add(fhir.observation(chart.id("variant"), chart.subject, code, ON, "laboratory", value=value))
    return chart


def braf_colorectal(name: str) -> Chart:
    """A woman of 61 with colorectal cancer and the same variant."""
    chart = _patient(name, "Colette", "female", "1965-01-20", "colon_cancer", "2026-05-04")
    _reported(chart, ("HGNC:1097", "BRAF"), _protein("p.Val600Glu"))
    return chart


def erbb2_breast(name: str) -> Chart:
    """A woman of 55 with breast cancer and amplification of ERBB2."""
    chart = _patient(name, "Helga", "female", "1971-04-25", "breast_cancer", "2026-06-15")
    copies = {"code": _code("82155-3", "Genomic structural variant copy number")}
    copies["valueQuantity"] = fhir.quantity(14, "1")
    _reported(chart, ("HGNC:3430", "ERBB2"), copies)
    return chart


def kras_lung(name: str) -> Chart:
    """A man of 69 with lung cancer, KRAS G12C, and a second variant that nobody knows."""
    chart = _patient(name, "Konrad", "male", "1957-09-09", "nsclc", "2026-03-02")
    _reported(chart, ("HGNC:6407", "KRAS"), _protein("p.Gly12Cys"))
    _reported(chart, ("HGNC:11998", "TP53"), _protein("p.Arg175Cys"))
    return chart


def brca1_ovary(name: str) -> Chart:
    """A woman of 58 with ovarian cancer and a pathogenic frameshift of BRCA1."""
    chart = _patient(name, "Brigitte", "female", "1968-02-14", "ovarian_cancer", "2026-04-13")
    graded = _part("53037-8", "Genetic variation clinical significance [Imp]", "Pathogenic")
    origin = _part("48002-0", "Genomic source class [Type]", "Germline")
    _reported(chart, ("HGNC:1100", "BRCA1"), _protein("p.Gln1756Profs*74"), graded, origin)
    return chart


SAMPLES = (
    Sample("egfr-l858r-lung", "Lung cancer with EGFR L858R: treatments by level of evidence.", egfr_lung),
    Sample("braf-v600e-melanoma", "Melanoma with BRAF V600E, reported as text.", braf_melanoma),
    Sample("braf-v600e-colorectal", "Colorectal cancer with BRAF V600E: another treatment than in melanoma, and one "
           "that does not work alone.", braf_colorectal),
    Sample("erbb2-amplification-breast", "Breast cancer with 14 copies of ERBB2.", erbb2_breast),
    Sample("kras-g12c-lung", "Lung cancer with KRAS G12C, and a variant on which nothing is known.", kras_lung),
    Sample("brca1-ovary", "Ovarian cancer with a pathogenic germline frameshift of BRCA1.", brca1_ovary),
)  # fmt: skip
