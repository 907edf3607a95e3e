"""Questions about the open chart and its documents: a form that works without JavaScript, answers with places.

What a form sends is kept and the page is opened anew: that page answers while it is sent, sentence by sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import nullcontext

import msgspec
import structlog
from flask import Blueprint, redirect, request, stream_with_context, url_for
from werkzeug.wrappers import Response as Answer

from cds_service.chart_needs import CHART
from cds_service.dialogue.answering import LONGEST_QUESTION
from cds_service.dialogue.images import LABEL
from cds_service.dialogue.knowledge import finder
from cds_service.dialogue.sources import material
from cds_service.documents.statements import name_of
from cds_service.errors import BadRequest, CurbsideError, StoreError
from cds_service.language import Joined, msg
from cds_service.security.smart import SmartClient
from cds_service.web.app.asker import Asker, Line, Turn
from cds_service.web.app.library import Held, Library
from cds_service.web.app.opening import Opened, Opener
from cds_service.web.app.pages import Pages
from cds_service.web.app.patient_chart import Charts, Read
from cds_service.web.app.session import Review, Sessions

_MOST_TURNS = 20
_BETWEEN = msg("{first}, {following}", first="", following="")
_log = structlog.get_logger(__name__)


class Asking:
    """One question on its way: its sentences once, then what came of it.

    turn: the whole of it, or None where it broke off. chart, held: the chart and the documents that were read for it.
    problem: why it broke off, for the reader.
    """

    def __init__(self, question: str, lines: Callable[[Asking], Generator[Line]]) -> None:
        """lines: reads and asks, and gives the sentences; begun when the first is wanted."""
        self.question = question
        self.turn: Turn | None = None
        self.chart: Read | None = None
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
        """The turns, the latest last; none of those that another release kept in another form. Raises StoreError."""
        kept = self._sessions.beside("dialogue", review, request)
        try:
            return msgspec.json.decode(kept, type=list[Turn]) if kept is not None else []
        except msgspec.ValidationError:
            return []

    def keep(self, review: Review, turn: Turn) -> None:
        """Adds a turn; a store that is away costs the entry, and the log says so."""
        try:
            kept = [*self.turns(review), turn][-_MOST_TURNS:]
            self._sessions.keep_beside("dialogue", review, request, msgspec.json.encode(kept).decode())
        except StoreError as error:
            _log.error("answer not kept beside the review", reason=str(error))


class Answering:
    """The page of questions of a review, as it stands or while it answers one."""

    def __init__(
        self, smart: SmartClient, opener: Opener, charts: Charts, library: Library, asker: Asker, pages: Pages
    ) -> None:
        self._smart, self._opener, self._charts, self._library = smart, opener, charts, library
        self._asker, self._pages = asker, pages

    def values(self, review: Review, history: History, asking: Asking | None = None) -> dict[str, object]:
        """What the page shows. Raises StoreError."""
        return {
            "review": review,
            "turns": list(reversed(history.turns(review))),
            "chart": self._charts.kept(review, request),
            "held": self._library.kept(review, request),
            "asking": asking,
            "name_of": name_of,
            "lists": CHART,
            "joined": _joined,
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

    def read(self, review: Review) -> None:
        """Reads chart and documents anew. Raises StoreError, SessionOver."""
        shown = self._shown(review)
        with request.environ.get("curbside.away", nullcontext)():  # hooks compute while servers are waited for
            chart = self._charts.read(review, shown, request)
            record = self._charts.together(shown, chart).context.record
            self._library.read(self._charts.current(review, request), record, request)

    def _shown(self, review: Review) -> Opened:
        return self._opener.open(self._smart.registrations[review.registration], review.grant, review.card)

    def _lines(self, review: Review, history: History, asking: Asking) -> Generator[Line]:
        shown = self._shown(review)
        known = self._charts.fresh(review, request)
        chart = asking.chart = known or self._charts.read(review, shown, request)
        both = self._charts.together(shown, chart)
        context, current = both.context, self._charts.current(review, request)
        documents = self._library.held if known is not None else self._library.read  # both of one time
        asking.held = documents(current, context.record, request)
        say = self._pages.words()
        of = material(context.record, asking.held.documents, say, finder(self._opener.knowledge, context, say))
        earlier = tuple(turn.question for turn in history.turns(review)[-3:])

        looked = {"record_of": shown.assessment.at, "chart_of": chart.at, "unread": chart.unread}
        beyond = (msg("Earlier entries that were not looked through, being many of a kind: {count}.", count=of.beyond),)
        looked |= {"left_out": both.left_out + (beyond if of.beyond else ())}
        notices = asking.held.notices

        def keep(turn: Turn) -> None:
            asking.turn = msgspec.structs.replace(turn, partly=turn.partly or bool(notices), **looked)
            history.keep(review, asking.turn)

        user = review.grant.user
        yield from self._asker.stream(asking.question, of, say, earlier, shown.assessment.id, user, keep)


def routes(
    blueprint: Blueprint,
    found: Callable[[str], Review],
    smart: SmartClient,
    sessions: Sessions,
    opener: Opener,
    charts: Charts,
    library: Library,
    asker: Asker,
    pages: Pages,
) -> None:
    """Adds `/app/r/<id>/ask`: the page, and what its form sends. found: as of `finder`."""
    history = History(sessions)
    answering = Answering(smart, opener, charts, library, asker, pages)

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
        answering.read(opened)
        return redirect(url_for("app.ask", id_=id_, _anchor="chart"))


def _joined(keys: Iterable[str]) -> Joined:
    """The lists of a chart in a row, as a reader calls them."""
    return Joined(_BETWEEN, tuple(CHART[key].label for key in keys if key in CHART))
