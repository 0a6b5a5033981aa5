"""Staging, checking and publishing a batch, set-based: a fixed number of statements whatever its size."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from operator import attrgetter
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from uuid_utils.compat import uuid7

from anze.exchange.decoding import DecodedRow, FoundProblem
from anze.exchange.feed import SENDER, Feed, Field, Kind, Lines, Reference
from anze.exchange.limits import beyond_sql, is_credit_code, unfit_list
from anze.exchange.rules import Outcome
from anze.kernel.duty import beijing_day, end_of_day
from anze.kernel.parameters import number_in_force
from anze.kernel.rules import Channel
from anze.kernel.workdays import CalendarEnds, WorkdayCalendar
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind


@dataclass(frozen=True)
class Delivery:
    """Who delivers rows, how and when, and the area he may report on."""

    batch_id: UUID
    sender_id: UUID
    channel: Channel
    received_at: datetime
    region_from: str = "000000"
    region_to: str = "ZZZZZZ"
    # for records taken over from a predecessor: when each first arrived there, row 1 first
    known_since: Sequence[datetime] = ()
    # a batch the sender sent later is published already: what that wrote is not written over
    is_overtaken: bool = False
    # called when the rows are staged and before anything on file is looked at: waits for those before, or raises
    await_turn: Callable[[], None] | None = None


@dataclass
class Published:
    """What became of each row, the rows' numbers in the order sent, and everything that was found."""

    outcomes: str = ""
    numbers: list[int] = field(default_factory=list)
    problems: list[FoundProblem] = field(default_factory=list)
    row_of: dict[Any, int] = field(default_factory=dict)  # the natural key as sent → the first row that has it

    def count(self, outcome: Outcome) -> int:
        return self.outcomes.count(outcome.value)


# blanks of every width, control characters and marks without width: two numbers that look alike must be alike
BLANKS = r"[\s\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"

# Batches of one process are read one after the other: at once they would only take turns at the interpreter, and
# the first would be ready to publish no sooner than the last.
READING = Lock()

Rule = tuple[str, str, str]  # field, code, SQL of the condition that breaks it


class DueDates:
    """The reporting deadline of an event day, computed once a day and channel."""

    def __init__(self, calendar: WorkdayCalendar, allowed: dict[date, int], is_manual: bool) -> None:
        self._calendar = calendar
        self._allowed = sorted(allowed.items())
        self._is_manual = is_manual
        self._known: dict[date, datetime | None] = {}

    def __call__(self, day: date) -> datetime | None:
        if day not in self._known:
            self._known[day] = self._compute(day)
        return self._known[day]

    def _compute(self, day: date) -> datetime | None:
        units = next((n for since, n in reversed(self._allowed) if since <= day), 0)
        if not self._calendar.first <= day <= self._calendar.last:
            return None
        try:
            last = self._calendar.add_workdays(day, units) if self._is_manual else day + timedelta(days=units)
        except CalendarEnds:
            return None
        return end_of_day(last)


def hold(feed: Feed, sender_id: UUID) -> None:
    """Wait until nobody else publishes this sender's rows of a feed; held to the end of the transaction."""
    lock = feed.name if not feed.of_insurer else f"{feed.name} {sender_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])


def publish(feed: Feed, rows: Iterable[DecodedRow], delivery: Delivery, due: DueDates) -> Published:
    """Check and publish rows in the present transaction, whose scope must be everything."""
    # a body that cannot be read at all is refused with its first row, before anything has begun
    rows = iter(rows)
    first = list(islice(rows, 1))
    return _Work(feed, delivery, due).run(chain(first, rows))


def _event_getter(feed: Feed) -> Callable[[Any], date]:
    get = attrgetter(feed.event)
    if feed.get(feed.event).kind is Kind.DATE:
        return get

    def day_of(record: Any) -> date:
        value: datetime = get(record)
        try:
            return beijing_day(value)
        except OverflowError:  # the first and last hours of the calendar Python knows
            return value.date()

    return day_of


