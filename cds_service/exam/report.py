"""What a sitting came to: accuracy with Wilson's interval by subject, beside figures that others published."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.exam.sitting import UNREAD, Result

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Published:
    """What others reported, in per cent."""

    model: str
    percent: float
    source: str


_PALM = "Singhal et al. 2023, Nature 620:172"
_PALM2 = "Singhal et al. 2023, arXiv:2305.09617"
_MEDPROMPT = "Nori et al. 2023, arXiv:2311.16452"
_GPT5 = "Wang et al. 2025, arXiv:2508.08224"
PUBLISHED: Mapping[str, tuple[Published, ...]] = {
    "medqa": (
        Published("Flan-PaLM 540B", 67.6, _PALM),
        Published("Med-PaLM 2", 86.5, _PALM2),
        Published("GPT-4 with Medprompt", 90.2, _MEDPROMPT),
        Published("GPT-4o", 91.0, _GPT5),
        Published("Med-Gemini", 91.1, "Saab et al. 2024, arXiv:2404.18416"),
        Published("GPT-5", 95.8, _GPT5),
    ),
    "medmcqa": (
        Published("Flan-PaLM 540B", 57.6, _PALM),
        Published("Med-PaLM 2", 72.3, _PALM2),
        Published("GPT-4 with Medprompt", 79.1, _MEDPROMPT),
    ),
    "pubmedqa": (
        Published("Flan-PaLM 540B", 79.0, _PALM),
        Published("Med-PaLM 2", 81.8, _PALM2),
        Published("GPT-4 with Medprompt", 82.0, _MEDPROMPT),
    ),
    "zh": (
        Published("Pass mark of the licensing examination (360 of 600)", 60.0, "National Medical Examination Center"),
        Published("Xiaoyi (456 of 600)", 76.0, "iFlytek and Tsinghua University, 2017"),
    ),
}


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share. Source: Wilson 1927, J Am Stat Assoc 22:209."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = right / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def summary(
    dataset: str,
    title: str,
    model: str,
    results: Sequence[Result],
    *,
    there: int | None = None,
    shuffled: bool = False,
    by_chance: float | None = None,
) -> dict[str, Any]:
    """The report as JSON values. Questions that the endpoint did not answer are counted and not part of any share.

    there: how many questions the set has. shuffled: whether their options stood in another order. by_chance: the share
    that guessing gets right; None where there is nothing to guess.
    """
    answered = [result for result in results if not result.failed]
    by: dict[str, list[Result]] = {}
    for result in answered:
        by.setdefault(result.subject, []).append(result)
    return {
        "dataset": dataset,
        "title": title,
        "model": model,
        "all": _share(answered),
        "subjects": {subject: _share(by[subject]) for subject in sorted(by)},
        "failed": len(results) - len(answered),
        "asked": len(results),
        "there": there if there is not None else len(results),
        "shuffled": shuffled,
        "by_chance": round(by_chance, 4) if by_chance is not None else None,
        "unread": {why: n for why in UNREAD if (n := sum(result.unread == why for result in answered))},
        "published": [
            {"model": one.model, "percent": one.percent, "source": one.source} for one in PUBLISHED.get(dataset, ())
        ],
    }


def _share(results: Iterable[Result]) -> dict[str, Any]:
    found = list(results)
    right = sum(result.right for result in found)
    low, high = wilson(right, len(found))
    row = {
        "right": right,
        "of": len(found),
        "accuracy": round(right / len(found), 4) if found else None,
        "low": round(low, 6),
        "high": round(high, 6),
        "unparseable": sum(not result.given for result in found),
    }
    if any(not result.expected for result in found):
        row["elements"] = round(sum(result.share for result in found) / len(found), 4)
    return row


def markdown(report: Mapping[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"# {report['title']}: {report['model']}",
        "",
        "Shares are of answered questions, with Wilson's 95 % interval; an answer that cannot be read counts as wrong.",
        "",
        "| subject | right | of | accuracy | 95 % interval | unparseable |",
        "|---|---|---|---|---|---|",
        *(_line(name, row) for name, row in [*report["subjects"].items(), ("**all**", report["all"])]),
    ]
    if "elements" in report["all"]:
        lines += ["", f"Required elements found: {report['all']['elements']:.1%}."]
    lines += ["", *_honest(report)]
    if report["published"]:
        lines += ["", "| published | accuracy | source |", "|---|---|---|"]
        lines += [f"| {one['model']} | {one['percent']:.1f} % | {one['source']} |" for one in report["published"]]
        lines += ["", "Published figures come from other prompts and editions: they show the order of magnitude."]
    return "\n".join([*lines, ""])


def _honest(report: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know before a share is believed."""
    asked, there, failed = report["asked"], report["there"], report["failed"]
    if asked < there:
        yield f"Asked were the first {asked} of {there} questions; the others may be harder or easier."
    if failed:
        yield f"{failed} questions were not answered by the endpoint and are in no share; with them as wrong, it"
        yield f"is {report['all']['right'] / asked:.1%}."
    if report["unread"]:
        told = {"empty": "empty", "cut": "cut off at --max-tokens", "declined": "declined", "unclear": "unclear"}
        what = "Answers that analyse nothing" if report["dataset"] == "vignettes" else "Answers without a letter"
        yield f"{what}: {', '.join(f'{n} {told[why]}' for why, n in report['unread'].items())}."
    if report["by_chance"] is not None:
        low, chance = report["all"]["low"], report["by_chance"]
        yield f"Guessing gets {chance:.1%} right{'' if low > chance else ', and this is not clearly better'}."
    yield "The questions are public, and a model may have been trained on them: a share may be memory."
    if report["shuffled"]:
        yield "The options stood in another order than published; what a sitting without `--shuffle` has more is"
        yield "memory."
    elif report["dataset"] != "vignettes":
        yield "A second sitting with `--shuffle` has the options in another order: what falls was learnt by heart."


def _line(name: str, row: Mapping[str, Any]) -> str:
    accuracy = "" if row["accuracy"] is None else f"{row['accuracy']:.1%}"
    name = name.replace("|", "/")
    return (
        f"| {name} | {row['right']} | {row['of']} | {accuracy} | {row['low']:.1%} to {row['high']:.1%} "
        f"| {row['unparseable']} |"
    )
