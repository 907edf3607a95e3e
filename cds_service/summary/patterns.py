"""What looks like it says who someone is, whoever it is: its places in a text, each pattern in time of its length."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cds_service.summary.names import CALLED

_STREET = "street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|court|ct|place|pl|square|terrace|parkway|highway"
_LABELLED = (
    "mrn|ssn|nhs(?: no| number)?|medical record(?: number| no)?|account(?: number| no)?"
    "|病历号|住院号|门诊号|病案号|医保号|医保卡号|身份证号码?|身份证|社保号|就诊号|登记号"
)
# The commonest family names, as the census of 2020 counts them.
_FAMILIES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆"
    "郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_TITLED = "|".join(title for title in CALLED.split("|") if title not in ("患者", "氏"))  # 高血压患者 is nobody
_HAN = "\u4e00-\u9fff"

# The group `x` is what is replaced. An id has a digit among its first 64 characters.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.I | re.A if kind == "AGE" else re.I))
    for kind, pattern in (
        ("CONTACT", r"(?P<x>\b(?:https?|ftp|mailto|tel):[^\s<>\[\]，。；]+|\bwww\.[^\s<>\[\]，。；]+)"),
        ("ID", rf"(?:{_LABELLED})\s*+(?:[:：#.]|is|为|是)?\s*+(?P<x>(?=[A-Z-]{{0,63}}\d)[A-Z\d][A-Z\d-]{{3,}})"),
        ("ID", r"(?<!\d)(?P<x>[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])(?!\d)"),
        ("ID", r"(?<![\d-])(?P<x>\d{3}-\d{2}-\d{4})(?![\d-])"),
        ("CONTACT", r"(?<!\d)(?P<x>(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4})(?!\d)"),
        ("CONTACT", r"(?<![\d.])(?P<x>(?:\+?1[\s.-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4})(?!\d)"),
        ("CONTACT", r"(?<!\d)(?P<x>0\d{2,3}[\s-]\d{7,8})(?!\d)"),
        ("CONTACT", r"(?<!\d)(?P<x>\+\d{1,3}(?:[\s.-]?\d{2,4}){2,5})(?!\d)"),
        ("CONTACT", r"(?<![\d.])(?P<x>(?:\d{1,3}\.){3}\d{1,3})(?![\d.])"),
        (
            "PLACE",
            rf"(?P<x>\b\d{{1,5}}[A-Z]?\s+(?:(?-i:[A-Z])[\w'.-]*\s+){{1,4}}(?:{_STREET})\b\.?"
            r"(?:,?\s*(?:apt|unit|suite|#)\.?\s*\w+)?)",
        ),
        (
            "PLACE",
            rf"(?P<x>[{_HAN}]{{1,8}}(?:路|街|大道|巷|胡同|弄|村|镇)\s?\d+\s?号(?:[\d{_HAN}-]{{0,10}}?(?:室|楼|栋|单元))?)",
        ),
        ("PLACE", r"(?<![\d.-])(?P<x>\d{5}-\d{4})(?![\d-])"),
        ("NAME", r"\b(?:Dr|Mr|Mrs|Ms|Prof|Miss)\b\.?\s+(?P<x>(?-i:[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)?))"),
        ("NAME", rf"(?P<x>[{_FAMILIES}][{_HAN}]{{0,2}}?)(?={_TITLED})"),
        ("AGE", r"(?<![\d.])(?P<x>(?:9\d|1[0-2]\d)(?=[\s-]*(?:years?[\s-]old|y/?o\b|year-old|周?岁)))"),
        ("AGE", r"\b(?:aged?|年龄)[:：\s]*(?P<x>(?:9\d|1[0-2]\d))(?![\d.])"),
        ("ID", r"(?<![\d.])(?P<x>\d{9,})(?![\d.])"),
    )
)
_LOCAL, _DOMAIN = re.compile(r"[\w.+-]+"), re.compile(r"@[\w-]+(?:\.[\w-]+)+")


def _mail(text: str) -> Iterator[tuple[int, int]]:
    """What `[\\w.+-]+@[\\w-]+(\\.[\\w-]+)+` finds; that tries each place of a long word anew for an @ behind it."""
    free = 0
    for local in _LOCAL.finditer(text):
        start = max(local.start(), free)
        domain = _DOMAIN.match(text, local.end()) if start < local.end() else None
        if domain is not None:
            free = domain.end()
            yield start, free


def _places(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    return lambda text: (m.span("x") for m in pattern.finditer(text))


PATTERNS: tuple[tuple[str, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    ("CONTACT", _mail),
    *((kind, _places(pattern)) for kind, pattern in _PATTERNS),
)
