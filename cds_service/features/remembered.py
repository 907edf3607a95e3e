"""What follows from a feature's declaration alone, whatever the record: worked out once and remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from cds_service.features.feature import Feature

F = TypeVar("F", bound=Feature)
T = TypeVar("T")


class Remembered(Generic[F, T]):
    """Gives what `make` gives for a feature, made when it is first asked for.

    By id and identity: a declaration's hash would go through all of its codes at each look.
    """

    def __init__(self, make: Callable[[F], T]) -> None:
        self._make = make
        self._known: dict[str, tuple[F, T]] = {}

    def __call__(self, feature: F) -> T:
        known = self._known.get(feature.id)
        if known is None or known[0] is not feature:
            known = self._known[feature.id] = feature, self._make(feature)
        return known[1]
