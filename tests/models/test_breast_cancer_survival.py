"""The shipped model of survival after breast cancer: for whom it speaks, sums, and every missing modality."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest

from cds_service.card_detail import document
from cds_service.features import catalogue as c
from cds_service.features import oncology as o
from cds_service.features.extract import extract
from cds_service.features.feature import Feature, FeatureValues
from cds_service.fhir.codes import GENOMICS
from cds_service.findings import Proposal, RiskFinding, Severity
from cds_service.language import ENGLISH, msg, words
from cds_service.markdown import markdown
from cds_service.needs import data_needs, with_inputs
from cds_service.outlook import with_outlook
from cds_service.risk.calibration import expit
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import RESEARCH, NotEstimated, Refusal, RiskEstimate
from cds_service.sandbox.prefetch import resolve
from cds_service.summary.template import Summary
from tests.features import built

Build = Callable[..., FeatureValues]
FOLDER = Path(__file__).parent.parent.parent / "models" / "breast-cancer-survival"
PATHOLOGY: dict[Feature, Any] = {
    o.TUMOR_SIZE: 24.0, o.TUMOR_GRADE: "grade 3", o.POSITIVE_NODES: 2.0, o.TUMOR_STAGE: "stage 2", o.NPI: 5.48,
}  # fmt: skip
MARKERS: dict[Feature, Any] = {o.ER: "positive", o.PR: "negative", o.INTRINSIC_SUBTYPE: "luminal B"}
WOMAN: dict[Feature, Any] = {
    c.AGE: 58.0, o.HER2: "negative", o.NO_BREAST_CANCER: False, o.MALE: False, o.HER2_POSITIVE: False, o.STAGE_4: False,
    c.METASTASIS: False,
}  # fmt: skip


@pytest.fixture(scope="module")
def model(load_model: Callable[[str], ModuleType]) -> FusedModel:
    found = load_model("breast-cancer-survival/model").model
    assert isinstance(found, FusedModel)
    return found


def risks(model: FusedModel, values: FeatureValues) -> Mapping[tuple[str, int | None], RiskEstimate]:
    result = model.estimate(values)
    assert isinstance(result, tuple), str(result.reason)
    return {(estimate.outcome, estimate.horizon_years): estimate for estimate in result}


CASES = {
    "both": PATHOLOGY | MARKERS,
    "pathology alone": PATHOLOGY,
    "markers alone": MARKERS,
}


@pytest.mark.parametrize("case", CASES)
def test_every_pattern_of_modalities_gives_ordered_risks_that_add_up(
    model: FusedModel, patient: Build, case: str
) -> None:
    """Five years below ten, death from cancer not above death; features and modalities both sum to the estimate."""
    values = patient(model, WOMAN | CASES[case])
    found = risks(model, values)
    assert found["death", 5].value < found["death", 10].value
    assert found["cancer_death", 5].value < found["cancer_death", 10].value
    for estimate in found.values():
        assert estimate.explanation.residual() <= 5e-5
        assert found["cancer_death", estimate.horizon_years].value <= found["death", estimate.horizon_years].value
        assert estimate.value == pytest.approx(float(expit(np.array(estimate.explanation.output))), abs=1e-9)
    shares = model.by_modality("cancer_death", values)
    explained = found["cancer_death", 10].explanation
    assert sum(shares.values()) == pytest.approx(explained.output - explained.baseline, abs=5e-5)
    missing = {"both": set(), "pathology alone": {"markers"}, "markers alone": {"pathology"}}[case]
    assert {"pathology", "markers"} - set(shares) == missing


def test_ten_years_are_never_below_five_where_the_lines_of_both_cross(
    model: FusedModel, patient: Build, tmp_path: Path
) -> None:
    """Each horizon has its slope; beyond the crossing the five years' estimate stands for both, and says so."""
    steep = tuple(msgspec.structs.replace(p, slopes={"5": 9.0, "10": 1.0}) for p in model.manifest.patterns)
    crossing = dataclasses.replace(model, manifest=msgspec.structs.replace(model.manifest, patterns=steep))
    high = {o.TUMOR_SIZE: 70.0, o.POSITIVE_NODES: 12.0, o.NPI: 7.4}
    found = risks(crossing, patient(crossing, WOMAN | PATHOLOGY | MARKERS | high))
    five, ten = found["death", 5], found["death", 10]
    assert ten.value == five.value > risks(model, patient(model, WOMAN | PATHOLOGY | MARKERS | high))["death", 10].value
    assert ten.explanation.residual() <= 5e-5
    assert "Taken from the estimate for 5 years, which it includes" in map(str, ten.notes)
    path = tmp_path / "rows.csv"
    path.write_text(f"{','.join(HEADER)}\na,58,70,3,12,2,Positive,Negative,Negative,LumB\n")
    (line,) = crossing.predict_table(path).lines
    assert line[3] == line[1]
    assert line[3] == pytest.approx(ten.value, abs=1e-6)


