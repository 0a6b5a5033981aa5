"""Supervision by tiers: who is in which since his last published result, and to whom the committee still has to speak."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from anze.assessment.models import Supervised
from anze.assessment.rules import Tier, TierState
from anze.assessment.screens.reports import ASSESSED
from anze.assessment.screens.words import kept_text, supervision_text
from anze.kernel.scope import PROVINCE
from anze.parties.rules import Permission
from anze.screen.columns import Column
from anze.screen.details import Tile, tile
from anze.screen.filters import Case, Cases, Choice, InRegion, Of
from anze.screen.lists import ListScreen, list_screen, waiting

TONES: dict[str, str] = {
    Tier.FIRST: "success",
    Tier.SECOND: "info",
    Tier.THIRD: "warning",
    Tier.FOURTH: "danger",
    Tier.FIFTH: "danger",
}

STATES: dict[str, str] = {TierState.IN_FORCE: "success", TierState.KEPT: "warning"}

TIERS = list_screen(
    ListScreen(
        name="supervision-tiers",
        path="assessment/tiers/",
        title=_("Supervision by tiers"),
        about=_(
            "What each published grade leads to, as the scheme has it, until a later result grades anew. Whoever is not graded then keeps his tier; whoever is no longer assessed leaves it."
        ),
        model=Supervised,
        permission=Permission.SEE_ASSESSMENT,
        sort="-from_on",
        columns=(
            Column("organisation", opens="insurer"),
            Column("region_code"),
            Column("tier", tones=TONES),
            Column("outcome__score", title=_("Result"), opens="assessment-result"),
            Column("checks_a_year"),
            Column("status", tones={"CONFIRMED": "success", "UNVERIFIED": "warning", "DESIGN": "info"}),
            Column("from_on"),
            Column("until_on", optional=True),
            Column("state", tones=STATES),
            Column("later__title", title=_("Later assessment"), optional=True),
            Column("spoken_at"),
            Column("answered_at"),
            Column("campaign__title", title=_("Assessment"), opens="assessment", optional=True),
            Column("ground", optional=True),
        ),
        filters=(
            Choice("tier", main=True),
            InRegion(),
            Cases(
                "force",
                _("In force"),
                default="now",
                cases={
                    "now": Case(_("now"), lambda asking: Q(until_on__isnull=True)),
                    "kept": Case(_("now, not graded since"), lambda asking: Q(state=TierState.KEPT)),
                    "ended": Case(_("ended"), lambda asking: Q(until_on__isnull=False)),
                    "all": Case(_("all"), lambda asking: Q()),
                },
            ),
            Cases(
                "feedback",
                _("Feedback"),
                cases={
                    "waiting": Case(
                        _("still to be given"),
                        lambda asking: Q(is_spoken_to=True, spoken_at__isnull=True, region_code=PROVINCE),
                    ),
                    "awaited": Case(
                        _("answer awaited"),
                        lambda asking: Q(outcome__feedback__due_at__isnull=False, answered_at__isnull=True),
                    ),
                    "answered": Case(_("answered"), lambda asking: Q(answered_at__isnull=False)),
                },
            ),
            Of("campaign"),
            Of("organisation"),
        ),
        order=15,
        icon="shield-check",
        not_in_menu_of=ASSESSED,
    )
)

waiting(
    TIERS,
    "supervision-feedback",
    _("Results the committee has to speak of"),
    why=_("Their tier asks for feedback, and none was given yet."),
    order=35,
    permission=Permission.RUN_ASSESSMENT,
    feedback="waiting",
)


def _tier(request: HttpRequest, organisation: Any) -> tuple[str, str, str]:
    standing = Supervised.objects.filter(organisation=organisation, region_code=PROVINCE, until_on__isnull=True)
    found = standing.select_related("campaign", "later").first()
    if found is None:
        return "", "", ""
    said = kept_text(found) if found.state == TierState.KEPT else supervision_text(found)
    return said, TONES[Tier(found.tier)], TIERS.link(organisation=organisation.pk, force="all")


tile(Tile("insurer", "supervision", _("Supervision tier"), Permission.SEE_ASSESSMENT, _tier, order=6))
