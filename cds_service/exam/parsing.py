"""Which option a model chose, in English and Chinese: read where it is plain, and unparseable where it is not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

_THOUGHT = re.compile(r"<think>.*?</think>", re.S)
_ONE = r"[(\[\"'*_{\s]{0,8}(?-i:([A-H]))[)\]\"'*_}]{0,8}(?![A-Za-z0-9])"
_GAP = re.compile(r"\s{3,}")
_MARKED = (  # the more explicit first; of each the last
    re.compile(r"\"?\banswer\"?\s*:\s*\"([A-H])\"", re.I),
    re.compile(r"\\boxed\{\s*(?:\\text\{)?\s*([A-H])\s*\}"),
    re.compile(rf"(?:answer|option|choice)[*_]*\s*(?:is|:|=|would be|should be)[*_]*\s*:?\s*(?:option )?{_ONE}", re.I),
    re.compile(
        r"(?:正确答案|最终答案|参考答案|答案|正确选项|应选|故选|选择|选项|选)[*_]*\s*(?:是|为|应为|应该是|:)?[*_]*\s*(?:选项)?"
        rf"{_ONE}"
    ),
    re.compile(rf"{_ONE}\s*(?:is|are)\s+(?:the\s+)?(?:correct|right|best|most likely)", re.I),
    re.compile(rf"{_ONE}\s*(?:项)?(?:是)?(?:正确|符合题意)"),
)
_DENIED = re.compile(  # letters that an answer turns down
    rf"(?:\b(?:not|never|cannot be|can't be|isn't|rul(?:es?|ed|ing) out|exclud(?:es?|ed|ing))|不是|不选|并非|排除)"
    rf"\s*(?:the )?(?:option |choice |选项)?{_ONE}"
    rf"|{_ONE}\s*(?:is|are|was)\s+(?:incorrect|wrong|false|not\b)|{_ONE}\s*(?:项)?(?:是)?(?:错误|不正确|不对|不符合)",
    re.I,
)
_SMALL = re.compile(r"^[*_\s]{0,8}(?:the )?answer[*_]*\s*(?:is|:|=)[*_\s(]{0,8}([a-h])[)*_.\s]{0,8}$", re.I | re.M)
_FIRST = re.compile(r"^[(\[*_\s]*([A-H])(?:[)\].:,*_、。]|\s*$|\s+(?=[^a-z]))")
_SEVERAL = re.compile(r"^[\s*_]*[A-H](?:\s*(?:,|、|and|or|/|和|及|或|&)\s*[A-H])+\b|^[A-H]{2,}\b")
_PAIR = re.compile(r"(?<![A-Za-z])[A-H]\s*(?:,|、|and|or|/|和|及|或|&)\s*[A-H](?![A-Za-z])")
_AND_MORE = re.compile(r"^[)\]*_\s]*(?:,|、|and|or|/|和|及|或|&)\s*[(\[]?[A-H]\b")


def chosen(text: str, options: Mapping[str, str]) -> str | None:
    """The letter of the option that an answer chose; None where it chose none, several, or one that does not exist."""
    text = unicodedata.normalize("NFKC", _THOUGHT.sub("", text)).strip()
    text = _GAP.sub(lambda m: "\n\n" if "\n" in m[0] else " ", text)
    text = _SMALL.sub(lambda m: f"Answer: {m[1].upper()}", _DENIED.sub(" ", text)).strip()
    if not text or _SEVERAL.match(text):
        return None
    for pattern in _MARKED:
        found = list(pattern.finditer(text))
        if found:
            last = found[-1]
            if _AND_MORE.match(text[last.end(1) :]):
                return None
            return _known(last[1].upper(), options)
    first = _FIRST.match(text)
    if first is not None:
        return _known(first[1], options)
    if _PAIR.search(text):
        return None
    return _by_text(text, options) or _alone(text, options)


def _known(letter: str, options: Mapping[str, str]) -> str | None:
    return letter if letter in options else None


def _by_text(text: str, options: Mapping[str, str]) -> str | None:
    """The only option whose words stand in the text; longer ones first, so that one within another does not count."""
    left = _plain(text)
    found = []
    for letter, words in sorted(options.items(), key=lambda item: -len(item[1])):
        plain = _plain(words)
        pattern = rf"(?<![^\W_]){re.escape(plain)}(?![^\W_])" if plain.isascii() else re.escape(plain)
        if plain and re.search(pattern, left):
            found.append(letter)
            left = left.replace(plain, " ")
    return found[0] if len(found) == 1 else None


def _alone(text: str, options: Mapping[str, str]) -> str | None:
    """The only letter that stands by itself, written as an option is."""
    letters: Iterable[str] = re.findall(r"(?:^|[\s(\[*\"'])([A-H])(?=[)\].*\"':]|\s*$)", text)
    distinct = {letter for letter in letters if letter in options}
    return distinct.pop() if len(distinct) == 1 else None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().strip(" .。").split())
