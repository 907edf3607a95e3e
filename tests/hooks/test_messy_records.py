"""What a physician found wrong on the cards of records with the mess of real ones, one test a fault."""

from datetime import timedelta

import pytest
from charts import NOW, Chart

from cds_service.features.oncology import M_CATEGORY
from cds_service.language import words

AF, HYPERTENSION, HEART_FAILURE, REFLUX, CKD = "49436004", "38341003", "84114007", "235595009", "433144002"
DIALYSIS, INJURY, CIRRHOSIS, G6PD = "105502003", "14669001", "19943007", "124134002"
COCODAMOL = "acetaminophen-codeine 120 mg-12 mg/5 mL"


def first(answer):
    return answer.cards[0].detail


def result(chart, code, value, unit, ago, status="final", **more):
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return chart.add(
        "Observation",
        status=status,
        subject={"reference": "Patient/p1"},
        code={"coding": [{"system": "http://loinc.org", "code": code}]},
        effectiveDateTime=(NOW - ago).isoformat(),
        valueQuantity=quantity,
        **more,
    )


def preliminary_potassium():
    critical = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "HH"}
    chart = Chart(56).problem(HEART_FAILURE, "HFrEF").medicine("29046", "lisinopril 20 mg")
    chart = result(chart, "2823-3", 4.2, "mmol/L", timedelta(days=3))
    return result(chart, "2823-3", 6.9, "mmol/L", timedelta(hours=2), "preliminary",
                  interpretation=[{"coding": [critical]}])  # fmt: skip


def test_a_trend_that_ends_in_a_preliminary_result_says_so(ask):
    """A potassium that the laboratory has not confirmed may be of a haemolysed specimen."""
    detail = first(ask("kidney-liver-check", preliminary_potassium()))
    assert "Potassium 4.2 → 6.9 mmol/L over 2 days, called critical by the laboratory, preliminary, to" in detail


def test_a_remark_on_a_potassium_is_a_sentence_of_its_own(ask):
    """What to review began in the middle of it."""
    detail = first(ask("kidney-liver-check", preliminary_potassium()))
    assert "is preliminary. On the medication list, to review:" in detail


def test_the_pathological_m_category_is_read_by_its_loinc_code():
    """mCODE's 21901-4; a code without LOINC's check digit stood there, which no laboratory sends."""
    assert "21901-4" in M_CATEGORY.codes
    assert "21901-6" not in M_CATEGORY.codes


def test_the_limit_of_one_part_of_a_combination_names_that_part(ask):
    """The limit by kidney function is codeine's, not acetaminophen's."""
    answer = ask("drug-safety", Chart(70).draft(COCODAMOL))
    said = [str(f.headline) for f in answer.findings if "kidney-unknown" in f.key]
    assert len(said) == 1
    assert said[0].startswith("Codeine: its limit by kidney function was not checked")


def test_a_strength_beside_a_chinese_name_is_no_unknown_medicine(ask):
    """ "厄贝沙坦 150mg" was judged, and then said to be unknown on the same card."""
    chart = Chart(68).problem(CKD).medicine("0", "厄贝沙坦 150mg").measured(creatinine=1.2, potassium=4.2)
    answer = ask("drug-safety", chart.draft("布洛芬 0.4g", "每日三次"))
    assert any("irbesartan" in str(f.headline) for f in answer.findings)
    assert answer.finding("drug-safety/unrecognised") is None


def test_an_alternative_has_no_reserve_about_the_age_of_the_patient(ask):
    """Doxycycline was offered to a child of seven in place of amoxicillin."""
    chart = Chart(7).intolerance("penicillin").draft("amoxicillin 400 mg/5 mL suspension")
    offered = ask("drug-safety", chart).suggestions
    assert "Change amoxicillin to azithromycin" in offered
    assert "Change amoxicillin to doxycycline" not in offered
    adult = Chart(40).intolerance("penicillin").draft("amoxicillin 500 mg")
    assert "Change amoxicillin to doxycycline" in ask("drug-safety", adult).suggestions


def test_one_point_is_no_plural(ask):
    """CHA2DS2-VA: 1 point."""
    detail = first(ask("af-anticoagulation", Chart(68).problem(AF).problem(REFLUX)))
    assert "CHA2DS2-VA: 1 point**" in detail


def test_no_creatinine_is_ordered_where_the_sex_is_what_an_egfr_lacks(ask):
    """A new creatinine would bring no eGFR."""
    chart = Chart(41, sex="other").problem(REFLUX).smoking()
    chart = chart.measured(total=210, hdl=50, sbp=124, dbp=78, bmi=27, creatinine=1.0)
    answer = ask("cardiovascular-risk", chart)
    assert "Order serum creatinine with eGFR" not in answer.suggestions


