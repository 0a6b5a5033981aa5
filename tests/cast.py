"""The cast: one province, two cities, two insurers, an agency, an expert, two enterprises — and their outsiders.

Huaihai Insurance (INS01) covers Xinghuo Casting in Jinan; Bohai Insurance (INS02) covers Yuanfan Fishery in
Qingdao. Whoever belongs to one of them must see nothing of the other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from anze.exchange.actions import process_batch, receive_batch
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch
from anze.kernel.actor import Actor, platform
from anze.kernel.identifiers import make_uscc
from anze.kernel.rules import Channel
from anze.parties.models import Enterprise, Expert, Organisation
from anze.parties.rules import OrganisationKind, Permission

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 in Beijing

XINGHUO = make_uscc("370102", 1)
YUANFAN = make_uscc("370202", 2)


@dataclass
class Cast:
    province: Organisation
    jinan: Organisation
    qingdao: Organisation
    lixia: Organisation
    committee: Organisation
    huaihai: Organisation
    bohai: Organisation
    agency: Organisation
    other_agency: Organisation
    expert: Expert
    other_expert: Expert
    xinghuo: Enterprise
    yuanfan: Enterprise

    def send(
        self,
        sender: Organisation,
        feed: str,
        *rows: dict[str, Any],
        channel: Channel = Channel.API,
        at: datetime = NOW,
        key: str = "",
        by: Actor | None = None,
    ) -> Batch:
        """Deliver rows of a feed as the sender's system would, and process them."""
        body = "\n".join(json.dumps(row, ensure_ascii=False, default=str) for row in rows).encode()
        batch, is_new = receive_batch(
            sender,
            by=by or platform(frozenset({Permission.ENTER_DATA})),
            at=at,
            feed=FEEDS[feed],
            channel=channel,
            body=body,
            content_type="application/x-ndjson",
            idempotency_key=key or uuid4().hex,
        )
        if is_new:
            process_batch(batch)
        return batch

    def accepted(self, sender: Organisation, feed: str, *rows: dict[str, Any], **words: Any) -> Batch:
        batch = self.send(sender, feed, *rows, **words)
        assert not batch.rejected, list(batch.findings.values("row", "field", "code", "values"))
        return batch


def _organisation(kind: OrganisationKind, code: str, name: str, region: str, **words: Any) -> Organisation:
    return Organisation.objects.create(kind=kind, code=code, name=name, region_id=region, **words)


def enterprise_row(uscc: str, name: str, region: str, sector: str, **words: Any) -> dict[str, Any]:
    return {
        **FEEDS["enterprises"].example_rows()[0],
        "uscc": uscc,
        "name": name,
        "region_code": region,
        "sector": sector,
        **words,
    }


def policy_row(policy_no: str, uscc: str, **words: Any) -> dict[str, Any]:
    """A policy of one year from 2026-03-01 for 100 workers, 50,000 yuan."""
    return {
        "policy_no": policy_no,
        "nature": "SOLE",
        "holder_name": "示例投保人",
        "insured_uscc": uscc,
        "applied_on": "2026-02-20",
        "issued_on": "2026-02-24",
        "start_on": "2026-03-01",
        "end_on": "2027-02-28",
        "insured_workers": 100,
        "registered_workers": 100,
        "limit_per_person": "500000.00",
        "limit_per_accident": "5000000.00",
        "aggregate_limit": "10000000.00",
        "premium_written": "50000.00",
        "agreed_expense_ratio": "0.18",
        "is_renewal": False,
        **words,
    }


def assemble() -> Cast:
    kind = OrganisationKind
    province = _organisation(kind.EMA, "EMA370000", "示例省应急管理厅", "370000")
    jinan = _organisation(kind.EMA, "EMA370100", "济南示例应急管理局", "370100")
    qingdao = _organisation(kind.EMA, "EMA370200", "青岛示例应急管理局", "370200")
    lixia = _organisation(kind.EMA, "EMA370102", "历下示例应急管理局", "370102")
    committee = _organisation(kind.COMMITTEE, "COMMITTEE", "示例安责险事故预防服务专委会", "370000")
    huaihai = _organisation(kind.INSURER, "INS01", "淮海示例财产保险", "370000", name_en="Huaihai Insurance")
    bohai = _organisation(kind.INSURER, "INS02", "渤海示例财产保险", "370000", name_en="Bohai Insurance")
    agency = _organisation(kind.AGENCY, "AGY01", "泰安示例安全技术服务公司", "370900")
    other_agency = _organisation(kind.AGENCY, "AGY02", "日照示例安全技术服务公司", "371100")
    expert = Expert.objects.create(
        name="示例专家甲", number="EXP001", agency=agency, region_id="370900", sector="SMELT"
    )
    other = Expert.objects.create(
        name="示例专家乙", number="EXP002", agency=other_agency, region_id="371100", sector="MINE"
    )
    people = Cast(
        province, jinan, qingdao, lixia, committee, huaihai, bohai, agency, other_agency, expert, other,
        xinghuo=Enterprise(), yuanfan=Enterprise(),
    )  # fmt: skip
    people.accepted(
        province,
        "enterprises",
        enterprise_row(XINGHUO, "星火示例铸造有限公司", "370102", "SMELT", registered_workers=100),
        enterprise_row(YUANFAN, "远帆示例渔业有限公司", "370202", "FISHERY", registered_workers=40),
    )
    people.xinghuo = Enterprise.objects.get(uscc=XINGHUO)
    people.yuanfan = Enterprise.objects.get(uscc=YUANFAN)
    return people
