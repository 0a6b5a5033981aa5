"""Statistics: the dashboard, one page per indicator, and the rows behind every number."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.models import Batch
from anze.kernel.actor import Actor
from anze.kernel.database import policies_of
from anze.kernel.rules import Sector
from anze.kernel.scope import region_range
from anze.monitoring.bulletin import FIVE
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.figures import (
    Figure,
    Slice,
    figures,
    headlines,
    months_between,
    own_slice,
    present_state,
    targets,
)
from anze.monitoring.models import State
from anze.monitoring.rows import ASPECTS, Row, aspects_of, rows_behind, telling_aspect
from anze.monitoring.rules import REASONS, Direction, Family, Indicator, Unit
from anze.parties.models import Organisation, Region
from anze.parties.rules import OrganisationKind, Permission
from anze.screen.pages import is_chinese, money, percent, static, url, whole
from anze.screen.registry import page

# words and numbers
# -------------------------------------------------------------------------------------------


def shown(figure: Figure) -> str:
    """A figure as people read it; nothing to count is a dash."""
    return value_shown(figure.indicator, figure.value)


def value_shown(indicator: Indicator, value: Decimal | None) -> str:
    if value is None:
        return "–"
    return percent(value) if indicator.unit == Unit.RATIO else f"{value:,.1f}"


def part_shown(figure: Figure, part: str) -> str:
    value = figure.numerator if part == "numerator" else figure.denominator
    return money(value) if figure.indicator.money else whole(value)


def standing(figure: Figure, target: Decimal | None) -> str:
    """success, warning or danger against the target; nothing without one."""
    if figure.value is None or target is None or figure.indicator.direction == Direction.NONE:
        return ""
    gap = figure.value - target if figure.indicator.direction == Direction.UP else target - figure.value
    return "success" if gap >= 0 else "warning" if gap >= Decimal("-0.05") else "danger"


# the slice asked for
# -----------------------------------------------------------------------------------------


_REGION = re.compile(r"[0-9]{4}[0-9A-Z]{2}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_YEARS = 10  # how far back one may ask


def _month(text: str, fallback: date, as_of: date) -> date:
    """A month by its first day, not later than the present one; what cannot be read is what it would be
    unasked."""
    try:
        asked = date.fromisoformat(f"{text}-01") if _MONTH.fullmatch(text) else fallback
    except ValueError:
        return fallback
    return min(max(asked, date(as_of.year - _YEARS, 1, 1)), as_of.replace(day=1))


def slice_of(request: HttpRequest, as_of: date) -> Slice:
    """The slice in the address, never wider than what the reader may see."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    widest = own_slice(actor, as_of)
    asked = request.GET
    region = asked.get("region") or widest.region_code
    low, high = region_range(widest.region_code)
    if not (_REGION.fullmatch(region) and low <= region <= high):
        region = widest.region_code
    sector = widest.sector or (asked.get("sector", "") if asked.get("sector") in Sector.values else "")
    insurer = widest.insurer_id
    if insurer is None and asked.get("insurer"):
        try:
            insurer = UUID(asked["insurer"])
        except ValueError:
            insurer = None
    first = _month(asked.get("from", ""), widest.month_from, as_of)
    last = _month(asked.get("to", ""), widest.month_to, as_of)
    return Slice(region, min(first, last), max(first, last), sector, insurer)


def choices_of(request: HttpRequest, cut: Slice, as_of: date) -> dict[str, Any]:
    """What the filter offers: regions inside the reader's area, sectors, insurers, the last 36 months."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    widest = own_slice(actor, as_of)
    low, high = region_range(widest.region_code)
    first = as_of.replace(year=as_of.year - 3, month=1, day=1)
    regions = Region.objects.filter(code__gte=low, code__lte=high, valid_to__isnull=True).order_by("code")
    return {
        "cut": cut,
        "regions": [(each.code, ("　" if not each.code.endswith("00") else "") + str(each)) for each in regions],
        "sectors": [] if widest.sector else list(Sector.choices),
        "insurers": [] if widest.insurer_id else list(_insurers().items()),
        "months": [f"{month:%Y-%m}" for month in reversed(months_between(first, as_of.replace(day=1)))],
    }


def _insurers() -> dict[UUID, str]:
    rows = Organisation.objects.filter(kind=OrganisationKind.INSURER).order_by("code")
    return {row.pk: str(row) for row in rows}


def region_names() -> dict[str, str]:
    return {row.code: str(row) for row in Region.objects.all()}


def cached(
    request: HttpRequest, state: State, name: str, about: str, cut: Slice, make: Callable[[], dict[str, Any]]
) -> str:
    """A rendered part of a page, kept until the figures change: one per reader's scope, language and
    question."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may = "premiums" if actor.may(Permission.SEE_PREMIUMS) else ""
    asked = (name, state.version, state.as_of, actor.scope.key, may, get_language(), about, cut)
    key = hashlib.sha256(repr(asked).encode()).hexdigest()
    html: str | None = cache.get(key)
    if html is None:
        html = render_to_string(f"monitoring/{name}.html", make(), request=request)
        cache.set(key, html, 3600)
    return mark_safe(html)  # noqa: S308 - rendered by our own escaping templates


