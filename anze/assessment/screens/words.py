"""How curves, measures and points read: a formula in words, and with the numbers in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import ngettext

from anze.assessment.actions.supervision import TIMES
from anze.assessment.definitions import INPUTS
from anze.assessment.models import Campaign, Scheme, Supervised
from anze.assessment.rules import SchemeState, Supervision, Tier
from anze.assessment.rules.schemes import Band, Cases, Checklist, Curve, Element, Linear, SchemeText, Steps
from anze.assessment.rules.scoring import Points
from anze.kernel.models import parameter_row
from anze.kernel.rules import ParameterStatus
from anze.kernel.wording import listed
from anze.screen.columns import Directory
from anze.screen.pages import percent


def points_text(value: Decimal | str | None) -> str:
    """Points as people read them: two places, half up."""
    return "–" if value is None else str(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))


def measure_text(element: Element, value: Decimal | None) -> str:
    if value is None:
        return "–"
    if isinstance(element.curve, Cases):
        return ngettext("%(count)s case", "%(count)s cases", int(value)) % {"count": value}
    if _is_points(element):
        return points_text(value)
    return percent(value)


def _is_points(element: Element) -> bool:
    """Whether a measure is a mean of stars or the like rather than a share."""
    return isinstance(element.curve, Linear) and element.curve.anchors[-1][0] > 1


def _place(element: Element, value: Decimal) -> str:
    return str(value) if _is_points(element) else percent(value, 0 if value * 100 == (value * 100).to_integral() else 1)


def curve_text(element: Element) -> str:
    """The rule of an element in one sentence."""
    curve: Curve = element.curve
    if isinstance(curve, Linear | Steps):
        points = curve.anchors if isinstance(curve, Linear) else curve.steps
        joined = " → ".join(
            _now("%(measure)s gives %(share)s") % {"measure": _place(element, x), "share": percent(share, 0)}
            for x, share in points
        )
        if isinstance(curve, Steps):
            return _now("by steps: %(points)s of the points") % {"points": joined}
        return _now("in a straight line: %(points)s of the points") % {"points": joined}
    if isinstance(curve, Band):
        words = {"low": percent(curve.low or Decimal(0), 0), "high": percent(curve.high, 0)}
        if curve.zero_at is not None:
            words["zero"] = percent(curve.zero_at, 0)
            return _now("all points from %(low)s to %(high)s, none above, down to none at %(zero)s") % words
        return _now("all points from %(low)s to %(high)s, none outside") % words
    if isinstance(curve, Cases):
        return ngettext(
            "%(points)s point off for each confirmed case",
            "%(points)s points off for each confirmed case",
            1 if curve.per_case == 1 else 2,  # half a point is not one
        ) % {"points": curve.per_case}
    assert isinstance(curve, Checklist)
    return ngettext("all points if the item is met", "one share for each of %(count)s items met", len(curve.items)) % {
        "count": len(curve.items)
    }


def formula_text(element: Element, found: Points) -> str:
    """The formula with the numbers in it."""
    if found.value is None:
        return "–"
    weight, points = element.weight, points_text(found.points)
    curve = element.curve
    if isinstance(curve, Linear):
        for (x0, y0), (x1, y1) in zip(curve.anchors, curve.anchors[1:], strict=False):
            if x0 < found.value < x1:
                line = f"({measure_text(element, found.value)} − {_place(element, x0)}) ÷ ({_place(element, x1)} − {_place(element, x0)})"
                if y0 == 0 and y1 == 1:
                    return f"{weight} × {line} = {points}"
                return f"{weight} × [{percent(y0, 0)} + ({percent(y1, 0)} − {percent(y0, 0)}) × {line}] = {points}"
    if isinstance(curve, Cases):
        return f"{weight} − {curve.per_case} × {found.value} = {points}"
    share = percent(found.share, 0 if found.share * 100 == (found.share * 100).to_integral() else 2)
    return f"{_where(element, found.value)}{weight} × {share} = {points}"


def _where(element: Element, value: Decimal) -> str:
    """Where on a curve a measure lies that no straight line leads to: beyond an end, on a step, inside the band."""
    curve, measure = element.curve, measure_text(element, value)
    if isinstance(curve, Linear):
        (first, _y0), (last, _y1) = curve.anchors[0], curve.anchors[-1]
        if value <= first:
            return f"{measure} ≤ {_place(element, first)}: "
        return f"{measure} ≥ {_place(element, last)}: " if value >= last else f"{measure}: "
    if isinstance(curve, Band):
        low = curve.low or Decimal(0)
        if value > curve.high:
            return f"{measure} > {percent(curve.high, 0)}: "
        if value >= low:
            return f"{percent(low, 0)} ≤ {measure} ≤ {percent(curve.high, 0)}: "
        return f"{measure} < {percent(low, 0)}: "
    if isinstance(curve, Steps):
        return f"{measure}: "
    return ""


def _named() -> Iterator[tuple[Any, str]]:
    """Codes with titles of every issued scheme: by assessment, and by kind of assessed as the latest version has it."""
    campaigns: dict[Any, list[Any]] = {}
    for campaign, scheme_id in Campaign.objects.values_list("pk", "scheme_id"):
        campaigns.setdefault(scheme_id, []).append(campaign)
    for scheme in Scheme.objects.filter(state=SchemeState.ISSUED).order_by("version"):
        text = scheme.text
        for code in (*(element.code for element in text.elements), *text.case_codes):
            for owner in (scheme.subject, *campaigns.get(scheme.pk, ())):
                yield (owner, code), text.titled(code)


# lists name an element or item on every row
NAMES = Directory(_named)


def element_name(owner: Any, code: str) -> str:
    """An element or item with its title, by the scheme of an assessment or of a kind of assessed."""
    found = NAMES.name((owner, code))
    return code if found == str((owner, code)) else found


def input_title(code: str) -> str:
    known = INPUTS.get(code)
    return str(known.title) if known else code


def supervision_text(made: Supervision | Supervised | None) -> str:
    """A tier with its frequency of checks; unless they are confirmed it says so."""
    if made is None:
        return ""
    count = made.checks_a_year
    checks = ngettext("%(count)s check a year", "%(count)s checks a year", count) % {"count": count}
    sure = "" if made.status == ParameterStatus.CONFIRMED else f" · {ParameterStatus(made.status).label}"
    return f"{Tier(made.tier).label} · {checks}{sure}"


def kept_text(made: Supervised) -> str:
    """That a tier stays in force which an earlier result led to, because the later one grades nobody here."""
    return _now("%(tier)s: kept from “%(before)s”, not graded in “%(later)s”") % {
        "tier": supervision_text(made), "before": made.campaign.title, "later": made.later.title if made.later else "",
    }  # fmt: skip


def drawn_more_text(scheme: SchemeText, on: date) -> str:
    """Of which tiers more rows are drawn for review, and how sure that is; empty where nobody gets a tier."""
    tiers = dict.fromkeys(grade.supervision.tier for grade in scheme.grades if grade.supervision)
    rows = [(tier, parameter_row(f"{TIMES}{tier}", on)) for tier in tiers]
    more = [(tier, row) for tier, row in rows if row and Decimal(row.value) != 1]
    if not more:
        return ""
    told = listed([f"{Tier(tier).label} × {row.value}" for tier, row in more])
    unsure = dict.fromkeys(row.get_status_display() for _t, row in more if row.status != ParameterStatus.CONFIRMED)
    sure = f" · {listed(list(unsure))}" if unsure else ""
    return _now("More where the tier of the last published result asks for it: %(tiers)s.") % {"tiers": told + sure}


def scheme_table(text: Any) -> list[dict[str, Any]]:
    """Dimensions with their elements, as a page shows them."""
    return [
        {
            "code": dimension.code,
            "title": dimension.title,
            "weight": dimension.weight,
            "elements": [
                {
                    "code": element.code,
                    "title": element.title,
                    "weight": element.weight,
                    "input": input_title(element.input),
                    "rule": curve_text(element),
                    "ground": element.ground,
                }
                for element in dimension.elements
            ],
        }
        for dimension in text.dimensions
    ]
