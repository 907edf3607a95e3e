"""One sentence against the resources that it cites."""

from __future__ import annotations

import re

from cds_service.summary.chart import Chart

_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")


def judge(text: str, cites: tuple[str, ...], chart: Chart) -> tuple[str, ...]:
    """Why the cited resources do not support the sentence; empty if they do."""
    if not cites:
        return ("the sentence cites nothing",)
    reasons = []
    known: set[str] = set()
    for cite in cites:
        found = chart.find(cite)
        if found is None or found.erroneous or found.reference in chart.foreign:
            reasons.append(f"{cite} is not a usable resource of this patient")
            continue
        for _, words in found.names:
            known |= set(_TOKEN.findall(words.lower()))
        known |= {f"{amount.value:g}" for amount in found.amounts}
    reasons += [f"not in what is cited: {word}" for word in _TOKEN.findall(text.lower()) if word not in known]
    return tuple(reasons)
