"""Whatever way the data took, the tables end the same: corrections, voids, repeats, splits and orders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.exchange.feeds import FEEDS
from anze.kernel.scope import EVERYTHING, enter
from anze.parties.models import Engagement, Enterprise
from anze.underwriting.models import Policy
from tests.cast import Cast
from tests.exchange.examples import example, send_examples, sender_of

P1, P2 = (row["policy_no"] for row in FEEDS["policies"].example_rows())
E1, E2 = (row["insured_uscc"] for row in FEEDS["policies"].example_rows())
_ITEMS = FEEDS["plans"].example_rows()[0]["items"]
_PERSONS = FEEDS["services"].example_rows()[0]["persons"]
_PAYMENTS = FEEDS["claims"].example_rows()[0]["payments"]
_VOID = {"is_void": True, "void_reason": "重复录入"}

# What each record may be corrected to, whatever the others are just then.
CORRECTIONS: dict[str, list[dict[str, Any]]] = {
    "policies": [
        {},
        _VOID,
        {"premium_written": "39000.00"},
        {"end_on": "2027-02-20"},
        {"end_on": "2027-03-02", "issued_on": "2026-03-06"},
        {"agreed_service_types": [], "agreed_frequency": None},
    ],
    "endorsements": [
        {},
        _VOID,
        {"policy_no": P1, "effective_on": "2026-07-01"},
        {"policy_no": P2, "effective_on": "2026-07-01"},
        {"kind": "CANCEL", "after_value": "", "premium_delta": "-100.00", "effective_on": "2026-10-01"},
        {"kind": "PERIOD", "after_value": "2027-02-28", "effective_on": "2026-09-01"},
        {
            "kind": "PERIOD",
            "after_value": "2027-05-31",
            "effective_on": "2026-09-02",
            "issued_on": "2026-07-02",
        },
    ],
    "receipts": [
        {},
        _VOID,
        {"amount": "-5.00"},
        {"policy_no": P2},
        {"received_on": "2026-05-05", "instalment": 2},
    ],
    "plans": [
        {},
        _VOID,
        {"items": _ITEMS[:1] * 3},
        {"items": [_ITEMS[0], _ITEMS[1], _ITEMS[0]]},
        {"goals": "复查"},
    ],
    "services": [
        {},
        _VOID,
        {"agency_code": "AGY02"},
        {"plan_no": None, "plan_item_seq": None, "form": "OWN_STAFF", "agency_code": None},
        {"persons": _PERSONS[:1]},
        {"persons": [_PERSONS[1], _PERSONS[0], {"kind": "EXPERT", "name": "乙", "expert_number": "EXP002"}]},
    ],
    "hazards": [{}, _VOID, {"state": "NOTIFIED", "closed_on": None}, {"hazard_class": "GENERAL"}],
    "expenses": [{}, _VOID, {"amount": "1300.00"}, {"agency_code": None}, {"paid_on": None}],
    # told of within the thirty days: afterwards the class stays what it was, which is history and no last version
    "accidents": [
        {"counted_on": "2026-07-20", **words}
        for words in (
            {},
            _VOID,
            {"deaths": 4},
            {"direct_loss": "60000000.00"},
            {"serious_injuries": 0, "deaths": 0},
        )
    ],
    "claims": [
        {},
        _VOID,
        {"payments": _PAYMENTS[:1]},
        {"payments": None, "victims": None},
        {"payments": [_PAYMENTS[1], _PAYMENTS[0], _PAYMENTS[1]], "assessed": "310000.00", "agreed": "310000.00"},
        {"accident_no": None},
    ],
}
KEY = {name: FEEDS[name].key_fields[0] for name in CORRECTIONS}
# never accepted, so never seen afterwards
REFUSED: dict[str, dict[str, Any]] = {name: {"remark": "?"} for name in CORRECTIONS}


def record(feed: str, number: int, correction: int) -> dict[str, Any]:
    """One of two records of a feed in one of its versions; both rest on the first example row."""
    row = example(FEEDS[feed], 0, **{KEY[feed]: example(FEEDS[feed], 0)[KEY[feed]] if number == 0 else f"{feed}-2"})
    if feed == "policies" and number == 1:
        row = example(FEEDS[feed], 1)
    if correction < 0:
        return {**row, **REFUSED[feed]}
    row = {**row, **CORRECTIONS[feed][correction]}
    return {name: value for name, value in row.items() if value is not None}


# one record in one version; a correction of -1 stands for a row that is refused
_deliveries = st.sampled_from(sorted(CORRECTIONS)).flatmap(
    lambda feed: st.tuples(st.just(feed), st.integers(0, 1), st.integers(-1, len(CORRECTIONS[feed]) - 1), st.booleans())
)


@contextmanager
def _taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    enter(EVERYTHING)


def send(cast: Cast, feed: str, rows: list[dict[str, Any]]) -> None:
    batch = cast.send(sender_of(cast, FEEDS[feed]), feed, *rows)
    for row, outcome in zip(rows, batch.outcomes, strict=True):
        assert (outcome == "R") == ("remark" in row), (row, list(batch.findings.values()))


def start(cast: Cast) -> None:
    """Both records of every feed in their first version, in the order the feeds build on one another."""
    for feed in CORRECTIONS:
        send(cast, feed, [record(feed, 0, 0), record(feed, 1, 0)])


def tables() -> dict[str, list[str]]:
    """Every row of every table of the feeds, without what a different way may leave different: identities,
    which are put as natural keys, the batch, and the number of corrections."""
    found: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    dumped: list[tuple[str, dict[str, Any]]] = []
    with connection.cursor() as cursor:
        for name in CORRECTIONS:
            feed = FEEDS[name]
            for table, key in [
                (feed.table, feed.key[0]),
                *((lines.model._meta.db_table, f"{lines.parent}::text || '/' || seq") for lines in feed.lines),
            ]:
                cursor.execute(f"SELECT id::text, {key}, to_jsonb(t) FROM {table} t ORDER BY {key}")
                for identity, natural, content in cursor.fetchall():
                    parent, _slash, seq = str(natural).partition("/")
                    names[identity] = f"{names.get(parent, parent)}/{seq}"
                    row = content if isinstance(content, dict) else json.loads(content)
                    dumped.append((table, row))
    for table, row in dumped:
        shown = {
            column: names.get(value, value) if isinstance(value, str) else value
            for column, value in row.items()
            if column not in ("id", "batch_id", "version")
        }
        found.setdefault(table, []).append(json.dumps(shown, ensure_ascii=False, sort_keys=True))
    return {table: sorted(rows) for table, rows in found.items()}


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    history=st.lists(_deliveries, min_size=10, max_size=40),
    orders=st.randoms(use_true_random=False),
)
def test_every_history_ends_like_its_last_versions(
    cast: Cast, history: list[tuple[str, int, int, bool]], orders: Any
) -> None:
    if not Enterprise.objects.filter(uscc=E1).exists():
        send_examples(cast, before="policies")
    last = {(feed, number): 0 for feed in CORRECTIONS for number in (0, 1)}
    with _taken_back():
        start(cast)
        batch: list[tuple[str, int, int]] = []
        for feed, number, correction, ends in history:
            full = any(feed != other or (number == n and correction >= 0 <= c) for other, n, c in batch)
            if batch and full:
                send(cast, batch[0][0], [record(*each) for each in batch])
                batch = []
            batch.append((feed, number, correction))
            if correction >= 0:
                last[feed, number] = correction
            if ends:
                send(cast, feed, [record(*each) for each in batch])
                if orders.random() < 0.3:
                    send(cast, feed, [record(*each) for each in batch])
                batch = []
        if batch:
            send(cast, batch[0][0], [record(*each) for each in batch])
        by_history = tables()
    with _taken_back():
        for feed in CORRECTIONS:
            rows = [record(feed, number, last[feed, number]) for number in (0, 1)]
            orders.shuffle(rows)
            if orders.random() < 0.5:
                send(cast, feed, rows)
            else:
                for row in rows:
                    send(cast, feed, [row])
        at_once = tables()
    assert by_history == at_once


# what a correction takes along ----------------------------------------------------------------------------


def test_endorsements_decide_until_when_a_policy_covers(cast: Cast) -> None:
    send_examples(cast, before="endorsements")

    def cover() -> tuple[date | None, date]:
        policy = Policy.objects.get(policy_no=P1)
        return policy.cancelled_on, policy.cover_end_on

    def endorse(number: str, **words: Any) -> None:
        changes = {
            "endorsement_no": number,
            "kind": "PERIOD",
            "before_value": "",
            "premium_delta": "0",
            **words,
        }
        cast.accepted(cast.huaihai, "endorsements", example(FEEDS["endorsements"], 0, **changes))

    assert cover() == (None, date(2027, 3, 9))
    endorse("B1", effective_on="2026-09-01", after_value="2027-06-30")
    assert cover() == (None, date(2027, 6, 30))
    endorse("B2", effective_on="2026-10-01", after_value="2027-05-31")
    assert cover() == (None, date(2027, 5, 31))
    endorse("B3", effective_on="2026-11-01", after_value="", kind="CANCEL")
    assert cover() == (date(2026, 11, 1), date(2026, 10, 31))
    # a correction of the policy itself does not forget its endorsements
    cast.accepted(cast.huaihai, "policies", example(FEEDS["policies"], 0, premium_written="40000.00"))
    assert cover() == (date(2026, 11, 1), date(2026, 10, 31))
    endorse("B3", effective_on="2026-11-01", after_value="", kind="CANCEL", is_void=True)
    assert cover() == (None, date(2027, 5, 31))
    # an endorsement sent for the wrong policy lets go of it
    endorse("B2", effective_on="2026-10-01", after_value="2027-05-31", policy_no=P2)
    assert cover() == (None, date(2027, 6, 30))
    assert Policy.objects.get(policy_no=P2).cover_end_on == date(2027, 5, 31)


def test_a_later_change_may_come_with_the_extension_it_needs(cast: Cast) -> None:
    send_examples(cast, before="endorsements")
    feed = FEEDS["endorsements"]
    late = example(feed, 0, endorsement_no="B2", effective_on="2027-04-01")
    longer = example(feed, 0, endorsement_no="B1", kind="PERIOD", after_value="2027-06-30")
    assert cast.send(cast.huaihai, "endorsements", late).outcomes == "R"
    assert cast.accepted(cast.huaihai, "endorsements", late, longer).outcomes == "AA"


def test_what_stands_under_a_policy_follows_it_to_the_right_enterprise(cast: Cast) -> None:
    """A policy sent with the wrong credit code must not leave its services with the wrong enterprise."""
    send_examples(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, region_code, sector FROM parties_enterprise WHERE uscc = %s", [E2])
        right = cursor.fetchone()
        cursor.execute("SELECT id FROM parties_enterprise WHERE uscc = %s", [E1])
        [wrong] = cursor.fetchone()
        cast.accepted(cast.huaihai, "policies", example(FEEDS["policies"], 0, insured_uscc=E2))
        under = {lines.model._meta.db_table for feed in FEEDS.values() for lines in feed.lines}
        under |= {feed.table for feed in FEEDS.values() if any(r.field == "policy_no" for r in feed.references)}
        assert len(under) == 10
        for table in under | {"underwriting_policy"}:
            cursor.execute(f"SELECT DISTINCT enterprise_id, region_code, sector FROM {table}")
            assert cursor.fetchall() == [right], table
        # hazards and accidents name their enterprise themselves
        for table in ("hazards_hazard", "claims_accident"):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE enterprise_id = %s", [wrong])
            assert cursor.fetchone() == (1,)


def test_services_find_their_plan_item_again(cast: Cast) -> None:
    send_examples(cast, through="services")
    feed = FEEDS["plans"]

    def linked() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT i.seq FROM prevention_service s "
                "LEFT JOIN prevention_planitem i ON i.id = s.plan_item_id "
                "WHERE s.plan_item_seq IS NOT NULL ORDER BY s.service_no"
            )
            return [row[0] for row in cursor.fetchall()]

    second = example(FEEDS["services"], 0, service_no="FW3", plan_item_seq=2)
    cast.accepted(cast.huaihai, "services", second)
    assert linked() == [1, 2]
    cast.accepted(cast.huaihai, "plans", example(feed, 0, items=_ITEMS[:1]))
    assert linked() == [1, None]
    cast.accepted(cast.huaihai, "plans", example(feed, 0))
    assert linked() == [1, 2]


def test_hazards_belong_to_the_agency_that_found_them(cast: Cast) -> None:
    send_examples(cast, through="hazards")

    def agency() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT agency_id FROM hazards_hazard WHERE service_id IS NOT NULL")
            return cursor.fetchone()[0]

    assert agency() == cast.agency.pk
    cast.accepted(cast.huaihai, "services", example(FEEDS["services"], 0, agency_code="AGY02"))
    assert agency() == cast.other_agency.pk


def test_the_enterprises_sheet_opens_to_those_who_work_there(cast: Cast) -> None:
    send_examples(cast, through="services")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM parties_enterprise WHERE uscc = %s", [E1])
        [enterprise] = cursor.fetchone()
    engaged = dict(Engagement.objects.filter(enterprise_id=enterprise).values_list("party_id", "since_on"))
    assert engaged == {
        cast.huaihai.pk: date(2026, 3, 10),
        cast.agency.pk: date(2026, 3, 20),
        cast.expert.pk: date(2026, 5, 12),
    }


def test_reversals_name_what_they_take_back(cast: Cast) -> None:
    send_examples(cast, before="expenses")
    feed = FEEDS["expenses"]
    first = example(feed, 0)
    back = example(feed, 0, expense_no="FY9", amount="-1200.00", tax="-67.92", reversal_of=first["expense_no"])
    assert cast.send(cast.huaihai, "expenses", back).outcomes == "R"
    assert cast.accepted(cast.huaihai, "expenses", back, first).outcomes == "AA"
    assert cast.accepted(cast.huaihai, "expenses", back).outcomes == "S"
