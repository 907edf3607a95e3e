"""How far counts of now are from those before, and whether that may well be chance."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

_Z = 4.0  # standard errors: one comparison in thirty thousand reaches as far by chance, and a site makes hundreds

_Z_OE = 3.0


def together(counts: Iterable[Mapping[Key, int]]) -> dict[Key, int]:
    """Counts of several months, added up."""
    found: dict[Key, int] = {}
    for one in counts:
        for value, n in one.items():
            found[value] = found.get(value, 0) + n
    return found


def quantile(counts: Mapping[float, int], share: float) -> float:
    """The value below or at which a share of what was counted lies; NaN if nothing was."""
    whole, reached = sum(counts.values()), 0
    for value, n in sorted(counts.items()):
        reached += n
        if reached >= share * whole:
            return value
    return math.nan


def psi(before: Mapping[Key, int], now: Mapping[Key, int]) -> float:
    """Population stability index between counts of the same kinds; 0 where either is empty."""
    whole, later = sum(before.values()), sum(now.values())
    if not whole or not later:
        return 0.0
    found = 0.0
    for key in (*before, *(key for key in now if key not in before)):
        was, is_ = max(before.get(key, 0) / whole, 1e-4), max(now.get(key, 0) / later, 1e-4)
        found += (is_ - was) * math.log(is_ / was)
    return found


def moved(before: Mapping[Key, int], now: Mapping[Key, int]) -> bool:
    """Whether counts differ by more than chance brings: chi-squared, its limit by Wilson and Hilferty (1931)."""
    whole, later = sum(before.values()), sum(now.values())
    keys = [key for key in {*before, *now} if before.get(key, 0) + now.get(key, 0)]
    freedom = len(keys) - 1
    if not whole or not later or not freedom:
        return False
    statistic = 0.0
    for key in keys:
        was, is_ = before.get(key, 0), now.get(key, 0)
        for seen, size in ((was, whole), (is_, later)):
            expected = (was + is_) * size / (whole + later)
            statistic += (seen - expected) ** 2 / expected
    part = 2 / (9 * freedom)
    return statistic > freedom * (1 - part + _Z * math.sqrt(part)) ** 3


def shares_differ(part: int, whole: int, part_now: int, whole_now: int) -> bool:
    """Whether two shares differ by more than chance brings."""
    both = (part + part_now) / (whole + whole_now)
    spread = math.sqrt(both * (1 - both) * (1 / whole + 1 / whole_now))
    return abs(part / whole - part_now / whole_now) > _Z * spread


def by_chance(observed: int, expected: float, wider: float = 1.0) -> bool:
    """Whether the 99.7 % interval of observed over expected holds 1: it is asked of each estimate, month after month.

    wider: how many times greater the variance is than where each outcome is another patient's; below 1 counts as 1.
    Source: Breslow and Day 1987, Byar's formula.
    """
    found, awaited = observed / max(wider, 1.0), expected / max(wider, 1.0)
    return _byar(found, -_Z_OE) <= awaited <= _byar(found + 1, _Z_OE)


def _byar(count: float, z: float) -> float:
    return count * (1 - 1 / (9 * count) + z / (3 * math.sqrt(count))) ** 3 if count else 0.0


def binned(
    before: Mapping[float, int], now: Mapping[float, int], bins: int = 10
) -> tuple[dict[int, int], dict[int, int]]:
    """Counts of numbers in tenths of the earlier ones, by the number of the tenth; fewer where values are few."""
    edges = list(_edges(before, bins))
    found: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for counts, into in zip((before, now), found, strict=True):
        for value, n in counts.items():
            place = bisect_left(edges, value)
            into[place] = into.get(place, 0) + n
    return found


def _edges(before: Mapping[float, int], bins: int) -> Iterator[float]:
    """The upper ends of all tenths but the last."""
    whole, reached, made = sum(before.values()), 0, 0
    for value, n in sorted(before.items())[:-1]:
        reached += n
        if reached * bins >= (made + 1) * whole:
            made = reached * bins // whole
            yield value
