"""Two of everything: what belongs to Huaihai, Xinghuo and Jinan, and what belongs to their outsiders."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from PIL import Image

from anze.assessment.actions import load_schemes
from anze.assessment.models import Appeal as ScoreAppeal
from anze.assessment.models import Campaign as CampaignOfScores
from anze.assessment.models import ConductCase, Feedback, Forecast, FrozenRow, Outcome, ReviewItem, Scheme, Tally
from anze.claims.models import Claim, ClaimPopulation, ClaimReview, ClaimSample, LossNotice
from anze.evidence.actions import arrived, receive_media
from anze.evidence.actions.media import keep_original
from anze.evidence.models import Match
from anze.evidence.rules import FileType, Subject
from anze.exchange.feeds import FEEDS
from anze.expenses.models import Expense, ExpenseFinding, Statement, StatementLine
from anze.hazards.models import (
    Attendance,
    Campaign,
    CampaignEnterprise,
    CampaignGroup,
    CampaignMember,
    Hazard,
    OwnFinding,
)
from anze.kernel.actor import Actor, platform
from anze.kernel.alert import Party
from anze.kernel.scope import EVERYTHING, Scope
from anze.library.models import Certificate, SignUp, Training
from anze.monitoring.models import Alert, Bulletin
from anze.parties.models import Appeal, Application, Enterprise, Expert, Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.complaints import Told, make_complaint
from anze.prevention.actions.confirmations import Call, Said, answer_service, record_call, scope_of_service
from anze.prevention.models import (
    Agreement,
    AgreementPrice,
    AnnualPlan,
    Complaint,
    Conflict,
    Likeness,
    Order,
    OrderExpert,
    PlanItem,
    Population,
    QualityCheck,
    Report,
    Sample,
    Service,
    Task,
    TaskShare,
    Topic,
    Visit,
    VisitChange,
    VisitEntry,
)
from anze.prevention.rules.confirmations import Answer
from anze.underwriting.models import (
    Finding,
    FindingNote,
    Invitation,
    Obligation,
    Offer,
    Policy,
    QuoteRequest,
    RegisterDispute,
)
from tests.cast import NOW, XINGHUO, YUANFAN, Cast, enterprise_row, policy_row
from tests.exchange.examples import example

# words that stand in rows of one side only: whoever must not see the side must never find them on a page
OWN_MARK, FOREIGN_MARK = "OWN7", "FRGN9"


def row(feed: str, **words: Any) -> dict[str, Any]:
    return example(FEEDS[feed], **words)


def one_side(cast: Cast, insurer: Organisation, uscc: str, mark: str, agency: str, expert: str) -> None:
    """A policy of one insurer with one row of everything that hangs on it, each number carrying the mark."""
    policy = f"P-{mark}"
    send = cast.accepted
    send(
        insurer,
        "policies",
        policy_row(policy, uscc, premium_written="77777.77" if mark == FOREIGN_MARK else "11111.11"),
    )
    send(insurer, "endorsements", row("endorsements", endorsement_no=f"E-{mark}", policy_no=policy))
    send(insurer, "receipts", row("receipts", receipt_no=f"R-{mark}", policy_no=policy))
    items = [{**row("plans")["items"][0], "agency_code": agency}]
    send(
        insurer,
        "plans",
        row("plans", plan_no=f"A-{mark}", policy_no=policy, goals=f"目标{mark}", items=items),
    )
    persons = [{"kind": "EXPERT", "name": f"专家{mark}", "expert_number": expert}]
    send(
        insurer,
        "services",
        row(
            "services",
            service_no=f"S-{mark}",
            policy_no=policy,
            plan_no=f"A-{mark}",
            agency_code=agency,
            persons=persons,
        ),
    )
    _words(Service.objects.get(service_no=f"S-{mark}"), mark)
    send(insurer, "hazards", row("hazards", hazard_no=f"H-{mark}", insured_uscc=uscc, service_no=f"S-{mark}"))
    send(
        insurer,
        "expenses",
        row("expenses", expense_no=f"X-{mark}", policy_no=policy, service_no=f"S-{mark}", agency_code=agency,
            invoice_no=f"I-{mark}"),
    )  # fmt: skip
    training(insurer, uscc, mark, agency, expert)
    send(insurer, "accidents", row("accidents", accident_no=f"G-{mark}", insured_uscc=uscc))
    send(insurer, "claims", row("claims", claim_no=f"L-{mark}", policy_no=policy, accident_no=f"G-{mark}"))
    one_visit(insurer, policy, mark, agency, expert)


def one_visit(insurer: Organisation, policy_no: str, mark: str, agency: str, expert: str) -> None:
    """A submitted visit with an entry, and a version of it that waits to be picked."""
    policy = Policy.objects.get(insurer=insurer, policy_no=policy_no)
    scope = {
        "enterprise_id": policy.enterprise_id,
        "insurer_id": insurer.pk,
        "agency_id": Organisation.objects.get(code=agency).pk,
        "region_code": policy.region_code,
        "sector": policy.sector,
    }
    visit = Visit.objects.create(
        visit_no=f"V-{mark}",
        policy=policy,
        expert=Expert.objects.get(number=expert),
        service_type="HAZARD",
        form="COMMISSIONED_TSP",
        state="SUBMITTED",
        planned_on=policy.start_on,
        started_at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
        ended_at=datetime(2026, 3, 2, 2, 0, tzinfo=UTC),
        submitted_at=datetime(2026, 3, 2, 3, 0, tzinfo=UTC),
        versions_open=1,
        problems=[{"feed": "hazards", "field": "deadline_on", "code": "deadline_before_found", "values": {}}],
        **scope,
    )
    said = {"text": f"备注{mark}"}
    moment = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    entry = VisitEntry.objects.create(visit=visit, kind="NOTE", payload=said, made_at=moment, **scope)
    VisitChange.objects.create(
        id=uuid4(), visit=visit, entry_id=entry.pk, kind="NOTE", payload={"text": f"另一版{mark}"}, base_revision=0,
        revision=1, outcome="CONFLICT", made_at=moment, received_at=moment, **scope,
    )  # fmt: skip


def photos(cast: Cast) -> None:
    """The same picture twice on each side; each row carries its side's mark."""
    sides = (
        (OWN_MARK, cast.huaihai, cast.agency, cast.expert, cast.xinghuo),
        (FOREIGN_MARK, cast.bohai, cast.other_agency, cast.other_expert, cast.yuanfan),
    )
    for shade, (mark, insurer, agency, expert, enterprise) in enumerate(sides, 1):
        made = io.BytesIO()
        Image.effect_noise((320, 240), 60 * shade).save(made, "PNG")
        for _again in range(2):
            visit = Subject(
                kind="check",
                id=uuid4(),
                title=f"V-{mark}",
                may_add=True,
                region_code=enterprise.region_code,
                sector=enterprise.sector,
                insurer_id=insurer.pk,
                agency_id=agency.pk,
                expert_id=expert.pk,
                enterprise_id=enterprise.pk,
            )
            sender = platform(frozenset({Permission.ADD_EVIDENCE}))
            receive_media(visit, by=sender, at=NOW, content=arrived(made.getvalue()), file_name=f"F-{mark}.png")
        Match.objects.filter(second__file_name=f"F-{mark}.png").update(reason=f"M-{mark}")


