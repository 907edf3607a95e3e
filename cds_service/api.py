"""All that a plugin may import: files in `models/` and `hooks/` need nothing else of Curbside."""

from cds_service import blood_pressure, dosing, drug_findings, fibrillation, glycaemia, kidneys, liver, orders
from cds_service.evidence_path import evidence_step
from cds_service.explain import additive
from cds_service.explain.explanation import Baseline, Contribution, Explanation, Scale
from cds_service.explain.tree import Group
from cds_service.explain.wording import missing_names
from cds_service.features import (
    catalogue,
    diagnosis_groups,
    discharge,
    earlier_stays,
    gene_sets,
    genetics,
    intensive_care,
    oncology,
    prevention,
    serious_illness,
)
from cds_service.features.aggregate import Aggregate, Statistic, StayKind
from cds_service.features.conditions_on_record import current_problems
from cds_service.features.contacts import is_inpatient
from cds_service.features.doses import daily_mg, drafted_daily_mg
from cds_service.features.embedding import Embedding
from cds_service.features.feature import (
    Absence,
    Coded,
    ConditionFeature,
    Demographic,
    Derived,
    Feature,
    FeatureValue,
    FeatureValues,
    FirstOf,
    Lasting,
    MedicationFeature,
    Quantity,
    Reason,
    Unusable,
)
from cds_service.features.history import beyond, creatinine_rise, egfr_history, history
from cds_service.features.hospital import MeasuredInHospital, is_hospital, is_over
from cds_service.features.kidney_disease import KidneyDisease, kidney_disease
from cds_service.features.kidney_injury import Rise
from cds_service.features.medicines_on_record import Medicine, drafted, intolerances
from cds_service.features.stays import goes_to, stay_began
from cds_service.fhir.resources import DiagnosticReport, MedicationRequest, ServiceRequest
from cds_service.findings import CareGapFinding, EvidenceFinding, Finding, Proposal, RiskFinding, Severity
from cds_service.given_up import with_list_limits
from cds_service.hook import Case, Service, Threshold, Topic, override_reason
from cds_service.knowledge import genotypes, pharmacogenes, preventive, renal_limits, safety, tumours, variants
from cds_service.knowledge.library import Library
from cds_service.language import Message, inside, msg, within
from cds_service.orders import propose_medicine
from cds_service.risk import levers, points, published, readmission
from cds_service.risk.declared import load as declared_model
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import (
    Band,
    Citation,
    EstimateKind,
    NotEstimated,
    PublishedScore,
    Refusal,
    Result,
    RiskEstimate,
    RiskModel,
    Trend,
)
from cds_service.risk.table import CellError, Made
from cds_service.risk.trained import TrainedModel
from cds_service.risk.vectors import NotOffered, age_in_fixture
from cds_service.trend import Earlier, earlier, says_something
from cds_service.what_if import Change, at_targets, what_if

__all__ = [
    "Absence",
    "Aggregate",
    "Band",
    "Baseline",
    "CareGapFinding",
    "Case",
    "CellError",
    "Change",
    "Citation",
    "Coded",
    "ConditionFeature",
    "Contribution",
    "Demographic",
    "Derived",
    "DiagnosticReport",
    "Earlier",
    "Embedding",
    "EstimateKind",
    "EvidenceFinding",
    "Explanation",
    "Feature",
    "FeatureValue",
    "FeatureValues",
    "Finding",
    "FirstOf",
    "FusedModel",
    "Group",
    "KidneyDisease",
    "Lasting",
    "Library",
    "Made",
    "MeasuredInHospital",
    "MedicationFeature",
    "MedicationRequest",
    "Medicine",
    "Message",
    "NotEstimated",
    "NotOffered",
    "Proposal",
    "PublishedScore",
    "Quantity",
    "Reason",
    "Refusal",
    "Result",
    "Rise",
    "RiskEstimate",
    "RiskFinding",
    "RiskModel",
    "Scale",
    "Service",
    "ServiceRequest",
    "Severity",
    "Statistic",
    "StayKind",
    "Threshold",
    "Topic",
    "TrainedModel",
    "Trend",
    "Unusable",
    "additive",
    "age_in_fixture",
    "at_targets",
    "beyond",
    "blood_pressure",
    "catalogue",
    "creatinine_rise",
    "current_problems",
    "daily_mg",
    "declared_model",
    "diagnosis_groups",
    "discharge",
    "dosing",
    "drafted",
    "drafted_daily_mg",
    "drug_findings",
    "earlier",
    "earlier_stays",
    "egfr_history",
    "evidence_step",
    "fibrillation",
    "gene_sets",
    "genetics",
    "genotypes",
    "glycaemia",
    "goes_to",
    "history",
    "inside",
    "intensive_care",
    "intolerances",
    "is_hospital",
    "is_inpatient",
    "is_over",
    "kidney_disease",
    "kidneys",
    "levers",
    "liver",
    "missing_names",
    "msg",
    "oncology",
    "orders",
    "override_reason",
    "pharmacogenes",
    "points",
    "prevention",
    "preventive",
    "propose_medicine",
    "published",
    "readmission",
    "renal_limits",
    "safety",
    "says_something",
    "serious_illness",
    "stay_began",
    "tumours",
    "variants",
    "what_if",
    "with_list_limits",
    "within",
]
