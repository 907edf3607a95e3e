"""Who counts what happens: an interface that the line of work tells, and knows nothing more of.

Nothing told here holds a patient's data: ids of services and models, statuses, numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Observer(Protocol):
    """Is told what happens; returns at once and raises nothing."""

    def answered(self, route: str, service: str, status: int, seconds: float) -> None:
        """A call was answered. route: `invoke`, `discover` and so on. service: empty where none was called."""
        ...

    def decided(self, service: str, shown: int, withheld: int, suppressed: int) -> None:
        """A service found so many things to show, to keep silent about, and to keep back as said before."""
        ...

    def refused(self, refusals: Iterable[tuple[str, str]]) -> None:
        """Models gave no number: their ids, and why in one word."""
        ...

    def kept(self, stored: bool) -> None:
        """An assessment was stored, or could not be."""
        ...

    def fetched(self, purpose: str, outcome: str) -> None:
        """A request out has ended. purpose: `fhir`, `keys`, `smart`, `chart`, `documents` or `llm`."""
        ...

    def told(self, by: str) -> None:
        """A card's summary is in the words of a `model` or as the `record` gives it; told where a model is set."""
        ...

    def worded(self, outcome: str, kept: int, dropped: int, put_back: int) -> None:
        """A model was asked: `used` or why not; its sentences that were kept and dropped, the lines put back."""
        ...

    def waiting(self, calls: int) -> None:
        """So many calls wait or compute in this process now."""
        ...


class Nobody:
    """Counts nothing: for the command line and tests."""

    def answered(self, route: str, service: str, status: int, seconds: float) -> None:
        """Nothing."""

    def decided(self, service: str, shown: int, withheld: int, suppressed: int) -> None:
        """Nothing."""

    def refused(self, refusals: Iterable[tuple[str, str]]) -> None:
        """Nothing."""

    def kept(self, stored: bool) -> None:
        """Nothing."""

    def fetched(self, purpose: str, outcome: str) -> None:
        """Nothing."""

    def told(self, by: str) -> None:
        """Nothing."""

    def worded(self, outcome: str, kept: int, dropped: int, put_back: int) -> None:
        """Nothing."""

    def waiting(self, calls: int) -> None:
        """Nothing."""


NOBODY = Nobody()
