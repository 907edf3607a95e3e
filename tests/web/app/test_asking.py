"""Questions in the review app: answers with places, doubts told apart, the user's token, an audit record."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from answers import loaded
from faulty_model import Model, misbehaving
from reviewing import APP, Site, authorize, back, csrf, leave, opened, running

from cds_service.errors import StoreError
from cds_service.settings import Llm
from cds_service.summary.cleaning import MARK
from cds_service.web.app.opening import Opener

PATIENT = "contradictory"
NOTE = f"/sources/DocumentReference/{PATIENT}-note-1"


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with misbehaving() as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Iterator[Site]:
    llm = Llm(url=model.url, model="tiny", timeout_s=60)
    with running(tmp_path_factory.mktemp("asking"), loaded(), (PATIENT, "hostile-text"), llm) as made:
        yield made


def saying(*texts: str) -> Any:
    """A model that says some sentences, each citing the line of the note."""

    def speak(body: dict[str, Any]) -> str:
        lines = body["messages"][-1]["content"].replace(MARK, " ")
        found = re.search(r"^(E\d+) \|[^\n]*amoxicillin", lines, re.M)
        cites = [found[1] if found else "E1"]
        return "\n".join(json.dumps({"text": text, "cites": cites}) for text in texts)

    return speak


def asked(site: Site, question: str, patient: str = PATIENT) -> tuple[Any, str, str]:
    """The browser, the review's path, and the page after a question."""
    browser = site.browser()
    path = opened(site, browser, site.launch(patient))
    token = csrf(browser.get(path, base_url=APP).text)
    response = browser.post(f"{path}/ask", data={"csrf": token, "question": question}, base_url=APP)
    assert response.status_code == 302, response.text
    return browser, path, browser.get(f"{path}/ask", base_url=APP).text


def audited(site: Site) -> list[dict[str, Any]]:
    with site.store.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT content FROM audit WHERE kind = 'dialogue' ORDER BY seq").all()
    return [json.loads(row.content) for row in rows]


def test_an_answer_cites_the_place_in_the_note(site: Site, model: Model) -> None:
    """The link opens the document, where the sentence has an anchor; a sentence nothing supports is told apart."""
    model.speak = saying("Anaphylaxis after amoxicillin in 2019.", "No known allergies.")
    browser, path, page = asked(site, "Which allergies are there, amoxicillin?")
    fact, doubt = page.index(["Anaphylaxis after amoxicillin in 2019.", "/li>"][0]), page.index("<del>No known")
    assert fact < page.index("Not supported by the record (1)") < doubt
    assert f"{NOTE}#s1" in page
    document = browser.get(f"{path}{NOTE}", base_url=APP)
    assert "<title>Documents - Curbside</title>" in document.text  # which a browser's history keeps: not the note's own
    assert 'id="s1"' in document.text
    assert "Anaphylaxis after amoxicillin in 2019" in document.text


def test_general_knowledge_is_shown_as_such_and_never_among_what_was_found(site: Site, model: Model) -> None:
    """Under a label of its own, with its row and its publication; the audit record names the row."""
    model.speak = lambda _: '{"text": "Metformin builds up.", "cites": ["E99"]}'
    _, _, page = asked(site, "May metformin be given at this eGFR?")
    label = page.index("General knowledge, not about this patient</h3>")
    assert (
        label
        < page.index("Metformin has a limit where eGFR is below 30 (contraindicated).")
        < page.index("US prescribing information: metformin")
    )
    assert "<del>Metformin builds up.</del>" in page
    assert any(
        one.startswith("knowledge:curbside/limits/metformin") for one, *_ in filter(None, audited(site)[-1]["sources"])
    )


def streaming(site: Site, question: str) -> tuple[Any, str, Any]:
    """The browser, the review's path, and the page on its way."""
    browser = site.browser()
    path = opened(site, browser, site.launch(PATIENT))
    token = csrf(browser.get(path, base_url=APP).text)
    browser.post(f"{path}/ask", data={"csrf": token, "question": question}, base_url=APP)
    return browser, path, browser.get(f"{path}/ask", base_url=APP, buffered=False)


