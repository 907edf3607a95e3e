"""What a review's page tells: from where to where the bars lead, where inputs come from, what is decided, and whose."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from reviewing import APP, Site, authorize, back, csrf, leave, opened

from cds_service.settings import App
from cds_service.web.app.source_page import kinds

PATIENTS = (
    "primary-prevention",
    "acute-deterioration",
    "heart-failure",
    "missing-lipids",
    "ckd-g3b-albuminuria",
    "third-day",
    "si-units",
    "infant",
    "deceased",
)


def text_of(html: str) -> str:
    """The words of a page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def review_of(site: Site, patient: str, summary: str, hook: str = "patient-view") -> tuple[FlaskClient, str, str]:
    """Browser, path and HTML of the review of the card whose summary holds some words."""
    return open_review(site, patient, next(card for card in site.cards(patient, hook) if summary in card["summary"]))


def open_review(site: Site, patient: str, card: dict[str, Any]) -> tuple[FlaskClient, str, str]:
    """Browser, path and HTML of the review of a card."""
    browser = site.browser()
    path = opened(site, browser, site.launch(patient, card["uuid"]))
    return browser, path, browser.get(path, base_url=APP).text


def test_the_bars_lead_from_the_reference_person_to_the_estimate(site: Site) -> None:
    """Percentage points of all inputs, shown and folded, add up to the difference of the two numbers printed."""
    _, _, page = review_of(site, "primary-prevention", "10-year cardiovascular risk")
    table = re.search(r'<table class="why">.*?</table>', page, re.DOTALL)
    assert table is not None
    words = text_of(table.group())
    ends = re.search(r"Reference person ([\d.]+)%.*This estimate ([\d.]+)%", words)
    assert ends is not None
    told = re.findall(r"[▲▼] (under 0\.1|[+\N{MINUS SIGN}][\d.]+) odds", words)
    shares = [0.0 if one == "under 0.1" else float(one.replace("\N{MINUS SIGN}", "-")) for one in told]
    assert len(shares) > 5
    assert sum(shares) == pytest.approx(float(ends[2]) - float(ends[1]), abs=0.05 * len(shares) + 0.1)
    assert "Inputs that did not move it: 3" in text_of(page)


def test_earlier_values_of_an_input_lead_to_their_own_results(site: Site) -> None:
    """Each value of the trend is a link to the resource of that day."""
    _, path, page = review_of(site, "primary-prevention", "10-year cardiovascular risk")
    figure = re.search(r"<figcaption>Systolic blood pressure</figcaption>.*?</figure>", page, re.DOTALL)
    assert figure is not None
    links = re.findall(r'href="([^"]+)">([^<]+)</a>: (\d+) mmHg', figure.group())
    assert len(links) > 2
    assert len({href for href, _, _ in links}) == len(links)
    assert links[0][0].startswith(f"{path}/sources/Observation/")
    assert links[0][2] == "138"


def test_earlier_values_end_with_the_assessment(site: Site) -> None:
    """A card of last week tells nothing of what was estimated since: the page says that nothing newer counts."""
    (card, *_) = site.cards("primary-prevention")
    site.clock.at += timedelta(days=3)
    site.cards("primary-prevention")
    site.clock.at -= timedelta(days=3)
    _, _, page = open_review(site, "primary-prevention", card)
    earlier = re.search(r"Earlier values of this estimate.*?</figure>", page, re.DOTALL)
    assert earlier is not None
    assert "1 Nov 2026: 10.4%" in text_of(earlier.group())
    assert "4 Nov 2026" not in page


@pytest.mark.parametrize(
    ("patient", "about"),
    [("infant", r"\w+, \d+ months, born \d+ \w+ 2026"), ("deceased", r"\w+, \d+ years, born .*, deceased")],
)
def test_the_banner_tells_an_age_in_months_and_a_death(site: Site, patient: str, about: str) -> None:
    """An infant is not "0 years" old, and who died is not shown as if alive."""
    browser = site.browser()
    page = browser.get(opened(site, browser, site.launch(patient)), base_url=APP).text
    banner = re.search(r'<section class="person.*?</section>', page, re.DOTALL)
    assert banner is not None
    assert re.search(rf"{about}$", text_of(banner.group()))


