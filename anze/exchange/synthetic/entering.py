"""Those who want to come in, members of the committee, a suspension under appeal: what reviewers find to do."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from anze.evidence.actions.papers import keep_paper
from anze.kernel.actor import Actor
from anze.kernel.duty import BEIJING
from anze.kernel.identifiers import make_uscc
from anze.parties.access import actor_for
from anze.parties.actions.appeals import find_appealed, raise_appeal
from anze.parties.actions.entering import (
    Stated,
    advise_application,
    begin_application,
    begin_renewal,
    holder_of,
    refuse_application,
    return_application,
    submit_application,
)
from anze.parties.models import Account, Application, Membership, Organisation, Seat, Standing
from anze.parties.rules import DocumentKind, OrganisationKind, Role
from anze.parties.rules.entering import SeatRole, SeatState, needed_papers
from anze.screen.typesetting import typeset

_PHONE = "05310000000"


def _at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=BEIJING)


def create_entering(as_of: date) -> None:
    """After the people; the scope must be everything."""
    _seats()
    people = {
        each.role: actor_for(each)
        for each in Membership.objects.select_related("account", "organisation", "organisation__parent", "expert")
    }
    _newcomers(as_of, people)
    _renewals(as_of, people)
    _appeal(as_of, people)


def _seats() -> None:
    """Every insurer and most agencies joined; the largest lead."""
    seats = []
    for kind, first, step in (
        (OrganisationKind.INSURER, date(2022, 3, 1), 37),
        (OrganisationKind.AGENCY, date(2022, 4, 1), 13),
    ):
        for n, organisation in enumerate(Organisation.objects.filter(kind=kind).order_by("code")):
            joined = first + timedelta(days=step * n)
            asks = kind == OrganisationKind.AGENCY and n % 12 == 11
            seats.append(
                Seat(
                    organisation=organisation,
                    state=SeatState.ASKED if asks else SeatState.MEMBER,
                    role=SeatRole.DIRECTOR if n < 5 else SeatRole.MEMBER,
                    representative=f"示例代表{n + 1}",
                    asked_on=joined - timedelta(days=20),
                    joined_on=None if asks else joined,
                )
            )
    Seat.objects.bulk_create(seats)


_NAMES = {
    DocumentKind.BUSINESS_LICENCE: "营业执照", DocumentKind.PERMIT: "业务许可证", DocumentKind.WORDING: "条款费率备案表",
    DocumentKind.STAFF: "人员名单", DocumentKind.CERTIFICATE: "资质证书", DocumentKind.EVIDENCE: "证据材料",
}  # fmt: skip


def _paper(application: Any, kind: DocumentKind, at: datetime) -> bytes:
    name = getattr(application, "name", "") or getattr(application, "party_name", "")
    lines = [name, "本材料由演示程序生成，所载单位和人员均为虚构。", f"{at:%Y-%m-%d}"]
    return typeset(
        "exchange/demo_paper.typ", {"title": f"{_NAMES[kind]}（演示）", "lines": lines}, at=at, archival=False
    )


def _with_papers(application: Application, at: datetime) -> Application:
    for kind in needed_papers(application.kind):
        keep_paper(
            application, "application", by=holder_of(application), at=at, kind=kind,
            content=_paper(application, kind, at), file_name=f"{_NAMES[kind]}.pdf",
        )  # fmt: skip
    return submit_application(application, by=holder_of(application), at=at)


def _licence(kind: str, number: str, as_of: date) -> dict[str, str]:
    return {
        "kind": kind, "number": number, "issuer": "省级发证机关（演示）", "scope": "",
        "valid_from": (as_of - timedelta(days=200)).isoformat(), "valid_to": (as_of + timedelta(days=1600)).isoformat(),
    }  # fmt: skip


def _newcomers(as_of: date, people: dict[str, Actor]) -> None:
    """One of each kind under review, one returned, one refused that appeals."""

    def enter(kind: str, name: str, region: str, n: int, days: int, **words: Any) -> Application:
        details, uscc = words, "" if kind == "EXPERT" else make_uscc("370102", 980_000 + n)
        stated = Stated(
            name=name, region_code=region, contact_name=f"示例联系人{n}", uscc=uscc, contact_phone=_PHONE,
            username=f"entrant{n}", details=details,
        )  # fmt: skip
        nobody = holder_of(Application(contact_name=stated.contact_name))
        at = _at(as_of - timedelta(days=days))
        return _with_papers(begin_application(kind, by=nobody, at=at, stated=stated), at)

    insurer = enter("INSURER", "云门示例财产保险股份有限公司山东分公司", "370000", 1, 4, short_name="云门示例财险",
                    qualification=_licence("LIABILITY_LICENCE", "JR-0901", as_of))  # fmt: skip
    advise_application(insurer, by=people[Role.COMMITTEE], at=_at(as_of - timedelta(days=2)),
                       advice="已在外省开展安责险业务，事故预防服务人员配备齐全，建议予以吸收。")  # fmt: skip
    enter("AGENCY", "云门示例安全技术服务有限公司", "370700", 2, 3, short_name="云门示例安全",
          qualification=_licence("SAFETY_EVALUATION", "APJ-(鲁)-901", as_of))  # fmt: skip
    enter("EXPERT", "示例申请专家", "370700", 3, 18, sector="SMELT", title="高级工程师",
          qualification=_licence("SAFETY_ENGINEER", "ZA-0901", as_of))  # fmt: skip
    enter("ENTERPRISE", "云门示例机械制造有限公司", "370783", 4, 1, sector="OTHER", size="SMALL", registered_workers=45,
          address="云门示例工业园1号")  # fmt: skip
    returned = enter("ENTERPRISE", "海岱示例铸造有限公司", "370783", 5, 6, sector="SMELT", size="MEDIUM",
                     registered_workers=210, address="海岱示例工业园6号")  # fmt: skip
    return_application(returned, by=people[Role.CITY_REGULATOR], at=_at(as_of - timedelta(days=5)),
                       reason="营业执照扫描件不清晰，请重新上传；从业人员数应包含劳务派遣人员。")  # fmt: skip
    refused = enter("AGENCY", "海岱示例安全咨询有限公司", "370100", 6, 12, short_name="海岱示例咨询",
                    qualification=_licence("SAFETY_EVALUATION", "APJ-(鲁)-902", as_of))  # fmt: skip
    refuse_application(refused, by=people[Role.PROVINCE_REGULATOR], at=_at(as_of - timedelta(days=8)),
                       refusal="NO_STAFF", reason="人员名单中持证人员不足，且无金属冶炼行业专业人员。")  # fmt: skip
    holder = holder_of(refused)
    decision = find_appealed("application", refused.pk, holder)
    if decision is not None:
        at = _at(as_of - timedelta(days=6))
        appeal = raise_appeal(decision, by=holder, at=at, kind="application",
                              grounds="本公司持证人员共8名，其中金属冶炼专业2名，名单第二页漏传，现补充证据。")  # fmt: skip
        keep_paper(appeal, "appeal", by=holder, at=at, kind=DocumentKind.EVIDENCE,
                   content=_paper(appeal, DocumentKind.EVIDENCE, at), file_name="人员名单第二页.pdf")  # fmt: skip


def _renewals(as_of: date, people: dict[str, Actor]) -> None:
    """The demonstration's agency renews its licence; it was returned once."""
    by = people[Role.AGENCY]
    agency = Membership.objects.select_related("organisation").get(role=Role.AGENCY).organisation
    assert agency is not None
    stated = Stated(
        name=agency.name, region_code=agency.region_id, uscc=agency.uscc, contact_name=by.name, contact_phone=_PHONE,
        details={"qualification": _licence("SAFETY_EVALUATION", f"APJ-(鲁)-{agency.code[-2:]}90", as_of)},
    )  # fmt: skip
    at = _at(as_of - timedelta(days=5))
    renewal = _with_papers(begin_renewal(agency, by=by, at=at, stated=stated), at)
    return_application(renewal, by=people[Role.COMMITTEE], at=_at(as_of - timedelta(days=3)),
                       reason="证书扫描件缺少附页，请补充业务范围页。")  # fmt: skip


