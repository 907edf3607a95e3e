"""Medicines that are named by reference alone: which Medications have to be read for a call to know what is taken.

An EHR may send `medicationReference` without a display, and may keep the Medication for itself, which no template of
CDS Hooks 2.0 can ask for together with its order.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.fhir import resources as fhir
from cds_service.fhir.drafts import read as read_drafts
from cds_service.fhir.subjects import Servers
from cds_service.protocol.context import FHIR_ID
from cds_service.protocol.request import HookRequest

MOST = 12  # reads that one call may spend on it: the requests of a call are bounded
_OVER = frozenset({"entered-in-error", "cancelled", "stopped", "completed", "not-taken"})


def unnamed(request: HookRequest, most: int = MOST) -> tuple[str, ...]:
    """Ids of the Medications that current medicines and drafts name by reference alone, and that did not come along.

    most: so many at most, those of drafts first.
    """
    drafts, servers = read_drafts(request.context), Servers(request.fhir_server)
    sent = [drafts, *(value.resources for value in request.prefetch.values())]
    wanted = dict.fromkeys(id_ for rows in sent for row in rows for id_ in _product(row, servers))
    if not wanted:
        return ()
    here = {row.id for rows in sent for row in rows if type(row) is fhir.Medication}
    return tuple(id_ for id_ in wanted if id_ not in here)[:most]


def _product(row: fhir.AnyResource, servers: Servers) -> Iterator[str]:
    """The id of the Medication that a row names by reference alone, if it is one of the EHR's server."""
    if not isinstance(row, (fhir.MedicationRequest, fhir.MedicationStatement)) or row.status in _OVER:
        return
    named = row.medication_reference
    if row.medication_codeable_concept is not None or named is None or named.display or not named.reference:
        return
    kind, id_ = servers.key_of(named.reference) or ("", "")
    if kind == "Medication" and FHIR_ID.fullmatch(id_):
        yield id_
