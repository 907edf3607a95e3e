"""The same record gives the same lines, allergies among them, in the order that the service needs."""

import random

import effort
from hypothesis import given
from hypothesis import strategies as st
from records import NOW, SNOMED, concept, context, problem, result, row

from cds_service.features import catalogue
from cds_service.features.feature import FeatureValue, FeatureValues
from cds_service.findings import CareGapFinding, Severity
from cds_service.language import ENGLISH, msg
from cds_service.summary.template import summarise

ORDER = ("problem", "medication", "result", "trend", "allergy")
NOTHING = FeatureValues(NOW, {})
RANGE = [{"high": {"value": 1.2}}]
ROWS = (
    *(problem(f"p{n}", str(1000 + n), f"Problem {n}", onsetDateTime=f"20{n:02}-01-01") for n in range(1, 9)),
    row("MedicationRequest", "m1", status="active", intent="order", medicationCodeableConcept=concept("9", "Aspirin")),
    result("c1", 1.8, referenceRange=RANGE),
    result("c2", 1.1, ago=300),
    result("k1", 5.9, code="2823-3", name="Potassium", unit="mmol/L", referenceRange=[{"high": {"value": 5.1}}]),
    *(row("AllergyIntolerance", f"a{n}", code=concept(str(2000 + n), f"Allergen {n}")) for n in range(1, 4)),
)


def read(summary):
    return [ENGLISH(fact.text) for fact in summary.lines]


def test_lines_follow_the_order_of_the_service():
    """Kinds as the service names them, the latest first within a kind."""
    summary = summarise(context(*ROWS), NOTHING, (), ORDER)
    kinds = [fact.kind for fact in summary.lines]
    assert kinds == sorted(kinds, key=ORDER.index)
    assert read(summary)[0] == "Problem 8, since 1 Jan 2008"


def test_the_budget_says_what_it_left_out_and_never_cuts_allergies():
    """Twelve lines by default; what did not fit is counted; every allergy stays, and what must be told crowds out no
    more than all but three of the others."""
    summary = summarise(context(*ROWS), NOTHING, (), ORDER, max_lines=5)
    assert sum(fact.kind == "allergy" for fact in summary.lines) == 3
    assert len(summary.lines) == 6
    assert summary.left_out == 8
    tight = summarise(context(*ROWS), NOTHING, (), ORDER, max_lines=1)
    assert [fact.kind for fact in tight.lines] == ["problem", *["allergy"] * 3]


def test_no_kind_crowds_out_the_others():
    """Eight problems leave room for the one medicine and the one result."""
    summary = summarise(context(*ROWS), NOTHING, (), ORDER, max_lines=10)
    assert {"problem", "medication", "result", "trend", "allergy"} == {fact.kind for fact in summary.lines}


def test_a_result_that_is_a_trend_too_is_one_line():
    """Creatinine moved and is abnormal: the trend says both."""
    said = [text for text in read(summarise(context(*ROWS), NOTHING, (), ORDER, max_lines=30)) if "Creatinine" in text]
    assert said == ["Creatinine 1.1 → 1.8 mg/dL over 10 months, above 1.2, to 22 Oct 2026"]


def test_allergies_are_there_even_if_the_service_forgot_them():
    """No service may leave them out."""
    assert summarise(context(*ROWS), NOTHING, (), ("problem",)).lines[-1].kind == "allergy"


def test_what_the_models_read_comes_first_in_its_kind():
    """A problem that an estimate rests on goes before newer ones."""
    diabetes = FeatureValue(catalogue.DIABETES, True, NOW, ("Condition/p1",))
    values = FeatureValues(NOW, {"diabetes": diabetes})
    assert read(summarise(context(*ROWS), values, (), ORDER))[0] == "Problem 1, since 1 Jan 2001"


@given(st.randoms(use_true_random=False))
def test_the_order_of_resources_never_matters(rng: random.Random):
    """Shuffled rows give the same summary."""
    shuffled = list(ROWS)
    rng.shuffle(shuffled)
    assert summarise(context(*shuffled), NOTHING, (), ORDER) == summarise(context(*ROWS), NOTHING, (), ORDER)


def test_parts_of_a_blood_count_come_after_haemoglobin():
    """A width of red cells that was measured later does not push out the haemoglobin and the filtration rate."""
    rows = (
        result(
            "hb", 11.3, code="718-7", name="Hemoglobin", unit="g/dL", referenceRange=[{"low": {"value": 12}}], ago=20
        ),
        result("rdw", 14.6, code="788-0", name="Width", unit="%", referenceRange=[{"high": {"value": 14.5}}]),
        result("rbc", 3.7, code="789-8", name="Cells", unit="10*6/uL", referenceRange=[{"low": {"value": 3.8}}]),
    )
    said = read(summarise(context(*rows), NOTHING, (), ("result",)))
    assert said[0].startswith("Hemoglobin 11.3 g/dL")
    assert len(said) == 4  # and the allergy list


def test_a_large_record_is_summarised_with_little_work():
    """Under forty calls of functions for each of 1,000 results (far below 50 ms); for twice as many, twice the work."""

    def work(n: int) -> int:
        rows = (
            result(f"r{i}", 1 + i % 7, code=f"{1000 + i % 60}-1", name=f"{i % 60}", ago=i % 900, referenceRange=RANGE)
            for i in range(n)
        )
        made = context(*rows)
        return effort.calls(lambda: summarise(made, NOTHING, (), ORDER))

    work(10)
    thousand = work(1000)
    assert thousand < 40_000
    assert work(2000) < 2.2 * thousand


def test_a_problem_that_is_over_is_told_where_a_finding_rests_on_it():
    """An old stroke that counts for a score stands beside it; other old problems do not crowd the lines."""
    rows = (
        problem("old", "266257000", "Transient ischemic attack", state="resolved", onsetDateTime="2020-07-13"),
        problem("cold", "82272006", "Common cold", state="resolved", onsetDateTime="2020-07-13"),
    )
    gap = CareGapFinding(
        key="k", severity=Severity.INFO, headline=msg("h"), due=msg("d"), last_done=None, sources=("Condition/old",)
    )
    assert read(summarise(context(*rows), NOTHING, (gap,), ("problem",)))[0] == (
        "Transient ischemic attack, 13 Jul 2020, resolved"
    )
    assert not any("cold" in line for line in read(summarise(context(*rows), NOTHING, (gap,), ("problem",))))
    assert not any("attack" in line for line in read(summarise(context(*rows), NOTHING, (), ("problem",))))


def test_problems_that_the_record_calls_severe_come_before_later_ones():
    """What a finding rests on comes first, then what is declared severe, and only then the day."""
    severe = {"severity": {"coding": [{"system": SNOMED, "code": "24484000"}]}}
    rows = (
        problem("new", "82272006", "Common cold", onsetDateTime="2026-10-20"),
        problem("old", "195967001", "Asthma", onsetDateTime="2001-10-20", **severe),
        problem("why", "49436004", "Atrial fibrillation", onsetDateTime="1999-10-20"),
    )
    gap = CareGapFinding(
        key="k", severity=Severity.INFO, headline=msg("h"), due=msg("d"), last_done=None, sources=("Condition/why",)
    )
    said = read(summarise(context(*rows), NOTHING, (gap,), ("problem",)))
    assert [line.partition(",")[0] for line in said[:3]] == ["Atrial fibrillation", "Asthma", "Common cold"]
