"""Quality checks: anybody draws the same sample, nobody marks his own, returned services come back corrected."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.kernel.actor import Actor
from anze.kernel.drawing import Draw, Marks, drawn, population_digest, population_text
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING
from anze.parties.models import Account, Membership
from anze.parties.rules import Permission, Role
from anze.prevention.actions.quality import draw_sample, fix_population, mark_check
from anze.prevention.models import QualityCheck, Service
from anze.prevention.rules.quality import SHEET
from tests.cast import NOW
from tests.prevention.reports.conftest import service_row
from tools import draw_sample as tool

TOOL = Path(__file__).resolve().parents[3] / "tools" / "draw_sample.py"
YEAR = Draw("2026年抽查", date(2026, 1, 1), date(2026, 12, 31), 3)
FULL = {line.code: line.points for line in SHEET}


def reviewer(*memberships):
    account = Account.objects.create_user(uuid4().hex, None, name="示例评审员")
    for words in memberships:
        Membership.objects.create(account=account, **words)
    return Actor(
        name="示例评审员", scope=EVERYTHING, permissions=frozenset({Permission.CHECK_QUALITY}), account_id=account.pk
    )


@pytest.fixture
def committee(cast):
    return reviewer({"role": Role.COMMITTEE, "organisation": cast.committee})


@pytest.fixture
def sample(insured, committee):
    insured.accepted(insured.huaihai, "services", *[service_row(f"Q-{n}") for n in range(8)])
    fixed = fix_population(YEAR, by=committee, at=NOW)
    return draw_sample(fixed, by=committee, at=NOW, seed="07 11 23 28 30 31", source="双色球 2026135 期")


# the draw ---------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=20), st.text(min_size=1, max_size=20), st.integers(1, 30))
def test_the_tool_draws_the_same_sample_whatever_the_order(keys, seed, size):
    keys = [str(key) for key in keys]
    shuffled = sorted(keys, reverse=True)
    sample = drawn(keys, seed, size)
    assert drawn(shuffled, seed, size) == sample
    assert tool.draw(population_text(shuffled).encode(), seed, size) == sample
    assert len(sample) == min(size, len(keys))


def test_every_service_is_drawn_about_as_often_as_any_other():
    """400 seeds, 5 of 40 each: 50 times is expected; a fair draw stays within 25 and 80 all but surely."""
    keys = [f"{n:08d}" for n in range(40)]
    counts = Counter(key for seed in range(400) for key, _digest in drawn(keys, str(seed), 5))
    assert set(counts) == set(keys)
    assert 25 <= min(counts.values()) <= max(counts.values()) <= 80


def test_another_population_is_another_draw():
    keys = [f"{n:08d}" for n in range(40)]
    assert population_digest(keys) != population_digest(keys[:-1])
    first = [key for key, _digest in drawn(keys, "1", 20)]
    assert [key for key, _digest in drawn(keys[:-1], "1", 20)] != [key for key in first if key != keys[-1]][:20]


def test_what_is_published_is_enough_to_draw_again(sample, browser_of, tmp_path):
    text = browser_of(Role.AGENCY).get(reverse("sample-population", args=[sample.pk])).content
    for service in Service.objects.all():
        assert service.service_no not in text.decode()
    (tmp_path / "population.txt").write_bytes(text)
    command = [sys.executable, "-I", str(TOOL), str(tmp_path / "population.txt"), "--seed", sample.seed, "--size", "3"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert sample.population_sha256 in said
    checks = QualityCheck.objects.filter(sample=sample).order_by("rank")
    assert [line.split()[1] for line in said.splitlines()[1:]] == [str(check.service_id) for check in checks]


def test_a_sample_is_drawn_once_and_only_with_a_seed(sample, committee):
    with pytest.raises(Refused, match="drawn_already"):
        draw_sample(sample, by=committee, at=NOW, seed="1", source="x")
    fixed = fix_population(YEAR, by=committee, at=NOW)
    with pytest.raises(Refused, match="seed_missing"):
        draw_sample(fixed, by=committee, at=NOW, seed=" ", source="x")


# marking ----------------------------------------------------------------------------------------------------


def test_returned_a_service_counts_nowhere_until_it_is_corrected_and_passes(cast, sample, committee):
    check = QualityCheck.objects.filter(sample=sample).order_by("rank")[0]
    poor = Marks({**FULL, "real": 0, "content": 0}, passes=False, reasons="照片与时间不符")
    mark_check(check, by=committee, at=NOW, marks=poor)
    assert (check.state, check.mark) == ("RETURNED", 50)
    assert Service.objects.get(pk=check.service_id).is_returned
    number = check.service.service_no
    cast.accepted(cast.huaihai, "services", service_row(number))  # the same again is no correction
    check.refresh_from_db()
    assert check.state == "RETURNED"
    cast.accepted(cast.huaihai, "services", service_row(number, topics="更正后的内容"))
    check.refresh_from_db()
    assert check.state == "RESUBMITTED"
    assert Service.objects.get(pk=check.service_id).is_returned
    mark_check(check, by=committee, at=NOW, marks=Marks(FULL))
    assert (check.state, check.mark, check.rounds) == ("PASSED", 100, 2)
    assert not Service.objects.get(pk=check.service_id).is_returned


@pytest.mark.parametrize(
    ("marks", "code"),
    [
        (Marks({**FULL, "real": 31}), "points_out_of_range"),
        (Marks({"real": 30}), "points_out_of_range"),
        (Marks(dict.fromkeys(FULL, 5)), "mark_too_low"),
        (Marks(dict.fromkeys(FULL, 5), passes=False, reasons=" "), "reason_missing"),
    ],
)
def test_marks_that_do_not_fit_are_refused(sample, committee, marks, code):
    check = QualityCheck.objects.filter(sample=sample)[0]
    with pytest.raises(Refused, match=code):
        mark_check(check, by=committee, at=NOW, marks=marks)


@pytest.mark.parametrize("side", ["insurer", "branch", "agency", "expert", "colleague", "enterprise"])
def test_nobody_marks_his_own_organisations_service_in_whatever_role_he_comes(cast, sample, side):
    own = {
        "insurer": {"role": Role.INSURER_CLERK, "organisation": cast.huaihai},
        "branch": {"role": Role.INSURER_BRANCH_CLERK, "organisation": cast.huaihai},
        "agency": {"role": Role.AGENCY, "organisation": cast.agency},
        "expert": {"role": Role.EXPERT, "expert": cast.expert},
        "colleague": {"role": Role.EXPERT, "expert": cast.expert},
        "enterprise": {"role": Role.ENTERPRISE, "enterprise": cast.xinghuo},
    }[side]
    by = reviewer({"role": Role.COMMITTEE, "organisation": cast.committee}, own)
    check = QualityCheck.objects.filter(sample=sample)[0]
    with pytest.raises(Refused, match="not_independent"):
        mark_check(check, by=by, at=NOW, marks=Marks(FULL))


def test_an_insurer_sees_its_own_checks_only(sample, browser_of):
    check = QualityCheck.objects.filter(sample=sample)[0]
    there = reverse("quality-check", args=[check.pk])
    assert browser_of(Role.INSURER_CLERK).get(there).status_code == 200
    assert browser_of(Role.INSURER_CLERK, other=True).get(there).status_code == 404
    assert browser_of(Role.COMMITTEE).get(there).status_code == 200


def test_the_list_of_checks_opens_each_check(sample, browser_of):
    page = browser_of(Role.COMMITTEE).get(reverse("quality-checks")).content.decode()
    for check in QualityCheck.objects.filter(sample=sample):
        assert reverse("quality-check", args=[check.pk]) in page
