"""The review app: who may start it, what it refuses, and that a review shows and decides one patient's card."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import half_a_year
import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from listening import listening

from cds_service.app import create_app, create_pipeline, create_store, load_registry
from cds_service.errors import SettingsError
from cds_service.language import msg
from cds_service.monitoring import to_json
from cds_service.registry import Registry
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr import serve
from cds_service.sandbox.ehr.smart import CLIENT_ID, Smart
from cds_service.sandbox.ehr.state import Ehr
from cds_service.sandbox.ehr.tokens import Launch
from cds_service.sandbox.patients import BY_NAME
from cds_service.settings import App, Client, Dev, Llm, Models, Settings, SmartEhr, Store
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.fallen_back import FallBackStore, FallenBack
from cds_service.web.app import blueprint
from cds_service.web.metrics import Metrics

APP = "https://cds.example"
CALLBACK = f"{APP}/app/callback"
PATIENTS = ("missing-lipids", "acute-deterioration", "heart-failure")


class Ticking:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at: datetime = AS_OF

    def now(self) -> datetime:
        return self.at


@dataclass
class Site:
    """An EHR and the app, each with a browser; the app is called without a socket, the EHR's endpoints over one."""

    ehr: Ehr
    behaviour: Smart
    chart: FlaskClient
    app: Flask
    clock: Ticking
    store: AssessmentStore

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def launch(self, patient: str, card: str | None = None, **more: Any) -> str:
        return self.ehr.tokens.launch(Launch(patient, None, card, **more))

    def cards(self, patient: str, hook: str = "patient-view") -> list[dict[str, Any]]:
        self.ehr.cards.clear()
        page = self.chart.post(f"/patients/{patient}/hooks/{hook}").text
        assert "gave no list" not in page
        return [shown.card for shown in self.ehr.cards.values()]


@pytest.fixture(scope="module")
def loaded() -> Registry:
    return load_registry(Settings())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, loaded: Registry) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("review"), loaded, PATIENTS) as made:
        yield made


@contextmanager
def running(
    folder: Path,
    loaded: Registry,
    patients: tuple[str, ...],
    llm: Llm | None = None,
    more: tuple[Any, ...] = (),
    chart_types: tuple[str, ...] = (),
) -> Iterator[Site]:
    """An EHR and the app over some sample patients.

    llm: a language model for the app. more: further bundles. chart_types: of the app's settings.
    """
    clock, behaviour = Ticking(), Smart()
    bundles = [(bundle, "") for bundle in (*(BY_NAME[name].chart().bundle() for name in patients), *more)]
    ehr = Ehr(bundles, base="http://127.0.0.1:8", service="", now=clock.now, redirects=(CALLBACK,))
    sandbox = serve.create_app(ehr, behaviour)
    with listening(sandbox) as port:
        ehr.base = f"http://127.0.0.1:{port}"
        ehr.signer.issuer = ehr.foreign.issuer = ehr.fhir
        ehr.signer.jku = ehr.foreign.jku = f"{ehr.base}/jwks"
        settings = Settings(
            store=Store(url=f"sqlite:///{folder / 'store.db'}"),
            dev=Dev(allow_insecure_loopback=True),
            models=Models(show_unvalidated=True),
            llm=llm or Llm(),
            app=App(launch_url=f"{APP}/app/launch", chart_types=chart_types),
            clients={"main": Client(issuer=ehr.fhir, jwks_url=f"{ehr.base}/jwks", fhir_base_urls=(ehr.fhir,))},
            smart={
                "main": SmartEhr(
                    issuer=ehr.fhir,
                    client_id=CLIENT_ID,
                    client="main",
                    frame_ancestors=("https://ehr.example",),
                    governance=("Practitioner/example",),
                )
            },
        )
        store = create_store(settings)
        with listening(lambda *_: []) as free:
            pass
        settings = settings.with_("server", port=free)
        metrics = Metrics()
        pipeline = create_pipeline(settings, clock, store, loaded, metrics)
        app = create_app(settings, clock, pipeline=pipeline, store=store, metrics=metrics)
        ehr.service = f"http://127.0.0.1:{free}"
        with listening(app, free):
            yield Site(ehr, behaviour, sandbox.test_client(), app, clock, store)
        store.close()


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    yield
    site.behaviour.id_token.clear()
    site.behaviour.configuration.clear()
    site.ehr.switches = set()
    site.clock.at = AS_OF


