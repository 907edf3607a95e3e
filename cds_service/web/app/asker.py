"""Asks on behalf of a review: a model where one is set and free, the passages in any case, and the audit record."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import datetime
from threading import BoundedSemaphore
from uuid import UUID

import msgspec
import structlog

from cds_service.clock import Clock
from cds_service.dialogue import images
from cds_service.dialogue.answering import Answer, Said, stream
from cds_service.dialogue.prompt import VERSION
from cds_service.dialogue.sources import Material, Source
from cds_service.errors import StoreError
from cds_service.language import Message, Words, msg
from cds_service.observer import NOBODY, Observer
from cds_service.settings import Settings
from cds_service.stores import audit
from cds_service.stores.database import Database
from cds_service.summary.llm import LanguageModel, Reason
from cds_service.web.app.patient_chart import Unread
from cds_service.wording import Budget

_log = structlog.get_logger(__name__)
_BUSY = msg("too many questions wait for the model").text
_LEFT = msg("the reader left before the answer was whole").text
_BYTES_A_TOKEN = 3
_SHOWN = 8
_TOKENS_AN_IMAGE = 2000  # about what servers count for one; their own count is not asked for


class Known(msgspec.Struct, frozen=True):
    """A row of the knowledge graph that is cited: its id, its publication and the address and year of that."""

    row: str
    citation: str
    url: str
    year: str


class Passage(msgspec.Struct, frozen=True):
    """A passage as it is shown again. hidden: it seems to speak to a machine, or holds what a reader does not see.

    known: the row, where it is general knowledge and not about this patient.
    """

    text: str
    references: tuple[str, ...]
    where: str
    hidden: bool = False
    known: Known | None = None


class Line(msgspec.Struct, frozen=True):
    """A model's sentence as it is shown again, with the places or the row of general knowledge that it cites."""

    text: str
    references: tuple[str, ...]
    supported: bool
    known: Known | None = None


class Turn(msgspec.Struct, frozen=True):
    """One question and its answer as they are kept beside the review.

    image: the image that was asked about, if one was; reading: what a model wrote of it, which nothing checks.
    record_of: the moment of the assessment whose record was looked through, chart_of: when the chart was read. unread,
    left_out: what of it was not looked at. partly: some documents were not read, or not whole.
    """

    at: datetime
    question: str
    lines: tuple[Line, ...] = ()
    passages: tuple[Passage, ...] = ()
    by_model: bool = False
    reason: str = ""
    image: str = ""
    reading: str = ""
    record_of: datetime | None = None
    partly: bool = False
    chart_of: datetime | None = None
    unread: tuple[Unread, ...] = ()
    left_out: tuple[Message, ...] = ()


