"""The parts of FHIR R4 resources that Curbside reads, as msgspec structs.

Only declared members are decoded; the rest of a resource costs next to nothing, and so do three large members of
Observations, which stay JSON until they are asked for. A member of a wrong JSON type is refused with its path and
never with its value. Dates stay text here: `record.py` reads them.
Types that Curbside does not read are accepted by name and keep only their id. Source: hl7.org/fhir/R4.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, Union

import msgspec

from cds_service.errors import BadRequest

T = TypeVar("T")


class Part(msgspec.Struct, rename="camel", frozen=True, gc=False, omit_defaults=True):
    """A data type: a part of a resource."""


class Coding(Part, frozen=True):
    """A code in a system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Part, frozen=True):
    """Codings of one meaning, and its text."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Reference(Part, frozen=True):
    """A reference: literal, logical or by display."""

    reference: str | None = None
    display: str | None = None
    type: str | None = None


class Quantity(Part, frozen=True):
    """A measured amount; `code` is the UCUM unit if `system` says so."""

    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Period(Part, frozen=True):
    """A span of time."""

    start: str | None = None
    end: str | None = None


class ReferenceRange(Part, frozen=True):
    """A reference range of an Observation."""

    low: Quantity | None = None
    high: Quantity | None = None
    text: str | None = None
    type: CodeableConcept | None = None


class _Later(Generic[T]):
    """Reads a member of Observations that is kept as JSON, because few of them are ever asked for it."""

    def __init__(self, member: str, shape: type[tuple[T, ...]]) -> None:
        self._member = member
        self._decoder: msgspec.json.Decoder[tuple[T, ...] | None] = msgspec.json.Decoder(shape | None)

    def kept(self) -> msgspec.Raw:
        """The member's declaration."""
        declared: msgspec.Raw = msgspec.field(default=_ABSENT, name=self._member)
        return declared

    def read(self, kept: msgspec.Raw) -> tuple[T, ...]:
        """The member's values. Raises BadRequest if it has another type."""
        if kept is _ABSENT:
            return ()
        try:
            return self._decoder.decode(kept) or ()
        except msgspec.ValidationError:
            raise BadRequest(f"Observation.{self._member} is not of the expected type.") from None


_ABSENT = msgspec.Raw()
_HEMOLYSED = re.compile(rb"(?i)ha?emoly[sz]|" + "溶血".encode())
_NOT_HEMOLYSED = re.compile(
    rb"(?i)(?:non|not|no(?: visible| evidence of)?)[ -]ha?emoly[sz]|" + "未溶血|无溶血".encode()
)


def _single(kept: msgspec.Raw, shape: type[T], member: str) -> T | None:
    """A member of an Observation that is kept as JSON. Raises BadRequest if it has another type."""
    if kept is _ABSENT:
        return None
    try:
        return msgspec.json.decode(kept, type=shape)
    except msgspec.ValidationError:
        raise BadRequest(f"Observation.{member} is not of the expected type.") from None


_CATEGORY = _Later("category", tuple[CodeableConcept, ...])
_INTERPRETATION = _Later("interpretation", tuple[CodeableConcept, ...])
_RANGE = _Later("referenceRange", tuple[ReferenceRange, ...])


class SampledData(Part, frozen=True):
    """Many numbers in one text: origin + factor x each."""

    origin: Quantity | None = None
    factor: float | None = None
    data: str | None = None


class VersionedCoding(Part, frozen=True):
    """A code in a version of its system."""

    system: str | None = None
    version: str | None = None
    code: str | None = None


class Method(Part, frozen=True):
    """How an Observation was made, as codes with their versions."""

    coding: tuple[VersionedCoding, ...] = ()


class Extension(Part, frozen=True):
    """An extension; only simple values are read."""

    url: str | None = None
    value_string: str | None = None
    value_code: str | None = None
    value_boolean: bool | None = None
    value_coding: Coding | None = None
    value_codeable_concept: CodeableConcept | None = None
    extension: tuple[Extension, ...] = ()


class Meta(Part, frozen=True):
    """Resource metadata: security labels, version and last change."""

    last_updated: str | None = None
    version_id: str | None = None
    security: tuple[Coding, ...] = ()