def leave(site: Site, browser: FlaskClient, launch: str) -> str:
    """The URL of the EHR to which a launch sends the browser."""
    response = browser.get("/app/launch", query_string={"iss": site.ehr.fhir, "launch": launch}, base_url=APP)
    assert response.status_code == 302, response.text
    return str(response.location)


def authorize(site: Site, url: str) -> str:
    """The URL of the app to which the EHR sends the browser back."""
    split = urlsplit(url)
    response = site.chart.get(f"{split.path}?{split.query}")
    assert response.status_code == 302, response.text
    return str(response.location)


def back(browser: FlaskClient, url: str) -> Any:
    split = urlsplit(url)
    return browser.get(f"{split.path}?{split.query}", base_url=APP)


def opened(site: Site, browser: FlaskClient, launch: str) -> str:
    """The path of the review that a launch opens."""
    response = back(browser, authorize(site, leave(site, browser, launch)))
    assert response.status_code == 302, response.text
    return urlsplit(response.location).path


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


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


def test_narrower_scopes_are_said(site: Site) -> None:
    """The page names what the EHR kept back."""
    (card, *_) = site.cards("missing-lipids")
    site.ehr.switches = {"narrow-scopes"}
    browser = site.browser()
    page = browser.get(opened(site, browser, site.launch("missing-lipids", card["uuid"])), base_url=APP).text
    assert "did not let this app read: Condition" in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"iss": "https://unknown.example/fhir", "launch": "x"}, "not registered"),
        ({"launch": "x"}, "needs the parameters"),
        ({"iss": "IT", "launch": "x" * 5000}, "longer than any"),
    ],
)
def test_an_unknown_issuer_is_never_called(site: Site, query: dict[str, str], words: str) -> None:
    """Compared exactly, before any request."""
    response = site.browser().get("/app/launch", query_string=query, base_url=APP)
    assert response.status_code == 400
    assert words in response.text


def test_an_issuer_that_only_begins_alike_is_unknown(site: Site) -> None:
    """No prefix, no other case."""
    for issuer in (site.ehr.fhir + "2", site.ehr.fhir.upper(), site.ehr.fhir + "/Patient"):
        response = site.browser().get("/app/launch", query_string={"iss": issuer, "launch": "x"}, base_url=APP)
        assert response.status_code == 400


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("url", ["http://127.0.0.2:1/x", "https://evil.example/x", 7, None])
def test_an_endpoint_on_a_foreign_host_is_refused(site: Site, endpoint: str, url: Any) -> None:
    """Discovery cannot send the browser, the code or the secret elsewhere."""
    site.behaviour.configuration[endpoint] = url
    query = {"iss": site.ehr.fhir, "launch": site.launch("missing-lipids")}
    response = site.browser().get("/app/launch", query_string=query, base_url=APP)
    assert response.status_code == 400
    assert "not registered for it" in response.text


def test_an_ehr_without_s256_is_refused(site: Site) -> None:
    """PKCE with S256 or nothing."""
    site.behaviour.configuration["code_challenge_methods_supported"] = ["plain"]
    query = {"iss": site.ehr.fhir, "launch": site.launch("missing-lipids")}
    response = site.browser().get("/app/launch", query_string=query, base_url=APP)
    assert "PKCE" in response.text


NOW_S = int(AS_OF.timestamp())
WRONG = {
    "another issuer": {"iss": "https://other.example/fhir"},
    "another audience": {"aud": "another-app"},
    "several audiences without azp": {"aud": [CLIENT_ID, "another-app"]},
    "expired": {"exp": NOW_S - 120},
    "from the future": {"iat": NOW_S + 600},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "made-up"},
    "nobody": {"sub": None},
    "no user": {"fhirUser": None},
    "no expiry": {"exp": None},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_id_token_opens_nothing(site: Site, claims: dict[str, Any]) -> None:
    """Each claim is checked; the page tells the person to start again."""
    site.behaviour.id_token.update(claims)
    browser = site.browser()
    response = back(browser, authorize(site, leave(site, browser, site.launch("missing-lipids"))))
    assert response.status_code == 400
    assert "could not be checked" in response.text


