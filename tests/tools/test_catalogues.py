"""The keeper of the catalogues: finds what is missing, unused, fuzzy or contradictory; keeps what is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import catalogues


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two rooms: one with code and a template, one with the same word."""
    monkeypatch.setattr(catalogues, "ROOT", tmp_path)
    templates = tmp_path / "anze" / "lower" / "templates" / "lower"
    templates.mkdir(parents=True)
    (tmp_path / "anze" / "upper").mkdir()
    for room in ("lower", "upper"):
        (tmp_path / "anze" / room / "__init__.py").touch()
    (tmp_path / "anze" / "lower" / "rules.py").write_text(
        'STATE = _("open")\nNOTE = _("until %(day)s")\nOTHER = pgettext_lazy("claim", "open")\n'
    )
    (templates / "list.html").write_text(
        '{{ _("All %(most)s rows", most=n) }}{{ ngettext("%(num)s row", "%(num)s rows", n) }}'
    )
    (tmp_path / "anze" / "upper" / "screens.py").write_text('TITLE = _("open")\n')
    return tmp_path


def fill(room: str, **words: str) -> None:
    path = catalogues.path_of(room)
    text = path.read_text("utf-8")
    for old, new in words.items():
        msgid = old.replace("_", " ").replace("PCT", "%")
        assert f'msgid "{msgid}"\nmsgstr ""' in text, text
        text = text.replace(f'msgid "{msgid}"\nmsgstr ""', f'msgid "{msgid}"\nmsgstr "{new}"', 1)
    path.write_text(text, "utf-8")


def kinds() -> list[str]:
    return [problem.split(": ")[1].split(" '")[0] for problem in catalogues.problems()]


def test_code_templates_contexts_and_plurals_are_found(house: Path) -> None:
    assert sorted(kinds()) == ["missing"] * 6
    catalogues.update([])
    text = catalogues.path_of("lower").read_text("utf-8")
    assert 'msgctxt "claim"\nmsgid "open"' in text
    assert 'msgid_plural "%(num)s rows"' in text
    assert "anze/lower/templates/lower/list.html" in text
    assert sorted(kinds()) == ["not translated"] * 6


def test_translations_are_kept_taken_over_and_compiled(house: Path) -> None:
    catalogues.update(["lower"])
    path = catalogues.path_of("lower")
    done = path.read_text("utf-8").replace('msgid "open"\nmsgstr ""', 'msgid "open"\nmsgstr "未结"')
    done = done.replace('msgid "until %(day)s"\nmsgstr ""', 'msgid "until %(day)s"\nmsgstr "至%(day)s"')
    path.write_text(done, "utf-8")
    catalogues.update([])
    assert catalogues.translation(next(iter(m for m in catalogues.read(path) if m.id == "until %(day)s"))) == (
        "至%(day)s",
    )
    # the same word in another room comes along
    assert "未结" in catalogues.path_of("upper").read_text("utf-8")
    before = path.read_bytes()
    catalogues.update([])
    assert path.read_bytes() == before
    assert catalogues.main([str(path)]) == 0
    assert path.with_suffix(".mo").stat().st_size > 100


def test_what_a_reader_would_stumble_over_is_told(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogues.update([])
    fill("upper", open="打开")
    lower = catalogues.path_of("lower")
    text = lower.read_text("utf-8").replace('msgstr[0] ""', 'msgstr[0] "%(num)s 行"')
    for msgid, zh in (
        ("open", "未结"),
        ("until %(day)s", "至%(days)s"),
        ("All %(most)s rows", "共 %(most)s 行"),
    ):
        text = text.replace(f'msgid "{msgid}"\nmsgstr ""', f'msgid "{msgid}"\nmsgstr "{zh}"')
    lower.write_text(text + '\nmsgid "gone"\nmsgstr "已无"\n', "utf-8")
    assert catalogues.main(["check"]) == 1
    told = capsys.readouterr().out
    assert "unused: 'gone'" in told
    assert "other placeholders than in 'until %(day)s'" in told
    assert "'open' is '打开' here, but '未结' in the room lower" in told
    assert told.count("anze/") == 3
    lower.write_text(lower.read_text("utf-8").replace("至%(days)s", "至%(day)s"), "utf-8")
    catalogues.update([])
    catalogues.path_of("upper").write_text(
        catalogues.path_of("upper").read_text("utf-8").replace("打开", "未结"), "utf-8"
    )
    assert catalogues.main(["check"]) == 0
    marked = lower.read_text("utf-8").replace('msgid "until', '#, fuzzy\nmsgid "until')
    lower.write_text(marked, "utf-8")
    assert kinds() == ["marked as fuzzy"]


def test_one_thing_has_one_name(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogues.update([])
    fill("upper", open="向服务机构派单")
    assert catalogues.main(["check"]) == 1
    told = capsys.readouterr().out
    assert "“服务机构” is called “安全生产技术服务机构（技服机构）”" in told
    assert "“派单” is called “服务委托”" in told


@pytest.mark.parametrize(
    "right", ["安全生产技术服务机构（技服机构）", "服务委托", "每份保单约定的服务单位", "应投保企业", "委托单位"]
)
def test_names_of_the_glossary_and_words_that_hold_another_by_chance_are_no_other_words(right: str) -> None:
    assert list(catalogues.other_words("x", right)) == []


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("%(count)s rows are left", True),
        ("%(count)s open hazards", True),
        ("%(count)s is left out", True),
        ("Rows: %(count)s", False),
        ("at most %(most)s rows", False),
        ("%(count)s of %(all)s", False),
    ],
)
def test_a_count_before_a_plural_wants_a_singular_too(house: Path, text: str, is_told: bool) -> None:
    (house / "anze" / "upper" / "screens.py").write_text(f'TITLE = _("{text}")\n')
    catalogues.update([])
    catalogues.path_of("upper").write_text(
        catalogues.path_of("upper").read_text("utf-8").replace(f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{text}"'),
        "utf-8",
    )  # fmt: skip
    assert any("ngettext" in each for each in catalogues.problems()) is is_told
