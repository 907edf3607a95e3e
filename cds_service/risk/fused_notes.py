"""What an estimate of a fused model says of itself: what each modality added, what was not there, whence it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cds_service.explain import tree
from cds_service.language import Message, msg, signed
from cds_service.risk import likeness, published, wording
from cds_service.risk.fused_sums import At
from cds_service.risk.fusion import Fusion


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one model. labels: of its inputs, by id. owners: modalities and shared inputs that add something.

    explained: False where a part is computed in a process apart.
    """

    manifest: Fusion
    labels: Mapping[str, Message]
    outcome_words: Mapping[str, Message]
    owners: frozenset[str]
    explained: bool

    def of(self, used: At, outcome: str, horizon: int, risk: float) -> tuple[Message, ...]:
        """The notes of one estimate. used: the log-odds that stand for the outcome within the horizon."""
        if not self.explained:
            return (tree.NO_EXPLANATION,)
        return (
            *self._shares(used, outcome, horizon),
            *self._absent(used),
            *self._whence(used, outcome, horizon),
            *self._came(outcome, horizon, risk),
        )

    def _shares(self, used: At, outcome: str, horizon: int) -> Iterator[Message]:
        """What each modality added."""
        if len(self.manifest.modalities) < 2:
            return
        named = {**self.labels, **{m.id: Message(m.label, {}) for m in self.manifest.modalities}}
        shares = [
            msg("{modality} {amount}", modality=named[id_], amount=signed(f"{used.slope * amount:+.2f}"))
            for id_, amount in used.fused.by_modality.items()
        ]
        yield wording.by_modality(self.outcome_words[outcome], horizon, published.listed(shares))

    def _absent(self, used: At) -> Iterator[Message]:
        """The modalities that were not there."""
        absent = [
            Message(m.label, {})
            for m in self.manifest.modalities
            if m.id in self.owners and m.id not in used.fused.by_modality
        ]
        if absent:
            yield msg("Without {modalities}, which is a case of its own", modalities=published.listed(absent))

    def _whence(self, used: At, outcome: str, horizon: int) -> Iterator[Message]:
        """The narrower outcome or shorter horizon whose estimate stands."""
        if used.fused.outcome != outcome:
            narrower = self.outcome_words[used.fused.outcome]
            yield msg("Taken from {narrower}, which it includes", narrower=narrower)
        if used.horizon != horizon:
            yield msg("Taken from the estimate for {years} years, which it includes", years=used.horizon)

    def _came(self, outcome: str, horizon: int, risk: float) -> Iterator[Message]:
        """What came of training patients with a like estimate."""
        for like in self.manifest.similar:
            if (like.outcome, like.horizon) == (outcome, horizon) and like.low <= risk <= like.high:
                told = (like.people, 100 * like.low, 100 * like.high, 100 * like.observed)
                yield likeness.came_to(*told, self.outcome_words[outcome], horizon or None)
                return
