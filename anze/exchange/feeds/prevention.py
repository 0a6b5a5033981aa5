"""Service plans with their items, and the services done with the persons who did them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.exchange.feed import SENDER, Check, Feed, Field, Kind, Lines, Reference, Sender
from anze.exchange.feeds.policies import OWN_POLICY, POLICY_NO_OF_RECORD, engage, money, moved_with_story
from anze.parties.models import Expert, Organisation
from anze.parties.rules import RiskTier
from anze.prevention.models import FINGERPRINT, Plan, PlanItem, Service, ServicePerson, TaskShare
from anze.prevention.rules import ConfirmationMethod, PersonKind, ServiceForm, ServiceType, StandardEdition

AGENCY = Reference(
    "agency_code",
    Organisation,
    {"code": "agency_code"},
    {"agency_id": "id"},
    "unknown_agency",
    where="{t}.kind = 'AGENCY'",
)


def agency_code(example: tuple[str, str]) -> Field:
    return Field(
        "agency_code",
        Kind.TEXT,
        _("agency"),
        example,
        _("The platform's code of the technical service agency, if one was commissioned."),
        required=False,
        column="",
        max_length=20,
    )


ENGAGE_PLANNED = engage(
    "SELECT i.agency_id AS party_id, r.enterprise_id, r.agreed_on AS day "
    "FROM resolved r JOIN prevention_planitem i ON i.plan_id = r.id WHERE r.outcome IN ('A', 'U')"
)
ENGAGE_SERVING = engage(
    "SELECT r.agency_id AS party_id, r.enterprise_id, r.event_on AS day FROM resolved r "
    "WHERE r.outcome IN ('A', 'U') UNION ALL "
    "SELECT p.expert_id, r.enterprise_id, r.event_on FROM resolved r "
    "JOIN prevention_serviceperson p ON p.service_id = r.id WHERE r.outcome IN ('A', 'U')"
)

# A corrected plan may bring back an item that services were reported for.
RELINK_SERVICES = """
UPDATE prevention_service s SET plan_item_id = i.id
FROM resolved r JOIN prevention_planitem i ON i.plan_id = r.id
WHERE r.outcome = 'U' AND s.policy_id = r.policy_id AND s.plan_no = r.plan_no AND s.plan_item_seq = i.seq
AND s.plan_item_id IS DISTINCT FROM i.id
"""

# A corrected plan keeps the enterprise's confirmation while its items stand as they were confirmed, whatever the
# insurer's system knows of it; with other items it needs a new one, unless the insurer reports a later day.
KEEP_CONFIRMATIONS = f"""
UPDATE prevention_plan p SET confirmed_on = CASE
    WHEN c.items = c.present THEN coalesce(p.confirmed_on, c.confirmed_on)
    WHEN p.confirmed_on <= c.confirmed_on THEN NULL ELSE p.confirmed_on END
FROM (
    SELECT DISTINCT ON (k.plan_id) k.plan_id, k.items, k.confirmed_on, {FINGERPRINT.format(plan="k.plan_id")} AS present
    FROM prevention_planconfirmation k JOIN resolved r ON r.id = k.plan_id AND r.outcome = 'U'
    ORDER BY k.plan_id, k.confirmed_at DESC
) AS c
WHERE p.id = c.plan_id AND p.confirmed_on IS DISTINCT FROM CASE
    WHEN c.items = c.present THEN coalesce(p.confirmed_on, c.confirmed_on)
    WHEN p.confirmed_on <= c.confirmed_on THEN NULL ELSE p.confirmed_on END
