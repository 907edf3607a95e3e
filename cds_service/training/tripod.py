"""Where each item of TRIPOD+AI is answered: `python -m cds_service.training.tripod > docs/evidence/tripod-ai.md`.

Source of the items: Collins GS et al. BMJ 2024;385:e078378, doi:10.1136/bmj-2023-078378; told here in our own words.
An item is answered by sections of the model's card, by another document, or not at all, which is said.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cds_service.errors import PluginError
from cds_service.registry import shipped

HEAD = "head"  # the lines above a card's first section


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the checklist.

    number, asks: of the checklist. sections: of a card, any of whose titles joined by `|` will do; HEAD is its top.
    words: what stands outside the card, or is not answered, for all models alike.
    """

    number: str
    asks: str
    sections: tuple[str, ...] = ()
    words: str = ""


_MISSING = "Missing inputs|Missing modalities"
_STEADY = "Steadiness|How much the model itself varies"
_NO_PROTOCOL = "None: the recipe (`train.py`) was written with the data at hand, and the card says what was compared."

ITEMS: tuple[Item, ...] = (
    Item("1", "Title: model, people, outcome", (HEAD,)),
    Item("2", "Abstract", (), "None of its own; `curbside models show` prints the facts of a model in short."),
    Item("3a", "Why the model, and what exists already", ("Intended use", "Discrimination"), "[models.md](models.md)"),
    Item("3b", "People, purpose, place in care, users", ("Intended use",)),
    Item("3c", "Known inequalities of health", ("Subgroups",), "Shown by subgroup; their causes are not discussed."),
    Item("4", "Objective: development or evaluation", (HEAD, "Method")),
    Item("5a", "Sources of data, and how far they represent", ("Data", "Limits")),
    Item("5b", "Dates of the data", ("Data",)),
    Item("6a", "Setting and centres", ("Data",)),
    Item("6b", "Who was eligible", ("Data",)),
    Item("6c", "Treatments", ("Limits",), "Treatment after the estimate is not modelled."),
    Item("7", "Preparing and checking the data", ("Data", "Inputs", "What we found in the data")),
    Item("8a", "Outcome and horizon", ("Data",)),
    Item("8b", "Who judged the outcome", (), "Recorded by the sources (deaths, readmissions); no panel judged."),
    Item("8c", "Blinding of that judgement", (), "Not told by the sources."),
    Item("9a", "Choice of inputs", ("Inputs", "Method")),
    Item("9b", "Definition of inputs", ("Inputs",), "[inputs.md](../inputs.md): codes, units, windows."),
    Item("9c", "Who judged inputs", (), "Measured or coded by the sources; no panel judged."),
    Item("10", "Size of the sample", ("Data",), "All permitted rows were used; no size was worked out beforehand."),
    Item("11", "Missing values", (_MISSING, "Inputs")),
    Item("12a", "How the data were divided", ("Method", "Data")),
    Item("12b", "Form of inputs", ("Method", "Inputs")),
    Item("12c", "Kind of model, its steps, parameters, internal validation", ("Method",)),
    Item("12d", "Differences between centres", ("Subgroups",), "Only where the source names centres or regions."),
    Item("12e", "Measures of performance", ("Discrimination", "Calibration", "Net benefit")),
    Item("12f", "Changes after evaluation", ("Method",), "Versions: CHANGELOG; local: `curbside models recalibrate`."),
    Item("12g", "How estimates were calculated", ("Method",), "`curbside models predict ID --table`"),
    Item("13", "Imbalance of classes", ("Method",), "No rows were weighted or drawn anew to balance classes."),
    Item("14", "Fairness", ("Subgroups", "Inputs"), "Race, income, education and payer are never inputs."),
    Item("15", "What the model puts out, and thresholds", ("Intended use", "Net benefit")),
    Item("16", "Differences between training and use", ("Applicability", "Limits")),
    Item("17", "Ethical approval", ("Licence and version",), "Public, de-identified data; approvals are the sources'."),
    Item("18a", "Funding", (), "None for the models; the sources name their own."),
    Item("18b", "Conflicts of interest", (), "Those who wrote the recipe judged it: a local evaluation comes first."),
    Item("18c", "Protocol", (), _NO_PROTOCOL),
    Item("18d", "Registration", (), "Not registered."),
    Item("18e", "Data to be had", ("Licence and version",)),
    Item("18f", "Code to be had", ("Licence and version",), "`train.py` beside each card; `curbside models train`."),
    Item("19", "Patients and the public", (), "Not involved."),
    Item("20a", "Flow of people", ("Data",)),
    Item("20b", "Their characteristics", ("Inputs", "Subgroups")),
    Item("20c", "Development beside evaluation", ("Data",), "Folds of the same data; no other hospital."),
    Item("21", "People and events in each analysis", ("Data", "Discrimination")),
    Item("22", "The whole model", ("Method",), "Weights, calibration and SHA-256 stand in the model's folder."),
    Item("23a", "Performance with intervals, subgroups too", ("Discrimination", "Calibration", "Subgroups", _STEADY)),
    Item("23b", "Performance by centre", ("Subgroups",), "Only where the source names centres or regions."),
    Item("24", "Updating", (), "`curbside models recalibrate` writes a new version and a report on both."),
    Item("25", "What the results mean", ("What we found in the data", "Limits")),
    Item("26", "Limits", ("Limits",)),
    Item(
        "27a",
        "Bad or missing inputs in use",
        (_MISSING, "Applicability"),
        "Refused in words: [inputs.md](../inputs.md).",
    ),
    Item("27b", "What users must do and know", ("Intended use",), "[operations.md](../operations.md)"),
    Item(
        "27c", "What comes next", ("Limits",), "A silent local evaluation: [adding-a-model.md](../adding-a-model.md)."
    ),
)


