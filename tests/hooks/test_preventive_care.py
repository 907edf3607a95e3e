"""preventive-care: what is due, and silence for what is done, ordered, declined or untimely."""

import re

import pytest
from charts import LOINC, SNOMED, Chart

from cds_service.knowledge import base_files
from cds_service.language import ENGLISH, words

SERVICE = "preventive-care"
CVX = "http://hl7.org/fhir/sid/cvx"


def chart(age=60, sex="female", **more):
    return Chart(age, sex=sex, **more).problem("38341003", "Hypertension").knows("Procedure", "Immunization")


def due(ask, made):
    return {f.key.removeprefix("preventive-care/") for f in ask(SERVICE, made).findings}


def vaccinated(made, cvx, on, status="completed"):
    return made.add(
        "Immunization", status=status, patient={"reference": "Patient/p1"}, occurrenceDateTime=on,
        vaccineCode={"coding": [{"system": CVX, "code": cvx}]},
    )  # fmt: skip


def procedure(made, text, on, status="completed"):
    subject = {"reference": "Patient/p1"}
    return made.add("Procedure", status=status, subject=subject, performedDateTime=on, code={"text": text})


def result(made, loinc, on):
    return made.add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, effectiveDateTime=on,
        code={"coding": [{"system": LOINC, "code": loinc}]}, valueString="negative",
    )  # fmt: skip


VACCINES = {"influenza", "pneumococcal", "zoster", "tetanus"}


@pytest.mark.parametrize(
    ("age", "sex", "expected"),
    [
        (60, "female", {"colorectal", "breast", "cervical", "hepatitis-c", "hiv", *VACCINES}),
        (60, "male", {"colorectal", "hepatitis-c", "hiv", *VACCINES}),
        (30, "male", {"hepatitis-c", "hiv", "influenza", "tetanus"}),
        (80, "female", {"osteoporosis", "rsv", *VACCINES}), (17, "male", set()), (82, "male", {"rsv", *VACCINES}),
        (74, "male", {"colorectal", "hepatitis-c", *VACCINES}),
    ],
)  # fmt: skip
def test_age_and_sex_decide_what_is_due(ask, age, sex, expected):
    """At every age only what the guideline names."""
    assert due(ask, chart(age, sex)) == expected


def test_a_sigmoidoscopy_a_ct_or_a_stool_dna_test_counts_for_its_own_time(ask):
    """Three and five years, not one and not ten."""
    assert "colorectal" not in due(ask, procedure(chart(), "Flexible sigmoidoscopy", "2022-05-02"))
    assert "colorectal" in due(ask, procedure(chart(), "Flexible sigmoidoscopy", "2020-05-02"))
    assert "colorectal" not in due(ask, procedure(chart(), "CT colonography", "2022-05-02"))
    assert "colorectal" not in due(ask, result(chart(), "77354-9", "2024-05-02"))
    assert "colorectal" in due(ask, result(chart(), "77354-9", "2023-05-02"))


def test_whom_a_fact_is_about_is_said_in_the_readers_language(ask):
    """Ages and sex."""
    (finding,) = [f for f in ask(SERVICE, chart()).findings if f.key == "preventive-care/breast"]
    assert ENGLISH(finding.due).startswith("For women from 40 to 74.")
    assert "40" in words("zh_Hans")(finding.due)
    assert "women" not in words("zh_Hans")(finding.due)


def test_every_fact_says_when_and_against_what_it_was_read():
    """A date and a source, so that a site knows what is left to hold against the page itself."""
    for line in base_files.lines("preventive"):
        assert re.match(r"2\d{3}-\d\d-\d\d .{10,}", line["checked"]), line["id"]


def test_what_is_done_in_time_is_silent_and_what_is_older_is_due_again(ask):
    """By procedure, by result, by vaccination."""
    made = procedure(chart(), "Colonoscopy", "2019-05-02")
    procedure(made, "Screening mammography", "2023-01-10")
    result(made, "21440-3", "2023-02-01")
    result(made, "16128-1", "2001-01-01")
    vaccinated(made, "197", "2026-09-20")
    vaccinated(made, "115", "2015-01-01")
    found = due(ask, made)
    assert {"colorectal", "cervical", "hepatitis-c", "influenza"}.isdisjoint(found)
    assert {"breast", "tetanus"} <= found
    lines = [ENGLISH(f.headline) for f in ask(SERVICE, made).findings]
    assert "Screening for breast cancer: last on record 10 Jan 2023; 4 more preventive items" in lines


