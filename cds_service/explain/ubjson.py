"""UBJSON as XGBoost writes it: values of Python, and numbers of one type as arrays in the file's byte order.

Source: ubjson.org (draft 12); XGBoost's model format, xgboost.readthedocs.io/en/stable/tutorials/saving_model.html.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_NUMBERS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q", "d": "f", "D": "d"}  # marker -> type in struct's terms
_SINGLE = {marker: struct.Struct(f">{code}") for marker, code in _NUMBERS.items()}
_MANY = {marker: np.dtype(f">{np.dtype(code).kind}{np.dtype(code).itemsize}") for marker, code in _NUMBERS.items()}
_PLAIN = {"Z": None, "T": True, "F": False}
_LONG, _SIZED, _END = ord("L"), ord("#"), ord("}")
_DEEPEST = 64
_NOTHING = np.empty(0)
_UNKNOWN = "a marker or a size that cannot be there"


class NotUbjsonError(ValueError):
    """The bytes are not UBJSON, or a part of it that XGBoost does not write."""


def read(content: bytes) -> Any:
    """The value in a file. Raises NotUbjsonError."""
    reader = _Reader(content)
    try:
        value = reader.value(reader.marker(), 0)
    except NotUbjsonError:
        raise
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise NotUbjsonError("cut off or damaged") from error
    if reader.place != len(content):
        raise NotUbjsonError("something follows the value")
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.place = 0

    def marker(self) -> str:
        found = chr(self._content[self.place])
        self.place += 1
        return found

    def value(self, marker: str, depth: int) -> Any:
        if marker in _NUMBERS:
            return self._number(marker)
        if marker in _PLAIN:
            return _PLAIN[marker]
        if marker == "S":
            return self._text()
        if marker in "[{" and depth < _DEEPEST:
            return self._array(depth + 1) if marker == "[" else self._object(depth + 1)
        raise NotUbjsonError(_UNKNOWN)

    def _number(self, marker: str) -> int | float:
        form = _SINGLE[marker]
        (number,) = form.unpack_from(self._content, self.place)
        self.place += form.size
        found: int | float = number
        return found

    def _count(self) -> int:
        place = self.place
        if self._content[place] == _LONG:  # nearly all of XGBoost's
            self.place = place + 9
            return int.from_bytes(self._content[place + 1 : place + 9], "big", signed=True)
        marker = self.marker()
        if marker not in "iUIlL":
            raise NotUbjsonError(_UNKNOWN)
        return int(self._number(marker))

    def _text(self) -> str:
        size = self._count()
        begin, self.place = self.place, self.place + size
        if size < 0 or self.place > len(self._content):
            raise NotUbjsonError(_UNKNOWN)
        return self._content[begin : self.place].decode()

    def _array(self, depth: int) -> Any:
        marker = self.marker()
        if marker == "$":
            return self._numbers(self.marker())
        if marker == "#":
            return [self.value(self.marker(), depth) for _ in range(self._count())]
        found = []
        while marker != "]":
            found.append(self.value(marker, depth))
            marker = self.marker()
        return found

    def _numbers(self, marker: str) -> Any:
        form = _MANY.get(marker)
        if self._content[self.place] != _SIZED or form is None:
            raise NotUbjsonError(_UNKNOWN)
        self.place += 1
        count = self._count()
        if count == 0:
            return _NOTHING
        found = np.frombuffer(self._content, form, count, self.place)
        self.place += count * form.itemsize
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        content = self._content
        while content[self.place] != _END:
            name = self._text()
            if content[self.place : self.place + 2] == b"[$":  # nearly all that a tree holds
                self.place += 2
                found[name] = self._numbers(self.marker())
            else:
                found[name] = self.value(self.marker(), depth)
        self.place += 1
        return found
