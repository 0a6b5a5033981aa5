"""The interface's test cases: what a partner's program is given to send, and how what arrived is judged.

The kit (`clients/python`, command `conform`) fetches the cases, lets the partner's own program send each to a sandbox,
and asks here for the verdict. Judged is only what arrived, so the program may be written in any language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from gzip import decompress
from typing import Any

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.decoding import split_rows
from anze.exchange.feed import Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.models import SandboxDelivery
from anze.exchange.problems import PROBLEMS
from anze.exchange.rules import INTERFACE_VERSION
from anze.exchange.sandbox import ENTERPRISES
from anze.kernel.duty import beijing_day
from anze.kernel.signing import sign
from anze.parties.models import Organisation

Row = dict[str, Any]
Words = str | Promise


@dataclass(frozen=True)
class Step:
    """One call of the partner's program: these rows, under this idempotency key."""

    feed: str
    key: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether a case passed; if not, which field or header, what was wrong, and what to do."""

    passed: bool
    field: str = ""
    found: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Given:
    """What a judge looks at: the steps, what arrived for them, and how the program ended each time."""

    steps: tuple[Step, ...]
    arrived: Sequence[SandboxDelivery]
    exits: Sequence[int]

    @property
    def taken(self) -> list[SandboxDelivery]:
        return [each for each in self.arrived if not each.code]

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.arrived if each.code]


@dataclass(frozen=True)
class Case:
    name: str
    title: Words
    steps: Callable[[date], tuple[Step, ...]]
    judge: Callable[[Given], Verdict]


# rows ----------------------------------------------------------------------------------------------------


def policy(number: str, today: date, **words: Any) -> Row:
    """A policy of this month at an enterprise of the sandbox."""
    example = FEEDS["policies"].example_rows()[0]
    days = {"applied_on": -30, "issued_on": -20, "start_on": -10, "end_on": 354}
    row = example | {name: (today + timedelta(days=n)).isoformat() for name, n in days.items()}
    for name in ("previous_policy_no", "entered_at"):
        row.pop(name, None)
    return row | {"policy_no": number, "insured_uscc": ENTERPRISES[0], "is_renewal": False, **words}


def receipt(number: str, policy_no: str, today: date, **words: Any) -> Row:
    example = FEEDS["receipts"].example_rows()[0]
    on = {"received_on": (today - timedelta(days=9)).isoformat()}
    return example | on | {"receipt_no": number, "policy_no": policy_no, **words}


# judges --------------------------------------------------------------------------------------------------

_GOOD = Verdict(passed=True)


def _bad(field: str, found: str, fix: str) -> Verdict:
    return Verdict(False, field, found, fix)


def _refused(given: Given, codes: tuple[str, ...], field: str) -> Verdict | None:
    """The verdict where the platform refused with one of these codes, in the words of the interface itself."""
    code = next((each for each in given.codes if each in codes), None)
    if code is None:
        return None
    return _bad(field, str(PROBLEMS[code].title), str(PROBLEMS[code].remedy))


def _arrived(given: Given) -> Verdict | None:
    if not given.arrived:
        return _bad(
            "–", _now("Nothing arrived."), _now("Let your program send to the sandbox's address with the sandbox key.")
        )
    return None


def _head(codes: tuple[str, ...], field: str) -> Callable[[Given], Verdict]:
    return lambda given: _arrived(given) or _refused(given, codes, field) or _GOOD


def _all_taken(given: Given) -> Verdict | None:
    if found := _arrived(given):
        return found
    if len(given.taken) < len(given.steps):
        code = (given.codes or ["unavailable"])[-1]
        return _bad("–", str(PROBLEMS[code].title), str(PROBLEMS[code].remedy))
    return None


def _rows_of(deliveries: Sequence[SandboxDelivery]) -> list[Row]:
    found: list[Row] = []
    for each in deliveries:
        for raw in split_rows(decompress(bytes(each.content)), each.content_type):
            try:
                row = msgspec.json.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                row = None
            found.append(row if isinstance(row, dict) else {})
    return found


def _repeat(given: Given) -> Verdict:
    if found := _all_taken(given):
        return found
    if len({each.idempotency_key for each in given.taken}) > 1:
        return _bad(
            "Idempotency-Key",
            _now("The same delivery came under another key the second time."),
            _now("Repeat a delivery with the key of its first attempt; make it from the content, or keep it."),
        )
    return _GOOD


def _complete(given: Given) -> Verdict:
    if found := _all_taken(given):
        return found
    key = FEEDS[given.steps[0].feed].key_fields[0]
    wanted = [row[key] for step in given.steps for row in step.rows]
    came = [row.get(key) for row in _rows_of([each for each in given.taken if not each.is_repeat])]
    missing, doubled = sorted(set(wanted) - set(came)), [each for each in wanted if came.count(each) > 1]
    if missing:
        return _bad(
            key,
            _now("Rows that did not arrive: %(count)s of %(all)s, the first is %(first)s.")
            % {"count": len(missing), "all": len(wanted), "first": missing[0]},
            _now("Send every row, in as many batches as you like, and look at the receipt of each."),
        )
    if doubled:
        return _bad(key, _now("%(first)s arrived twice.") % {"first": doubled[0]}, _now("Send each row once."))
    return _GOOD


def _same_text(given: Given) -> Verdict:
    if found := _all_taken(given):
        return found
    for wanted, came in _pairs(given):
        for name, value in wanted.items():
            if (
                isinstance(value, str)
                and FEEDS[given.steps[0].feed].get(name).kind is Kind.TEXT
                and came.get(name) != value
            ):
                return _bad(
                    name,
                    _now("“%(value)s” arrived as “%(came)s”.") % {"value": value, "came": str(came.get(name))[:60]},
                    _now("Send UTF-8, and change no character on the way."),
                )
    return _GOOD


def _pairs(given: Given) -> list[tuple[Row, Row]]:
    """Each row given, and the newest that arrived under its number."""
    key = FEEDS[given.steps[0].feed].key_fields[0]
    came = {row.get(key): row for row in _rows_of(given.taken)}
    return [(row, came.get(row[key], {})) for step in given.steps for row in step.rows]


def _same_money(given: Given) -> Verdict:
    if found := _all_taken(given) or _findings(given, (Kind.DECIMAL,)):
        return found
    for wanted, came in _pairs(given):
        for name, value in wanted.items():
            if FEEDS[given.steps[0].feed].get(name).kind is Kind.DECIMAL:
                try:
                    is_same = Decimal(str(came.get(name))) == Decimal(value)
                except InvalidOperation:
                    is_same = False
                if not is_same:
                    return _bad(
                        name,
                        _now("%(value)s arrived as %(came)s.") % {"value": value, "came": str(came.get(name))[:40]},
                        _now("Send amounts as text with two decimals; never through binary floating point."),
                    )
    return _GOOD


def _findings(given: Given, kinds: tuple[Kind, ...]) -> Verdict | None:
    """The first finding of the checks about a field of these kinds, in its own words."""
    feed = FEEDS[given.steps[0].feed]
    for each in given.taken:
        for finding in each.receipt.get("findings", ()):
            known = {field.name: field for field in feed.fields}
            field = known.get(finding["field"].partition(".")[0])
            if field is None or field.kind in kinds:
                return _bad(finding["field"], finding["message"], finding["remedy"])
    return None


def _dates(given: Given) -> Verdict:
    return _all_taken(given) or _findings(given, (Kind.DATE, Kind.MOMENT)) or _GOOD


def _accepted(given: Given) -> Verdict:
    return _all_taken(given) or _findings(given, tuple(Kind)) or _GOOD


def _corrected(given: Given) -> Verdict:
    if not (found := _accepted(given)).passed:
        return found
    outcomes = [each.receipt["outcomes"] for each in given.taken if not each.is_repeat]
    if not outcomes or outcomes[-1] != "U":
        return _bad(
            "premium_written",
            _now("The correction did not become a new version (%(outcome)s).")
            % {"outcome": outcomes[-1] if outcomes else "–"},
            _now("Send the whole record again under its number, with a new idempotency key."),
        )
    return _GOOD


def _told(given: Given) -> Verdict:
    """A row that cannot be accepted: the program must not call that a success."""
    if found := _all_taken(given):
        return found
    if not any("R" in each.receipt["outcomes"] for each in given.taken):
        return _bad(
            "insured_uscc",
            _now("The row that names an unknown enterprise did not arrive as it was given."),
            _now("Send what is in your books; the receipt says what is wrong with it."),
        )
    if given.exits and given.exits[-1] == 0:
        return _bad(
            "outcomes",
            _now("A row was rejected, and your program ended as if all were well."),
            _now("Read the receipt: R is a rejected row; show it to somebody, and end with another code than 0."),
        )
    return _GOOD


# cases ---------------------------------------------------------------------------------------------------


def _one(name: str) -> Callable[[date], tuple[Step, ...]]:
    return lambda today: (Step("policies", f"conform-{name}", (policy(f"CONF{name.upper()}", today),)),)


def _twice(today: date) -> tuple[Step, ...]:
    step = Step("policies", "conform-repeat", (policy("CONFREPEAT", today),))
    return (step, step)


def _many(today: date) -> tuple[Step, ...]:
    return (Step("policies", "conform-many", tuple(policy(f"CONFMANY{n:02d}", today) for n in range(25))),)


def _text(today: date) -> tuple[Step, ...]:
    name = "“星火”示例铸造（集团）有限公司 №1 — 㐂𠮷"
    return (Step("policies", "conform-text", (policy("CONFTEXT", today, holder_name=name),)),)


def _money(today: date) -> tuple[Step, ...]:
    rows = tuple(policy(f"CONFMONEY{n}", today, premium_written=each) for n, each in enumerate(("0.10", "1234567.89", "70000.00")))  # fmt: skip
    return (Step("policies", "conform-money", rows),)


def _correction(today: date) -> tuple[Step, ...]:
    first, second = policy("CONFFIX", today), policy("CONFFIX", today, premium_written="43210.00")
    return (Step("policies", "conform-first", (first,)), Step("policies", "conform-fixed", (second,)))


def _chain(today: date) -> tuple[Step, ...]:
    return (
        Step("policies", "conform-chain-1", (policy("CONFCHAIN", today),)),
        Step("receipts", "conform-chain-2", (receipt("CONFCHAINR", "CONFCHAIN", today),)),
    )


def _unknown(today: date) -> tuple[Step, ...]:
    row = policy("CONFBAD", today, insured_uscc="91370102MA0000000X")
    return (Step("policies", "conform-rejected", (row,)),)


SIGNATURE = (
    "signature_missing", "signature_malformed", "signature_components_missing", "signature_wrong",
    "signature_algorithm_mismatch", "signature_expired", "nonce_missing", "revoked_key", "expired_key",
)  # fmt: skip
DIGEST = ("digest_missing", "digest_malformed", "digest_algorithm_unsupported", "digest_wrong", "incomplete")
KEYS = ("idempotency_key_missing", "idempotency_key_malformed", "idempotency_key_reused")
FORM = ("unsupported_encoding", "unsupported_type", "broken_gzip", "wrong_encoding", "broken_json", "empty")

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Case("signature", _("Requests are signed (RFC 9421)"), _one("signature"), _head(SIGNATURE, "Signature")),
        Case("clock", _("The clock is right"), _one("clock"), _head(("clock_skew",), "Signature-Input")),
        Case("digest", _("The digest is that of the content (RFC 9530)"), _one("digest"), _head(DIGEST, "Content-Digest")),
        Case("idempotency", _("Every delivery has a key"), _one("idempotency"), _head(KEYS, "Idempotency-Key")),
        Case("form", _("Content is NDJSON or JSON in UTF-8"), _one("form"), _head(FORM, "Content-Type")),
        Case("nonce", _("Every request has a nonce of its own"), _chain, _head(("replayed",), "Signature-Input")),
        Case("repeat", _("A repeated delivery keeps its key"), _twice, _repeat),
        Case("rows", _("No row is lost or doubled"), _many, _complete),
        Case("text", _("Texts arrive as they are"), _text, _same_text),
        Case("dates", _("Days and moments are written as ISO 8601"), _one("dates"), _dates),
        Case("money", _("Amounts arrive to the cent"), _money, _same_money),
        Case("correction", _("A correction is the whole record again"), _correction, _corrected),
        Case("chain", _("A receipt finds the policy sent before"), lambda today: tuple(
            Step(each.feed, f"{each.key}b", tuple({**row, "receipt_no": "CONFCHAINS"} if "receipt_no" in row else row for row in each.rows))
            for each in _chain(today)), _accepted),
        Case("rejected", _("What is rejected is not called a success"), _unknown, _told),
    )
}  # fmt: skip


def told(at: datetime) -> dict[str, Any]:
    """All cases as the kit fetches them."""
    today = beijing_day(at)
    return {
        "interface_version": INTERFACE_VERSION,
        "cases": [
            {
                "name": case.name,
                "title": str(case.title),
                "steps": [{"feed": s.feed, "idempotency_key": s.key, "rows": list(s.rows)} for s in case.steps(today)],
            }
            for case in CASES.values()
        ],
    }


def judged(case: Case, arrived: Sequence[SandboxDelivery], exits: Sequence[int], *, at: datetime) -> Verdict:
    return case.judge(Given(case.steps(beijing_day(at)), arrived, exits))


def certificate_of(partner: Organisation, at: datetime) -> dict[str, Any]:
    """Signed, for this version of the interface: every case has passed."""
    day, version, cases = beijing_day(at).isoformat(), INTERFACE_VERSION, len(CASES)
    fields = (partner.code, partner.name, version, day, str(cases))
    return {
        "partner": partner.code,
        "interface_version": version,
        "issued_on": day,
        "cases": cases,
        "signed": sign("CONFORM", fields, at=at),
    }


def as_told(case: Case, verdict: Verdict) -> Mapping[str, Any]:
    return {
        "name": case.name,
        "title": str(case.title),
        "passed": verdict.passed,
        "field": verdict.field,
        "found": verdict.found,
        "fix": verdict.fix,
    }
