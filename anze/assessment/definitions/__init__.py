"""Every input a scheme may name, and the SQL of its rows.

A row says which record it is, what it gives to numerator and denominator, or why it does not count. Most inputs are
indicators of the statistics; the others read the rooms' tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions.agencies import AGENCY_ROWS
from anze.assessment.definitions.experts import EXPERT_ROWS
from anze.assessment.definitions.insurers import INDICATORS_READ, INSURER_ROWS
from anze.assessment.definitions.kinds import KEPT, InputKind, OfIndicator, OfRows
from anze.assessment.rules.schemes import SubjectKind
from anze.exchange.feeds import FEEDS
from anze.kernel.models import FedTable, PublicTable
from anze.monitoring.contributions import tagged_contributions
from anze.monitoring.definitions import FACTS
from anze.monitoring.rules import Fact, Source

# told case by case, or by the assessed themselves; their rows come from tables of this room
TOLD: dict[str, tuple[InputKind, SubjectKind, Promise]] = {
    "rate_cases": (InputKind.CASES, SubjectKind.INSURER, _("Confirmed cases of rate conduct")),
    "organisation_checklist": (
        InputKind.CHECKLIST,
        SubjectKind.INSURER,
        _("Self-report on the organisation, reviewed"),
    ),
    "agency_cases": (InputKind.CASES, SubjectKind.AGENCY, _("Confirmed cases of conduct")),
    "expert_cases": (InputKind.CASES, SubjectKind.EXPERT, _("Complaints upheld and other confirmed cases")),
}

# the column that says whose a row is
PARTY = {SubjectKind.INSURER: "insurer_id", SubjectKind.AGENCY: "agency_id", SubjectKind.EXPERT: "expert_id"}
ROWS: dict[SubjectKind, tuple[OfRows, ...]] = {
    SubjectKind.INSURER: INSURER_ROWS,
    SubjectKind.AGENCY: AGENCY_ROWS,
    SubjectKind.EXPERT: EXPERT_ROWS,
}


@dataclass(frozen=True)
class Input:
    code: str
    title: Promise | str
    kind: InputKind
    subject: SubjectKind
    is_money: bool = False


def _inputs() -> Iterator[Input]:
    for each in INDICATORS_READ:
        yield Input(each.code, each.title, InputKind.RATIO, SubjectKind.INSURER, each.indicator.money)
    for subject, rows in ROWS.items():
        for made in rows:
            yield Input(made.code, made.title, InputKind.RATIO, subject)
    for code, (kind, subject, title) in TOLD.items():
        yield Input(code, title, kind, subject)


INPUTS: dict[str, Input] = {each.code: each for each in _inputs()}


def kinds_of(subject: str) -> dict[str, str]:
    """Input → kind, of those that assess this subject: what a scheme's checks need to know."""
    return {code: each.kind for code, each in INPUTS.items() if each.subject == subject}


@dataclass(frozen=True)
class Period:
    """From which day to which, and up to which day things counted when asked."""

    first: date
    last: date
    as_of: date


COLUMNS = (
    "input", "source", "row_id", "label", "enterprise_id", "region_code", "sector", "insurer_id", "agency_id",
    "numerator", "denominator", "reason", "expert_id",
)  # fmt: skip


def tables_read(subject: str) -> set[type[models.Model]]:
    """Every table the rows of a kind of assessed come from."""
    found = {model for each in ROWS[SubjectKind(subject)] for model in each.tables.values() if not _is_of_now(model)}
    if subject == SubjectKind.INSURER:
        found |= {source.model for each in INDICATORS_READ for source in each.indicator.fact.sources}
    return found


def _is_of_now(model: type[models.Model]) -> bool:
    """Which agency an expert belongs to is asked as of now: it says who reads his rows, and nothing of what he did."""
    return issubclass(model, PublicTable)


