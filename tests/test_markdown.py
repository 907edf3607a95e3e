"""Text from a record becomes text on a card, whatever it holds."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.markdown import Bullets, Heading, Link, Paragraph, Strong, _encoded, markdown, plain, visible

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What remark-gfm and cmark-gfm would link after character references are decoded.
LINKED = re.compile(r"(?i)(https?|ftp)://|www\.\S|(mailto|xmpp):\S|[-.\w+]@[-\w.]*\.")

NASTY = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](https://evil.example)",
    "![x](http://evil.example/a.png)",
    "<https://evil.example>",
    "https://evil.example/?q=1",
    "see www.evil.example now",
    "someone@evil.example",
    "a@.evil.example",
    "# heading",
    "> quote",
    "- item",
    "1. item",
    "12) item",
    "***",
    "---",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "```\ncode\n```",
    "~~gone~~ **bold** _it_ `code`",
    "&lt;b&gt; &amp; &#60;",
    "line\nbreak\r\nmore\u2028still\u0085end",
    "right\u202eleft\u2066iso",
    "zero\u200bwidth\u2060\ufeff",
    "tag\U000e0041\U000e0042",
    "[ref]: https://evil.example",
    "[^1] footnote",
    "- [ ] task",
    "<!-- hidden -->",
    "\\*not escaped\\*",
    ":smile: $x^2$",
    "nul\x00 bell\x07 esc\x1b[31m",
    "\ud800 lone surrogate",
    "阿司匹林 100 毫克，每日一次",
]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def rendered(source: str) -> tuple[list[str], str]:
    """Tags and plain text of the rendered Markdown."""
    reader = _Text()
    reader.feed(GFM.render(source))
    reader.close()
    return reader.tags, reader.text.strip("\n")


@pytest.mark.parametrize("text", NASTY)
def test_markup_in_a_record_is_shown_as_text(text):
    """No HTML or Markdown of a record survives: rendering gives back the visible text and no tag."""
    tags, shown = rendered(plain(text))
    assert tags == ["p"]
    assert shown == visible(text)


@pytest.mark.parametrize("text", NASTY)
def test_addresses_in_a_record_are_not_live(text):
    """Renderers that link addresses after decoding find none."""
    assert not LINKED.search(visible(text))


alphabet = st.one_of(st.characters(), st.sampled_from(list("<>&*_[](){}#+-.!|~`\\:/@=\n\t 1a")))


@given(st.text(alphabet, max_size=60))
@example("0 ##")
@example("Visit #")
def test_any_text_renders_to_itself_in_every_place(text):
    """In a paragraph, a list, a heading, bold or a link's label: the same visible text, only our own tags."""
    seen = visible(text)
    document = markdown(
        [Heading(text), Paragraph((text, Strong(text))), Bullets(((text,), (Strong(text), text))), Paragraph(("end",))]
    )
    tags, shown = rendered(document)
    if not seen:
        assert tags == ["p"]
        return
    assert tags == ["h3", "p", "strong", "ul", "li", "li", "strong", "p"]
    lines = [line for line in shown.split("\n") if line]
    assert lines == [seen, f"{seen} {seen}", seen, f"{seen} {seen}", "end"]
    assert not LINKED.search(seen)


@given(st.text(alphabet, max_size=60))
def test_visible_text_is_stable(text):
    """Cleaning twice changes nothing, so that a stored line can be shown again."""
    assert visible(visible(text)) == visible(text)


@given(st.text(max_size=400), st.integers(min_value=5, max_value=80))
def test_long_text_is_capped(text, limit):
    """A record cannot flood a card."""
    assert len(visible(text, limit)) <= limit


def test_a_capped_text_ends_at_a_word():
    """What is left out is marked, and no word is cut where a space is near."""
    assert visible("one two three four", 12) == "one two…"


def test_our_links_survive_and_only_to_the_web():
    """A citation is a link; an address that is not http(s) is only its text."""
    assert markdown([Paragraph((Link("Khan 2024", "https://doi.org/10.1161/X(1)"),))]) == (
        "[Khan 2024](https://doi.org/10.1161/X%281%29)"
    )
    assert markdown([Paragraph((Link("Khan", "javascript:alert(1)"),))]) == "Khan"


def test_times_and_numbers_stay_readable_in_raw_markdown():
    """Clients that show Markdown raw still show sentences."""
    text = "Systolic pressure 132 mm Hg (6 May 2026 08:30), 9.2% in 10 years; see Observation/bp-1"
    assert plain(text) == text


@given(
    st.text(st.sampled_from("Aaz09 (),;:.%/+='!?×#→w-<*_@"), max_size=40)
    | st.sampled_from(["www.a", "a://b", "mailto:a"])
)
def test_an_ordinary_text_is_what_the_long_way_gives(text: str) -> None:
    """Most texts are let through as they are; none that would have been changed is among them."""
    assert plain(text) == _encoded(visible(text))
