"""What became of the home medicines in a stay: new, changed, ordered anew, replaced, on hold, stopped.

A medicine is compared with itself by ingredient, as far as our tables know it, else by its name without strength and
form. FHIR has no time at which an order was stopped: the end of its dosage or period is told where there is one, else
the last change of its entry, and said to be that; where neither is there, that too is said. Doses are called changed
only where both can be counted in mg a day, or their words differ in the strength; else both wordings are told. A
medicine replaces another only where its order names that one's as the prescription before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cds_service.features.doses import dosed_daily_mg
from cds_service.features.medicines_on_record import entered
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import Dosage, MedicationRequest, MedicationStatement
from cds_service.fhir.times import Span, parse
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.summary.facts import MEDICATION, ORDERED, Fact, medicine_name
from cds_service.summary.must import CHANGED_MEDICINE
from cds_service.summary.rows import MAX_NAME, as_known

_LIVE = frozenset({"active", "intended"})
_OLD = "change/old/"
_MOST_OLD = 6  # old entries that one by one may have been stopped by somebody
_MOST_NAMES = 300  # characters
_STILL_TAKEN = timedelta(days=366)  # an ended order without a time of its end is told if it is no older before the stay
_MOST_PRIOR = 5  # prescriptions back from one to another
_AMOUNT = re.compile(
    r"(?i)(?<!\d)(\d+(?:[.,]\d+)?)\s*(?:mg|mcg|ug|µg|g|ml|unt|units?|iu|meq|mmol|hr?|%|毫克|微克|克|毫升|单位)(?![a-z])(?:/\S+)?"
)
_FORM = re.compile(
    r"(?i)\b(tablets?|tabs?|capsules?|caps?|oral|solution|suspension|injection|injectable|extended|delayed|modified"
    r"|prolonged|release|film|coated|dose|doses|pack|prefilled|syringe|pen|product|er|xr|sr|hr|actuat|topical|cream"
    r"|inhalation|inhaler|powder|disintegrating|chewable|for)\b|片|胶囊|注射液|缓释|肠溶|口服|溶液|颗粒"
)  # fmt: skip
_NEW = msg("{medicine}, new in this stay, {date}").text
_REPLACES = msg("{medicine}, new in this stay, {date}, in place of {before}").text
_CHANGED = msg("{medicine}, dose changed in this stay, {date}; before: {before}").text
_ANEW = msg("{medicine}, ordered anew in this stay, {date}; before: {before}").text
_STOPPED = {  # by the status of the entry
    "stopped": msg("{medicine}: stopped").text,
    "completed": msg("{medicine}: completed").text,
}
_ON_HOLD = msg("{medicine}: on hold").text
_UNTIMED = {
    "stopped": msg("{medicine}: stopped, when is not recorded").text,
    "completed": msg("{medicine}: completed, when is not recorded").text,
}
_BRIEF = {
    "stopped": msg("{medicine}: begun and stopped in this stay").text,
    "completed": msg("{medicine}: begun and completed in this stay").text,
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One order or statement.

    ended: by its own period. touched: when the entry was last changed. daily: mg a day. prior: reference of the
    prescription that it takes the place of, empty if it names none.
    """

    key: frozenset[str]
    name: str | Message
    dose: str
    reference: str
    status: str
    begun: Span | None
    ended: Span | None
    touched: Span | None
    daily: float | None
    prior: str

    @property
    def told(self) -> Message:
        """The medicine with its dose."""
        return msg("{name}: {detail}", name=self.name, detail=self.dose) if self.dose else msg("{text}", text=self.name)

    @property
    def regimen(self) -> tuple[tuple[str, ...], str]:
        """Strengths of the name, and the dose in plain words: equal for what is taken in the same way."""
        return tuple(_AMOUNT.findall(str(self.name))), " ".join(self.dose.casefold().rstrip(".。").split())


def changes(record: PatientRecord, since: datetime) -> tuple[Fact, ...]:
    """Each medicine that is not taken as before a stay, once. since: when the stay began."""
    groups: dict[frozenset[str], list[_Entry]] = {}
    for entry in _entries(record):
        groups.setdefault(entry.key, []).append(entry)
    replaced = _replaced(groups, since, record.as_of)
    gone = {id(group) for group in replaced.values()}
    found = [
        fact
        for key, group in groups.items()
        if id(group) not in gone and (fact := _change(group, since, record.as_of, replaced.get(key, ()))) is not None
    ]
    old = [fact for fact in found if fact.key.startswith(_OLD)]
    if len(old) <= _MOST_OLD:
        return tuple(found)
    return (*(fact for fact in found if fact not in old), _together(old))


