"""Writes `likeness.json` of a model's folder: averages, spreads and the distance of its training rows.

    python -m cds_service.training.likeness ID --data TABLE [--out FOLDER]

makes the file of a model that was trained before, and enters its digest in the manifest; what came of like estimates
is taken from the file that is there, else from the model's card. `curbside models train` writes all of it with the
weights.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.registry import shipped
from cds_service.risk import manifest as manifests
from cds_service.risk.likeness import FILE, FURTHEST, Alike, Likeness
from cds_service.risk.manifest import Input, Manifest

Floats = NDArray[np.float64]
UNLIKE = 95  # percentile, as in the card
_DIGITS = 6
_ROW = re.compile(
    r"^\| (?P<what>[^|]+), (?P<low>[\d.]+) to (?P<high>[\d.]+) % \| (?P<people>\d+) \| [\d.]+ % \| (?P<came>[\d.]+) %",
    re.M,
)


def of(
    matrix: NDArray[np.float32],
    inputs: Sequence[Input],
    spoken: NDArray[np.bool_],
    similar: Mapping[str, tuple[Alike, ...]] | None = None,
    refits: int = 0,
) -> Likeness:
    """Of training rows; spoken: those for which the model speaks, among which one in twenty is unlike the others.

    similar, refits: as in `Likeness`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an input of which nobody has a value stays unknown
        middle: Floats = np.asarray(np.nanmean(matrix, axis=0, dtype=np.float64))
        spread: Floats = np.maximum(np.nanstd(matrix, axis=0, dtype=np.float64), 1e-6)
    scores = np.clip((matrix - middle) / spread, -FURTHEST, FURTHEST) ** 2
    apart = np.nansum(scores, axis=1) / np.maximum((~np.isnan(scores)).sum(axis=1), 1)
    known = {
        declared.id: (_rounded(middle[column]), _rounded(spread[column]))
        for column, declared in enumerate(inputs)
        if np.isfinite(middle[column])
    }
    return Likeness(known, _rounded(np.percentile(apart[spoken], UNLIKE)), dict(similar or {}), refits)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def write(folder: Path, found: Likeness) -> str:
    """The SHA-256 of the file, which holds the same bytes for the same rows."""
    content = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    (folder / FILE).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def renew(folder: Path, found: Likeness) -> None:
    """Writes the file of a model that was trained before, and enters its digest in the manifest.

    found: of its training rows. Raises PluginError if the manifest cannot be read, or the card tells of other outcomes.
    """
    path = folder / "manifest.json"
    stated = msgspec.json.decode(path.read_bytes())  # as plain JSON: every number stays written as it was
    if "patterns" not in stated:  # a fused model's manifest tells of like estimates itself
        declared = manifests.read(path)
        similar, refits = _known(folder, declared) if declared.recalibrates is None else ({}, 0)
        found = msgspec.structs.replace(found, similar=similar, refits=refits)
    stated["likeness"] = write(folder, found)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(stated), indent=2) + b"\n")


def _known(folder: Path, declared: Manifest) -> tuple[dict[str, tuple[Alike, ...]], int]:
    """What came of like estimates, from the file that is there, else from the card; empty without either.

    With the number of refits, of which the card does not tell by groups.
    """
    if (folder / FILE).is_file():
        former = msgspec.json.decode((folder / FILE).read_bytes(), type=Likeness)
        if former.similar:
            return former.similar, former.refits
    if not (folder / "card.md").is_file():
        return {}, 0
    targets = [*declared.narrower, *declared.calibration.intercepts]
    return in_card((folder / "card.md").read_text(encoding="utf-8"), targets), 0


def in_card(card: str, targets: Sequence[str]) -> dict[str, tuple[Alike, ...]]:
    """What came of like estimates as a card tells it; empty if it does not.

    targets: narrowest first, as the card has them. Raises PluginError if it tells of another number of them.
    """
    section = re.search(r"^## Similar people$(.*?)^## ", card, re.S | re.M)
    found: dict[str, list[Alike]] = {}
    for row in _ROW.finditer(section[1] if section is not None else ""):
        band = Alike(float(row["low"]), float(row["high"]), int(row["people"]), float(row["came"]))
        found.setdefault(row["what"], []).append(band)
    if found and len(found) != len(targets):
        raise PluginError(f"card.md: Similar people: {len(found)} outcomes, the manifest has {len(targets)}")
    return {target: tuple(bands) for target, bands in zip(targets, found.values(), strict=False)}


def main() -> None:
    """Writes the file of one model."""
    from cds_service.training.run import recipe

    parser = argparse.ArgumentParser(description="The likeness.json of a model, from its source data's table.")
    parser.add_argument("id")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    renew(given.out or shipped("models") / given.id, recipe(given.id).likeness(given.data))


if __name__ == "__main__":
    main()
