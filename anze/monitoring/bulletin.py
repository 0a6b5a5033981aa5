"""The monthly bulletin: the five indicators of a region's month with what they are held against, kept as published.

One of a region compares its parts and all insurers. One of an insurer holds his own figures, and beside them what all
insurers of the region come to together and the middle one of them: values only, for sums of others are not his.

Every figure comes from the cells by the very functions the dashboard reads (anze/monitoring/figures.py). An edition
keeps numerators, denominators and words in both languages, so that it reads the same when definitions or names have
changed. Values, and changes of them, are worked out from what is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor, platform
from anze.kernel.alert import ALERTS
from anze.kernel.database import policies_of
from anze.kernel.duty import beijing_day
from anze.kernel.models import CalendarDay, parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, PROVINCE, inside, region_range
from anze.kernel.wording import in_each_language
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.figures import By, Figure, Slice, figures, headlines, present_state, targets
from anze.monitoring.models import Alert, Bulletin, State
from anze.monitoring.rules import AlertState, Family, Indicator
from anze.parties.models import Organisation, Region
from anze.parties.rules import OrganisationKind, Permission

FIVE = (Family.COVERAGE, Family.PAYOUT, Family.COMPLETION, Family.RECTIFICATION, Family.EXPENSE)
FURTHER = (Family.RECTIFICATION, Family.EXPENSE)  # shown with all their variants, major hazards among them


def month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def month_after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def year_before(month: date) -> date:
    return month.replace(year=month.year - 1)


@action(Permission.PUBLISH_BULLETINS, "bulletin.published")
def publish_bulletin(
    region: Region, *, by: Actor, at: datetime, month: date, insurer: Organisation | None = None
) -> Bulletin:
    """Keep an edition of what the figures say of a month now, of a region or of an insurer in it. Where they say the
    same as in the last edition, there is nothing to correct, and none is made."""
    state = present_state()
    month = month.replace(day=1)
    if state is None or month > state.as_of:
        raise Refused(
            "no_figures", _("There are no figures of this month yet."), remedy=_("Choose an earlier month."),
            field="month",
        )  # fmt: skip
    if not by.scope.covers_region(region.code) or by.scope.reader not in ("anze_all", "anze_region"):
        raise Refused(
            "not_your_region", _("You may publish the bulletin of your own area only."),
            remedy=_("Choose your area or a part of it."), field="region", status=403,
        )  # fmt: skip
    content = content_of(region.code, month, state, insurer)
    same = Bulletin.objects.filter(region_code=region.code, month=month, insurer=insurer)
    last = same.order_by("-edition").first()
    if last is not None and _said_of(last.content) == _said_of(content):
        raise Refused(
            "nothing_changed",
            _("Nothing has changed since edition %(number)s of this month."),
            remedy=_("Take that edition. A further one can be made as soon as a figure has been corrected."),
            status=409,
            values={"number": last.edition},
        )
    try:
        with transaction.atomic():
            return Bulletin.objects.create(
                region_code=region.code,
                insurer=insurer,
                month=month,
                edition=last.edition + 1 if last else 1,
                as_of=state.as_of,
                refreshed_at=state.refreshed_at,
                made_at=at,
                made_by=" · ".join(word for word in (by.organisation_name, by.name) if word)[:120],
                content=content,
                checksum=checksum(content),
            )
    except IntegrityError as error:
        raise Refused(
            "published_meanwhile",
            _("Somebody else has published this month's bulletin at the same moment."),
            remedy=_("Look at that edition first."),
            status=409,
        ) from error


def _said_of(content: dict[str, Any]) -> dict[str, Any]:
    """What is said, apart from when."""
    return {name: value for name, value in content.items() if name != "as_of"}


def checksum(content: dict[str, Any]) -> str:
    """SHA-256 of the content written in one way: keys in order, no blanks, UTF-8."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def content_of(region_code: str, month: date, state: State, insurer: Organisation | None = None) -> dict[str, Any]:
    heads = list(headlines(FIVE, state.as_of).values())
    further = [each for each in INDICATORS.values() if each.family in FURTHER and not each.fixed]
    cut = Slice(region_code, month, month, insurer_id=insurer.pk if insurer else None)
    goals = targets(state.as_of, region_code=region_code)
    by_region = _compared(heads, cut, "region") if cut.level != "COUNTY" else {}
    by_insurer = _compared(heads, cut, "insurer") if insurer is None else {}
    year = figures([*heads, *further], replace(cut, month_from=month.replace(month=1)))[""]
    trend = figures(heads, replace(cut, month_from=year_before(month_after(month))), by="month")
    whole = _compared([*heads, *further], cut, "").get("", {})
    shown = {each.code: each for each in (*heads, *further)}
    insurers = {str(row.pk): row for row in Organisation.objects.filter(kind=OrganisationKind.INSURER).order_by("code")}
    low, high = region_range(region_code)
    regions = {row.code: row for row in Region.objects.filter(code__in=[region_code, *by_region])}
    counted = list(
        Alert.objects.exclude(state=AlertState.CLOSED)
        .filter(Q(insurer_id=insurer.pk) if insurer else Q(), region_code__gte=low, region_code__lte=high)
        .order_by("code", "level")
        .values_list("code", "level")
        .annotate(number=Count("pk"))
    )
    kept = [each for each in counted if each[0] in ALERTS]

    def words() -> dict[str, Any]:
        return {
            "indicators": {code: _definition(each) for code, each in shown.items()},
            "regions": {code: str(row) for code, row in regions.items()},
            "insurers": {key: str(row) for key, row in insurers.items() if insurer is None or insurer.pk == row.pk},
            "alerts": {code: str(ALERTS[code].title) for code, _level, _number in kept},
        }

    said = in_each_language(words)
    return {
        "region": region_code,
        **({"insurer": str(insurer.pk), "beside": _beside(heads, replace(cut, insurer_id=None))} if insurer else {}),
        "month": f"{month:%Y-%m}",
        "as_of": state.as_of.isoformat(),
        "five": [each.code for each in heads],
        "further": [each.code for each in further],
        "money": [code for code, each in shown.items() if each.money],
        "versions": {code: each.version for code, each in shown.items()},
        "targets": {code: str(goals[code]) for code in shown if code in goals},
        "whole": whole,
        "year": {code: _pair(year[code]) for code in shown},
        "regions": {code: by_region[code] for code in sorted(by_region)},
        "insurers": {key: by_insurer[key] for key in insurers if key in by_insurer},
        "trend": {
            f"{each:%Y-%m}": {code: _pair(found) for code, found in trend[each].items()} for each in sorted(trend)
        },
        "alerts": [list(each) for each in kept],
        "words": said,
    }


