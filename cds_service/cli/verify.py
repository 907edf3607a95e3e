"""`curbside verify`: which sentences a record supports, and why it does not support the others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service.cli import calls, options
from cds_service.errors import InputError

_FORM = '[{"text": "...", "cites": ["Observation/x"]}]'


@click.command()
@click.argument("bundle", metavar="BUNDLE.json", type=options.FILE)
@click.argument("sentences", metavar="SENTENCES.json", type=options.FILE)
@options.as_of
def verify(bundle: Path, sentences: Path, as_of: datetime | None) -> None:
    """Print for each sentence of SENTENCES.json whether the resources that it cites support it.

    SENTENCES.json is a list of {"text", "cites": ["Observation/x", ...]}. The answer is a list in the same order of
    {"text", "verdict": "keep" or "drop", "reasons"}. The moment is --as-of, else the bundle's own timestamp, else now.
    """
    from cds_service.summary.chart import Chart
    from cds_service.summary.verify import Sentence
    from cds_service.summary.verify import verify as judge

    content = options.read_bundle(bundle)
    moment = as_of or calls.written(content) or options.clock(None).now()
    rows = [Sentence(text, cites) for text, cites in _read(sentences)]
    found = judge(rows, Chart.from_bundle(content, moment))
    options.print_json(
        [{"text": v.text, "verdict": "keep" if v.keep else "drop", "reasons": list(v.reasons)} for v in found]
    )


def _read(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """The sentences of a file. Raises InputError naming the entry that is not one."""
    try:
        rows: Any = orjson.loads(options.read_bytes(path))
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON (line {error.lineno}, column {error.colno}). Give a JSON file.") from None
    if not isinstance(rows, list):
        raise InputError(f"{path} must hold a list such as {_FORM}, got {type(rows).__name__}.")
    found = []
    for number, row in enumerate(rows, 1):
        text = row.get("text") if isinstance(row, dict) else None
        cites = row.get("cites", []) if isinstance(row, dict) else None
        if not isinstance(text, str) or not isinstance(cites, list) or not all(isinstance(c, str) for c in cites):
            raise InputError(f"{path}: entry {number} must have a text and a list of cites, as {_FORM}.")
        found.append((text, tuple(cites)))
    return found
