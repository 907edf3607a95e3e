"""transition-of-care: who may come back, what is arranged, and a place for a trained model that need not be there."""

from dataclasses import replace

import pytest
from charts import MODELS, Answer, Chart
from msgspec import structs

SERVICE = "transition-of-care"
FAILURE, DEMENTIA, PALLIATIVE, REFLUX = "84114007", "52448006", "103735009", "235595009"
STAY = {"period": {"start": "2026-10-24T10:00:00Z"}, "hospitalization": {"admitSource": {"coding": [
    {"system": "http://terminology.hl7.org/CodeSystem/admit-source", "code": "emd"}]}}}  # fmt: skip
VISIT, MEDICINES, CALL = (
    "Arrange a follow-up visit within 7 days",
    "Request reconciliation of medicines",
    "Arrange a telephone call after discharge",
)


def chart(*problems, age=78):
    made = Chart(age).measured(hemoglobin=10.8, sodium=131, creatinine=1.1).knows("Encounter", "Procedure")
    for problem in problems or (FAILURE, DEMENTIA):
        made.problem(problem)
    return made


def leave(ask, made, **more):
    return ask(SERVICE, made, encounter_class="IMP", **{**STAY, **more})


def to(code):
    coding = {"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": code}
    return {"hospitalization": {**STAY["hospitalization"], "dischargeDisposition": {"coding": [coding]}}}


def test_a_high_score_offers_a_visit_the_medicines_and_a_call(ask):
    """Eight days, an emergency, heart failure with dementia: LACE 13; valid drafts with days."""
    answer = leave(ask, chart())
    assert answer.summary == "High risk of readmission within 30 days: LACE 13"
    assert answer.cards[0].indicator == "warning"
    assert answer.suggestions == [VISIT, MEDICINES, CALL]
    due = [s.actions[0].resource["occurrenceDateTime"] for s in answer.cards[0].suggestions]
    assert due == ["2026-11-08", "2026-11-01", "2026-11-05"]
    assert "HOSPITAL score: 5 points" in answer.cards[0].detail


def test_both_scores_share_one_card(ask):
    """Seven points of the HOSPITAL score speak too, and nothing is suggested twice."""
    made = chart().stay(status="finished", start="2026-06-01T10:00:00Z", end="2026-06-09T10:00:00Z")
    made.stay(status="finished", start="2026-03-01T10:00:00Z", end="2026-03-09T10:00:00Z")
    answer = leave(ask, made)
    assert len(answer.cards) == 1
    assert answer.suggestions == [VISIT, MEDICINES, CALL]
    assert "HOSPITAL score: 7 points" in answer.cards[0].detail


def test_scores_that_disagree_say_so_and_why(ask):
    """LACE 13 beside a HOSPITAL score of 3: one plain line tells what each counts; where they agree there is none."""
    made = Chart(78).measured(hemoglobin=13.8, sodium=140, creatinine=1.1).knows("Encounter", "Procedure")
    made.problem(FAILURE).problem(DEMENTIA)
    detail = leave(ask, made, serviceType={"text": "General medicine"}).cards[0].detail
    assert "HOSPITAL score: 3 points** (0 to 4, low" in detail
    assert detail.count("The two scores disagree: the HOSPITAL score is low, for it counts no chronic illness") == 1
    assert "disagree" not in leave(ask, chart()).cards[0].detail


def test_the_burden_of_illness_stands_beside_the_scores_and_decides_nothing(ask):
    """Heart failure and dementia at 78: one point each and three of age, with no advice of its own."""
    answer = leave(ask, chart())
    detail = answer.cards[0].detail
    assert "Charlson index adjusted for age: 5 points" in detail
    assert detail.count("**Advice:**") == 1


def test_the_burden_of_illness_opens_no_card(ask):
    """Recorded, while a low risk of coming back stays silent."""
    elective = {"period": {"start": "2026-10-30T10:00:00Z"}, "hospitalization": {}, "priority": {"coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActPriority", "code": "EL"}]}}  # fmt: skip
    quiet = leave(ask, chart(FAILURE, age=60), **elective)
    assert "charlson/burden" in {finding.key for finding in quiet.findings}
    assert quiet.cards == ()


