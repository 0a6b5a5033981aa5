"""The three-way match of services, invoices and payments over the whole province, and what people say to its findings.

One statement a kind makes the rows of `found`; one machine keeps the table of findings after it: new ones are added,
those whose cause is gone close themselves, and one that was decided opens again only if more money is in doubt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from anze.expenses.models import ExpenseFinding
from anze.expenses.models.matching import NO_VOUCHER_IF, OVER_CAP_IF, PAPERS, SPENT, money
from anze.expenses.rules import FINDING_LIFECYCLE, OF_SERVICE, TELLING_WORDS, FindingKind, ForbiddenUse
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.alert import by_region
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.parameters import numbers
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission
from anze.prevention.models.agreements import agreement_holds

# An electronic invoice's twenty digits are its own in the whole country, an older number only with who made it out.
# One insurer may charge an invoice in parts: as far as it goes if it is on file; else only the same part again is told.
_INVOICE_TWICE = """
WITH charged AS (
    SELECT s.*, i.amount AS whole, CASE WHEN s.invoice_no ~ '^[0-9]{20}$' THEN s.invoice_no
           ELSE s.invoice_no || '|' || coalesce(nullif(s.payee_uscc, ''), s.payee_name) END AS invoice
    FROM spent s
    LEFT JOIN expenses_invoice i ON i.insurer_id = s.insurer_id AND i.invoice_no = s.invoice_no AND NOT i.is_void
    WHERE s.invoice_no <> '' AND (s.allocation = 'DIRECT' OR i.id IS NOT NULL)
), repeated AS (
    SELECT c.*, row_number() OVER w AS place,
           sum(amount) OVER (PARTITION BY invoice, insurer_id ORDER BY incurred_on, received_at, id) AS so_far
    FROM charged c
    WHERE invoice IN (SELECT invoice FROM charged GROUP BY invoice HAVING count(*) > 1)
    WINDOW w AS (PARTITION BY invoice ORDER BY incurred_on, received_at, id)
)
SELECT DISTINCT ON (b.id) b.id AS expense_id, b.policy_id, a.id AS other_id, a.insurer_id <> b.insurer_id AS is_across,
       b.amount, jsonb_build_object('invoice', b.invoice_no, 'amount', b.amount) ||
       CASE WHEN a.insurer_id <> b.insurer_id THEN '{}'
            WHEN b.whole IS NULL THEN jsonb_build_object('other', a.expense_no)
            ELSE jsonb_build_object('other', a.expense_no, 'whole', b.whole, 'charged', b.so_far) END AS facts
FROM repeated b JOIN repeated a ON a.invoice = b.invoice AND a.place < b.place
WHERE a.insurer_id <> b.insurer_id OR CASE WHEN b.whole IS NULL THEN a.amount = b.amount ELSE b.so_far > b.whole END
ORDER BY b.id, a.insurer_id <> b.insurer_id, a.place
"""

# The same service paid twice; or two records of one presence: the same place and hour, the same agency or expert,
# put on two accounts. What shares an invoice as well is one cause, and told as that.
_VISIT_TWICE = """
WITH paid AS (
    SELECT s.*, v.started_at, v.ended_at, v.agency_id AS served_by, v.service_no, v.performed_on
    FROM spent s JOIN prevention_service v ON v.id = s.service_id AND NOT v.is_void WHERE s.allocation = 'DIRECT'
), pairs AS (
    SELECT b.id AS expense_id, b.policy_id, a.id AS other_id, false AS is_across, b.amount, b.service_no,
           a.expense_no AS other, b.performed_on, 'SERVICE' AS how, a.invoice_no AS one, b.invoice_no AS two
    FROM paid b JOIN paid a ON a.service_id = b.service_id AND a.category = b.category AND a.amount = b.amount
         AND a.payee_name = b.payee_name AND (a.received_at, a.id) < (b.received_at, b.id)
    UNION ALL
    SELECT b.id, b.policy_id, a.id, a.insurer_id <> b.insurer_id, b.amount, b.service_no,
           a.expense_no, b.performed_on, 'PRESENCE', a.invoice_no, b.invoice_no
    FROM paid b JOIN paid a ON a.enterprise_id = b.enterprise_id AND a.performed_on = b.performed_on
         AND a.service_id <> b.service_id AND (a.received_at, a.id) < (b.received_at, b.id)
         AND a.started_at < b.ended_at AND b.started_at < a.ended_at AND a.policy_id <> b.policy_id
    WHERE (a.served_by = b.served_by AND a.insurer_id <> b.insurer_id) OR EXISTS (
        SELECT 1 FROM prevention_serviceperson x JOIN prevention_serviceperson y USING (expert_id)
        WHERE x.service_id = a.service_id AND y.service_id = b.service_id)
)
SELECT DISTINCT ON (expense_id) expense_id, policy_id, other_id, is_across, amount,
       jsonb_build_object('service', service_no, 'day', performed_on, 'amount', amount, 'how', how) ||
       CASE WHEN is_across THEN '{}' ELSE jsonb_build_object('other', other) END AS facts
