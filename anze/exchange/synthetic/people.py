"""Somebody to sign in as, one for each role, and keys for two insurers' systems.

The city, its county, the insurer with its branch there, the agency, the expert and the enterprise tell one story: whoever
signs in as one after the other meets the same enterprise."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password

from anze.exchange.actions import issue_key
from anze.exchange.conformance import CASES, certificate_of
from anze.exchange.models import PartnerKey
from anze.exchange.rules import KeyAlgorithm
from anze.exchange.synthetic.entities import Agency, Enterprise, Member, Policy, Province
from anze.kernel.actor import Actor, platform
from anze.parties.models import Account, Expert, Membership, Organisation
from anze.parties.models import Enterprise as EnterpriseRow
from anze.parties.rules import Permission, Role

PASSWORD = "Anze-demo-2026"  # noqa: S105 - printed for everybody who runs the demonstration


@dataclass(frozen=True)
class DemoLogin:
    username: str
    role: Role
    name: str
    organisation: str = ""  # its code


LOGINS = (
    DemoLogin("province", Role.PROVINCE_REGULATOR, "演示省级监管", "EMA370000"),
    DemoLogin("city", Role.CITY_REGULATOR, "演示市级监管", "EMA370700"),
    DemoLogin("county", Role.COUNTY_REGULATOR, "演示县级监管", "EMA370704"),
    DemoLogin("sector", Role.SECTOR_DEPARTMENT, "演示行业主管", "DEP-CONSTR"),
    DemoLogin("nfra", Role.FINANCIAL_REGULATOR, "演示金融监管", "NFRA370000"),
    DemoLogin("committee", Role.COMMITTEE, "演示专委会秘书", "COMMITTEE"),
    DemoLogin("insurer", Role.INSURER_MANAGER, "演示保险经理", "INS01"),
    DemoLogin("clerk", Role.INSURER_CLERK, "演示保险经办", "INS13"),
    DemoLogin("branch", Role.INSURER_BRANCH_MANAGER, "演示分支经理", "INS01-3707"),
    DemoLogin("branch-clerk", Role.INSURER_BRANCH_CLERK, "演示分支经办", "INS01-3707"),
    DemoLogin("agency", Role.AGENCY, "演示技服机构"),
    DemoLogin("expert", Role.EXPERT, "演示专家"),
    DemoLogin("enterprise", Role.ENTERPRISE, "演示企业负责人"),
    DemoLogin("admin", Role.ADMINISTRATOR, "演示平台管理员", "PLATFORM"),
)
KEYS = (("INS01", KeyAlgorithm.ED25519), ("INS13", KeyAlgorithm.HMAC_SHA256))


def create_people(province: Province) -> None:
    """The logins of the demonstration, as far as they are not there; the scope must be everything."""
    encoded = make_password(PASSWORD)
    story = story_of(province)
    for login in LOGINS:
        account, is_new = Account.objects.get_or_create(
            username=login.username, defaults={"name": login.name, "password": encoded}
        )
        if not is_new:
            continue
        membership = Membership(account=account, role=login.role)
        if login.organisation:
            membership.organisation = Organisation.objects.get(code=login.organisation)
            membership.sector = membership.organisation.sector
        elif login.role is Role.AGENCY:
            membership.organisation = Organisation.objects.get(code=story.agency.code)
        elif login.role is Role.EXPERT:
            membership.expert = Expert.objects.get(number=story.expert.number)
        else:
            membership.enterprise = EnterpriseRow.objects.get(uscc=story.enterprise.uscc)
        membership.save()


@dataclass(frozen=True)
class Story:
    """Who belongs together: an enterprise insured with the demonstration's insurer, the agency its plan names, and that
    agency's expert who was there."""

    enterprise: Enterprise
    policy: Policy
    agency: Agency
    expert: Member


def story_of(province: Province) -> Story:
    enterprise = next(each for each in province.enterprises if each.is_shown)
    policy = next(each for each in enterprise.policies if each.start <= province.as_of <= each.cover_end)
    if policy.agency is None:
        raise ValueError("the plan people read first names no agency")
    visits = [visit for each in enterprise.policies for visit in each.visits]
    expert = max(
        (member for visit in visits for member in visit.team if member.agency is policy.agency),
        key=lambda each: (each.certificate_to > province.as_of + timedelta(days=100), each.visits, each.number),
    )
    return Story(enterprise, policy, policy.agency, expert)


def issue_keys(folder: Path, at: datetime) -> list[Path]:
    """Keys for two insurers' systems; their secrets go into files only the owner of the folder can read."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    by = platform(frozenset({Permission.MANAGE_KEYS, Permission.RUN_PLATFORM}))
    written = []
    for code, algorithm in KEYS:
        partner = Organisation.objects.get(code=code)
        if PartnerKey.objects.filter(partner=partner, revoked_at=None).exists():
            continue
        key, secret = issue_key(partner, by=by, at=at, algorithm=algorithm)
        for name, content in ((f"{code}.secret", secret), (f"{code}.key-id", key.key_id)):
            path = folder / name
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(content + "\n")
        written.append(folder / f"{code}.secret")
        _try_out(partner, code == KEYS[0][0], by, at)
    return written


def _try_out(partner: Organisation, is_done: bool, by: Actor, at: datetime) -> None:
    """A key for the sandbox, with what the conformance kit found so far."""
    key, _secret = issue_key(partner, by=by, at=at, is_sandbox=True)
    passed = dict.fromkeys(CASES, True)
    if is_done:
        key.conformance = {"passed": passed, "certificate": certificate_of(partner, at)}
    else:
        del passed["rejected"]
        key.conformance = {"passed": {**passed, "money": False}}
    key.save(update_fields=["conformance"])
