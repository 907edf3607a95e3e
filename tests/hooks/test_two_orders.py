"""Two orders of one medicine in one call, and medicines that are on hold."""

import pytest
from charts import RXNORM, Chart

from cds_service.language import ENGLISH
from cds_service.needs import COMMON

REFLUX, CKD = "235595009", "431857002"
TWICE = {"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}


def dose(mg):
    return TWICE | {"doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg", "code": "mg"}}]}


def held(chart, text, rxnorm=None, kind="MedicationRequest"):
    coding = [{"system": RXNORM, "code": rxnorm}] if rxnorm else []
    return chart.add(
        kind, status="on-hold", intent="order", subject={"reference": "Patient/p1"}, authoredOn="2026-10-01",
        medicationCodeableConcept={"coding": coding, "text": text},
    )  # fmt: skip


def test_two_strengths_of_one_medicine_are_told_with_their_sum(ask):
    """They may be meant, so it is a question; nothing is merged without a word."""
    chart = Chart(60).problem(REFLUX).draft("Metoprolol 50 mg", **dose(50)).draft("Metoprolol 25 mg", **dose(25))
    found = ask("drug-safety", chart).finding("drug-safety/ordered-twice/metoprolol")
    assert ENGLISH(found.headline) == "Metoprolol is ordered twice here, 150 mg a day together: are both meant?"
    assert found.severity.name == "INFO"
    assert [source for _, source in found.path] == ["MedicationRequest/draft-1", "MedicationRequest/draft-2"]


@pytest.mark.parametrize("hook", ["drug-safety", "drug-safety-select", "drug-safety-refill", "drug-safety-verify"])
def test_the_same_order_twice_is_a_warning(ask, hook):
    """Nothing tells the two apart: one of them is a slip."""
    chart = Chart(60).problem(REFLUX)
    for _ in range(2):
        chart.draft("Enoxaparin 40 mg/0.4 mL injection", "40 mg subcutaneously once daily")
    found = ask(hook, chart).finding("drug-safety/ordered-twice/enoxaparin")
    assert found.severity.name == "WARNING"
    assert ENGLISH(found.headline) == "Enoxaparin is ordered twice here, 80 mg a day together: are both meant?"


def test_an_order_that_came_twice_is_one(ask):
    """The same resource is the same order."""
    chart = Chart(60).problem(REFLUX).draft("Metoprolol 50 mg", **dose(50))
    chart.drafts.append(chart.drafts[0])
    assert ask("drug-safety", chart).finding("drug-safety/ordered-twice") is None


def test_what_endangers_two_orders_names_and_removes_both(ask):
    """One finding, both orders on its path, and a suggestion for each."""
    chart = Chart(60).problem(REFLUX).intolerance("Penicillin")
    chart.draft("Amoxicillin 500 mg capsule", "one three times daily").draft("Amoxicillin 250 mg capsule", "one daily")
    answer = ask("drug-safety", chart)
    found = [f for f in answer.findings if f.key.startswith("drug-safety/amoxicillin/")]
    assert len(found) == 1
    assert {p.resource_id for p in found[0].proposals if p.action == "delete"} == {
        "MedicationRequest/draft-1", "MedicationRequest/draft-2",
    }  # fmt: skip
    cited = [source for _, source in found[0].path]
    assert cited[:2] == ["MedicationRequest/draft-1", "MedicationRequest/draft-2"]


def test_a_renal_limit_counts_the_sum_of_two_orders(ask):
    """Each keeps to the limit, both together do not: the kidney clears the sum."""
    chart = Chart(60).problem(CKD, onset="2024-01-01").measured(creatinine=2.0, weight=80)
    chart.draft("Metformin 500 mg tablet", **dose(500))
    assert ask("renal-dosing", chart).cards == ()
    chart.draft("Metformin 500 mg extended-release tablet", **dose(500))
    answer = ask("renal-dosing", chart)
    found = answer.finding("metformin/egfr-below-45")
    assert found.severity.name == "WARNING"
    assert any(ENGLISH(words) == "Together 2000 mg a day" for words, _ in found.path)
    assert len([f for f in answer.findings if f.key == found.key]) == 1


