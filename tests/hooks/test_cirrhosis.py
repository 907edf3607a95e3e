"""cirrhosis: MELD 3.0 and Child-Pugh where cirrhosis is known, and what follows."""

from datetime import timedelta

from charts import Chart

SERVICE = "cirrhosis"
CIRRHOSIS, ASCITES, PALLIATIVE, REFLUX = "19943007", "389026000", "103735009", "235595009"
IBUPROFEN = "5640"


def chart(age=58, bilirubin=3.4, inr=1.9, **more):
    made = Chart(age, **more).problem(CIRRHOSIS)
    return made.measured(bilirubin=bilirubin, inr=inr, creatinine=1.3, sodium=132, albumin=2.8)


def test_from_meld_15_evaluation_is_advised(ask):
    """A referral to offer, the class beside it; nothing if it is under way."""
    answer = ask(SERVICE, chart())
    assert answer.summary.startswith("MELD 3.0 score 2")
    assert "evaluation for a liver transplant is advised" in answer.summary
    assert answer.suggestions == ["Refer for evaluation of a liver transplant"]
    assert "Child-Pugh" in answer.cards[0].detail
    assert ask(SERVICE, chart().ordered(text="Liver transplant evaluation")).cards == ()


def test_a_complication_counts_at_any_meld(ask):
    """Ascites with a low MELD: information; without it, silence."""
    mild = chart(bilirubin=0.8, inr=1.0)
    assert ask(SERVICE, chart(bilirubin=0.8, inr=1.0)).cards == ()
    answer = ask(SERVICE, mild.problem(ASCITES))
    assert "(ascites)" in answer.summary
    assert answer.cards[0].indicator == "info"


def test_missing_blood_tests_are_asked_for(ask):
    """The panels that bring them, each once."""
    answer = ask(SERVICE, Chart(58).problem(CIRRHOSIS).measured(bilirubin=1.2, albumin=3.4))
    assert answer.summary.startswith("MELD 3.0 not calculated in cirrhosis")
    assert answer.suggestions == ["Order INR", "Order a basic metabolic panel (sodium, creatinine)"]
    old = Chart(58).problem(CIRRHOSIS).measured(ago=timedelta(days=200), bilirubin=3, inr=2, creatinine=1, sodium=130)
    assert "Order INR" in ask(SERVICE, old).suggestions


def test_an_nsaid_is_a_warning_at_any_time(ask):
    """In hospital too; scores wait there."""
    answer = ask(SERVICE, chart().medicine(IBUPROFEN).stay())
    assert answer.summary == "An NSAID is on the medication list, with cirrhosis"
    assert answer.finding("meld") is None


def test_without_cirrhosis_in_old_age_and_near_the_end_it_is_silent(ask):
    """The scores do not speak, transplantation is no question, prevention is spared."""
    assert ask(SERVICE, Chart(58).problem(REFLUX).measured(bilirubin=3.4, inr=1.9)).findings == ()
    assert ask(SERVICE, chart(84)).cards == ()
    assert ask(SERVICE, chart().problem(PALLIATIVE)).findings == ()
    assert ask(SERVICE, Chart(58).measured(bilirubin=3.4)).findings == ()