def test_what_inputs_at_their_targets_give_stands_under_its_own_estimate(site: Site) -> None:
    """A finding that tells five years before two: a target that is missed now lowers both, and never crosses them."""
    _, _, page = review_of(site, "ckd-g3b-albuminuria", "Chronic kidney disease")
    table = re.search(r'<table class="targets">.*?</table>', page, re.DOTALL)
    assert table is not None
    assert text_of(table.group()).count("5-year risk of kidney failure") == 3  # the head, and each row on a phone
    rows = [[float(n) for n in re.findall(r">([\d.]+)%", row)] for row in table.group().split("<tr>")[2:]]
    now, changed = rows
    assert now[0] > now[1]
    assert changed[0] > changed[1]
    assert all(after < before for before, after in zip(now, changed, strict=True))


def test_what_is_missing_is_told_once_and_of_what_could_matter(site: Site) -> None:
    """A model for intensive care, where the patient is not, lacks nothing; no sentence stands twice."""
    _, _, page = review_of(site, "third-day", "Estimated risk of death")
    section = re.search(r'aria-labelledby="missing">.*?</section>', page, re.DOTALL)
    assert section is not None
    lines = [text_of(line) for line in re.findall(r"<li>.*?</li>", section.group())]
    assert "Glasgow Coma Scale is not on record" in lines
    assert len(lines) == len(set(lines)) < 10
    assert f"Inputs: {len(lines)}" in section.group()
    assert "intensive care" not in section.group()


def test_what_was_not_had_or_not_used_is_said_as_the_card_says_it(site: Site) -> None:
    """Above the findings that were made without it: a resource that its label keeps back, a list with its reason."""
    rows = site.ehr.charts["heart-failure"].shelf.rows
    name = next(name for name in rows if name.startswith("AllergyIntolerance/"))
    before = rows[name]
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    rows[name] = before | {"meta": {"security": [label]}}
    site.clock.at += timedelta(days=60)
    card = site.cards("heart-failure")[0]
    rows[name] = before
    told = re.search(r"\*\*Not used:\*\* (.*)", card["detail"])
    assert told is not None
    _, _, page = open_review(site, "heart-failure", card)
    assert f"Not used: {told[1]}" in text_of(page[: page.index('id="answers"')])


def test_what_was_read_another_way_is_not_called_missing(site: Site) -> None:
    """Oxygen counts as given from its flow, although the answer to the question itself cannot be read."""
    _, _, page = review_of(site, "acute-deterioration", "NEWS2", "encounter-start")
    assert re.search(r"Supplemental oxygen</th>\s*<td class=\"value\">yes", page)
    assert "Supplemental oxygen of" not in page


def test_what_would_decide_an_interval_is_named(site: Site) -> None:
    """Of a score of which only an interval is known: the inputs that are missing."""
    _, _, page = review_of(site, "acute-deterioration", "Padua", "encounter-start")
    words = text_of(page)
    assert "1 to 4 points" in words
    assert "Missing, and would decide it: Bed rest expected for three days or more" in words


def test_a_source_is_told_in_words_before_its_json(site: Site) -> None:
    """A clinician reads the line, an engineer the members."""
    browser, path, page = review_of(site, "primary-prevention", "10-year cardiovascular risk")
    source = browser.get(f"{path}/sources/Observation/primary-prevention-hba1c-6", base_url=APP)
    words = text_of(source.text)
    assert words.index("HbA1c 5.8%") < words.index("resourceType")
    assert 'title="Observation/primary-prevention-hba1c-6"' in page


def test_a_snoozed_card_is_an_answer_of_its_own(site: Site) -> None:
    """The page says for how long before it is asked, and afterwards that it was snoozed, not overridden."""
    (card, *_) = site.cards("heart-failure")
    browser, path, page = open_review(site, "heart-failure", card)
    assert "Snoozed, it rests for 24 hours; overridden, for 30 days." in text_of(page)
    form = {"csrf": csrf(page), "card": card["uuid"], "outcome": "snoozed", "comment": "after the echo"}
    assert browser.post(f"{path}/answer", data=form, base_url=APP).status_code == 302
    answered = re.search(r'<p class="answered">.*?</p>', browser.get(path, base_url=APP).text)
    assert answered is not None
    assert "Overridden" not in answered.group()
    assert re.fullmatch(r"Snoozed , 1 Nov 2026 .*“after the echo”", text_of(answered.group()))
    assert card["summary"] not in [one["summary"] for one in site.cards("heart-failure")]
    site.clock.at += timedelta(days=1, minutes=1)
    assert card["summary"] in [one["summary"] for one in site.cards("heart-failure")]


