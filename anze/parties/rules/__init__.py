"""Roles, permissions and the code lists of institutions and people."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.parties.rules.entering import (
    DECIDE_APPEAL,
    RAISE_APPEAL,
    REVIEW_APPLICATION,
    AppealState,
    ApplicationKind,
    ApplicationState,
    DocumentKind,
    RefusalCode,
    SeatRole,
    SeatState,
    StandingKind,
)


class RegionKind(TextChoices):
    PROVINCE = "PROVINCE", _("province")
    CITY = "CITY", _("city")
    COUNTY = "COUNTY", _("county or district")
    FUNCTIONAL_ZONE = "FUNCTIONAL_ZONE", _("functional zone")


class OrganisationKind(TextChoices):
    EMA = "EMA", _("emergency management authority")
    SECTOR_DEPARTMENT = "SECTOR_DEPARTMENT", _("sector department")
    FINANCIAL_REGULATOR = "FINANCIAL_REGULATOR", _("financial regulator")
    COMMITTEE = "COMMITTEE", _("service committee")
    INSURER = "INSURER", _("insurer")
    INSURER_BRANCH = "INSURER_BRANCH", _("insurer's city branch")
    AGENCY = "AGENCY", _("technical service agency")
    BROKER = "BROKER", _("broker")
    PLATFORM = "PLATFORM", _("platform operator")


class QualificationKind(TextChoices):
    SAFETY_EVALUATION = "SAFETY_EVALUATION", _("safety evaluation licence")
    SAFETY_ENGINEER = "SAFETY_ENGINEER", _("registered safety engineer")
    SENIOR_TITLE = "SENIOR_TITLE", _("senior technical title")
    SECTOR_EXPERT = "SECTOR_EXPERT", _("sector safety expert appointment")
    LIABILITY_LICENCE = "LIABILITY_LICENCE", _("liability insurance licence")


class EnterpriseSize(TextChoices):
    """统计上大中小微型企业划分办法(2017), 国统字〔2017〕213号."""

    LARGE = "LARGE", _("large")
    MEDIUM = "MEDIUM", pgettext_lazy("enterprise size", "medium")
    SMALL = "SMALL", _("small")
    MICRO = "MICRO", _("micro")


class RiskTier(TextChoices):
    """Insurers sort enterprises by risk and serve accordingly (应急〔2025〕27号)."""

    HIGH = "HIGH", _("high")
    MEDIUM = "MEDIUM", _("medium")
    LOW = "LOW", _("low")


class AlternativeId(TextChoices):
    """For those without a unified social credit code."""

    REGISTRATION = "REGISTRATION", _("business registration number")
    VESSEL = "VESSEL", _("fishing vessel number")
    PERMIT = "PERMIT", _("construction permit number")


class Permission(TextChoices):
    """What one may do or open. Screens, actions and navigation all name one of these."""

    SEE_DASHBOARD = "SEE_DASHBOARD", _("see statistics")
    SEE_UNDERWRITING = "SEE_UNDERWRITING", _("see policies")
    SEE_PREMIUMS = "SEE_PREMIUMS", _("see premiums and rates")
    SEE_REGISTER = "SEE_REGISTER", _("see the obligation register")
    KEEP_REGISTER = "KEEP_REGISTER", _("keep the obligation register")
    SEE_CLAIMS = "SEE_CLAIMS", _("see accidents and claims")
    REPORT_LOSSES = "REPORT_LOSSES", _("report losses and answer in claims for the enterprise")
    HANDLE_CLAIMS = "HANDLE_CLAIMS", _("register, assess and pay claims")
    REVIEW_CLAIMS = "REVIEW_CLAIMS", _("review claims and judge those that look alike")
    SEE_SERVICES = "SEE_SERVICES", _("see prevention services")
    RECORD_VISITS = "RECORD_VISITS", _("record visits on site")
    SET_TOPICS = "SET_TOPICS", _("set topics for prevention services")
    LIST_TASKS = "LIST_TASKS", _("list tasks and judge annual plans")
    RUN_SERVICES = "RUN_SERVICES", _("answer tasks, plan services and place orders")
    ANSWER_ORDERS = "ANSWER_ORDERS", _("answer orders and assign experts")
    CONFIRM_PLANS = "CONFIRM_PLANS", _("confirm service plans for the enterprise")
    SEE_HAZARDS = "SEE_HAZARDS", _("see hazards")
    SEE_EVIDENCE = "SEE_EVIDENCE", _("see photos and files")
    ADD_EVIDENCE = "ADD_EVIDENCE", _("add photos and files to own records")
    REVIEW_EVIDENCE = "REVIEW_EVIDENCE", _("judge pictures that were used before")
    RECTIFY_HAZARDS = "RECTIFY_HAZARDS", _("rectify hazards and report own findings")
    HANDLE_HAZARDS = "HANDLE_HAZARDS", _("notify, recheck and follow up hazards")
    SUPERVISE_HAZARDS = "SUPERVISE_HAZARDS", _("list hazards for supervision, stop work and consent to resuming")
    RUN_CAMPAIGNS = "RUN_CAMPAIGNS", _("run campaigns")
    ATTEND_CAMPAIGNS = "ATTEND_CAMPAIGNS", _("record attendance at campaigns")
    SEE_EXPENSES = "SEE_EXPENSES", _("see prevention expenses")
    KEEP_EXPENSES = "KEEP_EXPENSES", _("keep invoices, vouchers, shared costs and settlements of prevention expenses")
    SEE_SETTLEMENTS = "SEE_SETTLEMENTS", _("see settlements with agencies")
    SETTLE_EXPENSES = "SETTLE_EXPENSES", _("confirm settlements or object to them")
    SEE_AGREEMENTS = "SEE_AGREEMENTS", _("see framework agreements of insurers with agencies")
    PROPOSE_AGREEMENTS = "PROPOSE_AGREEMENTS", _("propose framework agreements to agencies")
    SIGN_AGREEMENTS = "SIGN_AGREEMENTS", _("accept and end framework agreements")
    JUDGE_EXPENSES = "JUDGE_EXPENSES", _("judge findings about prevention expenses")
    SEE_PARTIES = "SEE_PARTIES", _("see institutions and experts")
    SEE_ENTERPRISES = "SEE_ENTERPRISES", _("see enterprises")
    ENTER_DATA = "ENTER_DATA", _("enter and upload data")
    SEE_EXCHANGE = "SEE_EXCHANGE", _("see the data exchange")
    MANAGE_KEYS = "MANAGE_KEYS", _("issue and revoke interface keys")
    SEE_LIBRARY = "SEE_LIBRARY", _("see standards, checklists, materials and trainings")
    KEEP_LIBRARY = "KEEP_LIBRARY", _("keep the library and hold trainings")
    JOIN_TRAININGS = "JOIN_TRAININGS", _("sign up for trainings")
    SEE_PARAMETERS = "SEE_PARAMETERS", _("see parameters")
    MANAGE_PARAMETERS = "MANAGE_PARAMETERS", _("change parameters")
    SEE_AUDIT = "SEE_AUDIT", _("see the audit log")
    MANAGE_PEOPLE = "MANAGE_PEOPLE", _("manage people and roles")
    EXPORT = "EXPORT", _("export tables")
    ISSUE_REPORTS = "ISSUE_REPORTS", _("issue service reports and have services confirmed")
    CONFIRM_SERVICES = "CONFIRM_SERVICES", _("confirm and rate services")
    ANSWER_COVER = "ANSWER_COVER", _("answer reminders about cover and dispute the register")
    SEE_MARKET = "SEE_MARKET", _("see insurers' profiles and try out premiums")
    CHOOSE_INSURER = "CHOOSE_INSURER", _("ask insurers for offers and accept one")
    MAKE_OFFERS = "MAKE_OFFERS", _("make offers and keep the own profile")
    SETTLE_DISPUTES = "SETTLE_DISPUTES", _("settle disputes about services")
    SEE_RATINGS = "SEE_RATINGS", _("see single ratings")
    SEE_COMPLAINTS = "SEE_COMPLAINTS", _("see complaints")
    MAKE_COMPLAINTS = "MAKE_COMPLAINTS", _("complain for the enterprise and say whether the answer satisfies")
    INVITE_COMPLAINTS = "INVITE_COMPLAINTS", _("hand out the code by which anybody at an enterprise complains")
    ANSWER_COMPLAINTS = "ANSWER_COMPLAINTS", _("accept and answer complaints")
    SETTLE_COMPLAINTS = (
        "SETTLE_COMPLAINTS",
        _("give complaints to the side that answers, approve more time, close them"),
    )
    CHECK_QUALITY = "CHECK_QUALITY", _("check the quality of services")
    SEE_ASSESSMENT = "SEE_ASSESSMENT", _("see the effectiveness assessment")
    RUN_ASSESSMENT = "RUN_ASSESSMENT", _("keep schemes and run assessments")
    ANSWER_ASSESSMENT = "ANSWER_ASSESSMENT", _("hand in self-reports and appeal")
    REVIEW_ASSESSMENT = "REVIEW_ASSESSMENT", _("review rows and self-reports of an assessment")
    DECIDE_APPEALS = "DECIDE_APPEALS", _("decide on appeals")
    CONFIRM_CASES = "CONFIRM_CASES", _("confirm cases of conduct")
    SEE_ENTRIES = "SEE_ENTRIES", _("see applications, committee members and appeals")
    APPLY = "APPLY", _("apply to enter, renew qualifications, appeal")
    JOIN_COMMITTEE = "JOIN_COMMITTEE", _("join and leave the committee")
    REVIEW_ENTRIES = "REVIEW_ENTRIES", _("review applications to enter")
    DECIDE_STANDINGS = "DECIDE_STANDINGS", _("suspend, blacklist and lift it")
    KEEP_MEMBERS = "KEEP_MEMBERS", _("accept members of the committee")
    RUN_PLATFORM = "RUN_PLATFORM", _("operate the platform")
    HANDLE_ALERTS = "HANDLE_ALERTS", _("take alerts in hand and close them")
    MANAGE_HOOKS = "MANAGE_HOOKS", _("have alerts sent to the organisation's own systems")
    TUNE_ALERTS = "TUNE_ALERTS", _("see how precise alert rules are and try other thresholds")
    PUBLISH_BULLETINS = "PUBLISH_BULLETINS", _("publish the monthly bulletin of one's area")


class Reach(TextChoices):
    """Which of the scope columns a role is held by."""

    ALL = "ALL", _("the whole province")
    REGION = "REGION", _("its region")
    SECTOR = "SECTOR", _("its sector in its region")
    INSURER = "INSURER", _("its own business")
    AGENCY = "AGENCY", _("its own orders")
    EXPERT = "EXPERT", _("own visits")
    ENTERPRISE = "ENTERPRISE", _("its own file")


class Role(TextChoices):
    PROVINCE_REGULATOR = "PROVINCE_REGULATOR", _("provincial regulator")
    CITY_REGULATOR = "CITY_REGULATOR", _("city regulator")
    COUNTY_REGULATOR = "COUNTY_REGULATOR", _("county regulator")
    SECTOR_DEPARTMENT = "SECTOR_DEPARTMENT", _("sector department")
    FINANCIAL_REGULATOR = "FINANCIAL_REGULATOR", _("financial regulator")
    COMMITTEE = "COMMITTEE", _("committee secretariat")
    INSURER_MANAGER = "INSURER_MANAGER", _("insurer manager")
    INSURER_CLERK = "INSURER_CLERK", _("insurer clerk")
    INSURER_BRANCH_MANAGER = "INSURER_BRANCH_MANAGER", _("insurer branch manager")
    INSURER_BRANCH_CLERK = "INSURER_BRANCH_CLERK", _("insurer branch clerk")
    AGENCY = "AGENCY", _("service agency")
    EXPERT = "EXPERT", _("expert")
    ENTERPRISE = "ENTERPRISE", _("enterprise")
    ADMINISTRATOR = "ADMINISTRATOR", _("platform administrator")


@dataclass(frozen=True)
class RoleRule:
    reach: Reach
    permissions: frozenset[Permission]
    welcome: str | Promise


P = Permission
_LOOK = {P.SEE_PREMIUMS, P.SEE_UNDERWRITING, P.SEE_CLAIMS, P.SEE_SERVICES, P.SEE_HAZARDS, P.SEE_EXPENSES}
_WATCH = {P.SEE_DASHBOARD, P.SEE_PARTIES, P.SEE_ENTERPRISES, P.SEE_REGISTER, P.SEE_EXCHANGE, P.EXPORT}
_REGULATE = {*_LOOK, *_WATCH, P.SEE_PARAMETERS, P.KEEP_REGISTER, P.ENTER_DATA, P.SET_TOPICS}
_REGULATE |= {P.PUBLISH_BULLETINS}
_INSURE = {*_LOOK, P.SEE_DASHBOARD, P.SEE_PARTIES, P.SEE_ENTERPRISES, P.SEE_EXCHANGE, P.EXPORT, P.ENTER_DATA}
_INSURE |= {P.JOIN_TRAININGS, P.RECORD_VISITS, P.RUN_SERVICES, P.HANDLE_HAZARDS, P.ATTEND_CAMPAIGNS}
_REGULATE |= {P.HANDLE_HAZARDS, P.SUPERVISE_HAZARDS}
_REGULATE |= {P.SETTLE_DISPUTES, P.SEE_RATINGS}
# who spends explains; who supervises judges
_INSURE |= {P.KEEP_EXPENSES}
_REGULATE |= {P.JUDGE_EXPENSES}
_INSURE |= {P.ISSUE_REPORTS, P.SEE_ASSESSMENT}
_REGULATE |= {P.SEE_ASSESSMENT, P.REVIEW_ASSESSMENT}
_ASSESS = {P.RUN_ASSESSMENT, P.DECIDE_APPEALS, P.REVIEW_ASSESSMENT}
_INSURE |= {P.HANDLE_CLAIMS, P.SEE_COMPLAINTS, P.ANSWER_COMPLAINTS}
_REGULATE |= {P.REVIEW_CLAIMS, P.SEE_COMPLAINTS, P.ANSWER_COMPLAINTS, P.SETTLE_COMPLAINTS}
# whom complaints are about hands out no code for them
_REGULATE |= {P.INVITE_COMPLAINTS}
_INSURE |= {P.ANSWER_COVER, P.MAKE_OFFERS}
_INSURE |= {P.KEEP_EXPENSES, P.SEE_SETTLEMENTS, P.SETTLE_EXPENSES}
# whoever places orders knows what was agreed; who manages the house agrees
_INSURE |= {P.SEE_AGREEMENTS}
_REGULATE |= {P.JUDGE_EXPENSES, P.SEE_SETTLEMENTS}

# entering the market: decided by the province and the committee, enterprises also by their city
_ENTRY = {P.SEE_ENTRIES, P.REVIEW_ENTRIES}
_ENTER = {P.SEE_ENTRIES, P.APPLY}

# judging pictures that were used twice is for those who are no party to it
_REGULATE |= {P.REVIEW_EVIDENCE}


def _rule(reach: Reach, permissions: set[Permission], welcome: str | Promise) -> RoleRule:
    # everybody has alerts of his own; what the law and the committee publish is for everybody; whoever works with hazards photographs them
    evidence = {P.SEE_EVIDENCE, P.ADD_EVIDENCE} if P.SEE_HAZARDS in permissions else set()
    # and what insurers publish about themselves is for everybody too
    open_to_all = {P.SEE_LIBRARY, P.HANDLE_ALERTS, P.SEE_MARKET}
    return RoleRule(reach, frozenset({*permissions, *open_to_all, *evidence}), welcome)


ROLES: dict[Role, RoleRule] = {
    Role.PROVINCE_REGULATOR: _rule(
        Reach.ALL,
        {
            *_REGULATE,
            *_ASSESS,
            *_ENTRY,
            P.DECIDE_STANDINGS,
            P.CONFIRM_CASES,
            P.SEE_AUDIT,
            P.MANAGE_PARAMETERS,
            P.RUN_CAMPAIGNS,
            P.TUNE_ALERTS,
            P.MANAGE_HOOKS,
            P.SEE_AGREEMENTS,
        },
        _("The province at work"),
    ),
    Role.CITY_REGULATOR: _rule(
        Reach.REGION,
        {*_REGULATE, *_ENTRY, P.CONFIRM_CASES, P.SEE_AUDIT, P.TUNE_ALERTS, P.MANAGE_HOOKS},
        _("Your city at work"),
    ),
    Role.COUNTY_REGULATOR: _rule(Reach.REGION, set(_REGULATE), _("Your county at work")),
    Role.SECTOR_DEPARTMENT: _rule(
        Reach.SECTOR,
        {*_LOOK, *_WATCH, P.SEE_PARAMETERS, P.SET_TOPICS, P.HANDLE_HAZARDS, P.SUPERVISE_HAZARDS} | {P.SEE_ASSESSMENT},
        _("Your sector at work"),
    ),
    # insurers' conduct; no data of workers
    Role.FINANCIAL_REGULATOR: _rule(
        Reach.ALL,
        {*_WATCH, P.SEE_UNDERWRITING, P.SEE_PREMIUMS, P.SEE_EXPENSES, P.SEE_CLAIMS, P.SEE_PARAMETERS, P.SEE_AUDIT}
        | {P.JUDGE_EXPENSES, P.SEE_ASSESSMENT, P.CONFIRM_CASES, P.REVIEW_CLAIMS, P.SEE_COMPLAINTS}
        | {P.SEE_SETTLEMENTS, P.SEE_AGREEMENTS},
        _("Insurers' conduct"),
    ),
    # aggregates and quality; premiums and rates stay with the regulators
    Role.COMMITTEE: _rule(
        Reach.ALL,
        {P.SEE_DASHBOARD, P.SEE_PARTIES, P.SEE_ENTERPRISES, P.SEE_SERVICES, P.SEE_HAZARDS, P.SEE_EXCHANGE, P.EXPORT}
        | {P.SEE_PARAMETERS, P.KEEP_LIBRARY, P.LIST_TASKS, P.REVIEW_EVIDENCE}
        | {P.SETTLE_DISPUTES, P.SEE_RATINGS, P.CHECK_QUALITY, P.RUN_CAMPAIGNS}
        | {P.SEE_ASSESSMENT, P.TUNE_ALERTS, P.MANAGE_HOOKS, *_ASSESS}
        | {P.SEE_COMPLAINTS, P.ANSWER_COMPLAINTS, P.SETTLE_COMPLAINTS, P.INVITE_COMPLAINTS}
        | {*_ENTRY, P.DECIDE_STANDINGS, P.KEEP_MEMBERS},
        _("Services across the province"),
    ),
    Role.INSURER_MANAGER: _rule(
        Reach.INSURER,
        {
            *_INSURE,
            *_ENTER,
            P.JOIN_COMMITTEE,
            P.MANAGE_KEYS,
            P.MANAGE_HOOKS,
            P.SEE_AUDIT,
            P.MANAGE_PEOPLE,
            P.ANSWER_ASSESSMENT,
            P.PROPOSE_AGREEMENTS,
            P.SIGN_AGREEMENTS,
        },
        _("Your business in the province"),
    ),
    Role.INSURER_CLERK: _rule(Reach.INSURER, set(_INSURE), _("Your work today")),
    Role.INSURER_BRANCH_MANAGER: _rule(Reach.INSURER, {*_INSURE, P.SEE_AUDIT}, _("Your business in the city")),
    Role.INSURER_BRANCH_CLERK: _rule(Reach.INSURER, set(_INSURE), _("Your work today")),
    Role.AGENCY: _rule(
        Reach.AGENCY,
        {P.SEE_SERVICES, P.SEE_HAZARDS, P.SEE_ENTERPRISES, P.SEE_PARTIES, P.EXPORT, P.JOIN_TRAININGS}
        | {P.MANAGE_HOOKS, P.RECORD_VISITS, P.ANSWER_ORDERS, P.HANDLE_HAZARDS}
        | {P.ISSUE_REPORTS, P.SEE_ASSESSMENT, P.ANSWER_ASSESSMENT, P.SEE_COMPLAINTS, P.ANSWER_COMPLAINTS}
        | {P.SEE_SETTLEMENTS, P.SETTLE_EXPENSES, P.JOIN_COMMITTEE, *_ENTER}
        | {P.SEE_AGREEMENTS, P.SIGN_AGREEMENTS},
        _("Your services"),
    ),
    Role.EXPERT: _rule(
        Reach.EXPERT,
        {P.SEE_SERVICES, P.SEE_HAZARDS, P.SEE_ENTERPRISES, P.SEE_PARTIES, P.JOIN_TRAININGS}
        | {P.RECORD_VISITS, P.ANSWER_ORDERS, P.HANDLE_HAZARDS}
        | {P.ISSUE_REPORTS, P.SEE_ASSESSMENT, P.ANSWER_ASSESSMENT, *_ENTER},
        _("Your visits"),
    ),
    Role.ENTERPRISE: _rule(
        Reach.ENTERPRISE,
        {P.SEE_UNDERWRITING, P.SEE_PREMIUMS, P.SEE_SERVICES, P.SEE_HAZARDS, P.SEE_EXPENSES, P.SEE_CLAIMS}
        | {P.SEE_ENTERPRISES, P.JOIN_TRAININGS, P.CONFIRM_PLANS, P.RECTIFY_HAZARDS}
        | {P.CONFIRM_SERVICES, P.REPORT_LOSSES, P.SEE_COMPLAINTS, P.MAKE_COMPLAINTS, P.INVITE_COMPLAINTS}
        | {P.SEE_REGISTER, P.ANSWER_COVER, P.CHOOSE_INSURER, *_ENTER},
        _("Your insurance and what it brings you"),
    ),
    Role.ADMINISTRATOR: _rule(
        Reach.ALL,
        {P.RUN_PLATFORM, P.MANAGE_PEOPLE, P.SEE_AUDIT, P.SEE_PARAMETERS, P.MANAGE_PARAMETERS, P.SEE_EXCHANGE}
        | {P.MANAGE_KEYS, P.SEE_PARTIES, P.TUNE_ALERTS, P.MANAGE_HOOKS},
        _("The platform at work"),
    ),
}


_K = OrganisationKind
INSURER_ROLES = (
    Role.INSURER_MANAGER,
    Role.INSURER_CLERK,
    Role.INSURER_BRANCH_MANAGER,
    Role.INSURER_BRANCH_CLERK,
)
# What a role belongs to: an organisation of one of these kinds. Roles that are missing belong to an expert,
# an enterprise, or to nothing at all.
ORGANISATION_OF: dict[Role, tuple[OrganisationKind, ...]] = {
    Role.PROVINCE_REGULATOR: (_K.EMA,),
    Role.CITY_REGULATOR: (_K.EMA,),
    Role.COUNTY_REGULATOR: (_K.EMA,),
    Role.SECTOR_DEPARTMENT: (_K.SECTOR_DEPARTMENT, _K.EMA),
    Role.FINANCIAL_REGULATOR: (_K.FINANCIAL_REGULATOR,),
    Role.COMMITTEE: (_K.COMMITTEE,),
    Role.INSURER_MANAGER: (_K.INSURER,),
    Role.INSURER_CLERK: (_K.INSURER,),
    Role.INSURER_BRANCH_MANAGER: (_K.INSURER_BRANCH, _K.INSURER),
    Role.INSURER_BRANCH_CLERK: (_K.INSURER_BRANCH, _K.INSURER),
    Role.AGENCY: (_K.AGENCY,),
}
# The level of region a regulator's authority must have.
REGION_LEVEL: dict[Role, str] = {
    Role.PROVINCE_REGULATOR: "0000",
    Role.CITY_REGULATOR: "00",
}


def grantable(role: str) -> tuple[Role, ...]:
    """The roles somebody who manages people may give: an insurer's manager only those of his own house."""
    return INSURER_ROLES if role == Role.INSURER_MANAGER else tuple(Role)


__all__ = [
    "DECIDE_APPEAL",
    "INSURER_ROLES",
    "ORGANISATION_OF",
    "RAISE_APPEAL",
    "REGION_LEVEL",
    "REVIEW_APPLICATION",
    "ROLES",
    "AlternativeId",
    "AppealState",
    "ApplicationKind",
    "ApplicationState",
    "DocumentKind",
    "EnterpriseSize",
    "OrganisationKind",
    "Permission",
    "QualificationKind",
    "Reach",
    "RefusalCode",
    "RegionKind",
    "RiskTier",
    "Role",
    "RoleRule",
    "SeatRole",
    "SeatState",
    "StandingKind",
    "grantable",
]
