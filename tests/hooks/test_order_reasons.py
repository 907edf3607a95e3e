"""What an order says it is for decides rules that hold for one use, and is shown; what is denied does not count."""

import pytest
from charts import SNOMED, Chart

from cds_service.language import ENGLISH

AF, CLOT, RHEUMATOID, BREAST_CANCER = "49436004", "128053003", "69896004", "254837009"
TWICE = {"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}
ONCE = {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}
DENIED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "refuted"}]}


def dose(mg, times=TWICE):
    return times | {"doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg", "code": "mg"}}]}


def because(chart, *reasons, **members):
    """The last draft, for these reasons: words or SNOMED CT codes."""
    coded = [{"coding": [{"system": SNOMED, "code": r}]} if r.isdigit() else {"text": r} for r in reasons]
    chart.drafts[-1] |= ({"reasonCode": coded} if coded else {}) | members
    return chart


def small_and_old(*problems):
    chart = Chart(84).measured(creatinine=1.2, weight=52)
    for problem in problems or ("235595009",):
        chart.problem(problem)
    return chart.draft("Apixaban 5 mg tablet", **dose(5))


@pytest.mark.parametrize(
    ("problems", "reasons", "speaks"),
    [
        ((AF,), (), True),
        ((), (), False),
        ((), ("Stroke prevention in atrial fibrillation",), True),
        ((), (AF,), True),
        ((AF,), ("Acute DVT of the left leg",), False),
        ((AF,), (CLOT,), False),
        ((AF,), ("prevention of recurrent PE",), False),
        ((AF,), ("DVT", "Afib"), True),
        ((), ("no atrial fibrillation",), False),
        ((), ("mother has atrial fibrillation",), False),
        ((AF,), ("PE ruled out",), True),
        ((AF,), ("pain",), True),
        ((), ("房颤",), True),
        ((AF,), ("预防静脉血栓",), False),
        ((AF,), ("浅静脉血栓",), True),
        ((AF,), ("Pulmonary embolism without acute cor pulmonale",), False),
    ],
)
def test_apixaban_is_dosed_by_what_the_order_is_for(ask, problems, reasons, speaks):
    """Two of three criteria ask for half the dose in atrial fibrillation, and for nothing in a thrombosis."""
    chart = because(small_and_old(*problems), *reasons)
    assert (ask("renal-dosing", chart).finding("renal-dosing/apixaban/reduce") is not None) == speaks