def test_what_was_accepted_is_named(site: Site) -> None:
    """After the reload the page lists the suggestion, whose box is no longer ticked."""
    card = next(card for card in site.cards("missing-lipids") if card.get("suggestions"))
    browser, path, page = open_review(site, "missing-lipids", card)
    chosen = card["suggestions"][0]
    form = {"csrf": csrf(page), "card": card["uuid"], "outcome": "accepted", "suggestion": chosen["uuid"]}
    browser.post(f"{path}/answer", data=form, base_url=APP)
    again = browser.get(path, base_url=APP).text
    assert f'<ul class="answered"><li>{chosen["label"]}</li></ul>' in again


def test_a_card_of_another_client_is_not_known(site: Site) -> None:
    """Issuer and tenant are the card's, or it does not open."""
    (card, *_) = site.cards("missing-lipids")
    with site.store.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE cards SET scope = x'00' WHERE patient_id = 'missing-lipids'")
    browser = site.browser()
    page = browser.get(opened(site, browser, site.launch("missing-lipids", card["uuid"])), base_url=APP)
    assert page.status_code == 404
    assert card["summary"] not in page.text


def test_a_standalone_launch_asks_the_ehr_for_the_patient(site: Site) -> None:
    """From the app's own page: no launch value, the scope launch/patient, and the review of the one who was chosen."""
    browser = site.browser()
    home = browser.get("/app/", base_url=APP)
    link = re.search(r'href="(/app/launch\?iss=[^"]+)"', home.text)
    assert link is not None
    leaving = browser.get(unescape(link.group(1)), base_url=APP)
    assert "launch%2Fpatient" in leaving.location
    assert "launch=" not in leaving.location
    chosen = authorize(site, f"{leaving.location}&patient=primary-prevention")
    response = back(browser, chosen)
    assert response.status_code == 302
    assert "Preston Middlerisk" in browser.get(response.location, base_url=APP).text


@pytest.mark.parametrize("query", ["", "?code=x", "?state=&code=x", "?state=unknown&code=x"])
def test_a_callback_without_its_state_offers_a_window_of_its_own(site: Site, query: str) -> None:
    """Nothing is asked of any EHR; where a frame lost the cookie, the link opens the app outside it."""
    page = site.browser().get(f"/app/callback{query}", base_url=APP)
    assert page.status_code == 400
    assert 'href="/app/" target="_blank"' in page.text


def test_a_callback_without_a_code_opens_nothing(site: Site) -> None:
    """The state alone is worth nothing."""
    browser = site.browser()
    url = authorize(site, leave(site, browser, site.launch("primary-prevention")))
    page = back(browser, re.sub(r"code=[^&]+", "", url))
    assert page.status_code == 400


def test_a_review_ends_with_the_shift_however_busy(site: Site) -> None:
    """A click every quarter of an hour keeps it open for the hours that the site allows, and no longer."""
    browser = site.browser()
    path = f"{opened(site, browser, site.launch('acute-deterioration'))}/models/none/"
    began, answers, longest = site.clock.at, [], int(60 * App().session_hours)
    try:
        for minutes in range(0, longest + 14, 14):
            site.clock.at = began + timedelta(minutes=minutes)
            answers.append((minutes, browser.get(path, base_url=APP).status_code))
    finally:
        site.clock.at = began
    within = [status for minutes, status in answers if minutes < longest]
    assert set(within) == {404}
    assert answers[-1][1] == 401


def test_no_form_is_taken_without_the_reviews_own_word(site: Site) -> None:
    """Another site's page that posts with the reader's cookies changes nothing, whatever the form."""
    browser = site.browser()
    path = opened(site, browser, site.launch("primary-prevention"))
    for form in ("answer", "close", "ask", "what-if/prevent-full"):
        for token in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": "错"}):
            response = browser.post(f"{path}/{form}", data={"outcome": "snoozed", **token}, base_url=APP)
            assert response.status_code == 400, form
    assert browser.get(path, base_url=APP).status_code == 200


def test_the_language_is_switched_where_the_reader_is(site: Site) -> None:
    """The page stays, the review keeps the language, and an unknown one changes nothing."""
    browser = site.browser()
    path = opened(site, browser, site.launch("primary-prevention"))
    switched = browser.get(f"{path}/what-if/prevent-full?lang=zh_Hans", base_url=APP)
    assert switched.location == f"{path}/what-if/prevent-full"
    assert 'lang="zh-Hans"' in browser.get(path, base_url=APP).text
    browser.get(f"{path}?lang=xx", base_url=APP)
    assert site.browser().get(f"{path}?lang=en", base_url=APP).status_code == 401


