"""`curbside knowledge report`: what a population would be shown."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli import knowledge_report
from cds_service.cli.knowledge import knowledge
from cds_service.settings import Settings

SAMPLES = Path(__file__).parent.parent.parent / "fhir_samples" / "patients"


@pytest.fixture(scope="module")
def report():
    """A man on warfarin, simvastatin and amlodipine, to whom clarithromycin was given too."""
    bundle = json.loads((SAMPLES / "unsafe-orders.json").read_text())
    for row in (entry["resource"] for entry in bundle["entry"]):
        if "larithromycin" in json.dumps(row) and row["resourceType"] == "MedicationRequest":
            row["status"] = "active"
    return knowledge_report.counted([bundle], Settings())


def test_each_active_prescription_is_one_order(report):
    """Four; the record's own drafts are left out."""
    assert (report.patients, report.orders, report.refused) == (1, 4, 0)


def test_findings_are_counted_per_hundred_orders_by_severity_and_as_set(report):
    """Simvastatin with clarithromycin is contraindicated, and found from both sides: two of four orders."""
    found = report.as_json(Settings())
    assert found["findings_per_100"]["contraindicated"] == {"per_100": 50.0, "set_to": "critical"}
    assert found["cards_per_100"]["critical"] == 50.0
    assert found["orders_interrupted_per_100"] >= 50.0
    assert "drug-safety/clarithromycin+simvastatin" in {row["finding"] for row in found["most_frequent"]}


def test_a_folder_without_bundles_is_refused_with_what_to_give(tmp_path):
    """One sentence."""
    shutil.copy(SAMPLES.parent / "README.md", tmp_path)
    answer = CliRunner().invoke(knowledge, ["report", "--bundles", str(tmp_path)])
    assert "holds no .json or .json.gz file" in str(answer.exception)