def test_an_id_token_signed_by_another_opens_nothing(site: Site) -> None:
    """The key must be one of the EHR's, whatever the header says."""
    browser = site.browser()
    url = authorize(site, leave(site, browser, site.launch("missing-lipids")))
    own, site.ehr.signer.key = site.ehr.signer.key, site.ehr.foreign.key
    published = site.ehr.signer.jwks
    try:
        site.ehr.signer.key = own
        keys = published()
        site.ehr.signer.key = site.ehr.foreign.key
        site.ehr.signer.jwks = lambda: keys  # type: ignore[method-assign]
        response = back(browser, url)
    finally:
        site.ehr.signer.key = own
        site.ehr.signer.jwks = published  # type: ignore[method-assign]
    assert response.status_code == 400


def _unsigned(header: dict[str, Any], payload: bytes) -> str:
    head = urlsafe_b64encode(orjson.dumps(header | {"alg": "none"})).rstrip(b"=")
    return b".".join((head, urlsafe_b64encode(payload).rstrip(b"="), b"")).decode()


def _keyed_with_what_is_public(header: dict[str, Any], payload: bytes, public: bytes) -> str:
    head = urlsafe_b64encode(orjson.dumps(header | {"alg": "HS256"})).rstrip(b"=")
    signed = head + b"." + urlsafe_b64encode(payload).rstrip(b"=")
    return (signed + b"." + urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")).decode()


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_id_token_without_a_signature_opens_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    """Neither one that says it needs none, nor one keyed with the EHR's public key."""
    browser = site.browser()
    url = authorize(site, leave(site, browser, site.launch("missing-lipids")))
    public = site.ehr.signer.key.as_pem(private=False)
    forged = {"none": _unsigned, "HS256": partial(_keyed_with_what_is_public, public=public)}[algorithm]
    monkeypatch.setattr(site.ehr.signer, "sign", forged)
    response = back(browser, url)
    assert response.status_code == 400
    assert "could not be checked" in response.text


def test_a_callback_is_good_once_and_in_its_own_browser(site: Site) -> None:
    """Another browser, another state, a second use: a sentence and a way on, and no review."""
    browser = site.browser()
    url = authorize(site, leave(site, browser, site.launch("missing-lipids")))
    assert "not begun in this browser" in back(site.browser(), url).text
    tampered = re.sub(r"state=[^&]+", "state=" + "A" * 32, url)
    assert back(browser, tampered).status_code == 400
    alike = re.sub(r"(state=[^&]{16})[^&]+", r"\1" + "A" * 16, url)
    assert back(browser, alike).status_code == 400
    url = authorize(site, leave(site, browser, site.launch("missing-lipids")))
    assert back(browser, url).status_code == 302
    assert back(browser, url).status_code == 400


@pytest.mark.parametrize(
    ("named", "promised", "told", "opens"),
    [
        (None, False, None, True),
        (None, False, "FHIR", True),
        ("https://login.ehr.example", True, "https://login.ehr.example", True),
        ("https://login.ehr.example", False, "https://login.other.example", False),
        (None, False, "https://login.other.example", False),
        ("https://login.ehr.example", True, None, False),
    ],
)
def test_a_code_of_another_ehr_is_not_handed_to_the_one_that_was_asked(
    site: Site, named: str | None, promised: bool, told: str | None, opens: bool
) -> None:
    """RFC 9207: an EHR that is broken into could send the browser on to another one and wait for its code."""
    site.behaviour.configuration |= {"authorization_response_iss_parameter_supported": promised}
    if named:
        site.behaviour.configuration["issuer"] = named
    browser = site.browser()
    url = authorize(site, leave(site, browser, site.launch("missing-lipids")))
    sent = {"FHIR": site.ehr.fhir}.get(told or "", told)
    response = back(browser, f"{url}&iss={sent}" if sent else url)
    assert response.status_code == (302 if opens else 400)
    assert opens or "did not come from the EHR that was asked" in response.text


def test_an_error_of_the_ehr_gets_a_page(site: Site) -> None:
    """The EHR's own words are not repeated."""
    browser = site.browser()
    url = leave(site, browser, site.launch("missing-lipids"))
    state = re.search(r"state=([^&]+)", url)
    assert state is not None
    words = "<script>alert(1)</script>"
    response = back(browser, f"{CALLBACK}?state={state.group(1)}&error=access_denied&error_description={words}")
    assert response.status_code == 400
    assert "did not allow" in response.text
    assert "alert" not in response.text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("error=invalid_scope", "the EHR answered invalid_scope"),
        ("error=secret+Jane+Doe", "the EHR answered an error that no standard knows"),
        ("", "the EHR sent neither a code nor an error"),
        ("code=made-up", "the EHR's token endpoint: status 400"),
    ],
)
def test_the_log_says_why_a_launch_was_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch, answer: str, reason: str
) -> None:
    """With the number of the request; the page says what a clinician can do, in the language that it is read in."""
    browser = site.browser()
    url = leave(site, browser, site.launch("missing-lipids"))
    state = re.search(r"state=([^&]+)", url)
    assert state is not None
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(blueprint._log, "warning", lambda event, **more: logged.append({"event": event, **more}))
    response = back(browser, f"{CALLBACK}?state={state.group(1)}&lang=zh_Hans&{answer}")
    assert [(line["event"], line["reason"]) for line in logged] == [("launch refused", reason)]
    assert logged[0]["request_id"] == response.headers["X-Request-Id"]
    assert "The EHR did not" not in response.text
    assert "\u4fe1\u606f\u670d\u52a1\u53f0" in response.text  # whom to ask
    assert "Jane" not in response.text


