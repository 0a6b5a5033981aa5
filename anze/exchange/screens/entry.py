"""Entering and correcting single records."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.actions import deliver
from anze.exchange.decoding import FoundProblem, RowDecoder
from anze.exchange.entry import (
    Entry,
    blank_entry,
    blank_line,
    content_of,
    entry_of,
    read_entry,
    sent_unchanged,
    show_problems,
)
from anze.exchange.feed import MOST_LINES, Feed
from anze.exchange.models import Batch
from anze.exchange.rules import BatchState, Outcome
from anze.exchange.screens.clocks import detail_of
from anze.exchange.screens.proposals import content_of_proposal, proposal_of
from anze.exchange.screens.uploading import feed_named
from anze.exchange.senders import sending
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.screen.pages import is_fragment
from anze.screen.registry import page

NDJSON = "application/x-ndjson"


@page(
    "exchange/feeds/<str:name>/entry/",
    name="entry",
    title=_("Enter a record"),
    permission=Permission.ENTER_DATA,
    methods=("GET", "POST"),
)
def enter(request: HttpRequest, name: str) -> HttpResponse:
    """A form for one record; with `of`, of the record to be corrected. Saving is a new version of it."""
    feed = feed_named(name)
    sender = sending(request.actor, feed)  # type: ignore[attr-defined]
    row = _record(feed, sender, request.GET.get("of", ""))
    if request.method != "POST":
        if row is not None:
            entry = entry_of(feed, content_of(feed, row), locked=True)
            return _form(request, feed, entry, row, uuid4().hex)
        proposed = proposal_of(request, feed, sender)
        entry = blank_entry(feed) if proposed is None else entry_of(feed, content_of_proposal(proposed, request.at))  # type: ignore[attr-defined]
        return _form(request, feed, entry, row, uuid4().hex, proposed=proposed)
    entry, content, problems = read_entry(feed, request.POST)
    for typed in entry.fields:
        typed.locked = row is not None and typed.each.name in feed.key_fields
    if row is not None and getattr(row, "entered_at", None):
        content["entered_at"] = row.entered_at.isoformat()
    key = request.POST.get("key", "")[:60] or uuid4().hex
    if row is not None and not problems and sent_unchanged(feed, row, content):
        messages.info(request, _now("Nothing was changed: the record was on file just like this."))
        return _to_record(feed, row)
    if not problems:
        batch, found = save_record(request, feed, sender, content, key)
        if batch is not None:
            return _saved(request, feed, batch, row)
        problems = found
    else:
        # what can be read is judged too, so that everything wrong is told at once
        known = {problem.field for problem in problems}
        judged = RowDecoder(feed).read(1, content).problems
        problems += [problem for problem in judged if problem.field not in known]
    show_problems(entry, problems)
    return _form(request, feed, entry, row, key, status=422)


def _record(feed: Feed, sender: Organisation, given: str) -> Any:
    """The record to be corrected, if one is named: in the reader's scope and his own organisation's."""
    if not given:
        return None
    try:
        found = feed.model._default_manager.filter(pk=UUID(given)).first()
    except ValueError:
        found = None
    if found is None or (feed.of_insurer and getattr(found, "insurer_id", None) != sender.pk):
        raise Http404
    return found


def save_record(
    request: HttpRequest, feed: Feed, sender: Organisation, content: dict[str, Any], key: str
) -> tuple[Batch | None, list[FoundProblem]]:
    """Deliver the record as a batch of one row. What is refused leaves nothing behind."""
    body = json.dumps(content, ensure_ascii=False).encode()
    with transaction.atomic(), widened(EVERYTHING):
        savepoint = transaction.savepoint()
        batch, _is_new = deliver(
            sender,
            by=request.actor,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            rows=1,
            feed=feed,
            channel=Channel.WEB,
            body=body,
            content_type=NDJSON,
            # corrected and sent again, a form is another delivery; sent twice, the same
            idempotency_key=f"form {key} {hash_of(body)}",
        )
        if not batch.rejected:
            transaction.savepoint_commit(savepoint)
            return batch, []
        found = [FoundProblem(each.row, each.field, each.code, each.values) for each in batch.findings.order_by("id")]
        transaction.savepoint_rollback(savepoint)
    return None, found


def hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _saved(request: HttpRequest, feed: Feed, batch: Batch, known: Any) -> HttpResponse:
    if batch.state != BatchState.DONE:
        messages.info(request, _now("The record was received; it is published after a batch that came before it."))
        return redirect("batch", batch.pk)
    words = {
        Outcome.CREATED.value: _now("The record is on file."),
        Outcome.UPDATED.value: _now("The correction is on file as a new version."),
        Outcome.UNCHANGED.value: _now("Nothing was changed: the record was on file just like this."),
    }
    messages.success(request, words[batch.outcomes])
    row = feed.model._default_manager.filter(batch_id=batch.pk).first() or known
    return _to_record(feed, row) if row is not None else redirect("batch", batch.pk)


def _to_record(feed: Feed, row: Any) -> HttpResponse:
    detail = detail_of(feed)
    return redirect(detail, row.pk) if detail else redirect("exchange")


def _form(
    request: HttpRequest, feed: Feed, entry: Entry, row: Any, key: str, status: int = 200, proposed: Any = None
) -> HttpResponse:
    words = {"feed": feed, "entry": entry, "row": row, "key": key, "most": MOST_LINES, "proposed": proposed}
    return render(request, "exchange/entry.html", words, status=status)


@page("exchange/feeds/<str:name>/entry/line/", name="entry-line", permission=Permission.ENTER_DATA)
def line(request: HttpRequest, name: str) -> HttpResponse:
    """One more empty line for the form."""
    feed = feed_named(name)
    each = next((each for each in feed.fields if each.of and each.name == request.GET.get("field")), None)
    number = request.GET.get("number", "")
    if each is None or not number.isdigit() or int(number) > 10_000 or not is_fragment(request):
        raise Http404
    return render(
        request,
        "exchange/entry_line.html",
        {"feed": feed, "list": each, "line": blank_line(each, int(number)), "next": int(number) + 1},
    )
