"""The text of an RTF document as a reader sees it: no hidden, deleted or struck-out words.

striprtf turns control words and escapes into text; what it would show though no reader sees it is taken out before.
Source: Microsoft, Rich Text Format Specification 1.9.1, character properties.
"""

from __future__ import annotations

import re

from cds_service.documents.readable import Read

_TOKEN = re.compile(r"\\([a-zA-Z]+)(-?[0-9]+)? ?|\\'[0-9a-fA-F]{2}|\\[^a-zA-Z]|[{}]|[^\\{}]+")
_UNSEEN = frozenset({"v", "deleted", "strike", "striked"})
_PAGE = re.compile(rb"\\ansicpg([0-9]{3,5})")


def rtf(data: bytes, media_type: str) -> Read:
    """One block."""
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(_seen(_characters(data)), errors="ignore")  # type: ignore[no-untyped-call]
    return Read([(1, False, text)])


def _characters(data: bytes) -> str:
    """RTF is ASCII with escapes; where other bytes stand in it all the same, they are UTF-8 or of its code page."""
    if data.isascii():
        return data.decode("ascii")
    page = _PAGE.search(data[:400])
    for name in ("utf-8", f"cp{page[1].decode()}" if page is not None else "cp1252"):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("latin-1")


def _seen(text: str) -> str:
    """The same RTF without the text of groups and runs that are not shown; cells are parted by tabs."""
    kept: list[str] = []
    unseen: frozenset[str] = frozenset()
    outer: list[frozenset[str]] = []
    for token in _TOKEN.finditer(text):
        whole, name = token[0], token[1]
        if whole == "{":
            outer.append(unseen)
        elif whole == "}":
            unseen = outer.pop() if outer else frozenset()
        elif name in _UNSEEN:
            unseen = unseen - {name} if token[2] == "0" else unseen | {name}
            continue
        elif name == "plain":
            unseen = frozenset()
        elif name in ("cell", "nestcell"):
            whole = "\\tab "
        elif unseen and (name is None or name in ("u", "par", "line", "tab")):
            continue
        kept.append(whole)
    return "".join(kept)
