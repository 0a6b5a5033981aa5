"""The house rules find what they forbid, and let the house as it stands pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import check_repository


@pytest.mark.parametrize(
    ("path", "finding"),
    [
        ("anze/hazards/utils.py", "says nothing"),
        ("anze/kernel/services.py", "says nothing"),
        ("anze/web/signals/policies.py", "says nothing"),
        ("anze/hazards/photos.py", "not in a room's vocabulary"),
        ("anze/hazards/admin.py", "says nothing"),
        ("anze/hazards/photos/large.py", "not in a room's vocabulary"),
        ("anze/weather/rules.py", "no room"),
        ("anze/tools.py", "only rooms"),
    ],
)
def test_a_misnamed_file_is_found(path: str, finding: str) -> None:
    found = list(check_repository.check_names([path]))
    assert any(finding in each for each in found), found


@pytest.mark.parametrize(
    "path",
    [
        "anze/__init__.py", "anze/hazards/__init__.py", "anze/hazards/rules.py", "anze/claims/rules/x.py",
        "anze/hazards/locale/zh_Hans/LC_MESSAGES/django.po", "anze/hazards/migrations/0001_initial.py",
        "anze/kernel/scope.py", "anze/exchange/feeds/policies.py", "anze/web/templates/web/base.html",
        "anze/monitoring/definitions/coverage.py",
    ],
)  # fmt: skip
def test_a_well_named_file_passes(path: str) -> None:
    assert not list(check_repository.check_names([path]))


@pytest.mark.parametrize(
    ("path", "text", "finding"),
    [
        ("anze/long.py", "x = 1\n" * 651, "651 lines"),
        ("docs/where.md", "Look in /home/somebody/anze\n", "path of one machine"),
        ("a.lock", "thing @ https://example.org/thing.whl\n", "names a host"),
        ("anze/mixed.py", "a = 1\r\nb = 2\n", "line ends"),
        ("anze/merge.py", "<<<<<<< HEAD\n", "unresolved merge"),
    ],
)
def test_a_wrong_text_is_found(
    path: str, text: str, finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_repository, "ROOT", tmp_path)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(text.encode())
    found = list(check_repository.check_texts([path]))
    assert any(finding in each for each in found), found


def test_migrations_and_addresses_are_not_mistaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_repository, "ROOT", tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_initial.py").write_text("x = 1\n" * 700)
    (tmp_path / "page.py").write_text('URL = "https://example.org/home/index.html"\nPATH = "/api/home/x/y"\n')
    assert not list(check_repository.check_texts(["migrations/0001_initial.py", "page.py"]))


def test_a_dependency_without_its_reason_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_repository, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        'dependencies = [\n  "good[extra]>=1",  # because it is needed\n  "bad>=1",\n]\nname = ["free"]\n'
    )
    assert list(check_repository.check_reasons()) == ["pyproject.toml:3: a dependency without its reason"]


def test_the_house_as_it_stands_keeps_its_rules() -> None:
    assert check_repository.findings() == []
