"""The institutions, which no feed brings: authorities, committee, insurers, agencies, experts."""

from __future__ import annotations

from datetime import date, timedelta

from anze.exchange.synthetic.drawing import Draft
from anze.exchange.synthetic.entities import Province
from anze.exchange.synthetic.parties import CITIES_WITH_BRANCHES
from anze.exchange.synthetic.places import cities, counties
from anze.exchange.synthetic.streams import stream
from anze.parties.models import Expert, Organisation, Qualification
from anze.parties.rules import OrganisationKind, QualificationKind

_MARK = "（演示）"
_TITLES = ("高级工程师", "工程师", "注册安全工程师", "正高级工程师")
_DEPARTMENTS = (
    ("CONSTR", "省住房和城乡建设主管部门", "Housing and Construction Department"),
    ("TRANSPORT", "省交通运输主管部门", "Transport Department"),
    ("FISHERY", "省渔业主管部门", "Fishery Department"),
    ("CIVEXP", "省民爆行业主管部门", "Civil Explosives Department"),
    ("MINE", "省矿山安全主管部门", "Mine Safety Department"),
)


def load_institutions(known: Draft) -> None:
    """Create authorities, committee, insurers with their branches, and agencies; the scope must be everything."""
    found: dict[str, Organisation] = {}

    def add(kind: OrganisationKind, code: str, name: str, region: str, **words: object) -> None:
        found[code] = Organisation(kind=kind, code=code, name=name, region_id=region, **words)

    kind = OrganisationKind
    add(
        kind.EMA,
        "EMA370000",
        f"省应急管理厅{_MARK}",
        "370000",
        name_en="Provincial Emergency Management (demo)",
    )
    for code, name in sorted(cities().items()):
        add(kind.EMA, f"EMA{code}", f"{name}应急管理局{_MARK}", code)
    for county in counties():
        add(kind.EMA, f"EMA{county.code}", f"{county.city_name}{county.name}应急管理局{_MARK}", county.code)
    for sector, name, name_en in _DEPARTMENTS:
        add(kind.SECTOR_DEPARTMENT, f"DEP-{sector}", f"{name}{_MARK}", "370000", sector=sector,
            name_en=f"{name_en} (demo)")  # fmt: skip
    add(kind.FINANCIAL_REGULATOR, "NFRA370000", f"省金融监管部门{_MARK}", "370000",
        name_en="Provincial Financial Regulator (demo)")  # fmt: skip
    add(kind.COMMITTEE, "COMMITTEE", f"安责险事故预防服务专委会{_MARK}", "370000",
        name_en="Prevention Service Committee (demo)")  # fmt: skip
    add(
        kind.PLATFORM,
        "PLATFORM",
        f"安责险服务管理平台运营中心{_MARK}",
        "370000",
        name_en="Platform operator (demo)",
    )
    for insurer in known.insurers:
        entered = date(2022, 3, 1) + timedelta(days=37 * insurer.index)
        add(kind.INSURER, insurer.code, insurer.name, "370000", name_en=insurer.name_en, uscc=insurer.uscc,
            short_name=insurer.short_name, entered_on=entered)  # fmt: skip
    for agency in known.agencies:
        entered = date(2022, 4, 1) + timedelta(days=13 * agency.index)
        add(kind.AGENCY, agency.code, agency.name, agency.city, uscc=agency.uscc, entered_on=entered)
    Organisation.objects.bulk_create(found.values())
    branches = [
        Organisation(
            kind=kind.INSURER_BRANCH,
            code=f"{insurer.code}-{code[:4]}",
            name=f"{insurer.short_name}{name.removesuffix('市')}中心支公司",
            short_name=f"{insurer.short_name}{name.removesuffix('市')}",
            parent=found[insurer.code],
            region_id=code,
        )
        for insurer in known.insurers[:CITIES_WITH_BRANCHES]
        for code, name in sorted(cities().items())
    ]
    Organisation.objects.bulk_create(branches)


def load_experts(province: Province) -> None:
    """Create the experts, and everybody's papers; the scope must be everything."""
    organisations = {each.code: each for each in Organisation.objects.all()}
    experts = []
    papers = []
    for member in province.experts:
        random = stream(province.seed, "papers", member.number)
        expert = Expert(
            name=member.name,
            number=member.number,
            agency=organisations[member.agency.code] if member.agency else None,
            region_id=member.city,
            sector=member.sector,
            title=random.choice(_TITLES),
        )
        experts.append(expert)
        papers.append(
            Qualification(
                kind=QualificationKind.SAFETY_ENGINEER if random.random() < 0.6 else QualificationKind.SENIOR_TITLE,
                expert=expert,
                number=f"{member.certificate_no}-{member.number[3:]}",
                issuer="省级发证机关（演示）",
                valid_from=member.certificate_to - timedelta(days=1460),
                valid_to=member.certificate_to,
            )
        )
    for agency in province.agencies:
        papers.append(
            Qualification(
                kind=QualificationKind.SAFETY_EVALUATION,
                organisation=organisations[agency.code],
                number=f"APJ-(鲁)-{agency.index + 300}",
                issuer="省级发证机关（演示）",
                valid_from=agency.licence_to - timedelta(days=1825),
                valid_to=agency.licence_to,
            )
        )
    for insurer in province.insurers:
        papers.append(
            Qualification(
                kind=QualificationKind.LIABILITY_LICENCE,
                organisation=organisations[insurer.code],
                number=f"JR-{insurer.index + 1:04d}",
                issuer="金融监管部门（演示）",
                valid_from=date(2020, 1, 1),
                valid_to=date(2029, 12, 31),
            )
        )
    Expert.objects.bulk_create(experts)
    Qualification.objects.bulk_create(papers)