def row_statements(
    subject: str,
    period: Period,
    of: UUID | None = None,
    known: Callable[[type[models.Model]], str] | None = None,
) -> list[str]:
    """SQL texts giving the rows of every input, one a group of inputs that share their work; COLUMNS in order.

    With `of` only one party's rows, from its own records alone: the same rows, sooner. With `known` the tables' rows
    as they were known at a moment.
    """
    column = PARTY[SubjectKind(subject)]

    def rows_of(model: type[models.Model]) -> str:
        table = f"({known(model)}) k" if known and not _is_of_now(model) else model._meta.db_table
        names = {field.column for field in model._meta.local_concrete_fields}
        return f"SELECT * FROM {table}" + (f" WHERE {column} = '{of}'" if of and column in names else "")

    texts = [made.sql(period.first, period.last, period.as_of, rows_of) for made in ROWS[SubjectKind(subject)]]
    if subject != SubjectKind.INSURER:
        return texts
    # those with most rows first: they are written down while the others are still being found
    read = [(fact, [each for each in INDICATORS_READ if each.indicator.fact is fact]) for fact in FACTS.values()]
    return [
        *(
            _of_indicators(fact, wanted, period, lambda source: rows_of(source.model))
            for fact, wanted in reversed(read)
            if wanted
        ),
        *texts,
    ]


def _of_indicators(fact: Fact, wanted: Iterable[OfIndicator], period: Period, rows_of: object) -> str:
    """The rows of some indicators. What grows month by month is one row a record and not twelve."""
    wanted = list(wanted)
    inner = tagged_contributions({each.code: each.indicator for each in wanted}, period.as_of, rows_of)  # type: ignore[arg-type]
    turned = ", ".join(f"'{each.code}'" for each in wanted if each.is_turned) or "''"
    cents = ", ".join(f"'{each.code}'" for each in wanted if each.indicator.money) or "''"
    narrowed = "".join(
        f" AND (tag <> '{each.code}' OR enterprise_id IN (SELECT id FROM parties_enterprise WHERE {each.where}))"
        for each in wanted
        if each.where
    )
    return f"""
        SELECT tag, source, row_id, label, enterprise_id, region_code, sector, insurer_id, NULL::uuid,
               CASE WHEN tag IN ({turned}) THEN den - num ELSE num END * f, den * f, coalesce(reason, ''), NULL::uuid
        FROM (
            SELECT tag, source, row_id, min(label) AS label, enterprise_id, region_code, sector, insurer_id,
                   sum(num)::numeric AS num, sum(den)::numeric AS den,
                   min(reason) AS reason,
                   CASE WHEN tag IN ({cents}) THEN 0.01 ELSE 1 END AS f
            FROM ({inner}) c
            WHERE month BETWEEN DATE '{period.first.replace(day=1)}' AND DATE '{period.last}'
              AND counts_on <= DATE '{period.as_of}' AND insurer_id IS NOT NULL{narrowed}
            GROUP BY tag, source, row_id, enterprise_id, region_code, sector, insurer_id
        ) r WHERE num <> 0 OR den <> 0 OR reason IS NOT NULL
    """


def contents() -> dict[str, str]:
    """Kind of record, as rows name it → the table that keeps a hash of its content."""
    found = {}
    for fact in FACTS.values():
        for source in fact.sources:
            if issubclass(source.model, FedTable):
                found[source.name] = source.table
    found |= {feed.name.replace("-", "_"): feed.model._meta.db_table for feed in FEEDS.values()}
    return {
        name: table
        for name, table in found.items()
        if any(f.column == "content_hash" for f in _model_of(table)._meta.local_concrete_fields)
    }


def _model_of(table: str) -> type[models.Model]:
    from django.apps import apps

    return next(model for model in apps.get_models() if model._meta.db_table == table)


__all__ = [
    "COLUMNS",
    "INPUTS",
    "KEPT",
    "PARTY",
    "TOLD",
    "Input",
    "InputKind",
    "OfRows",
    "Period",
    "Source",
    "contents",
    "kinds_of",
    "row_statements",
]  # fmt: skip
