"""The account of one answer, as a person reads it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import click

from cds_service.account import Account, ModelFacts

_STATES = {"same": "given again now, it is the same to the byte", "differs": "given again now, it is another answer"}
_SHOWN = 8  # contributions


def tell(found: Account) -> None:
    """Prints it."""
    click.secho(f"Answer {found.assessment} of {found.at.isoformat(timespec='seconds')}", bold=True)
    _pairs(
        ("service", f"{found.service} ({found.hook})"),
        ("patient", found.patient),
        ("asked by", " of ".join(filter(None, (found.user, found.client))) or "not named by the call"),
        ("unit", found.unit),
        ("took", f"{found.elapsed_ms} ms" if found.elapsed_ms is not None else ""),
        ("replay", "; ".join((_STATES.get(found.state, found.state), *found.changed))),
    )
    _cards(found)
    _findings(found)
    for model in found.models:
        _model(model)
    _inputs(found.inputs)
    _head("What shaped it")
    for name, version in found.versions.items():
        click.echo(f"  {name} {version}")
    _head("Audit record (curbside audit verify looks through all of it)")
    for line in found.audit:
        by = f" by {line.user}" if line.user else ""
        click.echo(f"  entry {line.entry}: {line.kind}{by}, {line.at.isoformat(timespec='seconds')}, {line.hash[:16]}…")


def _head(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _pairs(*pairs: tuple[str, str]) -> None:
    for name, text in pairs:
        if text:
            click.echo(f"  {name:<9}{text}")


def _cards(found: Account) -> None:
    _head(f"Cards shown: {len(found.cards)}" + (f"; {found.kept_back} kept back (silent)" if found.kept_back else ""))
    for card in found.cards:
        click.echo(f"  {card['indicator']}: {card['summary']}")
        source = card["source"]
        _pairs(
            ("  card", card["uuid"]),
            ("  source", f"{source['label']} {source.get('url', '')}".strip()),
            ("  offers", "; ".join(one["label"] for one in card.get("suggestions", ()))),
        )
        labels = {one["uuid"]: one["label"] for one in card.get("suggestions", ())}
        answered = [one for one in found.feedback if str(one.card) == card["uuid"]]
        for one in answered:
            taken = ", ".join(labels.get(uuid, uuid) for uuid in one.accepted)
            words = ": ".join(filter(None, (one.outcome, taken, one.reason, one.comment)))
            who = one.user or "sent by the CDS Client, which names no user"
            _pairs(("  became", f"{words} ({one.at.isoformat(timespec='seconds')}, {who})"))
        if not answered:
            _pairs(("  became", "no feedback came"))


def _findings(found: Account) -> None:
    _head("Findings")
    suppressed = {row["finding"]: row["suppressed"] for row in found.findings if "suppressed" in row}
    for row in found.findings:
        if "severity" not in row:
            continue
        fate = "not shown: the model is silent" if row["silent"] else ""
        if row["finding"] in suppressed:
            fate = f"not shown: {suppressed[row['finding']]}"
        click.echo(f"  {row['severity'].lower()}: {row['finding']}" + (f" ({fate})" if fate else ""))
        for place in row.get("path", ()):
            words = found.rows.get(place)
            click.echo(f"      {place}" + (f": {words}" if words else ""))
    if not found.findings:
        click.echo("  none")
    for reason, n in found.left_out.items():
        click.echo(f"  {n} rows of the request were not used: {reason}")


def _model(model: ModelFacts) -> None:
    now = "" if model.now == model.version else f" (now {model.now})"
    _head(f"Model {model.id} {model.version}{now}, {model.kind or 'not loaded'}")
    _pairs(("source", model.source), ("line", model.calibration), ("signed", model.signed_off))
    if model.refusal:
        _pairs(("refused", model.refusal))
    for one in model.estimates:
        horizon = f" within {one['horizon_years']} years" if one["horizon_years"] else ""
        band = f", band {one['band']}" if one["band"] else ""
        unit = "" if one["unit"] == "1" else f" {one['unit']}"
        click.echo(f"  {one['outcome']}{horizon}: {_number(one['value'])}{unit}{band}")
        _adding_up(one)


def _adding_up(one: Mapping[str, Any]) -> None:
    moved = sorted(one["contributions"], key=lambda pair: -abs(pair[1]))
    shown = [f"{'+'.join(ids)} {amount:+.3g}" for ids, amount in moved[:_SHOWN] if amount]
    rest = math.fsum(amount for _, amount in moved[_SHOWN:])
    more = f", {len(moved) - _SHOWN} more {rest:+.3g}" if len(moved) > _SHOWN else ""
    click.echo(f"      on the scale {one['scale']}: {one['baseline']:.4g}, {', '.join(shown)}{more}")


def _inputs(inputs: Iterable[Mapping[str, Any]]) -> None:
    from cds_service.cli.terminal import table

    read = [row for row in inputs if row.get("sources")]
    others = [row for row in inputs if not row.get("sources")]
    _head(f"Inputs read from the record: {len(read)}")
    if read:
        table(("input", "value", "unit", "of", "from"), [_row(row) for row in read])
    inferred = [f"{row['id']} {_number(row['value'])}" for row in others if "value" in row]
    missing = [f"{row['id']} ({row['unusable']})" for row in others if "unusable" in row]
    if inferred:
        click.echo(f"  from lists that do not name it: {', '.join(inferred)}")
    if missing:
        click.echo(f"  without a usable value: {', '.join(missing)}")


def _row(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    value = f"not usable: {row['unusable']}" if "unusable" in row else _number(row["value"])
    return row["id"], value, row.get("unit", ""), str(row.get("effective") or "")[:16], ", ".join(row["sources"])


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
