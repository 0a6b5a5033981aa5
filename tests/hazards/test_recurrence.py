"""The same hazard at the same enterprise again: found among planted pairs, shown without naming other insurers."""

from __future__ import annotations

from datetime import date

from django.urls import reverse

from anze.hazards.actions import propose_recurrences
from anze.hazards.models import Recurrence
from anze.parties.rules import Role
from tests.cast import NOW, XINGHUO
from tests.hazards.conftest import hazard_row
from tests.web.conftest import browser_of, put_down  # noqa: F401 - fixtures

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
# planted: a hazard and how it is written down when it is met again, by somebody else
AGAIN = [
    ("深井铸造结晶器冷却水系统未设置进出水温度监测报警装置", "结晶器冷却水系统未设置进、出水温度监测报警装置"),
    ("3号熔炼炉旁应急水源阀门锈蚀无法开启", "3号熔炼炉应急水源阀门锈蚀，无法开启"),
    ("配电箱门缺失,箱内积尘", "配电箱门缺失，内部积尘严重"),
    ("叉车未按期检验仍在使用", "叉车未按期检验，仍在使用中"),
    ("液氨机房未设置事故排风装置", "液氨机房事故排风装置未设置"),
    ("铝液流槽液位报警装置失效未修复", "铝液流槽的液位报警装置失效，未修复"),
    ("安全出口堆放杂物影响疏散", "安全出口处堆放杂物，影响人员疏散"),
    ("有限空间作业未执行审批制度", "有限空间作业未执行审批手续"),
]
# honest look-alikes: other hazards of the same field
OTHERS = [
    "钢丝绳断丝超标未更换", "除尘器未设置锁气卸灰装置", "现场人员未佩戴防护眼镜", "焊工特种作业证过期",
    "车间通道标线磨损不清", "危化品仓库混存禁忌物料", "空压机安全阀未校验", "厂区消防水压不足",
]  # fmt: skip


def deliver(cast, insurer, number, found_on, **words):
    row = hazard_row(hazard_no=number, insured_uscc=XINGHUO, source="SELF_CHECK", service_no=None, criterion_code=None,
                     found_on=found_on, deadline_on="2026-12-31", **words)  # fmt: skip
    cast.accepted(insurer, "hazards", {key: value for key, value in row.items() if value is not None})


def test_planted_pairs_are_proposed_and_other_hazards_are_not(cast, found):
    for n, (first, second) in enumerate(AGAIN):
        deliver(cast, cast.huaihai, f"A{n}", "2026-03-10", description=first, location=f"车间{n}")
        deliver(cast, cast.huaihai, f"B{n}", "2026-09-10", description=second, location=f"厂房{n}")
    for n, other in enumerate(OTHERS):
        deliver(cast, cast.huaihai, f"C{n}", "2026-09-11", description=other, location=f"库房{n}")
    propose_recurrences(*YEAR, at=NOW)
    # the world's own hazard is worded like the first planted one
    rows = Recurrence.objects.exclude(hazard__hazard_no__startswith="H-").exclude(earlier__hazard_no__startswith="H-")
    proposed = set(rows.values_list("hazard__hazard_no", "earlier__hazard_no"))
    planted = {(f"B{n}", f"A{n}") for n in range(len(AGAIN))}
    assert len(proposed & planted) / len(planted) >= 0.85, planted - proposed
    assert len(proposed - planted) <= 1, proposed - planted
    # once more finds nothing new
    assert propose_recurrences(*YEAR, at=NOW) == 0


def test_the_same_entry_of_the_library_is_linked_at_once_and_the_same_criterion_is_proposed(cast, found):
    deliver(cast, cast.huaihai, "A1", "2026-03-10", description="甲", entry_code="AL-H01")
    deliver(cast, cast.huaihai, "B1", "2026-09-10", description="乙丙丁戊", entry_code="AL-H01")
    propose_recurrences(*YEAR, at=NOW)
    rows = Recurrence.objects.filter(hazard__hazard_no="B1", earlier__hazard_no="A1")
    assert list(rows.values_list("sameness", "state")) == [("ENTRY", "LINKED")]


def test_another_insurers_finding_is_told_by_its_month_alone(cast, found, browser_of):  # noqa: F811 - the fixture
    from tests.cast import policy_row

    cast.accepted(cast.bohai, "policies", policy_row("P-BH", XINGHUO))
    words, again = AGAIN[0]
    deliver(cast, cast.bohai, "BOHAI77", "2026-03-10", description=words)
    deliver(cast, cast.huaihai, "B1", "2026-09-10", description=again)
    propose_recurrences(*YEAR, at=NOW)
    row = Recurrence.objects.get(hazard__hazard_no="B1", earlier__hazard_no="BOHAI77")
    assert row.is_other_insurer
    insurer = browser_of(Role.INSURER_CLERK)
    page = insurer.get(reverse("hazard", args=[row.hazard_id])).content.decode()
    assert "2026-03" in page
    for secret in ("BOHAI77", "2026-03-10", "渤海"):
        assert secret not in page
    assert insurer.get(reverse("hazard", args=[row.earlier_id])).status_code == 404
    answer = insurer.post(reverse("hazard-recurrence", args=[row.hazard_id]), {"recurrence": row.pk, "same": "yes"})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.state == "LINKED"
    # the earlier insurer learns nothing of the later finding
    other = browser_of(Role.INSURER_MANAGER, True)
    there = other.get(reverse("hazard", args=[row.earlier_id])).content.decode()
    assert "B1" not in there
    # an authority sees both
    city = browser_of(Role.CITY_REGULATOR)
    assert "BOHAI77" in city.get(reverse("hazard", args=[row.hazard_id])).content.decode()
