"""When two reports say the same in the same words: what is compared, how alike it is, and which parts are the same.

Only letters are compared: numbers, days and marks are what a copy changes first. A report is found again by a sketch
of its longer passages, and then laid beside the other one in full.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from anze.evidence.rules import Grade

PASSAGE = 20  # letters of a passage: long enough to reach from one sentence into the next
SHINGLE = 6  # letters that are compared at a time when two texts are laid beside each other
KEYS = 64  # the smallest hashes of a text stand for it: their overlap estimates that of the texts (bottom-k sketch)
LEAST = 80  # letters below which a text says too little to be compared
LONGEST = 6000  # letters of a text that are compared
LEAST_PART = 12  # characters a part must have to be marked as the same

COMMON = 60  # a passage in more reports than this belongs to a template
LEAST_OWN = 12  # passages of the sketch that are left when the template is taken away; below, nothing is its own
_LETTER = re.compile(r"[^\W\d_]+")


def bare(text: str) -> str:
    """The letters of a text, nothing else."""
    return "".join(_LETTER.findall(text))[:LONGEST]


def _pieces_of(letters: str, length: int) -> set[str]:
    return {letters[at : at + length] for at in range(len(letters) - length + 1)}


def sketch(text: str) -> list[int]:
    """The smallest hashes of the text's passages, as signed 32-bit numbers; none where it is too short."""
    letters = bare(text)
    if len(letters) < LEAST:
        return []
    hashes = {
        int.from_bytes(hashlib.blake2b(each.encode(), digest_size=4).digest(), "big", signed=True)
        for each in _pieces_of(letters, PASSAGE)
    }
    return sorted(hashes)[:KEYS]


def digest(text: str) -> str:
    """The same for texts that differ in numbers, blanks and marks only; empty where a text is too short."""
    letters = bare(text)
    return hashlib.blake2b(letters.encode(), digest_size=16).hexdigest() if len(letters) >= LEAST else ""


def likeness(one: str, other: str) -> float:
    """How much of both is the same: 1 for the same text, about 0 for two that were written apart (Jaccard)."""
    first, second = _pieces_of(bare(one), SHINGLE), _pieces_of(bare(other), SHINGLE)
    return len(first & second) / len(first | second) if first or second else 0.0


def likeness_grade(*, other_party: bool, other_enterprise: bool) -> Grade:
    """The same enterprise may well be reported in the same words; another one hardly."""
    return Grade.STRONG if other_party or other_enterprise else Grade.NOTICE


@dataclass(frozen=True)
class Piece:
    text: str
    is_same: bool


def marked(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, the parts that stand in both marked. What lies beyond the longest compared is not."""
    blocks = SequenceMatcher(None, one[:LONGEST], other[:LONGEST], autojunk=False).get_matching_blocks()
    same = [each for each in blocks if each.size >= LEAST_PART]
    return (
        _cut(one, [(each.a, each.a + each.size) for each in same]),
        _cut(other, [(each.b, each.b + each.size) for each in same]),
    )


def _cut(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    made, at = [], 0
    for start, end in spans:
        made += [Piece(text[at:start], False), Piece(text[start:end], True)]
        at = end
    made.append(Piece(text[at:], False))
    return [each for each in made if each.text]
