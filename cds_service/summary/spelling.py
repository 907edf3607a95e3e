"""One spelling for what is written in several ways: characters, dates, fractions, British and American, plurals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_ATOM = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|[^\W\d_]+|\S")
_CJK = re.compile(r"[\u3400-\u9fff]")
_SPELLINGS = (
    ("haem", "hem"), ("aemi", "emi"), ("oedema", "edema"), ("tumour", "tumor"), ("foet", "fet"), ("oesoph", "esoph"),
    ("rrhoea", "rrhea"), ("leuco", "leuko"), ("paed", "ped"), ("gynaec", "gynec"), ("caesar", "cesar"),
    ("oestro", "estro"), ("fibre", "fiber"),
    ("pnoe", "pne"),
)  # fmt: skip
# An adjective of a finding is the finding: tachypneic, hyponatremic, neutropenic, hypotensive.
_ADJECTIVES = (("pneic", "pnea"), ("emic", "emia"), ("penic", "penia"), ("cardic", "cardia"), ("tensive", "tension"))
_NUMERALS = {"I": 1, "II": 2, "III": 3, "IV": 4}
_ROMAN = re.compile(r"\b(stage) (I{1,3}|IV)([ABC]?)\b", re.IGNORECASE)
_HAN = "〇一二三四五六七八九"
_HAN_DATE = re.compile(
    r"(?P<y>[一二][〇零一二三四五六七八九]{3})年(?:(?P<m>十[一二]?|[一二三四五六七八九])月"
    r"(?:(?P<d>[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[日号])?)?"
)
_ASKED = re.compile(r"(?<![\w?])\?\s?(?=[A-Za-z\u4e00-\u9fff])")  # ?DVT
_NOT_OUT = re.compile(  # is neither so nor not so
    r"(?i)\b(?:can ?not|could not|can't|couldn't|unable to)(?: be)?(?: entirely| completely| fully)?"
    r" (?:exclude|rule)d?(?: out)?\b"
)
_DOTTED = re.compile(r"(?i)\b(?:[btq]\. ?i\. ?d|p\. ?o|p\. ?r\. ?n|q\. ?d|i\. ?v|i\. ?m|s\. ?c|h\. ?s)\b\.?(?!\w)")
_PERCENT = {
    "a third": 33.3, "one third": 33.3, "a quarter": 25, "one quarter": 25, "two thirds": 66.7, "three quarters": 75,
    "a fifth": 20, "三分之一": 33.3, "四分之一": 25, "三分之二": 66.7, "四分之三": 75, "五分之一": 20,
}  # fmt: skip
_CHANGE = r"(?:\bby|减少|下降|降低|上升|升高|增加)(?: ?了)?"
_ROUGHLY = r"(?: (?:about|around|roughly|nearly|almost|some|approximately)|约|近)?"
_FRACTION = re.compile(rf"(?i)({_CHANGE}{_ROUGHLY}) ?({'|'.join(_PERCENT)})")
_MONTHS = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    "Nov(?:ember)?|Dec(?:ember)?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DAY_LIST = re.compile(  # 26, 28 and 30 October 2026
    rf"(?<![\d.,/])((?:{_DAY}, ){{0,30}}{_DAY},? (?:and|&)) (?={_DAY} ((?:{_MONTHS})(?:,? \d{{4}})?)(?!\w))"
)
_HAN_DAY_LIST = re.compile(r"(\d{1,2}月)(\d{1,2}日)((?:[、，和及与]+\d{1,2}日)+)")
_HOURLY = re.compile(r"\b(every \d{1,2}) ?(?:h|hr|hrs)\b", re.IGNORECASE)


def _digits(match: re.Match[str]) -> str:
    """A date in Chinese numerals with figures: 二〇二六年八月 as 2026年8月."""
    year, month, day = match["y"], match["m"], match["d"]
    figures = "".join(str(_HAN.index(c)) if c != "零" else "0" for c in year or "")
    text = f"{figures}年" if year else ""
    text += f"{_tens(month)}月" if month else ""
    return text + (f"{_tens(day)}{match.group()[-1]}" if day else "")


def _tens(text: str) -> int:
    tens, ten, ones = text.partition("十")
    return (_HAN.index(tens) if tens else 1) * 10 + (_HAN.index(ones) if ones else 0) if ten else _HAN.index(tens)


def normal(text: str) -> str:
    """The text with compatible characters unified and hidden ones removed."""
    plain = unicodedata.normalize("NFKC", text)
    plain = _NOT_OUT.sub("suspected", _ASKED.sub("suspected ", _HAN_DATE.sub(_digits, plain)))
    plain = _DAY_LIST.sub(lambda m: re.sub(r"(\d{1,2}(?:st|nd|rd|th)?)", rf"\1 {m[2]}", m[1]) + " ", plain)
    plain = _HAN_DAY_LIST.sub(lambda m: m[1] + m[2] + re.sub(r"(\d{1,2}日)", rf"{m[1]}\1", m[3]), plain)
    plain = _FRACTION.sub(lambda m: f"{m[1]} {_PERCENT[m[2].lower()]}%", plain)
    plain = _DOTTED.sub(lambda m: m.group().replace(".", "").replace(" ", ""), plain)
    plain = _HOURLY.sub(r"\1 hours", plain.replace("i.e.", "ie").replace("e.g.", "eg"))
    plain = _ROMAN.sub(lambda m: f"{m[1]} {_NUMERALS[m[2].upper()]}{m[3]}", plain)
    return (
        "".join(c for c in plain if c.isprintable() or c.isspace())
        .replace("μ", "u")
        .replace("µ", "u")
        .replace("’", "'")
    )


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without its plural, in lower case."""
    word = word.lower()
    for british, american in _SPELLINGS:
        word = word.replace(british, american)
    for adjective, noun in _ADJECTIVES:
        if word.endswith(adjective):
            return word[: -len(adjective)] + noun
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def atoms(text: str) -> list[tuple[str, int, int]]:
    """(stem, start, end) of each word, number, Chinese character and sign."""
    found: list[tuple[str, int, int]] = []
    for match in _ATOM.finditer(text):
        piece = match.group()
        if len(piece) > 1 and _CJK.search(piece):
            found += _mixed(piece, match.start())
        else:
            found.append((stem(piece), match.start(), match.end()))
    return found


def _mixed(piece: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Chinese characters one by one, Latin letters between them together."""
    for match in re.finditer(r"[\u3400-\u9fff]|[^\u3400-\u9fff]+", piece):
        yield stem(match.group()), at + match.start(), at + match.end()