class HumanName(Part, frozen=True):
    """A person's name."""

    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()  # FHIR JSON allows null here, beside an extension


class Resource(msgspec.Struct, rename="camel", frozen=True, tag_field="resourceType", gc=False, omit_defaults=True):
    """Base of all resources."""

    id: str | None = None
    meta: Meta | None = None
    contained: tuple[AnyResource, ...] = ()
    implicit_rules: str | None = None
    modifier_extension: msgspec.Raw = _ABSENT  # as it came: that it is there is all that is read

    @property
    def modified(self) -> bool:
        """True if rules that Curbside does not know may change what the resource means, be it into its contrary.

        Source: hl7.org/fhir/R4/extensibility.html#modifierExtension: such a resource must not be used.
        """
        plain = self.modifier_extension is _ABSENT and self.implicit_rules is None
        return not plain and (self.implicit_rules is not None or bytes(self.modifier_extension) not in (b"[]", b"null"))


class Patient(Resource, frozen=True, tag="Patient"):
    """The person of the record."""

    active: bool | None = None
    name: tuple[HumanName, ...] = ()
    gender: str | None = None
    birth_date: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    extension: tuple[Extension, ...] = ()
    identifier: msgspec.Raw = _ABSENT  # these four as they came: `identity.py` reads them, where something may leave
    telecom: msgspec.Raw = _ABSENT
    address: msgspec.Raw = _ABSENT
    contact: msgspec.Raw = _ABSENT


class RelatedPerson(Resource, frozen=True, tag="RelatedPerson"):
    """Someone related to the patient: read so that nothing of theirs leaves."""

    patient: Reference | None = None
    name: msgspec.Raw = _ABSENT
    identifier: msgspec.Raw = _ABSENT
    telecom: msgspec.Raw = _ABSENT
    address: msgspec.Raw = _ABSENT


class Practitioner(Resource, frozen=True, tag="Practitioner"):
    """Someone who treats the patient: read so that nothing of theirs leaves."""

    name: msgspec.Raw = _ABSENT
    identifier: msgspec.Raw = _ABSENT
    telecom: msgspec.Raw = _ABSENT
    address: msgspec.Raw = _ABSENT


class ObservationComponent(Part, frozen=True):
    """One value of a panel."""

    code: CodeableConcept = CodeableConcept()
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation_json: msgspec.Raw = _INTERPRETATION.kept()
    reference_range_json: msgspec.Raw = _RANGE.kept()

    @property
    def interpretation(self) -> tuple[CodeableConcept, ...]:
        """What the laboratory says of the value. Raises BadRequest."""
        return _INTERPRETATION.read(self.interpretation_json)

    @property
    def reference_range(self) -> tuple[ReferenceRange, ...]:
        """The ranges to compare with. Raises BadRequest."""
        return _RANGE.read(self.reference_range_json)


class Observation(Resource, frozen=True, tag="Observation"):
    """A measurement or a coded answer."""

    status: str | None = None
    category_json: msgspec.Raw = _CATEGORY.kept()
    code: CodeableConcept = CodeableConcept()
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation_json: msgspec.Raw = _INTERPRETATION.kept()
    reference_range_json: msgspec.Raw = _RANGE.kept()
    component: tuple[ObservationComponent, ...] = ()
    method_json: msgspec.Raw = msgspec.field(default=_ABSENT, name="method")
    sampled_json: msgspec.Raw = msgspec.field(default=_ABSENT, name="valueSampledData")
    note_json: msgspec.Raw = msgspec.field(default=_ABSENT, name="note")

    def says_hemolysed(self) -> bool:
        """True if a note or an interpretation of the laboratory says that the specimen was haemolysed."""
        told = (bytes(kept) for kept in (self.note_json, self.interpretation_json) if kept is not _ABSENT)
        return any(_HEMOLYSED.search(text) and not _NOT_HEMOLYSED.search(text) for text in told)

    @property
    def method(self) -> Method | None:
        """How it was made. Raises BadRequest."""
        return _single(self.method_json, Method, "method")

    @property
    def value_sampled_data(self) -> SampledData | None:
        """Its numbers, if it holds many. Raises BadRequest."""
        return _single(self.sampled_json, SampledData, "valueSampledData")

    @property
    def category(self) -> tuple[CodeableConcept, ...]:
        """What kind of measurement it is. Raises BadRequest."""
        return _CATEGORY.read(self.category_json)

    def may_hold_category(self, code: str) -> bool:
        """False if the code is certainly not among its categories; cheaper than reading them."""
        kept = bytes(self.category_json)
        return code.encode() in kept or b"\\" in kept

    @property
    def interpretation(self) -> tuple[CodeableConcept, ...]:
        """What the laboratory says of the value. Raises BadRequest."""
        return _INTERPRETATION.read(self.interpretation_json)

    @property
    def reference_range(self) -> tuple[ReferenceRange, ...]:
        """The ranges to compare with. Raises BadRequest."""
        return _RANGE.read(self.reference_range_json)


