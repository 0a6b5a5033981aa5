"""Signing in and out, the second factor, one's roles, password and language. Every step is an audit event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_otp import login as otp_login
from django_otp.plugins.otp_totp.models import TOTPDevice

from anze.kernel.actor import Actor
from anze.kernel.audit import record
from anze.parties.access import actor_for
from anze.parties.models import Account, Membership
from anze.screen.forms import Form
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri
from anze.web.middleware import address_of, identify

PENDING = timedelta(minutes=5)  # between the password and the second factor


class SignInForm(Form):
    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()


class CodeForm(Form):
    code = forms.CharField(
        label=_("Six-digit code"),
        max_length=7,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
                "class": "form-control-lg",
            }
        ),
        help_text=_("It changes every 30 seconds in the authenticator app on your phone."),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).replace(" ", "")


class PresentPassword(Form):
    """What changes how somebody signs in asks for his password, so that a left-open screen changes nothing."""

    present = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, account: Account, *positional: Any, **words: Any) -> None:
        self.account = account
        super().__init__(*positional, **words)

    def clean_present(self) -> str:
        given: str = self.cleaned_data["present"]
        if not self.account.check_password(given):
            raise ValidationError(_("This is not your present password. Type it again."))
        return given


class SecondFactorForm(CodeForm, PresentPassword):
    field_order = ("present", "code")

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        # one begins with what stands first
        self.fields["present"].widget.attrs["autofocus"] = self.fields["code"].widget.attrs.pop("autofocus")


class PasswordForm(PresentPassword):
    fresh = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        fresh, again = given.get("fresh"), given.get("again")
        if fresh and again and fresh != again:
            self.add_error("again", _("The two do not agree. Type the new password twice the same way."))
        elif fresh:
            if fresh == given.get("present"):
                self.add_error("fresh", _("This is the old password. Choose another one."))
            try:
                validate_password(fresh, self.account)
            except ValidationError as problem:
                self.add_error("fresh", problem)
        return given


def after_sign_in(request: HttpRequest) -> str:
    """Where somebody wanted to go, if that is on this site; else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("home")


def somebody(request: HttpRequest, account: Account) -> Actor:
    """An account outside a session of its own, for the audit trail: in the scope of its first role."""
    membership = (
        Membership.objects.filter(account=account, is_active=True)
        .select_related("organisation", "organisation__parent", "region", "expert")
        .order_by("id")
        .first()
    )
    if membership is None:
        return Actor(name=account.name, account_id=account.pk, address=address_of(request))
    membership.account = account
    return actor_for(membership, address_of(request))


@page("sign-in/", name="sign-in", title=_("Sign in"), methods=("GET", "POST"), is_open=True)
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated and request.method != "POST":
        return redirect(after_sign_in(request))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = authenticate(request, **form.cleaned_data)
        if account is not None:
            assert isinstance(account, Account)
            if TOTPDevice.objects.filter(user=account, confirmed=True).exists():
                request.session["pending"] = {
                    "account": str(account.pk),
                    "backend": account.backend,  # type: ignore[attr-defined]
                    "at": timezone.now().timestamp(),
                }
                query = f"?next={after_sign_in(request)}" if after_sign_in(request) != reverse("home") else ""
                return HttpResponseRedirect(reverse("sign-in-code") + query)
            return _signed_in(request, account)
        _failed_sign_in(request, form.cleaned_data["username"])
        form.add_error(
            None,
            _("User name and password do not fit together. Check both; after five failures the sign-in is "
              "locked for fifteen minutes."),
        )  # fmt: skip
    status = 200 if request.method == "GET" else 422
    return render(request, "web/sign_in.html", {"form": form, "next": after_sign_in(request)}, status=status)


@page("sign-in/code/", name="sign-in-code", title=_("Second factor"), methods=("GET", "POST"), is_open=True)
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step for those who set up a second factor."""
    pending = request.session.get("pending") or {}
    if timezone.now().timestamp() - pending.get("at", 0) > PENDING.total_seconds():
        request.session.pop("pending", None)
        return redirect("sign-in")
    account = Account.objects.filter(pk=pending["account"], is_active=True).first()
    if account is None:
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = TOTPDevice.objects.filter(user=account, confirmed=True).first()
        if device is not None and device.verify_token(form.cleaned_data["code"]):
            account.backend = pending["backend"]  # type: ignore[attr-defined]
            return _signed_in(request, account, device)
        record(
            "sign_in.wrong_code",
            by=somebody(request, account),
            at=timezone.now(),
            details={"username": account.username},
        )
        form.add_error("code", _("The code is wrong or was used already. Wait for the next one and type that."))
    status = 200 if request.method == "GET" else 422
    return render(request, "web/sign_in_code.html", {"form": form, "next": after_sign_in(request)}, status=status)


def _signed_in(request: HttpRequest, account: Account, device: TOTPDevice | None = None) -> HttpResponse:
    login(request, account)
    if device is not None:
        otp_login(request, device)
    now = timezone.now()
    request.session.pop("pending", None)
    request.session["started"] = request.session["seen"] = now.timestamp()
    identify(request)
    record(
        "sign_in.done",
        by=request.actor,  # type: ignore[attr-defined]
        at=now,
        details={"username": account.username, "second_factor": device is not None},
    )
    response = HttpResponseRedirect(after_sign_in(request))
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        _keep_language(response, account.language)
    return response


def _failed_sign_in(request: HttpRequest, username: str) -> None:
    account = Account.objects.filter(username=username).first()
    by = somebody(request, account) if account else Actor(name=username[:120], address=address_of(request))
    record("sign_in.failed", by=by, at=timezone.now(), details={"username": username})


def locked_out(
    request: HttpRequest, original: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """Too many failures from one place for one account (django-axes asks for this answer)."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    return render(request, "web/locked_out.html", {"minutes": minutes}, status=429)


