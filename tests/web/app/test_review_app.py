"""The review app: a review shows and decides one patient's card, and opens what it rests on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from answers import loaded
from reviewing import APP, Site, csrf, opened, running

from cds_service.sandbox.patients import BY_NAME
from cds_service.web.app import opening

PATIENTS = ("missing-lipids", "acute-deterioration", "heart-failure")


def test_a_card_opens_its_own_review(site: Site) -> None:
    """Number, reasons with sources, advice and decision, for the card whose uuid came as appContext."""
    (card, *_) = [c for c in site.cards("missing-lipids") if c.get("suggestions")]
    browser = site.browser()
    path = opened(site, browser, site.launch("missing-lipids", card["uuid"]))
    page = browser.get(path, base_url=APP)
    assert page.status_code == 200
    assert card["summary"] in page.text
    assert card["suggestions"][0]["label"] in page.text
    assert card["uuid"] not in path
    assert "missing-lipids" not in path


def test_the_answer_of_the_review_is_kept_once_and_shown(site: Site) -> None:
    """Override with a coded reason; the page then says so."""
    (card, *_) = site.cards("heart-failure")
    browser = site.browser()
    path = opened(site, browser, site.launch("heart-failure", card["uuid"]))
    token = csrf(browser.get(path, base_url=APP).text)
    reason = card["overrideReasons"][0]
    form = {"csrf": token, "card": card["uuid"], "outcome": "overridden", "reason": reason["code"]}
    form["comment"] = "seen\x00"  # PostgreSQL keeps no such character
    assert browser.post(f"{path}/answer", data=form, base_url=APP).status_code == 302
    with site.store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT comment FROM feedback").scalars().all() == ["seen"]
    again = browser.get(path, base_url=APP).text
    assert "Overridden" in again
    assert reason["display"] in again.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"csrf": "wrong"}, "not sent from the open review"),
        ({"outcome": "overridden"}, "Choose a reason"),
        ({"outcome": "accepted"}, "Choose at least one suggestion"),
        ({"outcome": "other"}, "accept, override or snooze"),
        ({"card": "00000000-0000-0000-0000-000000000000"}, "Choose a card"),
    ],
)
def test_a_wrong_form_gets_a_sentence(site: Site, form: dict[str, str], words: str) -> None:
    """Nothing is stored, and the page says what to change."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    token = csrf(browser.get(path, base_url=APP).text)
    response = browser.post(f"{path}/answer", data={"csrf": token, "card": card["uuid"], **form}, base_url=APP)
    assert response.status_code == 400
    assert words in response.text
    assert 'class="answered"' not in browser.get(path, base_url=APP).text


def test_another_patients_card_is_not_opened(site: Site) -> None:
    """The card's patient must be the one who is open in the EHR."""
    (card, *_) = site.cards("missing-lipids")
    browser = site.browser()
    path = opened(site, browser, site.launch("heart-failure", card["uuid"]))
    page = browser.get(path, base_url=APP)
    assert page.status_code == 400
    assert "another patient" in page.text
    assert card["summary"] not in page.text


@pytest.mark.parametrize("card", ["00000000-0000-0000-0000-000000000000", "not-a-uuid"])
def test_an_unknown_card_gets_a_sentence(site: Site, card: str) -> None:
    """A stale or made-up appContext shows nothing of anybody."""
    browser = site.browser()
    page = browser.get(opened(site, browser, site.launch("missing-lipids", card)), base_url=APP)
    assert page.status_code in (400, 404)
    assert "again" in page.text


def test_two_patients_in_two_tabs_never_mix(site: Site) -> None:
    """One browser, two launches: each address shows its own patient."""
    site.cards("missing-lipids")
    site.cards("heart-failure")
    browser = site.browser()
    first = opened(site, browser, site.launch("missing-lipids"))
    second = opened(site, browser, site.launch("heart-failure"))
    names = {p: site.ehr.charts[p].patient["name"][0]["family"] for p in ("missing-lipids", "heart-failure")}
    for path, own, other in ((first, "missing-lipids", "heart-failure"), (second, "heart-failure", "missing-lipids")):
        page = browser.get(path, base_url=APP).text
        assert names[own] in page
        assert names[other] not in page


def test_a_patient_nobody_asked_about_is_assessed_anew(site: Site) -> None:
    """Without a card and without an earlier assessment, the record is fetched with the user's own token."""
    browser = site.browser()
    with site.store.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cards WHERE patient_id = 'acute-deterioration'")
        connection.exec_driver_sql("DELETE FROM assessments WHERE patient_id = 'acute-deterioration'")
    page = browser.get(opened(site, browser, site.launch("acute-deterioration")), base_url=APP)
    assert page.status_code == 200
    assert "Assessment of" in page.text


