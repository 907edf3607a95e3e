"""cancer-thrombosis speaks before treatment begins, and not of cancers that have stood on the list for years."""

import pytest
from charts import Chart

SERVICE = "cancer-thrombosis"
PANCREAS, LUNG, COLON, UNSPECIFIED, PALLIATIVE = "363418001", "363358000", "363406005", "363346000", "103735009"
BLOOD = {"platelets": 420, "hemoglobin": 11.2, "wbc": 9.0}


def chart(site=PANCREAS, onset="2026-10-01", **values):
    return Chart(62).problem(site, onset=onset).measured(**{**BLOOD, "bmi": 24, **values}).knows("Encounter")


def test_two_points_may_be_offered_prophylaxis(ask):
    """Pancreas and platelets: 3; the choice stays with the clinician, and cautions are named."""
    answer = ask(SERVICE, chart())
    assert answer.summary == "Khorana score 3: raised risk of venous thrombosis under systemic treatment of cancer"
    assert answer.cards[0].indicator == "info"
    assert answer.suggestions == ["Request review for prophylaxis of thrombosis"]
    assert "stomach or pancreas" in answer.cards[0].detail


def test_below_two_points_is_silent(ask):
    """Colon with normal values."""
    assert ask(SERVICE, chart(COLON, platelets=250)).cards == ()


@pytest.mark.parametrize(
    "changed",
    [
        lambda made: made.medicine("1364430", "apixaban"),
        lambda made: made.medicine("67108", "enoxaparin"),
        lambda made: made.problem(PALLIATIVE),
        lambda made: made.stay(),
        lambda made: made.medicine("0", "gemcitabine", since="2026-08-01"),
    ],
)
def test_silent_where_treated_in_hospital_or_under_way(ask, changed):
    """Anticoagulated, palliative, an inpatient, or after treatment has begun."""
    assert ask(SERVICE, changed(chart())).cards == ()


def test_an_old_cancer_opens_no_card_until_treatment_is_ordered(ask):
    """Diagnosed years ago: quiet; with a medicine ordered this month it speaks."""
    assert ask(SERVICE, chart(onset="2019-01-01")).cards == ()
    assert ask(SERVICE, chart(onset="2019-01-01").medicine("0", "gemcitabine", since="2026-10-25")).cards


def test_missing_values_are_ordered_where_they_decide(ask):
    """Lung without a blood count: 1 to 4 possible."""
    made = Chart(62).problem(LUNG, onset="2026-10-01").measured(bmi=24).knows("Encounter")
    answer = ask(SERVICE, made)
    assert answer.summary.startswith(
        "Khorana score 1 to 4 possible (thrombosis under treatment of cancer); missing: platelets"
    )
    assert answer.suggestions == ["Order a blood count with platelets"]
    assert ask(SERVICE, made.ordered("58410-2", "CBC")).suggestions == []


def test_an_uncoded_site_stays_open(ask):
    """One point and an unknown site: 1 to 3."""
    answer = ask(SERVICE, chart(UNSPECIFIED))
    assert "1 to 3 possible" in answer.summary


def test_without_cancer_it_is_silent(ask):
    """Not applicable is for the audit record."""
    assert ask(SERVICE, Chart(62).problem("235595009")).cards == ()
