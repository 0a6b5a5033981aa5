"""The two kinds of counted inputs: an indicator of the statistics, or rows of the rooms' tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.monitoring.definitions import INDICATORS
from anze.monitoring.rules import REASONS, Indicator


class InputKind(StrEnum):
    RATIO = "RATIO"
    CASES = "CASES"
    CHECKLIST = "CHECKLIST"


@dataclass(frozen=True)
class OfIndicator:
    """An indicator, under the code schemes know it by. `is_turned`: what it counts as missing is what is wanted.
    `where` narrows it to some enterprises."""

    code: str
    of: str
    title: Promise
    is_turned: bool = False
    where: str = ""

    @property
    def indicator(self) -> Indicator:
        return INDICATORS[self.of]


@dataclass(frozen=True)
class OfRows:
    """Rows of tables, as SQL over `{tables}`: each name in braces becomes the table, or its rows of one party.

    `select` gives source, row_id, label, enterprise_id, region_code, sector, insurer_id, agency_id, numerator,
    denominator and reason, and `of_expert` the expert's id after them; `{first}`, `{last}` and `{as_of}` are days.
    """

    code: str
    title: Promise
    select: str
    tables: Mapping[str, type[models.Model]]
    ctes: Mapping[str, str] = field(default_factory=dict)
    of_expert: bool = False

    def sql(self, first: date, last: date, as_of: date, rows_of: Callable[[type[models.Model]], str]) -> str:
        ctes = [f"{name} AS NOT MATERIALIZED ({rows_of(model)})" for name, model in self.tables.items()]
        ctes += [f"{name} AS MATERIALIZED ({body})" for name, body in self.ctes.items()]
        expert = "" if self.of_expert else ", NULL::uuid"
        text = f"WITH {', '.join(ctes)} SELECT '{self.code}', r.*{expert} FROM ({self.select}) r"
        for name, day in (("first", first), ("last", last), ("as_of", as_of)):
            text = text.replace(f"{{{name}}}", f"DATE '{day}'")
        return text


# why a row of this room's own inputs does not count, or not fully; the statistics have their words in REASONS
KEPT: dict[str, Promise] = {
    **REASONS,
    "FIELD_MISSING": _("a field the supervision needs is empty"),
    "NO_HEADCOUNT": _("the registered workers are not stated"),
    "NOT_FOLLOWED_UP": _("not followed up in time"),
    "NOT_FILED": _("no report filed in time"),
    "PRINCIPAL_NOT_TOLD": _("the principal was not told"),
    "AUTHORITY_NOT_TOLD": _("the authority was not told"),
    "AUTHORITY_LATE": _("the authority was told late"),
    "CLOCK_MISSED": _("a legal time limit was missed"),
    "NO_ADVANCE": _("no advance payment"),
    "ANSWERED_LATE": _("answered late, or not at all"),
    "HANDLED_LATE": _("not closed in time"),
    "ROWS_REJECTED": _("some of its rows were rejected"),
    "NOT_MARKED": _("not yet marked"),
    "RETURNED": _("returned by the quality check"),
    "FEWER_FOUND": _("fewer hazards found than on comparable visits"),
    "NOTHING_TO_COMPARE": _("no comparable visits, or none that found hazards"),
    "CAME_BACK": _("the hazard came back after it was found rectified"),
    "CLASS_CHANGED": _("the insurer or an authority gave the hazard another class"),
    "NOT_DONE": _("not done by the day agreed"),
    "NOT_QUALIFIED": _("no certificate valid on the day of the service"),
    "REPORT_REPEATED": _("the report repeats another one; confirmed"),
    "PICTURE_REPEATED": _("a picture was used before; confirmed"),
    "NOT_HAPPENED": _("the service did not take place; found in a dispute"),
    "WITHDRAWN": pgettext_lazy("record", "withdrawn"),
}
