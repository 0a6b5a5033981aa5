"""What is answered when something cannot be done: the field, the rule, the remedy; never a bare number."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.screen.pages import is_fragment


def refused(request: HttpRequest, problem: Refused) -> HttpResponse:
    """A rule said no. Machines get problem details (RFC 9457), people a page, a fragment a notice."""
    page = getattr(request, "page", None)
    if (page is not None and page.is_interface) or request.headers.get("Accept") == "application/json":
        return _problem(problem.code, problem.message, problem.remedy, problem.field, problem.status)
    return _answer(request, problem.status, problem.message, problem.remedy, problem.field)


def without_role(request: HttpRequest) -> HttpResponse:
    return _answer(
        request,
        403,
        _("Your account has no role at present."),
        _("Ask the administrator of your organisation to give you one."),
    )


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403, _("You may not open this."), _("Sign in with a role that includes it, or go back."))


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A page that does not exist, or a row outside the reader's scope: the two look the same on purpose."""
    from anze.web.middleware import identify

    if request.path.startswith("/api/"):
        return _problem("not_found", _("There is nothing at this address."), "", "", 404)
    if not request.actor.account_id and hasattr(request, "user"):  # type: ignore[attr-defined]
        identify(request)
    said = exception.args[0] if isinstance(exception, Http404) and exception.args else None
    words = said if isinstance(said, str) and not said.startswith("No ") else ""
    return _answer(
        request,
        404,
        words or _("There is nothing here, or it lies outside your area of responsibility."),
        _("Check the address, or start from the menu."),
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = _("The page was open too long, or cookies are switched off; nothing was changed.")
    remedy = _("Reload the page and try again.")
    if request.headers.get("Accept") == "application/json":
        return _problem("csrf_failed", message, remedy, "", 403)
    return _answer(request, 403, message, remedy)


def signed_out(request: HttpRequest) -> HttpResponse:
    """To a program of our own pages, which cannot follow to the sign-in page."""
    return _problem(
        "signed_out", _("You are not signed in any more."), _("Sign in again; nothing on the device is lost."), "", 401
    )


def failed(request: HttpRequest) -> HttpResponse:
    """Something broke on our side. The transaction was rolled back, so nothing half-written stays behind."""
    at = timezone.localtime(getattr(request, "at", timezone.now())).strftime("%Y-%m-%d %H:%M:%S")
    if request.path.startswith("/api/"):
        return _problem("server_failure", _("The server could not finish this and changed nothing."), at, "", 500)
    if not hasattr(request, "actor"):
        request.actor = Actor(name="")  # type: ignore[attr-defined]
    return _answer(
        request,
        500,
        _("The server could not finish this and changed nothing."),
        _("Try again in a moment. If it stays, tell the administrator this time: %(at)s.") % {"at": at},
    )


def _problem(code: str, message: str, remedy: str, field: str, status: int) -> HttpResponse:
    body: dict[str, Any] = {
        "type": f"urn:anze:problem:{code}",
        "title": message,
        "status": status,
        "detail": remedy or message,
    }
    if field:
        body["field"] = field
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type="application/problem+json")


def _answer(request: HttpRequest, status: int, message: str, remedy: str, field: str = "") -> HttpResponse:
    words = {"status": status, "message": message, "remedy": remedy, "field": field}
    if is_fragment(request):
        # the fragment stays as it is; the notice stands above it, or pops up
        response = render(request, "web/notice.html", words, status=status)
        response["HX-Retarget"] = "#page-notice"
        response["HX-Reswap"] = "innerHTML"
        response["X-Notice"] = quote(f"{message} {remedy}".strip())
        return response
    return render(request, "web/error.html", words, status=status)
