"""Preventive care at patient-view: screening and vaccinations that guidelines recommend and the record does not show.

One card, silent where palliative care, metastases, a cancer that is new or under treatment or a hospital stay make such
care untimely, for what is done, for what is ordered and for what was ordered not to be done. With dementia only
vaccinations are told: they help within the year. What the patient
declined is said with its date and not asked again for a year, a seasonal vaccine for the season. Only what the supplied
lists could show counts as missing.

Sources: `base/preventive.tsv` of the knowledge graph: USPSTF grades A and B, and ACIP's schedule for adults.
"""

from __future__ import annotations

from dataclasses import replace

from cds_service.api import (
    CareGapFinding,
    Case,
    Citation,
    FeatureValue,
    Finding,
    Message,
    Service,
    ServiceRequest,
    Severity,
    Topic,
    catalogue,
    current_problems,
    msg,
    orders,
    override_reason,
    prevention,
    preventive,
    published,
)

ADULT = 18
EVER_SMOKED = {
    "current": msg("For {population} who ever smoked; recorded as a current smoker on {date}.").text,
    "former": msg("For {population} who ever smoked; recorded as a former smoker on {date}.").text,
}
SOURCE = Citation("USPSTF recommendations, grades A and B", "https://www.uspreventiveservicestaskforce.org/")


def find(case: Case) -> tuple[Finding, ...]:
    """One finding an action that is due."""
    age = case.values.usable(catalogue.AGE)
    listed = case.values.flag(catalogue.PALLIATIVE_CARE) is not None
    if age is None or not listed or case.context.record.deceased or prevention.untimely(case.values):
        return ()
    if case.values.flag(catalogue.IN_HOSPITAL):
        return ()
    years = published.whole_years(age)
    if years < ADULT:
        return ()
    present = current_problems(case.context.record, case.knowledge.terms.conditions)
    smoked = case.values.text(catalogue.SMOKING) in ("current", "former")
    found = preventive.due(case.context.record, case.context.now, years, present, smoked)
    vaccines_alone = bool(case.values.flag(catalogue.DEMENTIA))
    findings = [f for due in found if due.rule.cvx or not vaccines_alone for f in told(case, due)]
    return (*_counted([f for f in findings if not f.quiet]), *(f for f in findings if f.quiet))


_KINDS = {
    "aaa": orders.imaging,
    "breast": orders.imaging,
    "colorectal": orders.screening,
    "osteoporosis": orders.imaging,
}