def _by_day(name: str, day: str, sql: str, key: str) -> str:
    """SQL: joins `sql` over one.day and one.region to alias r, worked out once a day. As long as no region has a value
    of its own of the parameter `key`, all are one region: few days come again and again, a hundred regions with them
    would not."""
    region = (
        f"CASE WHEN EXISTS (SELECT FROM kernel_parameter WHERE key = '{key}' AND region_code <> '' AND value <> '') "
        "THEN r.region_code ELSE '' END"
    )
    days = f"SELECT DISTINCT r.{day} AS day, {region} AS region FROM resolved r"
    return (
        f"LEFT JOIN (SELECT one.day, one.region, {sql} AS value FROM ({days}) one) {name} "
        f"ON {name}.day = r.{day} AND {name}.region = {region}"
    )


class _Texts(dict[date | None, str | None]):
    """Days as text. Few days come again and again, and the driver would write out each of them anew."""

    def __missing__(self, day: date | None) -> str | None:
        text = self[day] = None if day is None else day.isoformat()
        return text


class _Work:
    def __init__(self, feed: Feed, delivery: Delivery, due: DueDates) -> None:
        self.feed = feed
        self.delivery = delivery
        self.due = due
        self.result = Published()
        self.rejected: set[int] = set()
        self.parent_fields = [each for each in feed.fields if each.kind is not Kind.ROWS]
        self.line_fields = [each for each in feed.fields if each.kind is Kind.ROWS]
        self.cursor = connection.cursor()

    def run(self, rows: Iterable[DecodedRow]) -> Published:
        feed, delivery = self.feed, self.delivery
        # small samples are enough to plan the joins by
        self.cursor.execute("SET LOCAL default_statistics_target = 10")
        # before the lock: while one batch is published the next one can be read
        self._stage(rows)
        if delivery.await_turn:
            delivery.await_turn()
        hold(feed, delivery.sender_id)
        self._resolve()
        self._check()
        if self.rejected:
            self.cursor.execute(
                "DELETE FROM resolved r USING unnest(%s::int[]) AS bad(row_no) WHERE bad.row_no = r.row_no",
                [list(self.rejected)],
            )
        self.result.outcomes = self._outcomes()
        if self.result.count(Outcome.CREATED) or self.result.count(Outcome.UPDATED):
            self._write()
        names = ["staged", "resolved", *(f"staged_{each.name}" for each in self.line_fields)]
        self.cursor.execute(f"DROP TABLE {', '.join(names)}")
        self.result.problems.sort(key=lambda problem: problem.row)
        return self.result

    def _outcomes(self) -> str:
        """A letter a row, in the order sent; row numbers go up in it."""
        sent = len(self.result.numbers)
        self.cursor.execute("SELECT outcome, count(*) FROM resolved GROUP BY outcome")
        found: dict[str, int] = dict(self.cursor.fetchall())
        if found == {(only := next(iter(found), "")): sent}:  # nearly always: all new, or all there already
            return only * sent
        if sum(found.values()) == sent:
            self.cursor.execute("SELECT string_agg(outcome, '' ORDER BY row_no) FROM resolved")
            all_good: str = self.cursor.fetchone()[0] or ""
            return all_good
        self.cursor.execute("SELECT row_no, outcome FROM resolved")
        outcome = dict(self.cursor.fetchall())
        return "".join(outcome.get(number, Outcome.REJECTED.value) for number in self.result.numbers)

    # staging -----------------------------------------------------------------------------------------------

    def _stage(self, rows: Iterable[DecodedRow]) -> None:
        columns = ", ".join(f"{each.name} {each.kind.sql}" for each in self.parent_fields)
        # The sender is a column, not a constant: knowing nothing of a sender who is new, the planner would
        # take him for one with hardly a row, and compare every row staged with every row he has on file.
        self.cursor.execute(
            "CREATE TEMP TABLE staged (row_no int, content_hash text, event_on date, "
            f"report_due_at timestamptz, sender_id uuid DEFAULT '{self.delivery.sender_id}', {columns}) "
            "ON COMMIT DROP"
        )
        for each in self.line_fields:
            inner = ", ".join(f"{line.name} {line.kind.sql}" for line in each.of)
            self.cursor.execute(f"CREATE TEMP TABLE staged_{each.name} (row_no int, seq int, {inner}) ON COMMIT DROP")
        lines: dict[str, list[tuple[Any, ...]]] = {each.name: [] for each in self.line_fields}
        names = ", ".join(each.name for each in self.parent_fields)
        copy_into = f"COPY staged (row_no, content_hash, event_on, report_due_at, {names}) FROM STDIN"
        with READING, self.cursor.copy(copy_into) as copy:
            for row in self._records(rows, lines):
                copy.write_row(row)
        for each in self.line_fields:
            if lines[each.name]:
                inner = ", ".join(line.name for line in each.of)
                with self.cursor.copy(f"COPY staged_{each.name} (row_no, seq, {inner}) FROM STDIN") as copy:
                    for line in lines[each.name]:
                        copy.write_row(line)
        # only what the planner joins by; to look at every column takes longer than to publish a small batch
        joined = {reference.field for reference in self.feed.references} | set(self.feed.key_fields)
        self.cursor.execute(f"ANALYZE staged ({', '.join(sorted(joined))})")

    def _records(
        self, rows: Iterable[DecodedRow], lines: dict[str, list[tuple[Any, ...]]]
    ) -> Iterator[tuple[Any, ...]]:
        feed, problems = self.feed, self.result.problems
        encode, digest, astuple = msgspec.json.Encoder().encode, hashlib.md5, msgspec.structs.astuple
        key_of = attrgetter(*feed.key_fields)
        event_of = _event_getter(feed)
        seen = self.result.row_of
        today = beijing_day(self.delivery.received_at)
        due, row_check, number_seen = self.due, feed.row_check, self.result.numbers.append
        places = {kind: [i for i, each in enumerate(feed.fields) if each.kind is kind] for kind in Kind}
        line_at, json_at = places[Kind.ROWS], places[Kind.LIST]
        bool_at = [i for i in places[Kind.BOOL] if not feed.fields[i].required]
        uscc_at = [i for i in places[Kind.USCC] if feed.fields[i].stored_as]
        date_at = places[Kind.DATE]
        has_decimals = any(each.kind is Kind.DECIMAL for outer in feed.fields for each in (outer, *outer.of))
        text = _Texts()
        for decoded in rows:
            number, record = decoded.row, decoded.record
            number_seen(number)
            if record is None or decoded.problems:
                problems += decoded.problems
                continue
            first = seen.setdefault(key_of(record), number)
            if first != number:
                problems.append(FoundProblem(number, feed.key_fields[0], "duplicate_in_batch", {"first": first}))
                continue
            day = event_of(record)
            due_at = due(day)
            if due_at is None:
                problems.append(FoundProblem(number, feed.event, "date_out_of_calendar"))
                continue
            if day > today:
                problems.append(FoundProblem(number, feed.event, "event_in_future"))
                continue
            if row_check and (found := row_check(record)):
                problems.append(FoundProblem(number, found[0], found[1]))
                continue
            encoded = encode(record)
            values = list(astuple(record))
            if has_decimals and (beyond := beyond_sql(feed, number, values, len(encoded))):
                problems.append(beyond)
                continue
            wrong = [i for i in uscc_at if values[i] and not is_credit_code(values[i])]
            if wrong:
                problems += [FoundProblem(number, feed.fields[i].name, "bad_credit_code") for i in wrong]
                continue
            if json_at:
                unfit = [problem for i in json_at for problem in unfit_list(number, feed.fields[i], values[i])]
                if unfit:
                    problems += unfit
                    continue
                for i in json_at:
                    values[i] = encode(values[i]).decode()
            for i in bool_at:
                values[i] = bool(values[i])
            for i in date_at:
                values[i] = text[values[i]]
            for i in reversed(line_at):
                for seq, line in enumerate(values.pop(i), 1):
                    lines[feed.fields[i].name].append((number, seq, *astuple(line)))
            content = digest(encoded, usedforsecurity=False).hexdigest()
            yield (number, content, text[day], text[due_at], *values)

    # resolving ---------------------------------------------------------------------------------------------

    def _resolve(self) -> None:
        feed = self.feed
        given: dict[str, str] = {}
        helps: dict[str, str] = {}
        joins: list[str] = []
        missing: list[str] = []
        for reference in feed.references:
            joins.append(_join(reference, "s", self.delivery.sender_id, given | helps))
            for ours, theirs in reference.gives.items():
                given.setdefault(ours, f"{reference.alias}.{theirs}")
            for ours, theirs in reference.helps.items():
                helps.setdefault(ours, f"{reference.alias}.{theirs}")
            missing.append(f"{reference.found} IS NULL AS missing_{reference.field}")
        by_column = {each.stored_as: f"s.{each.name}" for each in self.parent_fields if each.stored_as}
        self.given = given
        self.has_region = "region_code" in given or any(each.stored_as == "region_code" for each in self.parent_fields)
        self.found_before = given.keys() | helps.keys()
        key = [f"existing.{column} = {by_column.get(column) or given[column]}" for column in feed.key]
        if feed.of_insurer:
            key.append("existing.insurer_id = s.sender_id")
        # what a correction takes the record away from has to be worked out anew as well
        helps |= {f"known_{column}": f"existing.{column}" for column in given if column.endswith("_id")}
        helps |= {f"known_{column}": f"existing.{column}" for column in feed.remembers}
        if self.has_region:
            helps["known_region_code"] = "existing.region_code"
        if self.delivery.is_overtaken:
            helps["known_batch_id"] = "existing.batch_id"
        extra = [f"{sql} AS {column}" for column, sql in (given | helps).items()] + missing
        # Sorted by parent, and the new ids given in this order: neighbouring index pages stay warm.
        parent = given.get("enterprise_id") or by_column.get("enterprise_id")
        order = f"{parent}, s.row_no" if parent else "s.row_no"
        # A new id is the batch's own, with the row's place in the bytes after the variant: unique because the
        # batch's is, and made at a fifth of the cost of one made for each row.
        new_id = (
            f"encode(overlay('\\x{uuid7().hex}'::bytea PLACING int4send(x.place_in_batch::int) FROM 10), 'hex')::uuid"
        )
        self.cursor.execute(
            f"CREATE TEMP TABLE resolved ON COMMIT DROP AS SELECT x.*, coalesce(x.known_id, {new_id}) AS id FROM ("
            "SELECT s.*, "
            + "".join(f"{each}, " for each in extra)
            + "existing.id AS known_id, existing.event_on AS known_event_on, "
            "existing.report_due_at AS known_due_at, "
            f"CASE WHEN existing.id IS NULL THEN '{Outcome.CREATED.value}' "
            f"WHEN existing.content_hash = s.content_hash THEN '{Outcome.UNCHANGED.value}' "
            f"ELSE '{Outcome.UPDATED.value}' END AS outcome, "
            f"row_number() OVER (ORDER BY {order}) AS place_in_batch FROM staged s "
            + " ".join(joins)
            + f" LEFT JOIN {feed.table} existing ON {' AND '.join(key)} ORDER BY {order}) x"
        )

    # checking ----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        feed = self.feed
        rules: list[Rule] = []
        if self.delivery.is_overtaken:
            later = (
                f"SELECT b.id FROM exchange_batch b WHERE b.sender_id = '{self.delivery.sender_id}'::uuid "
                f"AND b.received_at > '{self.delivery.received_at.isoformat()}'::timestamptz"
            )
            overtaken = f"r.outcome = '{Outcome.UPDATED.value}' AND r.known_batch_id IN ({later})"
            rules.append((feed.key_fields[0], "newer_on_file", overtaken))
        for reference in feed.references:
            wanted = _is_given(reference.field, feed.get(reference.field))
            # what is found through another reference is not missed when that one was not found
            wanted += "".join(
                f" AND r.{name} IS NOT NULL" for name in reference.match.values() if name in self.found_before
            )
            if reference.foreign:
                other = _elsewhere(reference)
                foreign = f"r.missing_{reference.field} AND {wanted} AND {other}"
                rules.append((reference.field, reference.foreign, foreign))
                wanted = f"{wanted} AND NOT {other}"
            rules.append((reference.field, reference.missing, f"r.missing_{reference.field} AND {wanted}"))
        for name in feed.key_fields:
            if feed.get(name).kind is Kind.TEXT:
                rules.append((name, "blank_in_number", f"r.{name} ~ '{BLANKS}'"))
        for each in self.parent_fields:
            rules += _range_rules(each, f"r.{each.name}")
        if self.has_region:
            yours = f"BETWEEN '{self.delivery.region_from}' AND '{self.delivery.region_to}'"
            name = "region_code" if "region_code" not in self.given else feed.references[0].field
            rules.append((name, "region_not_yours", f"r.region_code NOT {yours}"))
            # who names another's record must not take it away from him, nor void it
            rules.append((feed.key_fields[0], "record_elsewhere", f"r.known_region_code NOT {yours}"))
        joins = []
        are_moved = any(check.if_moved for check in feed.checks) and self._some_moved()
        for number, check in enumerate(feed.checks):
            if check.if_moved and not are_moved:
                continue
            sql = self._filled(check.fails)
            if check.parameter:
                key, on = check.parameter
                p = f"p{number}"
                joins.append(_by_day(p, on, number_in_force(key, "one.day", "one.region"), key))
                sql = sql.replace("{value}", f"{p}.value")
            rules.append((check.field, check.code, sql))
        broken = f"FROM resolved r {' '.join(joins)} CROSS JOIN LATERAL {_taken_apart(rules)}"
        self.cursor.execute(f"SELECT r.row_no, c.n, to_jsonb(r) {broken} ORDER BY 1, 2")
        for row_no, n, content in self.cursor.fetchall():
            name, code, _condition = rules[n]
            self._reject(row_no, name, code, msgspec.json.decode(content) if isinstance(content, str) else content)
        for lines in feed.lines:
            self._check_lines(lines)

    def _check_lines(self, lines: Lines) -> None:
        each = self.feed.get(lines.field)
        table = f"staged_{lines.field}"
        for reference in lines.references:
            join = _join(reference, "l", self.delivery.sender_id, {})
            self.cursor.execute(
                f"SELECT l.row_no, l.seq, l.{reference.field} FROM {table} l {join} "
                f"WHERE l.{reference.field} <> '' AND {reference.found} IS NULL"
            )
            for row_no, seq, value in self.cursor.fetchall():
                self._reject(row_no, f"{lines.field}.{seq}.{reference.field}", reference.missing, {"value": value})
        rules = [(check.field, check.code, self._filled(check.fails)) for check in lines.checks]
        for inner in each.of:
            rules += _range_rules(inner, f"l.{inner.name}")
        if not rules:
            return
        places = {inner.name: inner.places for inner in each.of}
        self.cursor.execute(
            f"SELECT l.row_no, l.seq, c.n FROM {table} l JOIN resolved r ON r.row_no = l.row_no "
            f"CROSS JOIN LATERAL {_taken_apart(rules)} ORDER BY 1, 2, 3"
        )
        for row_no, seq, n in self.cursor.fetchall():
            name, code, _condition = rules[n]
            self._reject(row_no, f"{lines.field}.{seq}.{name}", code, {"places": places[name]})

    def _filled(self, sql: str) -> str:
        today = beijing_day(self.delivery.received_at)
        sql = sql.replace("{received}", f"'{self.delivery.received_at.isoformat()}'::timestamptz")
        return sql.replace("{sender}", f"'{self.delivery.sender_id}'::uuid").replace("{today}", f"'{today}'::date")

    def _reject(self, row_no: int, name: str, code: str, content: dict[str, Any]) -> None:
        values: dict[str, Any] = {"value": str(content.get(name, content.get("value", "")))[:80]}
        if code == "too_precise":
            values["places"] = content.get("places") or self.feed.get(name).places
        self.rejected.add(row_no)
        self.result.problems.append(FoundProblem(row_no, name, code, values))

    # writing -----------------------------------------------------------------------------------------------

    def _write(self) -> None:
        feed, delivery = self.feed, self.delivery
        columns = {each.stored_as: f"r.{each.name}" for each in self.parent_fields if each.stored_as}
        columns |= {column: f"r.{column}" for column in self.given}
        columns |= {column: self._filled(sql) for column, sql in feed.sets.items()}
        if feed.of_insurer:
            columns["insurer_id"] = f"'{delivery.sender_id}'::uuid"
        columns |= {
            "batch_id": f"'{delivery.batch_id}'::uuid",
            "channel": f"'{delivery.channel.value}'",
            "content_hash": "r.content_hash",
            "event_on": "r.event_on",
        }
        fresh = columns | {
            "id": "r.id",
            "version": "1",
            "received_at": "%(received_at)s",
            "report_due_at": "r.report_due_at",
        }
        words: dict[str, Any] = {"received_at": delivery.received_at}
        if delivery.known_since:
            fresh["received_at"] = "(%(received_at)s::timestamptz[])[r.row_no]"
            # written out here: the driver would look at each moment by itself
            words["received_at"] = "{" + ",".join(each.isoformat() for each in delivery.known_since) + "}"
        table = feed.table
        source = "resolved r " + " ".join(_by_day(name, *asked) for name, asked in feed.by_day.items())
        if self.result.count(Outcome.CREATED):
            self.cursor.execute(
                f"INSERT INTO {table} ({', '.join(fresh)}) SELECT {', '.join(fresh.values())} "
                f"FROM {source} WHERE r.outcome = '{Outcome.CREATED.value}'",
                words,
            )
        if self.result.count(Outcome.UPDATED):
            # the first arrival decides timeliness; a corrected event day moves the deadline
            changed = columns | {
                "version": "t.version + 1",
                "report_due_at": "CASE WHEN r.event_on = r.known_event_on THEN r.known_due_at ELSE r.report_due_at END",
            }
            sets = ", ".join(f"{column} = {sql}" for column, sql in changed.items())
            self.cursor.execute(
                f"UPDATE {table} t SET {sets} FROM {source} "
                f"WHERE r.outcome = '{Outcome.UPDATED.value}' AND t.id = r.id",
                words,
            )
        for lines in feed.lines:
            self._write_lines(lines)
        if feed.followers and self._some_moved():
            for sql in feed.followers:
                self.cursor.execute(self._filled(sql))
        for sql in feed.after:
            self.cursor.execute(self._filled(sql))

    def _some_moved(self) -> bool:
        """Whether a correction gave a record to another enterprise."""
        self.cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM resolved WHERE outcome = '{Outcome.UPDATED.value}' "
            "AND known_enterprise_id <> enterprise_id)"
        )
        return bool(self.cursor.fetchone()[0])

    def _write_lines(self, lines: Lines) -> None:
        each = self.feed.get(lines.field)
        table = lines.model._meta.db_table
        columns = {inner.stored_as: f"l.{inner.name}" for inner in each.of if inner.stored_as}
        joins = []
        for reference in lines.references:
            joins.append(_join(reference, "l", self.delivery.sender_id, {}))
            columns |= {ours: f"{reference.alias}.{theirs}" for ours, theirs in reference.gives.items()}
        columns |= {column: f"r.{column}" for column in lines.takes if column != "insurer_id"}
        if "insurer_id" in lines.takes:
            columns["insurer_id"] = f"'{self.delivery.sender_id}'::uuid"
        sets = ", ".join(f"{column} = excluded.{column}" for column in columns)
        ours = ", ".join(f"t.{column}" for column in columns)
        theirs = ", ".join(f"excluded.{column}" for column in columns)
        if self.result.count(Outcome.UPDATED):
            surplus = (
                f"SELECT t.id FROM {table} t JOIN resolved r ON r.id = t.{lines.parent} AND r.outcome = 'U' "
                f"LEFT JOIN staged_{lines.field} l ON l.row_no = r.row_no AND l.seq = t.seq "
                "WHERE l.row_no IS NULL"
            )
            for unlink in lines.unlink:
                self.cursor.execute(unlink.replace("{surplus}", surplus))
            self.cursor.execute(f"DELETE FROM {table} WHERE id IN ({surplus})")
        self.cursor.execute(
            f"INSERT INTO {table} AS t ({lines.parent}, seq, {', '.join(columns)}) "
            f"SELECT r.id, l.seq, {', '.join(columns.values())} FROM staged_{lines.field} l "
            f"JOIN resolved r ON r.row_no = l.row_no AND r.outcome IN ('A', 'U') {' '.join(joins)} "
            f"ORDER BY r.id, l.seq ON CONFLICT ({lines.parent}, seq) DO UPDATE SET {sets} "
            f"WHERE ({ours}) IS DISTINCT FROM ({theirs})"
        )


