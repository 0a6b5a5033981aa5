"""Identifiers written by people: what is valid, how typed ones are cleaned, how to invent some.

Sources: unified social credit code GB 32100-2015; organisation code GB 11714-1997; region codes GB/T 2260,
extended by six-character codes for functional zones (功能区), which have no national code.
"""

import re
import unicodedata
from enum import StrEnum

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015, table 2: no I, O, S, V, Z
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_USCC = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")
_REGION_CODE = re.compile(r"[1-9][0-9]{5}|[1-9][0-9]{3}Z[0-9A-Z]")

SYNTHETIC_MARK = "XN"  # for 虚拟; the codes that are issued begin with a digit or with M
SYNTHETIC_NUMBERS = len(ALPHABET) ** 6


class Problem(StrEnum):
    """What is wrong with an identifier. The words for people are chosen where they are shown."""

    LENGTH = "LENGTH"
    ALPHABET = "ALPHABET"
    CHECK = "CHECK"


class OrganisationKind(StrEnum):
    """Registering authority and entity type, the first two characters of a credit code."""

    GOVERNMENT = "11"
    INSTITUTION = "12"
    SOCIAL_GROUP = "51"
    ENTERPRISE = "91"
    INDIVIDUAL = "92"
    COOPERATIVE = "93"


def without_blanks(text: str) -> str:
    """Half-width, upper-case, and free of every blank, zero-width and control character."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def clean_uscc(text: str) -> str:
    """The credit code as it is stored. Cleaning repairs typing, not content: check it afterwards."""
    return without_blanks(text)


def uscc_problem(text: str) -> Problem | None:
    """Why a cleaned credit code is not one, or None.

    Positions 1-2 may be letters (some registering authorities have one), 3-8 are a region. The inner
    check digit of the organisation code is not required: only position 18 is part of GB 32100.
    """
    if len(text) != 18:
        return Problem.LENGTH
    if not _USCC.fullmatch(text):
        return Problem.ALPHABET
    if text[17] != uscc_check_character(text[:17]):
        return Problem.CHECK
    return None


def uscc_check_character(first17: str) -> str:
    """The 18th character that belongs to the first 17 (GB 32100-2015, 5.6)."""
    total = sum(_VALUE[c] * weight for c, weight in zip(first17, _USCC_WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check_character(first8: str) -> str:
    """The 9th character of an organisation code (GB 11714-1997): letters count from A = 10 without gaps."""
    total = sum(int(c, 36) * weight for c, weight in zip(first8, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def make_uscc(region_code: str, number: int, kind: str = OrganisationKind.ENTERPRISE) -> str:
    """An invented but valid credit code: `kind`, region, `XN` and the number in base 31, both check digits.

    `number` is from 0 to SYNTHETIC_NUMBERS - 1; different numbers give different codes. A functional zone's
    code is replaced by its city's, because a credit code holds digits there. ValueError on anything else.
    """
    if not 0 <= number < SYNTHETIC_NUMBERS:
        raise ValueError(f"number must be from 0 to {SYNTHETIC_NUMBERS - 1}")
    if region_code_problem(region_code):
        raise ValueError(f"not a region code: {region_code!r}")
    region = region_code if region_code.isdigit() else region_code[:4] + "00"
    digits = ""
    for _ in range(6):
        number, value = divmod(number, 31)
        digits = ALPHABET[value] + digits
    organisation = SYNTHETIC_MARK + digits
    first17 = OrganisationKind(kind) + region + organisation + organisation_check_character(organisation)
    return first17 + uscc_check_character(first17)


def is_synthetic_uscc(text: str) -> bool:
    """Whether the code comes from `make_uscc`, and so belongs to no real organisation."""
    return text[8:10] == SYNTHETIC_MARK and uscc_problem(text) is None


def region_code_problem(text: str) -> Problem | None:
    """Why the text cannot be a region code, or None. Whether the region exists is the table's business."""
    if len(text) != 6:
        return Problem.LENGTH
    return None if _REGION_CODE.fullmatch(text) else Problem.ALPHABET
