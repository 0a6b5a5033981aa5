"""How a sample is drawn so that anybody can draw it again: one way, for whatever is sampled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def population_text(keys: Iterable[str]) -> str:
    """The population as it is published: one key a line, in order."""
    return "".join(f"{key}\n" for key in sorted(keys))


def population_digest(keys: Iterable[str]) -> str:
    return hashlib.sha256(population_text(keys).encode()).hexdigest()


def drawn(keys: Iterable[str], seed: str, size: int) -> list[tuple[str, str]]:
    """The sample: the keys with the smallest digests of seed, population and key, in this order.

    `tools/draw_sample.py` does the same with nothing of the platform.
    """
    keys = list(keys)
    start = f"{seed}|{population_digest(keys)}|"
    ranked = sorted((hashlib.sha256(f"{start}{key}".encode()).hexdigest(), key) for key in keys)
    return [(key, digest) for digest, key in ranked[:size]]
