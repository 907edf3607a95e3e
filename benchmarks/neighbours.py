"""The nearest neighbours of a sentence: one number, month, drug, direction, side or time of day changed.

Most say something else than the record; some stay true (`below 61` for 59) or say nothing (`below low`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_SWAPS = (
    "rose/fell", "risen/fallen", "improved/worsened", "increased/decreased", "high/low", "raised/reduced", "left/right",
    "before/after", "above/below", "more than/less than", "highest/lowest", "mild/severe", "normal/high", "normal/low",
    "daily/twice daily", "twice daily/three times daily", "morning/night", "active/resolved", "suspected/confirmed",
    "metformin/glipizide", "apixaban/rivaroxaban", "asthma/COPD", "pneumonia/bronchitis", "tablet/capsule", "mg/mcg",
    "mg/dL/mmol/L", "kg/lb", "She/He", "yesterday/today", "last year/this year", "stable/rising", "slightly/markedly",
    "two/three", "three/four", "升/降", "高于/低于", "偏高/偏低", "左/右", "增加/减少", "最高/最低", "正常/偏高",
    "每日一次/每日两次",    "每日两次/每日三次",
    "二甲双胍/格列美脲", "哮喘/慢阻肺", "昨日/今日", "有/无", "两/三", "三/四",
)  # fmt: skip
_CHANGES: tuple[Callable[[float], float], ...] = (
    lambda v: v * 1.25, lambda v: v + 1 if v >= 1 else v + 0.3, lambda v: v * 10, lambda v: v - 1 if v > 1 else v * 2,
)  # fmt: skip


def neighbours(text: str) -> set[tuple[str, str]]:
    """What was changed, and the sentence with it."""
    return set(_numbers(text)) | set(_months(text)) | set(_swapped(text))


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\d+(?:\.(\d+))?", text):
        for change in _CHANGES:
            other = f"{change(float(match[0])):.{len(match[1] or '')}f}"
            if other != match[0]:
                yield "a number", text[: match.start()] + other + text[match.end() :]


def _months(text: str) -> Iterator[tuple[str, str]]:
    for at, name in enumerate(_MONTHS):
        if re.search(rf"\b{name}\b", text):
            yield "a month", re.sub(rf"\b{name}\b", _MONTHS[(at + 2) % 12], text, count=1)


def _swapped(text: str) -> Iterator[tuple[str, str]]:
    for pair in _SWAPS:
        parts = pair.split("/")
        half = len(parts) // 2
        one, other = "/".join(parts[:half]), "/".join(parts[half:])
        for old, new in ((one, other), (other, one)):
            pattern = rf"\b{re.escape(old)}\b" if old.isascii() else re.escape(old)
            if re.search(pattern, text):
                yield "a word", re.sub(pattern, new, text, count=1)
