"""At the gate: the enterprise's printed code, and the expert's code that shows who sent him today."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from anze.kernel.duty import beijing_day
from anze.kernel.signing import read_signed, sign
from anze.parties.rules import Role
from anze.prevention.screens.gate import PERSON
from tests.cast import NOW
from tests.web.conftest import Browser


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


def line(cast, day=None, expert=None) -> str:
    fields = [str((expert or cast.expert).pk), (day or beijing_day(NOW)).isoformat()]
    return sign(PERSON, fields, at=NOW)


def test_the_enterprise_sees_who_was_sent_today(order, cast):
    answer = Browser().get(reverse("gate", args=[line(cast), str(order.pk)]))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert all(each in text for each in ("示例专家甲", order.order_no, cast.agency.name, cast.xinghuo.name))


def test_yesterdays_code_proves_nothing_today(order, cast):
    answer = Browser().get(reverse("gate", args=[line(cast, beijing_day(NOW) - timedelta(days=1)), str(order.pk)]))
    assert answer.status_code == 404
    assert "示例专家甲" not in answer.content.decode()


@pytest.mark.parametrize("change", ["signature", "expert", "order", "state"])
def test_a_code_that_was_changed_proves_nothing(order, cast, change):
    token, key = line(cast), str(order.pk)
    if change == "signature":
        token = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    if change == "expert":
        token = line(cast, expert=cast.other_expert)
    if change == "order":
        key = "00000000-0000-0000-0000-000000000000"
    if change == "state":
        order.__class__.objects.filter(pk=order.pk).update(state="CANCELLED", reason="撤回")
    assert Browser().get(reverse("gate", args=[token, key])).status_code == 404


def test_the_bundle_brings_the_code_and_the_sheet_prints_the_enterprises(order, cast, browser_of):
    [visit] = browser_of(Role.EXPERT).get(reverse("visits-bundle")).json()["visits"]
    assert visit["gate"]["day"] == beijing_day(NOW).isoformat()
    assert visit["gate"]["code"].startswith("data:image/svg")
    sheet = browser_of(Role.INSURER_CLERK).get(reverse("enterprise-code", args=[cast.xinghuo.pk]))
    assert "data:image/svg" in sheet.content.decode()
    assert read_signed(sign("PLACE", [str(cast.xinghuo.pk), cast.xinghuo.uscc], at=NOW)).is_valid
