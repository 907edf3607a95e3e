"""`GET /knowledge`: plain links into the knowledge graph, by code or by words, in the manner of an Infobutton.

Read-only and without any patient: what is asked is a code or words, what is answered are rows with their sources.
Behind the same guard as discovery. HTML for browsers, JSON for programs, by `Accept`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import orjson
from flask import Blueprint, Response, request, url_for

from cds_service.errors import BadRequest
from cds_service.fhir.codes import ATC, ICD10, ICD10_CM, LOINC, RXNORM, SNOMED, canonical_system, icd10_key
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.headings import SEVERITIES, heading
from cds_service.knowledge.library import Library
from cds_service.knowledge.policy import severity_rank
from cds_service.language import Words, msg
from cds_service.risk import published
from cds_service.web.outcome import JSON, outcome

MOST_ROWS = 50
_MOST_NODES = 60
_LONGEST = 200
# HL7 names code systems by OID in the parameters of an Infobutton.
_OID = {
    "2.16.840.1.113883.6.88": RXNORM,
    "2.16.840.1.113883.6.96": SNOMED,
    "2.16.840.1.113883.6.90": ICD10_CM,
    "2.16.840.1.113883.6.1": LOINC,
    "2.16.840.1.113883.6.73": ATC,
}
_HOW = (
    "Give ?code=SYSTEM|CODE (such as http://www.nlm.nih.gov/research/umls/rxnorm|11289) or ?text=WORDS; "
    "mainSearchCriteria.v.c with .cs, or .dn, as Infobutton managers send them, will do too."
)
_NEVER_ALL_CLEAR = msg("Nothing is known of that in these sources, which does not mean that there is nothing.")


def blueprint(library: Library | None, say: Words) -> Blueprint:
    """The routes. library: None where no service asks the graph; then nothing is known. say: in the site's language."""
    routes = Blueprint("knowledge", __name__, url_prefix="/knowledge")

    @routes.get("")
    def asked() -> Response:
        code, text = _question(request.args)
        if not (code or text) or len(code) + len(text) > _LONGEST:
            raise BadRequest(_HOW)
        if library is None:
            return _answer(library, (), say)
        rows = about_code(library, code) if code else ()
        rows = rows or (about_words(library, text) if text else ())
        return _answer(library, rows, say)

    @routes.get("/rows/<path:row_id>")
    def one(row_id: str) -> Response:
        return _answer(library, library.graph.row(row_id) if library is not None else (), say)

    return routes


def _question(sent: Mapping[str, str]) -> tuple[str, str]:
    """The code and the words that are asked for, ours or OpenInfobutton's (`mainSearchCriteria.v.*`).

    What such a client says besides (task, role, age, sex, language) is accepted and changes nothing.
    """
    code, text = (sent.get(name, "").strip() for name in ("code", "text"))
    value, system = (sent.get(f"mainSearchCriteria.v.{part}", "").strip() for part in ("c", "cs"))
    words = (sent.get(f"mainSearchCriteria.v.{part}", "").strip() for part in ("dn", "ot"))
    if value and not code:
        code = f"{_OID.get(system, system)}|{value}"
    return code, text or next((w for w in words if w), "")


def about_code(library: Library, code: str) -> tuple[Evidence, ...]:
    """Rows about what a code names, with the classes above it. code: `SYSTEM|CODE`. Raises BadRequest."""
    system, found, value = code.rpartition("|")
    canonical = canonical_system(system)
    if not (found and system and value) or canonical is None:
        raise BadRequest(_HOW)
    key = icd10_key(value) if canonical in (ICD10, ICD10_CM) else value
    nodes = [*library.terms.coded(canonical, value), *library.graph.coded(canonical, key)]
    return _about(library, nodes)


def about_words(library: Library, text: str) -> tuple[Evidence, ...]:
    """Rows about what the words name, else rows in whose text they occur."""
    named = [*library.terms.exact(text), *(node.id for node in library.graph.named(text))]
    return _about(library, named) or library.graph.search(text, MOST_ROWS)


def _about(library: Library, nodes: Iterable[str]) -> tuple[Evidence, ...]:
    wider = list(dict.fromkeys(up for node in nodes for up in library.graph.parents(node)))[:_MOST_NODES]
    rows = library.graph.about(wider) if wider else ()
    unique = {row.id: row for row in rows}.values()
    return tuple(sorted(unique, key=lambda row: (-severity_rank(row.severity), row.level, row.id))[:MOST_ROWS])


def entry(library: Library, row: Evidence) -> dict[str, Any]:
    """A row for a program: its ends by name, what it says, and where that stands."""
    return {
        "id": row.id,
        "subject": library.name(row.subject),
        "relation": row.relation,
        "object": library.name(row.object),
        "context": library.name(row.context) if row.context else "",
        "severity": row.severity,
        "level": row.level,
        "direction": row.direction,
        "statement": row.statement,
        "management": row.management,
        "citation": row.citation,
        "url": row.url,
        "year": row.year,
        "source": library.cited(row.source),
    }


def told(library: Library, row: Evidence, say: Words) -> dict[str, Any]:
    """A row for a reader, in the reader's language: what it is about, what it says, how sure, and where it stands."""
    grade = [SEVERITIES[row.severity]] if row.severity in SEVERITIES else []
    grade += [msg("evidence {level}", level=row.level)] if row.level else []
    grade += [msg("does not support")] if row.direction == "does-not-support" else []
    return {
        "id": row.id,
        "heading": " ".join(say(heading(library, row)).split()),
        "says": ("" if say.language.startswith("zh") else " ").join(
            say(msg(text)) for text in (row.statement, row.management) if text
        ),
        "grade": say(published.enumerated(grade)) if grade else "",
        "citation": row.citation,
        "url": row.url,
        "year": row.year,
        "source": library.cited(row.source),
    }


def _answer(library: Library | None, rows: tuple[Evidence, ...], say: Words) -> Response:
    status = 200 if rows else 404
    if request.accept_mimetypes.best_match((JSON, "text/html"), JSON) == JSON:
        found = [entry(library, row) for row in rows] if library is not None else []
        body = orjson.dumps({"rows": found}) if rows else outcome("not-found", say(_NEVER_ALL_CLEAR))
        response = Response(body, status, mimetype=JSON)
    else:
        shown = [told(library, row, say) for row in rows] if library is not None else []
        response = Response(_page(shown, say), status, mimetype="text/html")
    response.headers["Vary"] = "Accept"
    return response


def _page(rows: list[dict[str, Any]], say: Words) -> str:
    body = "".join(map(_item, rows)) or f"<p>{escape(say(_NEVER_ALL_CLEAR))}</p>"
    title, language = escape(say(msg("What is known"))), say.language.replace("_", "-")
    head = f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
    return f"{head}<h1>{title}</h1>{body}</html>"


def _item(row: dict[str, Any]) -> str:
    said = {name: escape(str(value)) for name, value in row.items()}
    link = said["citation"]
    if row["url"].startswith("https://"):
        link = f'<a href="{said["url"]}" rel="noreferrer">{link}</a>'
    here = escape(url_for("knowledge.one", row_id=row["id"]))
    return (
        f"<section><h2>{said['heading']}</h2><p>{said['grade']}</p><p>{said['says']}</p>"
        f'<p>{link}, {said["year"]}; {said["source"]} (<a href="{here}">{said["id"]}</a>)</p></section>'
    )