def _replaced(
    groups: Mapping[frozenset[str], list[_Entry]], since: datetime, now: datetime
) -> dict[frozenset[str], list[_Entry]]:
    """For each medicine that is new in the stay, the entries of the ended home medicine whose place it takes."""
    every = {e.reference: e for group in groups.values() for e in group}
    ended = {key for key, group in groups.items() if _home(group, since) and all(e.status in _STOPPED for e in group)}
    found: dict[frozenset[str], list[_Entry]] = {}
    for key, group in groups.items():
        step = next((e for e in group if _active(e, now)), None)
        for _ in range(_MOST_PRIOR if not _home(group, since) else 0):
            step = every.get(step.prior) if step is not None else None
            if step is not None and step.key in ended:
                found[key] = groups[step.key]
                break
    return found


def _together(old: Sequence[Fact]) -> Fact:
    """Many old entries that were changed in the stay, as a change of system changes all, in one line."""
    names = shorten(", ".join(fact.key.removeprefix(_OLD) for fact in old), _MOST_NAMES)
    text = msg("{count} medicines from over a year before this stay: ended, entries last changed in it: {names}",
               count=len(old), names=names)  # fmt: skip
    references = tuple(dict.fromkeys(reference for fact in old for reference in fact.references))
    return Fact(MEDICATION, text, references, None, key=_OLD, status="stopped", tags=frozenset({CHANGED_MEDICINE}))


def _change(group: Sequence[_Entry], since: datetime, now: datetime, instead_of: Sequence[_Entry]) -> Fact | None:
    """What became of one medicine; None where nothing changed.

    group: its entries, the latest first. instead_of: those of the ended medicine whose place it takes.
    """
    home = _home(group, since)
    within = [e for e in group if e.begun is not None and e.begun.end > since]
    active = [e for e in group if _active(e, now)]
    ordered = [e for e in active if e in within]
    if ordered and instead_of:
        return _instead(ordered[0], _home(instead_of, since)[0], (*group, *instead_of))
    if ordered:
        return _ordered(ordered[0], home, group)
    if active:
        return None
    held = next((e for e in group if e.status == "on-hold"), None)
    if held is not None:
        return _fact(group, _dated(msg(_ON_HOLD, medicine=held.name), held, None), held, "on-hold")
    if home:
        return _stopped(home[0], group, since)
    if within:
        one = within[0]
        text = msg(_BRIEF[one.status], medicine=one.name)
        return _fact(group, _dated(text, one, None), one, one.status, must=False)
    return None


def _home(group: Sequence[_Entry], since: datetime) -> list[_Entry]:
    """The entries that were in force when the stay began."""
    return [e for e in group if (e.begun is None or e.begun.end <= since) and _was_taken(e, since)]


def _instead(new: _Entry, old: _Entry, both: Sequence[_Entry]) -> Fact:
    """A medicine that was ordered in the stay in the place of another."""
    day = as_known(new.begun) if new.begun is not None else msg("no date")
    return _fact(both, msg(_REPLACES, medicine=new.told, date=day, before=old.told), new, "active")


def _ordered(new: _Entry, home: Sequence[_Entry], group: Sequence[_Entry]) -> Fact | None:
    """A medicine that was ordered in the stay and is taken: new, or against what was taken at home."""
    day = as_known(new.begun) if new.begun is not None else msg("no date")
    if not home:
        return _fact(group, msg(_NEW, medicine=new.told, date=day), new, "active")
    old = home[0]
    if new.daily is not None and old.daily is not None:
        same, sure = new.daily == old.daily, True
    else:
        same, sure = new.regimen == old.regimen, new.regimen[0] != old.regimen[0] and new.dose == old.dose
    if same:
        return None
    changed = _CHANGED if sure else _ANEW
    return _fact(group, msg(changed, medicine=new.told, date=day, before=old.told), new, "active")


def _stopped(old: _Entry, group: Sequence[_Entry], since: datetime) -> Fact:
    ended = old.ended if old.ended is not None else old.touched
    known = ended is not None and ended.end > since
    text = msg((_STOPPED if known else _UNTIMED)[old.status], medicine=old.name)
    long_ago = old.ended is None and old.begun is not None and since - old.begun.start > _STILL_TAKEN
    prefix = _OLD if long_ago else "change/"
    return _fact(group, _dated(text, old, ended if known else None), old, old.status, prefix=prefix)


