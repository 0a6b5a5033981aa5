"""Campaigns: what is to be done where, by whom, and who was there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.hazards.rules import CampaignState, Reason
from anze.kernel.models import PublicTable, ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Enterprise, Expert, Organisation
from anze.prevention.models.reports import Issued


def _codes(title: Any) -> Any:
    return ArrayField(models.CharField(max_length=12), default=list, blank=True, verbose_name=title)


class Campaign(PublicTable):
    """One campaign. Which enterprises it concerns is worked out and frozen when it starts."""

    code = models.CharField(_("code"), max_length=30, unique=True)
    title = models.CharField(_("title"), max_length=120)
    about = models.CharField(_("diagnosis and goals"), max_length=1000, blank=True)
    authority = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("run by"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(pgettext_lazy("campaign", "until"))
    sectors = _codes(_("sectors"))
    regions = _codes(_("regions"))
    industries = _codes(_("industries, by the beginning of their code"))
    checklist_code = models.CharField(_("checklist"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=CampaignState.choices, default=CampaignState.PLANNED)
    closed_on = models.DateField(pgettext_lazy("campaign", "ended on"), null=True)
    result = models.CharField(_("what came of it"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_on__gte=models.F("starts_on")), name="campaign_days_in_order"),
            models.CheckConstraint(
                condition=Q(state="CLOSED", closed_on__isnull=False) | (~Q(state="CLOSED") & Q(closed_on__isnull=True)),
                name="campaign_ended_with_its_day",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-starts_on", "-id"], name="campaign_by_day")]

    def __str__(self) -> str:
        return self.title


class CampaignGroup(PublicTable):
    """A group of experts."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="groups", verbose_name=_("campaign"))
    name = models.CharField(_("group"), max_length=60)

    class Meta:
        verbose_name = _("expert group")
        verbose_name_plural = _("expert groups")
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "name"], name="campaign_group_once")]

    def __str__(self) -> str:
        return self.name


class CampaignMember(PublicTable):
    group = models.ForeignKey(CampaignGroup, models.CASCADE, related_name="members")
    expert = models.ForeignKey(Expert, models.PROTECT, related_name="+", verbose_name=_("expert"))
    is_leader = models.BooleanField(_("leads the group"), default=False)

    class Meta:
        verbose_name = _("member of an expert group")
        verbose_name_plural = _("members of expert groups")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "expert"], name="campaign_member_once"),
            models.UniqueConstraint(fields=["group"], condition=Q(is_leader=True), name="campaign_group_one_leader"),
        ]

    def __str__(self) -> str:
        return str(self.expert_id)


_OF_GROUP = "group_id IN (SELECT group_id FROM hazards_campaignmember WHERE expert_id = {})".format(party("expert"))


class _AtEnterprise(ScopedTable):
    """Agencies see none of these rows, yet count them on the campaign's page: nothing, instead of being refused."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", verbose_name=_("campaign"))
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, related_name="+", verbose_name=_("enterprise")
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, null=True, related_name="+", verbose_name=_("insurer")
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        abstract = True


class CampaignEnterprise(_AtEnterprise):
    """An enterprise on the frozen list, with the insurer that covered it then, and how it came there."""

    policies: ClassVar = {"anze_expert": _OF_GROUP, "anze_agency": "false"}

    reason = models.CharField(_("how it came onto the list"), max_length=8, choices=Reason.choices)
    group = models.ForeignKey(CampaignGroup, models.SET_NULL, null=True, related_name="+", verbose_name=_("group"))

    class Meta:
        verbose_name = _("enterprise of a campaign")
        verbose_name_plural = _("enterprises of a campaign")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "enterprise"], name="campaign_enterprise_once")
        ]

    def __str__(self) -> str:
        return str(self.enterprise_id)


class Attendance(_AtEnterprise):
    """One of an insurer's people at one enterprise on one day: he attended, or he helped to rectify as well."""

    policies: ClassVar = {"anze_expert": _OF_GROUP, "anze_agency": "false"}

    on = models.DateField(_("day"))
    group = models.ForeignKey(CampaignGroup, models.SET_NULL, null=True, related_name="+", verbose_name=_("group"))
    name = models.CharField(pgettext_lazy("person", "name"), max_length=60)
    helps = models.BooleanField(_("helped to rectify"), default=False)

    class Meta:
        verbose_name = _("attendance at a campaign")
        verbose_name_plural = _("attendance at campaigns")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "enterprise", "on", "insurer", "name"], name="campaign_attendance_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["campaign", "-on", "-id"], name="attendance_by_day")]

    def __str__(self) -> str:
        return self.name


