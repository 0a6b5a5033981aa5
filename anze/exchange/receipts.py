"""The receipt of a batch as its sender reads it: what became of each row, and why, in his language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anze.exchange.decoding import FoundProblem
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, Finding
from anze.exchange.refusals import READING
from anze.exchange.rules import FINDINGS

FINDINGS_A_PAGE = 1000


def explain(finding: Finding) -> dict[str, Any]:
    """A finding in words: the rule and the remedy, in the reader's language."""
    return _explained(finding.batch.feed, finding.row, finding.field, finding.code, finding.values)


def _explained(feed: str, row: int, field: str, code: str, values: Mapping[str, Any]) -> dict[str, Any]:
    message, remedy = words_of(feed, code)
    words = {key: str(value) for key, value in values.items()}
    return {
        "row": row,
        "field": field,
        "code": code,
        "message": _filled(message, words),
        "remedy": _filled(remedy, words),
    }


def words_of(feed: str, code: str) -> tuple[str, str]:
    """What is wrong and what to do, with the places for values still in it."""
    for check in FEEDS[feed].all_checks:
        if check.code == code:
            return str(check.message), str(check.remedy)
    message, remedy = FINDINGS[code] if code in FINDINGS else READING[code]
    return str(message), str(remedy)


def _filled(text: str, values: dict[str, str]) -> str:
    # a percent sign in plain words is not a placeholder
    return text % values if "%(" in text else text


def explained_problems(feed: str, problems: Iterable[FoundProblem]) -> list[dict[str, Any]]:
    """Findings that were not written down, as those of a dry run."""
    return [_explained(feed, each.row, each.field, each.code, each.values) for each in problems]


def counts_of(batch: Batch) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "feed": batch.feed,
        "state": batch.state,
        "received_at": batch.received_at.isoformat(),
        "finished_at": batch.finished_at.isoformat() if batch.finished_at else None,
        "rows": batch.rows,
        "created": batch.created,
        "updated": batch.updated,
        "unchanged": batch.unchanged,
        "rejected": batch.rejected,
        "outcomes": batch.outcomes,
        "failure": batch.failure,
    }


def page_of_findings(batch: Batch, page: int = 1) -> list[dict[str, Any]]:
    start = (page - 1) * FINDINGS_A_PAGE
    findings = batch.findings.order_by("row", "id")[start : start + FINDINGS_A_PAGE]
    return [_explained(batch.feed, each.row, each.field, each.code, each.values) for each in findings]


def receipt_of(batch: Batch) -> dict[str, Any]:
    """The receipt: one letter a row (see rules.Outcome), and the first thousand findings."""
    return {
        **counts_of(batch),
        "findings_total": batch.findings.count(),
        "findings": page_of_findings(batch),
    }
