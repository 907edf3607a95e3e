"""Counts of half a year for the pages that show them: two services in three units, a drift, an alarm of each kind."""

from __future__ import annotations

import random
from collections import Counter

from cds_service.monitoring import Counts, Judged, Monitored, Month, alarms, digits
from cds_service.settings import Monitoring

UNITS = ("Ward 3 West", "Emergency department", "")


def example() -> Monitored:
    """Six months; in the last one a laboratory's values moved, an input is missing, and more died than expected."""
    draw = random.Random(7)
    months = {f"2026-{number:02}": _month(draw, last=number == 10) for number in range(5, 11)}
    return Monitored(months, tuple(alarms(months, Monitoring())))


def _month(draw: random.Random, *, last: bool) -> Month:
    month = Month()
    for service in ("prognosis", "drug-safety"):
        for unit in UNITS:
            calls = draw.randint(150, 400)
            shown, over = calls // 12, calls // 20
            reasons = Counter({"not relevant": over // 2, "patient refused": over // 3})
            ms = Counter(
                digits(draw.gauss(60, 15) + (1500 if last and draw.random() < 0.1 else 0)) for _ in range(calls)
            )
            answers = Counter({"accepted": shown - over if shown > over else 2, "overridden": over})
            month.units.setdefault(service, {})[unit] = Counts(
                calls, shown, calls // 30, answers, reasons, ms, patients=calls, shown=shown
            )
    month.inputs["prognosis/sbp"] = Counter(digits(draw.gauss(130 + 20 * last, 15)) for _ in range(600))
    month.inputs["prognosis/creatinine"] = Counter(digits(draw.gauss(1.1, 0.2)) for _ in range(300 if last else 580))
    month.missing = Counter({"prognosis/creatinine": 300 if last else 20, "prognosis/sbp": 4})
    month.estimates["mortality/death/5"] = Counter(digits(draw.betavariate(2 + 2 * last, 9)) for _ in range(600))
    month.judged["mortality/death/5 1.0.0 for death-5y"] = Judged("mortality", "1.0.0", 150, 30.0, 70 if last else 31)
    month.told = Counter({"kept": 180 if last else 280, "dropped": 120 if last else 11, "put_back": 3})
    return month
