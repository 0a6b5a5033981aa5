"""Who is asking, in which language, and the one transaction in which his rows exist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode

from anze.kernel.actor import ANYBODY, Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import enter
from anze.parties.access import actor_for
from anze.screen.pages import is_fragment
from anze.screen.registry import PAGES, View
from anze.web import errors
from anze.web.sessions import memberships_of

Answer = Callable[[HttpRequest], HttpResponse]

IDLE = timedelta(hours=2)  # nothing asked for so long: sign in again
LONGEST = timedelta(hours=12)  # a sign-in never lasts longer
STEP = timedelta(minutes=5)  # how exactly the last request is remembered, so that reading writes nothing


class Language:
    """The reader's language: his own choice kept in a cookie, else Chinese."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.known = {code for code, _name in settings.LANGUAGES}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in self.known else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", "zh-CN" if language.startswith("zh") else language)
        return response


class ActorAndScope:
    """Sets `request.actor`, `request.at`, `request.page`, `request.membership`, `request.memberships` and, with a
    scope, `request.version` (see screen.kept).

    A page about rows runs in one transaction with the actor's scope entered, and is rendered inside it. Pages
    open to everybody, pages about the account itself and machines' endpoints run without a scope.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.at = timezone.now()  # type: ignore[attr-defined]
        request.actor = Actor(name="", address=address_of(request))  # type: ignore[attr-defined]
        request.page = None  # type: ignore[attr-defined]
        request.memberships = []  # type: ignore[attr-defined]
        request.membership = None  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.actor.account_id and "Cache-Control" not in response:  # type: ignore[attr-defined]
            # what one may see must not come out of a shared or an old cache
            response["Cache-Control"] = "private, no-cache"
        return response

    def process_view(
        self, request: HttpRequest, view: View, positional: tuple[Any, ...], words: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        page = PAGES.get(match.url_name) if match and match.url_name else None
        if page is None:
            return None
        request.page = page  # type: ignore[attr-defined]
        try:
            if page.is_interface:
                return _rendered(view(request, *positional, **words))
            identify(request)
            if page.is_open:
                return _rendered(view(request, *positional, **words))
            account = request.user
            if not account.is_authenticated:
                return to_sign_in(request)
            if account.must_change_password and not page.is_personal:
                return _go(request, reverse("password"))
            if page.is_personal:
                return _rendered(view(request, *positional, **words))
            actor: Actor = request.actor  # type: ignore[attr-defined]
            if not actor.is_known:
                return errors.without_role(request)
            with transaction.atomic():
                request.version = enter(actor.scope, by=actor.account_id)  # type: ignore[attr-defined]
                response = _rendered(view(request, *positional, **words))
                if response.status_code >= 500:
                    transaction.set_rollback(True)
            return response
        except Refused as refused:
            return errors.refused(request, refused)


def _rendered(response: HttpResponse) -> HttpResponse:
    """A lazily rendered page is rendered now: after the transaction it would see nothing."""
    render = getattr(response, "render", None)
    return render() if callable(render) else response


def address_of(request: HttpRequest) -> str:
    """The sender's network address. Behind proxies of ours, the one the outermost of them saw."""
    proxies: int = settings.PROXIES
    if proxies:
        passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
        if len(passed) >= proxies:
            return passed[-proxies][:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def identify(request: HttpRequest) -> None:
    """Find out who is signed in, in which of his roles, and whether his session still holds."""
    account = request.user
    if not account.is_authenticated:
        return
    if not _is_fresh(request):
        request.session.flush()
        from django.contrib.auth.models import AnonymousUser

        request.user = AnonymousUser()
        return
    memberships = memberships_of(account)
    request.memberships = memberships  # type: ignore[attr-defined]
    address = address_of(request)
    if not memberships:
        request.actor = Actor(  # type: ignore[attr-defined]
            name=account.name, account_id=account.pk, address=address, scope=ANYBODY.scope
        )
        return
    chosen = request.session.get("membership")
    active = next((each for each in memberships if str(each.pk) == chosen), memberships[0])
    active.account = account
    request.membership = active  # type: ignore[attr-defined]
    request.actor = actor_for(  # type: ignore[attr-defined]
        active,
        address,
        language=translation.get_language() or settings.LANGUAGE_CODE,
    )


def _is_fresh(request: HttpRequest) -> bool:
    session, now = request.session, timezone.now()
    started = _moment(session.get("started"))
    seen = _moment(session.get("seen"))
    if started is None or seen is None:
        session["started"] = session["seen"] = now.timestamp()
        return True
    if now - started > LONGEST or now - seen > IDLE:
        return False
    if now - seen > STEP:
        session["seen"] = now.timestamp()
    return True


def _moment(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, tz=timezone.get_current_timezone())


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and afterwards back to what was asked for."""
    if request.headers.get("Accept") == "application/json":
        return errors.signed_out(request)
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    if is_fragment(request):
        # the address of the page the fragment belongs to
        wanted = request.headers.get("HX-Current-URL", "")
        wanted = wanted.split(request.get_host(), 1)[-1] if request.get_host() in wanted else ""
    home = reverse("home")
    query = f"?{urlencode({'next': wanted})}" if wanted and wanted != home else ""
    return _go(request, reverse("sign-in") + query)


def _go(request: HttpRequest, where: str) -> HttpResponse:
    if is_fragment(request):
        return HttpResponse(headers={"HX-Redirect": where})
    return HttpResponse(status=302, headers={"Location": where})
