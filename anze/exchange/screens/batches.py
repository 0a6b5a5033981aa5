"""Batches: the list of what came in, the receipt of each, and what its sender can still do about it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.exchange.actions import cancel_upload, confirm_upload, retry_batch
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch
from anze.exchange.payloads import open_payload
from anze.exchange.receipts import FINDINGS_A_PAGE, page_of_findings, words_of
from anze.exchange.rules import BatchState
from anze.exchange.senders import sender_of
from anze.exchange.uploads import FILE_TYPES, XLSX, rejected_workbook, words_of_remark
from anze.kernel.actor import Actor
from anze.kernel.audit import record
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission
from anze.screen.columns import Column, Kind
from anze.screen.filters import Choice, Dates, Numbers, Of
from anze.screen.lists import ListScreen, check_reader, count, list_screen
from anze.screen.pages import is_fragment
from anze.screen.registry import WorkList, page, work_list

FEED_NAMES = tuple((feed.name, feed.title) for feed in FEEDS.values())
STATE_TONES = {
    "CHECKING": "info",
    "CHECKED": "warning",
    "RECEIVED": "info",
    "DONE": "success",
    "FAILED": "danger",
}
UNDER_WAY = (BatchState.CHECKING, BatchState.RECEIVED)
MOST_REJECTED = 20_000  # rows of one workbook of rejected rows

BATCHES = list_screen(
    ListScreen(
        name="batches",
        path="exchange/batches/",
        title=_("Batches"),
        about=_("Everything that was sent, by whichever channel, with what became of its rows."),
        model=Batch,
        permission=Permission.SEE_EXCHANGE,
        detail="batch",
        sort="-received_at",
        columns=(
            Column("received_at"),
            Column("feed", kind=Kind.LABEL, choices=FEED_NAMES),
            Column("sender", opens="partner", hide_for="insurer_id"),
            Column("channel"),
            Column("state", tones=STATE_TONES),
            Column("rows"),
            Column("created"),
            Column("updated"),
            Column("unchanged"),
            Column("rejected"),
            Column("by_name", optional=True),
            Column("file_name", optional=True),
            Column("finished_at", optional=True),
            Column("size", optional=True),
        ),
        filters=(
            Choice("feed", main=True, choices=FEED_NAMES),
            Choice("state", main=True),
            Choice("channel"),
            Of("sender", _("Sender")),
            Dates("received", _("Received"), path="received_at"),
            Numbers("rejected", _("Rejected rows")),
        ),
        order=30,
        icon="inbox",
    )
)
work_list(
    WorkList(
        name="files-to-confirm",
        title=_("Uploaded files to confirm"),
        why=_("They were checked, but nothing of them is published until you say so."),
        tone="warning",
        order=20,
        permission=Permission.ENTER_DATA,
        readers=BATCHES.readers,
        count=lambda request: own_count(BATCHES, request, state="CHECKED"),
        url=lambda request: own_link(BATCHES, request, state="CHECKED"),
    )
)


def own_link(screen: ListScreen, request: HttpRequest, **words: str) -> str:
    """A list narrowed to what the reader's own organisation sent."""
    sender = sender_of(request.actor)  # type: ignore[attr-defined]
    return screen.link(**words, sender=str(sender.pk) if sender else "")


def own_count(screen: ListScreen, request: HttpRequest, **words: str) -> int:
    sender = sender_of(request.actor)  # type: ignore[attr-defined]
    return count(screen, request, **words, sender=str(sender.pk)) if sender else 0


def visible_batch(request: HttpRequest, pk: Any) -> Batch:
    """A batch in the reader's scope, without its content."""
    check_reader(request, Batch)
    found = Batch.objects.filter(pk=pk).select_related("sender").defer("payload").first()
    if found is None:
        raise Http404
    return found


def is_own(actor: Actor, batch: Batch) -> bool:
    sender = sender_of(actor)
    return sender is not None and sender.pk == batch.sender_id


def own_batch(request: HttpRequest, pk: Any) -> Batch:
    """A batch the reader's own organisation sent: what it brought is nobody else's business."""
    batch = visible_batch(request, pk)
    if not is_own(request.actor, batch):  # type: ignore[attr-defined]
        raise Http404
    return batch