def test_a_stool_test_is_another_way_to_have_done_it_for_a_year(ask):
    """Not for ten."""
    assert "colorectal" not in due(ask, result(chart(), "57905-2", "2026-03-01"))
    assert "colorectal" in due(ask, result(chart(), "57905-2", "2025-03-01"))


def test_the_second_dose_is_due_after_the_first(ask):
    """Two of the recombinant zoster vaccine."""
    made = vaccinated(chart(), "187", "2026-03-01")
    assert "Zoster vaccination: dose 2 is due" in [ENGLISH(f.headline) for f in ask(SERVICE, made).findings]
    assert "zoster" not in due(ask, vaccinated(made, "187", "2026-06-01"))


@pytest.mark.parametrize("text", ["Screening colonoscopy", "Colorectal cancer screening (stool test or colonoscopy)"])
def test_what_is_ordered_is_not_asked_for_again(ask, text):
    """By its words."""
    assert "colorectal" not in due(ask, chart().ordered(text=text))
    assert "hepatitis-c" not in due(ask, chart().ordered("16128-1", "HCV Ab"))


def test_an_order_not_to_do_it_is_respected(ask):
    """doNotPerform."""
    made = chart().add(
        "ServiceRequest", status="active", intent="order", doNotPerform=True,
        subject={"reference": "Patient/p1"}, code={"text": "Mammography"},
    )  # fmt: skip
    assert "breast" not in due(ask, made)


@pytest.mark.parametrize("code", ["Z51.5", "C79.51"])
def test_palliative_care_and_metastases_silence_it(ask, code):
    """Where the benefit comes too late."""
    assert due(ask, chart().diagnosis(code)) == set()


def test_with_dementia_vaccinations_are_told_and_screening_is_not(ask):
    """Screening helps after years, a vaccination in the next winter."""
    assert due(ask, chart().diagnosis("F03.90")) == VACCINES


@pytest.mark.parametrize(("problem", "text"), [("86406008", "HIV infection"), ("737295003", "Kidney transplant")])
def test_with_a_weak_immune_system_cervical_screening_is_more_frequent(ask, problem, text):
    """USPSTF's statement leaves these women out: a test of four years ago is too old for them."""
    assert {"cervical", "cervical-immune"} & due(ask, result(chart(40), "21440-3", "2022-10-15")) == set()
    made = result(chart(40).problem(problem, text), "21440-3", "2022-10-15")
    assert {"cervical", "cervical-immune"} & due(ask, made) == {"cervical-immune"}
    finding = ask(SERVICE, made).finding("preventive-care/cervical-immune")
    assert str(finding.due) == f"For women from 21 on; on the problem list: {text}."
    assert "cervical-immune" not in due(ask, result(made, "10524-7", "2024-10-15"))


def test_without_a_cervix_no_cervical_screening_is_due(ask):
    """By the problem list in SNOMED CT, or by the operation."""
    assert "cervical" in due(ask, chart())
    assert "cervical" not in due(ask, chart().problem("428078001", "History of total hysterectomy"))
    operation = {"coding": [{"system": SNOMED, "code": "116143008"}], "text": "TAH"}
    subject = {"reference": "Patient/p1"}
    made = chart().add("Procedure", status="completed", subject=subject, code=operation, performedDateTime="2012-04-01")
    assert "cervical" not in due(ask, made)


def test_screening_waits_while_the_patient_is_in_hospital(ask):
    """A patient with sepsis is not the moment for it."""
    assert due(ask, chart().stay()) == set()


def test_a_list_that_was_not_supplied_is_not_read_as_empty(ask):
    """No list of vaccinations, no card about them; no list of procedures, none about screening."""
    assert due(ask, Chart(60, sex="female").problem("38341003")) == set()
    only = Chart(60, sex="female").problem("38341003").knows("Immunization")
    assert due(ask, only) == VACCINES


def test_conditions_take_someone_out_of_the_population(ask):
    """A removed cervix, a breast cancer, known HIV."""
    made = chart().diagnosis("Z90.710").problem("254837009").diagnosis("B20")
    assert {"cervical", "breast", "hiv"}.isdisjoint(due(ask, made))


def test_an_aneurysm_is_looked_for_only_in_men_who_smoked(ask):
    """65 to 75."""
    assert "aaa" in due(ask, chart(68, "male").smoking("8517006"))
    assert "aaa" not in due(ask, chart(68, "male").smoking())
    assert "aaa" not in due(ask, chart(68, "female").smoking("8517006"))


