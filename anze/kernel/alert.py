"""An alert, declared once beside the rule it watches: what, why, who, by when, and how it is mended.

A declaration says which causes there are and *from when to when* each exists, as one SELECT over the room's
tables. From that one text come the alerts of today (`begins` on or before the day and not yet `ends`), the
judging again of a few touched rows, and the back-test: how many alerts other thresholds would have given last
year. Thresholds are parameters, dated and per region; they stand in the text by name, in braces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.models import Choices, TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import Duty, Party

Words = str | Promise


class AlertLevel(TextChoices):
    URGENT = "URGENT", _("urgent")
    IMPORTANT = "IMPORTANT", _("important")
    GENERAL = "GENERAL", pgettext_lazy("alert", "general")


SCOPE = ("region_code", "sector", "insurer_id", "agency_id", "expert_id", "enterprise_id")
_TYPES = dict.fromkeys(("insurer_id", "agency_id", "expert_id", "enterprise_id"), "uuid") | dict.fromkeys(
    ("region_code", "sector"), "text"
)


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """`rows` stands after FROM; all other texts are SQL over it.

    `subject` is the id of the group of rows judged together, and `episode` tells its causes apart: a cause is
    (code, subject, episode), and there is never more than one alert for one. What thresholds can move must not be
    part of an episode. `begins` is the first day the cause exists, `ends` the first day it does not, NULL while
    it lasts; `due` the last day to mend it; from `rises` on the level is `risen`. `row` is what the remedy's page
    opens. `scope` gives the columns by which readers see it; what is missing stays empty.
    `open_if` only helps the planner: it is implied by existing on `{today}`. `sources` are the tables whose
    changes touch it, each with the SQL that gives the subject of a changed row, or '' where only a full run can.
    `why` is a sentence over the names in `facts`; `kinds` gives the words of facts that are codes.
    `shown_as` are work lists of the home page that show the same things already.
    """

    code: str
    title: Words
    level: AlertLevel
    parties: tuple[Party, ...]
    why: Words
    remedy: Words
    page: str
    rows: str
    subject: str
    begins: str
    ends: str = "NULL"
    due: str = "NULL"
    label: str
    of: str = ""  # alias of the row that has the scope columns
    scope: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, type[Choices]] = field(default_factory=dict)
    thresholds: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    episode: str = "''"
    row: str = ""
    open_if: str = "true"
    rises: str = "NULL"
    risen: AlertLevel = AlertLevel.URGENT
    escalation: str = ""  # parameters `<this>.COUNTY` and so on, in working days after `due` or after it was raised
    duty: Duty | None = None
    basis: Words = ""
    shown_as: tuple[str, ...] = ()
    permission: str = ""  # for those it is not addressed to; '': that of the page

    @property
    def escalates_by(self) -> str:
        """The beginning of the three parameters by which it goes up; without its own those of its level."""
        return self.escalation or f"alert.escalation_workdays.{self.level.value}"

    def said(self, facts: Mapping[str, Any]) -> str:
        """The reason in words, with its numbers."""
        words = {"basis": self.basis, **facts}
        for name, choices in self.kinds.items():
            words[name] = dict(choices.choices).get(facts.get(name), facts.get(name))
        return str(self.why) % {name: _said(value) for name, value in words.items()}

    def column(self, name: str) -> str:
        """SQL of one scope column of the alert: said by the rule, else that of the row `of`, else empty."""
        text = self.scope.get(name) or (f"{self.of}.{name}" if self.of and name in _OF else "NULL")
        return f"({text})::{_TYPES[name]}"

    def causes(self, values: Mapping[str, str], today: date, *, where: str = "true") -> str:
        """The SELECT of all causes there ever were. `values`: threshold name → SQL of its value for a row."""
        facts = ", ".join(f"'{name}', {text}" for name, text in self.facts.items())
        scope = ", ".join(f"{self.column(name)} AS {name}" for name in SCOPE)
        text = (
            f"SELECT ({self.subject})::uuid AS subject, ({self.episode})::text AS episode, "
            f"({self.begins})::date AS begins, ({self.ends})::date AS ends, ({self.due})::date AS due_on, "
            f"({self.rises})::date AS rises_on, ({self.row or self.subject})::uuid AS row_id, "
            f"left(({self.label})::text, 200) AS label, {scope}, "
            f"jsonb_build_object({facts}) AS facts FROM {self.rows}"
        )
        return f"SELECT * FROM ({self._filled(text, values, today)}) c WHERE {where}"

    def causes_on(self, values: Mapping[str, str], today: date, *, where: str = "true") -> str:
        """The SELECT of the causes that exist on a day."""
        day = f"date '{today.isoformat()}'"
        text = self.rows if self.open_if == "true" else _and(self.rows, self.open_if)
        narrow = replace(self, rows=text, open_if="true")
        return narrow.causes(values, today, where=f"begins <= {day} AND (ends IS NULL OR ends > {day}) AND {where}")

    def _filled(self, text: str, values: Mapping[str, str], today: date) -> str:
        words = {**values, "today": f"date '{today.isoformat()}'"}
        return _NAME.sub(lambda found: words[found[1]], text)


def _said(value: Any) -> Any:
    """A fact as it is read: a number with its thousands apart, and decimals or none. A year is no number but text."""
    if value is None:
        return "–"
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return f"{value:,.2f}".removesuffix(".00") if is_number else value


_NAME = re.compile(r"\{(\w+)\}")
_OF = frozenset(SCOPE) - {"agency_id", "expert_id"}


def _and(rows: str, condition: str) -> str:
    """One more condition on rows, which end with their WHERE."""
    if " WHERE " not in rows:
        raise ValueError("rows of an alert with open_if end with a WHERE")
    return f"{rows} AND {condition}"


def by_region(column: str, values: Mapping[str, Decimal]) -> str:
    """SQL for a number that differs by region: the county's own, else its city's, the province's, the general one."""
    general = values.get("", Decimal(0))
    cases = []
    for code in sorted((code for code in values if code), reverse=True):
        if code.endswith("0000"):
            test = f"left({column}, 2) = '{code[:2]}'"
        elif code.endswith("00"):
            test = f"left({column}, 4) = '{code[:4]}'"
        else:
            test = f"{column} = '{code}'"
        if not re.fullmatch(r"[0-9A-Z]{6}", code):
            raise ValueError(code)
        # the nearest region first: a county before its city, a city before its province
        cases.append((code.endswith("00") + code.endswith("0000"), f"WHEN {test} THEN {values[code]:f}"))
    if not cases:
        return f"{general:f}"
    return f"(CASE {' '.join(case for _near, case in sorted(cases))} ELSE {general:f} END)"


