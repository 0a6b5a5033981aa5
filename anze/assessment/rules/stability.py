"""How firm a ranking is: rank intervals under moved weights and chance, pairs that cannot honestly be told apart,
elements that separate nobody; and whether somebody differs from the others by more than chance (funnel, shrinkage).

Simulations are repeatable by their seed. A share counted from n records is uncertain by √(p(1-p)/n): who has few
records has a wide interval, and that is why he may not be told apart.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from anze.assessment.rules.schemes import Band, Cases, Checklist, Linear, SchemeText, Steps
from anze.assessment.rules.scoring import Measure, Result, Standing, share_of

RUNS = 1000
_LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """The ranks somebody holds in 95 of 100 runs."""

    best: int
    worst: int


@dataclass(frozen=True)
class Stability:
    intervals: Mapping[str, Interval]
    level_pairs: tuple[tuple[str, str], ...]  # neighbours in rank that change places too often to be told apart
    flat_elements: tuple[str, ...]  # everybody has the same points


def _noise(curve: object, measure: Measure | None) -> float:
    """The standard error of a counted share; nothing for sums of money, cases, checklists and means."""
    if measure is None or isinstance(curve, Cases | Checklist | Band) or not isinstance(curve, Linear | Steps):
        return 0.0
    value, count = measure.value, float(measure.denominator)
    if value is None or not 0 <= value <= 1 or count < 1:
        return 0.0
    # one record more of each kind, so that nobody with three of three is certain
    near = (float(measure.numerator) + 1) / (count + 2)
    return math.sqrt(max(near * (1 - near), 0.0) / (count + 2))


def stability(
    scheme: SchemeText,
    measures: Mapping[str, Mapping[str, Measure]],
    results: Mapping[str, Result],
    *,
    money: frozenset[str],
    spread: float,
    seed: int,
    runs: int = RUNS,
) -> Stability:
    """`spread` 0.1 moves every weight by up to ten percent; `money` names inputs that are sums and not counts."""
    keys = [key for key, result in results.items() if not result.why_not]
    elements = scheme.elements
    flat = tuple(
        element.code
        for element in elements
        if len(keys) > 1 and len({results[key].of(element.code).points for key in keys}) == 1
    )
    if not keys:
        return Stability({}, (), flat)
    shares = np.array([[float(results[k].of(e.code).share) for e in elements] for k in keys])
    scored = np.array(
        [[results[k].of(e.code).standing == Standing.SCORED for e in elements] for k in keys], dtype=float
    )
    slope = np.zeros_like(shares)
    for i, key in enumerate(keys):
        for j, element in enumerate(elements):
            error = 0.0 if element.input in money else _noise(element.curve, measures[key].get(element.input))
            value = results[key].of(element.code).value
            if error and value is not None:
                step = Decimal(str(round(error, 6)))
                up = share_of(element.curve, element.weight, value + step)
                down = share_of(element.curve, element.weight, value - step)
                slope[i, j] = float(up - down) / 2
    extra = np.array([float(results[k].bonus - results[k].deduction) for k in keys])
    random = np.random.default_rng(seed)
    weights = np.array([float(element.weight) for element in elements])
    moved = weights * (1 + random.uniform(-spread, spread, (runs, len(elements))))
    moved *= 100 / moved.sum(axis=1, keepdims=True)
    noise = random.standard_normal((runs, *shares.shape))
    drawn = np.clip(shares + slope * noise, 0, 1) * scored
    possible = np.maximum(moved @ scored.T, 1e-9)
    scores = np.einsum("rke,re->rk", drawn, moved) * 100 / possible + extra
    places = 1 + (scores[:, None, :] > scores[:, :, None] + 1e-9).sum(axis=2)
    low, high = (1 - _LEVEL) / 2, 1 - (1 - _LEVEL) / 2
    intervals = {
        key: Interval(
            int(np.quantile(places[:, i], low, method="lower")), int(np.quantile(places[:, i], high, method="higher"))
        )
        for i, key in enumerate(keys)
    }
    order = sorted(range(len(keys)), key=lambda i: -results[keys[i]].score)
    level = tuple(
        (keys[a], keys[b]) for a, b in itertools.pairwise(order) if float((scores[:, a] > scores[:, b]).mean()) < _LEVEL
    )
    return Stability(intervals, level, flat)


# fairness -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stratum:
    """What somebody counted among records of one kind (sector, size and place)."""

    numerator: float
    denominator: float


@dataclass(frozen=True)
class Compared:
    """Somebody beside what records of his kinds come to elsewhere."""

    count: float
    observed: float
    expected: float  # the share others reach with the same mix of sectors, sizes and places
    adjusted: float  # observed, as it would be with the mix of the province
    shrunk: float  # drawn towards the mean as far as few records ask for it
    low: float  # 95 % of those who are no different lie between
    high: float
    far_low: float  # 99.8 %
    far_high: float
    sure_low: float  # the shrunk share lies between with 95 %
    sure_high: float

    @property
    def standing(self) -> str:
        """Outside the funnel, or not to be told from chance."""
        if self.adjusted < self.far_low:
            return "FAR_BELOW"
        if self.adjusted < self.low:
            return "BELOW"
        if self.adjusted > self.far_high:
            return "FAR_ABOVE"
        return "ABOVE" if self.adjusted > self.high else "WITHIN"


def limits(mean: float, count: float, z: float) -> tuple[float, float]:
    """Between which shares of so many records chance leaves those who are no different; half a record wider, because
    records are whole."""
    error = z * math.sqrt(max(mean * (1 - mean), 0.0) / count) + 0.5 / count if count else 1.0
    return max(mean - error, 0.0), min(mean + error, 1.0)


ENOUGH = 30  # records of a kind in the province, or the kind is told apart less finely


def by_kind(counts: Mapping[str, Mapping[tuple[str, str, str], Stratum]]) -> dict[str, dict[str, Stratum]]:
    """Party → (sector, size, place) → counts, brought to kinds that hold enough records to say what is to be expected:
    where a kind is too rare the place is left out, and then the size. A kind that one party has alone would
    compare it with itself."""
    finest = _held(counts, lambda kind: kind)
    middle = _held(counts, lambda kind: kind[:2])

    def name(kind: tuple[str, str, str]) -> str:
        if finest[kind] >= ENOUGH:
            return " ".join(kind)
        return " ".join(kind[:2]) if middle[kind[:2]] >= ENOUGH else kind[0]

    found: dict[str, dict[str, Stratum]] = {}
    for party, kinds in counts.items():
        own = found.setdefault(party, {})
        for kind, each in kinds.items():
            before = own.get(name(kind), Stratum(0.0, 0.0))
            own[name(kind)] = Stratum(before.numerator + each.numerator, before.denominator + each.denominator)
    return found


def _held(
    counts: Mapping[str, Mapping[tuple[str, str, str], Stratum]], of: Callable[[tuple[str, str, str]], tuple[str, ...]]
) -> dict[tuple[str, ...], float]:
    """Records of each kind; nothing where one party has them all."""
    whole: dict[tuple[str, ...], float] = {}
    parties: dict[tuple[str, ...], set[str]] = {}
    for party, kinds in counts.items():
        for kind, each in kinds.items():
            whole[of(kind)] = whole.get(of(kind), 0.0) + each.denominator
            parties.setdefault(of(kind), set()).add(party)
    return {kind: count if len(parties[kind]) > 1 else 0.0 for kind, count in whole.items()}


def compared(strata: Mapping[str, Mapping[str, Stratum]]) -> tuple[float, dict[str, Compared]]:
    """Party → stratum → counts. Returns the mean of the province and everybody beside what was to be expected.

    Indirect standardisation, then empirical Bayes: the spread between parties beyond chance is estimated by the method
    of moments, and each rate is drawn towards the mean the more, the fewer its records.
    """
    totals: dict[str, list[float]] = {}
    for by in strata.values():
        for name, each in by.items():
            pair = totals.setdefault(name, [0.0, 0.0])
            pair[0] += each.numerator
            pair[1] += each.denominator
    all_num, all_den = (sum(pair[i] for pair in totals.values()) for i in (0, 1))
    if not all_den:
        return 0.0, {}
    mean = all_num / all_den
    rows: dict[str, tuple[float, float, float, float]] = {}
    for party, by in strata.items():
        count = sum(each.denominator for each in by.values())
        if count:
            observed = sum(each.numerator for each in by.values()) / count
            expected = (
                sum(by[name].denominator * totals[name][0] / totals[name][1] for name in by if totals[name][1]) / count
            )
            rows[party] = (count, observed, expected, min(max(mean + observed - expected, 0.0), 1.0))
    between = _between([(row[0], row[3]) for row in rows.values()], mean)
    found = {}
    for party, (count, observed, expected, adjusted) in rows.items():
        chance = max(mean * (1 - mean), 1e-9) / count
        weight = between / (between + chance)
        low, high = limits(mean, count, 1.96)
        far_low, far_high = limits(mean, count, 3.09)
        shrunk, error = mean + weight * (adjusted - mean), 1.96 * math.sqrt(weight * chance)
        sure = max(shrunk - error, 0.0), min(shrunk + error, 1.0)
        found[party] = Compared(count, observed, expected, adjusted, shrunk, low, high, far_low, far_high, *sure)
    return mean, found


def _between(rows: Sequence[tuple[float, float]], mean: float) -> float:
    """The variance between parties beyond chance; nothing where chance explains it all."""
    whole = sum(count for count, _rate in rows)
    if len(rows) < 2 or not whole:
        return 0.0
    spread = sum(count * (rate - mean) ** 2 for count, rate in rows)
    chance = (len(rows) - 1) * mean * (1 - mean)
    scale = whole - sum(count**2 for count, _rate in rows) / whole
    return max((spread - chance) / scale, 0.0) if scale else 0.0
