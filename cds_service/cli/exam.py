"""`curbside exam`: a language model sat through a published question set, or through case vignettes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cds_service.cli import options
from cds_service.clock import SystemClock
from cds_service.errors import InputError
from cds_service.settings import Llm, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.exam.questions import Question
    from cds_service.exam.vignettes import Vignette

T = TypeVar("T")
_SETS = ("medqa", "medmcqa", "pubmedqa", "mmlu", "zh", "vignettes", "summaries")


@click.command()
@click.argument("dataset", type=click.Choice(_SETS))
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Folder or file of the set.")
@click.option("--endpoint", metavar="URL", help="Base URL up to and with /v1, instead of llm.url.")
@click.option("--model", help="The model's name as the server knows it, instead of llm.model.")
@click.option("--key-env", metavar="NAME", help="Variable that holds the API key, instead of llm.key_env.")
@click.option("--limit", type=click.IntRange(1), help="Ask the first so many questions only.")
@click.option("--shuffle", is_flag=True, help="Put the options in another order: an answer learnt by heart fails.")
@click.option("--resume", is_flag=True, help="Go on with the answers that are in the folder already.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("exam-results"), show_default=True,
    help="Folder for answers and report.",
)  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(1), default=1200, show_default=True, help="Longest answer.")
@options.as_json
@options.config
def exam(
    dataset: str,
    data: Path | None,
    endpoint: str | None,
    model: str | None,
    key_env: str | None,
    limit: int | None,
    shuffle: bool,
    resume: bool,
    out: Path,
    max_tokens: int,
    as_json: bool,
    settings: Settings,
) -> None:
    """Have a language model answer a question set, and report how many it got right.

    Answers are on disk one by one; after an interruption go on with --resume. The question sets are not part of
    Curbside: docs/language-model.md says where they are. `vignettes` needs no --data. `summaries` has the sample
    patients, or a folder of Bundles, summarised as hooks do, and reports what was kept; what is sent is scrubbed unless
    llm.local is set.
    """
    if dataset == "summaries":
        llm = replace(_endpoint(settings.llm, endpoint, model, key_env, max_tokens), local=settings.llm.local)
        _summaries(llm, data, limit, out, settings, as_json=as_json)
        return
    from cds_service.exam import report
    from cds_service.exam.questions import Question
    from cds_service.exam.sitting import Sitting, asking, shuffled
    from cds_service.summary.llm import LanguageModel

    llm = _endpoint(settings.llm, endpoint, model, key_env, max_tokens)
    title, items = _items(dataset, data)
    there, items = len(items), items[:limit]
    if shuffle:
        items = [shuffled(item) if isinstance(item, Question) else item for item in items]
    name = f"{dataset}-{'shuffled-' if shuffle else ''}{_file_name(llm)}"
    sitting = Sitting(out / f"{name}.jsonl", resume=resume)
    left = sum(item.id not in sitting.results for item in items)
    _bar(sitting.sit(items, asking(LanguageModel(llm))), left, title)
    chosen = [sitting.results[item.id] for item in items]
    if all(result.failed for result in chosen):
        raise InputError(f"the endpoint answered none of {len(chosen)} questions ({chosen[0].failed}). Check its URL.")
    options_of = [len(item.options) for item in items if isinstance(item, Question)]
    chance = sum(1 / n for n in options_of) / len(options_of) if options_of else None
    name_of = llm.model or "unnamed model"
    found = report.summary(dataset, title, name_of, chosen, there=there, shuffled=shuffle, by_chance=chance)
    _write(out / name, found, report.markdown(found), as_json=as_json)


def _write(place: Path, found: options.Json, text: str, *, as_json: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.with_name(f"{place.name}.json").write_bytes(options.to_json(found))
    place.with_name(f"{place.name}.md").write_text(text, encoding="utf-8")
    if as_json:
        options.print_json(found)
    else:
        click.echo(text)
        click.echo(f"Written: {place}.md and .json", err=True)


def _summaries(llm: Llm, data: Path | None, limit: int | None, out: Path, settings: Settings, *, as_json: bool) -> None:
    """Measures summaries of sample patients, or of a folder of Bundles."""
    from cds_service.cli import calls
    from cds_service.exam import summaries
    from cds_service.summary.llm import LanguageModel

    files = list(calls.samples().values()) if data is None else sorted([*data.glob("*.json"), *data.glob("*.json.gz")])
    if not files:
        raise InputError(f"{data} holds no Bundles (*.json). Give a folder of patients' Bundles with --data.")
    bundles = [(file.name.partition(".")[0], options.read_bundle(file)) for file in files[:limit]]
    records = ((name, calls.record(b, calls.written(b) or SystemClock().now())) for name, b in bundles)
    model = LanguageModel(llm, allow_insecure_loopback=True)
    language = llm.language or settings.cards.language
    rows = _bar(summaries.measure(model, llm, records, language), len(bundles), "Summaries")
    found = summaries.summary(llm.model or "unnamed model", rows)
    _write(out / f"summaries-{_file_name(llm)}", found, summaries.markdown(found), as_json=as_json)


def _file_name(llm: Llm) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", llm.model or "model")


def _endpoint(llm: Llm, url: str | None, model: str | None, key_env: str | None, max_tokens: int) -> Llm:
    """The endpoint that is asked. Questions are public: plain http on this machine needs no further word."""
    if not (url or llm.url):
        raise InputError("no language model is set. Give --endpoint http://127.0.0.1:8080/v1, or set llm.url.")
    llm = replace(llm, local=True, max_answer_tokens=max_tokens)
    if url:
        llm = replace(llm, url=url, key_file=None, key_env="")
    return replace(llm, model=model or llm.model, key_env=key_env or llm.key_env)


def _items(dataset: str, data: Path | None) -> tuple[str, Sequence[Question | Vignette]]:
    if dataset == "vignettes":
        from cds_service.exam.vignettes import vignettes

        return "Case vignettes", vignettes()
    from cds_service.exam.questions import DATASETS, load

    if data is None:
        raise InputError(f"{dataset} needs --data: the folder that holds {DATASETS[dataset].files}.")
    return DATASETS[dataset].title, load(dataset, data)


def _bar(results: Iterable[T], total: int, title: str) -> list[T]:
    """Goes through all of it; with a bar on a terminal, silent in a pipe."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return list(track(results, title, total=total, console=console, disable=not console.is_terminal))
