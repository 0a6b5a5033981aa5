"""Standards with their editions side by side, criteria, and the hazard library."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.library.models import Criterion, HazardEntry, Standard, edition_difference
from anze.library.screens import FORCE, STATUS, coming_filter, in_force_filter, worded
from anze.parties.rules import Permission
from anze.screen.columns import Column, Kind
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Of, Search
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer

SEE = Permission.SEE_LIBRARY

STANDARDS = list_screen(
    ListScreen(
        name="standards",
        path="library/standards/",
        title=_("Standards"),
        about=_(
            "Standards for determining major hazards and rules around them, each edition with the days it is in force. “Unverified” means that nobody has held our wording against the published text yet."
        ),
        model=Standard,
        permission=SEE,
        detail="standard",
        sort="code",
        columns=(
            worded("title", _("Title")),
            Column("number"),
            Column("sector"),
            FORCE,
            Column("effective_from"),
            Column("effective_to"),
            STATUS,
            Column("kind", optional=True),
            Column("edition", optional=True),
            Column("issued", optional=True),
            Column("code", kind=Kind.CODE, optional=True),
        ),
        filters=(
            Search(inside=("code", "number", "title_zh", "title_en"), title=_("Title or number")),
            Choice("sector", main=True),
            in_force_filter("all"),
            Choice("kind"),
            Choice("status"),
            coming_filter(),
        ),
        order=10,
        icon="file-text",
    )
)


def editions(request: HttpRequest, standard: Any) -> dict[str, Any]:
    """All editions, and what changed between this one and another of the reader's choice."""
    every = list(Standard.objects.filter(family=standard.family).order_by("-issued"))
    chosen = request.GET.get("against", "")
    others = [each for each in every if each.pk != standard.pk]
    against = next((each for each in others if str(each.pk) == chosen), None)
    if against is None:
        earlier = [each for each in others if each.issued < standard.issued]
        against = next(iter(earlier or others[-1:]), None)
    words: dict[str, Any] = {"editions": every, "against": against, "differences": []}
    if against is not None:
        old, new = sorted((against, standard), key=lambda each: each.issued)
        found = edition_difference(old, new)
        words |= {"old": old, "new": new, "differences": found, "counts": counted(found)}
    return words


def counted(differences: list[Any]) -> list[tuple[str, int]]:
    """How many clauses of each kind, in the order people ask for them."""
    kinds = ("added", "removed", "changed", "renumbered", "same")
    return [(kind, n) for kind in kinds if (n := sum(each.kind == kind for each in differences))]


detail_screen(
    DetailScreen(
        name="standard",
        path="library/standards/<uuid:pk>/",
        title=_("Standard"),
        model=Standard,
        permission=SEE,
        named=(),
        state=FORCE,
        of_list="standards",
        template="library/standard.html",
        tabs=(("editions", _("Editions and changes"), "", editions),),
        sections=(
            Section(
                _("This edition"),
                (
                    Column("number"),
                    "kind",
                    "sector",
                    "edition",
                    "issued",
                    "effective_from",
                    "effective_to",
                    Column("replaces__number", title=_("Replaces"), opens="standard"),
                    STATUS,
                    "source",
                    Column("code", kind=Kind.CODE),
                ),
            ),
        ),
    )
)


# criteria -----------------------------------------------------------------------------------------------------

TEXT = worded("text", _("Criterion in short"))

CRITERIA = list_screen(
    ListScreen(
        name="criteria",
        path="library/criteria/",
        title=_("Major-hazard criteria"),
        about=_(
            "What the standards call a major hazard, in our own short words, clause by clause. Whether a finding is one is decided by a person."
        ),
        model=Criterion,
        permission=SEE,
        detail="criterion",
        sort="code",
        columns=(
            Column("code", kind=Kind.CODE),
            TEXT,
            Column("standard__number", title=_("Standard"), opens="standard"),
            Column("clause"),
            Column("sector"),
            STATUS,
            Column("effective_from", optional=True),
            Column("effective_to", optional=True),
        ),
        filters=(
            Search(inside=("code", "text_zh", "text_en"), title=_("Words or code")),
            Choice("sector", main=True),
            in_force_filter(),
            Choice("status"),
        ),
        tab_of={"standard": "standard"},
        order=20,
        icon="list-check",
    )
)

detail_screen(
    DetailScreen(
        name="criterion",
        path="library/criteria/<uuid:pk>/",
        title=_("Criterion"),
        model=Criterion,
        permission=SEE,
        named=("code",),
        state=FORCE,
        of_list="criteria",
        sections=(
            Section(
                _("Criterion"),
                (
                    TEXT,
                    Column("standard__number", title=_("Standard"), opens="standard"),
                    "clause",
                    "sector",
                    "effective_from",
                    "effective_to",
                    STATUS,
                ),
            ),
            Section(_("Both languages"), ("text_zh", "text_en")),
        ),
    )
)