def test_a_dose_that_cannot_be_read_makes_no_sum_but_one_too_high_stays_so(ask):
    """The sum is at least what could be read."""
    chart = Chart(60).problem(CKD, onset="2024-01-01").measured(creatinine=2.0, weight=80)
    chart.draft("Metformin 500 mg tablet", **dose(1000)).draft("Metformin 850 mg tablet", "as directed")
    found = ask("renal-dosing", chart).finding("metformin/egfr-below-45")
    assert found.severity.name == "WARNING"
    assert not any("Together" in ENGLISH(words) for words, _ in found.path)


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_a_medicine_on_hold_takes_part_and_is_called_on_hold(ask, kind):
    """A step quieter than what is taken: it may be on hold for this very reason."""
    loud = Chart(60).problem(REFLUX).medicine("36567", "simvastatin").draft("Clarithromycin 500 mg")
    assert ask("drug-safety", loud).finding("drug-safety/clarithromycin+simvastatin").severity.name == "CRITICAL"
    chart = held(Chart(60).problem(REFLUX), "simvastatin", "36567", kind).draft("Clarithromycin 500 mg")
    found = ask("drug-safety", chart).finding("drug-safety/clarithromycin+simvastatin")
    assert found.severity.name == "WARNING"
    assert "with simvastatin (on hold) (contraindicated)" in ENGLISH(found.headline)
    assert ENGLISH(found.advice).startswith("What is on hold may still act, or be taken again. ")
    assert all(p.secondary for p in found.proposals if p.action == "delete")
    assert any(ENGLISH(words) == "On hold: simvastatin" for words, _ in found.path)


def test_an_order_of_what_is_on_hold_asks_to_resume_it(ask):
    """A second entry beside the held one would be taken for another medicine later."""
    chart = held(Chart(60).problem(REFLUX), "metformin", "6809").draft("Metformin 500 mg tablet")
    found = ask("drug-safety", chart).finding("drug-safety/metformin+metformin")
    said = "Metformin is on the medication list already, on hold: resume that entry instead?"
    assert ENGLISH(found.headline) == said


def test_what_is_on_hold_in_a_combination_is_not_to_be_resumed_instead(ask):
    """The headline asked to resume the other product, and the advice to count both."""
    chart = held(Chart(40).problem(REFLUX), "Acetaminophen 325 mg / hydrocodone 5 mg tablet")
    found = ask("drug-safety", chart.draft("Acetaminophen 500 mg tablet")).finding("drug-safety/acetaminophen+")
    said = "Acetaminophen is in another product too, which is on hold: will that be resumed?"
    assert ENGLISH(found.headline) == said
    assert ENGLISH(found.advice) == "Find out why it was put on hold; then resume that entry, or end it."


def test_what_is_on_hold_is_no_alternative(ask):
    """What somebody has put on hold is not offered in place of the draft."""
    allergic = Chart(40).problem(REFLUX).intolerance("Penicillin")
    offers = [p for f in ask("drug-safety", allergic.draft("Amoxicillin 500 mg capsule")).findings for p in f.proposals]
    names = [ENGLISH(p.label).rpartition(" to ")[2] for p in offers if p.replaces]
    assert names
    answer = ask("drug-safety", held(allergic, names[0]))
    assert not any(f"to {names[0]}" in ENGLISH(p.label) for f in answer.findings for p in f.proposals)


def test_what_is_taken_by_another_entry_is_not_on_hold(ask):
    """The active entry counts, as loud as ever."""
    chart = held(Chart(60).problem(REFLUX), "simvastatin", "36567").medicine("36567", "simvastatin")
    found = ask("drug-safety", chart.draft("Clarithromycin 500 mg")).finding("drug-safety/clarithromycin+simvastatin")
    assert "on hold" not in ENGLISH(found.headline)
    assert found.severity.name == "CRITICAL"


