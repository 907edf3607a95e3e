"""Anticoagulation in atrial fibrillation at patient-view: by one edition of the score, or by the valve alone.

Silent under an anticoagulant, with one exception: a direct oral anticoagulant with a mechanical heart valve harms.
With a mechanical valve or mitral stenosis points do not decide, and none are counted. What raises the risk of bleeding
and can be corrected is named, as read for HAS-BLED; the number of its points is not shown, for no guideline withholds
an anticoagulant because of it. In hospital the same is said; with palliative care all of it is silent.

Sources: ESC atrial fibrillation guideline 2024 (CHA2DS2-VA; corrects bleeding factors, advises against deciding by a
bleeding score), ACC/AHA/ACCP/HRS guideline 2023 (CHA2DS2-VASc, where a site enables it), ESC/EACTS valve guideline
2025 with the trials RE-ALIGN (dabigatran, doi:10.1056/NEJMoa1300615) and PROACT Xa (apixaban,
doi:10.1056/EVIDoa2300067).
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.api import (
    CareGapFinding,
    Case,
    Citation,
    Contribution,
    Feature,
    FeatureValue,
    Finding,
    Message,
    NotEstimated,
    Proposal,
    Reason,
    Refusal,
    RiskFinding,
    RiskModel,
    Service,
    Severity,
    Topic,
    Unusable,
    catalogue,
    fibrillation,
    intolerances,
    msg,
    orders,
    override_reason,
    published,
    with_list_limits,
)

STROKE_SCORES = ("cha2ds2-vasc", "cha2ds2-va")  # one edition is shown: the first that is on at the site
BLEEDING = "has-bled"
ADULT = 18
ESC_2024 = Citation("2024 ESC atrial fibrillation guidelines", "https://doi.org/10.1093/eurheartj/ehae176")
FIBRILLATION = {
    "cha2ds2-va": ESC_2024,
    "cha2ds2-vasc": Citation(
        "2023 ACC/AHA/ACCP/HRS atrial fibrillation guideline", "https://doi.org/10.1161/CIR.0000000000001193"
    ),
}
VALVES_2025 = Citation(
    "2025 ESC/EACTS valvular heart disease guidelines (read in secondary sources)",
    "https://doi.org/10.1093/eurheartj/ehaf194",
)
IN_PREGNANCY = msg("In pregnancy the choice belongs to a specialist: oral anticoagulants may harm the child.")
ON_DIALYSIS = msg(
    "On dialysis it is not known whether an anticoagulant helps: warfarin or apixaban may be reasonable. Decide with "
    "the patient and the nephrologist, with the risk of bleeding in mind."
)
AFTER_BLEEDING = msg(
    "A major bleeding of the last 3 months is on record: whether and when to start is for those who treat it to decide."
)
# Input of HAS-BLED -> what can be done about it; what cannot be changed (age, a past stroke) is not named.
CORRECTABLE: dict[Feature, Message] = {
    catalogue.SBP: msg("systolic pressure above 160 mmHg: lower it"),
    catalogue.NSAID: msg("an NSAID: stop it if that is possible"),
    catalogue.ANTIPLATELET: msg("an antiplatelet medicine: stop it unless there is a reason of its own for it"),
    catalogue.ALCOHOL_USE_DISORDER: msg("alcohol use disorder: offer help to drink less"),
    catalogue.MAJOR_BLEEDING: msg("a bleeding, or a tendency to bleed, on the problem list: find and treat its cause"),
}


def find(case: Case) -> tuple[Finding, ...]:
    """What the valve demands, else what the score says; then what can be corrected before or under treatment."""
    age = case.values.usable(catalogue.AGE)
    if case.values.flag(catalogue.PALLIATIVE_CARE):
        return ()
    if age is None:  # the score cannot speak, and what a valve demands does not ask for the age
        return valve(case)
    if published.whole_years(age) < ADULT:
        return ()
    main = fibrillation.with_appendage(case, valve(case) or score(case))
    # Advice to start one; that one which is taken harms is an alarm whatever was stopped before it.
    main = with_list_limits(
        case, catalogue.ANTICOAGULANT, main, lambda f: not f.quiet and f.severity < Severity.CRITICAL
    )
    return (*main, *bleeding(case)) if any(not f.quiet for f in main) else main


def valve(case: Case) -> tuple[Finding, ...]:
    """A mechanical valve or mitral stenosis: a vitamin K antagonist, and never a direct oral anticoagulant."""
    mechanical = case.values.usable(catalogue.MECHANICAL_VALVE)
    direct = case.values.usable(catalogue.DIRECT_ORAL_ANTICOAGULANT)
    if mechanical is not None and mechanical.value is True and direct is not None and direct.value is True:
        return (_harmful(mechanical, direct),)
    if not case.values.flag(catalogue.ATRIAL_FIBRILLATION):
        return ()
    for feature in (catalogue.MECHANICAL_VALVE, catalogue.MITRAL_STENOSIS):
        found = case.values.usable(feature)
        if found is not None and found.value is True:
            return _valve_untreated(case, found)
    return ()


def _harmful(mechanical: FeatureValue, direct: FeatureValue) -> Finding:
    return CareGapFinding(
        key="mechanical-valve/direct-oral-anticoagulant",
        severity=Severity.CRITICAL,
        headline=msg("A direct oral anticoagulant is on the medication list, with a mechanical heart valve"),
        advice=msg(
            "With a mechanical valve, direct oral anticoagulants are contraindicated: valves clotted more often in "
            "trials. Change to a vitamin K antagonist without a gap, unless the valve on record is a biological one."
        ),
        advice_source=VALVES_2025,
        due=msg("Read from the problem list and the medication list."),
        last_done=None,
        sources=(*mechanical.sources, *direct.sources),
    )


def _valve_untreated(case: Case, found: FeatureValue) -> tuple[Finding, ...]:
    where = _VALVE_WORDS[found.feature.id]
    if not certainly_untreated(case):
        return (_unknown_with_valve(found, where),) if _unreadable(case) else ()
    mechanical = found.feature is catalogue.MECHANICAL_VALVE
    advice = msg("A vitamin K antagonist is recommended whatever the score: direct oral anticoagulants harm here.")
    if not mechanical:
        advice = msg(
            "With moderate to severe mitral stenosis a vitamin K antagonist is recommended whatever the score. If the "
            "stenosis is mild, the score decides: take it off the list or grade it."
        )
    finding = CareGapFinding(
        key=f"anticoagulation/{found.feature.id}",
        severity=Severity.WARNING,
        headline=msg("Atrial fibrillation with {valve}, and no anticoagulant on the medication list", valve=where),
        advice=IN_PREGNANCY if case.values.flag(catalogue.PREGNANCY) else advice,
        advice_source=VALVES_2025,
        proposals=before_the_start(case),
        due=_intolerance(case) or msg("Points of a stroke score do not count with this valve."),
        last_done=None,
        sources=found.sources,
    )
    return (finding,)


def _unknown_with_valve(found: FeatureValue, where: Message) -> Finding:
    return CareGapFinding(
        key=f"anticoagulation/{found.feature.id}/unknown",
        severity=Severity.INFO,
        headline=msg(
            "Atrial fibrillation with {valve}: is an anticoagulant taken? An entry of the list cannot be read",
            valve=where,
        ),
        advice=msg("Check whether a vitamin K antagonist is taken."),
        advice_source=VALVES_2025,
        due=msg("An entry of the medication list holds neither a code nor a name that can be read."),
        last_done=None,
        sources=found.sources,
    )


_VALVE_WORDS = {
    catalogue.MECHANICAL_VALVE.id: msg("a mechanical heart valve"),
    catalogue.MITRAL_STENOSIS.id: msg("mitral stenosis"),
}


def score(case: Case) -> tuple[Finding, ...]:
    """An anticoagulant from the threshold of the score on; silent if one is taken or no list says."""
    edition = next(id_ for id_ in STROKE_SCORES if id_ in case.results)
    model, result = case.models[edition], case.results[edition]
    unreadable = _unreadable(case)
    if not certainly_untreated(case) and not unreadable:
        return ()
    if isinstance(result, NotEstimated):
        return () if unreadable else _refused(model, result) or fibrillation.closed_on_the_list(case, edition)
    band = result[0].band
    if band is None or band.id == "not-recommended":
        return ()
    treat, points = band.id == "recommended", int(result[0].value)
    if unreadable:
        return (_unknown(case, model, points),) if treat else ()
    advice = msg("Oral anticoagulation should be considered together with the patient.")
    if treat:
        advice = msg(
            "Oral anticoagulation is recommended, a direct oral anticoagulant rather than a vitamin K antagonist. "
            "Correct what raises the risk of bleeding; it is no reason to withhold treatment."
        )
    dialysis = bool(case.values.flag(catalogue.DIALYSIS))
    if dialysis:
        advice, treat = ON_DIALYSIS, False
    if case.values.flag(catalogue.ACTIVE_BLEEDING):
        advice, treat = AFTER_BLEEDING, False
    intolerance = _intolerance(case)
    if intolerance is not None:
        advice = msg("{advice} {intolerance}", advice=advice, intolerance=intolerance)
    finding = RiskFinding(
        key=f"{edition}/points",
        severity=Severity.WARNING if treat else Severity.INFO,
        headline=msg(
            "Atrial fibrillation, {score} {points}, and no anticoagulant on the medication list",
            score=model.title,
            points=points,
        ),
        advice=IN_PREGNANCY if case.values.flag(catalogue.PREGNANCY) else advice,
        advice_source=FIBRILLATION["cha2ds2-vasc" if dialysis else edition],
        proposals=before_the_start(case) if treat else (),
        model=model,
        result=result,
    )
    return (finding,)


def certainly_untreated(case: Case) -> bool:
    """True if the medication list can be read and holds no anticoagulant."""
    return case.values.flag(catalogue.ANTICOAGULANT) is False


def _unreadable(case: Case) -> bool:
    taken = case.values[catalogue.ANTICOAGULANT]
    return isinstance(taken, Unusable) and taken.reason is Reason.UNREADABLE


def _intolerance(case: Case) -> Message | None:
    """That an anticoagulant was not tolerated: it makes the choice, and not the decision."""
    if not intolerances(case.context.record, catalogue.ANTICOAGULANT):
        return None
    return msg("An intolerance to an anticoagulant is on record: choose another one.")


def _refused(model: RiskModel, result: NotEstimated) -> tuple[Finding, ...]:
    """Fibrillation without an anticoagulant, and an input that the score lacks: said, for silence would reassure."""
    if result.refusal is Refusal.NOT_APPLICABLE:
        return ()
    finding = RiskFinding(
        key=f"{model.id}/refused",
        severity=Severity.INFO,
        headline=msg(
            "Atrial fibrillation and no anticoagulant on the medication list; {score} not calculated",
            score=model.title,
        ),
        advice=msg("Complete the record or count the points by hand: whether to treat depends on them."),
        advice_source=FIBRILLATION[model.id],
        model=model,
        result=result,
    )
    return (finding,)


def _unknown(case: Case, model: RiskModel, points: int) -> Finding:
    """Anticoagulation would be recommended, and whether there is one cannot be read."""
    return RiskFinding(
        key=f"{model.id}/anticoagulant-unknown",
        severity=Severity.INFO,
        headline=msg(
            "Atrial fibrillation, {score} {points}: is an anticoagulant taken? An entry of the list cannot be read",
            score=model.title,
            points=points,
        ),
        short_headline=msg("Atrial fibrillation: it cannot be read whether an anticoagulant is taken"),
        advice=msg("Check whether an anticoagulant is taken: from this score on one is recommended."),
        advice_source=FIBRILLATION[model.id],
        model=model,
        result=case.results[model.id],
    )


def before_the_start(case: Case) -> tuple[Proposal, ...]:
    """Creatinine and a blood count, where there is none of the last year: the dose and the safety rest on them."""
    missing = case.values.unusable((catalogue.CREATININE, catalogue.PLATELETS))
    wanted = orders.mending(u for u in missing if u.reason not in orders.UNSEEN)
    reason = msg("Before an anticoagulant is started")
    return tuple(proposal for what in wanted for proposal in orders.offer(case.context, what, reason))


def bleeding(case: Case) -> tuple[Finding, ...]:
    """The correctable factors among the inputs of HAS-BLED; a line that joins the card, never a number of points."""
    result = case.results[BLEEDING]
    if isinstance(result, NotEstimated):
        return ()
    found = list(correctable(result[0].explanation.contributions))
    if not found:
        return ()
    named = published.listed([CORRECTABLE[feature] for feature, _ in found])
    finding = CareGapFinding(
        key="bleeding-factors",
        severity=Severity.INFO,
        headline=msg("What raises the risk of bleeding and can be corrected"),
        due=msg("On record: {factors}. None of it is a reason to withhold an anticoagulant.", factors=named),
        last_done=None,
        sources=tuple(dict.fromkeys(source for _, c in found for source in c.sources)),
        quiet=True,
    )
    return (finding,)


def correctable(contributions: tuple[Contribution, ...]) -> Iterator[tuple[Feature, Contribution]]:
    """The inputs that can be changed, each with the item of the score that it counts in."""
    for feature in CORRECTABLE:
        for item in contributions:
            if item.amount > 0 and feature.id in item.features:
                yield feature, item


service = Service(
    id="af-anticoagulation",
    hook="patient-view",
    title=msg("Anticoagulation in atrial fibrillation"),
    description=msg(
        "Atrial fibrillation without an anticoagulant where one is recommended or to be considered, by CHA2DS2-VA (or "
        "CHA2DS2-VASc, by setting) or because of the heart valve, with what raises the risk of bleeding and can be "
        "corrected; a direct oral anticoagulant with a mechanical heart valve."
    ),
    models=(*STROKE_SCORES, BLEEDING),
    features=(
        catalogue.ANTICOAGULANT,
        catalogue.DIRECT_ORAL_ANTICOAGULANT,
        catalogue.MECHANICAL_VALVE,
        catalogue.DIALYSIS,
        catalogue.ACTIVE_BLEEDING,
        catalogue.MITRAL_STENOSIS,
        catalogue.PLATELETS,
        catalogue.PREGNANCY,
        catalogue.PALLIATIVE_CARE,
        fibrillation.EVER,
    ),
    lists=("procedures", "endedMedications"),
    find=find,
    source=ESC_2024,
    topic=Topic("http://snomed.info/sct", "49436004", "Atrial fibrillation"),
    summary=("problem", "medication", "allergy", "result"),
    reasons=(
        override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),
        override_reason("prefers-alternative", "Patient prefers an alternative approach or treatment"),
    ),
    optional=("labs", "vitalSigns"),  # the score rests on the problem list alone
)
