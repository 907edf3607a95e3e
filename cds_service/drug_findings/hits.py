"""The finding of what evidence says of a draft: how loud, in which words, what to do, and by which path."""

from __future__ import annotations

from cds_service.drug_findings import doubled
from cds_service.drug_findings.contrast import with_metformin
from cds_service.drug_findings.limits import MODELS, UNITS
from cds_service.drug_findings.proposals import proposals
from cds_service.drug_findings.steps import RECORD_SOURCE, WORDS, capital, ordered, row_steps
from cds_service.features import catalogue
from cds_service.features.doses import given_once
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.language import Message, inside, msg
from cds_service.markdown import shorten
from cds_service.risk import published
from cds_service.risk.model import Citation

ORDER_HOOKS = frozenset({"order-select", "order-sign"})
URGENCY = {"critical": Severity.CRITICAL, "warning": Severity.WARNING, "info": Severity.INFO}
MAX_REACTION = 60  # characters of a reaction in a headline


def told(case: Case, hit: safety.Hit, known: safety.Medicines) -> tuple[Finding, ...]:
    """The finding of one hit, or none where the site wants none of its severity."""
    severity = loudness(case, hit)
    if severity is None:
        return ()
    draft, other = case.knowledge.name(hit.node), case.knowledge.name(hit.other)
    row = hit.rows[0] if hit.rows else None
    doubt = doubtful(hit)
    eased = bool(case.values.flag(catalogue.COMFORT_CARE)) and _in_comfort_care(hit) is not None
    headline = doubled.headline(case, hit) if hit.ordered_twice else worded(case, hit, draft, other)
    itself = hit.kind == "allergy" and hit.other == hit.node  # nothing has to cross-react
    said = headline
    if row is not None and not itself:
        said = msg("{headline}. {why}", headline=headline, why=msg(row.statement))
    if doubt is not None:
        said = headline = msg("{drug} in {condition}: does the entry of the problem list still hold?",
                              drug=capital(draft), condition=msg(inside(other)))  # fmt: skip
    finding = EvidenceFinding(
        key=hit.key,
        severity=severity,
        headline=said,
        short_headline=headline,
        advice=advised(case, hit) if doubt is None else msg("{what}.", what=doubt),
        advice_source=Citation(row.citation, row.url) if row is not None else RECORD_SOURCE,
        proposals=proposals(case, hit, known) if doubt is None and not eased else (),
        path=path(case, hit),
    )
    return (finding,)


def doubtful(hit: safety.Hit) -> Message | None:
    """Why the condition of the record may be over though its entry is active, such as a pregnancy of years ago."""
    return hit.fact.note if hit.kind == "contraindication" and hit.fact is not None else None


def loudness(case: Case, hit: safety.Hit) -> Severity | None:
    """By policy; a step lower against what is on hold, perhaps for this very reason, or what follows the other."""
    severity = _loudness(case, hit)
    return Severity(max(severity - 1, 0)) if severity is not None and (hit.held or hit.in_turn) else severity


def _loudness(case: Case, hit: safety.Hit) -> Severity | None:
    """An allergy is critical only if the record calls it grave; a doubtful condition is information."""
    if case.values.flag(catalogue.COMFORT_CARE) and (eased := _in_comfort_care(hit)) is not None:
        return eased[0]
    if (by_kidney := with_metformin(case, hit)) is not None:
        return by_kidney[0]
    if doubtful(hit) is not None:
        return Severity.INFO if case.knowledge.policy.urgency(hit.rows) in URGENCY else None
    if hit.ordered_twice:
        return Severity.WARNING if doubled.alike(hit) else Severity.INFO
    if hit.kind == "duplicate" and not hit.rows and doubled.in_another_strength(hit) is not None:
        return Severity.WARNING
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
        if hit.against.grave and hit.rows and hit.rows[0].severity == "moderate" and by_rows is not None:
            by_rows = max(by_rows, Severity.WARNING)  # after anaphylaxis a possible cross-reaction is no small matter
        return Severity.WARNING if same and hit.other.startswith("drug:") else by_rows
    return URGENCY.get(case.knowledge.policy.urgency(hit.rows))


def _in_comfort_care(hit: safety.Hit) -> tuple[Severity | None] | None:
    """How loud a hit is where comfort is the aim, or None for as loud as elsewhere.

    The Beers criteria leave out hospice and the end of life, and an opioid with a benzodiazepine is usual care there.
    """
    if hit.kind == "limit" and hit.other == "test:age" and hit.rows[0].properties["comparison"] == "at-least":
        return (None,)
    ends = {end for row in hit.rows for end in (row.subject, row.object)}
    if hit.kind == "interaction" and "class:benzodiazepine" in ends and any("opioid" in end for end in ends):
        return (Severity.INFO,)
    return None


