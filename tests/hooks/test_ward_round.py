"""What reading the cards of many patients as a physician found wrong, one test a fault."""

import re
from datetime import timedelta

import pytest
from charts import NOW, SNOMED, Chart

from cds_service.features import catalogue
from cds_service.language import words

MECHANICAL_MITRAL, TRANSPLANTED, HAEMODIALYSIS = "308668006", "70536003", "302497006"
FIBRILLATION, REFLUX = "49436004", "235595009"


def done(chart, code, ago, status="completed"):
    return chart.add(
        "Procedure",
        status=status,
        subject={"reference": "Patient/p1"},
        code={"coding": [{"system": SNOMED, "code": code}]},
        performedDateTime=(NOW - ago).isoformat(),
    )


@pytest.mark.parametrize(
    ("code", "ago", "status", "feature", "there"),
    [
        (MECHANICAL_MITRAL, timedelta(days=3000), "completed", catalogue.MECHANICAL_VALVE, True),
        (MECHANICAL_MITRAL, timedelta(days=3000), "not-done", catalogue.MECHANICAL_VALVE, False),
        (TRANSPLANTED, timedelta(days=2000), "completed", catalogue.KIDNEY_TRANSPLANT, True),
        (HAEMODIALYSIS, timedelta(days=3), "completed", catalogue.DIALYSIS, True),
        (HAEMODIALYSIS, timedelta(days=60), "completed", catalogue.DIALYSIS, False),
    ],
)
def test_what_a_procedure_tells_counts_as_if_it_were_listed(ask, code, ago, status, feature, there):
    """A valve and a graft stay for ever, a dialysis has to go on; what was not done tells nothing."""
    chart = done(Chart(60).problem(REFLUX), code, ago, status).draft("apixaban")
    assert ask("drug-safety", chart).case.values.flag(feature) is there


def test_a_valve_known_from_a_procedure_stops_a_direct_anticoagulant(ask):
    """The card is the one that a listed valve gives, and cites the Procedure."""
    answer = ask(
        "drug-safety", done(Chart(60).problem(REFLUX), MECHANICAL_MITRAL, timedelta(days=900)).draft("apixaban")
    )
    assert answer.finding("drug-safety/apixaban/disease/mechanical-valve").severity.name == "CRITICAL"
    assert "Procedure/procedure-2" in answer.cards[0].detail


def test_after_a_transplant_known_from_a_procedure_no_kidney_failure_is_predicted(ask):
    """KFRE does not hold after a kidney transplant."""
    chart = Chart(50).problem(REFLUX).measured(creatinine=1.9, uacr=320)
    chart = chart.measured(ago=timedelta(days=200), creatinine=1.8, uacr=300)
    assert "KFRE" in ask("kidney-liver-check", chart).cards[0].detail
    chart = done(chart, TRANSPLANTED, timedelta(days=2000))
    assert "KFRE" not in ask("kidney-liver-check", chart).cards[0].detail


def test_an_egfr_is_not_printed_as_a_gene(ask):
    """`eGFR` begins with a small letter, also where a line begins with it."""
    chart = Chart(66).problem(REFLUX).measured(creatinine=1.9)
    assert "**eGFR: " in ask("kidney-liver-check", chart).cards[0].detail


def test_a_change_without_a_name_in_hgvs_is_said_in_chinese(ask):
    """The kind of the change is a word, and words are translated."""
    chart = Chart(52, "female").problem("254837009", "Breast cancer").add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, effectiveDateTime="2026-09-01",
        code={"text": "ERBB2 amplification"}, valueCodeableConcept={"text": "ERBB2 amplification detected"},
    )  # fmt: skip
    summary = ask("precision-oncology", chart, say=words("zh_Hans")).summary
    assert "ERBB2 扩增" in summary
    assert "amplification" not in summary


def screened(chart, ago, **pressure):
    """A man of 55 with all that PREVENT needs, and a pressure."""
    measured = chart.problem(REFLUX).smoking().measured(total=210, hdl=45, creatinine=1.0, bmi=28)
    return measured.measured(ago=ago, **pressure)


