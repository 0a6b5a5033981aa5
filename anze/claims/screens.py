"""Pages of accidents and claims."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident, Claim, Payment, Victim
from anze.claims.rules import AccidentClass, AccidentType, ClaimState, PaymentKind
from anze.parties.rules import Permission
from anze.parties.screens import ENTERPRISE, INSURER, ORIGIN, USCC, insurer_filter
from anze.screen.asked import count_text
from anze.screen.columns import Column, labels, money_text
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Flag, InRegion, Numbers, Search, begins
from anze.screen.lists import ListScreen, count, list_screen, waiting
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import Story, story
from anze.underwriting.screens import ORIGIN_SECTION

ENDED = (ClaimState.CLOSED, ClaimState.REJECTED, ClaimState.CANCELLED, ClaimState.CLOSED_ZERO)
CLASS_TONES = {"GENERAL": "warning", "LARGER": "danger", "MAJOR": "danger", "EXTRA_MAJOR": "danger"}
STATE_TONES = {"PAID": "success", "CLOSED": "success", "REJECTED": "danger"}

ACCIDENTS = list_screen(
    ListScreen(
        name="accidents",
        path="claims/accidents/",
        title=_("Accidents"),
        about=_("Accidents at insured enterprises as their insurers report them; the class follows order 493 of the State Council."),
        model=Accident,
        permission=Permission.SEE_CLAIMS,
        detail="accident",
        sort="-occurred_at",
        columns=(
            Column("accident_no"),
            ENTERPRISE,
            INSURER,
            Column("region_code"),
            Column("occurred_at"),
            Column("kind"),
            Column("accident_class", tones=CLASS_TONES),
            Column("deaths"),
            Column("serious_injuries"),
            Column("minor_injuries", optional=True),
            Column("direct_loss", optional=True),
            Column("sector", optional=True),
            Column("reported_at", optional=True),
            USCC,
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("accident_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Accident no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("accident_class", main=True),
            Choice("kind"),
            Choice("sector"),
            Dates("occurred_at"),
            Numbers("deaths"),
            Flag("hits_third_party"),
        ),
        tab_of={"enterprise": "enterprise"},
        order=20,
    )
)  # fmt: skip
detail_screen(
    DetailScreen(
        name="accident",
        path="claims/accidents/<uuid:pk>/",
        title=_("Accident"),
        model=Accident,
        permission=Permission.SEE_CLAIMS,
        named=("accident_no",),
        state=Column("accident_class", tones=CLASS_TONES),
        of_list="accidents",
        sections=(
            Section(
                _("What happened"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    "occurred_at",
                    "place",
                    "kind",
                    "accident_class",
                    "description",
                    "reported_at",
                ),
            ),
            Section(_("Harm"), ("deaths", "serious_injuries", "minor_injuries", "direct_loss", "hits_third_party")),
            ORIGIN_SECTION,
        ),
    )
)

CLAIMS = list_screen(
    ListScreen(
        name="claims",
        path="claims/",
        title=_("Claims"),
        about=_("Claims with the moment of every step; what was paid stands with each claim."),
        model=Claim,
        permission=Permission.SEE_CLAIMS,
        detail="claim",
        sort="-notified_at",
        columns=(
            Column("claim_no"),
            ENTERPRISE,
            INSURER,
            Column("policy__policy_no", opens="policy"),
            Column("loss_on"),
            Column("notified_at"),
            Column("state", tones=STATE_TONES),
            Column("claimed"),
            Column("outstanding"),
            Column("region_code", optional=True),
            Column("sector", optional=True),
            Column("docs_complete_at", optional=True),
            Column("agreed_at", optional=True),
            Column("paid_at", optional=True),
            Column("closed_at", optional=True),
            Column("accident__accident_no", opens="accident", optional=True),
            USCC,
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("claim_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Claim no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            Cases(
                "open",
                _("Settlement"),
                cases={
                    "yes": Case(_("still open"), lambda a: ~Q(state__in=ENDED) & Q(paid_at__isnull=True)),
                    "no": Case(_("ended or paid"), lambda a: Q(state__in=ENDED) | Q(paid_at__isnull=False)),
                },
            ),
            Choice("sector"),
            Dates("loss_on"),
            Dates("notified_at"),
            Numbers("claimed"),
        ),
        sorts=("claimed", "loss_on"),
        tab_of={"enterprise": "enterprise", "policy": "policy", "accident": "accident", "insurer": "insurer"},
        order=10,
    )
)  # fmt: skip


def _paid(asking: Asking, claim_id: Any) -> Any:
    sums = dict(Payment.objects.filter(claim_id=claim_id).values_list("kind").annotate(total=Sum("amount")).order_by())
    recovered = sums.pop(PaymentKind.RECOVERY, 0)
    return sum(sums.values()) - recovered


detail_screen(
    DetailScreen(
        name="claim",
        path="claims/<uuid:pk>/",
        title=_("Claim"),
        model=Claim,
        permission=Permission.SEE_CLAIMS,
        named=("claim_no",),
        state=Column("state", tones=STATE_TONES),
        of_list="claims",
        sections=(
            Section(
                _("The claim"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    Column("policy__policy_no", opens="policy"),
                    Column("accident__accident_no", opens="accident"),
                    "loss_on",
                    "claimed",
                    "outstanding",
                    Column(
                        "paid",
                        title=_("Paid, less recovered"),
                        needs=("id",),
                        compute=lambda a, key: money_text(_paid(a, key)),
                    ),
                    "reject_reason",
                ),
            ),
            Section(
                _("Its steps"),
                (
                    "notified_at",
                    "registered_at",
                    "surveyed_at",
                    "docs_complete_at",
                    "assessed_at",
                    "agreed_at",
                    "paid_at",
                    "closed_at",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)
PAYMENTS = list_screen(
    ListScreen(
        name="claim-payments",
        path="claims/payments/",
        title=_("Claim payments"),
        about=_("Money paid under claims, and recovered."),
        model=Payment,
        permission=Permission.SEE_CLAIMS,
        sort="-paid_on",
        columns=(
            Column("paid_on"),
            Column("claim__claim_no", opens="claim"),
            ENTERPRISE,
            INSURER,
            Column("kind"),
            Column("amount"),
            Column("region_code", optional=True),
        ),
        filters=(
            Search(relation="claim", related=("claim_no",), title=_("Claim no.")),
            InRegion(),
            insurer_filter(),
            Choice("kind", main=True),
            Dates("paid_on"),
            Numbers("amount"),
        ),
        tab_of={"claim": "claim"},
        in_menu=False,
    )
)
VICTIMS = list_screen(
    ListScreen(
        name="victims",
        path="claims/victims/",
        title=_("Victims"),
        about=_("Who was hurt, without name or identity: those stay with the insurer."),
        model=Victim,
        permission=Permission.SEE_CLAIMS,
        sort="seq",
        columns=(
            Column("seq"),
            Column("claim__claim_no", opens="claim"),
            Column("kind"),
            Column("degree", tones={"DEATH": "danger", "SERIOUS": "warning"}),
            Column("amount"),
        ),
        filters=(Choice("kind", main=True), Choice("degree", main=True)),
        tab_of={"claim": "claim"},
        in_menu=False,
    )
)
waiting(
    CLAIMS,
    "claims-open",
    _("Claims not yet settled"),
    why=_("Reported and neither paid nor closed."),
    tone="info",
    order=60,
    open="yes",
)


def _tell_accident(asking: Asking, kind: str, kind_class: str, deaths: int, injured: int) -> tuple[str, str]:
    text = (
        f"{labels(AccidentType.choices).get(kind, kind)}, {labels(AccidentClass.choices).get(kind_class, kind_class)}"
    )
    if deaths or injured:
        text += _now("; %(deaths)s dead, %(injured)s seriously injured") % {
            "deaths": deaths,
            "injured": injured,
        }
    return text, "danger" if deaths else ""


def _tell_claim(asking: Asking, state: str, claimed: Any) -> tuple[str, str]:
    said = labels(ClaimState.choices).get(state, state)
    return _now("%(state)s; claimed ¥%(amount)s") % {"state": said, "amount": money_text(claimed)}, ""


story(
    Story(
        "accident", _("Accident"), Permission.SEE_CLAIMS, "alert-octagon", Accident, "event_on", "accident_no",
        "accident", ("kind", "accident_class", "deaths", "serious_injuries"), _tell_accident,
        where=Q(is_void=False), order=60,
    )
)  # fmt: skip
story(
    Story(
        "claim", _("Claim"), Permission.SEE_CLAIMS, "ambulance", Claim, "loss_on", "claim_no", "claim",
        ("state", "claimed"), _tell_claim, where=Q(is_void=False), order=70,
    )
)  # fmt: skip


def _claims_tile(word: str) -> Any:
    def find(request: HttpRequest, row: Any) -> tuple[str, str, str]:
        words = {word: str(row.pk), "open": "yes"}
        return count_text(count(CLAIMS, request, **words)), "", CLAIMS.link(**words)

    return find


tile(Tile("enterprise", "claims", _("Open claims"), Permission.SEE_CLAIMS, _claims_tile("enterprise"), order=60))
tile(Tile("insurer", "claims", _("Open claims"), Permission.SEE_CLAIMS, _claims_tile("insurer"), order=60))


def _find_claims(words: str, limit: int) -> list[Hit]:
    found = Claim.objects.filter(begins("claim_no", words) | begins("claim_no", words.upper()), is_void=False)
    return [
        Hit(number, str(on), reverse("claim", args=[key]))
        for key, number, on in found.values_list("pk", "claim_no", "loss_on")[:limit]
    ]


search(SearchAnswer("claims", _("Claims"), Permission.SEE_CLAIMS, _find_claims, order=50))
