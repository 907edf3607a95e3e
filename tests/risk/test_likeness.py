"""A patient unlike the people that a model learnt from is marked, values that cannot all be right are refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import loaded
from msgspec.structs import replace

from cds_service.errors import PluginError
from cds_service.features.feature import Derived, FeatureValue, FeatureValues, Reason, Unusable
from cds_service.language import msg
from cds_service.risk import likeness
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import NotEstimated, RiskEstimate
from cds_service.risk.trained import TrainedModel

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
MODELS = [m for m in loaded().models.values() if isinstance(m, TrainedModel | FusedModel)]
Trained = TrainedModel | FusedModel


def values(model: Trained, given: dict[str, Any], at: dict[str, datetime] | None = None) -> FeatureValues:
    entries: dict[str, FeatureValue | Unusable] = {}
    for feature in model.inputs:
        if feature.id in given:
            when = (at or {}).get(feature.id, AS_OF)
            entries[feature.id] = FeatureValue(feature, given[feature.id], when, ("Observation/x",))
        else:
            entries[feature.id] = Unusable(feature, Reason.ABSENT, msg("{what} is not on record", what=feature.label))
    entries |= {gate.id: FeatureValue(gate, False, AS_OF, ()) for gate, _ in model.gates}
    return FeatureValues(AS_OF, entries)


def middle(model: Trained) -> dict[str, Any]:
    """The person whose every input is the median of the training population, of an age for which the model speaks."""
    found: dict[str, Any] = {}
    for declared in model.manifest.inputs:
        words = {number: word for word, number in declared.answers.items()}
        median = declared.training.p50
        found[declared.id] = words.get(round(median), median)
    youngest, eldest = model.manifest.speaks.age
    return found | ({"age": min(max(found["age"], youngest), eldest)} if "age" in found else {})


def somebody(model: Trained, rng: random.Random, missing: float) -> dict[str, Any]:
    """Somebody whose inputs lie within the training ranges, each drawn for itself."""
    found: dict[str, Any] = {}
    for declared in model.manifest.inputs:
        if declared.id in model.manifest.speaks.required or rng.random() >= missing:
            words, learnt = list(declared.answers), declared.training
            found[declared.id] = rng.choice(words) if words else rng.uniform(learnt.p01, learnt.p99)
    youngest, eldest = model.manifest.speaks.age
    return found | {"age": rng.uniform(max(youngest, 20), min(eldest, 89))}


def estimated(model: Trained, given: dict[str, Any]) -> tuple[RiskEstimate, ...]:
    result = model.estimate(values(model, given))
    return () if isinstance(result, NotEstimated) else result


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.id)
def test_risks_of_hundreds_of_made_up_patients_are_ordered(model: Trained) -> None:
    """A longer horizon is never the safer one, nor a wider outcome; every risk lies between 0 and 1."""
    rng, seen = random.Random(1), 0
    for number in range(120):
        risks = {(e.outcome, e.horizon_years): e.value for e in estimated(model, somebody(model, rng, number % 3 / 4))}
        seen += bool(risks)
        assert all(0 < risk < 1 for risk in risks.values())
        for (outcome, years), risk in risks.items():
            later = [r for (o, y), r in risks.items() if o == outcome and years is not None and (y or 0) > years]
            wider = risks.get(("death_180d", None)) if outcome == "hospital_death" else risks.get(("death", years))
            assert all(risk <= other for other in later)
            assert outcome not in ("hospital_death", "cancer_death") or wider is None or risk <= wider
    assert seen > 30


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.id)
def test_who_is_unlike_the_training_population_is_marked(model: Trained) -> None:
    """By the mean squared distance in standard deviations, computed here anew; the median person is not."""
    file = json.loads((model.folder / likeness.FILE).read_text())
    assert set(file["inputs"]) == {declared.id for declared in model.manifest.inputs}
    assert not [n for e in estimated(model, middle(model)) for n in e.notes if "Taken together" in str(n)]
    rng, marks = random.Random(2), []
    for number in range(40):
        given = somebody(model, rng, number % 3 / 4)
        found = estimated(model, given)
        if not found:
            continue
        known = {e.feature.id for e in found[0].inputs}
        scores = []
        for declared in model.manifest.inputs:
            if declared.id in known:
                value = declared.answers.get(given[declared.id], given[declared.id])
                value = np.floor(value) if declared.whole else value
                mean, spread = file["inputs"][declared.id]
                scores.append(min(abs(value - mean) / spread, 6) ** 2)
        marked = any("Taken together" in str(note) for note in found[0].notes)
        assert marked == (np.mean(scores) > file["unlike_from"])
        marks.append(marked)
    assert marks


def test_the_mark_names_what_lies_furthest() -> None:
    """In words that a clinician reads, derived inputs not among them."""
    model = loaded().models["mortality"]
    assert isinstance(model, TrainedModel)
    odd = middle(model) | {
        "creatinine": 9.0,
        "albumin": 1.6,
        "waist": 170.0,
        "rdw": 24.0,
        "bmi": 60.0,
        "uric_acid": 11.0,
    }
    (note,) = [str(n) for n in estimated(model, odd)[0].notes if "Taken together" in str(n)]
    assert note.startswith("Taken together, the inputs are unlike those of 95 in 100 people that the model learnt from")
    assert "Creatinine 9.00 mg/dL" in note
    assert not any(str(f.label) in note for f in model.inputs if isinstance(f, Derived))


@pytest.mark.parametrize("model", [m for m in MODELS if isinstance(m, TrainedModel)], ids=lambda m: m.id)
def test_what_came_of_people_with_a_like_estimate_is_told(model: TrainedModel) -> None:
    """As the card has it, for each horizon or outcome; nothing under a calibration of the site's own."""
    card = (model.folder / "card.md").read_text()
    found = estimated(model, middle(model))
    assert found
    for estimate in found:
        (note,) = [str(n) for n in estimate.notes if str(n).startswith("Of ")]
        told = re.match(r"Of (\d+) training patients with an estimate of ([\d.]+) to ([\d.]+)%, (\d+)% had it: ", note)
        assert told is not None, note
        people, low, high, came = told.groups()
        row = re.search(rf"^\| ([^|]*), {low} to {high} % \| {people} \| [\d.]+ % \| ([\d.]+) %", card, re.M)
        assert row is not None
        assert f"{float(row[2]):.0f}" == came
        assert float(low) - 0.05 <= 100 * estimate.value <= float(high) + 0.05
        if estimate.horizon_years is not None:
            assert f"{estimate.horizon_years} year" in row[1]
    again = model.with_manifest(model.manifest)
    assert not [n for e in estimated(again, middle(model)) for n in e.notes if str(n).startswith("Of ")]


