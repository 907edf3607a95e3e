"""The chart behind a question: read with the user's token, within its scopes and limits, kept as the review is."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from answers import loaded
from flask.testing import FlaskClient
from reviewing import APP, Site, csrf, leave, opened, running

from cds_service.chart_needs import CHART
from cds_service.errors import SettingsError
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr import fhir_api
from cds_service.settings import App, Settings
from cds_service.stores.app_sessions import AppSessionStore
from cds_service.web.app import patient_chart
from cds_service.web.app.patient_chart import TYPES, Charts, further_types

PATIENT = "contradictory"
SUBJECT = {"reference": f"Patient/{PATIENT}"}
FERRITIN = {
    "resourceType": "Observation",
    "id": "ferritin-1",
    "status": "final",
    "category": [{"coding": [{"code": "laboratory"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4", "display": "Ferritin"}], "text": "Ferritin"},
    "subject": SUBJECT,
    "effectiveDateTime": "2026-10-20",
    "valueQuantity": {"value": 412, "unit": "ng/mL", "system": "http://unitsofmeasure.org", "code": "ng/mL"},
}
MOTHER = {
    "resourceType": "FamilyMemberHistory",
    "id": "mother",
    "status": "completed",
    "patient": SUBJECT,
    "relationship": {"text": "Mother"},
    "condition": [{"code": {"text": "Breast cancer"}}],
}
NOTHING = "speaks of this. That does not mean that it is not so."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("chart")
    with running(folder, loaded(), (PATIENT,), chart_types=("FamilyMemberHistory",)) as made:
        yield made


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    yield
    site.ehr.switches = set()
    site.clock.at = AS_OF


@contextmanager
def filed(site: Site, *rows: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Resources in the EHR's chart that no hook has asked for."""
    held = site.ehr.charts[PATIENT].shelf.rows
    before = dict(held)
    held.update({f"{row['resourceType']}/{row['id']}": deepcopy(row) for row in rows})
    try:
        yield held
    finally:
        held.clear()
        held.update(before)


class Tab:
    """One review in a browser."""

    def __init__(self, site: Site, browser: FlaskClient | None = None) -> None:
        self.browser = browser or site.browser()
        self.path = opened(site, self.browser, site.launch(PATIENT))

    def page(self, rest: str = "/ask") -> str:
        return self.browser.get(f"{self.path}{rest}", base_url=APP).text

    def send(self, **form: str) -> str:
        token = csrf(self.page())
        response = self.browser.post(f"{self.path}/ask", data={"csrf": token, **form}, base_url=APP)
        assert response.status_code == 302, response.text
        return self.page()

    def ask(self, question: str) -> str:
        return self.send(question=question)


def audited(site: Site) -> list[dict[str, Any]]:
    with site.store.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT content FROM audit WHERE kind = 'chart' ORDER BY seq").all()
    return [json.loads(row.content) for row in rows]


def unread(page: str) -> str:
    """What the answer says that it did not look at."""
    answer = page[page.index('id="latest"') : page.index('id="chart"')]
    return " ".join(re.findall(r'<p class="(?:notice|dim)">(Not looked at[^<]*|The chart was not[^<]*)', answer))


def test_what_no_hook_asked_for_is_found_in_the_chart(site: Site) -> None:
    """With the time of reading beside the answer; its link opens the resource, which says where it is from."""
    with filed(site, FERRITIN, MOTHER):
        tab = Tab(site)
        page = tab.ask("What was the ferritin?")
        assert "Ferritin 412 ng/mL" in page
        assert "the chart as it was read at 1 Nov 2026 09:00 UTC" in page
        assert "/sources/Observation/ferritin-1" in page
        source = tab.page("/sources/Observation/ferritin-1")
        assert "412" in source
        assert "The assessment under review does not rest on it" in source
        assert "Mother: Breast cancer" in tab.ask("Is there breast cancer in the family?")


def test_narrow_scopes_say_what_was_not_looked_at(site: Site) -> None:
    """Results are read, as they are granted; a list that is not is named, and never told as empty."""
    site.ehr.switches = {"narrow-scopes"}
    with filed(site, FERRITIN):
        page = Tab(site).ask("What was the ferritin?")
        assert "Ferritin 412 ng/mL" in page
        said = unread(page)
        assert "problem list" in said
        assert "vaccinations" in said
        assert "the EHR does not grant it to this app" in said
        assert "laboratory results" not in said
        assert "Ferritin" not in Tab(site).ask("Was there a splenectomy?").partition('id="chart"')[0]


