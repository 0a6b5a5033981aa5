"""Every indicator and every reason has a case worked out by hand; every declaration hangs together."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module

import pytest

import tests.monitoring.definitions as cases
from anze.monitoring.definitions import FACTS, HEADLINES, INDICATORS
from anze.monitoring.rules import REASONS
from tests.monitoring.counting import SHOWN

for module in pkgutil.iter_modules(cases.__path__):
    import_module(f"{cases.__name__}.{module.name}")


@pytest.mark.parametrize("code", [*INDICATORS, *REASONS])
def test_has_a_case(code):
    assert code in SHOWN, f"no test shows {code}: work one out in tests/monitoring/definitions"


def test_no_case_shows_what_does_not_exist():
    assert set(SHOWN) <= {*INDICATORS, *REASONS}


@pytest.mark.parametrize("name", FACTS)
def test_the_parts_of_a_fact_fit_its_cells(name):
    fact = FACTS[name]
    given = {measure for part in fact.parts for measure in part.gives}
    assert given == set(fact.measures), "each measure is given by some part, and nothing else is"
    assert {column for part in fact.parts for column in part.further} == set(fact.further)
    for part in fact.parts:
        assert part.source in {source.name for source in fact.sources}
        assert {measure for key in part.why for measure in key.split("/")} <= set(part.gives)
        columns = {field.column for field in fact.source(part.source).model._meta.local_concrete_fields}
        assert {"region_code", "sector"} <= columns
        texts = " ".join((part.left_out, *part.why.values()))
        codes = {*re.findall(r"'([A-Z][A-Z_]+)'", re.sub(r"IN \([^)]*\)", "", texts)), *part.codes}
        assert codes <= set(REASONS)


@pytest.mark.parametrize("code", INDICATORS)
def test_an_indicator_speaks_of_measures_of_its_fact(code):
    indicator = INDICATORS[code]
    assert {indicator.numerator, indicator.denominator} <= set(indicator.fact.measures)
    assert set(indicator.fixed) <= set(indicator.fact.further)
    assert indicator.parts
    assert str(indicator.title)
    assert str(indicator.about)
    assert indicator.source


def test_headlines_name_indicators_of_their_family():
    for family, (_key, variants) in HEADLINES.items():
        assert all(INDICATORS[code].family == family for code in variants.values())
