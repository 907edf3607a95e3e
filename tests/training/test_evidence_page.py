"""The page of figures is that of the cards."""

import re
from pathlib import Path

from cds_service.training import evidence_page

ROOT = Path(__file__).parent.parent.parent


def test_the_page_of_figures_is_that_of_the_cards() -> None:
    """One command writes it; every trained model with a card is there, with intervals."""
    text = evidence_page.page()
    assert (ROOT / "docs" / "evidence" / "models.md").read_text(encoding="utf-8") == text
    for card in (ROOT / "models").glob("*/card.md"):
        assert f"## {card.parent.name}\n" in text


def test_what_the_page_says_of_ceilings_is_what_the_cards_say() -> None:
    """A model trained anew, or compared with better tuned trees, cannot leave an old figure in the words."""
    rows = [line for line in evidence_page.page().splitlines() if line.startswith(("| ceiling", "| age and sex"))]
    said = re.findall(r"(0\.\d{3})[^.;:]*? and (0\.\d{3})[^.;:]*? here", evidence_page.CEILINGS)
    assert len(said) == 4
    for figure in {figure for pair in said for figure in pair}:
        assert any(f"| {figure} (" in row for row in rows), figure
