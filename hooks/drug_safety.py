"""Drug safety at order-select, order-sign, medication-refill and medication-verify.

Each draft is held against the other drafts, the current medicines, the allergies, the problem list, pregnancy, age,
kidney and liver function and potassium, sodium and blood counts. One card a finding; what several sources say about
one matter is one finding that cites them all. A draft or a current medicine that cannot be recognised is said: silence
would look like safety. A kidney limit that `renal-dosing` judges by the dose is left to it, where it answers the same
hook at this site, is not silenced, and has a row for this draft and this kidney function; else it is told here.

Sources: the rows of the knowledge graph (docs/knowledge.md), each with its own citation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import islice

from cds_service.api import (
    Case,
    Citation,
    EvidenceFinding,
    Feature,
    FeatureValue,
    Finding,
    MedicationRequest,
    Message,
    NotEstimated,
    Proposal,
    Reason,
    Service,
    Severity,
    Topic,
    catalogue,
    current_problems,
    drafted,
    msg,
    orders,
    override_reason,
    propose_medicine,
    published,
    renal_limits,
    safety,
)

CLEARANCE, CHILD_PUGH = "cockcroft-gault", "child-pugh"
TESTS: dict[str, Feature] = {
    "test:egfr": catalogue.EGFR,
    "test:creatinine": catalogue.CREATININE,
    "test:potassium": catalogue.POTASSIUM,
    "test:sodium": catalogue.SODIUM,
    "test:platelets": catalogue.PLATELETS,
    "test:hemoglobin": catalogue.HEMOGLOBIN,
    "test:white-cells": catalogue.WBC,
    "test:liver-tests": catalogue.ALT,
    "test:glucose": catalogue.GLUCOSE,
    "test:inr": catalogue.INR,
    "test:age": catalogue.AGE,
}
MODELS = {"test:crcl": CLEARANCE, "test:child-pugh": CHILD_PUGH}
UNITS = {"test:egfr": "mL/min/1.73 m²", "test:crcl": "mL/min"}
KIDNEY = frozenset({"test:egfr", "test:crcl", "test:creatinine"})
ORDER_HOOKS = frozenset({"order-select", "order-sign"})
BY_DOSE = {"order-sign": "renal-dosing", "order-select": "renal-dosing-select"}
ADULT = 18
URGENCY = {"critical": Severity.CRITICAL, "warning": Severity.WARNING, "info": Severity.INFO}
WORDS = {
    "contraindicated": msg("contraindicated"),
    "major": msg("serious"),
    "moderate": msg("caution"),
    "minor": msg("minor"),
}
MOST_ALTERNATIVES = 2
NAMELESS = msg("An entry without a name")
GRAVE = frozenset({"contraindicated", "major"})
VERIFY = "medication-verify"
RECORD_SOURCE = Citation("Curbside's knowledge base", "https://dailymed.nlm.nih.gov/dailymed/")


def find(case: Case) -> tuple[Finding, ...]:
    """What endangers, the most severe first; what is to be measured; what could not be checked."""
    known = safety.medicines(case.context, case.knowledge.terms)
    chosen = [d for d in known.drafts if not case.context.selected or d.reference in case.context.selected]
    rest = [d for d in known.drafts if d not in chosen]
    hits = [*safety.between(case.knowledge, chosen, [*rest, *known.current])]
    present, value = current_problems(case.context.record, case.knowledge.terms.conditions), values(case)
    for draft in chosen:
        hits += safety.allergies(case.knowledge, draft, known.allergies)
        hits += safety.contraindications(case.knowledge, draft, present)
        hits += limits(case, draft, value)
    found = [finding for hit in hits for finding in told(case, hit, known)]
    monitored = [finding for draft in chosen for finding in to_measure(case, draft)]
    unjudged = [finding for draft in chosen for finding in kidney_unknown(case, draft)]
    return (*sorted(found, key=lambda f: -f.severity), *unjudged, *monitored, *unchecked(case, chosen, rest, known))


def values(case: Case) -> Callable[[str], FeatureValue | None]:
    """The patient's value for a test node, from a measurement or from a model's first estimate."""

    def value(test: str) -> FeatureValue | None:
        if test in MODELS:
            result = case.results[MODELS[test]]
            if isinstance(result, NotEstimated):
                return None
            estimate = result[0]
            label = case.models[MODELS[test]].title
            sources = tuple(dict.fromkeys(s for v in estimate.inputs for s in v.sources))
            return FeatureValue(Feature(test, label), estimate.value, estimate.effective, sources)
        return case.values.usable(TESTS[test]) if test in TESTS else None

    return value


def limits(case: Case, draft: safety.Exposure, value: Callable[[str], FeatureValue | None]) -> Iterable[safety.Hit]:
    """Limits that the draft breaks and that are told here; none by an eGFR of which a card says that it is unknown."""
    unknown = any(not finding.quiet for finding in kidney_unknown(case, draft))
    for hit in safety.limits(case.knowledge, draft, value):
        if not (unknown and hit.other == "test:egfr") and not left_to_renal_dosing(case, hit.rows[0], draft):
            yield hit


def left_to_renal_dosing(case: Case, row: safety.Evidence, draft: safety.Exposure) -> bool:
    """True for a row by kidney function that `renal-dosing` judges, by the dose too, in this order here and now."""
    age = case.values.usable(catalogue.AGE)
    if "asks" not in row.properties or BY_DOSE.get(case.context.hook) not in case.beside:
        return False
    if age is None or published.whole_years(age) < ADULT:
        return False
    of = renal_limits.judged_as(row.subject)
    rows = (r for r in case.context.drafts if isinstance(r, MedicationRequest))
    medicines = [m for m in (drafted(case.context.record, r) for r in rows) if m and m.reference == draft.reference]
    return any(medicine.belongs_to(of) for medicine in medicines)


def kidney_unknown(case: Case, draft: safety.Exposure) -> tuple[Finding, ...]:
    """A limit by kidney function that cannot be judged; it opens a card where a creatinine is there but unusable."""
    rows = [r for r in safety.limited(case.knowledge, draft, KIDNEY) if not left_to_renal_dosing(case, r, draft)]
    unusable = case.values.unusable([catalogue.EGFR])
    unsteady = bool(case.values.flag(catalogue.CREATININE_UNSTEADY))
    if not rows or not (unusable or unsteady):
        return ()
    name = case.knowledge.name(draft.nodes[0])
    words = unusable[0].words if unusable else msg("creatinine is not steady")
    quiet = not unsteady and unusable[0].reason in (Reason.ABSENT, Reason.STALE, *orders.UNSEEN)
    wanted = () if quiet else orders.offer(case.context, orders.CREATININE, f"Needed to judge an order of {name}")
    finding = EvidenceFinding(
        key=f"drug-safety/kidney-unknown/{draft.nodes[0].partition(':')[2]}",
        severity=Severity.INFO,
        headline=msg("{drug}: its limit by kidney function was not checked: {why}", drug=_capital(name), why=words),
        short_headline=msg("{drug}: its limit by kidney function was not checked", drug=_capital(name)),
        advice=msg(
            "Know the kidney function before this medicine is given: {limit} with {test} below {value} {unit}.",
            limit=WORDS[rows[0].severity],
            value=rows[0].properties["value"],
            unit=UNITS.get(rows[0].object, "mg/dL"),
            test=msg(_small(case.knowledge.name(rows[0].object))),
        ),
        advice_source=Citation(rows[0].citation, rows[0].url),
        proposals=tuple(wanted),
        quiet=quiet,
        path=(_ordered(case, draft), *_row_steps(case, rows[0])),
    )
    return (finding,)


def told(case: Case, hit: safety.Hit, known: safety.Medicines) -> tuple[Finding, ...]:
    """The finding of one hit, or none where the site wants none of its severity."""
    severity = loudness(case, hit)
    if severity is None:
        return ()
    draft, other = case.knowledge.name(hit.node), case.knowledge.name(hit.other)
    row = hit.rows[0] if hit.rows else None
    headline = worded(hit, draft, other)
    finding = EvidenceFinding(
        key=hit.key,
        severity=severity,
        headline=msg("{headline}. {why}", headline=headline, why=msg(row.statement)) if row is not None else headline,
        short_headline=headline,
        advice=advised(case, hit),
        advice_source=Citation(row.citation, row.url) if row is not None else RECORD_SOURCE,
        proposals=proposals(case, hit, known),
        path=path(case, hit),
    )
    return (finding,)


def loudness(case: Case, hit: safety.Hit) -> Severity | None:
    """By policy; what rests on an allergy is critical only if the record calls the reaction grave."""
    if hit.kind == "duplicate" and not hit.rows:
        return Severity.INFO if case.context.hook in ORDER_HOOKS else None
    if isinstance(hit.against, safety.Allergy):
        same = hit.other == hit.node or hit.other in case.knowledge.terms.above(hit.node)
        if same and hit.against.grave:
            return Severity.CRITICAL
        urgency = case.knowledge.policy.urgency(hit.rows)
        by_rows = URGENCY.get(urgency)
        if by_rows is Severity.CRITICAL and not hit.against.grave:
            by_rows = Severity.WARNING
        return Severity.WARNING if same and hit.other.startswith("drug:") else by_rows
    return URGENCY.get(case.knowledge.policy.urgency(hit.rows))


def worded(hit: safety.Hit, draft: str, other: str) -> Message:
    """One line: the draft, what it meets, how bad it is."""
    grade = WORDS[hit.rows[0].severity] if hit.rows else ""
    drug, against = _capital(draft), msg(other)
    if hit.kind == "duplicate" and not hit.rows:
        return msg("{drug} is on the medication list already: a renewal, or twice?", drug=drug)
    if hit.kind == "duplicate" and hit.node == hit.other:
        return msg("{drug} is in two products at once ({grade})", drug=drug, grade=grade)
    if hit.kind == "duplicate":
        return msg("{drug} with {other}: two of one class ({grade})", drug=drug, other=against, grade=grade)
    if hit.kind == "interaction":
        return msg("{drug} with {other} ({grade})", drug=drug, other=against, grade=grade)
    if hit.kind == "allergy":
        return msg("{drug}: allergy or intolerance on record: {other}", drug=drug, other=against)
    if hit.kind == "limit":
        shown = published.in_words(hit.fact) if hit.fact is not None else ""
        if hit.other in MODELS and hit.fact is not None:
            shown = msg("{value} {unit}", value=round(float(hit.fact.value)), unit=UNITS.get(hit.other, msg("points")))
        return msg("{drug} at {test} {value} ({grade})", drug=drug, test=msg(_small(other)), value=shown, grade=grade)
    return msg("{drug} in {condition} ({grade})", drug=drug, condition=msg(other.lower()), grade=grade)


def advised(case: Case, hit: safety.Hit) -> Message:
    """What to do, and what may be taken instead."""
    if not hit.rows:
        if hit.kind == "allergy":
            return msg("Choose another medicine, or clarify the allergy.")
        return msg("If it is a renewal, end the earlier entry.")
    row = hit.rows[0]
    names = [case.knowledge.name(node) for node in row.alternatives]
    more = [name for name in names if name.lower() not in row.management.lower()]
    if not more:
        return msg("{what}", what=msg(row.management))
    others = published.enumerated([msg(name) for name in more])
    return msg("{what} Alternatives: {others}.", what=msg(row.management), others=others)


def path(case: Case, hit: safety.Hit) -> tuple[tuple[Message, str], ...]:
    """From the order over the record to each row and its publication."""
    steps = [_ordered(case, hit.draft)]
    if isinstance(hit.against, safety.Allergy):
        steps.append((msg("Allergy: {words}", words=hit.against.words), hit.against.reference))
    elif hit.against is not None:
        lead = msg("Also drafted: {words}") if hit.against.draft else msg("Taken: {words}")
        steps.append((msg(lead.text, words=hit.against.words), hit.against.reference))
    if hit.fact is not None:
        shown = msg("On record: {what}", what=hit.fact.feature.label)
        if hit.fact.effective is not None:
            shown = msg("{shown}, {date}", shown=shown, date=hit.fact.effective.date())
        steps.append((shown, ", ".join(hit.fact.sources)))
    return (*steps, *(step for row in hit.rows for step in _row_steps(case, row)))


def _ordered(case: Case, draft: safety.Exposure) -> tuple[Message, str]:
    """The order by the words that the clinician sees; at verification it is no draft any more."""
    words = draft.words or NAMELESS
    if case.context.hook == VERIFY:
        return msg("Order: {words}", words=words), draft.reference
    return msg("Draft order: {words}", words=words), draft.reference


def _row_steps(case: Case, row: safety.Evidence) -> Iterable[tuple[Message, str]]:
    """What one row says, how sure, from which release and publication; a warning if the release is old."""
    source = case.knowledge.graph.by_source[row.source]
    words = msg(
        "{grade}, evidence {level}: {citation}, {year}; {source} of {released}",
        grade=WORDS[row.severity],
        level=row.level or "-",
        citation=row.citation,
        year=row.year,
        source=source.title,
        released=source.released,
    )
    yield words, row.id
    if case.knowledge.policy.is_old(source, case.context.now.date()):
        yield msg("This source is old: check a newer one"), source.id


def proposals(case: Case, hit: safety.Hit, known: safety.Medicines) -> tuple[Proposal, ...]:
    """Change the draft to an alternative that is itself clear, or remove it.

    Where caution is asked for, such as a test, removal is not offered: the two medicines may belong together. Nor at
    medication-verify, where the order is signed already.
    """
    number = hit.draft.reference.partition("/")[2]
    if not number or (hit.kind == "duplicate" and not hit.rows) or case.context.hook == VERIFY:
        return ()
    found = [change for node in _alternatives(case, hit, known) for change in _change(case, hit, node)]
    if hit.rows and hit.rows[0].severity not in GRAVE:
        return tuple(found)
    name = case.knowledge.name(hit.node)
    removal = Proposal(
        key=f"drug-safety/remove/{hit.draft.reference}",
        label=msg("Remove the draft order of {medicine}", medicine=msg(name)),
        description=msg("Deletes the draft, which has not been signed"),
        action="delete",
        resource_id=hit.draft.reference,
        secondary=bool(found),
    )
    return (*found, removal)


def _change(case: Case, hit: safety.Hit, node: str) -> Iterable[Proposal]:
    name, old = case.knowledge.name(node), case.knowledge.name(hit.node)
    reason = f"In place of {old}: {WORDS[hit.rows[0].severity]}"
    yield Proposal(
        key=f"drug-safety/change/{hit.draft.reference}/{node}",
        label=msg("Change {old} to {new}", old=msg(old), new=msg(name)),
        description=msg("Drafts {new} without a dose, for a clinician to complete and sign", new=msg(name)),
        resource=propose_medicine(case.context, name, case.knowledge.rxcui(node), reason),
        replaces=hit.draft.reference,
    )


def _alternatives(case: Case, hit: safety.Hit, known: safety.Medicines) -> Sequence[str]:
    """Drugs that take the draft's place: of its own class where two drugs meet, and with no serious finding."""
    if not hit.rows or not case.context.hook.startswith("order-"):
        return ()
    kin = case.knowledge.terms.above(hit.node) - {hit.node}
    offered = [n for n in hit.rows[0].alternatives if n.startswith("drug:") and n != hit.node]
    if hit.kind in ("interaction", "duplicate"):
        rival = case.knowledge.terms.above(hit.other)
        offered = [n for n in offered if kin & case.knowledge.terms.above(n) - rival]
    if not offered:
        return ()
    present, value = current_problems(case.context.record, case.knowledge.terms.conditions), values(case)
    clear = (n for n in offered if safety.is_clear(case.knowledge, n, hit.draft, known, present, value))
    return list(islice(clear, MOST_ALTERNATIVES))


