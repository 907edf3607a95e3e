"""What an order is for, as it says itself: the uses of medicines on which dosing rules depend.

Read are `reasonCode` and the Condition or Observation that `reasonReference` names. A reason counts only if it is this
patient's and nobody has denied it: a reference to a refuted entry, to another patient's, or to one that is not among
the entries read, names no use, and is said. Of words only those that name a use count, and never beside a word that
denies it or tells of a relative. An order without a recognised reason is judged by the record as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.features import conditions as c
from cds_service.features.feature import ConditionFeature
from cds_service.features.thrombosis import DEEP_VEIN_THROMBOSIS, PULMONARY_EMBOLISM, VTE_EVER
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import ICD10, ICD10_CM, SNOMED, codings, icd10_key, label, status_codes
from cds_service.fhir.record import PatientRecord
from cds_service.language import Message, msg
from cds_service.markdown import shorten

FIBRILLATION, THROMBOSIS, EARLIER, PREVENTION = "fibrillation", "thrombosis", "earlier-thrombosis", "prevention"
CANCER, INFLAMMATION, CALCIUM, KAWASAKI = "cancer", "inflammation", "hypercalcaemia", "kawasaki"
_CLOTTED = (DEEP_VEIN_THROMBOSIS, PULMONARY_EMBOLISM)
MOST = 80  # characters of the reasons on a card
CLOTS = frozenset({THROMBOSIS, EARLIER, PREVENTION})
_DENIED = re.compile(
    r"\b(?:famil\w+|fhx?|mother|father|brother|sister|sibling|parent|son|daughter|unlikely)\b"
    r"|denie[sd]|\bdeny|\bexcluded|ruled out|\babsen[ct]|否认|排除|未见|家族|父|母"
)
_NOT = re.compile(r"\b(?:no|not|without|negative for)\b(?! (?:otherwise|elsewhere))|无")
_CLAUSE = re.compile(r"[.;,，。；]")
_EARLIER = re.compile(
    r"histor|\bhx\b|\bh/o\b|previous|\bprior\b|\bpast\b|recurr|extended|secondary prev|既往|病史|复发"
)
_PREVENTED = re.compile(r"prevent|prophyla|\bppx\b|预防")
_CLOT = re.compile(
    r"deep (?:vein|venous) thrombo|\bdvts?\b|pulmonary (?:thrombo-?)?embol|\bpe\b|\bvte\b|venous thrombo-?embol"
    r"|(?<![浅门])静脉血栓|肺栓塞|肺动脉栓塞"
)
_JOINT = re.compile(r"\b(?:hip|knee) (?:replacement|arthroplasty)|\bt[hk][ar]\b|(?:髋|膝)关节置换")


@dataclass(frozen=True, slots=True)
class Use:
    """A use of medicines. conditions: value sets that name it; words: the same in a text, lower case."""

    id: str
    conditions: tuple[ConditionFeature, ...]
    words: re.Pattern[str]


INFLAMED = ConditionFeature(
    id="inflammatory_disease",
    label=msg("Inflammatory disease of joints, skin or bowel"),
    snomed=("69896004", "9014002", "64766004"),  # rheumatoid arthritis, psoriasis, ulcerative colitis
    icd10=("L40", "K50", "K51", "M05", "M06", "M08", "M30", "M31", "M32", "M33", "M35", "M45", "D86", "L20"),
)
HIGH_CALCIUM = ConditionFeature("hypercalcaemia", msg("High calcium"), ("66931009",), ("E83.52",))
KAWASAKI_DISEASE = ConditionFeature("kawasaki", msg("Kawasaki disease"), ("75053002",), ("M30.3",))
USES = (
    Use(
        FIBRILLATION,
        (c.ATRIAL_FIBRILLATION,),
        re.compile(r"atrial (?:fib|flut)|\ba\.?-? ?fib\b|\bn?v?af\b|房颤|心房颤动|心房扑动|房扑"),
    ),
    Use(
        CANCER,
        (c.CANCER,),
        re.compile(r"cancer|carcinoma|leuk(?:a?e)mia|lymphoma|myeloma|sarcoma|malignan|metasta|癌|白血病|淋巴瘤|骨髓瘤|恶性"),
    ),
    Use(
        INFLAMMATION,
        (INFLAMED,),
        re.compile(r"arthritis|psoria|crohn|colitis|lupus|sarcoid|vasculitis|myositis|关节炎|银屑病|克罗恩|结肠炎|狼疮"),
    ),
    Use(CALCIUM, (HIGH_CALCIUM,), re.compile(r"hypercalc(?:a?e)mia|high calcium|高钙血症")),
    Use(KAWASAKI, (KAWASAKI_DISEASE,), re.compile(r"kawasaki|川崎病")),
)  # fmt: skip

ALL_USES = CLOTS | {use.id for use in USES}


@dataclass(frozen=True, slots=True)
class Reasons:
    """What an order says it is for. said: each reason in the record's words, with where it stands.

    uses: ids of the uses that they name. lost: how many references lead to no entry that counts.
    """

    said: tuple[tuple[str, str], ...] = ()
    uses: frozenset[str] = frozenset()
    lost: int = 0

    @property
    def sources(self) -> tuple[str, ...]:
        """References to the entries that the order names as its reasons."""
        return tuple(dict.fromkeys(source for _, source in self.said if source))

    def told(self, words: Message) -> Message:
        """Words about the order with its reasons; the words alone where it states none."""
        if self.said:
            listed = ", ".join(text for text, _ in self.said)
            words = msg("{words}; reason given: {reason}", words=words, reason=shorten(listed, MOST))
        if self.lost:
            return msg("{words}; a reason that it refers to is not among this patient's entries read here, and does "
                       "not count", words=words)  # fmt: skip
        return words


NONE = Reasons()


def reasons_of(record: PatientRecord, row: fhir.MedicationRequest) -> Reasons:
    """The reasons of an order, with the uses that they name."""
    if not row.reason_code and not row.reason_reference:
        return NONE
    found = [(concept, "") for concept in row.reason_code]
    lost = 0
    for reference in row.reason_reference:
        entry = _entry(record, reference, row)
        if entry is None or entry.code is None:
            lost += 1
        else:
            found.append((entry.code, "" if _contained(reference) else record.reference(entry)))
    said = tuple((text, source) for concept, source in found if (text := label(concept)))
    return Reasons(said, frozenset(use for concept, _ in found for use in _uses(concept)), lost)


def holds_for(uses: frozenset[str], own: frozenset[str], others: frozenset[str]) -> bool:
    """False if a rule about one use does not hold for an order: its reasons name others of its uses, and not that."""
    return not uses & others or bool(uses & own)


def _entry(
    record: PatientRecord, reference: fhir.Reference, row: fhir.MedicationRequest
) -> fhir.Condition | fhir.Observation | None:
    found = record.resolve(reference, row)
    if not isinstance(found, fhir.Condition | fhir.Observation):
        return None
    if not _contained(reference):
        return found
    owner = found.subject.reference if found.subject is not None else None
    foreign = owner is not None and owner.rsplit("/", 1)[-1].lstrip("#") != record.patient_id
    denied = isinstance(found, fhir.Condition) and status_codes(found.verification_status) & {
        "refuted", "entered-in-error",
    }  # fmt: skip
    return None if foreign or denied or found.modified else found


def _contained(reference: fhir.Reference) -> bool:
    return (reference.reference or "").startswith("#")


def _uses(concept: fhir.CodeableConcept) -> Iterator[str]:
    """The uses that one reason names, by its codes or by its words."""
    pairs = list(codings((concept,)))
    text = (label(concept) or "").casefold()
    if _DENIED.search(text) or _NOT.match(text):
        return
    earlier = _EARLIER.search(text) is not None
    for use in USES:
        by_words = _named(text, use.words) and not (use.id == CANCER and earlier)
        if by_words or any(_in(pairs, feature) for feature in use.conditions):
            yield use.id
    clot = _named(text, _CLOT)
    if _JOINT.search(text) or (clot and not earlier and _PREVENTED.search(text)):
        yield PREVENTION
    elif (clot and earlier) or (_in(pairs, VTE_EVER) and not (clot or _in(pairs, *_CLOTTED))):
        yield EARLIER
    elif clot or _in(pairs, *_CLOTTED):
        yield THROMBOSIS


def _named(text: str, words: re.Pattern[str]) -> bool:
    """True if a text names something that no word before it in the same clause takes back."""
    clauses = _CLAUSE.split(text)
    return any(not _NOT.search(clause[: found.start()]) for clause in clauses for found in words.finditer(clause))


def _in(pairs: list[tuple[str, str]], *features: ConditionFeature) -> bool:
    snomed = {code for feature in features for code in feature.snomed}
    prefixes = tuple(icd10_key(code) for feature in features for code in feature.icd10)
    return any(
        code in snomed if system == SNOMED else icd10_key(code).startswith(prefixes)
        for system, code in pairs
        if system in (SNOMED, ICD10, ICD10_CM)
    )
