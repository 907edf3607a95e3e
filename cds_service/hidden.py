"""Packages that another package would load if they are installed, for something that a service never asks of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Within this, packages that are not loaded yet look as if they were not installed; afterwards they may load."""
    away = [name for name in names if name not in sys.modules]
    for name in away:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's way to say that there is none
    try:
        yield
    finally:
        for name in away:
            del sys.modules[name]
