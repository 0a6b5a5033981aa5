"""The alerts of a synthetic province: raised week by week, some taken in hand and some judged, as people would."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from anze.kernel.scope import EVERYTHING, inside
from anze.monitoring.alerting import run

WEEKS = 3
# of the alerts of a week every sixth is taken in hand, every fifteenth is closed by somebody's word, mostly as useful
TAKEN = """
UPDATE monitoring_alert SET state = 'HANDLING', taken_at = %(at)s, taken_by = '示例监管人员'
WHERE state = 'OPEN' AND abs(hashtext(id::text)) %% 6 = 0
"""
JUDGED = """
UPDATE monitoring_alert SET state = 'CLOSED', closed_at = %(at)s, closed_by = '示例监管人员',
    closing = CASE abs(hashtext(id::text)) %% 4 WHEN 0 THEN 'EXAMINED' WHEN 1 THEN 'WRONG_DATA' ELSE 'MENDED' END,
    is_useful = abs(hashtext(id::text)) %% 4 > 1,
    reason = CASE abs(hashtext(id::text)) %% 4 WHEN 0 THEN '已电话核实，情况属实但有正当原因'
        WHEN 1 THEN '系统数据有误，已通知更正' ELSE '已督促整改到位' END
WHERE state <> 'CLOSED' AND abs(hashtext(id::text)) %% 15 = 1
"""


def raise_alerts(at: datetime) -> None:
    """Weeks back first: a rule says of every cause when it began and ended, so the past can be lived through."""
    for weeks in range(WEEKS, -1, -1):
        moment = at - timedelta(weeks=weeks)
        run(at=moment, full=True)
        if weeks:
            with inside(EVERYTHING), connection.cursor() as cursor:
                cursor.execute(JUDGED, {"at": moment + timedelta(days=2)})
                cursor.execute(TAKEN, {"at": moment + timedelta(days=1)})
