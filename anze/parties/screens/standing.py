"""Suspensions and blacklist, and the committee's members."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.parties.access import acts_for
from anze.parties.actions.appeals import appeal_until, find_appealed
from anze.parties.actions.standing import (
    HELD,
    accept_seat,
    ask_seat,
    change_seat,
    decide_standing,
    decline_seat,
    exclude_seat,
    leave_seat,
    lift_standing,
)
from anze.parties.models import Expert, Organisation, Seat, Standing
from anze.parties.rules import OrganisationKind, Permission, Role
from anze.parties.rules.entering import (
    SEAT_TONES,
    STANDING_STATE_TONES,
    STANDING_TONES,
    SeatRole,
    SeatState,
    StandingKind,
    StandingState,
    may_decide_standing,
    standing_state,
)
from anze.parties.screens.entering import documents_of
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Search
from anze.screen.forms import Form, answer_form
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page

P = Permission
KIND = Column("kind", tones=STANDING_TONES)
PARTY = Column("organisation", title=_("Organisation"))
EXPERT = Column("expert__name", title=_("Expert"), opens="expert")


def _stands(asking: Asking, from_on: date, to_on: date | None, lifted_on: date | None) -> StandingState:
    return standing_state(from_on, to_on, lifted_on, beijing_day(asking.at))


STATE = Column("stands", title=_("State"), needs=("from_on", "to_on", "lifted_on"), compute=_stands,
               choices=tuple(StandingState.choices), tones=STANDING_STATE_TONES)  # fmt: skip

STANDINGS = list_screen(
    ListScreen(
        name="standings",
        path="parties/standings/",
        title=_("Suspensions and blacklist"),
        about=_("Insurers, agencies and experts that take no new business for a time, by whom and why."),
        model=Standing,
        permission=P.SEE_PARTIES,
        detail="standing",
        sort="-from_on",
        columns=(
            KIND,
            STATE,
            PARTY,
            EXPERT,
            Column("from_on"),
            Column("to_on"),
            Column("lifted_on", optional=True),
            Column("reason"),
            Column("decided_by", title=_("Decided by")),
        ),
        filters=(
            Choice("kind", main=True),
            Cases(
                "now",
                _("At present"),
                cases={"running": Case(_("running"), lambda a: Standing.holding(beijing_day(a.at)))},
                main=True,
            ),
            Dates("from_on"),
        ),
        tab_of={"insurer": "organisation", "agency": "organisation", "expert": "expert"},
        buttons=(Button(_("Suspend or blacklist"), "standing-new", P.DECIDE_STANDINGS, "lock"),),
        order=85,
        icon="lock",
    )
)


def _appeal_way(request: HttpRequest, kind: str, row: Any) -> list[Way]:
    """To an appeal, while its time runs."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    decision = find_appealed(kind, row.pk, actor) if actor.may(P.APPLY) else None
    if decision is None or request.at >= appeal_until(decision):  # type: ignore[attr-defined]
        return []
    return [Way(_("Appeal"), reverse("entry-appeal-new", args=[kind, row.pk]), "gavel")]


def _standing_ways(request: HttpRequest, row: Any) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    day = beijing_day(request.at)  # type: ignore[attr-defined]
    is_over = row.lifted_on is not None or (row.to_on is not None and row.to_on < day)
    ways = [] if is_over else _appeal_way(request, "standing", row)
    of = row.organisation.kind if row.organisation_id else "EXPERT"
    if not is_over and actor.may(P.DECIDE_STANDINGS) and may_decide_standing(actor.role, row.kind, of):
        ways.append(Way(_("Lift it"), reverse("standing-lift", args=[row.pk]), "lock-open"))
    return ways


def _standing_shown(request: HttpRequest, row: Any) -> dict[str, Any]:
    may_add = request.actor.may(P.DECIDE_STANDINGS)  # type: ignore[attr-defined]
    return {
        "lifted": row if row.lifted_on is not None else None,
        "documents": documents_of(standing=row),
        "adds_to": reverse("standing-paper", args=[row.pk]) if may_add else "",
    }


STANDING_PAGE = detail_screen(
    DetailScreen(
        name="standing",
        path="parties/standings/<uuid:pk>/",
        title=_("Suspension or blacklisting"),
        model=Standing,
        permission=P.SEE_PARTIES,
        named=(),
        of_list="standings",
        state=STATE,
        template="parties/with_papers.html",
        extra=_standing_shown,
        ways=_standing_ways,
        sections=(
            Section(
                pgettext_lazy("standing", "The decision"),
                (
                    KIND,
                    PARTY,
                    EXPERT,
                    "from_on",
                    "to_on",
                    "reason",
                    Column("decided_by", title=_("Decided by")),
                    "decided_on",
                    "lifted_on",
                    "lift_reason",
                    "lifted_by",
                ),
            ),
        ),
    )
)


