"""What an assessment keeps of a decision, as plain JSON values: inputs with sources, results with contributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from cds_service.features.feature import FeatureValue, FeatureValues
from cds_service.fhir.sensitivity import WITHHELD
from cds_service.fhir.times import exact
from cds_service.findings import EvidenceFinding, Finding
from cds_service.risk.model import NotEstimated, Result, RiskEstimate
from cds_service.suppression import Suppressed


def inputs(values: FeatureValues) -> list[dict[str, Any]]:
    """One object a feature: its value with time and sources, or the reason why it has none."""
    rows = []
    for entry in values:
        row: dict[str, Any] = {"id": entry.feature.id}
        if isinstance(entry, FeatureValue):
            row["value"] = entry.value
            unit = getattr(entry.feature, "unit", None)
            if unit:
                row["unit"] = unit
            if entry.inferred:
                row["inferred"] = True
        else:
            row["unusable"] = entry.reason.value
        if entry.sources or "value" in row:
            row["effective"], row["sources"] = exact(entry.effective), entry.sources
        rows.append(row)
    return rows


def results(
    by_model: Mapping[str, Result],
    findings: Iterable[Finding],
    withheld: Iterable[Finding],
    labelled: int = 0,
    suppressed: Iterable[Suppressed] = (),
    left_out: Mapping[str, int] = MappingProxyType({}),
) -> list[Any]:
    """One object an estimate or refusal, then the keys of what was found and of what was not shown.

    labelled: resources that were not used because of their sensitivity labels. suppressed: what rests, and why.
    left_out: why other rows of the request were not used -> how many.
    """
    rows: list[dict[str, Any]] = []
    for model_id, result in by_model.items():
        if isinstance(result, NotEstimated):
            rows.append({"model": model_id, "refusal": result.refusal.value, "reason": str(result.reason)})
        else:
            rows.extend(map(_estimate, result))
    silent = {finding.key for finding in withheld}
    rows.extend(_finding(f, silent=f.key in silent) for f in findings)
    rows.extend(one.entry() for one in suppressed)
    if labelled:
        rows.append({"withheld_by_label": labelled})
    other = {reason: count for reason, count in sorted(left_out.items()) if reason != WITHHELD}
    if other:
        rows.append({"left_out": other})
    return rows


def _finding(finding: Finding, *, silent: bool) -> dict[str, Any]:
    """A finding; one of evidence with what it rests on: the patient's resources and rows of the knowledge."""
    row: dict[str, Any] = {"finding": finding.key, "severity": finding.severity.name, "silent": silent}
    if isinstance(finding, EvidenceFinding):
        row["path"] = [place for _, place in finding.path]
    return row


def _estimate(estimate: RiskEstimate) -> dict[str, Any]:
    explanation = estimate.explanation
    return {
        "model": estimate.model_id,
        "version": estimate.version,
        "outcome": estimate.outcome,
        "horizon_years": estimate.horizon_years,
        "value": estimate.value,
        "high": estimate.high,
        "unit": estimate.unit,
        "band": estimate.band.id if estimate.band else None,
        "scale": explanation.scale.value,
        "baseline": explanation.baseline,
        "contributions": [[list(c.features), c.amount] for c in explanation.contributions],
    }
