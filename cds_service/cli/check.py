"""`curbside check`: would the service start, with what, and what is to be mended?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.cli import options
from cds_service.cli.terminal import reading, table
from cds_service.errors import CurbsideError
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.registry import Registry
    from cds_service.security.registration import Finding


@click.command()
@options.config
@click.option("--offline", is_flag=True, help="Do not reach out to key sets, FHIR and authorization servers.")
@click.option("--deep", is_flag=True, help="Read a SQLite store whole, for damage; of a large one this takes minutes.")
def check(settings: Settings, offline: bool, deep: bool) -> int:
    """Try all that serving needs: plugins, weights, store, TLS, each client's keys and FHIR servers, the review app.

    Every service answers a made-up patient. All that would fail is told, with what to mend; exit code 1 if there is
    any. Settings that cannot be read end the check at once, with exit code 2.
    """
    found = [
        *_own(settings, deep=deep),
        *_registrations(settings, offline=offline),
        *_launches(settings, offline=offline),
    ]
    table(("part", "state"), [(finding.part, finding.state) for finding in found])
    to_mend = [finding for finding in found if finding.mend]
    for finding in to_mend:
        click.echo(f"curbside: {finding.part}: {finding.state}. {finding.mend}", err=True)
    return 1 if to_mend else 0


def _own(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """What the service itself is made of."""
    from cds_service.app import create_guard, load_registry
    from cds_service.clock import SystemClock
    from cds_service.fetch import create as create_fetcher
    from cds_service.security.registration import Finding
    from cds_service.web import ports, tls
    from cds_service.web.cors import Policy

    yield Finding("settings", "ok")
    code_map = _tried("code map", lambda: _code_map(settings), str(settings.codes.map or "none"))
    yield code_map
    loaded: list[Registry] = []
    yield _tried("plugins", lambda: loaded.append(load_registry(settings)))
    for registry in loaded:
        yield _tried("models", partial(_check_models, registry), f"ok: {', '.join(registry.models)}")
        yield from _source_attributes(registry)
        if code_map.mend:
            continue
        yield Finding("silent", _silent(settings, registry))
        yield _tried("services", partial(_rehearse, settings, registry), f"ok: {', '.join(registry.services)}")
    yield from _store(settings)
    if deep:
        yield _tried("store, whole", lambda: _whole(settings), _WHOLE if _file(settings) else _NO_FILE)
    yield _tried("tls", lambda: tls.check(settings.server), "ok" if settings.server.tls_cert else "none: plain http")
    yield _tried("ports", lambda: ports.distinct(settings))
    yield _tried("cors", lambda: Policy.of(settings.cors))
    yield _tried("llm", lambda: _model(settings), settings.llm.url or "none")
    yield _tried("fetching", lambda: create_fetcher(settings))
    who = ", ".join(settings.clients) or "none: only callers on this machine are answered"
    yield _tried("clients", lambda: create_guard(settings, SystemClock()), who)
    yield _tried("review app", lambda: _review_app(settings), ", ".join(settings.smart) or "none: no [smart.NAME]")


def _store(settings: Settings) -> Iterator[Finding]:
    """Of the store; one of an older release is left as it is, because that release may be at work on it."""
    from cds_service.app import create_store
    from cds_service.security.registration import Finding
    from cds_service.stores.database import HEAD
    from cds_service.stores.standing import open_to_all, schema

    there: list[str | None] = []
    state = _tried("store", lambda: there.append(schema(settings.store_url())))
    if there and (open_to := open_to_all(settings.store_url())):
        mend = f"Make {' and '.join(open_to)} readable for the service's account alone: chmod 600."
        yield Finding("store", "every user of this machine can read the patients' data in it", mend)
    if there and there[0] not in (None, HEAD):
        yield Finding("store", f"ok: the start brings it from schema {there[0]} to {HEAD}; copy it before")
        return
    state = state if state.mend else _tried("store", lambda: create_store(settings).close())
    yield state
    if not state.mend:
        yield Finding("silenced", silenced(settings))


def _file(settings: Settings) -> Path | None:
    """The SQLite file of the store, where it is one that is there."""
    from cds_service.stores.sqlite_file import SqliteFile

    file = SqliteFile.of(settings.store_url())
    return Path(file.path) if file is not None and Path(file.path).exists() else None


def _whole(settings: Settings) -> None:
    """Raises StoreError for a SQLite store that is damaged."""
    from cds_service.errors import StoreError
    from cds_service.stores.damage import damage

    if (file := _file(settings)) is None:
        return
    with reading(file) as now_and_then:
        faults = damage(file, now_and_then)
    if faults:
        more = f" and {len(faults) - 1} faults more" if len(faults) > 1 else ""
        raise StoreError(
            f"it is damaged ({faults[0]}{more}). Keep the file, look at its disk, and go back to the latest copy for "
            "which curbside records verify finds nothing."
        )


def _tried(part: str, step: Callable[[], object], state: str = "ok") -> Finding:
    """What came of one step; its own words where it fails."""
    from cds_service.security.registration import Finding

    try:
        step()
    except CurbsideError as error:
        words = str(error).removeprefix("settings: ")
        what, _, mend = words.partition(". ")
        return Finding(part, f"would fail: {what.rstrip('.')}", mend or "Mend this, then check again.")
    return Finding(part, state)


def _code_map(settings: Settings) -> None:
    from cds_service import local_codes

    local_codes.load(settings.codes.map)


def _review_app(settings: Settings) -> None:
    from cds_service.clock import SystemClock
    from cds_service.security.smart import SmartClient
    from cds_service.web.app.pages import Pages
    from cds_service.web.app.patient_chart import further_types

    if settings.smart:
        SmartClient(settings, SystemClock())
        Pages(settings)
        further_types(settings)


def _model(settings: Settings) -> None:
    from cds_service.app import create_model

    if settings.llm.url:
        create_model(settings)


def _check_models(loaded: Registry) -> None:
    from cds_service.risk.fused import FusedModel
    from cds_service.risk.trained import TrainedModel

    for model in loaded.models.values():
        if isinstance(model, TrainedModel | FusedModel):
            model.check()


def _source_attributes(loaded: Registry) -> Iterator[Finding]:
    """Trained models whose folder does not tell what the regulation asks for."""
    from cds_service.risk.attributes import ATTRIBUTES, read
    from cds_service.security.registration import Finding

    for model in loaded.models.values():
        folder = getattr(model, "folder", None)
        if folder is None:
            continue
        try:
            found = read(folder)
        except CurbsideError as error:
            yield Finding("attributes", f"{model.id}: would fail: {error}", f"Mend {folder / 'attributes.json'}.")
            continue
        if found is None:
            mend = f"Write {folder / 'attributes.json'}: one object with {', '.join(ATTRIBUTES)}."
            yield Finding("attributes", f"{model.id}: its {len(ATTRIBUTES)} source attributes are missing", mend)


def _rehearse(settings: Settings, loaded: Registry) -> None:
    from cds_service.app import create_pipeline
    from cds_service.clock import SystemClock
    from cds_service.web.warm_up import warm_up

    clock = SystemClock()
    warm_up(create_pipeline(settings, clock, loaded=loaded), clock.now())


def _silent(settings: Settings, loaded: Registry) -> str:
    from cds_service import local_codes, signed

    code_map, services = local_codes.load(settings.codes.map).digest, loaded.services.values()
    trained = [model for model in loaded.models.values() if model.trained]
    states = [(model, signed.state(model, services, settings, code_map)) for model in trained]
    today = options.clock(None).now().date()
    lapsed = {model.id for model in trained if signed.has_lapsed(model.id, settings, today)}
    silent = [
        f"{model.id} {model.version}{_WHY.get(state, _LAPSED if state == 'valid' else '')}"
        for model, state in states
        if state != "valid" or model.id in lapsed
    ]
    return ", ".join(silent) or "none: every trained model is signed off"


def silenced(settings: Settings) -> str:
    """The models that monitoring has silenced, and since when. Raises StoreError."""
    from cds_service.app import create_store
    from cds_service.stores.fallen_back import FallBackStore

    store = create_store(settings)
    try:
        found = FallBackStore(store.database).in_force()
    finally:
        store.close()
    names = ", ".join(f"{one.model} {one.version} since {one.at:%Y-%m-%d}" for one in found)
    return f"{names} (curbside monitor says why)" if found else "none by monitoring"


_WHOLE = "ok: every page was read"
_NO_FILE = "no SQLite file: PostgreSQL has pg_amcheck for it"
_LAPSED = " (its sign-off has lapsed: models.sign_off_days)"
_WHY = {
    "another version": " (another version was signed off)",
    "by hand": " (its sign-off has no digests: write it with curbside models sign-off)",
    "other conditions": " (the code map, the thresholds or the weights are not those that were signed off)",
}


def _registrations(settings: Settings, *, offline: bool) -> list[Finding]:
    """What the clients' keys and FHIR servers say; offline: what can be told without asking them."""
    from cds_service.clock import SystemClock
    from cds_service.security import registration
    from cds_service.security.trust import Trust, fetcher

    try:
        fetch = fetcher(settings)
        Trust(settings, SystemClock(), fetch)
    except CurbsideError:
        return []  # told already; there is nothing to reach out to
    if offline:
        return list(registration.files(settings))
    return [
        finding
        for name, client in settings.clients.items()
        for finding in registration.check(name, client, settings, fetch)
    ]


def _launches(settings: Settings, *, offline: bool) -> list[Finding]:
    """What the EHRs say that may start the review app; nothing where they may not be asked, or the app cannot be."""
    from cds_service.clock import SystemClock
    from cds_service.security import registration

    if offline:
        return []
    try:
        return list(registration.launches(settings, SystemClock()))
    except CurbsideError:
        return []  # told already
