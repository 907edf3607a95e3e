"""The facts of a model for a reader of a review: source attributes, its card with plots, limits."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from cds_service.risk.model import RiskModel

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def card(model: RiskModel) -> Markup | None:
    """The model's card as HTML, written by its recipe; None for a model without one."""
    folder = _folder(model)
    path = folder / "card.md" if folder is not None else None
    return _rendered(path) if path is not None and path.is_file() else None


def plot(model: RiskModel, name: str) -> bytes | None:
    """The SVG of that name in the model's folder, or None."""
    folder = _folder(model)
    files = {path.name: path for path in folder.glob("*.svg")} if folder is not None else {}
    return files[name].read_bytes() if name in files else None


def _folder(model: RiskModel) -> Path | None:
    folder = getattr(model, "folder", None)
    return folder if isinstance(folder, Path) else None


@lru_cache(maxsize=32)
def _rendered(path: Path) -> Markup:
    tokens = _MARKDOWN.parse(path.read_text("utf-8"))
    for token in tokens:
        if token.attrs.pop("style", None) == "text-align:right":  # the page's policy lets no style attribute through
            token.attrs["class"] = "right"
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(html)  # noqa: S704 - our own file; HTML in it stays text