class CampaignReport(Issued, ScopedTable):
    """One issue of the closing report of a campaign, of the whole province; the last one holds. It belongs to the authority that ran the campaign: whoever looks after a part of its area sees his own
    figures on the campaign's page."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="reports", verbose_name=_("campaign"))
    region_code = models.CharField(_("region"), max_length=6)

    class Meta:
        verbose_name = _("closing report of a campaign")
        verbose_name_plural = _("closing reports of campaigns")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "issue"], name="campaign_report_issue_once")
        ]


@dataclass(frozen=True)
class Figures:
    """A campaign in the shape in which its figures are published, as far as the reader sees its rows."""

    enterprises: int = 0
    visited: int = 0
    insurers: int = 0
    person_times: int = 0
    helping: int = 0
    hazards: int = 0
    major: int = 0
    rectified: int = 0
    major_rectified: int = 0
    helped: int = 0


def figures_of(campaign: Campaign) -> Figures:
    """Live, by one statement under the reader's own policies."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM hazards_campaignenterprise WHERE campaign_id = %(id)s),
                   a.visited, a.insurers, a.times, a.helping, h.all, h.major, h.closed, h.major_closed,
                   (SELECT count(DISTINCT s.hazard_id) FROM hazards_hazardstep s JOIN hazards_hazard z
                    ON z.id = s.hazard_id WHERE z.campaign_code = %(code)s AND NOT z.is_void AND s.kind = 'ASSISTED')
            FROM (SELECT count(DISTINCT enterprise_id) AS visited, count(DISTINCT insurer_id) AS insurers,
                         count(*) AS times, count(*) FILTER (WHERE helps) AS helping
                  FROM hazards_attendance WHERE campaign_id = %(id)s) a,
                 (SELECT count(*) AS all, count(*) FILTER (WHERE hazard_class = 'MAJOR') AS major,
                         count(*) FILTER (WHERE state = 'CLOSED') AS closed,
                         count(*) FILTER (WHERE state = 'CLOSED' AND hazard_class = 'MAJOR') AS major_closed
                  FROM hazards_hazard WHERE campaign_code = %(code)s AND campaign_code <> '' AND NOT is_void) h
            """,
            {"id": campaign.pk, "code": campaign.code},
        )
        return Figures(*cursor.fetchone())


@dataclass(frozen=True)
class Share:
    """What one insurer brought to a campaign."""

    insurer_id: Any
    person_times: int
    helping: int
    hazards: int
    major: int
    rectified: int
    helped: int


def shares_of(campaign: Campaign) -> list[Share]:
    """By insurer, the most person-times first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(a.insurer_id, h.insurer_id), coalesce(a.times, 0), coalesce(a.helping, 0),
                   coalesce(h.all, 0), coalesce(h.major, 0), coalesce(h.closed, 0), coalesce(h.helped, 0)
            FROM (SELECT insurer_id, count(*) AS times, count(*) FILTER (WHERE helps) AS helping FROM hazards_attendance WHERE campaign_id = %(id)s
                  GROUP BY 1) a
            FULL JOIN (SELECT insurer_id, count(*) AS all, count(*) FILTER (WHERE hazard_class = 'MAJOR') AS major,
                              count(*) FILTER (WHERE state = 'CLOSED') AS closed,
                              count(*) FILTER (WHERE EXISTS (SELECT FROM hazards_hazardstep s
                                               WHERE s.hazard_id = z.id AND s.kind = 'ASSISTED')) AS helped
                       FROM hazards_hazard z WHERE campaign_code = %(code)s AND campaign_code <> '' AND NOT is_void
                       GROUP BY 1) h ON h.insurer_id = a.insurer_id
            ORDER BY 2 DESC, 4 DESC, 1
            """,
            {"id": campaign.pk, "code": campaign.code},
        )
        return [Share(*row) for row in cursor.fetchall()]
