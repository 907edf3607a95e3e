"""deterioration names sepsis by the rise of SOFA over a baseline; qSOFA is a reason to look, never an all-clear."""

from datetime import timedelta

import pytest
from charts import Chart

SERVICE = "deterioration"
HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
INFECTION, CKD, PALLIATIVE = "68566005", "433144002", "103735009"
CALM = {"rr": 16, "spo2": 97, "temperature": 37.0, "sbp": 125, "dbp": 75, "hr": 72}


def chart(*problems, signs=CALM, **labs):
    made = Chart(60).problem(INFECTION, onset="2026-10-31").measured(ago=HOUR, oxygen_flow=0, gcs=15, **signs, **labs)
    for problem in problems:
        made.problem(problem)
    return made.alert()


def sepsis(ask, made, kind="IMP", **more):
    return ask(SERVICE, made, encounter_class=kind, **more).finding("sepsis")


LABS = {"platelets": 210, "bilirubin": 0.8, "creatinine": 2.4}


def test_a_rise_over_the_baseline_is_possible_sepsis(ask):
    """Creatinine 0.9 last month and 2.4 now: 2 points, with infection."""
    answer = ask(SERVICE, chart(**LABS).measured(ago=MONTH, creatinine=0.9), encounter_class="IMP")
    finding = answer.finding("sepsis")
    assert answer.summary == "Possible sepsis: suspected infection, and SOFA up by at least 2"
    assert finding.advice_source.url == "https://doi.org/10.1097/CCM.0000000000007075"
    assert answer.suggestions[:2] == ["Order lactate", "Order blood cultures"]
    assert answer.cards[0].suggestions[0].actions[0].resource["priority"] == "stat"


def test_a_chronic_value_is_no_rise(ask):
    """The same creatinine a month ago: nothing has risen."""
    assert sepsis(ask, chart(**LABS).measured(ago=MONTH, creatinine=2.4)) is None


def test_a_listed_chronic_disease_without_a_baseline_leaves_the_rise_open(ask):
    """It may explain the value; without it the baseline is assumed to be healthy."""
    assert sepsis(ask, chart(CKD, **LABS)) is None
    assert sepsis(ask, chart(**LABS)) is not None


def test_a_value_of_last_week_is_no_baseline(ask):
    """The illness may have begun by then."""
    assert sepsis(ask, chart(**LABS).measured(ago=timedelta(days=3), creatinine=2.3)) is not None


def test_qsofa_is_a_reason_to_look(ask):
    """Fast breathing and a low pressure without laboratory values."""
    finding = sepsis(ask, chart(signs={**CALM, "rr": 24, "sbp": 98, "dbp": 70}))
    assert finding.headline.text.startswith("Suspected infection and qSOFA")
    assert "no screen by itself" in finding.advice.text


def test_a_low_qsofa_says_nothing(ask):
    """Not even that sepsis is unlikely."""
    assert sepsis(ask, chart()) is None


def test_what_is_there_is_not_ordered_again(ask):
    """A lactate of today, cultures taken, an order on its way."""
    made = (
        chart(**LABS)
        .measured(ago=HOUR, lactate=1.8)
        .add(
            "Observation",
            status="preliminary",
            subject={"reference": "Patient/p1"},
            code={"coding": [{"system": "http://loinc.org", "code": "600-7"}]},
            effectiveDateTime="2026-11-01T07:00:00Z",
            valueString="pending",
        )
    )
    labels = [str(p.label.text) for p in sepsis(ask, made).proposals]
    assert "Order lactate" not in labels
    assert "Order blood cultures" not in labels


@pytest.mark.parametrize("kind", ["AMB", "VR"])
def test_only_in_hospital(ask, kind):
    """Elsewhere laboratory values are not of one day."""
    assert sepsis(ask, chart(**LABS), kind) is None
    assert sepsis(ask, chart(**LABS), "IMP", encounter_status="finished") is None


def test_without_suspected_infection_there_is_no_sepsis(ask):
    """SOFA alone tells of organs, not of a cause."""
    made = Chart(60).problem("235595009").measured(ago=HOUR, **CALM, **LABS).alert()
    assert sepsis(ask, made) is None


def test_palliative_care_follows_the_ceiling(ask):
    """Told, with nothing suggested."""
    finding = sepsis(ask, chart(PALLIATIVE, **LABS))
    assert finding.proposals == ()