def _counted(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings; the first, which names the card, says how many stand behind it."""
    if len(findings) < 2:
        return tuple(findings)
    first, more = findings[0], len(findings) - 1
    words = msg("{first}; {count} more preventive items", first=first.headline, count=more)
    if more == 1:
        words = msg("{first}; one more preventive item", first=first.headline)
    return (replace(first, headline=words, short_headline=first.headline), *findings[1:])


def told(case: Case, due: preventive.Due) -> tuple[Finding, ...]:
    """The finding of one action, or none where it is ordered, or was ordered not to be done."""
    rule = due.rule
    words = tuple(dict.fromkeys(word for way in preventive.rules() if way.action == rule.action for word in way.words))
    loinc = tuple(sorted({code for way in preventive.rules() if way.action == rule.action for code in way.loinc}))
    order = orders.therapy if rule.cvx else _KINDS.get(rule.id, orders.laboratory)
    what = order(rule.id, msg("Order: {what}", what=msg(rule.order)), msg(rule.order), rule.order.lower(), *words)
    if _declined(case, words):
        return ()
    if due.rests and due.declined is not None:
        return (_resting(case, due, due.declined),)
    offers = () if _ordered(case, loinc) else orders.offer(case.context, what, "Recommended for prevention")
    if not offers:
        return ()
    (row,) = case.knowledge.graph.row(f"curbside/preventive/{rule.id}")
    smoking = case.values.usable(catalogue.SMOKING) if rule.only_if == preventive.SMOKED else None
    known = smoking or due.because
    finding = CareGapFinding(
        key=f"preventive-care/{rule.id}",
        severity=Severity.INFO,
        headline=_headline(due),
        advice=msg("{what} USPSTF grade: {grade}.", what=msg(row.statement), grade=rule.grade)
        if len(rule.grade) == 1
        else msg("{what}", what=msg(row.statement)),
        advice_source=Citation(row.citation, row.url),
        proposals=offers,
        due=_for(due, smoking),
        last_done=due.done.last,
        sources=(*(known.sources if known is not None else ()), *due.done.references[-3:]),
    )
    return (finding,)


def _for(due: preventive.Due, smoking: FeatureValue | None) -> Message:
    """Whom the guideline means, and what of the record says so: smoking (None elsewhere), or a condition."""
    rule = due.rule
    if due.because is not None:
        shown = {"population": preventive.population(rule), "condition": due.because.feature.label}
        return msg("For {population}; on the problem list: {condition}.", **shown)
    if smoking is None or smoking.effective is None:
        return msg("For {population}.", population=preventive.population(rule))
    text = EVER_SMOKED[str(smoking.value)]
    return msg(text, population=preventive.population(rule), date=smoking.effective.date())


def _resting(case: Case, due: preventive.Due, declined: preventive.Declined) -> Finding:
    """What the patient declined lately: a line on a card that something else opens, and nothing to order."""
    (row,) = case.knowledge.graph.row(f"curbside/preventive/{due.rule.id}")
    words = msg("{action}: declined on {date}", action=msg(due.rule.action), date=declined.on)
    until = msg("It is not asked again for a year.")
    if due.rule.seasonal:
        until = msg("It is not asked again this season.")
    return CareGapFinding(
        key=f"preventive-care/{due.rule.id}",
        severity=Severity.INFO,
        headline=words,
        advice=until,
        advice_source=Citation(row.citation, row.url),
        due=msg("For {population}.", population=preventive.population(due.rule)),
        last_done=due.done.last,
        sources=(declined.reference,),
        quiet=True,
    )


def _headline(due: preventive.Due) -> Message:
    if due.declined is not None:
        return msg("{action}: declined on {date}, to be asked again", action=msg(due.rule.action), date=due.declined.on)
    if due.done.last is None:
        return msg("{action}: none on record", action=msg(due.rule.action))
    if due.done.times < due.rule.times:
        return msg("{action}: dose {number} is due", action=msg(due.rule.action), number=due.done.times + 1)
    return msg("{action}: last on record {date}", action=msg(due.rule.action), date=due.done.last)


def _requests(case: Case) -> list[tuple[ServiceRequest, str]]:
    rows = case.context.record.rows(ServiceRequest)
    texts = [((row.code.text or "") if row.code else "", row) for row in rows]
    return [(row, text.lower()) for text, row in texts]


def _declined(case: Case, words: tuple[str, ...]) -> bool:
    return any(row.do_not_perform and any(word in text for word in words) for row, text in _requests(case))


def _ordered(case: Case, loinc: tuple[str, ...]) -> bool:
    named = orders.therapy("same", msg("same"), msg("same"))
    same = orders.Orderable("same", named.label, named.order, same=loinc)
    return bool(loinc) and orders.pending(case.context, same)


service = Service(
    id="preventive-care",
    hook="patient-view",
    title=msg("Preventive care"),
    description=msg(
        "Common screening and vaccinations that US guidelines (USPSTF, ACIP) recommend for adults of this age "
        "and sex and that the record does not show as done or ordered."
    ),
    models=(),
    features=(
        *prevention.NEEDED,
        catalogue.DEMENTIA,
        catalogue.IN_HOSPITAL,
        catalogue.AGE,
        catalogue.SEX,
        catalogue.SMOKING,
        preventive.RESULTS,
    ),
    find=find,
    source=SOURCE,
    topic=Topic("http://snomed.info/sct", "169443000", "Preventive procedure"),
    summary=("problem", "allergy"),
    optional=("answers", "procedures", "immunizations", "screenings"),
    lists=("procedures", "immunizations"),
    reasons=(override_reason("prefers-alternative", "Patient prefers an alternative approach or treatment"),),
    knowledge=True,
)
