"""Whether a medicine was stopped because it harmed, by the reason of its entry: a code of HL7's list, or words."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

# terminology.hl7.org/CodeSystem/medicationrequest-status-reason
_HARM_CODES = {"salg": "allergy", "sintol": "intolerance", "sddi": "interaction"}
_HARM = re.compile(
    r"(?i)adverse|side.?effect|allerg|anaphyl|angio-?(?:o?edema)|\brash|hives|urticaria|intoleran|toxic|bleed"
    r"|h(?:a?e)morrhag|hyperkal|hyponatr|kidney injury|\baki\b|rhabdo|myopathy|myalgia|liver injury|hepatitis"
    r"|neutropeni|agranulo|stevens|\bsjs\b|\bdress\b|prolonged qt|torsade|hypoglyc|bradycard|syncope|\bfalls\b"
    r"|\bcough\b|thrombocytopeni|(?-i:\bHIT\b)"
    r"|delirium|seizure|不良反应|副作用|过敏|血管性水肿|皮疹|不耐受|中毒|出血|高钾|低钠|肾损伤|横纹肌|肝损伤|粒细胞|低血糖|干咳"
)
# What the medicine was for and has ended, or a dose that was changed, tells of no harm; what is grave always does.
_NO_HARM = re.compile(
    r"(?i)\bno (?:adverse|side|allerg|rash|bleed)|without (?:adverse|side|bleed)|\bbefore\b.*(?:surgery|procedure)"
    r"|\b(?:resolved|healed|cured|gone|improved|controlled)\b(?!.*\b(?:stop|discontinu|withdr|off\b))|\bfree\b"
    r"|no longer|\b(?:treatment|course|therapy)\b.*\b(?:complete|finish|ended|done)|\btreated\b"
    r"|\bdos(?:e|age) (?:was )?(?:reduc|chang|lower|increas|adjust)"
    r"|(?:reduc|chang|lower|increas|adjust)\w* (?:the )?dos"
    r"|无不良|未见|缓解|治愈|痊愈|好转|消失|减量|加量|调整剂量|剂量调整"
)
_GRAVE = re.compile(r"(?i)anaphyl|angio-?(?:o?edema)|stevens|\bsjs\b|\bdress\b|agranulo|血管性水肿|粒细胞缺乏")
# What may be over, or was a matter of the dose or of a time: such a medicine is often taken again on purpose.
_PASSING = re.compile(
    r"(?i)hyperkal|hyponatr|kidney injury|\baki\b|hypoglyc|bradycard|syncope|\bfalls\b|delirium|interaction"
    r"|高钾|低钠|肾损伤|低血糖"
)


_MOST = 300  # characters of a reason that are read


class Harm(NamedTuple):
    """What the code says, empty where words alone tell. passing: the harm may be over."""

    name: str
    passing: bool


def harm_of(codes: Set[str], words: str) -> Harm | None:
    """The harm that a reason to stop tells of; None if it tells of none."""
    words = words[:_MOST]
    coded = next((name for code, name in _HARM_CODES.items() if code in codes), "")
    if not coded and not _GRAVE.search(words) and (not _HARM.search(words) or _NO_HARM.search(words)):
        return None
    over = _PASSING.search(words) is not None and not _HARM.search(_PASSING.sub("", words))
    return Harm(coded, over or coded == "interaction")
