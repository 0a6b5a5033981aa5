"""Quality checks by sampling: how a sample is drawn so that anybody can draw it again, and how it is marked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition


class SampleState(TextChoices):
    FIXED = "FIXED", _("population fixed, seed awaited")
    DRAWN = "DRAWN", pgettext_lazy("sample", "drawn")


class CheckState(TextChoices):
    WAITING = "WAITING", _("to be marked")
    RESUBMITTED = "RESUBMITTED", _("corrected, to be marked again")
    RETURNED = "RETURNED", pgettext_lazy("quality check", "returned")
    PASSED = "PASSED", _("passed")


CHECK = Lifecycle(
    CheckState.WAITING,
    (
        Transition("pass", (CheckState.WAITING, CheckState.RESUBMITTED), CheckState.PASSED, _("Pass")),
        Transition("return", (CheckState.WAITING, CheckState.RESUBMITTED), CheckState.RETURNED, _("Return")),
        Transition("resubmit", (CheckState.RETURNED,), CheckState.RESUBMITTED, _("Submit again")),
    ),
)


@dataclass(frozen=True)
class Criterion:
    """One line of the reviewer's sheet; the points of all lines make 100."""

    code: str
    title: str | Promise
    points: int


# AQ 9010: what a service and its record must be, put into lines that can be marked
SHEET: tuple[Criterion, ...] = (
    Criterion("real", _("The service took place: time, place, persons and pictures fit together"), 30),
    Criterion("persons", _("The persons were qualified for the item on that day"), 15),
    Criterion("content", _("What was done fits the plan and the risks of the enterprise"), 20),
    Criterion("findings", _("Findings are concrete, with basis, advice and deadline"), 20),
    Criterion("word", _("The enterprise was told in writing and confirmed"), 15),
)


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
