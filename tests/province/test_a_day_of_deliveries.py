"""A day of several insurers' data, sent over HTTP by the sample client; and the five indicators, counted once
more in plain Python from the files that were sent."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from anze.kernel.identifiers import make_uscc
from tests.exchange.live import CLERK, PASSWORD, Platform, new_database
from tests.province.conftest import Sent, SentRow
from tests.province.platform_figures import (
    FIGURES,
    cells_of,
    coverage_at,
    last_day,
    months_until,
    of_the_province,
    summed,
)
from tests.province.recount import Recount

sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python"))

pytestmark = pytest.mark.slow

Row = dict[str, Any]
REGISTER = "EMA370000"
INSURERS = ("INS01", "INS02", "INS03", "INS04", "INS06")
# in the order in which they build on one another, with what tells rows apart
KEYS = {
    "enterprises": ("uscc",),
    "obligations": ("uscc", "sector"),
    "policies": ("policy_no",),
    "endorsements": ("endorsement_no",),
    "receipts": ("receipt_no",),
    "plans": ("plan_no",),
    "services": ("service_no",),
    "hazards": ("hazard_no",),
    "expenses": ("expense_no",),
    "accidents": ("accident_no",),
    "claims": ("claim_no",),
}
OF_INSURERS = tuple(KEYS)[2:]
NOBODY = make_uscc("370102", 987_654)


def mistaken(feed: str, row: Row) -> Row:
    """The row as it is first sent by mistake: well-formed, and wrong in what an indicator counts."""
    match feed:
        case "policies":
            return row | {"agreed_expense_ratio": "0.1501"}
        case "endorsements":
            return row | {"reason": "录入有误"}
        case "receipts":
            return row | {"amount": "1.00"}
        case "plans":
            first, *others = row["items"]
            return row | {"items": [first | {"times": first["times"] + 3}, *others]}
        case "services":
            return row | {"photo_count": 0}
        case "hazards":
            later = ("rectified_on", "verified_on", "closed_on", "verifier")
            return {name: value for name, value in row.items() if name not in later} | {"state": "NOTIFIED"}
        case "expenses":
            return row | {"amount": "7.77", "tax": "0.00"}
        case "accidents":
            return row | {"direct_loss": "1.00"}
        case "claims":
            payments = [each | {"amount": "5.00"} for each in row.get("payments", [])]
            return row | {"payments": payments, "outstanding": "0.00"}
    raise AssertionError(feed)


def bad_rows(feed: str, row: Row, other_policy: str) -> list[Row]:
    """Rows that no platform may take, made from a good one."""
    [key] = KEYS[feed]

    def bad(**words: Any) -> Row:
        return row | {key: f"BAD-{feed}-{len(made)}"} | words

    made: list[Row] = []
    if "insured_uscc" in row:
        made.append(bad(insured_uscc=NOBODY))
        made.append(bad(insured_uscc=row["insured_uscc"][:-1] + "?"))
    else:
        made.append(bad(policy_no="NO-SUCH-POLICY"))
        made.append(bad(policy_no=other_policy))
    made.append(bad(colour="red"))
    made.append({name: value for name, value in bad().items() if name != key})
    return made


@dataclass
class Outbox:
    """What one partner sends: files in a folder, in their order."""

    code: str
    folder: Path
    files: list[tuple[str, Path, frozenset[int]]] = field(default_factory=list)

    def write(self, feed: str, good: list[Row], bad: list[Row] | None = None) -> tuple[str, Path, frozenset[int]]:
        """A file; its bad rows stand among the good ones."""
        rows = good[:1] + (bad or []) + good[1:]
        path = self.folder / f"{len(self.files):02d}-{self.code}-{feed}.ndjson"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        self.files.append((feed, path, frozenset(range(1, 1 + len(bad or [])))))
        return self.files[-1]


def as_left_by(outboxes: list[Outbox]) -> Sent:
    """The rows that hold at the end of the day, read from the files: of each, the version sent last."""
    found: Sent = {feed: [] for feed in KEYS}
    for outbox in outboxes:
        last: dict[tuple[str, ...], Row] = {}
        for feed, path, bad in outbox.files:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
                if number not in bad:
                    row = json.loads(line)
                    last[feed, *(row[name] for name in KEYS[feed])] = row
        for (feed, *_key), row in last.items():
            found[feed].append(SentRow(outbox.code, row, datetime.now(UTC)))
    return found


@pytest.fixture
def platform(pristine: str, tmp_path: Path) -> Iterator[Platform]:
    """Prepared by its own command, with the institutions of the province and nothing that a feed brings."""
    with new_database(os.environ["DATABASE_URL"], pristine) as url:
        made = Platform(url, tmp_path)
        try:
            made.run("manage.py", "prepare")
            made.keys = json.loads(made.run("-m", "tests.province.partners", REGISTER, *INSURERS).splitlines()[-1])
            made.start_server()
            made.start_worker()
            yield made
        finally:
            made.stop_all()


def wait_for_the_figures(platform: Platform) -> date:
    """The worker takes every change into the figures by itself; returns the day up to which they count."""
    deadline = time.monotonic() + 900
    while platform.ask("SELECT 1 FROM kernel_touch LIMIT 1"):
        assert time.monotonic() < deadline, (platform.state / "worker.log").read_text()
        time.sleep(0.2)
    [(as_of,)] = platform.ask("SELECT as_of FROM monitoring_state")
    return as_of


def dashboard(platform: Platform, first: date, last: date) -> list[tuple[str, str, str]]:
    """Value, numerator and denominator of the five, as the province's regulator reads them."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )

    def text_of(path: str, form: dict[str, str] | None = None) -> str:
        body = urllib.parse.urlencode(form).encode() if form else None
        with opener.open(platform.base + path, body, timeout=300) as answer:
            return str(answer.read().decode())

    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text_of("/sign-in/"))
    assert token
    text_of("/sign-in/", {"csrfmiddlewaretoken": token[1], "username": CLERK, "password": PASSWORD})
    page = text_of(f"/statistics/?region=370000&from={first:%Y-%m}&to={last:%Y-%m}")
    link = r'<a class="drill" href="[^"]*">([^<]*)</a>'
    return re.findall(rf'class="figure mt-1">{link}.*?{link} / {link}', page, re.DOTALL)[:5]