"""

# What is recorded under a service belongs to the agency that did it, also after a correction.
HAZARDS_FOLLOW_SERVICE = """
UPDATE hazards_hazard h SET agency_id = r.agency_id FROM resolved r
WHERE r.outcome = 'U' AND h.service_id = r.id AND h.agency_id IS DISTINCT FROM r.agency_id
"""

# What was recorded on the platform itself is not taken away by a correction that is silent about it. The
# enterprise's word stands as long as the record's day and kind of service are those it spoke of.
WORDS_STAND = """
UPDATE prevention_service s SET confirmation = 'ONLINE', confirmed_by = c.by_name, confirmed_on = c.said_on
FROM resolved r JOIN LATERAL (
    SELECT * FROM prevention_confirmation WHERE service_id = r.id ORDER BY said_at DESC LIMIT 1
) c ON true
WHERE r.outcome = 'U' AND s.id = r.id AND s.confirmation = 'NONE' AND c.answer = 'YES'
AND c.performed_on = s.performed_on AND c.service_type = s.service_type
"""
REPORTS_STAND = """
UPDATE prevention_service s SET report_file = p.number || '.pdf'
FROM resolved r JOIN prevention_report p ON p.service_id = r.id AND p.state = 'VALID'
WHERE r.outcome = 'U' AND s.id = r.id AND s.report_file = ''
"""
CALLS_STAND = """
UPDATE prevention_service s SET followed_up_on = c.called_on, satisfaction = coalesce(s.satisfaction, c.score),
    opinion = CASE WHEN s.opinion = '' THEN c.opinion ELSE s.opinion END