def test_a_missing_modality_is_said_on_the_card(model: FusedModel, patient: Build) -> None:
    """And what came of training patients with a like estimate."""
    notes = [str(n) for n in risks(model, patient(model, WOMAN | PATHOLOGY))["death", 10].notes]
    assert any("Without Tumour markers" in note for note in notes)
    assert any("training patients" in note for note in notes)


def test_large_grade_3_tumours_with_many_nodes_stand_far_above_small_ones(model: FusedModel, patient: Build) -> None:
    """The direction that medicine knows."""
    small = {o.TUMOR_SIZE: 8.0, o.TUMOR_GRADE: "grade 1", o.POSITIVE_NODES: 0.0, o.TUMOR_STAGE: "stage 1", o.NPI: 2.16}
    large = {o.TUMOR_SIZE: 55.0, o.TUMOR_GRADE: "grade 3", o.POSITIVE_NODES: 9.0, o.TUMOR_STAGE: "stage 3", o.NPI: 7.1}
    low, high = (risks(model, patient(model, WOMAN | MARKERS | given)) for given in (small, large))
    assert high["cancer_death", 10].value > 3 * low["cancer_death", 10].value


def test_a_value_beyond_the_training_data_is_noted(model: FusedModel, patient: Build) -> None:
    """Eighty positive nodes were never seen; the number stands with a note."""
    far = risks(model, patient(model, WOMAN | PATHOLOGY | {o.POSITIVE_NODES: 80.0}))["death", 10]
    assert any("beyond the training data" in str(note) for note in far.notes)


@pytest.mark.parametrize("gate", [o.NO_BREAST_CANCER, o.MALE, o.HER2_POSITIVE, o.STAGE_4, c.METASTASIS])
def test_it_speaks_for_no_other_illness(model: FusedModel, patient: Build, gate: Feature) -> None:
    """No breast cancer, men, HER2-positive, metastatic: not applicable."""
    found = model.estimate(patient(model, WOMAN | PATHOLOGY | MARKERS | {gate: True}))
    assert isinstance(found, NotEstimated)
    assert found.refusal is Refusal.NOT_APPLICABLE


def test_unknown_her2_and_too_little_of_everything_are_refused_by_name(model: FusedModel, patient: Build) -> None:
    """HER2 decides for whom it speaks; two receptors are no modality."""
    without = {f: v for f, v in (WOMAN | PATHOLOGY).items() if f not in {o.HER2, o.HER2_POSITIVE}}
    found = model.estimate(patient(model, without))
    assert isinstance(found, NotEstimated)
    assert [u.feature for u in found.unusable] == [o.HER2]
    found = model.estimate(patient(model, WOMAN | {o.ER: "positive"}))
    assert isinstance(found, NotEstimated)
    assert found.refusal is Refusal.INPUT
    assert "too little of Pathology, Tumour markers" in str(found.reason)


def rows(*, her2: str = "260385009", grade: str = "1155707008", on: str = "2026-05-01") -> list[dict[str, Any]]:
    ncit = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
    kind = built.concept("diagnostic-implication", GENOMICS)
    implication = built.lab("implication", on=on, valueQuantity=None, component=[
        {"code": built.concept("81259-4"), "valueCodeableConcept": built.concept("C53555", ncit)}
    ]) | {"code": kind}  # fmt: skip
    return [
        built.condition("254837009"),
        built.lab("33728-7", 2.4, "cm", on),
        built.lab("85343-2", 2, "#", on),
        built.answer("33732-9", grade, on=on),
        built.answer("21902-2", "IIA", "http://cancerstaging.org", on=on),
        built.answer("85337-4", "10828004", on=on),
        built.answer("85339-0", "LA6577-6", built.LOINC, on=on),
        built.answer("85319-2", her2, on=on),
        implication,
    ]


def from_record(model: FusedModel, *given: dict[str, Any]) -> Any:
    return model.estimate(extract(built.record(*given), with_inputs(model.features)))


def test_it_runs_on_mcode_and_genomics_reporting_rows(model: FusedModel) -> None:
    """Tumour marker tests, stage group, histologic grade and a diagnostic implication with the subtype."""
    found = {(e.outcome, e.horizon_years): e for e in from_record(model, *rows())}
    ten = found["death", 10]
    used = {value.feature.id: value for value in ten.inputs}
    assert used["tumor_size"].value == pytest.approx(24.0)
    assert used["nottingham_index"].value == pytest.approx(0.48 + 3 + 2)
    assert used["intrinsic_subtype"].value == "luminal B"
    assert used["intrinsic_subtype"].sources == ("Observation/implication-2026-05-01",)
    assert ten.effective is not None


