"""How a term is meant in a sentence: denied or not, of the patient or a relative, now or before, as fact or not yet.

Rules in the manner of ConText: a trigger before or after a term holds for it up to the next end of scope, and some
phrases only look like triggers. English and Chinese.
Source of the method: Harkema et al. 2009, doi:10.1016/j.jbi.2009.05.002; the words are our own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_REACH = 90  # characters over which an English trigger reaches at most


class Polarity(Enum):
    """Whether it is said to be so."""

    AFFIRMED = "affirmed"
    DENIED = "denied"
    POSSIBLE = "possible"


class Time(Enum):
    """When it holds."""

    NOW = "now"
    BEFORE = "before"
    IF = "if"


@dataclass(frozen=True, slots=True)
class Meant:
    """How one term is meant. relative: it is about someone of the family."""

    polarity: Polarity = Polarity.AFFIRMED
    time: Time = Time.NOW
    relative: bool = False

    @property
    def of_the_patient_now(self) -> bool:
        """True for what the sentence says that the patient has, without a condition or a doubt."""
        return self == Meant()


def _words(*alternatives: str) -> re.Pattern[str]:
    """One pattern of English phrases (word by word) and Chinese ones (anywhere)."""
    english = [a for a in alternatives if a.isascii()]
    chinese = [a for a in alternatives if not a.isascii()]
    parts = [rf"\b(?:{'|'.join(english)})\b"] if english else []
    return re.compile("|".join([*parts, *chinese]), re.I)


_PSEUDO = _words(
    r"no (?:significant |interval |definite )?(?:change|increase|further increase)", r"not only", r"gram negative",
    r"without (?:difficulty|complications?)", r"no longer", r"not (?:certain|clear|sure) (?:if|whether)",
    r"cannot (?:be )?(?:ruled out|excluded?)",
    r"(?:can ?not|could not|not|never) (?:entirely )?(?:ruled? out|excluded?)",
    "不除外", "不能排除", "不排除", "未排除", "未能排除", "无明显变化", "无变化",
    "无诱因", "无明显诱因", "未愈", "未控制", "不稳定",
)  # fmt: skip
_ACTIVE = r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbeen )(?<!\bbe )(?<!\bnot )(?<!\bnever )"
_DENY_BEFORE = _words(
    r"no", r"not", r"denie[sd]", r"deny(?:ing)?", r"without", r"negative for", r"free of", r"absence of", r"never",
    r"(?:is|was|are|were|does|did|has|have|had)n'?t", r"rules? out for", r"ruled out for", r"no evidence of", r"nor",
    r"neither", rf"{_ACTIVE}(?:excluded|ruled out)", r"excludes", r"rules out",
    r"declin(?:es|ed|ing)", r"refus(?:es|ed|ing)", r"not have", r"no sign of",
    "否认", "拒绝", "未见", "无", "没有", "未", "非", "并无", "未发现", "(?<![不未能可待])排除", "从未", "不伴",
)  # fmt: skip
_DENY_AFTER = _words(
    r"(?:is|was|were|are|has been|have been) (?:ruled out|excluded|absent|negative|denied|not (?:seen|present|found))",
    r"not (?:seen|present|detected|identified)", r"unlikely", r":? ?(?:absent|negative|none|denied)", "阴性", "已排除",
    r"未见",
)  # fmt: skip
_POSSIBLE_BEFORE = _words(
    r"possibl[ey]", r"probabl[ey]", r"suspected", r"suspicious for", r"suspicion of", r"suspect", r"likely",
    r"questionable",
    r"rule out", r"r/o", r"cannot (?:be )?(?:exclude|rule out)", r"could not (?:exclude|rule out)",
    r"concern(?:ing)? for",
    r"may (?:have|be|represent)", r"might (?:have|be)", r"differential (?:includes|diagnosis)?", r"consider", r"versus",
    r"to exclude", r"evaluate for", r"(?:not|never) (?:ruled? out|excluded?)", r"presumed",
    r"can ?not (?:entirely )?(?:rule out|exclude)",
    "可疑", "疑似", "怀疑", "考虑", "拟诊", "拟", "可能", "不除外", "不能排除", "不排除", "未排除",
    "未能排除", "疑",
)  # fmt: skip
_POSSIBLE_AFTER = _words(
    r"is possible", r"not (?:ruled out|excluded)", r"cannot be (?:ruled out|excluded)", r"to be (?:ruled out|excluded)",
    r"suspected", r"\?", r"is (?:suspected|considered)", "待排", "待查", "待除外", "可能性大", "可能", "待定", "不除外",
)  # fmt: skip
_BEFORE_BEFORE = _words(
    r"(?:past |previous |prior )?(?:medical |surgical )?history(?: (?:is )?(?:of|for|significant for|notable for))?",
    r"hx(?: of)?", r"h/o", r"previous(?:ly)?", r"prior", r"s/p", r"status post", r"past", r"former(?:ly)?",
    r"in the past",
    r"pmh", r"remote", r"childhood", "既往", "曾", "曾患", "曾有", "病史", "过去", "史",
)  # fmt: skip
_BEFORE_AFTER = _words(
    r"(?:\d+ )?(?:years?|months?) ago", r"in (?:19|20)\d\d", r"in childhood", r"resolved", r"in the past", "病史", "史",
    r"年前", r"已治愈", r"已愈",
)  # fmt: skip
_IF_BEFORE = _words(
    r"if", r"should (?:she|he|they|you|the patient)", r"return (?:for|if|to)", r"in case of", r"monitor(?:ing)? for",
    r"watch for", r"risk (?:of|for)", r"at risk", r"to prevent", r"prophylaxis (?:of|for|against)", r"precautions?",
    r"screen(?:ing)? for", r"warned (?:of|about)", r"unless", r"when(?:ever)? (?:she|he|you)", r"call (?:if|for)",
    r"counsel(?:l?ed)? (?:on|about|regarding)", r"advised (?:of|about)", r"as needed for", r"prn",
    "如", "若", "如果", "如有", "如出现", "一旦", "预防", "警惕", "筛查", "风险", "必要时", "拟行", "计划",
)  # fmt: skip
_FAMILY_BEFORE = _words(
    r"family (?:medical )?history(?: (?:of|for))?", r"fh(?:x)?", r"mother'?s?", r"father'?s?", r"brother'?s?",
    r"sister'?s?",
    r"sibling'?s?", r"maternal", r"paternal", r"grand(?:mother|father|parent)s?", r"aunts?", r"uncles?", r"cousins?",
    r"(?:her|his) (?:son|daughter|partner|child(?:ren)?)", r"wife'?s?", r"husband'?s?", r"spouse'?s?", r"roommate'?s?",
    r"son", r"daughter", r"parents?", r"relatives?",
    r"runs in the family", "家族史", "家族", "父亲", "母亲", "父母", "兄", "弟", "姐", "妹", "儿子", "女儿", "祖父",
    "祖母",
    "外祖", "配偶", "亲属", "其父", "其母", "父", "母",
)  # fmt: skip
_FAMILY_AFTER = _words(
    r"in (?:her|his|the) (?:mother|father|brother|sister|family|son|daughter)", r"runs in the family"
)
_SHORT = frozenset({"无", "未见", "未", "没有", "非"})  # reach to the next comma; 否认 reaches over a whole list
_PATIENT = _words(r"patient", r"she", r"he", r"pt", "患者", "病人", "本人")
_ENDS = re.compile(
    r"[;；。!！?？]|(?<!\d)\.(?!\d)|\b(?:but|however|although|though|except|besides|aside from|apart from|which|who|"
    r"secondary to|due to|because|presents?|presented|reports?|reported|complains?|noted|develop(?:ed|s)"
    r"|has(?! (?:now |since )?been (?:ruled out|excluded))"
    r"|had (?!no))\b"
    r"|但是|但|而|然而|(?<!不)伴|(?<![如曾没未])有|因|(?<![出未发])现",
    re.I,
)
_COMMA_ENDS = re.compile(r"[,，]")


def meant(sentence: str, start: int, end: int, section: str = "") -> Meant:
    """How the term at a place of a sentence is meant. section: the heading above it, which may say whose or when."""
    masked = _PSEUDO.sub(lambda m: "\u00a4" * len(m[0]), sentence)
    before, after = _before(masked, start), _after(masked, end)
    raw_before, raw_after = _before(sentence, start), _after(sentence, end)
    relative = _family(sentence[:start], raw_after, section)
    if _reaches(_IF_BEFORE, raw_before):
        time = Time.IF
    elif _reaches(_BEFORE_BEFORE, raw_before) or _at_once(_BEFORE_AFTER, raw_after) or _past(section):
        time = Time.BEFORE
    else:
        time = Time.NOW
    if _at_once(_POSSIBLE_AFTER, raw_after):
        polarity = Polarity.POSSIBLE
    elif _reaches(_DENY_BEFORE, before) or _at_once(_DENY_AFTER, after) or _ruled_out(after):
        polarity = Polarity.DENIED
    elif _reaches(_POSSIBLE_BEFORE, raw_before):
        polarity = Polarity.POSSIBLE
    else:
        polarity = Polarity.AFFIRMED
    return Meant(polarity, time, relative)


def _before(sentence: str, start: int) -> str:
    """What stands before a term within its scope."""
    text = sentence[max(0, start - _REACH) : start]
    ends = [m.end() for m in _ENDS.finditer(text)]
    return text[ends[-1] :] if ends else text


def _after(sentence: str, end: int) -> str:
    text = sentence[end : end + _REACH]
    found = _ENDS.search(text)
    return text[: found.end() if found is not None and found[0] in "?？" else found.start()] if found else text


def _ruled_out(after: str) -> bool:
    """True for `MI ruled out`, in short notes without its verb; a verb with a longer reach is among the triggers."""
    return re.match(r"(?i) (?:(?:has|have) (?:now |since )?been )?(?:ruled out|excluded)\b", after) is not None


def _reaches(triggers: re.Pattern[str], before: str) -> bool:
    """True if a trigger stands before, and no new clause begins between: a list's commas do not end it."""
    found = list(triggers.finditer(before))
    if not found:
        return False
    between = before[found[-1].end() :]
    if found[-1][0] in _SHORT and "，" in between:
        return False
    return not re.search(r"[,，]\s*(?:and\s+)?(?:with|takes?|taking|is|was|now|currently|目前|现在|予|给予)\b", between)


def _at_once(triggers: re.Pattern[str], after: str) -> bool:
    """True if a trigger follows, with at most a few words between and no comma."""
    found = triggers.search(_COMMA_ENDS.split(after)[0])
    return found is not None and found.start() <= 25


def _family(before: str, after: str, section: str) -> bool:
    if re.search(r"(?i)family history|家族史", section):
        return True
    last = [m.start() for m in _FAMILY_BEFORE.finditer(before)]
    own = [m.start() for m in _PATIENT.finditer(before)]
    if last and (not own or own[-1] < last[-1]) and not re.search(r"[;；。]", before[last[-1] :]):
        return True
    return _FAMILY_AFTER.search(after) is not None


def _past(section: str) -> bool:
    return re.search(r"(?i)past (?:medical|surgical) history|^pmh$|既往史|手术史", section) is not None
