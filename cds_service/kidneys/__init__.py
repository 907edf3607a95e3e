"""What a record calls for about the kidneys: a rise of creatinine, chronic kidney disease, what is to be measured.

A rise comes first: while creatinine is not steady there is no eGFR and no stage. Each function returns its findings,
or nothing; which of them speak for a patient, and in which order, a service decides.
"""

from cds_service.kidneys.chronic import care
from cds_service.kidneys.estimates import (
    CYSTATIN_MODEL,
    EGFR_MODEL,
    KDIGO_2024,
    KFRE_MODELS,
    cystatin_line,
    disease,
    failure_line,
    stage_line,
)
from cds_service.kidneys.measuring import RISKS, albuminuria, one_value
from cds_service.kidneys.on_metformin import metformin, metformin_in_injury
from cds_service.kidneys.on_nsaid import nsaid
from cds_service.kidneys.potassium import hyperkalaemia
from cds_service.kidneys.reported import reported
from cds_service.kidneys.rising import TO_REVIEW, injury

__all__ = [
    "CYSTATIN_MODEL",
    "EGFR_MODEL",
    "KDIGO_2024",
    "KFRE_MODELS",
    "RISKS",
    "TO_REVIEW",
    "albuminuria",
    "care",
    "cystatin_line",
    "disease",
    "failure_line",
    "hyperkalaemia",
    "injury",
    "metformin",
    "metformin_in_injury",
    "nsaid",
    "one_value",
    "reported",
    "stage_line",
]
