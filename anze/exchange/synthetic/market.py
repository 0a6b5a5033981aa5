"""What insurers publish about themselves, and what enterprises have asked them for."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from anze.kernel.actor import Actor
from anze.kernel.rules import Sector
from anze.kernel.scope import EVERYTHING, Scope
from anze.parties.models import Enterprise, Membership, Organisation
from anze.parties.rules import OrganisationKind, Permission, Role
from anze.underwriting.actions import ask_quotes, decline_request, make_offer, trial_of_request
from anze.underwriting.models import InsurerProfile, Policy, Product

_PROMISES = (
    "接到服务需求24小时内响应，高风险企业每季度上门一次。",
    "重大事故先行赔付，7日内支付无争议部分。",
    "签单后15日内送达服务方案，服务全程可查。",
    "每年至少一次专家诊断，隐患整改跟踪到底。",
)
_ABOUT = "在省内各市设有服务网点，安责险专职服务团队，合作技服机构覆盖八大行业。"
ASKING = 8  # enterprises besides the one people sign in for


def load_market(as_of: date, at: datetime) -> None:
    """Profiles of all insurers, and some requests with their offers; the scope must be everything."""
    insurers = list(Organisation.objects.filter(kind=OrganisationKind.INSURER, is_active=True).order_by("code"))
    every = [each.value for each in Sector]
    InsurerProfile.objects.bulk_create(
        InsurerProfile(
            insurer=each, about=_ABOUT, promise=_PROMISES[n % len(_PROMISES)], hotline=f"95{500 + n}",
            sectors=every if n % 3 == 0 else every[n % 5 : n % 5 + 5], updated_on=as_of - timedelta(days=n % 60),
        )
        for n, each in enumerate(insurers)
    )  # fmt: skip
    Product.objects.bulk_create(
        Product(
            insurer=each, name=name, wording_no=f"示例备-责任〔2025〕{n + 1:03d}号", sectors=every, least_limit=least,
            most_limit=most, visits=visits, about=about,
        )
        for n, each in enumerate(insurers)
        for name, least, most, visits, about in (
            ("安全生产责任保险", 400_000, 1_000_000, 1 + n % 3, "从业人员与第三者伤亡、应急救援、事故鉴定和法律费用。"),
            ("安全生产责任保险（高保障）", 800_000, 2_000_000, 2 + n % 3, "在标准条款基础上提高限额，附加环境清理费用。"),
        )
    )  # fmt: skip
    _requests(insurers, as_of, at)


def _requests(insurers: list[Organisation], as_of: date, at: datetime) -> None:
    own = [m.enterprise_id for m in Membership.objects.filter(role=Role.ENTERPRISE)]
    soon = Policy.objects.filter(
        is_void=False, cover_end_on__range=(as_of + timedelta(days=1), as_of + timedelta(days=80)), project_name=""
    ).order_by("cover_end_on", "pk")
    chosen = list(Policy.objects.filter(enterprise__in=own, is_void=False).order_by("-cover_end_on")[:1])
    chosen += list(soon.exclude(enterprise__in=own)[:ASKING])
    for n, policy in enumerate(chosen):
        enterprise = Enterprise.objects.get(pk=policy.enterprise_id)
        start = max(policy.cover_end_on, as_of) + timedelta(days=1)
        asking = Actor(
            name="企业负责人", scope=Scope(reader="anze_enterprise", enterprise_id=enterprise.pk),
            permissions=frozenset({Permission.CHOOSE_INSURER}),
        )  # fmt: skip
        others = [each for each in insurers if each.pk != policy.insurer_id]
        invited = [
            Organisation.objects.get(pk=policy.insurer_id),
            others[n % len(others)],
            others[-1 - n % len(others)],
        ]
        invited = list({each.pk: each for each in [insurers[0], *invited]}.values())
        limit = max(policy.limit_per_person, Decimal(400_000))
        request = ask_quotes(
            enterprise, by=asking, at=at - timedelta(days=2), insurers=invited, workers=enterprise.registered_workers,
            limit_per_person=limit, limit_per_accident=limit * 10, aggregate_limit=limit * 20, start_on=start,
            end_on=start + timedelta(days=364), wishes="希望每季度安排一次隐患排查，并组织全员培训。" if n % 2 == 0 else "",
        )  # fmt: skip
        trial = trial_of_request(request)
        for k, each in enumerate(invited):
            answering = Actor(
                name="保险经办", permissions=frozenset({Permission.MAKE_OFFERS}),
                scope=Scope(reader=EVERYTHING.reader, insurer_id=each.pk),
            )  # fmt: skip
            if (n + k) % 5 == 4:
                continue
            if (n + k) % 5 == 3:
                decline_request(request, by=answering, at=at - timedelta(days=1), reason="该行业暂不承保")
                continue
            premium = max(Decimal(1), (trial.premium * Decimal(92 + 5 * k) / 100).quantize(Decimal("0.01")))
            make_offer(
                request, by=answering, at=at - timedelta(days=1), product_name="安全生产责任保险",
                wording_no=f"示例备-责任〔2025〕{k + 1:03d}号", premium=premium,
                agreed_expense_ratio=Decimal("0.15") + Decimal(k) / 100, service_types=["HAZARD", "TRAIN"][: 1 + k % 2],
                visits=1 + k, valid_to_on=as_of + timedelta(days=12), words="专家上门服务，报告三日内送达" if k else "",
            )  # fmt: skip
