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
        self._base = fhir_server.rstrip("/") if fhir_server else None

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
        base, kind, ident = _split(target.split("/_history/", 1)[0])
        if kind != "Patient" or ident != self._id:
            return False
        return base is None or self._base is None or base == self._base

    def _contained(self, name: str, row: fhir.Resource) -> bool:
        inside = (c for c in row.contained if isinstance(c, fhir.Patient))
        return name == self._id and any(c.id in (name, "#" + name) for c in inside)


def _split(target: str) -> tuple[str | None, str | None, str]:
    """(base URL, type, id) of a literal reference."""
    parts = target.rsplit("/", 2)
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    if len(parts) == 2:
        return None, parts[0], parts[1]
    return None, None, target
