"""The life of an alert: raised once for one cause, taken in hand, closed by word or by itself, carried up."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils.translation import override

from anze.kernel.alert import load_alerts
from anze.kernel.duty import BEIJING
from anze.kernel.models import Parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, enter
from anze.monitoring.actions import close_alert, set_threshold, take_alert
from anze.monitoring.alerting import Raised, run
from anze.monitoring.backtest import tried
from anze.monitoring.models import Alert
from anze.monitoring.refresh import recompute, refresh
from anze.monitoring.rules.alerts import mine
from anze.monitoring.telling import summarise
from anze.notices.models import Notice, Preference
from anze.parties.models import Account, Membership
from anze.parties.rules import Role
from anze.underwriting.actions import look_for_findings
from anze.underwriting.models import Finding
from tests.cast import NOW, YUANFAN
from tests.hazards.conftest import actor
from tests.monitoring.deliveries import VOID, closed, expense, hazard, item, obligation, plan, policy, receipt, service
from tests.stages import stage

DAY = timedelta(days=1)
# no insurer of the cast has submitted its annual plan, which is not what these tests are about
RULES = load_alerts().keys() - {"SUBMIT_ANNUAL"}


def full(at: Any = NOW) -> Raised:
    done = run(at=at, full=True, only=RULES)
    assert done is not None
    return done


def codes(**words: Any) -> dict[str, str]:
    return dict(Alert.objects.filter(**words).order_by("code").values_list("code", "state"))


@stage
def insured(cast):
    """Huaihai insures Xinghuo from 1 March 2026, and nobody has planned anything."""
    cast.accepted(cast.huaihai, "policies", policy())
    return cast


def test_a_cause_has_one_alert_however_often_it_is_looked_for(insured):
    assert full().opened == 1
    assert codes() == {"PLAN_MISSING": "OPEN"}
    again = full(NOW + DAY)
    assert (again.opened, again.reopened, again.closed) == (0, 0, 0)
    assert Alert.objects.count() == 1


def test_it_closes_by_itself_when_the_cause_is_gone_and_opens_again_when_it_is_back(insured):
    full()
    insured.accepted(insured.huaihai, "plans", plan(item("HAZARD", 1, "2026-03-10", "2027-02-20")))
    assert full().closed == 1
    alert = Alert.objects.get(code="PLAN_MISSING")
    assert (alert.state, alert.closing, alert.closed_at) == ("CLOSED", "GONE", NOW)
    row = plan(item("HAZARD", 1, "2026-03-10", "2027-02-20"), **VOID)
    insured.accepted(insured.huaihai, "plans", row)
    assert full(NOW + DAY).reopened == 1
    alert.refresh_from_db()
    assert (alert.state, alert.closing, alert.opened_at) == ("OPEN", "", NOW + DAY)


def test_what_somebody_closed_by_his_word_stays_closed(insured):
    full()
    alert = Alert.objects.get()
    province = actor(Role.PROVINCE_REGULATOR, insured.province)
    with pytest.raises(Refused) as refused:
        close_alert(alert, by=province, at=NOW, closing="EXAMINED", is_useful=False, reason=" ")
    assert refused.value.field == "reason"
    close_alert(alert, by=province, at=NOW, closing="EXAMINED", is_useful=False, reason="方案在纸质合同中")
    assert (full(NOW + DAY).opened, Alert.objects.get().state) == (0, "CLOSED")
    assert Alert.objects.get().is_useful is False


def test_it_is_taken_in_hand_once(insured):
    full()
    alert = Alert.objects.get()
    insurer = actor(Role.INSURER_CLERK, insured.huaihai)
    assert take_alert(alert, by=insurer, at=NOW).state == "HANDLING"
    with pytest.raises(Refused):
        take_alert(alert, by=insurer, at=NOW)
    assert "淮海示例财产保险" in Alert.objects.get().taken_by


def test_it_comes_up_from_county_to_city_to_province_and_then_is_the_authoritys_to_close(insured):
    cast = insured
    cast.accepted(cast.huaihai, "services", service("S1", "2026-05-11"))
    cast.accepted(cast.huaihai, "hazards", hazard("H1", "2026-11-02", hazard_class="MAJOR", deadline_on="2026-11-20"))
    full()  # Monday, one working day after the deadline
    alert = Alert.objects.get(code="MAJOR_OVERDUE")
    assert alert.reached == "COUNTY"
    insurer = actor(Role.INSURER_CLERK, cast.huaihai)
    with pytest.raises(Refused) as refused:
        close_alert(alert, by=insurer, at=NOW, closing="MENDED", is_useful=True, reason="已经整改")
    assert refused.value.code == "not_yours_to_close"
    reached = {}
    for days in range(1, 20):
        full(NOW + days * DAY)
        alert.refresh_from_db()
        reached.setdefault(alert.reached, days)
    # five and ten working days after Friday the 20th, and the day after
    assert reached == {"COUNTY": 1, "CITY": 5, "PROVINCE": 12}
    province = actor(Role.PROVINCE_REGULATOR, cast.province)
    assert close_alert(alert, by=province, at=NOW, closing="MENDED", is_useful=True, reason="已督促整改").is_useful


def test_who_must_be_insured_and_is_not_is_told_to_the_authorities(cast):
    cast.accepted(cast.province, "obligations", obligation())
    look_for_findings(at=NOW)
    full()
    alert = Alert.objects.get(code="UNINSURED")
    # since January, with nobody seeing to it
    assert alert.reached == "PROVINCE"
    assert "星火示例铸造有限公司" in alert.facts["name"]
    # it is the finding's alert: there is no second opinion of who is not insured
    finding = Finding.objects.get(kind="UNINSURED")
    assert alert.row_id == finding.pk
    Finding.objects.filter(pk=finding.pk).update(state="CLOSED", closing="EXPLAINED", closed_at=NOW)
    full()
    alert.refresh_from_db()
    assert (alert.state, alert.closing) == ("CLOSED", "GONE")


def test_those_concerned_see_their_own_and_nothing_of_others(insured):
    cast = insured
    cast.accepted(cast.bohai, "policies", policy("P2", YUANFAN))
    full()
    assert Alert.objects.count() == 2
    for organisation, own in ((cast.huaihai, cast.xinghuo), (cast.bohai, cast.yuanfan)):
        enter(actor(Role.INSURER_CLERK, organisation).scope)
        assert [alert.enterprise_id for alert in Alert.objects.all()] == [own.pk]
    # a missing plan is not the enterprise's to mend
    enter(actor(Role.ENTERPRISE, cast.xinghuo).scope)
    assert not Alert.objects.exists()
    enter(actor(Role.CITY_REGULATOR, cast.jinan).scope)
    assert [alert.enterprise_id for alert in Alert.objects.all()] == [cast.xinghuo.pk]
    enter(EVERYTHING)


def test_whose_turn_it_is(insured):
    full()
    insurer = actor(Role.INSURER_CLERK, insured.huaihai)
    city = actor(Role.CITY_REGULATOR, insured.jinan)
    assert Alert.objects.filter(mine(insurer.scope, insurer.role)).count() == 1
    # so long after its day it has come up to the province already
    assert Alert.objects.get().reached == "PROVINCE"
    assert not Alert.objects.filter(mine(city.scope, city.role)).exists()


def test_the_summary_of_the_day_comes_once_at_its_hour_and_counts_ones_own(insured):
    full()
    organisations = (insured.huaihai, insured.bohai)
    people = [Account.objects.create(username=f"li{n}", name="示例李") for n in range(len(organisations))]
    for account, organisation in zip(people, organisations, strict=True):
        Membership.objects.create(account=account, role=Role.INSURER_MANAGER, organisation=organisation)
        Preference.objects.create(account=account, least="URGENT", by_email=True, digest_at=time(8, 30))
    morning = datetime(2026, 11, 24, 8, 29, tzinfo=BEIJING)
    assert summarise(at=morning) == 0
    assert summarise(at=morning + timedelta(minutes=5)) == 2
    # it reads as its reader reads, whatever was chosen when it was put together
    notice = Notice.objects.filter(way="IN_APP").get()
    for language, title, text in (
        ("zh-hans", "尚有 1 条预警未关闭", "重要：1"),
        ("en", "1 alert is open", "important: 1"),
    ):
        with override(language):
            assert (notice.title, notice.text) == (title, text)
    # whoever has nothing open is not written to
    assert {each.account_id for each in Notice.objects.all()} == {people[0].pk}
    assert summarise(at=morning + timedelta(hours=9)) == 0
    before = Notice.objects.count()
    assert summarise(at=morning + timedelta(days=1, minutes=5)) == 2
    assert Notice.objects.count() == 2 * before


@pytest.mark.parametrize("many", [False, True])
def test_whoever_is_told_at_once_reads_it_in_his_own_language(insured, many):
    account = Account.objects.create(username="li", name="示例李", language="en")
    Membership.objects.create(account=account, role=Role.INSURER_MANAGER, organisation=insured.huaihai)
    Preference.objects.create(account=account, least="GENERAL")
    for number in range(2, 8 if many else 2):
        insured.accepted(insured.huaihai, "policies", policy(f"P{number}"))
    full()
    [notice] = Notice.objects.filter(account=account)
    with override("zh-hans"):
        assert re.search(r"[a-z]{3}", notice.title + notice.text) is None
        assert ("条新预警" in notice.title) == many
    with override("en"):
        assert re.search(r"[；：、]", notice.title + notice.text) is None
        assert ("7 new alerts" in notice.title) == many


def test_only_what_changed_is_looked_at_and_the_outcome_is_that_of_a_full_run(insured):
    cast = insured
    recompute(at=NOW)
    full()
    cast.accepted(cast.huaihai, "policies", policy("P2", YUANFAN, start_on="2025-12-11", end_on="2026-12-10"))
    cast.accepted(cast.huaihai, "plans", plan(item("HAZARD", 1, "2026-03-10", "2026-11-28")))
    cast.accepted(cast.huaihai, "services", service("S1", "2026-05-11", service_type="TRAIN"))
    cast.accepted(
        cast.huaihai, "hazards", hazard("H1", "2026-11-02"), hazard("H2", "2026-11-02", **closed("2026-11-05"))
    )
    cast.accepted(cast.huaihai, "receipts", receipt(amount="1000.00"))
    cast.accepted(cast.huaihai, "expenses", expense("E1", "400.00"), expense("E2", "10.00", voucher_file=""))
    refresh(at=NOW)
    done = run(at=NOW, only=RULES)
    assert done is not None
    assert done.opened > 3
    assert done.closed == 1
    columns = ("code", "subject", "episode", "level", "state", "facts", "due_on", "label")
    after = sorted(map(str, Alert.objects.values_list(*columns)))
    assert full().opened == 0
    assert sorted(map(str, Alert.objects.values_list(*columns))) == after
    found = set(codes(state="OPEN"))
    assert {"HAZARD_OVERDUE", "POLICY_EXPIRING", "SERVICE_DUE", "EXPENSE_OVER_CAP"} <= found


def test_a_region_has_its_own_threshold(insured):
    insured.accepted(insured.bohai, "policies", policy("P2", YUANFAN))
    first = Parameter.objects.get(key="plan_grace_days", region_code="")
    Parameter.objects.create(
        key=first.key, value="300", unit="days", region_code="370100", effective_from=first.effective_from,
        status="DESIGN", title_en="x", title_zh="x",
    )  # fmt: skip
    full()
    assert list(Alert.objects.values_list("region_code", flat=True)) == ["370202"]


def test_another_threshold_is_tried_on_last_year_before_it_is_saved(insured):
    rule = load_alerts()["POLICY_EXPIRING"]
    insured.accepted(insured.huaihai, "policies", policy("P0", start_on="2025-06-21", end_on="2026-06-20"))
    insured.accepted(insured.bohai, "policies", policy("P2", YUANFAN, start_on="2025-09-01", end_on="2026-08-31"))
    key = "alert.policy_expiring_days"

    def trial(days: int) -> tuple[int, int]:
        made = tried(rule, key=key, region_code="", value=Decimal(days), today=NOW.date())
        return made.present, made.proposed

    # P2's, for P1 was issued long before P0 ends
    assert trial(30) == (1, 1)
    assert trial(0) == (1, 1)
    # 200 days before their ends P0 has no successor yet, and P1's end comes near
    assert trial(200) == (1, 3)
    assert not Alert.objects.exists()
    city = actor(Role.CITY_REGULATOR, insured.qingdao)
    with pytest.raises(Refused):
        set_threshold(rule, by=city, at=NOW, key=key, region="", value=Decimal(10))
    with pytest.raises(Refused):
        set_threshold(rule, by=city, at=NOW, key=key, region="370100", value=Decimal(10))
    assert set_threshold(rule, by=city, at=NOW, key=key, region="370200", value=Decimal(10)).region_code == "370200"
    # and another at once, while the alerts of the first are still to be found anew
    other = actor(Role.PROVINCE_REGULATOR, insured.province)
    assert set_threshold(rule, by=other, at=NOW, key=key, region="", value=Decimal(12)).value == "12"


def test_precision_counts_what_people_found(insured, browser_of):
    full()
    alert = Alert.objects.get()
    province = actor(Role.PROVINCE_REGULATOR, insured.province)
    close_alert(alert, by=province, at=NOW, closing="MENDED", is_useful=True, reason="已补方案")
    browser = browser_of(Role.PROVINCE_REGULATOR)
    page = browser.get(reverse("alert-rules")).content.decode()
    assert "100.00%" in page or "100%" in page
    page = browser.get(
        reverse("alert-rule", args=["PLAN_MISSING"]), {"key": "plan_grace_days", "region": "", "value": "60"}
    )
    assert page.status_code == 200
    assert {"2026-04", "2026-05"} <= set(re.findall(r"2026-0\d", page.content.decode()))
