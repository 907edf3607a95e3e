"""What is checked when a trained model is loaded: digests of weights, and that code and manifest tell of the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from cds_service.errors import PluginError
from cds_service.explain.tree import Group
from cds_service.features.feature import Feature
from cds_service.language import Message
from cds_service.risk.calibration import Calibration, Target
from cds_service.risk.manifest import Manifest, Own
from cds_service.risk.narrower import Narrower


def read_weights(folder: Path, name: str, sha256: str) -> bytes:
    """The weights in a file of a model's folder, after their digest was checked. Raises PluginError."""
    path = folder / name
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PluginError(f"{path}: the weights are missing; restore the file or train the model again") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PluginError(
            f"{path}: these are not the weights of {folder / 'manifest.json'} (SHA-256 differs); "
            "restore both files from one version"
        )
    return content


def target(key: str) -> Target:
    """A horizon or an outcome, from its key in the manifest."""
    return int(key) if key.isdecimal() else key


def calibration(folder: Path, declared: Manifest) -> Calibration:
    """The calibration of a manifest. Raises PluginError if it cannot be one."""
    stated = declared.calibration
    try:
        return Calibration(
            stated.slope,
            {target(h): a for h, a in stated.intercepts.items()},
            {target(h): b for h, b in stated.slopes.items()},
        )
    except ValueError as error:
        raise PluginError(f"{folder / 'manifest.json'}: calibration: {error}") from error


def narrower(folder: Path, outcome: str, own: Own) -> Narrower:
    """The margin of an outcome that has weights of its own. Raises PluginError."""
    return Narrower.of(outcome, folder / own.weights, own, lambda: read_weights(folder, own.weights, own.sha256))


def check_words(folder: Path, targets: Sequence[Target], words: Message | Mapping[str, Message]) -> None:
    """Raises PluginError if the words for outcomes are not those of the manifest's outcomes."""
    names = {target for target in targets if isinstance(target, str)}
    if names != (set() if isinstance(words, Message) else set(words)):
        raise PluginError(
            f"{folder / 'manifest.json'}: its outcomes ({', '.join(sorted(names)) or 'horizons only'}) are not those "
            "that model.py has words for; train again or mend model.py"
        )


def check_features(folder: Path, declared: Manifest, features: Sequence[Feature], groups: Sequence[Group]) -> None:
    """Raises PluginError if a model's code and its manifest name other inputs, units or groups."""
    file = folder / "manifest.json"
    trained_on = [(i.id, i.unit) for i in declared.inputs]
    asked_for = [(f.id, str(getattr(f, "unit", ""))) for f in features]
    if trained_on != asked_for:
        differing = sorted(f"{id_} in {unit or 'no unit'}" for id_, unit in set(trained_on) ^ set(asked_for))
        raise PluginError(
            f"{file}: the weights were trained on other inputs than model.py declares, "
            f"see {', '.join(differing) or 'their order'}; declare the same features in the same order, or train again"
        )
    in_manifest = {i.id: i.group for i in declared.inputs if i.group is not None}
    in_code = {feature: group.id for group in groups for feature in group.features}
    if in_manifest != in_code:
        raise PluginError(f"{file}: its groups of inputs are not those of model.py; train again or mend model.py")


def check_width(folder: Path, declared: Manifest, taken: int) -> None:
    """Raises PluginError if weights take another number of inputs than the manifest has."""
    if taken != len(declared.inputs):
        raise PluginError(f"{folder / declared.weights}: takes {taken} inputs, the manifest has {len(declared.inputs)}")
