"""What the latest `curbside monitor` found, as gauges: alarms by model or service and kind, and who is silent."""

from __future__ import annotations

from collections import Counter
from itertools import product

import structlog

from cds_service.errors import CurbsideError
from cds_service.monitoring import Monitored, from_json
from cds_service.monitoring.rung import LANGUAGE_MODEL
from cds_service.stores.database import Database
from cds_service.stores.fallen_back import FallBackStore

_log = structlog.get_logger(__name__)
_OF_SERVICES = ("psi", "missing", "cards", "calls", "overridden", "slow")
_OF_MODELS = ("psi", "refused", "observed-expected")


class WatchedGauges:
    """Reads the store when `/metrics` is asked for; ids of services and models are the only labels that have a name."""

    def __init__(self, database: Database) -> None:
        self._store = FallBackStore(database)

    def page(self) -> bytes:
        """Gauges in Prometheus' text format; empty while the database is away, or before the first run."""
        from prometheus_client import CollectorRegistry, Gauge, generate_latest

        try:
            kept, silent = self._store.counts(), self._store.in_force()
            run = from_json(kept[1]) if kept is not None else None
        except CurbsideError as error:
            _log.error("latest counts not read", reason=str(error))
            return b""
        registry = CollectorRegistry()
        silenced = Gauge(
            "curbside_silenced_models", "1 for a model that monitoring silenced.", ("model", "version"),
            registry=registry,
        )  # fmt: skip
        for one in silent:
            silenced.labels(one.model, one.version).set(1)
        if run is not None and kept is not None:
            alarms = Gauge(
                "curbside_alarms", "Alarms of the latest run of curbside monitor.", ("kind", "about"), registry=registry
            )
            for (kind, about), n in rung(run).items():
                alarms.labels(kind, about).set(n)
            at = Gauge(
                "curbside_monitored_timestamp_seconds", "When curbside monitor ran last, in Unix time.",
                registry=registry,
            )  # fmt: skip
            at.set(kept[0].timestamp())
        return generate_latest(registry)


def rung(run: Monitored) -> Counter[tuple[str, str]]:
    """How many alarms ring by kind and model or service; 0 for what was watched and is in its range."""
    services = {service for month in run.months.values() for service in month.units}
    models = {name.split("/")[0] for month in run.months.values() for name in month.estimates}
    watched = [*product(_OF_SERVICES, services), *product(_OF_MODELS, models)]
    found = Counter(dict.fromkeys(watched, 0))
    if any(month.told for month in run.months.values()):
        found["kept-share", LANGUAGE_MODEL] += 0
    found.update((alarm.kind, alarm.about) for alarm in run.alarms)
    return found
