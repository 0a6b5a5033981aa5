"""Claims that may be about one loss: found by the platform, laid side by side, decided by a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.actions import decide_twin
from anze.claims.models import Accident, Claim, ClaimTwin, Payment, Victim
from anze.claims.rules import (
    AccidentType,
    ClaimState,
    InjuryDegree,
    TwinReason,
    TwinState,
    VictimKind,
)
from anze.kernel.refusal import Refused
from anze.kernel.wording import listed
from anze.parties.models import Organisation
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE
from anze.screen.columns import DIRECTORIES, Column, labels
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Choice, Dates, InRegion
from anze.screen.forms import Form
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.pages import in_yuan, moment, money
from anze.screen.registry import page

STATE = Column("state", tones={"PROPOSED": "warning", "SAME": "danger", "DIFFERENT": "success"})


def _reasons(asking: Asking, reasons: list[str]) -> str:
    words = labels(TwinReason.choices)
    return listed(words[each] for each in reasons)


REASONS = Column("reasons", title=_("because of"), needs=("reasons",), compute=_reasons)
TWINS = list_screen(
    ListScreen(
        name="claim-twins",
        path="claims/twins/",
        title=_("Claims that look alike"),
        about=_("Two claims of one enterprise at different insurers or under different policies that may be about one loss. A hint with its reasons; a person decides."),
        model=ClaimTwin,
        permission=Permission.REVIEW_CLAIMS,
        detail="claim-twin",
        sort="-found_at",
        columns=(
            Column("loss_on"),
            ENTERPRISE,
            REASONS,
            STATE,
            Column("region_code"),
            Column("found_at"),
            Column("decided_by", optional=True),
            Column("words", optional=True),
        ),
        filters=(InRegion(), Choice("state", main=True), Dates("loss_on")),
        tab_of={"enterprise": "enterprise"},
        order=30,
    )
)  # fmt: skip


class DecisionForm(Form):
    words = forms.CharField(
        label=_("What your decision rests on"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Both insurers read it."),
    )  # fmt: skip


def _side(claim: Claim) -> dict[str, Any]:
    degrees, kinds = labels(InjuryDegree.choices), labels(VictimKind.choices)
    accident = Accident.objects.filter(pk=claim.accident_id).first() if claim.accident_id else None
    victims = Victim.objects.filter(claim=claim).order_by("seq").values_list("kind", "degree", "amount")
    payments = Payment.objects.filter(claim=claim).order_by("seq").values_list("paid_on", "amount")
    types = labels(AccidentType.choices)
    return {
        "claim": claim,
        "pairs": [
            (_now("Insurer"), DIRECTORIES[Organisation].name(claim.insurer_id)),
            (_now("Day of loss"), str(claim.loss_on)),
            (_now("State"), labels(ClaimState.choices)[claim.state]),
            (_now("Loss notified at"), moment(claim.notified_at)),
            (in_yuan(_now("Amount claimed")), money(claim.claimed)),
            (in_yuan(_now("Amount assessed")), money(claim.assessed)),
            (_now("Accident"), f"{types[accident.kind]} · {accident.place}" if accident else "–"),
            (_now("What happened"), accident.description or "–" if accident else "–"),
            (
                in_yuan(_now("Victims")),
                listed(f"{kinds[k]} {degrees[d]} {money(a)}" for k, d, a in victims) or "–",
            ),
            (in_yuan(_now("Payments")), listed(f"{day} {money(amount)}" for day, amount in payments) or "–"),
        ],
    }


def _words(request: HttpRequest, twin: Any) -> dict[str, Any]:
    sides = [_side(claim) for claim in Claim.objects.filter(pk__in=(twin.claim_id, twin.other_id)).order_by("id")]
    rows = [
        (name, first, second, first == second and first != "–")
        for (name, first), (_name, second) in zip(sides[0]["pairs"], sides[1]["pairs"], strict=True)
    ] if len(sides) == 2 else []  # fmt: skip
    return {
        "claims": [side["claim"] for side in sides],
        "rows": rows,
        "form": DecisionForm() if request.actor.may(Permission.REVIEW_CLAIMS) else None,  # type: ignore[attr-defined]
    }


TWIN_PAGE = detail_screen(
    DetailScreen(
        name="claim-twin",
        path="claims/twins/<uuid:pk>/",
        title=_("Claims that look alike"),
        model=ClaimTwin,
        permission=Permission.REVIEW_CLAIMS,
        named=("loss_on",),
        state=STATE,
        of_list="claim-twins",
        template="claims/twin.html",
        extra=_words,
        sections=(
            Section(
                _("Why it was found, and the decision"),
                (ENTERPRISE, REASONS, "found_at", "decided_by", "decided_at", "words"),
            ),
        ),
    )
)


@page("claims/twins/<uuid:pk>/decide/", name="claim-twin-decide", permission=Permission.REVIEW_CLAIMS,
      methods=("POST",))  # fmt: skip
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    twin = TWIN_PAGE.row(request, pk)
    try:
        decide_twin(
            twin,
            by=request.actor,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            is_same=request.POST.get("same") == "yes",
            words=request.POST.get("words", ""),
        )
    except Refused as refused:
        messages.error(request, f"{refused.message} {refused.remedy}")
    else:
        messages.success(request, _now("The decision stands; both insurers see it."))
    return redirect("claim-twin", pk)


waiting(
    TWINS,
    "claim-twins",
    _("Claims that may be one loss"),
    why=_("Two insurers, one enterprise, one day: look at both and decide."),
    tone="warning",
    order=28,
    roles=frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.FINANCIAL_REGULATOR}),
    state=TwinState.PROPOSED.value,
)
