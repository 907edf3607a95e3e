"""Questions about the open record and its documents: a form that works without JavaScript, answers with places.

What a form sends is kept and the page is opened anew: that page answers while it is sent, sentence by sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext

import msgspec
import structlog
from flask import Blueprint, redirect, request, stream_with_context, url_for
from werkzeug.wrappers import Response as Answer

from cds_service.dialogue.answering import LONGEST_QUESTION
from cds_service.dialogue.images import LABEL
from cds_service.dialogue.knowledge import finder
from cds_service.dialogue.sources import material
from cds_service.documents.statements import name_of
from cds_service.errors import BadRequest, CurbsideError, StoreError
from cds_service.language import msg
from cds_service.security.smart import SmartClient
from cds_service.web.app.asker import Asker, Line, Turn
from cds_service.web.app.library import Held, Library
from cds_service.web.app.opening import Opener
from cds_service.web.app.pages import Pages
from cds_service.web.app.session import Review, Sessions

_MOST_TURNS = 20
_log = structlog.get_logger(__name__)


class Asking:
    """One question on its way: its sentences once, then what came of it.

    turn: the whole of it, or None where it broke off. held: the documents that were read for it. problem: why it broke
    off, for the reader.
    """

    def __init__(self, question: str, lines: Callable[[Asking], Generator[Line]]) -> None:
        """lines: reads and asks, and gives the sentences; begun when the first is wanted."""
        self.question = question
        self.turn: Turn | None = None
        self.held: Held | None = None
        self.problem = ""
        self._lines = lines(self)

    def __iter__(self) -> Iterator[Line]:
        try:
            yield from (line for line in self._lines if line.supported)
        except CurbsideError as error:
            self.problem = str(error)

    def close(self) -> None:
        """Ends it: what was said by now is kept and noted."""
        self._lines.close()


class History:
    """The questions and answers that are kept beside a review."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def turns(self, review: Review) -> list[Turn]:
        """The turns, the latest last. Raises StoreError."""
        kept = self._sessions.beside("dialogue", review, request)
        return msgspec.json.decode(kept, type=list[Turn]) if kept is not None else []

    def keep(self, review: Review, turn: Turn) -> None:
        """Adds a turn; a store that is away costs the entry, and the log says so."""
        try:
            kept = [*self.turns(review), turn][-_MOST_TURNS:]
            self._sessions.keep_beside("dialogue", review, request, msgspec.json.encode(kept).decode())
        except StoreError as error:
            _log.error("answer not kept beside the review", reason=str(error))


class Answering:
    """The page of questions of a review, as it stands or while it answers one."""

    def __init__(self, smart: SmartClient, opener: Opener, library: Library, asker: Asker, pages: Pages) -> None:
        self._smart, self._opener, self._library, self._asker, self._pages = smart, opener, library, asker, pages

    def values(self, review: Review, history: History, asking: Asking | None = None) -> dict[str, object]:
        """What the page shows. Raises StoreError."""
        return {
            "review": review,
            "turns": list(reversed(history.turns(review))),
            "held": self._library.kept(review, request),
            "asking": asking,
            "name_of": name_of,
            "longest": LONGEST_QUESTION,
            "label": LABEL,
        }

    def stream(self, review: Review, history: History, question: str) -> Iterator[str]:
        """The page in pieces, made while it is sent; what was said is kept however it ends."""
        asking = Asking(question, lambda own: self._lines(review, history, own))
        try:
            yield from self._pages.stream("ask.html", **self.values(review, history, asking))
        finally:
            asking.close()

    def _lines(self, review: Review, history: History, asking: Asking) -> Generator[Line]:
        shown = self._opener.open(self._smart.registrations[review.registration], review.grant, review.card)
        context = shown.decision.case.context
        record = context.record
        asking.held = self._library.held(review, record, request)
        say = self._pages.words()
        of = material(record, asking.held.documents, say, finder(self._opener.knowledge, context, say))
        earlier = tuple(turn.question for turn in history.turns(review)[-3:])

        notices = asking.held.notices

        def keep(turn: Turn) -> None:
            asking.turn = msgspec.structs.replace(turn, partly=turn.partly or bool(notices))
            history.keep(review, asking.turn)

        user = review.grant.user
        yield from self._asker.stream(asking.question, of, say, earlier, shown.assessment.id, user, keep)


def routes(
    blueprint: Blueprint,
    found: Callable[[str], Review],
    smart: SmartClient,
    sessions: Sessions,
    opener: Opener,
    library: Library,
    asker: Asker,
    pages: Pages,
) -> None:
    """Adds `/app/r/<id>/ask`: the page, and what its form sends. found: as of `finder`."""
    history = History(sessions)
    answering = Answering(smart, opener, library, asker, pages)

    @blueprint.get("/r/<id_>/ask")
    def ask(id_: str) -> str | Answer:
        opened = found(id_)
        waiting = sessions.taken("asked", opened, request) if request.method == "GET" else None
        if waiting is not None:
            return Answer(stream_with_context(answering.stream(opened, history, waiting)), mimetype="text/html")
        return pages.render("ask.html", **answering.values(opened, history))

    @blueprint.post("/r/<id_>/ask")
    def asked(id_: str) -> Answer:
        opened = found(id_)
        question = " ".join(request.form.get("question", "").split())
        if not question and "read" not in request.form:
            raise BadRequest(msg("Write a question first."))
        if len(question) > LONGEST_QUESTION:
            raise BadRequest(
                msg("The question is longer than {count} characters. Ask for one thing.", count=LONGEST_QUESTION)
            )
        if question:
            sessions.keep_beside("asked", opened, request, question)
            return redirect(url_for("app.ask", id_=id_, _anchor="latest"))
        shown = opener.open(smart.registrations[opened.registration], opened.grant, opened.card)
        with request.environ.get("curbside.away", nullcontext)():  # hooks compute while servers are waited for
            library.held(opened, shown.decision.case.context.record, request)
        return redirect(url_for("app.ask", id_=id_, _anchor="documents"))
