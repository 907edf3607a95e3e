"""Drug safety at order-select, order-sign, medication-refill and medication-verify.

Each draft is held against the other drafts, the current medicines and those on hold, the allergies, the problem list,
pregnancy, age, kidney and liver function and potassium, sodium and blood counts. One card a finding; what several
sources say about one matter is one finding that cites them all. A draft or a current medicine that cannot be recognised
is said: silence would look like safety. A kidney limit that `renal-dosing` judges by the dose is left to it, where it
answers the same hook at this site, is not silenced, and recognises the medicine; else it is told here.
`cds_service/drug_findings` words the findings.

Sources: the rows of the knowledge graph (docs/knowledge.md), each with its own citation.
"""

from __future__ import annotations

from cds_service.api import (
    Case,
    Finding,
    Message,
    Service,
    Severity,
    Topic,
    catalogue,
    current_problems,
    drug_findings,
    msg,
    override_reason,
    safety,
)


def find(case: Case) -> tuple[Finding, ...]:
    """What endangers, the most severe first; what is to be measured; what could not be checked."""
    known = safety.medicines(case.context, case.knowledge.terms)
    chosen = [d for d in known.drafts if not case.context.selected or d.reference in case.context.selected]
    rest = [d for d in known.drafts if d not in chosen]
    hits = [*safety.between(case.knowledge, chosen, [*rest, *known.current, *known.held])]
    present, value = current_problems(case.context.record, case.knowledge.terms.conditions), drug_findings.values(case)
    for draft in chosen:
        hits += safety.allergies(case.knowledge, draft, known.allergies)
        hits += safety.contraindications(case.knowledge, draft, present)
        hits += drug_findings.limits(case, draft, value)
    told = [(hit.draft, finding) for hit in hits for finding in drug_findings.told(case, hit, known)]
    told += [(draft, finding) for draft in chosen for finding in drug_findings.rules(case, draft, known)]
    # What is not to be given needs no tests while it is given.
    given = [d for d in chosen if not any(d is draft and f.severity is Severity.CRITICAL for draft, f in told)]
    found = drug_findings.once(case, told)
    comfort = bool(case.values.flag(catalogue.COMFORT_CARE))  # there nothing is measured to prevent what is far away
    monitored = [] if comfort else [(draft, f) for draft in given for f in drug_findings.to_measure(case, draft)]
    asked = [(draft, finding) for draft in chosen for finding in drug_findings.childbearing(case, draft)]
    unjudged = [(draft, finding) for draft in given for finding in drug_findings.kidney_unknown(case, draft)]
    return (
        *sorted(found, key=lambda f: -f.severity),
        *drug_findings.once(case, [*asked, *unjudged, *monitored]),
        *drug_findings.unchecked(case, chosen, rest, known),
    )


def _service(id_: str, hook: str, title: Message) -> Service:
    return Service(
        id=id_,
        hook=hook,
        title=title,
        description=msg(
            "Interactions, duplications, allergies with cross-reactions, contraindications by condition, pregnancy, "
            "age, kidney, liver and laboratory values, and monitoring of drafted medicines, each with its source."
        ),
        models=(drug_findings.CLEARANCE, drug_findings.CHILD_PUGH),
        features=(
            *drug_findings.TESTS.values(),
            catalogue.CREATININE_UNSTEADY,
            catalogue.MECHANICAL_VALVE,  # conditions that a Procedure may tell of
            catalogue.KIDNEY_TRANSPLANT,
            catalogue.DIALYSIS,
            catalogue.PREGNANCY,
            drug_findings.PREGNANCY_LISTED,
            catalogue.SEX,
            catalogue.HEIGHT,
            drug_findings.NO_MORE,
            catalogue.COMFORT_CARE,
            catalogue.CANCER,
        ),
        find=find,
        source=drug_findings.RECORD_SOURCE,
        topic=Topic("http://snomed.info/sct", "410942007", "Drug or medicament"),
        summary=("allergy", "medication", "problem"),
        optional=("allergies", "labs", "vitalSigns", "answers"),  # never silent without them
        lists=("endedMedications",),  # what was stopped because it harmed
        reasons=(
            override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),
            override_reason("action-unsuccessful", "Recommended action was previously unsuccessful"),
        ),
        knowledge=True,
        apart=True,
    )


sign = _service("drug-safety", "order-sign", msg("Drug safety"))
select = _service("drug-safety-select", "order-select", msg("Drug safety while ordering"))
refill = _service("drug-safety-refill", "medication-refill", msg("Drug safety at a refill"))
verify = _service("drug-safety-verify", "medication-verify", msg("Drug safety at verification"))
