"""The money of the demonstration: findings, statements at every stage, and apps that are not pulled."""

from __future__ import annotations

from datetime import datetime, timedelta

from anze.exchange.models import Connector, ConnectorRun
from anze.exchange.rules import ConnectorState, PullFailure, RunState
from anze.expenses.actions import draw_up_statements, match_expenses, settle_paid
from anze.expenses.models import Statement
from anze.expenses.rules import SETTLEMENT, StatementState
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.sealing import seal
from anze.parties.models import Organisation

# insurer, name, kind of app; nobody answers at these addresses, so they rest until somebody connects a real app
APPS = (("INS01", "示例现场服务应用", "field-service"), ("INS13", "示例企业自查应用", "safety-factory"))


def settle(at: datetime) -> None:
    """The scope must be everything."""
    today = beijing_day(at)
    for back in (92, 61, 31):
        draw_up_statements(today - timedelta(days=back), at=at)
    _confirm(at)
    match_expenses(at=at)
    for code, name, mapping in APPS:
        _app(code, name, mapping, at)


def _confirm(at: datetime) -> None:
    """What is older than last month was confirmed by both; what has been paid since closes."""
    today = beijing_day(at)
    before = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    due = SETTLEMENT.due_at(today - timedelta(days=12), calendar=load_calendar())
    moment = at - timedelta(days=12)
    Statement.objects.filter(month__lt=before, state=StatementState.DRAWN).update(
        state=StatementState.CONFIRMED, insurer_confirmed_at=moment, insurer_confirmed_by="示例经办",
        agency_confirmed_at=moment, agency_confirmed_by="示例项目经理", due_at=due,
    )  # fmt: skip
    first = Statement.objects.filter(month=before, state=StatementState.DRAWN).order_by("-services", "pk").first()
    if first is not None:
        Statement.objects.filter(pk=first.pk).update(
            state=StatementState.DISPUTED,
            objection="其中一次服务由两名专家实施，价格应按两人计。",
            objected_by_name="示例项目经理",
        )
    settle_paid(at=at)


def _app(code: str, name: str, mapping: str, at: datetime) -> None:
    insurer = Organisation.objects.get(code=code)
    made = Connector(
        insurer=insurer, region_code=insurer.region_id, name=name, mapping=mapping, state=ConnectorState.PAUSED,
        base_url=f"https://{mapping}.example", made_at=at - timedelta(days=20), made_by="示例管理员", next_run_at=at,
        last_run_at=at - timedelta(days=19), failures=1,
    )  # fmt: skip
    made.token = seal(b"example", f"connector {made.pk}")
    made.save(force_insert=True)
    ConnectorRun.objects.create(
        connector=made, insurer_id=insurer.pk, region_code=insurer.region_id, started_at=at - timedelta(days=19),
        finished_at=at - timedelta(days=19), state=RunState.FAILED, cause=PullFailure.NO_ADDRESS, failure=f"{mapping}.example",
    )  # fmt: skip
