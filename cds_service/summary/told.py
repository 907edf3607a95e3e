"""A line of a summary in a language model's words."""

from __future__ import annotations

from typing import Literal

import msgspec


class Told(msgspec.Struct, frozen=True, array_like=True):
    """One line of a worded summary.

    by: `model`; `record` for a line put back as it is; `general` for a quotation of a row of the knowledge graph,
    which says nothing of this patient. cites: references, or the row's id. source, url: of that row.
    """

    text: str
    cites: tuple[str, ...]
    by: Literal["model", "record", "general"] = "model"
    source: str = ""
    url: str = ""
