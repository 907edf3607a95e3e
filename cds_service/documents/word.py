"""The blocks of a Word document (DOCX) that a reader of its final version would see.

Read from its XML, because python-docx's own text leaves out what was inserted under tracked changes, content
controls and tables within tables, and shows what is hidden. Struck-out words are left out: whoever struck them out
meant that they do not hold.
Source: ISO/IEC 29500-1 (WordprocessingML).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from cds_service.documents.readable import Block, Read, Unreadable

MAX_UNZIPPED = 60_000_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_P, _TABLE, _ROW, _CELL = f"{_W}p", f"{_W}tbl", f"{_W}tr", f"{_W}tc"
_GONE = frozenset(
    {f"{_W}del", f"{_W}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)
_UNSEEN = (f"{_W}vanish", f"{_W}strike", f"{_W}dstrike")
_OFF = frozenset({"0", "false", "off"})
_SPACES = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def word(data: bytes, media_type: str) -> Read:
    """The page headers, which may name the patient, then the body. Raises Unreadable."""
    _look_inside(data)
    from docx import Document

    document = Document(io.BytesIO(data))
    headings = {style.style_id for style in document.styles if (style.name or "").startswith(("Heading", "Title"))}
    blocks: list[Block] = []
    for section in document.sections:
        if not section.header.is_linked_to_previous:
            blocks += _blocks(section.header._element, headings)
    return Read([*dict.fromkeys(blocks), *_blocks(document.element.body, headings)])


def _look_inside(data: bytes) -> None:
    """Raises Unreadable for what is no Word document, or unpacks to more than may be read."""
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


def _blocks(container: Any, headings: set[str]) -> Iterator[Block]:
    """Paragraphs and rows of tables, in order, also of content controls and of tables within cells."""
    for child in container:
        if child.tag == _P:
            yield (1, _style(child) in headings, _text(child))
        elif child.tag == _ROW:
            yield from _row(child, headings)
        elif child.tag not in _GONE and isinstance(child.tag, str):
            yield from _blocks(child, headings)


def _row(row: Any, headings: set[str]) -> Iterator[Block]:
    """One line a row; a cell that holds a table gives its rows after that line."""
    cells = [cell for cell in row.iter(_CELL) if next(cell.iterancestors(_ROW)) is row]
    texts = [" ".join(_text(p) for p in cell.iter(_P) if next(p.iterancestors(_CELL)) is cell) for cell in cells]
    yield (1, False, " ".join(text.strip() for text in texts if text.strip()))
    for cell in cells:
        for table in cell.iter(_TABLE):
            if next(table.iterancestors(_CELL)) is cell:
                yield from _blocks(table, headings)


def _style(paragraph: Any) -> str:
    named = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return named.get(f"{_W}val", "") if named is not None else ""


def _text(element: Any) -> str:
    """The words of a paragraph that are seen in the final version."""
    pieces: list[str] = []
    for child in element:
        if child.tag == f"{_W}t":
            pieces.append(child.text or "")
        elif child.tag in _SPACES:
            pieces.append(_SPACES[child.tag])
        elif isinstance(child.tag, str) and child.tag not in _GONE and not _unseen(child):
            pieces.append(_text(child))
    return "".join(pieces)


def _unseen(run: Any) -> bool:
    marks = run.find(f"{_W}rPr") if run.tag == f"{_W}r" else None
    if marks is None:
        return False
    found = (marks.find(name) for name in _UNSEEN)
    return any(mark is not None and mark.get(f"{_W}val", "1") not in _OFF for mark in found)
