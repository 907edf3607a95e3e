"""Options and arguments that several commands share, and what they read."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service import settings as settings_module
from cds_service.clock import Clock, FixedClock, SystemClock
from cds_service.errors import InputError
from cds_service.language import language_of
from cds_service.settings import Settings

Command = Callable[..., Any]
_SETTINGS_FILE = "curbside.settings_file"
PART = ".part"  # the end of a file that becomes another when it is whole
Json = dict[str, Any]


class Moment(click.ParamType[datetime]):
    """A date and time with its zone, as FHIR writes an instant."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, or a sentence that shows the form."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(f"{value!r} is not a date and time with a zone such as 2026-11-01T12:00:00Z.", param, ctx)
        return moment


def _configured(ctx: click.Context, _param: click.Parameter, value: Path | None) -> Settings:
    ctx.meta[_SETTINGS_FILE] = settings_module.file_of(value)
    return settings_module.load(value)


def settings_file(ctx: click.Context) -> Path | None:
    """The settings file that a command with `--config` read, or None if there was none."""
    found: Path | None = ctx.meta.get(_SETTINGS_FILE)
    return found


FILE: Any = click.Path(path_type=Path, dir_okay=False)


def config(command: Command) -> Command:
    """`--config FILE`: gives the command the settings."""
    return click.option(
        "--config", "settings", type=FILE, callback=_configured, help="Settings file instead of curbside.toml."
    )(command)


def as_of(command: Command) -> Command:
    """`--as-of TIME`."""
    return click.option(
        "--as-of",
        type=Moment(),
        metavar="TIME",
        help="The record as known then, and that as now: 2026-11-01T12:00:00Z.",
    )(command)


def language(command: Command) -> Command:
    """`--language TAG`."""
    return click.option(
        "--language",
        callback=_language,
        metavar="TAG",
        help="Language of the answer: en or zh-CN. By default that of the cards.",
    )(command)


def _language(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    found = language_of(value) if value is not None else None
    if value is not None and found is None:
        raise click.BadParameter(f"{value!r} is not known. Give en or zh-CN.")
    return found


def as_json(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")(command)


def clock(moment: datetime | None) -> Clock:
    """The system's clock, or one that stands at `--as-of`."""
    return SystemClock() if moment is None else FixedClock(moment)


@contextmanager
def writing(out: Path, *, folder: bool = False) -> Iterator[None]:
    """Around work whose result goes to a file or folder. Raises InputError, and before the work where that can be told.

    A folder is made where there is none; a file needs one that is there.
    """
    holder = next(place for place in (out, *out.absolute().parents) if place.exists()) if folder else out.parent
    if not holder.is_dir():
        raise InputError(_cannot(out, "no such folder" if not folder else f"{holder} is a file", folder))
    if not folder and out.is_dir():
        raise InputError(_cannot(out, "it is a folder", folder))
    there = not folder and out.exists()  # such as /dev/stdout, or a file mounted where nothing else may be written
    if not (os.access(out, os.W_OK) if there else os.access(holder, os.W_OK | os.X_OK)):
        raise InputError(_cannot(out, "no permission", folder))
    try:
        yield
    except OSError as error:
        at = Path(error.filename) if isinstance(error.filename, str) else out
        beside = at.with_suffix("") if at.suffix == PART else at
        if not (beside.is_relative_to(out) or out.is_relative_to(beside)):
            raise
        raise InputError(_cannot(out, error.strerror or "no reason given", folder)) from error


def _cannot(out: Path, why: str, folder: bool) -> str:
    wanted = "folder that can be made" if folder else "file in an existing folder"
    return f"{out} cannot be written ({why}). Name a {wanted}."


def read_bytes(path: Path) -> bytes:
    """A file's bytes, unpacked if it is gzip; `-` is standard input. Raises InputError."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}). Give the path of an existing file.") from error
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise InputError(f"{path} looks like gzip but cannot be unpacked. Pack it again.") from error


def read_object(path: Path) -> Json:
    """The JSON object in a file. Raises InputError."""
    try:
        value = orjson.loads(read_bytes(path))
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON (line {error.lineno}, column {error.colno}). Give a JSON file.") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} must hold a JSON object, got {type(value).__name__}.")
    return value


def read_bundle(path: Path) -> Json:
    """The FHIR Bundle in a file. Raises InputError."""
    value = read_object(path)
    kind = value.get("resourceType")
    if kind != "Bundle":
        found = f"a {kind}" if isinstance(kind, str) else "no resourceType"
        raise InputError(f"{path} must hold a FHIR Bundle, got {found}. Give a patient's Bundle.")
    return value


def to_json(value: Any) -> bytes:
    """One JSON document, indented."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def print_json(value: Any) -> None:
    """Prints one JSON document, indented."""
    click.echo(to_json(value).decode())
