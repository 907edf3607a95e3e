"""`curbside models train`, `import`, `evaluate` and `recalibrate`: what needs the `train` extra."""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Literal

import click

from cds_service.cli import chosen, options
from cds_service.errors import InputError
from cds_service.settings import Settings

_OF_SCORES = (
    "Its cases are checked by `curbside models vectors`, and how it does on your patients is told by `curbside cohort "
    "backtest`."
)


@click.command()
@click.argument("model_id", metavar="ID")
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True), help="The source data's table.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write; by default the model's, which takes no other rows than those of its weights.",
)
@click.option(
    "--trials",
    type=click.IntRange(1, 1000),
    help="Sets of parameters to try; by default as many as the shipped weights were chosen from.",
)
def train(model_id: str, data: Path, out: Path | None, trials: int | None) -> None:
    """Train a model anew with its recipe: weights, manifest and card."""
    table = _table_in(data)
    with options.writing(out, folder=True) if out is not None else nullcontext():
        folder = _extra("run").train(model_id, table, out, trials)
    click.echo(f"{model_id} is in {folder}")


@click.command("import")
@click.argument("declaration", metavar="DECLARATION.toml", type=options.FILE)
@click.option("--samples", required=True, type=options.FILE, help="Rows to compare on: CSV, one column a feature id.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write.")
@click.pass_obj
def import_(settings: Settings, declaration: Path, samples: Path, out: Path) -> None:
    """Bring in a model trained elsewhere: XGBoost, scikit-learn (skops) or ONNX, with a TOML declaration.

    Linear and tree models are converted and explained exactly. Others are refused, or run in a process apart and are
    labelled so where the settings have models.unexplained = true.
    """
    allowed = settings.models.unexplained
    with options.writing(out, folder=True):
        made, rows, apart = _extra("importing").bring_in(declaration, samples, out, unexplained=allowed)
    if made.kind == "apart":
        click.echo(f"{out} holds the model; it runs in a process apart, and its cards say: no exact explanation")
    else:
        click.echo(f"{out} holds the model; on {rows} sample rows it differs from the original by at most {apart:.1g}")
    if not (out / "attributes.json").is_file():
        click.echo(
            f"its 31 source attributes are missing: write {out / 'attributes.json'} before it serves; "
            "`curbside check` tells what lacks",
            err=True,
        )


@click.command()
@click.argument("model_id", metavar="ID")
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True), help="Rows with outcomes.")
@click.option("--out", type=options.FILE, help="Where the report goes (Markdown); by default it is printed.")
@click.pass_obj
def evaluate(settings: Settings, model_id: str, data: Path, out: Path | None) -> None:
    """Report how a model does on a table with outcomes, in the source data's own columns."""
    model, table = chosen.trained(settings, model_id, _OF_SCORES), _table_in(data)
    if out is None:
        click.echo(_extra("run").evaluate(model, table))
        return
    with options.writing(out):
        out.write_text(_extra("run").evaluate(model, table), encoding="utf-8")
    click.echo(f"report written to {out}", err=True)


@click.command()
@click.argument("model_id", metavar="ID")
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True), help="Rows with outcomes.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of site models.")
@click.option(
    "--method",
    type=click.Choice(("intercept", "slope-and-intercept")),
    default="slope-and-intercept",
    show_default=True,
    help="What is fitted anew.",
)
@click.pass_obj
def recalibrate(
    settings: Settings, model_id: str, data: Path, out: Path, method: Literal["intercept", "slope-and-intercept"]
) -> None:
    """Calibrate a model on a table with outcomes: a new version beside the old, with a report on both."""
    model, table = chosen.trained(settings, model_id, _OF_SCORES), _table_in(data)
    with options.writing(out, folder=True):
        folder = _extra("run").recalibrate(model, table, method, out)
    click.echo(
        f"{folder} holds the new version; read {folder / 'recalibration.md'}, name {out} in plugins.models, and sign "
        f"it off: curbside models sign-off {model_id}"
    )


def _extra(name: str) -> ModuleType:
    """A module of `training`. Raises InputError if the `train` extra is not installed."""
    try:
        return importlib.import_module(f"cds_service.training.{name}")
    except ModuleNotFoundError as error:
        raise InputError(f"this needs {error.name}. Install it: pip install 'curbside[train]'.") from error


def _table_in(path: Path) -> Path:
    """The table at a path, which may be the folder that holds it and no other. Raises InputError."""
    if path.is_file():
        return path
    found = sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")])
    if len(found) != 1:
        raise InputError(f"{path} holds {len(found)} tables (.csv, .csv.gz). Name the table with --data.")
    return found[0]
