"""Service orders: their states, the duty to answer, and what is looked at before somebody is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.refusal import filled
from anze.parties.rules import Permission, StandingKind
from anze.prevention.rules.records import ServiceForm, ServiceType


class OrderState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("order", "draft")
    SENT = "SENT", pgettext_lazy("order", "sent")
    ACCEPTED = "ACCEPTED", pgettext_lazy("order", "accepted")
    DECLINED = "DECLINED", pgettext_lazy("order", "declined")
    IN_SERVICE = "IN_SERVICE", _("in service")
    DONE = "DONE", pgettext_lazy("order", "done")
    CANCELLED = "CANCELLED", pgettext_lazy("order", "cancelled")


ORDER_TONES = {
    "SENT": "warning", "ACCEPTED": "info", "IN_SERVICE": "info", "DONE": "success", "DECLINED": "danger",
}  # fmt: skip
# somebody is to come, or is there
COMING = (OrderState.SENT, OrderState.ACCEPTED, OrderState.IN_SERVICE)
# counts as ordered
ON_THE_WAY = (*COMING, OrderState.DONE)

ORDER = Lifecycle(
    "DRAFT",
    (
        Transition("send", ("DRAFT",), "SENT", _("Send"), Permission.RUN_SERVICES),
        Transition("accept", ("SENT",), "ACCEPTED", _("Accept"), Permission.ANSWER_ORDERS),
        Transition("decline", ("SENT",), "DECLINED", _("Decline"), Permission.ANSWER_ORDERS),
        Transition("start", ("ACCEPTED",), "IN_SERVICE", _("Start the service"), Permission.ANSWER_ORDERS),
        Transition("finish", ("ACCEPTED", "IN_SERVICE"), "DONE", _("Done"), Permission.ANSWER_ORDERS),
        Transition("cancel", ("DRAFT", "SENT", "ACCEPTED"), "CANCELLED", _("Cancel"), Permission.RUN_SERVICES),
    ),
)

ANSWER_ORDER = Duty(
    "ANSWER_ORDER",
    _("Answer an order"),
    "order_answer_workdays",
    "WORKDAYS",
    OURS,
    (Party.AGENCY,),
    pgettext_lazy("clock starts", "the order is sent"),
)


class ConflictReason(TextChoices):
    """Why a party must not serve an enterprise (AQ 9010 asks for ability and no conflict; the list is ours)."""

    ENGAGED = "ENGAGED", _("engaged by the enterprise itself")
    GROUP = "GROUP", _("belongs to the enterprise's group")
    FAMILY = "FAMILY", _("related to somebody who runs the enterprise")
    OTHER = "OTHER", pgettext_lazy("conflict", "another interest")


@dataclass(frozen=True)
class Doubt:
    """Something found before an order is sent. What blocks is refused with this text; the rest is told."""

    code: str
    text: str | Promise
    remedy: str | Promise
    blocks: bool
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return filled(self.text, self.values)


@dataclass(frozen=True)
class Stop:
    """Where an expert is on a day: a visit already promised."""

    key: Any
    lon: float | None
    lat: float | None
    name: str = ""


def kilometres(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Great-circle distance: enough to say that a day's way is too long, not to plan it."""
    a = (
        sin(radians(other_lat - lat) / 2) ** 2
        + cos(radians(lat)) * cos(radians(other_lat)) * sin(radians(other_lon - lon) / 2) ** 2
    )
    return 2 * 6371.0 * asin(min(1.0, sqrt(a)))


def travel_doubts(stops: Sequence[Stop], there: Stop, *, most_km: float, most_visits: int) -> list[Doubt]:
    """Hints about one expert's day with one more visit: too many, or too far from one another."""
    others = [stop for stop in stops if stop.key != there.key]
    found = []
    if len(others) + 1 > most_visits:
        found.append(
            Doubt(
                "day_full",
                ngettext_lazy(
                    "%(count)s visit on this day already, more than %(most)s are not plausible.",
                    "%(count)s visits on this day already, more than %(most)s are not plausible.",
                    "count",
                ),
                _("Choose another day or another expert."),
                False,
                {"count": len(others), "most": most_visits},
            )
        )
    if there.lon is None or there.lat is None:
        return found
    ways = [
        (kilometres(stop.lon, stop.lat, there.lon, there.lat), stop)
        for stop in others
        if stop.lon is not None and stop.lat is not None
    ]
    if ways and (longest := max(ways, key=lambda way: way[0]))[0] > most_km:
        found.append(
            Doubt(
                "far_apart",
                _("On the same day at %(name)s, %(km)s km away."),
                _("Leave time for the way, or choose another day."),
                False,
                {"name": longest[1].name, "km": round(longest[0])},
            )
        )
    return found


