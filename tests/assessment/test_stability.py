"""How firm ranks are, and who differs by more than chance."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from anze.assessment.rules import Measure, read_scheme, score
from anze.assessment.rules.stability import Stratum, by_kind, compared, stability
from tests.assessment.test_scoring import SCHEME, measures

MONEY = frozenset({"expense_payment_rate", "expense_ratio"})


def _stability(found, *, spread=0.1, seed=7):
    results = {key: score(SCHEME, each) for key, each in found.items()}
    return stability(SCHEME, found, results, money=MONEY, spread=spread, seed=seed, runs=400)


def test_the_same_seed_gives_the_same_intervals():
    found = {"a": measures(), "b": measures(C1=".95"), "c": measures(C1=".70")}
    assert _stability(found) == _stability(found)
    assert _stability(found).intervals["c"].worst == 3


def test_two_that_are_the_same_cannot_be_told_apart_and_one_far_off_can():
    found = {"a": measures(), "b": measures(), "c": measures(C1=".60", D1=".70", C2=".70", F1=".85")}
    firm = _stability(found)
    assert {frozenset(pair) for pair in firm.level_pairs} == {frozenset({"a", "b"})}
    assert (firm.intervals["c"].best, firm.intervals["c"].worst) == (3, 3)


def test_few_records_make_a_wide_interval():
    few = {code: Measure(each.numerator / 25, each.denominator / 25) for code, each in measures(C1=".82").items()}
    many = measures(C1=".82")
    others = {f"o{i}": measures(C1=f".{65 + 5 * i}") for i in range(7)}
    firm = _stability({"few": few, "many": many, **others}, spread=0)
    width = {key: each.worst - each.best for key, each in firm.intervals.items()}
    assert width["few"] > width["many"]


def test_elements_in_which_all_are_equal_separate_nobody():
    firm = _stability({"a": measures(), "b": measures(C1=".95")})
    assert "C1" not in firm.flat_elements
    assert {"A1", "F1", "G1"} <= set(firm.flat_elements)


def test_who_is_too_small_is_in_no_interval():
    small = measures() | {"service_completion_rate": Measure(Decimal(3), Decimal(4))}
    assert set(_stability({"a": measures(), "small": small}).intervals) == {"a"}


def test_a_hard_mix_of_sectors_is_no_fault():
    """Both are as good as the others in each sector; one has mostly the hard one."""
    easy, hard = 0.95, 0.60
    strata = {
        "hard": {"MINE": Stratum(900 * hard, 900), "OTHER": Stratum(100 * easy, 100)},
        "easy": {"MINE": Stratum(100 * hard, 100), "OTHER": Stratum(900 * easy, 900)},
    }
    mean, found = compared(strata)
    assert abs(found["hard"].adjusted - mean) < 1e-9
    assert abs(found["easy"].adjusted - mean) < 1e-9
    assert {each.standing for each in found.values()} == {"WITHIN"}


def test_kinds_too_rare_or_of_one_party_alone_are_told_apart_less_finely():
    common, rare, alone = ("MINE", "BIG", "3701"), ("MINE", "BIG", "3702"), ("FIRE", "SMALL", "3703")
    counts = {
        "a": {common: Stratum(20, 25), rare: Stratum(2, 3), alone: Stratum(50, 60)},
        "b": {common: Stratum(10, 20), ("FIRE", "MICRO", "3703"): Stratum(1, 2)},
    }
    found = by_kind(counts)
    assert set(found["a"]) == {"MINE BIG 3701", "MINE BIG", "FIRE"}
    assert set(found["b"]) == {"MINE BIG 3701", "FIRE"}
    for party, kinds in counts.items():
        assert sum(each.denominator for each in kinds.values()) == sum(e.denominator for e in found[party].values())


def test_few_records_leave_a_wider_interval_of_the_share():
    strata = {f"o{i}": {"X": Stratum(900 + 12 * (i % 5), 1000)} for i in range(10)}
    _mean, found = compared({**strata, "few": {"X": Stratum(5, 6)}})
    width = {key: each.sure_high - each.sure_low for key, each in found.items()}
    assert width["few"] > max(width[key] for key in strata)
    assert all(each.sure_low <= each.shrunk <= each.sure_high for each in found.values())


def test_among_equals_few_are_called_worse():
    """One in forty lies below the 95 % line by chance; called clearly below is one in a thousand."""
    draw = random.Random(5)
    below = far = whole = 0
    for _run in range(60):
        strata = {
            f"i{i}": {"X": Stratum(sum(draw.random() < 0.9 for _ in range(n)), n)}
            for i, n in enumerate([30, 60, 120, 240, 480] * 4)
        }
        _mean, found = compared(strata)
        whole += len(found)
        below += sum(each.standing in ("BELOW", "FAR_BELOW") for each in found.values())
        far += sum(each.standing == "FAR_BELOW" for each in found.values())
    assert below / whole < 0.06
    assert far / whole < 0.01


def test_few_records_are_drawn_to_the_mean_and_many_stay():
    strata = {f"o{i}": {"X": Stratum(900 + 12 * (i % 5), 1000)} for i in range(10)}
    _mean, found = compared({**strata, "few": {"X": Stratum(3, 6)}, "many": {"X": Stratum(3000, 6000)}})
    assert abs(found["few"].shrunk - found["few"].adjusted) > abs(found["many"].shrunk - found["many"].adjusted)
    assert found["few"].shrunk > found["many"].shrunk


def test_the_shipped_file_is_what_is_tested():
    assert read_scheme(Path("anze/assessment/data/scheme-insurers.json").read_bytes()) == SCHEME
