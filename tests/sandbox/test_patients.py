"""The sample patients: deterministic, valid FHIR R4, one person each, plausible numbers."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.sandbox.chart import AS_OF, egfr_2021
from cds_service.sandbox.patients import SAMPLES
from cds_service.sandbox.samples import as_text

NAMES = [sample.name for sample in SAMPLES]
BUNDLES = {sample.name: sample.chart().bundle() for sample in SAMPLES}
MANY = 25  # resources of each type that are validated in one bundle: rows of one type are written by one function
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def resources(name: str) -> list[dict]:
    return [entry["resource"] for entry in BUNDLES[name]["entry"]]


def test_there_are_at_least_thirty_samples_with_different_names() -> None:
    """Names are unique, since files and patient ids are named after them."""
    assert len(set(NAMES)) == len(NAMES) >= 30


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_the_same_sample_is_written_byte_for_byte_again(sample) -> None:
    """Nothing but the code and the seed decides what is written."""
    assert as_text(sample.chart().bundle(), 2) == as_text(BUNDLES[sample.name], 2)


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_resource_of_a_sample_is_valid_fhir(name: str) -> None:
    """The last rows of each type parse with the strict R4B models; no sample needs an exception."""
    by_type: dict[str, list[dict]] = {}
    for resource in resources(name):
        by_type.setdefault(resource["resourceType"], []).append(resource)
    for type_, rows in by_type.items():
        model = get_fhir_model_class(type_)
        for row in rows[-MANY:]:
            model.model_validate(row)


@pytest.mark.parametrize("name", NAMES)
def test_ids_and_full_urls_are_unique_and_valid(name: str) -> None:
    """A bundle can be loaded into a FHIR server as it is."""
    ids = [(r["resourceType"], r["id"]) for r in resources(name)]
    urls = [entry["fullUrl"] for entry in BUNDLES[name]["entry"]]
    assert len(set(ids)) == len(ids)
    assert len(set(urls)) == len(urls)
    assert all(ID.fullmatch(id_) for _, id_ in ids)


def test_only_one_sample_holds_rows_that_are_not_the_patients_own() -> None:
    """Another patient's rows are there on purpose, and nowhere by accident."""
    strangers = set()
    for name in NAMES:
        own = {f"Patient/{name}", BUNDLES[name]["entry"][0]["fullUrl"]}
        for row in resources(name)[1:]:
            subject = row.get("subject") or row.get("patient")
            if row["resourceType"] == "Appointment":
                (subject,) = (one["actor"] for one in row["participant"])
            if row["resourceType"] != "Medication" and (subject is None or subject["reference"] not in own):
                strangers.add(name)
    assert strangers == {"mixed-rows"}


def test_only_the_samples_meant_to_hold_rows_of_the_future() -> None:
    """Nothing is dated after the moment of the samples but the row of `mixed-rows` that must be ignored."""
    late = {
        name
        for name in NAMES
        for row in resources(name)
        if (at := row.get("effectiveDateTime")) and datetime.fromisoformat(at + "T00:00:00Z" * (len(at) == 10)) > AS_OF
    }
    assert late == {"mixed-rows"}


def test_nothing_happened_before_birth() -> None:
    """Dates of measurements, diagnoses and prescriptions follow the date of birth."""
    for name in NAMES:
        born = date.fromisoformat(resources(name)[0]["birthDate"])
        for row in resources(name)[1:]:
            for member in (
                "effectiveDateTime",
                "onsetDateTime",
                "authoredOn",
                "performedDateTime",
                "occurrenceDateTime",
            ):
                if member in row:
                    assert date.fromisoformat(row[member][:10]) >= born, row["id"]


def test_the_large_sample_has_five_megabytes() -> None:
    """The size that the sample is there for."""
    assert 5_000_000 < len(as_text(BUNDLES["five-megabytes"], 0).encode()) < 8_000_000


def test_laboratory_egfr_follows_ckd_epi_2021() -> None:
    """A woman of 66 with creatinine 1.54 mg/dL has an eGFR of 37 mL/min/1.73 m2 (NKF calculator, CKD-EPI 2021)."""
    assert round(egfr_2021(1.54, 66.4, female=True)) == 37