def test_a_clock_that_is_set_back_keeps_no_review_open(site: Site) -> None:
    """By an hour: a review that nobody touches would be open so much longer. By minutes: nobody is thrown out."""
    browser = site.browser()
    path = opened(site, browser, site.launch("missing-lipids"))
    for minutes, status in ((4, 200), (60, 401)):
        site.clock.at = AS_OF - timedelta(minutes=minutes)
        assert browser.get(path, base_url=APP).status_code == status


def test_a_review_belongs_to_its_browser_and_ends(site: Site) -> None:
    """Another browser, an idle quarter of an hour, a closed review: nothing is shown."""
    site.cards("missing-lipids")
    browser = site.browser()
    path = opened(site, browser, site.launch("missing-lipids"))
    assert site.browser().get(path, base_url=APP).status_code == 401
    site.clock.at = AS_OF + timedelta(minutes=14)
    page = browser.get(path, base_url=APP)
    assert page.status_code == 200
    site.clock.at = AS_OF + timedelta(minutes=28)
    assert browser.get(path, base_url=APP).status_code == 200
    site.clock.at = AS_OF + timedelta(minutes=44)
    idle = browser.get(path, base_url=APP)
    assert idle.status_code == 401
    assert "closed" in idle.text
    site.clock.at = AS_OF
    other = opened(site, browser, site.launch("missing-lipids"))
    token = csrf(browser.get(other, base_url=APP).text)
    closed = browser.post(f"{other}/close", data={"csrf": token}, base_url=APP)
    assert (closed.status_code, closed.headers["Clear-Site-Data"]) == (200, '"cache"')
    assert browser.get(other, base_url=APP).status_code == 401


def test_a_copy_of_the_database_opens_nothing(site: Site) -> None:
    """Tokens and patients of open reviews are encrypted with what only the browser's cookie holds."""
    browser = site.browser()
    opened(site, browser, site.launch("missing-lipids"))
    with site.store.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT digest, body FROM app_sessions").all()
    assert rows
    cookies = [c.value for c in browser._cookies.values()]
    for digest, body in rows:
        assert b"missing-lipids" not in body
        assert not any(token.encode() in body for token in site.ehr.tokens.access)
        assert digest not in cookies


