"""`curbside models sign-off`: a trained model may speak here, on someone's word and a report."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import options
from cds_service.errors import InputError, SettingsError
from cds_service.settings import Settings, SignOff

if TYPE_CHECKING:
    from cds_service.registry import Registry
    from cds_service.risk.model import RiskModel


@click.command(name="sign-off")
@click.argument("model_id", metavar="ID")
@click.option("--report", type=options.FILE, required=True, help="report.html of `curbside cohort backtest`.")
@click.option("--by", required=True, help="Who answers for it: name and role.")
@click.option("--other-report", is_flag=True, help="The report is your own, and nothing in it can be checked.")
@click.pass_context
def sign_off(ctx: click.Context, model_id: str, report: Path, by: str, other_report: bool) -> None:
    """Let a trained model speak at this site: its exact version, with the code map and thresholds of now.

    Written to the settings file and to the audit record. A new version, another code map or another threshold makes
    the model silent again.
    """
    from cds_service import local_codes, settings_file, signed
    from cds_service.app import create_store, load_registry
    from cds_service.clock import SystemClock
    from cds_service.stores.audit import AuditStore, Entry
    from cds_service.stores.fallen_back import FallBackStore

    settings: Settings = ctx.obj
    path = options.settings_file(ctx)
    if path is None:
        raise SettingsError(
            "settings: there is no settings file to write to. Make curbside.toml, or name one: "
            "curbside models --config FILE sign-off ..."
        )
    if not by.strip():
        raise InputError("--by is empty. Say who signs off: name and role.")
    loaded = load_registry(settings)
    model = _trained(loaded, model_id)
    data = options.read_bytes(report)
    code_map = local_codes.load(settings.codes.map).digest
    conditions = signed.conditions(model, loaded.services.values(), settings, code_map)
    if not other_report:
        _check(data, report, model, conditions)
    now = SystemClock().now()
    digest = hashlib.sha256(data).hexdigest()
    entry = SignOff(model.version, by.strip(), now.date(), report.name, digest, conditions)
    text = settings_file.with_sign_off(path.read_text(encoding="utf-8-sig"), model.id, entry)
    content = {"model": model.id, "version": model.version, "by": entry.by, "report": report.name,
               "report_sha256": digest, "conditions": conditions, "checked": not other_report}  # fmt: skip
    store = create_store(settings)
    try:
        audit = AuditStore(store.database)
        audit.add(Entry("sign-off", now, None, content), lambda: settings_file.write(path, text))
        lifted = FallBackStore(store.database).lift(model.id, entry.by, now)
    finally:
        store.close()
    services = loaded.run_by(model.id)
    then = "Restart the service: then it speaks." if services else (
        "No service runs it: let a hook name it (docs/adding-a-hook.md), then sign it off again, for a sign-off rests "
        "on the thresholds of the services that run the model too."
    )  # fmt: skip
    click.echo(
        f"{model.id} {model.version} is signed off by {entry.by} on {entry.on} (written to {path} and to the audit "
        f"record). {then}"
    )
    if lifted:
        click.echo(f"{model.id} had fallen back to silence; that is lifted with this sign-off.")


def _trained(loaded: Registry, model_id: str) -> RiskModel:
    if model_id not in loaded.models:
        near = difflib.get_close_matches(model_id, loaded.models, n=1)
        raise InputError(f"there is no model {model_id!r}. {f'Did you mean {near[0]}?' if near else ''}".rstrip())
    model = loaded.models[model_id]
    if not model.trained:
        raise InputError(f"{model_id} is a published score: it speaks without a sign-off.")
    if not any(getattr(feature, "codes", True) for feature in model.features):
        raise InputError(
            f"{model_id} reads nothing that a record holds: it runs on tables alone, and is for no patient."
        )
    return model


def _check(data: bytes, report: Path, model: RiskModel, conditions: str) -> None:
    """Raises InputError unless the report judged this model as it runs here."""
    from cds_service.signed import facts_in

    facts = facts_in(data)
    if facts is None:
        raise InputError(
            f"{report} is not a report.html of `curbside cohort backtest`. Give that file, or add --other-report for a "
            "report of your own."
        )
    found: Mapping[str, Any] | None = facts.get("models", {}).get(model.id)
    if found is None:
        known = ", ".join(facts.get("models", {}))
        raise InputError(f"{report} says nothing of {model.id}; it is about {known}. Run the backtest with it.")
    if model.id not in facts.get("judged", ()):
        raise InputError(f"{report} could not judge {model.id}: too few outcomes. Run the backtest on more patients.")
    if found["version"] != model.version:
        raise InputError(
            f"{report} is about {model.id} {found['version']}, and {model.version} is loaded. Run the backtest again."
        )
    if found["conditions"] != conditions:
        raise InputError(
            f"{report} was made with another code map, other thresholds or other weights than are in force. Run the "
            "backtest again with the settings of now."
        )
