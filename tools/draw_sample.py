"""Draw a published sample again: `python draw_sample.py population.txt --seed SEED --size N`.

The population, its digest and the seed stand on the page of the sample. What is printed must be the sample that is
published there. Nothing but Python's standard library is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path


def draw(population: bytes, seed: str, size: int) -> list[tuple[str, str]]:
    """The keys with the smallest SHA-256 of "seed|digest of the population|key", with these digests, in order."""
    start = f"{seed}|{hashlib.sha256(population).hexdigest()}|"
    ranked = sorted((hashlib.sha256(f"{start}{key}".encode()).hexdigest(), key) for key in population.decode().split())
    return [(key, digest) for digest, key in ranked[:size]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("population", type=Path, help="the published population, one key a line")
    parser.add_argument("--seed", required=True)
    parser.add_argument("--size", required=True, type=int)
    asked = parser.parse_args()
    try:
        population = asked.population.read_bytes()
    except OSError as problem:
        print(f"cannot be read: {problem}", file=sys.stderr)
        return 2
    print(f"population: {len(population.split())} keys, SHA-256 {hashlib.sha256(population).hexdigest()}")
    for rank, (key, digest) in enumerate(draw(population, asked.seed, asked.size), 1):
        print(f"{rank:5} {key} {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
