"""What can be checked against: each cited resource, each of its components and each sentence of its text as a part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cds_service.fhir.stated import Amount, Json, Moment, Stated, codings_of, stated
from cds_service.knowledge.variants import ASSESSMENT, one_letter
from cds_service.summary import words as tables
from cds_service.summary.amounts import Number
from cds_service.summary.chart import Chart
from cds_service.summary.denials import Said, said
from cds_service.summary.lexicon import Token, lexicon, scan
from cds_service.summary.moments import When
from cds_service.summary.spelling import atoms, normal

_SENTENCE = re.compile(r"(?<=[.!?])\s+|[。；;\n！？]+")
_ACTIVE = frozenset({"active", "recurrence", "relapse", "in-progress", "on-hold", "intended", "arrived", "triaged"})
_PAST = frozenset({
    "inactive", "remission", "resolved", "stopped", "completed", "finished", "ended", "cancelled", "discharged",
    "revoked", "abandoned", "superseded",
})  # fmt: skip
_PLANNED = frozenset({"planned", "preparation", "draft", "proposed", "booked", "pending", "requested"})
DENIED_STATUS = frozenset({"not-done", "not-taken"})
_NO_VALUE = re.compile(r"^(no|none|negative|absent|not detected|not present|undetected|无|阴性|未检出)\b", re.I)
_FOUND = re.compile(r"(?:present|detected|positive|阳性|检出)\b", re.I)
# Names within which a shorter one means something else: a non-smoker is no smoker.
OPAQUE = frozenset({"#never_smoker", "#ex_smoker", "#nka", "#nkda", "#dnr", "#nsclc", "#sclc", "#ectopic"})
_PIECE = re.compile(r"[^:;,.：；，。?？]+[?？]?")
_INSIDE = frozenset({"condition", "quality", "act", "drug", "family"})
_OWN_NAME = frozenset({"Medication", "Device", "Substance", "Location"})
MAX_PARTS = 400
LONGEST = 5_000  # characters of a document's sentence; a longer one is no sentence and supports its own words alone
_MOST_DAILY = 4
_STRENGTH = frozenset({"mg", "g", "mcg", "ug"})
_PIECES_TAKEN = re.compile(r"(?i)\b([1-9]) (?:tablet|capsule|tab|cap)s?\b")
_SHORT_RESULT = 80


@dataclass
class Part:
    """Something that a sentence may rest on.

    affirmed, denied: ids of terms and stems of words. numbers: those of its texts. reasons: terms and words of what it
    was done or given for; doubted: those of them that are only asked after (`pneumonia?`).
    doses: the number that follows each drug in a name of several drugs. strength: of one piece of
    several.
    """

    kind: str
    reference: str
    source: Stated
    affirmed: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    doubted: set[str] = field(default_factory=set)
    operators: set[tuple[str, str]] = field(default_factory=set)
    numbers: list[Number] = field(default_factory=list)
    pairs: list[tuple[float, float]] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    dates: list[Moment] = field(default_factory=list)
    whens: list[When] = field(default_factory=list)
    doses: dict[str, Number] = field(default_factory=dict)
    state: str = ""
    suspected: bool = False
    negative: bool = False
    text: str = ""
    siblings: list[Part] = field(default_factory=list, repr=False)
    strength: float | None = None

    @property
    def moment(self) -> datetime | None:
        """When it was measured, done or written; None if that is not recorded."""
        return min((m.span.start for m in self.dates), default=None)


def parts(cited: Stated, chart: Chart) -> list[Part]:
    """The parts of one cited resource."""
    whole = _whole(cited, chart)
    found = [whole, *_components(cited, whole)]
    for part in found:
        part.siblings = found
    for text in cited.free:
        for sentence in _SENTENCE.split(text):
            if sentence.strip() and len(sentence) <= LONGEST and len(found) < MAX_PARTS:
                found.append(_of_text(sentence, whole))
    return found


def _whole(cited: Stated, chart: Chart) -> Part:
    part = Part(cited.kind, cited.reference, cited, dates=list(cited.dates))
    part.amounts = [a for a in cited.amounts if not a.path.startswith("component")]
    genes = not ASSESSMENT.isdisjoint(code for _, code in codings_of(cited.json, "code"))  # a gene with its change
    for path, text in cited.names:
        root = path.partition(".")[0]
        if root == "component":
            if genes:
                _read(part, f"{text} {one_letter(text)}".rstrip())
        elif root in ("reasonCode", "reasonReference", "indication", "reason"):
            _why(part, text)
        elif text == "asNeededBoolean=true":
            part.operators.add(("freq", "prn"))
        elif root == "code" and cited.kind == "Observation":
            _measured(part, text)
        else:
            _read(part, text)
    if cited.kind == "AllergyIntolerance" and cited.json.get("criticality") in ("high", "low"):
        part.affirmed.add(f"#{cited.json['criticality']}_criticality")
    part.affirmed |= _severities(cited)
    if cited.kind == "AllergyIntolerance" and "#anaphylaxis" in part.affirmed:
        part.affirmed.add("#severe")
    measured = cited.kind == "Observation"  # whose components have codes of their own
    _by_code(part, codings_of(cited.json, "code", "valueCodeableConcept") if measured else cited.codes)
    for linked in chart.linked(cited):
        for path, text in linked.names:
            if linked.kind in _OWN_NAME:
                _read(part, text)
            elif path.startswith(("code", "value")):
                _why(part, text)
    part.affirmed |= {product for of, product in lexicon().combined if of <= part.affirmed}
    part.operators |= {("freq", f) for f in _schedules(cited.json)}
    _per_dose(part, cited)
    _status(part, cited, chart)
    if cited.kind == "Observation":
        _value_polarity(part, cited.json)
    if cited.kind == "Patient":
        part.affirmed |= {"#deceased"} if chart.deceased else set()
    if cited.kind == "FamilyMemberHistory":
        _relation(part, cited)
    return part


def _severities(cited: Stated) -> set[str]:
    """How bad an allergy's reactions were, as terms."""
    rows = cited.json.get("reaction") if cited.kind == "AllergyIntolerance" else None
    said = {row.get("severity") for row in rows if isinstance(row, dict)} if isinstance(rows, list) else set()
    return {f"#{one}" for one in said if one in ("mild", "moderate", "severe")}


