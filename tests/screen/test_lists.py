"""Lists: filters, order, paging by keyset, choice of columns, the capped count, and a fixed number of queries."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.db.models.expressions import RawSQL
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.exchange.feeds import FEEDS
from anze.expenses.models import Expense
from anze.hazards.models import Hazard
from anze.hazards.screens import HAZARDS
from anze.kernel.models import Event, FedTable
from anze.kernel.scope import EVERYTHING, Scope
from anze.parties.models import Enterprise
from anze.parties.rules import Permission, Role
from anze.parties.screens.enterprises import ENTERPRISES
from anze.prevention.screens import SERVICES
from anze.screen.asked import Asked
from anze.screen.columns import Column, plan
from anze.screen.details import DETAILS
from anze.screen.lists import LISTS, ListScreen
from anze.screen.registry import load_screens
from anze.underwriting.models import Obligation
from anze.underwriting.screens import POLICIES
from tests.cast import XINGHUO, YUANFAN, policy_row
from tests.exchange.examples import example
from tests.screen.conftest import ALL, hazard_rows

load_screens()


def column(page, place: int = 0) -> list[str]:
    """The words of one column of a page."""
    import re

    return [re.sub(r"<[^>]+>", "", row[place]) for row in page.rows]


def walk(screen: ListScreen, asked_by, query: str, word: str) -> list[str]:
    """The first column of every page, one after the other, in the direction of `word`."""
    found: list[str] = []
    for _step in range(100):
        page = Asked(screen, asked_by(query)).page(size=7)
        found = found + column(page) if word == "next" else column(page) + found
        following = getattr(page, word)
        if not following:
            return found
        query = f"?{urlsplit(following).query}"
    raise AssertionError("the pages never end")


def last_page(screen: ListScreen, asked_by, query: str) -> str:
    for _step in range(100):
        page = Asked(screen, asked_by(query)).page(size=7)
        if not page.next:
            return query
        query = f"?{urlsplit(page.next).query}"
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("query", ["", "?sort=found_on"])
def test_every_row_comes_once_forwards_and_backwards_though_many_tie(insured, asked_by, query):
    insured.accepted(insured.huaihai, "hazards", *hazard_rows(40))
    order = ["found_on", "pk"] if query else ["-found_on", "-pk"]
    expected = list(Hazard.objects.order_by(*order).values_list("hazard_no", flat=True))
    assert walk(HAZARDS, asked_by, query, "next") == expected
    back = last_page(HAZARDS, asked_by, query)
    assert walk(HAZARDS, asked_by, back, "previous") == expected


PAID = ListScreen(
    name="paid",
    path="paid/",
    title="Paid",
    model=Expense,
    permission=Permission.SEE_EXPENSES,
    columns=(Column("expense_no"), Column("paid_on")),
    sort="-paid_on",
    exported=False,
)


@pytest.mark.parametrize(("query", "turned"), [("", True), ("?sort=paid_on", False)])
def test_rows_without_a_value_come_last_and_are_paged_too(insured, asked_by, monkeypatch, query, turned):
    rows = [
        example(FEEDS["expenses"], expense_no=f"X{i:03d}", policy_no="P1", service_no=None, agency_code=None,
                invoice_no=f"I{i}", incurred_on="2026-04-01",
                paid_on=None if i % 3 == 0 else f"2026-05-{1 + i % 4:02d}")
        for i in range(30)
    ]  # fmt: skip
    insured.accepted(insured.huaihai, "expenses", *rows)
    monkeypatch.setattr(ListScreen, "url", "/paid/")
    known = list(Expense.objects.filter(paid_on__isnull=False))
    unknown = list(Expense.objects.filter(paid_on__isnull=True))
    known.sort(key=lambda e: (e.paid_on, e.pk), reverse=turned)
    unknown.sort(key=lambda e: e.pk, reverse=turned)
    expected = [e.expense_no for e in known + unknown]
    assert len(unknown) == 10
    assert walk(PAID, asked_by, query, "next") == expected
    assert walk(PAID, asked_by, last_page(PAID, asked_by, query), "previous") == expected


def test_the_count_is_exact_up_to_a_thousand_and_then_says_more(insured, asked_by):
    insured.accepted(insured.huaihai, "hazards", *hazard_rows(1000))
    assert Asked(HAZARDS, asked_by()).page().count == "1,000"
    insured.accepted(
        insured.huaihai, "hazards", *[{**row, "hazard_no": f"M{i}"} for i, row in enumerate(hazard_rows(2))]
    )
    page = Asked(HAZARDS, asked_by()).page()
    assert (page.count, len(page.rows)) == ("1,000+", 50)
    assert Asked(HAZARDS, asked_by("?q=M")).page().count == "2"


def test_a_page_costs_the_same_queries_whatever_the_number_of_rows(insured, browser_of):
    browser = browser_of(Role.PROVINCE_REGULATOR)
    insured.accepted(insured.huaihai, "hazards", *hazard_rows(3))
    browser.get(reverse("hazards"))  # names and labels are ready from now on
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert browser.get(reverse("hazards")).status_code == 200
    insured.accepted(insured.huaihai, "hazards", *hazard_rows(300))
    with CaptureQueriesContext(connection) as many:
        assert browser.get(reverse("hazards")).status_code == 200
    # one more: a full page asks how many rows there are in all
    assert len(many) <= len(few) + 1
    assert len(many) <= 18, "\n".join(query["sql"][:150] for query in many)


@pytest.mark.parametrize("screen", LISTS.values(), ids=LISTS)
def test_every_column_and_sort_of_every_list_can_be_asked_for(insured, asked_by, screen):
    names = ",".join(each.name for each in screen.columns)
    sorts = {screen.sort.lstrip("-"), *screen.sorts} & {each.name for each in screen.columns}
    for sort in sorted(sorts):
        for turned in ("", "-"):
            asked = Asked(screen, asked_by(f"?columns={names}&sort={turned}{sort}"))
            page = asked.page()
            assert [head.title for head in page.heads] == [p.heading for p in asked.screen.plans.values()]
            assert asked.sort == f"{turned}{sort}"


SAMPLE = {
    "search": "Z'%_\\ 示例",
    "region": "370100",
    "flag": "yes",
    "text": "铝加工1+1",
    "of": "01900000-0000-7000-8000-000000000000",
}


@pytest.mark.parametrize("screen", LISTS.values(), ids=LISTS)
def test_every_filter_of_every_list_narrows_without_an_error(insured, asked_by, screen):
    insured.accepted(insured.huaihai, "hazards", *hazard_rows(3))
    everything = Asked(screen, asked_by()).page().total
    for each in screen.filters:
        if each.shape == "dates":
            words = [
                {each.words[0]: "2026-05-01", each.words[1]: "2026-05-02"},
                {each.words[1]: "2026-05-02"},
            ]
        elif each.shape == "numbers":
            words = [{each.words[0]: "1", each.words[1]: "10,000"}]
        elif each.shape in ("choice", "cases"):
            options = each.options(screen.model, Asked(screen, asked_by()).asking)
            words = [*[{each.name: value} for value, _said in options][:5], {each.name: "UNKNOWN"}]
        else:
            words = [{each.name: SAMPLE[each.shape]}]
        for one in words:
            query = QueryDict(mutable=True)
            query.update(one)
            asked = Asked(screen, asked_by(f"?{query.urlencode()}"))
            page = asked.page()
            assert page.total <= everything or each.name in ("records", "in_force"), one
            for mark in asked.marks:
                assert mark.title
                assert mark.said


def test_filters_stand_in_the_address_and_nothing_else_does(insured, asked_by):
    asked = Asked(
        HAZARDS,
        asked_by("?state=FOUND&found_on_from=2026-01-01&q=&region=&made_up=1&sort=-found_on&columns="),
    )
    assert parse_qs(urlsplit(asked.address()).query) == {"state": ["FOUND"], "found_on_from": ["2026-01-01"]}
    assert [mark.said for mark in asked.marks]
    without = asked.marks[0].without
    assert "state" not in without or "found_on_from" not in without


@pytest.mark.parametrize(
    "query",
    [
        "?found_on_from=2026-13-45&found_on_to=yesterday",
        "?region=3701'--",
        "?state=%00",
        "?q=%00%00",
        "?after=AAAA&before=%F0%9F%92%A9",
        "?after=bnVsbA",
        "?sort=nothing&columns=nothing,%00",
        "?enterprise=not-an-id",
        "?insurer=not-an-id",
        "?hazards_found_min=1e400&hazards_found_max=NaN",
    ],
)
def test_what_cannot_be_read_is_ignored(insured, browser_of, query):
    browser = browser_of(Role.PROVINCE_REGULATOR)
    assert browser.get(f"{reverse('hazards')}{query}").status_code == 200
    assert browser.get(f"{reverse('services')}{query}").status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=20))
def test_whatever_is_typed_into_the_search_field_is_answered(everything, asked_by, words):
    query = QueryDict(mutable=True)
    query["q"] = words
    for screen in (HAZARDS, ENTERPRISES):
        Asked(screen, asked_by(f"?{query.urlencode()}")).page()


def test_searching_finds_numbers_from_their_beginning_and_names_anywhere(cast, asked_by):
    cast.accepted(cast.huaihai, "policies", policy_row("PSD-100", XINGHUO))
    cast.accepted(cast.bohai, "policies", policy_row("PSD-200", YUANFAN))

    def found(words: str) -> list[str]:
        query = QueryDict(mutable=True)
        query["q"] = words
        return sorted(column(Asked(POLICIES, asked_by(f"?{query.urlencode()}")).page()))

    assert found("PSD") == ["PSD-100", "PSD-200"]
    assert found("psd-1") == ["PSD-100"]
    assert found("SD-1") == []
    assert found("渔业") == ["PSD-200"]
    assert found(XINGHUO) == ["PSD-100"]
    assert found(YUANFAN[:9].lower()) == ["PSD-200"]


def test_a_city_is_all_its_counties(cast, asked_by):
    def names(region: str) -> list[str]:
        return sorted(column(Asked(ENTERPRISES, asked_by(f"?region={region}")).page()))

    assert names("370100") == ["星火示例铸造有限公司"]
    assert names("370102") == ["星火示例铸造有限公司"]
    assert names("370103") == []
    assert names("370000") == ["星火示例铸造有限公司", "远帆示例渔业有限公司"]


def test_dates_are_beijing_days(insured, asked_by):
    row = example(FEEDS["accidents"], accident_no="G1", insured_uscc=XINGHUO, occurred_at="2026-07-09T00:30:00+08:00",
                  reported_at=None, learned_at=None)  # fmt: skip
    insured.accepted(insured.huaihai, "accidents", row)
    screen = LISTS["accidents"]

    def on(low: str, high: str) -> int:
        return Asked(screen, asked_by(f"?occurred_at_from={low}&occurred_at_to={high}")).page().total

    assert on("2026-07-09", "2026-07-09") == 1
    assert on("2026-07-08", "2026-07-08") == 0
    assert on("2026-07-10", "") == 0


def test_void_records_are_shown_only_where_asked_for(insured, asked_by):
    insured.accepted(insured.huaihai, "hazards", *hazard_rows(2))
    insured.accepted(insured.huaihai, "hazards", {**hazard_rows(1)[0], "is_void": True, "void_reason": "重复"})
    assert [Asked(HAZARDS, asked_by(q)).page().total for q in ("", "?records=void", "?records=all")] == [
        1,
        1,
        2,
    ]


def test_chosen_columns_are_shown_in_the_order_chosen(insured, asked_by):
    page = Asked(POLICIES, asked_by("?columns=premium_written,policy_no")).page()
    assert [head.kind for head in page.heads] == ["amount", "code"]
    assert column(page) == ["50,000.00"]
    assert column(page, 1) == ["P1"]


def test_premiums_vanish_for_those_who_may_not_see_them(insured, asked_by):
    without = frozenset(ALL - {"SEE_PREMIUMS"})
    request = asked_by("?columns=policy_no,premium_written,rate_final", permissions=without)
    asked = Asked(POLICIES, request)
    assert asked.chosen_names == ["policy_no"]
    assert "premium_written" not in {each.name for each in asked.available}
    assert asked.page().total == 1


def test_a_column_of_a_table_out_of_reach_does_not_exist(insured, asked_by):
    scope = Scope(reader="anze_agency", agency_id=insured.agency.pk)
    names = {each.name for each in Asked(SERVICES, asked_by(scope=scope)).available}
    assert "policy__policy_no" not in names
    assert "agency" not in names, "an agency knows its own name"
    everybody = {each.name for each in Asked(SERVICES, asked_by(scope=EVERYTHING)).available}
    assert {"policy__policy_no", "agency"} <= everybody


def test_what_others_typed_cannot_become_part_of_the_page(insured, browser_of):
    Enterprise.objects.filter(uscc=XINGHUO).update(name='<script>alert("x")</script> & <b>示例</b>铸造有限公司')
    browser = browser_of(Role.PROVINCE_REGULATOR)
    for name in ("enterprises", "policies"):
        text = browser.get(f"{reverse(name)}?q=%3Cscript%3E").content.decode()
        assert "<script>alert" not in text
    text = browser.get(reverse("enterprise", args=[insured.xinghuo.pk])).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_a_fragment_is_only_the_rows_and_tells_its_clean_address(insured, browser_of):
    browser = browser_of(Role.PROVINCE_REGULATOR)
    headers = {"HX-Request": "true", "HX-Target": "list"}
    answer = browser.get(f"{reverse('policies')}?q=&region=370100&state=", headers=headers)
    assert "<html" not in answer.content.decode()
    assert "P1" in answer.content.decode()
    assert answer["HX-Push-Url"] == f"{reverse('policies')}?region=370100"
    assert "HX-Request" in answer["Vary"]
    back = browser.get(reverse("policies"), headers={**headers, "HX-History-Restore-Request": "true"})
    assert "<html" in back.content.decode()


def test_an_empty_list_says_whether_filters_are_to_blame(cast, browser_of):
    browser = browser_of(Role.PROVINCE_REGULATOR)
    browser.cookies["language"] = "en"
    assert "Nothing here yet." in browser.get(reverse("policies")).content.decode()
    assert "Nothing fits these filters." in browser.get(f"{reverse('policies')}?state=expired").content.decode()


def test_states_follow_the_day_of_the_request(cast, asked_by):
    days = {
        "past": ("2025-11-01", "2026-10-31"),
        "soon": ("2025-12-01", "2026-12-01"),
        "now": ("2026-03-01", "2027-02-28"),
        "next": ("2026-12-01", "2027-11-30"),
    }
    rows = [
        policy_row(name, XINGHUO, start_on=start, end_on=end, applied_on="2025-10-01", issued_on="2025-10-02")
        for name, (start, end) in days.items()
    ]
    cast.accepted(cast.huaihai, "policies", *rows)

    def found(state: str) -> list[str]:
        return sorted(column(Asked(POLICIES, asked_by(f"?state={state}")).page()))

    assert found("in_force") == ["now", "soon"]
    # the next policy is on file already
    assert found("renewing") == ["soon"]
    assert found("renewed") == ["past"]
    assert found("expiring") == found("expired") == []
    assert found("not_yet") == ["next"]
    page = Asked(POLICIES, asked_by("?columns=policy_no,cover_state&sort=-start_on")).page()
    said = dict(zip(column(page), (row[1] for row in page.rows), strict=True))
    assert "state-success" in said["soon"]
    assert "state-success" in said["now"]
    assert "state-info" in said["next"]


BIG = [screen for screen in LISTS.values() if issubclass(screen.model, FedTable) or screen.model is Event]


def _indexes(model) -> list[list[str]]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return [each["columns"] for each in found.values() if each["index"] or each["unique"] or each["primary_key"]]


@pytest.mark.parametrize("screen", BIG, ids=lambda screen: screen.name)
def test_behind_the_order_and_every_tab_of_a_big_list_stands_an_index(db, screen):
    indexes = _indexes(screen.model)
    name = screen.sort.lstrip("-")
    source = screen.model._meta.get_field(screen.plans[name].reads[0] if name in screen.plans else name)
    assert any(columns[0] == source.column for columns in indexes), f"order by {source.column}"
    for word in screen.tab_of.values():
        if word in {field.name for field in screen.model._meta.local_concrete_fields}:
            column = screen.model._meta.get_field(word).column
            assert any(columns[0] == column for columns in indexes), f"tab by {column}"


def test_a_count_that_takes_too_long_gives_way_to_the_page(insured, asked_by, monkeypatch):
    from anze.screen import asked as module

    insured.accepted(insured.huaihai, "hazards", *hazard_rows(60))
    slow = ListScreen(
        name="slow",
        path="slow/",
        title="Slow",
        model=Hazard,
        permission=Permission.SEE_HAZARDS,
        columns=(Column("hazard_no"), Column("found_on")),
        filters=HAZARDS.filters,
        sort="-found_on",
        base=lambda rows, asking: rows.annotate(
            nap=RawSQL("(SELECT true FROM pg_sleep(0.003 + 0 * hazards_hazard.version))", ())
        ).filter(nap=True),
        exported=False,
    )
    monkeypatch.setattr(ListScreen, "url", "/slow/")
    monkeypatch.setattr(module, "COUNT_FOR", 60)
    page = Asked(slow, asked_by("?region=370102")).page()
    assert (page.count, len(page.rows)) == ("50+", 50)
    assert page.next
    monkeypatch.setattr(module, "COUNT_FOR", 600_000)
    assert Asked(slow, asked_by("?region=370102")).page().count == "50+", "it is not tried again for a while"
    module._MANY.clear()
    assert Asked(slow, asked_by("?region=370102")).page().count == "60"
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_first_column_opens_the_row_itself_also_where_it_names_another(cast, browser_of):
    cast.accepted(cast.province, "obligations", example(FEEDS["obligations"], uscc=XINGHUO, sector="SMELT"))
    entry = Obligation.objects.get()
    text = browser_of(Role.PROVINCE_REGULATOR).get(reverse("obligations")).content.decode()
    assert reverse("obligation", args=[entry.pk]) in text
    assert reverse("obligation", args=[entry.enterprise_id]) not in text


def test_a_column_opens_the_page_of_the_row_it_speaks_of():
    """The id in a link is the row's own or the related row's: the page has to be one of that table."""
    wrong = []
    for name, screen in LISTS.items():
        for column in screen.columns:
            page = DETAILS.get(column.opens)
            if page is None:
                continue
            worked = plan(screen.model, column)
            table = screen.model
            if (worked.related is not None or worked.directory is not None) and not column.opens_row:
                table = screen.model._meta.get_field(column.path.split("__")[0]).related_model
            if table is not page.model:
                wrong.append((name, column.path, column.opens))
    assert wrong == []
