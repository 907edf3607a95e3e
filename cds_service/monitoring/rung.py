"""What rings."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.language import Message

KINDS = ("psi", "missing", "refused", "cards", "calls", "overridden", "slow", "kept-share", "observed-expected")
LANGUAGE_MODEL = "language-model"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something left its range. kind: one of `KINDS`. about: a model or a service. version: of the model, or empty."""

    kind: str
    about: str
    what: str
    month: str
    value: float
    message: Message
    version: str = ""

    @property
    def words(self) -> str:
        """The sentence in English."""
        return str(self.message)
