"""A language model's words in a hook's answer: taken if they are there, asked for if not, never waited for long."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import structlog

from cds_service.clock import Deadline
from cds_service.errors import StoreError
from cds_service.fetch import Away
from cds_service.observer import NOBODY, Observer
from cds_service.settings import Settings
from cds_service.stores.requests import Basis, freeze
from cds_service.stores.wordings import Wanted, Worded, WordingStore
from cds_service.summary import prompt
from cds_service.summary.facts import numbered
from cds_service.summary.must import must_have
from cds_service.summary.prompt import Question
from cds_service.summary.template import Summary
from cds_service.summary.told import Told

if TYPE_CHECKING:
    from cds_service.stores.statements import Unit

_log = structlog.get_logger(__name__)
_LOOK_S = 0.05  # how often a hook looks for a text that it waits for
_RESERVE_S = 0.3  # of the deadline, for what follows


class Bell(Protocol):
    """Tells the process that words summaries that one waits."""

    def ring(self) -> None:
        """At once, from any process; lost where nobody listens, and the queue is looked at now and then anyway."""
        ...


def question(summary: Summary, hook: str, settings: Settings, today: date) -> Question:
    """What is asked of the model for a summary at a hook."""
    facts = numbered(summary.lines)
    must = frozenset(fact.id for fact in must_have(facts, hook))
    language = settings.llm.language or settings.cards.language
    return Question(facts, must, hook, language, today, summary.general)


class Teller:
    """Looks for texts and asks for them; one for a pipeline."""

    def __init__(
        self,
        store: WordingStore,
        settings: Settings,
        observer: Observer = NOBODY,
        bell: Bell | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """sleep: for tests."""
        self._store = store
        self._settings = settings
        self._observer = observer
        self._bell = bell
        self._sleep = sleep

    def wanted(
        self, summary: Summary, basis: Basis, service_id: str, scope: str, assessment_id: UUID, now: datetime
    ) -> Wanted | None:
        """The text that would stand in place of a summary; None where there is nothing to word."""
        if not summary.lines:
            return None
        request = basis.request
        asked = question(summary, request.hook, self._settings, now.date())
        owned = f"{prompt.key(asked, self._settings.llm)}\x1f{scope}\x1f{request.patient_id}"
        key = hashlib.sha256(owned.encode("utf-8", "surrogatepass")).hexdigest()
        return Wanted(key, service_id, request.patient_id, scope, assessment_id, now, freeze(basis))

    def told(self, wanted: Wanted, deadline: Deadline, away: Away) -> tuple[tuple[Told, ...], Unit | None]:
        """The lines in the model's words, or none; and what is to be written with the assessment, so that it is asked.

        Waits `llm.wait_ms` at most, and not beyond the deadline. A database that is away costs the words only.
        """
        lines: tuple[Told, ...] = ()
        unit: Unit | None = None
        try:
            known = self._store.get(wanted.key)
            if known is None or (not known.lines and self._again(known, wanted.at)):
                known = None
                if self._settings.llm.wait_ms == 0:
                    unit = wanted.unit(self._settings.llm.max_waiting)
                else:
                    self._store.queue(wanted, self._settings.llm.max_waiting)
                    self.ring()
                    with away():
                        known = self._waited(wanted, deadline)
            lines = known.lines if known is not None else ()
        except StoreError as error:
            _log.error("worded summary not read", reason=str(error))
        self._observer.told("model" if lines else "record")
        return lines, unit

    def _again(self, known: Worded, now: datetime) -> bool:
        """True if a text that failed may be asked for again."""
        return now - known.at >= timedelta(seconds=self._settings.llm.retry_s)

    def ring(self) -> None:
        """Tells the process that words summaries that one waits."""
        if self._bell is not None:
            self._bell.ring()

    def _waited(self, wanted: Wanted, deadline: Deadline) -> Worded | None:
        most = min(self._settings.llm.wait_ms / 1000, deadline.remaining() - _RESERVE_S)
        ends = Deadline(deadline.monotonic() + max(0.0, most), deadline.monotonic)
        while ends.remaining() > 0:
            self._sleep(min(_LOOK_S, ends.remaining()))
            found = self._store.get(wanted.key)
            if found is not None and found.at >= wanted.at:
                return found
        return None
