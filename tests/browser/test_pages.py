"""The sandbox EHR and the review app as a person meets them, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import half_a_year
import pytest

from cds_service.monitoring import to_json
from cds_service.sandbox.chart import AS_OF

Open = Callable[..., Any]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 320, "height": 700}


def chart(page: Any, place: Any, patient: str, button: str | None = None, hook: str = "encounter-start") -> None:
    """Opens a chart, presses a button if one is named, and waits for the answer to that hook."""
    page.goto(f"{place.url}/patients/{patient}")
    page.wait_for_selector(".timing:not(:empty)")
    if button is not None:
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_selector(f".panel-title .meta:text-is('{hook}')")
        page.wait_for_selector("#cards:not([aria-busy])")


def in_own_window(page: Any) -> Any:
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="in its own window").first.click()
    window = opened.value
    window.wait_for_selector("h1")
    return window


def framed(page: Any) -> Any:
    page.locator("button.smart").first.click()
    frame = page.frame_locator("#frame")
    frame.locator("#answers").wait_for()
    return frame


WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}  # all that another colour scheme can change


def violations(page: Any, rules: dict[str, Any]) -> list[str]:
    """What axe finds, in one line each."""
    api = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = api.Axe().run(page, options={"runOnly": rules}).response["violations"]
    return [f"{one['id']}: {one['help']} {[n['html'][:120] for n in one['nodes']][:3]}" for one in found]


def overflow(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_a_card_opens_its_review_in_a_frame_although_other_sites_cookies_are_blocked(
    place: Any, new_page: Open
) -> None:
    """The launch goes through in the EHR's frame, and the framed page leaves the banner to the EHR."""
    page = new_page(viewport=WIDE)
    chart(page, place, "missing-lipids")
    frame = framed(page)
    assert not frame.locator(".person").is_visible()
    assert "cardiovascular risk" in frame.locator("main").inner_text()


def test_two_patients_in_two_windows_stay_apart(place: Any, new_page: Open) -> None:
    """The first window still shows its own patient after the second was opened."""
    page = new_page(viewport=WIDE)
    chart(page, place, "missing-lipids")
    first = in_own_window(page)
    name = first.locator(".person h1").inner_text()
    chart(page, place, "heart-failure")
    second = in_own_window(page)
    other = second.locator(".person h1").inner_text()
    assert name != other
    first.reload()
    assert first.locator(".person h1").inner_text() == name


def test_a_citation_opens_and_leads_back(place: Any, new_page: Open) -> None:
    """From a reason to the resource that it rests on, and back."""
    page = new_page(viewport=WIDE)
    chart(page, place, "acute-deterioration", "Admit")
    review = in_own_window(page)
    review.locator("a.source").first.click()
    review.wait_for_selector("pre")
    assert "resourceType" in review.locator("pre").inner_text()
    review.get_by_role("link", name="Back to the review").click()
    review.wait_for_selector("#answers")


def test_an_override_with_the_keyboard_alone(place: Any, new_page: Open) -> None:
    """No mouse: the form is reached, filled and sent by keys, and the page says what was kept."""
    page = new_page(viewport=WIDE)
    chart(page, place, "heart-failure")
    review = in_own_window(page)
    review.locator("summary", has_text="Override or snooze").first.focus()
    review.keyboard.press("Enter")
    review.keyboard.press("Tab")
    review.keyboard.press("ArrowDown")
    review.keyboard.press("Tab")
    review.keyboard.type("already discussed")
    review.keyboard.press("Tab")
    review.keyboard.press("Enter")
    review.wait_for_selector(".answered")
    assert "Overridden" in review.locator(".answered").first.inner_text()


def test_a_suggestion_taken_in_the_ehr_is_in_the_chart(place: Any, new_page: Open) -> None:
    """Accept on the card: the draft is in the chart's orders."""
    page = new_page(viewport=WIDE)
    chart(page, place, "acute-deterioration", "Admit")
    page.locator(".suggestion button").first.click()
    page.wait_for_selector(".done")
    assert "Feedback was sent" in page.locator(".done").first.inner_text()
    page.reload()
    page.wait_for_selector(".drafts li")


