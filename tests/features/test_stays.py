"""A stay's days, how it began, what came before it and what was done in it, as Encounters and Procedures tell it."""

from typing import Any

import pytest
from built import SNOMED, SUBJECT, concept, reason, unusable, usable

from cds_service.features import catalogue as c
from cds_service.features.feature import Reason

PRIORITY = "http://terminology.hl7.org/CodeSystem/v3-ActPriority"
ADMIT = "http://terminology.hl7.org/CodeSystem/admit-source"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
LISTED = {"listed": ("Encounter", "Procedure")}


def visit(
    id: str, kind: str = "IMP", start: str = "2026-05-28T22:00:00Z", end: str | None = None, **more: Any
) -> dict[str, Any]:
    """An Encounter that goes on, or is over if it has an end."""
    period = {"start": start} | ({"end": end} if end else {})
    row = {"resourceType": "Encounter", "id": id, "status": "finished" if end else "in-progress",
           "class": {"code": kind}, "subject": SUBJECT, "period": period}  # fmt: skip
    return row | more


def done(id: str, on: str = "2026-05-29", **more: Any) -> dict[str, Any]:
    row = {"resourceType": "Procedure", "id": id, "status": "completed", "subject": SUBJECT, "performedDateTime": on}
    return row | {"code": concept("1", text="something")} | more


@pytest.mark.parametrize(
    ("row", "days"),
    [
        (visit("now"), 4),
        (visit("now", start="2026-06-01T01:00:00Z"), 0),
        (visit("now", start="2026-05-31T23:30:00Z"), 1),
        (visit("now", start="2026-05-31T23:30:00-05:00"), 1),
        (visit("now", start="2026-05-28"), 4),
        (visit("now", end="2026-05-31T08:00:00Z"), 3),
    ],
)
def test_days_are_midnights_in_the_zone_of_the_hospital(row: dict[str, Any], days: int) -> None:
    """Discharge on the day of admission is zero days; a stay that has just ended counts to its end."""
    found = usable(c.STAY_DAYS, row)
    assert (found.value, found.sources) == (days, ("Encounter/now",))


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (visit("visit", kind="AMB"),),
        (visit("old", end="2026-05-29T08:00:00Z"),),
        (visit("planned", status="planned"),),
    ],
)
def test_without_a_present_stay_nothing_is_told(rows: tuple[dict[str, Any], ...]) -> None:
    """An outpatient visit, a stay that ended days ago and one that is planned are none."""
    assert reason(c.STAY_DAYS, *rows, **LISTED) is Reason.NO_LIST


def coded(system: str, code: str) -> dict[str, Any]:
    return concept(code, system)


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ({"priority": coded(PRIORITY, "EM")}, True),
        ({"priority": coded(PRIORITY, "UR")}, True),
        ({"priority": coded(PRIORITY, "EL")}, False),
        ({"hospitalization": {"admitSource": coded(ADMIT, "emd")}}, True),
        ({"type": [coded(SNOMED, "183452005")]}, True),
        ({"type": [coded(SNOMED, "8715000")]}, False),
    ],
)
def test_how_a_stay_began(more: dict[str, Any], value: bool) -> None:
    """Priority, source and type of the Encounter tell it."""
    assert usable(c.EMERGENCY_ADMISSION, visit("now", **more)).value is value


def test_an_emergency_visit_just_before_led_to_the_stay() -> None:
    """It makes the admission an emergency, and is not counted among the visits before."""
    led = visit("er", "EMER", "2026-05-28T18:00:00Z", "2026-05-28T22:00:00Z")
    earlier = visit("er2", "EMER", "2026-03-01T18:00:00Z", "2026-03-01T22:00:00Z")
    too_old = visit("er3", "EMER", "2025-11-01T18:00:00Z", "2025-11-01T22:00:00Z")
    found = usable(c.EMERGENCY_ADMISSION, visit("now"), led)
    assert found.value is True
    assert found.sources == ("Encounter/er", "Encounter/now")
    counted = usable(c.EMERGENCY_VISITS, visit("now"), led, earlier, too_old, **LISTED)
    assert (counted.value, counted.sources) == (1, ("Encounter/er2",))