def test_a_pressure_taken_in_hospital_is_no_input_of_a_risk_for_years(ask):
    """It is refused with the reason and measured again; an earlier one from outside counts, and the card says so."""
    inside = screened(Chart(55), timedelta(days=2), sbp=172, dbp=98)
    inside = inside.stay("EMER", "finished", "2026-10-30T06:00:00Z", "2026-10-30T20:00:00Z")
    answer = ask("cardiovascular-risk", inside)
    assert answer.summary.endswith("(PREVENT) not calculated; no usable value: systolic blood pressure")
    assert "was taken in hospital, where illness moves it" in answer.cards[0].detail
    assert "Measure blood pressure" in answer.suggestions
    both = inside.measured(ago=timedelta(days=60), sbp=136, dbp=80)
    answer = ask("cardiovascular-risk", both)
    assert "Systolic blood pressure: 136 mmHg" in answer.cards[0].detail
    assert "A newer entry cannot be used: Systolic blood pressure of 30 Oct 2026 was taken" in answer.cards[0].detail


def test_a_pressure_from_outside_hospital_counts_as_before(ask):
    """A stay that ended before it, or none, changes nothing."""
    chart = screened(Chart(55), timedelta(days=2), sbp=150, dbp=80)
    chart = chart.stay("IMP", "finished", "2026-09-01T06:00:00Z", "2026-09-05T06:00:00Z")
    assert "Systolic blood pressure: 150 mmHg" in ask("cardiovascular-risk", chart).cards[0].detail


@pytest.mark.parametrize(
    ("born", "age"), [("2026-10-22", "10 days"), ("2026-09-01", "2 months"), ("2024-06-01", "2 years")]
)
def test_an_infants_age_is_told_in_days_or_months(ask, born, age):
    """A newborn is not of 0 years."""
    chart = Chart(0, birthDate=born).problem(REFLUX, onset="2026-10-30").draft("promethazine")
    answer = ask("drug-safety", chart)
    assert f"at age {age} " in (answer.summary or "") or age == "2 years"


@pytest.mark.parametrize(
    ("order", "indicator", "words"),
    [
        (None, "critical", "emergency review"),
        ("Comfort measures only", "info", "comfort care is on record, ease symptoms"),
        ("Palliative care consultation", "critical", "emergency review"),
    ],
)
def test_where_comfort_is_the_aim_a_high_news2_calls_nobody(ask, order, indicator, words):
    """Palliative care alone sets no such limit."""
    chart = Chart(84).problem(REFLUX).stay().alert()
    chart = chart.measured(ago=timedelta(hours=1), rr=30, spo2=84, temperature=38.9, hr=128, sbp=82)
    chart = chart.ordered(text=order) if order else chart
    answer = ask("deterioration", chart, encounter_class="IMP")
    assert words in answer.summary
    assert answer.cards[0].indicator == indicator
    assert not (indicator == "info" and answer.suggestions)


def test_missing_observations_are_named_in_one_sentence(ask):
    """Seven times "is not on record" is read by nobody."""
    answer = ask("deterioration", Chart(70).problem(REFLUX).stay(), encounter_class="IMP")
    assert "Heart rate, Consciousness are not on record" in answer.cards[0].detail
    assert "is not on record" not in answer.cards[0].detail


def test_mammography_waits_until_a_pregnancy_is_over(ask):
    """Screening is put off; what a pregnancy asks for stays."""
    lists = ("Procedure", "Immunization")
    there = [f.key for f in ask("preventive-care", Chart(41, "female").problem(REFLUX).knows(*lists)).findings]
    pregnant = [f.key for f in ask("preventive-care", Chart(41, "female").problem("77386006").knows(*lists)).findings]
    assert set(there) - set(pregnant) == {"preventive-care/breast"}