def _schedules(row: Json) -> Iterator[str]:
    """How many times a day, where the timing says nothing more; and whether only when needed."""
    for member in ("dosageInstruction", "dosage"):
        rows = row.get(member)
        for dose in rows if isinstance(rows, list) else ():
            timing = dose.get("timing") if isinstance(dose, dict) else None
            repeat = timing.get("repeat") if isinstance(timing, dict) else None
            if not isinstance(repeat, dict) or repeat.get("when") or repeat.get("timeOfDay") or repeat.get("dayOfWeek"):
                continue
            times, period, unit = repeat.get("frequency"), repeat.get("period"), repeat.get("periodUnit")
            if period == 1 and unit == "d" and isinstance(times, int) and 1 <= times <= _MOST_DAILY:
                yield str(times)


def _per_dose(part: Part, cited: Stated) -> None:
    """Adds what is taken at a time: two tablets of 325 mg are 650 mg."""
    strengths = list({(n.value, n.unit): n for n in part.numbers if n.unit in _STRENGTH}.values())
    taken = [m for path, text in cited.names if path.startswith("dosage") for m in _PIECES_TAKEN.finditer(text)]
    if len(strengths) == 1 and taken and len({m[1] for m in taken}) == 1 and int(taken[0][1]) > 1:
        one = strengths[0]
        part.strength = one.value
        part.numbers.append(Number(one.value * int(taken[0][1]), one.unit, one.decimals, one.end, one.digits))


