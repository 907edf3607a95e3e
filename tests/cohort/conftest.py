"""`docs/go-live.md`, followed once for all tests of populations."""

from __future__ import annotations

import pytest
from following import Followed, follow


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """What came of following the page."""
    return follow(tmp_path_factory.mktemp("go-live"))
