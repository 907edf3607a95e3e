"""A model's wording of the deterministic summary, sentence by sentence checked; what is lost is put back.

The model may only merge and order. Whatever goes wrong, the deterministic summary stands and the reason is told.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from cds_service.clock import Deadline
from cds_service.fhir.identity import known
from cds_service.fhir.record import PatientRecord
from cds_service.settings import Llm
from cds_service.summary import prompt
from cds_service.summary.cleaning import clean, speaks, unmark
from cds_service.summary.facts import Fact
from cds_service.summary.general import unlike
from cds_service.summary.llm import LanguageModel, LlmError, Message, Reason, Reply
from cds_service.summary.prompt import Question
from cds_service.summary.scrub import Scrubber
from cds_service.summary.told import Told
from cds_service.summary.verify import Sentence, verify

MOST_ATTEMPTS = 3  # of which each sends half as many facts as the one before
_LEAST_KEPT = 0.5  # of the sentences: less is not this record's summary
_MOST_DAYS, _LEAST_DAYS = 3650, 31
_SAID_SHARE = 0.7
_FENCE = re.compile(r"^```(?:json)?\s*(.*?)\s*```$", re.S)
# Advice: it may only stand in a line that is said whole, as the record has it.
ADVICE = re.compile(
    r"\b(?:should|must|ought|recommend\w*|advis\w*|consider\w*|suggest\w*|start|stop|discontinue|hold|give|administer"
    r"|increase|decrease|reduce|titrate|switch|initiate|avoid|ensure|monitor|order|prescribe|refer|please"
    r"|need(?:s|ed)? to|ignore|disregard|safe to|no need|cleared for)\b"
    r"|建议|应当|应该|应予|需要|必须|推荐|考虑|停用|停药|加用|给予|开始|避免|无需|务必|请|忽略|注意|调整|可以",
    re.I,
)


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    cites: list[str]


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    sentences: list[_Said]


_DECODER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that is not shown, and why."""

    text: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What came of asking.

    told: the lines, or none where the deterministic summary stands; then `reason` says why. sent: all that left, as it
    left. put_back: how many facts that may not be lost were lost. attempts: questions asked. mode: how the form of the
    answer was asked for.
    """

    told: tuple[Told, ...] = ()
    reason: str = ""
    kept: int = 0
    dropped: tuple[Dropped, ...] = ()
    put_back: int = 0
    sent: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    scrubbed: bool = True
    attempts: int = 0
    mode: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0


Below = Callable[[int], int]


def rewrite(
    model: LanguageModel,
    settings: Llm,
    question: Question,
    record: PatientRecord,
    *,
    below: Below = secrets.randbelow,
    deadline: Deadline | None = None,
) -> Rewriting:
    """The summary in the model's words, or the reason why there is none; raises nothing of what a server may do.

    A line that is more than a plain statement (`speaks`) is not sent: it follows the model's sentences as it is.
    below: draws a number below another, so that delimiters and the days by which dates move cannot be foreseen.
    """
    lines = question.lines()
    apart = tuple(fact for fact in question.facts if speaks(lines[fact.id]))
    question = replace(question, facts=tuple(fact for fact in question.facts if fact not in apart))
    facts = prompt.fitting(question, settings)
    scrubber = None if settings.local else Scrubber(known(record), -(_LEAST_DAYS + below(_MOST_DAYS)))
    result = Rewriting(reason="nothing to word", scrubbed=scrubber is not None)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        if not facts:
            break
        rows = prompt.beside(question, facts, settings) if attempt == 1 else {}
        sent = prompt.messages(question, facts, rows, _delimiter(below), scrubber)
        shown = tuple((message.role, str(message.content)) for message in sent)
        result = Rewriting(sent=shown, attempts=attempt, scrubbed=scrubber is not None)
        if scrubber is not None and scrubber.leaks(_data(sent)):
            return replace(result, sent=(), attempts=attempt - 1, reason="something known was left in it")
        try:
            reply = model.ask(sent, schema=prompt.schema([*(f.id for f in facts), *rows]), deadline=deadline)
            said = parse(reply.text)
        except LlmError as error:
            result = replace(result, reason=error.reason.value)
            if error.reason is not Reason.CONTEXT:
                return result
            facts = _fewer(facts, question)
            continue
        found = _checked(result, reply, said, question, facts, rows, record, scrubber)
        aside = tuple(Told(lines[fact.id], fact.references, "record") for fact in apart)
        return replace(found, told=(*found.told, *aside)) if found.told else found
    return result


def parse(text: str) -> list[_Said]:
    """The sentences of an answer that is one JSON object of the form asked for. Raises LlmError for anything else."""
    fenced = _FENCE.match(text.strip())
    try:
        return _DECODER.decode(fenced[1] if fenced else text).sentences
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise LlmError(Reason.FOREIGN) from None


def _checked(
    result: Rewriting,
    reply: Reply,
    said: Sequence[_Said],
    question: Question,
    facts: Sequence[Fact],
    rows: Mapping[str, str],
    record: PatientRecord,
    scrubber: Scrubber | None,
) -> Rewriting:
    """The sentences that the record supports, the lines that they left out, and what they quote of the rows."""
    by_id = {fact.id: fact for fact in facts}
    lines = question.lines()
    texts = [_plain(one.text, scrubber) for one in said]
    verdicts = verify(
        [Sentence(text, tuple(one.cites)) for text, one in zip(texts, said, strict=True)], record, facts=facts
    )
    kept: list[tuple[str, tuple[str, ...]]] = []
    dropped: list[Dropped] = []
    for text, one, verdict in zip(texts, said, verdicts, strict=True):
        cites = tuple(dict.fromkeys(one.cites))
        if not rows.keys().isdisjoint(cites):
            mixed = not rows.keys() >= set(cites)
            reasons = unlike(text, [rows[cite] for cite in cites if cite in rows], mixed=mixed)
        else:
            reasons = _faults(text, cites, lines, by_id) or (() if _verbatim(text, cites, lines) else verdict.reasons)
        if reasons:
            dropped.append(Dropped(text, reasons))
        elif (text, cites) not in kept:
            kept.append((text, cites))
    found = replace(
        result,
        kept=len(kept),
        dropped=tuple(dropped),
        mode=reply.mode,
        prompt_tokens=reply.prompt_tokens,
        answer_tokens=reply.answer_tokens,
    )
    quoted = [one for one in kept if not rows.keys().isdisjoint(one[1])]
    if len(kept) == len(quoted) or len(kept) < _LEAST_KEPT * (len(kept) + len(dropped)):
        return replace(found, reason="too few sentences are supported by the record")
    told = [Told(text, _references(cites, by_id)) for text, cites in kept if (text, cites) not in quoted]
    lost = [f for f in question.facts if f.id in question.must and not _said(f, kept, lines)]
    told += [Told(lines[fact.id], fact.references, "record") for fact in lost]
    told += [_general(text, cites, question) for text, cites in quoted]
    return replace(found, told=tuple(told), put_back=len(lost))


def _general(text: str, cites: Sequence[str], question: Question) -> Told:
    """A quotation of general knowledge, with who says so."""
    one = next(row for row in question.general if row.id in cites)
    return Told(text, (one.row.id,), "general", one.source, one.row.url)


def _plain(text: str, scrubber: Scrubber | None) -> str:
    """What the model wrote, with the patient's own words and days again."""
    text = clean(unmark(text))
    return scrubber.put_back(text) if scrubber is not None else text


