"""Reference limits in a sentence: `lower limit 13.5`, `above the upper limit of 5.1`, `range 4 to 11`."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.summary.amounts import Number, agrees
from cds_service.summary.evidence import Part
from cds_service.summary.lexicon import Token

_LIMIT_WORDS = {
    "upper limit": 1, "reference limit": 1, "upper reference limit": 1, "上限": 1, "lower limit": 0,
    "lower reference limit": 0, "下限": 0,
}  # fmt: skip
_OF_RANGE = ("limit", "reference", "上限", "下限", "参考")


def limit_word(tokens: Sequence[Token], at: int) -> int | None:
    """0 for `lower limit 13.5`, 1 for `upper limit 30`; None if the number is no limit."""
    for token in reversed(tokens[max(0, at - 4) : at]):
        text = token.text.lower()
        if text in _LIMIT_WORDS:
            return _LIMIT_WORDS[text]
        if token.kind == "level" and any(word in text for word in _OF_RANGE):
            return 1 if token.value == "high" else 0 if token.value == "low" else None
        if token.kind != "neutral":
            return None
    return None


def has_limit(part: Part, number: Number, side: int) -> bool:
    """True if a number is the lower (0) or upper (1) reference limit of a part."""
    limits = [pair[side] for pair in part.source.limits if len(part.source.limits) == 1]
    return any(a is not None and agrees(number, a, part.source.codes) for a in limits)


def limits(part: Part, low: Number, high: Number) -> bool:
    """True if two numbers are the lower and upper reference limit of a part."""
    for lower, upper in part.source.limits:
        if lower is None or upper is None or low.value != lower.value:
            continue
        if agrees(high, upper, part.source.codes):
            return True
    return False


def outside(part: Part, low: Number, high: Number, comparison: str) -> bool:
    """True if a value lies above or below the two limits that are said."""
    if not limits(part, low, high):
        return False
    return any(
        a.value > high.value if comparison in ("gt", "ge") else a.value < low.value
        for a in part.amounts
        if a.path.startswith("value")
    )
