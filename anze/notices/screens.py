"""Notices: what one was told, what one wants to be told, and where an organisation's systems are told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.actor import Actor
from anze.kernel.alert import AlertLevel
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.notices.actions import add_hook, keep_wishes, mark_read, remove_hook
from anze.notices.models import Hook, Notice, Preference
from anze.notices.rules import HookKind, NoticeState, Way
from anze.parties.models import Account, Organisation
from anze.parties.rules import Permission
from anze.screen.forms import Form
from anze.screen.registry import WorkList, page, work_list

SHOWN = 100


def _mine(request: HttpRequest) -> Any:
    account = request.actor.account_id  # type: ignore[attr-defined]
    return Notice.objects.filter(account_id=account, way=Way.IN_APP)


def _unread(request: HttpRequest) -> int:
    with widened(EVERYTHING):
        return int(_mine(request).filter(read_at__isnull=True).count())


work_list(
    WorkList(
        name="notices-unread",
        title=_("New notices"),
        why=_("What you asked to be told at once."),
        tone="info",
        order=90,
        permission=Permission.HANDLE_ALERTS,
        count=_unread,
        url=lambda request: reverse("notices"),
    )
)


@page("notices/", name="notices", title=_("Notices"), permission=Permission.HANDLE_ALERTS, room="web", in_menu=True,
      order=20, icon="bell-ringing")  # fmt: skip
def inbox(request: HttpRequest) -> HttpResponse:
    """What one was told, newest first."""
    with widened(EVERYTHING):
        found = list(_mine(request).order_by("-made_at")[:SHOWN])
    return render(request, "notices/inbox.html", {"notices": found, "unread": any(not each.read_at for each in found)})


@page("notices/read/", name="notices-read", permission=Permission.HANDLE_ALERTS, room="web", methods=("POST",))
def read(request: HttpRequest) -> HttpResponse:
    account = request.actor.account_id  # type: ignore[attr-defined]
    if account:
        mark_read(account, request.at)  # type: ignore[attr-defined]
    return redirect("notices")


class WishForm(Form):
    least = forms.ChoiceField(label=_("Tell me at once of"), required=False)
    by_email = forms.BooleanField(label=_("also by e-mail"), required=False)
    by_sms = forms.BooleanField(label=_("also by text message"), required=False)
    quiet_from = forms.TimeField(label=_("Quiet from"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    quiet_to = forms.TimeField(
        label=_("Quiet until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text=_("Within these hours no e-mail and no text message goes out; they follow afterwards."),
    )
    digest_at = forms.TimeField(
        label=_("Daily summary at"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text=_("One message a day with what is open. Empty: none."),
    )


@page("notices/wishes/", name="notices-wishes", title=_("What I want to be told"), permission=Permission.HANDLE_ALERTS,
      room="web", methods=("GET", "POST"))  # fmt: skip
def wishes(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.account_id is None:
        raise Http404
    with widened(EVERYTHING):
        account = Account.objects.get(pk=str(actor.account_id))
        wish = Preference.objects.filter(account=account).first()
    initial = (
        {name: getattr(wish, name) for name in WishForm.base_fields} if wish else {"least": AlertLevel.URGENT.value}
    )
    form = WishForm(request.POST if request.method == "POST" else None, initial=initial)
    form.fields["least"].choices = [  # type: ignore[attr-defined]
        (AlertLevel.URGENT.value, _now("urgent alerts")),
        (AlertLevel.IMPORTANT.value, _now("urgent and important alerts")),
        (AlertLevel.GENERAL.value, _now("every alert")),
        ("", _now("nothing; I look at my work list")),
    ]
    if not account.email or not settings.EMAIL_IS_SET:
        form.fields["by_email"].help_text = _("Not possible yet: no address is on file, or no mail server is set up.")
    if not account.phone or not settings.SMS_PROVIDER:
        form.fields["by_sms"].help_text = _("Not possible yet: no phone is on file, or no provider is set up.")
    if form.is_bound and form.is_valid():
        try:
            keep_wishes(account, by=actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("Your wishes are kept."))
            return redirect("notices-wishes")
    status = 422 if form.is_bound and form.errors else 200
    language = dict(settings.LANGUAGES).get(account.language, account.language)
    words = {"form": form, "account": account, "language": language}
    return render(request, "notices/wishes.html", words, status=status)


def _own_organisation(actor: Actor) -> Organisation | None:
    return Organisation.objects.filter(pk=actor.organisation_id).first() if actor.organisation_id else None


class HookForm(Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=HookKind.choices)
    url = forms.CharField(label=_("Address"), max_length=500, help_text=_("https://… of your system or robot."))
    least = forms.ChoiceField(
        label=_("Told of"),
        choices=[
            (AlertLevel.URGENT.value, _("urgent alerts")),
            (AlertLevel.IMPORTANT.value, _("urgent and important alerts")),
            (AlertLevel.GENERAL.value, _("every alert")),
        ],
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE)
    secret = forms.CharField(
        label=_("Secret of the robot"),
        max_length=200,
        required=False,
        help_text=_("DingTalk only, if the robot signs. A signed webhook gets its secret from us."),
    )


@page("notices/hooks/", name="hooks", title=_("Webhooks"), permission=Permission.MANAGE_HOOKS, room="web",
      methods=("GET", "POST"), in_menu=True, order=21, icon="webhook")  # fmt: skip
def hooks(request: HttpRequest) -> HttpResponse:
    """Where the organisation's systems are told, how that goes, and a new one. Its secret is shown once."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = HookForm(request.POST if request.method == "POST" else None)
    secret = ""
    organisation = _own_organisation(actor)
    if form.is_bound and form.is_valid() and organisation:
        given = dict(form.cleaned_data)
        given |= {"secret": given["secret"].encode(), "address": given.pop("url").encode()}
        try:
            _hook, secret = add_hook(organisation, by=actor, at=request.at, **given)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The address is told from now on."))
            if not secret or given["secret"]:
                return redirect("hooks")
            form = HookForm()
    with widened(EVERYTHING):
        found = [
            {
                "hook": hook,
                "language": dict(settings.LANGUAGES).get(hook.language, hook.language),
                "last": list(Notice.objects.filter(hook=hook).order_by("-made_at")[:5]),
                "waiting": Notice.objects.filter(hook=hook, state=NoticeState.WAITING).count(),
            }
            for hook in Hook.objects.filter(organisation=organisation).order_by("made_at")[:20]
        ]
    words = {"form": form, "hooks": found, "secret": secret, "organisation": organisation}
    return render(request, "notices/hooks.html", words, status=422 if form.is_bound and form.errors else 200)


@page("notices/hooks/<uuid:pk>/remove/", name="hooks-remove", permission=Permission.MANAGE_HOOKS, room="web",
      methods=("POST",))  # fmt: skip
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    organisation = _own_organisation(actor)
    if organisation:
        remove_hook(organisation, by=actor, at=request.at, hook=pk)  # type: ignore[attr-defined]
        messages.success(request, _now("The address is told no more."))
    return redirect("hooks")
