"""Images of the open patient: shown as they are rendered anew, and asked about where a model that reads them is set."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from cds_service.dialogue.answering import LONGEST_QUESTION
from cds_service.dialogue.images import LABEL, rendered
from cds_service.documents.reading import Document
from cds_service.documents.statements import name_of
from cds_service.errors import BadRequest
from cds_service.language import Message, msg
from cds_service.security.smart import SmartClient
from cds_service.web.app.asker import Asker
from cds_service.web.app.asking import History
from cds_service.web.app.library import Library, picture_name
from cds_service.web.app.opening import NothingToReview, Opener
from cds_service.web.app.pages import Pages
from cds_service.web.app.session import Review, Sessions

_NO_IMAGE = "The documents that were read hold no such image. Read the documents on the page of questions first."


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
    """Adds `/app/r/<id>/look/...`, a page for an image, and `/app/r/<id>/picture/...`, the image.

    found: as of `finder`.
    """
    history = History(sessions)

    def fetched(review: Review, name: str, page: int) -> tuple[bytes | Message, UUID]:
        """The image as the EHR has it, or what is wrong with it; and the id of the assessment under review."""
        shown = opener.open(smart.registrations[review.registration], review.grant, review.card)
        with request.environ.get("curbside.away", nullcontext)():
            return library.picture(review, shown.decision.case.context.record, name, page), shown.assessment.id

    @blueprint.get("/r/<id_>/look/<type_>/<row_id>/<int:page>")
    def look(id_: str, type_: str, row_id: str, page: int) -> str:
        opened = found(id_)
        document = library.document(opened, f"{type_}/{row_id}", request)
        if document is None or all(one.page != page for one in document.pictures):
            raise NothingToReview(_NO_IMAGE)
        return pages.render("look.html", **_values(opened, document, page, history, asker))

    @blueprint.get("/r/<id_>/picture/<type_>/<row_id>/<int:page>")
    def picture(id_: str, type_: str, row_id: str, page: int) -> Response | tuple[str, int]:
        opened = found(id_)
        got, _ = fetched(opened, f"{type_}/{row_id}", page)
        png = rendered(got) if isinstance(got, bytes) else got
        if not isinstance(png, bytes):
            return pages.words()(png), 404
        return Response(png, mimetype="image/png")

    @blueprint.post("/r/<id_>/look/<type_>/<row_id>/<int:page>")
    def looked(id_: str, type_: str, row_id: str, page: int) -> Answer:
        opened = found(id_)
        question = " ".join(request.form.get("question", "").split())
        if not question or len(question) > LONGEST_QUESTION:
            raise BadRequest(msg("Write a question of at most {count} characters.", count=LONGEST_QUESTION))
        got, assessment = fetched(opened, f"{type_}/{row_id}", page)
        with request.environ.get("curbside.away", nullcontext)():
            turn = asker.look(
                question, got, picture_name(f"{type_}/{row_id}", page), pages.words(), assessment, opened.grant.user
            )
        history.keep(opened, turn)
        return redirect(url_for("app.look", id_=id_, type_=type_, row_id=row_id, page=page, _anchor="latest"))


def _values(review: Review, document: Document, page: int, history: History, asker: Asker) -> dict[str, object]:
    """What the page of an image shows."""
    reference = picture_name(document.name, page)
    return {
        "review": review,
        "document": document,
        "title": name_of(document),
        "page": page,
        "turns": [turn for turn in reversed(history.turns(review)) if turn.image == reference],
        "refusal": asker.no_images(),
        "label": LABEL,
        "longest": LONGEST_QUESTION,
    }
