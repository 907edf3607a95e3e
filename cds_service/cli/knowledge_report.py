"""`curbside knowledge report`: how many cards a population would get per 100 orders, before a site switches on.

Each prescription that is active in a bundle is taken in turn as if it were being signed now, against all the others.
Counted are findings, one a card; what a clinician has overridden before, or has just seen, would be fewer.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from cds_service.errors import BadRequest, PreconditionFailed
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.findings import Finding
    from cds_service.pipeline import Pipeline
    from cds_service.sandbox.coverage import MovingClock

Json = dict[str, Any]
SERVICES = ("drug-safety", "pharmacogenomics")
INDICATORS = ("critical", "warning", "info")
OTHER = "without a row"  # duplicates, what was not recognised, what is to be measured
_MOST_ORDERS = 60  # of one patient


@dataclass
class Report:
    """What was counted. by_indicator: cards as the settings have it; by_severity: findings, however loud.

    interrupted: orders with at least one warning or critical card. matters: finding -> how often.
    """

    patients: int = 0
    orders: int = 0
    refused: int = 0
    interrupted: int = 0
    by_indicator: Counter[str] = field(default_factory=Counter)
    by_severity: Counter[str] = field(default_factory=Counter)
    matters: Counter[str] = field(default_factory=Counter)

    def per_100(self, count: int) -> float:
        """A count for each hundred orders, to one decimal."""
        return round(100 * count / self.orders, 1) if self.orders else 0.0

    def as_json(self, settings: Settings) -> Json:
        """Everything, for a program."""
        severities = ("contraindicated", "major", "moderate", "minor", OTHER)
        return {
            "patients": self.patients,
            "orders": self.orders,
            "refused": self.refused,
            "orders_interrupted_per_100": self.per_100(self.interrupted),
            "cards_per_100": {name: self.per_100(self.by_indicator[name]) for name in INDICATORS},
            "findings_per_100": {
                name: {"per_100": self.per_100(self.by_severity[name]), "set_to": getattr(settings.knowledge, name, "")}
                for name in severities
            },
            "most_frequent": [{"finding": key, "count": n} for key, n in self.matters.most_common(20)],
        }


def as_drafts(bundle: Json) -> Iterator[Json]:
    """The bundle once for each active prescription, which is then a draft."""
    for index, entry in enumerate(bundle.get("entry") or ()):
        row = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(row, dict) and row.get("resourceType") == "MedicationRequest" and row.get("status") == "active":
            entries = [*bundle["entry"]]
            entries[index] = copy.deepcopy(entry)
            entries[index]["resource"]["status"] = "draft"
            rest = [e for e in entries if not _is_draft(e) or e is entries[index]]
            yield {**bundle, "entry": rest}


def _is_draft(entry: Any) -> bool:
    row = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(row, dict) and row.get("status") == "draft"


def counted(bundles: Iterable[Json], settings: Settings) -> Report:
    """The report of these patients, under these settings. Raises as a service's start does."""
    from cds_service.app import create_pipeline
    from cds_service.sandbox.coverage import MovingClock

    clock, report = MovingClock(), Report()
    loud = replace(settings).with_("knowledge", moderate="info", minor="info", imported_from="minor")
    as_set, audible = create_pipeline(settings, clock), create_pipeline(loud, clock)
    for bundle in bundles:
        _patient(bundle, as_set, audible, clock, report)
    return report


def _patient(bundle: Json, as_set: Pipeline, audible: Pipeline, clock: MovingClock, report: Report) -> None:
    from cds_service.cli.calls import written
    from cds_service.sandbox.coverage import moment_of

    report.patients += 1
    clock.at = written(bundle) or moment_of(bundle)
    for number, variant in enumerate(as_drafts(bundle)):
        if number == _MOST_ORDERS:
            return
        shown, every = _findings(as_set, variant), _findings(audible, variant)
        if shown is None or every is None:
            report.refused += 1
            continue
        report.orders += 1
        report.by_indicator.update(finding.severity.name.lower() for finding in shown)
        report.interrupted += any(finding.severity > 0 for finding in shown)
        report.by_severity.update(_severity(audible, finding) for finding in every)
        report.matters.update(_matter(finding.key) for finding in shown)


def _findings(line: Pipeline, bundle: Json) -> list[Finding] | None:
    """What opens a card at order-sign, of all services about medicines; None if a call is refused."""
    from cds_service.cards import opens
    from cds_service.protocol.request import decode
    from cds_service.sandbox.prefetch import NoPatient, request_for

    found: list[Finding] = []
    services: Any = line.discovery()["services"]
    for service in services:
        if service["id"] not in SERVICES:
            continue
        try:
            body = orjson.dumps(request_for(service, bundle))
            decision = line.assess(line.desk(service["id"]), decode(body))
        except (BadRequest, PreconditionFailed, NoPatient):
            return None
        found += [finding for finding in decision.findings if opens(finding)]
    return found


def _severity(line: Pipeline, finding: Finding) -> str:
    """The loudest severity among the rows of a finding's path, or that it has none."""
    from cds_service.findings import EvidenceFinding
    from cds_service.knowledge.policy import severity_rank

    graph = line.desk(SERVICES[0]).library
    if not isinstance(finding, EvidenceFinding) or graph is None or "/monitoring/" in finding.key:
        return OTHER
    rows = [row.severity for _, reference in finding.path for row in graph.graph.row(reference)]
    return max(rows, key=severity_rank, default=OTHER) or OTHER


def _matter(key: str) -> str:
    """A finding's key without what tells one patient's words from another's."""
    start, found, _ = key.partition("/unrecognised/")
    return f"{start}/unrecognised" if found else key
