"""The reporting clock: of every record when it happened, arrived and was due; and what still waits to arrive."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.models import RejectedRow
from anze.exchange.screens.batches import FEED_NAMES, own_count, own_link
from anze.exchange.senders import feeds_of, sender_of
from anze.kernel.duty import beijing_day, end_of_day, load_calendar
from anze.kernel.models import parameter
from anze.parties.rules import Permission
from anze.parties.screens import INSURER, insurer_filter
from anze.prevention.models import Plan
from anze.screen.columns import Column, Kind
from anze.screen.details import DETAILS, Tile, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Of, Search
from anze.screen.lists import ListScreen, list_screen
from anze.screen.registry import WorkList, work_list
from anze.underwriting.models import Policy

# whose records a dataset holds, by the room it belongs to
SEE = {
    "parties": Permission.SEE_ENTERPRISES,
    "underwriting": Permission.SEE_UNDERWRITING,
    "prevention": Permission.SEE_SERVICES,
    "hazards": Permission.SEE_HAZARDS,
    "expenses": Permission.SEE_EXPENSES,
    "claims": Permission.SEE_CLAIMS,
}
PUNCTUAL = (("IN_TIME", _("in time")), ("LATE", _("late")))


def end_of_next_workday(at: datetime) -> datetime:
    """The end of the next working day after today."""
    return end_of_day(load_calendar().add_workdays(beijing_day(at), 1))


# records on file ------------------------------------------------------------------------------------------


def _punctual(asking: Asking, received_at: datetime, report_due_at: datetime) -> str:
    return "IN_TIME" if received_at <= report_due_at else "LATE"


def detail_of(feed: Feed) -> str:
    """The detail page of a dataset's records, '' if its room has none."""
    return next((name for name, screen in DETAILS.items() if screen.model is feed.model), "")


def _clock_of(feed: Feed) -> ListScreen:
    fields = {field.name for field in feed.model._meta.local_concrete_fields}
    own_key = [Column(name) for name in feed.key if name in fields]
    if "enterprise_id" in feed.key:
        own_key.insert(0, Column("enterprise__name", title=_("Enterprise")))
    return list_screen(
        ListScreen(
            name=f"clock-{feed.name}",
            path=f"exchange/clock/{feed.name}/",
            title=format_lazy("{} · {}", _("Reporting clock"), feed.title),
            about=_("When each record happened, when it was received first, and until when it was due."),
            model=feed.model,
            permission=SEE[feed.module],
            detail=detail_of(feed),
            sort="-id",
            columns=(
                *own_key,
                Column("event_on"),
                Column("received_at"),
                Column("report_due_at"),
                Column(
                    "punctual",
                    _("Reported"),
                    Kind.STATE,
                    choices=PUNCTUAL,
                    tones={"IN_TIME": "success", "LATE": "danger"},
                    needs=("received_at", "report_due_at"),
                    compute=_punctual,
                ),
                Column("channel"),
                *((INSURER,) if "insurer" in fields else ()),
                Column("region_code", optional=True),
                Column("entered_at", optional=True),
                Column("version", optional=True),
            ),
            filters=(
                *((Search(own=(feed.key[0],), title=_("Number")),) if feed.key[0] in fields else ()),
                *((insurer_filter(),) if "insurer" in fields else ()),
                Cases(
                    "reported",
                    _("Reported"),
                    main=True,
                    cases={
                        "late": Case(_("late"), lambda asking: Q(received_at__gt=F("report_due_at"))),
                        "in_time": Case(_("in time"), lambda asking: Q(received_at__lte=F("report_due_at"))),
                    },
                ),
                Choice("channel", main=True),
                Dates("event", _("Event date"), path="event_on"),
                Dates("received", _("Received"), path="received_at"),
            ),
            in_menu=False,
        )
    )


CLOCKS: dict[str, ListScreen] = {feed.name: _clock_of(feed) for feed in FEEDS.values()}


# records not on file --------------------------------------------------------------------------------------


def _due(asking: Asking) -> Q:
    return Q(report_due_at__gte=asking.at, report_due_at__lte=end_of_next_workday(asking.at))


