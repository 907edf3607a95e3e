"""When care that pays off in years is untimely: a short life ahead, or a cancer that is new or under treatment."""

from __future__ import annotations

from datetime import timedelta

from cds_service.features.conditions import CANCER, METASTASIS, PALLIATIVE_CARE
from cds_service.features.feature import ConditionFeature, FeatureValues
from cds_service.features.medicines import ANTINEOPLASTIC
from cds_service.language import msg

NEW_CANCER = timedelta(days=180)
CANCER_TREATMENT = ConditionFeature(
    id="cancer_treatment",
    label=msg("Treatment of a cancer under way"),
    snomed=("367336001", "108290001"),  # chemotherapy, radiotherapy
    icd10=("Z51.0", "Z51.1"),
)
NEEDED = (PALLIATIVE_CARE, METASTASIS, CANCER, ANTINEOPLASTIC, CANCER_TREATMENT)
"""What `untimely` reads."""


def untimely(values: FeatureValues) -> bool:
    """True with palliative care, metastases, a cancer of the last 180 days, or one under treatment.

    A medicine against cancer counts only beside a cancer: rheumatology gives some of them too. What is not known is
    not taken for a reason to be silent.
    """
    if any(values.flag(f) for f in (PALLIATIVE_CARE, METASTASIS, CANCER_TREATMENT)):
        return True
    cancer = values.usable(CANCER)
    if cancer is None or cancer.value is not True:
        return False
    new = cancer.effective is not None and values.as_of - cancer.effective <= NEW_CANCER
    return new or bool(values.flag(ANTINEOPLASTIC))
