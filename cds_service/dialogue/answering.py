"""Answers to a clinician's question: a model's sentences, each checked against what it cites, or the best passages.

A sentence that the cited sources do not support is told apart and never shown as fact. Whatever goes wrong with the
model, the passages stand and the reason is told.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from cds_service.clock import Deadline
from cds_service.dialogue import prompt
from cds_service.dialogue.sources import Material, Source, chosen
from cds_service.documents.context import Time
from cds_service.documents.sentences import Passage
from cds_service.documents.statements import Mention, mentions, narrowest
from cds_service.fhir.identity import known
from cds_service.language import msg
from cds_service.settings import Llm
from cds_service.summary.cleaning import clean, unmark
from cds_service.summary.general import unlike
from cds_service.summary.llm import LanguageModel, LlmError, Reason
from cds_service.summary.rewrite import ADVICE
from cds_service.summary.scrub import Scrubber
from cds_service.summary.verify import Sentence, verify

LONGEST_QUESTION = 1000
MOST_SENTENCES = 12
_KNOWN_LEFT = msg("something known was left in it").text
_NO_FORM = msg("the model gave no sentence of the form asked for").text
_MORE = msg("the answer went on, and its first sentences are shown alone").text
_MOST_DAYS, _LEAST_DAYS = 3650, 31
_OBJECT = re.compile(r'\{\s*"(?:text|cites)"')


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    cites: list[str]


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of a model. cites: ids of sources. reasons: why it is not supported; empty for one that is."""

    text: str
    cites: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    @property
    def supported(self) -> bool:
        """True if every word of it rests on what it cites."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

    said: a model's sentences in order. sources: the passages that fit, the best first. reason: why there is no
    sentence; empty where there are some or no model was asked. sent: all that left, as it left.
    """

    question: str
    said: tuple[Said, ...] = ()
    sources: tuple[Source, ...] = ()
    reason: str = ""
    sent: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    scrubbed: bool = True

    @property
    def facts(self) -> tuple[Said, ...]:
        """The sentences that are supported."""
        return tuple(one for one in self.said if one.supported)

    @property
    def doubtful(self) -> tuple[Said, ...]:
        """The sentences that nothing supports, to be shown as such."""
        return tuple(one for one in self.said if not one.supported)


_SHORT = 30  # characters; a question of fewer may be about what the one before it named
Below = Callable[[int], int]


def ask(question: str, of: Material, model: LanguageModel | None = None, settings: Llm | None = None,
        language: str = "en", **options: object) -> Answer:  # fmt: skip
    """The whole answer. Raises nothing of what a server may do. options: as of `stream`."""
    last: Answer | None = None
    for event in stream(question, of, model, settings, language, **options):  # type: ignore[arg-type]
        if isinstance(event, Answer):
            last = event
    assert last is not None
    return last


def stream(
    question: str,
    of: Material,
    model: LanguageModel | None = None,
    settings: Llm | None = None,
    language: str = "en",
    *,
    earlier: Sequence[str] = (),
    below: Below = secrets.randbelow,
    deadline: Deadline | None = None,
) -> Iterator[Said | Answer]:
    """The sentences as soon as each is complete and checked; then the answer as a whole.

    Before the first sentence comes the answer without any: its sources, and what is about to be sent.

    earlier: the questions before this one, the latest last: for what "it" means.
    """
    question = clean(question, LONGEST_QUESTION)
    sources = chosen(question, of, before=earlier[-1] if earlier and len(question) < _SHORT else "")
    answer = Answer(question, sources=sources)
    shown = [one for one in sources if not one.hidden]
    if model is None or settings is None or not shown:
        yield answer
        return
    scrubber = None if settings.local else Scrubber(known(of.record), -(_LEAST_DAYS + below(_MOST_DAYS)))
    sent = prompt.messages(question, shown, language, of.record.as_of.date(), scrubber, earlier,
                           f"<<{below(16**12):012x}>>", settings.max_prompt_bytes)  # fmt: skip
    if scrubber is not None and scrubber.leaks(str(sent[-1].content)):
        yield replace(answer, reason=_KNOWN_LEFT)
        return
    answer = replace(answer, sent=tuple((m.role, str(m.content)) for m in sent), scrubbed=scrubber is not None)
    yield answer
    said: list[Said] = []
    reason = ""
    try:
        for line in _lines(model.stream(sent, deadline=deadline)):
            if len(said) >= MOST_SENTENCES:
                reason = _MORE
                break
            one = checked(line.text, line.cites, shown, of, scrubber)
            if one not in said:
                said.append(one)
                yield one
    except LlmError as error:
        reason = error.reason.value
    if not said and not reason:
        reason = _NO_FORM
    yield replace(answer, said=tuple(said), reason=reason)


