"""A scheme with other weights and thresholds: what somebody may move when he tries something out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from anze.assessment.rules.schemes import HUNDRED, Band, Cases, Curve, Dimension, Element, Linear, SchemeText, Steps

_LEAST = Decimal("0.01")


@dataclass(frozen=True)
class Threshold:
    """A number of a scheme beside its weights. `place`: the share of the points a measure gives, or which end of a
    band, or the element a grade asks something of."""

    name: str
    owner: str  # the element, or the grade
    kind: str  # ANCHOR, LOW, HIGH, ZERO, CASE, GRADE, GATE
    value: Decimal
    place: Decimal | str = ""


def thresholds(scheme: SchemeText) -> list[Threshold]:
    """Every measure at which a curve bends, every score a grade begins with and every gate before it."""
    return [*_of_curves(scheme), *_of_grades(scheme)]


def _of_curves(scheme: SchemeText) -> Iterator[Threshold]:
    for element in scheme.elements:
        code, curve = element.code, element.curve
        if isinstance(curve, Linear | Steps):
            points = curve.anchors if isinstance(curve, Linear) else curve.steps
            for place, (measure, share) in enumerate(points):
                yield Threshold(f"t_{code}_{place}", code, "ANCHOR", measure, share)
        elif isinstance(curve, Band):
            for kind, value in (("ZERO", curve.zero_at), ("LOW", curve.low), ("HIGH", curve.high)):
                if value is not None:
                    yield Threshold(f"t_{code}_{kind.lower()}", code, kind, value)
        elif isinstance(curve, Cases):
            yield Threshold(f"t_{code}_case", code, "CASE", curve.per_case)


def _of_grades(scheme: SchemeText) -> Iterator[Threshold]:
    for grade in scheme.grades[:-1]:  # the last one begins with nothing
        yield Threshold(f"g_{grade.code}", grade.code, "GRADE", grade.at_least)
        for gate in grade.gates:
            if gate.at_least is not None:
                yield Threshold(f"q_{grade.code}_{gate.element}", grade.code, "GATE", gate.at_least, gate.element)


def with_thresholds(scheme: SchemeText, values: Mapping[str, Decimal]) -> SchemeText:
    """The scheme with these thresholds in place of its own; names it does not know are passed over."""
    if all(values.get(each.name, each.value) == each.value for each in thresholds(scheme)):
        return scheme
    dimensions = tuple(
        msgspec.structs.replace(
            dimension,
            elements=tuple(
                msgspec.structs.replace(element, curve=_curve(element, values)) for element in dimension.elements
            ),
        )
        for dimension in scheme.dimensions
    )
    grades = tuple(
        msgspec.structs.replace(
            grade,
            at_least=values.get(f"g_{grade.code}", grade.at_least),
            gates=tuple(
                gate
                if gate.at_least is None
                else msgspec.structs.replace(gate, at_least=values.get(f"q_{grade.code}_{gate.element}", gate.at_least))
                for gate in grade.gates
            ),
        )
        for grade in scheme.grades
    )
    return msgspec.structs.replace(scheme, dimensions=dimensions, grades=grades)


def _curve(element: Element, values: Mapping[str, Decimal]) -> Curve:
    curve, start = element.curve, f"t_{element.code}_"
    if isinstance(curve, Linear | Steps):
        points = curve.anchors if isinstance(curve, Linear) else curve.steps
        moved = tuple((values.get(f"{start}{place}", x), share) for place, (x, share) in enumerate(points))
        return Linear(moved) if isinstance(curve, Linear) else Steps(moved)
    if isinstance(curve, Band):
        ends = {"zero_at": ("zero", curve.zero_at), "low": ("low", curve.low), "high": ("high", curve.high)}
        return msgspec.structs.replace(
            curve, **{name: values.get(start + end, own) for name, (end, own) in ends.items() if own is not None}
        )
    if isinstance(curve, Cases):
        return Cases(values.get(f"{start}case", curve.per_case))
    return curve


def with_weights(scheme: SchemeText, values: Mapping[str, Decimal]) -> SchemeText:
    """The scheme with these weights of elements, brought back to a sum of 100."""
    weights = {e.code: min(max(values.get(e.code, e.weight), _LEAST), HUNDRED) for e in scheme.elements}
    if weights == {element.code: element.weight for element in scheme.elements}:
        return scheme
    total = sum(weights.values(), Decimal(0))
    scaled = {code: (value * HUNDRED / total).quantize(Decimal("0.0001")) for code, value in weights.items()}
    dimensions = []
    for dimension in scheme.dimensions:
        elements = tuple(msgspec.structs.replace(e, weight=scaled[e.code]) for e in dimension.elements)
        own = sum((e.weight for e in elements), Decimal(0))
        dimensions.append(Dimension(dimension.code, dimension.title, own, elements))
    return msgspec.structs.replace(scheme, dimensions=tuple(dimensions))
