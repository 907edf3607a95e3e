"""The text of bytes whose character set may be declared wrongly, or not at all."""

from __future__ import annotations

import codecs
import re

from cds_service.documents.readable import Unreadable


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
    wide = _wide(data)
    if wide is not None:
        return _texty(data.decode(wide, "replace")), bool(asked) and not asked.lower().startswith(("utf-16", "utf_16"))
    for name in ("utf-8", asked, "gb18030"):
        text = _try(data, name)
        if text is not None and (name != "gb18030" or _chinese(text)):
            return _texty(text), bool(asked) and not _same_charset(name, asked) and not data.isascii()
    return _texty(data.decode("cp1252", "replace")), bool(asked)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, known by the empty half of each pair of bytes of its ASCII; None for other bytes."""
    sample = data[:4000]
    if len(data) % 2 or not sample:
        return None
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    if 0 not in sample[0::2] and low > 0.4 * len(sample[1::2]):
        return "utf-16-le"
    return "utf-16-be" if 0 not in sample[1::2] and high > 0.4 * len(sample[0::2]) else None


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
