"""One sentence against the resources that it cites: names first, then what is said of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cds_service.summary.agreement import agreement_reasons
from cds_service.summary.chart import Chart
from cds_service.summary.checks import check
from cds_service.summary.claims import Claim, Mention, claims
from cds_service.summary.comparing import beside_reasons, row_reasons
from cds_service.summary.control import control_reasons
from cds_service.summary.degrees import degrees
from cds_service.summary.denials import narrowest, ruled_out
from cds_service.summary.evidence import OPAQUE, Part, parts
from cds_service.summary.in_text import in_text_reasons
from cds_service.summary.keys import key
from cds_service.summary.leveling import against_before
from cds_service.summary.levels import DERIVED, findings_of
from cds_service.summary.lexicon import WHOLE, Token, lexicon
from cds_service.summary.links import follow_reasons, link_reasons
from cds_service.summary.order import Spoken, Step, order_reasons, step_reasons, under_reasons
from cds_service.summary.people import who
from cds_service.summary.sharing import share
from cds_service.summary.spelling import atoms, normal, stem
from cds_service.summary.stays import stay_reasons

MAX_SENTENCE = 2000
MAX_CITES = 200
_ABOUT = {  # kinds whose names name a thing that the patient need not have: a test for diabetes
    "Procedure": {"Procedure", "Medication"},
    "ServiceRequest": {"Procedure", "Medication", "CarePlan"},
    "Immunization": {"Immunization", "Medication"},
    "CarePlan": {"CarePlan", "Medication"},
    "Goal": {"Goal", "CarePlan"},
}
_ABOUT_WORDS = frozenset({
    "test", "screening", "vaccine", "management", "assessment", "measurement", "antigen", "antibody", "counseling",
    "care",
})  # fmt: skip
_SIDES = {"left": ("left", "左"), "right": ("right", "右"), "both": ("bilateral", "双")}
_SPREAD = frozenset({"#metastatic", "#f_secondary"})
_CANCER = frozenset({"#cancer", "#f_cancer", "#f_tumor"})  # a metastasis to the liver is no cancer of the liver
_TAG = re.compile(r" ?\((disorder|finding|situation|substance|product|procedure|regime/therapy|event)\)$")
_NAMES = frozenset({  # members whose words name the thing itself
    "code", "activity", "reasonCode", "medicationCodeableConcept", "vaccineCode", "type", "valueCodeableConcept",
    "description", "category",
})  # fmt: skip
_WHOLE_NAME = 8
_MEASURED_ONLY = re.compile(
    r"(?i)(?<=\b(?:of|at|is|to) )only (?=\d)|仅有?(?=\d[\d.]*(?![\d.]*[种次个项剂]))"
)  # of a value
_HEADING = re.compile(  # what a line is about, before its colon; it says nothing by itself
    r"(?i)^\s*(?:renal function|kidney function|liver function|liver tests|lfts|u&es|electrolytes|bloods|labs|obs|"
    r"full blood count|complete blood count|blood count|fbc|cbc|liver enzymes|lipid profile|lipids|"
    r"observations|vitals|vital signs|inflammatory markers|background|pmh|past medical history|drug history|dh|"
    r"on examination|o/e|social history|肾功能|肝功能|电解质|化验|血常规|生命体征|既往史|用药史|炎症指标)"
    r"(?:\s+at(?=\s+\d{1,2}:\d\d:)|\s*:)"
)
_BEFORE_STAY = re.compile(
    r"(?i)(?:[,，]|(?<!\s))\s*\b(?:before|prior to) (?:this|the (?:current|present)) (?:hospital )?(?:stay|admission)\b"
    r"\s*[:,]?|(?:本次)?(?:入院|住院)(?:之|以)?前[，：:]?"
)
_THAT_YEAR = re.compile(r"(?i) (?:of|in|later)? ?(?:that|the same) (?:same )?year|同年|当年")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NOW = frozenset({"currently", "current", "active", "takes", "taking", "目前", "服用", "正在服用", "现", "is taking"})
_PREVENTED = frozenset({  # what a vaccine is named after
    "influenza", "flu", "varicella", "zoster", "rotavirus", "hepatitis a", "hepatitis b", "mumps", "pneumococcal",
    "meningococcal", "流感", "seasonal influenza", "hpv", "covid 19", "yellow fever",
})  # fmt: skip


@dataclass
class State:
    """What was spoken of so far: the parts that the last name means, those that its numbers left, and all names."""

    named: list[Part] = field(default_factory=list)
    narrowed: list[Part] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def judge(text: str, cites: tuple[str, ...], chart: Chart) -> tuple[str, ...]:
    """Why the cited resources do not support the sentence, in plain words; empty if they do."""
    if not cites:
        return ("the sentence cites nothing",)
    if len(text) > MAX_SENTENCE or len(cites) > MAX_CITES:
        return (f"a sentence may have {MAX_SENTENCE} characters and {MAX_CITES} citations at most",)
    usable, reasons = _cited(cites, chart)
    if reasons:
        return tuple(reasons)
    if _verbatim(text, usable):
        return ()
    text, before = _BEFORE_STAY.subn("", text)
    if before:
        reasons += stay_reasons(usable, chart)
    masked, names = _whole_names(_THAT_YEAR.sub(_year_before, text), usable)
    found = claims(masked)
    reasons += who(found, usable, chart)
    state = State()
    spoken = False
    share(found)
    for claim in found:
        reasons += _claim(claim, usable, chart, state)
        spoken = (
            spoken
            or bool(claim.mentions)
            or any(t.kind in ("number", "pressure", "when", "gender", "kind") for t in claim.tokens)
        )
    if not reasons:
        reasons += (
            order_reasons(found, state.spoken, usable) + under_reasons(found, state.spoken) + step_reasons(state.steps)
        )
        reasons += agreement_reasons(found, state.spoken, chart)
        reasons += control_reasons(found, usable)
        reasons += link_reasons(found, state.spoken) + follow_reasons(found, state.spoken)
        reasons += beside_reasons(found, state.spoken) + row_reasons(state.steps)
        reasons += in_text_reasons(text, found, state.spoken, usable, chart.as_of)
    if not spoken:
        reasons.append("it says nothing that the record could support")
    return tuple(dict.fromkeys(WHOLE.sub(lambda m: names[int(m.group(1))], reason) for reason in reasons))


def _year_before(match: re.Match[str]) -> str:
    """`of that year` with the year that the sentence named last; as it is where it named none."""
    before = _YEAR.findall(match.string[: match.start()])
    return f" {before[-1]}" if before and match[0].isascii() else f"{before[-1]}年" if before else match[0]


def _whole_names(text: str, usable: list[Part]) -> tuple[str, list[str]]:
    """The sentence with each name that it takes letter for letter from a cited resource as one sign; and the names."""
    plain = _MEASURED_ONLY.sub("", _HEADING.sub("", normal(text))).replace("⟦", "").replace("⟧", "")
    bearers: dict[str, list[Part]] = {}
    for part in usable:
        for path, name in part.source.names:
            words = _TAG.sub("", " ".join(normal(name).split()))
            if path.partition(".")[0] in _NAMES and len(words) >= _WHOLE_NAME and not words.isalpha():
                bearers.setdefault(words, []).append(part)
    names: list[str] = []
    for name in sorted(bearers, key=len, reverse=True):
        found = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE).sub(f" ⟦{len(names)}⟧ ", plain)
        if found != plain:
            for part in bearers[name]:
                part.affirmed.add(f"@{len(names)}")
            plain = found
            names.append(name)
    return plain, names


def _cited(cites: tuple[str, ...], chart: Chart) -> tuple[list[Part], list[str]]:
    found: list[Part] = []
    reasons: list[str] = []
    for cite in cites:
        resource = chart.find(cite)
        if resource is None:
            reasons.append(f"{cite} is not in the record")
        elif resource.erroneous:
            reasons.append(f"{cite} was entered in error")
        elif resource.reference in chart.foreign:
            reasons.append(f"{cite} is about another person")
        else:
            read = parts(resource, chart)
            for part in read:
                findings, ruled_out = findings_of(part)
                part.affirmed |= findings | {f"#{degree}" for degree in degrees(part)}
                part.denied |= ruled_out
            found += read
    return found, reasons


def _verbatim(text: str, usable: list[Part]) -> bool:
    """True if the sentence stands word for word in a cited document."""
    plain = _plain(text)
    texts = {_plain(text) for p in usable for text in p.source.free}
    return len(plain) > 12 and any(_stands(plain, text) for text in texts)


def _stands(sentence: str, text: str) -> bool:
    """True if a whole sentence of a text is the sentence: it begins and ends where one may."""
    at = text.find(sentence)
    if at < 0:
        return False
    before, after = text[:at].rstrip(), text[at + len(sentence) :].lstrip()
    return (not before or before[-1] in ".!?;。；！？:：") and (not after or after[0] in ".!?;。；！？")


def _plain(text: str) -> str:
    return " ".join(normal(text).split()).strip(" .。;；").casefold()


def _claim(claim: Claim, usable: list[Part], chart: Chart, state: State) -> list[str]:
    reasons: list[str] = []
    named: list[list[Part]] = []
    for mention in claim.mentions:
        supporting = [p for p in usable if _supports(p, mention, claim)]
        if not supporting and len(mention.tokens) > 1:
            pieces = _pieces(mention)
            each = [[p for p in usable if _supports(p, piece, claim)] for piece in pieces]
            spread = mention.tokens[0].value == "#metastatic" and all(each)
            apart = all(each) and all(t.kind == "term" and t.text.lower()[:3] == "on " for t in mention.tokens[1:])
            stated = all(_defined(piece, group) for piece, group in zip(pieces, each, strict=True))
            if spread or apart or stated or (all(each) and all(one[0].kind != each[0][0].kind for one in each[1:])):
                named += each
                continue
        if not supporting:
            reasons.append(_unsupported(mention, usable, claim))
        named.append(supporting)
    if not reasons and named and all(group and all(p.text for p in group) for group in named):
        shared = [p for p in named[0] if all(any(p is q for q in group) for group in named[1:])]
        if not shared:  # each word may stand in the document, but not in one sentence
            return ["no one sentence of the document says so"]
        named = [shared for _ in named]
    if reasons:
        return reasons
    if len(named) == len(claim.mentions):
        state.spoken += [(m.tokens[0].start, group) for m, group in zip(claim.mentions, named, strict=True)]
    fresh = [p for group in named for p in group]
    if len(named) > 1 and all(p.kind == "Encounter" for p in fresh):  # one visit has the kind, the reason and the time
        fresh = [p for p in named[0] if all(p in group for group in named[1:])]
        if not fresh:
            return ["no one visit is all of that"]
        named = [fresh for _ in named]
    counted = claim.of("number") or claim.of("pressure")
    limited = bool(claim.values("compare") - {"about"})  # below the limit of 22: said of the last value alone
    about = (
        fresh
        or _of_kind(claim, usable)
        or (state.named if (counted and not limited) or _of_series(claim) else state.narrowed)
        or list(usable)
    )
    narrowed, more = check(claim, named, about, usable, chart)
    if counted:
        state.steps.append((claim, narrowed))
    if fresh:
        state.named = fresh
    elif not state.named:
        state.named = about
    state.narrowed = _after_change(claim, narrowed) or about
    return more


def _of_series(claim: Claim) -> bool:
    """True for a change or a length of time, which are of all that was named and not of its last value."""
    lasting = any(t.when is not None and t.when.kind == "lasting" for t in claim.tokens)
    return lasting or bool(claim.of("trend")) or bool(against_before(claim))


def _after_change(claim: Claim, narrowed: list[Part]) -> list[Part]:
    """What a clause after a change speaks of: the last value, as in `has come down to 19, below the limit`."""
    dated = [p for p in narrowed if p.kind == "Observation" and p.amounts and p.moment is not None]
    if not claim.values("trend") & {"up", "down"} or len({p.moment for p in dated}) < 2:
        return narrowed
    last = max(p.dates[0].span.start for p in dated)
    return [p for p in dated if p.dates[0].span.start == last]


def _of_kind(claim: Claim, usable: list[Part]) -> list[Part]:
    """What `the latest session`, `the last visit` are, in a claim that names nothing else but ranks."""
    if not claim.values("rank"):
        return []
    kinds = claim.values("kind") & {"Procedure", "Encounter"}
    return [p for p in usable if p.kind in kinds]


def _defined(piece: Mention, group: list[Part]) -> bool:
    """True for a finding that a result is by definition: normocytic, anaemia."""
    return bool(group) and {t.value for t in piece.tokens} <= DERIVED and all(p.kind == "Observation" for p in group)


def _pieces(mention: Mention) -> list[Mention]:
    """A run of several names, as `type 2 diabetes metformin`, one by one."""
    return [Mention([token], mention.at, mention.end, mention.denied) for token in mention.tokens]


def _supports(part: Part, mention: Mention, claim: Claim) -> bool:
    """True if a part names all of a mention, with the same polarity."""
    if part.negative:
        affirmed, denied = part.denied, part.affirmed
        if part.kind == "Observation" and not mention.denied:
            affirmed = part.affirmed  # a negative test is still a test
    else:
        affirmed, denied = part.affirmed, part.denied
    pool = narrowest(denied) if mention.denied else affirmed
    if part.negative and part.state == "past" and claim.values("state") & {"stopped", "past"}:
        pool = pool | part.affirmed  # what was stopped may bear a prohibition too
    if mention.denied and part.state == "past" and any(t.text.lower() in _NOW for t in claim.of("state")):
        pool = pool | affirmed
    if mention.denied and any(t.value in ("#negative", "#positive") for t in mention.tokens):
        return False
    if all(
        _holds(pool, t.kind, t.value, t.text, denied=mention.denied) or _in_words(part, pool, t) for t in mention.tokens
    ):
        return _fits(part, mention, claim)
    reason = claim.values("cause") or part.kind == "Encounter"
    if reason and not mention.denied and part.reasons:
        why = part.reasons | (part.affirmed if part.kind == "Encounter" else set())
        return all(_holds(why, t.kind, t.value, t.text) for t in mention.tokens)
    return False


def _in_words(part: Part, pool: set[str], token: Token) -> bool:
    """True for a word of a document in another form: `complications` of `complicated`, `grown` of `increased`."""
    if not part.text or (token.kind != "word" and lexicon().classes.get(token.value) != "family"):
        return False
    known = {key(word) for word in pool if word.isalpha()}
    return all(key(a) in known for a, _, _ in atoms(token.text.lower()) if a.isalpha())


def _holds(pool: set[str], kind: str, value: str, text: str, *, denied: bool = False) -> bool:
    if kind == "term":
        if value in pool or (denied and ruled_out(value, pool)):
            return True
        if lexicon().classes.get(value) == "measure":
            return False
        return OPAQUE.isdisjoint(pool) and len(atoms(text)) > 1 and all(a in pool for a, _, _ in atoms(text))
    if value in pool:
        return True
    return kind == "side" and not pool.isdisjoint(_SIDES.get(value, ()))


def _fits(part: Part, mention: Mention, claim: Claim) -> bool:
    """False where the words are there but mean another thing: a test for a disease, a urine glucose."""
    if part.affirmed & _SPREAD and {t.value for t in mention.tokens} & _CANCER and not _spread(mention):
        return False
    classes = {lexicon().classes.get(t.value) for t in mention.tokens if t.kind == "term"}
    words = {stem(a) for t in claim.tokens for a, _, _ in atoms(t.text)}
    in_urine = "urine" in part.affirmed and "#uacr" not in part.affirmed
    if "measure" in classes and part.kind == "Observation" and in_urine and not words & {"urine", "尿", "urinary"}:
        return False
    wanted = _ABOUT.get(part.kind)
    if part.kind in ("Procedure", "ServiceRequest") and not part.affirmed & _ABOUT_WORDS:
        return True
    disease = part.kind == "Immunization" and mention.text.lower() in _PREVENTED
    if wanted is not None and ("condition" in classes or disease):
        given = any(t.kind == "time" and t.text.lower() != "had" for t in claim.tokens)
        return bool(claim.around & wanted or words & _ABOUT_WORDS or given or claim.values("cause"))
    return True


def _spread(mention: Mention) -> bool:
    """True if a mention says that a cancer has spread, in words or by a name that implies it."""
    return any(_SPREAD & (lexicon().implied.get(t.value, frozenset()) | {t.value}) for t in mention.tokens)


def _unsupported(mention: Mention, usable: list[Part], claim: Claim) -> str:
    opposite = Mention(mention.tokens, mention.at, mention.end, not mention.denied)
    if any(_supports(p, opposite, claim) for p in usable):
        return f"what is cited says the opposite of {'no ' if mention.denied else ''}{mention.text}"
    return f"not in what is cited: {mention.text}"
