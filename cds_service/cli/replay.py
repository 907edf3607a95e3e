"""`curbside replay`: one past answer given again, or all of them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

import click

from cds_service.cli import options
from cds_service.errors import InputError
from cds_service.settings import Settings

_WORDS = {
    "same": "the same answer, byte for byte",
    "differs": "another answer",
    "deleted": "deleted",
}


@click.command()
@click.argument("assessment", type=click.UUID, required=False)
@click.option("--response", is_flag=True, help="Print the stored answer instead of the comparison.")
@click.option("--all", "everything", is_flag=True, help="All stored answers: which would differ now, and why.")
@click.option("--since", type=options.Moment(), metavar="TIME", help="With --all: from then on.")
@options.as_json
@options.config
def replay(
    assessment: UUID | None,
    response: bool,
    everything: bool,
    since: datetime | None,
    as_json: bool,
    settings: Settings,
) -> int:
    """Give a past answer again from what it rested on, and compare it with the one that was sent.

    ASSESSMENT is the id of a stored assessment. Exit code 0: the same bytes. 1: another answer, with the names of what
    changed since, or the assessment was deleted.

    --all does it for every stored answer with the code, models, knowledge and settings of now: run it with a new
    release or new settings before they go live.
    """
    if everything == (assessment is not None) or (since is not None and not everything):
        raise InputError("give the id of one ASSESSMENT, or --all (with --since TIME for the later ones).")
    if assessment is None:
        return _all(settings, since, as_json)
    return _one(settings, assessment, response, as_json)


def _one(settings: Settings, assessment: UUID, response: bool, as_json: bool) -> int:
    from cds_service import replay as replays
    from cds_service.app import create_pipeline, create_store

    store = create_store(settings)
    try:
        found = replays.replay(create_pipeline(settings), store, assessment)
    finally:
        store.close()
    if response and found.stored:
        click.echo(found.stored.decode())
    elif as_json:
        options.print_json({"state": found.state, "at": found.at, "changed": list(found.changed)})
    else:
        click.echo(f"{found.at.isoformat()}: {_WORDS[found.state]}")
        for sentence in found.changed:
            click.echo(f"  {sentence}")
        if found.state == "differs" and not found.changed:
            click.echo("  although nothing changed that should matter: please report this")
    return 0 if found.state == "same" else 1


def _all(settings: Settings, since: datetime | None, as_json: bool) -> int:
    from cds_service.app import create_pipeline, create_store
    from cds_service.replaying import all_again

    store = create_store(settings)
    try:
        found = list(all_again(create_pipeline(settings), store, since))
    finally:
        store.close()
    differ = [one for one in found if one is not None]
    if as_json:
        options.print_json({"answers": len(found), "differ": differ})
        return 1 if differ else 0
    for one in differ:
        kinds = Counter(card.kind for card in one.cards)
        cards = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())) or "no card shown differs"
        click.echo(f"{one.at.isoformat()}  {one.service}  {one.id}: {cards}")
        for sentence in one.why:
            click.echo(f"  {sentence}")
    click.echo(f"{len(found)} stored answers given again: {len(differ)} would differ.")
    return 1 if differ else 0
