"""Pages of the obligation register, policies, endorsements and premium receipts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, ORIGIN, USCC, due_within, insurer_filter
from anze.screen.asked import count_text
from anze.screen.columns import Column, Kind, labels, money_text
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Flag, InRegion, Numbers, Search, begins
from anze.screen.lists import ListScreen, count, list_screen, waiting
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import Story, story
from anze.underwriting.models import Endorsement, Obligation, Policy, PremiumReceipt
from anze.underwriting.rules import EndorsementKind, ObligationState, PolicyState, policy_state

PREMIUM = Permission.SEE_PREMIUMS
OF_ENTERPRISE = Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise: name or credit code"))
ORIGIN_SECTION = Section(
    _("Where the data come from"),
    ("event_on", "entered_at", "received_at", "report_due_at", "channel", "version"),
)


def _covered(asking: Asking) -> Exists:
    today = beijing_day(asking.at)
    return Exists(
        Policy.objects.filter(
            enterprise_id=OuterRef("enterprise_id"),
            is_void=False,
            start_on__lte=today,
            cover_end_on__gte=today,
        )
    )


REGISTER_TONES = {"CONFIRMED": "success", "DISPUTED": "danger", "UNCERTAIN": "warning"}

OBLIGATIONS = list_screen(
    ListScreen(
        name="obligations",
        path="underwriting/obligations/",
        title=_("Obligation register"),
        about=_("Who must insure, why, since when and by which source. The denominator of coverage."),
        model=Obligation,
        permission=Permission.SEE_REGISTER,
        detail="obligation",
        sort="-listed_on",
        columns=(
            Column("enterprise__name", title=_("Enterprise")),
            USCC,
            Column("region_code"),
            Column("sector"),
            Column("reason", optional=True),
            Column("source"),
            Column("listed_on"),
            Column("state", tones=REGISTER_TONES),
            Column("registered_workers"),
            Column("dispute_note", optional=True),
            Column("delisted_on", optional=True),
            Column("delisting_reason", optional=True),
            *ORIGIN,
        ),
        filters=(
            OF_ENTERPRISE,
            InRegion(),
            Choice("sector", main=True),
            Choice("state", main=True),
            Cases(
                "cover",
                _("Insured today"),
                cases={
                    "no": Case(_("not insured"), lambda a: ~Q(_covered(a))),
                    "yes": Case(_("insured"), lambda a: Q(_covered(a))),
                },
            ),
            Cases(
                "listed",
                _("On the register"),
                cases={
                    "yes": Case(
                        _("on the register today"),
                        lambda a: Q(delisted_on__isnull=True) | Q(delisted_on__gt=beijing_day(a.at)),
                    ),
                    "no": Case(_("taken off"), lambda a: Q(delisted_on__lte=beijing_day(a.at))),
                },
            ),
            Choice("reason"),
            Dates("listed_on"),
            Numbers("registered_workers"),
        ),
        tab_of={"enterprise": "enterprise"},
        order=10,
    )
)
detail_screen(
    DetailScreen(
        name="obligation",
        path="underwriting/obligations/<uuid:pk>/",
        title=_("Register entry"),
        model=Obligation,
        permission=Permission.SEE_REGISTER,
        named=("enterprise__name", "sector"),
        state=Column("state", tones=REGISTER_TONES),
        of_list="obligations",
        sections=(
            Section(
                _("The duty to insure"),
                (
                    ENTERPRISE,
                    Column("enterprise__uscc"),
                    "region_code",
                    "sector",
                    "reason",
                    "source",
                    "listed_on",
                    "registered_workers",
                    "dispute_note",
                    "delisted_on",
                    "delisting_reason",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)


# policies -----------------------------------------------------------------------------------------------------


def _state(asking: Asking, start_on: date, cover_end_on: date, cancelled_on: date | None) -> PolicyState:
    return policy_state(start_on, cover_end_on, cancelled_on, beijing_day(asking.at))


STATE = Column(
    "cover_state",
    title=_("State"),
    needs=("start_on", "cover_end_on", "cancelled_on"),
    compute=_state,
    choices=tuple(PolicyState.choices),
    tones={
        "IN_FORCE": "success",
        "EXPIRING": "warning",
        "EXPIRED": "",
        "CANCELLED": "danger",
        "NOT_YET": "info",
    },
)


def _in_force(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(start_on__lte=today, cover_end_on__gte=today)


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
            Column("rate_final", optional=True, permission=PREMIUM),
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
                    "expiring": Case(
                        PolicyState.EXPIRING.label,
                        lambda a: due_within("cover_end_on", a) & Q(cancelled_on__isnull=True),
                    ),
                    "expired": Case(
                        PolicyState.EXPIRED.label,
                        lambda a: Q(cover_end_on__lt=beijing_day(a.at), cancelled_on__isnull=True),
                    ),
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
                    "applied_on",
                    "issued_on",
                    "start_on",
                    "end_on",
                    "cancelled_on",
                    "cover_end_on",
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
                    Column("rate_base", permission=PREMIUM),
                    Column("rate_final", permission=PREMIUM),
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
            Column("before_value"),
            Column("after_value"),
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
                    "before_value",
                    "after_value",
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

_REGULATORS = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.SECTOR_DEPARTMENT})
_INSURERS = frozenset(
    {Role.INSURER_MANAGER, Role.INSURER_CLERK, Role.INSURER_BRANCH_MANAGER, Role.INSURER_BRANCH_CLERK}
)

waiting(
    OBLIGATIONS,
    "uninsured",
    _("Must insure, but are not insured"),
    why=_("On the register and without a policy in force today."),
    tone="danger",
    order=10,
    cover="no",
    listed="yes",
)
waiting(
    OBLIGATIONS,
    "register-open",
    _("Register entries in dispute or to be verified"),
    why=_("Until they are settled, coverage is known only within a band."),
    tone="warning",
    order=30,
    roles=_REGULATORS,
    state=[ObligationState.DISPUTED.value, ObligationState.UNCERTAIN.value],
    listed="yes",
)
waiting(
    POLICIES,
    "policies-expiring",
    _("Policies that expire within 30 days"),
    why=_("Renew in time: a gap in cover is a violation from its first day."),
    tone="warning",
    order=20,
    state="expiring",
)


def _tell_policy(
    asking: Asking, insured: int, start: date, end: date, cancelled: date | None, premium: Any
) -> tuple[str, str]:
    text = _now("Cover until %(end)s for %(workers)s workers") % {"end": end, "workers": f"{insured:,}"}
    if asking.actor.may(PREMIUM):
        text += _now(", premium ¥%(premium)s") % {"premium": money_text(premium)}
    if cancelled:
        return text + _now("; cancelled from %(day)s") % {"day": cancelled}, "danger"
    return text, ""


def _tell_endorsement(asking: Asking, kind: str, before: str, after: str) -> tuple[str, str]:
    said = labels(EndorsementKind.choices).get(kind, kind)
    change = f": {before} → {after}" if before or after else ""
    return f"{said}{change}", "danger" if kind == EndorsementKind.CANCEL else ""


def _tell_listing(asking: Asking, sector: str, source: str) -> tuple[str, str]:
    return _now("%(sector)s; source: %(source)s") % {
        "sector": labels(Sector.choices).get(sector, sector),
        "source": source,
    }, ""


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
story(
    Story(
        "register", _("Put on the register"), Permission.SEE_REGISTER, "clipboard-list", Obligation, "listed_on",
        "source", "obligation", ("sector", "source"), _tell_listing, where=Q(is_void=False), order=5,
    )
)  # fmt: skip


def _register_tile(request: HttpRequest, enterprise: Any) -> tuple[str, str, str]:
    found = Obligation.objects.filter(enterprise=enterprise, is_void=False).order_by("-listed_on").first()
    if found is None:
        return _now("not on it"), "", ""
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    url = reverse("obligation", args=[found.pk])
    if found.delisted_on and found.delisted_on <= today:
        return _now("taken off %(day)s") % {"day": found.delisted_on}, "", url
    return str(found.get_state_display()), REGISTER_TONES[found.state], url


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
    soon = found[1] <= today + timedelta(days=30)
    return (
        _now("until %(day)s") % {"day": found[1]},
        "warning" if soon else "success",
        reverse("policy", args=[found[0]]),
    )


tile(Tile("enterprise", "register", _("Obligation register"), Permission.SEE_REGISTER, _register_tile, order=10))
tile(Tile("enterprise", "cover", _("Cover"), Permission.SEE_UNDERWRITING, _cover_tile, order=20))


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
