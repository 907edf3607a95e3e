"""What is checked when a trained model is loaded: digests of weights, and that code and manifest tell of the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cds_service.errors import PluginError
from cds_service.explain.tree import Group
from cds_service.features.feature import Feature
from cds_service.language import Message
from cds_service.risk.calibration import Calibration, Target, named
from cds_service.risk.manifest import Manifest
from cds_service.risk.margin import Margin
from cds_service.risk.narrower import Narrower


def target(key: str) -> Target:
    """A horizon or an outcome, from its key in the manifest."""
    return int(key) if key.isdecimal() else key


def calibrations(folder: Path, declared: Manifest, margin: Margin) -> tuple[Calibration, tuple[Narrower, ...]]:
    """The calibration of a manifest on a margin, and those of outcomes with a margin of their own.

    Raises PluginError if one cannot be, or the risk of a longer horizon could be the lower for some patient.
    """
    stated, file = declared.calibration, folder / "manifest.json"
    try:
        found = Calibration(
            stated.slope,
            {target(h): a for h, a in stated.intercepts.items()},
            {target(h): b for h, b in stated.slopes.items()},
        )
        own = {name: Calibration(one.slope, {name: one.intercept}) for name, one in declared.narrower.items()}
    except ValueError as error:
        raise PluginError(f"{file}: calibration: {error}") from error
    if (fault := crossing(found, margin)) is not None:
        raise PluginError(f"{file}: calibration: {fault}; restore the file, or calibrate the model again")
    return found, tuple(_narrower(folder, declared, outcome, one) for outcome, one in own.items())


def crossing(calibration: Calibration, margin: Margin) -> str | None:
    """What is wrong with the order of a calibration's horizons on a margin, or None.

    Lines of one slope never cross; others may not do so at any margin that a patient can have.
    """
    if not calibration.slopes:
        return None
    reach = margin.reach()
    if reach is None:
        return "slopes of their own need plain trees, of which it is known how far their margin goes"
    crossed = calibration.crossed(reach)
    if crossed is None:
        return None
    shorter, longer = (named(one) for one in crossed)
    low, high = reach
    return (
        f"the risk of {longer} would fall below that of {shorter} for some patients (margins go from {low:.2f} to "
        f"{high:.2f})"
    )


def _narrower(folder: Path, declared: Manifest, outcome: str, calibration: Calibration) -> Narrower:
    own = declared.narrower[outcome]
    return Narrower(outcome, Margin.read(folder / own.weights, own.sha256, len(declared.inputs)), calibration)


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
