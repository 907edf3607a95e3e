"""The text of one document's bytes, by its format. Runs in a process apart (`child.py`); imports a library when needed.

What cannot be read is an `Unreadable` with a word for why; the words for people are in `reading.py`.
"""

from __future__ import annotations

import base64
import codecs
import io
import re
from collections.abc import Callable
from typing import Any

from cds_service.documents.ccda import ccda
from cds_service.documents.charset import decoded
from cds_service.documents.hypertext import html_blocks
from cds_service.documents.readable import Read, Unreadable
from cds_service.documents.rich import rtf
from cds_service.documents.word import word

MAX_PAGES = 300
MAX_TEXT = 3_000_000  # characters of one document
MAX_IMAGES = 4  # scanned pages that are kept as images
MAX_IMAGE_BYTES = 4_000_000
_LEAST_TEXT = 12  # letters and digits of a page that holds text
_BINARY = (b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"GIF8", b"II*\x00", b"MM\x00*")  # Word before 2007, gzip, GIF, TIFF
_MARKED_UP = re.compile(
    rb"(?i)<!doctype html|<(?:html|head|body|div|p|table|span|h[1-6]|ul|ol|b|pre|br)\b[^<>]{0,200}>"
)


def read(data: bytes, media_type: str) -> Read:
    """The text of a document. media_type: as declared; the bytes themselves go first. Raises Unreadable."""
    if not data.strip(b"\x00 \r\n\t"):
        raise Unreadable("empty")
    reader = _READERS.get(format_of(data, media_type))
    if reader is None:
        raise Unreadable("type")
    found = reader(data, media_type)
    _cap(found)
    if "scan" not in found.notes and not any(text.strip() for _, _, text in found.blocks):
        raise Unreadable("empty")
    return found


def format_of(data: bytes, media_type: str) -> str:
    """`pdf`, `rtf`, `docx`, `ccda`, `html`, `plain`, `image`, or `unknown`: by the bytes, then as declared."""
    head = _head(data)
    declared = media_type.partition(";")[0].strip().lower()
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "docx"
    if data[128:132] == b"DICM" or head.startswith((b"\x89PNG", b"\xff\xd8\xff")):
        return "image"
    if head.startswith(_BINARY):
        return "unknown"
    if b"ClinicalDocument" in head or b"urn:hl7-org:v3" in head:
        return "ccda"
    if declared in ("text/html", "application/xhtml+xml") or _MARKED_UP.match(head):
        return "html"
    if head.startswith(b"<?xml"):
        return "html" if b"<html" in head else "unknown"
    if declared.startswith("text/") or declared in ("", "application/octet-stream"):
        return "plain"
    return {"application/pdf": "pdf", "application/rtf": "rtf"}.get(declared, "unknown")


def _head(data: bytes) -> bytes:
    """The first bytes without white space and byte order mark; of UTF-16 with a mark, its ASCII."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data[:4096].decode("utf-16", "ignore").encode("ascii", "ignore").lstrip()
    return data[:2048].lstrip(b"\xef\xbb\xbf\r\n\t ")


def _cap(found: Read) -> None:
    left, kept = MAX_TEXT, []
    for page, heading, text in found.blocks:
        if len(text) > left:
            found.notes.append("cut")
            kept.append((page, heading, text[:left]))
            break
        kept.append((page, heading, text))
        left -= len(text)
    found.blocks = kept


def _plain(data: bytes, media_type: str) -> Read:
    text, wrong = decoded(data, media_type)
    pages = text.replace("\r\n", "\n").replace("\r", "\n").split("\f")
    blocks = [(n, False, page) for n, page in enumerate(pages, 1)]
    return Read(blocks, pages=len(pages), notes=["charset"] if wrong else [])


def _html(data: bytes, media_type: str) -> Read:
    text, wrong = decoded(data, media_type)
    return Read(list(html_blocks(text)), notes=["charset"] if wrong else [])


def _pdf(data: bytes, media_type: str) -> Read:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("password")
    found = Read(pages=len(reader.pages))
    if found.pages > MAX_PAGES:
        found.notes.append("pages")
    for number, page in enumerate(reader.pages[:MAX_PAGES], 1):
        text = page.extract_text() or ""
        if sum(c.isalnum() for c in text) < _LEAST_TEXT:
            found.blank.append(number)
            _scan(found, number, page)
        else:
            found.blocks.append((number, False, text))
    if not found.blocks and found.pages:
        found.notes.append("scan")
    elif found.blank:
        found.notes.append("some-scans")
    return found


def _scan(found: Read, number: int, page: Any) -> None:
    """Keeps the largest picture of a page without text."""
    if len(found.images) >= MAX_IMAGES:
        return
    try:
        pictures = [(image.name.lower(), image.data) for image in page.images]
    except Exception:  # noqa: BLE001 - a picture in a form that is not known: the page stays without one
        return
    kinds = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg"}
    usable = [(d, kinds[n.rpartition(".")[2]]) for n, d in pictures if n.rpartition(".")[2] in kinds]
    if usable:
        picture, kind = max(usable, key=lambda one: len(one[0]))
        if len(picture) <= MAX_IMAGE_BYTES:
            found.images.append((number, kind, base64.b64encode(picture).decode()))


def _ccda(data: bytes, media_type: str) -> Read:
    return ccda(data, _inside)


def _inside(data: bytes, media_type: str) -> Read:
    """A document within a C-CDA, one level deep."""
    if format_of(data, media_type) == "ccda":
        raise Unreadable("damaged")
    return read(data, media_type)


_READERS: dict[str, Callable[[bytes, str], Read]] = {
    "plain": _plain,
    "rtf": rtf,
    "html": _html,
    "docx": word,
    "pdf": _pdf,
    "ccda": _ccda,
}
