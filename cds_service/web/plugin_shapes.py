"""What a plugin's functions give back, looked at when they are tried on a made-up patient; faults are told in words.

Types are not checked while patients are served; a function of the wrong kind would crash there, far from its file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cds_service.errors import PluginError
from cds_service.explain.explanation import Baseline
from cds_service.findings import Finding, Severity
from cds_service.hook import Case, Service
from cds_service.language import Message
from cds_service.risk.model import NotEstimated, RiskEstimate

_TOLERANCE = 5e-5  # of the log-odds, for trees in float32; equations add up far closer


def looked_at(service: Service) -> Service:
    """The service with a `find` that raises PluginError where a model or `find` itself gives what it must not."""

    def find(case: Case) -> tuple[Finding, ...]:
        for model_id, result in case.results.items():
            _result(model_id, result)
        found: Any = service.find(case)
        if not isinstance(found, tuple | list):
            raise PluginError(
                f"service {service.id}: find must return a tuple of findings, got {type(found).__name__}. Return () "
                "where there is nothing to say, and (finding,) for one"
            )
        for finding in found:
            _finding(service.id, finding)
        return tuple(found)

    return replace(service, find=find)


def _result(model_id: str, result: Any) -> None:
    if isinstance(result, NotEstimated):
        return
    if not isinstance(result, tuple) or not result or not all(isinstance(one, RiskEstimate) for one in result):
        raise PluginError(
            f"model {model_id}: it must give a tuple of RiskEstimate or a NotEstimated, got {type(result).__name__}. "
            "Return (estimate,)"
        )
    for one in result:
        explained = one.explanation
        if explained.baseline_kind is Baseline.NONE:
            continue
        if explained.residual() > _TOLERANCE * max(1.0, abs(explained.output)):
            total = explained.baseline + sum(c.amount for c in explained.contributions)
            raise PluginError(
                f"model {model_id}: the reasons for {one.outcome} add up to {total:.6g}, and its output is "
                f"{explained.output:.6g}. Mend baseline or contributions"
            )


def _finding(service_id: str, finding: Any) -> None:
    if not isinstance(finding, Finding):
        what = type(finding).__name__
        raise PluginError(f"service {service_id}: find gave a {what} among its findings. Give findings alone")
    if not isinstance(finding.severity, Severity):
        raise PluginError(f"service {service_id}: finding {finding.key}: severity must be a Severity, got "
                          f"{finding.severity!r}. Write Severity.INFO, WARNING or CRITICAL")  # fmt: skip
    for name, words in _said(finding):
        if not isinstance(words, Message):
            raise PluginError(
                f"service {service_id}: finding {finding.key}: {name} must be words of msg(...), got a "
                f"{type(words).__name__}. Text of the record goes in as a value"
            )
        try:
            str(words)
        except (KeyError, IndexError) as error:
            raise PluginError(
                f"service {service_id}: finding {finding.key}: {name} has a place for {error} and no value of that "
                "name. Give it to msg(...)"
            ) from error


def _said(finding: Finding) -> Iterable[tuple[str, Any]]:
    return [
        (name, words)
        for name in ("headline", "short_headline", "advice")
        if (words := getattr(finding, name)) is not None or name == "headline"
    ]