def _is_given(name: str, each: Field) -> str:
    return f"r.{name} IS NOT NULL" if each.is_nullable else f"r.{name} <> ''"


def _join(reference: Reference, alias: str, sender_id: UUID, given: dict[str, str]) -> str:
    t = reference.alias
    parts = []
    for column, name in reference.match.items():
        if name == SENDER:
            sender = "s.sender_id" if alias == "s" else f"'{sender_id}'"
            parts.append(f"{t}.{column} = {sender}")
        elif name in given:
            parts.append(f"{t}.{column} = {given[name]}")
        else:
            parts.append(f"{t}.{column} = {alias}.{name}")
    if reference.where:
        parts.append(reference.where.replace("{t}", t).replace("{sender}", f"'{sender_id}'::uuid"))
    return f"LEFT JOIN {reference.model._meta.db_table} {t} ON {' AND '.join(parts)}"


def _elsewhere(reference: Reference) -> str:
    """SQL: what was not found among the sender's own does exist."""
    table = reference.model._meta.db_table
    same = " AND ".join(f"x.{column} = r.{name}" for column, name in reference.match.items() if name != SENDER)
    if SENDER not in reference.match.values():
        return f"EXISTS (SELECT 1 FROM {table} x WHERE {same})"
    # through the list of insurers, so that the key (insurer, number) serves and no whole table is read
    return (
        f"EXISTS (SELECT 1 FROM parties_organisation o JOIN {table} x ON x.insurer_id = o.id "
        f"WHERE o.kind = '{OrganisationKind.INSURER.value}' AND {same})"
    )


