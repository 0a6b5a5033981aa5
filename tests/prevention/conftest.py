"""An order of Huaihai to the agency's expert at Xinghuo, and phones that record on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from anze.evidence.models import Media, Original
from anze.kernel.actor import Actor
from anze.kernel.scope import Scope
from anze.parties.models import Qualification
from anze.parties.rules import ROLES, Role
from anze.prevention.actions import Answered, Sent, open_visit, take_changes, visit_of_order
from anze.prevention.models import Order, OrderExpert, Visit
from anze.prevention.rules import OrderState
from anze.prevention.rules.visits import Change, Opening, id_of_entry
from anze.underwriting.models import Policy
from tests.cast import NOW, XINGHUO, YUANFAN, Cast, policy_row
from tests.exchange.examples import example
from tests.screen.conftest import asked_by
from tests.stages import stage
from tests.web.conftest import browser_of, put_down

__all__ = ["asked_by", "browser_of", "put_down"]

SHA = "ab" * 32


def photo(sha: str = SHA, **words: Any) -> dict[str, Any]:
    return {
        "file": str(uuid4()),
        "sha256": sha,
        "size": 1000,
        "taken_at": "2026-11-23T01:30:00Z",
        "position": {"lon": 117.076, "lat": 36.668, "accuracy": 8.0},
        **words,
    }


def make_order(cast: Any, number: str = "PD001", on: date = date(2026, 11, 23)) -> Order:
    """An accepted order; its policy is sent if it is not there."""
    policy = Policy.objects.filter(policy_no="P-VISIT").first()
    if policy is None:
        cast.accepted(cast.huaihai, "policies", policy_row("P-VISIT", XINGHUO))
        policy = Policy.objects.get(policy_no="P-VISIT")
    scope = {
        "enterprise_id": policy.enterprise_id,
        "insurer_id": policy.insurer_id,
        "agency_id": cast.agency.pk,
        "region_code": policy.region_code,
        "sector": policy.sector,
    }
    order = Order.objects.create(
        order_no=number, policy=policy, service_type="HAZARD", form="COMMISSIONED_TSP", planned_on=on,
        due_on=on + timedelta(days=7), price="1200.00", state=OrderState.ACCEPTED, sent_at=NOW, answered_at=NOW, **scope,
    )  # fmt: skip
    OrderExpert.objects.create(order=order, expert=cast.expert, is_leader=True, planned_on=on, **scope)
    return order


@pytest.fixture
def order(cast):
    return make_order(cast)


@pytest.fixture
def by(cast) -> Actor:
    """The expert of the order."""
    permissions = frozenset(each.value for each in ROLES[Role.EXPERT].permissions)
    return Actor(
        name="示例专家甲",
        scope=Scope(reader="anze_expert", expert_id=cast.expert.pk),
        permissions=permissions,
        role=Role.EXPERT,
        account_id=uuid4(),
    )


def photos_arrive(visit: Visit, at: datetime) -> None:
    """What the entries tell of has come in as evidence. How it travels is tested in tests/evidence and in a browser."""
    for payload in visit.entries.values_list("payload", flat=True):
        for each in payload.get("photos", ()):
            original, _new = Original.objects.get_or_create(
                sha256=each["sha256"], defaults={"size": each["size"], "media_type": "image/jpeg", "stored_at": at}
            )
            Media.objects.get_or_create(
                client_id=each["file"],
                defaults={
                    "original": original, "kind": "PHOTO", "role": "SITE", "subject_kind": "visit",
                    "subject": visit.pk, "received_at": at,
                    **{name: getattr(visit, name) for name in ("region_code", "insurer_id", "agency_id", "enterprise_id", "sector")},
                },
            )  # fmt: skip


@dataclass
class Phone:
    """A device without a network: it records, and sends when it is told to."""

    visit_id: UUID
    by: Actor
    name: str = "phone"
    knows: dict[UUID, int] = field(default_factory=dict)  # entry → revision as of the last answer
    queue: list[Change] = field(default_factory=list)

    def record(self, kind: str, payload: dict[str, Any], entry: UUID | None = None, **words: Any) -> Change:
        entry = entry or id_of_entry(self.visit_id, kind, payload) or uuid4()
        change = Change(
            id=uuid4(),
            visit=self.visit_id,
            entry=entry,
            kind=kind,
            payload=payload,
            base=words.pop("base", self.knows.get(entry, 0)),
            made_at=words.pop("made_at", "2026-11-23T01:00:00Z"),
            **words,
        )
        self.queue.append(change)
        return change

    def send(self, at: datetime = NOW, sent_at: datetime | None = None, keep: bool = False) -> dict[UUID, Answered]:
        visit = Visit.objects.get(pk=self.visit_id)
        sent = Sent(list(self.queue), self.name, sent_at or at)
        _visit, answers = take_changes(visit, by=self.by, at=at, sent=sent)
        for change in self.queue:
            if answers[change.id].state in ("APPLIED", "SAME"):
                self.knows[change.entry] = answers[change.id].revision
        if not keep:
            self.queue.clear()
        photos_arrive(visit, at)
        return answers


@pytest.fixture
def phone(order, by) -> Phone:
    key = visit_of_order(order.pk)
    open_visit(Opening(id=key, order=order.pk), by=by, at=NOW)
    return Phone(key, by)


HERE = {"lon": 117.076, "lat": 36.668, "accuracy": 12.0}
SIGNED = [[(10.0, 10.0), (200.0, 80.0)]]


def record_whole_visit(
    phone: Phone,
    *,
    finding: bool = True,
    nil: bool = True,
    enterprise_signs: bool = True,
    begun: datetime = NOW - timedelta(minutes=60),
    ended: datetime = NOW - timedelta(minutes=10),
    deadline: datetime = NOW + timedelta(days=14),
) -> None:
    """Everything a complete visit holds, in the order in which it happens."""
    record = phone.record
    record("START", {"position": HERE}, made_at=begun.isoformat())
    record("PERSON", {"role": "EXPERT", "name": "示例专家甲", "expert_number": "EXP001"})
    record("PERSON", {"role": "ENTERPRISE", "name": "示例车间主任", "post": "车间主任"})
    record("MARK", {"photos": [photo("aa" * 32)]})
    if finding:
        record(
            "FINDING",
            {
                "description": "配电箱门缺失",
                "hazard_class": "GENERAL",
                "deadline_on": f"{deadline:%Y-%m-%d}",
                "location": "熔铸车间",
                "photos": [photo()],
            },
        )
    elif nil:
        record("NIL", {"looked_at": "熔铸车间、配电室"})
        record("PHOTO", {"photos": [photo()]})
    record("SIGNATURE", {"of": "EXPERT", "name": "示例专家甲", "strokes": SIGNED})
    if enterprise_signs:
        record("SIGNATURE", {"of": "ENTERPRISE", "name": "示例负责人", "strokes": SIGNED})
    record("END", {"position": HERE}, made_at=ended.isoformat())


@stage
def insured(cast: Cast) -> Cast:
    """Each enterprise has a policy; premium came in last year for both; agencies and experts hold their papers."""
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(cast.bohai, "policies", policy_row("P2", YUANFAN, premium_written="20000.00"))
    for insurer, number, amount in ((cast.huaihai, "P1", "50000.00"), (cast.bohai, "P2", "20000.00")):
        cast.accepted(insurer, "receipts", receipt(number, amount))
    papers(cast)
    return cast


def receipt(policy_no: str, amount: str, **words: Any) -> dict[str, Any]:
    from anze.exchange.feeds import FEEDS

    return example(FEEDS["receipts"], receipt_no=f"R{policy_no}", policy_no=policy_no, amount=amount,
                   received_on="2026-03-02", **words)  # fmt: skip


def papers(cast: Cast) -> None:
    for n, agency in enumerate((cast.agency, cast.other_agency)):
        Qualification.objects.create(
            kind="SAFETY_EVALUATION", organisation=agency, number=f"APJ-{n}", valid_from=date(2024, 1, 1),
            valid_to=date(2027, 12, 31),
        )  # fmt: skip
    for n, expert in enumerate((cast.expert, cast.other_expert)):
        Qualification.objects.create(
            kind="SAFETY_ENGINEER", expert=expert, number=f"CSE-{n}", valid_from=date(2024, 1, 1),
            valid_to=date(2027, 12, 31),
        )  # fmt: skip
