"""A mapping file: where an app lists its records, how its pages follow one another, and what its fields mean.

    title:    {en: …, zh: …}
    per_minute: 60                    requests at most
    streams:
      - name: visits                  the cursor is kept under this name
        path: /open/v1/visits
        cursor: {ask: since, next: next_cursor, first: ""}
        size: {ask: limit, value: 50}
        rows: data.records            dotted path to the list in the answer
        more: has_more                optional; without it the pages end with an empty one
        feed: services
        fields:                       feed field → where it comes from
          service_no: visitCode
          service_type: {from: kind, codes: {"1": HAZARD}}
          started_at: {from: begin, moment: "%Y-%m-%d %H:%M:%S"}
          photo_count: {count: photos}
          form: {value: OWN_STAFF}
          persons: {each: staff, fields: {name: name}}
        photos: {each: photos, url: url, name: fileName}

A code that is not in the list goes through as it is, and the feed's own check refuses it with field and remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped] # no types of its own, and three calls of it here

from anze.exchange.feed import Feed, Field, Kind
from anze.exchange.feeds import FEEDS
from anze.kernel.duty import BEIJING

FOLDER = Path(__file__).resolve().parent / "mappings"
WORDS = {"from", "value", "codes", "default", "moment", "date", "count", "each", "fields", "longest", "omit"}


class MappingProblem(Exception):
    """A mapping file is wrong; the text names file, stream and field."""


@dataclass(frozen=True)
class Stream:
    """One list of an app and the dataset it becomes."""

    name: str
    path: str
    feed: Feed
    rows: str
    fields: Mapping[str, Any]
    ask: str
    next: str
    first: str
    more: str = ""
    size: tuple[str, int] = ("", 0)
    photos: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AppMapping:
    """A whole app."""

    name: str
    title_en: str
    title_zh: str
    about: str
    per_minute: int
    streams: tuple[Stream, ...]


def at(content: Any, path: str) -> Any:
    """What stands under a dotted path; None where it does not."""
    for step in path.split("."):
        if not isinstance(content, Mapping):
            return None
        content = content.get(step)
    return content


def mapped(stream: Stream, record: Any) -> dict[str, Any]:
    """A record of the app in the terms of the dataset."""
    return _row(stream.fields, record)


def _row(fields: Mapping[str, Any], record: Any) -> dict[str, Any]:
    row = {name: _value(spec, record) for name, spec in fields.items()}
    return {name: value for name, value in row.items() if value is not None and value != ""}


def _value(spec: Any, record: Any) -> Any:
    if isinstance(spec, str):
        return _plain(at(record, spec))
    if "value" in spec:
        return spec["value"]
    if "count" in spec:
        found = at(record, spec["count"])
        return len(found) if isinstance(found, list) else 0
    if "each" in spec:
        found = at(record, spec["each"])
        return [_row(spec["fields"], each) for each in found] if isinstance(found, list) else []
    value = _plain(at(record, spec["from"]))
    if value is None or value == "":
        return spec.get("default")
    if value in spec.get("omit", ()):
        return None
    if "codes" in spec:
        return spec["codes"].get(str(value), value)
    for word in ("moment", "date"):
        if word in spec:
            return _time(str(value), spec[word], is_date=word == "date")
    return str(value)[: spec["longest"]] if "longest" in spec else value


def _plain(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _time(text: str, form: str, *, is_date: bool) -> str:
    """A day or moment of the app; what cannot be read goes through and is refused by the dataset's own check."""
    try:
        if form in ("seconds", "milliseconds"):
            found = datetime.fromtimestamp(float(text) / (1000 if form == "milliseconds" else 1), BEIJING)
        else:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - given a zone below
    except (ValueError, OverflowError, OSError):
        return text
    if found.tzinfo is None:
        found = found.replace(tzinfo=BEIJING)  # apps without a zone mean the local clock
    return found.date().isoformat() if is_date else found.isoformat()


# reading the files ----------------------------------------------------------------------------------------


@cache
def mappings() -> dict[str, AppMapping]:
    """All mapping files of the folder, checked, by name."""
    return {
        path.stem: read_mapping(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))
    }


def read_mapping(name: str, text: str) -> AppMapping:
    try:
        content = yaml.safe_load(text)
        streams = tuple(_stream(name, each) for each in content["streams"])
        return AppMapping(
            name, content["title"]["en"], content["title"]["zh"], content.get("about", ""),
            int(content.get("per_minute", 60)), streams,
        )  # fmt: skip
    except MappingProblem:
        raise
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as problem:
        raise MappingProblem(f"{name}: {type(problem).__name__} {problem}") from problem


def _stream(name: str, content: Mapping[str, Any]) -> Stream:
    where = f"{name}, stream {content['name']}"
    feed = FEEDS.get(content["feed"])
    if feed is None or not feed.of_insurer:
        raise MappingProblem(f"{where}: there is no dataset {content['feed']} that insurers send")
    _check(f"{where}: ", content["fields"], feed.fields)
    size = content.get("size", {})
    return Stream(
        name=content["name"], path=content["path"], feed=feed, rows=content["rows"], fields=content["fields"],
        ask=content["cursor"]["ask"], next=content["cursor"]["next"], first=str(content["cursor"].get("first", "")),
        more=content.get("more", ""), size=(size.get("ask", ""), int(size.get("value", 0))),
        photos=content.get("photos", {}),
    )  # fmt: skip


def _check(where: str, given: Mapping[str, Any], fields: tuple[Field, ...]) -> None:
    known = {each.name: each for each in fields}
    for name, spec in given.items():
        if name not in known:
            raise MappingProblem(f"{where}the dataset has no field {name}")
        if isinstance(spec, Mapping):
            if unknown := set(spec) - WORDS:
                raise MappingProblem(f"{where}{name}: unknown word {', '.join(sorted(unknown))}")
            each = known[name]
            wrong = [code for code in spec.get("codes", {}).values() if each.codes and code not in each.codes.values]
            if wrong:
                raise MappingProblem(f"{where}{name}: {wrong[0]} is no code of the field")
            if "each" in spec:
                if each.kind not in (Kind.ROWS, Kind.LIST):
                    raise MappingProblem(f"{where}{name} holds no lines")
                _check(f"{where}{name}: ", spec["fields"], each.of)
    missing = [each.name for each in fields if each.required and each.name not in given]
    if missing:
        raise MappingProblem(f"{where}nothing is said about {', '.join(missing)}")