def test_sentences_come_one_by_one_as_they_are_checked(site: Site, model: Model) -> None:
    """Each supported sentence is a piece of its own, those that nothing supports come last; a reload asks nothing."""
    model.speak = saying("Anaphylaxis after amoxicillin in 2019.", "No known allergies.")
    browser, path, response = streaming(site, "Which allergies are there, amoxicillin?")
    pieces = [piece.decode() for piece in response.iter_encoded()]
    told = [n for n, piece in enumerate(pieces) if "Anaphylaxis after amoxicillin in 2019." in piece]
    assert "being read" in pieces[0]
    assert 0 < told[0] < next(n for n, piece in enumerate(pieces) if "<del>No known" in piece)
    assert pieces[-1].rstrip().endswith("</html>")
    calls = len(model.received)
    assert browser.get(f"{path}/ask", base_url=APP).text.count("Anaphylaxis after amoxicillin in 2019. ") == 1
    assert len(model.received) == calls


def test_a_reader_who_leaves_finds_the_answer_said_to_be_broken_off(site: Site, model: Model) -> None:
    """In the history, with what was said by then, and in the audit record with what was sent."""
    model.speak = saying("Anaphylaxis after amoxicillin in 2019.", "No known allergies.")
    browser, path, response = streaming(site, "Which allergies are there, amoxicillin?")
    for piece in response.iter_encoded():
        if b"Anaphylaxis after amoxicillin in 2019." in piece:
            break
    response.close()
    page = browser.get(f"{path}/ask", base_url=APP).text
    assert "the reader left before the answer was whole" in page
    assert "Anaphylaxis after amoxicillin in 2019." in page
    entry = audited(site)[-1]
    assert entry["reason"] == "the reader left before the answer was whole"
    assert entry["sent"]
    assert [one["text"] for one in entry["answer"]] == ["Anaphylaxis after amoxicillin in 2019."]


def test_a_record_that_cannot_be_opened_ends_the_answer_with_a_sentence(
    site: Site, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is whole, and says why there is no answer."""
    response = streaming(site, "amoxicillin")[2]

    def refuse(*_: object) -> None:
        raise StoreError("the store is away")

    monkeypatch.setattr(Opener, "open", refuse)
    page = b"".join(response.iter_encoded()).decode()
    assert "The answer broke off: the store is away" in page
    assert page.rstrip().endswith("</html>")


def test_an_answer_says_what_it_did_not_look_through(site: Site, model: Model) -> None:
    """The record's moment and its part; a document that could not be read, beside the answer and not below alone."""
    model.speak = lambda _: ""
    looked = "Looked through were the documents, the chart as it was read at 1 Nov 2026 09:00"
    partly = "Some documents were not read, or not as a whole"
    _, _, page = asked(site, "Any bleeding ulcers?")
    assert looked in page
    assert partly not in page
    rows = site.ehr.charts[PATIENT].shelf.rows
    attachment = {"contentType": "application/pdf", "title": "Endoscopy", "data": base64.b64encode(b"%PDF-").decode()}
    rows["DocumentReference/broken"] = rows[f"DocumentReference/{PATIENT}-note-1"] | {
        "id": "broken", "content": [{"attachment": attachment}],
    }  # fmt: skip
    try:
        _, _, page = asked(site, "Any bleeding ulcers?")
    finally:
        del rows["DocumentReference/broken"]
    nothing = page.index("Nothing that was read of the chart and its documents speaks of this.")
    assert nothing < page.index(partly) < page.index('id="documents"')


def test_the_audit_record_holds_the_question_and_what_left(site: Site, model: Model) -> None:
    """Question, sentences with reasons, sources, and the text as it was sent, without who it is about."""
    model.speak = saying("No known allergies.")
    asked(site, "Which allergies are there?")
    entry = audited(site)[-1]
    assert entry["question"] == "Which allergies are there?"
    assert entry["answer"][0]["reasons"]
    assert entry["sent"]
    family = site.ehr.charts[PATIENT].patient["name"][0]["family"]
    assert family not in json.dumps(entry["sent"])
    assert family not in model.sent()
    assert entry["user"].endswith("Practitioner/example")


@pytest.mark.parametrize("behaviour", ["error_500", "foreign", "lost"])
def test_a_model_that_fails_leaves_the_passages(site: Site, model: Model, behaviour: str) -> None:
    """With the reason on the page."""
    model.behaviours = [behaviour]
    try:
        _, _, page = asked(site, "amoxicillin")
    finally:
        model.behaviours = ["answer"]
    assert "was not used, or broke off" in page
    assert "<q>Anaphylaxis after amoxicillin" in page


def test_why_there_is_no_sentence_is_told_in_the_readers_language(site: Site, model: Model) -> None:
    """Also in Chinese: no English reason within a Chinese sentence."""
    model.speak = lambda _: "No JSON at all."
    browser, path, page = asked(site, "Any allergies?")
    reason = "the model gave no sentence of the form asked for"
    assert reason in page
    page = browser.get(f"{path}/ask?lang=zh_Hans", base_url=APP, follow_redirects=True).text
    assert "模型没有给出所要求形式的句子" in page
    assert reason not in page


def test_history_stays_with_the_review_and_ends_with_it(site: Site, model: Model) -> None:
    """Two questions, the latest first; another launch starts empty; closing forgets both."""
    model.speak = saying("Anaphylaxis after amoxicillin in 2019.")
    browser, path, _ = asked(site, "First about amoxicillin?")
    token = csrf(browser.get(path, base_url=APP).text)
    browser.post(f"{path}/ask", data={"csrf": token, "question": "Then about penicillin?"}, base_url=APP)
    page = browser.get(f"{path}/ask", base_url=APP).text
    assert page.index("Then about penicillin?") < page.index("First about amoxicillin?")
    other = opened(site, browser, site.launch(PATIENT))
    assert "First about" not in browser.get(f"{other}/ask", base_url=APP).text
    for one in (path, other):
        browser.post(f"{one}/close", data={"csrf": csrf(browser.get(one, base_url=APP).text)}, base_url=APP)
    with site.store.database.engine.connect() as connection:
        kinds = connection.exec_driver_sql("SELECT kind, body FROM app_sessions").all()
    assert not any(b"amoxicillin" in row.body for row in kinds)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"question": " "}, "Write a question"),
        ({"question": "x" * 1001}, "longer than 1000"),
        ({"csrf": "é"}, "not sent"),
    ],
)
def test_a_wrong_question_gets_a_sentence(site: Site, form: dict[str, str], words: str) -> None:
    """Nothing is asked of anybody."""
    browser = site.browser()
    path = opened(site, browser, site.launch(PATIENT))
    token = csrf(browser.get(path, base_url=APP).text)
    response = browser.post(f"{path}/ask", data={"csrf": token, "question": "q", **form}, base_url=APP)
    assert response.status_code == 400
    assert words in response.text


