"""Pages of claims: the list with its clocks, the claim with its story and what can be done next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Claim, Payment, Victim
from anze.claims.rules import CLAIM_ENDS, ClaimState, Clock, PaymentKind, clock_state
from anze.claims.screens.story import page_words
from anze.parties.rules import INSURER_ROLES, Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, ORIGIN, USCC, insurer_filter
from anze.screen.asked import count_text
from anze.screen.columns import Column, Kind, labels
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Numbers, Search, begins
from anze.screen.lists import ListScreen, count, list_screen, waiting
from anze.screen.pages import money
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import Story, story
from anze.underwriting.screens import ORIGIN_SECTION

STATE_TONES = {"PAID": "success", "CLOSED": "success", "REJECTED": "danger"}
CLOCK_TONES = {"LATE": "danger", "SOON": "warning", "RUNNING": "info", "KEPT": "success", "MISSED": "warning"}
SOON_DAYS = "alert.claim_notice_days"  # a clock is said to end soon when it is announced
_OPEN = Q(closed_at__isnull=True)
_ADVANCED = Q(Exists(Payment.objects.filter(claim_id=OuterRef("pk"), kind=PaymentKind.ADVANCE)))


def _next_clock(
    asking: Asking,
    state: str,
    assess_due: datetime | None,
    assessed: datetime | None,
    pay_due: datetime | None,
    paid: datetime | None,
    letter_due: datetime | None,
    letter: datetime | None,
) -> str:
    """The clock that runs at present, the last begun first; what is over has none."""
    soon = asking.number(SOON_DAYS)
    for due, done in ((letter_due, letter), (pay_due, paid), (assess_due, assessed)):
        found = clock_state(due, done, state in CLAIM_ENDS and due is not letter_due, asking.at, soon)
        if found in (Clock.LATE, Clock.SOON, Clock.RUNNING, Clock.MISSED):
            return found.value
        if found is not None:
            return "" if state in CLAIM_ENDS else found.value
    return "" if state in CLAIM_ENDS else Clock.PAUSED.value


CLOCK = Column(
    "clock",
    title=_("Legal clock"),
    needs=(
        "state", "assess_due_at", "assessed_at", "pay_due_at", "paid_at", "refusal_due_at", "refusal_sent_at",
    ),
    compute=_next_clock,
    choices=(*Clock.choices, ("", "–")),
    tones=CLOCK_TONES,
)  # fmt: skip
_UNPAID = _OPEN & Q(paid_at__isnull=True)
CLOCKS = Cases(
    "clock",
    _("Legal clock"),
    main=True,
    cases={
        "late": Case(
            _("any overdue"),
            lambda a: (
                _UNPAID & (Q(assessed_at__isnull=True, assess_due_at__lte=a.at) | Q(pay_due_at__lte=a.at))
                | Q(state=ClaimState.REJECTED, refusal_sent_at__isnull=True, refusal_due_at__lte=a.at)
            ),
        ),
        "assess": Case(
            _("assessment overdue"), lambda a: _UNPAID & Q(assessed_at__isnull=True, assess_due_at__lte=a.at)
        ),
        "pay": Case(_("payment overdue"), lambda a: _UNPAID & Q(pay_due_at__lte=a.at)),
        "letter": Case(
            _("refusal letter overdue"),
            lambda a: Q(state=ClaimState.REJECTED, refusal_sent_at__isnull=True, refusal_due_at__lte=a.at),
        ),
        "advance": Case(
            _("advance payment overdue"),
            lambda a: _UNPAID & Q(agreed_at__isnull=True, advance_due_at__lte=a.at) & ~_ADVANCED,
        ),
        "paused": Case(
            _("waits for documents"), lambda a: _OPEN & Q(docs_asked_at__isnull=False, docs_complete_at__isnull=True)
        ),
    },
)
WAITS = Cases(
    "next",
    _("Waiting for"),
    cases={
        "survey": Case(_("survey"), lambda a: Q(state=ClaimState.REGISTERED)),
        "documents": Case(_("documents"), lambda a: Q(state=ClaimState.SURVEYED)),
        "assessment": Case(_("assessment"), lambda a: Q(state=ClaimState.DOCS_COMPLETE)),
        "agreement": Case(_("agreement"), lambda a: Q(state=ClaimState.ASSESSED)),
        "payment": Case(_("payment"), lambda a: Q(state=ClaimState.AGREED)),
        "letter": Case(_("refusal letter"), lambda a: Q(state=ClaimState.REJECTED, refusal_sent_at__isnull=True)),
        "closing": Case(_("closing"), lambda a: Q(state=ClaimState.PAID)),
    },
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
            CLOCK,
            Column("claimed"),
            Column("outstanding"),
            Column("region_code", optional=True),
            Column("sector", optional=True),
            Column("docs_complete_at", optional=True),
            Column("assess_due_at", optional=True),
            Column("assessed", optional=True),
            Column("agreed", optional=True),
            Column("pay_due_at", optional=True),
            Column("refusal_due_at", optional=True),
            Column("refusal_sent_at", optional=True),
            Column("reject_code", optional=True),
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
            CLOCKS,
            WAITS,
            Cases(
                "open",
                _("Settlement"),
                cases={
                    "yes": Case(_("still open"), lambda a: ~Q(state__in=CLAIM_ENDS) & Q(paid_at__isnull=True)),
                    "no": Case(_("ended or paid"), lambda a: Q(state__in=CLAIM_ENDS) | Q(paid_at__isnull=False)),
                },
            ),
            Choice("sector"),
            Choice("reject_code"),
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
        template="claims/claim.html",
        extra=page_words,
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
                    "assessed",
                    "agreed",
                    "outstanding",
                    Column(
                        "paid",
                        title=_("Paid, less recovered"),
                        needs=("id",),
                        kind=Kind.MONEY,
                        compute=_paid,
                    ),
                    "docs_missing",
                    "reject_code",
                    "reject_reason",
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
_REGULATORS = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.FINANCIAL_REGULATOR})
for _name, _title, _why, _order in (
    ("assess", _("Claims to assess: overdue"), _("Counted from the request and the documents (保险法 Art. 23)."), 8),
    ("pay", _("Claims to pay: overdue"), _("Counted from the day the amount was agreed (保险法 Art. 23)."), 8),
    ("letter", _("Refusal letters: overdue"), _("Counted from the decision (保险法 Art. 24)."), 8),
    ("advance", _("Advance payments: overdue"), _("Counted from the documents (保险法 Art. 25)."), 8),
):
    waiting(
        CLAIMS,
        f"claims-{_name}-late",
        _title,
        why=_why,
        tone="danger",
        order=_order,
        roles=frozenset(INSURER_ROLES),
        clock=_name,
    )
for _name, _title, _why, _order in (
    ("survey", _("Claims to survey"), _("Registered, and nobody has looked yet."), 23),
    ("assessment", _("Claims to assess"), _("Request and documents are complete."), 24),
    ("payment", _("Claims to pay"), _("The amount is agreed."), 25),
):
    waiting(CLAIMS, f"claims-{_name}", _title, why=_why, order=_order, roles=frozenset(INSURER_ROLES), next=_name)
waiting(
    CLAIMS,
    "claims-late",
    _("Claims past a legal deadline"),
    why=_("Assessment, payment or refusal letter is overdue by the insurance law."),
    tone="warning",
    order=19,
    roles=_REGULATORS,
    clock="late",
)
waiting(
    CLAIMS,
    "claims-to-agree",
    _("Claims whose amount waits for your word"),
    why=_("The insurer has assessed the amount: agree, or say why not."),
    tone="warning",
    order=5,
    roles=frozenset({Role.ENTERPRISE}),
    next="agreement",
)
waiting(
    CLAIMS,
    "claims-documents",
    _("Claims that wait for your documents"),
    why=_("The insurer has asked for what is missing, once."),
    tone="warning",
    order=6,
    roles=frozenset({Role.ENTERPRISE}),
    clock="paused",
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


def _tell_claim(asking: Asking, state: str, claimed: Any) -> tuple[str, str]:
    said = labels(ClaimState.choices).get(state, state)
    return _now("%(state)s; claimed ¥%(amount)s") % {"state": said, "amount": money(claimed)}, ""


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