def _dated(text: Message, entry: _Entry, ended: Span | None) -> Message:
    """The line with the day of the end or of the last change, and the day of the order."""
    if ended is not None and entry.ended is not None:
        text = msg("{medicine}, until {date}", medicine=text, date=as_known(ended))
    elif ended is not None:
        text = msg("{medicine}, entry last changed {date}", medicine=text, date=as_known(ended))
    if entry.begun is not None:
        text = msg("{medicine}, prescribed {date}", medicine=text, date=as_known(entry.begun))
    return text


def _fact(
    group: Sequence[_Entry], text: Message, of: _Entry, status: str, *, must: bool = True, prefix: str = "change/"
) -> Fact:
    references = tuple(dict.fromkeys([of.reference, *(e.reference for e in group)]))
    tags = frozenset({CHANGED_MEDICINE}) if must else frozenset[str]()
    time = of.begun.start if of.begun is not None else None
    name = " ".join(sorted(of.key))
    return Fact(MEDICATION, text, references, time, key=f"{prefix}{name}", status=status, tags=tags)


def _active(entry: _Entry, now: datetime) -> bool:
    return entry.status in _LIVE and (entry.ended is None or entry.ended.end >= now)


def _was_taken(entry: _Entry, since: datetime) -> bool:
    """Whether an entry from before the stay was in force when it began."""
    ended = entry.ended if entry.ended is not None else entry.touched
    if entry.status in _LIVE or entry.status == "on-hold":
        return entry.ended is None or entry.ended.end > since
    if ended is not None:
        return ended.end > since
    return entry.begun is None or since - entry.begun.start <= _STILL_TAKEN


def _entries(record: PatientRecord) -> Iterator[_Entry]:
    """Orders and statements that say what is taken, on hold or ended, the latest first."""
    for order in record.rows(MedicationRequest):
        if order.intent in {None, *ORDERED} and not order.do_not_perform:
            yield from _entry(record, order, order.dosage_instruction, _bound(order.dosage_instruction))
    for said in record.rows(MedicationStatement):
        end = parse(said.effective_period.end) if said.effective_period is not None else None
        yield from _entry(record, said, said.dosage, end)


def _entry(
    record: PatientRecord, row: MedicationRequest | MedicationStatement, dosages: Sequence[Dosage], ended: Span | None
) -> Iterator[_Entry]:
    medicine = entered(record, row)
    status = row.status or ""
    if medicine is None or status not in {*_LIVE, "on-hold", *_STOPPED}:
        return
    words = medicine_name(record, row) or medicine.label or ""
    key = _same(words, medicine.names) if words else frozenset({record.reference(row)})
    names = medicine.names or key
    told = next((" ".join(d.text.split()) for d in dosages if d.text), "")
    touched = parse(row.meta.last_updated) if row.meta is not None else None
    yield _Entry(
        key,
        words or msg("an entry without a name"),
        shorten(told, MAX_NAME) if told else "",
        record.reference(row),
        status,
        record.date_of(row),
        ended if ended is None or not ended.after(record.as_of) or status in _LIVE else None,
        touched,
        dosed_daily_mg(dosages, words, tuple(names)) if len(names) == 1 else None,
        _prior(record, row),
    )


def _prior(record: PatientRecord, row: MedicationRequest | MedicationStatement) -> str:
    """Reference of the prescription that an order names as the one before it; empty if there is none here."""
    named = record.resolve(row.prior_prescription, row) if isinstance(row, MedicationRequest) else None
    return record.reference(named) if isinstance(named, MedicationRequest) else ""


def _same(words: str, names: Iterable[str]) -> frozenset[str]:
    """What is equal for entries of one medicine: its ingredients, or its name without strength and form."""
    known = frozenset(names)
    parts = frozenset(bare for part in re.split(r"[/+]", words) if (bare := _bare(part)))
    return known if known and len(parts) <= len(known) and "insulin" not in known else parts


def _bare(part: str) -> str:
    return " ".join(re.sub(r"[\d.,()\[\]-]+", " ", _FORM.sub(" ", _AMOUNT.sub(" ", part))).casefold().split())


def _bound(dosages: Sequence[Dosage]) -> Span | None:
    """The day on which a dosage is to end, if it says so."""
    for dosage in dosages:
        repeat: Any = dosage.timing.get("repeat") if isinstance(dosage.timing, dict) else None
        period = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
        end = period.get("end") if isinstance(period, dict) else None
        if isinstance(end, str) and (span := parse(end)) is not None:
            return span
    return None