def test_the_parts_of_one_combination_are_not_held_against_each_other(ask):
    """A renewal of sulfamethoxazole with trimethoprim is one question and no interaction."""
    chart = Chart(60).problem(REFLUX).medicine("10180", "sulfamethoxazole / trimethoprim")
    answer = ask("drug-safety", chart.draft("Sulfamethoxazole / trimethoprim 800 mg / 160 mg tablet"))
    said = [ENGLISH(f.headline) for f in answer.findings if "already" in ENGLISH(f.headline)]
    assert said == ["Sulfamethoxazole/trimethoprim is on the medication list already: a renewal, or twice?"]


def test_medicines_on_hold_are_asked_for():
    """A template that names the active ones alone would never bring them."""
    for key in ("medications", "medicationStatements"):
        assert "status=active,on-hold" in COMMON[key].template


AF, CLOT = "49436004", "128053003"


def test_two_full_doses_of_apixaban_are_too_much_in_atrial_fibrillation(ask):
    """20 mg a day is for the first week of a thrombosis; there it is right."""
    chart = Chart(70).problem(AF).measured(creatinine=1.0, weight=80)
    chart.draft("Apixaban 5 mg tablet", **dose(5)).draft("Apixaban 5 mg tablet", **dose(5))
    answer = ask("renal-dosing", chart)
    said = "Apixaban 20 mg a day ordered in atrial fibrillation: 10 mg is the highest dose"
    assert (answer.summary, answer.cards[0].indicator.name) == (said, "WARNING")
    assert len(answer.suggestions) == 2
    assert ask("renal-dosing", chart.problem(CLOT, onset="2026-10-30")).finding("renal-dosing/apixaban/above") is None


@pytest.mark.parametrize(("verified", "speaks"), [("provisional", False), ("refuted", True)])
def test_a_thrombosis_that_is_not_confirmed_yet_may_be_treated_too(ask, verified, speaks):
    """`None is on record` was false beside an entry that waits for its scan."""
    status = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": verified}]}
    chart = Chart(70).problem(AF).problem(CLOT, onset="2026-10-30", verificationStatus=status)
    answer = ask("renal-dosing", chart.draft("Apixaban 5 mg tablet", **dose(10)))
    assert (answer.finding("renal-dosing/apixaban/above") is not None) == speaks


def runs(mg, start=None, end=None):
    """A dose twice a day within bounds."""
    bounds = {name: day for name, day in (("start", start), ("end", end)) if day}
    return dose(mg) | {"timing": {"repeat": {**TWICE["timing"]["repeat"], "boundsPeriod": bounds}}}


FIRST, LATER = {"start": "2026-11-01", "end": "2026-11-05"}, {"start": "2026-11-05", "end": "2026-11-09"}


@pytest.mark.parametrize(
    ("one", "other", "asked"),
    [(FIRST, LATER, False), (LATER, FIRST, False), (FIRST, {"start": "2026-11-04"}, True), (FIRST, {}, True),
     ({"end": "2026-11-05"}, LATER, False), (FIRST, FIRST, True)],
)  # fmt: skip
def test_orders_that_follow_each_other_are_not_taken_for_twice(ask, one, other, asked):
    """A taper, or tablets after the drip: nothing is doubled, and to ask each time teaches not to read."""
    chart = Chart(60).problem(REFLUX).draft("Metoprolol 50 mg", **runs(50, **one))
    found = ask("drug-safety", chart.draft("Metoprolol 25 mg", **runs(25, **other))).finding("drug-safety/ordered")
    assert (found is not None) == asked


