"""What the demonstration shows of assessments: one of the first months published, with an appeal; this year's in review.

Everything goes through the same actions as in life, only faster: the course of the published one lies in the past.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from anze.assessment.actions.appeals import Decision, Objection, appeal, decide
from anze.assessment.actions.cases import Case, confirm_case
from anze.assessment.actions.course import Draw, Setting, announce, compute, finalise, open_review, publish, set_up
from anze.assessment.actions.feedback import Said, answer_feedback, give_feedback
from anze.assessment.actions.forecasts import forecast_all
from anze.assessment.actions.freezing import freeze
from anze.assessment.actions.packing import sign_result
from anze.assessment.actions.reviews import Told, Verdict, items_of, review_report, review_row, submit_report
from anze.assessment.models import Campaign, Outcome, ReviewItem, Scheme, SelfReport
from anze.assessment.rules import SubjectKind
from anze.assessment.rules.campaigns import Level
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.scope import EVERYTHING, PROVINCE, Scope
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission

_MAY = frozenset(Permission)
_COMMITTEE = Actor("演示专委会秘书", EVERYTHING, _MAY)
_REVIEWER = Actor("演示复核员", EVERYTHING, _MAY)
DRAWN = 2
SEED = ("08 15 22 29 31 05", "演示用种子")


def show_assessments(as_of: date, at: datetime) -> None:
    """Where there are insurers. The scope must be everything."""
    insurers = list(Organisation.objects.filter(kind=OrganisationKind.INSURER, is_active=True).order_by("code"))
    if len(insurers) < 2:
        return
    _confirm(insurers, as_of, at)
    # data begin a year before: the first period ends with May or so
    first_end = (as_of - timedelta(days=178)).replace(day=1) - timedelta(days=1)
    first_from = as_of - timedelta(days=365)
    title = f"{first_from.year}年{first_from.month}月至{first_end.year}年{first_end.month}月效能评估（演示）"
    first = _begin("EXAMPLE-INSURER", title, first_from, first_end)
    moment = at - timedelta(days=(beijing_day(at) - first_end).days - 10)
    _to_publication(first, moment)
    this = beijing_day(at) - timedelta(days=1)
    for code, words in (("EXAMPLE-INSURER", ""), ("EXAMPLE-AGENCY", "技服机构"), ("EXAMPLE-EXPERT", "专家")):
        campaign = _begin(
            code, f"{this.year}年度{words}效能评估（演示）", date(this.year, 1, 1), date(this.year, 12, 31)
        )
        compute(freeze(campaign, by=_COMMITTEE, at=at), by=_COMMITTEE, at=at)
        if code == "EXAMPLE-INSURER":
            _report(campaign, at, leave=1)
            open_review(campaign, by=_COMMITTEE, at=at, draw=Draw(*SEED, DRAWN))
            _review(campaign, at, every=2)
    forecast_all(at=at)


def _begin(code: str, title: str, first: date, last: date) -> Campaign:
    scheme = Scheme.objects.filter(code=code, state="ISSUED").latest("version")
    moment = datetime.combine(last, datetime.min.time()).astimezone()
    return set_up(Setting(title, scheme, first, last), by=_COMMITTEE, at=moment)


def _confirm(insurers: list[Organisation], as_of: date, at: datetime) -> None:
    day = as_of - timedelta(days=200)
    found = (
        (insurers[-1], "A3", "鲁示例决〔2026〕12号", "以明显低于基准的费率承保，责令改正"),
        (insurers[0], "H2", "鲁示例函〔2026〕7号", "无人机巡检尾矿库，经专家核实确有成效"),
    )
    for organisation, code, number, text in found:
        confirm_case(Case(organisation, code, day, number, text, PROVINCE), by=_REVIEWER, at=at)


def _report(campaign: Campaign, at: datetime, *, leave: int) -> None:
    """Every insurer but the last few hands in; one item here and there is not claimed."""
    items = [item.code for item in items_of(campaign.scheme.text)]
    reports = list(SelfReport.objects.filter(campaign=campaign).order_by("outcome__organisation__code"))
    for place, report in enumerate(reports[: len(reports) - leave]):
        met = tuple(code for n, code in enumerate(items) if (place + n) % 5)
        scope = Scope(reader="anze_insurer", region_from=PROVINCE, region_to="37ZZZZ", insurer_id=report.insurer_id)
        by = Actor("演示保险经理", scope, _MAY)
        texts = dict.fromkeys(met, "见制度汇编及任命文件（示例）")
        submit_report(report, by=by, at=at, told=Told(met, texts))


def _review(campaign: Campaign, at: datetime, *, every: int) -> None:
    for place, report in enumerate(SelfReport.objects.filter(campaign=campaign, state="SUBMITTED").order_by("id")):
        if place % every == 0:
            refused = report.met[-1:] if place % 3 == 2 else []
            confirmed = tuple(code for code in report.met if code not in refused)
            remarks = dict.fromkeys(refused, "未见培训签到和考核记录")
            review_report(report, by=_REVIEWER, at=at, confirmed=confirmed, remarks=remarks)
    for place, item in enumerate(ReviewItem.objects.filter(campaign=campaign, state="WAITING").order_by("id")):
        if place % every == 0:
            wrong = place % 24 == 0
            verdict = Verdict.SHORT if wrong else Verdict.AS_IT_IS
            review_row(item, by=_REVIEWER, at=at, verdict=verdict, reasons="现场核对与记录不一致" if wrong else "")


def _to_publication(campaign: Campaign, at: datetime) -> None:
    """From freezing to publication, with one appeal on a refused item."""
    compute(freeze(campaign, by=_COMMITTEE, at=at), by=_COMMITTEE, at=at)
    at += timedelta(days=2)
    _report(campaign, at, leave=0)
    open_review(campaign, by=_COMMITTEE, at=at, draw=Draw(*SEED, DRAWN))
    _review(campaign, at + timedelta(days=3), every=1)
    at += timedelta(days=5)
    announce(campaign, by=_COMMITTEE, at=at)
    outcome = _with_refusal(campaign)
    if outcome is not None:
        scope = Scope(reader="anze_insurer", region_from=PROVINCE, region_to="37ZZZZ", insurer_id=outcome.insurer_id)
        code = next(e.code for e in campaign.scheme.text.elements if e.input == "organisation_checklist")
        objection = Objection(code, "培训签到表和考核成绩已补充提交，见附件清单（示例）")
        made = appeal(outcome, by=Actor("演示保险经理", scope, _MAY), at=at, objection=objection)
        report = SelfReport.objects.get(outcome=outcome)
        decide(
            made, by=_COMMITTEE, at=at + timedelta(days=4),
            decision=Decision("GRANTED", "补充材料齐全，予以认定", {}, tuple(report.met)),
        )  # fmt: skip
    campaign.refresh_from_db()
    assert campaign.appeal_until_at is not None
    at = campaign.appeal_until_at + timedelta(hours=10)
    finalise(campaign, by=_COMMITTEE, at=at)
    sign_result(campaign, by=_COMMITTEE, at=at)
    publish(campaign, by=_COMMITTEE, at=at + timedelta(hours=1))
    _say(campaign, at + timedelta(days=3))


def _say(campaign: Campaign, at: datetime) -> None:
    """The committee speaks to the last two of the ranking; one of them has answered."""
    last = Outcome.objects.filter(campaign=campaign, level=Level.PROVINCE, rank__isnull=False).order_by("-rank")[:2]
    text = "服务完成率和隐患整改率低于全省平均，请分析原因，报送改进措施和完成时限"
    made = [give_feedback(each, by=_COMMITTEE, at=at, said=Said(text, is_to_be_answered=True)) for each in last]
    if made:
        scope = Scope(reader="anze_insurer", region_from=PROVINCE, region_to="37ZZZZ", insurer_id=made[0].insurer_id)
        answer_feedback(
            made[0], by=Actor("演示保险经理", scope, _MAY), at=at + timedelta(days=9),
            answer="已与两家技服机构签订协议，增派专家，年底前补做到期服务并逐条复查未整改隐患（示例）",
        )  # fmt: skip


def _with_refusal(campaign: Campaign) -> Outcome | None:
    for report in SelfReport.objects.filter(campaign=campaign).select_related("outcome").order_by("id"):
        if report.remarks and campaign.subject == SubjectKind.INSURER:
            return report.outcome
    return None
