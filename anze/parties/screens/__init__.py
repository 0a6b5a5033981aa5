"""Pages of institutions, experts, enterprises and people; the names and choices every other room's lists use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.parties.models import Organisation, Region
from anze.parties.rules import OrganisationKind
from anze.screen.columns import Column, Directory, directory
from anze.screen.filters import Asking, Choice, Option


def _regions() -> Iterator[tuple[str, str]]:
    """Code → the name people use: a county with its city, and in the reader's language."""
    rows = list(Region.objects.order_by("code").values_list("code", "name", "name_en"))
    english = (get_language() or "").startswith("en")
    names = {code: (name_en if english and name_en else name) for code, name, name_en in rows}
    for code, name in names.items():
        city = names.get(code[:4] + "00", "")
        if code.endswith("00") or not city:
            yield code, name
        else:
            yield code, f"{name}, {city}" if english else f"{city}{name}"


def _organisations(kind: OrganisationKind | None = None) -> Iterable[tuple[Any, str]]:
    english = (get_language() or "").startswith("en")
    rows = Organisation.objects.order_by("code")
    if kind is not None:
        rows = rows.filter(kind=kind)
    for key, name, name_en, short_name in rows.values_list("id", "name", "name_en", "short_name"):
        yield key, name_en if english and name_en else short_name or name


REGION_NAMES = directory(Region, _regions, of_regions=True)
ORGANISATION_NAMES = directory(Organisation, _organisations)


def _of_kind(kind: OrganisationKind) -> Directory:
    return Directory(lambda: ((key, name) for key, name in _organisations(kind)))


KINDS = {kind: _of_kind(kind) for kind in (OrganisationKind.INSURER, OrganisationKind.AGENCY)}


def choices_of(kind: OrganisationKind) -> list[tuple[Any, str]]:
    """Choices of a form: as they are now, for an answer is judged by them, and not as they were a minute ago."""
    return list(KINDS[kind].names(fresh=True).items())


def of_kind(kind: OrganisationKind) -> Any:
    """Options of a filter: the organisations of a kind by name; a new one is offered within a minute."""

    def options(asking: Asking) -> list[Option]:
        return [(str(key), name) for key, name in KINDS[kind].names().items()]

    return options


def insurer_filter(name: str = "insurer", main: bool = True) -> Choice:
    return Choice(name, path=name, main=main, hide_for="insurer_id", options_of=of_kind(OrganisationKind.INSURER))


def agency_filter(name: str = "agency") -> Choice:
    return Choice(name, path=name, hide_for="agency_id", options_of=of_kind(OrganisationKind.AGENCY))


ENTERPRISE = Column("enterprise__name", title=_("Enterprise"), opens="enterprise", hide_for="enterprise_id")
USCC = Column("enterprise__uscc", optional=True, hide_for="enterprise_id")
INSURER = Column("insurer", opens="insurer", hide_for="insurer_id")
AGENCY = Column("agency", opens="agency", hide_for="agency_id")
# how a fed row came in
ORIGIN = (
    Column("channel", optional=True),
    Column("received_at", optional=True),
    Column("version", optional=True),
)


def due_within(path: str, asking: Asking, days: int) -> Q:
    """From today on for so many days."""
    today = beijing_day(asking.at)
    return Q(**{f"{path}__range": (today, today + timedelta(days=days))})


# the pages themselves use what stands above
from anze.parties.screens import (  # noqa: E402
    appeals,
    applications,
    entering,
    enterprises,
    organisations,
    people,
    standing,
)

__all__ = ["appeals", "applications", "entering", "enterprises", "organisations", "people", "standing"]
