"""The 31 source attributes of a predictive model, 45 CFR 170.315(b)(11)(iv)(B) (HTI-1, 89 FR 1192).

Each trained model's folder holds them in `attributes.json`, written by people; figures are added from its card, so that
they are always those of its version.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from cds_service.errors import PluginError
from cds_service.risk import card_figures

ATTRIBUTES = (
    "developer", "funding", "output_value", "output_type", "intended_use", "intended_population", "intended_users",
    "decision_role", "out_of_scope", "risks_and_limitations", "inclusion_exclusion", "sensitive_inputs",
    "demographic_representativeness", "relevance_to_setting", "fairness_approach", "bias_management",
    "external_validation_source", "external_validation_party", "external_validation_demographics",
    "external_validation_process", "validity_in_test_data", "fairness_in_test_data", "validity_in_external_data",
    "fairness_in_external_data", "outcome_references", "validity_monitoring", "local_validity", "fairness_monitoring",
    "local_fairness", "update_process", "correction_frequency",
)  # fmt: skip


def read(folder: Path) -> dict[str, str] | None:
    """Attribute -> text, all 31 in order; None if the folder has no such file.

    Raises PluginError naming the file if one is missing, unknown or empty.
    """
    path = folder / "attributes.json"
    if not path.is_file():
        return None
    try:
        given = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise PluginError(f"{path}: is no object of texts: {error}") from error
    wrong = sorted(set(ATTRIBUTES) ^ set(given)) or [name for name, text in given.items() if not text.strip()]
    if wrong:
        raise PluginError(f"{path}: the attributes of 45 CFR 170.315(b)(11)(iv)(B) differ: {', '.join(wrong)}")
    return {name: given[name] for name in ATTRIBUTES} | _with_figures(folder / "card.md", given)


def _with_figures(card: Path, given: dict[str, str]) -> dict[str, str]:
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    found = {"validity_in_test_data": card_figures.validity(text), "fairness_in_test_data": card_figures.fairness(text)}
    return {name: f"{given[name]} {figures}".strip() for name, figures in found.items()}