def test_a_launch_asks_for_no_type_that_nobody_named(site: Site) -> None:
    """Family history is asked for because the settings say so; consents are not, and each answer says so."""
    url = leave(site, site.browser(), site.launch(PATIENT))
    assert "patient%2FFamilyMemberHistory.rs" in url
    assert "Consent" not in url
    said = unread(Tab(site).ask("Any advance directive?"))
    assert "consents and advance directives" in said
    assert "settings do not ask the EHR for it" in said
    assert "family history" not in said
    tab = Tab(site)
    assert "consents and advance directives" in tab.send(read="1")
    assert tab.ask("Any advance directive?").count("consents and advance directives") == 1


def test_a_type_that_no_chart_has_is_refused_in_the_settings() -> None:
    """The sentence names the key and what can be chosen."""
    with pytest.raises(SettingsError, match=r"app\.chart_types: 'Claim' is no type .* FamilyMemberHistory"):
        further_types(Settings(app=App(chart_types=("Claim",))))
    assert further_types(Settings(app=App(chart_types=TYPES))) == TYPES


def test_a_list_of_which_pages_are_missing_is_said_to_be_in_part(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came of it is used."""
    more = [FERRITIN | {"id": f"ferritin-{n}", "effectiveDateTime": f"2026-{1 + n % 9:02d}-01"} for n in range(120)]
    search = fhir_api._search

    def first_pages(ehr: Any, type_: str, parameters: str) -> Any:
        return search(ehr, type_, "nonsense=1" if "_offset" in parameters else parameters)

    monkeypatch.setattr(fhir_api, "_search", first_pages)
    with filed(site, *more):
        page = Tab(site).ask("What was the ferritin?")
    assert "Ferritin" in page[page.index("What was found") :]
    assert "Not looked at to the end: laboratory results" in page


def test_a_slow_list_does_not_hold_up_the_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is up it is left out, and named; of one whose second page is slow, the first is used."""
    monkeypatch.setattr(patient_chart, "_DEADLINE_S", 4.0)
    search, over = fhir_api._search, Event()

    def slowly(ehr: Any, type_: str, parameters: str) -> Any:
        if type_ == "Immunization" or "_offset" in parameters:
            over.wait(60)
        return search(ehr, type_, parameters)

    monkeypatch.setattr(fhir_api, "_search", slowly)
    try:
        with filed(site, *(FERRITIN | {"id": f"ferritin-{n}"} for n in range(120))):
            page = Tab(site).ask("What was the ferritin?").replace("&#39;", "'")
    finally:
        over.set()
    assert "Ferritin" in page[page.index("What was found") :]
    assert "Not looked at: vaccinations (the EHR's server did not answer in time)" in page
    assert "Not looked at to the end: laboratory results (the EHR's server did not answer in time)" in page


def during(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Lets something happen while the chart is read: before the EHR looks at the token of the first search."""
    search, once = fhir_api._search, [happens]

    def searching(ehr: Any, type_: str, parameters: str) -> Any:
        while once:
            once.pop()()
        return search(ehr, type_, parameters)

    monkeypatch.setattr(fhir_api, "_search", searching)


def test_a_token_that_runs_out_meanwhile_is_renewed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was refused is asked for again with the new one."""

    def later() -> None:
        site.clock.at += timedelta(minutes=11)

    with filed(site, FERRITIN):
        tab = Tab(site)
        tab.page("")
        during(monkeypatch, later)
        page = tab.ask("What was the ferritin?")
    assert "Ferritin 412 ng/mL" in page
    assert "401" not in page


def test_a_token_that_cannot_be_renewed_is_said_to_have_run_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""

    def later() -> None:
        site.clock.at += timedelta(minutes=11)
        site.ehr.tokens.refresh.clear()

    tab = Tab(site)
    tab.page("")
    during(monkeypatch, later)
    said = unread(tab.ask("What was the ferritin?"))
    assert "the leave that the EHR gave has run out: open this review again from the EHR" in said


def test_what_comes_after_a_review_was_closed_is_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither chart nor answer; the page says that the review is closed."""
    tab = Tab(site)
    token = csrf(tab.page())
    other = [tab.browser.post(f"{tab.path}/ask", data={"csrf": token, "question": "ferritin"}, base_url=APP)]
    value = {c.key: c.value for c in tab.browser._cookies.values()}

    def close() -> None:
        twin = site.browser()
        for name, kept in value.items():
            twin.set_cookie(name, kept, domain="cds.example", secure=True)
        other.append(twin.post(f"{tab.path}/close", data={"csrf": token}, base_url=APP))

    during(monkeypatch, close)
    with site.store.database.engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM app_sessions").scalar_one()
    page = tab.page()
    assert [response.status_code for response in other] == [302, 200]
    assert "This review is closed" in page
    with site.store.database.engine.connect() as connection:
        after = connection.exec_driver_sql("SELECT kind FROM app_sessions").scalars().all()
    assert len(after) < before


def test_rows_of_another_patient_are_counted_and_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the EHR sends them in the patient's own list."""
    page_of = fhir_api.page_of

    def mixed(shelves: Any, base: str, page: int, type_: str, parameters: str) -> Any:
        body = page_of(shelves, base, page, type_, parameters)
        if "category=laboratory" in parameters:
            stranger = FERRITIN | {"id": "foreign", "subject": {"reference": "Patient/somebody-else"}}
            body["entry"] = [*body["entry"], {"resource": stranger, "search": {"mode": "match"}}]
        return body

    monkeypatch.setattr(fhir_api, "page_of", mixed)
    tab = Tab(site)
    page = tab.ask("What was the ferritin?")
    assert "412" not in page
    assert NOTHING in page
    assert "Entries left out, because they are another patient&#39;s or do not say whose: 1." in page
    assert "not among the data" in tab.page("/sources/Observation/foreign")


def test_the_chart_is_read_again_on_request(site: Site) -> None:
    """Until then answers rest on what was read, and say when; a second review reads for itself."""
    tab = Tab(site)
    assert "The chart is read when you ask" in tab.page()
    assert NOTHING in tab.ask("What was the ferritin?")
    with filed(site, FERRITIN):
        site.clock.at += timedelta(minutes=7)
        assert "412" not in tab.ask("And the ferritin now?")
        assert "Read at 1 Nov 2026 09:00 UTC" in tab.page()
        other = Tab(site, tab.browser)
        assert "412" in other.ask("What was the ferritin?")
        page = tab.send(read="1")
        assert "Read at 1 Nov 2026 09:07 UTC" in page
        assert "laboratory results:" in page
        assert "Ferritin 412 ng/mL" in tab.ask("And the ferritin now?")


def test_a_question_ten_minutes_later_rests_on_a_new_reading(site: Site) -> None:
    """Of the chart and of its documents: a result or a note of the meantime is not missed."""
    tab = Tab(site)
    tab.ask("What was the ferritin?")
    note = {"resourceType": "DiagnosticReport", "id": "late", "status": "final", "subject": SUBJECT}
    text = {"contentType": "text/plain", "data": b64encode(b"Ferritin was taken at noon.").decode()}
    with filed(site, FERRITIN, note | {"code": {"text": "Note"}, "presentedForm": [text]}):
        for _ in range(2):
            site.clock.at += timedelta(minutes=6)
            tab.page("")
        page = tab.ask("And the ferritin now?")
    assert "Ferritin 412 ng/mL" in page
    assert "Ferritin was taken at noon." in page
    assert "the chart as it was read at 1 Nov 2026 09:12 UTC" in page


def test_what_another_release_kept_beside_a_review_is_read_anew(site: Site) -> None:
    """A review that is open while the service is updated goes on."""
    tab = Tab(site)
    sessions, until = AppSessionStore(site.store.database), AS_OF + timedelta(hours=1)
    for value in [cookie.value for cookie in tab.browser._cookies.values()]:
        sessions.put("dialogue", {"kept": '[{"asked": "?"}]'}, until, f"{value}:dialogue")
        sessions.put("documents", {"kept": '{"documents": [1]}'}, until, f"{value}:documents")
        sessions.put("chart", {"kept": {"at": AS_OF.isoformat(), "body": "AAAA"}}, until, f"{value}:chart")
    with filed(site, FERRITIN):
        assert "Ferritin 412 ng/mL" in tab.ask("What was the ferritin?")


def test_a_clock_that_is_set_back_keeps_no_reading_young(site: Site) -> None:
    """Else a chart of before the step would be used until the clock has caught up, and ten minutes more."""
    tab = Tab(site)
    tab.ask("What was the ferritin?")
    with filed(site, FERRITIN):
        site.clock.at -= timedelta(minutes=12)
        assert "Ferritin 412 ng/mL" in tab.ask("And the ferritin now?")


def test_a_newer_version_in_the_chart_counts_and_both_are_shown(site: Site) -> None:
    """One that was withdrawn counts no more, and the page of the source says so."""
    cited = "Condition/" + next(
        row["id"]
        for row in site.ehr.charts[PATIENT].shelf.rows.values()
        if row["resourceType"] == "Condition" and "hypertension" in row["code"]["text"].lower()
    )
    with filed(site) as rows:
        rows[cited] = deepcopy(rows[cited])
        rows[cited]["code"]["text"] = "Hypertension of pregnancy"
        tab = Tab(site)
        assert "Hypertension of pregnancy" in tab.ask("Is there hypertension?")
        source = tab.page(f"/sources/{cited}")
        assert "has another version of this than the assessment rests on" in source
        now = source.index("In the chart now")
        assert "Hypertension of pregnancy" in source[now:]
        assert "Hypertension of pregnancy" not in source[:now]
        rows[cited]["verificationStatus"] = {"coding": [{"code": "entered-in-error"}]}
        tab.send(read="1")
        assert NOTHING in tab.ask("Is there hypertension?")
        assert "withdrawn or cannot be used any more" in tab.page(f"/sources/{cited}")


def test_medicines_without_a_name_are_counted(site: Site) -> None:
    """An order names its medicine by a reference that the scopes do not let the app follow."""
    order = {"resourceType": "MedicationRequest", "id": "nameless", "status": "active", "intent": "order"}
    order |= {"subject": SUBJECT, "medicationReference": {"reference": "Medication/unknown"}}
    with filed(site, order):
        page = Tab(site).ask("Is there warfarin?")
    assert "Current medicines whose names were not read from the EHR: 1." in page


def test_what_was_not_done_opens_from_its_link(site: Site) -> None:
    """A vaccination that was refused is found, and its source is shown."""
    refused = {"resourceType": "Immunization", "id": "no", "status": "not-done", "patient": SUBJECT}
    with filed(site, refused | {"vaccineCode": {"text": "Influenza vaccine"}, "occurrenceDateTime": "2026-10-01"}):
        tab = Tab(site)
        assert "Influenza vaccine: not done, 1 Oct 2026" in tab.ask("Was influenza vaccine given?")
        assert "Influenza vaccine: not done" in tab.page("/sources/Immunization/no")


def test_documents_beyond_the_latest_fifty_are_spoken_of(site: Site) -> None:
    """Those that were not read may say what is asked for."""
    note = {"resourceType": "DiagnosticReport", "status": "final", "subject": SUBJECT, "code": {"text": "ECG"}}
    with filed(site, *(note | {"id": f"ecg-{n}"} for n in range(51))):
        page = Tab(site).ask("What did the ECG show?")
    assert "There are further documents of the kind DiagnosticReport: the latest 50 were read." in page
    assert "Some documents were not read" in page


def test_the_audit_record_has_the_searches_and_their_counts(site: Site) -> None:
    """Who read what and when, what was not read and why; nothing of what it says, and no patient in a search."""
    with filed(site, FERRITIN):
        Tab(site).ask("What was the ferritin?")
    entry = audited(site)[-1]
    assert entry["user"].endswith("Practitioner/example")
    assert entry["read"]["laboratory"]["entries"] > 1
    assert entry["read"]["laboratory"]["query"] == CHART["laboratory"].template
    assert "consents" in entry["not_read"]
    assert "erritin" not in json.dumps(entry)
    assert PATIENT not in json.dumps(entry)


def test_a_chart_that_cannot_be_kept_is_used_all_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too large is read anew for each question."""
    monkeypatch.setattr(patient_chart, "_MOST_KEPT", 10)
    reads: list[object] = []
    read = Charts.read
    monkeypatch.setattr(Charts, "read", lambda *args: reads.append(1) or read(*args))
    with filed(site, FERRITIN):
        tab = Tab(site)
        assert "Ferritin 412 ng/mL" in tab.ask("What was the ferritin?")
        assert "Ferritin 412 ng/mL" in tab.ask("What was the ferritin again?")
    assert len(reads) == 2


def test_every_list_of_a_chart_names_the_patient_alone() -> None:
    """So that it can be asked for without a hook; each asks for one type, of which the facts can read."""
    for key, need in CHART.items():
        assert re.findall(r"\{\{(.*?)\}\}", need.template) == ["context.patientId"], key
        assert need.template.startswith(f"{need.types[0]}?"), key
        assert not need.required, key
        assert "status=" not in need.template, key  # what is over is asked about, too


def test_an_ehr_that_is_out_of_order_is_said_beside_the_answer(site: Site) -> None:
    """What the assessment rests on is looked through all the same. (The last test: the EHR is left alone after it.)"""
    tab = Tab(site)
    tab.page("")
    site.ehr.switches = {"broken-fhir"}
    page = tab.ask("What was the creatinine?")
    assert "Not looked at" in unread(page)
    assert "the EHR's server answered 500" in unread(page).replace("&#39;", "'")
    assert "Creatinine" in page[page.index("What was found") :]
    assert "gave no documents of this patient" not in page  # nobody knows
