"""Text from a record made fit for a model: nothing hidden, no markup, no marks of a conversation; words stay words.

Spotlighting: each line is data between delimiters that nobody could foresee, its spaces are replaced by a mark.
Source of the latter: Hines et al. 2024, arXiv:2403.14720 (datamarking).
"""

from __future__ import annotations

import re
import unicodedata

MARK = "\u02c6"  # a modifier letter that no record needs
_LONGEST = 600  # characters of one line: more is cut, with an ellipsis
# Superscripts and fractions keep their form: 10⁹ would become 109, and 1½ would become 11/2. So do Chinese stops.
_KEPT = frozenset("，：；！？（）⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⅟")
_HIDDEN = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")  # letters that show nothing
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_CHAT = re.compile(
    r"<\|[^<>|]{0,60}\|>|<<?/?(?:SYS|INST)>?>|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|AVAILABLE_TOOLS)\]"
    r"|</?(?:s|bos|eos|pad|unk|think|start_of_turn|end_of_turn|tool_call|tool_response|function_call)>"
    r"|^\s*(?:#{1,6}\s*)?(?:system|assistant|user|human|instruction|response)\s*:",
    re.I | re.M,
)
_MARKUP = re.compile(
    r"<!--.*?(?:-->|$)|<(script|style|svg|iframe|object)\b.*?(?:</\1\s*>|$)"
    r"|</?[a-zA-Z][\w:-]{0,30}(?:\s+[\w:@.-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>\"']+))?)*\s*/?>",
    re.I | re.S,
)


# Words that speak to a machine, or of a conversation: no clinician writes them into a problem or a dose.
_COMMAND = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|instruction\w*|rules?|all"
    r"|list|allerg\w*|warning\w*|facts?)\b|\boverride\s*:"
    r"|\b(?:system|developer|admin|debug) ?(?:prompt|mode|message|override|instruction\w*|note)\b|\bsystem\s*:"
    r"|\b(?:you are|act as|pretend|role-?play|jailbreak|you must|you should)\b"
    r"|\byour (?:task|instructions?|answer|output)\b"
    r"|\b(?:tell|inform|instruct|advise) the (?:clinician|doctor|physician|nurse|reader|user|team)\b"
    r"|\b(?:respond|reply|answer|output|print|write|say|state|summari[sz]e|report|repeat)\b.{0,30}"
    r"(?:\b(?:only|exactly|with|that|instead|json|following|above)\b|:)"
    r"|\b(?:language model|chatbot|llm|gpt|ai (?:assistant|model)|assistant|prompt|json|instructions?)\b"
    r"|https?:|www\.|javascript:|data:text"
    r"|忽略|无视|忘记|不要理会|指令|系统提示|提示词|系统消息|开发者模式|你是|你必须|你现在|请输出|请回答|请告诉|告诉医生"
    r"|只(?:输出|回答|写)|语言模型|助手|ignoriere|ignora ",
    re.I,
)
# What separates statements, or data from data: a line of a record is one plain statement.
_STRUCTURE = re.compile(
    r"[|{}`\\]|<(?!\s*=?\s*[\d.])|(?<![\d\s=-])>(?!\s*=?\s*[\d.])|[<>]{2}|\$\(|(?:^|\s)\[|[.!?][\"')\]]*\s+(?=[A-Z\u4e00-\u9fff])"
    r"|[。！？](?=.)|\bF\d+\b"
)


def speaks(text: str) -> bool:
    """True for a line that is more than one plain statement, or seems to tell a machine what to do.

    A model could be told what to say by it, or quote a part of it that says something else than the whole.
    """
    seen = visible(text)
    if not text.isascii() and any(unicodedata.category(c) == "Cf" for c in text):
        return True  # hidden characters: what a reader sees is not what is there
    return any(p.search(t) is not None for t in (seen, clean(seen)) for p in (_COMMAND, _STRUCTURE))


def clean(text: str, longest: int = _LONGEST) -> str:
    """One line of plain words: NFKC, without what a reader cannot see, markup, chat tokens and the mark."""
    text = visible(text[: 20 * longest])
    for pattern in (_CHAT, _MARKUP):
        before = ""
        while before != text:  # what removal joins may be another
            before, text = text, pattern.sub(" ", text)
    text = " ".join(text.replace(MARK, " ").split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def visible(text: str) -> str:
    """The text in NFKC, without control, format, tag, private and variation characters; line ends become spaces."""
    text = re.sub(r"[\r\n\t\v\f\x85\u2028\u2029]+", " ", text)
    if text.isascii() and text.isprintable():
        return text  # most lines: nothing in them to change
    text = "".join(c if c in _KEPT else unicodedata.normalize("NFKC", c) for c in text)
    text = unicodedata.normalize("NFC", _VARIATION.sub("", text))
    return "".join(c for c in text if c not in _FILLERS and unicodedata.category(c) not in _HIDDEN)


def mark(text: str) -> str:
    """The text with the mark in place of spaces and after the stops of Chinese."""
    return re.sub(r"([，。；：、！？])(?=.)", rf"\1{MARK}", text).replace(" ", MARK)


def unmark(text: str) -> str:
    """What a model wrote, without marks that it copied."""
    return re.sub(rf"(?<=[，。；：、！？]){MARK}", "", text).replace(MARK, " ")