def test_an_ehr_brings_every_row_that_the_model_reads(model: FusedModel) -> None:
    """The subtype hides in a component: its Observation is searched for by the code of Genomics Reporting."""
    bundle = {"entry": [{"resource": row} for row in (built.PATIENT, *rows())]}
    needs = {key: need.template for key, need in data_needs(model.features, "patient-view").items()}
    brought = resolve(needs, bundle, {"patientId": "p1"}).values()
    found = [e["resource"] for b in brought if b and "entry" in b for e in b["entry"]]
    assert from_record(model, *found) == from_record(model, *rows())


def test_a_pathology_report_of_last_year_is_another_question(model: FusedModel) -> None:
    """Within six months of the operation: older rows are stale and named."""
    found = from_record(model, *rows(on="2025-09-01"))
    assert isinstance(found, NotEstimated)
    assert found.refusal is Refusal.INPUT


def test_her2_positive_by_staining_is_not_spoken_for(model: FusedModel) -> None:
    """From the record, not only from the table."""
    found = from_record(model, *rows(her2="10828004"))
    assert isinstance(found, NotEstimated)
    assert "HER2-positive" in str(found.reason)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"row": built.condition("254837009", clinical="recurrence")}, "has come back"),
        ({"row": built.answer("21907-1", "1229903009")}, "has spread"),
        ({"row": built.answer("21907-1", "55440008")}, "has spread"),
        ({"row": built.answer("x", "cM1", o.AJCC) | {"code": built.concept("399387003", built.SNOMED)}}, "has spread"),
    ],
)  # fmt: skip
def test_a_cancer_that_came_back_or_spread_is_not_spoken_for(
    model: FusedModel, more: dict[str, dict[str, Any]], why: str
) -> None:
    """As mCODE says it: the state of the entry, and the M category beside a stage group that does not tell."""
    found = from_record(model, *rows(), more["row"])
    assert isinstance(found, NotEstimated)
    assert found.refusal is Refusal.NOT_APPLICABLE
    assert why in str(found.reason)


def test_a_cancer_that_had_spread_long_before_the_operation_is_not_spoken_for(model: FusedModel) -> None:
    """An M1 does not lapse after half a year, as a size or a grade does."""
    early = built.answer("21907-1", "1229903009") | {"effectiveDateTime": "2025-03-01"}
    assert isinstance(from_record(model, *rows(), early), NotEstimated)


@pytest.mark.parametrize("code", ["1229901006", "30893008"])
def test_a_cancer_without_distant_metastases_is_spoken_for(model: FusedModel, code: str) -> None:
    """M0, as AJCC's clinical category and as the older finding that mCODE names."""
    assert not isinstance(from_record(model, *rows(), built.answer("21907-1", code)), NotEstimated)


def test_an_implication_of_another_disease_is_no_subtype(model: FusedModel) -> None:
    """One code tells of any phenotype: a newer one of something else neither hides the subtype nor is remarked on."""
    other = rows(on="2026-05-20")[-1] | {"id": "other"}
    other["component"] = [{"code": built.concept("81259-4"), "valueCodeableConcept": built.concept("x", "urn:mondo")}]
    ten = next(e for e in from_record(model, *rows(), other) if e.horizon_years == 10)
    (subtype,) = [value for value in ten.inputs if value.feature is o.INTRINSIC_SUBTYPE]
    assert (subtype.value, subtype.note) == ("luminal B", None)


def test_a_patient_whose_sex_is_unknown_is_marked(model: FusedModel) -> None:
    """It has seen women only, and nobody can tell here."""
    values = extract(built.record(*rows(), patient={**built.PATIENT, "gender": None}), with_inputs(model.features))
    result = model.estimate(values)
    assert isinstance(result, tuple)
    assert any("Not excluded, for want of data: Male" in str(note) for note in result[0].notes)


def test_a_contradictory_input_is_not_told_as_never_measured(model: FusedModel) -> None:
    """Two sizes of one day: the card says that there is something, and what is wrong with it."""
    result = from_record(model, *rows(), built.lab("21889-1", 30, "mm"))
    finding = RiskFinding("x", Severity.INFO, msg("x"), model=model, result=result)
    text = markdown(document([finding], Summary(()), ENGLISH, frozenset(), (), "")).replace("\\", "")
    assert "Not measured, or not usable: largest dimension of the tumour" in text
    assert "Not usable: Largest dimension of the tumour has several different values of 1 May 2026" in text


