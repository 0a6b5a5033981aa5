"""Enterprises and the obligation register, kept by the emergency management authorities."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from anze.exchange.feed import Check, Feed, Field, Kind, Reference, Sender
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, Region
from anze.parties.rules import AlternativeId, EnterpriseSize, RiskTier
from anze.underwriting.models import Obligation
from anze.underwriting.rules import ObligationReason, ObligationState

USCC = Field(
    "uscc",
    Kind.USCC,
    _("credit code"),
    ("91370102XN09P37K57", "91370202XN09P37L37"),
    _("18 characters, unified social credit code (GB 32100-2015)."),
    max_length=18,
)

ENTERPRISES = Feed(
    name="enterprises",
    title=_("Enterprises"),
    about=_("Production and business units, insured or obliged to be, as kept by the authorities."),
    sender=Sender.REGULATOR,
    model=Enterprise,
    key=("uscc",),
    event="registered_on",
    module="parties",
    own_fields=(
        USCC,
        Field(
            "alternative_id_kind",
            Kind.CODE,
            _("kind of other number"),
            ("", ""),
            _("Only for units without a credit code of their own."),
            required=False,
            codes=AlternativeId,
        ),
        Field("name", Kind.TEXT, _("name"), ("示例精密铸造有限公司", "示例远洋渔业有限公司"), max_length=120),
        Field(
            "region_code",
            Kind.TEXT,
            _("region code"),
            ("370102", "370202"),
            _("County, six digits (GB/T 2260)."),
            max_length=6,
        ),
        Field("sector", Kind.CODE, _("sector"), ("SMELT", "FISHERY"), codes=Sector),
        Field(
            "industry_code",
            Kind.TEXT,
            _("industry code"),
            ("3252", "0411"),
            _("GB/T 4754-2017."),
            required=False,
            max_length=4,
        ),
        Field("size", Kind.CODE, _("size"), ("MEDIUM", "SMALL"), codes=EnterpriseSize),
        Field("risk_tier", Kind.CODE, _("risk tier"), ("HIGH", "MEDIUM"), codes=RiskTier),
        Field("registered_workers", Kind.INTEGER, _("registered workers"), (320, 45), maximum=500_000),
        Field("address", Kind.TEXT, _("address"), ("示例路1号", "示例港2号"), required=False),
        Field(
            "lon",
            Kind.DECIMAL,
            _("longitude"),
            ("117.076", "120.387"),
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
            ("36.668", "36.067"),
            _("WGS 84."),
            required=False,
            digits=9,
            places=6,
            minimum=34,
            maximum=39,
        ),
        Field("contact_name", Kind.TEXT, _("contact"), ("", ""), required=False, max_length=60),
        Field("contact_phone", Kind.TEXT, _("contact phone"), ("", ""), required=False, max_length=20),
        Field(
            "is_high_risk",
            Kind.BOOL,
            _("high-risk unit"),
            (True, False),
            _("High-risk unit by 山东省安全生产条例 Art. 19; not the same as the duty to insure."),
        ),
        Field("registered_on", Kind.DATE, _("entered on the ledger on"), ("2026-01-08", "2026-02-11"), column=""),
        Field("closed_on", Kind.DATE, _("closed on"), (None, None), required=False),
    ),
    references=(
        Reference(
            "region_code",
            Region,
            {"code": "region_code"},
            {},
            "unknown_region",
            where="{t}.kind IN ('COUNTY', 'FUNCTIONAL_ZONE')",
        ),
    ),
    checks=(
        Check(
            "closed_before_entered",
            "closed_on",
            "r.closed_on < r.registered_on",
            _("The closing day lies before the day of entry."),
            _("Correct one of the two days."),
        ),
    ),
)

# every list that names an enterprise is kept, whichever the entry shows now
KEEP_SOURCES = """
INSERT INTO underwriting_obligationsource (obligation_id, source, reason, listed_on, registered_workers, enterprise_id,
    region_code, sector)