def test_no_test_is_missed_for_a_deficiency_that_the_problem_list_holds(ask):
    """drug-safety says that rasburicase is contraindicated there; "no result of G6PD" beside it reads like a doubt."""
    assert ask("pharmacogenomics", Chart(32).draft("rasburicase")).finding("pharmacogenomics/rasburicase") is not None
    assert ask("pharmacogenomics", Chart(32).problem(G6PD).draft("rasburicase")).findings == ()


@pytest.mark.parametrize(("potassium", "said"), [(4.8, False), (5.4, True)])
def test_an_ace_inhibitor_is_not_advised_without_the_potassium_that_forbids_the_start(ask, potassium, said):
    """NICE NG203: above 5.0 mmol/L none is started as a routine."""
    chart = Chart(61).problem(CKD).measured(creatinine=2.1, uacr=398, potassium=potassium)
    chart = chart.measured(ago=timedelta(days=150), creatinine=2.0, uacr=410)
    finding = ask("kidney-liver-check", chart).finding("ckd/ras-inhibitor")
    assert ("Potassium was 5.4 mmol/L on 22 Oct 2026" in str(finding.advice)) is said


def test_a_limit_on_dialysis_says_what_its_numbers_measure(ask):
    """ "Contraindicated below 30" of what?"""
    answer = ask("renal-dosing", Chart(55).problem(DIALYSIS).draft("metformin 500 mg", "twice daily"))
    assert answer.summary == "Metformin ordered on dialysis; by eGFR: contraindicated below 30, for lactic acidosis"
    assert "Limit by eGFR (mL/min/1.73 m²): contraindicated below 30" in first(answer)


def test_metformin_in_kidney_injury_is_a_warning_when_it_is_ordered_too(ask):
    """patient-view warns of the metformin that is taken; the order said only that there was no eGFR."""
    chart = Chart(69, sex="female").problem(INJURY, "AKI").measured(creatinine=2.96, ago=timedelta(days=1))
    answer = ask("renal-dosing", chart.draft("metformin 1000 mg", "twice daily"))
    assert str(answer.cards[0].indicator) == "warning"
    assert "while creatinine is not steady" in answer.summary
    gentle = Chart(40).problem(INJURY, "AKI").measured(creatinine=1.0, ago=timedelta(days=1))
    assert "and no eGFR to dose it by" in ask("renal-dosing", gentle.draft("metformin 1000 mg", "twice daily")).summary


def test_the_clearance_says_from_which_days_its_values_are(ask):
    """ "From values of today and later" tells nothing."""
    chart = Chart(95).measured(creatinine=1.47, weight=59).draft("nitrofurantoin 100 mg", "twice daily")
    assert "25 mL/min (22 Oct 2026)" in first(ask("renal-dosing", chart))


def test_the_headline_of_curb_65_has_one_colon_for_what_to_do(ask):
    """ "Missing: consciousness: treat in hospital" reads as one thing."""
    chart = (
        Chart(80)
        .problem("233604007", onset="2026-11-01")
        .measured(ago=timedelta(hours=1), bun=26, rr=31, sbp=88, dbp=50)
    )
    answer = ask("pneumonia-severity", chart, encounter_class="EMER")
    assert "4 to 5 possible (not recorded: consciousness), high severity: treat in hospital" in answer.summary


@pytest.mark.parametrize(("before", "now", "said"), [(150, 148, True), (128, 148, False), (150, 136, False)])
def test_a_pressure_that_stays_high_under_a_medicine_is_told(ask, before, now, said):
    """One high reading is chance; two in a row ask whether the medicines are taken, and for more."""
    chart = Chart(61).problem(HYPERTENSION).medicine("17767", "amlodipine 5 mg").measured(sbp=now, dbp=82)
    chart = chart.measured(ago=timedelta(days=60), sbp=before, dbp=80)
    finding = ask("cardiovascular-risk", chart).finding("blood-pressure-above-goal")
    assert (finding is not None) is said
    if finding is not None:
        assert str(finding.due) == "Systolic pressure 148 mmHg on 22 Oct 2026 and 150 mmHg on 2 Sep 2026."


def test_a_statin_that_was_not_tolerated_does_not_silence_a_high_ldl_after_an_infarction(ask):
    """There are other medicines, and other statins."""
    chart = Chart(58).problem("22298006").measured(ldl=150).intolerance("atorvastatin: muscle pain")
    answer = ask("cardiovascular-risk", chart)
    assert "LDL cholesterol 150 mg/dL on 22 Oct 2026, and no statin: an intolerance is on record" in answer.summary
    assert ask("cardiovascular-risk", Chart(58).problem("22298006").measured(ldl=62).intolerance("statins")).cards == ()


