"""A line of a summary in a language model's words."""

from __future__ import annotations

from typing import Literal

import msgspec


class Told(msgspec.Struct, frozen=True, array_like=True):
    """One line of a worded summary. by: `model`, or `record` for a line put back as it is. cites: references."""

    text: str
    cites: tuple[str, ...]
    by: Literal["model", "record"] = "model"
