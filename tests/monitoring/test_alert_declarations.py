"""Every declared alert can be asked of the database, names parameters that exist, and says itself in words."""

from __future__ import annotations

import re
import sys
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.translation import override

from anze.kernel.alert import AlertRule, by_region, load_alerts
from anze.kernel.duty import OURS, Duty, load_duties
from anze.kernel.models import Parameter
from anze.screen.registry import PAGES, WORK_LISTS, load_screens

TODAY = date(2026, 11, 23)
RULES = load_alerts()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_its_causes_are_one_select_of_known_columns(rule: AlertRule, everything: None) -> None:
    values = dict.fromkeys(rule.thresholds, "5")
    with connection.cursor() as cursor:
        for text in (rule.causes(values, TODAY), rule.causes_on(values, TODAY)):
            cursor.execute(f"SELECT * FROM ({text}) t LIMIT 0")
            names = [each.name for each in cursor.description]
            assert names[:8] == ["subject", "episode", "begins", "ends", "due_on", "rises_on", "row_id", "label"]


def test_a_time_of_the_platforms_own_is_not_said_to_come_from_a_rule(everything: None) -> None:
    ours = set(Parameter.objects.filter(status="DESIGN").values_list("key", flat=True))
    named = {duty.code: duty.source for duty in load_duties() if duty.parameter in ours and duty.source != OURS}
    assert named == {}
    assert RULES["PLAN_MISSING"].basis == OURS


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_its_thresholds_page_and_work_lists_exist(rule: AlertRule, everything: None) -> None:
    keys = set(Parameter.objects.values_list("key", flat=True))
    assert set(rule.thresholds.values()) <= keys
    assert {f"{rule.escalates_by}.{level}" for level in ("COUNTY", "CITY", "PROVINCE")} <= keys
    load_screens()
    assert rule.page in PAGES
    reverse(rule.page, args=["01930000-0000-7000-8000-000000000000"] if "<" in PAGES[rule.page].path else [])
    assert set(rule.shown_as) <= {each.name for each in WORK_LISTS}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_its_reason_uses_the_facts_it_states(rule: AlertRule) -> None:
    assert rule.said(dict.fromkeys(rule.facts, "x"))
    assert rule.kinds.keys() <= rule.facts.keys()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_it_speaks_one_language_at_a_time(rule: AlertRule) -> None:
    with override("zh-hans"):
        for text in (rule.title, rule.said(dict.fromkeys(rule.facts, "")), rule.remedy, rule.basis):
            assert re.search(r"[A-Za-z]{3,} [A-Za-z]{3,}", str(text)) is None, str(text)


def test_a_number_in_its_reason_has_its_thousands_apart_and_a_year_has_not() -> None:
    with override("en"):
        said = RULES["EXPENSE_OVER_CAP"].said(dict.fromkeys(RULES["EXPENSE_OVER_CAP"].facts, 12345))
        assert "12,345 yuan" in said
        assert "12345" not in said
        assert "2026" in RULES["SUBMIT_ANNUAL"].said(dict.fromkeys(RULES["SUBMIT_ANNUAL"].facts, "2026"))


def test_every_code_of_the_field_is_declared() -> None:
    field = {"POLICY_EXPIRING", "POLICY_EXPIRED", "UNINSURED", "PLAN_MISSING", "SERVICE_DUE", "SERVICE_OVERDUE"}
    field |= {"PARTIAL_HEADCOUNT", "UNDER_LIMIT", "LOW_PRICE", "CLAIM_REFUSAL", "REPORT_REPEATED"}
    field |= {"ENTRY_LATE", "HAZARD_DUE", "HAZARD_OVERDUE", "MAJOR_UNREPORTED", "EXPENSE_LOW", "EXPENSE_OVER_CAP"}
    field |= {"EXPENSE_NO_VOUCHER", "SETTLEMENT_LATE", "QUALIFICATION_EXPIRING", "PHOTO_REUSED", "IMPOSSIBLE_TRAVEL"}
    field |= {"EXPERT_OVERLOADED", "CLAIM_ASSESSMENT", "CLAIM_PAYMENT", "CLAIM_ADVANCE"}
    assert field <= RULES.keys()


def test_every_duty_has_its_alert(everything: None) -> None:
    load_screens()
    rules = [module for name, module in sys.modules.items() if name.startswith("anze.") and ".rules" in name]
    duties = {each.code for module in rules for each in vars(module).values() if isinstance(each, Duty)}
    told = {rule.duty.code for rule in RULES.values() if rule.duty}
    # whoever was refused may appeal and need not: his time is said where he reads the refusal
    assert duties - told == {"RAISE_APPEAL"}


def test_the_nearest_region_with_a_value_decides(everything: None) -> None:
    text = by_region("code", {"": Decimal(3), "370000": Decimal(4), "370100": Decimal(5), "370102": Decimal(6)})
    for code, expected in {"370102": 6, "370103": 5, "3701Z1": 5, "370202": 4, "410102": 3}.items():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {text} FROM (SELECT '{code}' AS code) t")
            assert cursor.fetchone()[0] == expected