def page() -> str:
    """The page in Markdown: a row an item, and for each model what of it the card has not.

    Raises PluginError if a card lacks every section that is to answer an item.
    """
    cards = {path.parent.name: _titles(path) for path in sorted(shipped("models").glob("*/card.md"))}
    rows = [f"| {one.number} | {one.asks} | {_answer(one, cards)} |" for one in ITEMS]
    gaps = [
        f"- `{id_}`: {', '.join(found) or 'none'}."
        for id_, found in ((id_, lacking(has)) for id_, has in cards.items())
    ]
    return "\n".join(
        (
            "# TRIPOD+AI, item by item",
            "",
            "Written by `python -m cds_service.training.tripod > docs/evidence/tripod-ai.md`.",
            "The items are those of Collins GS et al. BMJ 2024;385:e078378 (doi:10.1136/bmj-2023-078378) in our own "
            "words.",
            "Names in the last column are sections of each model's card; where an item is not answered, it says so.",
            "",
            "| item | asks | where |",
            "| --- | --- | --- |",
            *rows,
            "",
            "## Sections that a card has not",
            "",
            *gaps,
            "",
        )
    )


def lacking(titles: Sequence[str]) -> list[str]:
    """The sections that an item names and a card of these titles has not."""
    named = dict.fromkeys(section for one in ITEMS for section in one.sections if section != HEAD)
    return [section.partition("|")[0] for section in named if not set(section.split("|")) & set(titles)]


def _answer(one: Item, cards: dict[str, list[str]]) -> str:
    for id_, titles in cards.items():
        open_ = [section for section in one.sections if section == HEAD or set(section.split("|")) & set(titles)]
        if one.sections and not open_:
            raise PluginError(f"The card of {id_} answers item {one.number} of TRIPOD+AI nowhere: {one.asks}.")
    names = [
        "the card's first lines" if section == HEAD else f"*{section.replace('|', '* or *')}*"
        for section in one.sections
    ]
    return "; ".join((*names, *([one.words] if one.words else [])))


def _titles(card: Path) -> list[str]:
    return re.findall(r"^## (.+)$", card.read_text(encoding="utf-8"), re.MULTILINE)


if __name__ == "__main__":
    sys.stdout.write(page())