def test_in_chinese_the_decision_is_worded_as_the_finding(site: Site) -> None:
    """The card was sent in English; its summary and suggestions are read in the reader's language."""
    browser, path, _ = review_of(site, "primary-prevention", "10-year cardiovascular risk")
    page = browser.get(f"{path}?lang=zh_Hans", base_url=APP, follow_redirects=True).text
    decision = page[page.index('id="answers"') : page.index('class="more"')]
    assert "10-year cardiovascular risk" not in decision
    assert "年心血管风险" in decision


def test_what_if_offers_only_what_counts(site: Site) -> None:
    """Body mass index was recorded, so weight and height, which change nothing, are not offered."""
    browser, path, _ = review_of(site, "primary-prevention", "10-year cardiovascular risk")
    page = browser.get(f"{path}/what-if/prevent-full", base_url=APP).text
    names = set(re.findall(r'name="(\w+)"', page)) - {"csrf", "viewport"}
    assert {"bmi", "sbp", "hba1c", "creatinine", "statin"} <= names
    assert {"weight", "height", "egfr"}.isdisjoint(names)
    token = csrf(page)
    changed = browser.post(f"{path}/what-if/prevent-full", data={"csrf": token, "bmi": "31.0"}, base_url=APP)
    risk = re.search(r"risk of heart failure ([\d.]+)% ([\d.]+)%", text_of(changed.text))
    assert risk is not None
    assert float(risk[2]) > float(risk[1])


def test_what_if_asks_in_the_units_of_the_page(site: Site) -> None:
    """A record in SI: the form, its limits and its refusal are in mmol/L, and the score gets its own unit."""
    browser, path, page = review_of(site, "si-units", "cardiovascular risk")
    link = re.search(rf'href="({path}/what-if/[\w-]+)"', page)
    assert link is not None
    form = browser.get(link.group(1), base_url=APP).text
    field = re.search(r'name="total_cholesterol" value="([\d.]+)" min="([\d.]+)" max="([\d.]+)" step="0.1"', form)
    assert field is not None
    now, low, high = (float(number) for number in field.groups())
    assert 0.5 < low < now < high < 40
    assert f"Total cholesterol (mmol/L) now {now:g}" in text_of(form)
    token = csrf(form)
    there, again = (
        browser.post(link.group(1), data={"csrf": token, "total_cholesterol": text}, base_url=APP).text
        for text in (f"{now + 1:.1f}", "226")
    )
    risk = re.search(r"risk of cardiovascular disease ([\d.]+)% ([\d.]+)%", text_of(there))
    assert risk is not None
    assert float(risk[2]) > float(risk[1])
    assert f"Total cholesterol must be a number from {low:g} to {high:g} mmol/L." in text_of(again)
    assert 'value="226"' in again  # what was written stays to be mended


def test_what_if_offers_answers_in_words(site: Site) -> None:
    """In Chinese too; and another answer than those offered is refused in a sentence."""
    browser, path, _ = review_of(site, "primary-prevention", "10-year cardiovascular risk")
    form = browser.get(f"{path}/what-if/prevent-full", base_url=APP).text
    assert '<option value="former" selected>former smoker</option>' in form
    sent = {"csrf": csrf(form), "smoking": "pipe"}
    refused = browser.post(f"{path}/what-if/prevent-full", data=sent, base_url=APP).text
    assert "Smoking must be one of those offered." in text_of(refused)
    chinese = browser.get(f"{path}/what-if/prevent-full?lang=zh_Hans", base_url=APP, follow_redirects=True).text
    assert "former" not in text_of(chinese)


def test_an_unknown_address_is_a_page(site: Site) -> None:
    """A browser is answered with words and a way on, not with the service's JSON."""
    page = site.browser().get("/app/nowhere/at/all", base_url=APP)
    assert page.status_code == 404
    assert "There is no such page." in page.text
    assert page.mimetype == "text/html"


def test_sources_are_numbered_only_among_their_kind() -> None:
    """Two results are 1 and 2; the one patient beside them has no number."""
    found = kinds(("Observation/a", "Patient/p", "Observation/b"))
    assert [(str(what), number) for _, what, number in found] == [("result", 1), ("patient", 0), ("result", 2)]
