"""The figures of a backtest for programs, and what a report says about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from cds_service import __version__, local_codes, signed
from cds_service.cohort.judging import Judgement
from cds_service.cohort.outcomes import Declared
from cds_service.cohort.report import About
from cds_service.cohort.speaking import Speaking
from cds_service.cohort.tables import Collected
from cds_service.registry import Registry
from cds_service.settings import Settings


def about(registry: Registry, settings: Settings, declared: Declared, found: Collected, outcomes: bytes) -> About:
    """What a report is about. outcomes: the file that declares them."""
    code_map = local_codes.load(settings.codes.map).digest
    asked = sorted({wanted.split("/")[0] for one in declared.outcomes for wanted in one.estimates})
    models = {id_: registry.models[id_] for id_ in asked}
    services = registry.services.values()
    return About(
        patients=found.patients,
        encounters=found.encounters,
        until=declared.until.date().isoformat(),
        curbside=__version__,
        versions={id_: model.version for id_, model in models.items()},
        conditions={id_: signed.conditions(model, services, settings, code_map) for id_, model in models.items()},
        code_map=code_map,
        outcomes=outcomes,
        unread=0,
        at_most_per_day=None,
    )


def to_json(facts: Mapping[str, Any], judged: Sequence[Judgement], services: Sequence[Speaking]) -> bytes:
    """All figures of a report as JSON; no patient data."""
    estimates = [
        {
            "name": one.of.name,
            "version": one.of.version,
            "outcome": one.of.outcome,
            "unknown": one.of.unknown,
            "intervals": one.of.intervals,
            "refusals": one.of.refusals,
            "measures": asdict(one.measures),
            "thresholds": [asdict(at) for at in one.thresholds],
            "groups": [asdict(group) for group in one.groups],
            "months": [asdict(month) for month in one.months],
            "plans": [asdict(plan) for plan in one.plans],
        }
        for one in judged
    ]
    found = {"facts": facts, "estimates": estimates, "services": [asdict(service) for service in services]}
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)
