"""What a site has set for a CDS Service, over what the service declares: thresholds, rests, silence.

A name that nothing declares is an error that names the nearest one: a threshold that is misspelt would otherwise
leave the default in force, and nobody would know.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from cds_service.errors import SettingsError
from cds_service.hook import Service
from cds_service.settings import ServiceSettings, Settings
from cds_service.suppression import Rules

_NONE = ServiceSettings()


def of(service: Service, settings: Settings) -> ServiceSettings:
    """The service's own table of the settings, or the defaults."""
    return settings.services.get(service.id, _NONE)


def beside(service: Service, loaded: Iterable[Service], settings: Settings) -> frozenset[str]:
    """Ids of the other loaded services that answer the same hook and are not silenced by the site."""
    return frozenset(
        other.id
        for other in loaded
        if other.hook == service.hook and other.id != service.id and not of(other, settings).silent
    )


def check(services: Mapping[str, Service], settings: Settings) -> None:
    """Raises SettingsError for a table of no service, a threshold that does not exist or is out of range, and a
    launch URL that is none."""
    launch = urlsplit(settings.app.launch_url)
    if settings.app.launch_url and (launch.scheme not in ("http", "https") or not launch.hostname):
        raise SettingsError("settings: app.launch_url must be an absolute URL such as https://apps.example.org/launch.")
    for id_ in settings.services:
        if id_ not in services:
            raise SettingsError(f"settings: services.{id_} is no loaded service.{_nearest(id_, services)}")
        thresholds(services[id_], settings)


def thresholds(service: Service, settings: Settings) -> dict[str, float]:
    """The service's thresholds by name. Raises SettingsError."""
    found = {name: threshold.default for name, threshold in service.thresholds.items()}
    for name, value in of(service, settings).thresholds.items():
        where = f"settings: services.{service.id}.thresholds.{name}"
        declared = service.thresholds.get(name)
        if declared is None:
            raise SettingsError(f"{where} is no threshold of this service.{_nearest(name, service.thresholds)}")
        if not declared.least <= value <= declared.most:
            raise SettingsError(
                f"{where} must be between {declared.least:g} and {declared.most:g} {declared.unit}, got {value:g}."
            )
        found[name] = value
    return found


def rules(service: Service, settings: Settings) -> Rules:
    """How long what was answered rests, for one service: its own setting, else what it declares, else the site's."""
    alerts, own = settings.alerts, of(service, settings).overridden_days
    overridden = timedelta(days=alerts.overridden_days)
    accepted = timedelta(days=alerts.accepted_days)
    if service.repeat_after is not None:
        overridden, accepted = service.repeat_after, min(accepted, service.repeat_after)
    if own is not None:
        overridden = timedelta(days=own)
    return Rules(
        overridden=overridden,
        overridden_critical=timedelta(hours=alerts.overridden_critical_hours),
        accepted=accepted,
        same=timedelta(seconds=alerts.same_finding_s),
        worse_factor=alerts.worse_factor,
        snoozed=timedelta(hours=alerts.snoozed_hours),
    )


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f" Did you mean {near[0]}?"
    return f" Known: {', '.join(known)}." if known else " It has none."