@pytest.mark.parametrize(("glucose", "ago", "said"), [(50, 2, True), (50, 5, False), (62, 2, False)])
def test_a_low_glucose_under_a_sulfonylurea_is_a_warning_of_its_own(ask, glucose, ago, said):
    """It stood in the summary of a card about something else."""
    chart = Chart(86).problem("44054006").medicine("25789", "glimepiride 4 mg")
    answer = ask("diabetes", chart.measured(ago=timedelta(days=ago), glucose=glucose))
    assert (answer.finding("diabetes/hypoglycaemia") is not None) is said
    if said:
        assert answer.summary == "Glucose 50 mg/dL on 30 Oct 2026 under insulin or a sulfonylurea"


def test_a_kidney_transplant_is_the_diagnosis_behind_a_low_egfr(ask):
    """A search for the cause is not what such a patient needs."""

    def chart(problem):
        made = Chart(45, sex="female").problem(problem).measured(creatinine=1.33)
        return made.measured(ago=timedelta(days=180), creatinine=1.3)

    key = "ckd-epi-2021/persistently-below-60"
    assert ask("kidney-liver-check", chart(REFLUX)).finding(key) is not None
    assert ask("kidney-liver-check", chart("737295003")).finding(key) is None


def test_what_only_a_problem_list_can_tell_is_counted_and_not_enumerated(ask):
    """Eighteen conditions in a sentence hide the one thing that can be asked."""
    answer = ask("transition-of-care", Chart(57), encounter_class="IMP", period={"start": "2026-10-30T08:00:00Z"})
    detail = first(answer)
    assert "What would decide it: unplanned admission, 1" in detail
    assert "conditions, for want of a problem list that can be read" in detail
    assert "metastatic solid tumor" not in detail


@pytest.mark.parametrize(
    ("problem", "draft", "said"),
    [
        ("13645005", "propranolol 40 mg", "Propranolol in chronic obstructive pulmonary disease (caution)"),
        (CIRRHOSIS, "acetaminophen 1000 mg", "Acetaminophen in cirrhosis (caution)"),
    ],
)
def test_two_cautions_that_every_ward_knows(ask, problem, draft, said):
    """A nonselective beta blocker in COPD, and the dose of acetaminophen in cirrhosis."""
    assert any(said in str(f.headline) for f in ask("drug-safety", Chart(60).problem(problem).draft(draft)).findings)


def order(chart, text=None, coding=(), **members):
    subject = {"reference": "Patient/p1"}
    code = {"coding": list(coding)} | ({"text": text} if text else {})
    return chart.add("ServiceRequest", status="active", subject=subject, code=code, authoredOn="2026-10-01", **members)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"text": "Cardiopulmonary resuscitation", "intent": "directive", "doNotPerform": True},
         "- Not to be done: Cardiopulmonary resuscitation, 1 Oct 2026"),
        ({"coding": [{"system": "http://loinc.org", "code": "LA33471-6", "display": "No CPR"}], "intent": "directive"},
         "- No CPR, 1 Oct 2026"),
    ],
)  # fmt: skip
def test_an_order_about_resuscitation_is_told_on_every_card(ask, members, said):
    """The code status came with the orders and was in no summary."""
    detail = first(ask("diabetes", order(Chart(86).problem(HYPERTENSION), **members)))
    assert said in detail


def test_a_code_status_on_the_problem_list_is_told_once(ask):
    """As what it is, and not as a problem too."""
    detail = first(ask("diabetes", Chart(86).problem(HYPERTENSION).diagnosis("Z66", "DNR status")))
    assert detail.count("DNR status") == 1


def test_problems_in_words_alone_are_named_where_their_absence_was_assumed(ask):
    """A PREVENT risk for primary prevention beside "s/p MI 2019" must say what was not counted."""
    chart = Chart(60).problem(REFLUX).smoking().measured(total=210, hdl=40, sbp=133, dbp=77, bmi=29, creatinine=1.0)
    remark = "On the problem list in words alone, and not counted: s/p MI 2019; Type 2 diabetes"
    assert remark not in first(ask("cardiovascular-risk", chart))
    for text in ("s/p MI 2019", "Type 2 diabetes"):
        chart = chart.add("Condition", subject={"reference": "Patient/p1"}, code={"text": text})
    assert remark in first(ask("cardiovascular-risk", chart))
    assert f"{remark}." in str(ask("diabetes", chart.measured(hba1c=7.9)).finding("diabetes/undiagnosed").due)


