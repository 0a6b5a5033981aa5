"""Punctuality of the data: reported within the working days allowed, dataset by dataset."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.monitoring.models import TimelinessCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Part, Source, Unit

# what is counted at all: an invoice is about no enterprise, the expenses under it are
_INSURERS = tuple(feed for feed in FEEDS.values() if feed.of_insurer and feed.model.is_counted)  # type: ignore[attr-defined]


def _source_name(feed: Feed) -> str:
    return feed.name.replace("-", "_")


# The first arrival decides, also after corrections; the deadline was computed when the row arrived.
TIMELINESS = Fact(
    "timeliness",
    TimelinessCell,
    tuple(Source(_source_name(feed), feed.model, "id") for feed in _INSURERS),
    tuple(
        Part(
            source=_source_name(feed),
            rows=_source_name(feed),
            label=feed.key[-1],
            on="event_on",
            gives={
                "reported": "(NOT is_void)::int",
                "on_time": "(NOT is_void AND received_at <= report_due_at)::int",
            },
            left_out="CASE WHEN is_void THEN 'VOID' END",
            why={"on_time": "CASE WHEN received_at > report_due_at THEN 'LATE' END"},
            further={"feed": f"'{feed.name}'"},
        )
        for feed in _INSURERS
    ),
    further=("feed",),
)
_SOURCE = "山东省安责险服务管理平台：5个工作日内录入"

TIMELINESS_INDICATORS = (
    Indicator(
        "data_timeliness",
        _("Data timeliness"),
        _("Records reported within the time allowed by hand or by interface, of all records."),
        Family.TIMELINESS,
        TIMELINESS,
        "on_time",
        "reported",
        Unit.RATIO,
        Direction.UP,
        _SOURCE,
    ),
    *(
        Indicator(
            f"data_timeliness.{feed.name}",
            feed.title,
            _("Records of this dataset reported in time."),
            Family.TIMELINESS,
            TIMELINESS,
            "on_time",
            "reported",
            Unit.RATIO,
            Direction.UP,
            _SOURCE,
            fixed={"feed": feed.name},
        )
        for feed in _INSURERS
    ),
)
