"""What a scheme of assessment is: dimensions, elements, weights, curves, grades — data, checked before use.

The official weights of Shandong are not published. The scheme that comes with the platform is an example, grounded
in AQ 9010, 应急〔2025〕27号 and 应急厅函〔2024〕322号; another one is loaded as a file.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from anze.kernel.refusal import Refused
from anze.kernel.rules import ParameterStatus

HUNDRED = Decimal(100)


class SubjectKind(TextChoices):
    """Whom a scheme assesses."""

    INSURER = "INSURER", _("insurers")
    AGENCY = "AGENCY", _("service agencies")
    EXPERT = "EXPERT", _("experts")


class SchemeState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("scheme", "draft")
    ISSUED = "ISSUED", pgettext_lazy("scheme", "issued")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.en if (get_language() or "").startswith("en") else self.zh


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Linear(_Strict, frozen=True, tag_field="kind", tag="LINEAR"):
    """The share of the points by straight lines between anchors (measure, share); level outside of them."""

    anchors: tuple[tuple[Decimal, Decimal], ...]


class Steps(_Strict, frozen=True, tag_field="kind", tag="STEPS"):
    """The share of the highest step whose measure is reached; below the first step nothing."""

    steps: tuple[tuple[Decimal, Decimal], ...]


class Band(_Strict, frozen=True, tag_field="kind", tag="BAND"):
    """Everything between `low` and `high`, nothing above; below `low` a straight line down to nothing at `zero_at`."""

    high: Decimal
    low: Decimal | None = None
    zero_at: Decimal | None = None


class Cases(_Strict, frozen=True, tag_field="kind", tag="CASES"):
    """Full points, less `per_case` points for each confirmed case."""

    per_case: Decimal


class Item(_Strict, frozen=True):
    code: str
    title: Words
    weight: Decimal = Decimal(1)


class Checklist(_Strict, frozen=True, tag_field="kind", tag="CHECKLIST"):
    """The weighted share of the items that are met."""

    items: tuple[Item, ...]


Curve = Linear | Steps | Band | Cases | Checklist


class Missing(TextChoices):
    """What becomes of an element nobody has data for."""

    LEFT_OUT = "LEFT_OUT", _("left out; the others make the hundred")
    ZERO = "ZERO", _("counts as nothing achieved")


class Element(_Strict, frozen=True):
    code: str
    title: Words
    weight: Decimal
    input: str
    curve: Curve
    ground: str = ""
    missing: str = Missing.LEFT_OUT


class Dimension(_Strict, frozen=True):
    code: str
    title: Words
    weight: Decimal
    elements: tuple[Element, ...]


class AtLeast(_Strict, frozen=True):
    """So many in the denominator of an input, or the sample is too small."""

    input: str
    count: int


class SmallSample(_Strict, frozen=True):
    """Who has too few is scored by `scored` only (elements or whole dimensions), and not ranked."""

    at_least: tuple[AtLeast, ...]
    scored: tuple[str, ...]
    least_weight: Decimal = Decimal(50)  # with data for less than this of the hundred nobody is ranked


class Extra(_Strict, frozen=True):
    """Points beside the hundred. `each` times the number of cases; or once, when `input` reaches `reaches`."""

    code: str
    title: Words
    points: Decimal
    input: str = ""
    reaches: Decimal | None = None
    count: int = 0  # and the input's denominator is at least this
    ground: str = ""


class Extras(_Strict, frozen=True):
    most: Decimal
    items: tuple[Extra, ...]


class Veto(_Strict, frozen=True):
    code: str
    title: Words
    ground: str = ""


class Gate(_Strict, frozen=True):
    """What a grade asks besides its score: an element's measure at least, or any points at all in it."""

    element: str
    at_least: Decimal | None = None
    above_zero: bool = False


class Tier(TextChoices):
    """How closely somebody is supervised until his next result; 1 is the lightest."""

    FIRST = "1", _("tier 1")
    SECOND = "2", _("tier 2")
    THIRD = "3", _("tier 3")
    FOURTH = "4", _("tier 4")
    FIFTH = "5", _("tier 5")


