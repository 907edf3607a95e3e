"""The plots of a report as SVG text, the same for the same figures; letters are drawn as shapes for any reader."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cds_service.cohort.judging import Judgement

_STYLE: Any = {"svg.hashsalt": "curbside", "svg.fonttype": "path", "font.size": 9, "font.family": "DejaVu Sans"}
_BLUE, _GREY, _RED = "#1f4e79", "0.6", "#b03a2e"


def calibration(judged: Judgement) -> str:
    """Observed share along the estimates, smoothed, with how many people are where."""
    assert judged.curve is not None
    x, y = judged.curve
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("estimate", "share with the outcome")
        top = min(float(max(x.max(), y.max())) * 1.1, 1.0)
        axes.plot([0, top], [0, top], color=_GREY, linewidth=1, label="as estimated")
        axes.plot(x, y, color=_BLUE, linewidth=1.6, label="observed, smoothed")
        counts, edges = np.histogram(judged.of.values, bins=30, range=(0, top))
        axes.bar(edges[:-1], counts / counts.max() * top * 0.12, np.diff(edges), align="edge", color="0.85")
        axes.set(xlim=(0, top), ylim=(0, top))
        axes.legend(frameon=False)
        return _svg(figure)


def benefit(judged: Judgement) -> str:
    """Net benefit of the cards at each threshold, against cards for everybody and for nobody."""
    steps = [at for at in judged.thresholds if at.benefit is not None]
    x = [100 * at.threshold for at in steps]
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("threshold (%)", "net benefit")
        axes.plot(x, [at.benefit[0] for at in steps if at.benefit], color=_BLUE, marker="o", ms=3, label="by estimate")
        everybody = [at.benefit[1] for at in steps if at.benefit]
        axes.plot(x, everybody, color=_GREY, linewidth=1, label="cards for everybody")
        axes.axhline(0, color="0.3", linewidth=0.8, label="for nobody")
        highest = max((at.benefit[0] for at in steps if at.benefit), default=0.1)
        axes.set_ylim(-0.3 * max(highest, 0.01), 1.2 * max(highest, 0.01))
        axes.legend(frameon=False)
        return _svg(figure)


def use(judged: Judgement) -> str:
    """How often cards would appear and be right at each threshold."""
    steps = [at for at in judged.thresholds if at.right is not None]
    unit = "threshold (%)" if judged.of.probability else "threshold (points)"
    x = [100 * at.threshold if judged.of.probability else at.threshold for at in steps]
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(unit, "%")
        axes.plot(x, [at.per_100 for at in steps], color=_GREY, marker="s", ms=3, label="cards in 100 calls")
        axes.plot(x, [100 * at.right.value for at in steps if at.right], color=_BLUE, marker="o", ms=3, label="right")
        found = [100 * at.found.value if at.found else 0.0 for at in steps]
        axes.plot(x, found, color=_RED, marker="^", ms=3, label="of all outcomes, found")
        axes.set_ylim(0, 100)
        axes.legend(frameon=False)
        return _svg(figure)


def over_time(judged: Judgement) -> str:
    """Observed over expected number by quarter, with intervals."""
    known = [month for month in judged.months if month.observed_expected is not None]
    ratios = [month.observed_expected for month in known if month.observed_expected]
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("", "observed / expected", width=6.4)
        middle = [ratio.value for ratio in ratios]
        spread = np.array([[r.value - r.low for r in ratios], [r.high - r.value for r in ratios]])
        axes.axhspan(0.8, 1.25, color="0.93")
        axes.axhline(1, color=_GREY, linewidth=1)
        axes.errorbar(range(len(known)), middle, yerr=spread, fmt="o", ms=3, color=_BLUE, linewidth=1)
        axes.set_xticks(range(len(known)), [month.name for month in known], rotation=60)
        axes.set_ylim(0, min(max([r.high for r in ratios], default=2.0), 5.0) * 1.05)
        return _svg(figure)


def every(judged: Judgement) -> Sequence[tuple[str, str]]:
    """All plots that the figures allow: what each shows, and the SVG."""
    found = []
    if judged.curve is not None:
        found += [
            ("Calibration: where the thick line is above the thin one, more came than was estimated.",
             calibration(judged)),
            ("Net benefit: the line with dots should lie above both others at the threshold that is used.",
             benefit(judged)),
        ]  # fmt: skip
    if any(at.right is not None for at in judged.thresholds):
        found.append(
            ("How often cards would appear at each threshold, and how often they would be right.", use(judged))
        )
    if any(month.observed_expected is not None for month in judged.months):
        found.append(("Observed over expected by quarter; within the grey band is as usual.", over_time(judged)))
    return found


def _figure(x: str, y: str, width: float = 4.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