FROM pairs WHERE one = '' OR one <> two
ORDER BY expense_id, is_across, other_id
"""

_HOLDS = agreement_holds("p", agency="served_by")

# Prices are ratios, so their logarithms are compared: median and median deviation, which a few odd ones cannot move.
# 1.4826 makes the median deviation comparable with a standard deviation. Small groups say nothing.
_PRICE_OUTLIER = f"""
WITH priced AS (
    SELECT s.*, v.service_type, v.agency_id AS served_by, v.performed_on, ln(s.amount) AS price
    FROM spent s JOIN prevention_service v ON v.id = s.service_id
    WHERE s.allocation = 'DIRECT' AND s.incurred_on > %(today)s - 730
), middles AS (
    SELECT category, sector, count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS middle
    FROM priced GROUP BY 1, 2 HAVING count(*) >= %(least)s
), usual AS (
    SELECT m.category, m.sector, m.n, m.middle,
           greatest(percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(p.price - m.middle)), 0.05) * 1.4826 AS spread
    FROM priced p JOIN middles m USING (category, sector) GROUP BY 1, 2, 3, 4
)
SELECT p.id AS expense_id, p.policy_id, NULL::uuid AS other_id, false AS is_across, p.amount,
       jsonb_build_object('amount', p.amount, 'category', p.category, 'sector', p.sector, 'compared', u.n,
           'median', round(exp(u.middle)::numeric, 2),
           'usual', round(exp(u.middle + %(deviations)s * u.spread)::numeric, 2))
       || CASE WHEN a.price IS NULL THEN '{{}}' ELSE jsonb_build_object('agreed', a.price) END AS facts
FROM priced p JOIN usual u USING (category, sector)
-- what the two houses agreed on explains a price and does not make it usual: it is told, and judged by a person
LEFT JOIN LATERAL (
    SELECT x.price FROM prevention_agreement g JOIN prevention_agreementprice x ON x.agreement_id = g.id
    WHERE {_HOLDS} ORDER BY g.start_on LIMIT 1
) a ON true
WHERE p.price > u.middle + %(deviations)s * u.spread
"""

# All that was paid to the agency for a service, and the line on its statement; whichever is more is what the service
# costs. One finding a service, whether it is billed, paid, or both.
_ABOVE_AGREED = f"""
WITH paid AS (
    SELECT s.service_id, sum(s.amount) AS paid, count(*) AS payments,
           (array_agg(s.id ORDER BY s.incurred_on DESC, s.received_at DESC, s.id DESC))[1] AS last_id
    FROM spent s JOIN prevention_service v ON v.id = s.service_id JOIN parties_organisation o ON o.id = v.agency_id
    WHERE s.allocation = 'DIRECT'
      AND (s.agency_id = o.id OR (o.uscc <> '' AND s.payee_uscc = o.uscc) OR s.payee_name = o.name) GROUP BY 1
), priced AS (
    SELECT v.id, v.service_no, v.policy_id, v.insurer_id, v.agency_id AS served_by, v.service_type, v.performed_on,
           v.sector, v.region_code, m.last_id, m.paid, m.payments, l.price AS billed, l.statement_id,
           greatest(m.paid, l.price) AS costs
    FROM paid m FULL JOIN expenses_statementline l ON l.service_id = m.service_id
    JOIN prevention_service v ON v.id = coalesce(m.service_id, l.service_id) AND NOT v.is_void
)
SELECT DISTINCT ON (p.id) p.id AS service_id, p.last_id AS expense_id, p.policy_id, NULL::uuid AS other_id,
       false AS is_across, p.costs - x.price AS amount,
       jsonb_build_object('service', p.service_no, 'day', p.performed_on, 'type', p.service_type, 'agreed', x.price,
           'agreement', g.agreement_no, 'agreement_id', g.id)
       || CASE WHEN p.paid > x.price THEN jsonb_build_object('paid', p.paid, 'payments', p.payments) ELSE '{{}}' END
       || CASE WHEN p.billed > x.price THEN jsonb_build_object('billed', p.billed, 'statement_id', p.statement_id)
               ELSE '{{}}' END AS facts