def to_measure(case: Case, draft: safety.Exposure) -> tuple[Finding, ...]:
    """Tests that the drafted medicine calls for and that are missing or too old; one finding a draft."""
    missing = []
    asked = KIDNEY if any(not finding.quiet for finding in kidney_unknown(case, draft)) else frozenset()
    for row in safety.due(case.knowledge, draft):
        feature = TESTS.get(row.object)
        if feature is None or row.object in asked:  # a card of its own says that kidney function is unknown
            continue
        value = case.values.usable(feature)
        window = timedelta(days=float(row.properties["every_days"]))
        old = value is None or value.effective is None or case.context.now - value.effective > window
        if old and not (value is None and case.values.unusable([feature])[0].reason in orders.UNSEEN):
            missing.append((row, feature))
    if not missing:
        return ()
    name = case.knowledge.name(missing[0][0].subject) if len(draft.nodes) > 1 else case.knowledge.name(draft.nodes[0])
    tests = published.enumerated([msg(case.knowledge.name(row.object).lower()) for row, _ in missing])
    unusable = case.values.unusable([feature for _, feature in missing])
    why = f"While taking {name}"
    offers = {p.key: p for what in orders.mending(unusable) for p in orders.offer(case.context, what, why)}
    drug = _capital(name)
    row = missing[0][0]
    finding = EvidenceFinding(
        key=f"drug-safety/monitoring/{draft.nodes[0].partition(':')[2]}",
        severity=Severity.INFO,
        headline=msg("{drug}: no usable recent value: {tests}", drug=drug, tests=tests),
        short_headline=msg("{drug}: tests that it calls for have no usable recent value", drug=drug),
        advice=msg("{what}", what=msg(row.management)),
        advice_source=Citation(row.citation, row.url),
        proposals=tuple(offers.values()),
        path=(
            _ordered(case, draft),
            *((_said(case, r), r.id) for r, _ in missing),
        ),
    )
    return (finding,)