def repeated(cast: Cast) -> None:
    """On each side a report that repeats another; the other's service is void, so that nobody counts it."""
    for mark, insurer in ((OWN_MARK, cast.huaihai), (FOREIGN_MARK, cast.bohai)):
        second = Service.objects.get(service_no=f"S-{mark}")
        first = Service.objects.get(pk=second.pk)
        first.pk, first.service_no, first.is_void, first.report_text = uuid4(), f"T-{mark}", True, f"报告{mark}"
        first.save(force_insert=True)
        Likeness.objects.create(
            first=first, second=second, likeness=1, grade="NOTICE", found_at=NOW, is_across=False,
            region_code=second.region_code, sector=second.sector, insurer_id=insurer.pk, agency_id=second.agency_id,
            first_insurer=insurer, second_insurer=insurer, first_enterprise_id=second.enterprise_id,
            second_enterprise_id=second.enterprise_id, state="EXAMINED", decided_at=NOW, reason=f"雷同{mark}",
        )  # fmt: skip


def training(insurer: Organisation, uscc: str, mark: str, agency: str, expert: str) -> None:
    """Somebody of the side who was at one training, with his certificate; seen by all parties of the side."""
    held, _is_new = Training.objects.get_or_create(
        code="PX-1",
        defaults={"title_zh": "示例培训", "title_en": "Training", "host": insurer, "place": "示例会场", "capacity": 99,
                  "starts_at": NOW, "ends_at": NOW + timedelta(hours=2), "state": "UNDER_WAY"},
    )  # fmt: skip
    enterprise = Enterprise.objects.get(uscc=uscc)
    words = {
        "attendee": f"学员{mark}", "insurer": insurer, "enterprise": enterprise, "region_code": enterprise.region_code,
        "agency": Organisation.objects.get(code=agency), "expert": Expert.objects.get(number=expert),
        "sector": enterprise.sector, "training": held,
    }  # fmt: skip
    row = SignUp.objects.create(signed_up_at=NOW, state="PRESENT", present_at=NOW, **words)
    Certificate.objects.create(number=f"PX-{mark}", token=f"token-{mark}", sign_up=row, issued_at=NOW, **words)


