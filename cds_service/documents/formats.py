"""The text of one document's bytes, by its format. Runs in a process apart (`child.py`); imports a library when needed.

A block is (page, is a heading, text); pages count from 1, and are 1 where a format has none. What cannot be read is an
`Unreadable` with a word for why; the words for people are in `reading.py`.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Block = tuple[int, bool, str]

MAX_PAGES = 300
MAX_UNZIPPED = 60_000_000
MAX_TEXT = 3_000_000  # characters of one document
MAX_IMAGES = 4  # scanned pages that are kept as images
MAX_IMAGE_BYTES = 4_000_000
_LEAST_TEXT = 12  # letters and digits of a page that holds text
_BLOCKS = frozenset({
    "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "pre", "blockquote", "caption", "section",
    "article", "body", "html", "[document]", "paragraph", "item", "title", "text", "table", "list",
})  # fmt: skip
_UNSHOWN = ("script", "style", "svg", "template", "noscript", "iframe", "object", "head", "math", "canvas", "form")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])", re.I)
_V3 = "{urn:hl7-org:v3}"


class Unreadable(Exception):
    """The document gives no text. word: why, one of the keys of `reading.PROBLEMS`."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass
class Read:
    """What a document gives.

    blank: pages without text. notes: words of `reading.NOTES`. names, births, numbers: what a C-CDA's header says of
    its patient. images: (page, media type, base64) of pages without text.
    """

    blocks: list[Block] = field(default_factory=list)
    pages: int = 1
    blank: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    births: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    images: list[tuple[int, str, str]] = field(default_factory=list)


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
    head = data[:2048].lstrip(b"\xef\xbb\xbf\r\n\t ")
    declared = media_type.partition(";")[0].strip().lower()
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "docx"
    if data[128:132] == b"DICM" or head.startswith((b"\x89PNG", b"\xff\xd8\xff")):
        return "image"
    if b"ClinicalDocument" in head or b"urn:hl7-org:v3" in head:
        return "ccda"
    if declared in ("text/html", "application/xhtml+xml") or re.match(rb"(?i)<!doctype html|<html", head):
        return "html"
    if declared.startswith("text/") or declared in ("", "application/octet-stream"):
        return "plain"
    return {"application/pdf": "pdf", "application/rtf": "rtf"}.get(declared, "unknown")


def decoded(data: bytes, media_type: str) -> tuple[str, bool]:
    """The text of bytes, and whether the declared charset was wrong. Raises Unreadable for what is no text.

    UTF-8 goes first wherever it fits: text of another charset almost never does by chance.
    """
    declared = re.search(r"charset\s*=\s*\"?([\w.:-]+)", media_type, re.I)
    asked = declared[1] if declared is not None else ""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _texty(data.decode(name, "replace")), False
    for name in ("utf-8", asked, "gb18030"):
        text = _try(data, name)
        if text is not None and (name != "gb18030" or _chinese(text)):
            return _texty(text), bool(asked) and not _same_charset(name, asked) and not data.isascii()
    return _texty(data.decode("cp1252", "replace")), bool(asked)


def _try(data: bytes, name: str) -> str | None:
    try:
        if not name or not codecs.lookup(name)._is_text_encoding:
            return None
        return data.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def _same_charset(one: str, other: str) -> bool:
    try:
        return codecs.lookup(one).name == codecs.lookup(other).name
    except LookupError:
        return False


def _chinese(text: str) -> bool:
    """True if what is not ASCII is Chinese in runs: accents of another charset make lone characters of it."""
    runs = re.findall("[^\x00-\x7f]+", text[:20_000])
    beyond = "".join(runs)
    fit = sum("\u4e00" <= c <= "\u9fff" or c in "，。；：、（）" for c in beyond)
    return bool(beyond) and fit > 0.8 * len(beyond) and len(beyond) >= 2 * len(runs)


def _texty(text: str) -> str:
    sample = text[:20_000]
    odd = sum((c < " " and c not in "\t\r\n\f\v") or c == "\ufffd" for c in sample)
    if odd > 0.1 * len(sample):
        raise Unreadable("type")
    return text


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


def _rtf(data: bytes, media_type: str) -> Read:
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(data.decode("latin-1"), errors="ignore")  # type: ignore[no-untyped-call]
    return Read([(1, False, text)])


def _html(data: bytes, media_type: str) -> Read:
    text, wrong = decoded(data, media_type)
    return Read(list(_html_blocks(text)), notes=["charset"] if wrong else [])


