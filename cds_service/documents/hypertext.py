"""The blocks of an HTML document that a reader would see: no scripts, nothing hidden, nothing struck out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cds_service.documents.readable import Block

_BLOCKS = frozenset({
    "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "pre", "blockquote", "caption", "section",
    "article", "body", "html", "[document]", "paragraph", "item", "title", "text", "table", "list",
})  # fmt: skip
_UNSHOWN = ("script", "style", "svg", "template", "noscript", "iframe", "object", "head", "math", "canvas", "form",
            "del", "s", "strike")  # fmt: skip
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d])"
    r"|text-decoration[a-z-]*\s*:[^;]*line-through",
    re.I,
)
_RULE = re.compile(r"([^{}]{1,200})\{([^{}]*)\}")
_MOST_RULES = 200


def html_blocks(text: str) -> Iterator[Block]:
    """The blocks, in order."""
    from bs4 import BeautifulSoup
    from bs4.element import NavigableString, PreformattedString

    soup = BeautifulSoup(text, "html.parser")
    for tag in _hidden_by_rule(soup):
        tag.decompose()
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


def _hidden_by_rule(soup: Any) -> Iterator[Any]:
    """What a style sheet within the document hides; a rule that cannot be read hides nothing."""
    from soupsieve import SelectorSyntaxError

    rules = [rule for style in soup("style") for rule in _RULE.findall(re.sub(r"(?s)/\*.*?\*/", "", style.get_text()))]
    for selector, body in rules[:_MOST_RULES]:
        if not _HIDDEN.search(body):
            continue
        try:
            found = soup.select(selector.strip())
        except (SelectorSyntaxError, NotImplementedError):
            continue
        yield from (tag for tag in found if not tag.decomposed and tag.name not in ("html", "body"))


def _block(holder: Any, pieces: list[str]) -> Block:
    name = holder.name if holder is not None else ""
    text = "".join(pieces) if name == "pre" else re.sub(r"[ \t\r]*\n[ \t\r\n]*", "\n", "".join(pieces))
    return (1, name[:1] == "h" and name[1:].isdigit(), text)
