"""Chinese: every message of the summary has its words, with the same named places; tags of languages are read."""

import ast
import re
from datetime import date
from functools import lru_cache
from pathlib import Path

import orjson
import pytest
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from cds_service.cli import run
from cds_service.cli.calls import sample
from cds_service.features.catalogue import all_features
from cds_service.features.feature import Quantity
from cds_service.language import language_of, msg, words

ROOT = Path(__file__).parent.parent / "cds_service"
PO = ROOT / "locale" / "zh_CN" / "LC_MESSAGES" / "curbside.po"
PLACE = re.compile(r"\{(\w+)\}")


def messages(path: Path) -> set[str]:
    """The texts that a module passes to `msg`."""
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    named = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "msg" and c.args]
    return {c.args[0].value for c in named if isinstance(c.args[0], ast.Constant)}


@lru_cache(maxsize=1)
def chinese() -> Catalog:
    """All messages with their Chinese words, read once."""
    with PO.open("rb") as file:
        return read_po(file)


SUMMARY = sorted({text for path in (ROOT / "summary").glob("*.py") for text in messages(path)})
LABELS = sorted({f.label.text for f in all_features() if isinstance(f, Quantity)})


@pytest.mark.parametrize("text", [*SUMMARY, *LABELS])
def test_every_message_of_the_summary_has_chinese_words(text: str) -> None:
    """Nothing falls back to English in the middle of a Chinese summary."""
    found = chinese().get(text)
    assert found is not None, f"{PO.name} lacks {text!r}: run make messages and translate it"
    assert found.string


def test_a_translation_keeps_the_places_of_its_message() -> None:
    """A value that is dropped or misnamed would be a lie or a crash."""
    for entry in chinese():
        if entry.id and entry.string:
            assert sorted(PLACE.findall(entry.id)) == sorted(PLACE.findall(entry.string)), entry.id


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh-CN", "zh_Hans"), ("zh_CN", "zh_Hans"), ("zh-Hans", "zh_Hans"), ("en", "en"), ("en-GB", "en"), ("fr", None)],
)
def test_tags_of_languages_are_understood(tag: str, language: str | None) -> None:
    """As EHRs and people write them; another language is none."""
    assert language_of(tag) == language


def test_a_message_without_chinese_words_stays_english() -> None:
    """Never empty."""
    assert words("zh_Hans")(msg("No such message {x}", x=1)) == "No such message 1"


def test_the_summary_of_a_record_is_printed_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    """Headings, words and dates."""
    assert (
        run(["summarise", str(sample("heart-failure")), "--language", "zh-CN", "--as-of", "2026-11-01T09:00:00Z"]) == 0
    )
    shown = capsys.readouterr().out
    assert "过敏史" in shown
    assert "血红蛋白 12.6 g/dL，低于 13.5–17.5，2026年10月12日" in shown


def test_a_language_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and what there is."""
    assert run(["summarise", str(sample("heart-failure")), "--language", "fr"]) == 2
    assert "Give en or zh-CN" in capsys.readouterr().err


def test_the_json_of_a_summary_tells_each_facts_status_certainty_and_person(capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: numbered, with everything that a line rests on."""
    assert run(["summarise", str(sample("heart-failure")), "--json", "--as-of", "2026-11-01T09:00:00Z"]) == 0
    lines = orjson.loads(capsys.readouterr().out)["lines"]
    assert [line["id"] for line in lines] == [f"F{n}" for n in range(1, len(lines) + 1)]
    medicine = next(line for line in lines if line["kind"] == "medication")
    assert (medicine["status"], medicine["certainty"], medicine["about"]) == ("active", "confirmed", "patient")


@pytest.mark.parametrize("month", range(1, 13))
def test_english_dates_are_those_of_babel(month: int) -> None:
    """What is written without loading Babel is what Babel writes."""
    day = date(2026, month, 6)
    assert words("en").date(day) == format_date(day, "d MMM y", locale="en")
