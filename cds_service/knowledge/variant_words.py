"""How reports say that a variant was found, was not found, is doubtful, or means nothing; in English and Chinese.

Chinese characters are letters to a regular expression, so that a boundary of a word is written as "no Latin letter".
"""

from __future__ import annotations

import re

from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import codings
from cds_service.language import msg

_FLAGS = re.IGNORECASE
# What a laboratory looked for and did not find; the gene may stand between the words.
_NEGATIVE = re.compile(
    r"\b(not[ -](detected|found|identified|seen|present|amplified|mutated|rearranged|translocated|fused|observed)|"
    r"negative|absent|undetected|non-?amplified|non-?mutated|unmutated|none (detected|found|identified|seen)|"
    r"no (evidence|mutation|variant|amplification|fusion|rearrangement|translocation|pathogenic|reportable|actionable|"
    r"clinically|copy number|gene)|no [^.;]{1,60}? (detected|found|identified|seen|present))|"
    r"(?<![a-z])wild[- ]?type(?![a-z])|"
    r"未检出|未检测到|未检测出|未见|未发现|阴性|野生型|无突变|无扩增|无融合|未突变|未扩增|未重排|正常",
    _FLAGS,
)
_POSITIVE = re.compile(
    r"\b(detected|found|identified|present|positive|amplified|mutated|rearranged|pathogenic)\b|检出|检测到|阳性", _FLAGS
)
_CLAUSE = re.compile(r"[;\n。；，、]|,\s|\.(?=\s|$)")
_BARE_NEGATIVE = re.compile(r"\s*(no|false|neg|nd|n\.d\.|none|wt|0|-+|\(-\)|n/a|normal|无)\s*\.?\s*", _FLAGS)
_NEGATIVE_CODES = frozenset({
    "LA9634-2", "LA6577-6", "LA32-8", "260385009", "260415000", "2667000", "373067005", "NEG", "ND",
})  # fmt: skip
UNCERTAIN = re.compile(
    r"\b(uncertain|unknown significance|vus|benign|conflicting|tier[ -]?(iii|iv|3|4))\b|"
    r"意义不明|意义未明|良性|意义未知",
    _FLAGS,
)
UNCERTAIN_CODES = frozenset({"LA26333-7", "LA6675-8", "LA26334-5"})
PATHOGENIC = re.compile(r"\bpathogenic\b|(?<!非)致病", _FLAGS)
PATHOGENIC_CODES = frozenset({"LA6668-3", "LA26332-9"})
DOUBTFUL = re.compile(
    r"\b(indeterminate|inconclusive|failed|no call|insufficient|equivocal|pending|borderline|not evaluable|"
    r"not performed|not tested|quantity not sufficient|qns)\b|不确定|无法判断|可疑|待定|失败|样本不足|未做",
    _FLAGS,
)
TEST = re.compile(r"\b(analysis|assay|test|panel|gene targeted|sequencing)\b|检测|分析|测序", _FLAGS)
SUSPECTED = re.compile(r"\b(family history|suspected|rule out|relative)\b|家族史|疑似|排除|母亲|父亲", _FLAGS)
AMPLIFIED = re.compile(r"\bamplif(ication|ied)\b|扩增", _FLAGS)
FUSED = re.compile(r"\b(fusions?|rearrange(ment|d)|translocation)\b|::|融合|重排|易位", _FLAGS)
MUTATED = re.compile(r"\b(mutat(ion|ed)|pathogenic variant)\b|突变", _FLAGS)
TANDEM = re.compile(r"(?<![a-z])ITD(?![a-z])|internal tandem|内部串联重复", _FLAGS)
KINDS = {
    "amplification": msg("{gene} amplification"),
    "fusion": msg("{gene} fusion"),
    "mutation": msg("{gene} mutation"),
    "ITD": msg("{gene} internal tandem duplication (ITD)"),
}
EXON_CHANGES = {
    "skipping": msg("{gene} exon {exon} skipping"),
    "deletion": msg("{gene} exon {exon} deletion"),
    "insertion": msg("{gene} exon {exon} insertion"),
}
_EXON = re.compile(r"exon (14|19|20) (skipping|deletion|insertion)", _FLAGS)
_EXON_ZH = re.compile(
    r"(14|19|20)\s*(?:号|外显子|\s)*(跳跃|跳读|缺失|插入)|(?:外显子)\s*(14|19|20)\s*(跳跃|跳读|缺失|插入)"
)
_CHINESE = {"跳跃": "skipping", "跳读": "skipping", "缺失": "deletion", "插入": "insertion"}


def found(row: fhir.Observation, value: str) -> str | None:
    """What a report says was found, without the parts that were looked for and not found; None if nothing was.

    By code, by the laboratory's flag, by a boolean or in words: "T790M not detected. L858R detected" is L858R alone.
    """
    codes = {code for _, code in codings((row.value_codeable_concept, *row.interpretation))}
    if codes & _NEGATIVE_CODES or row.value_boolean is False or _BARE_NEGATIVE.fullmatch(value):
        return None
    clauses = _CLAUSE.split(value)
    kept = [clause for clause in clauses if not _NEGATIVE.search(clause)]
    if len(kept) < len(clauses) and not any(_POSITIVE.search(clause) for clause in kept):
        return None
    return " ".join(kept) if len(kept) < len(clauses) else value


def says_not_found(words: str) -> bool:
    """True if the name of a result says itself that nothing was found."""
    return _NEGATIVE.search(words) is not None


def exon_change(words: str) -> str | None:
    """A change by its exon, such as `exon 19 deletion`, or None."""
    if found := _EXON.search(words):
        return found[0].lower()
    if found := _EXON_ZH.search(words):
        exon, what = (found[1], found[2]) if found[1] else (found[3], found[4])
        return f"exon {exon} {_CHINESE[what]}"
    return None
