"""What a stage of chronic kidney disease calls for and the record does not show.

Referral (KDIGO 2012, 5.1.1), the diagnosis on the problem list, an SGLT2 inhibitor, an ACE inhibitor or ARB (KDIGO
2024).
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.feature import MedicationFeature
from cds_service.features.kidney_disease import MODERATE, SEVERE, KidneyDisease
from cds_service.features.medicines_on_record import intolerances
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.kidneys.estimates import EGFR_MODEL, KDIGO_2024, SEVERELY_DECREASED, kfre_reason
from cds_service.kidneys.words import in_words, staged
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Citation

SGLT2_FROM_EGFR, SGLT2_FROM_UACR = 20, 200.0  # mL/min/{1.73_m2}, mg/g
MOST_POTASSIUM = 5.5  # mmol/L, above which no RAS inhibitor is started
RAISED_POTASSIUM = 5.0  # mmol/L, above which NICE (NG203, 2021) does not start one routinely
KDIGO_REFERRAL = Citation(
    "KDIGO 2012 CKD guideline, recommendation 5.1.1 (referral)", "https://doi.org/10.1038/kisup.2012.68"
)


def care(case: Case, found: KidneyDisease | None) -> tuple[Finding, ...]:
    """What the stage calls for and the record does not show: referral, the diagnosis, an SGLT2 or RAS inhibitor."""
    if found is None:
        return ()
    return (*referral(case, found), *diagnosis(case, found), *ras_inhibitor(case, found), *sglt2_inhibitor(case, found))


def referral(case: Case, found: KidneyDisease) -> tuple[Finding, ...]:
    """Severely decreased eGFR, consistently severe albuminuria, or progression."""
    reasons = (*_referral_reasons(found), *kfre_reason(case))
    if not reasons:
        return ()
    what = orders.referral(
        "nephrology-referral", msg("Refer to nephrology"), msg("Referral to nephrology"), "nephrology", "nephrologist"
    )
    offers = orders.offer(case.context, what, "Chronic kidney disease: criteria of referral are met")
    urgent = found.reported < SEVERELY_DECREASED or found.severe
    finding = CareGapFinding(
        key="ckd/nephrology",
        severity=Severity.WARNING if urgent else Severity.INFO,
        headline=msg("{stage}: nephrology referral criteria are met", stage=staged(found)),
        advice=msg(
            "Referral is recommended for: {reasons}. Not needed if a nephrologist follows the patient.",
            reasons=published.listed(reasons),
        ),
        advice_source=KDIGO_REFERRAL,
        proposals=offers,
        quiet=not offers,
        magnitude=1 / found.reported if found.reported else None,  # half the eGFR is twice as bad
        due=in_words(found),
        last_done=None,
        sources=found.sources,
    )
    return (finding,)


def _referral_reasons(found: KidneyDisease) -> Iterator[Message]:
    if found.reported < SEVERELY_DECREASED:
        yield msg("eGFR below 30")
    if found.severe:
        yield msg("albuminuria of 300 mg/g or more, found repeatedly")
    if found.fall is not None:
        share, since = round(100 * found.fall.share), found.fall.since.date()
        yield msg("eGFR {percent}% lower than on {date}", percent=share, date=since)


def diagnosis(case: Case, found: KidneyDisease) -> tuple[Finding, ...]:
    """Values that meet the criterion of chronic kidney disease, which neither it nor a transplant on the list tells."""
    if found.listed or case.values.flag(catalogue.KIDNEY_TRANSPLANT):
        return ()
    since = found.since or found.albuminuria_since
    what = msg("eGFR {egfr}, below 60", egfr=found.reported)
    if found.since is None:
        what = msg("Albuminuria of 30 mg/g or more")
    finding = CareGapFinding(
        key=f"{EGFR_MODEL}/persistently-below-60" if found.since is not None else "ckd/lasting-albuminuria",
        severity=Severity.INFO,
        headline=msg(
            "{what} since {date}: chronic kidney disease {stage} is not on the problem list",
            what=what,
            date=since.date() if since is not None else "",
            stage=found.stage,
        ),
        advice=msg("Look for the cause, stage it with albuminuria, and add it to the problem list."),
        advice_source=KDIGO_2024,
        magnitude=1 / found.reported if found.reported else None,
        due=in_words(found),
        last_done=None,
        sources=found.sources,
    )
    return (finding,)


def sglt2_inhibitor(case: Case, found: KidneyDisease) -> tuple[Finding, ...]:
    """Not on one, from eGFR 20, with type 2 diabetes, heart failure or a UACR of 200 mg/g or more."""
    values = case.values
    reasons = [values.usable(f) for f in (catalogue.DIABETES, catalogue.HEART_FAILURE)]
    present = [r for r in reasons if r is not None and r.value is True]
    why = [r.feature.label for r in present]
    if found.albumin is not None and found.albumin >= SGLT2_FROM_UACR:
        why.append(msg("UACR of 200 mg/g or more"))
    excluded = values.flag(catalogue.TYPE_1_DIABETES) or values.flag(catalogue.KIDNEY_TRANSPLANT)
    if excluded or not why or found.reported < SGLT2_FROM_EGFR or not _open(case, catalogue.SGLT2_INHIBITOR):
        return ()
    finding = CareGapFinding(
        key="ckd/sglt2-inhibitor",
        severity=Severity.INFO,
        headline=msg("{stage}, and no SGLT2 inhibitor on the medication list", stage=staged(found)),
        advice=msg(
            "An SGLT2 inhibitor is recommended from eGFR 20 on, unless it is contraindicated or was not tolerated: "
            "it slows the loss of kidney function and prevents heart failure."
        ),
        advice_source=KDIGO_2024,
        due=msg("Because of: {why}.", why=published.listed(why)),
        last_done=None,
        sources=tuple(dict.fromkeys((*(s for r in present for s in r.sources), *found.sources))),
    )
    return (finding,)


def ras_inhibitor(case: Case, found: KidneyDisease) -> tuple[Finding, ...]:
    """Not on an ACE inhibitor or ARB with severe albuminuria, or with any in diabetes."""
    albumin, values = found.albumin, case.values
    from_ = MODERATE if values.flag(catalogue.DIABETES) else SEVERE
    potassium = values.number(catalogue.POTASSIUM)
    high = potassium is not None and potassium > MOST_POTASSIUM
    if albumin is None or albumin < from_ or high or not _open(case, catalogue.RAS_INHIBITOR):
        return ()
    advice, sources = _about_potassium(case)
    finding = CareGapFinding(
        key="ckd/ras-inhibitor",
        severity=Severity.INFO,
        headline=msg("{stage}, and no ACE inhibitor or ARB on the medication list", stage=staged(found)),
        advice=advice,
        advice_source=KDIGO_2024,
        due=in_words(found),
        last_done=None,
        sources=(*found.sources, *sources),
    )
    return (finding,)


def _about_potassium(case: Case) -> tuple[Message, tuple[str, ...]]:
    """The advice to start an ACE inhibitor or ARB, and what a raised potassium asks for first, with its sources."""
    advice = msg(
        "An ACE inhibitor or ARB is recommended for albuminuria, unless it is contraindicated or was not "
        "tolerated; creatinine and potassium are checked 2 to 4 weeks after the start."
    )
    potassium = case.values.usable(catalogue.POTASSIUM)
    if potassium is None or potassium.effective is None or float(potassium.value) <= RAISED_POTASSIUM:
        return advice, ()
    return (
        msg(
            "{advice} Potassium was {value} on {date}: above {limit} mmol/L it is not started as a routine (NICE "
            "NG203), so bring potassium down first.",
            advice=advice,
            value=published.in_words(potassium),
            date=potassium.effective.date(),
            limit=f"{RAISED_POTASSIUM:.1f}",
        ),
        potassium.sources,
    )


def _open(case: Case, medicine: MedicationFeature) -> bool:
    """True if a medicine is certainly not taken, and no intolerance is on record."""
    return case.values.flag(medicine) is False and not intolerances(case.context.record, medicine)