def _taken_apart(rules: list[Rule]) -> str:
    """SQL for the rules that are broken, as c(n). Good rows, which are nearly all, stop at its WHERE; only
    bad ones are looked at rule by rule."""
    listed = ", ".join(f"({n}, ({condition}))" for n, (_field, _code, condition) in enumerate(rules))
    anything = " OR ".join(f"({condition})" for _field, _code, condition in rules)
    return f"(SELECT v.n FROM (VALUES {listed}) AS v(n, bad) WHERE ({anything}) AND v.bad) AS c"


def _range_rules(each: Field, value: str) -> list[Rule]:
    if each.kind in (Kind.DATE, Kind.MOMENT):
        # beyond these years neither calendars nor programs agree on what a date is
        outside = f"{value} < '1900-01-01' OR {value} >= '2200-01-01'"
        return [(each.name, "date_out_of_range", outside)]
    if each.kind is not Kind.DECIMAL:
        return []
    limit = Decimal(10) ** (each.digits - each.places)
    low = f"{value} < {each.minimum}" if each.minimum is not None else f"{value} <= -{limit}"
    high = f"{value} > {each.maximum}" if each.maximum is not None else f"{value} >= {limit}"
    return [
        (each.name, "too_precise", f"{value} <> round({value}, {each.places})"),
        # NaN and infinity compare as larger than everything
        (each.name, "too_large", f"{low} OR {high}"),
    ]


def senders(feed: Feed) -> Any:
    """The organisations that may send a feed."""
    kinds = [OrganisationKind.INSURER] if feed.of_insurer else [OrganisationKind.EMA]
    return Organisation.objects.filter(kind__in=kinds, is_active=True)