FROM priced p
JOIN prevention_agreement g ON g.insurer_id = p.insurer_id AND g.agency_id = p.served_by
JOIN prevention_agreementprice x ON x.agreement_id = g.id
WHERE {_HOLDS} AND p.costs > x.price
ORDER BY p.id, g.start_on
"""

_FORBIDDEN_USE = """
SELECT s.id AS expense_id, s.policy_id, NULL::uuid AS other_id, false AS is_across, s.amount,
       jsonb_build_object('amount', s.amount, 'payee', s.payee_name, 'why', w.why) AS facts
FROM spent s
JOIN parties_enterprise n ON n.id = s.enterprise_id
LEFT JOIN parties_organisation o ON o.uscc = nullif(s.payee_uscc, '')
CROSS JOIN LATERAL (SELECT CASE
    WHEN (s.payee_uscc <> '' AND s.payee_uscc = n.uscc) OR s.payee_name = n.name THEN '{rebate}'
    WHEN o.kind = 'BROKER' THEN '{commission}'
    WHEN o.id = s.insurer_id AND s.service_id IS NULL AND s.allocation = 'DIRECT' THEN '{own}'
    WHEN s.payee_name ~ %(telling)s THEN '{entertainment}' END AS why) w
WHERE w.why IS NOT NULL
"""

_DAYS = "{days}"  # of the payment's region; filled in when it is asked
_ONE = "NULL::uuid AS other_id, false AS is_across, s.amount"

_NO_SERVICE = f"""
SELECT s.id AS expense_id, s.policy_id, {_ONE}, jsonb_build_object('amount', s.amount, 'payee', s.payee_name) AS facts
FROM spent s WHERE s.allocation = 'DIRECT' AND s.service_id IS NULL AND s.incurred_on + {_DAYS} <= %(today)s
"""
_SERVICE_TAKEN_BACK = f"""
SELECT s.id AS expense_id, s.policy_id, {_ONE},
       jsonb_build_object('amount', s.amount, 'service', v.service_no, 'void', v.is_void) AS facts
FROM spent s JOIN prevention_service v ON v.id = s.service_id WHERE v.is_void OR v.is_returned
"""
_NO_INVOICE = f"""
SELECT s.id AS expense_id, s.policy_id, {_ONE}, jsonb_build_object('amount', s.amount, 'paid', s.paid_on) AS facts
FROM spent s WHERE s.invoice_no = '' AND s.paid_on + {_DAYS} <= %(today)s AND s.category <> 'EXPERT_FEE'
"""
_NO_VOUCHER = f"""
SELECT s.id AS expense_id, s.policy_id, {_ONE}, jsonb_build_object('amount', s.amount, 'paid', s.paid_on) AS facts
FROM spent s WHERE {NO_VOUCHER_IF} AND s.paid_on + {_DAYS} <= %(today)s
"""

_ALL_OF_IT = "NULL::uuid AS expense_id, m.policy_id, NULL::uuid AS other_id, false AS is_across"
_BEFORE_PREMIUM = f"""
SELECT {_ALL_OF_IT}, sum(s.amount) AS amount, jsonb_build_object('amount', sum(s.amount), 'payments', count(*),
       'paid', min(s.paid_on), 'received', m.first_on) AS facts
