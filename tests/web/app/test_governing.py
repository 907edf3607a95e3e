"""What those who govern see: counts, answers, replays, models and the monitoring."""

from __future__ import annotations

import re
from datetime import timedelta

import half_a_year
from answers import loaded
from reviewing import APP, Site, opened

from cds_service.language import msg
from cds_service.monitoring import to_json
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr.client import CdsClient
from cds_service.stores.fallen_back import FallBackStore, FallenBack

PATIENTS = ("missing-lipids", "acute-deterioration")


def test_governance_is_for_those_with_the_role(site: Site) -> None:
    """Counts, work list and a replay for them; a refusal for others."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    page = browser.get(f"{path}/governance", base_url=APP).text
    assert re.search(r'<th scope="row">Deterioration[^<]* <span class="dim id">deterioration</span>', page)
    link = re.search(r'href="([^"]+/governance/[0-9a-f-]{36})"', page)
    assert link is not None
    again = browser.get(link.group(1), base_url=APP).text
    assert "the same to the byte" in again
    assert "Asked by " in again
    assert re.search(r"<li>[^<]+: no answer came</li>", again)
    assert re.search(r"Made by: curbside 0\.\d", again)
    assert re.search(r"curbside audit show [0-9a-f-]{36}", again)
    for stranger in (f"{site.ehr.fhir}/Practitioner/someone-else", "https://other.example/fhir/Practitioner/example"):
        site.behaviour.id_token["fhirUser"] = stranger
        other = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
        assert browser.get(f"{other}/governance", base_url=APP).status_code == 403
    assert browser.get(f"{other}/monitoring", base_url=APP).status_code == 403
    refused = browser.get(f"{other}/governance", base_url=APP)
    assert refused.status_code == 403
    assert "governance role" in refused.text


def test_an_answer_names_who_gave_it_and_counts_once(site: Site) -> None:
    """A double click is one answer; those who govern see who overrode, the reason, and the words."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    page = browser.get(path, base_url=APP).text
    fields = {name: found(rf'name="{name}" value="([^"]+)"', page) for name in ("csrf", "card", "form")}
    sent = {**fields, "outcome": "overridden", "reason": "patient-refuses", "comment": "Wants no tests"}
    for _ in range(2):
        assert browser.post(f"{path}/answer", data=sent, base_url=APP).status_code == 302
    assessment = found(r"Assessment ([0-9a-f-]{36}) by", page)
    again = browser.get(f"{path}/governance/{assessment}", base_url=APP).text
    assert again.count("Wants no tests") == 1
    assert re.search(r"Overridden \(Patient refuses[^<]+, “Wants no tests”, [^<]+, by [^<]+Practitioner/example", again)
    site.clock.at += timedelta(minutes=1)
    assert CdsClient(site.ehr).feedback(site.ehr.cards[card["uuid"]], {"outcome": "overridden"})
    again = browser.get(f"{path}/governance/{assessment}", base_url=APP).text
    assert re.search(r"Overridden, [^<;]+, sent by the EHR, which names no user", again)


def test_those_who_govern_see_which_models_may_speak(site: Site) -> None:
    """Each trained model with its version and state, and a way to its source attributes."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    kept = FallBackStore(site.store.database)
    for version, silenced in (("0.0.1", False), (loaded().models["mortality"].version, True)):
        kept.silence(FallenBack("mortality", version, AS_OF, msg("it rang")))
        page = browser.get(f"{path}/governance", base_url=APP).text
        row = found(r"(<tr><th scope=\"row\"><a href=[^>]+/mortality/\".*?</tr>)", page)
        assert ("silenced by monitoring" in row) is silenced
    kept.lift("mortality", "Dr Li", AS_OF)
    assert "Five- and ten-year mortality" in row
    assert "<td>Prognosis</td>" in row
    model = browser.get(found(r'href="([^"]+/models/mortality/)"', row), base_url=APP).text
    assert "Source attributes" in model
    assert " style=" not in model
    assert '<td class="right">' in model


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match.group(1)


def test_monitoring_is_a_page_of_the_governance_view(site: Site) -> None:
    """Before a run it says what to do; then what rings, who is silent and how to lift it, and each number as text."""
    site.behaviour.id_token.pop("fhirUser", None)
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration"))
    assert "Nothing was counted yet" in browser.get(f"{path}/monitoring", base_url=APP).text
    watching = FallBackStore(site.store.database)
    watching.keep_counts(AS_OF, to_json(half_a_year.example()))
    watching.silence(FallenBack("mortality", "1.0.0", AS_OF, msg("observed over expected is 1.60")))
    page = browser.get(f"{path}/monitoring", base_url=APP).text
    watching.lift("mortality", "Dr Li", AS_OF)
    for words in (
        "prognosis/creatinine: no usable value in 50 %, before in 3 %",
        "curbside monitor --lift mortality --by NAME",
        "Observed over expected: mortality/death/5 1.0.0 for death-5y: 2026-05 1.03;",
        "Ward 3 West",
        "patient refused",
        "60 % of its sentences were kept",
    ):
        assert words in page, words
    assert "style=" not in page


def test_the_facts_of_a_model_open_with_its_plots(site: Site) -> None:
    """Source attributes and the card of a trained model; its plots and nothing else of its folder."""
    site.cards("missing-lipids")
    browser = site.browser()
    path = opened(site, browser, site.launch("missing-lipids"))
    page = browser.get(f"{path}/models/mortality/", base_url=APP)
    assert page.status_code == 200
    assert "Intended use" in page.text
    assert 'src="calibration.svg"' in page.text
    drawn = browser.get(f"{path}/models/mortality/calibration.svg", base_url=APP)
    assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    for name in ("weights.ubj", "card.md"):
        assert browser.get(f"{path}/models/mortality/{name}", base_url=APP).status_code == 404
    assert browser.get(f"{path}/models/none/", base_url=APP).status_code == 404
