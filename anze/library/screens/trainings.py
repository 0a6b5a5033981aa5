"""Trainings: the list, each with its sign-ups, the code on the trainer's screen, the test, certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.kernel.scope import EVERYTHING, widened
from anze.library.actions import (
    announce_training,
    attend,
    attendance_code,
    change_training,
    move_training,
    read_code,
    set_questions,
    sign_up,
    take_test,
    withdraw_sign_up,
)
from anze.library.models import Certificate, Question, SignUp, Training
from anze.library.rules import TRAINING, Misread, SignUpState, TrainingState, read_questions, write_questions
from anze.library.screens import worded
from anze.library.screens.materials import form_page
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.screen.columns import Column, Kind, directory
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Flag, InRegion, Search
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.pages import is_chinese, is_fragment
from anze.screen.registry import Hit, page, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.typesetting import qr_uri

SEE, KEEP, JOIN = Permission.SEE_LIBRARY, Permission.KEEP_LIBRARY, Permission.JOIN_TRAININGS
STATE = Column("state", tones={"OPEN": "info", "UNDER_WAY": "warning", "HELD": "success", "CANCELLED": ""})


def _left(asking: Asking, capacity: int, taken: int, state: str) -> int | None:
    return capacity - taken if state == TrainingState.OPEN else None


LEFT = Column("left", title=_("Seats left"), kind=Kind.NUMBER, needs=("capacity", "taken", "state"), compute=_left)

TRAININGS = list_screen(
    ListScreen(
        name="trainings",
        path="library/trainings/",
        title=_("Trainings"),
        about=_("Trainings for enterprises, insurers, agencies and experts: sign up, be there, take the test, get the certificate."),
        model=Training,
        permission=SEE,
        detail="training",
        sort="-starts_at",
        columns=(
            worded("title", _("Title")),
            Column("starts_at"),
            Column("place"),
            LEFT,
            STATE,
            Column("sector"),
            Column("host"),
            Column("ends_at", optional=True),
            Column("is_online", optional=True),
            Column("capacity", optional=True),
            Column("taken", optional=True),
            Column("code", kind=Kind.CODE, optional=True),
        ),
        filters=(
            Search(inside=("code", "title_zh", "title_en", "place"), title=_("Title, number or place")),
            Choice("sector", main=True),
            Choice("state", main=True),
            Flag("is_online"),
            Dates("starts_at"),
            Cases(
                "when",
                _("When"),
                cases={
                    "soon": Case(_("within 30 days"), lambda a: Q(starts_at__range=(a.at, a.at + timedelta(days=30)))),
                    "today": Case(_("begins within a day or is under way"), lambda a: Q(state="UNDER_WAY") | Q(state="OPEN", starts_at__lte=a.at + timedelta(days=1))),
                },
            ),
        ),
        buttons=(Button(_("Announce a training"), "training-new", KEEP),),
        order=60,
        icon="school",
    )
)  # fmt: skip


def _doings(request: HttpRequest, training: Any) -> dict[str, Any]:
    """What the reader may do with the training now, and his own people in it."""
    actor = request.actor  # type: ignore[attr-defined]
    if request.GET.get("tab"):
        return {}
    own = SignUp.objects.none()
    if actor.may(JOIN):
        own = SignUp.objects.filter(training=training).exclude(state=SignUpState.WITHDRAWN).order_by("signed_up_at")
    with widened(EVERYTHING):
        questions = Question.objects.filter(training=training).count()
    certificates = dict(Certificate.objects.filter(sign_up__in=own).values_list("sign_up", "pk"))
    return {
        "own": [(each, certificates.get(each.pk)) for each in own],
        "questions": questions,
        "may_keep": actor.may(KEEP),
        "may_join": actor.may(JOIN)
        and training.state in (TrainingState.OPEN, TrainingState.UNDER_WAY)
        and training.taken < training.capacity,
        "moves": list(TRAINING.open_from(training.state)) if actor.may(KEEP) else [],
        "is_full": training.taken >= training.capacity,
    }


detail_screen(
    DetailScreen(
        name="training",
        path="library/trainings/<uuid:pk>/",
        title=_("Training"),
        model=Training,
        permission=SEE,
        named=(),
        state=STATE,
        of_list="trainings",
        template="library/training.html",
        extra=_doings,
        sections=(
            Section(
                _("The training"),
                (
                    "starts_at",
                    "ends_at",
                    "place",
                    "is_online",
                    "sector",
                    "host",
                    "trainer",
                    "capacity",
                    "taken",
                    LEFT,
                    Column("code", kind=Kind.CODE),
                ),
            ),
        ),
    )
)


_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class TrainingForm(Form):
    code = forms.RegexField(
        r"^[A-Z0-9-]{3,20}$",
        label=_("Training no."),
        help_text=_("Capital letters, digits and dashes; certificates begin with it."),
    )
    title_zh = forms.CharField(label=_("Title (Chinese)"), max_length=120)
    title_en = forms.CharField(label=_("Title (English)"), max_length=160)
    sector = forms.ChoiceField(label=_("Sector"), choices=[("", _("all sectors")), *Sector.choices], required=False)
    trainer = forms.CharField(label=_("Trainer"), max_length=60, required=False)
    starts_at = forms.DateTimeField(label=_("Starts at"), widget=_MOMENT, help_text=_("Beijing time."))
    ends_at = forms.DateTimeField(label=_("Ends at"), widget=_MOMENT)
    is_online = forms.BooleanField(label=_("Online"), required=False)
    place = forms.CharField(label=_("Place"), max_length=120, help_text=_("For an online training: how to join it."))
    capacity = forms.IntegerField(label=_("Seats"), min_value=1, max_value=100_000)


@page(
    "library/trainings/new/",
    name="training-new",
    title=_("Announce a training"),
    permission=KEEP,
    methods=("GET", "POST"),
)
def new_training(request: HttpRequest) -> HttpResponse:
    form = TrainingForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given, actor = dict(form.cleaned_data), request.actor  # type: ignore[attr-defined]
        host = (
            Organisation.objects.filter(pk=actor.organisation_id).first()
            or Organisation.objects.filter(kind=OrganisationKind.COMMITTEE).first()
        )
        try:
            made = announce_training(given.pop("code"), by=actor, at=request.at, host=host, fields=given)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("training", made.pk)
    return form_page(request, form, _("Announce a training"), _("Announce"), "trainings")


def _training(pk: UUID) -> Training:
    found = Training.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page(
    "library/trainings/<uuid:pk>/edit/",
    name="training-edit",
    title=_("Change the training"),
    permission=KEEP,
    methods=("GET", "POST"),
)
def edit_training(request: HttpRequest, pk: UUID) -> HttpResponse:
    training = _training(pk)
    fields = [name for name in TrainingForm.base_fields if name != "code"]
    form = TrainingForm(
        request.POST if request.method == "POST" else None, initial={name: getattr(training, name) for name in fields}
    )
    del form.fields["code"]
    if form.is_bound and form.is_valid():
        try:
            change_training(training, by=request.actor, at=request.at, fields=form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("training", pk)
    return form_page(request, form, _("Change the training"), _("Save"), "training", pk)


@page("library/trainings/<uuid:pk>/move/", name="training-move", permission=KEEP, methods=("POST",))
def training_move(request: HttpRequest, pk: UUID) -> HttpResponse:
    name = request.POST.get("name", "")
    if name not in {each.name for each in TRAINING.transitions}:
        raise Refused("no_such_step", _("There is no such step."), remedy=_("Use the buttons of the page."))
    move_training(_training(pk), by=request.actor, at=request.at, name=name)  # type: ignore[attr-defined]
    return redirect("training", pk)


class QuestionsForm(Form):
    text = forms.CharField(label=_("Questions"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 18}))


_MISREAD = {
    "options": _("Line %(line)s: the question needs two to six options."),
    "right": _("Line %(line)s: exactly one option is marked with a star as the right one."),
    "languages": _("Line %(line)s: Chinese and English are needed, with a bar between them."),
}


@page(
    "library/trainings/<uuid:pk>/questions/",
    name="training-questions",
    title=_("Questions of the test"),
    permission=KEEP,
    methods=("GET", "POST"),
)
def training_questions(request: HttpRequest, pk: UUID) -> HttpResponse:
    training = _training(pk)
    initial = {"text": write_questions(Question.objects.filter(training=training).order_by("seq"))}
    form = QuestionsForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            found = read_questions(form.cleaned_data["text"])
            set_questions(training, by=request.actor, at=request.at, questions=found)  # type: ignore[attr-defined]
        except Misread as problem:
            form.add_error("text", str(_MISREAD[problem.problem]) % {"line": problem.line})
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("training", pk)
    about = _(
        "One question: a line with the question, a line for each option, an empty line after it. The right option begins with *. Each line has Chinese and English with a bar between, such as: 是 | yes."
    )
    return form_page(request, form, _("Questions of the test"), _("Save"), "training", pk, about=about)


# sign-ups -----------------------------------------------------------------------------------------------------

SIGN_UP_STATE = Column("state", tones={"SIGNED_UP": "info", "PRESENT": "success", "WITHDRAWN": ""})
TRAINING_TITLE = Column("training", opens="training")


def _titles() -> Iterator[tuple[Any, str]]:
    for key, chinese, english in Training.objects.values_list("pk", "title_zh", "title_en"):
        yield key, chinese if is_chinese() or not english else english


directory(Training, _titles)

SIGN_UPS = list_screen(
    ListScreen(
        name="sign-ups",
        path="library/sign-ups/",
        title=_("Sign-ups"),
        about=_("Who signed up for which training, was there, and passed the test; of your own organisation or area."),
        model=SignUp,
        permission=SEE,
        detail="sign-up",
        sort="-signed_up_at",
        columns=(
            Column("attendee"),
            Column("organisation_name"),
            TRAINING_TITLE,
            SIGN_UP_STATE,
            Column("score"),
            Column("signed_up_at"),
            Column("present_at", optional=True),
            Column("passed_at", optional=True),
            Column("sector", optional=True),
            Column("region_code", optional=True),
        ),
        filters=(
            Search(own=("attendee",), inside=("attendee", "organisation_name"), title=_("Name or organisation")),
            Choice("state", main=True),
            InRegion(main=False),
            Choice("sector"),
            Cases(
                "next",
                _("What comes next"),
                cases={
                    "attend": Case(_("the training is still to come"), lambda a: Q(state="SIGNED_UP", training__state__in=("OPEN", "UNDER_WAY"))),
                    "test": Case(_("the test is still to be passed"), lambda a: Q(state="PRESENT", passed_at__isnull=True, training__state="UNDER_WAY")),
                },
            ),
        ),
        tab_of={"training": "training"},
        order=70,
        icon="user-check",
    )
)  # fmt: skip

detail_screen(
    DetailScreen(
        name="sign-up",
        path="library/sign-ups/<uuid:pk>/",
        title=_("Sign-up"),
        model=SignUp,
        permission=SEE,
        named=("attendee",),
        state=SIGN_UP_STATE,
        of_list="sign-ups",
        template="library/sign_up.html",
        sections=(
            Section(
                _("Sign-up"),
                (
                    TRAINING_TITLE,
                    "attendee",
                    "organisation_name",
                    "region_code",
                    "sector",
                    "signed_up_at",
                    "present_at",
                    "attempts",
                    "score",
                    "passed_at",
                ),
            ),
        ),
    )
)


class SignUpForm(Form):
    attendee = forms.CharField(
        label=_("Name of the attendee"), max_length=60, help_text=_("As it shall stand on the certificate.")
    )


@page(
    "library/trainings/<uuid:pk>/sign-up/",
    name="training-sign-up",
    title=_("Sign up"),
    permission=JOIN,
    methods=("GET", "POST"),
)
def training_sign_up(request: HttpRequest, pk: UUID) -> HttpResponse:
    training, actor = _training(pk), request.actor  # type: ignore[attr-defined]
    form = SignUpForm(request.POST if request.method == "POST" else None, initial={"attendee": actor.name})
    if form.is_bound and form.is_valid():
        try:
            made = sign_up(training, by=actor, at=request.at, attendee=form.cleaned_data["attendee"])  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("%(name)s has a seat.") % {"name": made.attendee})
            return redirect("training", pk)
    return form_page(request, form, _("Sign up"), _("Take a seat"), "training", pk, about=training.title)


def _own_sign_up(pk: UUID) -> SignUp:
    found = SignUp.objects.filter(pk=pk).select_related("training").first()
    if found is None:
        raise Http404
    return found


@page("library/sign-ups/<uuid:pk>/withdraw/", name="sign-up-withdraw", permission=JOIN, methods=("POST",))
def sign_up_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = withdraw_sign_up(_own_sign_up(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The seat of %(name)s is given back.") % {"name": row.attendee})
    return redirect("training", row.training_id)


# being there --------------------------------------------------------------------------------------------------


@page("library/trainings/<uuid:pk>/code/", name="training-code", title=_("Attendance code"), permission=KEEP)
def training_code(request: HttpRequest, pk: UUID) -> HttpResponse:
    """For the trainer's screen: a code that changes, so that a photo of it is soon worth nothing."""
    training = _training(pk)
    seconds = int(parameter("training.code_seconds", beijing_day(request.at)))  # type: ignore[attr-defined]
    address = request.build_absolute_uri(reverse("attend", args=[attendance_code(training, request.at)]))  # type: ignore[attr-defined]
    words = {
        "training": training,
        "picture": qr_uri(address, scale=10),
        "address": address,
        "every": max(5, seconds // 3),
        "present": SignUp.objects.filter(training=training, state=SignUpState.PRESENT).count(),
        "under_way": training.state == TrainingState.UNDER_WAY,
    }
    template = "library/code_picture.html" if is_fragment(request) else "library/code.html"
    return render(request, template, words)


class AttendForm(Form):
    who = forms.ChoiceField(label=_("Who is here?"), widget=forms.RadioSelect)
    attendee = forms.CharField(label=_("Name, if not in the list"), max_length=60, required=False)
    pass_on = forms.CharField(widget=forms.HiddenInput)


@page("library/attend/<str:code>/", name="attend", title=_("Attendance"), permission=JOIN, methods=("GET", "POST"))
def attend_page(request: HttpRequest, code: str) -> HttpResponse:
    """Where the code on the screen leads: one tap says “I am here”.

    The tap may come minutes after the scan; the page carries a code made when it was opened, good for as long.
    """
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    training = read_code(request.POST.get("pass_on", "") if request.method == "POST" else code, at)
    rows = list(SignUp.objects.filter(training=training).exclude(state=SignUpState.WITHDRAWN).order_by("signed_up_at"))
    waiting_rows = [each for each in rows if each.state == SignUpState.SIGNED_UP]
    own = next(
        (each for each in waiting_rows if each.attendee == actor.name), waiting_rows[0] if waiting_rows else None
    )
    form = AttendForm(
        request.POST if request.method == "POST" else None,
        initial={"who": str(own.pk) if own else "new", "attendee": "" if own else actor.name,
                 "pass_on": attendance_code(training, at)},
    )  # fmt: skip
    people = [(str(each.pk), each.attendee) for each in waiting_rows]
    form.fields["who"].choices = [*people, ("new", _("somebody who has not signed up"))]  # type: ignore[attr-defined]
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        row = next((each for each in waiting_rows if str(each.pk) == given["who"]), None)
        try:
            row = attend(training, by=actor, at=at, attendee=given["attendee"], row=row)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("%(name)s is marked as present.") % {"name": row.attendee})
            return redirect("training", training.pk)
    words = {"training": training, "form": form, "present": [r for r in rows if r.state == SignUpState.PRESENT]}
    return render(request, "library/attend.html", words, status=422 if form.is_bound else 200)