def test_the_five_indicators_after_a_day_of_deliveries(
    platform: Platform, sent: Sent, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from anze_client.__main__ import main

    def push(outbox: Outbox, file: tuple[str, Path, frozenset[int]], *options: str) -> dict[str, Any]:
        """What a partner's own computer does: `anze-client push`; the receipt must reject the bad rows alone."""
        feed, path, bad = file
        secret = tmp_path / f"{outbox.code}.secret"
        secret.write_text(platform.keys[outbox.code]["secret"])
        words = [
            "--base",
            platform.base,
            "--key-id",
            platform.keys[outbox.code]["key_id"],
            "--secret-file",
            str(secret),
        ]
        code = main(["push", *words, "--feed", feed, *options, str(path)])
        receipt: dict[str, Any] = json.loads(capsys.readouterr().out)
        rejected = {number for number, outcome in enumerate(receipt["outcomes"]) if outcome == "R"}
        assert (receipt["state"], rejected) == ("DONE", set(bad)), (path.name, receipt["findings"])
        assert {finding["row"] - 1 for finding in receipt["findings"]} == rejected
        assert code == (1 if bad else 0)
        return receipt

    # the authority's register, in one batch each: more than is published while the sender waits
    register = Outbox(REGISTER, tmp_path)
    for feed in ("enterprises", "obligations"):
        receipt = push(register, register.write(feed, [each.row for each in sent[feed]]))
        assert receipt["created"] == len(sent[feed]) > 500

    outboxes = [Outbox(code, tmp_path) for code in INSURERS]
    policies = {code: next(each.row for each in sent["policies"] if each.sender == code) for code in INSURERS}
    corrections: list[tuple[Outbox, str, list[Row]]] = []
    for number, outbox in enumerate(outboxes):
        foreign = policies[INSURERS[number - 1]]["policy_no"]
        for feed in OF_INSURERS:
            rows = [each.row for each in sent[feed] if each.sender == outbox.code]
            if not rows:
                continue
            right = rows[::17]
            if feed == "hazards":
                right = [row for row in rows if row["state"] == "CLOSED"][::17]
            wrong = [mistaken(feed, row) if row in right else row for row in rows]
            receipt = push(outbox, outbox.write(feed, wrong, bad_rows(feed, rows[-1], foreign)))
            assert receipt["created"] == len(rows)
            corrections.append((outbox, feed, right))
    before = wait_for_the_figures(platform)
    halfway = Recount(as_left_by([register, *outboxes]), before)
    for figure in FIGURES:
        assert cells_of(figure, platform.ask) == halfway.cells(figure), figure

    for outbox, feed, right in corrections:
        receipt = push(outbox, outbox.write(feed, right))
        assert receipt["updated"] == len(right), (feed, receipt)
    for outbox in outboxes:  # once more by mistake: the file as such, and its content as something new
        feed, path, bad = file = outbox.files[-1]
        assert push(outbox, file)["ids"] == push(outbox, file)["ids"]
        again = push(outbox, file, "--idempotency-key", f"again-{path.name}")
        assert again["unchanged"] == again["rows"]
        assert not bad

    as_of = wait_for_the_figures(platform)
    recount = Recount(as_left_by([register, *outboxes]), as_of)
    for figure in FIGURES:
        counted = recount.cells(figure)
        assert len(counted) > 50
        assert counted != halfway.cells(figure), f"{figure}: the corrections correct nothing"
        assert cells_of(figure, platform.ask) == counted, figure
        assert of_the_province(figure, platform.ask) == summed(counted)
    for month in months_until(as_of):
        covered = recount.coverage(min(as_of, last_day(month)))
        by_county, total = coverage_at(month, platform.ask)
        assert by_county == covered
        assert total == tuple(sum(pair[i] for pair in covered.values()) for i in (0, 1))

    # and so they stand on the page
    first, last = date(2026, 1, 1), date(2026, 11, 1)
    covered = recount.coverage(min(as_of, last_day(last)))
    five = [[Decimal(sum(pair[i] for pair in covered.values())) for i in (0, 1)]]
    for figure in FIGURES:
        of_the_year = {key: pair for key, pair in recount.cells(figure).items() if "2026-01" <= key[0] <= "2026-11"}
        five.append(summed(of_the_year))
    assert [value for value, *_parts in dashboard(platform, first, last)] == [
        f"{(above / below * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)}%" for above, below in five
    ]
