"""Scrubbing costs a text no more than its length, and finds what the plain, slower forms of its steps find."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.identity import Kind, Known
from cds_service.summary import patterns, scrub
from cds_service.summary.dates import Found, _months, _whole, dates
from cds_service.summary.scrub import Scrubber

PEOPLE = (Known(Kind.NAME, "Anna Maria Strauß"), Known(Kind.ID, "4711-22"), Known(Kind.CONTACT, "a@b.org"))
LENGTH = 20_000
PIECES = st.sampled_from(
    [
        "anna",
        "Strauß",
        "ß",
        "4711",
        "-22",
        "a@b.org",
        "@",
        ".",
        "+",
        "-",
        "_",
        " ",
        "x@y.zz",
        "b.c",
        "1",
        "2",
        "mrn",
        "1/2/20",
        "2020-01-02",
        "2020-01",
        "May",
        " 3",
        ", 2020",
        "[NAME-1]",
        "[",
        "ID-2",
        "]",
        "Dr. ",
        "Ab",
        "1月2日",
    ]
)
MAIL = re.compile(r"(?P<x>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)", re.I)


@pytest.mark.parametrize("run", ["_", "1月", "x@y.zz ", "1/2/20 ", "2020-01-02 ", "mrn", "Dr. Ab ", "anna_"], ids=repr)
def test_a_long_run_is_scrubbed_in_time(run: str) -> None:
    """Twenty thousand characters without a break, or with something to replace at each of them: 2 to 5 s before."""
    started = time.process_time()
    Scrubber(PEOPLE, 17).scrub(run * (LENGTH // len(run)))
    assert time.process_time() - started < 1.2


@given(st.lists(PIECES, max_size=12).map("".join))
def test_addresses_are_those_of_the_plain_pattern(text: str) -> None:
    """Which tries each place of a word anew."""
    assert list(patterns._mail(text)) == [m.span("x") for m in MAIL.finditer(text)]


@given(st.lists(PIECES, max_size=12).map("".join))
def test_dates_are_those_that_overlap_no_longer_one(text: str) -> None:
    """Each compared with all that were found before it."""
    found: list[Found] = []
    for one in (*_whole(text, 9), *_months(text, 0)):
        if not any(one.start < other.end and other.start < one.end for other in found):
            found.append(one)
    assert dates(text, 9) == sorted(found, key=lambda one: one.start)


@given(
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=5),
)
def test_spans_are_written_as_one_after_another_from_the_end(text: str, chosen: list[tuple[int, int]]) -> None:
    """Each into the whole text, where no token is touched."""
    spans = [(start, min(start + size, len(text)), "ID") for start, size in chosen]
    plain, expected = Scrubber(PEOPLE, 17), text
    for start, end, kind in sorted(spans, reverse=True):
        touched = any(m.start() < end and start < m.end() for m in scrub._TOKEN.finditer(expected))
        if start < end and not touched:
            expected = expected[:start] + plain._token(kind, expected[start:end]) + expected[end:]
    assert Scrubber(PEOPLE, 17)._replaced(text, spans) == expected