def _words(service: Service, mark: str) -> None:
    """What the enterprise and the insurer said about a service, and a complaint about it."""
    scope = Scope(reader="anze_enterprise", enterprise_id=service.enterprise_id)
    holder = Actor(name=f"负责人{mark}", scope=scope, permissions=frozenset({Permission.CONFIRM_SERVICES}))
    said = Said(Answer.NOBODY, f"负责人{mark}", f"无人到场{mark}", stars=2, comment=f"评语{mark}")
    answer_service(service, by=holder, at=NOW, said=said)
    clerk = Actor(name=f"回访员{mark}", scope=EVERYTHING, permissions=frozenset({Permission.ISSUE_REPORTS}))
    record_call(service, by=clerk, at=NOW, call=Call(NOW.date(), True, f"负责人{mark}", 4, f"意见{mark}"))


def alerts(cast: Cast) -> None:
    """One alert of each side, addressed to everybody it concerns."""
    for mark, insurer, enterprise, agency, expert in (
        (OWN_MARK, cast.huaihai, cast.xinghuo, cast.agency, cast.expert),
        (FOREIGN_MARK, cast.bohai, cast.yuanfan, cast.other_agency, cast.other_expert),
    ):
        service = Service.objects.get(service_no=f"S-{mark}")
        Alert.objects.create(
            code="SERVICE_DUE",
            subject=service.pk,
            episode="",
            level="GENERAL",
            parties=[each.value for each in Party],
            reached="COUNTY",
            row_id=service.policy.plans.get().pk,
            label=f"AL-{mark}",
            facts={"plan": f"A-{mark}", "service": "HAZARD", "until": "2026-12-01", "times": 1, "done": 0},
            begins_on=NOW.date(),
            due_on=NOW.date(),
            opened_at=NOW,
            insurer=insurer,
            enterprise=enterprise,
            agency=agency,
            expert=expert,
            region_code=enterprise.region_code,
            sector=enterprise.sector,
        )


def two_sides(cast: Cast) -> None:
    cast.accepted(
        cast.province,
        "enterprises",
        enterprise_row(XINGHUO, f"星火示例铸造{OWN_MARK}", "370102", "SMELT", registered_workers=100),
        enterprise_row(YUANFAN, f"远帆示例渔业{FOREIGN_MARK}", "370202", "FISHERY", registered_workers=40),
    )
    listed = {"source": f"底数{OWN_MARK}"}, {"source": f"底数{FOREIGN_MARK}"}
    cast.accepted(
        cast.province,
        "obligations",
        row("obligations", uscc=XINGHUO, sector="SMELT", **listed[0]),
        row("obligations", uscc=YUANFAN, sector="FISHERY", **listed[1]),
    )
    one_side(cast, cast.huaihai, XINGHUO, OWN_MARK, "AGY01", "EXP001")
    one_side(cast, cast.bohai, YUANFAN, FOREIGN_MARK, "AGY02", "EXP002")
    chain(cast)
    claims_and_complaints(cast)
    entering(cast)
    photos(cast)
    repeated(cast)
    money(cast)
    alerts(cast)
    cover(cast)
    checked(cast)
    campaign(cast)
    bulletins(cast)


