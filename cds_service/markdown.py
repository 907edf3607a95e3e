"""A tiny document tree and its GitHub-flavoured Markdown; every text node passes through `plain`.

Whatever a record holds is text, never markup: `plain` removes what a reader cannot see, takes the live part out
of web and mail addresses, and encodes what Markdown or HTML would act on as character references. References
alone do not stop links: some renderers (cmark-gfm for mail addresses, remark-gfm for both) look for addresses
after decoding, so an address is also parted by a space.
Source: GitHub Flavored Markdown 0.29, sections 2.5 (entities), 6.9 (autolinks).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

MAX_TEXT = 600


class Strong(msgspec.Struct, frozen=True):
    """Text that stands out."""

    text: str


class Link(msgspec.Struct, frozen=True):
    """A link of our own making; text from a record is never the address."""

    text: str
    url: str


class Fixed(msgspec.Struct, frozen=True):
    """Text that holds nothing of a patient, so that its Markdown may be remembered."""

    text: str


Span = str | Fixed | Strong | Link


class Heading(msgspec.Struct, frozen=True):
    """A heading; cards start at level 3 because the client shows the summary above."""

    text: str
    level: int = 3


class Paragraph(msgspec.Struct, frozen=True):
    """Spans on one line."""

    spans: tuple[Span, ...]


class Bullets(msgspec.Struct, frozen=True):
    """A list, one line of spans an item."""

    items: tuple[tuple[Span, ...], ...]


Block = Heading | Paragraph | Bullets


def markdown(blocks: Iterable[Block]) -> str:
    """The document as GitHub-flavoured Markdown; blocks without text are left out."""
    return "\n\n".join(filter(None, map(_block, blocks)))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        text = plain(block.text)
        if text.endswith("#"):  # after a space it would close the heading, and not be shown
            text = f"{text[:-1]}&#35;"
        return f"{'#' * block.level} {text}" if text else ""
    if isinstance(block, Paragraph):
        return _line(block.spans)
    return "\n".join(f"- {line}" for line in map(_line, block.items) if line)


def _line(spans: tuple[Span, ...]) -> str:
    # Spans are parted by spaces, so that emphasis always begins and ends at a word's edge.
    return " ".join(filter(None, map(_span, spans)))


def _span(span: Span) -> str:
    if isinstance(span, str):
        return plain(span)
    if isinstance(span, Fixed):
        return _remembered(span.text)
    if isinstance(span, Link):
        return _link(span)
    text = plain(span.text)
    return f"**{text}**" if text else ""


@lru_cache(maxsize=512)
def _remembered(text: str) -> str:
    return plain(text)


@lru_cache(maxsize=256)
def _link(link: Link) -> str:
    text = plain(link.text)
    return f"[{text}]({_address(link.url)})" if text and _safe(link.url) else text


# Characters that Markdown or HTML act on anywhere in a line; a colon only where it could begin an emoji code, so
# that times and sentences stay readable where a client shows Markdown raw.
_ACTIVE = re.compile(r"[&<>\\`*_\[\]|~$@]")
_ACTIVE_BYTES = bytes(sorted(char for char in range(128) if _ACTIVE.match(chr(char))))
_ENCODED = re.compile(rf"{_ACTIVE.pattern}|:(?=[\w+-]+:)")
# What begins a list, a heading or an underline at the start of a line.
_LEADING = re.compile(r"[-+=#]|[0-9]{1,9}(?=[.)])")
_LEADING_FIRST = frozenset("-+=#0123456789")


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """The text as Markdown that renders to `visible(text)` and to nothing else."""
    if len(text) <= limit and _ORDINARY.fullmatch(text) and _is_calm(text):
        return text
    return _encoded(visible(text, limit))


def _encoded(shown: str) -> str:
    """What can be seen of a text, with character references for what Markdown or HTML would act on."""
    if ":" in shown and shown.count(":") > 1:
        shown = _ENCODED.sub(_reference, shown)
    elif _is_active(shown):
        shown = _ACTIVE.sub(_reference, shown)
    leading = shown[:1] in _LEADING_FIRST and _LEADING.match(shown)
    return f"&#{ord(shown[0])};{shown[1:]}" if leading else shown


# Most texts need nothing: letters, figures and marks that neither Markdown nor a renderer acts on.
_ORDINARY = re.compile(r"[A-Za-z(%“][A-Za-z0-9 (),;:.%/+='!?×#→–—’“”≥≤·-]*(?<! )")


def _is_calm(text: str) -> bool:
    """True if an ordinary text holds no address, no emoji code and no double space."""
    if "  " in text or ("." in text and "www." in text.lower()):
        return False
    return ":" not in text or (text.count(":") == 1 and "://" not in text and not _names_mail(text))


def _is_active(text: str) -> bool:
    """True if the text holds one of `_ACTIVE`; several times faster than asking the pattern."""
    encoded = text.encode("utf-8", "surrogatepass")
    return len(encoded.translate(None, _ACTIVE_BYTES)) != len(encoded)


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


_SPACES = re.compile(r"\s+")
_SCHEME = re.compile(r"(?i)([a-z][a-z0-9+.-]{1,30}):(?=//)|\b(mailto|xmpp):(?=\S)")
_MAIL_SCHEME = re.compile(r"(?i)(mailto|xmpp):")
_WWW = re.compile(r"(?i)(www)(?=\.)")
_MAIL = re.compile(r"@(?=[-\w.]*\.)")
# Letters and marks that show nothing although they count as printable: fillers and variation selectors.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(c) for c in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)


def visible(text: str, limit: int = MAX_TEXT) -> str:
    """What a person sees of a text: one line, no hidden characters, no live address, at most `limit` long.

    `str.isprintable` is false for control, format (bidi, zero-width, tags), surrogate, private and unassigned
    characters and for all separators but the space.
    """
    if not text.isprintable() or not (text.isascii() or _BLANK.isdisjoint(text)):
        text = "".join(c for c in _SPACES.sub(" ", text) if c.isprintable() and c not in _BLANK)
    if ":" in text and ("://" in text or _names_mail(text)):
        text = _SCHEME.sub(r"\1\2: ", text)
    if "@" in text:
        text = _MAIL.sub(" @ ", text)
    if "." in text and "www." in text.casefold():
        text = _WWW.sub(r"\1 ", text)
    if "  " in text or text[:1] == " " or text[-1:] == " ":  # no other white space is printable
        text = " ".join(text.split())
    return shorten(text, limit)


def _names_mail(text: str) -> bool:
    """True if a scheme of mail or chat may be named; without regard to case, as browsers read it."""
    if not text.isascii():
        return _MAIL_SCHEME.search(text) is not None
    lower = text.lower()
    return "mailto:" in lower or "xmpp:" in lower


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, ending at a word where there is one, with an ellipsis if anything was left out."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    head, _, tail = kept.rpartition(" ")
    return (head if head and len(tail) < 40 else kept).rstrip() + "…"


def _safe(url: str) -> bool:
    return url.startswith(("https://", "http://")) and url.isascii() and url.isprintable()


def _address(url: str) -> str:
    for char in "<>()\\\"'` ":
        url = url.replace(char, f"%{ord(char):02X}")
    return url