def _lines(pieces: Iterator[str]) -> Iterator[_Line]:
    """The objects `{"text": ..., "cites": [...]}` of an answer as they become complete; all else is passed over.

    Raises LlmError where the last one has no end.
    """
    decoder = json.JSONDecoder()
    held, at = "", 0
    for piece in pieces:
        held += piece
        while (start := _OBJECT.search(held, at)) is not None:
            try:
                _, end = decoder.raw_decode(held, start.start())
            except ValueError:
                break  # not complete yet
            at = end
            try:
                yield msgspec.json.decode(held[start.start() : end].encode("utf-8", "replace"), type=_Line)
            except msgspec.DecodeError:
                continue
    if _OBJECT.search(held, at) is not None:  # a sentence without its end: more was to come
        raise LlmError(Reason.BROKEN)


def checked(
    text: str, cites: Sequence[str], sources: Sequence[Source], of: Material, scrubber: Scrubber | None = None
) -> Said:
    """A model's sentence with why it is not supported by the sources that it cites, if it is not.

    sources: those that were sent. scrubber: what puts names and dates back, where they were taken out.
    """
    text = clean(unmark(text))
    text = scrubber.put_back(text) if scrubber is not None else text
    by_id = {one.id: one for one in sources}
    cites = tuple(dict.fromkeys(cites))
    if not text or not cites or any(cite not in by_id for cite in cites):
        return Said(text, tuple(c for c in cites if c in by_id), ("it cites what was not sent",))
    cited = [by_id[cite] for cite in cites]
    if any(one.row is not None for one in cited):
        mixed = any(one.row is None for one in cited)
        return Said(text, cites, unlike(text, [one.text for one in cited], mixed=mixed))
    if any(_bare(text) == _bare(one.text) for one in cited):
        return Said(text, cites)
    if any(one.verbatim for one in cited):
        return Said(text, cites, ("what is cited may only be told in its own words",))
    advice = next(
        (m[0] for m in ADVICE.finditer(text) if m[0].casefold() not in " ".join(_bare(s.text) for s in cited)), None
    )
    if advice is not None:
        return Said(text, cites, (f"advice: {advice}",))
    references = tuple(dict.fromkeys(ref for one in cited for ref in one.references))
    (verdict,) = verify([Sentence(text, references)], of.chart)
    reasons = verdict.reasons or meant_otherwise(text, [s.passage for s in cited if s.passage is not None])
    return Said(text, cites, reasons)


def meant_otherwise(text: str, cited: Sequence[Passage]) -> tuple[str, ...]:
    """What a sentence says otherwise than the passages mean it: denied, doubtful, a relative's, earlier, only if."""
    found = [mention for passage in cited for mention in mentions(passage)]
    reasons = []
    for mention in mentions(Passage("", 0, 1, "", text)):
        same = [other for other in found if narrowest(mention) in other.ids]
        if same and not any(_agree(mention, other) for other in same):
            reasons.append(f"what is cited means {mention.words} otherwise")
    return tuple(reasons)


def _agree(one: Mention, cited: Mention) -> bool:
    a, b = one.meant, cited.meant
    if a.polarity is not b.polarity or a.relative != b.relative:
        return False
    if Time.IF in (a.time, b.time):
        return a.time is b.time
    return a.time is b.time or a.time is Time.BEFORE or bool(cited.passage.section)


def _bare(text: str) -> str:
    return clean(text).rstrip(".。 ").casefold()