def _definition(indicator: Indicator) -> dict[str, str]:
    measures = {field.name: str(field.verbose_name) for field in indicator.fact.cell._meta.local_concrete_fields}
    return {
        "title": str(indicator.title),
        "about": str(indicator.about),
        "numerator": measures[indicator.numerator],
        "denominator": measures[indicator.denominator],
        "unit": str(indicator.unit.label),
        "source": str(indicator.source),
    }


def _compared(indicators: Iterable[Indicator], cut: Slice, by: By) -> dict[str, dict[str, list[list[str]]]]:
    """Key → indicator → numerator and denominator of the month, of the month before, and of a year before."""
    wanted = list(indicators)
    months = (cut.month_from, month_before(cut.month_from), year_before(cut.month_from))
    found = [figures(wanted, replace(cut, month_from=month, month_to=month), by=by) for month in months]
    keys = {key for each in found for key in each}
    return {
        str(key): {
            each.code: [
                _pair(by_code[key][each.code] if key in by_code else Figure(each, Decimal(0), Decimal(0)))
                for by_code in found
            ]
            for each in wanted
        }
        for key in keys
    }


def _beside(indicators: Iterable[Indicator], cut: Slice) -> dict[str, dict[str, Any]]:
    """Indicator → the value of all insurers together, also by month, of the middle one, and how many they are."""
    wanted = list(indicators)
    whole = figures(wanted, cut)[""]
    months = figures(wanted, replace(cut, month_from=year_before(month_after(cut.month_to))), by="month")
    each = [found for key, found in figures(wanted, cut, by="insurer").items() if key]
    said: dict[str, dict[str, Any]] = {}
    for indicator in wanted:
        values = [found[indicator.code].value for found in each if found[indicator.code].value is not None]
        together = whole[indicator.code].value
        # with fewer than three the others' values could be told from the middle one
        middle = median(value for value in values if value is not None) if len(values) > 2 else None
        said[indicator.code] = {
            "whole": "" if together is None else str(together),
            "middle": "" if middle is None else str(middle),
            "insurers": len(values),
            "trend": {
                f"{month:%Y-%m}": str(value)
                for month, found in sorted(months.items())
                if (value := found[indicator.code].value) is not None
            },
        }
    return said


