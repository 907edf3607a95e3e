"""The page of figures is that of the cards."""

from pathlib import Path

from cds_service.training import evidence_page

ROOT = Path(__file__).parent.parent.parent


def test_the_page_of_figures_is_that_of_the_cards() -> None:
    """One command writes it; every trained model with a card is there, with intervals."""
    text = evidence_page.page()
    assert (ROOT / "docs" / "evidence" / "models.md").read_text(encoding="utf-8") == text
    for card in (ROOT / "models").glob("*/card.md"):
        assert f"## {card.parent.name}\n" in text
