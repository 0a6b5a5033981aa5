"""Punctuality of the data: reported within the working days allowed, dataset by dataset."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.exchange.feeds import FEEDS
from anze.monitoring.models import TimelinessCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Source, Unit

_INSURERS = tuple(feed for feed in FEEDS.values() if feed.of_insurer)


def _source_name(feed_name: str) -> str:
    return feed_name.replace("-", "_")


_SELECT = " UNION ALL ".join(
    f"""
SELECT '{_source_name(feed.name)}' AS source, id AS row_id, {feed.key[-1]} AS label, enterprise_id,
       date_trunc('month', event_on)::date AS month, event_on AS counts_on, region_code, sector, insurer_id,
       CASE WHEN received_at > report_due_at THEN 'LATE' END AS reason, '{feed.name}' AS feed,
       1 AS reported, (received_at <= report_due_at)::int AS on_time
FROM {_source_name(feed.name)}
"""
    for feed in _INSURERS
)

TIMELINESS = Fact(
    "timeliness",
    TimelinessCell,
    tuple(Source(_source_name(feed.name), feed.model, "id") for feed in _INSURERS),
    _SELECT,
    further=("feed",),
)
TIMELINESS_FACTS = (TIMELINESS,)

_SOURCE = "山东省安责险服务管理平台：5个工作日内录入"

TIMELINESS_INDICATORS = (
    Indicator(
        "data_timeliness",
        _("Data timeliness"),
        _("Records reported in time, of all records: five working days by hand, the same day by interface."),
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