def _pair(figure: Figure) -> list[str]:
    return [str(figure.numerator), str(figure.denominator)]


def figure_of(code: str, pair: list[str]) -> Figure:
    """A figure as it was kept."""
    return Figure(INDICATORS[code], Decimal(pair[0]), Decimal(pair[1]))


def as_published(code: str, cut: Slice, reader: str) -> tuple[Bulletin, Figure] | None:
    """What the last bulletin of a cut's last month says: of that month alone, or of the year up to it. Nothing where
    no bulletin has such a figure, or the reader (a database role) sees no bulletins."""
    if reader not in policies_of(Bulletin) or cut.sector:
        return None
    rows = Bulletin.objects.filter(region_code=cut.region_code, month=cut.month_to)
    last = rows.filter(insurer=cut.insurer_id).order_by("-edition").first()
    if last is None and cut.insurer_id and cut.month_from == cut.month_to:
        last = rows.filter(insurer=None).order_by("-edition").first()
    if last is None:
        return None
    is_of_all = last.insurer_id is None and cut.insurer_id is not None
    pair: list[str] | None = None
    if cut.month_from == cut.month_to:
        part = last.content["insurers"].get(str(cut.insurer_id), {}) if is_of_all else last.content["whole"]
        pair = part[code][0] if code in part else None
    elif cut.month_from == cut.month_to.replace(month=1):
        pair = last.content["year"].get(code)
    return (last, figure_of(code, pair)) if pair else None


def is_due(today: date) -> bool:
    """Whether the working day of the month on which bulletins are published has come."""
    number = int(parameter("bulletin_working_day", today))
    return CalendarDay.objects.filter(day__gte=today.replace(day=1), day__lte=today, is_workday=True).count() >= number


def publish_due(*, at: datetime) -> list[Bulletin]:
    """The first edition of the month before: of the province, of each of its cities, and of each insurer who has
    figures in the province; once."""
    today = beijing_day(at)
    by = platform(frozenset({Permission.PUBLISH_BULLETINS}))
    made = []
    with transaction.atomic(), inside(EVERYTHING):
        state = present_state()
        month = month_before(today.replace(day=1))
        if state is None or month > state.as_of or not is_due(today):
            return []
        rows = Bulletin.objects.filter(month=month)
        there: set[tuple[str, UUID | None]] = {(each.region_code, each.insurer_id) for each in rows.defer("content")}
        for region in Region.objects.filter(code__endswith="00", valid_to__isnull=True).order_by("code"):
            if (region.code, None) not in there:
                made.append(publish_bulletin(region, by=by, at=at, month=month))
        whole = Bulletin.objects.filter(month=month, region_code=PROVINCE, insurer=None).latest("edition")
        for insurer in Organisation.objects.filter(pk__in=list(whole.content["insurers"])).order_by("code"):
            if (PROVINCE, insurer.pk) not in there:
                region = Region.objects.get(code=PROVINCE)
                made.append(publish_bulletin(region, by=by, at=at, month=month, insurer=insurer))
    return made