def worded(case: Case, hit: safety.Hit, draft: str, other: str) -> Message:
    """One line: the draft, what it meets, how bad it is."""
    grade = WORDS[hit.rows[0].severity] if hit.rows else ""
    drug, against = capital(draft), msg(inside(other))
    if hit.kind == "duplicate" and not hit.rows:
        return _listed(hit, doubled.title(case, hit))
    if hit.held:
        against = msg("{medicine} (on hold)", medicine=against)
    if hit.kind == "duplicate" and hit.node == hit.other:
        if hit.held:
            return msg("{drug} is in two products, of which one is on hold ({grade})", drug=drug, grade=grade)
        return msg("{drug} is in two products at once ({grade})", drug=drug, grade=grade)
    if hit.kind == "duplicate":
        return msg("{drug} with {other}: two of one class ({grade})", drug=drug, other=against, grade=grade)
    if hit.kind == "interaction" and hit.in_turn:
        return msg("{drug} and {other}, one after the other ({grade} if together)", drug=drug, other=against,
                   grade=grade)  # fmt: skip
    if hit.kind == "interaction":
        return msg("{drug} with {other} ({grade})", drug=drug, other=against, grade=grade)
    if hit.kind == "allergy":
        said = msg("{drug}: allergy or intolerance to {other} on record", drug=drug, other=against)
        did = shorten(hit.against.reaction, MAX_REACTION) if isinstance(hit.against, safety.Allergy) else ""
        return msg("{headline} ({signs})", headline=said, signs=did) if did else said
    if hit.kind == "limit":
        shown = published.in_words(hit.fact) if hit.fact is not None else ""
        if hit.other in MODELS and hit.fact is not None:
            shown = msg("{value} {unit}", value=round(float(hit.fact.value)), unit=UNITS.get(hit.other, msg("points")))
        elif hit.fact is not None and hit.fact.effective is not None:
            shown = msg("{value} on {date}", value=shown, date=hit.fact.effective.date())
        return msg("{drug} at {test} {value} ({grade})", drug=drug, test=msg(inside(other)), value=shown, grade=grade)
    return msg("{drug} in {condition} ({grade})", drug=drug, condition=msg(inside(other)), grade=grade)


def _listed(hit: safety.Hit, drug: Message) -> Message:
    """That a draft's medicine is taken already, or on hold."""
    if (strengths := doubled.in_another_strength(hit)) is not None:
        return msg("{drug} ordered as {one}, and on the medication list as {other}: which is meant?", drug=drug,
                   one=strengths[0], other=strengths[1])  # fmt: skip
    if doubled.in_another_product(hit):
        if hit.held:
            return msg("{drug} is in another product too, which is on hold: will that be resumed?", drug=drug)
        return msg("{drug} is in another product on the medication list too: taken twice?", drug=drug)
    if hit.held:
        return msg("{drug} is on the medication list already, on hold: resume that entry instead?", drug=drug)
    return msg("{drug} is on the medication list already: a renewal, or twice?", drug=drug)


def advised(case: Case, hit: safety.Hit) -> Message:
    """What to do, and what may be taken instead."""
    if not hit.rows:
        if hit.kind == "allergy":
            return msg("Choose another medicine, or clarify the allergy.")
        if hit.ordered_twice:
            return msg("If only one is meant, remove the other.")
        if hit.held:
            return msg("Find out why it was put on hold; then resume that entry, or end it.")
        if doubled.in_another_product(hit):
            return msg("Count both towards the daily dose, or keep one.")
        return msg("If it is a renewal, end the earlier entry.")
    if hit.held:
        return msg("What is on hold may still act, or be taken again. {what}", what=_managed(case, hit))
    if hit.in_turn:
        return msg("One ends before the other begins, and may still act then. {what}", what=_managed(case, hit))
    return _managed(case, hit)


def _managed(case: Case, hit: safety.Hit) -> Message:
    """What the first row says to do, and what may be taken instead."""
    row = hit.rows[0]
    names = [case.knowledge.name(node) for node in row.alternatives if not hit.draft.absorbed]
    more = [name for name in names if name.lower() not in row.management.lower()]
    if not more:
        return msg("{what}", what=msg(row.management))
    others = published.enumerated([msg(name) for name in more])
    return msg("{what} Alternatives: {others}.", what=msg(row.management), others=others)


def path(case: Case, hit: safety.Hit) -> tuple[tuple[Message, str], ...]:
    """From the order over the record to each row and its publication."""
    steps = [ordered(case, hit.draft)]
    if isinstance(hit.against, safety.Allergy):
        words = msg("{text}", text=hit.against.words)
        if hit.against.reaction:
            words = msg("{name}: {detail}", name=hit.against.words, detail=hit.against.reaction)
        steps.append((msg("On the allergy list: {words}", words=words), hit.against.reference))
    elif hit.against is not None:
        lead = msg("Also drafted: {words}") if hit.against.draft else msg("Taken: {words}")
        lead = msg("On hold: {words}") if hit.held else lead
        steps.append((hit.against.course.told(msg(lead.text, words=hit.against.words)), hit.against.reference))
    if hit.fact is not None:
        shown = msg("On record: {what}", what=hit.fact.feature.label)
        if hit.fact.effective is not None:
            shown = msg("{shown}, {date}", shown=shown, date=hit.fact.effective.date())
        steps.append((shown, ", ".join(hit.fact.sources)))
        if hit.fact.note is not None and hit.kind == "limit":
            steps.append((hit.fact.note, ", ".join(hit.fact.sources)))
    if hit.rows and hit.draft.row is not None and given_once(hit.draft.row):
        steps.append((msg("Ordered as a single dose: the evidence is of treatment that goes on."), hit.draft.reference))
    return (*steps, *(step for row in hit.rows for step in row_steps(case, row)))
