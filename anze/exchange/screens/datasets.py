"""The exchange at a glance, and the data dictionary."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.exchange.actions.keys import PARTNER_KINDS
from anze.exchange.feed import Feed, Field, Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, RejectedRow
from anze.exchange.rules import FINDINGS, BatchState
from anze.exchange.screens.batches import STATE_TONES
from anze.exchange.screens.clocks import end_of_next_workday
from anze.exchange.screens.uploading import feed_named
from anze.exchange.senders import feeds_of, sender_of
from anze.kernel.database import policies_of
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.screen.registry import page

LATELY = timedelta(days=30)


def reads_batches(request: HttpRequest) -> bool:
    """Whether the reader's scope reaches batches at all; a sector department's does not."""
    return request.actor.scope.reader in policies_of(Batch)  # type: ignore[attr-defined]


@page(
    "exchange/",
    name="exchange",
    title=_("Overview"),
    permission=Permission.SEE_EXCHANGE,
    in_menu=True,
    order=10,
    icon="database-import",
)
def overview(request: HttpRequest) -> HttpResponse:
    """Each dataset with its ways in and its last message; for senders, what waits for them."""
    sender = sender_of(request.actor)  # type: ignore[attr-defined]
    words: dict[str, Any] = {"sender": sender, "reads_batches": reads_batches(request), "clock": None}
    last: dict[str, dict[str, Any]] = {}
    if words["reads_batches"]:
        last = _lately(request, sender)
        if sender is not None:
            words["clock"] = _clock(request, sender)
    shown = feeds_of(sender) or list(FEEDS.values())
    words["datasets"] = [(feed, last.get(feed.name)) for feed in shown]
    words["tones"] = STATE_TONES
    return render(request, "exchange/overview.html", words)


def last_messages(senders: Iterable[UUID]) -> dict[tuple[UUID, str], datetime]:
    """(sender, dataset) → when the last message of it was published; one step into an index for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, f.name, b.received_at FROM unnest(%s::uuid[]) AS s(id) "
            "CROSS JOIN unnest(%s::text[]) AS f(name) CROSS JOIN LATERAL (SELECT received_at FROM exchange_batch "
            "WHERE sender_id = s.id AND feed = f.name AND state = 'DONE' ORDER BY received_at DESC LIMIT 1) b",
            [list(senders), list(FEEDS)],
        )
        return {(sender, feed): last for sender, feed, last in cursor.fetchall()}


def partner_ids() -> list[UUID]:
    return list(Organisation.objects.filter(kind__in=PARTNER_KINDS).values_list("pk", flat=True))


def _lately(request: HttpRequest, sender: Organisation | None) -> dict[str, dict[str, Any]]:
    """Dataset → last message and the last 30 days' volume, as far as the reader sees."""
    at = request.at  # type: ignore[attr-defined]
    found: dict[str, dict[str, Any]] = {}
    for (_sender, feed), last in last_messages([sender.pk] if sender else partner_ids()).items():
        known = found.setdefault(feed, {"last": last, "rows_": 0, "rejected_": 0})
        known["last"] = max(known["last"], last)
    recent = Batch.objects.filter(state=BatchState.DONE, received_at__gte=at - LATELY)
    if sender is not None:
        recent = recent.filter(sender=sender)
    for row in recent.values("feed").annotate(rows_=Sum("rows"), rejected_=Sum("rejected")):
        found.setdefault(row["feed"], {"last": None}).update(row)
    return found


def _clock(request: HttpRequest, sender: Any) -> dict[str, int]:
    at = request.at  # type: ignore[attr-defined]
    end = end_of_next_workday(at)
    found = RejectedRow.objects.filter(sender=sender).aggregate(
        open=Count("id"),
        next=Count("id", filter=Q(report_due_at__gte=at, report_due_at__lte=end)),
        overdue=Count("id", filter=Q(report_due_at__lt=at)),
    )
    states = Batch.objects.filter(sender=sender).aggregate(
        confirm=Count("id", filter=Q(state=BatchState.CHECKED)),
        under_way=Count("id", filter=Q(state__in=(BatchState.RECEIVED, BatchState.CHECKING))),
        failed=Count("id", filter=Q(state=BatchState.FAILED, received_at__gte=at - LATELY)),
    )
    return found | states


