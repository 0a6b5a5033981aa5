"""Pages of the library: standards, hazard library, checklists, materials, trainings."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import beijing_day
from anze.library.models import in_force
from anze.screen.columns import Column
from anze.screen.filters import Asking, Case, Cases
from anze.screen.pages import is_chinese


def in_language(asking: Asking, chinese: str, english: str) -> str:
    return chinese if is_chinese() or not english else english


def worded(name: str, title: object, **words: object) -> Column:
    """A text that is kept in both languages, in the reader's."""
    return Column(name, title=title, needs=(f"{name}_zh", f"{name}_en"), compute=in_language, **words)  # type: ignore[arg-type]


def force_of(asking: Asking, effective_from: date | None, effective_to: date | None) -> str:
    today = beijing_day(asking.at)
    if effective_from and effective_from > today:
        return "COMING"
    return "ENDED" if effective_to and effective_to < today else "IN_FORCE"


FORCE = Column(
    "force",
    title=pgettext_lazy("edition", "In force"),
    needs=("effective_from", "effective_to"),
    compute=force_of,
    choices=(
        ("IN_FORCE", pgettext_lazy("edition", "in force")),
        ("COMING", _("not yet in force")),
        ("ENDED", pgettext_lazy("edition", "no longer in force")),
    ),
    tones={"IN_FORCE": "success", "COMING": "info", "ENDED": ""},
)
STATUS = Column(
    "status", title=_("Checked against the source"), tones={"CONFIRMED": "success", "UNVERIFIED": "warning"}
)


def in_force_filter(default: str = "today") -> Cases:
    return Cases(
        "in_force",
        pgettext_lazy("edition", "In force"),
        main=True,
        default=default,
        cases={
            "today": Case(_("today"), lambda asking: in_force(beijing_day(asking.at))),
            "later": Case(_("later"), lambda asking: Q(effective_from__gt=beijing_day(asking.at))),
            "all": Case(_("ever"), lambda asking: Q()),
        },
    )


COMING_DAYS = 30


def coming_filter() -> Cases:
    return Cases("coming", _("Coming into force"), cases={"soon": Case(_("within 30 days"), _soon)})


def _soon(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(effective_from__gt=today, effective_from__lte=today + timedelta(days=COMING_DAYS))


# the pages themselves use what stands above
from anze.library.screens import certificates, checklists, drafts, materials, standards, trainings  # noqa: E402

__all__ = ["certificates", "checklists", "drafts", "materials", "standards", "trainings"]