def _clock_state(asking: Asking, report_due_at: datetime) -> str:
    if report_due_at < asking.at:
        return "OVERDUE"
    return "NEXT" if report_due_at <= end_of_next_workday(asking.at) else "LATER"


REJECTED = list_screen(
    ListScreen(
        name="rejected-records",
        path="exchange/rejected/",
        title=_("Rejected, not yet corrected"),
        about=_("Records that were sent, rejected, and are not on file yet: their deadlines run on."),
        empty=_("Every record that was sent is on file."),
        model=RejectedRow,
        permission=Permission.SEE_EXCHANGE,
        sort="report_due_at",
        columns=(
            Column("key", _("Number of the record"), Kind.CODE),
            Column("feed", kind=Kind.LABEL, choices=FEED_NAMES),
            Column("sender", hide_for="insurer_id"),
            Column("event_on"),
            Column("report_due_at"),
            Column(
                "clock",
                _("Clock"),
                Kind.STATE,
                choices=(
                    ("OVERDUE", _("overdue")),
                    ("NEXT", _("due by the end of the next working day")),
                    ("LATER", _("later")),
                ),
                tones={"OVERDUE": "danger", "NEXT": "warning"},
                needs=("report_due_at",),
                compute=_clock_state,
            ),
            Column("batch__received_at", title=_("Batch"), opens="batch"),
            Column("row"),
        ),
        filters=(
            Search(own=("key",), title=_("Number of the record")),
            Choice("feed", main=True, choices=FEED_NAMES),
            Of("sender", _("Sender")),
            Cases(
                "due",
                _("Due"),
                main=True,
                cases={
                    "next": Case(_("by the end of the next working day"), _due),
                    "overdue": Case(_("overdue"), lambda asking: Q(report_due_at__lt=asking.at)),
                },
            ),
        ),
        order=40,
        icon="clock-hour-4",
    )
)
work_list(
    WorkList(
        name="rejected-due-next",
        title=_("Rejected records that will be late after the next working day"),
        why=_("They were sent and rejected. Correct and send them again before their deadline passes."),
        tone="danger",
        order=10,
        permission=Permission.ENTER_DATA,
        readers=REJECTED.readers,
        count=lambda request: own_count(REJECTED, request, due="next"),
        url=lambda request: own_link(REJECTED, request, due="next"),
    )
)
work_list(
    WorkList(
        name="rejected-records-open",
        title=_("Rejected records, not yet corrected"),
        why=_("They count nowhere until they are corrected and sent again."),
        tone="warning",
        order=25,
        permission=Permission.ENTER_DATA,
        readers=REJECTED.readers,
        count=lambda request: own_count(REJECTED, request),
        url=lambda request: own_link(REJECTED, request),
    )
)


def plans_due(asking: Asking) -> Any:
    """Policies in force without a plan whose time for one ends by the end of the next working day.

    Of records that nobody has sent, nothing is known; a plan is the exception, because its policy is on file.
    """
    today = beijing_day(asking.at)
    days = int(parameter("plan_grace_days", today))
    last = beijing_day(end_of_next_workday(asking.at) - timedelta(seconds=1)) - timedelta(days=days)
    return Policy.objects.filter(
        ~Exists(Plan.objects.filter(policy_id=OuterRef("pk"), is_void=False)),
        is_void=False,
        start_on__range=(today - timedelta(days=days), last),
        cover_end_on__gte=today,
    )


# how a record came in, on its own page --------------------------------------------------------------------


def _origin(request: HttpRequest, row: Any) -> tuple[str, str, str]:
    """Leads those who report the record to its correction, others nowhere."""
    feed = next(feed for feed in FEEDS.values() if isinstance(row, feed.model))
    sender = sender_of(request.actor)  # type: ignore[attr-defined]
    own = sender is not None and feed in feeds_of(sender)
    if own and feed.of_insurer:
        own = getattr(row, "insurer_id", None) == sender.pk if sender else False
    url = f"{reverse('entry', args=[feed.name])}?of={row.pk}" if own else ""
    return _now("correct") if own else "", "", url


for _feed in FEEDS.values():
    if _name := detail_of(_feed):
        tile(Tile(_name, "origin", _("This record"), SEE[_feed.module], _origin, order=90))
