"""Images in the review app: shown as rendered anew, read by a local vision model under a label, kept and audited."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from answers import loaded
from faulty_model import Model, misbehaving
from PIL import Image
from reviewing import APP, Site, csrf, opened, running

from cds_service.settings import Llm
from cds_service.web.app.asker import Asker

PATIENT = "contradictory"
LOOK, PICTURE = "look/Media/m1/1", "picture/Media/m1/1"
LABEL = "Unverified reading of an image by a language model"


def png() -> bytes:
    out = io.BytesIO()
    Image.new("L", (30, 20), 90).save(out, "PNG", pnginfo=None)
    return out.getvalue()


def scan() -> bytes:
    """A PDF of one page that is a picture."""
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(out, "PDF")
    return out.getvalue()


def seeing(body: dict[str, Any]) -> str:
    """A vision model that says how large the picture is that it was sent."""
    url = body["messages"][-1]["content"][1]["image_url"]["url"]
    image = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))
    return f"A picture of {image.width} by {image.height}."


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with misbehaving(speak=seeing) as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Iterator[Site]:
    llm = Llm(url=model.url, model="tiny", timeout_s=60, local=True, vision=True)
    with running(tmp_path_factory.mktemp("looking"), loaded(), (PATIENT,), llm) as made:
        rows = made.ehr.charts[PATIENT].shelf.rows
        subject = {"reference": f"Patient/{PATIENT}"}
        data = base64.b64encode(png()).decode()
        rows["Binary/b1"] = {"resourceType": "Binary", "id": "b1", "contentType": "image/png", "data": data}
        rows["Media/m1"] = {
            "resourceType": "Media", "id": "m1", "status": "completed", "subject": subject,
            "createdDateTime": "2026-10-30T10:00:00Z",
            "content": {"contentType": "image/png", "url": "Binary/b1", "title": "Photograph of the leg"},
        }  # fmt: skip
        rows["DocumentReference/s1"] = {
            "resourceType": "DocumentReference", "id": "s1", "status": "current", "subject": subject,
            "content": [{"attachment": {"contentType": "application/pdf", "title": "Letter",
                                        "data": base64.b64encode(scan()).decode()}}],
        }  # fmt: skip
        rows["Media/m2"] = rows["Media/m1"] | {
            "id": "m2", "content": {"contentType": "image/png", "url": "https://evil.example/x", "title": "Far away"}
        }  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def reader(site: Site) -> tuple[Any, str]:
    """A browser with the documents read, and the review's path."""
    browser = site.browser()
    path = opened(site, browser, site.launch(PATIENT))
    token = csrf(browser.get(path, base_url=APP).text)
    browser.post(f"{path}/ask", data={"csrf": token, "read": "1"}, base_url=APP)
    return browser, path


def test_the_page_of_questions_leads_to_images_and_scanned_pages(reader: tuple[Any, str]) -> None:
    """Each beside its document; what lies on another server is not fetched, and has no link."""
    browser, path = reader
    page = browser.get(f"{path}/ask", base_url=APP).text
    assert f"{path}/{LOOK}" in page
    assert f"{path}/look/DocumentReference/s1/1" in page
    assert "look/Media/m2" not in page
    assert "Far away" in page


@pytest.mark.parametrize("where", [PICTURE, "picture/DocumentReference/s1/1"])
def test_an_image_is_shown_as_png_rendered_anew(reader: tuple[Any, str], where: str) -> None:
    """From a Binary of the same server, and from the page of a scanned PDF."""
    browser, path = reader
    got = browser.get(f"{path}/{where}", base_url=APP)
    assert got.status_code == 200
    assert got.mimetype == "image/png"
    assert Image.open(io.BytesIO(got.data)).format == "PNG"


def test_a_reading_stands_under_its_label_in_history_and_audit(
    site: Site, model: Model, reader: tuple[Any, str]
) -> None:
    """On the image's page and among the questions; the audit record has the digest of what was sent."""
    browser, path = reader
    token = csrf(browser.get(f"{path}/{LOOK}", base_url=APP).text)
    sent = browser.post(f"{path}/{LOOK}", data={"csrf": token, "question": "What is seen?"}, base_url=APP)
    assert sent.status_code == 302
    for page in (browser.get(f"{path}/{LOOK}", base_url=APP).text, browser.get(f"{path}/ask", base_url=APP).text):
        assert page.index(LABEL) < page.index("A picture of 30 by 20.")
        assert "What is seen?" in page
    with site.store.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT content FROM audit WHERE kind = 'dialogue' ORDER BY seq").all()
    entry = json.loads(rows[-1].content)
    assert entry["unverified_reading"] == "A picture of 30 by 20."
    assert entry["image"] == "Media/m1#p1"
    assert len(entry["image_sha256"]) == 64
    assert "Alvarez" not in model.sent()


def test_without_a_vision_model_a_sentence_says_so(
    reader: tuple[Any, str], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is shown, no form is; what is sent all the same gets the same sentence and asks nobody."""
    browser, path = reader
    token = csrf(browser.get(path, base_url=APP).text)
    calls = len(model.received)
    from cds_service.dialogue import images

    monkeypatch.setattr(Asker, "no_images", lambda _: images.NO_MODEL)
    page = browser.get(f"{path}/{LOOK}", base_url=APP).text
    assert "No language model that reads images is set" in page
    assert "<textarea" not in page
    assert f"{path}/{PICTURE}" in page
    browser.post(f"{path}/{LOOK}", data={"csrf": token, "question": "And now?"}, base_url=APP)
    assert "you can look at the image" in browser.get(f"{path}/{LOOK}", base_url=APP).text
    assert len(model.received) == calls


@pytest.mark.parametrize(
    ("where", "status"),
    [("look/Media/m9/1", 404), ("look/Media/m1/7", 404), ("picture/Media/m2/1", 404), ("picture/Patient/x/1", 404)],
)
def test_an_image_that_is_not_there_is_a_page_with_a_sentence(reader: tuple[Any, str], where: str, status: int) -> None:
    """Another document, another page, another server, another type."""
    browser, path = reader
    assert browser.get(f"{path}/{where}", base_url=APP).status_code == status
