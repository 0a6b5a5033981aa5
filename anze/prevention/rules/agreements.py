"""Framework agreements of an insurer with an agency: states, the duty to answer, and what is checked before one stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission


class AgreementState(TextChoices):
    PROPOSED = "PROPOSED", pgettext_lazy("agreement", "proposed")
    ACCEPTED = "ACCEPTED", pgettext_lazy("agreement", "accepted")
    DECLINED = "DECLINED", pgettext_lazy("agreement", "declined")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("agreement", "withdrawn")
    ENDED = "ENDED", pgettext_lazy("agreement", "ended early")
    # derived from the day, never stored
    TO_BEGIN = "TO_BEGIN", pgettext_lazy("agreement", "accepted, not yet begun")
    RUN_OUT = "RUN_OUT", pgettext_lazy("agreement", "run out")


AGREEMENT_TONES = {
    "PROPOSED": "warning", "ACCEPTED": "success", "DECLINED": "danger", "WITHDRAWN": "", "ENDED": "", "TO_BEGIN": "info",
    "RUN_OUT": "",
}  # fmt: skip
DERIVED = (AgreementState.TO_BEGIN, AgreementState.RUN_OUT)
# bound until their last day, which an early end brings forward
BINDING = (AgreementState.ACCEPTED, AgreementState.ENDED)

AGREEMENT = Lifecycle(
    "PROPOSED",
    (
        Transition("accept", ("PROPOSED",), "ACCEPTED", _("Accept"), Permission.SIGN_AGREEMENTS),
        Transition("decline", ("PROPOSED",), "DECLINED", _("Decline"), Permission.SIGN_AGREEMENTS),
        Transition("withdraw", ("PROPOSED",), "WITHDRAWN", _("Withdraw"), Permission.PROPOSE_AGREEMENTS),
        Transition("end", ("ACCEPTED",), "ENDED", _("End early"), Permission.SIGN_AGREEMENTS),
    ),
)
ANSWER_AGREEMENT = Duty(
    "ANSWER_AGREEMENT", _("Answer a framework agreement"), "agreement_answer_workdays", "WORKDAYS",
    OURS,
    (Party.AGENCY,),
    pgettext_lazy("clock starts", "the agreement is proposed"),
)  # fmt: skip


def agreement_state(state: str, start_on: date, until_on: date, today: date) -> AgreementState:
    """How an agreement stands on a day: what was accepted holds only from its first to its last day."""
    if state == AgreementState.ACCEPTED and today < start_on:
        return AgreementState.TO_BEGIN
    if state == AgreementState.ACCEPTED and until_on < today:
        return AgreementState.RUN_OUT
    return AgreementState(state)


@dataclass(frozen=True)
class Terms:
    """From when to when, in which sectors and cities (none: all of them), for which price a visit of each kind."""

    start_on: date
    end_on: date
    prices: Mapping[str, Decimal]
    sectors: Collection[str] = ()
    regions: Collection[str] = ()
    words: str = ""

    def meets(self, other: Terms) -> bool:
        """Whether one visit could fall under both, so that two prices would hold for it."""
        return (
            self.start_on <= other.end_on
            and other.start_on <= self.end_on
            and bool(self.prices.keys() & other.prices.keys())
            and _share(self.sectors, other.sectors)
            and _share(self.regions, other.regions)
        )


def _share(one: Collection[str], other: Collection[str]) -> bool:
    return not one or not other or bool(set(one) & set(other))


LONGEST_DAYS = 3 * 366  # what nobody looks at again for years is no price any more


def check_terms(terms: Terms, today: date, others: Iterable[tuple[str, Terms]] = ()) -> None:
    """Refuses terms that cannot be. `others`: number and terms of what stands between the same two."""
    if terms.end_on < terms.start_on:
        raise Refused("ends_before_start", _("The last day lies before the first."), remedy=_("Correct one."),
                      field="end_on")  # fmt: skip
    if terms.end_on < today:
        raise Refused("agreement_over", _("The last day is over already."), remedy=_("Choose a later last day."),
                      field="end_on")  # fmt: skip
    if (terms.end_on - terms.start_on).days > LONGEST_DAYS:
        raise Refused("agreement_too_long", _("An agreement runs for three years at most."),
                      remedy=_("Choose an earlier last day, and renew it then."), field="end_on")  # fmt: skip
    if not terms.prices:
        raise Refused("price_missing", _("An agreement needs the price of at least one kind of service."),
                      remedy=_("Fill in a price."), field="")  # fmt: skip
    for number, other in others:
        if terms.meets(other):
            raise Refused(
                "agreement_overlaps",
                _("Agreement %(number)s holds for some of the same visits until %(until)s."),
                remedy=_("Begin after its last day, end it early, or choose other sectors, cities or services."),
                field="start_on",
                status=409,
                values={"number": number, "until": other.end_on},
            )


@dataclass(frozen=True)
class Agreed:
    """A price two houses agreed on."""

    key: Any
    number: str
    price: Decimal
    until_on: date


@dataclass(frozen=True)
class Framework:
    """An agreement that binds, as far as it matters for what a visit costs."""

    key: Any
    number: str
    agency_id: Any
    terms: Terms = field(repr=False)

    def price_of(self, service_type: str, sector: str, region_code: str, on: date) -> Agreed | None:
        terms = self.terms
        price = terms.prices.get(service_type)
        holds = terms.start_on <= on <= terms.end_on
        inside = (not terms.sectors or sector in terms.sectors) and (
            not terms.regions or f"{region_code[:4]}00" in terms.regions
        )
        return Agreed(self.key, self.number, price, terms.end_on) if price is not None and holds and inside else None
