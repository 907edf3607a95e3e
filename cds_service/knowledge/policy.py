"""How loud a row may be, as the site has set it (`[knowledge]`): severity, evidence level and source decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from cds_service.knowledge import base_files, schema
from cds_service.knowledge.graph import Evidence, Source
from cds_service.settings import Knowledge as KnowledgeSettings

Urgency = Literal["critical", "warning", "info", "none"]
_RANK: dict[str, int] = {"none": 0, "info": 1, "warning": 2, "critical": 3}


@dataclass(frozen=True, slots=True)
class Policy:
    """The site's settings, applied to rows."""

    settings: KnowledgeSettings = field(default_factory=KnowledgeSettings)

    def urgency(self, rows: Iterable[Evidence]) -> Urgency:
        """Of several rows about one matter the loudest; `none` opens no card."""
        return max((self._of(row) for row in rows), key=lambda urgency: _RANK[urgency], default="none")

    def _of(self, row: Evidence) -> Urgency:
        if row.severity not in schema.SEVERITIES:
            return "none"
        if row.source != base_files.SOURCE and severity_rank(row.severity) < severity_rank(self.settings.imported_from):
            return "none"
        urgency: Urgency = getattr(self.settings, row.severity)
        justified = row.level in self.settings.critical_levels and row.source in self.settings.critical_sources
        return "warning" if urgency == "critical" and not justified else urgency

    def is_old(self, source: Source, today: date) -> bool:
        """True for an imported source whose release is older than the site wants."""
        if source.id == base_files.SOURCE or not source.released[:4].isdigit():
            return False
        month = int(source.released[5:7]) if source.released[5:7].isdigit() else 12
        age = today.year - int(source.released[:4]) + (today.month - month) / 12
        return age > self.settings.old_after_years


def severity_rank(severity: str) -> int:
    """0 for none, 1 for minor, up to 4 for contraindicated."""
    return schema.SEVERITIES.index(severity) + 1 if severity in schema.SEVERITIES else 0