FROM resolved r JOIN LATERAL (
    SELECT * FROM prevention_followup WHERE service_id = r.id AND is_reached ORDER BY called_on DESC, id DESC LIMIT 1
) c ON true
WHERE r.outcome = 'U' AND s.id = r.id AND s.followed_up_on IS NULL AND c.called_on >= s.performed_on
"""

# A returned service that was corrected goes back to the reviewer; until it passes it stays returned.
CHECKS_AGAIN = """
UPDATE prevention_qualitycheck c SET state = 'RESUBMITTED' FROM resolved r
WHERE r.outcome = 'U' AND c.service_id = r.id AND c.state = 'RETURNED'
"""

_ITEMS = (
    Field("service_type", Kind.CODE, _("service"), ("HAZARD", "TRAIN"), codes=ServiceType),
    Field("form", Kind.CODE, _("form"), ("COMMISSIONED_TSP", "OWN_STAFF"), codes=ServiceForm),
    Field("times", Kind.INTEGER, _("times"), (2, 1), minimum=1, maximum=366),
    Field("window_start_on", Kind.DATE, _("from"), ("2026-04-01", "2026-06-01")),
    Field("window_end_on", Kind.DATE, _("until"), ("2026-12-31", "2026-10-31"), _("The last day of the window.")),
    agency_code(("AGY01", "")),
    Field(
        "task_code",
        Kind.TEXT,
        _("task no."),
        ("", ""),
        _("The committee's task this item serves, if it is one of yours."),
        required=False,
        column="",
        max_length=40,
    ),
)

PLANS = Feed(
    name="plans",
    title=_("Service plans"),
    about=_("What prevention services were agreed for a policy: items, forms, how often, when and by whom."),
    sender=Sender.INSURER,
    model=Plan,
    key=("plan_no",),
    event="agreed_on",
    module="prevention",
    own_fields=(
        Field(
            "plan_no",
            Kind.TEXT,
            _("plan no."),
            ("FA2026370100000123", "FA2026370200000456"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        POLICY_NO_OF_RECORD,
        Field("edition", Kind.CODE, _("standard edition"), ("AQ9010_2019", "AQ9010_2019"), codes=StandardEdition),
        Field("risk_tier", Kind.CODE, _("risk tier"), ("HIGH", "MEDIUM"), codes=RiskTier),
        Field(
            "agreed_on",
            Kind.DATE,
            _("agreed on"),
            ("2026-03-20", "2026-04-10"),
            _("The day the plan was agreed with the enterprise; the reporting clock starts on it."),
        ),
        Field(
            "confirmed_on",
            Kind.DATE,
            _("confirmed by the enterprise on"),
            ("2026-03-23", None),
            required=False,
        ),
        Field("goals", Kind.TEXT, _("goals"), ("重大隐患动态清零", ""), required=False, max_length=300),
        Field(
            "items",
            Kind.ROWS,
            _("plan items"),
            (
                [
                    {
                        "service_type": "HAZARD",
                        "form": "COMMISSIONED_TSP",
                        "times": 2,
                        "window_start_on": "2026-04-01",
                        "window_end_on": "2026-12-31",
                        "agency_code": "AGY01",
                    },
                    {
                        "service_type": "TRAIN",
                        "form": "OWN_STAFF",
                        "times": 1,
                        "window_start_on": "2026-06-01",
                        "window_end_on": "2026-10-31",
                    },
                ],
                [
                    {
                        "service_type": "HAZARD",
                        "form": "OWN_STAFF",
                        "times": 1,
                        "window_start_on": "2026-05-01",
                        "window_end_on": "2026-10-31",
                    }
                ],
            ),
            _("Numbered in the order given, from 1; a service names its item by this number."),
            minimum=1,
            of=_ITEMS,
        ),
    ),
    references=(OWN_POLICY,),
    checks=(
        moved_with_story("prevention_plan", "policy_no"),
        Check(
            "confirmed_before_agreed",
            "confirmed_on",
            "r.confirmed_on < r.agreed_on",
            _("The plan was confirmed before it was agreed."),
            _("Correct one of the two days."),
        ),
    ),
    lines=(
        Lines(
            "items",
            PlanItem,
            "plan_id",
            ("policy_id", "enterprise_id", "insurer_id", "region_code", "sector"),
            references=(
                AGENCY,
                Reference(
                    "task_code",
                    TaskShare,
                    {"insurer_id": SENDER, "task_code": "task_code"},
                    {"task_id": "task_id"},
                    "unknown_task",
                ),
            ),
            checks=(
                Check(
                    "window_out_of_order",
                    "window_end_on",
                    "l.window_end_on < l.window_start_on",
                    _("The window ends before it begins."),
                    _("Correct the first or the last day of the window."),
                ),
                Check(
                    "window_outside_cover",
                    "window_start_on",
                    "l.window_start_on > greatest(r.policy_end_on, r.policy_cover_end_on) "
                    "OR l.window_end_on < r.policy_start_on",
                    _("The window lies wholly outside the policy's period."),
                    _("Correct the window, or name the policy it belongs to."),
                ),
                Check(
                    "item_without_agency",
                    "agency_code",
                    "l.form = 'COMMISSIONED_TSP' AND l.agency_code = ''",
                    _("A commissioned service names no agency."),
                    _("Give the agency's platform code, or choose another form."),
                ),
            ),
            unlink=(
                "UPDATE prevention_service SET plan_item_id = NULL WHERE plan_item_id IN ({surplus})",
                "UPDATE prevention_order SET plan_item_id = NULL WHERE plan_item_id IN ({surplus})",
            ),
        ),
    ),
    after=(RELINK_SERVICES, KEEP_CONFIRMATIONS, ENGAGE_PLANNED),
)

_PERSONS = (
    Field("kind", Kind.CODE, _("kind"), ("EXPERT", "INSURER_STAFF"), codes=PersonKind),
    Field("name", Kind.TEXT, pgettext_lazy("person", "name"), ("示例专家甲", "示例员工乙"), max_length=60),
    Field(
        "expert_number",
        Kind.TEXT,
        _("expert number"),
        ("EXP001", ""),
        _("The number in the expert register; it opens the record to the expert."),
        required=False,
        column="",
        max_length=30,
    ),
    Field("certificate_no", Kind.TEXT, _("certificate no."), ("", ""), required=False, max_length=40),
    Field("certificate_valid_to", Kind.DATE, _("certificate valid until"), (None, None), required=False),
)

SERVICES = Feed(
    name="services",
    title=_("Service records"),
    about=_("Prevention services done: when, where, by whom, what, and what came of it (AQ 9010)."),
    sender=Sender.INSURER,
    model=Service,
    key=("service_no",),
    event="started_at",
    module="prevention",
    own_fields=(
        Field(
            "service_no",
            Kind.TEXT,
            _("service no."),
            ("FW2026370100000901", "FW2026370200000902"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        POLICY_NO_OF_RECORD,
        Field(
            "plan_no",
            Kind.TEXT,
            _("plan no."),
            ("FA2026370100000123", ""),
            _("The plan this service fulfils, with the number of its item."),
            required=False,
            max_length=50,
        ),
        Field(
            "plan_item_seq",
            Kind.INTEGER,
            _("plan item no."),
            (1, None),
            required=False,
            minimum=1,
            maximum=200,
        ),
        agency_code(("AGY01", "")),
        Field("service_type", Kind.CODE, _("service"), ("HAZARD", "TRAIN"), codes=ServiceType),
        Field("form", Kind.CODE, _("form"), ("COMMISSIONED_TSP", "OWN_STAFF"), codes=ServiceForm),
        Field("edition", Kind.CODE, _("standard edition"), ("AQ9010_2019", "AQ9010_2019"), codes=StandardEdition),
        Field(
            "started_at",
            Kind.MOMENT,
            _("started at"),
            ("2026-05-12T09:00:00+08:00", "2026-06-18T14:00:00+08:00"),
            _("With time zone. The Beijing day is the day of the service and starts the reporting clock."),
        ),
        Field(
            "ended_at",
            Kind.MOMENT,
            _("ended at"),
            ("2026-05-12T16:30:00+08:00", "2026-06-18T16:00:00+08:00"),
        ),
        Field("place", Kind.TEXT, _("place"), ("示例路1号", ""), required=False),
        Field(
            "lon",
            Kind.DECIMAL,
            _("longitude"),
            ("117.076", None),
            _("WGS 84."),
            required=False,
            digits=9,
            places=6,
            minimum=114,
            maximum=123,
        ),
        Field(
            "lat",
            Kind.DECIMAL,
            _("latitude"),
            ("36.668", None),
            _("WGS 84."),
            required=False,
            digits=9,
            places=6,
            minimum=34,
            maximum=39,
        ),
        Field("attendees", Kind.INTEGER, _("persons attending"), (3, 42), maximum=30_000),
        Field(
            "topics",
            Kind.TEXT,
            _("topics"),
            ("深井铸造、行车、有限空间", "消防安全"),
            required=False,
            max_length=300,
        ),
        Field("report_text", Kind.TEXT, _("report"), ("", ""), required=False, max_length=20_000),
        Field(
            "report_file",
            Kind.TEXT,
            _("report file"),
            ("FW2026370100000901.pdf", "FW2026370200000902.pdf"),
            _("Name or address of the report in your archive."),
            required=False,
        ),
        Field(
            "photo_count",
            Kind.INTEGER,
            _("photos with time and place"),
            (6, 3),
            maximum=30_000,
        ),
        Field("has_service_mark", Kind.BOOL, _("unified service mark shown"), (True, True)),
        Field(
            "nil_findings",
            Kind.BOOL,
            _("nothing found"),
            (False, True),
            _("Yes states that hazards were looked for and none was found."),
        ),
        Field("hazards_found", Kind.INTEGER, _("hazards found"), (4, 0), maximum=30_000),
        Field("confirmed_by", Kind.TEXT, _("confirmed by"), ("示例负责人", ""), required=False, max_length=60),
        Field("confirmed_on", Kind.DATE, _("confirmed on"), ("2026-05-12", None), required=False),
        Field("confirmation", Kind.CODE, _("confirmation"), ("SIGNATURE", "NONE"), codes=ConfirmationMethod),
        Field("followed_up_on", Kind.DATE, _("followed up on"), ("2026-05-20", None), required=False),
        Field(
            "satisfaction",
            Kind.INTEGER,
            _("satisfaction (1–5)"),
            (5, None),
            required=False,
            minimum=1,
            maximum=5,
        ),
        Field("opinion", Kind.TEXT, _("opinion"), ("", ""), required=False, max_length=300),
        money("planned_cost", _("planned cost"), ("1200.00", "600.00"), digits=12),
        money("paid_cost", _("paid cost"), ("1200.00", "0.00"), digits=12),
        Field(
            "persons",
            Kind.ROWS,
            _("persons of the service"),
            (
                [
                    {
                        "kind": "EXPERT",
                        "name": "示例专家甲",
                        "expert_number": "EXP001",
                        "certificate_no": "SL3700000001",
                        "certificate_valid_to": "2028-12-31",
                    },
                    {"kind": "INSURER_STAFF", "name": "示例员工乙"},
                ],
                [{"kind": "INSURER_STAFF", "name": "示例员工丙"}],
            ),
            _("Everyone who did the service."),
            minimum=1,
            of=_PERSONS,
        ),
    ),
    references=(
        OWN_POLICY,
        AGENCY,
        Reference(
            "plan_no",
            Plan,
            {"insurer_id": SENDER, "plan_no": "plan_no"},
            {},
            "unknown_plan",
            helps={"plan_id": "id", "plan_policy_id": "policy_id"},
        ),
        Reference(
            "plan_item_seq",
            PlanItem,
            {"plan_id": "plan_id", "seq": "plan_item_seq"},
            {"plan_item_id": "id"},
            "unknown_plan_item",
        ),
    ),
    checks=(
        moved_with_story("prevention_service", "policy_no"),
        Check(
            "plan_item_incomplete",
            "plan_item_seq",
            "(r.plan_no = '') <> (r.plan_item_seq IS NULL)",
            _("A plan item is named by the plan's number and the item's number together."),
            _("Give both, or leave both empty for a service outside the plan."),
        ),
        Check(
            "plan_of_another_policy",
            "plan_no",
            "r.plan_policy_id <> r.policy_id",
            _("The plan belongs to another policy."),
            _("Correct the number of the plan or of the policy."),
        ),
        Check(
            "service_without_agency",
            "agency_code",
            "r.form = 'COMMISSIONED_TSP' AND r.agency_code = ''",
            _("A commissioned service names no agency."),
            _("Give the agency's platform code, or choose another form."),
        ),
        Check(
            "service_ended_before_started",
            "ended_at",
            "r.ended_at < r.started_at",
            _("The service ended before it started."),
            _("Correct one of the two moments; mind the time zone."),
        ),
        Check(
            "service_too_long",
            "ended_at",
            "r.ended_at - r.started_at > interval '24 hours'",
            _("The service lasted longer than 24 hours."),
            _("Report each day's visit as a service of its own."),
        ),
        Check(
            "nothing_found_but_hazards",
            "nil_findings",
            "r.nil_findings AND r.hazards_found > 0",
            _("“Nothing found” is stated together with hazards found."),
            _("Correct one of the two."),
        ),
        Check(
            "findings_not_stated",
            "nil_findings",
            "r.service_type = 'HAZARD' AND NOT r.nil_findings AND r.hazards_found = 0",
            _("A hazard inspection must say what was found."),
            _("Give the number of hazards, or state that nothing was found."),
        ),
        Check(
            "confirmation_incomplete",
            "confirmed_on",
            "(r.confirmation = 'NONE') <> (r.confirmed_on IS NULL)",
            _("The way of confirmation and its day do not belong together."),
            _("Give both, or state “not confirmed” and leave the day empty."),
        ),
        Check(
            "confirmed_before_service",
            "confirmed_on",
            "r.confirmed_on < r.event_on",
            _("The service was confirmed before it took place."),
            _("Correct one of the two days."),
        ),
        Check(
            "followed_up_before_service",
            "followed_up_on",
            "r.followed_up_on < r.event_on",
            _("The follow-up lies before the service."),
            _("Correct one of the two days."),
        ),
        Check(
            "position_incomplete",
            "lat",
            "(r.lon IS NULL) <> (r.lat IS NULL)",
            _("A position needs longitude and latitude."),
            _("Give both, or leave both empty."),
        ),
    ),
    lines=(
        Lines(
            "persons",
            ServicePerson,
            "service_id",
            ("policy_id", "enterprise_id", "insurer_id", "agency_id", "region_code", "sector"),
            references=(
                Reference(
                    "expert_number",
                    Expert,
                    {"number": "expert_number"},
                    {"expert_id": "id"},
                    "unknown_expert",
                ),
            ),
        ),
    ),
    sets={"performed_on": "r.event_on"},
    after=(ENGAGE_SERVING, HAZARDS_FOLLOW_SERVICE, WORDS_STAND, REPORTS_STAND, CALLS_STAND, CHECKS_AGAIN),
)
