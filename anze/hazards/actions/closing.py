"""The closing report of a campaign: its figures as they are published, who took part, what came of it; signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import arrived
from anze.evidence.actions.media import keep_original
from anze.evidence.rules import FileType
from anze.hazards.models import Campaign, CampaignMember, CampaignReport, figures_of, shares_of
from anze.hazards.rules import CampaignState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.kernel.scope import EVERYTHING, PROVINCE, widened
from anze.kernel.signing import sign
from anze.kernel.wording import listed
from anze.library.models import Checklist, Criterion
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.reports import Face, drawn_code, typeset_report
from anze.prevention.rules.reports import CHECK_LENGTH, digest_of
from anze.screen.columns import labels, region_name

NOTHING = "–"

_BY_CITY = """
SELECT left(c.code, 4) || '00', count(*) FILTER (WHERE c.what = 'E'), count(*) FILTER (WHERE c.what = 'A'),
       count(*) FILTER (WHERE c.what IN ('G', 'M')), count(*) FILTER (WHERE c.what = 'M'), count(*) FILTER (WHERE c.closed)
FROM (
    SELECT region_code AS code, 'E' AS what, false AS closed FROM hazards_campaignenterprise WHERE campaign_id = %(id)s
    UNION ALL SELECT min(region_code), 'A', false FROM hazards_attendance WHERE campaign_id = %(id)s GROUP BY enterprise_id
    UNION ALL SELECT region_code, CASE hazard_class WHEN 'MAJOR' THEN 'M' ELSE 'G' END, state = 'CLOSED'
      FROM hazards_hazard WHERE campaign_code = %(code)s AND campaign_code <> '' AND NOT is_void) c
GROUP BY 1 ORDER BY 1
"""
_BY_CRITERION = """
SELECT criterion_code, criterion_edition, count(*), count(*) FILTER (WHERE state = 'CLOSED') FROM hazards_hazard
WHERE campaign_code = %(code)s AND campaign_code <> '' AND NOT is_void AND hazard_class = 'MAJOR'
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


def _rows(statement: str, campaign: Campaign) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": campaign.pk, "code": campaign.code})
        return list(cursor.fetchall())


def _table(name: str, title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, Any]:
    said = [[str(cell) for cell in row] for row in rows]
    return {"name": name, "title": title, "table": {"heads": [capfirst(each) for each in heads], "rows": said}}


def closing_content(campaign: Campaign, language: str, at: datetime) -> dict[str, Any]:
    """What the closing report of a campaign says now, over the whole province."""
    with widened(EVERYTHING), translation.override(language):
        figures = figures_of(campaign)
        names = labels(Sector.choices)
        parts: list[dict[str, Any]] = [
            {
                "name": "campaign",
                "title": _now("The campaign"),
                "facts": [
                    [_now("Code"), campaign.code],
                    [_now("Run by"), str(campaign.authority or NOTHING)],
                    [_now("From – until"), f"{campaign.starts_on} – {campaign.ends_on}"],
                    [_now("Ended on"), str(campaign.closed_on or _now("not ended yet"))],
                    [
                        _now("Sectors"),
                        listed(names.get(each, each) for each in campaign.sectors) or _now("all"),
                    ],
                    [_now("Regions"), listed(region_name(each) for each in campaign.regions) or _now("all")],
                    [_now("Checklist"), _checklist(campaign)],
                ],
                "text": campaign.about,
            },
            {
                "name": "figures",
                "title": _now("Figures as of %(day)s") % {"day": beijing_day(at)},
                "facts": [
                    [_now("Insurers that took part"), str(figures.insurers)],
                    [_now("Person-times of insurers"), str(figures.person_times)],
                    [_now("of which helped to rectify"), str(figures.helping)],
                    [_now("Enterprises on the list"), str(figures.enterprises)],
                    [_now("of which attended"), str(figures.visited)],
                    [_now("Hazards found"), str(figures.hazards)],
                    [_now("Hazards rectified and verified"), str(figures.rectified)],
                    [_now("Major hazards found"), str(figures.major)],
                    [_now("Major hazards rectified and verified"), str(figures.major_rectified)],
                    [_now("Hazards with help on record"), str(figures.helped)],
                ],
            },
        ]
        shares = shares_of(campaign)
        insurers = Organisation.objects.in_bulk([each.insurer_id for each in shares])
        parts.append(
            _table(
                "insurers", _now("Who took part and helped"),
                [_now("Insurer"), _now("Person-times"), _now("helped to rectify"), _now("Hazards"), _now("Major hazards"),
                 _now("Rectified"), _now("with help on record")],
                [[insurers[each.insurer_id], each.person_times, each.helping, each.hazards, each.major, each.rectified,
                  each.helped] for each in shares],
            )
        )  # fmt: skip
        parts.append(
            _table(
                "cities", _now("By city"),
                [_now("City"), _now("Enterprises"), _now("attended"), _now("Hazards"), _now("Major hazards"), _now("Rectified")],
                [[region_name(code), *rest] for code, *rest in _rows(_BY_CITY, campaign)],
            )
        )  # fmt: skip
        parts.append(_major(campaign))
        parts.append(_groups(campaign))
        if campaign.result:
            parts.append({"name": "result", "title": _now("What came of it"), "text": campaign.result})
        return {"language": language, "parts": [each for each in parts if each.get("table", {"rows": 1})["rows"]]}


