"""The methods of dataclasses, compiled once an installation.

Python writes the methods of every dataclass as text and compiles them at each start: for the service's 250 classes a
fifth of the time until its first answer. What a text compiles to depends on the text and on Python alone; it is kept
as Python keeps its compiled files. Whatever is not kept is compiled as ever.
"""

from __future__ import annotations

import builtins
import dataclasses
import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType
from typing import Any

from cds_service import compiled

_PLACE = Path(__file__).parent / "__pycache__"
_NAME = "classes"
_FILE = f"{_NAME}.{importlib.util.MAGIC_NUMBER.hex()}.bin"


class KeptClasses:
    """Compiled texts: those that were kept, and those that were asked for since."""

    def __init__(self, place: Path = _PLACE) -> None:
        self._place = place
        self._known: dict[str, CodeType] = {}
        self._used: dict[str, CodeType] = {}

    def install(self) -> None:
        """From now on the texts of dataclasses are looked up here."""
        found = compiled.read(self._place / _FILE)
        self._known = marshal.loads(found) if found else {}  # noqa: S302 - as Python's own compiled files
        vars(dataclasses)["exec"] = self._run

    def keep(self) -> None:
        """Keeps what was used, if it is not what was kept, and ends the looking up."""
        vars(dataclasses).pop("exec", None)
        if self._used.keys() != self._known.keys() and not sys.dont_write_bytecode:
            compiled.write(self._place / _FILE, _NAME, marshal.dumps(self._used))
        self._known, self._used = {}, {}

    def _run(self, text: str, names: dict[str, Any] | None = None, made: dict[str, Any] | None = None) -> None:
        code = self._known.get(text)
        if code is None:
            code = compile(text, "<string>", "exec", dont_inherit=True)
        self._used[text] = code
        builtins.exec(code, names, made)  # noqa: S102 - what `dataclasses` itself would run


CLASSES = KeptClasses()
