"""The benches read the lines of the same records for every sentence: each text is taken apart once."""

from __future__ import annotations

from functools import lru_cache

from cds_service.summary import claims, evidence, lexicon
from cds_service.summary.lexicon import Token

scanned = lru_cache(maxsize=20_000)(lambda text: tuple(lexicon.scan(text)))


def scan(text: str) -> list[Token]:
    return list(scanned(text))


claims.scan = evidence.scan = scan
