"""Death in hospital and within 180 days, of seriously ill in-patients from the third day; see `card.md`.

Trained by `train.py` on SUPPORT (1989-1994). Each outcome has trees of its own; death in hospital never exceeds death
within 180 days, which includes it.
"""

from __future__ import annotations

from pathlib import Path

from cds_service.api import Band, Citation, Group, TrainedModel, msg
from cds_service.api import serious_illness as s

# Half of the training patients died within 180 days, a quarter in hospital.
BANDS = {
    "hospital_death": (
        (0.0, Band("below-a-quarter", msg("below one in four"))),
        (0.25, Band("a-quarter-or-more", msg("one in four or more"))),
        (0.5, Band("half-or-more", msg("one half or more"))),
    ),
    "death_180d": (
        (0.0, Band("below-half", msg("below one half"))),
        (0.5, Band("half-or-more", msg("one half or more"))),
        (0.75, Band("three-quarters-or-more", msg("three in four or more"))),
    ),
}

model = TrainedModel.load(
    Path(__file__).parent,
    title=msg("Death in hospital and within 180 days in serious illness"),
    citation=Citation(
        "SUPPORT (Knaus WA et al. Ann Intern Med 1995;122:191-203)",
        "https://doi.org/10.7326/0003-4819-122-3-199502010-00007",
    ),
    features=s.FEATURES,
    groups=(
        Group("kidney", msg("Kidney function"), (s.CREATININE.id, s.BUN.id, s.URINE.id)),
        Group("illness", msg("Illness"), (s.ILLNESS.id, s.CANCER_EXTENT.id)),
        Group("breathing", msg("Breathing and blood gases"), (s.RESPIRATORY_RATE.id, s.OXYGENATION.id, s.PH.id)),
    ),
    outcome_words={
        "hospital_death": msg("death in this hospital stay"),
        "death_180d": msg("death within 180 days"),
    },
    population=msg("seriously ill in-patients of five hospitals in the United States, 1989–1994"),
    limits=msg(
        "Adults from the third day in hospital with one of eight illnesses. Five teaching hospitals, 1989 to 1994: "
        "survival has improved since. Function, wishes and limits of treatment are not among its inputs. Not for "
        "triage, for refusing or for ending care."
    ),
    bands=BANDS,
)