# the test -----------------------------------------------------------------------------------------------------


@page(
    "library/sign-ups/<uuid:pk>/test/",
    name="sign-up-test",
    title=_("Short test"),
    permission=JOIN,
    methods=("GET", "POST"),
)
def sign_up_test(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, problem = _own_sign_up(pk), None
    given = [(name.removeprefix("question-"), str(value)) for name, value in request.POST.items()]
    chosen = {int(seq): int(value) for seq, value in given if seq.isdecimal() and value.isdecimal()}
    if request.method == "POST":
        try:
            row = take_test(row, by=request.actor, at=request.at, answers=chosen)  # type: ignore[attr-defined]
        except Refused as refused:
            problem = refused
        else:
            if row.passed_at:
                messages.success(
                    request, _now("Passed with %(points)s points. The certificate is ready.") % {"points": row.score}
                )
            else:
                messages.warning(
                    request,
                    ngettext("%(points)s point: not passed yet.", "%(points)s points: not passed yet.", row.score or 0)
                    % {"points": row.score},
                )
            return redirect("sign-up", pk)
    with widened(EVERYTHING):
        questions = list(Question.objects.filter(training=row.training_id).order_by("seq"))
    shown = [
        (
            each.seq,
            each.text,
            [(n, zh if is_chinese() else en, chosen.get(each.seq) == n) for n, (zh, en) in enumerate(each.options)],
        )
        for each in questions
    ]
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    words = {
        "row": row, "questions": shown, "problem": problem, "pass_mark": int(parameter("training.pass_mark", today)),
        "left": int(parameter("training.test_attempts", today)) - row.attempts,
    }  # fmt: skip
    return render(request, "library/test.html", words, status=422 if problem else 200)


# home and search ----------------------------------------------------------------------------------------------

waiting(
    SIGN_UPS,
    "trainings-to-attend",
    _("Trainings you signed up for"),
    why=_("Whoever does not come can give the seat back."),
    order=61,
    permission=JOIN,
    next="attend",
)
waiting(
    SIGN_UPS,
    "tests-to-pass",
    _("Tests still to be passed"),
    why=_("The certificate comes with the passed test."),
    tone="warning",
    order=62,
    permission=JOIN,
    next="test",
)
waiting(
    TRAININGS,
    "trainings-to-hold",
    _("Trainings to start or under way"),
    why=_("Start them so that people can be marked as present; finish them for the certificates."),
    tone="warning",
    order=63,
    permission=KEEP,
    when="today",
)


def find_trainings(words: str, limit: int) -> list[Hit]:
    rows = Training.objects.filter(Q(title_zh__contains=words) | Q(title_en__icontains=words) | Q(code=words.upper()))
    return [Hit(each.title, each.code, reverse("training", args=[each.pk])) for each in rows[:limit]]


search(SearchAnswer("trainings", _("Trainings"), SEE, find_trainings, order=85))