@pytest.mark.parametrize(
    ("medicine", "dosage", "daily"),
    [
        ("二甲双胍 0.5g", "每日三次", "1500 mg a day"),
        ("盐酸二甲双胍片 0.5g*30片", "每次2片，每日2次", "2000 mg a day"),
        ("盐酸二甲双胍片", "0.85g 口服 bid", "1700 mg a day"),
        ("二甲双胍 0.5g", "每日一次，必要时每日两次", None),
        ("二甲双胍格列本脲片 250mg/1.25mg", "每日两次", None),
    ],
)
def test_a_daily_dose_in_chinese_is_read(ask, medicine, dosage, daily):
    """Without it the card says that the dose could not be read, and a daily methotrexate passes."""
    chart = Chart(70).problem(CKD).problem("44054006").medicine("0", medicine, dosage).measured(creatinine=1.8)
    finding = ask("kidney-liver-check", chart).finding("metformin/egfr-below-45")
    assert (f"Metformin {daily}" in str(finding.headline)) is (daily is not None)


def test_methotrexate_every_day_in_chinese_is_as_critical(ask):
    """每日一次 is every day; 每周一次 is how it is given."""
    chart = Chart(60).problem("69896004", "类风湿关节炎")
    daily = ask("drug-safety", chart.draft("甲氨蝶呤片 2.5mg", "每次4片，每日一次"))
    assert "ordered every day" in daily.summary
    weekly = ask("drug-safety", Chart(60).problem("69896004").draft("甲氨蝶呤片 2.5mg", "每次4片，每周一次"))
    assert not any("every day" in str(f.headline) for f in weekly.findings)


def test_an_interval_and_a_year_are_in_chinese_on_a_chinese_card(ask):
    """The words "5 to 10 分" and "自2019起" are half translated."""
    chart = Chart(61).problem(HYPERTENSION, "高血压", onset="2019").measured(sbp=128, dbp=76)
    detail = first(ask("diabetes", chart, say=words("zh_Hans")))
    answer = ask("diabetes", chart, say=words("zh_Hans"))
    assert "5 至 10 分" in answer.summary
    assert " to " not in answer.summary
    assert "高血压，自2019年起" in detail


def test_an_answer_stands_after_a_colon(ask):
    """The words "Supplemental oxygen yes" read like two notes."""
    chart = Chart(77).measured(ago=timedelta(hours=1), rr=22, spo2=94, hr=112, temperature=38.6, sbp=98, oxygen_flow=2)
    detail = first(ask("deterioration", chart.alert(), encounter_class="EMER"))
    assert "- Supplemental oxygen: yes, 1 Nov 2026" in detail
    assert "- Respiratory rate 22 /min, 1 Nov 2026" in detail


def test_one_product_is_one_interaction_where_the_same_row_speaks_of_its_parts(ask):
    """Two critical cards for simvastatin with darunavir/ritonavir said the same."""
    chart = Chart(40).medicine("0", "darunavir/ritonavir").draft("simvastatin 40 mg")
    told = [f for f in ask("drug-safety", chart).findings if "contraindicated" in str(f.headline)]
    assert len(told) == 1


def discharged(ask, chart):
    period = {"start": "2026-10-30T08:00:00Z"}
    return ask("transition-of-care", chart, encounter_class="IMP", encounter_status="in-progress", period=period)


def test_a_medicine_on_hold_or_a_report_to_come_opens_a_card_at_discharge(ask):
    """Whatever the risk of readmission: somebody must decide, and somebody must read it."""
    chart = Chart(50).problem(REFLUX)
    assert discharged(ask, chart).finding("transition-of-care/undecided") is None
    subject = {"reference": "Patient/p1"}
    held = chart.add("MedicationRequest", status="on-hold", intent="order", subject=subject, authoredOn="2026-05-01",
                     medicationCodeableConcept={"text": "lisinopril 20 mg"})  # fmt: skip
    assert str(discharged(ask, held).finding("transition-of-care/undecided").headline) == (
        "Before discharge: one medicine on hold"
    )
    code = {"text": "Gastric biopsy"}
    for when in ("2025-01-01", "2026-10-31"):
        held = held.add("DiagnosticReport", status="registered", subject=subject, code=code, effectiveDateTime=when)
    assert str(discharged(ask, held).finding("transition-of-care/undecided").headline) == (
        "Before discharge: one medicine on hold, one report is not final"
    )
