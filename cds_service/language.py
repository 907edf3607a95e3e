"""Words that a clinician reads: messages with named places, rendered in the client's language.

A `Message` keeps the English sentence (the gettext msgid) apart from its values, so that cards,
refusals and reasons are translated once, at the edge. Values may be numbers (already rounded as
they should be read), dates, other messages, or text from the record; none of them is trusted:
`cards.py` encodes all of it before it enters Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

import msgspec

_LOCALES = Path(__file__).parent / "locale"
LANGUAGES = ("en", "zh_Hans")
_FOLDERS = {"zh_Hans": "zh_CN"}
_TAGS = {"zh": "zh_Hans", "zh_cn": "zh_Hans", "zh_sg": "zh_Hans", "zh_hans": "zh_Hans", "zh_hans_cn": "zh_Hans"}
_REMEMBERED = 8192  # texts of a language; the program has some thousands
_OWN = frozenset({  # names of people without the s of the genitive
    "Burkitt", "Ewing", "Glasgow", "Hodgkin", "Kaposi", "Langerhans", "Merkel", "Philadelphia", "Waldenstrom", "Wilms",
})  # fmt: skip
UNITS = ("record", "conventional", "si", "both")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MonthOnly(date):
    """The first day of a month of which the day is not known: it orders like a day, and prints as `2026-03`."""

    @property
    def known(self) -> str:
        """What is known of it, as FHIR writes it."""
        return f"{self:%Y-%m}"


class YearOnly(MonthOnly):
    """The first day of a year of which no more is known: it prints as `2026`."""

    @property
    def known(self) -> str:
        """What is known of it, as FHIR writes it."""
        return f"{self:%Y}"


class Message(msgspec.Struct, frozen=True):
    """One translatable sentence or phrase; `str()` gives it in English."""

    text: str
    values: Mapping[str, object] = {}

    def __str__(self) -> str:
        return ENGLISH(self)

    def __hash__(self) -> int:
        return hash(self.text)  # what differs in its values alone is told apart by equality


def msg(text: str, /, **values: object) -> Message:
    """A message from its English text with `{named}` places; `pybabel extract` looks for this name."""
    return Message(text, values)


def inside(name: str) -> str:
    """A name inside a sentence: HbA1c, ACE inhibitors, C-reactive protein, Parkinson's disease keep their letter."""
    first = name.partition(" ")[0]
    plain = first[1:].islower() and first[1:2].isalpha() and not first.endswith("'s") and first not in _OWN
    return name[:1].lower() + name[1:] if plain else name


def signed(number: str) -> str:
    """A printed number, below zero with a minus sign: a hyphen reads as the dash of a range or of a list."""
    return f"\N{MINUS SIGN}{number[1:]}" if number[:1] == "-" else number


def within(label: Message) -> Message:
    """A label inside a sentence."""
    return Message(inside(label.text), label.values)


class InUnits(msgspec.Struct, frozen=True):
    """One value as sites with conventional and as sites with SI units read it. recorded: True if the record has SI."""

    conventional: Message
    si: Message
    recorded: bool = False


class Joined(msgspec.Struct, frozen=True):
    """Several phrases in a row. between: how two of them are put together, a message with `{first}{following}`."""

    between: Message
    items: tuple[Message | str, ...]

    def __str__(self) -> str:
        return ENGLISH.joined(self)


