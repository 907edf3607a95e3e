"""Every item of TRIPOD+AI leads somewhere in every card, or says that it leads nowhere."""

from pathlib import Path

import pytest

from cds_service.errors import PluginError
from cds_service.training import tripod

ROOT = Path(__file__).parent.parent.parent
MAIN_ITEMS = 27


def test_the_page_is_that_of_the_cards() -> None:
    """One command writes it, from the sections that the cards have now."""
    assert (ROOT / "docs" / "evidence" / "tripod-ai.md").read_text(encoding="utf-8") == tripod.page()


def test_all_items_are_there_and_each_is_answered() -> None:
    """Twenty-seven items, each with sections, words, or both."""
    numbers = [one.number.rstrip("abcdefg") for one in tripod.ITEMS]
    assert sorted(set(numbers), key=int) == [str(number) for number in range(1, MAIN_ITEMS + 1)]
    assert len({one.number for one in tripod.ITEMS}) == len(tripod.ITEMS)
    assert all(one.sections or one.words for one in tripod.ITEMS)


def test_sections_that_a_card_has_not_are_named() -> None:
    """Either of two titles will do; what is missing is told by its first."""
    titles = [section.partition("|")[2] or section for one in tripod.ITEMS for section in one.sections]
    assert tripod.lacking(titles) == []
    assert "Limits" in tripod.lacking([one for one in titles if one != "Limits"])


def test_a_card_that_answers_an_item_nowhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is not written as long as a card leaves an item open."""
    (tmp_path / "thin").mkdir()
    (tmp_path / "thin" / "card.md").write_text("# Thin\n\n## Data\n\nRows.\n", encoding="utf-8")
    monkeypatch.setattr(tripod, "shipped", lambda _: tmp_path)
    with pytest.raises(PluginError, match="card of thin answers item 3a"):
        tripod.page()
