"""A CDS Service: one declaration for discovery, data needs and clinical decisions; one file in `hooks/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cds_service.features.feature import Feature, FeatureValues, Quantity
from cds_service.fhir.context import ClinicalContext
from cds_service.findings import Finding
from cds_service.knowledge.library import Library
from cds_service.language import Message
from cds_service.risk.model import Citation, Result, RiskModel


@dataclass(frozen=True)
class Case:
    """All that a service may look at when it decides: one patient, one moment, all results.

    results: model id -> estimates or refusal, for every model the service names and the site has loaded.
    thresholds: the service's, by name, as the site has set them.
    library: the knowledge graph, for a service that declares `knowledge`; None for any other.
    beside: ids of the other services that answer the same hook here and are not silent.
    """

    context: ClinicalContext
    values: FeatureValues
    models: Mapping[str, RiskModel]
    results: Mapping[str, Result]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    library: Library | None = None
    beside: frozenset[str] = frozenset()

    @property
    def knowledge(self) -> Library:
        """The knowledge graph. To be asked for only by a service that declares `knowledge`."""
        assert self.library is not None
        return self.library


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number at which a service begins to speak, which a site may set (`[services.ID] thresholds`).

    meaning: what happens from it on. unit: UCUM, or what is counted. least, most: what a site may set, inclusive.
    """

    default: float
    meaning: Message
    unit: str
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Topic:
    """A code with its system and display: what a service's cards are about (`source.topic`), an override reason."""

    system: str
    code: str
    display: str


NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"


def override_reason(code: str, display: str) -> Topic:
    """An override reason of HL7's code system, with its display as published."""
    return Topic(NON_ADHERENCE, code, display)


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS Service.

    id: kebab-case. hook: a hook of the hooks library. models: ids of the models it runs.
    may_run: ids of models that it runs too where they are loaded; a site without them loses nothing else.
    features: further features that its own rules look at (the models' features need not be repeated).
    find: the clinical decision: from a case to findings. No wording of Markdown, no JSON.
    summary: fact kinds in the order in which the clinician needs them at this hook (`summary/facts.py`).
    source: label and URL of `card.source`.
    thresholds: numbers that a site may set, by name in snake_case; `find` reads them from `case.thresholds`.
    reasons: override reasons that fit this service, offered before the common ones.
    repeat_after: how long an overridden finding of this service rests; None for the site's `alerts.overridden_days`.
        Give it where the matter changes within hours.
    optional: prefetch keys that it can do without: their absence costs the models that need them, and the card says
        so. If then nothing is found, the call is refused (412) all the same.
    shown: measurements whose latest value the card shows first of all results, even if it is normal; named among
        `features` too.
    knowledge: it asks the knowledge graph, whose digest then belongs to what shapes its answers.
    lists: prefetch keys of further lists that it reads: `procedures`, `immunizations`.
    apart: one card a finding, whatever the site has set; what does not fit the most cards joins the last one.
    """

    id: str
    hook: str
    title: Message
    description: Message
    models: tuple[str, ...]
    find: Callable[[Case], tuple[Finding, ...]]
    source: Citation
    topic: Topic
    summary: tuple[str, ...]
    may_run: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    usage_requirements: Message | None = None
    optional: tuple[str, ...] = ()
    shown: tuple[Quantity, ...] = ()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict, hash=False)
    reasons: tuple[Topic, ...] = ()
    repeat_after: timedelta | None = None
    knowledge: bool = False
    apart: bool = False
    lists: tuple[str, ...] = ()