# the data dictionary --------------------------------------------------------------------------------------

KINDS = {
    Kind.TEXT: _("text"),
    Kind.CODE: _("code"),
    Kind.CODES: _("several codes"),
    Kind.INTEGER: _("whole number"),
    Kind.DECIMAL: _("decimal number"),
    Kind.DATE: _("date"),
    Kind.MOMENT: _("date and time"),
    Kind.BOOL: _("yes or no"),
    Kind.USCC: _("credit code"),
    Kind.ROWS: _("lines"),
    Kind.LIST: _("list"),
}


def limits_of(each: Field) -> str:
    """What restricts a field's values, in words."""
    if each.kind is Kind.TEXT:
        return _now("at most %(limit)s characters") % {"limit": each.max_length}
    if each.kind is Kind.DECIMAL:
        parts = [ngettext("%(places)s decimal", "%(places)s decimals", each.places) % {"places": each.places}]
    elif each.kind is Kind.INTEGER:
        parts = []
    elif each.kind is Kind.USCC:
        return _now("18 characters, GB 32100-2015")
    else:
        return ""
    if each.minimum is not None:
        parts.append(_now("at least %(number)s") % {"number": f"{each.minimum:,}"})
    if each.maximum is not None:
        parts.append(_now("at most %(number)s") % {"number": f"{each.maximum:,}"})
    return ", ".join(parts)


def described(fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "title": capfirst(str(each.title)),
            "kind": str(KINDS[each.kind]),
            "required": each.required,
            "note": str(each.note),
            "limits": limits_of(each),
            "codes": each.codes.choices if each.codes else (),
            "example": next((value for value in each.example if value not in (None, "", [])), ""),
            "lines": described(each.of) if each.of else [],
        }
        for each in fields
    ]


def rules_of(feed: Feed) -> list[dict[str, str]]:
    """The checks of a dataset: references, then its own rules, each with what to do."""
    made = []
    for reference in (*feed.references, *(r for lines in feed.lines for r in lines.references)):
        for code in filter(None, (reference.missing, reference.foreign)):
            message, remedy = FINDINGS[code]
            made.append(_rule(code, reference.field, str(message), str(remedy)))
    for check in feed.all_checks:
        made.append(_rule(check.code, check.field, str(check.message), str(check.remedy)))
    return list({(rule["code"], rule["field"]): rule for rule in made}.values())


def _rule(code: str, field: str, message: str, remedy: str) -> dict[str, str]:
    return {"code": code, "field": field, "message": _open(message), "remedy": _open(remedy)}


def _open(text: str) -> str:
    """A sentence with its places for values shown as such."""
    return text.replace("%(", "‹").replace(")s", "›") if "%(" in text else text


@page(
    "exchange/dictionary/",
    name="dictionary",
    title=_("Data dictionary"),
    permission=Permission.SEE_EXCHANGE,
    in_menu=True,
    order=60,
    icon="book",
)
def dictionary(request: HttpRequest) -> HttpResponse:
    """All datasets, and what may be said about any row of them."""
    general = [_rule(code, "", str(message), str(remedy)) for code, (message, remedy) in FINDINGS.items()]
    return render(request, "exchange/dictionary.html", {"feeds": list(FEEDS.values()), "general": general})


@page(
    "exchange/dictionary/<str:name>/",
    name="dictionary-of",
    title=_("Data dictionary"),
    permission=Permission.SEE_EXCHANGE,
)
def dictionary_of(request: HttpRequest, name: str) -> HttpResponse:
    """One dataset: its fields, code lists, rules and an example, as machines and people must send it."""
    feed = feed_named(name)
    sender = sender_of(request.actor)  # type: ignore[attr-defined]
    return render(
        request,
        "exchange/dictionary_of.html",
        {
            "feed": feed,
            "fields": described(feed.fields),
            "rules": rules_of(feed),
            "example": [json.dumps(row, ensure_ascii=False, indent=2) for row in feed.example_rows()],
            "may_send": feed in feeds_of(sender),
            "field_titles": {each.name: capfirst(str(each.title)) for each in feed.fields},
        },
    )