def test_an_unknown_beginning_is_not_elective() -> None:
    """Nothing said, and things that contradict each other, give no value."""
    assert reason(c.EMERGENCY_ADMISSION, visit("now")) is Reason.ABSENT
    both = {"priority": coded(PRIORITY, "EL"), "hospitalization": {"admitSource": coded(ADMIT, "emd")}}
    assert reason(c.EMERGENCY_ADMISSION, visit("now", **both)) is Reason.CONFLICT


def test_earlier_stays_count_for_a_year_if_the_encounters_reach_back() -> None:
    """Encounters that were not supplied are not "none"."""
    before = visit("a", start="2026-01-01T08:00:00Z", end="2026-01-05T08:00:00Z")
    older = visit("b", start="2025-05-01T08:00:00Z", end="2025-05-05T08:00:00Z")
    cancelled = visit("x", start="2026-02-01T08:00:00Z", status="cancelled")
    assert usable(c.ADMISSIONS_YEAR, visit("now"), before, older, cancelled, **LISTED).value == 1
    assert usable(c.ADMISSIONS_YEAR, visit("now"), before, older).value == 1  # reaches back without the whole list
    assert reason(c.ADMISSIONS_YEAR, visit("now"), before) is Reason.NO_LIST
    none = usable(c.ADMISSIONS_YEAR, visit("now"), **LISTED)
    assert (none.value, none.inferred) == (0, True)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"code": coded(PCS, "0DTJ4ZZ")}, True),
        ({"category": coded(SNOMED, "387713003")}, True),
        ({"category": coded(SNOMED, "103693007")}, True),
        ({"code": concept("80146002", SNOMED, "Appendectomy")}, True),
        ({"category": coded(SNOMED, "409073007")}, False),
        ({"performedDateTime": "2026-05-01"}, False),
        ({"status": "not-done"}, False),
    ],
)
def test_a_procedure_of_the_stay_counts_if_it_says_what_it_is(more: dict[str, Any], expected: bool) -> None:
    """Teaching and talking do not count; what was done before the stay does not."""
    assert usable(c.STAY_PROCEDURE, visit("now"), done("p", **more), **LISTED).value is expected


def test_a_procedure_that_cannot_be_judged_stays_open() -> None:
    """And without a list of procedures nothing is denied."""
    assert reason(c.STAY_PROCEDURE, visit("now"), done("p"), **LISTED) is Reason.UNREADABLE
    assert reason(c.STAY_PROCEDURE, visit("now"), listed=("Encounter",)) is Reason.NO_LIST


@pytest.mark.parametrize(
    ("service", "value"),
    [
        (concept("394593009", SNOMED), True),
        (concept("1", text="Haematology and Oncology"), True),
        (concept("394579002", SNOMED, "Cardiology"), False),
    ],
)
def test_the_service_of_the_stay_tells_oncology(service: dict[str, Any], value: bool) -> None:
    """By code or by name; no service named is no answer."""
    assert usable(c.ONCOLOGY_SERVICE, visit("now", serviceType=service)).value is value
    assert reason(c.ONCOLOGY_SERVICE, visit("now")) is Reason.ABSENT


@pytest.mark.parametrize(
    ("feature", "since"),
    [(c.SURGERY_MONTH, "2026-05-03"), (c.SURGERY_FOUR_WEEKS, "2026-05-05"), (c.SURGERY_TWELVE_WEEKS, "2026-03-10")],
)
def test_surgery_counts_within_its_window(feature: Any, since: str) -> None:
    """Surgery at the edge of the window counts, a week earlier it does not; other procedures never do."""
    surgical = {"category": coded(SNOMED, "387713003")}
    assert usable(feature, done("p", since, **surgical), **LISTED).value is True
    earlier = {"2026-05-03": "2026-04-26", "2026-05-05": "2026-04-28", "2026-03-10": "2026-03-02"}[since]
    assert usable(feature, done("p", earlier, **surgical), **LISTED).value is False
    assert usable(feature, done("p", since, category=coded(SNOMED, "103693007")), **LISTED).value is False
    assert unusable(feature).reason is Reason.NO_LIST


@pytest.mark.parametrize("name", ["Phlebotomy", "Colonoscopy", "Depression screening", "Surgeon's letter read"])
def test_words_that_only_sound_like_surgery_do_not_count(name: str) -> None:
    """The names of common procedures that are no operations."""
    found = usable(c.SURGERY_MONTH, done("p", code={"text": name}), **LISTED)
    assert found.value is False
