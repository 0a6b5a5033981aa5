"""The year's “1+1” campaign as the platform keeps it: its list, its groups, who attended and who helped.

Its visits and hazards came through the feeds; what is added here is taken from them by a few statements.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection

from anze.exchange.synthetic.figures import CAMPAIGN
from anze.hazards.actions.recurrence import propose_recurrences
from anze.hazards.models import Campaign
from anze.hazards.rules import CampaignState
from anze.library.models import Checklist
from anze.library.rules import ALUMINIUM_CAMPAIGN
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind

# the services of the campaign: those that found its hazards
_VISITS = """
CREATE TEMP TABLE campaign_visits ON COMMIT DROP AS
SELECT s.id, s.enterprise_id, s.insurer_id, s.region_code, s.sector, s.performed_on
FROM prevention_service s
WHERE s.id IN (SELECT service_id FROM hazards_hazard WHERE campaign_code = %(code)s AND NOT is_void)
"""
_GROUPS = """
INSERT INTO hazards_campaigngroup (campaign_id, name)
SELECT %(id)s, r.name || '专家组' FROM parties_region r
WHERE r.code IN (SELECT left(region_code, 4) || '00' FROM campaign_visits)
"""
# those who went most often in a city; the first of them leads
_MEMBERS = """
INSERT INTO hazards_campaignmember (group_id, expert_id, is_leader)
SELECT m.group_id, m.expert_id, m.place = 1 FROM (
    SELECT g.id AS group_id, p.expert_id,
           row_number() OVER (PARTITION BY g.id ORDER BY count(*) DESC, p.expert_id) AS place
    FROM campaign_visits v JOIN prevention_serviceperson p ON p.service_id = v.id AND p.expert_id IS NOT NULL
    JOIN parties_region r ON r.code = left(v.region_code, 4) || '00'
    JOIN hazards_campaigngroup g ON g.campaign_id = %(id)s AND g.name = r.name || '专家组'
    GROUP BY 1, 2) m WHERE m.place <= 5
"""
_ENTERPRISES = """
INSERT INTO hazards_campaignenterprise (campaign_id, enterprise_id, insurer_id, region_code, sector, reason, group_id)
SELECT DISTINCT ON (v.enterprise_id) %(id)s, v.enterprise_id, v.insurer_id, v.region_code, v.sector, 'FILTER', g.id
FROM campaign_visits v JOIN parties_region r ON r.code = left(v.region_code, 4) || '00'
JOIN hazards_campaigngroup g ON g.campaign_id = %(id)s AND g.name = r.name || '专家组'
ORDER BY v.enterprise_id, v.performed_on
"""
# as many of the insurer's people as experts: one attends, the other helps to rectify
_ATTENDANCE = """
INSERT INTO hazards_attendance (campaign_id, enterprise_id, insurer_id, region_code, sector, "on", group_id, name, helps)
SELECT %(id)s, v.enterprise_id, v.insurer_id, v.region_code, v.sector, v.performed_on, e.group_id,
       left(st.name || CASE WHEN p.place > 1 THEN '（协助整改）' ELSE '' END || CASE WHEN row_number() OVER again > 1
            THEN ' ' || row_number() OVER again ELSE '' END, 60), p.place > 1
FROM campaign_visits v
JOIN hazards_campaignenterprise e ON e.campaign_id = %(id)s AND e.enterprise_id = v.enterprise_id
JOIN LATERAL (SELECT name FROM prevention_serviceperson WHERE service_id = v.id AND kind = 'INSURER_STAFF'
              ORDER BY seq LIMIT 1) st ON true
JOIN (SELECT service_id, row_number() OVER (PARTITION BY service_id ORDER BY seq) AS place
      FROM prevention_serviceperson WHERE kind = 'EXPERT') p ON p.service_id = v.id
WINDOW again AS (PARTITION BY v.enterprise_id, v.performed_on, v.insurer_id, st.name, p.place > 1 ORDER BY v.id, p.place)
"""
_HELP = """
INSERT INTO hazards_hazardstep (hazard_id, kind, at, from_state, to_state, party, by_name, organisation_name, words,
    to_whom, means, number, hazard_class, level, media, region_code, sector, insurer_id, enterprise_id)
SELECT h.id, 'ASSISTED', h.rectified_on::timestamp AT TIME ZONE 'Asia/Shanghai' + interval '10 hours', h.state, h.state,
       'INSURER', st.name, o.name, '随专家组到场，协助企业制定整改措施并跟踪落实', st.name, '', '', '', '', '{}',
       h.region_code, h.sector, h.insurer_id, h.enterprise_id
FROM hazards_hazard h JOIN parties_organisation o ON o.id = h.insurer_id
JOIN LATERAL (SELECT name FROM prevention_serviceperson WHERE service_id = h.service_id AND kind = 'INSURER_STAFF'
              ORDER BY seq LIMIT 1) st ON true
WHERE h.campaign_code = %(code)s AND NOT h.is_void AND h.rectified_on IS NOT NULL
"""
# so many days back the hazards found are compared with earlier ones, as the nightly job does
LOOK_BACK = timedelta(days=20)


def create_campaign(as_of: date, at: datetime) -> Campaign:
    """The campaign of the year, from what the insurers delivered; and what came back in the last weeks."""
    last = as_of - timedelta(days=1)
    code = f"{CAMPAIGN}-{last.year}"
    checklist = Checklist.objects.filter(campaign=ALUMINIUM_CAMPAIGN).order_by("-version").first()
    campaign = Campaign.objects.create(
        code=code,
        title=f"{last.year}年铝加工（深井铸造）企业“1+1”专项服务",
        about="应急管理部门组织专家诊断，保险机构派员全程随行，协助企业整改，重点消除深井铸造重大事故隐患。",
        authority=Organisation.objects.filter(kind=OrganisationKind.EMA, region_id="370000").first(),
        starts_on=date(last.year, 1, 1),
        ends_on=date(last.year, 12, 31),
        sectors=["SMELT"],
        checklist_code=checklist.code if checklist else "",
        state=CampaignState.RUNNING,
    )
    words = {"id": str(campaign.pk), "code": code}
    with connection.cursor() as cursor:
        for statement in (_VISITS, _GROUPS, _MEMBERS, _ENTERPRISES, _ATTENDANCE, _HELP):
            cursor.execute(statement, words)
        cursor.execute("DROP TABLE campaign_visits")
    propose_recurrences(last - LOOK_BACK, last, at=at)
    return campaign
