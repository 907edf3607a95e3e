"""`curbside knowledge`: what the graph holds, what it says, and newer sources."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import options
from cds_service.errors import InputError
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.knowledge.graph import Evidence
    from cds_service.knowledge.library import Library

_MOST_NODES = 60
_SHOWN = 20  # skipped lines and unknown names


@click.group()
@options.config
@click.pass_context
def knowledge(ctx: click.Context, settings: Settings) -> None:
    """Ask the knowledge graph, list its sources, import newer ones."""
    ctx.obj = settings


@knowledge.command()
@options.as_json
@click.pass_obj
def sources(settings: Settings, as_json: bool) -> None:
    """List the sources with their releases, licences and rows."""
    from dataclasses import asdict

    from cds_service.cli.terminal import table

    found = _library(settings).graph.sources
    if as_json:
        options.print_json([asdict(source) for source in found])
        return
    heads = ("source", "title", "released", "rows", "skipped", "unresolved", "licence")
    table(
        heads, [(s.id, s.title, s.released, str(s.rows), str(s.skipped), str(s.unresolved), s.licence) for s in found]
    )


@knowledge.command()
@click.argument("names", nargs=-1)
@click.option("--text", help="Search all words of the rows.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most rows to print.")
@options.as_json
@click.pass_obj
@click.pass_context
def query(
    ctx: click.Context, settings: Settings, names: tuple[str, ...], text: str | None, limit: int, as_json: bool
) -> None:
    """Print what is known of one NAME, or of two together; exit code 1 if it is nothing.

    A name is a drug, a brand, a class, a disease, a gene, a variant ("BRAF V600E") or a code (ICD-10-CM, RxNorm).
    """
    if bool(names) == bool(text) or len(names) > 2:
        raise click.UsageError("Give one NAME, two NAMES, or --text WORDS.")
    library = _library(settings)
    rows = list(library.graph.search(text, limit)) if text else _about(library, names)
    if as_json:
        options.print_json([_entry(library, row) for row in rows[:limit]])
    else:
        for row in rows[:limit]:
            _print(library, row)
        more = f", {len(rows) - limit} more: raise --limit" if len(rows) > limit else ""
        count = f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}"
        click.echo(f"{count}{more}" if rows else "Nothing is known of that in these sources.", err=True)
    if not rows:
        ctx.exit(1)


def _about(library: Library, names: tuple[str, ...]) -> list[Evidence]:
    from cds_service.knowledge.policy import severity_rank

    graph = library.graph
    ends = [_nodes(library, name) for name in names]
    if len(ends) == 2:
        one, other = ends
        found = {e.id + e.subject + e.object: e for e in graph.evidence(one, None, other)}
        found |= {e.id + e.subject + e.object: e for e in graph.evidence(other, None, one)}
        found |= {e.id + e.subject + e.object: e for e in graph.evidence(one, None, None, other)}
        found |= {e.id + e.subject + e.object: e for e in graph.evidence(other, None, None, one)}
        rows = list(found.values())
    else:
        rows = list(graph.about(ends[0]))
    return sorted(rows, key=lambda e: (-severity_rank(e.severity), e.level, e.id))


def _nodes(library: Library, name: str) -> list[str]:
    """The nodes of a name with the classes and diseases above them. Raises InputError naming what is near."""
    graph = library.graph
    found = [node.id for node in graph.named(name)]
    if not found:
        near = graph.like(name)
        hint = f"Did you mean {', '.join(near)}?" if near else "Search with --text."
        raise InputError(f"no source knows {name!r}. {hint}")
    return list(dict.fromkeys(up for node in found for up in graph.parents(node)))[:_MOST_NODES]


def _entry(library: Library, row: Evidence) -> dict[str, Any]:
    from dataclasses import asdict

    ends = {
        f"{end}_name": library.name(getattr(row, end)) for end in ("subject", "object", "context") if getattr(row, end)
    }
    return {"id": row.id, **asdict(row), **ends}


def _print(library: Library, row: Evidence) -> None:
    ends = f"{library.name(row.subject)} {row.relation} {library.name(row.object)}"
    context = f" ({library.name(row.context)})" if row.context else ""
    grade = ", ".join(_filled((row.severity, f"level {row.level}" if row.level else "")))
    against = "" if row.direction == "supports" else " [does not support]"
    click.echo(click.style(f"{ends}{context}", bold=True) + (f": {grade}" if grade else "") + against)
    for words in _filled((row.statement, row.management)):
        click.echo(f"  {words}")
    click.echo(f"  {', '.join(_filled((row.citation, row.year, row.url)))}  [{row.id}; {library.cited(row.source)}]")


def _filled(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part]


@knowledge.command("import")
@click.argument("source")
@click.argument("path", type=options.FILE)
@click.option("--classes", type=options.FILE, help="The classes' file of ddi-ansm; by default the one beside PATH.")
@click.option("--released", default="", help="Date of the release, such as 2026-05; by default as in the file's name.")
@click.pass_obj
def import_(settings: Settings, source: str, path: Path, classes: Path | None, released: str) -> None:
    """Import a file of SOURCE in place of what it had before.

    SOURCE: civic, cpic, clinpgx, ddi-ansm, ddi-onc, pharmacotherapydb or icd10cm, each in its own published format.
    """
    from cds_service.knowledge.importers.sources import KINDS, import_file

    if source not in KINDS:
        raise InputError(f"there is no source {source!r}. Known are {', '.join(KINDS)}.")
    into = settings.knowledge_path()
    report = import_file(into, source, path, classes, released)
    for number, problem in report.skipped[:_SHOWN]:
        click.echo(f"curbside: {path.name} line {number} skipped: {problem}", err=True)
    if len(report.skipped) > _SHOWN:
        click.echo(f"curbside: {len(report.skipped) - _SHOWN} further lines skipped", err=True)
    if report.unresolved:
        names = ", ".join(name for name, _ in report.unresolved.most_common(_SHOWN))
        click.echo(f"curbside: {len(report.unresolved)} names not known before: {names} ...", err=True)
    click.echo(f"{source}: {report.rows} rows in {into}, {len(report.skipped)} skipped")


@knowledge.command()
@click.pass_obj
def build(settings: Settings) -> None:
    """Build the graph anew: this version's base with all that was imported."""
    from cds_service.knowledge import build as builder
    from cds_service.knowledge.graph import Graph

    path = settings.knowledge_path()
    builder.rebuild(path)
    graph = Graph(path)
    rows = sum(source.rows for source in graph.sources)
    click.echo(f"{path}: {rows} rows of {len(graph.sources)} sources, digest {graph.digest}")