def unchecked(
    case: Case, chosen: Sequence[safety.Exposure], rest: Sequence[safety.Exposure], known: safety.Medicines
) -> tuple[Finding, ...]:
    """Drafts and current medicines that were not recognised: never an all-clear."""
    found = [_unchecked_draft(case, draft) for draft in safety.unresolved(chosen)]
    others = safety.unresolved([*rest, *known.current])
    if chosen and others:
        path = tuple((msg("Not recognised: {words}", words=e.words or NAMELESS), e.reference) for e in others)
        digest = hashlib.sha256("|".join(sorted(e.words.lower() for e in others)).encode()).hexdigest()[:12]
        many = msg("{count} of the patient's medicines were not recognised and not checked", count=len(others))
        one = msg("{words}: not recognised, and not checked against the order", words=others[0].words or NAMELESS)
        finding = EvidenceFinding(
            key=f"drug-safety/unrecognised/{digest}",
            severity=Severity.INFO,
            headline=one if len(others) == 1 else many,
            short_headline=many if len(others) > 1 else msg("One of the patient's medicines was not recognised"),
            advice=msg("Check these by hand."),
            advice_source=RECORD_SOURCE,
            path=path,
        )
        found.append(finding)
    odd = [a for a in known.allergies if not a.nodes]
    if chosen and odd:
        path = tuple(
            (msg("Allergy not matched to a medicine: {words}", words=a.words or NAMELESS), a.reference) for a in odd
        )
        line = msg("Allergies that name no medicine that is known here")
        found.append(
            EvidenceFinding(key="drug-safety/allergies", severity=Severity.INFO, headline=line, path=path, quiet=True)
        )
    if known.foreign:
        line = msg("{count} of the drafts are for another patient and were not checked", count=known.foreign)
        found.append(EvidenceFinding(key="drug-safety/foreign", severity=Severity.WARNING, headline=line, path=()))
    return tuple(found)