class ConditionStage(Part, frozen=True):
    """How far a condition has gone."""

    summary: CodeableConcept | None = None


class Condition(Resource, frozen=True, tag="Condition"):
    """A problem, diagnosis or complaint."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    onset_string: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_string: str | None = None
    recorded_date: str | None = None
    severity: CodeableConcept | None = None
    stage: tuple[ConditionStage, ...] = ()


class Dosage(Part, frozen=True):
    """How a medicine is taken.

    timing, dose_and_rate, max_dose_per_period: as sent, for they are read for few and come in odd shapes.
    """

    text: str | None = None
    timing: Any = None
    dose_and_rate: Any = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: CodeableConcept | None = None
    as_needed: Any = None  # of R5
    max_dose_per_period: Any = None
    route: CodeableConcept | None = None

    @property
    def if_needed(self) -> bool:
        """True if it is taken only where it is needed, be it for a stated reason."""
        return bool(self.as_needed_boolean or self.as_needed_codeable_concept or self.as_needed)


class CodeableReference(Part, frozen=True):
    """What FHIR R5 has in place of two members of R4: a concept or a reference."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class OfMedicine(Resource, frozen=True):
    """A resource about a medicine. medication: of R5; where it can be read, it is in the two members of R4 as well."""

    status: str | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    medication: Any = None

    def __post_init__(self) -> None:
        """Puts what is written as in R5 where R4 has it, unless something stands there."""
        if self.medication is None or self.medication_codeable_concept or self.medication_reference:
            return
        for said in _as_in_r5(self.medication):
            msgspec.structs.force_setattr(self, "medication_codeable_concept", said.concept)
            msgspec.structs.force_setattr(self, "medication_reference", said.reference)


def _as_in_r5(sent: Any) -> list[CodeableReference]:
    """What members of R5 say, in any number; nothing where they have another shape."""
    try:
        return msgspec.convert(sent if isinstance(sent, list) else [sent], list[CodeableReference])
    except msgspec.ValidationError:
        return []


class MedicationRequest(OfMedicine, frozen=True, tag="MedicationRequest"):
    """A prescription or a medication order. reason: of R5, read into the two members of R4."""

    status_reason: CodeableConcept | None = None
    intent: str | None = None
    do_not_perform: bool | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    authored_on: str | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    reason: Any = None
    dosage_instruction: tuple[Dosage, ...] = ()
    prior_prescription: Reference | None = None

    def __post_init__(self) -> None:
        """Puts what is written as in R5 where R4 has it, unless something stands there."""
        OfMedicine.__post_init__(self)
        if self.reason is None or self.reason_code or self.reason_reference:
            return
        said = _as_in_r5(self.reason)
        msgspec.structs.force_setattr(self, "reason_code", tuple(r.concept for r in said if r.concept))
        msgspec.structs.force_setattr(self, "reason_reference", tuple(r.reference for r in said if r.reference))


class MedicationStatement(OfMedicine, frozen=True, tag="MedicationStatement"):
    """A medicine that a patient is said to take."""

    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    dosage: tuple[Dosage, ...] = ()


class MedicationAdministration(OfMedicine, frozen=True, tag="MedicationAdministration"):
    """A medicine that was given."""

    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None


