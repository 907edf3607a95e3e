"""`curbside models`: what is loaded, what it asks for, and whether it computes what it should."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import chosen, options, recipes
from cds_service.cli.sign_off import sign_off
from cds_service.language import words
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.registry import Registry
    from cds_service.risk.model import RiskModel


@click.group(invoke_without_command=True)
@options.config
@options.as_json
@click.pass_context
def models(ctx: click.Context, settings: Settings, as_json: bool) -> None:
    """List the models; show, check, run, train and evaluate one."""
    ctx.obj = settings
    if ctx.invoked_subcommand is not None:
        return
    say = words(settings.cards.language)
    loaded = chosen.registry(settings)
    rows = [
        {
            "id": model.id,
            "version": model.version,
            "title": say(model.title),
            "kind": "trained" if model.trained else "published",
            "state": _state(model, loaded, settings),
        }
        for model in loaded.models.values()
    ]
    if as_json:
        options.print_json(rows)
        return
    from cds_service.cli.terminal import table

    heads = ("id", "version", "title", "kind", "state")
    table(heads, [tuple(row[head] for head in heads) for row in rows])


for _command in (sign_off, recipes.train, recipes.import_, recipes.evaluate, recipes.recalibrate):
    models.add_command(_command)


@models.command()
@click.argument("model_id", metavar="ID")
@options.as_json
@click.pass_obj
def show(settings: Settings, model_id: str, as_json: bool) -> None:
    """Show one model: source, limits, and what it asks of a record."""
    loaded = chosen.registry(settings)
    model = chosen.model(loaded, model_id)
    say = words(settings.cards.language)
    from cds_service import source_attributes

    limits = getattr(model, "limits", None)
    about = {
        "id": model.id,
        "version": model.version,
        "title": say(model.title),
        "state": _state(model, loaded, settings),
        "services": ", ".join(loaded.run_by(model.id)),
        "source": model.citation.text,
        "url": model.citation.url,
        "limits": say(limits) if limits is not None else "",
        "licence": source_attributes.licence(model),
        "file": str(loaded.origins[f"model {model.id}"]),
    }
    features = [
        {
            "id": feature.id,
            "label": say(feature.label),
            "unit": getattr(feature, "unit", ""),
            "codes": list(getattr(feature, "codes", ())),
        }
        for feature in model.features
    ]
    attributes = source_attributes.of(model, say)
    if as_json:
        options.print_json({**about, "features": features, "sourceAttributes": attributes})
        return
    for name, text in about.items():
        if text:
            click.echo(f"{click.style(name.ljust(8), bold=True)} {text}")
    click.echo()
    from cds_service.cli.terminal import table

    table(("feature", "unit", "label", "codes"), [_feature_row(f) for f in features])
    if attributes:
        part = "B" if model.trained else "A"
        click.echo(f"\n{click.style(f'Source attributes (45 CFR 170.315(b)(11)(iv)({part}))', bold=True)}")
        for number, (name, text) in enumerate(attributes.items(), start=1):
            click.echo(f"{number:2} {click.style(name.replace('_', ' '), bold=True)}: {text}")


@models.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=options.FILE)
@click.pass_obj
@click.pass_context
def vectors(ctx: click.Context, settings: Settings, files: tuple[Path, ...]) -> None:
    """Check published scores against files of inputs and expected outputs; exit code 1 on a mismatch.

    Of several files, those that are no vector files but tables beside them are skipped, and named.
    """
    from cds_service.risk.vectors import check_file, is_something_else

    loaded = chosen.registry(settings).models.values()
    others = [path for path in files if is_something_else(path)]
    if len(others) == len(files):
        others = []
    for path in others:
        click.echo(f"skipped  {path}  holds no cases")
    reports = [check_file(path, loaded) for path in files if path not in others]
    for report in reports:
        verdict = click.style("ok", fg="green") if report.ok else click.style("MISMATCH", fg="red")
        by = f"by {report.model_id}" if report.model_id else "no loaded model offers this score"
        click.echo(
            f"{verdict}  {report.path}  {report.score}, {by}: {report.passed} of {report.cases} cases agree, "
            f"{len(report.not_offered)} not offered, largest difference {report.largest_difference:.2g}"
        )
        for mismatch in report.mismatches:
            click.echo(f"  {mismatch}")
        for reason in dict.fromkeys(words_ for _, words_ in report.not_offered):
            click.echo(f"  not offered: {reason}")
    if not all(report.ok for report in reports):
        ctx.exit(1)


@models.command()
@click.argument("model_id", metavar="ID")
@click.option("--bundle", type=options.FILE, help="One patient's bundle; prints JSON.")
@click.option("--table", "rows", type=options.FILE, help="Rows in the source data's own columns (trained models).")
@click.option("--out", type=options.FILE, help="Where the predictions for --table go: .csv or .csv.gz.")
@click.option(
    "--embedding",
    "embeddings",
    type=options.FILE,
    multiple=True,
    help="A vector of a slide, image or note of the bundle's patient, made by another program (JSON).",
)
@options.as_of
@click.pass_obj
@click.pass_context
def predict(
    ctx: click.Context,
    settings: Settings,
    model_id: str,
    bundle: Path | None,
    rows: Path | None,
    out: Path | None,
    embeddings: tuple[Path, ...],
    as_of: datetime | None,
) -> None:
    """Run one model on a patient's bundle or on a table; exit code 1 if it refuses the patient."""
    if (bundle is None) == (rows is None) or (rows is None) != (out is None):
        raise click.UsageError("Give --bundle BUNDLE.json, or --table ROWS.csv with --out P.csv.")
    if rows is not None and out is not None:
        with options.writing(out):
            predictions = chosen.trained(settings, model_id).predict_table(rows)
            predictions.write(out)
        click.echo(f"{len(predictions.lines)} rows written to {out}", err=True)
        return
    model = chosen.model(chosen.registry(settings), model_id)
    given = _with_embeddings(options.read_bundle(bundle or Path()), embeddings)
    answer = _for_bundle(model, given, options.clock(as_of).now(), settings)
    options.print_json(answer)
    if "refusal" in answer:
        ctx.exit(1)


