"""The step of a path that rests on a row of the knowledge graph: what it says, how sure, from where and when."""

from __future__ import annotations

from cds_service.hook import Case
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.headings import publication, released
from cds_service.language import Message, msg


def evidence_step(case: Case, lead: Message, row: Evidence) -> tuple[Message, str]:
    """What one row says after a lead such as "For osimertinib", with level, publication and release; and its id.

    An imported source that is older than the site wants is called old.
    """
    source = case.knowledge.graph.by_source[row.source]
    words = msg(
        "{lead}: {statement} Evidence {level}: {citation}; {source}",
        lead=lead,
        statement=msg(row.statement),
        level=row.level or "-",
        citation=publication(row),
        source=released(source),
    )
    if case.knowledge.policy.is_old(source, case.context.now.date()):
        words = msg("{words} (old: check a newer release)", words=words)
    return words, row.id
