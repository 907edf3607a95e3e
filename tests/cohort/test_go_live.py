"""`docs/go-live.md` can be followed: from a population to a signed report, and on to a service that is watched."""

from __future__ import annotations

import json

from following import Followed

from cds_service.settings import load


def test_every_command_of_the_page_does_what_the_page_says(followed: Followed) -> None:
    """None is refused; monitoring may ring."""
    assert len(followed.said) >= 8
    wrong = {
        line: told for line, told in followed.said.items() if told[0] not in ((0, 1) if "monitor" in line else (0,))
    }
    assert wrong == {}


def test_the_page_ends_with_a_signed_model_that_was_watched(followed: Followed) -> None:
    """The sign-off is in the settings, answers are in the store, and what they counted is in the file."""
    assert "mortality" in load(followed.folder / "curbside.toml", {}).models.signed_off
    said = " ".join(told for _, told in followed.said.values())
    assert "mortality may speak again (audit record: Dr Li, medical informatics)" in said
    assert "0 answers differ" in said
    counts = json.loads((followed.folder / "monitoring.json").read_text())
    assert any(month["units"].get("prognosis") for month in counts["months"].values())
    assert not any(f"p{number:06}" in json.dumps(counts) for number in range(110))
