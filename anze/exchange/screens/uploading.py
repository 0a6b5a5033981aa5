"""Templates and uploads."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.actions import upload_file
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.opening import MAX_BYTES, MAX_ROWS, MEGABYTE
from anze.exchange.refusals import UnreadableFile
from anze.exchange.rules import BatchState
from anze.exchange.screens.batches import download
from anze.exchange.senders import sending
from anze.exchange.uploads import XLSX, template_of
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission
from anze.screen.registry import page


def feed_named(name: str) -> Feed:
    if name not in FEEDS:
        raise Http404
    return FEEDS[name]


@page("exchange/feeds/<str:name>/template.xlsx", name="template", permission=Permission.SEE_EXCHANGE)
def template(request: HttpRequest, name: str) -> HttpResponse:
    """The empty workbook of a dataset in the reader's language, with notes, drop-downs and two example rows."""
    feed = feed_named(name)
    return download(template_of(feed), f"{feed.title}.xlsx", XLSX)


@page(
    "exchange/feeds/<str:name>/upload/",
    name="upload",
    title=_("Upload"),
    permission=Permission.ENTER_DATA,
    methods=("GET", "POST"),
)
def upload(request: HttpRequest, name: str) -> HttpResponse:
    """Take a file, check it, and show what would become of its rows before anything is published."""
    feed = feed_named(name)
    sender = sending(request.actor, feed)  # type: ignore[attr-defined]
    words = {
        "feed": feed,
        "sender": sender,
        "megabytes": MAX_BYTES // MEGABYTE,
        "rows": MAX_ROWS,
        "problem": None,
    }
    if request.method != "POST":
        return render(request, "exchange/upload.html", words)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise UnreadableFile("file_empty")
        if (file.size or 0) > MAX_BYTES:
            size = f"{(file.size or 0) / MEGABYTE:.1f}"
            raise UnreadableFile("file_too_big", size=size, limit=MAX_BYTES // MEGABYTE)
        with transaction.atomic(), widened(EVERYTHING):
            batch, is_new = upload_file(
                sender,
                by=request.actor,  # type: ignore[attr-defined]
                at=request.at,  # type: ignore[attr-defined]
                feed=feed,
                data=file.read(),
                file_name=file.name or "",
            )
    except UnreadableFile as refused:
        words["problem"] = refused.remark
        return render(request, "exchange/upload.html", words, status=422)
    if not is_new and batch.state == BatchState.DONE:
        messages.info(
            request,
            _now("This very file was published before, on %(when)s; sending it again changes nothing.")
            % {"when": f"{timezone.localtime(batch.received_at):%Y-%m-%d %H:%M}"},
        )
    return redirect("batch", batch.pk)
