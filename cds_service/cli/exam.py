"""`curbside exam`: a language model sat through a published question set, or through case vignettes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.cli import options
from cds_service.errors import InputError
from cds_service.settings import Llm, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.exam.questions import Question
    from cds_service.exam.vignettes import Vignette

_SETS = ("medqa", "medmcqa", "pubmedqa", "mmlu", "zh", "vignettes")


@click.command()
@click.argument("dataset", type=click.Choice(_SETS))
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Folder or file of the question set.")
@click.option("--endpoint", metavar="URL", help="Base URL up to and with /v1, instead of llm.url.")
@click.option("--model", help="The model's name as the server knows it, instead of llm.model.")
@click.option("--key-env", metavar="NAME", help="Variable that holds the API key, instead of llm.key_env.")
@click.option("--limit", type=click.IntRange(1), help="Ask the first so many questions only.")
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
    resume: bool,
    out: Path,
    max_tokens: int,
    as_json: bool,
    settings: Settings,
) -> None:
    """Have a language model answer a question set, and report how many it got right.

    No patient's data are sent. Answers are on disk one by one; after an interruption go on with --resume. The question
    sets are not part of Curbside: docs/language-model.md says where they are. `vignettes` needs no --data.
    """
    from cds_service.exam import report
    from cds_service.exam.sitting import Sitting, asking
    from cds_service.summary.llm import LanguageModel

    llm = _endpoint(settings.llm, endpoint, model, key_env, max_tokens)
    title, items = _items(dataset, data)
    items = items[:limit]
    name = f"{dataset}-{re.sub(r'[^A-Za-z0-9.-]+', '-', llm.model or 'model')}"
    sitting = Sitting(out / f"{name}.jsonl", resume=resume)
    _sit(sitting.sit(items, asking(LanguageModel(llm))), len([i for i in items if i.id not in sitting.results]), title)
    chosen = [sitting.results[item.id] for item in items]
    found = report.summary(dataset, title, llm.model or "unnamed model", chosen)
    (out / f"{name}.json").write_bytes(options.to_json(found))
    (out / f"{name}.md").write_text(report.markdown(found), encoding="utf-8")
    if as_json:
        options.print_json(found)
    else:
        click.echo(report.markdown(found))
        click.echo(f"Written: {out / name}.md, .json and .jsonl", err=True)


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


def _sit(results: object, left: int, title: str) -> None:
    """Goes through a sitting; a bar on a terminal, silent in a pipe."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    shown = track(results, title, total=left, console=console, disable=not console.is_terminal)  # type: ignore[arg-type,var-annotated]
    for _ in shown:
        pass
