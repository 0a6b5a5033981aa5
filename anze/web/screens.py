"""The platform's own pages: home, sign-in and account, parameters, calendar, audit log."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from anze.monitoring.screens import five_cards
from anze.parties.rules import ROLES, Role
from anze.prevention.screens.tasks import TASKS
from anze.prevention.screens.topics import TOPICS
from anze.screen.asked import count_text
from anze.screen.details import DETAILS
from anze.screen.registry import SEARCHES, WORK_LISTS, page
from anze.web import accounts, keys, platform

__all__ = ["accounts", "keys", "platform"]

# where a role's part of the chain begins with something new: the first button of these that it has stands on its first page
BEGINS = (TOPICS, TASKS)
# what is late comes before what will be, and both before what is merely new
URGENCY = {"danger": 0, "warning": 1, "info": 2, "success": 3}


@page("", name="home", title=_("Home"), in_menu=True, order=0, icon="home")
def home(request: HttpRequest) -> HttpResponse:
    """The work list of the reader's role: what waits, how much of it, one click away; an enterprise's with its file."""
    actor = request.actor  # type: ignore[attr-defined]
    waiting: list[dict[str, Any]] = []
    quiet: list[dict[str, Any]] = []
    for work in sorted(WORK_LISTS, key=lambda each: (URGENCY.get(each.tone, len(URGENCY)), each.order, each.name)):
        if work.is_for(actor):
            number = work.count(request)
            card = {"work": work, "count": count_text(number), "url": work.url(request)}
            (waiting if number else quiet).append(card)
    buttons = (button for screen in BEGINS for button in screen.buttons)
    words = {
        "begin": next((button for button in buttons if actor.may(button.permission)), None),
        "waiting": waiting,
        "quiet": quiet,
        "welcome": ROLES[Role(actor.role)].welcome,
        "five": five_cards(request),
    }
    if actor.scope.enterprise_id:
        own = DETAILS["enterprise"]
        file = own.row(request, actor.scope.enterprise_id)
        words |= {"file": file, "tiles": [each for each in own.tiles(request, file) if each["url"]]}
    return render(request, "web/home.html", words)


@page("search/", name="search", title=_("Search"))
def search(request: HttpRequest) -> HttpResponse:
    """One box for the whole platform: credit codes, numbers of every kind, names."""
    words = request.GET.get("q", "").strip()[:80]
    found = []
    if words:
        for each in sorted(SEARCHES, key=lambda each: (each.order, each.name)):
            if request.actor.may(each.permission):  # type: ignore[attr-defined]
                hits = each.find(words, 10)
                if hits:
                    found.append((each, hits))
        only = found[0][1][0] if len(found) == 1 and len(found[0][1]) == 1 else None
        if only:
            return redirect(only.url)
    return render(request, "web/search.html", {"words": words, "found": found})
