"""The attachments of DocumentReferences, DiagnosticReports and Media, from their JSON: what there is to read.

Source: hl7.org/fhir/R4, DocumentReference.content.attachment, DiagnosticReport.presentedForm, Media.content,
Binary.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cds_service.fhir.times import parse
from cds_service.summary.cleaning import clean

Json = Mapping[str, Any]

TYPES = ("DocumentReference", "DiagnosticReport", "Media")
_NAMING = {"DocumentReference": ("type",), "Media": ("view", "modality", "type")}
_LONGEST_TITLE = 120
_WITHDRAWN = frozenset({"entered-in-error", "superseded", "cancelled"})
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment and whose it is.

    reference: of the resource that holds it. title, kind: its words and its type's, made fit to show. at: when it was
    written, None if that is not known. url: where its bytes are, if they are not here; data: base64 as sent.
    number: which of the resource's attachments it is, from 1. withdrawn: entered in error, or superseded.
    """

    reference: str
    title: str
    at: datetime | None
    media_type: str
    data: str | None
    url: str | None
    number: int = 1
    withdrawn: bool = False

    @property
    def name(self) -> str:
        """How the document is cited: the resource, and its number where the resource has several."""
        return self.reference if self.number == 1 else f"{self.reference}.{self.number}"


def attachments(rows: Iterable[Json]) -> tuple[Attachment, ...]:
    """The attachments of resources, the latest first; rows of other types are passed over."""
    found = [one for row in rows if row.get("resourceType") in TYPES and row.get("id") for one in _of(row)]
    return tuple(sorted(found, key=lambda a: (a.at.timestamp() if a.at else float("-inf"), a.name), reverse=True))


def rows_of(bundle: Json) -> Iterator[Json]:
    """The resources of a Bundle in JSON, also of Bundles within; what is no resource is passed over."""
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        row = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(row, dict):
            if row.get("resourceType") == "Bundle":
                yield from rows_of(row)
            else:
                yield row


def bytes_of(data: str) -> bytes | None:
    """The bytes of base64, with or without line ends; None for what is not base64."""
    try:
        return base64.b64decode(_SPACE.sub("", data), validate=True)
    except (binascii.Error, ValueError):
        return None


def _of(row: Json) -> Iterator[Attachment]:
    reference = f"{row['resourceType']}/{row['id']}"
    if row["resourceType"] == "DocumentReference":
        contents = row.get("content")
        holders = [c.get("attachment") for c in contents if isinstance(c, dict)] if isinstance(contents, list) else []
    elif row["resourceType"] == "Media":
        holders = [row.get("content")]
    else:
        forms = row.get("presentedForm")
        holders = list(forms) if isinstance(forms, list) else []
    gone = bool({row.get("status"), row.get("docStatus")} & _WITHDRAWN)
    for number, one in enumerate((h for h in holders if isinstance(h, dict)), 1):
        media_type, data, url = one.get("contentType"), one.get("data"), one.get("url")
        yield Attachment(
            reference,
            _title(row, one),
            _at(row, one),
            media_type if isinstance(media_type, str) else "",
            data if isinstance(data, str) else None,
            url if isinstance(url, str) else None,
            number,
            gone,
        )


def _title(row: Json, attachment: Json) -> str:
    """The type's words, or the attachment's own: others typed them, so they are made one plain line."""
    members = _NAMING.get(row["resourceType"], ("code",))
    named = [word for member in members for word in _words(row.get(member))]
    words = [attachment.get("title"), *named, row.get("description")]
    return next((text for w in words if isinstance(w, str) and (text := clean(w, _LONGEST_TITLE))), "")


def _words(concept: Any) -> list[Any]:
    if not isinstance(concept, dict):
        return []
    coding = concept.get("coding")
    shown = [c.get("display") for c in coding if isinstance(c, dict)] if isinstance(coding, list) else []
    return [concept.get("text"), *shown]


def _at(row: Json, attachment: Json) -> datetime | None:
    context = row.get("context")
    period = context.get("period") if isinstance(context, dict) else None
    start = period.get("start") if isinstance(period, dict) else None
    texts = (row.get("effectiveDateTime"), row.get("date"), row.get("issued"), row.get("createdDateTime"),
             attachment.get("creation"), start)  # fmt: skip
    spans = (parse(text) for text in texts if isinstance(text, str))
    return next((span.start for span in spans if span is not None), None)
