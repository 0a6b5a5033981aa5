"""From measures to points, score, grade and rank. Pure and exact: `tools/verify_assessment.py` does the same.

A share of an element's points is kept to 12 places and points to 6, half up; the score is their sum to 2 places.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from anze.assessment.rules.schemes import (
    HUNDRED,
    Band,
    Cases,
    Checklist,
    Curve,
    Element,
    Extra,
    Grade,
    Linear,
    Missing,
    SchemeText,
    Steps,
)

_EXACT = Context(prec=40, rounding=ROUND_HALF_UP)
_SHARE = Decimal(1).scaleb(-12)
_POINTS = Decimal(1).scaleb(-6)
_SCORE = Decimal("0.01")
ZERO, ONE = Decimal(0), Decimal(1)


class Standing(TextChoices):
    """How an element entered a result."""

    SCORED = "SCORED", _("scored")
    MISSING = "MISSING", _("insufficient data")
    TOO_FEW = "TOO_FEW", _("too few, not scored")


class WhyNot(TextChoices):
    """Why somebody is not ranked."""

    TOO_FEW = "TOO_FEW", _("not ranked: too few")
    NO_DATA = "NO_DATA", _("not ranked: insufficient data")


@dataclass(frozen=True)
class Measure:
    """What was counted for one input. A denominator of 0 says nothing: there is no data. Cases have none."""

    numerator: Decimal
    denominator: Decimal = ONE

    @property
    def value(self) -> Decimal | None:
        return _EXACT.divide(self.numerator, self.denominator) if self.denominator else None


@dataclass(frozen=True)
class Points:
    """One element of a result."""

    code: str
    weight: Decimal
    value: Decimal | None
    share: Decimal
    points: Decimal
    standing: Standing


@dataclass(frozen=True)
class Result:
    elements: tuple[Points, ...]
    possible: Decimal  # the weight of the elements scored
    earned: Decimal
    bonus: Decimal
    deduction: Decimal
    score: Decimal
    grade: str
    vetoes: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()  # elements that kept a better grade away
    why_not: str = ""  # WhyNot; empty: ranked

    def of(self, code: str) -> Points:
        return next(each for each in self.elements if each.code == code)


def share_of(curve: Curve, weight: Decimal, value: Decimal) -> Decimal:
    """The share of an element's points a measure is worth, from 0 to 1."""
    if isinstance(curve, Linear):
        found = _between(curve.anchors, value)
    elif isinstance(curve, Steps):
        found = max((step for step in curve.steps if value >= step[0]), default=(ZERO, ZERO))[1]
    elif isinstance(curve, Band):
        found = _in_band(curve, value)
    elif isinstance(curve, Cases):
        found = ONE - _EXACT.divide(curve.per_case * value, weight)
    else:
        found = value
    return min(max(found, ZERO), ONE).quantize(_SHARE, ROUND_HALF_UP)


