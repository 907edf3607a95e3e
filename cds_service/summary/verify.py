"""Which sentences the resources that they cite support, and why others do not.

Code, not a second model: every word, number, date and claim of a sentence must be found in the cited resources. A word
that asserts something and is not there drops the sentence; so does a citation that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cds_service.fhir.record import PatientRecord
from cds_service.summary.chart import Chart
from cds_service.summary.facts import Fact
from cds_service.summary.judging import judge


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and what it cites: references (`Observation/x`) or, where facts are given, their ids (`F3`)."""

    text: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence may be shown; reasons say why not, in plain English, and are empty for one that is kept."""

    text: str
    keep: bool
    reasons: tuple[str, ...] = ()


def verify(
    sentences: Iterable[Sentence], within: PatientRecord | Chart, *, facts: Sequence[Fact] = ()
) -> tuple[Verdict, ...]:
    """A verdict for each sentence, in their order.

    within: the record or chart whose resources are cited. facts: those whose ids sentences may cite; a fact that rests
    on no resource (an empty list) supports only its own words.
    """
    chart = Chart.from_record(within) if isinstance(within, PatientRecord) else within
    by_id = {fact.id: fact for fact in facts if fact.id}
    return tuple(_verdict(sentence, chart, by_id) for sentence in sentences)


def _verdict(sentence: Sentence, chart: Chart, by_id: dict[str, Fact]) -> Verdict:
    cited = [by_id[cite] for cite in sentence.cites if cite in by_id]
    if any(_same(sentence.text, str(fact.text)) for fact in cited):
        return Verdict(sentence.text, True)
    references = [c for cite in sentence.cites for c in (by_id[cite].references if cite in by_id else (cite,))]
    reasons = judge(sentence.text, tuple(dict.fromkeys(references)), chart)
    return Verdict(sentence.text, not reasons, reasons)


def _same(one: str, other: str) -> bool:
    """True if two texts differ in nothing but case, spaces and the last full stop."""
    return " ".join(one.split()).rstrip(".。").casefold() == " ".join(other.split()).rstrip(".。").casefold()