class TierState(TextChoices):
    """What became of a tier. Nobody leaves one because too little is known of him; that must not lift a supervision."""

    IN_FORCE = "IN_FORCE", pgettext_lazy("supervision tier", "in force")
    KEPT = "KEPT", _("kept: not graded in the later assessment")
    REPLACED = "REPLACED", _("replaced by the later result")
    LEFT = "LEFT", _("ended: no longer assessed")


class Supervision(_Strict, frozen=True):
    """What supervision makes of a grade: the tier, how many checks a year, whether the committee speaks to them.

    `status` says how sure it is, as with parameters; unconfirmed ones are marked wherever they are shown.
    """

    tier: str
    checks_a_year: int
    is_spoken_to: bool = False
    ground: str = ""
    status: str = ParameterStatus.DESIGN


class Grade(_Strict, frozen=True):
    """`use`: what follows from it for whoever is graded so, in supervision and for the committee."""

    code: str
    title: Words
    at_least: Decimal
    gates: tuple[Gate, ...] = ()
    use: Words = Words("", "")
    supervision: Supervision | None = None


class SchemeText(_Strict, frozen=True):
    """The content of one version of a scheme."""

    code: str
    version: int
    subject: str
    title: Words
    region_code: str
    valid_from: date
    dimensions: tuple[Dimension, ...]
    small_sample: SmallSample
    grades: tuple[Grade, ...]
    tie_breaks: tuple[str, ...]
    valid_to: date | None = None
    is_example: bool = False
    note: Words = Words("", "")
    bonus: Extras = Extras(Decimal(0), ())
    deduction: Extras = Extras(Decimal(0), ())
    vetoes: tuple[Veto, ...] = ()
    ceiling: Decimal = HUNDRED

    @property
    def elements(self) -> tuple[Element, ...]:
        return tuple(element for dimension in self.dimensions for element in dimension.elements)

    def element(self, code: str) -> Element:
        return next(element for element in self.elements if element.code == code)

    def titled(self, code: str) -> str:
        """A code with its title in the reader's language: of a dimension, an element, a bonus, a deduction, a veto."""
        extras = (*self.bonus.items, *self.deduction.items)
        named: tuple[Element | Dimension | Extra | Veto, ...] = (
            *self.elements, *self.dimensions, *extras, *self.vetoes,
        )  # fmt: skip
        return next((f"{code} {each.title}" for each in named if each.code == code), code)

    def dimension_of(self, code: str) -> Dimension:
        return next(each for each in self.dimensions if any(e.code == code for e in each.elements))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every input the scheme reads, each once."""
        named = [element.input for element in self.elements]
        named += [each.input for each in self.small_sample.at_least]
        named += [item.input for item in (*self.bonus.items, *self.deduction.items) if item.input]
        return tuple(dict.fromkeys(named))

    @property
    def case_codes(self) -> dict[str, Words]:
        """What somebody has to confirm case by case: elements by cases, bonuses, deductions, vetoes."""
        found = {e.code: e.title for e in self.elements if isinstance(e.curve, Cases)}
        found |= {item.code: item.title for item in (*self.bonus.items, *self.deduction.items) if not item.input}
        return found | {veto.code: veto.title for veto in self.vetoes}

    def rows_of(self, code: str) -> str:
        """The input whose frozen rows stand behind an element, a bonus, a deduction or a veto."""
        extras = (*self.bonus.items, *self.deduction.items)
        own = {e.code: e.input for e in self.elements} | {item.code: item.input for item in extras if item.input}
        return case_input(code) if code in self.case_codes else own[code]

    def is_checklist(self, code: str) -> bool:
        return any(e.code == code and isinstance(e.curve, Checklist) for e in self.elements)

    def is_scored_when_small(self, code: str) -> bool:
        return code in self.small_sample.scored or self.dimension_of(code).code in self.small_sample.scored


def case_input(code: str) -> str:
    """What the frozen rows of confirmed cases of an item stand under."""
    return f"case.{code}"


def read_scheme(raw: bytes) -> SchemeText:
    """A scheme from its file; refused with the place of what cannot be read."""
    try:
        return msgspec.json.decode(raw, type=SchemeText)
    except msgspec.ValidationError as problem:
        text, _sep, where = str(problem).partition(" - at ")
        raise Refused(
            "scheme_unreadable",
            _("The file is no scheme: %(what)s (%(where)s)."),
            remedy=_("Export a scheme and change that file."),
            field="file",
            values={"what": text, "where": where.strip("`") or "$"},
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(
            "scheme_no_json",
            _("The file is not JSON."),
            remedy=_("Export a scheme and change that file."),
            field="file",
        ) from None


def scheme_from(content: Mapping[str, Any]) -> SchemeText:
    """A scheme from the content kept in the table."""
    return msgspec.convert(content, SchemeText, strict=False)


def content_of(scheme: SchemeText) -> dict[str, Any]:
    """The plain content of a scheme, numbers as text, as it is kept and exported."""
    made: dict[str, Any] = msgspec.to_builtins(scheme, str_keys=True)
    return made


def scheme_file(content: Mapping[str, Any]) -> bytes:
    """The file of a scheme: the same content gives the same bytes."""
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def scheme_digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(scheme_file(content)).hexdigest()


# checks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What is wrong with a scheme: where, and what."""

    where: str
    text: str | Promise
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.where}: {str(self.text) % self.values}"


