"""Blocks of a document as sentences, each with its place: page, section, number. English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cds_service.documents.readable import Block
from cds_service.summary.cleaning import speaks, visible

MOST = 6000  # sentences of one document
_LONGEST = 500  # characters of one: a longer one is cut at a space
_SECTIONS = re.compile(
    r"(?i)\s*(allerg(?:y|ies)(?: and intolerances)?|adverse reactions|(?:past |previous )?medical history|pmh"
    r"|past surgical history|(?:home |current |discharge |admission )?medications?(?: on (?:admission|discharge))?"
    r"|family history|social history|history of present illness|hpi|chief complaint|review of systems|ros"
    r"|physical exam(?:ination)?|vital signs|assessment(?: and plan)?|impression|plan|findings|indication|comparison"
    r"|technique|hospital course|diagnos[ie]s|(?:discharge|admission) diagnos[ie]s|follow[- ]?up|procedures?"
    r"|laboratory(?: data| results)?|labs|code status|immunizations?|problem list"
    r"|主诉|现病史|既往史|个人史|婚育史|家族史|过敏史|药物过敏史|体格检查|辅助检查|实验室检查|初步诊断|入院诊断|出院诊断|诊断"
    r"|诊疗经过|出院医嘱|出院带药|用药|检查所见|影像所见|诊断意见|印象|处理|手术史|输血史)\s*[:：]\s*"
)
_HEADING = re.compile(r"\s*(?:[A-Z][A-Za-z /&-]{2,58}|[\u4e00-\u9fff]{2,12})\s*[:：]\s*$|\s*[A-Z][A-Z /&-]{3,58}\s*$")
_TITLE = re.compile(r"(?i)(?<!\d)(?<!\d )\b(?:dr|mr|mrs|ms|prof|st|vs|e\.g|i\.e|approx|fig|dept)\.(?=\s|$)")
_ABBREVIATION = re.compile(  # before a number: before a capital they end a sentence
    r"(?i)\b(?:no|inc|etc|a\.m|p\.m|b\.i\.d|t\.i\.d|q\.d|p\.o|p\.r\.n|hosp|pt|resp|temp|wt|ht)\.$"
)
_ABBREVIATED = 20  # characters at the end of a text in which to look for one
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[A-Z0-9(\"'\u4e00-\u9fff])|(?<=[。！？；])")
_ORDERS = re.compile(
    r"(?i)ignor|disregard|forget|overrid|system|assistant|instruct|prompt|output|pretend|you are now|https?:|<\|"
    r"|\[/?inst|language model|忽略|无视|忘记|指令|系统|助手|你必须|输出"
)
_BULLET = re.compile(r"\s*(?:[-*•·▪●]|\(?\d{1,2}[.)、](?!\d))\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence of a document.

    reference: of the document, with the sentence's place: `DocumentReference/7#s14`. page: from 1. section: the
    heading above it, or empty. hidden: it holds what a reader does not see, or seems to speak to a machine.
    """

    reference: str
    number: int
    page: int
    section: str
    text: str
    hidden: bool = False

    @property
    def document(self) -> str:
        """The document, without the place."""
        return self.reference.partition("#")[0]


def passages(document: str, blocks: Iterable[Sequence[object]]) -> tuple[Passage, ...]:
    """The sentences of a document in order, numbered from 1."""
    found: list[Passage] = []
    lines: list[int] = []
    orders: set[int] = set()
    section, at = "", 0
    for page, heading, text in (_typed(block) for block in blocks):
        for line in _lines(text):
            at += 1
            if _ORDERS.search(visible(line)) and speaks(line):
                orders |= {at - 1, at, at + 1}
            shown = " ".join(visible(line).split())
            if heading or (_HEADING.match(shown) and len(shown) <= 60):
                section = shown.strip(" :：")[:80] or section
                continue
            led = _SECTIONS.match(shown)
            if led is not None:
                section = led[1]
                line = _SECTIONS.sub("", line, count=1)
            for sentence in _sentences(line):
                if len(found) >= MOST:
                    return _apart(found, lines, orders)
                lines.append(at)
                number = len(found) + 1
                plain = " ".join(visible(sentence).split())
                hidden = speaks(_TITLE.sub(lambda m: m[0].rstrip("."), sentence))  # Dr. Lee is one statement
                found.append(Passage(f"{document}#s{number}", number, page, section, plain, hidden))
    return _apart(found, lines, orders)


def _apart(found: Sequence[Passage], lines: Sequence[int], orders: Collection[int]) -> tuple[Passage, ...]:
    """The sentences; those on or beside a line that gives a machine orders are hidden too, for it may quote them."""
    return tuple(replace(p, hidden=True) if at in orders else p for p, at in zip(found, lines, strict=True))


def _typed(block: Sequence[object]) -> Block:
    page, heading, text = block
    return (page if isinstance(page, int) else 1), bool(heading), str(text)


def _lines(text: str) -> Iterator[str]:
    """Lines, with those joined that only a margin parted."""
    held = ""
    for line in text.split("\n"):
        line = line.strip()
        if not line:
            if held:
                yield held
            held = ""
        elif held and not _BULLET.match(line) and _goes_on(held, line):
            held = f"{held} {line}"
        else:
            if held:
                yield held
            held = line
    if held:
        yield held


def _goes_on(before: str, line: str) -> bool:
    """True if a line seems to be broken at a margin: long, without an end, or followed by a small letter."""
    if before[-1] in ".!?:：。！？；;" or _SECTIONS.match(line) or _HEADING.match(line) or len(before) > 5000:
        return False
    return line[0].islower() or before[-1] == "," or (len(before) > 60 and line[0].isalnum())


def _sentences(line: str) -> Iterator[str]:
    line = _BULLET.sub("", line, count=1) if _BULLET.match(line) else line
    held = ""
    pieces = [piece.strip() for piece in _END.split(line)]
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        held = f"{held} {piece}".strip() if held else piece
        if held and not _abbreviated(held[-_ABBREVIATED:], following):
            yield from _short(held)
            held = ""
    if held:
        yield from _short(held)


def _abbreviated(end: str, following: str) -> bool:
    """True if the stop at an end is that of an abbreviation: `Dr. Lee`, `No. 5`; not `462 ms. No ischaemia`."""
    if any(title.end() == len(end) for title in _TITLE.finditer(end)):
        return True
    return following[:1].isdigit() and _ABBREVIATION.search(end) is not None


def _short(text: str) -> Iterator[str]:
    while len(text) > _LONGEST:
        at = text.rfind(" ", 1, _LONGEST)
        at = at if at > 0 else _LONGEST
        yield text[:at]
        text = text[at:].strip()
    if any(c.isalnum() for c in text):
        yield text
