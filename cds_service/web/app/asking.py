"""Questions about the open record and its documents: a form that works without JavaScript, answers with places."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import msgspec
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from cds_service.dialogue.answering import LONGEST_QUESTION
from cds_service.dialogue.sources import material
from cds_service.documents.statements import name_of
from cds_service.errors import BadRequest
from cds_service.security.smart import SmartClient
from cds_service.web.app.asker import Asker, Turn
from cds_service.web.app.library import Library
from cds_service.web.app.opening import Opener
from cds_service.web.app.pages import Pages
from cds_service.web.app.session import Review, Sessions

_MOST_TURNS = 20


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

    @blueprint.get("/r/<id_>/ask")
    def ask(id_: str) -> str:
        opened = found(id_)
        held = library.kept(opened, request)
        documents = held.documents if held is not None else ()
        return pages.render(
            "ask.html",
            review=opened,
            turns=list(reversed(_turns(sessions, opened))),
            held=held,
            documents=[(one, name_of(one)) for one in documents],
            longest=LONGEST_QUESTION,
        )

    @blueprint.post("/r/<id_>/ask")
    def asked(id_: str) -> Answer:
        opened = found(id_)
        question = " ".join(request.form.get("question", "").split())
        if not question and "read" not in request.form:
            raise BadRequest("Write a question first.")
        if len(question) > LONGEST_QUESTION:
            raise BadRequest(f"The question is longer than {LONGEST_QUESTION} characters. Ask for one thing.")
        shown = opener.open(smart.registrations[opened.registration], opened.grant, opened.card)
        record = shown.decision.case.context.record
        with request.environ.get("curbside.away", nullcontext)():  # hooks compute while servers are waited for
            held = library.held(opened, record, request)
            if question:
                turns = _turns(sessions, opened)
                say = pages.words()
                of = material(record, held.documents, say)
                earlier = tuple(turn.question for turn in turns[-3:])
                turn = asker.ask(question, of, say, earlier, shown.assessment.id, opened.grant.user)
                kept = [*turns, turn][-_MOST_TURNS:]
                sessions.keep_beside("dialogue", opened, request, msgspec.json.encode(kept).decode())
        return redirect(url_for("app.ask", id_=id_, _anchor="latest" if question else "documents"))


def _turns(sessions: Sessions, review: Review) -> list[Turn]:
    kept = sessions.beside("dialogue", review, request)
    return msgspec.json.decode(kept, type=list[Turn]) if kept is not None else []