@pytest.mark.parametrize("model", [m for m in MODELS if isinstance(m, FusedModel)], ids=lambda m: m.id)
def test_nothing_is_told_of_people_with_a_like_estimate_where_nobody_had_one(model: FusedModel) -> None:
    """The first group begins at the lowest out-of-fold risk of its card, and the last ends at the highest."""
    cases = [(outcome, horizon) for outcome in model.manifest.outcomes for horizon in model.manifest.horizons]
    rows = re.findall(r"^\| ([^|]*), ([\d.]+) to ([\d.]+) % \| \d+ \|", section(model), re.M)
    titles = list(dict.fromkeys(title for title, _, _ in rows))
    for title, case in zip(titles, cases, strict=True):
        groups = [one for one in model.manifest.similar if (one.outcome, one.horizon) == case]
        known = [(low, high) for other, low, high in rows if other == title]
        assert f"{100 * groups[0].low:.1f}" == known[0][0]
        assert f"{100 * groups[-1].high:.1f}" == known[-1][1]
        assert all(a.high == b.low for a, b in pairwise(groups))
    high = replace(model.manifest, similar=tuple(replace(one, high=one.low) for one in model.manifest.similar))
    none = dataclasses.replace(model, manifest=high)
    assert [n for e in estimated(model, middle(model)) for n in e.notes if str(n).startswith("Of ")]
    assert not [n for e in estimated(none, middle(model)) for n in e.notes if str(n).startswith("Of ")]


def section(model: FusedModel) -> str:
    card = (model.folder / "card.md").read_text(encoding="utf-8")
    return card.split("## Similar people")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"sbp": 90.0, "dbp": 120.0},
            "Diastolic blood pressure 120 mmHg, Systolic blood pressure 90 mmHg cannot all be",
        ),
        ({"hdl": 110.0, "total_cholesterol": 90.0}, "HDL cholesterol 110 mg/dL, Total cholesterol 90 mg/dL cannot all"),
        ({"lymphocytes_percent": 60.0, "neutrophils_percent": 60.0}, "Lymphocytes 60.0%, Neutrophils 60.0%, Monocytes"),
    ],
)
def test_values_that_cannot_all_be_right_are_refused(changed: dict[str, float], words: str) -> None:
    """In words, and in a table by the same rule; of other moments they may both be right."""
    model = loaded().models["mortality"]
    assert isinstance(model, TrainedModel)
    refused = model.estimate(values(model, middle(model) | changed))
    assert isinstance(refused, NotEstimated)
    assert words in str(refused.reason)
    assert {entry.feature.id for entry in refused.unusable} >= set(changed)
    ids = [declared.id for declared in model.manifest.inputs]
    row = {i: changed.get(i, v if isinstance(v, float | int) else 1.0) for i, v in middle(model).items()}
    matrix = np.array([[row[i] for i in ids]], dtype=np.float32)
    assert likeness.contradictory(matrix, {i: at for at, i in enumerate(ids)}).tolist() == [True]
    assert not model.rows._speaks(matrix)[0]
    earlier = {next(iter(changed)): AS_OF - timedelta(days=40)}
    assert not isinstance(model.estimate(values(model, middle(model) | changed, earlier)), NotEstimated)


