"""Translation catalogues, one a room: `anze/<room>/locale/zh_Hans/LC_MESSAGES/django.po`.

    python tools/catalogues.py update [ROOM …]   take over new texts from code and templates, drop unused ones
    python tools/catalogues.py check             fail on anything missing, unused, fuzzy or contradictory, and on words
                                                 for which the glossary has another one
    python tools/catalogues.py FILE.po …         compile: write each `.mo` beside it

Runs inside the virtual environment, because it uses Babel; GNU gettext need not be installed.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = "zh_Hans"
# What the texts outside the rooms belong to.
ELSEWHERE = {"web": ("config",)}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "_now": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# A count and the plural of what is counted. A number that is never one is called otherwise: most, least, limit.
COUNTED = re.compile(r"(?:%\((?:count|num)\)s|\{count\}) (?:[a-z]+ ){0,2}?[a-z]+s\b")
PLACEHOLDER = re.compile(r"%\([^)]*\)[a-z]|\{[a-z_]*\}")

# What is one thing has one name: the glossary's column `avoid` says which words stand for its terms nowhere.
GLOSSARY = ROOT / "docs" / "glossary.csv"
# Chinese that is read and stands in no catalogue.
READ = ("README.zh.md", "anze/kernel/data/parameters.csv")

Text = tuple[str | None, str]  # context and msgid, the singular where there is a plural


def compile_catalogue(source: Path) -> None:
    """Write `source`'s compiled twin; raises `PoFileError` naming the line that is wrong."""
    catalogue = read(source)
    fresh = source.with_suffix(".mo.new")
    with fresh.open("wb") as file:
        write_mo(file, catalogue)
    # Replaced in one step: a running server never reads half a catalogue.
    fresh.replace(source.with_suffix(".mo"))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def rooms() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "anze").glob("*/__init__.py"))


def path_of(room: str) -> Path:
    return ROOT / "anze" / room / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def sources(room: str) -> Iterator[tuple[Path, str]]:
    """The files of a room that may hold texts, with the way to read them."""
    for folder in (Path("anze") / room, *map(Path, ELSEWHERE.get(room, ()))):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, "python"
        for path in sorted((ROOT / folder).rglob("templates/**/*")):
            if path.suffix in (".html", ".txt", ".xml", ".svg"):
                yield path, "jinja2.ext:babel_extract"


def texts_in(room: str) -> Catalog:
    """Every text of a room's code and templates."""
    found = Catalog(locale=LOCALE, charset="utf-8")
    for path, method in sources(room):
        options = {"encoding": "utf-8", "extensions": "jinja2.ext.do", "silent": "false"}
        for _line, message, comments, context in extract_from_file(
            method, path, keywords=KEYWORDS, comment_tags=["Translators:"], options=options
        ):
            place = (path.relative_to(ROOT).as_posix(), 0)  # without lines, which would change all the time
            found.add(message, None, [place], auto_comments=comments, context=context)
    return found


def key(message: Message) -> Text:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def translation(message: Message) -> tuple[str, ...]:
    """All forms; Chinese has one."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def known_translations() -> dict[Text, tuple[str, ...]]:
    """What is translated in any room: a text that moves or comes up again keeps its translation."""
    known: dict[Text, tuple[str, ...]] = {}
    for room in rooms():
        if path_of(room).exists():
            for message in read(path_of(room)):
                if message.id and all(translation(message)) and not message.fuzzy:
                    known.setdefault(key(message), translation(message))
    return known


def update(names: list[str]) -> None:
    known = known_translations()
    for room in names or rooms():
        template = texts_in(room)
        path = path_of(room)
        old = {key(message): message for message in read(path)} if path.exists() else {}
        fresh = Catalog(locale=LOCALE, charset="utf-8", fuzzy=False)
        for message in template:
            if not message.id:
                continue
            before = old.get(key(message))
            done = translation(before) if before else ("",)
            if not all(done):
                done = known.get(key(message), ("",))
            string = done[0] if isinstance(message.id, str) else done[:1]
            fresh.add(
                message.id,
                string,
                sorted(set(message.locations)),
                auto_comments=message.auto_comments,
                context=message.context,
            )
        if not len(fresh):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, fresh, width=0, sort_by_file=True, include_lineno=False, omit_header=True)
        text = path.read_text("utf-8")
        path.write_text(f"# Simplified Chinese texts of the room “{room}”.\n{HEADER}\n{text.lstrip()}", "utf-8")
        missing = sum(not all(translation(message)) for message in fresh if message.id)
        print(f"{room}: {len(fresh)} texts" + (f", {missing} to translate" if missing else ""))


HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: anze\\n"
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"""


def problems() -> Iterator[str]:
    """Everything a reader of either language could stumble over, each with the catalogue to mend."""
    seen: dict[Text, tuple[str, tuple[str, ...]]] = {}
    for room in rooms():
        wanted = {key(message) for message in texts_in(room) if message.id}
        path = path_of(room)
        catalogue = list(read(path)) if path.exists() else []
        name = path.relative_to(ROOT)
        have = {key(message): message for message in catalogue if message.id}
        for text in sorted(wanted - have.keys(), key=str):
            yield f"{name}: missing: {text[1]!r}"
        for text in sorted(have.keys() - wanted, key=str):
            yield f"{name}: unused: {text[1]!r}"
        for text, message in have.items():
            done = translation(message)
            if not all(done):
                yield f"{name}: not translated: {text[1]!r}"
                continue
            if message.fuzzy:
                yield f"{name}: marked as fuzzy: {text[1]!r}"
            forms = [message.id] if isinstance(message.id, str) else list(message.id)
            if len(forms) == 1 and COUNTED.search(forms[0]):
                yield f"{name}: says “1 rows”, wants a singular (ngettext): {text[1]!r}"
            if any(placeholders(each) not in map(placeholders, forms) for each in done):
                yield f"{name}: other placeholders than in {text[1]!r}"
            for each in done:
                yield from other_words(name, each)
            where, before = seen.setdefault(text, (room, done))
            if before != done:
                yield f"{name}: {text[1]!r} is {done[0]!r} here, but {before[0]!r} in the room {where}"
    for path in filter(Path.exists, (ROOT / file for file in READ)):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield from other_words(f"{path.relative_to(ROOT)}:{number}", line)


def other_words(where: object, text: str) -> Iterator[str]:
    """Words of a Chinese text for which the glossary has another one."""
    for term, avoid in avoided():
        if found := avoid.search(text):
            yield f"{where}: “{found[0]}” is called “{term}” (docs/glossary.csv): {text.strip()[:80]!r}"


@cache
def avoided() -> list[tuple[str, re.Pattern[str]]]:
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        return [(row["chinese"], re.compile(row["avoid"])) for row in csv.DictReader(file) if row["avoid"]]


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def main(words: list[str]) -> int:
    if words[:1] == ["update"]:
        update(words[1:])
        return 0
    if words == ["check"]:
        found = list(problems())
        for problem in found:
            print(problem)
        if found:
            print("New and unused texts: python tools/catalogues.py update; then fill in what is empty.")
        return 1 if found else 0
    for name in words:
        try:
            compile_catalogue(Path(name))
        except PoFileError as error:
            print(f"error: {name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
