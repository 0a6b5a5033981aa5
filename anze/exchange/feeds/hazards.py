"""Hazards found at insured enterprises, from the finding to the verified closing."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.exchange.feed import SENDER, Check, Feed, Field, Kind, Reference, Sender
from anze.exchange.feeds.policies import OF_ENTERPRISE
from anze.hazards.models import Hazard
from anze.hazards.rules import ORDER, HazardClass, HazardSource, HazardState, VerifierKind
from anze.kernel.parameters import number_in_force
from anze.library.models import EDITION_OF_ENTRY_ON, EDITION_ON
from anze.parties.models import Enterprise
from anze.prevention.models import Service

# An enterprise the sender covers or has covered.
OWN_ENTERPRISE = Reference(
    "insured_uscc",
    Enterprise,
    {"uscc": "insured_uscc"},
    OF_ENTERPRISE,
    "unknown_enterprise",
    foreign="enterprise_not_yours",
    where="EXISTS (SELECT 1 FROM parties_engagement g WHERE g.party_id = {sender} AND g.enterprise_id = {t}.id)",
)
INSURED_USCC = Field(
    "insured_uscc",
    Kind.USCC,
    _("enterprise's credit code"),
    ("91370102XN09P37K57", "91370202XN09P37L37"),
    _("An enterprise that one of your policies covers or has covered."),
    column="",
    max_length=18,
)

# What a step on the platform set stays: `acted_at` is there from the first such step on. Until then the record is
# the insurer's system's alone, and nothing below costs it more than a comparison. The same content sent again
# changes nothing and is nothing to refuse.
_ACTED = "r.known_acted_at IS NOT NULL AND r.outcome = 'U'"
_KEPT = (
    "hazard_class", "deadline_on", "extended_to_on", "notified_on", "reported_at", "rectified_on", "verified_on",
    "closed_on", "verifier",
)  # fmt: skip


def _order(column: str) -> str:
    return f"CASE {column} " + " ".join(f"WHEN '{state}' THEN {n}" for state, n in ORDER.items()) + " END"


def _kept() -> str:
    # a class is there from the beginning; the others are set when they have a value
    parts = [
        f"(coalesce(r.known_{each}::text, '') <> '' AND r.{each} IS DISTINCT FROM r.known_{each})" for each in _KEPT
    ]
    parts.append("(r.known_notified_principal AND NOT r.notified_principal)")
    parts.append("(r.known_extension <> '' AND r.extended_to_on IS DISTINCT FROM r.known_extended_to_on)")
    return " OR ".join(parts)


def _workdays_after(day: str, parameter: str) -> str:
    """SQL: the end of the last day allowed, the first day that completes so many working days."""
    return (
        "(SELECT (min(d.day) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' FROM kernel_calendarday d "
        "WHERE d.ordinal = "
        f"(SELECT c.ordinal FROM kernel_calendarday c WHERE c.day = {day}) + {number_on(parameter, day, 'one.region')})"
    )


def number_on(parameter: str, day: str, region: str = "r.region_code") -> str:
    """SQL: the number in force on a day in a region, whole."""
    return f"{number_in_force(parameter, day, region)}::int"


_CRITERION = (
    "CASE WHEN r.known_acted_at IS NOT NULL AND r.criterion_code = '' THEN r.known_criterion_code "
    "ELSE r.criterion_code END"
)
# the edition stays as it was judged by, until criterion, hazard of the library or day are corrected
_EDITION = (
    f"CASE WHEN r.known_criterion_edition <> '' AND r.known_criterion_code = ({_CRITERION}) "
    "AND r.known_entry_code = r.entry_code AND r.known_event_on = r.found_on THEN r.known_criterion_edition "
    f"WHEN ({_CRITERION}) <> '' THEN coalesce({EDITION_ON.format(code=f'({_CRITERION})', day='r.found_on')}, '') "
    f"WHEN r.entry_code <> '' THEN coalesce({EDITION_OF_ENTRY_ON.format(code='r.entry_code', day='r.found_on')}, '') "
    "ELSE '' END"
)
# a deadline of each duty, computed once when the row is written
_DUE_BY_DAY = {
    "notify_due": ("found_on", _workdays_after("one.day", "hazard_notify_workdays"), "hazard_notify_workdays"),
    "recheck_due": ("rectified_on", _workdays_after("one.day", "hazard_recheck_workdays"), "hazard_recheck_workdays"),
    "authority_due": (
        "found_on",
        "(one.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' + make_interval(hours => "
        + number_on("major_hazard_report_hours", "one.day", "one.region")
        + ")",
        "major_hazard_report_hours",
    ),
}
_DUE = {
    "notify_due_at": "CASE WHEN r.state = 'FOUND' THEN notify_due.value END",
    "recheck_due_at": "CASE WHEN r.state = 'SUBMITTED' THEN recheck_due.value END",
    "authority_due_at": "CASE WHEN r.known_acted_at IS NOT NULL THEN r.known_authority_due_at "
    "WHEN r.hazard_class = 'MAJOR' THEN authority_due.value END",
    "extension_reason": "CASE WHEN r.known_extension = 'GRANTED' THEN r.known_extension_reason "
    "ELSE r.extension_reason END",
    "criterion_code": _CRITERION,
    "criterion_edition": _EDITION,
}
# once there is a story on the platform, what the insurer's system changes is told in it, as its own step
_TELL = """
INSERT INTO hazards_hazardstep (hazard_id, kind, at, from_state, to_state, party, by_name, organisation_name, words,
    to_whom, means, number, hazard_class, level, media, region_code, sector, insurer_id, enterprise_id)