def trained_folder(tools: Any, folder: Path, **changes: Any) -> Path:
    """A model whose likeness.json holds two bands for each of its horizons, with the manifest's digest of it."""
    bands = [
        {"low": 0.0, "high": 40.0, "people": 30, "came": 12.5, "apart": 4.0},
        {"low": 40.1, "high": 100.0, "people": 30, "came": 70.0, "apart": 18.5},
    ]
    held = {
        "inputs": {"age": [60.0, 9.0]},
        "unlike_from": 2.0,
        "similar": {"5": bands, "10": bands},
        "refits": 6,
    } | changes
    content = json.dumps(held).encode()
    (folder / likeness.FILE).write_bytes(content)
    tools.write(folder, likeness=hashlib.sha256(content).hexdigest())
    return folder


def test_a_like_estimate_is_told_from_the_models_own_data(tools: Any, tmp_path: Path) -> None:
    """Whatever its card says; a card is for people."""
    folder = trained_folder(tools, tmp_path)
    (folder / "card.md").write_text("## Similar people\n\n| death, 0.0 to 100.0 % | 9 | 1 % | 99.0 % |\n\n## Limits\n")
    model = tools.load(folder)
    for estimate in estimated(model, {"age": 66.0, "sex": "female", "creatinine": 1.0, "albumin": 4.0, "crp": 3.0}):
        (note,) = [str(n) for n in estimate.notes if str(n).startswith("Of ")]
        low = estimate.value < 0.4
        assert ("Of 30 training patients with an estimate of 0.0 to 40.0%, 12% had it" in note) is low
        assert (", 70% had it" in note) is not low
        steady = [str(n) for n in estimate.notes if str(n).startswith("Refitted")]
        assert steady == [
            "Refitted on 6 other samples of its training patients, the model gives nine in ten patients with such an "
            f"estimate risks at most {'4.0' if low else '18.5'} percentage points apart: that is how steady the method "
            "is, and no interval for one patient's risk"
        ]


def test_a_file_that_is_not_the_manifests_stops_the_start(tools: Any, tmp_path: Path) -> None:
    """As changed weights do: a rate of training patients that nobody measured reaches no card."""
    file = trained_folder(tools, tmp_path) / likeness.FILE
    held = file.read_text()
    file.write_text(held.replace("12.5", "1.5"))
    with pytest.raises(PluginError, match=r"likeness.json: is not the manifest's \(SHA-256 differs\)"):
        tools.load(tmp_path)
    file.unlink()
    with pytest.raises(PluginError, match=r"likeness.json: is missing"):
        tools.load(tmp_path)
    file.write_text(held)
    tools.write(tmp_path)
    with pytest.raises(PluginError, match=r"likeness.json: manifest.json has no SHA-256 of it"):
        tools.load(tmp_path)
    file.unlink()
    assert tools.load(tmp_path).like is None


BAND = {"low": 10.0, "high": 20.0, "people": 30, "came": 12.5}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unlike_from": 0.0}, "unlike_from is not above 0"),
        ({"unlike_from": "2"}, r"Expected `float`"),
        ({"further": 1}, "unknown field `further`"),
        ({"inputs": {"age": [60.0, 0.0]}}, "a standard deviation"),
        ({"inputs": {"agee": [60.0, 9.0]}}, "inputs: the model has no agee"),
        ({"similar": {"5": [BAND]}}, "similar: the model's calibration is not the one of 5"),
        ({"similar": {"5": [BAND | {"low": 21.0}], "10": [BAND]}}, "the estimates of 5 do not rise"),
        ({"similar": {"5": [BAND], "10": [BAND, BAND | {"low": 5.0}]}}, "the estimates of 10 do not rise"),
        ({"similar": {"5": [BAND], "10": [BAND | {"came": 112.5}]}}, "10 came to a share"),
        ({"similar": {"5": [BAND | {"people": 0}], "10": [BAND]}}, "5 came to a share of nobody"),
        ({"similar": {"5": [BAND | {"apart": -1.0}], "10": [BAND]}}, "5: refits are no points of 0 to 100 apart"),
        ({"similar": {"5": [BAND | {"apart": 3.0}], "10": [BAND]}, "refits": 1}, "5: refits .* not two of them"),
    ],
)
def test_a_damaged_file_is_named(changes: dict[str, Any], words: str, tools: Any, tmp_path: Path) -> None:
    """At the start and not at the first patient, even where somebody entered its digest."""
    trained_folder(tools, tmp_path, **changes)
    with pytest.raises(PluginError, match=rf"likeness.json: .*{words}"):
        tools.load(tmp_path)


def test_rates_of_another_calibration_are_refused(tools: Any, tmp_path: Path) -> None:
    """A version that a site calibrated gives other estimates to the same people."""
    trained_folder(tools, tmp_path)
    found = hashlib.sha256((tmp_path / likeness.FILE).read_bytes()).hexdigest()
    tools.write(tmp_path, likeness=found, recalibrates="0.9.0")
    with pytest.raises(PluginError, match="similar: the model's calibration is not the one of 5, 10"):
        tools.load(tmp_path)
