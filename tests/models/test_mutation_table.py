"""The table of mutations is that of the code: every score is in it, and no number has changed since."""

import re
from collections.abc import Mapping
from types import ModuleType

from mutation_table import PAGE, WHY, digest

ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| .* \| ([0-9a-f]{12}) \|$", re.M)


def test_the_table_of_mutations_is_current(scores: Mapping[str, ModuleType]) -> None:
    """Make it anew with `python tests/models/mutation_table.py` after a number of a score has changed."""
    rows = {name: (int(tried), int(caught), held) for name, tried, caught, held in ROW.findall(PAGE.read_text())}
    assert set(rows) == set(scores)
    stale = [name for name, (_, _, held) in rows.items() if held != digest(scores[name])]
    assert stale == []
    assert all(tried > 0 for tried, _, _ in rows.values())


def test_what_survives_is_explained(scores: Mapping[str, ModuleType]) -> None:
    """Two mutations of SCORE2 are the same score; nothing else escapes."""
    text = PAGE.read_text()
    missed = {name: int(tried) - int(caught) for name, tried, caught, _ in ROW.findall(text)}
    assert {name: count for name, count in missed.items() if count} == {"score2": len(WHY)}
    assert all(f"`{name}`" in text for name in WHY)
