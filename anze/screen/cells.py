"""Raw rows into cells: related rows are looked up once for all of them, words are ready made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connection, models

from anze.screen.columns import Plan, cell_of, html, opened
from anze.screen.filters import Asking
from anze.screen.registry import PAGES


class Reader:
    """Turns raw rows into cells: related rows are looked up once for all of them, words are ready made."""

    def __init__(
        self,
        plans: list[Plan],
        asking: Asking,
        shown: Callable[[Plan], Callable[[Any], Any]] = cell_of,
        links: bool = True,
    ) -> None:
        self.plans = plans
        self.asking = asking
        reads: dict[str, int] = {}
        for each in plans:
            for name in each.reads:
                reads.setdefault(name, len(reads))
        self.reads = list(reads)
        self._at = reads
        self._shown = [shown(each) for each in plans]
        self._links = links
        self._related: dict[tuple[str, type[models.Model]], dict[str, int]] = {}
        for each in plans:
            if each.related is not None:
                fields = self._related.setdefault((each.reads[0], each.related), {})
                fields.setdefault(each.related_field, len(fields) + 1)

    def _look_up(self, raw: Sequence[Sequence[Any]]) -> dict[str, dict[Any, Sequence[Any]]]:
        found = {}
        for (name, model), fields in self._related.items():
            at = self._at[name]
            keys = {row[at] for row in raw if row[at] is not None}
            found[name] = {row[0]: row for row in _by_key(model, list(fields), keys)} if keys else {}
        return found

    def values(self, raw: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
        """The value of every column of every row, not yet shown."""
        getters = self._getters(self._look_up(raw))
        for row in raw:
            yield [get(row) for get in getters]

    def _getters(self, related: dict[str, dict[Any, Sequence[Any]]]) -> list[Callable[[Sequence[Any]], Any]]:
        return [self._getter(each, related) for each in self.plans]

    def _getter(self, each: Plan, related: dict[str, dict[Any, Sequence[Any]]]) -> Callable[[Sequence[Any]], Any]:
        at = self._at[each.reads[0]]
        if each.column.compute is not None:
            places, compute, asking = (
                [self._at[name] for name in each.reads],
                each.column.compute,
                self.asking,
            )
            return lambda row: compute(asking, *[row[i] for i in places])
        if each.related is not None:
            rows = related[each.reads[0]]
            place = self._related[(each.reads[0], each.related)][each.related_field]
            return lambda row: found[place] if (found := rows.get(row[at])) is not None else None
        return lambda row: row[at]

    def shown(self, raw: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
        """Rows for a file: every value as it is written."""
        show = self._shown
        for values in self.values(raw):
            yield [show[i](value) for i, value in enumerate(values)]

    def cells(self, raw: Sequence[Sequence[Any]]) -> list[list[str]]:
        """Rows for a page: what stands in each cell, as HTML."""
        related = self._look_up(raw)
        columns = [self._column(each, raw, related, self._shown[i]) for i, each in enumerate(self.plans)]
        return [list(row) for row in zip(*columns, strict=True)]

    def tags(self) -> list[str]:
        """The opening tag of each column's cells; the first column names its row."""
        return [_opening_tag(each, i == 0) for i, each in enumerate(self.plans)]

    def _column(
        self,
        each: Plan,
        raw: Sequence[Sequence[Any]],
        related: dict[str, dict[Any, Sequence[Any]]],
        show: Callable[[Any], Any],
    ) -> list[str]:
        """A column at a time: most of a cell's cost would else be calls."""
        at = self._at[each.reads[0]] if each.reads else -1
        if each.column.compute is not None or each.related is not None:
            get = self._getter(each, related)
            values = [get(row) for row in raw]
        else:
            values = [row[at] for row in raw]
        opens = each.column.opens
        if not opens or not self._links or not may_open(opens, self.asking):
            return [show(value) for value in values]
        linked = opened(show, opens)
        is_other = (each.related is not None or each.directory is not None) and not each.column.opens_row
        key_at = at if is_other else -1
        return [linked(value, row[key_at]) for value, row in zip(values, raw, strict=True)]


def _by_key(model: type[models.Model], fields: list[str], keys: set[Any]) -> Sequence[Sequence[Any]]:
    """Some fields of the rows with these keys, the key first. Written out: a list's every page asks this."""
    meta: Any = model._meta
    quote: Any = connection.ops.quote_name
    wanted = [meta.pk, *(meta.get_field(name) for name in fields)]
    if any(each.get_db_converters(connection) for each in wanted):
        return list(model._default_manager.filter(pk__in=keys).values_list("pk", *fields))
    columns = ", ".join(quote(each.column) for each in wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {quote(meta.db_table)} WHERE {quote(meta.pk.column)} = ANY(%s)", [list(keys)]
        )
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def may_open(page_name: str, asking: Asking) -> bool:
    """Whether the reader's permissions open a page; which rows he finds there the database says."""
    found = PAGES.get(page_name)
    return found is not None and (found.permission is None or asking.actor.may(found.permission))


def _opening_tag(each: Plan, is_first: bool) -> str:
    name = f' class="{each.kind.value}"' if each.kind.value else ""
    start = '<th scope="row"' if is_first else "<td"
    return f'{start} data-label="{html(each.heading)}"{name}>'
