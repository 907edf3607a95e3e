"""A hospital's own codes and units, read as standard ones: `CodeMap` adds the standard coding beside the local one.

Nothing of the record is replaced or lost: what is cited, stored and replayed is what came. Made from `code_map.toml`
by `local_codes.load`, which checks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import UCUM

Pair = tuple[str, str]  # system, code
_CONCEPTS: Mapping[type[Any], str] = {
    fhir.Condition: "code",
    fhir.Medication: "code",
    fhir.AllergyIntolerance: "code",
    fhir.ServiceRequest: "code",
    fhir.MedicationRequest: "medication_codeable_concept",
    fhir.MedicationStatement: "medication_codeable_concept",
}


@dataclass(frozen=True)
class CodeMap:
    """Local code -> standard code, local unit -> UCUM; empty by default. digest: of the file that it was made from."""

    codes: Mapping[Pair, Pair] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    def local(self, target: Pair) -> tuple[Pair, ...]:
        """The local codes that mean a standard one, for searches."""
        return tuple(pair for pair, found in self.codes.items() if found == target)

    def translated(self, resources: Iterable[Any]) -> list[Any]:
        """The resources with standard codings and units added to what is local; the same objects where nothing is."""
        if not self.codes and not self.units:
            return list(resources)
        return [self._resource(resource) for resource in resources]

    def _resource(self, resource: Any) -> Any:
        if isinstance(resource, fhir.Observation):
            parts = tuple(self._measured(part) for part in resource.component)
            found = self._measured(resource)
            return found if all(a is b for a, b in zip(parts, resource.component, strict=True)) else replace(
                found, component=parts
            )  # fmt: skip
        name = _CONCEPTS.get(type(resource))
        if name is None:
            return resource
        concept = self._concept(getattr(resource, name))
        return resource if concept is getattr(resource, name) else replace(resource, **{name: concept})

    def _measured(self, part: Any) -> Any:
        """An Observation or a component with its code, its coded answer and its unit."""
        found = {
            "code": self._concept(part.code),
            "value_codeable_concept": self._concept(part.value_codeable_concept),
            "value_quantity": self._quantity(part.value_quantity),
        }
        changed = {name: value for name, value in found.items() if value is not getattr(part, name)}
        return replace(part, **changed) if changed else part

    def _concept(self, concept: fhir.CodeableConcept | None) -> fhir.CodeableConcept | None:
        if concept is None or not self.codes:
            return concept
        known = {(coding.system, coding.code) for coding in concept.coding}
        targets = [self.codes[pair] for pair in known if pair in self.codes]  # type: ignore[index]
        added = tuple(
            fhir.Coding(system=system, code=code)
            for system, code in sorted(set(targets))
            if (system, code) not in known
        )
        return replace(concept, coding=(*concept.coding, *added)) if added else concept

    def _quantity(self, quantity: fhir.Quantity | None) -> fhir.Quantity | None:
        if quantity is None or not self.units:
            return quantity
        unit = self.units.get(quantity.unit or "") or self.units.get(quantity.code or "")
        return quantity if unit is None else replace(quantity, system=UCUM, code=unit, unit=unit)


NONE = CodeMap()
