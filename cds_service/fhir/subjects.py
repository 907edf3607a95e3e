"""Whose row it is: a reference is compared with the one patient, in every form that R4 allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cds_service.fhir import resources as fhir

ANOTHER = "another patient"
NOBODY = "no subject"


class Subjects:
    """Recognises references to one patient.

    A reference is the patient's if it is `Patient/<id>` (also with `/_history/`), an absolute URL of it on the
    CDS Client's own FHIR server (any server, if the request names none), the full URL of the Patient's entry,
    `urn:uuid:<id>`, or `#<id>` of a contained Patient with the same id.
    names: references that are certainly the patient's; others may be too.
    """

    def __init__(self, patient_id: str, full_urls: Iterable[str], fhir_server: str | None) -> None:
        self._id = patient_id
        self._known: dict[str | None, bool] = {f"Patient/{patient_id}": True, f"urn:uuid:{patient_id}": True}
        self._known.update(dict.fromkeys(full_urls, True))
        self.names = frozenset(self._known)
        self._server = fhir_server

    @classmethod
    def of(
        cls,
        patient_id: str,
        resources: Sequence[fhir.AnyResource],
        full_urls: Sequence[str | None],
        fhir_server: str | None,
    ) -> Subjects:
        """The patient as found among the resources, whose entry's full URL is a name of its own."""
        own = [
            url
            for row, url in zip(resources, full_urls, strict=True)
            if type(row) is fhir.Patient and url and row.id == patient_id
        ]
        return cls(patient_id, own, fhir_server)

    def verdict(self, owner: fhir.Reference | None, row: fhir.Resource) -> str | None:
        """None if the row is the patient's, else why not."""
        target = owner.reference if owner is not None else None
        if not target:
            return NOBODY
        known = self._known.get(target)
        if known is None:
            if target.startswith("#"):  # a contained resource is named anew in every row
                return None if self._contained(target[1:], row) else ANOTHER
            known = self._known[target] = self._means(target)
        return None if known else ANOTHER

    def _means(self, target: str) -> bool:
        return key_of(target, self._server) == ("Patient", self._id)

    def _contained(self, name: str, row: fhir.Resource) -> bool:
        inside = (c for c in row.contained if isinstance(c, fhir.Patient))
        return name == self._id and any(c.id in (name, "#" + name) for c in inside)


def key_of(target: str, server: str | None) -> tuple[str, str] | None:
    """(type, id) that a literal reference names, or None if it is none or on another server than the CDS Client's.

    server: its base URL; None if the request names none, and then any will do.
    """
    parts = target.split("/_history/", 1)[0].rsplit("/", 2)
    if len(parts) == 3 and server and parts[0] != server.rstrip("/"):
        return None
    return (parts[-2], parts[-1]) if len(parts) > 1 else None