@pytest.mark.parametrize(("given", "due"), [("2026-07-28", False), ("2026-10-05", False), ("2026-03-01", True)])
def test_an_influenza_vaccine_of_july_is_the_one_of_the_season(ask, given, due):
    """The first doses come in July: in November nobody is vaccinated twice."""
    chart = Chart(60).problem(REFLUX).knows("Procedure", "Immunization").add(
        "Immunization", status="completed", patient={"reference": "Patient/p1"}, occurrenceDateTime=given,
        vaccineCode={"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "150"}]},
    )  # fmt: skip
    assert (ask("preventive-care", chart).finding("preventive-care/influenza") is not None) is due


def test_a_readmission_score_that_cannot_reach_its_threshold_asks_nothing(ask):
    """LACE 2 to 5 where only the kind of admission is missing: 10 is out of reach."""
    period = {"start": "2026-10-31T08:00:00Z"}
    chart = Chart(50).problem("22298006", onset="2014-01-01").knows("Encounter")
    answer = ask("transition-of-care", chart, encounter_class="IMP", period=period)
    assert answer.finding("lace/undetermined") is not None
    assert answer.cards == ()


def test_a_card_without_details_has_no_heading_for_them(ask):
    """CHA2DS2-VA with all inputs known has nothing to add."""
    answer = ask("af-anticoagulation", Chart(77).problem(FIBRILLATION).problem("38341003"))
    assert "CHA2DS2-VA" in answer.summary
    assert not re.search(r"Details:\*\*\s+(###|$)", answer.cards[0].detail)


def test_a_variant_without_a_readable_change_shows_no_codes(ask):
    """The gene alone, and not the code of the component that told it."""
    chart = Chart(52, "female").problem("254837009").add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, effectiveDateTime="2026-09-01",
        code={"coding": [{"system": "http://loinc.org", "code": "69548-6"}]}, valueCodeableConcept={"text": "Present"},
        component=[{"code": {"coding": [{"system": "http://loinc.org", "code": "48018-6"}]},
                    "valueCodeableConcept": {"text": "ESR1 estrogen receptor 1"}}],
    )  # fmt: skip
    assert "69548-6" not in ask("precision-oncology", chart).summary


def test_where_comfort_is_the_aim_usual_care_is_no_alarm(ask):
    """An opioid with a benzodiazepine is information, the Beers criteria and tests that are due are silent."""
    chart = Chart(84).problem(REFLUX).medicine("7052", "morphine").draft("lorazepam")
    loud = ask("drug-safety", chart)
    assert loud.finding("drug-safety/lorazepam+morphine").severity.name == "WARNING"
    assert loud.finding("drug-safety/lorazepam/test/age") is not None
    eased = ask("drug-safety", chart.ordered(text="Hospice care"))
    assert eased.finding("drug-safety/lorazepam+morphine").severity.name == "INFO"
    assert eased.finding("drug-safety/lorazepam+morphine").proposals == ()
    assert eased.finding("drug-safety/lorazepam/test/age") is None
    assert ask("drug-safety", chart.draft("haloperidol")).finding("drug-safety/monitoring") is None


def test_on_dialysis_an_anticoagulant_is_no_plain_recommendation(ask):
    """Nobody knows whether it helps there; a creatinine is not asked for."""
    chart = Chart(78).problem(FIBRILLATION).problem("38341003").problem("265764009")
    answer = ask("af-anticoagulation", chart)
    assert answer.cards[0].indicator == "info"
    assert "On dialysis it is not known whether an anticoagulant helps" in answer.cards[0].detail
    assert answer.suggestions == []


def test_a_padua_score_of_which_nothing_is_known_asks_nothing(ask):
    """Without a problem list eleven answers are missing, and none of them decides."""
    assert ask("vte-prophylaxis", Chart(70).stay(), encounter_class="IMP").cards == ()


def test_after_a_recent_bleeding_an_anticoagulant_is_no_plain_recommendation(ask):
    """Within three months of a cerebral haemorrhage; one of years ago is a factor and no veto."""
    chart = Chart(78).problem(FIBRILLATION).problem("38341003")
    recent = ask("af-anticoagulation", chart.problem("274100004", onset="2026-10-01"))
    assert recent.cards[0].indicator == "info"
    assert "A major bleeding of the last 3 months is on record" in recent.cards[0].detail
    assert recent.suggestions == []
    chart = Chart(78).problem(FIBRILLATION).problem("38341003").problem("274100004", onset="2015-10-01")
    assert ask("af-anticoagulation", chart).cards[0].indicator == "warning"
