"""Choosing an insurer: requests for quotes, offers, and how a premium is tried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission

Words = str | Promise


class QuoteState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("quote", "open")
    TAKEN = "TAKEN", pgettext_lazy("quote", "offer accepted")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("quote", "withdrawn")


QUOTE_TONES = {"OPEN": "info", "TAKEN": "success", "WITHDRAWN": ""}
QUOTE = Lifecycle(
    "OPEN",
    (
        Transition("take", ("OPEN",), "TAKEN", _("Accept an offer"), Permission.CHOOSE_INSURER),
        Transition("withdraw", ("OPEN",), "WITHDRAWN", _("Withdraw"), Permission.CHOOSE_INSURER),
    ),
)


class OfferState(TextChoices):
    SENT = "SENT", pgettext_lazy("offer", "sent")
    ACCEPTED = "ACCEPTED", pgettext_lazy("offer", "accepted")
    NOT_TAKEN = "NOT_TAKEN", pgettext_lazy("offer", "not taken")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("offer", "withdrawn")
    # derived from the day, never stored
    LAPSED = "LAPSED", pgettext_lazy("offer", "lapsed")


OFFER_TONES = {"SENT": "info", "ACCEPTED": "success", "NOT_TAKEN": "", "WITHDRAWN": "", "LAPSED": "warning"}
OFFER = Lifecycle(
    "SENT",
    (
        Transition("accept", ("SENT",), "ACCEPTED", _("Accept"), Permission.CHOOSE_INSURER),
        Transition("pass", ("SENT",), "NOT_TAKEN", _("Not taken"), Permission.CHOOSE_INSURER),
        Transition("withdraw", ("SENT",), "WITHDRAWN", _("Withdraw"), Permission.MAKE_OFFERS),
    ),
)
ANSWER_QUOTE = Duty(
    "ANSWER_QUOTE",
    _("Answer a request for quotes"),
    "quote_answer_workdays",
    "WORKDAYS",
    OURS,
    (Party.INSURER,),
    pgettext_lazy("clock starts", "the request is sent"),
)


def offer_state(state: str, valid_to_on: date, today: date) -> OfferState:
    return OfferState.LAPSED if state == OfferState.SENT and valid_to_on < today else OfferState(state)


# the premium ----------------------------------------------------------------------------------------------------


class FactorKind(TextChoices):
    """What the rate floats by (2017 text; the principle also in 应急〔2025〕27号)."""

    RISK = "RISK", _("risk tier")
    ACCIDENTS = "ACCIDENTS", _("accidents of three years")
    HAZARDS = "HAZARDS", _("rectification of hazards")
    STANDARD = "STANDARD", _("safety standardisation")


NEGOTIATED = _("negotiated")  # what was agreed beside these


class Grade(TextChoices):
    """Grade of safety standardisation, as the enterprise states it."""

    NONE = "NONE", _("none")
    GRADE1 = "GRADE1", _("grade 1")
    GRADE2 = "GRADE2", _("grade 2")
    GRADE3 = "GRADE3", _("grade 3")


@dataclass(frozen=True)
class Level:
    """Where an enterprise stands in one factor, and why."""

    kind: str
    level: str
    reason: str


# kind → how its level is found; a room that has the record of it registers it
FINDERS: dict[str, Callable[[Any, datetime], Level]] = {}


def finds_factor(kind: FactorKind) -> Callable[[Callable[[Any, datetime], Level]], Callable[[Any, datetime], Level]]:
    """Registers what finds the level of a factor from what is on file about an enterprise."""

    def wrap(find: Callable[[Any, datetime], Level]) -> Callable[[Any, datetime], Level]:
        FINDERS[kind] = find
        return find

    return wrap


@dataclass(frozen=True)
class Factor:
    kind: str
    value: Decimal  # 1.10 makes the premium a tenth dearer
    reason: str


@dataclass(frozen=True)
class Trial:
    """A premium and everything it was made of."""

    rate_base: Decimal
    factors: tuple[Factor, ...]
    floating: Decimal
    is_held: bool  # the factors together were held at their least or most
    rate_final: Decimal
    part_of_year: Decimal
    premium: Decimal


RATE, CENT = Decimal("0.000001"), Decimal("0.01")
HUNDRED = Decimal(100)


def part_of_year(start_on: date, end_on: date) -> Decimal:
    """1 for a year to the day, leap years too; else the days of 365."""
    after = end_on + timedelta(days=1)
    try:
        year_later = start_on.replace(year=start_on.year + 1)
    except ValueError:  # from a 29 February on
        year_later = date(start_on.year + 1, 3, 1)
    if after == year_later:
        return Decimal(1)
    return Decimal((after - start_on).days) / Decimal(365)


def try_premium(
    *,
    base: Decimal,
    scale: Decimal,
    factors: Sequence[tuple[Level, Decimal]],
    least: Decimal,
    most: Decimal,
    workers: int,
    limit: Decimal,
    start_on: date,
    end_on: date,
) -> Trial:
    """The sector's rate for the size, floated by the factors within their bounds, on workers, limit and time.

    `scale`, the factors, `least` and `most` are per cent. Rates are kept to a millionth, the premium to the cent,
    half up.
    """
    rate_base = (base * scale / HUNDRED).quantize(RATE, ROUND_HALF_UP)
    floating = Decimal(1)
    told = []
    for level, percent in factors:
        value = percent / HUNDRED
        floating *= value
        told.append(Factor(level.kind, value, level.reason))
    held = min(max(floating, least / HUNDRED), most / HUNDRED)
    rate_final = (rate_base * held).quantize(RATE, ROUND_HALF_UP)
    part = part_of_year(start_on, end_on)
    premium = (rate_final * workers * limit * part).quantize(CENT, ROUND_HALF_UP)
    return Trial(rate_base, tuple(told), held, held != floating, rate_final, part, premium)


def percent_of(levels: Iterable[Level], values: Mapping[str, Decimal]) -> list[tuple[Level, Decimal]]:
    """Each level with its percentage; a level no parameter names changes nothing."""
    return [(each, values.get(f"{each.kind}.{each.level}", HUNDRED)) for each in levels]
