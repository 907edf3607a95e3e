"""Puts a sign-off into the settings file, or takes it out; every other byte of it stays as it is."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from cds_service.errors import SettingsError
from cds_service.settings import SignOff


def with_sign_off(text: str, model: str, entry: SignOff) -> str:
    """The settings with one model's sign-off in place of its former one.

    Raises SettingsError with the table to write by hand where the file is laid out so that it cannot be put in.
    """
    before = tomllib.loads(text)
    kept = _without(text, model).rstrip("\n")
    made = f"{kept}\n\n{_table(model, entry)}" if kept else _table(model, entry)
    what = "settings: the sign-off cannot be put into the file as it is laid out. Write it yourself:"
    by_hand = f"{what}\n{_table(model, entry)}"
    try:
        after = tomllib.loads(made)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(by_hand) from error
    for found in (before, after):
        found.setdefault("models", {}).setdefault("signed_off", {}).pop(model, None)
    if before != after:
        raise SettingsError(by_hand)
    return made


def write(path: Path, text: str) -> None:
    """Replaces the file, all of it or nothing, with the permissions that it had. Raises SettingsError."""
    beside = path.with_name(path.name + ".new")
    try:
        mode = path.stat().st_mode & 0o777
        with open(beside, "w", encoding="utf-8", opener=lambda path, how: os.open(path, how, mode)) as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(mode)
        os.replace(beside, path)
    except OSError as error:
        raise SettingsError(f"settings: {path} cannot be written ({error.strerror}). Check its permissions.") from error


def _without(text: str, model: str) -> str:
    """The text without the model's own table."""
    header = re.compile(rf'\s*\[\s*models\s*\.\s*signed_off\s*\.\s*"?{re.escape(model)}"?\s*\]')
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            inside = header.match(line) is not None
        if not inside:
            kept.append(line)
    return "".join(kept)


def _table(model: str, entry: SignOff) -> str:
    rows = {
        "version": entry.version,
        "by": entry.by,
        "report": entry.report,
        "report_sha256": entry.report_sha256,
        "conditions": entry.conditions,
    }
    lines = [f"{name} = {_quoted(value)}" for name, value in rows.items()]
    return "\n".join([f"[models.signed_off.{model}]", *lines, f"on = {entry.on.isoformat()}", ""])


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
