"""A test in the range of diabetes in somebody without it on the problem list: to confirm, or to write down; and a
glucose so low that a medicine must have caused it.

Sources: ADA Standards of Care in Diabetes 2026, sections 2 and 6 (read in secondary sources).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.feature import FeatureValue, Quantity
from cds_service.features.history import history
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Citation

THREE_YEARS = timedelta(days=3 * 365 + 1)
IN_RANGE = 6.5  # % of HbA1c
FASTING_IN_RANGE = 126.0  # mg/dL
RANDOM_IN_RANGE, VERY_HIGH = 200.0, 300.0  # mg/dL
RECENTLY = timedelta(days=7)
APART = timedelta(days=1)  # between two samples that confirm each other
HBA1C_3_YEARS = catalogue.within(catalogue.HBA1C, THREE_YEARS, "hba1c_3_years")
DIABETES_EVER = replace(catalogue.DIABETES, id="diabetes_ever", ever=True)
MISLEADS = msg("Anaemia, bleeding, kidney failure and changed haemoglobins make HbA1c mislead.")
FASTED = msg("It counts if nothing was eaten for 8 hours.")
ADA_DIAGNOSIS = Citation(
    "ADA Standards of Care in Diabetes 2026, section 2 (read in secondary sources)", "https://doi.org/10.2337/dc26-S002"
)
ADA_6 = Citation(
    "ADA Standards of Care in Diabetes 2026, section 6 (read in secondary sources)", "https://doi.org/10.2337/dc26-S006"
)
SERIOUS_LOW = 54.0  # mg/dL, level 2 of hypoglycaemia
NEWS_FOR = timedelta(days=3)  # an older one was followed by something
READ = (HBA1C_3_YEARS, DIABETES_EVER, catalogue.GLUCOSE, catalogue.FASTING_GLUCOSE)
"""What it reads."""


def undiagnosed(case: Case) -> tuple[Finding, ...]:
    """A test in the range of diabetes: once, to confirm; twice, to write down."""
    return (
        _in_range(case, HBA1C_3_YEARS, IN_RANGE)
        or _in_range(case, catalogue.FASTING_GLUCOSE, FASTING_IN_RANGE)
        or _at_any_time(case)
    )


def _at_any_time(case: Case) -> tuple[Finding, ...]:
    """A glucose that is diabetes with symptoms, whenever something was eaten, and no HbA1c since."""
    glucose, since = case.values.usable(catalogue.GLUCOSE), case.values.usable(HBA1C_3_YEARS)
    if glucose is None or glucose.effective is None or float(glucose.value) < RANDOM_IN_RANGE:
        return ()
    if since is not None and since.effective is not None and since.effective >= glucose.effective:
        return ()
    high = float(glucose.value) >= VERY_HIGH and case.context.now - glucose.effective <= RECENTLY
    offers = orders.offer(case.context, orders.HBA1C, "A glucose in the range of diabetes: confirm")
    finding = CareGapFinding(
        key="diabetes/random-glucose",
        severity=Severity.WARNING if high else Severity.INFO,
        headline=_in_range_words(glucose, [], over=bool(case.values.flag(DIABETES_EVER))),
        advice=msg(
            "With thirst, polyuria or loss of weight it is diabetes. If the patient is unwell, look for ketones now; "
            "else measure HbA1c."
        ),
        advice_source=ADA_DIAGNOSIS,
        proposals=offers,
        quiet=not (high or offers),
        due=msg("From 200 mg/dL (11.1 mmol/L) on, whenever something was eaten."),
        last_done=None,
        sources=glucose.sources,
        magnitude=float(glucose.value),
    )
    return (finding,)


def _in_range(case: Case, test: Quantity, from_: float) -> tuple[Finding, ...]:
    latest = case.values.usable(test)
    if latest is None or float(latest.value) < from_ or latest.effective is None:
        return ()
    earlier = [
        v
        for v in history(case.context.record, test)
        if v.effective is not None and float(v.value) >= from_ and latest.effective - v.effective >= APART
    ]
    over = bool(case.values.flag(DIABETES_EVER))
    confirmed = bool(earlier) and not over
    offers = () if earlier else orders.offer(case.context, orders.HBA1C, "A test in the range of diabetes: confirm")
    finding = CareGapFinding(
        key="diabetes/undiagnosed" if not over else "diabetes/closed-on-the-list",
        severity=Severity.WARNING if confirmed else Severity.INFO,
        headline=_in_range_words(latest, earlier if confirmed else [], over=over),
        advice=_asks(confirmed=confirmed, over=over),
        advice_source=ADA_DIAGNOSIS,
        proposals=offers,
        quiet=not (confirmed or over) and not offers,
        due=_with_list(case, MISLEADS if test is HBA1C_3_YEARS else FASTED),
        last_done=None,
        sources=(*latest.sources, *(earlier[0].sources if confirmed else ())),
        magnitude=float(latest.value),
    )
    return (finding,)


def _with_list(case: Case, remark: Message) -> Message:
    """A remark, and which entries of the problem list could not be read: diabetes may be one of them."""
    listed = case.values.usable(catalogue.DIABETES)
    if listed is None or listed.note is None:
        return remark
    return msg("{remark} {note}.", remark=remark, note=listed.note)


def _in_range_words(latest: FeatureValue, earlier: list[FeatureValue], *, over: bool) -> Message:
    shown = {"test": latest.feature.label, "value": published.in_words(latest)}
    if earlier and earlier[0].effective is not None:
        before, then = published.in_words(earlier[0]), earlier[0].effective.date()
        return msg("{test} {value}, and {before} on {date}: diabetes, which is not on the problem list",
                   before=before, date=then, **shown)  # fmt: skip
    date = latest.effective.date() if latest.effective is not None else None
    if over:
        return msg("{test} {value} on {date}: in the range of diabetes, which is closed on the problem list",
                   date=date, **shown)  # fmt: skip
    return msg("{test} {value} on {date}: in the range of diabetes, which is not on the problem list",
               date=date, **shown)  # fmt: skip


def _asks(*, confirmed: bool, over: bool) -> Message:
    if over:
        return msg("A remission may have ended: repeat the test, and open the entry again if it is confirmed.")
    if confirmed:
        return msg("Two values in the range are diabetes: tell the patient, and add it to the problem list.")
    return msg("One value is no diagnosis without symptoms: repeat it, or measure fasting glucose.")


def hypoglycaemia(case: Case) -> tuple[Finding, ...]:
    """A glucose below 54 mg/dL of the last days under insulin or a sulfonylurea."""
    low, taken = case.values.usable(catalogue.GLUCOSE), case.values.usable(catalogue.HYPOGLYCAEMIC)
    if low is None or low.effective is None or float(low.value) >= SERIOUS_LOW:
        return ()
    if taken is None or taken.value is not True or case.context.now - low.effective > NEWS_FOR:
        return ()
    finding = CareGapFinding(
        key="diabetes/hypoglycaemia",
        severity=Severity.WARNING,
        headline=msg("Glucose {value} on {date} under insulin or a sulfonylurea",
                     value=published.in_words(low), date=low.effective.date()),
        advice=msg(
            "Below 54 mg/dL (3.0 mmol/L) glucose is treated at once. Look for the cause (food, kidney function, "
            "alcohol, other medicines), then lower or stop what caused it; a sulfonylurea acts on for a day and more."
        ),
        advice_source=ADA_6,
        due=msg("Measured {date}.", date=low.effective.date()),
        last_done=None,
        sources=(*low.sources, *taken.sources),
    )  # fmt: skip
    return (finding,)
