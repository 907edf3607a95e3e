"""Values in words, as a clinician reads them, in both languages."""

import pytest

from cds_service.language import words
from cds_service.risk.values_in_words import with_unit


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (1, "d", "1 day", "1 天"),
        (8, "d", "8 days", "8 天"),
        (1, "a", "1 year", "1 年"),
        (98, "mm[Hg]", "98 mmHg", "98 mmHg"),
    ],
)
def test_units_that_are_words_have_a_plural_and_a_translation(value, unit, english, chinese):
    """One day is not one days, and a Chinese card has no English days."""
    said = with_unit(value, unit, 0)
    assert (words("en")(said), words("zh_Hans")(said)) == (english, chinese)