def problems(scheme: SchemeText, inputs: Mapping[str, str]) -> list[Problem]:
    """Everything that keeps a scheme from being used; `inputs` says which exist and of which kind."""
    return [*_sums(scheme), *_codes(scheme), *_curves(scheme), *_sources(scheme, inputs), *_grading(scheme)]


def _sums(scheme: SchemeText) -> Iterator[Problem]:
    total = sum((element.weight for element in scheme.elements), Decimal(0))
    if total != HUNDRED:
        yield Problem("dimensions", _("the weights make %(sum)s, not 100"), {"sum": total})
    for dimension in scheme.dimensions:
        own = sum((element.weight for element in dimension.elements), Decimal(0))
        if own != dimension.weight:
            text = _("its elements make %(sum)s, not %(weight)s")
            yield Problem(dimension.code, text, {"sum": own, "weight": dimension.weight})
    for element in scheme.elements:
        if element.weight <= 0:
            yield Problem(element.code, _("the weight must be above 0"), {})
        if element.missing not in Missing.values:
            yield Problem(element.code, _("“missing” is LEFT_OUT or ZERO"), {})


def _codes(scheme: SchemeText) -> Iterator[Problem]:
    extras = [item.code for item in (*scheme.bonus.items, *scheme.deduction.items)]
    codes = [d.code for d in scheme.dimensions] + [e.code for e in scheme.elements] + extras
    codes += [veto.code for veto in scheme.vetoes]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield Problem(code, _("this code stands there more than once"), {})
    known = {element.code for element in scheme.elements}
    for code in scheme.tie_breaks:
        if code not in known:
            yield Problem("tie_breaks", _("there is no element %(code)s"), {"code": code})
    for code in scheme.small_sample.scored:
        if code not in known and code not in {d.code for d in scheme.dimensions}:
            yield Problem("small_sample", _("there is no element %(code)s"), {"code": code})
    if scheme.subject not in SubjectKind.values:
        yield Problem("subject", _("a scheme assesses INSURER, AGENCY or EXPERT"), {})
    if scheme.valid_to is not None and scheme.valid_to < scheme.valid_from:
        yield Problem("valid_to", _("it ends before it begins"), {})


