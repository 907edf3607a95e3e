"""What a row of the graph is about, in the reader's language: as a heading, and as a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds_service.knowledge.base_files import SOURCE
from cds_service.knowledge.graph import Evidence, Source
from cds_service.knowledge.library import Library
from cds_service.language import Message, inside, msg

HEADINGS: Mapping[str, Message] = {
    "interacts-with": msg("Interaction: {one} with {other}"),
    "contraindicated-in": msg("Contraindication: {one} in {other}"),
    "cross-reacts-with": msg("Allergy: {one} after a reaction to {other}"),
    "monitored-by": msg("Monitoring: {one}, {other}"),
    "dosed-by-gene": msg("Gene: {one}, {other} {context}"),
    "recommended-for": msg("Guideline: {one} ({for})"),
    "duplicates": msg("Duplication: {one}"),
    "treats": msg("Indication: {one} in {other}"),
    "predicts": msg("Evidence: {one} in {context}, {other}"),
}
LIMITS: Mapping[str, Message] = {
    "below": msg("Limit: {one} with {other} below {value}"),
    "at-least": msg("Limit: {one} with {other} of {value} or more"),
}
# The same as sentences, for one thing (a drug) and for several (a class: its label is a plural).
_SENTENCES: Mapping[str, tuple[Message, Message]] = {
    "interacts-with": (msg("{one} interacts with {other}"), msg("{one} interact with {other}")),
    "contraindicated": (msg("{one} is contraindicated in {other}"), msg("{one} are contraindicated in {other}")),
    "contraindicated-in": (msg("{one} may be harmful in {other}"), msg("{one} may be harmful in {other}")),
    "cross-reacts-with": (
        msg("{one} may cause a reaction after one to {other}"),
        msg("{one} may cause a reaction after one to {other}"),
    ),
    "monitored-by": (msg("{one} calls for monitoring: {other}"), msg("{one} call for monitoring: {other}")),
    "dosed-by-gene": (
        msg("{one} depends on a gene: {other} {context}"),
        msg("{one} depend on a gene: {other} {context}"),
    ),
    "recommended-for": (msg("A guideline recommends for {for}: {one}"), msg("A guideline recommends for {for}: {one}")),
    "below": (
        msg("{one} has a limit where {other} is below {value}"),
        msg("{one} have a limit where {other} is below {value}"),
    ),
    "at-least": (
        msg("{one} has a limit where {other} is {value} or more"),
        msg("{one} have a limit where {other} is {value} or more"),
    ),
}
_WITH_GENE: Mapping[str, Message] = {  # a phenotype that names its gene, as "CYP2C19 Poor Metabolizer", stands alone
    "Gene: {one}, {other} {context}": msg("Gene: {one}, {context}"),
    "{one} depends on a gene: {other} {context}": msg("{one} depends on a gene: {context}"),
    "{one} depend on a gene: {other} {context}": msg("{one} depend on a gene: {context}"),
}
_LABEL = re.compile(r"US prescribing information: (.+) \(DailyMed\)")
SEVERITIES: Mapping[str, Message] = {
    "contraindicated": msg("contraindicated"),
    "major": msg("major"),
    "moderate": msg("moderate"),
    "minor": msg("minor"),
}


def publication(row: Evidence) -> Message:
    """What a row was published in; a label by the name of its drug."""
    label = _LABEL.fullmatch(row.citation)
    if label is not None:
        return msg("US prescribing information: {drug} (DailyMed)", drug=msg(label[1]))
    return msg("{text}", text=row.citation)


def released(source: Source) -> Message:
    """A source of rows by its title, which is ours for the base."""
    title = msg("Curbside's curated base") if source.id == SOURCE else msg("{text}", text=source.title)
    return msg("{source} of {released}", source=title, released=source.released)


def heading(library: Library, row: Evidence) -> Message:
    """What a row is about: the allergy of a cross-reaction is its subject, the medicine its object."""
    comparison = str(row.properties.get("comparison", ""))
    return _filled(library, row, LIMITS.get(comparison) or HEADINGS.get(row.relation, msg("{one}: {other}")))


def sentence(library: Library, row: Evidence) -> Message:
    """The same as a sentence without its stop, with the severity; a heading where its relation has no sentence."""
    comparison = str(row.properties.get("comparison", ""))
    contraindicated = row.relation == "contraindicated-in" and row.severity == "contraindicated"
    forms = _SENTENCES.get(comparison or ("contraindicated" if contraindicated else row.relation))
    if forms is None:
        return heading(library, row)
    speaks_of = row.object if row.relation == "cross-reacts-with" else row.subject
    said = _filled(library, row, forms[speaks_of.startswith("class:")])
    if row.severity in SEVERITIES and not contraindicated:
        return msg("{words} ({severity})", words=said, severity=SEVERITIES[row.severity])
    return said


def _filled(library: Library, row: Evidence, template: Message) -> Message:
    one, other = (library.name(end) for end in (row.subject, row.object))
    if row.relation == "cross-reacts-with":
        one, other = other, one
    context = library.name(row.context) if row.context else ""
    if context.startswith(other):
        template = _WITH_GENE.get(template.text, template)
    population = str(row.properties.get("population", "")) or library.name(row.object)
    return Message(template.text, {
        "one": msg(one), "other": msg(inside(other)), "context": msg(context) if context else "",
        "value": row.properties.get("value", ""), "for": msg(population),
    })  # fmt: skip