def experts_assessed(cast: Cast) -> CampaignOfScores:
    """An assessment of experts under appeal, with a result of each side's; what hangs on the foreign one is marked."""
    load_schemes()
    scheme = Scheme.objects.get(code="EXAMPLE-EXPERT")
    made = CampaignOfScores.objects.create(
        code="EXPERT-202501-202512", title="2025年度专家评估", subject="EXPERT", scheme=scheme, state="PROVISIONAL",
        period_from=date(2025, 1, 1), period_to=date(2025, 12, 31), as_of=date(2025, 12, 31), made_at=NOW, made_by="示例",
        frozen_at=NOW, computed_at=NOW, provisional_at=NOW, appeal_until_at=NOW + timedelta(days=14),
    )  # fmt: skip
    points = {element.code: ["1.000000", "SCORED"] for element in scheme.text.elements}
    sides = ((OWN_MARK, cast.expert, cast.xinghuo, "81.25"), (FOREIGN_MARK, cast.other_expert, cast.yuanfan, "93.75"))
    for mark, expert, enterprise, score in sides:
        of: dict[str, Any] = {"expert_id": expert.pk, "agency_id": expert.agency_id}
        for level, region in (("PROVINCE", "370000"), ("CITY", enterprise.region_code[:4] + "00")):
            outcome = Outcome.objects.create(
                campaign=made, level=level, region_code=region, score=score, computed_score=score, grade="B", rank=1,
                earned=score, possible=100, bonus=0, deduction=0, points=points, **of,
            )  # fmt: skip
            Tally.objects.create(outcome=outcome, campaign=made, region_code=region, measures={}, cases={}, **of)
        Forecast.objects.create(
            scheme=scheme,
            region_code="370000",
            period_from=NOW.date(),
            as_of=NOW.date(),
            made_at=NOW,
            score=score,
            **of,
        )
        if mark == OWN_MARK:
            continue
        place = {"region_code": enterprise.region_code, "sector": enterprise.sector, "enterprise_id": enterprise.pk}
        row = FrozenRow.objects.create(
            campaign=made, input="expert_timeliness", source="services", label=f"S-{mark}", numerator=1, denominator=1,
            reason="", content="", **place, **of,
        )  # fmt: skip
        ReviewItem.objects.create(
            campaign=made, row=row, label=row.label, input=row.input, rank=1, digest="0", due_at=NOW, **row.readers
        )
        ConductCase.objects.create(
            code="V1", happened_on=NOW.date(), document_no=f"鲁示例〔2026〕{mark}", text=f"案情{mark}", confirmed_at=NOW,
            confirmed_by="示例", region_code=enterprise.region_code, **of,
        )  # fmt: skip
        whole = Outcome.objects.get(campaign=made, level="PROVINCE", **of)
        Feedback.objects.create(
            outcome=whole, campaign=made, region_code="370000", text=f"反馈{mark}", given_at=NOW, given_by="示例",
            due_at=NOW, **of,
        )  # fmt: skip
        ScoreAppeal.objects.create(
            outcome=whole, campaign=made, region_code="370000",
            number=f"SS-{mark}", element="Q1", text=f"异议{mark}", submitted_at=NOW, submitted_by="示例", due_at=NOW, **of,
        )  # fmt: skip
    return made


def money(cast: Cast) -> None:
    """A finding about the expense of each side."""
    for mark in (OWN_MARK, FOREIGN_MARK):
        expense = Expense.objects.get(expense_no=f"X-{mark}")
        of = {name: getattr(expense, name) for name in ("enterprise_id", "insurer_id", "region_code", "sector")}
        ExpenseFinding.objects.create(
            kind="NO_SERVICE", subject_id=expense.pk, expense=expense, policy_id=expense.policy_id, amount=1200,
            facts={"amount": 1200, "payee": f"收款方{mark}"}, found_at=NOW, **of,
        )  # fmt: skip
        insurer = cast.huaihai if mark == OWN_MARK else cast.bohai
        agency = cast.agency if mark == OWN_MARK else cast.other_agency
        cast.accepted(insurer, "invoices", row("invoices", invoice_no=f"I-{mark}", agency_code=agency.code))
        statement = Statement.objects.create(
            insurer=insurer, agency=agency, month=date(2026, 5, 1), services=1, agreed=1200, state="DRAWN", drawn_at=NOW,
            objection=f"异议{mark}", region_code="370000",
        )  # fmt: skip
        agreed = Agreement.objects.create(
            agreement_no=f"K-{mark}", insurer=insurer, agency=agency, start_on=NOW.date(), end_on=NOW.date(),
            until_on=NOW.date(), words=f"约定{mark}", state="PROPOSED", proposed_at=NOW, proposed_by=f"经理{mark}",
            answer_due_at=NOW, region_code="370000",
        )  # fmt: skip
        AgreementPrice.objects.create(
            agreement=agreed, service_type="HAZARD", price="77777.77" if mark == FOREIGN_MARK else "11111.11",
            insurer=insurer, agency=agency, region_code="370000",
        )  # fmt: skip
        service = Service.objects.get(service_no=f"S-{mark}")
        StatementLine.objects.create(
            statement=statement, service=service, price=1200, source="ORDER", ordered=1200, insurer_id=insurer.pk, agency_id=agency.pk,
            region_code="370000",
        )  # fmt: skip


