"""A potassium that endangers the heart now, whatever the kidney does; where creatinine rises it stands on that card.

Source: UK Kidney Association 2023, treatment of acute hyperkalaemia in adults (moderate 6.0 to 6.4, severe from 6.5
mmol/L; an ECG from 6.0), read in secondary sources.
"""

from __future__ import annotations

from datetime import timedelta

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.latest import is_of_haemolysed
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.language import msg
from cds_service.risk import published
from cds_service.risk.model import Citation

MODERATE, SEVERE = 6.0, 6.5  # mmol/L
NEWS_FOR = timedelta(days=3)  # an older one was followed by something, or is an omission that no alarm mends
RAISING = (catalogue.RAS_INHIBITOR, catalogue.NSAID)
UKKA_2023 = Citation(
    "UK Kidney Association 2023: acute hyperkalaemia in adults (read in secondary sources)",
    "https://www.ukkidney.org/health-professionals/guidelines/treatment-acute-hyperkalaemia-adults",
)


def hyperkalaemia(case: Case) -> tuple[Finding, ...]:
    """A potassium of 6.0 mmol/L or more of the last days."""
    found = case.values.usable(catalogue.POTASSIUM)
    if found is None or found.effective is None or float(found.value) < MODERATE:
        return ()
    if case.context.now - found.effective > NEWS_FOR:
        return ()
    severe = float(found.value) >= SEVERE
    taken = [m for m in map(case.values.usable, RAISING) if m is not None and m.value is True]
    due = msg("Measured {date}.", date=found.effective.date())
    if found.note is not None:
        due = msg("{note}.", note=found.note)
    if taken:
        names = published.enumerated([m.feature.label for m in taken])
        due = msg("{due} On the medication list, to review: {medicines}.", due=due, medicines=names)
    shown = {"value": published.in_words(found), "date": found.effective.date()}
    headline = msg("Potassium {value} on {date}: ECG and repeat now", **shown)
    doubtful = is_of_haemolysed(found)
    if doubtful:
        headline = msg("Potassium {value} on {date} in a haemolysed specimen: repeat now, with an ECG", **shown)
    finding = CareGapFinding(
        key="potassium/severe" if severe else "potassium/moderate",
        severity=Severity.CRITICAL if severe and not doubtful else Severity.WARNING,
        headline=headline,
        advice=msg(
            "Record an ECG, repeat potassium at once, and treat by the local protocol if it is confirmed or the ECG "
            "has changed. Stop what raises it: RAS inhibitors, potassium-sparing diuretics, potassium, trimethoprim, "
            "NSAIDs."
        ),
        advice_source=UKKA_2023,
        proposals=orders.offer(case.context, orders.POTASSIUM, "A high potassium", priority="stat"),
        due=due,
        last_done=None,
        sources=tuple(dict.fromkeys((*found.sources, *(s for m in taken for s in m.sources)))),
        magnitude=float(found.value),
    )  # fmt: skip
    return (finding,)