def _with_embeddings(bundle: options.Json, files: Sequence[Path]) -> options.Json:
    """The bundle with an Observation for each side input. Raises InputError or BadRequest."""
    from cds_service.cli import calls
    from cds_service.features.embedding import observation

    entries = list(bundle.get("entry", ()))
    for file in files:
        entries.append({"resource": observation(options.read_object(file), calls.patient(bundle)["id"])})
    return {**bundle, "entry": entries}


def _for_bundle(model: RiskModel, bundle: options.Json, now: datetime, settings: Settings) -> options.Json:
    """The outputs of a model for one record, or its refusal; with the inputs and what was wrong with them."""
    from cds_service.cli import calls
    from cds_service.features.extract import extract
    from cds_service.needs import with_inputs
    from cds_service.risk.model import NotEstimated
    from cds_service.stores import entries

    say = words(settings.cards.language, settings.cards.units)
    values = extract(calls.record(bundle, now, settings.codes), with_inputs(model.features))
    result = model.estimate(values)
    head = {"model": model.id, "version": model.version, "as_of": now, "inputs": entries.inputs(values)}
    if isinstance(result, NotEstimated):
        inputs = [{"id": u.feature.id, "reason": u.reason.value, "words": say(u.words)} for u in result.unusable]
        return {**head, "refusal": result.refusal.value, "reason": say(result.reason), "unusable": inputs}
    return {**head, "outputs": entries.results({model.id: result}, (), ())}


def _state(model: RiskModel, loaded: Registry, settings: Settings) -> str:
    from cds_service import local_codes, signed
    from cds_service.risk.model import is_on

    services, code_map = loaded.services.values(), local_codes.load(settings.codes.map).digest
    found = str(signed.told(model, services, settings, code_map, options.clock(None).now().date()))
    if loaded.run_by(model.id) or (not model.trained and not is_on(model, settings.models.enabled)):
        return found
    return f"{found}; in no service" if model.trained else "in no service: models predict, cohort"


def _feature_row(feature: dict[str, Any]) -> Sequence[str]:
    codes = [code if isinstance(code, str) else code[-1] for code in feature["codes"]]  # of LOINC, or with its system
    shown = ", ".join(codes[:4]) + (f" and {len(codes) - 4} more" if len(codes) > 4 else "")
    return feature["id"], feature["unit"], feature["label"], shown
