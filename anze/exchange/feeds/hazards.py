"""Hazards found at insured enterprises, from the finding to the verified closing."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.exchange.feed import SENDER, Check, Feed, Field, Kind, Reference, Sender
from anze.exchange.feeds.policies import OF_ENTERPRISE
from anze.hazards.models import Hazard
from anze.hazards.rules import HazardClass, HazardSource, HazardState, VerifierKind
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
    ),
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
    ),
)
