"""A service of Huaihai at Xinghuo, done by the agency's expert; and one of Bohai at Yuanfan."""

from __future__ import annotations

from typing import Any

import pytest

from anze.prevention.models import Service
from tests.cast import XINGHUO, YUANFAN, Cast, policy_row
from tests.exchange.examples import example


def service_row(number: str = "S-1", **words: Any) -> dict[str, Any]:
    from anze.exchange.feeds import FEEDS

    return example(
        FEEDS["services"],
        **{
            "service_no": number,
            "policy_no": "P-1",
            "plan_no": "",
            "plan_item_seq": None,
            "agency_code": "AGY01",
            "confirmation": "NONE",
            "confirmed_on": None,
            "confirmed_by": "",
            "followed_up_on": None,
            "satisfaction": None,
            "persons": [{"kind": "EXPERT", "name": "示例专家甲", "expert_number": "EXP001",
                         "certificate_no": "SL3700000001", "certificate_valid_to": "2028-12-31"}],
            **words,
        },
    )  # fmt: skip


@pytest.fixture
def insured(cast) -> Cast:
    cast.accepted(cast.huaihai, "policies", policy_row("P-1", XINGHUO))
    cast.accepted(cast.bohai, "policies", policy_row("P-2", YUANFAN))
    return cast


@pytest.fixture
def service(insured) -> Service:
    insured.accepted(insured.huaihai, "services", service_row())
    return Service.objects.get(service_no="S-1")


@pytest.fixture
def foreign(insured) -> Service:
    row = service_row("S-2", policy_no="P-2", agency_code="AGY02")
    insured.accepted(insured.bohai, "services", row | {"persons": [{"kind": "INSURER_STAFF", "name": "示例员工丁"}]})
    return Service.objects.get(service_no="S-2")