@page("sign-out/", name="sign-out", title=_("Sign out"), methods=("POST",), is_open=True)
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        record("sign_out.done", by=request.actor, at=timezone.now())  # type: ignore[attr-defined]
        logout(request)
    return redirect("sign-in")


@page("account/", name="account", title=_("My account"), is_personal=True)
def account_page(request: HttpRequest) -> HttpResponse:
    has_device = TOTPDevice.objects.filter(user=request.user, confirmed=True).exists()
    return render(request, "web/account.html", {"has_device": has_device})


@page("account/role/", name="role", title=_("Role"), methods=("POST",), is_personal=True)
def switch_role(request: HttpRequest) -> HttpResponse:
    memberships: list[Membership] = request.memberships  # type: ignore[attr-defined]
    chosen = next((each for each in memberships if str(each.pk) == request.POST.get("membership")), None)
    if chosen is not None:
        before = request.actor.role  # type: ignore[attr-defined]
        request.session["membership"] = str(chosen.pk)
        identify(request)
        record(
            "role.switched",
            by=request.actor,  # type: ignore[attr-defined]
            at=timezone.now(),
            details={"from": before, "to": chosen.role},
        )
    return redirect("home")


@page("account/password/", name="password", title=_("Password"), methods=("GET", "POST"), is_personal=True)
def change_password(request: HttpRequest) -> HttpResponse:
    account = Account.objects.get(pk=str(request.user.pk))
    form = PasswordForm(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        account.set_password(form.cleaned_data["fresh"])
        account.must_change_password = False
        account.save(update_fields=["password", "must_change_password"])
        update_session_auth_hash(request, account)
        record("password.changed", by=request.actor, at=timezone.now())  # type: ignore[attr-defined]
        messages.success(request, _now("Your password is changed. Other sessions of yours have ended."))
        return redirect("account")
    status = 200 if request.method == "GET" else 422
    words = {"form": form, "rules": password_validators_help_texts(), "must": account.must_change_password}
    return render(request, "web/password.html", words, status=status)


@page(
    "account/second-factor/",
    name="second-factor",
    title=_("Second factor"),
    methods=("GET", "POST"),
    is_personal=True,
)
def second_factor(request: HttpRequest) -> HttpResponse:
    """Set up or remove the authenticator app, and end what else is open. Both take the password and a code."""
    account = Account.objects.get(pk=str(request.user.pk))
    devices = TOTPDevice.objects.filter(user=account)
    if request.method == "GET":
        # a key that somebody read from a screen left open, and that was not set up, is good for nothing
        devices.filter(confirmed=False).delete()
    device = devices.order_by("-confirmed").first()
    if device is None:
        device = TOTPDevice.objects.create(user=account, name="app", confirmed=False)
    form = SecondFactorForm(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if device.verify_token(form.cleaned_data["code"]):
            was_confirmed = device.confirmed
            if was_confirmed:
                device.delete()
                messages.success(request, _now("The second factor is switched off."))
            else:
                device.confirmed = True
                device.save(update_fields=["confirmed"])
                otp_login(request, device)
                messages.success(request, _now("From now on signing in asks for a code from your phone."))
            # the same password written anew: sessions hang on what is written
            account.set_password(form.cleaned_data["present"])
            account.save(update_fields=["password"])
            update_session_auth_hash(request, account)
            record(
                "second_factor.removed" if was_confirmed else "second_factor.set_up",
                by=request.actor,  # type: ignore[attr-defined]
                at=timezone.now(),
            )
            return redirect("account")
        form.add_error("code", _("The code is wrong or was used already. Wait for the next one and type that."))
    picture = "" if device.confirmed else qr_uri(device.config_url)
    key = " ".join(_secret(device)[i : i + 4] for i in range(0, 32, 4))
    status = 200 if request.method == "GET" else 422
    words = {"form": form, "device": device, "picture": picture, "key": key}
    return render(request, "web/second_factor.html", words, status=status)


def _secret(device: TOTPDevice) -> str:
    from base64 import b32encode

    return b32encode(device.bin_key).decode()


@page("language/", name="language", title=_("Language"), methods=("POST",), is_open=True)
def switch_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    response = HttpResponseRedirect(after_sign_in(request))
    if language in dict(settings.LANGUAGES):
        translation.activate(language)
        if request.user.is_authenticated:
            Account.objects.filter(pk=request.user.pk).update(language=language)
        _keep_language(response, language)
    return response


def _keep_language(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )
