"""Cards and tables as a person enjoys reading them in a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cds_service.cli.options import Json

_COLOURS = {"info": "cyan", "warning": "yellow", "critical": "red"}
_MARKS = {"info": "●", "warning": "▲", "critical": "■"}
_WIDEST = 110


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints aligned columns; plain text, so that it can be piped."""
    lines = [tuple(heads), *(tuple(map(str, row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.secho(text, bold=number == 0)


@contextmanager
def reading(file: Path) -> Iterator[Callable[[], None]]:
    """Says on a terminal's standard error for how long a file is being read; the function that says it again."""
    started, told = time.monotonic(), sys.stderr.isatty()

    def say() -> None:
        if told:
            size = file.stat().st_size / 1e6
            click.echo(f"\rreading {size:,.0f} MB: {time.monotonic() - started:.0f} s", nl=False, err=True)

    try:
        yield say
    finally:
        if told:
            click.echo("\r" + " " * 40 + "\r", nl=False, err=True)


class Terminal:
    """Writes cards to standard output; colours only on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        columns = int(os.environ.get("COLUMNS") or shutil.get_terminal_size((_WIDEST, 24)).columns)
        self._console = Console(file=sys.stdout, width=min(columns, _WIDEST), highlight=False)

    def heading(self, title: str, note: str = "") -> None:
        """A rule across the terminal with the title of what follows."""
        from rich.text import Text

        self._console.print()
        self._console.rule(Text(title, style="bold"), align="left", style="dim")
        if note:
            self.note(note)

    def note(self, text: str) -> None:
        """A line of lesser importance."""
        self._console.print(text, style="dim", markup=False)

    def line(self, text: str) -> None:
        """A line."""
        self._console.print(text, markup=False)

    def cards(self, response: Json, about: str = "") -> None:
        """Every card of a response in a panel with the colour of its indicator."""
        for card in response["cards"]:
            self._console.print(_panel(card, about))

    def flush(self) -> None:
        """Lets a reader at the other end of a pipe see what was written."""
        sys.stdout.flush()


def _panel(card: Json, about: str) -> Any:
    from rich.console import Group
    from rich.markdown import Markdown
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.text import Text

    colour = _COLOURS[card["indicator"]]
    parts: list[Any] = [Text(f"{_MARKS[card['indicator']]} {card['summary']}", style=f"bold {colour}")]
    if card.get("detail"):
        above = int(not card["detail"].startswith("- "))  # a list brings an empty line of its own
        parts.append(Padding(Markdown(card["detail"], hyperlinks=False), (above, 0, 0, 0)))
    for suggestion in card.get("suggestions", ()):
        star = " (recommended)" if suggestion.get("isRecommended") else ""
        parts.append(Text(f"\n[ {suggestion['label']}{star} ]", style="bold green"))
        parts += [Text(f"    {action['description']}") for action in suggestion["actions"]]
    source = card["source"]
    parts.append(Text(f"\n{source['label']}  {source.get('url', '')}".rstrip(), style="dim"))
    return Panel(Group(*parts), title=Text(about) if about else None, title_align="left", border_style=colour)
