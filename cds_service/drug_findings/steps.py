"""The words and steps of a path that the findings about a medicine share: the order, the rows, names in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.fhir.codes import label
from cds_service.findings import Proposal
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.knowledge.headings import publication, released
from cds_service.language import Message, msg
from cds_service.risk.model import Citation

WORDS = {
    "contraindicated": msg("contraindicated"),
    "major": msg("serious"),
    "moderate": msg("caution"),
    "minor": msg("minor"),
}
NAMELESS = msg("An entry without a name")
VERIFY = "medication-verify"
RECORD_SOURCE = Citation("Curbside's knowledge base", "https://dailymed.nlm.nih.gov/dailymed/")


def ordered(case: Case, draft: safety.Exposure) -> tuple[Message, str]:
    """The order by the words that the clinician sees; at verification it is no draft any more."""
    words = draft.words or NAMELESS
    said = msg("Draft order: {words}", words=words)
    if case.context.hook == VERIFY:
        said = msg("Order: {words}", words=words)
    return draft.reasons.told(draft.course.told(said)), ", ".join((draft.reference, *draft.reasons.sources))


def said(exposure: safety.Exposure) -> str:
    """The words of a medicine: its name, and of an order the words of its dosage and route."""
    dosages = exposure.row.dosage_instruction if exposure.row is not None else ()
    return " ".join((exposure.words, *(d.text or "" for d in dosages), *(label(d.route) or "" for d in dosages)))


def removal(case: Case, draft: safety.Exposure, node: str) -> tuple[Proposal, ...]:
    """Takes a draft off, where one is being ordered and can be named."""
    if not draft.reference.partition("/")[2] or not case.context.hook.startswith("order-"):
        return ()
    proposal = Proposal(
        key=f"drug-safety/remove/{draft.reference}",
        label=msg("Remove the draft order of {medicine}", medicine=msg(case.knowledge.name(node))),
        description=msg("Deletes the draft, which has not been signed"),
        action="delete",
        resource_id=draft.reference,
    )
    return (proposal,)


def row_steps(case: Case, row: safety.Evidence) -> Iterable[tuple[Message, str]]:
    """What one row says, how sure, from which release and publication; a warning if the release is old."""
    source = case.knowledge.graph.by_source[row.source]
    graded = msg("Rated {grade}", grade=WORDS[row.severity])
    if row.level:
        graded = msg("Rated {grade}, evidence {level}", grade=WORDS[row.severity], level=row.level)
    words = msg("{graded}, by {citation} ({source})", graded=graded, citation=cited(row), source=released(source))
    yield words, row.id
    if case.knowledge.policy.is_old(source, case.context.now.date()):
        yield msg("This source is old: check a newer one"), source.id


def cited(row: safety.Evidence) -> Message:
    """A row's publication with its year, unless it is a label, of which the one in force counts, or names the year."""
    if not row.year.isdigit() or row.year in row.citation:
        return publication(row)
    return msg("{citation}, {year}", citation=publication(row), year=row.year)


def capital(name: str) -> Message:
    """A name as it begins a sentence."""
    return msg(name[:1].upper() + name[1:])
