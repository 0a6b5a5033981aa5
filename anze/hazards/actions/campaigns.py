"""Campaigns: set up, started with a frozen list, attended, ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from anze.hazards.models import Attendance, Campaign, CampaignEnterprise, CampaignGroup, CampaignMember
from anze.hazards.rules import CAMPAIGN, CampaignState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise, Expert
from anze.parties.rules import Permission

# the insurer whose policy covers the enterprise on the first day, the latest one where there are several
_FREEZE = """
INSERT INTO hazards_campaignenterprise (campaign_id, enterprise_id, insurer_id, region_code, sector, reason)
SELECT %(campaign)s, e.id,
       (SELECT p.insurer_id FROM underwriting_policy p WHERE p.enterprise_id = e.id AND NOT p.is_void
        AND p.start_on <= %(on)s AND p.cover_end_on >= %(on)s ORDER BY p.start_on DESC LIMIT 1),
       e.region_code, e.sector, 'FILTER'
FROM parties_enterprise e
WHERE NOT e.is_void AND (e.closed_on IS NULL OR e.closed_on > %(on)s)
  AND (%(sectors)s = '{}' OR e.sector = ANY(%(sectors)s::text[]))
  AND (%(regions)s = '{}' OR EXISTS (SELECT 1 FROM unnest(%(regions)s::text[]) r
       WHERE e.region_code LIKE rtrim(r, '0') || '%%'))
  AND (%(industries)s = '{}' OR EXISTS (SELECT 1 FROM unnest(%(industries)s::text[]) i
       WHERE e.industry_code LIKE i || '%%'))
ON CONFLICT (campaign_id, enterprise_id) DO NOTHING
"""


@action(Permission.RUN_CAMPAIGNS, "campaign.created")
def create_campaign(code: str, /, *, by: Actor, at: datetime, **words: Any) -> Campaign:
    with widened(EVERYTHING):
        try:
            with transaction.atomic():
                return Campaign.objects.create(code=code, authority_id=by.organisation_id, **words)
        except IntegrityError:
            raise Refused(
                "campaign_code_taken",
                _("A campaign of this code exists."),
                remedy=_("Choose another code, for example with the year."),
                field="code",
            ) from None


@action(Permission.RUN_CAMPAIGNS, "campaign.started")
def start_campaign(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """From now on the list of enterprises stays as it is; single ones are added by hand, with that reason."""
    with widened(EVERYTHING):
        CAMPAIGN.move(campaign, "start")
        with connection.cursor() as cursor:
            cursor.execute(
                _FREEZE,
                {
                    "campaign": campaign.pk,
                    "on": campaign.starts_on,
                    "sectors": _array(campaign.sectors),
                    "regions": _array(campaign.regions),
                    "industries": _array(campaign.industries),
                },
            )
    return campaign


def _array(words: Sequence[str]) -> str:
    return "{" + ",".join(word for word in words if word.isalnum()) + "}"


@action(Permission.RUN_CAMPAIGNS, "campaign.group_formed")
def form_group(
    campaign: Campaign, *, by: Actor, at: datetime, name: str, leader: Expert, members: Sequence[Expert] = ()
) -> CampaignGroup:
    _running(campaign, CampaignState.PLANNED, CampaignState.RUNNING)
    with widened(EVERYTHING):
        try:
            with transaction.atomic():
                group = CampaignGroup.objects.create(campaign=campaign, name=name)
        except IntegrityError:
            raise Refused(
                "group_taken", _("A group of this name exists."), remedy=_("Choose another name."), field="name"
            ) from None
        everybody = {leader.pk: leader} | {each.pk: each for each in members}
        CampaignMember.objects.bulk_create(
            CampaignMember(group=group, expert=each, is_leader=each.pk == leader.pk) for each in everybody.values()
        )
    return group


@action(Permission.RUN_CAMPAIGNS, "campaign.assigned")
def assign_region(campaign: Campaign, *, by: Actor, at: datetime, group: CampaignGroup, region_code: str) -> Campaign:
    """A group takes the enterprises of a region."""
    _running(campaign, CampaignState.RUNNING)
    with widened(EVERYTHING):
        CampaignEnterprise.objects.filter(campaign=campaign, region_code__startswith=region_code.rstrip("0")).update(
            group=group
        )
    return campaign


@action(Permission.ATTEND_CAMPAIGNS, "campaign.attended")
def attend_campaign(
    campaign: Campaign, *, by: Actor, at: datetime, enterprise: Enterprise, on: date, names: Sequence[str], helps: bool
) -> Campaign:
    """An insurer's people were at an enterprise of the campaign: who, when, and whether they helped to rectify."""
    _running(campaign, CampaignState.RUNNING)
    if not campaign.starts_on <= on <= min(campaign.ends_on, beijing_day(at)):
        raise Refused(
            "day_outside_campaign",
            _("The day is not one of the campaign, or has not come yet."),
            remedy=_("Give the day on which they were there."),
            field="on",
        )
    insurer = by.scope.insurer_id
    if insurer is None:
        raise Refused("not_your_step", _("This step is not yours to take."), remedy=_("Insurers attend."), status=403)
    with widened(EVERYTHING):
        listed = CampaignEnterprise.objects.filter(campaign=campaign, enterprise=enterprise).first()
        if listed is None:
            raise Refused(
                "not_on_list",
                _("The enterprise is not on the list of the campaign."),
                remedy=_("The authority that runs the campaign can add it."),
                field="enterprise",
            )
        Attendance.objects.bulk_create(
            [
                Attendance(
                    campaign=campaign, enterprise=enterprise, insurer_id=insurer, region_code=enterprise.region_code,
                    sector=enterprise.sector, on=on, group_id=listed.group_id, name=name, helps=helps,
                )
                for name in dict.fromkeys(names)
            ],
            ignore_conflicts=True,
        )  # fmt: skip
    return campaign


@action(Permission.RUN_CAMPAIGNS, "campaign.enterprise_added")
def add_enterprise(campaign: Campaign, *, by: Actor, at: datetime, enterprise: Enterprise) -> Campaign:
    _running(campaign, CampaignState.RUNNING)
    with widened(EVERYTHING):
        CampaignEnterprise.objects.get_or_create(
            campaign=campaign,
            enterprise=enterprise,
            defaults={"region_code": enterprise.region_code, "sector": enterprise.sector, "reason": "HAND"},
        )
    return campaign


@action(Permission.RUN_CAMPAIGNS, "campaign.closed")
def close_campaign(campaign: Campaign, *, by: Actor, at: datetime, result: str) -> Campaign:
    with widened(EVERYTHING):
        CAMPAIGN.move(campaign, "close", closed_on=beijing_day(at), result=result)
    return campaign


def _running(campaign: Campaign, *states: CampaignState) -> None:
    if campaign.state not in states:
        raise Refused(
            "wrong_state",
            _("This cannot be done in the present state."),
            remedy=_("Reload the page: somebody may have moved it meanwhile."),
            status=409,
        )
