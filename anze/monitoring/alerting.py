"""Raising alerts, closing those whose cause is gone, and carrying up what nobody mends.

A run asks each rule for the causes that exist today, and makes the table so: a cause without an alert gets one, an
alert without its cause is closed. A full run asks for all of them, after midnight and after a parameter changed;
in between only the subjects that changed are asked for, as the refresh of the figures has noted them. Both leave
the same alerts behind.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from anze.hazards.models.escalation import overdue_since
from anze.kernel.alert import SCOPE, AlertRule, by_region, load_alerts
from anze.kernel.duty import Party, beijing_day
from anze.kernel.parameters import numbers
from anze.kernel.scope import EVERYTHING, enter
from anze.monitoring.models import Raising
from anze.monitoring.rules.alerts import Reached
from anze.monitoring.telling import tell

LOCK = 0x616C6572  # one run at a time
MOST = 20_000  # changed subjects beyond which a rule is asked for everything
Values = Mapping[str, Mapping[str, Decimal]]  # parameter key → region → number

_SCOPE = ", ".join(f"coalesce({n}, '') AS {n}" if n in ("region_code", "sector") else n for n in SCOPE)
# columns of an alert that follow its cause as long as it is open
_FOLLOWS = ("level", "row_id", "label", "facts", "due_on", "parties", *SCOPE)


@dataclass
class Raised:
    """What a run did. `alerts` are the ids of those raised or opened again."""

    opened: int = 0
    reopened: int = 0
    closed: int = 0
    escalated: int = 0
    alerts: list[UUID] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def filled(rule: AlertRule, values: Values) -> dict[str, str]:
    """The thresholds of a rule as SQL, by the names its texts use."""
    return {name: by_region(rule.column("region_code"), values[key]) for name, key in rule.thresholds.items()}


def run(*, at: datetime, full: bool = False, only: Iterable[str] | None = None) -> Raised | None:
    """Bring the alerts up to date; None while another run is at work."""
    started = time.monotonic()
    today = beijing_day(at)
    rules = [rule for code, rule in load_alerts().items() if only is None or code in only]
    with transaction.atomic(), connection.cursor() as cursor:
        enter(EVERYTHING)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        touched = {} if full else _take_touched(cursor)
        if full:
            cursor.execute("DELETE FROM monitoring_touchedsubject")
        values = numbers(today, (key for rule in rules for key in rule.thresholds.values()))
        raised = Raised()
        # joins of a day's few causes with large tables; the planner has no sizes of what the texts derive
        cursor.execute("SET LOCAL work_mem = '64MB'")
        for rule in rules:
            begun = time.monotonic()
            subjects = None if full else _subjects(rule, touched)
            if subjects is None or subjects:
                _judge(cursor, rule, filled(rule, values), at, today, subjects, raised)
            raised.seconds[rule.code] = time.monotonic() - begun
        carried = _carry_up(cursor, rules, at, today)
        raised.escalated = len(carried)
        # in this very transaction: an alert is never there without its notices, nor they without it
        tell([*raised.alerts, *carried], at)
        if full or raised.alerts or raised.closed or carried:
            Raising.objects.create(
                at=at,
                is_full=full,
                opened=raised.opened,
                reopened=raised.reopened,
                closed=raised.closed,
                escalated=raised.escalated,
                seconds=round(time.monotonic() - started, 3),
            )
    return raised


def _take_touched(cursor: CursorWrapper) -> dict[tuple[str, str], set[UUID] | None]:
    cursor.execute('DELETE FROM monitoring_touchedsubject RETURNING table_name, "column", subject')
    found: dict[tuple[str, str], set[UUID] | None] = {}
    for table, column, subject in cursor.fetchall():
        if subject is None:
            found[table, column] = None
        elif (kept := found.setdefault((table, column), set())) is not None:
            kept.add(subject)
    return found


def watched(rules: Iterable[AlertRule]) -> set[tuple[str, str]]:
    """The tables and columns whose changes are noted for the rules."""
    return {source for rule in rules for source in rule.sources.items()}


def _subjects(rule: AlertRule, touched: Mapping[tuple[str, str], set[UUID] | None]) -> list[UUID] | None:
    """What of a rule is to be judged again; None: everything."""
    if not _is_noted(rule) or ("*", "") in touched:
        return None
    found: set[UUID] = set()
    for source in rule.sources.items():
        subjects = touched.get(source, set())
        if subjects is None:
            return None
        found |= subjects
    return None if len(found) > MOST else sorted(found)


def _is_noted(rule: AlertRule) -> bool:
    """Whether changes of all its tables leave a note; the others are small, and are looked at as a whole."""
    from anze.kernel.database import our_models

    counted = {model._meta.db_table for model in our_models() if getattr(model, "is_counted", False)}
    return bool(rule.sources) and counted.issuperset(rule.sources)


def _judge(
    cursor: CursorWrapper,
    rule: AlertRule,
    values: Mapping[str, str],
    at: datetime,
    today: date,
    subjects: list[UUID] | None,
    raised: Raised,
) -> None:
    """Make the alerts of a rule agree with its causes, of all subjects or of some."""
    among = "true"
    if subjects is not None:
        among = "subject = ANY ('{" + ",".join(str(each) for each in subjects) + "}'::uuid[])"
    level = f"CASE WHEN rises_on <= date '{today}' THEN '{rule.risen.value}' ELSE '{rule.level.value}' END"
    cursor.execute("DROP TABLE IF EXISTS cause")
    cursor.execute(
        "CREATE TEMP TABLE cause ON COMMIT DROP AS SELECT DISTINCT ON (subject, episode) subject, episode, begins, "
        f"coalesce(due_on, begins) AS due_on, row_id, label, facts, {level} AS level, "
        f"{_SCOPE} "
        f"FROM ({rule.causes_on(values, today, where=among)}) c ORDER BY subject, episode, begins"
    )
    cursor.execute("ANALYZE cause (subject)")
    parties = "ARRAY[" + ", ".join(f"'{party.value}'" for party in rule.parties) + "]::varchar[]"
    # what concerns an authority begins with the lowest one whose region holds it
    begins_with = (
        f"CASE WHEN region_code LIKE '__0000' THEN '{Reached.PROVINCE}' WHEN region_code LIKE '____00' "
        f"THEN '{Reached.CITY}' WHEN region_code = '' THEN '{Reached.PROVINCE}' ELSE '{Reached.COUNTY}' END"
        if Party.AUTHORITY in rule.parties
        else "''"
    )
    columns = ", ".join(SCOPE)
    follows = ", ".join(f"{name} = excluded.{name}" for name in _FOLLOWS)
    differs = (
        f"({', '.join(f'a.{name}' for name in _FOLLOWS)}) IS DISTINCT FROM "
        f"({', '.join(f'excluded.{name}' for name in _FOLLOWS)})"
    )
    cursor.execute(
        f"INSERT INTO monitoring_alert AS a (code, subject, episode, level, state, parties, reached, row_id, label, "
        f"facts, begins_on, due_on, opened_at, taken_by, closed_by, closing, reason, evidence, {columns}) "
        f"SELECT %s, subject, episode, level, 'OPEN', {parties}, {begins_with}, row_id, label, facts, begins, due_on, "
        f"%s, '', '', '', '', '', {columns} FROM cause ORDER BY region_code, due_on "
        f"ON CONFLICT (code, subject, episode) DO UPDATE SET {follows}, "
        "state = CASE WHEN a.state = 'CLOSED' THEN 'OPEN' ELSE a.state END, closed_at = NULL, closing = '', "
        "opened_at = CASE WHEN a.state = 'CLOSED' THEN excluded.opened_at ELSE a.opened_at END "
        # closed by somebody's word it stays closed, whatever the cause does
        f"WHERE (a.state <> 'CLOSED' AND {differs}) OR (a.state = 'CLOSED' AND a.closing = 'GONE') "
        "RETURNING id, xmax = 0, opened_at = %s",
        [rule.code, at, at],
    )
    for alert, is_new, is_open_now in cursor.fetchall():
        if is_new or is_open_now:
            raised.alerts.append(alert)
            raised.opened += is_new
            raised.reopened += not is_new
    cursor.execute(
        "UPDATE monitoring_alert a SET state = 'CLOSED', closing = 'GONE', closed_at = %s "
        f"WHERE a.code = %s AND a.state <> 'CLOSED' AND {among} AND NOT EXISTS "
        "(SELECT FROM cause c WHERE c.subject = a.subject AND c.episode = a.episode)",
        [at, rule.code],
    )
    raised.closed += cursor.rowcount
    cursor.execute("DROP TABLE cause")


def _carry_up(cursor: CursorWrapper, rules: Iterable[AlertRule], at: datetime, today: date) -> list[UUID]:
    """What stays open goes up by working days after its deadline, county by county as the parameters say."""
    kinds: dict[str, list[str]] = {}
    for rule in rules:
        kinds.setdefault(rule.escalation, []).append(rule.code)
    found: list[UUID] = []
    order = list(Reached)
    for kind, codes in kinds.items():
        # without steps of its own a rule goes up by the level of each alert
        for prefix, level in (
            [(kind, None)] if kind else [(f"alert.escalation_workdays.{each}", each) for each in _LEVELS]
        ):
            values = numbers(today, (f"{prefix}.{each}" for each in order))
            for place, each in reversed(list(enumerate(order))):
                since = _since(values[f"{prefix}.{each}"], today)
                if since is None:
                    continue
                below = ["", *order[:place]]
                cursor.execute(
                    "UPDATE monitoring_alert a SET reached = %s, reached_at = %s WHERE code = ANY (%s) "
                    "AND state <> 'CLOSED' AND reached = ANY (%s) AND (%s::text IS NULL OR level = %s) "
                    f"AND due_on <= {since} RETURNING id",
                    [each.value, at, codes, below, level, level],
                )
                found += [row[0] for row in cursor.fetchall()]
    return found


_LEVELS = ("URGENT", "IMPORTANT", "GENERAL")


def _since(workdays: Mapping[str, Decimal], today: date) -> str | None:
    """SQL for the latest deadline that is so many working days past, by region."""
    days = {region: overdue_since(today, int(count)) for region, count in workdays.items()}
    if any(day is None for day in days.values()):
        return None
    ordinals = {region: Decimal(day.toordinal()) for region, day in days.items() if day}
    base = date(2000, 1, 1)
    shifted = {region: count - base.toordinal() for region, count in ordinals.items()}
    return f"(date '{base}' + ({by_region('region_code', shifted)})::int)"
