"""Who is told of an alert at once, and the summary of the day.

Those are told whose turn it is, by what they wished; written in the transaction that raises the alert. Many alerts of
one run come as one message: a flood tells nobody anything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anze.kernel.alert import ALERTS
from anze.kernel.duty import BEIJING, Party
from anze.kernel.scope import EVERYTHING, inside
from anze.kernel.wording import listed
from anze.monitoring.models import Alert
from anze.monitoring.rules.alerts import AlertState, Reached, mine
from anze.notices.actions import Told, tell_hooks, tell_people
from anze.notices.models import Hook, Preference
from anze.notices.rules import LEVELS, reaches
from anze.parties.access import scope_of
from anze.parties.models import Membership, Organisation
from anze.parties.rules import INSURER_ROLES, OrganisationKind, Role

FOLD = 5  # so many alerts of one run are told one by one
AT_MOST = 50_000
_AUTHORITIES = {
    Reached.COUNTY: Role.COUNTY_REGULATOR,
    Reached.CITY: Role.CITY_REGULATOR,
    Reached.PROVINCE: Role.PROVINCE_REGULATOR,
}
_BY_ROLE = {
    Party.COMMITTEE: Role.COMMITTEE,
    Party.FINANCIAL: Role.FINANCIAL_REGULATOR,
    Party.PLATFORM: Role.ADMINISTRATOR,
}


def keys_of(alert: Alert) -> Iterable[tuple[str, Any]]:
    """Whose turn it is, in the words by which memberships and organisations are found."""
    for party in alert.parties:
        if party == Party.INSURER and alert.insurer_id:
            yield "insurer", alert.insurer_id
        elif party == Party.AGENCY and alert.agency_id:
            yield "agency", alert.agency_id
        elif party == Party.EXPERT and alert.expert_id:
            yield "expert", alert.expert_id
        elif party == Party.ENTERPRISE and alert.enterprise_id:
            yield "enterprise", alert.enterprise_id
        elif party in _BY_ROLE:
            yield "role", _BY_ROLE[Party(party)].value
    if alert.reached:
        level = Reached(alert.reached)
        region = alert.region_code
        if level is not Reached.COUNTY:
            region = region[:4] + "00" if level is Reached.CITY else region[:2] + "0000"
        yield "authority", (_AUTHORITIES[level].value, region)


def _key_of(member: Membership) -> tuple[str, Any] | None:
    organisation = member.organisation
    if member.expert_id:
        return "expert", member.expert_id
    if member.enterprise_id:
        return "enterprise", member.enterprise_id
    if organisation is None:
        return ("role", member.role) if member.role == Role.ADMINISTRATOR else None
    if member.role in INSURER_ROLES:
        branch = organisation.kind == OrganisationKind.INSURER_BRANCH
        return "insurer", organisation.parent_id if branch else organisation.pk
    if member.role == Role.AGENCY:
        return "agency", organisation.pk
    if member.role in _AUTHORITIES.values():
        return "authority", (member.role, member.region_id or organisation.region_id)
    return "role", member.role


def tell(ids: Sequence[UUID], at: datetime) -> None:
    """Everybody whose turn the alerts have become; nobody of the same alert at the same level twice."""
    if not ids or len(ids) > AT_MOST:
        return
    wanted: dict[tuple[str, Any], list[Alert]] = defaultdict(list)
    for alert in Alert.objects.filter(pk__in=list(ids)):
        for key in keys_of(alert):
            wanted[key].append(alert)
    members = Membership.objects.filter(is_active=True, account__is_active=True).select_related(
        "account", "organisation"
    )
    wishes = {each.account_id: each for each in Preference.objects.all()}
    people = []
    told: dict[UUID, Told] = {}
    for member in members:
        own_key = _key_of(member)
        found = wanted.get(own_key, []) if own_key else []
        if not found:
            continue
        wish = wishes.get(member.account_id)
        least = wish.least if wish else LEVELS[0].value
        scope = scope_of(member)
        own = [
            each
            for each in found
            if reaches(each.level, least) and (scope.reader != "anze_insurer" or scope.covers_region(each.region_code))
        ]
        people += [(member.account, wish, each) for each in _said(own, at, told)]
    tell_people(people, at=at)
    hooks = list(Hook.objects.filter(is_active=True).select_related("organisation"))
    systems = []
    for hook in hooks:
        found = [each for each in wanted.get(_hook_key(hook.organisation), []) if reaches(each.level, hook.least)]
        systems += [(hook, each) for each in _said(found, at, told, fold=False)]
    tell_hooks(systems, at=at)


def _hook_key(organisation: Organisation) -> tuple[str, Any]:
    if organisation.kind == OrganisationKind.INSURER:
        return "insurer", organisation.pk
    if organisation.kind == OrganisationKind.AGENCY:
        return "agency", organisation.pk
    if organisation.kind == OrganisationKind.EMA:
        region = organisation.region_id
        level = (
            Reached.PROVINCE if region.endswith("0000") else Reached.CITY if region.endswith("00") else Reached.COUNTY
        )
        return "authority", (_AUTHORITIES[level].value, region)
    roles = {OrganisationKind.COMMITTEE: Role.COMMITTEE, OrganisationKind.FINANCIAL_REGULATOR: Role.FINANCIAL_REGULATOR}
    return "role", roles.get(OrganisationKind(organisation.kind), Role.ADMINISTRATOR).value


def _said(alerts: list[Alert], at: datetime, known: dict[UUID, Told], *, fold: bool = True) -> Iterable[Told]:
    alerts = [each for each in alerts if each.code in ALERTS]
    if fold and len(alerts) > FOLD:
        yield _many(alerts, at)
        return
    for alert in alerts:
        if alert.pk not in known:
            known[alert.pk] = _one(alert)
        yield known[alert.pk]


def _counted(counts: Iterable[tuple[object, int]]) -> str:
    """How many of each, one after the other."""
    return listed(_("%(what)s: %(count)s") % {"what": what, "count": f"{count:,}"} for what, count in counts)


def _many(alerts: list[Alert], at: datetime) -> Told:
    most = Counter(each.code for each in alerts).most_common()
    level = next(each for each in LEVELS if any(alert.level == each for alert in alerts))

    def words() -> tuple[str, str]:
        title = ngettext("%(count)s new alert waits for you", "%(count)s new alerts wait for you", len(alerts)) % {
            "count": f"{len(alerts):,}"
        }
        return title, _counted((ALERTS[code].title, count) for code, count in most)

    return Told(f"alerts:{at.isoformat()}", level.value, words, reverse("alerts"), {"type": "alerts.raised"})


def _one(alert: Alert) -> Told:
    rule = ALERTS[alert.code]
    data = {
        "type": "alert.raised",
        "alert": str(alert.pk),
        "code": alert.code,
        "label": alert.label,
        "due_on": alert.due_on.isoformat(),
        "reached": alert.reached,
        "region_code": alert.region_code,
    }
    return Told(
        f"alert:{alert.pk}:{alert.opened_at.isoformat()}:{alert.reached}",
        alert.level,
        lambda: (f"{rule.title} · {alert.label}", f"{rule.said(alert.facts)} {rule.remedy}"),
        reverse("alert", args=[alert.pk]),
        data,
    )


def _open(counted: Mapping[str, int]) -> Callable[[], tuple[str, str]]:
    def words() -> tuple[str, str]:
        total = sum(counted.values())
        title = ngettext("%(count)s alert is open", "%(count)s alerts are open", total) % {"count": f"{total:,}"}
        return title, _counted((each.label, counted[each]) for each in LEVELS if counted.get(each))

    return words


def summarise(*, at: datetime) -> int:
    """The summary of the day for those whose hour has come. One a day and person, whatever happens meanwhile."""
    here = at.astimezone(BEIJING)
    with inside(EVERYTHING):
        due = list(
            Preference.objects.filter(digest_at__lte=here.time(), account__is_active=True)
            .filter(Q(digested_on__isnull=True) | Q(digested_on__lt=here.date()))
            .select_related("account")
        )
        members: dict[UUID, list[Membership]] = defaultdict(list)
        for member in Membership.objects.filter(
            account__in=[each.account_id for each in due], is_active=True
        ).select_related("organisation", "account"):
            members[member.account_id].append(member)
    for wish in due:
        counted: dict[str, int] = defaultdict(int)
        for member in members[wish.account_id]:
            scope = scope_of(member)
            if scope.reader:
                with inside(scope):
                    rows = Alert.objects.filter(mine(scope, member.role)).exclude(state=AlertState.CLOSED)
                    for level, count in rows.values_list("level").annotate(n=Count("pk")).order_by():
                        counted[level] += count
        with inside(EVERYTHING):
            if counted:
                told = Told(f"digest:{here.date()}", LEVELS[-1].value, _open(counted), reverse("alerts"))
                tell_people([(wish.account, wish, told)], at=at)
            Preference.objects.filter(pk=wish.pk).update(digested_on=here.date())
    return len(due)
