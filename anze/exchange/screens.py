"""Pages and interface of the data exchange."""

from __future__ import annotations

from typing import Any

from anze.exchange.feeds import FEEDS
from anze.exchange.models import Finding
from anze.exchange.rules import FINDINGS


def explain(finding: Finding) -> dict[str, Any]:
    """A finding in words: the rule and the remedy, in the reader's language."""
    message, remedy = words_of(finding.batch.feed, finding.code)
    values = {key: str(value) for key, value in finding.values.items()}
    return {
        "row": finding.row,
        "field": finding.field,
        "code": finding.code,
        "message": _filled(message, values),
        "remedy": _filled(remedy, values),
    }


def words_of(feed: str, code: str) -> tuple[str, str]:
    for check in FEEDS[feed].all_checks:
        if check.code == code:
            return str(check.message), str(check.remedy)
    message, remedy = FINDINGS[code]
    return str(message), str(remedy)


def _filled(text: str, values: dict[str, str]) -> str:
    # a percent sign in plain words is not a placeholder
    return text % values if "%(" in text else text
