"""What a sentence may say one way or another, and says another way than the document: mild or severe, at home or here.

Each row of the table is a scale: its values, by the words for them. A value that the sentence gives must be one that
the document gives to the same thing, which is the stretch that shares most with what the sentence says. A new pair of
opposites is a new row, never a new check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cds_service.summary.keys import Unit, nearest


@dataclass(frozen=True, slots=True)
class Scale:
    """Values that exclude each other, each with the words for it.

    wrong: what is wrong about another value. every: each value that the sentence gives must be in the document, else
    one of them is enough. needed: a value must be there even where the document says nothing of the kind. where: both
    must have it for the scale to hold; unless: where both have it, it does not.
    """

    wrong: str
    values: Mapping[str, re.Pattern[str]]
    every: bool = True
    needed: bool = False
    where: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None

    def of(self, text: str) -> frozenset[str]:
        """The values that a text gives."""
        return frozenset(name for name, words in self.values.items() if words.search(text))


def _scale(
    wrong: str, *, every: bool = True, needed: bool = False, where: str = "", unless: str = "", **values: str
) -> Scale:
    words = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in values.items()}
    guards = (re.compile(pattern, re.IGNORECASE) if pattern else None for pattern in (where, unless))
    return Scale(wrong, words, every, needed, *guards)


_NON = re.compile(r"\bnon[- ]?([a-z]{3,})")
_WORD = re.compile(r"[a-z]{3,}")
SCALES = (
    _scale(
        "the document tells of another change",
        every=False,
        begin=r"\b(?:re)?start(?:ed|ing|s)?\b|\binitiat\w+|\bcommenc\w+|\bintroduc\w+|\bresum\w+|\bbeg[au]n\b"
        r"|开始|加用|启用|起始|恢复使用",
        go_on=r"(?<!dis)\bcontinu\w+|\bmaintain\w+|继续|维持",
        end=r"\bstop(?:ped|ping|s)?\b|\bdiscontinu\w+|\bceas\w+|\bwithdrawn\b|\bwithh[eo]ld\w*|\bheld\b|\bholds?\b"
        r"|\btaken off\b|停用|停药|停服|停止|已停|暂停",
        up=r"\b(?:up-?titrat\w+|increas\w+|doubled)\b|加量|增量|增加|增至",
        down=r"\b(?:down-?titrat\w+|decreas\w+|reduc\w+|lowered|halved|taper\w*)\b|减量|减少|减至",
    ),
    _scale(
        "the document names another place",
        needed=True,
        home=r"\bhome\b(?! (?:oxygen|med|drug))|家中|在家|回家|家里",
        hospital=r"\b(?:in|during) (?:the |a |her |his )?hospital\b|\bon the ward\b|院内|病房|住院期间",
        intensive=r"\bICU\b|\bintensive care\b|重症监护",
        emergency=r"\bemergency (?:department|room)\b|\bED\b|\bA&E\b|急诊",
        clinic=r"\b(?:outpatient|clinic)\b|门诊",
        theatre=r"\b(?:operating (?:room|theatre)|theatre)\b|手术室",
        ours=r"\bhere\b|\b(?:our|this) hospital\b|[我本]院",
        elsewhere=r"\breferring\b|\b(?:outside|another|other) (?:hospital|facility)\b|外院|当地医院",
        rehabilitation=r"\brehab\w*|康复(?:医院|中心|机构)",
        nursing=r"\b(?:nursing|care) home\b|养老院|护理院",
    ),
    _scale(
        "the document gives another severity",
        mild=r"\b(?:mild|slight)\w*|轻度|轻微",
        moderate=r"\bmoderate\w*|中度|中等",
        severe=r"\bsevere\w*|重度|严重",
    ),
    _scale(
        "the document says it of another side",
        left=r"\bleft\b|左",
        right=r"\bright\b|右",
        both=r"\bboth\b|\bbilateral|双",
    ),
    _scale(
        "the document says the opposite of it",
        sensitive=r"\b(?:sensitive|susceptible)\b|敏感",
        resistant=r"\bresistant\b|耐药",
    ),
    _scale(
        "the document calls it older or newer",
        every=False,
        acute=r"\b(?:acute|new)\b|急性|新[发近]",
        old=r"\b(?:old|chronic)\b(?!er)|陈旧|慢性",
    ),
    _scale(
        "the document tells of it at another time",
        early=r"\b(?:at first|initially)\b|起初|最初",
        late=r"\b(?:later|subsequently|eventually|finally)\b|随后|后来|最终",
    ),
    _scale("the document gives another grade", low=r"\blow[- ]grade|低级别", high=r"\bhigh[- ]grade|高级别"),
    _scale(
        "the document says it of another specimen",
        every=False,
        where=r"\b(?:cultures?|electrophoresis|protein|cytology|gram stain|toxin|antigen)\b|培养|电泳|蛋白|细胞学|涂片",
        urine=r"\burin(?:e|ary)\b|尿",
        serum=r"\b(?:serum|plasma|blood)\b|血",
        stool=r"\b(?:stool|faec\w+|fec\w+)\b|粪|大便",
        csf=r"\bcsf\b|\bcerebrospinal\b|脑脊液",
        sputum=r"\bsputum\b|痰",
        pleural=r"\bpleural\b|胸水|胸腔积液",
    ),
    _scale(
        "the document says the opposite of it",
        positive=r"(?<!non-)\bpositive\b|\bgr[eo]w\b|(?<!未)检出|阳性",
        negative=r"\bnegative\b|\bno growth\b|未检出|阴性",
    ),
    _scale(
        "the document advises the other way",
        for_it=r"\b(?:recommended|advised)\b(?! against)|(?<!不)建议|推荐",
        against=r"\b(?:recommended|advised) against\b|\bnot (?:recommended|advised)\b|不建议|不推荐",
    ),
    _scale(
        "the document says the opposite of it",
        helped=r"(?<!not )(?<!in)\beffective\b|\bhelped\b|(?<!无)有效",
        not_helped=r"\b(?:not effective|ineffective|no effect)\b|\bnot help\w*|无效",
    ),
    _scale(
        "the document tells of another step of the stay",
        every=False,
        into=r"\badmi(?:t|ss)\w+|入院|收住|收治",
        out=r"\bdischarg\w+|出院",
        across=r"\btransfer\w*|转[入至回]",
    ),
    _scale(
        "the document says the opposite of it",
        there=r"\b(?:in place|in situ)\b|留置|保留",
        gone=r"\bremov\w+|\b(?:taken|pulled) out\b|拔除|取出|拆除",
    ),
    _scale(
        "the document compares them otherwise",
        every=False,
        unless=r"\bthan\b|比",
        more=r"\bincreas\w+|\b(?:larger|bigger|higher|greater|grown|grew|enlarged)\b|增[大多高]|升高|上升",
        less=r"\b(?:decreas|reduc)\w+|\b(?:smaller|lower|shr[aiu]nk\w*)\b|缩小|减[少小低]|降低|下降",
        same=r"\b(?:equal|unchanged|similar|the same|stable)\b|相[同等仿近]|未变|不变|稳定",
    ),
    _scale(
        "the document tells of another course",
        better=r"\bimprov\w+|\bgot better\b|好转|改善",
        worse=r"\bworse\w*|\bdeteriorat\w+|恶化|加重",
    ),
    _scale(
        "the document tells of another course",
        over=r"\bresol(?:v|ut)\w+|\bsubsid\w+|\bdisappear\w+|(?<!未)消[退失]",
        there_still=r"\bpersist\w*|未消[退失]|仍[有存]",
    ),
    _scale(
        "the document says who lives there otherwise", alone=r"\bliv\w+ alone\b|独居", together=r"\bliv\w+ with\b|同住"
    ),
    _scale("the document does not say it of all", needed=True, all=r"\ball\b|全部|所有"),
    _scale("the document does not say that it is the only one", needed=True, only=r"\bonly\b|\balone\b|仅|唯一"),
    _scale("the document does not say that it is the first", needed=True, first=r"\bfirst\b|1st\b|首[次发]|第[一1]次"),
)


def scale_reasons(said: Sequence[Unit], written: Sequence[Unit]) -> list[str]:
    """What is wrong about the units of a sentence that rests on those of documents."""
    reasons = _bare(said, written)
    for unit in said:
        for scale in SCALES:
            values = scale.of(unit.text)
            if values and _clashes(scale, unit, values, written):
                reasons.append(scale.wrong)
    return reasons


def _bare(said: Sequence[Unit], written: Sequence[Unit]) -> list[str]:
    """What is wrong about `adherent` where the document says `non-adherent` alone."""
    text, sentence = (" ".join(unit.text.lower() for unit in of) for of in (written, said))
    denied = {m[1] for m in _NON.finditer(text)} - {m[1] for m in _NON.finditer(sentence)}
    words = set(_WORD.findall(sentence)) - set(_WORD.findall(_NON.sub(" ", text)))
    return ["the document says the opposite of it"] if denied & words else []


def _clashes(scale: Scale, unit: Unit, said: frozenset[str], every: Sequence[Unit]) -> bool:
    near = nearest(unit.beside(m for name in said for m in scale.values[name].finditer(unit.text)), every)
    if scale.where is not None:
        near = [one for one in near if scale.where.search(one.text)] if scale.where.search(unit.text) else []
    if scale.unless is not None and scale.unless.search(unit.text):
        near = [one for one in near if not scale.unless.search(one.text)]
    each = [values for one in near if (values := scale.of(one.text))]
    if not each and scale.needed:
        each = [_values(scale, every)]
    if not each:
        return False
    return any(bool(said - known) if scale.every else not said & known for known in each)


def _values(scale: Scale, of: Iterable[Unit]) -> frozenset[str]:
    return frozenset(value for one in of for value in scale.of(one.text))
