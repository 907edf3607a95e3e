"""structlog without rich: it loads rich, where that is installed, to colour traces that a service never prints.

Import this before structlog; whoever needs rich later may have it.
"""

from __future__ import annotations

import sys

_RICH = "rich"

if _RICH not in sys.modules:
    sys.modules[_RICH] = None  # type: ignore[assignment]  # Python's way to say that there is none
    import structlog  # noqa: F401

    del sys.modules[_RICH]
