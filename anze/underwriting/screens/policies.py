"""Pages of policies, endorsements and premium receipts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Exists, Field, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import filled
from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.parties.screens import ENTERPRISE, INSURER, ORIGIN, USCC, due_within, insurer_filter
from anze.screen.asked import count_text
from anze.screen.columns import Column, Kind, labels, plan, text_of
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Flag, InRegion, Numbers, Search, begins
from anze.screen.lists import ListScreen, count, list_screen, waiting
from anze.screen.pages import money
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import Story, story
from anze.underwriting.models import Endorsement, Policy, PremiumReceipt, successors, with_life
from anze.underwriting.rules import (
    POLICY_TONES,
    EndorsementKind,
    PolicyState,
    gap_days,
    policy_state,
)
from anze.underwriting.screens.shared import ORIGIN_SECTION, PREMIUM

SOON_DAYS = "alert.policy_expiring_days"  # a policy is said to expire soon when it is announced

# policies -----------------------------------------------------------------------------------------------------


def _state(
    asking: Asking,
    start_on: date,
    cover_end_on: date,
    cancelled_on: date | None,
    endorsed_on: date | None,
    renewed_on: date | None,
) -> PolicyState:
    today = beijing_day(asking.at)
    soon = asking.number(SOON_DAYS)
    return policy_state(
        start_on, cover_end_on, cancelled_on, today, soon=soon, endorsed_on=endorsed_on, renewed_on=renewed_on
    )


def _gap(asking: Asking, cover_end_on: date, renewed_on: date | None) -> int | None:
    return None if renewed_on is None else gap_days(cover_end_on, renewed_on)


def _gap_before(asking: Asking, start_on: date, covered_until: date | None) -> int | None:
    return None if covered_until is None else gap_days(covered_until, start_on)


def _given(asking: Asking, value: Any) -> Any:
    return value


def _number(asking: Asking, key: Any, number: str | None) -> str:
    return number or ""


def _life(rows: Any, asking: Asking) -> Any:
    return with_life(rows)


STATE = Column(
    "cover_state",
    title=_("State"),
    needs=("start_on", "cover_end_on", "cancelled_on", "endorsed_on", "renewed_on"),
    compute=_state,
    choices=tuple(PolicyState.choices),
    tones=POLICY_TONES,
)
GAP = Column(
    "gap", title=_("Days without cover until the renewal"), kind=Kind.NUMBER, needs=("cover_end_on", "renewed_on"),
    compute=_gap, optional=True,
)  # fmt: skip
GAP_BEFORE = Column(
    "gap_before", title=_("Days without cover before it"), kind=Kind.NUMBER, needs=("start_on", "covered_until"),
    compute=_gap_before, optional=True,
)  # fmt: skip
SUCCESSOR = Column(
    "successor", title=_("Renewed by"), kind=Kind.CODE, needs=("successor_key", "successor_no"), compute=_number,
    opens="policy", optional=True,
)  # fmt: skip
PREDECESSOR = Column(
    "predecessor", title=_("Renews"), kind=Kind.CODE, needs=("predecessor_key", "predecessor_no"), compute=_number,
    opens="policy", optional=True,
)  # fmt: skip


def _in_force(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(start_on__lte=today, cover_end_on__gte=today)


def _soon(asking: Asking) -> Q:
    return (
        _in_force(asking) & due_within("cover_end_on", asking, asking.number(SOON_DAYS)) & Q(cancelled_on__isnull=True)
    )


def _over(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(cover_end_on__lt=today) & (Q(cancelled_on__isnull=True) | Q(cancelled_on__gt=today))


def _endorsed(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    changed = Endorsement.objects.filter(is_void=False, effective_on__lte=today).exclude(kind=EndorsementKind.CANCEL)
    return _in_force(asking) & Q(pk__in=changed.values("policy_id"))


_RENEWED = Exists(successors())


def _shares(asking: Asking, coinsurers: list[dict[str, Any]]) -> str:
    """The co-insurers by code, each with its share."""
    return ", ".join(f"{each.get('insurer_code')} {Decimal(str(each.get('share', 0))):.2%}" for each in coinsurers)


POLICIES = list_screen(
    ListScreen(
        name="policies",
        path="underwriting/policies/",
        title=_("Policies"),
        about=_("Contracts of work-safety liability insurance as they stand after every endorsement received."),
        model=Policy,
        permission=Permission.SEE_UNDERWRITING,
        base=_life,
        detail="policy",
        sort="-start_on",
        columns=(
            Column("policy_no"),
            ENTERPRISE,
            INSURER,
            Column("region_code"),
            Column("sector"),
            Column("start_on"),
            Column("end_on"),
            STATE,
            Column("insured_workers"),
            Column("premium_written", permission=PREMIUM),
            USCC,
            Column("limit_per_person", optional=True),
            Column("limit_per_accident", optional=True),
            Column("aggregate_limit", optional=True),
            Column("registered_workers", optional=True),
            Column("issued_on", optional=True),
            Column("cancelled_on", optional=True),
            Column("nature", optional=True),
            Column("is_renewal", optional=True),
            replace(SUCCESSOR, opens=""),
            GAP,
            GAP_BEFORE,
            Column("rate_final", kind=Kind.RATIO, places=4, optional=True, permission=PREMIUM),
            Column("agreed_expense_ratio", kind=Kind.RATIO, optional=True, permission=PREMIUM),
            Column("product_name", optional=True),
            Column("project_name", optional=True),
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("policy_no",),
                relation="enterprise",
                related=("name", "uscc"),
                title=_("Policy no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("sector"),
            Cases(
                "state",
                _("State"),
                main=True,
                cases={
                    "in_force": Case(PolicyState.IN_FORCE.label, _in_force),
                    "endorsed": Case(PolicyState.ENDORSED.label, _endorsed),
                    "expiring": Case(PolicyState.EXPIRING.label, lambda a: _soon(a) & ~Q(_RENEWED)),
                    "renewing": Case(PolicyState.RENEWING.label, lambda a: _soon(a) & Q(_RENEWED)),
                    "expired": Case(PolicyState.EXPIRED.label, lambda a: _over(a) & ~Q(_RENEWED)),
                    "renewed": Case(PolicyState.RENEWED.label, lambda a: _over(a) & Q(_RENEWED)),
                    "cancelled": Case(PolicyState.CANCELLED.label, lambda a: Q(cancelled_on__lte=beijing_day(a.at))),
                    "not_yet": Case(PolicyState.NOT_YET.label, lambda a: Q(start_on__gt=beijing_day(a.at))),
                },
            ),
            Dates("start_on"),
            Dates("end_on"),
            Numbers("insured_workers"),
            Flag("is_renewal"),
            Choice("nature"),
            Choice("channel"),
            Dates("received_at"),
        ),
        sorts=("end_on",),
        tab_of={"enterprise": "enterprise", "insurer": "insurer"},
        order=20,
    )
)
detail_screen(
    DetailScreen(
        name="policy",
        path="underwriting/policies/<uuid:pk>/",
        title=_("Policy"),
        model=Policy,
        permission=Permission.SEE_UNDERWRITING,
        named=("policy_no",),
        state=STATE,
        of_list="policies",
        base=_life,
        sections=(
            Section(
                _("Who and when"),
                (
                    ENTERPRISE,
                    Column("enterprise__uscc"),
                    Column("insurer", opens="insurer"),
                    "branch_code",
                    "holder_name",
                    "holder_uscc",
                    "region_code",
                    "sector",
                ),
            ),
            Section(
                _("Its life"),
                (
                    "applied_on",
                    "issued_on",
                    "start_on",
                    "end_on",
                    Column(
                        "endorsed_on",
                        title=_("Last endorsed from"),
                        kind=Kind.DATE,
                        needs=("endorsed_on",),
                        compute=_given,
                    ),
                    "cancelled_on",
                    "cover_end_on",
                    PREDECESSOR,
                    GAP_BEFORE,
                    SUCCESSOR,
                    Column(
                        "renewed_on", title=_("Renewed from"), kind=Kind.DATE, needs=("renewed_on",), compute=_given
                    ),
                    GAP,
                    "is_renewal",
                    "previous_policy_no",
                ),
            ),
            Section(
                _("Cover"),
                (
                    "insured_workers",
                    "registered_workers",
                    "limit_per_person",
                    "limit_per_accident",
                    "aggregate_limit",
                    "product_name",
                    "wording_no",
                    "nature",
                    Column("shares", title=_("Co-insurers and shares"), needs=("coinsurers",), compute=_shares),
                    "project_name",
                    "permit_no",
                    "project_address",
                ),
            ),
            Section(
                _("Premium and service"),
                (
                    Column("premium_written", permission=PREMIUM),
                    Column("rate_base", kind=Kind.RATIO, places=4, permission=PREMIUM),
                    Column("rate_final", kind=Kind.RATIO, places=4, permission=PREMIUM),
                    Column("agreed_expense_ratio", kind=Kind.RATIO, permission=PREMIUM),
                    "agreed_frequency",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)


# endorsements and receipts ------------------------------------------------------------------------------------

_POLICY = Column("policy__policy_no", opens="policy")
# what an endorsement changes: its values read as this field of the policy does, and with their unit
_CHANGES: dict[EndorsementKind, tuple[str, str | Promise]] = {
    EndorsementKind.HEADCOUNT: ("insured_workers", ngettext_lazy("%(value)s worker", "%(value)s workers", "count")),
    EndorsementKind.LIMIT: ("limit_per_person", _("%(value)s yuan a person")),
    EndorsementKind.PERIOD: ("end_on", "%(value)s"),
    EndorsementKind.PREMIUM: ("premium_written", _("%(value)s yuan")),
}


def _field(name: str) -> Field[Any, Any]:
    return cast("Field[Any, Any]", Policy._meta.get_field(name))


def _changed(asking: Asking, kind: str, value: str) -> str:
    """A value of a change in the form its field has; what is no such value stands as it was sent."""
    name, unit = _CHANGES.get(EndorsementKind(kind), ("", ""))
    try:
        known = _field(name).to_python(value) if name and value else None
    except ValidationError:
        known = None
    if known is None:
        return value
    return filled(unit, {"value": text_of(plan(Policy, Column(name)))(known), "count": known})


_BEFORE = Column("before_value", _("before"), needs=("kind", "before_value"), compute=_changed)
_AFTER = Column("after_value", _("after"), needs=("kind", "after_value"), compute=_changed)

ENDORSEMENTS = list_screen(
    ListScreen(
        name="endorsements",
        path="underwriting/endorsements/",
        title=_("Endorsements"),
        about=_("Changes of policies: headcount, limits, period, premium, cancellation."),
        model=Endorsement,
        permission=Permission.SEE_UNDERWRITING,
        detail="endorsement",
        sort="-issued_on",
        columns=(
            Column("endorsement_no"),
            _POLICY,
            ENTERPRISE,
            INSURER,
            Column("kind"),
            Column("issued_on"),
            Column("effective_on"),
            _BEFORE,
            _AFTER,
            Column("premium_delta", permission=PREMIUM),
            Column("reason", optional=True),
            Column("region_code", optional=True),
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("endorsement_no",),
                relation="enterprise",
                related=("name", "uscc"),
                title=_("Endorsement no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("kind", main=True),
            Choice("sector"),
            Dates("issued_on"),
            Dates("effective_on"),
        ),
        tab_of={"policy": "policy"},
        order=30,
    )
)
detail_screen(
    DetailScreen(
        name="endorsement",
        path="underwriting/endorsements/<uuid:pk>/",
        title=_("Endorsement"),
        model=Endorsement,
        permission=Permission.SEE_UNDERWRITING,
        named=("endorsement_no",),
        of_list="endorsements",
        sections=(
            Section(
                _("The change"),
                (
                    _POLICY,
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    "kind",
                    "issued_on",
                    "effective_on",
                    _BEFORE,
                    _AFTER,
                    Column("premium_delta", permission=PREMIUM),
                    "reason",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)
RECEIPTS = list_screen(
    ListScreen(
        name="receipts",
        path="underwriting/receipts/",
        title=_("Premium receipts"),
        about=_(
            "Premium actually received, one row an instalment; refunds are negative. Prevention expense is measured on it."
        ),
        model=PremiumReceipt,
        permission=PREMIUM,
        detail="receipt",
        sort="-received_on",
        columns=(
            Column("receipt_no"),
            _POLICY,
            ENTERPRISE,
            INSURER,
            Column("instalment"),
            Column("amount"),
            Column("received_on"),
            Column("payer_name", optional=True),
            Column("region_code", optional=True),
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("receipt_no",),
                relation="enterprise",
                related=("name", "uscc"),
                title=_("Receipt no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("sector"),
            Dates("received_on"),
            Numbers("amount"),
        ),
        tab_of={"policy": "policy"},
        order=40,
    )
)
detail_screen(
    DetailScreen(
        name="receipt",
        path="underwriting/receipts/<uuid:pk>/",
        title=_("Premium receipt"),
        model=PremiumReceipt,
        permission=PREMIUM,
        named=("receipt_no",),
        of_list="receipts",
        sections=(
            Section(
                _("The payment"),
                (
                    _POLICY,
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    "instalment",
                    "amount",
                    "received_on",
                    "payer_name",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)


# what waits, what is told elsewhere ---------------------------------------------------------------------------

waiting(
    POLICIES,
    "policies-expiring",
    _("Policies that expire soon"),
    why=_("Renew in time: a gap in cover is a violation from its first day."),
    tone="warning",
    order=20,
    state="expiring",
)


def _tell_policy(
    asking: Asking, insured: int, start: date, end: date, cancelled: date | None, premium: Any
) -> tuple[str, str]:
    text = ngettext(
        "Cover until %(end)s for %(workers)s worker", "Cover until %(end)s for %(workers)s workers", insured
    ) % {"end": end, "workers": f"{insured:,}"}
    if asking.actor.may(PREMIUM):
        text += _now(", premium ¥%(premium)s") % {"premium": money(premium)}
    if cancelled:
        return text + _now("; cancelled from %(day)s") % {"day": cancelled}, "danger"
    return text, ""


def _tell_endorsement(asking: Asking, kind: str, before: str, after: str) -> tuple[str, str]:
    said = labels(EndorsementKind.choices).get(kind, kind)
    if before or after:
        said += f"{_now(': ')}{_changed(asking, kind, before)} → {_changed(asking, kind, after)}"
    return said, "danger" if kind == EndorsementKind.CANCEL else ""


story(
    Story(
        "policy", _("Policy begins"), Permission.SEE_UNDERWRITING, "shield-check", Policy, "start_on", "policy_no",
        "policy", ("insured_workers", "start_on", "end_on", "cancelled_on", "premium_written"), _tell_policy,
        where=Q(is_void=False), order=10,
    )
)  # fmt: skip
story(
    Story(
        "endorsement", _("Endorsement"), Permission.SEE_UNDERWRITING, "edit", Endorsement, "effective_on",
        "endorsement_no", "endorsement", ("kind", "before_value", "after_value"), _tell_endorsement,
        where=Q(is_void=False), order=20,
    )
)  # fmt: skip


def _cover_tile(request: HttpRequest, enterprise: Any) -> tuple[str, str, str]:
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    found = (
        Policy.objects.filter(enterprise=enterprise, is_void=False, start_on__lte=today, cover_end_on__gte=today)
        .order_by("-cover_end_on")
        .values_list("pk", "cover_end_on")
        .first()
    )
    if found is None:
        return _now("none in force"), "danger", ""
    soon = found[1] <= today + timedelta(days=int(parameter(SOON_DAYS, today)))
    return (
        f"{found[1]:%Y-%m-%d}",
        "warning" if soon else "success",
        reverse("policy", args=[found[0]]),
    )


tile(Tile("enterprise", "cover", _("Insured until"), Permission.SEE_UNDERWRITING, _cover_tile, order=20))


def _policies_of_insurer(request: HttpRequest, insurer: Any) -> tuple[str, str, str]:
    words = {"insurer": str(insurer.pk), "state": "in_force"}
    return count_text(count(POLICIES, request, **words)), "", POLICIES.link(**words)


tile(
    Tile(
        "insurer",
        "policies",
        _("Policies in force"),
        Permission.SEE_UNDERWRITING,
        _policies_of_insurer,
        order=10,
    )
)


def _find_policies(words: str, limit: int) -> list[Hit]:
    found = Policy.objects.filter(begins("policy_no", words) | begins("policy_no", words.upper()), is_void=False)
    rows = list(found.values_list("pk", "policy_no", "enterprise_id")[:limit])
    names = dict(Enterprise.objects.filter(pk__in=[row[2] for row in rows]).values_list("pk", "name"))
    return [Hit(number, names.get(of, ""), reverse("policy", args=[key])) for key, number, of in rows]


search(SearchAnswer("policies", _("Policies"), Permission.SEE_UNDERWRITING, _find_policies, order=20))