def cover(cast: Cast) -> None:
    """A finding about the cover of each side with a note, and a dispute about its register entry."""
    sides = ((OWN_MARK, cast.huaihai, cast.xinghuo), (FOREIGN_MARK, cast.bohai, cast.yuanfan))
    for mark, insurer, enterprise in sides:
        of = {"enterprise_id": enterprise.pk, "region_code": enterprise.region_code, "sector": enterprise.sector}
        entry = Obligation.objects.get(enterprise=enterprise)
        policy = Policy.objects.get(policy_no=f"P-{mark}")
        finding = Finding.objects.create(
            kind="SUBSTITUTE", subject=policy.pk, policy=policy, insurer=insurer, obligation=entry, state="REMINDED",
            since_on=policy.start_on, note=f"险种{mark}", opened_at=NOW, reminded_at=NOW, reply_due_at=NOW, reminders=1,
            **of,
        )  # fmt: skip
        FindingNote.objects.create(
            finding=finding, kind="REMINDER", side="AUTHORITY", said_by="示例局", said_at=NOW, words=f"提醒{mark}",
            insurer_id=insurer.pk, **of,
        )  # fmt: skip
        RegisterDispute.objects.create(
            obligation=entry, ground="NOT_OBLIGED", words=f"异议{mark}", side="ENTERPRISE", raised_by=f"负责人{mark}",
            raised_at=NOW, due_at=NOW, state="OPEN", **of,
        )  # fmt: skip
        asked = QuoteRequest.objects.create(
            request_no=f"Q-{mark}", workers=10, registered_workers=10, limit_per_person=500000, limit_per_accident=500000,
            aggregate_limit=500000, start_on=policy.end_on, end_on=policy.end_on.replace(year=policy.end_on.year + 1),
            wishes=f"愿望{mark}", trial_premium=1000, asked_at=NOW, asked_by=f"负责人{mark}", answer_due_at=NOW,
            state="OPEN", **of,
        )  # fmt: skip
        Invitation.objects.create(request=asked, insurer=insurer, **of)
        Offer.objects.create(
            offer_no=f"F-{mark}", request=asked, insurer=insurer, product_name=f"产品{mark}", limit_per_person=500000,
            limit_per_accident=500000, aggregate_limit=500000, rate_base=0, rate_final=0, agreed_expense_ratio=0,
            premium="77777.77" if mark == FOREIGN_MARK else "11111.11", visits=1, valid_to_on=policy.end_on,
            state="SENT", sent_at=NOW, **of,
        )  # fmt: skip


def claims_and_complaints(cast: Cast) -> None:
    """A loss notice, a complaint and a review of each side; each carries its side's mark."""
    sample = ClaimSample.objects.create(
        title="示例抽查", kind="RANDOM", period_from=NOW.date(), period_to=NOW.date(), size=2, population_count=2,
        population_sha256="0" * 64, fixed_at=NOW, fixed_by="示例", state="DRAWN", seed="1", drawn_at=NOW,
    )  # fmt: skip
    ClaimPopulation.objects.create(sample=sample, keys="")
    sides = (
        (OWN_MARK, cast.huaihai, cast.agency, cast.xinghuo),
        (FOREIGN_MARK, cast.bohai, cast.other_agency, cast.yuanfan),
    )
    for rank, (mark, insurer, agency, enterprise) in enumerate(sides, 1):
        scope = {
            "enterprise_id": enterprise.pk, "insurer_id": insurer.pk, "region_code": enterprise.region_code,
            "sector": enterprise.sector,
        }  # fmt: skip
        policy = Policy.objects.get(policy_no=f"P-{mark}")
        LossNotice.objects.create(
            notice_no=f"B-{mark}", policy=policy, occurred_at=NOW, place=f"车间{mark}", kind="FALL", claimed=1,
            description=f"经过{mark}", contact=f"联系人{mark}", sent_at=NOW, sent_by=f"报案人{mark}", **scope,
        )  # fmt: skip
        claim = Claim.objects.get(claim_no=f"L-{mark}")
        ClaimReview.objects.create(
            sample=sample, claim=claim, rank=rank, digest=mark, amount=1, reasons=f"理由{mark}", **scope
        )
        holder = Actor(
            name=f"投诉人{mark}",
            scope=Scope(reader="anze_enterprise", enterprise_id=enterprise.pk),
            permissions=frozenset({Permission.MAKE_COMPLAINTS}),
        )
        told = Told("QUALITY", f"投诉{mark}", name=f"投诉人{mark}", insurer=insurer.pk)
        made = make_complaint(enterprise, by=holder, at=NOW, told=told).complaint
        Complaint.objects.filter(pk=made.pk).update(side="AGENCY", agency=agency)