def _curves(scheme: SchemeText) -> Iterator[Problem]:
    for element in scheme.elements:
        curve = element.curve
        if isinstance(curve, Linear | Steps):
            points = curve.anchors if isinstance(curve, Linear) else curve.steps
            places, shares = [x for x, _share in points], [share for _x, share in points]
            if len(points) < (2 if isinstance(curve, Linear) else 1):
                yield Problem(element.code, _("the curve has too few points"), {})
            if any(a >= b for a, b in itertools.pairwise(places)):
                yield Problem(element.code, _("the measures of the curve do not rise"), {})
            if shares not in (sorted(shares), sorted(shares, reverse=True)):
                yield Problem(element.code, _("the curve goes up and down"), {})
            if any(not 0 <= share <= 1 for share in shares):
                yield Problem(element.code, _("the shares of a curve lie between 0 and 1"), {})
        elif isinstance(curve, Band):
            low = curve.low if curve.low is not None else Decimal(0)
            if not low <= curve.high or (curve.zero_at is not None and not curve.zero_at < low):
                yield Problem(element.code, _("the band is out of order"), {})
        elif isinstance(curve, Cases):
            if curve.per_case <= 0:
                yield Problem(element.code, _("the deduction must be above 0"), {})
        elif not curve.items or any(item.weight <= 0 for item in curve.items):
            yield Problem(element.code, _("a checklist needs items with weights above 0"), {})


# the kind of input a curve reads
_KINDS: dict[type, tuple[str, ...]] = {
    Linear: ("RATIO",), Steps: ("RATIO",), Band: ("RATIO",), Cases: ("CASES",), Checklist: ("CHECKLIST",),
}  # fmt: skip


def _sources(scheme: SchemeText, inputs: Mapping[str, str]) -> Iterator[Problem]:
    for code in scheme.inputs:
        if code not in inputs:
            yield Problem(code, _("there is no such input"), {})
    for element in scheme.elements:
        kind = inputs.get(element.input)
        if kind is not None and kind not in _KINDS[type(element.curve)]:
            yield Problem(element.code, _("this curve cannot read the input %(input)s"), {"input": element.input})


def _grading(scheme: SchemeText) -> Iterator[Problem]:
    limits = [grade.at_least for grade in scheme.grades]
    if not limits or limits != sorted(set(limits), reverse=True) or limits[-1] != 0:
        yield Problem("grades", _("grades go down step by step, the last one from 0"), {})
    known = {element.code for element in scheme.elements}
    for grade in scheme.grades:
        for gate in grade.gates:
            if gate.element not in known:
                yield Problem(f"grades.{grade.code}", _("there is no element %(code)s"), {"code": gate.element})
    tiered = [(grade, grade.supervision) for grade in scheme.grades if grade.supervision]
    for grade, made in tiered:
        if made.tier not in Tier.values or made.status not in ParameterStatus.values or made.checks_a_year < 0:
            yield Problem(f"grades.{grade.code}", _("a tier is 1 to 5, its status CONFIRMED, UNVERIFIED or DESIGN"), {})
    for (_better, light), (grade, close) in itertools.pairwise(tiered):
        if light.tier > close.tier or light.checks_a_year > close.checks_a_year:
            yield Problem(f"grades.{grade.code}", _("a lower grade is supervised less than a better one"), {})


# differences --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """One place where two versions differ; nothing on one side: it is only in the other."""

    where: str
    before: str
    after: str


def differences(before: SchemeText, after: SchemeText) -> list[Difference]:
    """Place by place, elements and items found by their codes, so that a moved line is no difference."""
    old, new = dict(_flat(content_of(before))), dict(_flat(content_of(after)))
    return [
        Difference(where, old.get(where, ""), new.get(where, ""))
        for where in sorted({*old, *new})
        if old.get(where) != new.get(where) and where != "version"
    ]


def _flat(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "code" or not where:
                yield from _flat(inner, f"{where}.{key}" if where else key)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value, 1):
            name = inner.get("code", place) if isinstance(inner, dict) else place
            yield from _flat(inner, f"{where}[{name}]")
    else:
        yield where, "" if value is None else str(value)