def visible(actor: Actor, indicators: list[Indicator], cut: Slice | None = None) -> list[Indicator]:
    """Sums of premium are not for everybody; the ratios made of them are left out with them. So is, where one insurer
    is looked at, what no insurer is counted by."""
    of_one = cut is not None and cut.insurer_id is not None
    return [
        each
        for each in indicators
        if (actor.may(Permission.SEE_PREMIUMS) or not each.money) and (each.fact.is_of_insurers or not of_one)
    ]


# charts
# ------------------------------------------------------------------------------------------------------


def _number(value: Decimal | None, places: int = 6) -> float | None:
    return None if value is None else round(float(value), places)


def _axis(indicator: Indicator) -> dict[str, Any]:
    return {
        "type": "value",
        "scale": True,
        "axisLabel": {"formatter": "@share" if _is_ratio(indicator) else "@integer"},
    }


def _is_ratio(indicator: Indicator) -> bool:
    return indicator.unit == Unit.RATIO


def trend_chart(indicator: Indicator, cut: Slice, target: Decimal | None) -> dict[str, Any]:
    months = months_between(cut.month_from, cut.month_to)
    found = figures([indicator], cut, by="month")
    code = indicator.code
    data = []
    for month in months:
        figure = found.get(month, {}).get(code)
        words = {**cut.words(), "from": f"{month:%Y-%m}", "to": f"{month:%Y-%m}"}
        data.append({"value": _number(figure.value) if figure else None, "url": url("indicator-rows", code, **words)})
    series: dict[str, Any] = {
        "type": "line",
        "name": str(indicator.title),
        "data": data,
        "connectNulls": False,
    }
    if target is not None:
        series["markLine"] = {
            "symbol": "none",
            "data": [{"yAxis": _number(target), "name": _now("Target")}],
            "label": {"formatter": _now("Target"), "position": "insideEndTop"},
        }
    return {
        "tooltip": {"trigger": "axis", "valueFormatter": "@share" if _is_ratio(indicator) else "@amount"},
        "xAxis": {"type": "category", "data": [f"{month:%Y-%m}" for month in months]},
        "yAxis": _axis(indicator),
        "series": [series],
    }