def _appeal(as_of: date, people: dict[str, Actor]) -> None:
    """The agency that is suspended in the demonstration says it should not be."""
    standing = Standing.objects.filter(organisation__isnull=False).select_related("organisation").first()
    if standing is None:
        return
    decided = Standing.objects.filter(pk=standing.pk)
    decided.update(
        decided_on=standing.from_on, decided_role=Role.COMMITTEE, decided_account=people[Role.COMMITTEE].account_id,
        decided_by=Organisation.objects.get(code="COMMITTEE"),
    )  # fmt: skip
    Standing.objects.filter(expert__isnull=False).update(
        decided_on=as_of - timedelta(days=90), decided_role=Role.PROVINCE_REGULATOR,
        decided_account=people[Role.PROVINCE_REGULATOR].account_id,
    )  # fmt: skip
    assert standing.organisation is not None
    head = Account(name="示例机构负责人")  # whoever speaks for it; nobody signs in as him
    by = actor_for(Membership(role=Role.AGENCY, organisation=standing.organisation, account=head))
    decision = find_appealed("standing", standing.pk, by)
    if decision is not None:
        raise_appeal(decision, by=by, at=_at(standing.from_on + timedelta(days=7)), kind="standing",
                     grounds="被抽查的三份报告中有两份并非本机构出具，请求核实并解除暂停。")  # fmt: skip
