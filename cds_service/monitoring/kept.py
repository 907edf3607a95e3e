"""Counts and alarms as JSON: for the store, for a file, and back; months that the store has pruned are kept in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from cds_service.errors import InputError
from cds_service.monitoring.counting import Month
from cds_service.monitoring.rung import Alarm


@dataclass(frozen=True, slots=True)
class Monitored:
    """One run: the months, and what rang."""

    months: dict[str, Month] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()


_DECODER = msgspec.json.Decoder(Monitored)
_ENCODER = msgspec.json.Encoder()


def to_json(run: Monitored) -> bytes:
    """The run as JSON; nothing in it tells of a patient."""
    return _ENCODER.encode(run)


def from_json(body: bytes) -> Monitored:
    """The run that `to_json` wrote. Raises InputError."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError("the kept counts cannot be read by this version of Curbside. Run curbside monitor.") from error


def merged(before: Mapping[str, Month], now: Mapping[str, Month]) -> dict[str, Month]:
    """The months of now, and those of an earlier run whose assessments are no longer (all) kept."""
    found = dict(now)
    first = min(now, default="9999-99")
    for name, month in before.items():
        if name < first or (name == first and month.calls > found[name].calls):
            found[name] = month
    return dict(sorted(found.items()))


def judged_before(before: Mapping[str, Month], now: Mapping[str, Month]) -> dict[str, Month]:
    """The months of now with the judged estimates of an earlier run, for a run that was given no outcomes."""
    return {name: replace(m, judged=before[name].judged) if name in before else m for name, m in now.items()}
