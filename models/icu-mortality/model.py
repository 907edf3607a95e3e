"""Death in hospital, from the first 48 hours in intensive care; see `card.md`.

Trained by `train.py` on set A of the PhysioNet/CinC Challenge 2012. It says nothing before 48 hours are over.
"""

from __future__ import annotations

from pathlib import Path

from cds_service.api import Band, Citation, Group, Made, TrainedModel, intensive_care, msg
from cds_service.api import catalogue as c

_SERIES = {**intensive_care.VITALS, **intensive_care.LABS}

FEATURES = (
    c.AGE,
    c.SEX,
    *(feature for series in _SERIES.values() for feature in series),
    *intensive_care.OXYGENATION,
    intensive_care.VENTILATED,
    *intensive_care.CHANGES.values(),
    intensive_care.SHOCK_INDEX,
    intensive_care.BUN_TO_CREATININE,
    *intensive_care.POINTS,
)

_TOGETHER = {
    "blood-pressure": (
        msg("Blood pressure"),
        ("sbp", "dbp", "mean_pressure", "arterial_sbp", "arterial_dbp", "arterial_mean"),
    ),
    "troponin": (msg("Troponin"), ("troponin_t", "troponin_i")),
    "kidney": (msg("Kidney function"), ("creatinine", "bun")),
    "liver": (msg("Liver tests"), ("alp", "alt", "ast", "bilirubin")),
    "blood-gas": (msg("Blood gases"), ("arterial_ph", "paco2", "pao2", "fio2", "bicarbonate")),
}
_SINGLE = [id_ for id_ in _SERIES if not any(id_ in ids for _, ids in _TOGETHER.values())]


def _ids(*series: str) -> tuple[str, ...]:
    """The statistics of some series and their changes."""
    changes = tuple(intensive_care.CHANGES[id_].id for id_ in series if id_ in intensive_care.CHANGES)
    return tuple(feature.id for id_ in series for feature in _SERIES[id_]) + changes


_DERIVED = {
    "blood-gas": tuple(feature.id for feature in intensive_care.OXYGENATION),
    "kidney": (intensive_care.BUN_TO_CREATININE.id,),
    "blood-pressure": (intensive_care.SHOCK_INDEX.id,),
}


GROUPS = (
    *(Group(id_, label, _ids(*ids) + _DERIVED.get(id_, ())) for id_, (label, ids) in _TOGETHER.items()),
    Group("physiology", msg("Acute physiology, points"), tuple(feature.id for feature in intensive_care.POINTS)),
    *(Group(id_.replace("_", "-"), _SERIES[id_][0].of.label, _ids(id_)) for id_ in _SINGLE),
)

# One in seven of the training patients died: the bands part what is below, around and well above that.
BANDS = {
    "in_hospital_death": (
        (0.0, Band("below-a-tenth", msg("below one in ten"))),
        (0.1, Band("a-tenth-or-more", msg("one in ten or more"))),
        (0.3, Band("three-tenths-or-more", msg("three in ten or more"))),
    )
}

model = TrainedModel.load(
    Path(__file__).parent,
    title=msg("Death in hospital after 48 hours of intensive care"),
    citation=Citation(
        "PhysioNet/Computing in Cardiology Challenge 2012 (Silva I et al. Comput Cardiol 2012;39:245-8)",
        "https://physionet.org/content/challenge-2012/1.0.0/",
    ),
    features=FEATURES,
    groups=GROUPS,
    outcome_words={"in_hospital_death": msg("death in this hospital stay")},
    population=msg("adults in intensive care for 48 hours or more in one hospital in the United States, 2001–2008"),
    limits=msg(
        "From 48 hours after admission to intensive care, and only from those hours. One hospital, 2001 to 2008, not "
        "calibrated to this one. Diagnoses and limits of treatment are not among its inputs. Not for triage, for "
        "refusing or for ending care."
    ),
    bands=BANDS,
    made=(Made(("ventilated",), ("MechVentStartTime",), lambda cells: {"ventilated": "yes" if cells[0] else "no"}),),
)
