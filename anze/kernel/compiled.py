"""Queries whose SQL is worked out once.

For a look-up that every request makes, Django takes several times longer to put the SQL together than the
database to answer it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)


class Compiled(Generic[M]):
    """`make` gives the query for some values, which must all be parameters of its SQL, in their order."""

    def __init__(self, make: Callable[..., models.QuerySet[M]]) -> None:
        self._make = make
        self._ready: tuple[str, Callable[[tuple[Any, ...]], M]] | None = None

    def __call__(self, *values: Any) -> list[M]:
        sql, build = self._ready or self._prepare(values)
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [build(row) for row in cursor.fetchall()]

    def _prepare(self, values: tuple[Any, ...]) -> tuple[str, Callable[[tuple[Any, ...]], M]]:
        rows = self._make(*values)
        compiler = rows.query.get_compiler(connection=connection)
        sql, words = compiler.as_sql()
        if tuple(words) != values:
            raise TypeError(f"the parameters are {words}, not {values}")
        expressions = [each[0] for each in compiler.select]
        if compiler.get_converters(expressions):
            raise TypeError("the database's values are not the fields' own")
        info = compiler.klass_info
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [each[0].target.attname for each in compiler.select[first:last]]
        related = get_related_populators(info, compiler.select, connection.alias)  # type: ignore[call-arg]
        model = info["model"]

        def build(row: tuple[Any, ...]) -> M:
            made: M = model.from_db(connection.alias, names, row[first:last])
            for each in related:
                each.populate(row, made)
            return made

        self._ready = sql, build
        return self._ready
