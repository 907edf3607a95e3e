"""What a sentence tells as done or going on that a document only plans, advises, declines or says was not done."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cds_service.summary.bound import Group
from cds_service.summary.claims import Claim
from cds_service.summary.doubts import asks
from cds_service.summary.spelling import normal

_DECLINED = re.compile(r"(?i)\b(?:declin|refus)\w+|拒绝|不同意")
_DECLINED_IT = re.compile(r"(?i)\b(?:declin|refus)\w+ (?:it|this|that|both|them)\b")
_NOT_DONE = re.compile(
    r"(?i)\b(?:not|never)\s+(?:yet\s+)?(?:been\s+)?(?:yet\s+)?(?:start|giv|tak|done|perform|made|obtain|resum)\w*"
    r"|未做|未行|尚未|未用|未给"
)
_ADVISED = re.compile(r"(?i)\b(?:recommended|advised|proposed|suggested|contra-?indicated)\b|建议|推荐|禁忌|禁用")
_GIVEN = re.compile(
    r"(?i)\b(?:takes?|taking|receiv\w+|(?:was|were|is|has been|been|being) (?:given|started|done|performed|administered"
    r"|made|taken|obtained|resumed)|underwent|started|is on)\b|服用|已[做行用给]|给予|予以|使用"
)
_INDICATED = re.compile(r"(?i)(?<!contra)(?<!contra-)\bindicated\b")
_AGAINST = re.compile(r"(?i)\bcontra-?indicated\b|禁忌|禁用")
_TO_COME = re.compile(
    r"(?i)\b(?:tomorrow|next (?:week|month|year|visit|clinic)"
    r"|in (?:\d+|one|two|three|four|six) (?:hour|day|week|month|year)s?)\b"
    r"|明[天日]|下[周月]|(?:(?<!\d)\d+|[一两二三四六])\s*(?:个月|天|日|周|年)后"
)
_WILL = re.compile(
    r"(?i)\b(?:will|shall|(?:is|are) to)\s+(?:be\s+)?(\w+)"
    r"|(?<=[后时周月天日年拟待])将|将(?![^，。；,;后时于待]{2,12}[改换][为成])"  # 将A改为B: an object, and no future
)
_PLANNED = re.compile(
    r"(?i)\b(?:planned|scheduled|booked|arranged|ordered|requested|recommended|advised|due)\b|计划|拟|预约"
)
_PAST = re.compile(
    r"(?i)\b(?:was|were|had|has been|have been|has had|took place|gave|saw|went)\b"
    r"|\b[a-z]{3,}(?<!ne)ed\b|已|曾|过[。；]?$|了"
)
_TAKES = re.compile(r"(?i)\b(?:takes|(?:is|are) (?:on|taking|using)|receives)\b|服用|(?:目前|现在?|正在?)[服使应]?用")
_NOT_YET = re.compile(
    r"(?i)\b(?:(?:has|have|had|is|was|were) )?(?:not|never)(?: yet)?(?: been)? [a-z]+"
    r"|尚?未[\u3400-\u9fff]{1,2}"
)
_UNLIKELY = re.compile(r"(?i)\bunlikely\b|\bimprobable\b|可能性(?:不大|小)|不考虑")
_RATHER = re.compile(r"(?i)\b(?:rather than|instead of)\s+(?:the |an? |her |his )?(\w+)|而(?:不是|非)(.{1,3})")
_WHEN = re.compile(r"(?i)\b(?:when|once|until|as soon as)\b|待.{1,12}[后时]")


def undone_reasons(claim: Claim, own: Sequence[Group], text: str, sentence: str) -> list[str]:
    """What is wrong about a claim that rests on one sentence of a document. own: what that says of its name."""
    if claim.of("deny") or any(m.denied for m in claim.mentions):
        return []
    plain, said = normal(text), normal(sentence)
    stretch = _stretch(plain, own)
    reasons = []
    if (_DECLINED.search(stretch) or _DECLINED_IT.search(plain)) and not _DECLINED.search(said):
        reasons.append("the document says that it was declined")
    if _GIVEN.search(said) and not _NOT_DONE.search(said) and _NOT_DONE.search(stretch):
        reasons.append("the document says that it was not done")
    if _GIVEN.search(said) and not _ADVISED.search(said) and _ADVISED.search(stretch) and not _GIVEN.search(stretch):
        reasons.append("the document only advises on it")
    if _INDICATED.search(said) and _AGAINST.search(stretch):
        reasons.append("the document says that it is contraindicated")
    if _only_planned(plain, said) or _taken_to_come(stretch, said):
        reasons.append("the document only plans it")
    if _UNLIKELY.search(stretch) and not _UNLIKELY.search(said):
        reasons.append("the document holds it for unlikely")
    others = {m[0].casefold() for m in _RATHER.finditer(said)} - {m[0].casefold() for m in _RATHER.finditer(plain)}
    if others and _RATHER.search(plain):
        reasons.append("the document has it the other way round")
    return reasons + _when(claim, own, plain, said)


def _only_planned(plain: str, said: str) -> bool:
    """True for `was consulted` or `took place` where the document says `will be consulted` or `next week`."""
    if _TO_COME.search(said) or _WILL.search(said) or _PLANNED.search(said) or not _PAST.search(said):
        return False
    rest = _PLANNED.sub("", _NOT_YET.sub("", _WILL.sub("", plain)))
    verbs = {m[1].casefold() for m in _WILL.finditer(plain) if m[1]}
    if any(re.search(rf"(?i)\b{verb}\b", said) and not re.search(rf"(?i)\b{verb}\b", rest) for verb in verbs):
        return True
    to_come = _WILL.search(plain) or _TO_COME.search(plain) or _PLANNED.search(plain)
    return to_come is not None and not _PAST.search(rest)


def _taken_to_come(stretch: str, said: str) -> bool:
    """True for `takes B` where the document will give it or change A to it later, of it alone."""
    if not _TAKES.search(said) or _TO_COME.search(said) or _WILL.search(said) or _PLANNED.search(said):
        return False
    to_come = _WILL.search(stretch) or _TO_COME.search(stretch) or _PLANNED.search(stretch)
    return to_come is not None and not _PAST.search(_PLANNED.sub("", stretch)) and not _TAKES.search(stretch)


def _stretch(plain: str, own: Sequence[Group]) -> str:
    """From the first to the last word that a text says of a name."""
    tokens = [t for group in own for t in group.tokens]
    return plain[min(t.start for t in tokens) : max(t.end for t in tokens)] if tokens else plain


def _when(claim: Claim, own: Sequence[Group], plain: str, said: str) -> list[str]:
    """What is wrong about `pressure is above 140` where the document says `restart it when pressure is above 140`."""
    found = _WHEN.search(plain)
    names = {t.value for m in claim.mentions for t in m.tokens if t.kind in ("term", "word")}
    starts = [t.start for group in own for t in group.tokens if t.value in names]
    if found is None or not asks(plain) or _WHEN.search(said) or not starts or min(starts) < found.start():
        return []
    return ["the document says it under a condition"]
