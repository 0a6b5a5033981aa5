"""The rows behind a number: page by page, and for every reader only what lies in his scope."""

from __future__ import annotations

from datetime import date

from django.db import connection

from anze.kernel.scope import EVERYTHING, Scope, enter
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.figures import figures
from anze.monitoring.rows import rows_behind, telling_aspect
from tests.cast import XINGHUO, YUANFAN, enterprise_row
from tests.monitoring.counting import count, cut_of
from tests.monitoring.deliveries import obligation, policy, receipt
from tests.stages import stage

AS_OF = date(2026, 11, 23)


def labels(code: str, scope: Scope = EVERYTHING, aspect: str = "denominator", **cut) -> list[str]:
    found = rows_behind(INDICATORS[code], cut_of(**cut), aspect, scope=scope, as_of=AS_OF)  # type: ignore[arg-type]
    return sorted(row.label for row in found.rows)


@stage
def filled(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy("P1"), policy("P2"), policy("P3", YUANFAN))
    cast.accepted(cast.bohai, "policies", policy("B1", YUANFAN))
    for number, (insurer, policy_no) in enumerate(
        [(cast.huaihai, "P1"), (cast.huaihai, "P2"), (cast.huaihai, "P3"), (cast.bohai, "B1")]
    ):
        cast.accepted(insurer, "receipts", receipt(f"R{number}", policy_no=policy_no))
    count()
    return cast


def test_readers_see_the_rows_of_their_scope_only(filled):
    huaihai, bohai = filled.huaihai.pk, filled.bohai.pk
    region = Scope("anze_region", "370200", "3702ZZ")
    assert labels("expense_ratio") == ["R0", "R1", "R2", "R3"]
    assert labels("expense_ratio", region) == ["R2", "R3"]
    assert labels("expense_ratio", Scope("anze_sector", "370000", "37ZZZZ", sector="SMELT")) == ["R0", "R1"]
    assert labels("expense_ratio", Scope("anze_insurer", "370000", "37ZZZZ", insurer_id=bohai)) == ["R3"]
    # a slice beyond the scope opens nothing of others
    assert labels("expense_ratio", Scope("anze_insurer", "370000", "37ZZZZ", insurer_id=bohai), insurer=huaihai) == []
    assert labels("expense_ratio", region, region="370100") == []
    for reader in ("anze_agency", "anze_expert", "anze_enterprise", ""):
        assert labels("expense_ratio", Scope(reader)) == []


def test_page_after_page_gives_every_row_once(filled):
    indicator, cut = INDICATORS["expense_ratio"], cut_of()
    seen: list[str] = []
    after = None
    for _ in range(9):
        page = rows_behind(indicator, cut, "denominator", scope=EVERYTHING, as_of=AS_OF, after=after, at_least=1)
        seen += [row.label for row in page.rows]
        after = page.next_after
        if after is None:
            break
    assert sorted(seen) == ["R0", "R1", "R2", "R3"]


def test_the_rows_are_those_of_the_number_also_where_the_reader_sees_only_a_part(filled):
    """Xinghuo moves to Qingdao and is listed there anew; its policies stay with Jinan, where they were
    made."""
    cast = filled
    cast.accepted(cast.province, "enterprises", enterprise_row(XINGHUO, "星火示例铸造有限公司", "370202", "HAZCHEM"))
    cast.accepted(cast.province, "obligations", obligation(registered_workers=99))
    count()
    scope = Scope("anze_region", "370200", "3702ZZ")
    enter(scope)
    try:
        found = figures([INDICATORS["coverage_rate"]], cut_of(region="370200"))[""]["coverage_rate"]
        assert (found.numerator, found.denominator) == (2, 2)
        assert len(labels("coverage_rate", scope, "numerator", region="370200")) == 2
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM underwriting_policy WHERE policy_no IN ('P1', 'P2')")
            assert cursor.fetchone() == (0,), "the policies themselves stay out of sight"
    finally:
        enter(EVERYTHING)


def test_which_rows_are_worth_a_look_first():
    assert telling_aspect(INDICATORS["coverage_rate"]) == "shortfall"
    assert telling_aspect(INDICATORS["under_limit_share"]) == "numerator"
    assert telling_aspect(INDICATORS["expense_payment_rate"]) == "numerator"
