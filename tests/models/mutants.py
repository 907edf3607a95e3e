"""Mutations of a score's numbers: every number of a constant moved, whatever it is nested in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import ModuleType
from typing import Any

from cds_service.features.feature import Feature
from cds_service.risk import published


@dataclass
class Tally:
    """What a session of tests moved of one score: mutations tried, those that nothing noticed, constants touched."""

    tried: int = 0
    alive: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


TALLY: dict[str, Tally] = {}

Step = Callable[[float], tuple[float, ...]]


def percent(value: float) -> tuple[float, ...]:
    """One percent up and down; a zero becomes a hundredth."""
    return (value * 1.01, value * 0.99) if value else (0.01,)


def by(step: float) -> Step:
    """One step up and down."""
    return lambda value: (value + step, value - step)


def tally(module: ModuleType, names: Iterable[str], tried: int, alive: Iterable[str]) -> None:
    """Nothing; remembers what was moved of a score, for the table of mutations."""
    entry = TALLY.setdefault(module.__name__.removeprefix("models_under_test_"), Tally())
    entry.tried += tried
    entry.alive += alive
    entry.names.update(names)


def numbers(module: ModuleType) -> dict[str, int]:
    """The constants of a score that hold numbers, and how many each holds."""
    found = {}
    for name, value in vars(module).items():
        if name.isupper():
            count = sum(1 for _ in changed(value, lambda number: (number,)))
            if count:
                found[name] = count
    return found


def changed(value: Any, step: Step) -> Iterator[tuple[str, Any]]:
    """Every copy of a nested constant in which one number differs, with the path to that number."""
    if isinstance(value, bool | str | Feature) or value is None:
        return  # an input's own numbers (limits, window) are the catalogue's, not the score's
    if isinstance(value, int | float):
        if math.isfinite(value):
            for number in step(value):
                yield f" -> {number:.6g}", number
    elif isinstance(value, dict):
        for key, item in value.items():
            for path, mutant in changed(item, step):
                yield f"[{key}]{path}", {**value, key: mutant}
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            for path, mutant in changed(item, step):
                yield f"[{index}]{path}", (*value[:index], mutant, *value[index + 1 :])
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            for path, mutant in changed(getattr(value, field.name), step):
                yield f".{field.name}{path}", replace(value, **{field.name: mutant})


def survivors(
    module: ModuleType,
    names: tuple[str, ...],
    step: Step,
    wrong: Callable[[ModuleType], bool],
    rebuild: Callable[[ModuleType], None] | None = None,
) -> list[str]:
    """The mutations of the module's constants, or of those that scores share, that `wrong` does not notice.

    rebuild: sets again what the module computed from its constants when it was loaded.
    """
    assert not wrong(module), "the unchanged score must pass"
    alive, tried = [], 0
    for name in names:
        holder = module if hasattr(module, name) else published
        original = getattr(holder, name)
        for path, mutant in changed(original, step):
            setattr(holder, name, mutant)
            if rebuild is not None:
                rebuild(module)
            tried += 1
            if not wrong(module):
                alive.append(f"{name}{path}")
        setattr(holder, name, original)
    if rebuild is not None:
        rebuild(module)
    assert tried, "nothing was mutated"
    tally(module, names, tried, alive)
    return alive
