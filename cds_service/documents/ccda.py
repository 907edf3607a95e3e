"""C-CDA documents: the narrative of each section, and whom the header names.

Source: HL7 CDA R2, C-CDA 2.1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

from cds_service.documents.readable import Read, Unreadable

_V3 = "{urn:hl7-org:v3}"


def ccda(data: bytes, within: Callable[[bytes, str], Read]) -> Read:
    """Sections and header of a C-CDA. within: reads a document inside it. Raises Unreadable."""
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
        return _embedded(found, inside, within)
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


def _embedded(found: Read, text: Any, within: Callable[[bytes, str], Read]) -> Read:
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
    inner = within(data, media_type)
    inner.names, inner.births, inner.numbers = found.names, found.births, found.numbers
    return inner