class Medication(Resource, frozen=True, tag="Medication"):
    """A product, referred to or contained."""

    code: CodeableConcept | None = None
    status: str | None = None


class AllergyReaction(Part, frozen=True):
    """What an allergy did."""

    substance: CodeableConcept | None = None
    manifestation: tuple[CodeableConcept, ...] = ()
    severity: str | None = None


class AllergyIntolerance(Resource, frozen=True, tag="AllergyIntolerance"):
    """An allergy or intolerance; in R4 its person is `patient`."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    type: str | None = None
    category: tuple[str, ...] = ()
    criticality: str | None = None
    code: CodeableConcept | None = None
    patient: Reference | None = None
    onset_date_time: str | None = None
    recorded_date: str | None = None
    reaction: tuple[AllergyReaction, ...] = ()


class Procedure(Resource, frozen=True, tag="Procedure"):
    """Something done to the patient."""

    status: str | None = None
    status_reason: CodeableConcept | None = None
    category: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None


class Hospitalization(Part, frozen=True):
    """Admission and discharge details of an Encounter."""

    admit_source: CodeableConcept | None = None
    discharge_disposition: CodeableConcept | None = None


class EncounterDiagnosis(Part, frozen=True):
    """A diagnosis of an Encounter; rank 1 is the principal one."""

    condition: Reference | None = None
    use: CodeableConcept | None = None
    rank: int | None = None


class EncounterLocation(Part, frozen=True):
    """Where an Encounter was."""

    location: Reference | None = None


class Encounter(Resource, frozen=True, tag="Encounter"):
    """A visit or a stay; `class` is a Coding in R4."""

    status: str | None = None
    class_: Coding | None = msgspec.field(default=None, name="class")
    type: tuple[CodeableConcept, ...] = ()
    service_type: CodeableConcept | None = None
    priority: CodeableConcept | None = None
    subject: Reference | None = None
    period: Period | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    hospitalization: Hospitalization | None = None
    diagnosis: tuple[EncounterDiagnosis, ...] = ()
    location: tuple[EncounterLocation, ...] = ()
    part_of: Reference | None = None


class Immunization(Resource, frozen=True, tag="Immunization"):
    """A vaccination; in R4 its person is `patient`."""

    status: str | None = None
    status_reason: CodeableConcept | None = None
    vaccine_code: CodeableConcept | None = None
    patient: Reference | None = None
    occurrence_date_time: str | None = None


class ServiceRequest(Resource, frozen=True, tag="ServiceRequest"):
    """An order for a test, a procedure or a referral."""

    status: str | None = None
    intent: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    category: tuple[CodeableConcept, ...] = ()
    authored_on: str | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    do_not_perform: bool | None = None


class AppointmentParticipant(Part, frozen=True):
    """Who or what takes part: the patient, a clinician, a place."""

    actor: Reference | None = None


class Appointment(Resource, frozen=True, tag="Appointment"):
    """A visit that is proposed or booked; its patient is one of the participants."""

    status: str | None = None
    description: str | None = None
    service_type: tuple[CodeableConcept, ...] = ()
    specialty: tuple[CodeableConcept, ...] = ()
    appointment_type: CodeableConcept | None = None
    start: str | None = None
    requested_period: tuple[Period, ...] = ()
    created: str | None = None
    participant: tuple[AppointmentParticipant, ...] = ()


class Flag(Resource, frozen=True, tag="Flag"):
    """A warning on the chart, such as isolation."""

    status: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    subject: Reference | None = None
    period: Period | None = None


class DeviceUseStatement(Resource, frozen=True, tag="DeviceUseStatement"):
    """A device in use."""

    status: str | None = None
    subject: Reference | None = None
    device: Reference | None = None
    timing_date_time: str | None = None
    timing_period: Period | None = None
    recorded_on: str | None = None


class DeviceName(Part, frozen=True):
    """What a device is called."""

    name: str | None = None


class Device(Resource, frozen=True, tag="Device"):
    """A device; in R4 its person is `patient`."""

    status: str | None = None
    type: CodeableConcept | None = None
    device_name: tuple[DeviceName, ...] = ()
    patient: Reference | None = None
    manufacture_date: str | None = None


class GoalTarget(Part, frozen=True):
    """By when a goal is to be reached."""

    due_date: str | None = None


class Goal(Resource, frozen=True, tag="Goal"):
    """What care aims at."""

    lifecycle_status: str | None = None
    description: CodeableConcept | None = None
    subject: Reference | None = None
    start_date: str | None = None
    target: tuple[GoalTarget, ...] = ()
    achievement_status: CodeableConcept | None = None


class Consent(Resource, frozen=True, tag="Consent"):
    """What the patient allows or refuses; its person is `patient`."""

    status: str | None = None
    scope: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    patient: Reference | None = None
    date_time: str | None = None


class ActivityDetail(Part, frozen=True):
    """An activity of a plan."""

    code: CodeableConcept | None = None
    status: str | None = None
    description: str | None = None


class Activity(Part, frozen=True):
    """One step of a plan."""

    detail: ActivityDetail | None = None


class CarePlan(Resource, frozen=True, tag="CarePlan"):
    """A plan of care."""

    status: str | None = None
    intent: str | None = None
    title: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    period: Period | None = None
    created: str | None = None
    activity: tuple[Activity, ...] = ()


class AdverseEvent(Resource, frozen=True, tag="AdverseEvent"):
    """Harm or near harm."""

    actuality: str | None = None
    event: CodeableConcept | None = None
    subject: Reference | None = None
    date: str | None = None
    seriousness: CodeableConcept | None = None


class DiagnosticReport(Resource, frozen=True, tag="DiagnosticReport"):
    """A report of an examination."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    conclusion: str | None = None