ALERTS: dict[str, AlertRule] = {}


def declare(alert: AlertRule) -> AlertRule:
    """Enter a rule among the platform's; a code stands once."""
    if alert.code in ALERTS:
        raise ValueError(f"two alerts are called {alert.code}")
    ALERTS[alert.code] = alert
    return alert


def load_alerts() -> dict[str, AlertRule]:
    """Every room's declarations, from the ground up."""
    for config in apps.get_app_configs():
        if config.name.startswith("anze."):
            try:
                import_module(f"{config.name}.alerts")
            except ModuleNotFoundError as problem:
                if problem.name != f"{config.name}.alerts":
                    raise
    return ALERTS


def duty_alert(
    duty: Duty,
    *,
    table: str,
    due_at: str,
    waits: str,
    done: str = "NULL",
    since: str = "NULL",
    **words: object,
) -> AlertRule:
    """The alert of a duty whose deadline is stored: announced some days before, urgent when it is over.

    `waits`: what must be so while it waits; `done`: the SQL of the day it was done, for rows that keep it.
    """
    due = f"(x.{due_at} AT TIME ZONE 'Asia/Shanghai' - interval '1 second')::date"
    given: dict[str, object] = {
        "code": duty.code.upper(),
        "title": duty.title,
        "level": AlertLevel.IMPORTANT,
        "why": _("%(number)s: to be done by %(due)s (%(basis)s)."),
        "rows": f"{table} x WHERE x.{due_at} IS NOT NULL AND ({waits})",
        "subject": "x.id",
        "episode": f"x.{due_at}::date",
        "begins": f"greatest({due} - ({{notice}})::int, {since})",
        "ends": done,
        "due": due,
        "rises": f"{due} + 1",
        "of": "x",
        "thresholds": {"notice": "alert.duty_notice_days"},
        "sources": {table: "id"},
        "duty": duty,
        "basis": duty.source,
        **words,
    }
    given["facts"] = {
        "due": f"to_char({due}, 'YYYY-MM-DD')",
        "number": str(given["label"]),
        **(words.get("facts") or {}),  # type: ignore[dict-item]
    }
    return declare(AlertRule(**given))  # type: ignore[arg-type]
