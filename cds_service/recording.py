"""Estimates for the chart: each model's shown estimates as a RiskAssessment, to be accepted, or written as agreed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Set
from typing import Literal

import orjson

from cds_service import __version__
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.risk_assessment import Method, Predicted, risk_assessment
from cds_service.findings import Finding, Proposal, RiskFinding
from cds_service.language import Message, Words, msg
from cds_service.risk.model import EstimateKind, RiskEstimate
from cds_service.risk.wording import estimate_words

_DIGITS = 3  # of a value, that make it the same estimate: what a card shows, and no more


def notes(
    context: ClinicalContext,
    findings: Iterable[Finding],
    words: Words,
    *,
    status: Literal["preliminary", "final"],
    unvalidated: Set[str] = frozenset(),
) -> Iterator[tuple[Finding, Proposal]]:
    """A RiskAssessment for each finding with estimates of a risk or score; each model's once.

    The proposal's key tells the estimate: the same numbers of the same model have the same key.
    unvalidated: ids of models that nobody has signed off; they are never written to a chart.
    """
    done: set[str] = set()
    for finding in findings:
        if not isinstance(finding, RiskFinding) or not isinstance(finding.result, tuple):
            continue
        model = finding.model
        told = [e for e in finding.result if e.kind is not EstimateKind.QUANTITY]
        if not told or model.id in done or model.id in unvalidated:
            continue
        done.add(model.id)
        resource = risk_assessment(
            context.record.patient_id,
            Method(model.id, words(model.title), model.version, __version__),
            [_predicted(e, words) for e in told],
            [source for e in told for value in e.inputs for source in value.sources],
            context.now,
            status=status,
            encounter_id=context.encounter_id,
            note=words(_note(told)),
        )
        yield (
            finding,
            Proposal(
                key=_key(model.id, told),
                label=msg("Record this estimate in the chart ({model})", model=model.title),
                description=msg("Creates a RiskAssessment: {model}", model=model.title),
                resource=resource,
                secondary=True,
            ),
        )


def _predicted(estimate: RiskEstimate, words: Words) -> Predicted:
    return Predicted(
        outcome=words(estimate.outcome_words),
        words=words(estimate_words(estimate)),
        probability=estimate.value if estimate.kind is EstimateKind.PROBABILITY else None,
        band=words(estimate.band.label) if estimate.band is not None else "",
        years=estimate.horizon_years,
    )


def _note(told: list[RiskEstimate]) -> Message:
    measured = min((e.effective for e in told if e.effective is not None), default=None)
    if measured is None:
        return msg("Computed by Curbside {version}.", version=__version__)
    return msg(
        "Computed by Curbside {version}. Oldest measurement used: {date}", version=__version__, date=measured.date()
    )


def _key(model_id: str, told: list[RiskEstimate]) -> str:
    shown = [[e.version, e.outcome, e.horizon_years, round(e.value, _DIGITS), e.high] for e in told]
    return f"record/{model_id}/{hashlib.sha256(orjson.dumps(shown)).hexdigest()[:12]}"
