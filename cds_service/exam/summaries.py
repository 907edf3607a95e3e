"""How well a model words summaries: what is kept, what the record does not support, what is lost, how long it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.exam.report import wilson
from cds_service.fhir.record import PatientRecord
from cds_service.settings import Llm
from cds_service.summary.collecting import collect
from cds_service.summary.facts import numbered
from cds_service.summary.llm import LanguageModel
from cds_service.summary.must import must_have
from cds_service.summary.prompt import Question, fitting
from cds_service.summary.rewrite import Rewriting, rewrite, said_in

HOOK = "patient-view"


@dataclass(frozen=True, slots=True)
class Measured:
    """One patient. lines: of the deterministic summary. said: how many of them the worded one says."""

    patient: str
    found: Rewriting
    lines: tuple[str, ...]
    said: int


def measure(
    model: LanguageModel, settings: Llm, records: Iterable[tuple[str, PatientRecord]], language: str
) -> Iterator[Measured]:
    """Has each record's facts worded, as a hook would."""
    for patient, record in records:
        facts = numbered(collect(record))
        must = frozenset(fact.id for fact in must_have(facts, HOOK))
        whole = Question(facts, must, HOOK, language, record.as_of.date())
        asked = Question(fitting(whole, settings), must, HOOK, language, record.as_of.date())
        found = rewrite(model, settings, asked, record)
        lines = tuple(asked.lines().values())
        told = [line.text for line in found.told]
        yield Measured(patient, found, lines, sum(any(said_in(line, text) for text in told) for line in lines))


def summary(model: str, measured: Iterable[Measured]) -> dict[str, Any]:
    """The report as JSON values. Shares are of sentences that the model wrote, over all patients."""
    rows = list(measured)
    used = [row for row in rows if row.found.told]
    kept = sum(row.found.kept for row in rows)
    dropped = sum(len(row.found.dropped) for row in rows)
    lines = sum(len(row.lines) for row in used)
    told = [line for row in used for line in row.found.told]
    return {
        "model": model,
        "patients": len(rows),
        "used": len(used),
        "not_used": dict(Counter(row.found.reason for row in rows if not row.found.told)),
        "sentences": kept + dropped,
        "kept_share": _share(kept, kept + dropped),
        "unsupported_share": _share(dropped, kept + dropped),
        "put_back": sum(row.found.put_back for row in used),
        "recall": _share(sum(row.said for row in used), lines),
        "characters_worded": sum(len(line.text) for line in told),
        "characters_deterministic": sum(len(line) for row in used for line in row.lines),
        "reasons": Counter(
            reason.split(":")[0] for row in rows for one in row.found.dropped for reason in one.reasons
        ).most_common(10),
    }


def _share(part: int, of: int) -> dict[str, Any]:
    low, high = wilson(part, of)
    return {"share": round(part / of, 4) if of else None, "low": round(low, 4), "high": round(high, 4)}


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"# Summaries worded by {report['model']}",
        "",
        f"{report['used']} of {report['patients']} summaries were used, with {report['sentences']} sentences in all.",
        "",
        "| measure | share | 95 % interval |",
        "|---|---|---|",
    ]
    for name, words in (
        ("kept_share", "sentences kept"),
        ("unsupported_share", "sentences that the record does not support"),
        ("recall", "lines of the record that the shown text says"),
    ):
        row = report[name]
        share = "" if row["share"] is None else f"{row['share']:.1%}"
        interval = "" if row["share"] is None else f"{row['low']:.1%} to {row['high']:.1%}"
        lines.append(f"| {words} | {share} | {interval} |")
    lines += [
        "",
        f"Lines put back: {report['put_back']}. "
        f"Characters: {report['characters_worded']} worded, {report['characters_deterministic']} without a model.",
    ]
    lines += [f"Not used, {reason}: {count}." for reason, count in report["not_used"].items()]
    if report["reasons"]:
        lines += ["", "| why sentences were dropped | times |", "|---|---|"]
        lines += [f"| {reason.replace('|', '/')} | {count} |" for reason, count in report["reasons"]]
    return "\n".join([*lines, ""])
