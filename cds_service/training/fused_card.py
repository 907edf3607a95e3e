"""The model card of a fused survival model, after the items of TRIPOD+AI (Collins 2024, doi:10.1136/bmj-2023-078378).

All figures come from rows that the model judged had not seen: an outer fold's rows from the model of the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cds_service.risk.fusion import Fusion, Modality
from cds_service.training import card, fused_figures, fused_steadiness, plots
from cds_service.training.evaluation import markdown
from cds_service.training.fused_evidence import Evidence


def write(folder: Path, manifest: Fusion, evidence: Evidence, words: Mapping[str, str]) -> None:
    """`card.md`, `calibration.svg` and `beeswarm.svg` in a model's folder."""
    sections = [
        card.head(manifest),
        f"## Intended use\n\n{words['Intended use']}\n\n**Not for:** {words['Not for']}",
        f"## Data\n\n{words['Data']}\n\n{_population(manifest, evidence)}",
        f"## Inputs\n\n{card.inputs_table(manifest.inputs)}\n\n{_modalities(manifest)}",
        f"## Method\n\n{words['Method']}\n\n{_parameters(manifest)}",
        f"## Discrimination\n\n{fused_figures.discrimination(evidence)}",
        f"## Calibration\n\n{fused_figures.calibration(evidence)}\n\n![Calibration plot](calibration.svg)",
        f"## Subgroups\n\n{fused_figures.subgroups(evidence)}",
        f"## Missing modalities\n\n{fused_figures.patterns(evidence)}",
        f"## Applicability\n\n{fused_steadiness.applicable(evidence)}",
        f"## Similar people\n\n{fused_steadiness.similar(evidence)}",
        f"## Steadiness\n\n{fused_steadiness.refitted(evidence, manifest.inputs)}",
        f"## Plausible values\n\n{fused_steadiness.plausible(evidence)}",
        f"## Net benefit\n\n{fused_figures.net_benefit(evidence)}",
        f"## What moves the estimates\n\n{_drivers(manifest, evidence, folder)}",
        f"## What we found in the data\n\n{words['What we found in the data']}",
        f"## Limits\n\n{words['Limits']}",
        f"## Licence and version\n\n{words['Licence']}\n\n{_version(manifest)}",
    ]
    (folder / "card.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    plots.calibration(
        {evidence.title(o, h): fused_figures.points(evidence, o, h) for o, h in evidence.cases},
        folder / "calibration.svg",
    )


def _population(manifest: Fusion, evidence: Evidence) -> str:
    rows = [(name, *counts.values()) for name, counts in manifest.population.horizons.items()]
    return (
        markdown(("outcome", "people", "with it", "lost to follow-up before"), rows)
        + f"\n\nThe model speaks for {int(evidence.spoken.sum())} of these: {evidence.who}."
    )


def _modalities(manifest: Fusion) -> str:
    low, high = manifest.speaks.age
    needs = ", ".join([*manifest.speaks.required, "one modality"])
    return (
        "\n".join(_modality(one) for one in manifest.modalities)
        + f"\n\nThe model speaks for ages {low} to {high}. It needs: {needs}. "
        "What is not measured stays missing: nothing is imputed."
    )


def _modality(one: Modality) -> str:
    own = "these" if one.own == one.inputs else ", ".join(one.own)
    return f"- **{one.label}**: {', '.join(one.inputs)}; there if at least {one.minimum} of {own} are measured."


def _parameters(manifest: Fusion) -> str:
    chosen = ", ".join(f"{name} {value}" for name, value in manifest.training.items())
    rows = [
        (f"{p.outcome}: {' + '.join(p.modalities)}", p.people,
         ", ".join(f"{id_} {w:.2f}" for id_, w in p.weights.items()),
         ", ".join(f"{a:.3f} at {h} y" for h, a in p.intercepts.items()),
         ", ".join(f"{b:.2f} at {h} y" for h, b in p.slopes.items()))
        for p in manifest.patterns
    ]  # fmt: skip
    return f"Final model: {chosen}.\n\n{markdown(('combiner', 'people', 'weights', 'intercepts', 'slopes'), rows)}"


def _drivers(manifest: Fusion, evidence: Evidence, folder: Path) -> str:
    """Mean absolute contribution of each input with every modality there, first outcome, with the beeswarm."""
    outcome, matrix = next(iter(evidence.outcomes)), evidence.patients.matrix[evidence.spoken]
    phi = evidence.fusing.final.contributions(matrix, outcome, evidence.full)
    size = np.abs(phi).mean(axis=0)
    order = np.argsort(-size, kind="stable")[: card.SHOWN_INPUTS]
    labels = [manifest.inputs[i].label for i in order.tolist()]
    plots.beeswarm(phi[:, order], matrix[:, order], labels, folder / "beeswarm.svg")
    table = markdown(
        ("input", "mean size on the log-odds"), [(n, f"{size[i]:.3f}") for n, i in zip(labels, order, strict=True)]
    )
    return (
        f"{evidence.outcomes[outcome].capitalize()}, with every modality.\n\n{table}\n\n"
        "![Contributions of each input](beeswarm.svg)\n\n"
        "Exact SHAP values on the fused log-odds, of the final model for people it was trained on. They describe the "
        "model, not causes."
    )


def _version(manifest: Fusion) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    digests = "\n".join(f"- {p.weights}: `{p.sha256}`" for p in manifest.parts)
    return f"Made with {libraries}. SHA-256 of the weights:\n\n{digests}"