FROM money m JOIN spent s ON s.policy_id = m.policy_id
WHERE s.paid_on < coalesce(m.first_on, 'infinity') GROUP BY m.policy_id, m.first_on
"""
_OVER_CAP = f"""
SELECT {_ALL_OF_IT}, m.spent - round(m.cap * m.received, 2) AS amount,
       jsonb_build_object('spent', m.spent, 'received', m.received, 'cap', m.cap, 'payments', m.payments,
           'allowed', round(m.cap * m.received, 2)) AS facts
FROM money m WHERE {OVER_CAP_IF}
"""
_UNDER_FLOOR = f"""
SELECT {_ALL_OF_IT}, round(m.floor * m.received, 2) - coalesce(m.spent, 0) AS amount,
       jsonb_build_object('spent', coalesce(m.spent, 0), 'received', m.received, 'floor', m.floor,
           'wanted', round(m.floor * m.received, 2)) AS facts
FROM money m WHERE m.received > 0 AND coalesce(m.spent, 0) < m.floor * m.received AND m.end_on < %(today)s
"""

QUERIES: Mapping[FindingKind, str] = {
    FindingKind.INVOICE_TWICE: _INVOICE_TWICE,
    FindingKind.VISIT_TWICE: _VISIT_TWICE,
    FindingKind.PRICE_OUTLIER: _PRICE_OUTLIER,
    FindingKind.ABOVE_AGREED: _ABOVE_AGREED,
    FindingKind.FORBIDDEN_USE: _FORBIDDEN_USE.format(
        rebate=ForbiddenUse.REBATE, commission=ForbiddenUse.COMMISSION, own=ForbiddenUse.OWN_COST,
        entertainment=ForbiddenUse.ENTERTAINMENT,
    ),
    FindingKind.NO_SERVICE: _NO_SERVICE,
    FindingKind.SERVICE_TAKEN_BACK: _SERVICE_TAKEN_BACK,
    FindingKind.NO_INVOICE: _NO_INVOICE,
    FindingKind.NO_VOUCHER: _NO_VOUCHER,
    FindingKind.BEFORE_PREMIUM: _BEFORE_PREMIUM,
    FindingKind.OVER_CAP: _OVER_CAP,
    FindingKind.UNDER_FLOOR: _UNDER_FLOOR,
}  # fmt: skip

_ADD = """
INSERT INTO expenses_expensefinding AS f (kind, subject_id, expense_id, service_id, policy_id, other_id, is_across,
    amount, facts, found_at, state, enterprise_id, insurer_id, region_code, sector)
SELECT %(kind)s, coalesce({service}, d.expense_id, d.policy_id), d.expense_id, {service}, d.policy_id, d.other_id, d.is_across, d.amount, d.facts,
       %(at)s, 'OPEN', coalesce(s.enterprise_id, p.enterprise_id), coalesce(s.insurer_id, p.insurer_id),
       coalesce(s.region_code, p.region_code), coalesce(s.sector, p.sector)
FROM found d JOIN underwriting_policy p ON p.id = d.policy_id LEFT JOIN spent s ON s.id = d.expense_id
ON CONFLICT (kind, subject_id) DO UPDATE SET
    expense_id = excluded.expense_id, policy_id = excluded.policy_id, other_id = excluded.other_id,
    is_across = excluded.is_across, amount = excluded.amount, facts = excluded.facts,
    enterprise_id = excluded.enterprise_id, insurer_id = excluded.insurer_id, region_code = excluded.region_code,
    sector = excluded.sector, gone_at = NULL,
    state = CASE WHEN f.state = 'GONE' OR (f.state IN ('JUSTIFIED', 'CONFIRMED') AND excluded.amount > f.amount)
                 THEN 'OPEN' ELSE f.state END,
    found_at = CASE WHEN f.state = 'GONE' THEN excluded.found_at ELSE f.found_at END