@knowledge.command()
@click.option(
    "--bundles",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder of patients' bundles: .json or .json.gz.",
)
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="Most patients to look at.")
@options.as_json
@click.pass_obj
def report(settings: Settings, bundles: Path, limit: int, as_json: bool) -> None:
    """Print how many cards a population would get per 100 orders, by severity.

    Each active prescription is taken in turn as if it were being signed, against all the others of the patient.
    """
    from cds_service.cli import knowledge_report
    from cds_service.cli.terminal import table

    files = sorted(p for p in bundles.iterdir() if p.name.endswith((".json", ".json.gz")))[:limit]
    if not files:
        raise InputError(f"{bundles} holds no .json or .json.gz file. Give a folder of patients' bundles.")
    found = knowledge_report.counted((options.read_bundle(path) for path in files), settings)
    shown = found.as_json(settings)
    if as_json:
        options.print_json(shown)
        return
    refused = f", {found.refused} could not be asked" if found.refused else ""
    click.echo(f"{found.patients} patients, {found.orders} orders{refused}")
    click.echo(f"{shown['orders_interrupted_per_100']} of 100 orders would get a warning or a critical card")
    table(("card", "per 100 orders"), [(name, str(value)) for name, value in shown["cards_per_100"].items()])
    rows = [(name, str(v["per_100"]), v["set_to"] or "-") for name, v in shown["findings_per_100"].items()]
    table(("severity of the row", "findings per 100 orders", "set to"), rows)
    table(("most frequent", "times"), [(m["finding"], str(m["count"])) for m in shown["most_frequent"][:10]])


def _library(settings: Settings) -> Library:
    from cds_service.knowledge import library

    return library.opened(settings)
