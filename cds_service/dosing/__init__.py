"""Drafted medicines that the kidney clears, against the limits of their labels: what is said of each draft."""

from cds_service.dosing.anticoagulants import CLOTS, special
from cds_service.dosing.drafts import MODELS, UNITS, drafts_of
from cds_service.dosing.limits import judged
from cds_service.dosing.unknown import AT_RISK
from cds_service.knowledge.renal_limits import Measure

__all__ = ["AT_RISK", "CLOTS", "MODELS", "UNITS", "Measure", "drafts_of", "judged", "special"]