WHERE (f.state = 'GONE' OR (f.amount, f.policy_id, f.other_id, f.is_across, f.facts)
       IS DISTINCT FROM (excluded.amount, excluded.policy_id, excluded.other_id, excluded.is_across, excluded.facts))
RETURNING (xmax = 0) AS is_new
"""
_CLOSE = """
UPDATE expenses_expensefinding f SET state = 'GONE', gone_at = %(at)s
WHERE f.kind = %(kind)s AND f.state IN ('OPEN', 'ANSWERED')
  AND NOT EXISTS (SELECT 1 FROM found d WHERE coalesce({service}, d.expense_id, d.policy_id) = f.subject_id)
"""


@dataclass(frozen=True)
class Matched:
    """What a match did, by kind: how many stand now, how many of them are new, how many closed themselves."""

    standing: dict[str, int]
    new: dict[str, int]
    gone: dict[str, int]


def match_expenses(*, at: datetime) -> Matched:
    """Match all expenses; must run with everything in view, in one transaction.

    Whether another insurer charged the same is the very question, so no narrower scope could answer it.
    """
    today = beijing_day(at)
    words: dict[str, Any] = {
        "today": today,
        "least": int(parameter("expense_price_least_group", today)),
        "deviations": parameter("expense_price_deviations", today),
        "telling": "|".join(TELLING_WORDS),
        "at": at,
    }
    # the same number by region as the alert reads
    days = f"({by_region('s.region_code', numbers(today, [PAPERS])[PAPERS])})::int"
    standing, new, gone = {}, {}, {}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE spent ON COMMIT DROP AS {SPENT}")
        cursor.execute("CREATE INDEX ON spent (policy_id)")
        cursor.execute("CREATE INDEX ON spent (id)")
        # what the kinds join by; its other columns are never asked about
        cursor.execute("ANALYZE spent (id, policy_id, enterprise_id, service_id, insurer_id, invoice_no, payee_name)")
        cursor.execute(f"CREATE TEMP TABLE money ON COMMIT DROP AS {money('spent')}")
        for kind, query in QUERIES.items():
            service = "d.service_id" if kind in OF_SERVICE else "NULL::uuid"
            cursor.execute(f"CREATE TEMP TABLE found ON COMMIT DROP AS {query.replace(_DAYS, days)}", words)
            cursor.execute(_ADD.format(service=service), words | {"kind": kind.value})
            new[kind.value] = sum(is_new for (is_new,) in cursor.fetchall())
            cursor.execute(_CLOSE.format(service=service), words | {"kind": kind.value})
            gone[kind.value] = cursor.rowcount
            cursor.execute("SELECT count(*) FROM found")
            standing[kind.value] = cursor.fetchone()[0]
            cursor.execute("DROP TABLE found")
        cursor.execute("DROP TABLE money")
        cursor.execute("DROP TABLE spent")
    return Matched(standing, new, gone)


def _said(words: str, field: str, title: Any) -> str:
    words = " ".join(words.split())[:300]
    if not words:
        raise Refused("reason_missing", title, remedy=_("Write in one sentence how it is."), field=field)
    return words


@action(Permission.KEEP_EXPENSES, "expense_finding.answered")
def answer_finding(finding: ExpenseFinding, *, by: Actor, at: datetime, words: str) -> ExpenseFinding:
    """The insurer says how it is; the doubt stays until an authority decides or the cause is gone."""
    words = _said(words, "words", _("An explanation needs words."))
    FINDING_LIFECYCLE.move(finding, "answer", answer=words, answered_at=at, answered_by_name=by.name)
    return finding


@action(Permission.JUDGE_EXPENSES, "expense_finding.decided")
def decide_finding(finding: ExpenseFinding, *, by: Actor, at: datetime, decision: str, reason: str) -> ExpenseFinding:
    """An authority says what it is; it can be said anew, and every earlier word stays in the history."""
    reason = _said(reason, "reason", _("A decision needs its reason."))
    if decision not in ("justify", "confirm"):
        raise Refused("unknown_decision", _("There is no such decision."), remedy=_("Choose one of the buttons."))
    FINDING_LIFECYCLE.move(finding, decision, reason=reason, decided_at=at, decided_by_name=by.name)
    return finding
