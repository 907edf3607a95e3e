"""structlog without rich: it loads rich, where that is installed, to colour traces that a service never prints.

Import this before structlog; whoever needs rich later may have it.
"""

from __future__ import annotations

from cds_service.hidden import hidden

with hidden("rich"):
    import structlog  # noqa: F401
