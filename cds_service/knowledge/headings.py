"""What a row of the graph is about, in one line of the reader's language: its relation and the names of its ends."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.library import Library
from cds_service.language import Message, msg

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
SEVERITIES: Mapping[str, Message] = {
    "contraindicated": msg("contraindicated"),
    "major": msg("major"),
    "moderate": msg("moderate"),
    "minor": msg("minor"),
}


def heading(library: Library, row: Evidence) -> Message:
    """What a row is about: the allergy of a cross-reaction is its subject, the medicine its object."""
    comparison = str(row.properties.get("comparison", ""))
    template = LIMITS.get(comparison) or HEADINGS.get(row.relation, msg("{one}: {other}"))
    one, other = (library.name(end) for end in (row.subject, row.object))
    if row.relation == "cross-reacts-with":
        one, other = other, one
    population = str(row.properties.get("population", "")) or library.name(row.object)
    return Message(template.text, {
        "one": msg(one), "other": msg(other), "context": msg(library.name(row.context)) if row.context else "",
        "value": row.properties.get("value", ""), "for": msg(population),
    })  # fmt: skip
