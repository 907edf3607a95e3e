"""A log that cannot be written costs no call, and says afterwards how many lines it lost."""

from __future__ import annotations

import io

import orjson

from cds_service.web.logs import Unfailing


class Disk(io.BytesIO):
    """A file whose disk may be full."""

    full = False

    def write(self, line: bytes) -> int:  # type: ignore[override]
        """Takes the line, or fails."""
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(line)

    def flush(self) -> None:
        """As a buffer's: fails with what it could not send."""
        if self.full:
            raise OSError(28, "No space left on device")


def test_lines_that_a_full_disk_did_not_take_are_counted() -> None:
    """Before, each hook call failed with them: the line of a call is written within the call."""
    disk = Disk()
    stream = Unfailing(disk)
    stream.write(b'{"event":"first"}\n')
    disk.full = True
    for _ in range(3):
        stream.write(b'{"event":"lost"}\n')
        stream.flush()
    disk.full = False
    stream.write(b'{"event":"next"}\n')
    lines = [orjson.loads(line) for line in disk.getvalue().splitlines()]
    assert [(line["event"], line.get("reason")) for line in lines] == [
        ("first", None),
        ("log lines lost", "3"),
        ("next", None),
    ]