def test_a_changed_input_gives_the_exact_estimate_and_no_promise(place: Any, new_page: Open) -> None:
    """A lower pressure in the form: another number, worded as arithmetic; an impossible one is refused by name."""
    page = new_page(viewport=WIDE)
    chart(page, place, "primary-prevention")
    review = in_own_window(page)
    review.get_by_role("link", name="What if other values were measured?").first.click()
    field = review.get_by_label("Systolic blood pressure")
    before = float(field.input_value())
    field.fill(str(before - 10))
    review.get_by_role("button", name="Calculate").click()
    review.wait_for_selector("td strong")
    now, then = (review.locator("tbody tr").first.locator("td").nth(n).inner_text() for n in (0, 1))
    assert now != then
    assert "does not say what a treatment would do" in review.locator("main").inner_text()
    assert violations(review, WCAG) == []
    review.get_by_label("Systolic blood pressure").fill("250")
    review.get_by_role("button", name="Calculate").click()
    review.wait_for_selector(".refusal")


def test_the_review_speaks_chinese(place: Any, new_page: Open) -> None:
    """The language is switched on the page, the page says which it is in, and its headings are Chinese."""
    page = new_page(viewport=WIDE)
    chart(page, place, "missing-lipids")
    review = in_own_window(page)
    review.get_by_role("link", name="简体中文").click()
    review.wait_for_selector("html[lang='zh-Hans']")
    assert review.get_by_role("heading", name="您的决定").is_visible()
    assert review.get_by_role("heading", name="病历摘要").is_visible()
    assert "未计算" in review.locator("main").inner_text()


@pytest.mark.parametrize(("scheme", "rules"), [("light", WCAG), ("dark", CONTRAST)], ids=["light", "dark"])
def test_axe_finds_nothing(place: Any, new_page: Open, scheme: str, rules: dict[str, Any]) -> None:
    """WCAG 2.2 AA on every page of the EHR and of the app."""
    page = new_page(viewport=WIDE, color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for path in ("/", "/exchanges", "/switches"):
        page.goto(place.url + path)
        found[path] = violations(page, rules)
    chart(page, place, "acute-deterioration", "Admit")
    found["chart"] = violations(page, rules)
    review = in_own_window(page)
    review.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found["review"] = violations(review, rules)
    place.watching.keep_counts(AS_OF, to_json(half_a_year.example()))
    for link in ("Governance", "Monitoring: shifts"):
        review.get_by_role("link", name=link).click()
        review.wait_for_selector("h2")
        review.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found[link] = violations(review, rules)
    review.set_viewport_size(NARROW)
    assert overflow(review) <= 0
    review.goto(f"{place.app}/app/")
    found["home"] = violations(review, rules)
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["320", "1440"])
def test_nothing_is_cut_off(place: Any, new_page: Open, size: dict[str, int]) -> None:
    """In a side panel of 320 pixels as on a wide screen, a page never scrolls sideways."""
    page = new_page(viewport=size)
    chart(page, place, "missing-lipids")
    assert overflow(page) <= 0
    review = in_own_window(page)
    review.set_viewport_size(size)
    assert overflow(review) <= 0


def test_hostile_text_does_nothing(place: Any, new_page: Open) -> None:
    """A record full of markup: no dialog opens, no script of its own runs, nothing is asked of other hosts."""
    page = new_page(viewport=WIDE)
    page.on("dialog", lambda dialog: place.errors.append("a dialog opened"))
    chart(page, place, "hostile-text")
    review = in_own_window(page)
    assert review.locator("main script").count() == 0


def test_a_refusal_is_a_page_with_a_way_on(place: Any, new_page: Open, browser: Any) -> None:
    """An address of another browser's review: a sentence, and where to go."""
    page = browser.new_page()
    page.goto(f"{place.app}/app/r/AAAAAAAAAAAAAAAA")
    assert "That was not possible" in page.locator("h1").inner_text()
    assert "Go back to the EHR" in page.locator("main").inner_text()
    page.close()