@page("exchange/batches/<uuid:pk>/", name="batch", title=_("Batch"), permission=Permission.SEE_EXCHANGE)
def show_batch(request: HttpRequest, pk: Any) -> HttpResponse:
    """What became of a batch: progress, dry run or receipt."""
    batch = visible_batch(request, pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    own = is_own(actor, batch)
    # a value in a finding is the sender's own: a premium, a name
    may_read = own or actor.may(Permission.SEE_PREMIUMS)
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and 0 < int(asked) < 10_000 else 1
    total = batch.findings.count()
    by_code = [
        {"code": code, "count": count, "words": words_of(batch.feed, code)[0].split("%(")[0].strip("“ ")}
        for code, count in batch.findings.values_list("code").annotate(n=Count("id")).order_by("-n")[:30]
    ]
    words = {
        "batch": batch,
        "feed": FEEDS[batch.feed],
        "is_own": own,
        "may_read": may_read,
        "under_way": batch.state in UNDER_WAY,
        "ahead": ahead_of(batch) if batch.state in UNDER_WAY else 0,
        "tone": STATE_TONES.get(batch.state, ""),
        "findings": findings_of(batch, number) if may_read else [],
        "total": total,
        "by_code": by_code,
        "page_number": number,
        "pages": (total + FINDINGS_A_PAGE - 1) // FINDINGS_A_PAGE,
        "remarks": [words_of_remark(remark) for remark in batch.remarks],
        "good": batch.created + batch.updated + batch.unchanged,
        "is_file": batch.content_type in FILE_TYPES,
        "seconds": 1 if batch.rows <= 5000 else 3,
    }
    template = "exchange/batch_main.html" if is_fragment(request) else "exchange/batch.html"
    response = render(request, template, words)
    response["Vary"] = "HX-Request, Cookie"
    return response


def ahead_of(batch: Batch) -> int:
    """How many batches the worker does before this one."""
    with widened(EVERYTHING):
        return Batch.objects.filter(state__in=UNDER_WAY, received_at__lt=batch.received_at).count()


def findings_of(batch: Batch, number: int) -> list[dict[str, Any]]:
    """Findings with the title of their field and the place of their cell."""
    feed = FEEDS[batch.feed]
    titles = {each.name: capfirst(str(each.title)) for each in feed.fields}
    inner = {f"{each.name}.{line.name}": str(line.title) for each in feed.fields for line in each.of}
    cells = dict(
        batch.findings.order_by("row", "id").values_list("id", "values__cell")[
            (number - 1) * FINDINGS_A_PAGE : number * FINDINGS_A_PAGE
        ]
    )
    made = []
    for finding, cell in zip(page_of_findings(batch, number), cells.values(), strict=True):
        first, _dot, rest = finding["field"].partition(".")
        place, _dot, name = rest.partition(".")
        title = titles.get(first, first)
        if place:
            title = f"{title} {place} {inner.get(f'{first}.{name}', name)}".strip()
        sheet, mark, address = (cell or "").partition("!")
        made.append(finding | {"title": title, "cell": f"{titles.get(sheet, sheet)} {address}" if mark else cell})
    return made


# what its sender can do -----------------------------------------------------------------------------------


def _act(request: HttpRequest, pk: Any, act: Any) -> tuple[Batch, HttpResponse]:
    batch = own_batch(request, pk)
    with transaction.atomic(), widened(EVERYTHING):
        batch = act(batch, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return batch, redirect("batch", batch.pk)


@page("exchange/batches/<uuid:pk>/confirm/", name="batch-confirm", permission=Permission.ENTER_DATA, methods=("POST",))
def confirm(request: HttpRequest, pk: Any) -> HttpResponse:
    batch, response = _act(request, pk, confirm_upload)
    if batch.state == BatchState.DONE:
        published = batch.created + batch.updated + batch.unchanged
        messages.success(
            request,
            ngettext("%(count)s row is published.", "%(count)s rows are published.", published)
            % {"count": f"{published:,}"},
        )
    return response


@page("exchange/batches/<uuid:pk>/cancel/", name="batch-cancel", permission=Permission.ENTER_DATA, methods=("POST",))
def cancel(request: HttpRequest, pk: Any) -> HttpResponse:
    batch, _response = _act(request, pk, cancel_upload)
    messages.info(request, _now("The file was put aside; nothing of it was published."))
    return redirect("upload", batch.feed)


@page("exchange/batches/<uuid:pk>/retry/", name="batch-retry", permission=Permission.ENTER_DATA, methods=("POST",))
def retry(request: HttpRequest, pk: Any) -> HttpResponse:
    return _act(request, pk, retry_batch)[1]


@page("exchange/batches/<uuid:pk>/rejected.xlsx", name="batch-rejected", permission=Permission.ENTER_DATA)
def rejected_rows(request: HttpRequest, pk: Any) -> HttpResponse:
    """The rejected rows as a workbook with the reasons in place, to be corrected and sent again."""
    batch = own_batch(request, pk)
    feed = FEEDS[batch.feed]
    reasons: dict[int, list[tuple[str, str]]] = {}
    for number in range(1, (batch.findings.count() - 1) // FINDINGS_A_PAGE + 2):
        for finding in page_of_findings(batch, number):
            words = f"{finding['message']} {finding['remedy']}".strip()
            reasons.setdefault(finding["row"], []).append((finding["field"], words))
        if len(reasons) > MOST_REJECTED:
            break
    wanted = set(sorted(reasons)[:MOST_REJECTED])
    content = rejected_workbook(feed, open_payload(batch).contents(wanted), reasons)
    _note_download(request, batch, "batch.rejected_downloaded")
    return download(content, f"{feed.name}-{batch.received_at:%Y%m%d}-rejected.xlsx", XLSX)


@page("exchange/batches/<uuid:pk>/original/", name="batch-original", permission=Permission.ENTER_DATA)
def original(request: HttpRequest, pk: Any) -> HttpResponse:
    """What was sent, byte for byte."""
    import gzip

    batch = own_batch(request, pk)
    _note_download(request, batch, "batch.downloaded")
    name = batch.file_name or f"{batch.feed}-{batch.received_at:%Y%m%d-%H%M%S}.ndjson"
    return download(gzip.decompress(batch.payload), name, batch.content_type)


def _note_download(request: HttpRequest, batch: Batch, kind: str) -> None:
    record(kind, by=request.actor, at=request.at, about=batch)  # type: ignore[attr-defined]


def download(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["Cache-Control"] = "private, no-store"
    return response