# hazard library -----------------------------------------------------------------------------------------------

WORDING = worded("wording", _("Hazard"))
CLASS = Column("suggested_class", tones={"MAJOR": "danger"})


def _of_standard(key: UUID) -> Q:
    return Q(standard=key) | Q(criterion__standard=key)


def _named(key: UUID) -> str:
    return str(Standard.objects.filter(pk=key).first() or key)


HAZARD_LIBRARY = list_screen(
    ListScreen(
        name="hazard-library",
        path="library/hazards/",
        title=_("Hazard library"),
        about=_(
            "Hazards as experts meet them again and again, with basis, advice, and a suggestion of class and deadline. The expert on site decides."
        ),
        model=HazardEntry,
        permission=SEE,
        detail="hazard-entry",
        sort="code",
        columns=(
            WORDING,
            worded("place", _("Place or equipment")),
            CLASS,
            Column("suggested_days"),
            Column("criterion__code", title=_("Criterion"), opens="criterion"),
            Column("standard__number", title=_("Standard"), opens="standard"),
            Column("sector"),
            STATUS,
            Column("code", kind=Kind.CODE, optional=True),
            Column("version", optional=True),
        ),
        filters=(
            Search(
                inside=("code", "wording_zh", "wording_en", "keywords", "place_zh", "place_en"),
                title=_("Words, place or code"),
            ),
            Choice("sector", main=True),
            Choice("class", path="suggested_class", main=True),
            in_force_filter(),
            Choice("status"),
            Of("of_standard", _("Standard"), condition=_of_standard, named=_named),
            Of("criterion"),
        ),
        tab_of={"standard": "of_standard", "criterion": "criterion"},
        order=30,
        icon="alert-triangle",
    )
)

detail_screen(
    DetailScreen(
        name="hazard-entry",
        path="library/hazards/<uuid:pk>/",
        title=_("Hazard of the library"),
        model=HazardEntry,
        permission=SEE,
        named=("code",),
        state=CLASS,
        of_list="hazard-library",
        sections=(
            Section(
                _("The hazard"),
                (
                    WORDING,
                    worded("place", _("Place or equipment")),
                    "sector",
                    CLASS,
                    "suggested_days",
                    worded("advice", _("Advice")),
                    "keywords",
                ),
            ),
            Section(
                _("What it rests on"),
                (
                    Column("criterion__code", title=_("Criterion"), opens="criterion"),
                    Column("standard__number", title=_("Standard"), opens="standard"),
                    worded("basis", _("Basis")),
                    STATUS,
                    "effective_from",
                    "effective_to",
                    "version",
                ),
            ),
            Section(_("Both languages"), ("wording_zh", "wording_en", "advice_zh", "advice_en")),
        ),
    )
)


# home and search ----------------------------------------------------------------------------------------------

waiting(
    STANDARDS,
    "standards-coming",
    _("New editions come into force within 30 days"),
    why=_("From that day on findings are judged by the new edition; see what it changes."),
    tone="info",
    order=60,
    coming="soon",
)


def find_standards(words: str, limit: int) -> list[Hit]:
    rows = Standard.objects.filter(
        Q(title_zh__contains=words) | Q(title_en__icontains=words) | Q(number__contains=words) | Q(code=words.upper())
    )
    return [Hit(str(each.title), each.number, reverse("standard", args=[each.pk])) for each in rows[:limit]]


def find_criteria(words: str, limit: int) -> list[Hit]:
    rows = Criterion.objects.filter(
        Q(code__istartswith=words) | Q(text_zh__contains=words) | Q(text_en__icontains=words)
    ).select_related("standard")
    return [
        Hit(f"{each.code} {each.text}", each.standard.number, reverse("criterion", args=[each.pk]))
        for each in rows[:limit]
    ]


def find_hazards(words: str, limit: int) -> list[Hit]:
    rows = HazardEntry.objects.filter(
        Q(wording_zh__contains=words) | Q(wording_en__icontains=words) | Q(keywords__icontains=words)
    )
    return [Hit(each.wording, each.code, reverse("hazard-entry", args=[each.pk])) for each in rows[:limit]]


search(SearchAnswer("standards", _("Standards"), SEE, find_standards, order=80))
search(SearchAnswer("criteria", _("Major-hazard criteria"), SEE, find_criteria, order=81))
search(SearchAnswer("hazard-library", _("Hazard library"), SEE, find_hazards, order=82))
