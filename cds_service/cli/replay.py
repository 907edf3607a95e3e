"""`curbside replay`: one past answer given again, all of them, or all of them against another release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import UUID

import click

from cds_service.cli import options
from cds_service.errors import InputError
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.answers import Answer, Kept
    from cds_service.replaying import Difference
    from cds_service.stores.assessments import AssessmentStore

_WORDS = {
    "same": "the same answer, byte for byte",
    "differs": "another answer",
    "deleted": "deleted",
}


@click.command()
@click.argument("assessment", type=click.UUID, required=False)
@click.option("--response", is_flag=True, help="Print the stored answer instead of the comparison.")
@click.option("--all", "everything", is_flag=True, help="All stored answers: which would differ now, and why.")
@click.option(
    "--against", metavar="VERSION", help="All stored requests: answers of another release beside those of now."
)
@click.option(
    "--without",
    metavar="RESOURCE",
    multiple=True,
    help="What the answer would have been without it, such as Observation/123; may be given several times.",
)
@click.option("--since", type=options.Moment(), metavar="TIME", help="With --all or --against: from then on.")
@click.option("--requests", type=options.FILE, hidden=True, help="Requests that another installation wrote.")
@click.option("--answers", type=options.FILE, help="With --all: write the answers of now, one a line, for --against.")
@options.as_json
@options.config
@click.pass_context
def replay(
    ctx: click.Context,
    assessment: UUID | None,
    response: bool,
    everything: bool,
    against: str | None,
    without: tuple[str, ...],
    since: datetime | None,
    requests: Path | None,
    answers: Path | None,
    as_json: bool,
    settings: Settings,
) -> int:
    """Give a past answer again from what it rested on, and compare it with the one that was sent.

    ASSESSMENT is the id of a stored assessment, or the uuid of a card. Exit code 0: the same bytes. 1: another answer,
    with the names of what changed since, or the assessment was deleted.

    --without tells which cards, estimates and findings would have been others without a resource. It says what the
    program would have answered, not what would have been right.

    --all does it for every stored answer with the code, models, knowledge and settings of now.

    --against compares what another release answers to the stored requests with what this one answers, and lists every
    card that differs, and why. VERSION is a version of Curbside that sent stored answers, another installation (the
    folder of a virtual environment or a checkout, or a wheel), a file of --answers, or one model: MODEL=VERSION or
    MODEL=FOLDER.
    """
    if requests is not None and answers is not None:
        return _answer(settings, requests, answers)
    if sum((everything, against is not None, assessment is not None)) != 1:
        raise InputError("give one of: the id of an ASSESSMENT, --all, or --against VERSION.")
    if (since is not None and assessment is not None) or (answers is not None and not everything):
        raise InputError("--since goes with --all or --against, and --answers with --all.")
    if without and assessment is None:
        raise InputError("--without goes with the id of an ASSESSMENT or of a card.")
    if assessment is not None and without:
        return _without(settings, assessment, without, as_json)
    if assessment is not None:
        return _one(settings, assessment, response, as_json)
    if against is not None:
        return _against(settings, against, since, options.settings_file(ctx), as_json)
    return _all(settings, since, answers, as_json)


def _one(settings: Settings, assessment: UUID, response: bool, as_json: bool) -> int:
    from cds_service import replay as replays
    from cds_service.app import create_pipeline, open_store
    from cds_service.stores.about import AboutStore

    store = open_store(settings)
    try:
        known = AboutStore(store.database).assessment_of(assessment) or assessment
        found = replays.replay(create_pipeline(settings), store, known)
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


def _without(settings: Settings, assessment: UUID, references: tuple[str, ...], as_json: bool) -> int:
    from cds_service import account
    from cds_service.app import create_pipeline, open_store

    store = open_store(settings)
    try:
        found = account.without(create_pipeline(settings), store, assessment, references)
    finally:
        store.close()
    if as_json:
        options.print_json({"without": list(references), "difference": found})
    elif found is None:
        click.echo(f"without {', '.join(references)}: the same answer")
    else:
        click.echo(f"left: with all that was read; right: without {', '.join(references)}\n")
        _difference(found)
    return 0 if found is None else 1


def _answer(settings: Settings, requests: Path, answers: Path) -> int:
    """What another installation asks of this one: its requests, answered."""
    from cds_service import answers as records
    from cds_service.app import create_pipeline

    pipeline = create_pipeline(settings)
    with requests.open("rb") as asked, answers.open("wb") as told:
        for line in asked:
            told.write(records.write(records.again(pipeline, records.read_kept(line))))
    return 0


def _all(settings: Settings, since: datetime | None, answers: Path | None, as_json: bool) -> int:
    from cds_service import answers as records
    from cds_service.app import create_pipeline, open_store

    store = open_store(settings)
    try:
        with options.writing(answers) if answers is not None else nullcontext():
            pipeline = create_pipeline(settings)
            pairs = [(then, records.again(pipeline, kept)) for then, kept in records.stored(store, since)]
            if answers is not None:
                answers.write_bytes(b"".join(records.write(now) for _, now in pairs))
    finally:
        store.close()
    return _tell(pairs, "left: as it was sent; right: as this installation answers now", as_json)


def _against(settings: Settings, against: str, since: datetime | None, config: Path | None, as_json: bool) -> int:
    from cds_service import answers as records
    from cds_service.app import create_pipeline, open_store

    store = open_store(settings)
    try:
        others = _others(store, settings, against, since, config)
        pipeline = create_pipeline(settings)
        pairs = [(other, records.again(pipeline, kept)) for other, kept in others]
    finally:
        store.close()
    return _tell(pairs, f"left: {against}; right: this installation", as_json)


def _others(
    store: AssessmentStore, settings: Settings, against: str, since: datetime | None, config: Path | None
) -> Iterator[tuple[Answer, Kept]]:
    """The answers of the other side, each with the request that it answers."""
    from cds_service import against as others
    from cds_service import answers as records

    model, named, wanted = against.partition("=")
    if named:
        from cds_service.app import create_pipeline, load_registry

        loaded = others.with_model(load_registry(settings), settings, model, wanted)
        pipeline = create_pipeline(settings, loaded=loaded)
        return ((records.again(pipeline, kept), kept) for _, kept in records.stored(store, since))
    place = Path(against)
    if place.suffix == ".jsonl" and place.is_file():
        return records.with_requests(store, _written(place, since))
    if place.exists():
        return _elsewhere(store, place, since, config)
    return _recorded(store, against, since)


def _elsewhere(
    store: AssessmentStore, place: Path, since: datetime | None, config: Path | None
) -> Iterator[tuple[Answer, Kept]]:
    from cds_service import against as others
    from cds_service import answers as records

    with TemporaryDirectory(prefix="curbside-wheel-") as unpacked:
        found = others.installation(place, Path(unpacked))
        if found is None:
            raise InputError(f"there is no installation of Curbside at {place}. {others.FORMS}")
        asked = (kept for _, kept in records.stored(store, since))
        yield from records.with_requests(store, found.answers(asked, config))


def _written(file: Path, since: datetime | None) -> Iterator[Answer]:
    from cds_service import answers as records

    with file.open("rb") as lines:
        told = map(records.read_answer, lines)
        yield from (one for one in told if since is None or one.at >= since)


def _recorded(store: AssessmentStore, version: str, since: datetime | None) -> Iterator[tuple[Answer, Kept]]:
    from cds_service import against as others
    from cds_service import answers as records

    found, known = False, set[str]()
    for then, kept in records.stored(store, since):
        sent_by = then.versions.get("curbside", "?")
        known.add(sent_by)
        if sent_by == version:
            found = True
            yield then, kept
    if not found:
        sent = ", ".join(sorted(known)) or "none"
        raise InputError(f"no stored answer was sent by {version!r}; stored are answers of {sent}. {others.FORMS}")


def _tell(pairs: Iterable[tuple[Answer, Answer]], sides: str, as_json: bool) -> int:
    """Prints what differs; the exit code."""
    from cds_service.replaying import compare

    found = [compare(before, now) for before, now in pairs]
    differ = [one for one in found if one is not None]
    if as_json:
        options.print_json({"answers": len(found), "differ": differ})
        return 1 if differ else 0
    if differ:
        click.echo(f"{sides}\n")
    for one in differ:
        _difference(one)
    click.echo(f"{len(found)} stored requests answered again: {len(differ)} answers differ.")
    cards = Counter(card.kind for one in differ for card in one.cards)
    causes = Counter(cause for one in differ for cause in {why.cause for why in one.why})
    for what, counts in (("cards", cards), ("because of", causes)):
        if counts:
            click.echo(f"{what}: " + ", ".join(f"{n} {name}" for name, n in counts.most_common()))
    return 1 if differ else 0


def _difference(one: Difference) -> None:
    click.echo(f"{one.at.isoformat()}  {one.service}  {one.id}")
    for card in one.cards:
        words = " → ".join(dict.fromkeys(summary for summary in (card.before, card.now) if summary is not None))
        click.echo(f"  card {card.kind}: {words}")
    if not one.cards:
        click.echo("  no card differs")
    for why in one.why:
        click.echo(f"    {why.words}")