def test_a_chinese_reader_gets_modalities_and_answers_in_chinese(model: FusedModel) -> None:
    """They come from the manifest and from tables of codes, and are translated all the same."""
    result = from_record(model, *rows())
    finding = RiskFinding("x", Severity.INFO, msg("x"), model=model, result=result)
    text = markdown(document([finding], Summary(()), words("zh_Hans"), frozenset(), (), ""))
    assert "病理 +" in text.replace("\\", "")
    assert not [one for one in ("Pathology", "Tumour markers", "grade 3", "luminal B", "positive") if one in text]


HEADER = [
    "Patient ID", "Age", "Tumor Size", "Neoplasm Histologic Grade", "Lymph nodes examined positive", "Tumor Stage",
    "ER Status", "PR Status", "HER2 Status", "Pam50 + Claudin-low subtype",
]  # fmt: skip


def test_a_table_has_both_columns_for_every_row(model: FusedModel, patient: Build, tmp_path: Path) -> None:
    """Refused rows are empty beside their unrestricted estimate; a row equals the same patient's record."""
    lines = [
        "a,58.0,24.0,3.0,2.0,2.0,Positive,Negative,Negative,LumB",
        "b,58.0,24.0,3.0,2.0,2.0,Positive,Negative,Positive,Her2",
        "c,58.0,24.0,3.0,2.0,4.0,Positive,Negative,Negative,NC",
        "d,,,,,,,,,",
        "e,44.5,18.0,2.0,,,Positive,Positive,Negative,claudin-low",
    ]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([",".join(HEADER), *lines]) + "\n")
    found = model.predict_table(path)
    assert found.header[:3] == ("Patient ID", "death_5y", "death_5y_unrestricted")
    by_id = {line[0]: dict(zip(found.header, line, strict=True)) for line in found.lines}
    assert [by_id[i]["death_10y"] is None for i in "abcde"] == [False, True, True, True, False]
    assert all(isinstance(value, float) for row in by_id.values() for n, value in row.items() if "unrestricted" in n)
    record = risks(model, patient(model, WOMAN | PATHOLOGY | MARKERS))
    for (outcome, horizon), estimate in record.items():
        assert by_id["a"][f"{outcome}_{horizon}y"] == pytest.approx(estimate.value, abs=1e-6)


def test_what_leaks_or_no_record_holds_is_no_input(model: FusedModel) -> None:
    """Treatments, relapse, cohort, expression and the like."""
    used = {i.column.name for i in model.manifest.inputs if i.column is not None}
    never = {"Chemotherapy", "Hormone Therapy", "Radio Therapy", "Type of Breast Surgery", "Cohort",
             "Mutation Count", "Integrative Cluster", "3-Gene classifier subtype", "MKI67_expr",
             "Relapse Free Status", "time"}  # fmt: skip
    assert not used & never
    assert never <= set(model.manifest.table.unused)


def test_the_card_belongs_to_the_weights(model: FusedModel) -> None:
    """Digest, licence and that it is for research stand in the card."""
    card = (FOLDER / "card.md").read_text()
    assert all(part.sha256 in card for part in model.manifest.parts)
    assert "Open Database License" in card
    assert "Research only" in card


def test_xgboost_agrees_with_the_tables_of_leaves(model: FusedModel) -> None:
    """What `curbside check` runs."""
    model.check()
    assert model.trained


def test_a_card_says_first_that_it_is_for_research_whatever_its_hook(model: FusedModel, patient: Build) -> None:
    """It never alarms and proposes nothing; the first words under the model's name say so once more."""
    result = model.estimate(patient(model, WOMAN | PATHOLOGY | MARKERS))
    proposal = Proposal("x", msg("Order"), msg("Order"), resource_id="ServiceRequest/x", action="delete")
    given = RiskFinding("x", Severity.CRITICAL, msg("Death within 10 years 40 %"), proposals=(proposal,), quiet=True,
                        model=model, result=result)  # fmt: skip
    case: Any = None  # a quiet finding is not completed
    (marked,) = with_outlook(case, (given,))
    assert str(marked.headline) == "Research only: Death within 10 years 40 %"
    assert (marked.severity, marked.proposals) == (Severity.INFO, ())
    text = markdown(document([marked], Summary(()), ENGLISH, frozenset(), (), ""))
    assert text.index(str(RESEARCH)) < text.index("5-year risk")
    assert "10-year risk of death from breast cancer, by modality on the log-odds: Age" in text.replace("\\", "")
    assert re.search(r"share out the difference from that average, \d", text.replace("\\", ""))
