"""A whole service, called at every route with a record full of words of its own: where none of them may come out."""

from __future__ import annotations

import io
import json
import logging
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import structlog
from answers import loaded
from canaries import Canaries, marked
from faulty_model import Model, misbehaving
from reviewing import APP, Site, authorize, back, csrf, leave, running
from werkzeug.test import TestResponse

from cds_service.fhir.audit_event import audit_event
from cds_service.sandbox.ehr.tokens import Launch
from cds_service.sandbox.patients import BY_NAME
from cds_service.settings import Llm
from cds_service.stores.audit import AuditStore
from cds_service.web import logs

SAMPLE, MEASURED = "contradictory", 20
LINK = re.compile(r'(?:href|src|action|formaction|content)="([^"]+)"')
RECORD = (
    "id ",
    "Patient.",
    "Condition.",
    "MedicationRequest.",
    "Observation.",
    "DocumentReference.",
    "Encounter.",
    "note",
)


@dataclass
class Told:
    """All that came out."""

    site: Site
    words: Canaries
    log: io.BytesIO
    model: Model
    answers: list[tuple[str, TestResponse]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def take(self, what: str, response: TestResponse) -> TestResponse:
        self.answers.append((what, response))
        assert response.status_code < 500, (what, response.text)
        return response


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    words, log = Canaries(), io.BytesIO()
    bundle = BY_NAME[SAMPLE].chart().bundle()
    measured = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Observation"]
    bundle["entry"] = [entry for entry in bundle["entry"] if entry not in measured[:-MEASURED]]
    bundle = marked(bundle, words)
    logs.configure(log)
    root, before = logging.getLogger(), logging.getLogger().level
    handler = logging.StreamHandler(io.TextIOWrapper(log, write_through=True))
    handler.setFormatter(logs.LibraryFormatter())
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    try:
        with misbehaving() as model:
            llm = Llm(url=model.url, model="tiny", timeout_s=10)
            with running(tmp_path_factory.mktemp("canaries"), loaded(), (), llm, (bundle,)) as site:
                found = Told(site, words, log, model)
                _hooks(found)
                _feedback(found)
                _strangers(found)
                _questions(found)
                _launches(found)
                _review(found)
                for path in ("/metrics", "/health/live", "/health/ready"):
                    found.take(path, site.app.test_client().get(path))
                found.secrets |= {*site.ehr.tokens.access, *site.ehr.tokens.refresh}
                yield found
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        structlog.reset_defaults()


def _call(told: Told, what: str, path: str, body: Any, **headers: str) -> TestResponse:
    """A signed call, whatever its body."""
    signed = told.site.ehr.headers(f"{told.site.ehr.service}{path}")
    told.secrets.add(signed["Authorization"].split(".")[-1])
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    client = told.site.app.test_client()
    return told.take(
        what, client.post(path, data=sent, headers={"Content-Type": "application/json", **signed, **headers})
    )


def _hooks(told: Told) -> None:
    """Good calls of two hooks by the EHR, and one of them again with each thing that can be wrong with it."""
    site, word = told.site, told.words.word
    (chart,) = site.ehr.charts.values()
    for hook in ("encounter-discharge", "patient-view"):
        site.cards(chart.id, hook)
    sent = next(json.loads(e.request) for e in site.ehr.exchanges if "cardiovascular-risk" in e.what)
    sent["fhirAuthorization"]["access_token"] = word("access token")
    path, prefetch = "/cds-services/cardiovascular-risk", sent["prefetch"]
    key = next(k for k, v in prefetch.items() if isinstance(v, dict) and v.get("entry"))
    first = prefetch[key]["entry"][0]["resource"]
    wrong: dict[str, dict[str, Any]] = {
        "hook": {"hook": word("hook")},
        "instance": {"hookInstance": word("hookInstance")},
        "server": {"fhirServer": f"https://{word('server')}.example/{word('server path')}"},
        "token": {"fhirAuthorization": word("authorization")},
        "context": {"context": {"patientId": [word("patientId")], "userId": word("userId")}},
        "other patient": {"context": {**sent["context"], "patientId": word("other patient")}},
        "user": {"context": {**sent["context"], "userId": word("user with no type"), "encounterId": {"a": word("e")}}},
        "member": {word("member"): word("member value"), "extension": {word("ext"): word("ext value")}},
        "key": {"prefetch": {**prefetch, word("prefetch key"): word("prefetch text")}},
        "prefetch": {"prefetch": word("prefetch")},
        "type": {"prefetch": {**prefetch, key: {"resourceType": word("resourceType"), "id": word("its id")}}},
        "no resource": {"prefetch": {**prefetch, key: [word("prefetch list")]}},
        "field": {"prefetch": {**prefetch, key: {**first, "code": word("code"), "status": {"x": word("status")}}}},
        "number": {"prefetch": {**prefetch, key: {**first, "valueQuantity": {"value": word("value"), "unit": 7}}}},
        "outcome": {
            "prefetch": {
                **prefetch,
                key: {"resourceType": "OperationOutcome", "issue": [{"diagnostics": word("diagnostics")}]},
            }
        },
    }
    for what, change in wrong.items():
        fresh = {"hookInstance": str(uuid4())} if "hookInstance" not in change else {}
        _call(told, f"hook with a wrong {what}", path, sent | fresh | change)
    del sent["prefetch"]
    for switch in ("refused-token", "broken-fhir"):
        site.ehr.switches = {switch}
        _call(told, f"hook without prefetch, {switch}", path, sent | {"hookInstance": str(uuid4())})
    site.ehr.switches = set()
    _call(told, "hook cut short", path, json.dumps(sent).encode()[:-30])
    _call(told, "hook no JSON", path, word("no JSON").encode())
    _call(told, "unknown service", f"/cds-services/{word('service')}", sent)
    _call(told, "wrong type", path, sent, **{"Content-Type": f"text/{word('media type')}"})
    _call(told, "packed", path, sent, **{"Content-Encoding": word("encoding")})


def _feedback(told: Told) -> None:
    site, word = told.site, told.words.word
    shown = next(iter(site.ehr.cards.values()))
    path, stamp = f"/cds-services/{shown.service}/feedback", site.ehr.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    coding = {"code": word("reason code"), "system": word("reason system"), "display": word("reason display")}
    reason = {"reason": coding, "userComment": word("comment"), word("reason member"): word("x")}
    good = {"card": shown.card["uuid"], "outcome": "overridden", "outcomeTimestamp": stamp, "overrideReason": reason}
    bad = (
        {"card": str(uuid4())},
        {"card": word("card")},
        {"outcome": word("outcome")},
        {"outcomeTimestamp": word("time")},
        {"overrideReason": word("reason")},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": word("suggestion")}]},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid4())}]},
    )
    for number, change in enumerate(({}, *bad)):
        _call(told, f"feedback {number}", path, {"feedback": [good | change]})
    _call(told, "feedback of no list", path, {"feedback": word("feedback"), word("feedback member"): 1})


def _strangers(told: Told) -> None:
    """Headers, tokens and addresses that hold words, on each kind of path."""
    site, word = told.site, told.words.word
    client, signer = site.app.test_client(), site.ehr.signer
    url = f"{site.ehr.service}/cds-services"
    names = ("X-Request-Id", "Origin", "Referer", "User-Agent", "Accept-Language", "Cookie", "X-Forwarded-For", "Host")
    headers = {name: word(f"header {name}") for name in names}
    tokens = [
        signer.token(word("aud"), claims={"sub": word("sub"), "tenant": word("tenant")}),
        signer.token(url, claims={"iss": f"https://{word('iss')}.example"}),
        signer.token(url, claims={"jti": {"a": word("jti")}, "exp": word("exp")}),
        signer.token(url, header={"kid": word("kid"), "jku": f"https://{word('jku')}.example"}),
        signer.token(url, header={"typ": word("typ")}),
        word("no token"),
    ]
    for number, token in enumerate(tokens):
        told.take(f"token {number}", client.get("/cds-services", headers={"Authorization": f"Bearer {token}"}))
    known = site.ehr.headers(url)
    told.take("discovery", client.get("/cds-services", headers=known | {"Accept-Language": word("language")}))
    for more in (headers, {}):
        odd = f"/{word('path')}"
        signed = {**more, **site.ehr.headers(f"{site.ehr.service}{odd}")}
        told.take("no such path", client.get(f"{odd}?{word('parameter')}={word('query')}", headers=signed))
        signed = {**more, **site.ehr.headers(url)}
        told.take("method", client.open("/cds-services", method=word("method").upper(), headers=signed))
    for path in ("/health/ready", "/metrics", f"/health/{word('health')}", "/app/", f"/app/{word('app')}"):
        told.take(path.partition("Quizzle")[0], client.get(path, headers=headers))


def _questions(told: Told) -> None:
    site, word = told.site, told.words.word
    client = site.app.test_client()
    for path, query in (
        ("/knowledge", {"text": word("knowledge text")}),
        ("/knowledge", {"code": f"http://snomed.info/sct|{word('knowledge code')}"}),
        ("/knowledge", {"code": word("knowledge no code"), "patientPerson.administrativeGenderCode.c": word("gender")}),
        (f"/knowledge/rows/{word('row')}", {}),
        (f"/models/{word('model')}", {}),
    ):
        signed = site.ehr.headers(f"{site.ehr.service}{path}")
        told.take(path.partition("Quizzle")[0], client.get(path, query_string=query, headers=signed))


def _launches(told: Told) -> None:
    """Launches that fail at each step."""
    site, word = told.site, told.words.word
    (chart,) = site.ehr.charts.values()
    browser = site.browser()

    def start(what: str, path: str, **query: str) -> None:
        told.take(what, browser.get(path, query_string=query, base_url=APP))

    start("unknown issuer", "/app/launch", iss=f"https://{word('launch iss')}.example", launch=word("launch"))
    start("no issuer", "/app/launch", launch=word("launch"), login_hint=word("login_hint"))
    start("callback of nobody", "/app/callback", state=word("state"), code=word("code"))
    url = authorize(site, leave(site, browser, site.launch(chart.id)))
    error = {"error": word("error"), "error_description": word("error_description"), "error_uri": word("error_uri")}
    start("refused by the EHR", "/app/callback", state=re.findall(r"state=([^&]+)", url)[0], **error)
    site.behaviour.id_token.update(sub=word("id sub"), name=word("id name"), nonce=word("nonce"))
    told.take("wrong id_token", back(browser, authorize(site, leave(site, browser, site.launch(chart.id)))))
    site.behaviour.id_token.clear()
    start("review of nobody", f"/app/r/{word('review')}")
    site.ehr.tokens.launches[odd := word("launch value")] = Launch(chart.id, None, word("appContext"))
    response = browser.get("/app/launch", query_string={"iss": site.ehr.fhir, "launch": odd}, base_url=APP)
    told.take("odd appContext", back(browser, authorize(site, told.take("launch", response).location)))


def _review(told: Told) -> None:
    """A review and its pages, forms and documents; and each of them with what does not exist."""
    site, word = told.site, told.words.word
    (chart,) = site.ehr.charts.values()
    browser, cards = site.browser(), [shown.card for shown in site.ehr.cards.values()]
    card = next(c for c in cards if c.get("overrideReasons"))
    response = told.take(
        "opened", back(browser, authorize(site, leave(site, browser, site.launch(chart.id, card["uuid"]))))
    )
    path = str(response.location).removeprefix(APP)

    def page(what: str, more: str = "", **query: str) -> str:
        return told.take(what, browser.get(path + more, query_string=query, base_url=APP)).text

    def send(what: str, more: str, **form: str) -> None:
        told.take(what, browser.post(path + more, data={"csrf": token, **form}, base_url=APP))

    whole = page("review")
    token = csrf(whole)
    for link in sorted(set(re.findall(rf'href="{path}(/[^"#?]+)', whole)))[:6]:
        page(f"page {link.split('/')[1]}", link)
    send(
        "answer",
        "/answer",
        card=card["uuid"],
        outcome="overridden",
        reason=card["overrideReasons"][0]["code"],
        comment=word("app comment"),
    )
    send("wrong answer", "/answer", card=word("app card"), outcome=word("app outcome"), comment=word("app comment"))
    send("wrong token", "/answer", csrf=word("csrf"), card=card["uuid"])
    told.model.speak = lambda _: json.dumps({"text": word("model's answer"), "cites": ["E1"]})
    send("question", "/ask", question=f"Which allergies has {chart.patient['name'][0]['family']}, {word('question')}?")
    page("ask", "/ask")
    send("question too long", "/ask", question=word("long question") * 500)
    page("search", "/knowledge", q=word("app search"))
    for what in ("sources/Observation", "models", "picture", "knowledge", "image/DocumentReference"):
        page(f"no {what}", f"/{what}/{word('app ' + what)}")
    note = next(name for name in chart.shelf.rows if name.startswith("DocumentReference/"))
    page("note", f"/sources/{note}")
    send("closed", "/close")
    page("after closing")


def test_no_word_of_a_record_or_a_caller_reaches_the_log(told: Told) -> None:
    """Whatever was sent, to whichever route, in whichever field; and no token."""
    text = told.log.getvalue()
    assert text.count(b'"event":"request"') > 60
    assert {b"caller refused", b"launch refused"} <= set(re.findall(rb'"event":"([a-z ]+)"', text))
    assert not told.words.found(text)
    assert not [one for one in told.secrets if one.encode() in text]


def test_no_word_of_a_record_or_a_caller_reaches_the_metrics(told: Told) -> None:
    """No label holds what was sent."""
    pages = [answer.text for what, answer in told.answers if what == "/metrics" and answer.status_code == 200]
    assert "curbside_findings_total{" in pages[-1]
    assert not told.words.found("".join(pages))


def test_no_refusal_says_again_what_was_sent(told: Told) -> None:
    """An error body reaches logs of gateways and screens of helpers: it names fields, and never what is in them."""
    refused = [(what, answer) for what, answer in told.answers if answer.status_code >= 400]
    assert len(refused) > 50
    for what, answer in refused:  # a page that its own reader asked for may name the resource that is not there
        assert not told.words.found(answer.data, but=["app sources"]), (what, answer.text)


def test_no_header_of_an_answer_holds_what_was_sent(told: Told) -> None:
    """Redirects, cookies, request ids: only the EHR is told its own launch again, as SMART App Launch has it."""
    for what, answer in told.answers:
        assert not told.words.found(str(answer.headers), but=["launch value"] if what == "launch" else []), what
        assert answer.headers["Referrer-Policy"] == "no-referrer", what


def test_no_address_on_a_page_holds_what_was_sent(told: Told) -> None:
    """What a browser keeps in its history: a source's address has the id of its resource, and nothing more."""
    pages = [(what, answer.text) for what, answer in told.answers if answer.mimetype == "text/html"]
    links = [(what, link) for what, page in pages for link in LINK.findall(page)]
    assert any("/sources/" in link for _, link in links)
    for what, link in links:
        own = link.startswith("/app/r/") and "/sources/" in link
        may = ["launch value"] if what == "launch" else ["id ", "app sources"] if own else []
        assert not told.words.found(link, but=may), (what, link)
        assert "id Patient" not in told.words.found(link), (what, link)


def test_the_audit_record_holds_what_was_done_and_no_more(told: Told) -> None:
    """The patient's id, reasons by code, a question with its answer; no name, narrative, comment, caller's text."""
    entries = list(AuditStore(told.site.store.database).entries())
    may = {
        "assessment": ["id Patient"],
        "feedback": ["id Patient", "reason code"],
        "dialogue": ["question", "model's answer", "id DocumentReference"],
        "chart": [],
    }
    assert {entry.kind for entry in entries} == set(may)
    for entry in entries:
        assert entry.content is not None
        asked = {name: value for name, value in entry.content.items() if name != "question"}
        event = audit_event(entry.seq, entry.at, entry.kind, entry.subject, entry.hash, asked)
        title = ["DocumentReference.type"] if entry.kind == "dialogue" else []
        assert not told.words.found(json.dumps([asked, event]), but=may[entry.kind] + title), entry.kind


def test_the_store_keeps_no_token_and_a_comment_in_one_place(told: Told) -> None:
    """Nothing in any table is a token of the EHR or of a caller; what a clinician wrote is in the feedback alone."""
    with told.site.store.database.engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            cells = (cell for row in connection.exec_driver_sql(f"SELECT * FROM {table}") for cell in row)
            whole = "".join(map(_plain, cells))
            found = told.words.found(whole)
            assert not found & {"access token", "authorization", "code", "header Cookie"}, table
            assert not [one for one in told.secrets if one in whole], table
            assert table == "feedback" or not found & {"comment", "app comment", "reason display"}, table
            assert table in ("requests", "wordings") or not {f for f in found if f.startswith("Patient.")} - {
                "Patient.name.family"
            }


def test_a_language_model_is_told_nobodys_name(told: Told) -> None:
    """The question and the documents' titles reach it, the name in the question and whatever else tells who do not."""
    assert told.model.received
    assert not told.words.found(told.model.sent(), but=["question", "DocumentReference.type"])


def _plain(cell: object) -> str:
    if not isinstance(cell, bytes):
        return str(cell)
    with suppress(zlib.error):
        return zlib.decompress(cell).decode("utf-8", "replace")
    return cell.decode("utf-8", "replace")