def test_without_comorbidity_or_a_list_there_is_no_index(ask):
    """Nothing that counts below 50, and nothing to count from: no line that could read as health."""
    for made in (chart(REFLUX, age=40), Chart(78).measured(hemoglobin=10.8).knows("Encounter", "Procedure")):
        assert "charlson/burden" not in {finding.key for finding in leave(ask, made).findings}


def test_what_is_arranged_is_not_suggested_again(ask):
    """An order for a visit, whatever its words are exactly."""
    assert leave(ask, chart().ordered(text="Cardiology follow-up visit next week")).suggestions == [MEDICINES, CALL]


@pytest.mark.parametrize(("start", "offered"), [("2026-11-05T09:00:00Z", False), ("2026-12-05T09:00:00Z", True)])
def test_a_visit_that_is_booked_soon_is_not_suggested_again(ask, start, offered):
    """Within the seven days; a later one does not do."""
    made = chart()
    made.add("Appointment", status="booked", start=start, participant=[{"actor": {"reference": "Patient/p1"}}])
    assert (VISIT in leave(ask, made).suggestions) == offered


def test_a_low_risk_is_silent(ask):
    """Two days, planned, nothing on the list that counts."""
    elective = {"period": {"start": "2026-10-30T10:00:00Z"}, "hospitalization": {}, "priority": {"coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActPriority", "code": "EL"}]}}  # fmt: skip
    assert leave(ask, chart(REFLUX), **elective).cards == ()


@pytest.mark.parametrize("code", ["hosp", "exp", "snf", "rehab", "long", "aadvice", "oth-hcf"])
def test_who_does_not_go_home_is_not_scored(ask, code):
    """Hospice, death, other institutions, leaving against advice."""
    assert leave(ask, chart(), **to(code)).findings == ()
    assert leave(ask, chart(), **to("home")).cards


def test_palliative_care_and_visits_are_silent(ask):
    """Nobody prevents readmission of the dying; an emergency visit is no stay."""
    assert leave(ask, chart(FAILURE, DEMENTIA, PALLIATIVE)).cards == ()
    assert ask(SERVICE, chart(), encounter_class="EMER", **STAY).findings == ()
    assert leave(ask, chart(age=16)).cards == ()


def test_what_would_decide_is_asked_for(ask):
    """Unknown acuity and visits leave LACE open; the HOSPITAL score does not open a card of its own."""
    made = Chart(70).problem(FAILURE).measured(creatinine=1.0)
    answer = leave(ask, made, hospitalization={})
    assert answer.cards[0].indicator == "info"
    assert answer.summary.startswith("Readmission within 30 days: LACE 7 to 14 possible; missing: unplanned admission")


def test_a_stay_without_a_beginning_gives_no_number(ask):
    """Refused, and silent."""
    assert leave(ask, chart(), period={}).cards == ()


class Trained:
    """A readmission model as a site may have it: a risk from nothing."""

    def __init__(self, risk):
        self.risk = risk
        self.id, self.version, self.features, self.trained = "readmission-30d", "1", MODELS["lace"].features, True
        self.title, self.citation = MODELS["lace"].title, MODELS["lace"].citation
        self.limits = MODELS["lace"].limits

    def estimate(self, values):
        from cds_service.risk.model import EstimateKind

        (lace,) = MODELS["lace"].estimate(values)
        return (structs.replace(lace, model_id=self.id, kind=EstimateKind.PROBABILITY, value=self.risk, high=None),)


@pytest.mark.parametrize(("risk", "speaks"), [(0.31, True), (0.12, False)])
def test_a_trained_model_joins_where_a_site_has_one(services, risk, speaks):
    """From the threshold it opens the card; below it is recorded; without it nothing breaks."""
    service = services[SERVICE]
    assert service.may_run == ("readmission-30d",)
    widened = replace(service, models=(*service.models, *service.may_run))
    models = {**MODELS, "readmission-30d": Trained(risk)}
    elective = {"period": {"start": "2026-10-30T10:00:00Z"}}
    context = chart(REFLUX).context(service.hook, "IMP", **elective)
    answer = Answer(widened, context, models)
    finding = answer.finding("readmission-30d")
    assert finding is not None
    assert finding.quiet is not speaks
    assert str(finding.headline.text).startswith("Estimated risk of readmission")