def map_chart(indicator: Indicator, places: list[dict[str, Any]]) -> dict[str, Any]:
    values = [place["number"] for place in places if place["number"] is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return {
        "tooltip": {"trigger": "item", "valueFormatter": "@share" if _is_ratio(indicator) else "@amount"},
        "visualMap": {
            "min": low,
            "max": high if high > low else low + 0.01,
            "calculable": False,
            "text": [value_shown(indicator, Decimal(str(each))) for each in (high, low)],
            "formatter": "@share" if _is_ratio(indicator) else "@integer",
            "inRange": {"color": ["#f4d9b5", "#dfe7d2", "#7fb3a6", "#2a6f97"]},
        },
        "series": [
            {
                "type": "map",
                "label": {"show": True},
                "data": [
                    {
                        "code": place["code"],
                        "name": place["name"],
                        "value": place["number"],
                        "url": place["url"],
                    }
                    for place in places
                    if place["number"] is not None
                ],
            }
        ],
    }


# pages
# -------------------------------------------------------------------------------------------------------


def no_figures(request: HttpRequest) -> HttpResponse:
    return render(request, "monitoring/empty.html")


@page(
    "statistics/",
    name="statistics",
    title=_("Statistics"),
    permission=Permission.SEE_DASHBOARD,
    in_menu=True,
    order=10,
)
def dashboard(request: HttpRequest) -> HttpResponse:
    """The five indicators of the reader's area, with target, trend, map, ranking and freshness."""
    state = present_state()
    if state is None:
        return no_figures(request)
    cut = slice_of(request, state.as_of)
    show = request.GET.get("show", "")
    about = show if show in INDICATORS else ""
    main = cached(request, state, "dashboard_main", about, cut, lambda: dashboard_context(request, state, cut, about))
    if request.headers.get("HX-Target") == "dashboard":
        return HttpResponse(main)
    can_publish = request.actor.may(Permission.PUBLISH_BULLETINS)  # type: ignore[attr-defined]
    return render(request, "monitoring/dashboard.html", {"main": main, "state": state, "can_publish": can_publish})


def five_cards(request: HttpRequest) -> str:
    """The five indicators of the reader's area for the year to date, as a part of his home page; else nothing."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    state = present_state()
    if state is None or not actor.may(Permission.SEE_DASHBOARD):
        return ""

    cut = own_slice(actor, state.as_of)

    def make() -> dict[str, Any]:
        goals = targets(state.as_of, region_code=cut.region_code)
        heads = visible(actor, list(headlines(FIVE, state.as_of).values()), cut)
        asked = {each.code: each for each in heads} | {code: INDICATORS[code] for code in BAND}
        totals = figures(asked.values(), cut)[""]
        cards = [card(totals[each.code], goals.get(each.code), cut) for each in heads]
        return {"cards": cards, "band": band(totals, cut)}

    return cached(request, state, "five", "", cut, make)


def dashboard_context(request: HttpRequest, state: State, cut: Slice, show: str) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    goals = targets(state.as_of, cut.sector, cut.region_code)
    heads = visible(actor, list(headlines(FIVE, state.as_of).values()), cut)
    selected = INDICATORS.get(show) or heads[0]
    if selected not in visible(actor, [selected], cut):
        selected = heads[0]
    variants = visible(actor, [each for each in INDICATORS.values() if not each.fixed], cut)
    totals = figures(variants, cut)[""]
    regions = region_names()
    return {
        "state": state,
        "cut": cut,
        "words": cut.words(),
        "filter": choices_of(request, cut, state.as_of),
        "selected": selected,
        "region_name": regions.get(cut.region_code, ""),
        "cards": [card(totals[each.code], goals.get(each.code), cut) for each in heads],
        "band": band(totals, cut),
        "places": (places := region_table(selected, cut, goals, regions)),
        "trend": trend_chart(selected, cut, goals.get(selected.code)),
        "map": map_chart(selected, places),
        "map_url": map_url(cut),
        "ranking": ranking(selected, cut, goals) if cut.insurer_id is None else [],
        "sectors": sector_table(selected, cut, goals) if not cut.sector else [],
        "families": [
            (family, [card(totals[each.code], goals.get(each.code), cut) for each in told])
            for family in Family
            if (told := [each for each in variants if each.family == family])
        ],
        "freshness": freshness(actor),
    }


def card(figure: Figure, target: Decimal | None, cut: Slice) -> dict[str, Any]:
    code, words = figure.indicator.code, cut.words()
    return {
        "code": code,
        "title": figure.indicator.title,
        "about": figure.indicator.about,
        "value": shown(figure),
        "number": _number(figure.value),
        "numerator": part_shown(figure, "numerator"),
        "denominator": part_shown(figure, "denominator"),
        "target": percent(target, 0) if target is not None else "",
        "standing": standing(figure, target),
        "url": url("indicator", code, **words),
        "numerator_url": url("indicator-rows", code, part="numerator", **words),
        "denominator_url": url("indicator-rows", code, part="denominator", **words),
        "telling_url": url("indicator-rows", code, part=telling_aspect(figure.indicator), **words),
        "select_url": url("statistics", show=code, **words),
    }


# whichever of the uncertain register entries will stand: coverage in three lines, and what it lies between
_SURE = ("coverage_rate_confirmed", "coverage_rate_uncertain", "coverage_rate")
_ENDS = ("coverage_rate_lowest", "coverage_rate_highest")
BAND = (*_SURE, *_ENDS)


def band(found: dict[str, Figure], cut: Slice) -> dict[str, Any]:
    """Coverage with its confirmed and its uncertain part; nothing where no register entry is uncertain, or where
    coverage is not counted at all."""
    uncertain = found.get("coverage_rate_uncertain")
    if uncertain is None or not uncertain.denominator:
        return {}
    names = (_("Confirmed entries"), _("Disputed or still to be verified"), _("The whole register"))
    lowest, highest = (card(found[code], None, cut) for code in _ENDS)
    return {
        "lines": [_line(found[code], None, cut, str(name)) for code, name in zip(_SURE, names, strict=True)],
        "lowest": lowest,
        "highest": highest,
    }


def map_url(cut: Slice) -> str:
    if cut.level == "PROVINCE":
        return static("dist/map/370000.json")
    return static(f"dist/map/{cut.region_code[:4]}00.json")


def _line(figure: Figure, target: Decimal | None, cut: Slice, name: str, **further: Any) -> dict[str, Any]:
    return {**card(figure, target, cut), "name": name, **further}


def region_table(
    indicator: Indicator, cut: Slice, goals: dict[str, Decimal], names: dict[str, str]
) -> list[dict[str, Any]]:
    """The cities of a province or the counties of a city, with a link into each."""
    found = figures([indicator], cut, by="region")
    lines = []
    for code, by_code in found.items():
        inner = Slice(code, cut.month_from, cut.month_to, cut.sector, cut.insurer_id)
        lines.append(
            _line(
                by_code[indicator.code],
                goals.get(indicator.code),
                inner,
                names.get(code, code),
                region=code,
                into=url("statistics", show=indicator.code, **inner.words()),
            )
        )
        lines[-1]["code_"] = indicator.code
        lines[-1]["code"], lines[-1]["url"] = code, lines[-1]["into"]
    return sorted(lines, key=lambda line: (line["number"] is None, -(line["number"] or 0)))


def sector_table(indicator: Indicator, cut: Slice, goals: dict[str, Decimal]) -> list[dict[str, Any]]:
    labels = dict(Sector.choices)
    found = figures([indicator], cut, by="sector")
    lines = [
        _line(
            by_code[indicator.code],
            goals.get(indicator.code),
            Slice(cut.region_code, cut.month_from, cut.month_to, sector, cut.insurer_id),
            str(labels.get(sector, sector)),
        )
        for sector, by_code in found.items()
    ]
    return sorted(lines, key=lambda line: (line["number"] is None, -(line["number"] or 0)))


def ranking(indicator: Indicator, cut: Slice, goals: dict[str, Decimal]) -> list[dict[str, Any]]:
    """Insurers from the best to the last; those with nothing to count stand at the end, unranked."""
    names = _insurers()
    found = figures([indicator], cut, by="insurer")
    lines = [
        _line(
            by_code[indicator.code],
            goals.get(indicator.code),
            Slice(cut.region_code, cut.month_from, cut.month_to, cut.sector, insurer),
            names.get(insurer, "–"),
        )
        for insurer, by_code in found.items()
        if insurer in names
    ]
    best_first = -1 if indicator.direction != Direction.DOWN else 1
    lines.sort(key=lambda line: (line["number"] is None, best_first * (line["number"] or 0)))
    top = max((abs(line["number"]) for line in lines if line["number"] is not None), default=0) or 1
    for place, line in enumerate(lines, 1):
        line["place"] = place if line["number"] is not None else None
        line["share"] = round(100 * abs(line["number"] or 0) / top)
    return lines


def freshness(actor: Actor) -> list[dict[str, Any]]:
    """When each sender's data last came in, the longest silent first; under the reader's scope."""
    if actor.scope.reader not in policies_of(Batch):
        return []  # who watches a sector has no view of deliveries, which belong to none
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id, coalesce(nullif(CASE WHEN %s THEN o.name ELSE o.name_en END, ''), o.name), "
            "max(b.received_at) FROM exchange_batch b JOIN parties_organisation o ON o.id = b.sender_id "
            "WHERE o.kind = 'INSURER' "
            "GROUP BY o.id ORDER BY 3 LIMIT 8",
            [is_chinese()],
        )
        return [{"id": pk, "name": name, "at": at} for pk, name, at in cursor.fetchall()]


def known(code: str, actor: Actor) -> Indicator:
    indicator = INDICATORS.get(code)
    if indicator is None or indicator not in visible(actor, [indicator]):
        raise Http404(code)
    return indicator


@page("statistics/<str:code>/", name="indicator", title=_("Indicator"), permission=Permission.SEE_DASHBOARD)
def indicator_page(request: HttpRequest, code: str) -> HttpResponse:
    """One number from every side: by month, region, sector and insurer, with its definition."""
    state = present_state()
    if state is None:
        return no_figures(request)
    indicator = known(code, request.actor)  # type: ignore[attr-defined]

    cut = slice_of(request, state.as_of)

    told = BAND if code in (*BAND, "uncertain_share") else ()

    def make() -> dict[str, Any]:
        goals = targets(state.as_of, cut.sector, cut.region_code)
        asked = {indicator.code: indicator} | {each: INDICATORS[each] for each in told}
        totals = figures(asked.values(), cut)[""]
        total = totals[indicator.code]
        by_month = figures([indicator], cut, by="month")
        months = [
            _line(
                by_month[month][indicator.code],
                goals.get(indicator.code),
                Slice(cut.region_code, month, month, cut.sector, cut.insurer_id),
                f"{month:%Y-%m}",
            )
            for month in months_between(cut.month_from, cut.month_to)
            if month in by_month
        ]
        regions = region_names()
        return {
            "state": state,
            "indicator": indicator,
            "cut": cut,
            "words": cut.words(),
            "filter": choices_of(request, cut, state.as_of),
            "region_name": regions.get(cut.region_code, ""),
            "card": card(total, goals.get(indicator.code), cut),
            "band": band(totals, cut) if told else {},
            "trend": trend_chart(indicator, cut, goals.get(indicator.code)),
            "months": months,
            "places": [] if cut.level == "COUNTY" else region_table(indicator, cut, goals, regions),
            "sectors": sector_table(indicator, cut, goals) if not cut.sector else [],
            "ranking": ranking(indicator, cut, goals) if cut.insurer_id is None else [],
            "siblings": visible(
                request.actor,  # type: ignore[attr-defined]
                [each for each in INDICATORS.values() if each.family == indicator.family],
            ),
        }

    main = cached(request, state, "indicator_main", code, cut, make)
    if request.headers.get("HX-Target") == "dashboard":
        return HttpResponse(main)
    return render(request, "monitoring/indicator.html", {"main": main, "state": state, "indicator": indicator})


# source of a contribution → the page of the record
RECORD_PAGES = {
    "enterprises": "enterprise",
    "obligations": "obligation",
    "policies": "policy",
    "endorsements": "endorsement",
    "receipts": "receipt",
    "claims": "claim",
    "accidents": "accident",
    "plans": "plan",
    "plan_items": "plan-item",
    "services": "service",
    "hazards": "hazard",
    "expenses": "expense",
}


@page(
    "statistics/<str:code>/rows/",
    name="indicator-rows",
    title=_("Rows behind a number"),
    permission=Permission.SEE_DASHBOARD,
)
def indicator_rows(request: HttpRequest, code: str) -> HttpResponse:
    """The very rows of a numerator or denominator, and those left out with the reason."""
    state = present_state()
    if state is None:
        return no_figures(request)
    indicator = known(code, request.actor)  # type: ignore[attr-defined]
    cut = slice_of(request, state.as_of)
    aspects = aspects_of(indicator)
    aspect = next((each for each in aspects if each == request.GET.get("part")), aspects[0])
    try:
        after = UUID(request.GET["after"]) if request.GET.get("after") else None
    except ValueError:
        after = None
    scope = request.actor.scope  # type: ignore[attr-defined]
    found = rows_behind(indicator, cut, aspect, scope=scope, as_of=state.as_of, after=after)
    total = figures([indicator], cut)[""][indicator.code]
    names, regions = _insurers(), region_names()
    words = cut.words()
    context = {
        "indicator": indicator,
        "state": state,
        "cut": cut,
        "card": card(total, targets(state.as_of, cut.sector, cut.region_code).get(code), cut),
        "region_name": regions.get(cut.region_code, ""),
        "part": aspect,
        "parts": [(each, ASPECTS[each][0], url("indicator-rows", code, part=each, **words)) for each in aspects],
        "rows": [_row_line(row, indicator, names, regions) for row in found.rows],
        "next": url("indicator-rows", code, part=aspect, after=found.next_after, **words) if found.next_after else "",
        "is_first": after is None,
        "first": url("indicator-rows", code, part=aspect, **words),
    }
    name = "monitoring/rows_table.html" if request.headers.get("HX-Target") == "rows" else "monitoring/rows.html"
    return render(request, name, context)


def _row_line(row: Row, indicator: Indicator, insurers: dict[UUID, str], regions: dict[str, str]) -> dict[str, Any]:
    number = money if indicator.money else whole
    return {
        "label": row.label,
        "url": record_url(row.source, row.row_id),
        "enterprise": row.enterprise,
        "enterprise_url": url("enterprise", row.enterprise_id) if row.enterprise_id else "",
        "region": regions.get(row.region_code, row.region_code),
        "insurer": insurers.get(row.insurer_id, "") if row.insurer_id else "",
        "since": row.since.isoformat(),
        "numerator": number(row.numerator),
        "denominator": number(row.denominator),
        "reason": str(REASONS[row.reason]) if row.reason else "",
    }


def record_url(source: str, row_id: UUID) -> str:
    return url(RECORD_PAGES[source], row_id)
