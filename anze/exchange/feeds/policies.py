"""Policies, what became of them by endorsement, and the premium received for them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.exchange.feed import SENDER, Check, Feed, Field, Kind, Reference, Sender
from anze.kernel.parameters import chain_of
from anze.parties.models import Enterprise
from anze.prevention.rules import ServiceType
from anze.underwriting.models import Endorsement, Policy, PremiumReceipt
from anze.underwriting.rules import EndorsementKind, UnderwritingNature

# What an insured enterprise's row takes over from the enterprise on the day it arrives.
OF_ENTERPRISE = {"enterprise_id": "id", "region_code": "region_code", "sector": "sector"}
OF_POLICY = {
    "policy_id": "id",
    "enterprise_id": "enterprise_id",
    "region_code": "region_code",
    "sector": "sector",
}


def money(name: str, title: object, example: tuple[str | None, str | None], **words: object) -> Field:
    """An amount in yuan with two decimals, never negative unless said otherwise."""
    return Field(name, Kind.DECIMAL, title, example, **{"minimum": 0, **words})  # type: ignore[arg-type]


POLICY_NO = Field(
    "policy_no",
    Kind.TEXT,
    _("policy no."),
    ("PSD2026370100000123", "PSD2026370200000456"),
    _("Letters and digits, unique within the insurer."),
    max_length=50,
)

# A record under a policy: found among the sender's own, it takes the policy's scope over. Cover may have been
# extended by an endorsement, hence the later of the two days.
OWN_POLICY = Reference(
    "policy_no",
    Policy,
    {"insurer_id": SENDER, "policy_no": "policy_no"},
    OF_POLICY,
    "unknown_policy",
    foreign="policy_of_another_insurer",
    helps={"policy_start_on": "start_on", "policy_end_on": "end_on", "policy_cover_end_on": "cover_end_on"},
)

POLICY_NO_OF_RECORD = replace(POLICY_NO, note=_("One of your own policies, sent before."), column="")


def engage(parties: str) -> str:
    """SQL that opens the sheets of enterprises to those who work there. `parties` selects party_id,
    enterprise_id and the day since when."""
    return (
        "INSERT INTO parties_engagement (id, party_id, enterprise_id, since_on) "
        f"SELECT kernel_new_id(), e.party_id, e.enterprise_id, min(e.day) FROM ({parties}) e "
        "WHERE e.party_id IS NOT NULL GROUP BY e.party_id, e.enterprise_id "
        # in one order for everybody: two insurers with the same agency may publish at the same time
        "ORDER BY e.party_id, e.enterprise_id "
        "ON CONFLICT (party_id, enterprise_id) DO UPDATE SET since_on = excluded.since_on "
        "WHERE excluded.since_on < parties_engagement.since_on"
    )


ENGAGE_INSURER = engage(
    "SELECT {sender} AS party_id, r.enterprise_id, r.start_on AS day FROM resolved r WHERE r.outcome IN ('A', 'U')"
)

# What the endorsements on file make of a policy: the last day of cover and the day of cancellation.
APPLY_ENDORSEMENTS = """
WITH touched AS ({policies}),
amended AS (
    SELECT p.id,
           min(e.effective_on) FILTER (WHERE e.kind = 'CANCEL') AS cancelled_on,
           (array_agg(e.after_value::date ORDER BY e.effective_on DESC, e.issued_on DESC)
                FILTER (WHERE e.kind = 'PERIOD'))[1] AS extended_to
    FROM touched JOIN underwriting_policy p ON p.id = touched.policy_id
    LEFT JOIN underwriting_endorsement e ON e.policy_id = p.id AND NOT e.is_void
    GROUP BY p.id
), cover AS (
    SELECT a.id, a.cancelled_on,
           -- the least of what is known: without a cancellation there is no second day
           least(coalesce(a.extended_to, p.end_on), a.cancelled_on - 1) AS cover_end_on
    FROM amended a JOIN underwriting_policy p ON p.id = a.id
)
UPDATE underwriting_policy p SET cancelled_on = c.cancelled_on, cover_end_on = c.cover_end_on
FROM cover c WHERE c.id = p.id
AND (p.cancelled_on, p.cover_end_on) IS DISTINCT FROM (c.cancelled_on, c.cover_end_on)
"""

# What its insurer reported under a policy goes along when a correction gives the policy to another enterprise: it
# would stay in sight of the wrong one.
_UNDER_POLICY = (
    "underwriting_endorsement",
    "underwriting_premiumreceipt",
    "prevention_plan",
    "prevention_planitem",
    "prevention_service",
    "claims_claim",
    "claims_payment",
    "claims_claimcover",
    "expenses_expense",
)
_UNDER_RECORD = (
    ("prevention_serviceperson", "prevention_service", "service_id"),
    ("claims_victim", "claims_claim", "claim_id"),
    ("claims_claimtwin", "claims_claim", "claim_id"),
)
_MOVED = "r.outcome = 'U' AND r.known_enterprise_id <> r.enterprise_id"
_TAKE_OVER = "SET enterprise_id = r.enterprise_id, region_code = r.region_code, sector = r.sector FROM resolved r"
# What people did about a record on the platform, by its table: they did it at the enterprise the record was given for,
# and their photos, answers and signatures are that enterprise's. Once there is any, the record stays where it is.
DONE: dict[str, tuple[tuple[str, str], ...]] = {
    "underwriting_policy": (
        ("underwriting_offer", "policy_id"),
        ("claims_lossnotice", "policy_id"),
        ("prevention_paper", "policy_id"),
        ("prevention_order", "policy_id"),
        ("prevention_visit", "policy_id"),
    ),
    "prevention_plan": (("prevention_planconfirmation", "plan_id"),),
    "prevention_service": (
        ("prevention_order", "service_id"),
        ("prevention_visit", "service_id"),
        ("prevention_confirmationlink", "service_id"),
        ("prevention_confirmation", "service_id"),
        ("prevention_rating", "service_id"),
        ("prevention_dispute", "service_id"),
        ("prevention_followup", "service_id"),
        ("prevention_qualitycheck", "service_id"),
        ("prevention_report", "service_id"),
        ("prevention_complaint", "service_id"),
        ("evidence_media", "subject"),
    ),
    "claims_claim": (
        ("claims_claimstep", "claim_id"),
        ("claims_claimreview", "claim_id"),
        ("claims_lossnotice", "claim_id"),
        ("prevention_complaint", "claim_id"),
    ),
    "expenses_expense": (("evidence_media", "subject"),),
}


def _done(record: str, key: str) -> str:
    """SQL: whether anything was done about the record of this id."""
    return " OR ".join(f"EXISTS (SELECT FROM {table} t WHERE t.{column} = {key})" for table, column in DONE[record])


def moved_with_story(record: str, field: str) -> Check:
    """Refuses that a record about which something was done on the platform goes to another enterprise."""
    done = _done(record, "r.known_id")
    if record == "underwriting_policy":
        under = (each for each in DONE if each != record)
        done = " OR ".join(
            (done, *(f"EXISTS (SELECT FROM {each} p WHERE p.policy_id = r.known_id AND ({_done(each, 'p.id')}))" for each in under))
        )  # fmt: skip
    return Check(
        "moved_with_story",
        field,
        f"{_MOVED} AND ({done})",
        _("Work was done on the platform about this record at another enterprise."),
        _("Void the record and report it anew, under a number of its own, for the right enterprise."),
        if_moved=True,
    )


FOLLOW_POLICY = (
    *(f"UPDATE {table} t {_TAKE_OVER} WHERE {_MOVED} AND t.policy_id = r.id" for table in _UNDER_POLICY),
    *(
        f"UPDATE {table} t {_TAKE_OVER} JOIN {parent} p ON p.policy_id = r.id WHERE {_MOVED} AND t.{column} = p.id"
        for table, parent, column in _UNDER_RECORD
    ),
)

_COINSURERS = (
    Field("insurer_code", Kind.TEXT, _("insurer code"), ("INS01", "INS02"), max_length=20),
    Field("share", Kind.DECIMAL, _("share"), ("0.6", "0.4"), digits=6, places=4, minimum=0, maximum=1),
    Field("is_lead", Kind.BOOL, _("lead insurer"), (True, False)),
)
_RATE_FACTORS = (
    Field("name", Kind.TEXT, _("factor"), ("安全生产标准化", "事故记录"), max_length=60),
    Field("value", Kind.DECIMAL, _("value"), ("0.95", "1.1"), digits=9, places=6, minimum=0, maximum=100),
)

# By the frequency matrix in force on the policy's first day; counted when a policy has no plan of its own.
USUAL_VISITS = f"""coalesce((
    SELECT f.value::int FROM parties_enterprise e JOIN kernel_parameter f
    ON f.key = 'frequency.' || e.risk_tier || '.' || e.size AND f.region_code IN {chain_of("r.region_code")}
       AND f.value <> '' AND r.start_on BETWEEN f.effective_from AND coalesce(f.effective_to, 'infinity')
    WHERE e.id = r.enterprise_id ORDER BY f.region_code DESC, f.effective_from DESC LIMIT 1
), 1)"""

POLICIES = Feed(
    name="policies",
    title=_("Policies"),
    about=_("Work-safety liability policies: who is covered, for whom, how much and for what premium."),
    sender=Sender.INSURER,
    model=Policy,
    key=("policy_no",),
    event="issued_on",
    module="underwriting",
    own_fields=(
        POLICY_NO,
        Field("branch_code", Kind.TEXT, _("branch code"), ("3701", "3702"), required=False, max_length=20),
        Field(
            "product_name",
            Kind.TEXT,
            _("product"),
            ("安全生产责任保险", "安全生产责任保险"),
            required=False,
            max_length=120,
        ),
        Field("wording_no", Kind.TEXT, _("wording no."), ("", ""), required=False, max_length=60),
        Field("nature", Kind.CODE, _("underwriting"), ("SOLE", "SOLE"), codes=UnderwritingNature),
        Field(
            "coinsurers",
            Kind.LIST,
            _("co-insurers"),
            (None, None),
            _("Only for co-insurance: every insurer with its share, one of them the lead."),
            required=False,
            of=_COINSURERS,
        ),
        Field(
            "holder_name",
            Kind.TEXT,
            _("policyholder"),
            ("示例精密铸造有限公司", "示例远洋渔业有限公司"),
            max_length=120,
        ),
        Field(
            "holder_uscc",
            Kind.USCC,
            _("policyholder's credit code"),
            ("91370102XN09P37K57", "91370202XN09P37L37"),
            required=False,
            max_length=18,
        ),
        Field(
            "insured_uscc",
            Kind.USCC,
            _("insured's credit code"),
            ("91370102XN09P37K57", "91370202XN09P37L37"),
            column="",
            max_length=18,
        ),
        Field("applied_on", Kind.DATE, _("applied on"), ("2026-03-02", "2026-03-05")),
        Field(
            "issued_on",
            Kind.DATE,
            _("issued on"),
            ("2026-03-04", "2026-03-06"),
            _("The reporting clock starts on this day."),
        ),
        Field("start_on", Kind.DATE, pgettext_lazy("policy", "in force from"), ("2026-03-10", "2026-04-01")),
        Field(
            "end_on",
            Kind.DATE,
            pgettext_lazy("policy", "in force until"),
            ("2027-03-09", "2027-03-31"),
            _("The last day of cover."),
        ),
        Field("insured_workers", Kind.INTEGER, _("insured workers"), (320, 40), minimum=1, maximum=500_000),
        Field(
            "registered_workers",
            Kind.INTEGER,
            _("registered workers"),
            (320, 45),
            _("All with a work relationship, temporary and dispatched included."),
            required=False,
            maximum=500_000,
        ),
        Field(
            "worker_list_hash",
            Kind.TEXT,
            _("fingerprint of the worker list"),
            ("", ""),
            _("SHA-256 of the list; the list itself stays with the insurer."),
            required=False,
            max_length=64,
        ),
        money("limit_per_person", _("limit per person"), ("500000.00", "400000.00"), minimum=1),
        money("limit_per_accident", _("limit per accident"), ("10000000.00", "5000000.00"), digits=16),
        money("aggregate_limit", _("aggregate limit"), ("20000000.00", "10000000.00"), digits=16),
        money("premium_written", _("premium written"), ("38400.00", "7200.00")),
        Field(
            "rate_base",
            Kind.DECIMAL,
            _("base rate"),
            ("0.0024", "0.0036"),
            required=False,
            digits=9,
            places=6,
            minimum=0,
            maximum=1,
        ),
        Field("rate_factors", Kind.LIST, _("rate factors"), (None, None), required=False, of=_RATE_FACTORS),
        Field(
            "rate_final",
            Kind.DECIMAL,
            _("final rate"),
            ("0.0024", "0.0036"),
            required=False,
            digits=9,
            places=6,
            minimum=0,
            maximum=1,
        ),
        Field(
            "agreed_expense_ratio",
            Kind.DECIMAL,
            _("agreed prevention expense ratio"),
            ("0.18", "0.15"),
            _("Share of the premium received; 0.15 is 15 %."),
            required=False,
            digits=6,
            places=4,
            minimum=0,
            maximum=1,
        ),
        Field(
            "agreed_service_types",
            Kind.CODES,
            _("agreed services"),
            (["HAZARD", "TRAIN"], ["HAZARD"]),
            required=False,
            codes=ServiceType,
        ),
        Field(
            "agreed_frequency",
            Kind.INTEGER,
            _("agreed visits a year"),
            (2, 1),
            required=False,
            maximum=366,
        ),
        Field("is_renewal", Kind.BOOL, _("renewal"), (True, False)),
        Field("previous_policy_no", Kind.TEXT, _("previous policy no."), ("", ""), required=False, max_length=50),
        Field(
            "project_name",
            Kind.TEXT,
            _("construction project"),
            ("", ""),
            _("Construction only."),
            required=False,
            max_length=160,
        ),
        Field("permit_no", Kind.TEXT, _("construction permit no."), ("", ""), required=False, max_length=60),
        Field("project_address", Kind.TEXT, _("project address"), ("", ""), required=False),
    ),
    references=(Reference("insured_uscc", Enterprise, {"uscc": "insured_uscc"}, OF_ENTERPRISE, "unknown_enterprise"),),
    checks=(
        Check(
            "ends_before_start",
            "end_on",
            "r.end_on <= r.start_on",
            _("The policy ends before it begins."),
            _("Correct the first or the last day of cover."),
        ),
        Check(
            "period_too_long",
            "end_on",
            "r.project_name = '' AND r.end_on - r.start_on + 1 > {value}",
            _("The period is longer than a policy may run; only construction projects may run longer."),
            _("Correct the last day, or name the construction project."),
            parameter=("policy_max_days", "start_on"),
        ),
        Check(
            "expense_ratio_over_cap",
            "agreed_expense_ratio",
            "r.agreed_expense_ratio > {value}",
            _("The agreed prevention expense ratio is above the cap."),
            _("At most the cap in force on the first day of cover (应急厅函〔2024〕322号)."),
            parameter=("expense_cap_ratio", "start_on"),
        ),
        Check(
            "insurer_not_in_good_standing",
            "issued_on",
            # what was issued before is corrected and served as ever
            "r.outcome = 'A' AND EXISTS (SELECT FROM parties_standing s WHERE s.organisation_id = {sender} "
            "AND r.issued_on >= s.from_on AND r.issued_on <= coalesce(s.to_on, 'infinity') "
            "AND r.issued_on < coalesce(s.lifted_on, 'infinity'))",
            _("You were suspended or on the blacklist on the day this policy was issued, so it is not taken."),
            _(
                "Policies issued before are not touched; new ones are taken again when it ends or is lifted. "
                "Appeal under Suspensions and blacklist."
            ),
        ),
        Check(
            "coinsurers_missing",
            "coinsurers",
            "r.nature = 'COINSURANCE' AND jsonb_array_length(r.coinsurers) < 2",
            _("A co-insured policy names at least two insurers."),
            _("List every insurer with its share."),
        ),
        Check(
            "shares_not_whole",
            "coinsurers",
            "jsonb_array_length(r.coinsurers) > 0 AND 1 <> "
            "(SELECT sum((c->>'share')::numeric) FROM jsonb_array_elements(r.coinsurers) c)",
            _("The shares of the co-insurers do not add up to 1."),
            _("Give each share as a part of 1: 0.6 is 60 %."),
        ),
        Check(
            "limits_out_of_order",
            "limit_per_accident",
            "r.limit_per_accident < r.limit_per_person OR r.aggregate_limit < r.limit_per_accident",
            _("The limits are out of order: person ≤ accident ≤ aggregate."),
            _("Check the three limits; all are in yuan."),
        ),
        moved_with_story("underwriting_policy", "insured_uscc"),
    ),
    sets={"cover_end_on": "r.end_on", "usual_visits": USUAL_VISITS},
    followers=FOLLOW_POLICY,
    after=(
        ENGAGE_INSURER,
        APPLY_ENDORSEMENTS.replace("{policies}", "SELECT r.id AS policy_id FROM resolved r WHERE r.outcome = 'U'"),
    ),
)


def _after_value(record: Any) -> tuple[str, str] | None:
    """What the figures read must be readable: a headcount, an amount or a day, according to the kind."""
    text = record.after_value
    try:
        if record.kind == EndorsementKind.PERIOD:
            good = bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and date.fromisoformat(text).year >= 1900
        elif record.kind == EndorsementKind.HEADCOUNT:
            good = bool(re.fullmatch(r"[0-9]{1,6}", text)) and int(text) > 0
        elif record.kind == EndorsementKind.LIMIT:
            good = bool(re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", text)) and Decimal(text) > 0
        else:
            good = True
    except (ValueError, InvalidOperation):
        good = False
    return None if good else ("after_value", "bad_after_value")


# a correction may take an endorsement from one policy to another
_ENDORSED = (
    "SELECT r.policy_id FROM resolved r WHERE r.outcome IN ('A', 'U') "
    "UNION SELECT r.known_policy_id FROM resolved r WHERE r.outcome = 'U'"
)

ENDORSEMENTS = Feed(
    name="endorsements",
    title=_("Endorsements"),
    about=_("Changes of a policy: headcount, limit, period, premium, cancellation (批单)."),
    sender=Sender.INSURER,
    model=Endorsement,
    key=("endorsement_no",),
    event="issued_on",
    module="underwriting",
    row_check=_after_value,
    own_fields=(
        Field(
            "endorsement_no",
            Kind.TEXT,
            _("endorsement no."),
            ("PD2026370100000031", "PD2026370200000008"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        POLICY_NO_OF_RECORD,
        Field("kind", Kind.CODE, _("kind"), ("HEADCOUNT", "CANCEL"), codes=EndorsementKind),
        Field(
            "issued_on",
            Kind.DATE,
            _("issued on"),
            ("2026-06-15", "2026-09-01"),
            _("The reporting clock starts on this day."),
        ),
        Field(
            "effective_on",
            Kind.DATE,
            _("effective from"),
            ("2026-06-16", "2026-09-02"),
            _("The first day on which the change holds; for a cancellation the first day without cover."),
        ),
        Field("before_value", Kind.TEXT, _("before"), ("320", ""), required=False, max_length=60),
        Field(
            "after_value",
            Kind.TEXT,
            _("after"),
            ("335", ""),
            _(
                "Headcount: the new number of insured workers. Limit: the new limit per person in yuan. "
                "Period: the new last day of cover, as 2027-03-31."
            ),
            required=False,
            max_length=60,
        ),
        money(
            "premium_delta",
            _("change of premium"),
            ("1800.00", "-4200.00"),
            note=_("Yuan; negative when premium is returned, 0 when it stays."),
            minimum=None,
        ),
        Field("reason", Kind.TEXT, _("reason"), ("", "企业停产"), required=False),
    ),
    references=(OWN_POLICY,),
    checks=(
        Check(
            "effective_before_cover",
            "effective_on",
            "r.effective_on < r.policy_start_on",
            _("The change takes effect before the policy begins."),
            _("Correct the day; what holds from the first day on belongs into the policy itself."),
        ),
        Check(
            "effective_after_cover",
            "effective_on",
            # an extension that comes in the same batch counts as well
            "r.effective_on > greatest(r.policy_end_on, r.policy_cover_end_on) AND r.kind <> 'PERIOD' "
            "AND NOT EXISTS (SELECT 1 FROM resolved x WHERE x.policy_id = r.policy_id "
            "AND x.kind = 'PERIOD' AND NOT x.is_void)",
            _("The change takes effect after the policy has ended."),
            _("Correct the day, or send the extension of the policy first."),
        ),
        Check(
            "period_ends_before_start",
            "after_value",
            # CASE keeps the text of other kinds from being read as a day
            "CASE WHEN r.kind = 'PERIOD' THEN r.after_value::date <= r.policy_start_on END",
            _("The new last day of cover is not after the first day."),
            _("Correct the new last day; to end a policy from its beginning, cancel it."),
        ),
        Check(
            "cancellation_adds_premium",
            "premium_delta",
            "r.kind = 'CANCEL' AND r.premium_delta > 0",
            _("A cancellation cannot add premium."),
            _("Give the premium returned as a negative amount."),
        ),
    ),
    after=(APPLY_ENDORSEMENTS.replace("{policies}", _ENDORSED),),
)

RECEIPTS = Feed(
    name="receipts",
    title=_("Premium receipts"),
    about=_("Premium actually received, one row an instalment; the cap on prevention expense is on these."),
    sender=Sender.INSURER,
    model=PremiumReceipt,
    key=("receipt_no",),
    event="received_on",
    module="underwriting",
    own_fields=(
        Field(
            "receipt_no",
            Kind.TEXT,
            _("receipt no."),
            ("SF2026370100000777", "SF2026370200000312"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        POLICY_NO_OF_RECORD,
        Field("instalment", Kind.INTEGER, _("instalment"), (1, 1), minimum=1, maximum=999),
        money(
            "amount",
            _("amount"),
            ("38400.00", "7200.00"),
            note=_("Yuan; a refund is a row of its own with a negative amount."),
            minimum=None,
        ),
        Field(
            "received_on",
            Kind.DATE,
            _("received on"),
            ("2026-03-09", "2026-03-27"),
            _("The day the money arrived (for a refund: left); the reporting clock starts on it."),
        ),
        Field("payer_name", Kind.TEXT, _("payer"), ("示例精密铸造有限公司", ""), required=False, max_length=120),
    ),
    references=(OWN_POLICY,),
    checks=(
        Check(
            "amount_zero",
            "amount",
            "r.amount = 0",
            _("The amount is 0."),
            _("Give the amount in yuan; to take a record back, send it as void."),
        ),
    ),
)
