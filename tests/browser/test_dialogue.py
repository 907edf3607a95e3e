"""Questions in a real browser: sentence by sentence, with citations that open, and doubts told as doubts."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any

from PIL import Image
from test_pages import NARROW, WIDE, chart, in_own_window, overflow, violations

from cds_service.summary.cleaning import MARK

Open = Callable[..., Any]


def saying(about: str, *texts: str) -> Callable[[dict[str, Any]], str]:
    """A model that says some sentences, each citing the line that holds a word."""

    def speak(body: dict[str, Any]) -> str:
        lines = body["messages"][-1]["content"].replace(MARK, " ")
        found = re.search(rf"^(E\d+) \|[^\n]*{about}", lines, re.M)
        cites = [found[1] if found else "E1"]
        return "".join(json.dumps({"text": text, "cites": cites}, ensure_ascii=False) + "\n" for text in texts)

    return speak


def test_an_answer_appears_sentence_by_sentence_and_its_citation_opens(place: Any, new_page: Open) -> None:
    """The first is read while the second is not yet written; what nothing supports is folded, and struck out."""
    place.model.behaviours[:] = ["paced"]
    place.model.speak = saying(
        "amoxicillin", "Anaphylaxis after amoxicillin in 2019.", "No known allergies.", "Amoxicillin is safe."
    )
    page = new_page(viewport=WIDE)
    chart(page, place, "contradictory")
    review = in_own_window(page)
    review.get_by_role("link", name="Earlier questions and documents").click()
    review.get_by_label("Question").fill("Any allergy to amoxicillin?")
    review.get_by_role("button", name="Ask").click(no_wait_after=True)
    review.locator("#latest .answer").first.wait_for()
    assert review.locator("#latest .answer").count() == 1
    assert review.locator("#latest details.doubts").count() == 0
    review.get_by_text("More may follow").wait_for()
    for _ in range(2):
        place.model.line.release()
    review.locator("#latest details.doubts").wait_for()
    assert review.locator("#latest .waiting:visible").count() == 0
    assert not review.locator("#latest del").first.is_visible()
    review.locator("#latest summary").click()
    assert review.locator("#latest del").all_inner_texts() == ["No known allergies.", "Amoxicillin is safe."]
    assert violations(review) == []
    review.locator("#latest .answer a.source").first.click()
    review.wait_for_url("**/sources/DocumentReference/contradictory-note-1#s1")
    assert "Anaphylaxis after amoxicillin in 2019" in review.locator("#s1").inner_text()
    place.model.behaviours[:] = ["answer"]


def test_a_chinese_question_on_a_chinese_record(place: Any, new_page: Open) -> None:
    """In Chinese, on a narrow and dark screen: nothing is cut off, and the contrast holds."""
    place.model.behaviours[:] = ["answer"]
    place.model.speak = saying("高血压", "患者患有原发性高血压。", "患者无高血压病史。")
    page = new_page(viewport=WIDE)
    chart(page, place, "chinese-record")
    review = in_own_window(page)
    review.get_by_role("link", name="简体中文").click()
    review.get_by_role("link", name="既往提问与文书").click()
    review.locator("textarea").fill("患者有高血压吗？")
    review.locator("#ask button").click()
    answer = review.locator("#latest .answer")
    answer.first.wait_for()
    assert "患者患有原发性高血压。" in answer.first.inner_text()
    assert answer.count() == 1
    review.locator("#latest summary").click()
    assert review.locator("#latest del").all_inner_texts() == ["患者无高血压病史。"]
    assert review.locator("html").get_attribute("lang") == "zh-Hans"
    review.set_viewport_size(NARROW)
    review.emulate_media(color_scheme="dark")
    assert overflow(review) == 0
    assert violations(review) == []


def test_an_image_is_looked_at_and_the_page_says_why_it_cannot_be_asked_about(place: Any, new_page: Open) -> None:
    """Shown within its page, at any width; without a model that reads images a sentence says so."""
    out = io.BytesIO()
    Image.effect_noise((300, 200), 40).save(out, "JPEG")
    content = {"contentType": "image/jpeg", "title": "Wound", "data": base64.b64encode(out.getvalue()).decode()}
    place.ehr.charts["contradictory"].shelf.rows["Media/m1"] = {
        "resourceType": "Media", "id": "m1", "status": "completed", "subject": {"reference": "Patient/contradictory"},
        "content": content,
    }  # fmt: skip
    page = new_page(viewport=WIDE)
    chart(page, place, "contradictory")
    review = in_own_window(page)
    review.get_by_role("link", name="Earlier questions and documents").click()
    review.get_by_role("button", name="Read the chart and its documents").click()
    review.get_by_role("link", name="Look at the image").click()
    shown = review.locator("figure.image img")
    shown.wait_for()
    review.wait_for_load_state()
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [300, 200]
    assert "No language model that reads images is set" in review.locator("main").inner_text()
    review.set_viewport_size(NARROW)
    assert overflow(review) == 0
    assert violations(review) == []