def test_an_ehr_too_slow_for_a_new_assessment_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No service is asked once the time is over, and the page says why there is nothing."""
    with site.store.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cards WHERE patient_id = 'acute-deterioration'")
        connection.exec_driver_sql("DELETE FROM assessments WHERE patient_id = 'acute-deterioration'")
    monkeypatch.setattr(opening, "_PATIENCE_S", 0.0)
    browser = site.browser()
    page = browser.get(opened(site, browser, site.launch("acute-deterioration")), base_url=APP)
    assert page.status_code == 404
    assert "too slow for a new assessment" in page.text


def test_narrower_scopes_are_said(site: Site) -> None:
    """The page names what the EHR kept back."""
    (card, *_) = site.cards("missing-lipids")
    site.ehr.switches = {"narrow-scopes"}
    browser = site.browser()
    page = browser.get(opened(site, browser, site.launch("missing-lipids", card["uuid"])), base_url=APP).text
    assert "did not let this app read: Condition" in page


def test_a_row_of_evidence_opens_with_its_path_and_what_stands_beside_it(tmp_path: Path) -> None:
    """From a finding's path to the row, its publication and its neighbours; an unknown row is said."""
    with running(tmp_path, loaded(), ("egfr-l858r-lung",)) as made:
        card = next(card for card in made.cards("egfr-l858r-lung") if "EGFR L858R" in card["summary"])
        browser = made.browser()
        path = opened(made, browser, made.launch("egfr-l858r-lung", card["uuid"]))
        link = re.search(r'href="([^"]+/knowledge/curbside/predictions/[^"]+)"', browser.get(path, base_url=APP).text)
        assert link is not None
        page = browser.get(link.group(1), base_url=APP)
        assert page.status_code == 200
        assert "<title>Knowledge - Curbside</title>" in page.text  # a browser's history tells nothing of a patient
        for words in ("Reported: EGFR L858R", "https://doi.org/10.1056/NEJMoa1713137", "Neighbouring evidence"):
            assert words in page.text
        assert browser.get(f"{path}/knowledge/curbside/none", base_url=APP).status_code == 404


def test_an_input_that_raised_the_estimate_leads_to_its_guideline(tmp_path: Path) -> None:
    """Beside the contribution; the page has the citation."""
    with running(tmp_path, loaded(), ("primary-prevention",)) as made:
        card = next(card for card in made.cards("primary-prevention") if "cardiovascular" in card["summary"])
        browser = made.browser()
        path = opened(made, browser, made.launch("primary-prevention", card["uuid"]))
        link = re.search(r'href="([^"]+/knowledge/curbside/targets/[^"]+)"', browser.get(path, base_url=APP).text)
        assert link is not None
        assert "https://doi.org/" in browser.get(link.group(1), base_url=APP).text


def test_the_graph_can_be_searched_from_a_review(site: Site) -> None:
    """Rows and the way to a second name; a form without its token is refused."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    page = browser.get(f"{path}/knowledge", base_url=APP).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    sent = {"csrf": csrf.group(1), "words": "warfarin", "other": "fluconazole"}
    found = browser.post(f"{path}/knowledge", data=sent, base_url=APP).text
    assert "warfarin → fluconazole" in found
    assert "/knowledge/curbside/interactions/warfarin+fluconazole" in found
    assert browser.post(f"{path}/knowledge", data={**sent, "csrf": "x"}, base_url=APP).status_code == 400


def test_a_source_opens_and_only_those_of_the_assessment(site: Site) -> None:
    """A citation leads to the resource as it was read."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    page = browser.get(path, base_url=APP).text
    link = re.search(r'href="([^"]+/sources/Observation/[^"]+)"', page)
    assert link is not None
    source = browser.get(link.group(1), base_url=APP)
    assert source.status_code == 200
    assert "valueQuantity" in source.text
    assert browser.get(f"{path}/sources/Observation/none", base_url=APP).status_code == 404


def test_hostile_text_of_a_record_stays_text(site: Site) -> None:
    """Markup in names and notes reaches the page encoded."""
    from cds_service.sandbox.ehr.state import Chart
    from cds_service.sandbox.prefetch import Shelf

    bundle = BY_NAME["hostile-text"].chart().bundle()
    site.ehr.charts["hostile-text"] = Chart("hostile-text", Shelf(bundle))
    site.cards("hostile-text")
    browser = site.browser()
    page = browser.get(opened(site, browser, site.launch("hostile-text")), base_url=APP)
    assert page.status_code == 200
    assert "<script" not in page.text.replace('<script src="/app/static/app.js" defer></script>', "")
    assert "<img" not in page.text