def chain(cast: Cast) -> None:
    """A topic with a task, both insurers' shares and annual plans, and an order and a conflict of each side."""
    day, at = date(2026, 11, 25), NOW
    topic = Topic.objects.create(
        code="TM-1", title="示例题目", goals="示例目标", starts_on=day, ends_on=day, state="ISSUED", issued_at=at,
        authority=cast.jinan, region_code="370100",
    )  # fmt: skip
    task = Task.objects.create(
        code="RW-1", title="示例任务", topic=topic, service_type="HAZARD", measure="TIMES", total_times=4, starts_on=day,
        ends_on=day, rule="FIXED", fixed={"INS01": 3, "INS02": 1}, state="ISSUED", issued_at=at, region_code="370000",
    )  # fmt: skip
    for insurer, times in ((cast.huaihai, 3), (cast.bohai, 1)):
        TaskShare.objects.create(task=task, task_code=task.code, insurer=insurer, times=times, answer_due_at=at)
        AnnualPlan.objects.create(
            insurer=insurer, year=2026, services={"HAZARD": times}, total_times=times, enterprises=times, budget=1000,
            due_at=at, state="SUBMITTED", submitted_at=at,
        )  # fmt: skip
    for mark, agency, expert in (
        (OWN_MARK, cast.agency, cast.expert), (FOREIGN_MARK, cast.other_agency, cast.other_expert),
    ):  # fmt: skip
        item = PlanItem.objects.get(plan__plan_no=f"A-{mark}")
        of = {name: getattr(item, name) for name in ("enterprise_id", "insurer_id", "region_code", "sector")}
        order = Order.objects.create(
            order_no=f"O-{mark}", policy_id=item.policy_id, plan_item=item, task=task, service_type="HAZARD",
            form="COMMISSIONED_TSP", planned_on=day, due_on=day, price=1000, state="SENT", sent_at=at,
            answer_due_at=at, agency=agency, scope=f"范围{mark}", **of,
        )  # fmt: skip
        OrderExpert.objects.create(order=order, expert=expert, planned_on=day, agency=agency, is_leader=True, **of)
        del of["insurer_id"]
        Conflict.objects.create(
            expert=expert, reason="OTHER", note=f"说明{mark}", declared_on=day, declared_by=f"示例申报人{mark}", **of
        )


def checked(cast: Cast) -> None:
    """A report of each side's service, and both services drawn in one sample, each with its sheet."""
    sample = Sample.objects.create(
        title=f"示例抽查{OWN_MARK}", period_from=date(2026, 1, 1), period_to=date(2026, 12, 31), size=2,
        population_count=2, population_sha256="0" * 64, fixed_at=NOW, fixed_by="示例评审员", state="DRAWN", seed="7",
        seed_source="示例来源", drawn_at=NOW,
    )  # fmt: skip
    Population.objects.create(sample=sample, keys="1\n2")
    for rank, mark in enumerate((OWN_MARK, FOREIGN_MARK), 1):
        service = Service.objects.get(service_no=f"S-{mark}")
        file = keep_original(arrived(f"%PDF-1.7 {mark}".encode()), FileType.PDF, None, NOW)
        Report.objects.create(
            **scope_of_service(service), number=f"BG20261123-{mark}", check_code=f"CODE{mark}", issue=1,
            language="zh-hans", issued_at=NOW, issued_on=NOW.date(), issued_by=f"出具人{mark}",
            content={"language": "zh-hans", "parts": [], "signatures": []}, content_sha256=f"{rank}" * 64,
            signed=f"AZ1.{mark}", original=file, file_sha256=file.sha256, service_version=1,
        )  # fmt: skip
        QualityCheck.objects.create(
            **scope_of_service(service), sample=sample, rank=rank, digest=f"{rank}" * 64, state="RETURNED", mark=40,
            reasons=f"理由{mark}", reviewer_name=f"评审员{mark}", marked_at=NOW, service_version=1, rounds=1,
        )  # fmt: skip