class Asker:
    """One for a process; its model is made before the fork and connects after it."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, observer: Observer = NOBODY) -> None:
        """Raises SettingsError for a language model that cannot be called."""
        self._settings, self._database, self._clock = settings, database, clock
        llm = settings.llm
        self._model: LanguageModel | None = None
        if llm.url:
            insecure = settings.dev.allow_insecure_loopback
            self._model = LanguageModel(llm, allow_insecure_loopback=insecure, observer=observer)
        self._free = BoundedSemaphore(llm.calls_at_once)
        self._budget = Budget(llm.calls_per_hour, llm.tokens_per_hour)

    def stream(
        self,
        question: str,
        of: Material,
        say: Words,
        earlier: tuple[str, ...],
        assessment: UUID,
        user: str,
        keep: Callable[[Turn], None],
    ) -> Generator[Line]:
        """The sentences as each is checked. Raises nothing of what a server may do.

        At its end, and also where it is closed before, the turn is in the audit record and given to `keep`: whole, or
        with what was said by then and that it was broken off.
        """
        model, reason = self._model, ""
        taken = model is not None and self._free.acquire(blocking=False)
        answer, said, whole = Answer(question), [], False
        try:
            if model is not None and not taken:
                model, reason = None, _BUSY
            elif model is not None and not self._budget.allows():
                model, reason = None, Reason.HOURLY.value
            for event in stream(question, of, model, self._settings.llm, say.language, earlier=earlier):
                if isinstance(event, Answer):
                    answer = event
                else:
                    said.append(event)
                    yield _line(event, answer)
            whole = True
        finally:
            if taken:
                self._free.release()
            if not whole:
                answer, reason = replace(answer, said=tuple(said)), _LEFT
            self._spent(answer)
            turn = self._turn(answer, reason, say, of)
            self._note(answer, turn, assessment, user)
            keep(turn)

    def no_images(self) -> Message | None:
        """Why images cannot be asked about; None if they can."""
        return images.refusal(self._settings.llm)

    def look(
        self, question: str, image: bytes | Message, reference: str, say: Words, assessment: UUID, user: str
    ) -> Turn:
        """A model's reading of an image as a turn, which is in the audit record by then; or why there is none."""
        reading = self._reading(question, image, say)
        if reading.digest:
            self._budget.spend(1, _TOKENS_AN_IMAGE)
        reason = say(reading.problem) if reading.problem is not None else ""
        turn = Turn(self._clock.now(), question, (), (), bool(reading.digest), reason, reference, reading.text)
        content = {
            "user": user,
            "question": question,
            "image": reference,
            "image_sha256": reading.digest,
            "unverified_reading": reading.text,
            "reason": reason,
            "model": self._settings.llm.model if reading.digest else "",
        }
        self._write(audit.Entry("dialogue", turn.at, assessment, content))
        return turn

    def _reading(self, question: str, image: bytes | Message, say: Words) -> images.Reading:
        refusal = self.no_images()
        if refusal is not None or self._model is None:
            return images.Reading(problem=refusal or images.NO_MODEL)
        if not isinstance(image, bytes):
            return images.Reading(problem=image)
        if not self._budget.allows():
            return images.Reading(problem=msg("The language model was asked as often as it may be in an hour."))
        if not self._free.acquire(blocking=False):
            return images.Reading(problem=msg("Too many questions wait for the language model. Ask again in a minute."))
        try:
            return images.look(question, image, self._model, self._settings.llm, say.language)
        finally:
            self._free.release()

    def _spent(self, answer: Answer) -> None:
        if answer.sent:
            self._budget.spend(1, sum(len(text.encode()) for _, text in answer.sent) // _BYTES_A_TOKEN)

    def _turn(self, answer: Answer, reason: str, say: Words, of: Material) -> Turn:
        own = [one for one in answer.sources if one.row is None][:_SHOWN]
        general = [one for one in answer.sources if one.row is not None]
        passages = tuple(
            Passage(one.text, one.references, say(one.where), one.hidden, _known(one)) for one in (*own, *general)
        )
        lines = tuple(_line(one, answer) for one in answer.said)
        partly = any(one.problem is not None or one.notes for one in of.documents)
        asked = bool(answer.sent)
        why = reason or answer.reason
        at = self._clock.now()
        return Turn(at, answer.question, lines, passages, asked, why, partly=partly)

    def _note(self, answer: Answer, turn: Turn, assessment: UUID, user: str) -> None:
        """Writes the audit record; a store that is away costs the entry, and the log says so."""
        content = {
            "user": user,
            "question": turn.question,
            "answer": [
                {"text": one.text, "cites": list(one.cites), "reasons": list(one.reasons)} for one in answer.said
            ],
            "sources": [list(p.references) if p.known is None else [f"knowledge:{p.known.row}"] for p in turn.passages],
            "reason": turn.reason,
            "sent": [list(pair) for pair in answer.sent],
            "scrubbed": answer.scrubbed,
            "prompt": VERSION,
            "model": self._settings.llm.model if answer.sent else "",
        }
        self._write(audit.Entry("dialogue", turn.at, assessment, content))

    def _write(self, entry: audit.Entry) -> None:
        try:
            audit.note(self._database, entry)
        except StoreError as error:
            _log.error("question not in the audit record", reason=str(error))


def _line(one: Said, answer: Answer) -> Line:
    cited = [source for source in answer.sources if source.id in one.cites]
    references = tuple(dict.fromkeys(reference for source in cited for reference in source.references))
    return Line(one.text, references, one.supported, next((k for s in cited if (k := _known(s)) is not None), None))


def _known(source: Source) -> Known | None:
    row = source.row
    return Known(row.id, row.citation, row.url, row.year) if row is not None else None
