"""Embeddings: vectors that another program has made of a slide, an image or a note, taken from outside.

Curbside makes none and fetches no pixels. A vector is an Observation with `valueSampledData`, whose `method` names the
program that made it (its id as the code, its version as the version), or a side input that is turned into one. Vectors
of another program, another version or another length mean something else and are refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest
from cds_service.features.feature import Feature, FeatureValue, Reason, Unusable
from cds_service.fhir.codes import EMBEDDING
from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.language import msg

LONGEST = 8192  # dimensions: what encoders of today give, four times over


@dataclass(frozen=True, slots=True)
class Embedding(Feature):
    """A vector of `dimension` numbers made by `encoder` in its `version`, no older than the window.

    of: what it was made of, for people. An Observation holds it under the code `encoder` of the system `EMBEDDING`.
    """

    encoder: str
    version: str
    dimension: int
    look_back: timedelta | None = None


def vector(text: str) -> NDArray[np.float64]:
    """The numbers of an embedding's value, which is their text with single spaces."""
    return np.array([float(part) for part in text.split()], dtype=np.float64)


def embedding(record: PatientRecord, feature: Embedding) -> FeatureValue | Unusable:
    """The latest vector of the encoder in the window, or why there is none; never one of another version or length."""
    rows = [row for row in record.embeddings(feature.encoder) if row.time is not None]
    if not rows:
        return Unusable(feature, Reason.ABSENT, msg("{what} is not on record", what=feature.label))
    row = rows[0]
    if feature.look_back is not None and row.time is not None and record.as_of - row.time.start > feature.look_back:
        words = msg("{what} was made too long ago", what=feature.label)
        return Unusable(feature, Reason.STALE, words, row.effective, (row.reference,))
    found = _read(feature, row)
    if isinstance(found, str):
        return FeatureValue(feature, found, row.effective, (row.reference,))
    return Unusable(feature, found[0], found[1], row.effective, (row.reference,))


def _read(feature: Embedding, row: Measurement) -> Any:
    observation = row.observation
    method = observation.method.coding if observation.method is not None else ()
    stated = next((c.version for c in method if c.system == EMBEDDING and c.code == feature.encoder), None)
    if stated != feature.version:
        words = msg("{what} was made by version {stated}, the model knows {version}", what=feature.label,
                    stated=stated or msg("unknown"), version=feature.version)  # fmt: skip
        return Reason.CONFLICT, words
    numbers = _numbers(observation.value_sampled_data)
    if numbers is None:
        return Reason.NO_NUMBER, msg("{what} holds something else than numbers", what=feature.label)
    if len(numbers) != feature.dimension:
        words = msg("{what} has {stated} numbers, the model takes {dimension}", what=feature.label,
                    stated=len(numbers), dimension=feature.dimension)  # fmt: skip
        return Reason.CONFLICT, words
    return " ".join(f"{number:.9g}" for number in numbers)


def _numbers(sampled: Any) -> list[float] | None:
    """The numbers of SampledData: origin + factor x each; None for E, U, L or anything else."""
    if sampled is None or not sampled.data or len(sampled.data) > 32 * LONGEST:
        return None
    origin = sampled.origin.value if sampled.origin is not None and sampled.origin.value is not None else 0.0
    factor = 1.0 if sampled.factor is None else sampled.factor
    try:
        numbers = [origin + factor * float(part) for part in sampled.data.split()]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) and len(numbers) <= LONGEST else None


def observation(side_input: Mapping[str, Any], patient_id: str) -> dict[str, Any]:
    """The Observation that a side input stands for.

    side_input: `{"encoder", "version", "dimension", "made", "values", "patient"}`; made is the time of the specimen or
    image. Raises BadRequest with one sentence if a member is missing, it is another patient's, or the numbers are not
    as many as it says.
    """
    members = {"encoder": str, "version": str, "dimension": int, "made": str, "values": list, "patient": str}
    for name, kind in members.items():
        if not isinstance(side_input.get(name), kind):
            raise BadRequest(f"the embedding needs '{name}' as {kind.__name__}")
    if side_input["patient"] != patient_id:
        raise BadRequest("the embedding is another patient's; give the one of the patient in the bundle")
    values = side_input["values"]
    finite = all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values)
    if not finite or len(values) != side_input["dimension"]:
        raise BadRequest("the embedding's 'values' must be as many finite numbers as its 'dimension' says")
    coding = {"system": EMBEDDING, "code": side_input["encoder"]}
    return {
        "resourceType": "Observation",
        "id": f"embedding-{side_input['encoder']}",
        "status": "final",
        "code": {"coding": [coding]},
        "method": {"coding": [{**coding, "version": side_input["version"]}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "effectiveDateTime": side_input["made"],
        "valueSampledData": {
            "origin": {"value": 0},
            "period": 1,
            "dimensions": 1,
            "data": " ".join(json.dumps(float(v)) for v in values),
        },
    }