def test_scopes_of_documents_are_asked_for_and_a_refusal_is_said(site: Site, model: Model) -> None:
    """Document types are among the scopes; without them the page names what was not read."""
    model.speak = saying("No known allergies.")
    browser = site.browser()
    url = leave(site, browser, site.launch(PATIENT))
    for type_ in ("DocumentReference", "DiagnosticReport", "Binary"):
        assert f"patient%2F{type_}.rs" in url
    site.ehr.switches = {"narrow-scopes"}
    try:
        _, _, page = asked(site, "amoxicillin")
    finally:
        site.ehr.switches = set()
    assert "did not let this app read: DocumentReference, DiagnosticReport" in page


def test_documents_are_read_on_request_and_a_binary_on_another_server_is_not_fetched(site: Site) -> None:
    """Without a question too; each document that was not read says why."""
    note = site.ehr.charts[PATIENT].shelf.rows[f"DocumentReference/{PATIENT}-note-1"]
    kept = note["content"]
    note["content"] = [
        {"attachment": {"contentType": "text/plain", "url": "https://evil.example/x", "title": "Far away"}},
        {"attachment": {"contentType": "text/plain", "data": base64.b64encode(b"Near by.").decode(), "title": "Near"}},
    ]
    try:
        browser = site.browser()
        path = opened(site, browser, site.launch(PATIENT))
        token = csrf(browser.get(path, base_url=APP).text)
        browser.post(f"{path}/ask", data={"csrf": token, "read": "1"}, base_url=APP)
        page = browser.get(f"{path}/ask", base_url=APP).text
    finally:
        note["content"] = kept
    assert "lies on another server" in page
    assert "Near of 12 Oct 2026" in page


def test_an_expired_token_is_renewed_before_documents_are_read(site: Site, model: Model) -> None:
    """By the refresh token of the same review."""
    model.speak = saying("No known allergies.")
    browser = site.browser()
    path = urlsplit(back(browser, authorize(site, leave(site, browser, site.launch(PATIENT)))).location).path
    token = csrf(browser.get(path, base_url=APP).text)
    began = site.clock.at
    try:
        for _ in range(6):
            site.clock.at += timedelta(minutes=11)
            browser.get(path, base_url=APP)
        browser.post(f"{path}/ask", data={"csrf": token, "question": "amoxicillin"}, base_url=APP)
        page = browser.get(f"{path}/ask", base_url=APP).text
    finally:
        site.clock.at = began
    assert "<q>Anaphylaxis after amoxicillin" in page