SELECT r.id, r.source, r.reason, r.listed_on, r.registered_workers, r.enterprise_id, r.region_code, r.sector
FROM resolved r WHERE r.outcome IN ('A', 'U') AND NOT r.is_void ORDER BY r.id
ON CONFLICT (obligation_id, source) DO UPDATE SET reason = excluded.reason, listed_on = excluded.listed_on,
    registered_workers = excluded.registered_workers
WHERE (underwriting_obligationsource.reason, underwriting_obligationsource.listed_on,
       underwriting_obligationsource.registered_workers)
    IS DISTINCT FROM (excluded.reason, excluded.listed_on, excluded.registered_workers)
"""
# what was decided on the platform outlives the next delivery of the list
KEEP_DECISIONS = """
UPDATE underwriting_obligation o SET state = CASE WHEN d.is_open THEN 'DISPUTED' ELSE o.state END,
    delisted_on = coalesce(o.delisted_on, o.merged_on),
    delisting_reason = CASE WHEN o.merged_on IS NULL OR o.delisting_reason <> '' THEN o.delisting_reason
                       ELSE '与其他条目合并' END
FROM resolved r CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM underwriting_registerdispute x
    WHERE x.obligation_id = r.id AND x.state = 'OPEN') AS is_open) d
WHERE o.id = r.id AND r.outcome = 'U'
    AND ((d.is_open AND o.state <> 'DISPUTED') OR (o.merged_on IS NOT NULL AND o.delisted_on IS NULL))
"""

OBLIGATIONS = Feed(
    name="obligations",
    title=_("Obligation register"),
    about=_("Who must insure, why, since when and by which source (应保尽保底数)."),
    sender=Sender.REGULATOR,
    model=Obligation,
    key=("enterprise_id", "sector"),
    event="listed_on",
    module="underwriting",
    own_fields=(
        replace(USCC, column=""),
        Field(
            "sector",
            Kind.CODE,
            _("sector"),
            ("SMELT", "FISHERY"),
            _("The sector that makes the duty: a classification by the authority."),
            codes=Sector,
        ),
        Field("reason", Kind.CODE, _("reason"), ("LAW_SECTOR", "LAW_SECTOR"), codes=ObligationReason),
        Field(
            "source",
            Kind.TEXT,
            _("source"),
            ("2026年应保尽保排查", "渔业船舶登记"),
            _("The list, licence or inspection this entry rests on."),
            max_length=120,
        ),
        Field("listed_on", Kind.DATE, _("on the register from"), ("2026-01-08", "2026-02-11")),
        Field("delisted_on", Kind.DATE, _("off the register from"), (None, None), required=False),
        Field("delisting_reason", Kind.TEXT, _("reason for delisting"), ("", ""), required=False),
        Field("state", Kind.CODE, _("state"), ("CONFIRMED", "UNCERTAIN"), codes=ObligationState),
        Field("dispute_note", Kind.TEXT, _("dispute"), ("", ""), required=False, max_length=300),
        Field("registered_workers", Kind.INTEGER, _("registered workers"), (320, 45), maximum=500_000),
    ),
    references=(
        Reference(
            "uscc",
            Enterprise,
            {"uscc": "uscc"},
            {"enterprise_id": "id", "region_code": "region_code"},
            "unknown_enterprise",
        ),
    ),
    checks=(
        Check(
            "voluntary_sector",
            "sector",
            "r.sector = 'OTHER'",
            _("Only the eight sectors of the law carry the duty to insure."),
            _("Choose one of the eight sectors, or leave the enterprise off the register."),
        ),
        Check(
            "delisted_before_listed",
            "delisted_on",
            "r.delisted_on < r.listed_on",
            _("The day of delisting lies before the day of listing."),
            _("Correct one of the two days."),
        ),
        Check(
            "delisting_without_reason",
            "delisting_reason",
            "r.delisted_on IS NOT NULL AND r.delisting_reason = ''",
            _("An enterprise is taken off the register without a reason."),
            _("State why, for example: closed by law, moved, merged."),
        ),
    ),
    after=(KEEP_SOURCES, KEEP_DECISIONS),
)
