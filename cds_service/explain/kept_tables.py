"""The tables of a file of weights, kept beside it once they were worked out."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cds_service.compiled import compiled
from cds_service.explain.forest import Forest
from cds_service.explain.leaf_tables import LeafTables


def tables(path: Path, weights: bytes, sha256: str) -> LeafTables | None:
    """The tables of an ensemble in XGBoost's UBJSON; None where there can be none. sha256: of the weights."""
    kept = compiled(path, sha256, lambda: _packed(LeafTables.read(weights)))
    return _unpacked(kept) if kept else None


def _packed(found: LeafTables | None) -> bytes:
    """The tables as bytes; empty where there are none."""
    return msgspec.msgpack.encode([_plain(found.forest), _plain(found)]) if found is not None else b""


def _plain(part: Forest | LeafTables) -> dict[str, Any]:
    """Its members; arrays and numpy's numbers as type, shape and bytes."""
    members = {field.name: getattr(part, field.name) for field in fields(part) if field.name != "forest"}
    return {
        name: (value.dtype.str, value.shape, value.tobytes()) if isinstance(value, np.ndarray | np.generic) else value
        for name, value in members.items()
    }


def _unpacked(content: bytes) -> LeafTables:
    forest, found = (_filled(part) for part in msgspec.msgpack.decode(content, type=list[dict[str, Any]]))
    return LeafTables(Forest(**forest), **found)


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    return {
        name: np.frombuffer(value[2], value[0]).reshape(value[1])[()] if isinstance(value, list) else value
        for name, value in members.items()
    }