def test_cookies_work_in_a_frame_and_nowhere_else(site: Site) -> None:
    """`__Host-`, Secure, HttpOnly, SameSite=None and Partitioned; the page may be framed by the EHR alone."""
    browser = site.browser()
    response = back(browser, authorize(site, leave(site, browser, site.launch("missing-lipids"))))
    given = [h for h in response.headers.getlist("Set-Cookie") if "Max-Age=0" not in h]
    assert len(given) == 1
    for part in ("__Host-curbside-", "Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert part in given[0]
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("frame-ancestors https://ehr.example")
    assert "unsafe" not in policy


def test_a_row_of_evidence_opens_with_its_path_and_what_stands_beside_it(tmp_path: Path, loaded: Registry) -> None:
    """From a finding's path to the row, its publication and its neighbours; an unknown row is said."""
    with running(tmp_path, loaded, ("egfr-l858r-lung",)) as made:
        card = next(card for card in made.cards("egfr-l858r-lung") if "EGFR L858R" in card["summary"])
        browser = made.browser()
        path = opened(made, browser, made.launch("egfr-l858r-lung", card["uuid"]))
        link = re.search(r'href="([^"]+/knowledge/curbside/predictions/[^"]+)"', browser.get(path, base_url=APP).text)
        assert link is not None
        page = browser.get(link.group(1), base_url=APP)
        assert page.status_code == 200
        for words in ("Reported: EGFR L858R", "https://doi.org/10.1056/NEJMoa1713137", "Neighbouring evidence"):
            assert words in page.text
        assert browser.get(f"{path}/knowledge/curbside/none", base_url=APP).status_code == 404


def test_an_input_that_raised_the_estimate_leads_to_its_guideline(tmp_path: Path, loaded: Registry) -> None:
    """Beside the contribution; the page has the citation."""
    with running(tmp_path, loaded, ("primary-prevention",)) as made:
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


def test_governance_is_for_those_with_the_role(site: Site) -> None:
    """Counts, work list and a replay for them; a refusal for others."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    page = browser.get(f"{path}/governance", base_url=APP).text
    assert "deterioration" in page
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


def test_those_who_govern_see_which_models_may_speak(site: Site, loaded: Registry) -> None:
    """Each trained model with its version and state, and a way to its source attributes."""
    (card, *_) = site.cards("acute-deterioration", "encounter-start")
    browser = site.browser()
    path = opened(site, browser, site.launch("acute-deterioration", card["uuid"]))
    kept = FallBackStore(site.store.database)
    for version, silenced in (("0.0.1", False), (loaded.models["mortality"].version, True)):
        kept.silence(FallenBack("mortality", version, AS_OF, msg("it rang")))
        page = browser.get(f"{path}/governance", base_url=APP).text
        row = found(r"(<tr><th scope=\"row\"><a href=[^>]+/mortality/\".*?</tr>)", page)
        assert ("silenced by monitoring" in row) is silenced
    kept.lift("mortality", "Dr Li", AS_OF)
    assert "Five- and ten-year mortality" in row
    assert "prognosis" in row
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


def test_hostile_text_of_a_record_stays_text(site: Site, loaded: Registry) -> None:
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


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": ""}, "needs issuer"),
        ({"client": "nobody"}, r"names no \[clients.NAME\]"),
        ({"auth": "client_secret"}, "secret_file is missing"),
        ({"auth": "private_key_jwt"}, "key_file is missing"),
    ],
)
def test_a_registration_that_cannot_work_is_refused_at_start(
    tmp_path: Path, loaded: Registry, changes: dict[str, str], words: str
) -> None:
    """With the name of the key to mend."""
    ehr = replace(SmartEhr(issuer="https://ehr.example/fhir", client_id="x"), **changes)
    settings = Settings(store=Store(url=f"sqlite:///{tmp_path / 'a.db'}"), app=App(launch_url=f"{APP}/app/launch"))
    settings = replace(settings, smart={"main": ehr})
    store = create_store(settings)
    pipeline = create_pipeline(settings, Ticking(), store, loaded)
    with pytest.raises(SettingsError, match=words):
        create_app(settings, Ticking(), pipeline=pipeline, store=store)
    with pytest.raises(SettingsError, match="launch_url"):
        create_app(
            replace(settings, app=App(launch_url="https://other.example/start")),
            Ticking(),
            pipeline=pipeline,
            store=store,
        )
    store.close()


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


def test_a_token_that_ran_out_is_renewed(site: Site) -> None:
    """The next click asks the EHR for another, once, and goes on."""
    site.cards("missing-lipids")
    browser = site.browser()
    path = opened(site, browser, site.launch("missing-lipids"))
    before = len(site.ehr.tokens.access)
    site.clock.at = AS_OF + timedelta(minutes=12)
    assert browser.get(path, base_url=APP).status_code == 200
    assert len(site.ehr.tokens.access) == before + 1
    assert browser.get(path, base_url=APP).status_code == 200
    assert len(site.ehr.tokens.access) == before + 1