def _read(part: Part, text: str) -> None:
    """Adds what a name or short text says; what stands after a denial is denied."""
    found = scan(text)
    _doses(part, found)
    for token, how in zip(found, said(found), strict=True):
        if how is not Said.OPEN or token.kind not in ("term", "word"):
            _add(part, token, denied=how is Said.DENIED)
    plain = [a for a, _, _ in atoms(normal(text))]
    if not any(token.kind == "deny" for token in found):
        part.affirmed |= set(plain) - {"smoked"} if "#never_smoker" in part.affirmed else set(plain)
        part.affirmed |= _inside(plain, found)


def _measured(part: Part, text: str) -> None:
    """Adds the name of a measurement: of several analytes in a name (`eGFR by creatinine`) the first is measured."""
    one = Part("", "", part.source)
    _read(one, text)
    known = lexicon().classes
    first = next((t.value for t in scan(text) if t.kind == "term" and known.get(t.value) == "measure"), None)
    kept = lexicon().implied.get(first, frozenset()) if first is not None else frozenset()
    part.affirmed |= {a for a in one.affirmed if known.get(a) != "measure" or a in kept}
    part.operators |= one.operators
    part.numbers += one.numbers


def _add(part: Part, token: Token, *, denied: bool) -> None:
    if token.kind == "term":
        if denied:
            part.denied.add(token.value)
        if not denied or token.value in ("#nka", "#nkda"):
            part.affirmed |= lexicon().implied.get(token.value, {token.value})
    elif token.kind == "word":
        (part.denied if denied else part.affirmed).add(token.value)
    elif token.kind == "number" and token.number is not None:
        part.numbers.append(token.number)
    elif token.kind == "pressure" and token.number is not None and token.second is not None:
        part.pairs.append((token.number.value, token.second.value))
        part.numbers += [token.number, token.second]
    elif token.kind == "when" and token.when is not None:
        part.whens.append(token.when)
    elif token.kind not in ("neutral", "separator"):
        part.operators.add((token.kind, token.value))
        part.operators.update(token.also)
        for stem_, _, _ in atoms(token.text):
            (part.denied if denied else part.affirmed).add(stem_)


def _inside(plain: list[str], found: list[Token]) -> set[str]:
    """Shorter terms within the longest ones: bronchitis in acute bronchitis; no measurement within another's name."""
    if any(token.kind == "term" and token.value in OPAQUE for token in found):
        return set()
    known = lexicon()
    meanings: set[str] = set()
    for at in range(len(plain)):
        for key, values in known.phrases.get(plain[at], ()):
            if tuple(plain[at : at + len(key)]) == key:
                for kind, value in values:
                    if value == "#positive" and any(t.value == "#negative" for t in found):
                        continue  # detected, in not detected
                    if kind == "term" and known.classes.get(value) in _INSIDE and value not in OPAQUE:
                        meanings |= known.implied.get(value, frozenset({value}))
    return meanings


def _why(part: Part, text: str) -> None:
    """Adds what something was done or given for."""
    one = Part("", "", part.source)
    _read(one, text)
    part.reasons |= one.affirmed
    part.doubted |= _doubted(part, text)
    part.whens += one.whens
    part.numbers += one.numbers
    part.operators |= {o for o in one.operators if o[0] in ("trend", "level")}


def _doubted(part: Part, text: str) -> set[str]:
    """The terms and words of the pieces of a text that end in a question mark or are hedged."""
    found: set[str] = set()
    for piece in _PIECE.findall(text):
        one = Part("", "", part.source)
        _read(one, piece)
        if piece.rstrip().endswith(("?", "？")) or ("certainty", "suspected") in one.operators:
            found |= one.affirmed
    return found