def _between(anchors: tuple[tuple[Decimal, Decimal], ...], value: Decimal) -> Decimal:
    if value <= anchors[0][0]:
        return anchors[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(anchors):
        if value <= x1:
            return y0 + _EXACT.divide((value - x0) * (y1 - y0), x1 - x0)
    return anchors[-1][1]


def _in_band(curve: Band, value: Decimal) -> Decimal:
    low = curve.low if curve.low is not None else ZERO
    if value > curve.high or (value < low and curve.zero_at is None):
        return ZERO
    if value >= low:
        return ONE
    zero_at = curve.zero_at if curve.zero_at is not None else ZERO
    return _EXACT.divide(value - zero_at, low - zero_at)


def points_of(element: Element, measure: Measure | None) -> Points:
    """An element by itself, without the rules about small samples."""
    value = measure.value if measure is not None else None
    if value is None:
        if element.missing == Missing.ZERO:
            return Points(element.code, element.weight, None, ZERO, ZERO, Standing.SCORED)
        return Points(element.code, element.weight, None, ZERO, ZERO, Standing.MISSING)
    share = share_of(element.curve, element.weight, value)
    points = (element.weight * share).quantize(_POINTS, ROUND_HALF_UP)
    return Points(element.code, element.weight, value, share, points, Standing.SCORED)


def is_small(scheme: SchemeText, measures: Mapping[str, Measure]) -> bool:
    return any(
        measures[each.input].denominator < each.count if each.input in measures else True
        for each in scheme.small_sample.at_least
    )


def score(scheme: SchemeText, measures: Mapping[str, Measure], cases: Mapping[str, int] | None = None) -> Result:
    """`measures` by input; `cases` by the code of an element, bonus, deduction or veto: confirmed cases."""
    cases = cases or {}
    small = is_small(scheme, measures)
    elements = []
    for element in scheme.elements:
        if small and not scheme.is_scored_when_small(element.code):
            found = points_of(element, measures.get(element.input))
            elements.append(Points(element.code, element.weight, found.value, ZERO, ZERO, Standing.TOO_FEW))
        elif isinstance(element.curve, Cases):
            elements.append(points_of(element, Measure(Decimal(cases.get(element.code, 0)))))
        else:
            elements.append(points_of(element, measures.get(element.input)))
    scored = [each for each in elements if each.standing == Standing.SCORED]
    possible = sum((each.weight for each in scored), ZERO)
    earned = sum((each.points for each in scored), ZERO)
    base = _EXACT.divide(earned * HUNDRED, possible) if possible else ZERO
    bonus = _extras(scheme.bonus.items, scheme.bonus.most, measures, cases)
    deduction = _extras(scheme.deduction.items, scheme.deduction.most, measures, cases)
    total = min(max(base + bonus - deduction, ZERO), scheme.ceiling).quantize(_SCORE, ROUND_HALF_UP)
    vetoes = tuple(veto.code for veto in scheme.vetoes if cases.get(veto.code, 0))
    grade, gates = grade_of(scheme, total, elements, vetoes)
    why_not = WhyNot.TOO_FEW if small else "" if possible >= scheme.small_sample.least_weight else WhyNot.NO_DATA
    return Result(tuple(elements), possible, earned, bonus, deduction, total, grade, vetoes, gates, why_not)


def _extras(
    items: Iterable[Extra], most: Decimal, measures: Mapping[str, Measure], cases: Mapping[str, int]
) -> Decimal:
    total = ZERO
    for item in items:
        if item.input:
            measure = measures.get(item.input)
            value = measure.value if measure else None
            if (
                measure is not None
                and value is not None
                and item.reaches is not None
                and value >= item.reaches
                and measure.denominator >= item.count
            ):
                total += item.points
        else:
            total += item.points * cases.get(item.code, 0)
    return min(total, most)


def grade_of(
    scheme: SchemeText, total: Decimal, elements: Iterable[Points], vetoes: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The grade, and the elements whose gate kept a better one away. A veto leads to the last grade."""
    if vetoes:
        return scheme.grades[-1].code, ()
    by_code = {each.code: each for each in elements}
    closed: tuple[str, ...] = ()
    for grade in scheme.grades:
        if total >= grade.at_least:
            shut = gates_shut(grade, by_code)
            if not shut:
                return grade.code, closed
            closed = closed or shut
    return scheme.grades[-1].code, closed


def gates_shut(grade: Grade, elements: Mapping[str, Points]) -> tuple[str, ...]:
    """The gates of a grade that are not passed. Where there was nothing to measure, a measure cannot fall short."""
    shut = []
    for gate in grade.gates:
        found = elements[gate.element]
        if found.standing != Standing.SCORED or found.value is None:
            continue
        if (gate.at_least is not None and found.value < gate.at_least) or (gate.above_zero and found.points <= 0):
            shut.append(gate.element)
    return tuple(shut)


def ranks(scheme: SchemeText, results: Mapping[str, Result]) -> dict[str, int]:
    """Key → rank of those who are ranked: by score, then by the tie-breaking measures; equals share a rank."""
    order = {
        key: (result.score, *(result.of(code).value or ZERO for code in scheme.tie_breaks))
        for key, result in results.items()
        if not result.why_not
    }
    values = sorted(order.values(), reverse=True)
    return {key: values.index(value) + 1 for key, value in order.items()}


def checklist_measure(curve: Checklist, met: Iterable[str]) -> Measure:
    """The measure of a checklist: the weights of the items met, of all."""
    chosen = set(met)
    whole = sum((item.weight for item in curve.items), ZERO)
    return Measure(sum((item.weight for item in curve.items if item.code in chosen), ZERO), whole)
