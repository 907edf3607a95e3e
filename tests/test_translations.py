"""Simplified Chinese, whole: nothing a clinician reads is left in English, and no number changes."""

import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from cds_service.app import create_app, create_pipeline
from cds_service.clock import FixedClock
from cds_service.protocol.response import HookResponse
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.requests import CALLS
from cds_service.settings import Settings
from tests.answers import loaded

ROOT = Path(__file__).parent.parent
PO = ROOT / "cds_service" / "locale" / "zh_CN" / "LC_MESSAGES" / "curbside.po"
STEMS = [f"{service}.{sample}" for service, sample in CALLS]
HAN = re.compile(r"[\u4e00-\u9fff]")
PLACE = re.compile(r"\{\w+\}")
# Names that Chinese clinicians write in Latin letters.
NAMES = {
    "CHA2DS2-VA", "CHA2DS2-VASc", "CURB-65", "Child-Pugh", "FIB-4", "FINDRISC", "HAS-BLED", "INR", "LACE", "MELD 3.0",
    "CKD-EPI 2021", "Cockcroft-Gault", "KFRE", "NEWS2", "SNRIs", "SOFA", "SSRIs", "SOFA (1996)", "eGFR", "qSOFA",
}  # fmt: skip
DATES = re.compile(r"(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4})")
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@cache
def chinese() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """All that `make messages` finds in the code, the pages and the knowledge base."""
    pot = tmp_path_factory.mktemp("messages") / "curbside.pot"
    found = re.search(r"^KEYWORDS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    folders = [f"--mapping-file={ROOT / 'babel.cfg'}", *found[1].split(), f"--output-file={pot}", str(ROOT)]
    CommandLineInterface().run(["pybabel", "-q", "extract", *folders])
    with pot.open("rb") as file:
        return read_po(file)


def lacking(said: Catalog) -> dict[str, str]:
    """Texts without Chinese words, and a file that says each."""
    catalogue = chinese()
    texts = {str(message.id): message.locations[0][0] for message in said if message.id}
    return {text: file for text, file in texts.items() if (found := catalogue.get(text)) is None or not found.string}


def test_what_every_card_says_has_chinese_words(said: Catalog) -> None:
    """Layout, scores' wording, explanations, inputs and refusals: not one text would appear in English."""
    core = ("cds_service/cards.py", "cds_service/risk/", "cds_service/explain/", "cds_service/features/")
    found = [text for text, file in lacking(said).items() if file.replace("\\", "/").startswith(core)]
    assert found == [], f"run `make messages` and translate these in {PO.name}"


def test_at_least_99_of_100_texts_have_chinese_words(said: Catalog) -> None:
    """Services, scores, the review app, drug safety: what lacks words appears in English, and is rare."""
    assert len(said) > 3000
    assert len(lacking(said)) <= len(said) // 100, f"run `make messages` and translate in {PO.name}: {lacking(said)}"


def test_a_translation_is_not_the_english_text() -> None:
    """Each holds Chinese characters, or is a name or a mere frame of places."""
    english = []
    for message in chinese():
        left = PLACE.sub("", str(message.id))
        for name in sorted(NAMES, key=len, reverse=True):
            left = left.replace(name, "")
        if re.search(r"[A-Za-z]{3}", left) and not HAN.search(str(message.string)):
            english.append(message.id)
    assert english == []


def test_a_translation_is_punctuated_in_chinese() -> None:
    """No comma, semicolon or full stop of Latin script between or after Chinese characters."""
    odd = re.compile(r"[\u4e00-\u9fff][,;?!]|[\u4e00-\u9fff]\.(?:\s|$)")
    assert [str(m.string) for m in chinese() if m.string and odd.search(str(m.string))] == []


@cache
def client() -> Any:
    settings = Settings().with_("models", show_unvalidated=True).with_("cards", language="zh_Hans")
    pipeline = create_pipeline(settings, FixedClock(AS_OF), None, loaded())
    return create_app(settings, FixedClock(AS_OF), pipeline=pipeline).test_client()


def numbers(text: str) -> set[str]:
    """The numbers of a text, its dates written alike, without those in names such as HbA1c."""
    alike = DATES.sub(lambda d: f"{d[3]}年{MONTHS.index(d[2]) + 1}月{int(d[1])}日", html.unescape(text))
    plain = re.sub(r"[A-Za-z]+\d[A-Za-z0-9]*", "", alike.replace("预警评分2", "预警评分"))
    return set(re.findall(r"\d+(?:\.\d+)?", plain))


@pytest.mark.parametrize("stem", STEMS)
def test_a_sample_is_answered_in_chinese_with_the_same_numbers(stem: str) -> None:
    """Valid cards, summaries short enough and in Chinese, and exactly the numbers of the English card."""
    body = (ROOT / "fhir_samples" / "requests" / f"{stem}.json").read_bytes()
    response = client().post(f"/cds-services/{stem.partition('.')[0]}", data=body, content_type="application/json")
    assert response.status_code == 200
    titles = {one["id"]: one["title"] for one in client().get("/cds-services").get_json()["services"]}
    if not HAN.search(titles[stem.partition(".")[0]]):
        pytest.skip("this service has no Chinese words yet: run `make messages` and translate")
    HookResponse.model_validate(response.get_json())
    english = json.loads((ROOT / "fhir_samples" / "expected" / f"{stem}.json").read_bytes())["cards"]
    cards = response.get_json()["cards"]
    assert len(cards) == len(english)
    for ours, theirs in zip(cards, english, strict=True):
        assert len(ours["summary"]) < 140
        assert HAN.search(ours["summary"])
        # Chinese is shorter: the fuller headline, which the detail of the English card begins with, may fit.
        assert (
            numbers(theirs["summary"])
            <= numbers(ours["summary"])
            <= numbers(theirs["summary"] + " " + theirs["detail"])
        )
        assert [s["uuid"] for s in ours.get("suggestions", [])] == [s["uuid"] for s in theirs.get("suggestions", [])]
        assert all(HAN.search(s["label"]) for s in ours.get("suggestions", []))
        for action in (one for s in ours.get("suggestions", []) for one in s["actions"] if "resource" in one):
            ordered = action["resource"]
            named = ordered.get("code") or ordered["medicationCodeableConcept"]
            assert HAN.search(named["text"]), named["text"]
            assert all(HAN.search(why["text"]) for why in ordered.get("reasonCode", [])), ordered["reasonCode"]
        assert all(HAN.search(reason["display"]) for reason in ours["overrideReasons"])
        assert numbers(ours["detail"]) == numbers(theirs["detail"])
