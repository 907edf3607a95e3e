"""What the facts of each kind are headed with where they are listed."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.language import Message, msg
from cds_service.summary import facts

HEADINGS: Mapping[str, Message] = {
    facts.CODE_STATUS: msg("Code status"),
    facts.ALLERGY: msg("Allergies"),
    facts.CONTRADICTION: msg("Contradictions in the record"),
    facts.PROBLEM: msg("Problems"),
    facts.MEDICATION: msg("Medicines"),
    facts.RESULT: msg("Results"),
    facts.TREND: msg("Changes over time"),
    facts.DEVICE: msg("Devices"),
    facts.PROCEDURE: msg("Procedures"),
    facts.ENCOUNTER: msg("Visits and stays"),
    facts.IMMUNISATION: msg("Vaccinations"),
    facts.ADVERSE_EVENT: msg("Adverse events"),
    facts.SOCIAL: msg("Social history"),
    facts.FAMILY: msg("Family history"),
    facts.GOAL: msg("Goals"),
    facts.PLAN: msg("Plans and open orders"),
    facts.DOCUMENT: msg("Reports and documents"),
}