def test_of_a_taper_in_three_orders_the_two_that_overlap_are_told(ask):
    """The pair that is meant must not take the place of the pair that is not."""
    chart = Chart(60).problem(REFLUX).draft("Metoprolol 50 mg", **runs(50, **FIRST))
    chart.draft("Metoprolol 100 mg", **runs(100, "2026-11-02", "2026-11-03")).draft(
        "Metoprolol 25 mg", **runs(25, **LATER)
    )
    found = ask("drug-safety", chart).finding("drug-safety/ordered-twice/metoprolol")
    assert ENGLISH(found.headline) == "Metoprolol is ordered twice here, 300 mg a day together: are both meant?"
    assert ENGLISH(found.path[0][0]) == "Draft order: Metoprolol 50 mg, from 1 Nov 2026 to 5 Nov 2026"


@pytest.mark.parametrize(
    ("courses", "most"), [((FIRST, LATER), 1000), ((FIRST, {}), 2000), ((FIRST, LATER, {"start": "2026-11-08"}), 2000)]
)
def test_a_renal_limit_counts_what_runs_at_once(ask, courses, most):
    """Each order keeps to the limit; one after the other they do too."""
    chart = Chart(60).problem(CKD, onset="2024-01-01").measured(creatinine=2.0, weight=80)
    for number, course in enumerate(courses):
        chart.draft(f"Metformin {500 + number} mg tablet", **runs(500, **course))
    found = ask("renal-dosing", chart).finding("metformin/egfr-below-45")
    assert (found is None) == (most == 1000)
    if found is not None:
        assert any(f"{most} mg a day" in ENGLISH(words) for words, _ in found.path)


def test_the_steps_of_a_taper_in_one_order_are_read_by_the_highest(ask):
    """Several dosages were a dose that could not be read."""
    chart = Chart(60).problem(CKD, onset="2024-01-01").measured(creatinine=2.0, weight=80).draft("Metformin 500 mg")
    chart.drafts[0]["dosageInstruction"] = [runs(500, **FIRST), runs(1000, **LATER)]
    found = ask("renal-dosing", chart).finding("metformin/egfr-below-45")
    assert found.severity.name == "WARNING"
    assert "; 2000 mg a day" in ENGLISH(found.path[0][0])
    chart.drafts[0]["dosageInstruction"] = [runs(500), runs(500)]
    assert ask("renal-dosing", chart).finding("metformin/egfr-below-45").severity.name == "INFO"


def test_what_takes_over_from_another_is_a_step_quieter_and_says_so(ask):
    """A switch of anticoagulants is no doubling, and yet the first may still act; what must keep its distance stays."""
    chart = Chart(60).problem(REFLUX).draft("Enoxaparin 80 mg injection", **runs(80, **FIRST))
    found = ask("drug-safety", chart.draft("Apixaban 5 mg tablet", **runs(5, **LATER))).finding("drug-safety/apixaban+")
    assert (found.severity.name, found.proposals) == ("INFO", ())
    assert ENGLISH(found.headline).startswith("Enoxaparin and apixaban, one after the other (serious if together). ")
    chart = Chart(60).problem(REFLUX).draft("Phenelzine 15 mg", **runs(15, **FIRST))
    found = ask("drug-safety", chart.draft("Sertraline 50 mg", **runs(50, **LATER))).finding("drug-safety/phenelzine+")
    assert found.severity.name == "WARNING"
    assert ENGLISH(found.advice).startswith("One ends before the other begins, and may still act then. 14 days")


def test_a_dose_for_need_alone_is_no_daily_dose(ask):
    """R4 has two members for it, and the one with the reason was not read."""
    chart = Chart(60).problem(CKD, onset="2024-01-01").measured(creatinine=2.0, weight=80)
    chart.draft("Metformin 500 mg", **dose(1000), asNeededCodeableConcept={"text": "high glucose"})
    assert "could not be read" in ENGLISH(ask("renal-dosing", chart).finding("metformin/").path[0][0])
