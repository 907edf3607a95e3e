"""The latest `curbside monitor` as a page: what rings, who is silent, services, units, models, inputs; no patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cds_service.language import msg
from cds_service.monitoring import Alarm, Counts, Monitored, Month, binned, psi
from cds_service.monitoring.chance import quantile, together
from cds_service.settings import Monitoring
from cds_service.stores.fallen_back import FallenBack
from cds_service.web.app.charts import Chart, Pair, by_month, oe_limits, spread

_OLD = timedelta(days=2)
_FEW = 5  # answers or judged estimates of a month below which no share is drawn


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service: its charts, the latest month, and units. reasons: of overrides, the most frequent first."""

    id: str
    charts: tuple[Chart, ...]
    last: Counts
    units: tuple[tuple[str, Counts], ...]
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class EstimateView:
    """One kind of estimates: shares of the latest month beside those before, and their shift (PSI; None: too few)."""

    name: str
    pairs: tuple[Pair, ...]
    psi: float | None
    n: int


@dataclass(frozen=True, slots=True)
class InputView:
    """One input in the latest month beside those before. missing, was_missing: shares; None where nothing was asked."""

    name: str
    n: int
    missing: float | None
    was_missing: float | None
    psi: float | None
    rings: bool


@dataclass(frozen=True, slots=True)
class MonitoredView:
    """All of the page. at: of the run. old: it is more than two days ago."""

    at: datetime
    old: bool
    month: str
    alarms: tuple[Alarm, ...]
    silent: tuple[FallenBack, ...]
    services: tuple[ServiceView, ...]
    calibration: tuple[Chart, ...]
    estimates: tuple[EstimateView, ...]
    inputs: tuple[InputView, ...]
    told: Chart | None


def view(
    run: Monitored, at: datetime, now: datetime, silent: Sequence[FallenBack], limits: Monitoring
) -> MonitoredView | None:
    """What the page shows of a run; None if nothing was counted."""
    names = list(run.months)
    if not names:
        return None
    last, earlier = run.months[names[-1]], [run.months[name] for name in names[:-1]]
    services = sorted({service for month in run.months.values() for service in month.units})
    told = by_month(
        msg("Sentences of the language model that the record supports, %"),
        [
            (n, _share(m.told.get("kept", 0), m.told.get("kept", 0) + m.told.get("dropped", 0)))
            for n, m in run.months.items()
        ],
        limits=((f"{100 * limits.kept_share:.0f}", 100 * limits.kept_share),),
    )
    return MonitoredView(
        at,
        now - at > _OLD,
        names[-1],
        run.alarms,
        tuple(silent),
        tuple(_service(id_, run.months, limits) for id_ in services),
        tuple(_calibration(run.months, limits)),
        tuple(_estimates(last, earlier, limits)),
        tuple(_inputs(last, earlier, run.alarms, limits)),
        told,
    )


def _share(part: int, whole: int, least: int = 1) -> float | None:
    """Of a hundred; None if there are too few."""
    return 100 * part / whole if whole >= least else None


def _service(id_: str, months: Mapping[str, Month], limits: Monitoring) -> ServiceView:
    found = {name: month.services().get(id_, Counts()) for name, month in months.items()}
    charts = (
        by_month(msg("Calls"), [(name, counts.calls) for name, counts in found.items()]),
        by_month(
            msg("Cards per 100 calls"),
            [(name, _share(c.with_cards, c.calls)) for name, c in found.items()],
            form="{:.2g}",
        ),
        by_month(
            msg("Overridden, % of the answers"),
            [(name, _share(c.answers.get("overridden", 0), c.answered, _FEW)) for name, c in found.items()],
            limits=((f"{100 * limits.overridden:.0f}", 100 * limits.overridden),),
        ),
        by_month(
            msg("Milliseconds in which 95 of 100 answers were there"),
            [(name, quantile(c.ms, 0.95) if c.ms else None) for name, c in found.items()],
        ),
    )
    units: dict[str, Counts] = {}
    total = Counts()
    for month in months.values():
        for unit, counts in month.units.get(id_, {}).items():
            units.setdefault(unit, Counts()).add(counts)
            total.add(counts)
    reasons = tuple(sorted(total.reasons.items(), key=lambda pair: (-pair[1], pair[0])))
    last = found[max(found)]
    return ServiceView(id_, tuple(c for c in charts if c is not None), last, tuple(sorted(units.items())), reasons)


def _calibration(months: Mapping[str, Month], limits: Monitoring) -> list[Chart]:
    keys = sorted({key for month in months.values() for key in month.judged})
    charts = []
    for key in keys:
        values = [
            (name, j.observed / j.expected if (j := month.judged.get(key)) and j.n >= _FEW and j.expected > 0 else None)
            for name, month in months.items()
        ]
        title = msg("Observed over expected: {what}", what=key)
        made = by_month(title, values, form="{:.2f}", limits=oe_limits(limits.oe_low, limits.oe_high), dots=True)
        charts += [made] if made is not None else []
    return charts


def _estimates(last: Month, earlier: Sequence[Month], limits: Monitoring) -> list[EstimateView]:
    found = []
    for name, now in sorted(last.estimates.items()):
        before = together(month.estimates.get(name, {}) for month in earlier)
        found.append(EstimateView(name, spread(before, now), _psi(before, now, limits), sum(now.values())))
    return found


def _psi(before: Mapping[float, int], now: Mapping[float, int], limits: Monitoring) -> float | None:
    enough = min(sum(before.values()), sum(now.values())) >= limits.least
    return psi(*binned(before, now)) if enough else None


def _inputs(last: Month, earlier: Sequence[Month], alarms: Sequence[Alarm], limits: Monitoring) -> list[InputView]:
    ringing = {alarm.what for alarm in alarms if alarm.kind in ("psi", "missing")}
    found = []
    for name in sorted({*last.inputs, *last.words, *last.missing}):
        now, gone = last.inputs.get(name, {}), last.missing.get(name, 0)
        before = together(month.inputs.get(name, {}) for month in earlier)
        said, was_said = last.words.get(name, {}), together(month.words.get(name, {}) for month in earlier)
        was_gone = sum(month.missing.get(name, 0) for month in earlier)
        n = sum(now.values()) + sum(said.values()) + gone
        was_n = sum(before.values()) + sum(was_said.values()) + was_gone
        shares = (gone / n if n else None, was_gone / was_n if was_n else None)
        shift = _psi(before, now, limits)
        if shift is None and min(sum(said.values()), sum(was_said.values())) >= limits.least:
            shift = psi(was_said, said)
        found.append(InputView(name, n, *shares, shift, name in ringing))
    return sorted(found, key=lambda one: (not one.rings, -(one.psi or 0), one.name))
