"""Bring the library up to what the program ships: standards, criteria, hazards, checklists.

Rows are known by their codes; running it again changes nothing. What the committee published on the platform is
left alone, and so is a last day of force that was set here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import models

from anze.library.models import Checklist, ChecklistItem, Criterion, HazardEntry, Standard

DATA = Path(__file__).resolve().parent.parent / "data"


def load_library() -> None:
    standards = _rows("standards")
    # without what they replace first, so that an order in the file does not matter
    _bring_up(Standard, ("code",), ({k: v for k, v in row.items() if k != "replaces"} for row in standards))
    known = {each.code: each for each in Standard.objects.all()}
    for row in standards:
        before = known[row["replaces"]].pk if row["replaces"] else None
        if known[row["code"]].replaces_id != before:
            Standard.objects.filter(code=row["code"], is_shipped=True).update(replaces=before)
    place = dict.fromkeys(known, 0)
    criteria = []
    for row in _rows("criteria"):
        place[row["standard"]] += 1
        criteria.append({**row, "standard": known[row["standard"]].pk, "seq": place[row["standard"]]})
    _bring_up(Criterion, ("standard_id", "code"), criteria, {"standard": "standard_id"})
    found = {
        f"{standard}/{code}": key
        for standard, code, key in Criterion.objects.values_list("standard__code", "code", "pk")
    }
    standard_keys = {code: each.pk for code, each in known.items()}
    _bring_up(HazardEntry, ("code", "version"), (_linked(row, found, standard_keys) for row in _rows("hazards")), _KEYS)
    checklists = [
        {**row, "standard": standard_keys[row["standard"]] if row["standard"] else None} for row in _rows("checklists")
    ]
    _bring_up(Checklist, ("code", "version"), checklists, {"standard": "standard_id"})
    shipped = {f"{each.code}/{each.version}": each.pk for each in Checklist.objects.filter(is_shipped=True)}
    entries = {f"{each.code}/{each.version}": each.pk for each in HazardEntry.objects.filter(is_shipped=True)}
    items = []
    for row in _rows("checklist_items"):
        if row["checklist"] in shipped:
            hazard = entries[row["hazard"]] if row["hazard"] else None
            linked = _linked(row, found, standard_keys)
            items.append({**linked, "checklist": shipped[row["checklist"]], "hazard": hazard})
    _bring_up(
        ChecklistItem, ("checklist_id", "seq"), items, {**_KEYS, "checklist": "checklist_id", "hazard": "hazard_id"}
    )


_KEYS = {"criterion": "criterion_id", "standard": "standard_id"}


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _linked(row: dict[str, Any], criteria: dict[str, Any], standards: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "criterion": criteria[row["criterion"]] if row["criterion"] else None,
        "standard": standards[row["standard"]] if row["standard"] else None,
    }


def _bring_up(
    model: type[models.Model],
    key: tuple[str, ...],
    rows: Iterable[dict[str, Any]],
    rename: dict[str, str] | None = None,
) -> None:
    """Add what is missing and set what differs; an unchanged row is not written, for every write is history."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    manager = model._default_manager
    there = {tuple(getattr(each, name) for name in key): each for each in manager.all()}
    fresh, changed, written = [], [], set()
    for row in rows:
        values = {}
        for name, text in row.items():
            field = fields[(rename or {}).get(name, name)]
            if isinstance(field, models.BooleanField):
                values[field.attname] = text == "1"
            elif text in ("", None):
                values[field.attname] = None if field.null else ""
            elif isinstance(field, models.ForeignKey):
                values[field.attname] = field.target_field.to_python(text)
            else:
                values[field.attname] = field.to_python(text)
        old = there.get(tuple(values[name] for name in key))
        if old is None:
            fresh.append(model(**values))
            continue
        if not getattr(old, "is_shipped", True):
            continue
        if values.get("effective_to") is None:
            values.pop("effective_to", None)
        differing = [name for name, value in values.items() if getattr(old, name) != value]
        if differing:
            for name in differing:
                setattr(old, name, values[name])
            changed.append(old)
            written.update(differing)
    manager.bulk_create(fresh, batch_size=500)
    if changed:
        manager.bulk_update(changed, sorted(written), batch_size=500)  # type: ignore[arg-type]
