"""Parameters in SQL, and changing one: a new row from a day on, never another value under an old date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.models import Parameter, region_chain
from anze.kernel.refusal import Refused


@action("MANAGE_PARAMETERS", "parameter.changed")
def change_parameter(
    parameter: Parameter,
    *,
    by: Actor,
    at: datetime,
    value: str,
    effective_from: date,
    source: str,
    status: str,
    note: str = "",
    region_code: str | None = None,
) -> Parameter:
    """Let another value be in force from `effective_from` on; what was judged before that day keeps its own.

    The row in force until then ends the day before, and a row that begins later still takes over on its day. With
    `region_code` the value is that region's, and every other value stays as it is.
    """
    return begin_value(
        parameter, value=value, effective_from=effective_from, source=source, status=status, note=note,
        region_code=region_code,
    )  # fmt: skip


def begin_value(
    parameter: Parameter,
    *,
    value: str,
    effective_from: date,
    source: str,
    status: str,
    note: str = "",
    region_code: str | None = None,
) -> Parameter:
    """The write itself, for actions. With `region_code` the value of that region, which may be its first."""
    value = value.strip()
    _check_value(parameter, value)
    where = parameter.region_code if region_code is None else region_code
    same = Parameter.objects.filter(key=parameter.key, region_code=where)
    if same.filter(effective_from=effective_from).exists():
        raise Refused(
            "parameter_same_day",
            _("There is already a value from this day on."),
            remedy=_("Choose another day: a value once in force is not overwritten."),
            field="effective_from",
        )
    before = same.filter(effective_from__lt=effective_from).order_by("-effective_from").first()
    after = same.filter(effective_from__gt=effective_from).order_by("effective_from").first()
    if before is None and where == parameter.region_code:
        raise Refused(
            "parameter_before_first",
            _("The parameter was not in force before %(day)s."),
            remedy=_("Choose a later day."),
            field="effective_from",
            values={"day": min(row.effective_from for row in same)},
        )
    if before is not None and (before.effective_to is None or before.effective_to >= effective_from):
        before.effective_to = effective_from - timedelta(days=1)
        before.save(update_fields=["effective_to"])
    return Parameter.objects.create(
        key=parameter.key,
        value=value,
        unit=parameter.unit,
        region_code=where,
        effective_from=effective_from,
        effective_to=after.effective_from - timedelta(days=1) if after else None,
        source=source,
        status=status,
        title_en=parameter.title_en,
        title_zh=parameter.title_zh,
        note=note,
    )


def _check_value(parameter: Parameter, value: str) -> None:
    """A number stays a number, and within the same unit it stays plausible."""
    if not parameter.value or not _is_number(parameter.value):
        return
    if not _is_number(value):
        raise Refused(
            "parameter_not_a_number",
            _("The value must be a number."),
            remedy=_("Write it with digits and a decimal point, without the unit."),
            field="value",
        )
    if parameter.unit == "ratio" and not 0 <= Decimal(value) <= 1:
        raise Refused(
            "parameter_not_a_ratio",
            _("A ratio lies between 0 and 1."),
            remedy=_("Write 21 % as 0.21."),
            field="value",
        )


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def chain_of(region: str) -> str:
    """SQL: the codes whose values hold in a region, as `region_chain`; the nearest is the last by their order."""
    return f"('', left({region}, 2) || '0000', left({region}, 4) || '00', {region})"


def number_in_force(key: str, day: str, region: str) -> str:
    """SQL, a scalar: the number in force on a day in a region, chosen as `kernel.models.parameter_row` chooses."""
    return (
        f"(SELECT v.value::numeric FROM kernel_parameter v WHERE v.key = '{key}' AND v.value <> '' "
        f"AND v.region_code IN {chain_of(region)} AND v.effective_from <= {day} "
        f"AND (v.effective_to IS NULL OR v.effective_to >= {day}) "
        "ORDER BY v.region_code DESC, v.effective_from DESC LIMIT 1)"
    )


def parameters_of(key: str) -> str:
    """The rows of a parameter as the body of a CTE. A value that is no number is no value."""
    return (
        "SELECT region_code, effective_from, coalesce(effective_to, 'infinity') AS effective_to, "
        f"value::numeric AS value FROM kernel_parameter WHERE key = '{key}' "
        "AND value ~ '^[0-9]+(\\.[0-9]+)?$'"
    )


def numbers(today: date, keys: Iterable[str]) -> dict[str, dict[str, Decimal]]:
    """The numbers in force on a day, of every region that has its own."""
    rows = (
        Parameter.objects.filter(
            Q(effective_to__isnull=True) | Q(effective_to__gte=today), key__in=set(keys), effective_from__lte=today
        )
        .exclude(value="")
        .order_by("effective_from")
        .values_list("key", "region_code", "value")
    )
    found: dict[str, dict[str, Decimal]] = {}
    for key, region, value in rows:
        found.setdefault(key, {})[region] = Decimal(value)
    return found


def nearest(values: dict[str, Decimal], region_code: str) -> Decimal | None:
    """Of one parameter's `numbers`, the one of a region: its own, else its city's, its province's, the general one."""
    return next((values[each] for each in region_chain(region_code) if each in values), None)
