"""An assessment as a review tells it: at a glance what was found, and behind it why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from cds_service.fhir import resources as fhir
from cds_service.findings import CareGapFinding, EvidenceFinding, Finding, RiskFinding
from cds_service.language import Message, msg
from cds_service.prospects import number, same
from cds_service.risk.model import RESEARCH, Citation, Refusal, RiskEstimate, is_research
from cds_service.risk.values_in_words import INFANT, age
from cds_service.web.app.estimates import EstimateView, label, view
from cds_service.web.app.opening import Opened
from cds_service.what_if import Change

_PART = re.compile(r"\d{4}(-\d\d)?")  # of a birth date: what is known of it is shown


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding: its sentence, advice and, of a model, its estimates.

    targets: what is changed, and what each of the estimates then is, in their order. notes: what holds of all its
    estimates, each once. validated: False for a model that nobody signed off here. research: that its model is for
    research only, in words.
    """

    finding: Finding
    estimates: tuple[EstimateView, ...] = ()
    refusal: Message | None = None
    path: tuple[tuple[Message, str], ...] = ()
    due: Message | None = None
    targets: tuple[tuple[Message, tuple[tuple[Message, Message | None], ...], Citation | None], ...] = ()
    notes: tuple[Message, ...] = ()
    validated: bool = True
    research: Message | None = None

    @property
    def explained(self) -> bool:
        """True if there is more to read than the glance."""
        return bool(self.estimates or self.path)


def views(shown: Opened, history_: list[Any]) -> list[FindingView]:
    """The findings of an assessment, the most urgent first; what does not apply to the patient is left out."""
    found = []
    for finding in sorted(shown.decision.findings, key=lambda one: -one.severity):
        if isinstance(finding, RiskFinding):
            refused = finding.refused
            if refused is None or refused.refusal is not Refusal.NOT_APPLICABLE:
                found.append(_risk(finding, shown, history_))
        elif isinstance(finding, EvidenceFinding):
            found.append(FindingView(finding, path=finding.path))
        elif isinstance(finding, CareGapFinding):
            found.append(FindingView(finding, due=finding.due))
        else:
            found.append(FindingView(finding))
    return found


def _risk(finding: RiskFinding, shown: Opened, history_: list[Any]) -> FindingView:
    estimates = finding.result if isinstance(finding.result, tuple) else ()
    record = shown.decision.case.context.record
    made = tuple(
        view(one, finding.model, [*history_, *_before(finding, one)], record if one is estimates[0] else None)
        for one in estimates
    )
    targets = tuple(
        (change.words, tuple(_changed(change, one) for one in estimates), change.source) for change in finding.changes
    )
    return FindingView(
        finding,
        made,
        finding.refused.reason if finding.refused is not None else None,
        targets=targets,
        notes=tuple(dict.fromkeys(note for one in estimates for note in one.notes)),
        validated=shown.validated[finding.model.id] or not finding.model.trained,
        research=RESEARCH if is_research(finding.model) else None,
    )


def _changed(change: Change, now: RiskEstimate) -> tuple[Message, Message | None]:
    """What an estimate is about, and its value after a change; a finding may hold its estimates in another order."""
    then = same(change.estimates, now)
    return label(now), number(then) if then is not None else None


def _before(finding: RiskFinding, estimate: RiskEstimate) -> list[Any]:
    """Earlier values that the record itself gives, in the form of stored results."""
    first = isinstance(finding.result, tuple) and finding.result[0] is estimate
    return [
        (one.at, [{"model": one.estimate.model_id, "outcome": one.estimate.outcome,
                   "horizon_years": one.estimate.horizon_years, "value": one.estimate.value}])
        for one in (finding.before if first else ())
    ]  # fmt: skip


def person(shown: Opened) -> Mapping[str, Any]:
    """Name of the patient, and in words sex, age at the time of the assessment, birth date and death."""
    record = shown.decision.case.context.record
    patient = record.patient
    name = patient.name[0] if patient is not None and patient.name else fhir.HumanName()
    full = name.text or " ".join([*(g for g in name.given if g), name.family or ""]).strip()
    about = [msg(patient.gender) if patient is not None and patient.gender else msg("sex unknown")]
    born, now = record.birth_date, shown.assessment.at.date()
    if born is not None:
        years = now.year - born.year - ((now.month, now.day) < (born.month, born.day))
        about += (age(years if years >= INFANT else (now - born).days / 365.25), msg("born {date}", date=born))
    elif patient is not None and patient.birth_date is not None and _PART.fullmatch(patient.birth_date):
        about.append(msg("born {date}", date=patient.birth_date))
    if record.deceased:
        about.append(msg("deceased"))
    return {"name": full, "about": reduce(lambda told, more: msg("{told}, {more}", told=told, more=more), about)}