def _faults(text: str, cites: tuple[str, ...], lines: dict[str, str], by_id: dict[str, Fact]) -> tuple[str, ...]:
    """What is wrong with a sentence before its content is looked at."""
    if not text:
        return ("there is no text",)
    if not cites or any(cite not in by_id for cite in cites):
        return ("it cites what was not sent",)
    whole = " ".join(line for cite in cites if (line := _bare(lines[cite])) in _bare(text))
    advice = next((m[0] for m in ADVICE.finditer(text) if m[0].casefold() not in whole), None)
    return (f"advice: {advice}",) if advice is not None else ()


def _verbatim(text: str, cites: tuple[str, ...], lines: dict[str, str]) -> bool:
    """True for a cited line as it was sent, but for its last stop."""
    return any(_bare(text) == _bare(lines[cite]) for cite in cites)


def _bare(text: str) -> str:
    return clean(text).rstrip(".。 ").casefold()


def _references(cites: Sequence[str], by_id: dict[str, Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reference for cite in cites for reference in by_id[cite].references))


def _said(fact: Fact, kept: Sequence[tuple[str, tuple[str, ...]]], lines: dict[str, str]) -> bool:
    """True if sentences that cite a fact hold its numbers and most of its words."""
    return said_in(lines[fact.id], " ".join(text for text, cites in kept if fact.id in cites))


def said_in(line: str, text: str) -> bool:
    """True if a text holds a line's numbers and most of its words."""
    tokens, spoken = _tokens(line), _tokens(text)
    if not tokens or not spoken:
        return False
    numbers = {token for token in tokens if token[0].isdigit()}
    return numbers <= spoken and len(tokens & spoken) >= _SAID_SHARE * len(tokens)


def _tokens(text: str) -> set[str]:
    """Numbers, words of three letters and more, and pairs of Chinese characters."""
    text = text.casefold()
    found = set(re.findall(r"\d+(?:\.\d+)?|[a-zà-ÿ]{3,}", text))
    for run in re.findall("[\u4e00-\u9fff]+", text):
        found |= {run[i : i + 2] for i in range(len(run) - 1)} or {run}
    return found


def _fewer(facts: Sequence[Fact], question: Question) -> tuple[Fact, ...]:
    """Half of the facts: those that may not be lost first."""
    ranked = sorted(facts, key=lambda fact: fact.id not in question.must)
    chosen = {fact.id for fact in ranked[: len(facts) // 2]}
    return tuple(fact for fact in facts if fact.id in chosen)


def _delimiter(below: Below) -> str:
    return f"<<{below(16**12):012x}>>"


def _data(sent: Sequence[Message]) -> str:
    """What came from the record: the rules are ours, and may hold a word that is somebody's name."""
    return str(sent[-1].content)
