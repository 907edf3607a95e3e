"""A report as one HTML file and as one PDF file; neither needs anything beside it."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
import orjson
from fpdf import FPDF
from fpdf.fonts import FontFace

from cds_service.cohort.report import Block, Heading, Plot, Report, Table, Text
from cds_service.signed import FACTS

_PLOT_MM = 68.0  # height of a plot in the PDF
_NARROWEST, _WIDEST = 6, 30  # characters of a column
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;font-size:.85rem;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{border-bottom:1px solid #ddd;padding:.25rem .5rem;text-align:right}td{white-space:nowrap}
td.words{white-space:normal}@media print{div.wide{overflow:visible}td{white-space:normal}}
th:first-child,td:first-child{text-align:left;white-space:normal}
figure{display:inline-block;margin:1rem 1rem 1rem 0;max-width:100%}figcaption{max-width:26rem;font-size:.85rem}
div.wide{overflow-x:auto}svg{max-width:100%;height:auto}p{white-space:pre-wrap}
"""


def to_html(report: Report) -> bytes:
    """The report as HTML; its facts are in it as JSON."""
    facts = orjson.dumps(report.facts, option=orjson.OPT_SORT_KEYS).decode().replace("<", "\\u003c")
    title = html.escape(report.title)
    body = "\n".join(_block(number, block) for number, block in enumerate(report.blocks))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{FACTS}{facts}</script></head>'
        f"<body><main><h1>{title}</h1>\n{body}\n</main></body></html>\n"
    ).encode()


def _cell(text: str) -> str:
    """A cell; words may break, numbers with their intervals may not."""
    words = sum(part.isalpha() and part != "to" for part in text.split()) > 1
    return f"<td{' class=words' if words else ''}>{html.escape(text)}</td>"


def _block(number: int, block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{html.escape(block.text)}</h2>"
    if isinstance(block, Text):
        return f"<p>{html.escape(block.text)}</p>"
    if isinstance(block, Plot):
        words = html.escape(block.words)
        svg = _own_names(block.svg, f"plot{number}-").replace("<svg ", f'<svg role="img" aria-label="{words}" ', 1)
        return f"<figure>{svg}<figcaption>{words}</figcaption></figure>"
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in block.head)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in block.rows)
    caption = f"<caption>{html.escape(block.title)}</caption>"
    return f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _own_names(svg: str, prefix: str) -> str:
    """The SVG with its ids made its own, for several stand in one page."""
    for mark in ('id="', 'href="#', "url(#"):
        svg = svg.replace(mark, mark + prefix)
    return svg


def to_pdf(report: Report) -> bytes:
    """The report as PDF."""
    pdf = _Pdf()
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    pdf.add_font("sans", "", fonts / "DejaVuSans.ttf")
    pdf.add_font("sans", "B", fonts / "DejaVuSans-Bold.ttf")
    pdf.set_title(report.title)
    pdf.set_lang("en")
    pdf.add_page()
    pdf.set_font("sans", "B", 16)
    pdf.multi_cell(0, 8, report.title, new_x="LMARGIN", new_y="NEXT")
    for plots, blocks in groupby(report.blocks, lambda block: isinstance(block, Plot)):
        if plots:
            _plots(pdf, [block for block in blocks if isinstance(block, Plot)])
        else:
            for block in blocks:
                _put(pdf, block)
    return bytes(pdf.output())


class _Pdf(FPDF):
    """A4 with a number at the foot of each page."""

    def footer(self) -> None:
        """The number of the page."""
        self.set_y(-12)
        self.set_font("sans", "", 8)
        self.cell(0, 8, str(self.page_no()), align="C")


def _put(pdf: FPDF, block: Block) -> None:
    if isinstance(block, Heading):
        pdf.ln(4)
        pdf.set_font("sans", "B", 12)
        pdf.multi_cell(0, 6, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(1)
    elif isinstance(block, Text):
        pdf.set_font("sans", "", 9.5)
        pdf.multi_cell(0, 5, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(2)
    elif isinstance(block, Table):
        _table(pdf, block)


def _plots(pdf: FPDF, plots: Sequence[Plot]) -> None:
    """Plots beside each other where they fit, each with its words beneath."""
    right, gap = pdf.w - pdf.r_margin, 6.0
    x, y, low = pdf.l_margin, pdf.get_y(), pdf.get_y()
    for plot in plots:
        width = _PLOT_MM * _shape(plot.svg)
        if x > pdf.l_margin and x + width > right:
            x, y = pdf.l_margin, low
        if y + _PLOT_MM + 16 > pdf.h - pdf.b_margin:
            pdf.add_page()
            x, y, low = pdf.l_margin, pdf.get_y(), pdf.get_y()
        pdf.image(io.BytesIO(plot.svg.encode()), x=x, y=y, w=width, alt_text=plot.words)
        pdf.set_font("sans", "", 8)
        pdf.set_xy(x, y + _PLOT_MM + 1)
        pdf.multi_cell(width, 4, plot.words, align="L", new_x="LMARGIN", new_y="NEXT")
        low = max(low, pdf.get_y() + 3)
        x += width + gap
    pdf.set_xy(pdf.l_margin, low)


def _shape(svg: str) -> float:
    """Width over height."""
    found = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
    return float(found[1]) / float(found[2]) if found is not None else 1.2


def _table(pdf: FPDF, block: Table) -> None:
    pdf.set_font("sans", "B", 9)
    if pdf.will_page_break(30):
        pdf.add_page()
    pdf.multi_cell(0, 5, block.title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("sans", "", 6.5)
    heading = FontFace(emphasis="BOLD", fill_color=(235, 239, 244))
    pdf.set_draw_color(200)
    align = tuple("LEFT" if index == 0 else "RIGHT" for index in range(len(block.head)))
    with pdf.table(col_widths=_widths(block), line_height=3.6, headings_style=heading, padding=0.6, text_align=align,
                   borders_layout="HORIZONTAL_LINES") as table:  # fmt: skip
        for row in (block.head, *block.rows):
            line = table.row()
            for cell in row:
                line.cell(cell or " ")
    pdf.ln(3)


def _widths(block: Table) -> tuple[float, ...]:
    """Widths of the columns by what stands in them; a heading may break between its words."""
    heads = [max(map(len, name.split()), default=0) for name in block.head]
    cells = [max((len(row[index]) for row in block.rows), default=0) for index in range(len(block.head))]
    return tuple(min(max(head, cell, _NARROWEST), _WIDEST) + 2.0 for head, cell in zip(heads, cells, strict=True))
