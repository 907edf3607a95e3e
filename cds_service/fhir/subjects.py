"""Whose row it is: a reference is compared with the one patient, in every form that R4 allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from cds_service.fhir import resources as fhir

ANOTHER = "another patient"
NOBODY = "no subject"
_READ_ALONE = frozenset({fhir.Patient, fhir.Encounter, fhir.Medication})


class Servers:
    """The base URLs that mean the CDS Client's own FHIR server: the one that the request names, any if it names none.

    A server behind a gateway writes its own base into what it sends. Where all its entries have one and the same base
    in their full URLs, that is this server under another name: a relative reference in them would mean it too.
    """

    def __init__(
        self,
        named: str | None,
        resources: Sequence[fhir.AnyResource] = (),
        full_urls: Sequence[str | None] = (),
    ) -> None:
        self._named = named.rstrip("/") if named else None
        self._sent = resources, full_urls

    def key_of(self, target: str) -> tuple[str, str] | None:
        """(type, id) that a literal reference names, or None if it is none or on another server."""
        parts = target.split("/_history/", 1)[0].rsplit("/", 2)
        if len(parts) < 2:
            return None
        elsewhere = len(parts) == 3 and self._named is not None and parts[0] not in (self._named, self._gateway)
        return None if elsewhere else (parts[-2], parts[-1])

    @cached_property
    def _gateway(self) -> str | None:
        """The one base of all full URLs that are a resource's own address; None if there are several, or rows without.

        What is read alone, and not searched for, has no full URL.
        """
        bases: set[str] = set()
        for row, url in zip(*self._sent, strict=True):
            if not url:
                if type(row) not in _READ_ALONE:
                    return None
                continue
            parts = url.split("/_history/", 1)[0].rsplit("/", 2)
            if len(parts) == 3 and parts[1:] == [type(row).__name__, row.id]:
                bases.add(parts[0])
        return bases.pop() if len(bases) == 1 else None


class Subjects:
    """Recognises references to one patient.

    A reference is the patient's if it is `Patient/<id>` (also with `/_history/`), an absolute URL of it on the
    CDS Client's own FHIR server (`Servers`), the full URL of the Patient's entry,
    `urn:uuid:<id>`, or `#<id>` of a contained Patient with the same id.
    names: references that are certainly the patient's; others may be too.
    """

    def __init__(self, patient_id: str, full_urls: Iterable[str], servers: Servers) -> None:
        self._id = patient_id
        self._known: dict[str | None, bool] = {f"Patient/{patient_id}": True, f"urn:uuid:{patient_id}": True}
        self._known.update(dict.fromkeys(full_urls, True))
        self.names = frozenset(self._known)
        self._servers = servers

    @classmethod
    def of(
        cls,
        patient_id: str,
        resources: Sequence[fhir.AnyResource],
        full_urls: Sequence[str | None],
        servers: Servers,
    ) -> Subjects:
        """The patient as found among the resources, whose entry's full URL is a name of its own."""
        own = [
            url
            for row, url in zip(resources, full_urls, strict=True)
            if type(row) is fhir.Patient and url and row.id == patient_id
        ]
        return cls(patient_id, own, servers)

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
        return self._servers.key_of(target) == ("Patient", self._id)

    def _contained(self, name: str, row: fhir.Resource) -> bool:
        inside = (c for c in row.contained if isinstance(c, fhir.Patient))
        return name == self._id and any(c.id in (name, "#" + name) for c in inside)
