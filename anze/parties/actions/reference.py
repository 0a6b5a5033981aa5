"""Reading reference data in: regions, the working-day calendar, the parameters the program ships."""

from __future__ import annotations

import csv
from pathlib import Path

from django.db import connection

from anze.kernel.models import CalendarDay, Parameter
from anze.kernel.rules import CalendarStatus
from anze.parties.models import Region

DATA = Path(__file__).resolve().parents[2]
YEARS_AHEAD = 5  # of the calendar beyond the years that are shipped


def load_reference_data() -> None:
    """Bring regions, the working-day calendar and the parameters up to what the program ships.

    Shipped rows are added or refreshed; parameters somebody changed on the platform have their own dates
    and stay.
    """
    load_calendar_file()
    _load(Parameter, DATA / "kernel/data/parameters.csv", ("key", "region_code", "effective_from"), update=False)
    _load(Region, DATA / "parties/data/regions.csv", ("code",), rename={"parent_code": "parent_id"})


def load_calendar_file() -> None:
    """The shipped days, and beyond them Monday to Friday as provisional working days without a source, so that nothing
    stops where the file ends; a later release with the holiday notice puts them right."""
    _load(CalendarDay, DATA / "kernel/data/calendar.csv", ("day",), rename={"date": "day"})
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_calendarday (day, is_workday, name, source, status, ordinal) "
            "SELECT d::date, extract(isodow FROM d) < 6, '', '', %s, 0 FROM "
            "(SELECT max(day) AS last FROM kernel_calendarday WHERE source <> '') shipped, "
            "generate_series((shipped.last + 1)::timestamp, shipped.last + make_interval(years => %s), interval '1 day') d "
            "ON CONFLICT (day) DO NOTHING",
            [CalendarStatus.PROVISIONAL.value, YEARS_AHEAD],
        )
        cursor.execute(
            "UPDATE kernel_calendarday c SET ordinal = s.n FROM (SELECT day, "
            "count(*) FILTER (WHERE is_workday) OVER (ORDER BY day) AS n FROM kernel_calendarday) s "
            "WHERE s.day = c.day AND c.ordinal <> s.n"
        )


def _load(
    model: type,
    path: Path,
    key: tuple[str, ...],
    *,
    rename: dict[str, str] | None = None,
    update: bool = True,
) -> None:
    rename = rename or {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    fields = {field.attname: field for field in model._meta.concrete_fields}  # type: ignore[attr-defined]
    objects = []
    for row in rows:
        values = {}
        for name, text in row.items():
            field = fields[rename.get(name, name)]
            empty = None if field.null else ""
            values[field.attname] = field.to_python(text) if text != "" else empty
        if "is_workday" in row:
            values["is_workday"] = row["is_workday"] == "1"
        objects.append(model(**values))
    others = [name for name in (rename.get(n, n) for n in rows[0]) if name not in key]
    manager = model._default_manager  # type: ignore[attr-defined]
    if update:
        manager.bulk_create(
            objects,
            update_conflicts=True,
            unique_fields=list(key),
            update_fields=[name.removesuffix("_id") if name not in fields else name for name in others],
            batch_size=1000,
        )
    else:
        manager.bulk_create(objects, ignore_conflicts=True, batch_size=1000)
