"""What the forms of this room share: reasons, choices of regions and sectors."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from anze.kernel.actor import Actor
from anze.kernel.rules import Sector
from anze.kernel.wording import listed
from anze.parties.models import Region
from anze.parties.screens import REGION_NAMES
from anze.screen.columns import DASH, labels
from anze.screen.filters import Asking
from anze.screen.forms import Form, answer_form


class ReasonForm(Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The other side reads it."),
    )  # fmt: skip


def region_choices(actor: Actor) -> list[tuple[str, str]]:
    """The cities and counties somebody's area holds."""
    codes = Region.objects.filter(valid_to__isnull=True).exclude(kind="PROVINCE").values_list("code", flat=True)
    return [(code, REGION_NAMES.name(code)) for code in sorted(codes) if actor.scope.covers_region(code)]


def city_choices(actor: Actor) -> list[tuple[str, str]]:
    return [each for each in region_choices(actor) if each[0].endswith("00")]


def region_groups(actor: Actor) -> list[tuple[str, list[tuple[str, str]]]]:
    """Cities and counties for choosing several: each city with its counties, folded under its name."""
    found = [each for each in Region.objects.filter(valid_to__isnull=True).order_by("code")
             if each.kind != "PROVINCE" and actor.scope.covers_region(each.code)]  # fmt: skip
    cities = {each.code[:4]: each for each in found if each.kind == "CITY"}
    made: dict[str, list[tuple[str, str]]] = {}
    for each in found:
        city = cities.get(each.code[:4])
        title = str(city) if city else REGION_NAMES.name(each.code[:4] + "00")
        words = _("the whole city") if each is city else each
        made.setdefault(title, []).append((each.code, str(words)))
    return list(made.items())


def sector_choices() -> list[tuple[str, str]]:
    return list(labels(Sector.choices).items())


def region_names(asking: Asking, codes: Sequence[str]) -> str:
    return listed(REGION_NAMES.name(code) for code in codes) or DASH


def sector_names(asking: Asking, codes: Sequence[str]) -> str:
    names = labels(Sector.choices)
    return listed(names.get(code, code) for code in codes) or DASH


__all__ = [
    "ReasonForm",
    "answer_form",
    "city_choices",
    "region_choices",
    "region_groups",
    "region_names",
    "sector_choices",
    "sector_names",
]
