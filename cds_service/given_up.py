"""Beside advice to start a medicine: one of its class that is on hold or was stopped, and that notes were not read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cds_service.features.feature import MedicationFeature
from cds_service.features.medicines_on_record import GivenUp, given_up
from cds_service.findings import Finding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg

NOTES = msg("Notes were not read: such a medicine, or that it was not tolerated, may stand there alone.")


def with_list_limits(
    case: Case, medicine: MedicationFeature, findings: tuple[Finding, ...], advises: Callable[[Finding], bool]
) -> tuple[Finding, ...]:
    """The findings; those that advise the medicine say what the lists do not tell.

    The latest entry that was given up is named, one on hold in the headline too, and then there is no alarm; that notes
    were not read always.
    """
    found = given_up(case.context.record, medicine)
    return tuple(_limited(f, found[:1]) if f.advice is not None and advises(f) else f for f in findings)


def _limited(finding: Finding, latest: tuple[GivenUp, ...]) -> Finding:
    advice = finding.advice
    for entry in latest:
        advice = msg("{advice} {entry}", advice=advice, entry=in_words(entry))
    advice = msg("{advice} {notes}", advice=advice, notes=NOTES)
    if latest and latest[0].held:
        known = finding.headline
        short = finding.short_headline or known
        headline = msg("{headline} (on hold: {medicine})", headline=known, medicine=latest[0].label)
        finding = replace(finding, headline=headline, short_headline=short)
    quieter = bool(latest) and finding.severity < Severity.CRITICAL  # harm that goes on is no advice to start
    return replace(finding, advice=advice, severity=Severity.INFO if quieter else finding.severity)


def in_words(entry: GivenUp) -> Message:
    """What became of an entry."""
    if entry.reason is None:
        return (
            msg("On the list, on hold: {medicine}.", medicine=entry.label)
            if entry.held
            else msg("Stopped earlier: {medicine}.", medicine=entry.label)
        )
    shown = {"medicine": entry.label, "reason": entry.reason}
    return (
        msg("On the list, on hold: {medicine} ({reason}).", **shown)
        if entry.held
        else msg("Stopped earlier: {medicine} ({reason}).", **shown)
    )