@dataclass(frozen=True)
class Words:
    """Renders messages in one language: `words(message)`. units: of measured values, one of `UNITS`.

    names: phrases without places by their letters in lower case, for a name that begins a sentence or is inside one.
    """

    language: str
    catalogue: NullTranslations
    units: str = "conventional"
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    _templates: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, message: Message | str) -> str:
        if isinstance(message, str):
            return message
        # A card renders hundreds of messages: each text is looked up once, and what is text already not looked at.
        template = self._templates.get(message.text)
        if template is None:
            template = self._template(message.text)
        values = message.values
        said: dict[str, object] | None = None
        for name, value in values.items():
            if type(value) is not str:
                if said is None:
                    said = dict(values)
                said[name] = self(value) if type(value) is Message else self.value(value)
        if said is not None:
            return template.format_map(said)
        return template.format_map(values) if values else template

    def _template(self, text: str) -> str:
        """The text in the language, remembered."""
        template = self.catalogue.gettext(text) if text else ""
        if template == text and self.names:
            template = self.names.get(template.casefold(), template)
        if len(self._templates) >= _REMEMBERED:
            self._templates.clear()  # a text may come from a record: the memory must not grow with them
        self._templates[text] = template
        return template

    def value(self, value: object) -> str:
        """One value as it is read: dates as `6 May 2026`, numbers without noise, messages rendered."""
        if type(value) is Joined:
            return self.joined(value)
        if isinstance(value, Message):
            return self(value)
        if isinstance(value, InUnits):
            return self.measured(value)
        if isinstance(value, datetime):
            day = value.date()
            if isinstance(day, MonthOnly):
                return day.known
            return f"{self.date(day)} {value:%H:%M} {value.tzname() or 'UTC'}"
        if isinstance(value, date):
            return self.date(value)
        if isinstance(value, float):
            return signed(f"{value:.10g}")
        return signed(str(value)) if type(value) is int else str(value)

    def joined(self, value: Joined) -> str:
        """Phrases in a row, parted as the language parts them."""
        template = self._templates.get(value.between.text) or self._template(value.between.text)
        separator = template.format(first="", following="")
        return separator.join([item if type(item) is str else self(item) for item in value.items])

    def measured(self, value: InUnits) -> str:
        """A value in the site's units, or in the record's; where both are wanted, SI stands in brackets."""
        if self.units == "both":
            return f"{self(value.conventional)} ({self(value.si)})"
        in_si = value.recorded if self.units == "record" else self.units == "si"
        return self(value.si if in_si else value.conventional)

    def date(self, day: date) -> str:
        """A calendar day as a clinician writes it, never ambiguous between day and month; a month or year as given."""
        if not isinstance(day, MonthOnly):
            return _day(day, self.language)
        if self.language == "en":
            return day.known
        return f"{day.year}年" if isinstance(day, YearOnly) else f"{day.year}年{day.month}月"


@lru_cache(maxsize=4096)
def _day(day: date, language: str) -> str:
    if language == "en":  # Babel, which says the same, is loaded only where there is something to translate
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    from babel.dates import format_date

    return format_date(day, "medium", locale=language)


@lru_cache(maxsize=len(LANGUAGES) * len(UNITS))
def words(language: str = "en", units: str = "conventional") -> Words:
    """The renderer of one of `LANGUAGES`; an unknown language gives English."""
    if language == "en" or language not in LANGUAGES:
        return Words("en", NullTranslations(), units)
    catalogue, names = _catalogue(language)
    return Words(language, catalogue, units, names)


def language_of(tag: str) -> str | None:
    """The one of `LANGUAGES` that a tag such as `zh-CN` or `en-GB` means; None if it is none of them."""
    plain = tag.strip().replace("-", "_").lower()
    return "en" if plain.partition("_")[0] == "en" else _TAGS.get(plain)


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(name: str) -> tuple[NullTranslations, Mapping[str, str]]:
    """The messages of a language, read from its `.po`: the source is what runs, nothing has to be compiled."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import Translations

    compiled = BytesIO()
    with (_LOCALES / _FOLDERS[name] / "LC_MESSAGES" / "curbside.po").open("rb") as file:
        source = read_po(file, locale=_FOLDERS[name])
    write_mo(compiled, source)
    compiled.seek(0)
    phrases = {str(one.id): str(one.string) for one in source if one.id and one.string}
    names = {text.casefold(): said for text, said in phrases.items() if "{" not in text}
    return Translations(compiled, "curbside"), names


ENGLISH = words("en")
