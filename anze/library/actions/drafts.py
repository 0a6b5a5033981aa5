"""New editions: begun from the one in force, worded as a draft, published with the day they come into force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.library.models import Checklist, ChecklistItem, Criterion, Draft, HazardEntry, Standard
from anze.library.rules import DRAFT, DRAFT_COLUMNS, DraftKind, DraftState, Problem, TextStatus, row_problems
from anze.parties.rules import Permission

KEEP = Permission.KEEP_LIBRARY
# what the head of a draft says beside the rows
HEADS = {
    DraftKind.STANDARD: ("number", "edition", "issued", "title_zh", "title_en", "source", "effective_from"),
    DraftKind.CHECKLIST: ("title_zh", "title_en", "standard", "effective_from"),
}


@action(KEEP, "draft.begun")
def begin_draft(source: Standard | Checklist, *, by: Actor, at: datetime) -> Draft:
    """A draft with the text of the newest edition, to be changed. One open draft for each."""
    kind = DraftKind.STANDARD if isinstance(source, Standard) else DraftKind.CHECKLIST
    of_code = source.code
    if isinstance(source, Checklist):
        source = Checklist.objects.filter(code=source.code).latest("version")
    there = Draft.objects.filter(kind=kind, of_code=of_code, state=DraftState.DRAFT).first()
    if there is not None:
        return there
    head, rows = _text_of(source)
    return Draft.objects.create(
        kind=kind, of_code=of_code, title=source.title_zh, head=head, rows=rows, made_at=at, made_by_name=by.name
    )


def _text_of(source: Standard | Checklist) -> tuple[dict[str, str], list[dict[str, str]]]:
    if isinstance(source, Standard):
        head = {"title_zh": source.title_zh, "title_en": source.title_en}
        columns = [name for name, _title in DRAFT_COLUMNS[DraftKind.STANDARD]]
        return head, list(Criterion.objects.filter(standard=source).order_by("seq").values(*columns))
    head = {"title_zh": source.title_zh, "title_en": source.title_en}
    head["standard"] = source.standard.code if source.standard else ""
    items = source.items.select_related("criterion__standard", "standard", "hazard").order_by("seq")
    return head, [
        {
            "section_zh": each.section_zh,
            "section_en": each.section_en,
            "text_zh": each.text_zh,
            "text_en": each.text_en,
            "criterion": f"{each.criterion.standard.code}/{each.criterion.code}" if each.criterion else "",
            "standard": each.standard.code if each.standard else "",
            "basis_zh": each.basis_zh,
            "basis_en": each.basis_en,
            "hazard": each.hazard.code if each.hazard else "",
            "answer": each.answer,
            "needs_photo": "1" if each.needs_photo else "",
            "shown_if": str(each.shown_if or ""),
            "shown_if_answer": each.shown_if_answer,
        }
        for each in items
    ]


@action(KEEP, "draft.changed")
def change_draft(
    draft: Draft,
    *,
    by: Actor,
    at: datetime,
    head: Mapping[str, str] | None = None,
    rows: Sequence[Mapping[str, str]] | None = None,
) -> Draft:
    """Put in another head or other rows, as they are: what is wrong keeps the draft from being published only."""
    held = Draft.objects.select_for_update().get(pk=draft.pk)
    if held.state != DraftState.DRAFT:
        raise Refused(
            "draft_ended",
            _("The draft was published or discarded meanwhile."),
            remedy=_("Begin another one."),
            status=409,
        )
    if head is not None:
        held.head = {name: str(head.get(name) or "").strip() for name in HEADS[DraftKind(held.kind)]}
        held.title = held.head.get("title_zh") or held.title
    if rows is not None:
        columns = [name for name, _title in DRAFT_COLUMNS[held.kind]]
        held.rows = [{name: str(row.get(name) or "").strip() for name in columns} for row in rows]
    held.save(update_fields=["head", "rows", "title"])
    return held


@action(KEEP, "draft.discarded")
def discard_draft(draft: Draft, *, by: Actor, at: datetime) -> Draft:
    DRAFT.move(draft, "discard", ended_at=at)
    return draft


def problems_of(draft: Draft, today: date) -> list[Problem]:
    """Everything that keeps a draft from being published, each with its row, field and remedy."""
    found = row_problems(draft.kind, draft.rows)
    needed = ("number", "edition", "issued", "title_zh", "title_en") if draft.kind == DraftKind.STANDARD else (
        "title_zh", "title_en")  # fmt: skip
    found += [Problem(0, name, "missing") for name in needed if not draft.head.get(name)]
    old = _old(draft)
    day = _day(draft.head.get("effective_from", ""))
    if day is None:
        found.append(Problem(0, "effective_from", "no_date"))
    elif day < today:
        found.append(Problem(0, "effective_from", "past"))
    elif old.effective_from and day <= old.effective_from:
        found.append(Problem(0, "effective_from", "not_after"))
    if isinstance(old, Standard):
        edition = draft.head.get("edition", "")
        if edition and Standard.objects.filter(Q(family=old.family, edition=edition)).exists():
            found.append(Problem(0, "edition", "edition_taken"))
        return sorted(found, key=lambda each: each.row)
    criteria, standards, hazards = _known()
    if draft.head.get("standard") and draft.head["standard"] not in standards:
        found.append(Problem(0, "standard", "unknown_standard"))
    for n, row in enumerate(draft.rows, 1):
        for name, known in (("criterion", criteria), ("standard", standards), ("hazard", hazards)):
            if row.get(name) and row[name] not in known:
                found.append(Problem(n, name, f"unknown_{name}"))
    return sorted(found, key=lambda each: each.row)


def _known() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    criteria = {f"{s}/{c}": key for s, c, key in Criterion.objects.values_list("standard__code", "code", "pk")}
    standards = dict(Standard.objects.values_list("code", "pk"))
    hazards = dict(HazardEntry.objects.order_by("version").values_list("code", "pk"))
    return criteria, standards, hazards


def _old(draft: Draft) -> Standard | Checklist:
    if draft.kind == DraftKind.STANDARD:
        return Standard.objects.get(code=draft.of_code)
    return Checklist.objects.filter(code=draft.of_code).latest("version")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@action(KEEP, "draft.published")
def publish_draft(draft: Draft, *, by: Actor, at: datetime) -> Standard | Checklist:
    """Make the draft the edition in force from its day on; the one before ends the day before. For good."""
    found = problems_of(draft, beijing_day(at))
    if found:
        first = found[0]
        raise Refused(
            first.code,
            _("The draft cannot be published yet: row %(row)s, %(field)s. %(problem)s"),
            remedy=first.remedy,
            field=first.field,
            values={"row": first.row, "field": first.field, "problem": first.message},
        )
    DRAFT.move(draft, "publish", ended_at=at)
    old, day = _old(draft), date.fromisoformat(draft.head["effective_from"])
    made = _new_standard(old, draft, day) if isinstance(old, Standard) else _new_checklist(old, draft, day)
    last_day = day - timedelta(days=1)
    if old.effective_to is None or old.effective_to > last_day:
        old.effective_to = last_day
        old.save(update_fields=["effective_to"])
    if isinstance(old, Standard):
        Criterion.objects.filter(standard=old, effective_to__isnull=True).update(effective_to=last_day)
    return made


def _new_standard(old: Standard, draft: Draft, day: date) -> Standard:
    head = draft.head
    made = Standard.objects.create(
        code=f"{old.family}-{head['edition']}", family=old.family, edition=head["edition"], kind=old.kind,
        number=head["number"], issued=head["issued"], title_zh=head["title_zh"], title_en=head["title_en"],
        sector=old.sector, replaces=old, status=TextStatus.UNVERIFIED, source=head.get("source", ""),
        effective_from=day, is_shipped=False,
    )  # fmt: skip
    Criterion.objects.bulk_create(
        Criterion(standard=made, seq=n, effective_from=day, is_shipped=False, **row)
        for n, row in enumerate(draft.rows, 1)
    )
    return made


def _new_checklist(old: Checklist, draft: Draft, day: date) -> Checklist:
    criteria, standards, hazards = _known()
    head = draft.head
    made = Checklist.objects.create(
        code=old.code, version=old.version + 1, title_zh=head["title_zh"], title_en=head["title_en"],
        sector=old.sector, campaign=old.campaign, service_type=old.service_type, status=TextStatus.UNVERIFIED,
        standard_id=standards.get(head.get("standard", "")), effective_from=day, is_shipped=False,
    )  # fmt: skip
    ChecklistItem.objects.bulk_create(
        ChecklistItem(
            checklist=made, seq=n, section_zh=row["section_zh"], section_en=row["section_en"], text_zh=row["text_zh"],
            text_en=row["text_en"], criterion_id=criteria.get(row["criterion"]),
            standard_id=standards.get(row["standard"]), basis_zh=row["basis_zh"], basis_en=row["basis_en"],
            hazard_id=hazards.get(row["hazard"]), answer=row["answer"],
            needs_photo=row["needs_photo"].lower() in ("1", "yes", "true", "是"),
            shown_if=int(row["shown_if"]) if row["shown_if"] else None,
            shown_if_answer=row["shown_if_answer"] if row["shown_if"] else "",
        )
        for n, row in enumerate(draft.rows, 1)
    )  # fmt: skip
    return made
