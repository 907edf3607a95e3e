"""Readmission within 30 days of a stay in hospital, for people with diabetes; see `card.md`.

Trained by `train.py` on the Diabetes 130-US hospitals data (1999-2008). It speaks when a stay ends.
"""

from __future__ import annotations

from pathlib import Path

from cds_service.api import Band, Citation, Derived, Group, TrainedModel, discharge, msg, readmission
from cds_service.api import catalogue as c

BANDS = {
    "readmission_30d": (
        (0.0, Band("below-a-tenth", msg("below one in ten"))),
        (0.1, Band("a-tenth-or-more", msg("one in ten or more"))),
        (0.2, Band("a-fifth-or-more", msg("one in five or more"))),
    )
}

NO_DIABETES = Derived("readmission_no_diabetes", msg("No diabetes"), "", (c.DIABETES,), lambda diabetes: not diabetes)

model = TrainedModel.load(
    Path(__file__).parent,
    title=msg("Readmission within 30 days, with diabetes"),
    citation=Citation(
        "Diabetes 130-US hospitals 1999-2008 (Strack B et al. BioMed Res Int 2014:781670)",
        "https://doi.org/10.24432/C5230J",
    ),
    features=readmission.FEATURES,
    groups=(
        Group(
            "diabetes-medicines",
            msg("Medicines for diabetes"),
            (
                discharge.INSULIN.id,
                c.METFORMIN.id,
                discharge.SULFONYLUREA.id,
                discharge.GLITAZONE.id,
                discharge.DIABETES_MEDICINES.id,
            ),
        ),
        Group("earlier-stays", msg("Earlier stays in hospital"), (c.ADMISSIONS_YEAR.id, *readmission.EARLIER)),
        Group("diabetes-kind", msg("Diabetes as coded"), readmission.DIABETES_CODES),
    ),
    outcome_words={"readmission_30d": msg("readmission within 30 days")},
    population=msg("people with diabetes discharged alive from 130 hospitals in the United States, 1999–2008"),
    limits=msg(
        "People with diabetes, 18 and over, discharged alive and not to hospice. Data of 1999 to 2008, not calibrated "
        "to this hospital. Readmission elsewhere was not seen. Nothing of home, help and means is among its inputs. "
        "Not for refusing or delaying discharge, for payment, or for comparing hospitals."
    ),
    bands=BANDS,
    gates=((NO_DIABETES, msg("the model speaks for people with diabetes")),),
    made=readmission.MADE,
)
