"""All sample patients, in the order of the README."""

from __future__ import annotations

from cds_service.sandbox.patients import ages, cardiometabolic, genes, hospital, organs, records, thrombosis, tumours
from cds_service.sandbox.patients.sample import Sample

SAMPLES: tuple[Sample, ...] = (
    *cardiometabolic.SAMPLES,
    *organs.SAMPLES,
    *hospital.SAMPLES,
    *thrombosis.SAMPLES,
    *tumours.SAMPLES,
    *genes.SAMPLES,
    *ages.SAMPLES,
    *records.SAMPLES,
)
BY_NAME = {sample.name: sample for sample in SAMPLES}
