"""What enterprises and workers of the demonstration say themselves: notices of losses, papers, complaints.

Nothing here changes a record that is counted: the figures stay those of the rows that were sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from anze.claims.actions import Loss, send_notice
from anze.claims.models import Claim
from anze.exchange.actions.claims import CLAIM_ACTIONS, Given
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.scope import Scope
from anze.parties.models import Enterprise, Membership, Organisation
from anze.parties.rules import ROLES, Role
from anze.prevention.actions.complaints import COMPLAINT_ACTIONS, Made, Said, Told, holder_of, make_complaint
from anze.prevention.models import Service
from anze.underwriting.models import Policy

NOTICES = (
    (3, "熔炼车间", "BURN", "铁水飞溅烫伤一名炉前工，已送医", 1, "80000"),
    (30, "清理工段", "STRUCK", "吊运砂箱时一名工人脚部被砸伤", 0, "12000"),
)
DEMO_INSURERS = ("INS01", "INS13")
# subject, who, what, days ago, and how far it has come
COMPLAINTS = (
    ("QUALITY", "WORKER", "专家在车间只待了十几分钟，隐患没有讲清楚", 2, ()),
    ("NOT_SERVED", "ENTERPRISE", "约定每年两次的应急演练一直没有安排", 9, ("accept",)),
    ("CONDUCT", "WORKER", "培训签到表上有没有到场的人", 26, ("accept", "verify", "ask-time")),
    ("QUALITY", "ENTERPRISE", "报告里的照片不是我们厂的", 40, ("accept", "answer")),
    ("FEES", "OTHER", "上门人员推销收费的培训课程", 5, ()),
    ("QUALITY", "ENTERPRISE", "复查约了三次都没来", 60, ("accept", "answer", "rate")),
)
_WORDS = {
    "accept": "已受理，指定专人办理",
    "verify": "已收到，正在调取签到记录与现场照片核实",
    "ask-time": "需向外地专家核实，申请延长",
    "answer": "经核查属实，已重新出具报告并安排复查",
    "rate": "",
}


def speak_for_enterprises(at: datetime) -> None:
    """The scope must be everything."""
    for membership in Membership.objects.filter(role=Role.ENTERPRISE, enterprise__isnull=False).select_related(
        "enterprise"
    ):
        enterprise = membership.enterprise
        assert enterprise is not None
        by = _for_enterprise(enterprise)
        policy = Policy.objects.filter(enterprise_id=enterprise.pk, is_void=False).order_by("-start_on").first()
        if policy is not None:
            _notify(policy, by, at)
        for claim in Claim.objects.filter(enterprise_id=enterprise.pk, state__in=("REGISTERED", "SURVEYED"))[:2]:
            given = Given(words="诊断证明、住院发票、工资单")
            CLAIM_ACTIONS["hand-in"](claim, by=by, at=at - timedelta(hours=20), given=given)
        _complain(enterprise, at)
    # the demonstration's insurers have something to register and to answer too
    for code in DEMO_INSURERS:
        policy = (
            Policy.objects.filter(insurer__code=code, is_void=False)
            .select_related("enterprise")
            .order_by("-start_on", "pk")
            .first()
        )
        if policy is not None:
            _notify(policy, _for_enterprise(policy.enterprise), at)
            _complain(policy.enterprise, at)


def _for_enterprise(enterprise: Enterprise) -> Actor:
    return Actor(
        name="演示企业负责人",
        scope=Scope(reader="anze_enterprise", enterprise_id=enterprise.pk),
        permissions=frozenset(each.value for each in ROLES[Role.ENTERPRISE].permissions),
        role=Role.ENTERPRISE.value,
        organisation_name=enterprise.name,
    )


def _for_organisation(organisation: Organisation | None, role: Role) -> Actor:
    scope = Scope(reader="anze_all")
    if organisation is not None:
        scope = Scope(reader="anze_insurer", insurer_id=organisation.pk, region_from="370000", region_to="37ZZZZ")
    return Actor(
        name="演示保险经办" if organisation else "演示省厅",
        scope=scope,
        permissions=frozenset(each.value for each in ROLES[role].permissions),
        role=role.value,
        organisation_name=str(organisation or "省应急管理厅"),
    )


def _notify(policy: Policy, by: Actor, at: datetime) -> None:
    for hours, place, kind, text, serious, claimed in NOTICES:
        happened = at - timedelta(hours=hours)
        loss = Loss(
            occurred_at=happened, place=place, kind=kind, description=text, contact="演示安全员", phone="13800000000",
            claimed=Decimal(claimed), serious_injuries=serious, minor_injuries=1 - serious,
            learned_at=happened + timedelta(minutes=5), reported_at=happened + timedelta(minutes=40) if serious else None,
        )  # fmt: skip
        send_notice(policy, by=by, at=happened + timedelta(hours=1), loss=loss)


def _complain(enterprise: Enterprise, at: datetime) -> None:
    service = Service.objects.filter(enterprise_id=enterprise.pk, is_void=False).order_by("-performed_on").first()
    for subject, kind, text, days, moves in COMPLAINTS:
        when = at - timedelta(days=days)
        holder = holder_of(enterprise.pk)
        told = Told(
            subject, text, kind=kind, name="演示投诉人", phone="13900000000", service=service.pk if service else None
        )
        made: Made = make_complaint(enterprise, by=holder, at=when, told=told)
        complaint = made.complaint
        for step, move in enumerate(moves, 1):
            by = holder if move == "rate" else _for_organisation(complaint.concerns, Role.INSURER_CLERK)
            then = when + timedelta(days=step * 2)
            said = Said(words=_WORDS[move], stars=4 if move == "rate" else None)
            if move == "ask-time":
                complaint.refresh_from_db()
                assert complaint.settle_due_at is not None
                said = Said(words=_WORDS[move], day=beijing_day(complaint.settle_due_at) + timedelta(days=15))
            COMPLAINT_ACTIONS[move](complaint, by=by, at=then, said=said)