@dataclass(frozen=True)
class Paper:
    kind: str
    valid_from: date
    valid_to: date


def paper_on(papers: Iterable[Paper], kinds: Collection[str], on: date) -> Paper | None:
    """The paper of one of the kinds that is valid on a day and stays so longest."""
    valid = [each for each in papers if each.kind in kinds and each.valid_from <= on <= each.valid_to]
    return max(valid, key=lambda each: each.valid_to, default=None)


def standing_doubt(kind: str, name: str, until: date | None, reason: str) -> Doubt:
    """A suspended or blacklisted party is not sent."""
    text = (
        _("%(name)s is on the blacklist: %(reason)s.")
        if kind == StandingKind.BLACKLISTED
        else _("%(name)s is suspended until %(until)s: %(reason)s.")
    )
    return Doubt(
        "not_in_good_standing",
        text,
        _("Choose another one; the authority that decided can lift it."),
        True,
        {"name": name, "until": until or "…", "reason": reason},
    )


def unqualified(name: str, on: date) -> Doubt:
    return Doubt(
        "not_qualified",
        _("%(name)s has no qualification valid on %(day)s."),
        _("Choose another one, or a day on which the certificate is valid."),
        True,
        {"name": name, "day": on},
    )


def in_conflict(name: str, reason: str) -> Doubt:
    return Doubt(
        "conflict_of_interest",
        _("%(name)s has a conflict of interest here: %(reason)s."),
        _("Choose somebody independent of the enterprise and of the insurer."),
        True,
        {"name": name, "reason": reason},
    )


def form_doubts(service_type: str, form: str) -> list[Doubt]:
    """Hazards are best looked for by a qualified agency with experts of the sector (应急〔2025〕27号, 事故预防服务)."""
    if service_type == ServiceType.HAZARD and form == ServiceForm.OWN_STAFF:
        return [
            Doubt(
                "hazard_by_own_staff",
                _(
                    "A hazard inspection by the insurer's own staff: a qualified agency with experts of the sector should be commissioned."
                ),
                _("Choose an agency, or send the order as it is: it is a hint."),
                False,
            )
        ]
    return []


def near_doubts(days: Iterable[tuple[date, bool]], on: date, within: int) -> list[Doubt]:
    """Another visit to the same enterprise close by: better one visit than two. `days`: when, and whether our own."""
    found = []
    for day, is_own in sorted(days):
        if abs(day - on) <= timedelta(days=within):
            text = (
                _("You have another visit planned there on %(day)s.")
                if is_own
                else _("Another insurer plans a visit there on %(day)s.")
            )
            found.append(
                Doubt(
                    "visit_near",
                    text,
                    _("Put both on one day, so that the enterprise is visited once."),
                    False,
                    {"day": day},
                )
            )
    return found


@dataclass
class Candidate:
    """Somebody who could be sent, with what speaks for and against him."""

    key: Any
    name: str
    region_code: str
    sector_services: int = 0
    distance: float | None = None
    paper_until: date | None = None
    load: int = 0
    rating: float | None = None
    returned: int = 0
    done: int = 0
    is_sector: bool = False
    doubts: list[Doubt] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        return any(each.blocks for each in self.doubts)


def mean_to_tell(mean: float | None, rated: int, fewest: int) -> float | None:
    """The mean of ratings where there are enough of them: of fewer it would point to the one who gave it."""
    return mean if rated >= fewest else None


def rank(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Who may be sent first, best first: knows the sector, is near, has time that week, did well before.

    An order of suggestion, no judgement: the insurer chooses freely.
    """
    return sorted(candidates, key=lambda each: (each.blocked, -points(each), str(each.name)))


def points(each: Candidate) -> float:
    sector = 30.0 if each.is_sector else min(30.0, 3.0 * each.sector_services)
    near = 30.0 * max(0.0, 1 - each.distance / 300) if each.distance is not None else 10.0
    free = max(0.0, 20.0 - 4.0 * each.load)
    quality = 10.0
    if each.rating is not None:
        quality = 4.0 * each.rating
    if each.done:
        quality -= 20.0 * each.returned / each.done
    return sector + near + free + quality
