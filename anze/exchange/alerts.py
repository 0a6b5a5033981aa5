"""Alerts of the data exchange: what was sent and rejected, and is late."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, declare
from anze.kernel.duty import Party

ENTRY_LATE = declare(
    AlertRule(
        code="ENTRY_LATE",
        title=_("Record not on file after its deadline"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.INSURER,),
        why=_("Record %(number)s of %(day)s was rejected, and has not been corrected by its deadline on %(due)s."),
        remedy=_("Open the batch and correct the record"),
        page="batch",
        rows="exchange_rejectedrow r WHERE true",
        subject="r.id",
        row="r.batch_id",
        begins="(r.report_due_at AT TIME ZONE 'Asia/Shanghai')::date",
        due="(r.report_due_at AT TIME ZONE 'Asia/Shanghai' - interval '1 second')::date",
        label="r.key",
        scope={"insurer_id": "r.insurer_id", "region_code": "r.region_code"},
        facts={
            "number": "r.key",
            "day": "r.event_on",
            "due": "(r.report_due_at AT TIME ZONE 'Asia/Shanghai' - interval '1 second')::date",
        },
        basis="山东省安责险服务管理平台运行要求",
        shown_as=("rejected-records-open",),
    )
)