@pytest.mark.parametrize(
    ("members", "speaks", "said"),
    [
        ({}, True, "; reason given: atrial fibrillation"),
        ({"verificationStatus": DENIED}, False, None),
        ({"subject": {"reference": "Patient/other"}}, False, None),
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_a_reason_by_reference_counts_if_it_is_the_patients_and_not_denied(ask, members, speaks, said, inside):
    """Contained or on the list: another patient's, or a refuted one, gives no rule, and the order's line says so."""
    chart = small_and_old()
    code = {"coding": [{"system": SNOMED, "code": AF}], "text": "atrial fibrillation"}
    entry = {"resourceType": "Condition", "id": "why", "subject": {"reference": "Patient/p1"}, "code": code} | members
    if inside:
        because(chart, reasonReference=[{"reference": "#why"}], contained=[entry])
    else:
        chart.rows.append(entry)
        because(chart, reasonReference=[{"reference": "Condition/why", "display": "atrial fibrillation"}])
    found = ask("renal-dosing", chart).finding("renal-dosing/apixaban/reduce")
    assert (found is not None) == speaks
    if found is not None:
        words, sources = found.path[0]
        assert ENGLISH(words).endswith(said)
        assert ("Condition/why" in sources) != inside
    chart.draft("Ibuprofen 400 mg").drafts[-1]["reasonReference"] = chart.drafts[0]["reasonReference"]
    chart.drafts[-1]["contained"] = chart.drafts[0].get("contained", [])
    line = ENGLISH(ask("drug-safety", chart).finding("drug-safety/apixaban+ibuprofen").path[0][0])
    lost = "a reason that it refers to is not among this patient's entries read here, and does not count"
    assert (lost in line) != speaks


@pytest.mark.parametrize(
    ("reason", "speaks"), [(None, True), ("DVT", False), ("knee replacement", False), ("AF and earlier DVT", True)]
)
def test_rivaroxaban_for_a_thrombosis_has_no_limit_of_atrial_fibrillation(ask, reason, speaks):
    """15 mg at 50 mL/min or below is the dose in atrial fibrillation alone."""
    chart = Chart(70).problem(AF).measured(creatinine=1.6, weight=65).draft("Rivaroxaban 20 mg", **dose(20, ONCE))
    found = ask("renal-dosing", because(chart, *([reason] if reason else []))).finding("renal-dosing/rivaroxaban")
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("milligrams", "reason", "severity"),
    [(40, None, "INFO"), (40, "DVT prophylaxis", "WARNING"), (80, "pulmonary embolism", None), (120, "PE", "WARNING")],
)
def test_enoxaparin_to_prevent_and_to_treat_have_limits_of_their_own(ask, milligrams, reason, severity):
    """Without a reason 40 mg could be either; with one it is held against that one's."""
    chart = Chart(70).problem("235595009").measured(creatinine=3.2, weight=80)
    chart.draft("Enoxaparin injection", **dose(milligrams, ONCE))
    found = ask("renal-dosing", because(chart, *([reason] if reason else []))).finding("renal-dosing/enoxaparin")
    assert (found.severity.name if found is not None else None) == severity


@pytest.mark.parametrize(
    ("problem", "reason", "speaks"),
    [
        (RHEUMATOID, "acute lymphoblastic leukemia", False),
        (BREAST_CANCER, None, False),
        (BREAST_CANCER, RHEUMATOID, True),
        (RHEUMATOID, "history of breast cancer", True),
    ],
)
def test_daily_methotrexate_goes_by_the_orders_reason_before_the_list(ask, problem, reason, speaks):
    """A cancer of once does not make a daily dose right for arthritis."""
    chart = Chart(60).problem(problem).draft("Methotrexate 2.5 mg tablet", **dose(10, ONCE))
    found = ask("drug-safety", because(chart, *([reason] if reason else []))).finding("drug-safety/methotrexate/daily")
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("creatinine", "reason", "service", "key", "severity"),
    [
        (2.4, None, "renal-dosing", "renal-dosing/zoledronic", "WARNING"),
        (2.4, "bone metastases of breast cancer", "renal-dosing", "renal-dosing/zoledronic", None),
        (2.4, "bone metastases of breast cancer", "drug-safety", "drug-safety/zoledronic", None),
        (3.2, "bone metastases of breast cancer", "drug-safety", "drug-safety/zoledronic-acid/test/crcl", "WARNING"),
    ],
)
def test_zoledronic_acid_in_cancer_has_other_limits_than_in_osteoporosis(
    ask, creatinine, reason, service, key, severity
):
    """Contraindicated below 35 is said of osteoporosis; bone metastases end at 30."""
    chart = Chart(70).problem(BREAST_CANCER).measured(creatinine=creatinine, weight=75)
    chart.draft("Zoledronic acid 4 mg infusion")
    answer = ask(service, because(chart, *([reason] if reason else [])), beside=("renal-dosing",))
    found = [f for f in answer.findings if f.key.startswith(key) and "/crcl" in f.key]
    assert [f.severity.name for f in found if f.severity.name != "INFO"] == ([severity] if severity else [])


def test_a_medicine_in_another_form_of_the_standard_is_not_recognised_and_says_so(ask):
    """Said was "An order names no medicine", false of one that we cannot read."""
    chart = Chart(60).problem(AF)
    chart.drafts.append({"resourceType": "MedicationRequest", "id": "m", "status": "draft", "medication": "warfarin"})
    said = ENGLISH(ask("drug-safety", chart).finding("drug-safety/unrecognised").headline)
    assert said == "An entry without a name: the medicine was not recognised, so nothing was checked"
