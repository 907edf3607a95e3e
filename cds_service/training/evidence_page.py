"""The page of all trained models' figures: `python -m cds_service.training.evidence_page > docs/evidence/models.md`.

The figures stand in the cards, which the recipes write from rows that no model judged was trained on; this puts the
sections on discrimination and calibration of all cards on one page, beside the published figures.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from cds_service.registry import shipped

SECTIONS = ("Discrimination", "Calibration", "Performance")
# What others publish on the same data, and the goals set for unseen rows.
PUBLISHED: Mapping[str, str] = {
    "readmission-30d": "Public model cards on the same data: AUROC 0.647 and 0.656 (split by row). Goal: 0.685, AUPRC "
    "0.237.",
    "icu-mortality": "GRU-D 0.842 to 0.87 (Che 2018, Horn 2020). Goal: AUROC 0.865, AUPRC 0.535.",
    "serious-illness": "SUPPORT's own model 0.79 at 180 days (Knaus 1995). Goals: AUROC 0.85 in hospital, 0.775 at 180 "
    "days.",
    "mortality": "Age and sex alone: 0.835 at 5 and 0.864 at 10 years. Goals for all ages: AUROC 0.88 and 0.895.",
    "breast-cancer-survival": "Cox 0.631 to 0.70, DeepHit 0.675 to 0.69. Goal: C 0.71.",
    "lung-adenocarcinoma-survival": "MCAT with whole slides 0.620, genes alone 0.539 (Chen 2021). Goal: C 0.62.",
}

# The figures of the quick gradient boosting come from the rows taken out; those of the ceilings from the cards.
CEILINGS = (
    "Each card has a ceiling: gradient boosting with every column that does not leak, whether or not a record holds "
    "it. Beside what a quick gradient boosting reached on the rows taken out, the ceilings tell how far goals and "
    "out-of-fold figures compare. Readmission: 0.685 and 0.236 here, 0.683 and 0.237 there; the goal is the ceiling, "
    "and inputs that a record holds stay 0.005 below it. Intensive care: 0.862 and 0.499 here, 0.861 and 0.528 there; "
    "average precision may be three hundredths higher there. Serious illness: 0.837 in hospital and 0.773 at 180 days "
    "here, 0.862 and 0.778 there; those rows may be easier, and the goals of 0.85 and 0.775 are above what all "
    "columns reach here. Mortality: age and sex alone have 0.840 and 0.871 here, 0.835 and 0.864 there; those rows "
    "are harder, and figures there may be half a hundredth lower. The columns and settings of the two were not the "
    "same, and the intervals there are a hundredth or more to either side: none of this says that a goal is met or "
    "missed."
)


def page() -> str:
    """The page in Markdown, one section a trained model that has a card."""
    parts = [
        "# Trained models: figures",
        "Written from the cards by `python -m cds_service.training.evidence_page > docs/evidence/models.md`.",
        "Every figure comes from rows that the model judged was not trained or calibrated on; brackets hold 95 % "
        "intervals. Where a card says that nothing was tuned within the folds, the parameters were chosen in earlier "
        "comparisons on the same rows. Goals are for rows that were taken out beforehand and are not here: out-of-fold "
        "figures tell whether they are near, not whether they are met.",
        CEILINGS,
    ]
    for card in sorted(shipped("models").glob("*/card.md")):
        parts.append(_model(card))
    return "\n\n".join(parts) + "\n"


def _model(card: Path) -> str:
    text, id_ = card.read_text(encoding="utf-8"), card.parent.name
    sections = (section.partition("\n") for section in text.split("\n## ")[1:])
    found = {title: body.strip() for title, _, body in sections}
    shown = [f"### {name}\n\n{_without_pictures(found[name])}" for name in SECTIONS if name in found]
    head = f"## {id_}\n\n[Card](../../models/{id_}/card.md). {PUBLISHED.get(id_, '')}".rstrip()
    return "\n\n".join([head, *shown])


def _without_pictures(text: str) -> str:
    return re.sub(r"!\[[^\]]*\]\([^)]*\)\n*", "", text).strip()


if __name__ == "__main__":
    sys.stdout.write(page())