SELECT r.id, 'CORRECTED', {received}, r.known_state, r.state, 'SYSTEM', o.name, '',
    CASE WHEN r.is_void THEN r.void_reason ELSE '' END,
    '', '', '', '', '', '{}', r.region_code, r.sector, {sender}, r.enterprise_id
FROM resolved r JOIN parties_organisation o ON o.id = {sender}
WHERE r.outcome = 'U' AND r.known_acted_at IS NOT NULL
"""

HAZARDS = Feed(
    name="hazards",
    title=_("Hazards"),
    about=_("Hazards found at insured enterprises and what became of them; each change is a correction."),
    sender=Sender.INSURER,
    model=Hazard,
    key=("hazard_no",),
    event="found_on",
    module="hazards",
    own_fields=(
        Field(
            "hazard_no",
            Kind.TEXT,
            _("hazard no."),
            ("YH2026370100000501", "YH2026370200000502"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        INSURED_USCC,
        Field("source", Kind.CODE, _("source"), ("SERVICE", "SELF_CHECK"), codes=HazardSource),
        Field(
            "service_no",
            Kind.TEXT,
            _("service no."),
            ("FW2026370100000901", ""),
            _("The service that found it; the hazard belongs to that service's agency too."),
            required=False,
            column="",
            max_length=50,
        ),
        Field("hazard_class", Kind.CODE, _("class"), ("MAJOR", "GENERAL"), codes=HazardClass),
        Field(
            "criterion_code",
            Kind.TEXT,
            _("criterion"),
            ("", ""),
            _("The criterion of the sector's major-hazard standard."),
            required=False,
            max_length=20,
        ),
        Field(
            "found_on",
            Kind.DATE,
            _("found on"),
            ("2026-05-12", "2026-07-02"),
            _("The reporting clock starts on this day."),
        ),
        Field("location", Kind.TEXT, _("location"), ("熔铸车间2号炉", "冷库配电室"), required=False),
        Field(
            "description",
            Kind.TEXT,
            _("description"),
            ("深井铸造结晶器冷却水系统未设置进出水温度监测报警装置", "配电箱门缺失"),
            max_length=500,
        ),
        Field(
            "advice",
            Kind.TEXT,
            _("advice"),
            ("加装监测报警并联锁", "补装箱门"),
            required=False,
            max_length=500,
        ),
        Field(
            "deadline_on",
            Kind.DATE,
            _("to be rectified by"),
            ("2026-06-12", "2026-07-16"),
            _("The last day."),
        ),
        Field("extended_to_on", Kind.DATE, _("extended to"), (None, None), required=False),
        Field("extension_reason", Kind.TEXT, _("reason for extension"), ("", ""), required=False),
        Field("notified_on", Kind.DATE, _("notified on"), ("2026-05-12", "2026-07-02"), required=False),
        Field(
            "notified_principal",
            Kind.BOOL,
            _("principal notified"),
            (True, False),
            _("The principal or actual controller was told in person or in writing."),
        ),
        Field(
            "reported_at",
            Kind.MOMENT,
            _("reported to the authority at"),
            ("2026-05-12T18:00:00+08:00", None),
            required=False,
        ),
        Field("rectified_on", Kind.DATE, _("rectified on"), ("2026-06-03", None), required=False),
        Field("verified_on", Kind.DATE, _("verified on"), ("2026-06-05", None), required=False),
        Field("verifier", Kind.CODE, _("verified by"), ("AGENCY", ""), required=False, codes=VerifierKind),
        Field("closed_on", Kind.DATE, pgettext_lazy("hazard", "closed on"), ("2026-06-05", None), required=False),
        Field("state", Kind.CODE, _("state"), ("CLOSED", "RECTIFYING"), codes=HazardState),
        Field("campaign_code", Kind.TEXT, _("campaign"), ("", ""), required=False, max_length=30),
        Field(
            "entry_code",
            Kind.TEXT,
            _("hazard of the library"),
            ("", ""),
            _("Its code in the hazard library, if it was chosen from there: so that its return is recognised."),
            required=False,
            max_length=20,
        ),
    ),
    sets=_DUE,
    by_day=_DUE_BY_DAY,
    remembers=(
        "acted_at",
        "state",
        *_KEPT,
        "notified_principal",
        "extension",
        "extension_reason",
        "criterion_code",
        "criterion_edition",
        "entry_code",
        "authority_due_at",
        "supervised_level",
        "lifted_on",
        "stopped_on",
        "resumed_on",
    ),
    after=(_TELL,),
    references=(
        OWN_ENTERPRISE,
        Reference(
            "service_no",
            Service,
            {"insurer_id": SENDER, "service_no": "service_no"},
            {"service_id": "id", "agency_id": "agency_id"},
            "unknown_service",
            helps={"service_enterprise_id": "enterprise_id", "service_on": "performed_on"},
        ),
    ),
    checks=(
        Check(
            "service_missing",
            "service_no",
            "r.source = 'SERVICE' AND r.service_no = ''",
            _("A hazard found by a service names no service."),
            _("Give the number of the service, or correct the source."),
        ),
        Check(
            "service_at_another_enterprise",
            "service_no",
            "r.service_enterprise_id <> r.enterprise_id",
            _("The service took place at another enterprise."),
            _("Correct the number of the service or the credit code."),
        ),
        Check(
            "found_before_service",
            "found_on",
            "r.source = 'SERVICE' AND r.found_on < r.service_on",
            _("The hazard was found before the service took place."),
            _("Correct the day, or name the service that found it."),
        ),
        Check(
            "deadline_before_found",
            "deadline_on",
            "r.deadline_on < r.found_on",
            _("The deadline lies before the day of the finding."),
            _("Correct one of the two days."),
        ),
        Check(
            "extension_not_later",
            "extended_to_on",
            "r.extended_to_on <= r.deadline_on",
            _("The extension does not end later than the deadline."),
            _("Keep the original deadline as it was, and give a later day here."),
        ),
        Check(
            "extension_without_reason",
            "extension_reason",
            "r.extended_to_on IS NOT NULL AND r.extension_reason = ''",
            _("The deadline is extended without a reason."),
            _("State why; a deadline may be extended once, with reason and approval."),
        ),
        Check(
            "closed_without_verification",
            "verified_on",
            "r.state = 'CLOSED' AND (r.verified_on IS NULL OR r.verifier = '')",
            _("Closed means verified: the day or the verifier is missing."),
            _("Give the day of the recheck and who did it, or leave the hazard open."),
        ),
        Check(
            "closed_without_day",
            "closed_on",
            "(r.state = 'CLOSED') <> (r.closed_on IS NOT NULL)",
            _("The state and the closing day do not belong together."),
            _("A closed hazard has a closing day, an open one has none."),
        ),
        Check(
            "notified_before_found",
            "notified_on",
            "r.notified_on < r.found_on",
            _("The enterprise was notified before the hazard was found."),
            _("Correct one of the two days."),
        ),
        Check(
            "rectified_before_found",
            "rectified_on",
            "r.rectified_on < r.found_on",
            _("The hazard was rectified before it was found."),
            _("Correct one of the two days."),
        ),
        Check(
            "verified_before_rectified",
            "verified_on",
            "r.verified_on < greatest(r.found_on, r.rectified_on)",
            _("The verification lies before the rectification."),
            _("Correct one of the two days."),
        ),
        Check(
            "closed_before_verified",
            "closed_on",
            "r.closed_on < greatest(r.found_on, r.verified_on)",
            _("The hazard was closed before it was verified."),
            _("Correct one of the two days."),
        ),
        Check(
            "step_in_future",
            "state",
            "greatest(r.notified_on, r.rectified_on, r.verified_on, r.closed_on) > {today}",
            _("A step lies in the future."),
            _("Report each step when it has happened."),
        ),
        Check(
            "behind_platform",
            "state",
            f"{_ACTED} AND ({_order('r.state')} < {_order('r.known_state')} "
            f"OR ({_order('r.known_state')} = 4 AND r.state <> r.known_state))",
            _("A step taken on the platform would be undone."),
            _("Send the hazard's present state from its page; to go back, reopen or return it on the platform."),
        ),
        Check(
            "set_on_platform",
            "state",
            f"{_ACTED} AND ({_kept()})",
            _("A day, the class or the verifier was set by a step on the platform and is given otherwise here."),
            _("Take over the values of the hazard's page, and send only what goes beyond them."),
        ),
        Check(
            "moved_with_story",
            "insured_uscc",
            f"{_ACTED} AND r.known_enterprise_id <> r.enterprise_id",
            _("Steps were taken on the platform at another enterprise."),
            _("Void this record and report the hazard under a new number."),
        ),
        Check(
            "under_supervision",
            "state",
            f"{_ACTED} AND ((r.known_supervised_level <> '' AND r.known_lifted_on IS NULL) OR r.known_stopped_on IS NOT NULL) "
            "AND r.known_state NOT IN ('CLOSED', 'SHUT_DOWN') AND (r.state IN ('CLOSED', 'SHUT_DOWN') OR r.is_void)",
            _("The hazard is supervised or work was stopped: an authority decides on its closing."),
            _("Ask the authority that supervises it for the recheck on the platform."),
        ),
        Check(
            "step_without_day",
            "state",
            f"{_ACTED} AND ((r.state = 'NOTIFIED' AND r.notified_on IS NULL) "
            "OR (r.state = 'SUBMITTED' AND r.rectified_on IS NULL))",
            _("The day of the step is missing."),
            _("Give the day on which the enterprise was notified or said that it rectified."),
        ),
    ),
)