class StandingForm(Form):
    party = forms.CharField(
        label=_("Insurer's or agency's code, or expert number"), max_length=30,
        help_text=_("As it stands in the lists of insurers, agencies and experts."),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("What is decided"))
    from_on = forms.DateField(label=_("From"), widget=forms.DateInput())
    to_on = forms.DateField(
        label=_("Until, this day included"), widget=forms.DateInput(), required=False,
        help_text=_("Only the blacklist may be without end."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Everybody signed in reads it."),
    )  # fmt: skip

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["kind"].choices = list(labels(StandingKind.choices).items())  # type: ignore[attr-defined]

    def clean_party(self) -> Organisation | Expert:
        code = str(self.cleaned_data["party"]).strip().upper()
        found = (
            Organisation.objects.filter(code=code, kind__in=HELD).first() or Expert.objects.filter(number=code).first()
        )
        if found is None:
            raise forms.ValidationError(_("No insurer, agency or expert has this code. Look it up in the lists."))
        return found


class ReasonForm(Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The party concerned reads it."),
    )  # fmt: skip


@page("parties/standings/new/", name="standing-new", title=_("Suspend or blacklist"), permission=P.DECIDE_STANDINGS,
      methods=("GET", "POST"))  # fmt: skip
def new_standing(request: HttpRequest) -> HttpResponse:
    at = request.at  # type: ignore[attr-defined]
    form = StandingForm(
        request.POST if request.method == "POST" else None,
        initial={"party": request.GET.get("party", ""), "from_on": beijing_day(at)},
    )

    def go(given: dict[str, Any]) -> str:
        made = decide_standing(given.pop("party"), by=request.actor, at=at, **given)  # type: ignore[attr-defined]
        return reverse("standing", args=[made.pk])

    return answer_form(
        request, form, go, title=_("Suspend or blacklist"), done=pgettext_lazy("appeal", "Decide"), tone="danger",
        back=STANDINGS.url, back_title=STANDINGS.title,
        about=_("New policies of an insurer and new orders for an agency or expert are refused from that day on. What "
                "runs already goes on. The party can appeal; the text of the decision is added on the next page."),
    )  # fmt: skip


@page("parties/standings/<uuid:pk>/lift/", name="standing-lift", permission=P.DECIDE_STANDINGS,
      methods=("GET", "POST"))  # fmt: skip
def lift(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = STANDING_PAGE.row(request, pk)
    back = reverse("standing", args=[pk])

    def go(given: dict[str, Any]) -> str:
        lift_standing(row, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return back

    form = ReasonForm(request.POST if request.method == "POST" else None)
    return answer_form(
        request, form, go, title=_("Lift it early"), done=_("Lift it"), back=back, back_title=str(row),
        about=_("From today on the party takes new business again. The days it held stay on file."),
    )  # fmt: skip


# seats on the committee -----------------------------------------------------------------------------------------

SEAT_STATE = Column("state", tones=SEAT_TONES)
SEATS = list_screen(
    ListScreen(
        name="seats",
        path="parties/seats/",
        title=_("Members of the committee"),
        about=_("Insurers and agencies that are members of the committee, were it, or asked to become it."),
        model=Seat,
        permission=P.SEE_PARTIES,
        detail="seat",
        sort="-asked_on",
        columns=(
            Column("organisation", title=_("Organisation")),
            SEAT_STATE,
            Column("role"),
            Column("representative"),
            Column("asked_on"),
            Column("joined_on"),
            Column("ended_on"),
            Column("reason", optional=True),
        ),
        filters=(
            Choice("state", main=True),
            Choice("role"),
            Search(relation="organisation", related=("name", "code"), title=_("Organisation")),
            Cases(
                "kind",
                _("Kind"),
                cases={
                    "insurer": Case(_("insurers"), lambda a: Q(organisation__kind=OrganisationKind.INSURER)),
                    "agency": Case(_("agencies"), lambda a: Q(organisation__kind=OrganisationKind.AGENCY)),
                },
            ),
            Dates("joined_on"),
        ),
        tab_of={"insurer": "organisation", "agency": "organisation"},
        buttons=(Button(_("Ask to join"), "seat-new", P.JOIN_COMMITTEE, "user-plus"),),
        order=65,
        icon="users",
    )
)
waiting(
    SEATS,
    "seats-asked",
    _("Asking to join the committee"),
    why=_("Joining is open to every insurer and agency on the platform."),
    order=72,
    roles=frozenset({Role.COMMITTEE}),
    state="ASKED",
)


def _seat_ways(request: HttpRequest, row: Any) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    ways: list[Way] = []

    def way(title: Any, name: str, icon: str, tone: str = "") -> None:
        ways.append(Way(title, reverse(name, args=[row.pk]), icon, tone))

    if actor.may(P.KEEP_MEMBERS) and row.state == SeatState.ASKED:
        way(_("Accept as member"), "seat-accept", "check", "primary")
        way(pgettext_lazy("committee", "Decline"), "seat-decline", "x", "outline-danger")
    if actor.may(P.KEEP_MEMBERS) and row.state == SeatState.MEMBER:
        way(_("Role and representative"), "seat-edit", "edit")
        way(_("Exclude"), "seat-exclude", "x", "outline-danger")
    if actor.may(P.JOIN_COMMITTEE) and row.state in (SeatState.ASKED, SeatState.MEMBER) and acts_for(actor, row):
        way(_("Leave the committee"), "seat-leave", "logout")
    return ways + _appeal_way(request, "seat", row)


SEAT_PAGE = detail_screen(
    DetailScreen(
        name="seat",
        path="parties/seats/<uuid:pk>/",
        title=_("Member of the committee"),
        model=Seat,
        permission=P.SEE_PARTIES,
        named=(),
        of_list="seats",
        state=SEAT_STATE,
        ways=_seat_ways,
        sections=(
            Section(
                _("Membership"),
                (
                    Column("organisation", title=_("Organisation")),
                    "role",
                    "representative",
                    "asked_on",
                    "joined_on",
                    "ended_on",
                    "reason",
                    "decided_by_name",
                    "decided_at",
                ),
            ),
        ),
    )
)


class AskForm(Form):
    representative = forms.CharField(label=_("Representative"), max_length=60)


class SeatForm(Form):
    role = forms.ChoiceField(label=pgettext_lazy("committee", "Role"))
    representative = forms.CharField(label=_("Representative"), max_length=60, required=False)

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["role"].choices = list(labels(SeatRole.choices).items())  # type: ignore[attr-defined]


class AcceptForm(SeatForm):
    representative = None  # type: ignore[assignment] # as it was asked for


class LeaveForm(Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


@page("parties/seats/new/", name="seat-new", title=_("Join the committee"), permission=P.JOIN_COMMITTEE,
      methods=("GET", "POST"))  # fmt: skip
def ask(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    scope = actor.scope
    holder = Organisation.objects.filter(Q(pk=scope.insurer_id) | Q(pk=scope.agency_id)).get()
    form = AskForm(request.POST if request.method == "POST" else None, initial={"representative": actor.name})

    def go(given: dict[str, Any]) -> str:
        made = ask_seat(holder, by=actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("seat", args=[made.pk])

    return answer_form(
        request, form, go, title=_("Join the committee"), done=_("Ask to join"), back=SEATS.url,
        back_title=SEATS.title,
        about=_("Joining and leaving are free. Whoever is no member works under the same rules all the same."),
    )  # fmt: skip


def _seat_page(request: HttpRequest, pk: UUID, form: Form, act: Any, title: Any, **words: Any) -> HttpResponse:
    row, back = SEAT_PAGE.row(request, pk), reverse("seat", args=[pk])

    def go(given: dict[str, Any]) -> str:
        act(row, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return back

    return answer_form(request, form, go, title=title, done=title, back=back, back_title=str(row), **words)


def _seat_action(path: str, name: str, permission: str, form: type[Form], act: Any, title: Any, **words: Any) -> Any:
    @page(f"parties/seats/<uuid:pk>/{path}/", name=name, title=title, permission=permission, methods=("GET", "POST"),
          room="parties")  # fmt: skip
    def view(request: HttpRequest, pk: UUID) -> HttpResponse:
        seat = Seat.objects.filter(pk=pk).first()
        initial = {"role": seat.role, "representative": seat.representative} if seat else {}
        made = form(request.POST if request.method == "POST" else None, initial=initial)
        return _seat_page(request, pk, made, act, title, **words)

    return view


_seat_action("accept", "seat-accept", P.KEEP_MEMBERS, AcceptForm, accept_seat, _("Accept as member"))
_seat_action(
    "decline", "seat-decline", P.KEEP_MEMBERS, ReasonForm, decline_seat, pgettext_lazy("committee", "Decline"),
    tone="danger",
)  # fmt: skip
_seat_action("edit", "seat-edit", P.KEEP_MEMBERS, SeatForm, change_seat, _("Role and representative"))
_seat_action(
    "exclude", "seat-exclude", P.KEEP_MEMBERS, ReasonForm, exclude_seat, _("Exclude"), tone="danger",
    about=_("The member can appeal; the province then decides, or another person of the secretariat."),
)  # fmt: skip
_seat_action("leave", "seat-leave", P.JOIN_COMMITTEE, LeaveForm, leave_seat, _("Leave the committee"))