class Attachment(Part, frozen=True):
    """Content of a document: in place, or somewhere else."""

    content_type: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None


class DocumentContent(Part, frozen=True):
    """One form in which a document exists."""

    attachment: Attachment | None = None


class DocumentReference(Resource, frozen=True, tag="DocumentReference"):
    """A document about the patient."""

    status: str | None = None
    doc_status: str | None = None
    type: CodeableConcept | None = None
    subject: Reference | None = None
    date: str | None = None
    description: str | None = None
    content: tuple[DocumentContent, ...] = ()


class FamilyCondition(Part, frozen=True):
    """What a relative has or had."""

    code: CodeableConcept | None = None


class FamilyMemberHistory(Resource, frozen=True, tag="FamilyMemberHistory"):
    """The history of a relative; its person is `patient`."""

    status: str | None = None
    patient: Reference | None = None
    relationship: CodeableConcept | None = None
    date: str | None = None
    condition: tuple[FamilyCondition, ...] = ()


class Issue(Part, frozen=True):
    """One issue of an OperationOutcome; only the code is read, diagnostics may hold anything."""

    severity: str | None = None
    code: str | None = None


class OperationOutcome(Resource, frozen=True, tag="OperationOutcome"):
    """An error in place of data."""

    issue: tuple[Issue, ...] = ()


class BundleLink(Part, frozen=True):
    """A link of a Bundle, e.g. `next`."""

    relation: str | None = None
    url: str | None = None


class BundleSearch(Part, frozen=True):
    """Why an entry is in a searchset: `match`, `include` or `outcome`."""

    mode: str | None = None


class BundleEntry(Part, frozen=True):
    """One entry of a Bundle."""

    full_url: str | None = None
    resource: AnyResource | None = None
    search: BundleSearch | None = None


class Bundle(Resource, frozen=True, tag="Bundle"):
    """Several resources together."""

    type: str | None = None
    total: int | None = None
    link: tuple[BundleLink, ...] = ()
    entry: tuple[BundleEntry, ...] = ()


READ = (
    Patient, RelatedPerson, Practitioner, Observation, Condition, MedicationRequest, MedicationStatement,
    MedicationAdministration, Medication,
    AllergyIntolerance, Procedure, Encounter, Immunization, ServiceRequest, Appointment, Flag,
    DeviceUseStatement, Device, Goal,
    Consent, CarePlan, AdverseEvent, DiagnosticReport, DocumentReference, FamilyMemberHistory, OperationOutcome, Bundle,
)  # fmt: skip