def _checklist(campaign: Campaign) -> str:
    found = Checklist.objects.filter(code=campaign.checklist_code).order_by("-version").first()
    return found.title if found else campaign.checklist_code or NOTHING


def _major(campaign: Campaign) -> dict[str, Any]:
    rows = _rows(_BY_CRITERION, campaign)
    texts = {
        (each.code, each.standard.code): f"{each.standard.number} {each.clause}: {each.text}"
        for each in Criterion.objects.filter(code__in=[row[0] for row in rows]).select_related("standard")
    }
    return _table(
        "major", _now("Major hazards by criterion"),
        [_now("Criterion"), _now("Basis"), _now("Found"), _now("Rectified")],
        [[code or NOTHING, texts.get((code, edition), NOTHING), found, closed] for code, edition, found, closed in rows],
    )  # fmt: skip


def _groups(campaign: Campaign) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    members = CampaignMember.objects.filter(group__campaign=campaign).select_related("group", "expert")
    for each in members.order_by("group__name", "-is_leader", "expert__name"):
        leads = _now(" (leader)") if each.is_leader else ""
        found.setdefault(each.group.name, []).append(f"{each.expert.name}{leads}")
    return _table(
        "groups",
        _now("Expert groups"),
        [_now("Group"), _now("Experts")],
        [[name, listed(experts)] for name, experts in found.items()],
    )


def draft_of(campaign: Campaign, language: str, at: datetime) -> bytes:
    """The closing report as it would be issued now, marked as a draft: nothing is kept and nothing signed."""
    return _typeset(campaign, closing_content(campaign, language, at), at=at)


@action(Permission.RUN_CAMPAIGNS, "campaign.report_issued")
def issue_closing(campaign: Campaign, *, by: Actor, at: datetime, base: str, language: str) -> CampaignReport:
    """Issue the closing report of a campaign that has ended; `base` is the address of the platform.

    Where the last issue says the same already, that one is it. Otherwise a new issue takes its place.
    """
    if campaign.state != CampaignState.CLOSED:
        raise Refused(
            "campaign_not_ended",
            _("A campaign that is not ended has no closing report."),
            remedy=_("End the campaign first; until then look at the draft."),
            status=409,
        )
    with widened(EVERYTHING):
        campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
        content = closing_content(campaign, language, at)
        digest = digest_of(content)
        last = CampaignReport.objects.filter(campaign=campaign).order_by("-issue").first()
        if last is not None and last.content_sha256 == digest:
            return last
        day = beijing_day(at)
        made = CampaignReport(
            campaign=campaign,
            region_code=campaign.authority.region_id if campaign.authority else PROVINCE,
            number=f"ZX{day:%Y%m%d}-{drawn_code(6)}",
            check_code=drawn_code(CHECK_LENGTH),
            issue=last.issue + 1 if last else 1,
            issued_at=at,
            issued_on=day,
            issued_by=by.name[:120],
            content=content,
            content_sha256=digest,
        )
        fields = (made.number, str(made.issue), day.isoformat(), campaign.code, digest)
        made.signed = sign("campaign", fields, at=at)
        address = f"{base.rstrip('/')}/verify/campaign/{made.number}/?c={made.check_code}"
        face = Face(made.number, made.issue, made.check_code, made.signed, address)
        pdf = _typeset(campaign, content, at=at, face=face)
        made.original = keep_original(arrived(pdf), FileType.PDF, None, at)
        made.file_sha256 = made.original.sha256
        made.save(force_insert=True)
        return made


def _typeset(campaign: Campaign, content: dict[str, Any], *, at: datetime, face: Face | None = None) -> bytes:
    with translation.override(content["language"]):
        authority = str(campaign.authority or "")
        seal = {"side": _now("For the authority"), "name": authority, "when": "", "file": ""}
        return typeset_report(
            {**content, "signatures": [seal]},
            title=_now("Closing report of %(campaign)s") % {"campaign": campaign.title},
            issuer=authority,
            closing=_now(
                "Rectified means verified, not merely reported as done. Person-times count each person at each enterprise and day."
            ),
            signed_under=_now("Seal"),
            at=at,
            face=face,
        )