def _html_blocks(text: str) -> Iterator[Block]:
    from bs4 import BeautifulSoup
    from bs4.element import NavigableString, PreformattedString

    soup = BeautifulSoup(text, "html.parser")
    for tag in soup(_UNSHOWN):
        tag.decompose()
    for tag in soup(lambda t: t.has_attr("hidden") or bool(_HIDDEN.search(str(t.get("style", ""))))):
        if not tag.decomposed:
            tag.decompose()
    for tag in soup("br"):
        tag.replace_with("\n")
    holder: Any = None
    pieces: list[str] = []
    for node in soup.descendants:
        if not isinstance(node, NavigableString) or isinstance(node, PreformattedString):
            continue
        block = node.parent
        while block is not None and block.name not in _BLOCKS:
            block = block.parent
        if block is not holder and pieces:
            yield _block(holder, pieces)
            pieces = []
        holder = block
        cell = node.parent is not None and node.parent.name in ("td", "th")
        pieces.append(f" {node} " if cell else str(node))
    if pieces:
        yield _block(holder, pieces)


def _block(holder: Any, pieces: list[str]) -> Block:
    name = holder.name if holder is not None else ""
    text = "".join(pieces) if name == "pre" else re.sub(r"[ \t\r]*\n[ \t\r\n]*", "\n", "".join(pieces))
    return (1, name[:1] == "h" and name[1:].isdigit(), text)


def _docx(data: bytes, media_type: str) -> Read:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(one.file_size for one in archive.infolist())
            names = {one.filename for one in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, OSError):
        raise Unreadable("damaged") from None
    if size > MAX_UNZIPPED or len(names) > 5000:
        raise Unreadable("unzip")
    if "word/document.xml" not in names:
        raise Unreadable("type")
    from docx import Document
    from docx.table import Table

    blocks: list[Block] = []
    for part in Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(part, Table):
            for row in part.rows:
                cells = dict.fromkeys(cell.text.strip() for cell in row.cells)
                blocks.append((1, False, " ".join(cells)))
        else:
            style = (part.style.name or "") if part.style is not None else ""
            blocks.append((1, style.startswith(("Heading", "Title")), part.text))
    return Read(blocks)


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
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable("damaged") from None
    found = Read()
    for person in root.iterfind(f"{_V3}recordTarget/{_V3}patientRole"):
        found.numbers += [e.get("extension", "") for e in person.iterfind(f"{_V3}id")]
        for name in person.iterfind(f"{_V3}patient/{_V3}name"):
            found.names.append(" ".join(" ".join(name.itertext()).split()))
        found.births += [e.get("value", "")[:8] for e in person.iterfind(f"{_V3}patient/{_V3}birthTime")]
    for section in root.iter(f"{_V3}section"):
        title = section.find(f"{_V3}title")
        if title is not None:
            found.blocks.append((1, True, " ".join("".join(title.itertext()).split())))
        narrative = section.find(f"{_V3}text")
        if narrative is not None:
            found.blocks += [(1, False, text) for text in _narrative(narrative)]
    inside = root.find(f"{_V3}component/{_V3}nonXMLBody/{_V3}text")
    if inside is not None and not found.blocks:
        return _embedded(found, inside)
    return found


def _narrative(element: Any) -> Iterator[str]:
    """The lines of a section's narrative: a row of a table, an item of a list, a paragraph each."""
    name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    blocks = ("table", "thead", "tbody", "tr", "list", "item", "paragraph", "text")
    if name in ("tr", "item", "paragraph") and not any(
        isinstance(e.tag, str) and e.tag.rpartition("}")[2] in blocks for e in element.iter() if e is not element
    ):
        yield " ".join(" ".join(element.itertext()).split())
        return
    if element.text and element.text.strip():
        yield element.text.strip()
    for child in element:
        inner = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if inner in blocks:
            yield from _narrative(child)
        else:
            yield " ".join(" ".join(child.itertext()).split())
        if child.tail and child.tail.strip():
            yield child.tail.strip()


def _embedded(found: Read, text: Any) -> Read:
    """A document within a C-CDA, one level deep."""
    media_type = text.get("mediaType", "text/plain")
    content = "".join(text.itertext())
    try:
        data = (
            base64.b64decode("".join(content.split()), validate=True) if text.get("representation") == "B64" else None
        )
    except (binascii.Error, ValueError):
        raise Unreadable("base64") from None
    data = data if data is not None else content.encode()
    if format_of(data, media_type) == "ccda":
        raise Unreadable("damaged")
    inner = read(data, media_type)
    inner.names, inner.births, inner.numbers = found.names, found.births, found.numbers
    return inner


_READERS: dict[str, Callable[[bytes, str], Read]] = {
    "plain": _plain,
    "rtf": _rtf,
    "html": _html,
    "docx": _docx,
    "pdf": _pdf,
    "ccda": _ccda,
}
