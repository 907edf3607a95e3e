"""Who may start the review app and keep a review open: the launch, its tokens and cookies, and what they refuse."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from answers import loaded
from reviewing import APP, CALLBACK, Site, Ticking, authorize, back, csrf, leave, opened

from cds_service.app import create_app, create_pipeline, create_store
from cds_service.errors import SettingsError
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr.smart import CLIENT_ID
from cds_service.settings import App, Settings, SmartEhr, Store
from cds_service.web.app import blueprint

PATIENTS = ("missing-lipids", "acute-deterioration", "heart-failure")


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
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    """With the name of the key to mend."""
    ehr = replace(SmartEhr(issuer="https://ehr.example/fhir", client_id="x"), **changes)
    settings = Settings(store=Store(url=f"sqlite:///{tmp_path / 'a.db'}"), app=App(launch_url=f"{APP}/app/launch"))
    settings = replace(settings, smart={"main": ehr})
    store = create_store(settings)
    pipeline = create_pipeline(settings, Ticking(), store, loaded())
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