def test_that_he_smoked_is_told_with_its_day_and_its_source(ask):
    """The reason for the card must be open to a look."""
    asked = ask(SERVICE, chart(68, "male").smoking("8517006"))
    finding = asked.finding("preventive-care/aaa")
    assert re.match(
        r"For men from 65 to 75 who ever smoked; recorded as a former smoker on \d+ \w+ \d{4}\.$", ENGLISH(finding.due)
    )
    assert [r.partition("/")[0] for r in finding.sources] == ["Observation"]
    (card,) = asked.cards
    assert re.search(rf"\(source (\d+)\).*\b\1: {finding.sources[0]}", card.detail, re.DOTALL)
    assert "curbside/" not in card.detail


def test_each_suggestion_is_a_draft_order(ask):
    """For a clinician to sign."""
    (offer,) = ask(SERVICE, chart(30, "male")).finding("preventive-care/hiv").proposals
    assert offer.resource["resourceType"] == "ServiceRequest"
    assert (offer.resource["status"], offer.resource["intent"]) == ("draft", "proposal")


def test_an_order_goes_to_the_department_that_does_it(ask):
    """An antibody is no imaging: order entry files drafts by their category."""
    made = {
        f.key: f.proposals
        for person in (chart(67, "female"), chart(30, "female"))
        for f in ask(SERVICE, person).findings
    }
    kinds = {
        key.removeprefix("preventive-care/"): offers[0].resource["category"][0]["coding"][0]["display"]
        for key, offers in made.items()
        if offers
    }
    assert kinds["breast"] == kinds["osteoporosis"] == "Imaging"
    assert kinds["hepatitis-c"] == kinds["hiv"] == kinds["cervical"] == "Laboratory procedure"
    assert kinds["colorectal"] == "Screening for cancer"
    assert kinds["influenza"] == "Therapeutic procedure"


def declined(made, cvx, on, code="PATOBJ"):
    reason = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code}]}
    vaccinated(made, cvx, on, status="not-done").rows[-1]["statusReason"] = reason
    return made


def test_what_the_patient_declined_is_said_and_not_asked_again_for_a_year(ask):
    """The date stands on the card that something else opens; after a year it is asked again, with that date."""
    found = ask(SERVICE, declined(chart(), "187", "2026-03-02")).finding("preventive-care/zoster")
    assert ENGLISH(found.headline) == "Zoster vaccination: declined on 2 Mar 2026"
    assert found.quiet
    assert found.proposals == ()
    found = ask(SERVICE, declined(chart(), "187", "2024-03-02")).finding("preventive-care/zoster")
    assert ENGLISH(found.headline) == "Zoster vaccination: declined on 2 Mar 2024, to be asked again"
    assert found.proposals


def test_a_seasonal_vaccine_rests_for_the_season_in_which_it_was_declined(ask):
    """Declined in October it is not asked again in November; last season's refusal is another matter."""
    assert ask(SERVICE, declined(chart(), "150", "2026-10-10")).finding("preventive-care/influenza").quiet
    assert not ask(SERVICE, declined(chart(), "150", "2026-01-10")).finding("preventive-care/influenza").quiet


def test_a_vaccine_that_was_out_of_stock_is_due_as_before(ask):
    """Only the patient's own reason rests."""
    found = ask(SERVICE, declined(chart(), "187", "2026-03-02", code="OSTOCK")).finding("preventive-care/zoster")
    assert ENGLISH(found.headline) == "Zoster vaccination: none on record"


def test_a_procedure_that_was_refused_rests_too(ask):
    """By words where no code says it."""
    made = procedure(chart(), "Colonoscopy", "2026-05-02", status="not-done")
    made.rows[-1]["statusReason"] = {"text": "Patient refused"}
    found = ask(SERVICE, made).finding("preventive-care/colorectal")
    assert ENGLISH(found.headline) == "Screening for colorectal cancer: declined on 2 May 2026"
    assert found.quiet


def test_prevention_is_silent_with_a_new_cancer_and_under_treatment(ask):
    """A cancer of years ago, without treatment, changes nothing."""
    assert due(ask, chart().problem("363418001", "Cancer of pancreas", onset="2026-10-12")) == set()
    old = chart().problem("254837009", "Breast cancer", onset="2019-01-01")
    assert "zoster" in due(ask, old)
    assert due(ask, old.medicine("", "capecitabine")) == set()