# All other resource types of R4, and those of R4B and R5 that an EHR might send along.
_KEPT_BY_NAME = [
    "Account",
    "ActivityDefinition",
    "ActorDefinition",
    "AdministrableProductDefinition",
    "AppointmentResponse",
    "ArtifactAssessment",
    "AuditEvent",
    "Basic",
    "Binary",
    "BiologicallyDerivedProduct",
    "BiologicallyDerivedProductDispense",
    "BodyStructure",
    "CapabilityStatement",
    "CareTeam",
    "CatalogEntry",
    "ChargeItem",
    "ChargeItemDefinition",
    "Citation",
    "Claim",
    "ClaimResponse",
    "ClinicalImpression",
    "ClinicalUseDefinition",
    "CodeSystem",
    "Communication",
    "CommunicationRequest",
    "CompartmentDefinition",
    "Composition",
    "ConceptMap",
    "ConditionDefinition",
    "Contract",
    "Coverage",
    "CoverageEligibilityRequest",
    "CoverageEligibilityResponse",
    "DetectedIssue",
    "DeviceAssociation",
    "DeviceDefinition",
    "DeviceDispense",
    "DeviceMetric",
    "DeviceRequest",
    "DeviceUsage",
    "DocumentManifest",
    "EffectEvidenceSynthesis",
    "EncounterHistory",
    "Endpoint",
    "EnrollmentRequest",
    "EnrollmentResponse",
    "EpisodeOfCare",
    "EventDefinition",
    "Evidence",
    "EvidenceReport",
    "EvidenceVariable",
    "ExampleScenario",
    "ExplanationOfBenefit",
    "FormularyItem",
    "GenomicStudy",
    "GraphDefinition",
    "Group",
    "GuidanceResponse",
    "HealthcareService",
    "ImagingSelection",
    "ImagingStudy",
    "ImmunizationEvaluation",
    "ImmunizationRecommendation",
    "ImplementationGuide",
    "Ingredient",
    "InsurancePlan",
    "InventoryItem",
    "InventoryReport",
    "Invoice",
    "Library",
    "Linkage",
    "List",
    "Location",
    "ManufacturedItemDefinition",
    "Measure",
    "MeasureReport",
    "Media",
    "MedicationDispense",
    "MedicationKnowledge",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductDefinition",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "MessageHeader",
    "MolecularSequence",
    "NamingSystem",
    "NutritionIntake",
    "NutritionOrder",
    "NutritionProduct",
    "ObservationDefinition",
    "OperationDefinition",
    "Organization",
    "OrganizationAffiliation",
    "PackagedProductDefinition",
    "Parameters",
    "PaymentNotice",
    "PaymentReconciliation",
    "Permission",
    "Person",
    "PlanDefinition",
    "PractitionerRole",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RegulatedAuthorization",
    "RequestGroup",
    "RequestOrchestration",
    "Requirements",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "ResearchSubject",
    "RiskAssessment",
    "RiskEvidenceSynthesis",
    "Schedule",
    "SearchParameter",
    "Slot",
    "Specimen",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Subscription",
    "SubscriptionStatus",
    "SubscriptionTopic",
    "Substance",
    "SubstanceDefinition",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "SupplyDelivery",
    "SupplyRequest",
    "Task",
    "TerminologyCapabilities",
    "TestPlan",
    "TestReport",
    "TestScript",
    "Transport",
    "ValueSet",
    "VerificationResult",
    "VisionPrescription",
]


class Other(msgspec.Struct, rename="camel", frozen=True, tag_field="resourceType", gc=False):
    """Base of the resource types that are known by name only."""

    id: str | None = None


OTHER = tuple(
    msgspec.defstruct(name, [], bases=(Other,), tag=name, namespace={"__doc__": name}) for name in _KEPT_BY_NAME
)

if TYPE_CHECKING:
    AnyResource: TypeAlias = Resource | Other
else:
    AnyResource = Union[READ + OTHER]  # noqa: UP007, msgspec reads the tags of this union


def decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    """A JSON decoder of `shape`, which may hold `AnyResource`."""
    return msgspec.json.Decoder(shape)