def _unchecked_draft(case: Case, draft: safety.Exposure) -> EvidenceFinding:
    digest = hashlib.sha256(draft.words.lower().encode()).hexdigest()[:12]
    name = draft.words or NAMELESS
    lead = msg("{words}: in part not recognised, so not checked in full", words=name)
    if not draft.nodes:
        lead = msg("{words}: the medicine was not recognised, so nothing was checked", words=name)
    return EvidenceFinding(
        key=f"drug-safety/unrecognised/{digest}",
        severity=Severity.INFO,
        headline=lead,
        short_headline=msg("A draft order was not recognised, so it was not checked"),
        advice=msg("Check interactions, allergies and doses by hand, or order it by a code."),
        advice_source=RECORD_SOURCE,
        path=(_ordered(case, draft),),
    )


def _said(case: Case, row: safety.Evidence) -> Message:
    return msg("{test}: {why}", test=msg(case.knowledge.name(row.object)), why=msg(row.statement))


def _capital(name: str) -> Message:
    """A name as it begins a sentence."""
    return msg(name[:1].upper() + name[1:])


def _small(name: str) -> str:
    """A test's name inside a sentence: `HbA1c` and `Child-Pugh` keep their letters."""
    plain = name.partition(" ")[0][1:].islower()
    return name[:1].lower() + name[1:] if plain else name


def _service(id_: str, hook: str, title: Message) -> Service:
    return Service(
        id=id_,
        hook=hook,
        title=title,
        description=msg(
            "Interactions, duplications, allergies with cross-reactions, contraindications by condition, pregnancy, "
            "age, kidney, liver and laboratory values, and monitoring of drafted medicines, each with its source."
        ),
        models=(CLEARANCE, CHILD_PUGH),
        features=(*TESTS.values(), catalogue.CREATININE_UNSTEADY),
        find=find,
        source=RECORD_SOURCE,
        topic=Topic("http://snomed.info/sct", "410942007", "Drug or medicament"),
        summary=("allergy", "medication", "problem"),
        optional=("labs", "vitalSigns", "answers"),
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