def bulletins(cast: Cast) -> None:
    """A bulletin of the insurer of each side, in its city."""
    words: dict[str, Any] = {"indicators": {}, "regions": {}, "insurers": {}, "alerts": {}}
    nothing: dict[str, Any] = {
        **{name: [] for name in ("five", "further", "money", "alerts")},
        **{name: {} for name in ("targets", "whole", "year", "regions", "insurers")},
        "words": {"zh-hans": words, "en": words},
    }
    for mark, region, insurer in ((OWN_MARK, "370100", cast.huaihai), (FOREIGN_MARK, "370200", cast.bohai)):
        Bulletin.objects.create(
            region_code=region, insurer=insurer, month=date(2026, 10, 1), edition=1, as_of=NOW.date(), refreshed_at=NOW, made_at=NOW,
            made_by=f"示例发布{mark}", content=nothing, checksum="0" * 64,
        )  # fmt: skip


def campaign(cast: Cast) -> None:
    """A running campaign that concerns both sides; each has its enterprise, its attendance and its hazard in it."""
    made = Campaign.objects.create(
        code="ZX-1", title=f"示例专项行动{OWN_MARK}", authority=cast.province, starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31), state="RUNNING",
    )  # fmt: skip
    group = CampaignGroup.objects.create(campaign=made, name="示例专家组")
    CampaignMember.objects.create(group=group, expert=cast.expert, is_leader=True)
    for mark, insurer, enterprise in (
        (OWN_MARK, cast.huaihai, cast.xinghuo), (FOREIGN_MARK, cast.bohai, cast.yuanfan),
    ):  # fmt: skip
        of = {
            "campaign": made, "insurer": insurer, "enterprise": enterprise, "region_code": enterprise.region_code,
            "sector": enterprise.sector, "group": group if mark == OWN_MARK else None,
        }  # fmt: skip
        CampaignEnterprise.objects.create(reason="FILTER", **of)
        found = {name: of[name] for name in ("insurer", "enterprise", "region_code", "sector")}
        OwnFinding.objects.create(
            found_on=NOW.date(), description=f"自查{mark}", reported_at=NOW, reported_by=f"自查人{mark}", **found
        )
        Attendance.objects.create(on=NOW.date(), name=f"随行{mark}", helps=True, **of)
        Hazard.objects.filter(hazard_no=f"H-{mark}").update(campaign_code=made.code)


def entering(cast: Cast) -> None:
    """An application and an appeal of each side's insurer, agency, expert and enterprise."""
    sides = (
        (OWN_MARK, cast.huaihai, cast.agency, cast.expert, cast.xinghuo),
        (FOREIGN_MARK, cast.bohai, cast.other_agency, cast.other_expert, cast.yuanfan),
    )
    for mark, insurer, agency, expert, enterprise in sides:
        parties: tuple[dict[str, Any], ...] = (
            {"organisation": insurer}, {"organisation": agency}, {"expert": expert}, {"enterprise": enterprise},
        )  # fmt: skip
        for n, party in enumerate(parties):
            is_enterprise = "enterprise" in party
            Application.objects.create(
                number=f"RZ-{mark}-{n}", kind="ENTERPRISE" if is_enterprise else "QUALIFICATION", state="SUBMITTED",
                name=f"申请人{mark}", begun_at=NOW, submitted_at=NOW, due_at=NOW, contact_name=f"联系人{mark}",
                region_code=enterprise.region_code if is_enterprise else "370000", details={"sector": "OTHER"}, **party,
            )  # fmt: skip
            Appeal.objects.create(
                number=f"SS-{mark}-{n}", subject_kind="standing", subject=uuid4(), title=f"暂停{mark}", decided_on=NOW.date(),
                party_name=f"当事人{mark}", grounds=f"理由{mark}", raised_at=NOW, raised_by=f"代表{mark}", due_at=NOW,
                region_code=enterprise.region_code if is_enterprise else "", **party,
            )  # fmt: skip