def _doses(part: Part, found: list[Token]) -> None:
    drugs = [n for n, t in enumerate(found) if t.kind == "term" and lexicon().classes.get(t.value) == "drug"]
    if len(drugs) < 2:
        return
    for n, following in zip(drugs, [*drugs[1:], len(found)], strict=True):
        number = next((t.number for t in found[n + 1 : following] if t.number is not None), None)
        if number is not None and number.unit:
            for id_ in lexicon().implied.get(found[n].value, {found[n].value}):
                part.doses[id_] = number


def _by_code(part: Part, pairs: Iterable[tuple[str, str]]) -> None:
    from cds_service.summary.coded import TERMS_BY_CODE

    for pair in pairs:
        for id_ in TERMS_BY_CODE.get(pair, ()):
            part.affirmed |= lexicon().implied.get(id_, frozenset({id_}))


def _status(part: Part, cited: Stated, chart: Chart) -> None:
    said = cited.clinical or ({cited.status} if cited.status else set())
    ended = [m for m in cited.dates if m.path.startswith("abatement") or m.path.endswith(".end")]
    if cited.kind in ("Condition", "AllergyIntolerance") and not cited.clinical:
        said = {"active"} if not ended else {"resolved"}
    part.state = "planned" if said & _PLANNED else "active" if said & _ACTIVE else "past" if said & _PAST else ""
    if cited.kind in ("MedicationStatement", "DeviceUseStatement") and any(m.span.end < chart.as_of for m in ended):
        part.state = "past"
    if any(("state", "past") in {(k, v)} for k, v in part.operators) and cited.kind == "Observation":
        part.state = ""
    if any(path == "code" and re.match(r"(?i)history of", text) for path, text in cited.names):
        part.state = "history"
    doubtful = cited.verification & {"provisional", "differential", "unconfirmed"}
    asked = any(path.startswith("code") and text.rstrip().endswith(("?", "？")) for path, text in cited.names)
    hedged = ("certainty", "suspected") in part.operators or asked
    part.suspected = cited.kind == "Condition" and (bool(doubtful) or hedged)
    refuted = "refuted" in cited.verification
    part.negative = refuted or cited.status in DENIED_STATUS or cited.json.get("doNotPerform") is True


def _value_polarity(part: Part, row: Json) -> None:
    concept = row.get("valueCodeableConcept")
    said = row.get("valueString")
    if isinstance(concept, dict):
        said = concept.get("text") or next(
            (c.get("display") for c in concept.get("coding") or () if isinstance(c, dict)), None
        )
    if isinstance(said, str) and _FOUND.match(said.strip()):
        part.affirmed |= {"#positive"}
    if row.get("valueBoolean") is False or (isinstance(said, str) and _NO_VALUE.match(said.strip())):
        part.negative = True


def _relation(part: Part, cited: Stated) -> None:
    for _, code in cited.codes:
        if code in tables.FAMILY_CODES:
            part.operators.add(("person", tables.FAMILY_CODES[code]))
    part.operators.add(("person", "family"))


def _components(cited: Stated, whole: Part) -> Iterator[Part]:
    rows = cited.json.get("component")
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        one = stated({**row, "resourceType": cited.kind}, cited.reference)
        part = Part(cited.kind, cited.reference, one, dates=whole.dates, amounts=list(one.amounts))
        for _path, text in one.names:
            _read(part, text)
        _by_code(part, one.codes)
        part.state, part.suspected = whole.state, whole.suspected
        _value_polarity(part, row)
        whole.affirmed -= {"#sbp", "#dbp"}
        yield part


def _of_text(sentence: str, whole: Part) -> Part:
    part = Part(whole.kind, whole.reference, whole.source, dates=whole.dates, text=" ".join(sentence.split()))
    _read(part, sentence)
    part.suspected = ("certainty", "suspected") in part.operators
    if whole.kind == "Observation" and len(text_of := sentence.strip()) <= _SHORT_RESULT and text_of:
        part.affirmed |= whole.affirmed  # a result in words: immune, of rubella immunity
    part.negative = whole.negative and whole.kind != "Observation"  # why a vaccine was not given
    return part
