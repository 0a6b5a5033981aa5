"""Partners: what each sends, how punctually, what is about to be late, and the keys its system signs with."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import connection
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from anze.exchange.actions import issue_key, revoke_key, rotate_key
from anze.exchange.actions.keys import PARTNER_KINDS, may_manage_keys
from anze.exchange.conformance import CASES
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, Finding, PartnerKey, RejectedRow
from anze.exchange.receipts import words_of
from anze.exchange.rules import BatchState, KeyAlgorithm
from anze.exchange.screens.batches import BATCHES, download
from anze.exchange.screens.clocks import CLOCKS, REJECTED, SEE, end_of_next_workday, plans_due
from anze.exchange.screens.datasets import LATELY, last_messages, partner_ids
from anze.exchange.senders import feeds_of
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, end_of_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.screen.filters import Asking
from anze.screen.lists import check_reader
from anze.screen.registry import page

CLIENT = settings.ROOT / "clients" / "python"
# days from the event to the first arrival: the upper end of each step, the last one open
LAG_STEPS = (0, 1, 3, 5, 10, 30)


@dataclass(frozen=True)
class Punctuality:
    """How punctually one dataset of one partner arrived: counts, never only a ratio."""

    feed: Feed
    total: int
    in_time: int
    steps: tuple[int, ...]
    late_url: str
    url: str

    @property
    def ratio(self) -> float | None:
        return self.in_time / self.total if self.total else None


def partner_named(request: HttpRequest, pk: Any) -> Organisation:
    """A partner the reader may look at: insurers and authorities see themselves only, the others all."""
    check_reader(request, Batch)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    own = actor.scope.insurer_id
    if own is not None and str(own) != str(pk):
        raise Http404
    found = Organisation.objects.filter(pk=pk, kind__in=PARTNER_KINDS).first()
    if found is None:
        raise Http404
    return found


@page(
    "exchange/partners/",
    name="partners",
    title=_("Partners"),
    permission=Permission.SEE_EXCHANGE,
    in_menu=True,
    order=20,
    icon="plug-connected",
    not_in_menu_of=frozenset({"anze_sector"}),
)
def partners(request: HttpRequest) -> HttpResponse:
    """All partners with their last message; an insurer is led to its own page."""
    check_reader(request, Batch)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.scope.insurer_id:
        return redirect("partner", actor.scope.insurer_id)
    at: datetime = request.at  # type: ignore[attr-defined]
    done = Q(state=BatchState.DONE)
    sums = {
        row["sender"]: row
        for row in Batch.objects.filter(received_at__gte=at - LATELY)
        .values("sender")
        .annotate(
            batches=Count("id", filter=done),
            rows_=Sum("rows", filter=done),
            rejected_=Sum("rejected", filter=done),
            waiting=Count("id", filter=Q(state=BatchState.RECEIVED)),
            failed=Count("id", filter=Q(state=BatchState.FAILED)),
        )
    }
    last: dict[UUID, datetime] = {}
    for (sender, _feed), moment in last_messages(partner_ids()).items():
        last[sender] = max(moment, last.get(sender, moment))
    open_rows = dict(RejectedRow.objects.values_list("sender").annotate(n=Count("id")).values_list("sender", "n"))
    listed = Organisation.objects.filter(kind__in=PARTNER_KINDS, is_active=True).order_by("-kind", "code")
    if actor.scope.reader == "anze_region":
        listed = listed.filter(Q(kind=OrganisationKind.INSURER) | Q(pk=actor.organisation_id))
    lines = [
        {
            "partner": each,
            "last": last.get(each.pk),
            "sums": sums.get(each.pk),
            "open": open_rows.get(each.pk, 0),
        }
        for each in listed
    ]
    return render(request, "exchange/partners.html", {"lines": lines, "days": LATELY.days})


@page("exchange/partners/<uuid:pk>/", name="partner", title=_("Partner"), permission=Permission.SEE_EXCHANGE)
def partner(request: HttpRequest, pk: Any) -> HttpResponse:
    """Everything about one partner's reporting on one page."""
    found = partner_named(request, pk)
    return render(request, "exchange/partner.html", monitor_of(request, found))


def monitor_of(request: HttpRequest, found: Organisation) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    at: datetime = request.at  # type: ignore[attr-defined]
    today = beijing_day(at)
    since = date(today.year, 1, 1)
    sent = Batch.objects.filter(sender=found)
    feeds = [feed for feed in feeds_of_partner(found) if actor.may(SEE[feed.module])]
    manages = may_manage_keys(actor, found.pk)
    return {
        "partner": found,
        "is_insurer": found.kind == OrganisationKind.INSURER,
        "last": messages_of(sent),
        "volumes": volumes(sent, at),
        "reasons": reasons(sent, at),
        "punctuality": [punctuality(feed, found, since, today) for feed in feeds],
        "since": since,
        "steps": step_names(),
        "soon": soon(request, found),
        "manages": manages,
        "keys": keys_of(found, at) if manages else [],
        "trials": trials_of(found),
        "algorithms": KeyAlgorithm.choices,
        "base": request.build_absolute_uri("/").rstrip("/"),
        "days": LATELY.days,
        "has_client": CLIENT.is_dir(),
        "shown": None,
    }


def trials_of(found: Organisation) -> list[dict[str, Any]]:
    """What the conformance kit found with each sandbox key, case by case, and the certificate earned."""
    keys = PartnerKey.objects.filter(partner=found, is_sandbox=True, revoked_at=None).exclude(conformance={})
    made = []
    for key in keys.order_by("-issued_at"):
        passed = key.conformance.get("passed", {})
        words = {
            True: (pgettext("test case", "passed"), "success"),
            False: (pgettext("test case", "failed"), "danger"),
            None: (pgettext("test case", "not run yet"), ""),
        }
        cases = [(str(case.title), *words[passed.get(name)]) for name, case in CASES.items()]
        number = sum(bool(passed.get(name)) for name in CASES)
        certificate = key.conformance.get("certificate")
        made.append({"key": key.key_id, "cases": cases, "passed": number, "certificate": certificate})
    return made


def feeds_of_partner(found: Organisation) -> list[Feed]:
    return feeds_of(found)


def messages_of(sent: QuerySet[Batch]) -> list[dict[str, Any]]:
    """Dataset and channel → the last message that was published, and how many there were."""
    rows = (
        sent.filter(state=BatchState.DONE)
        .values("feed", "channel")
        .annotate(last=Max("received_at"), batches=Count("id"), rows_=Sum("rows"), rejected_=Sum("rejected"))
    )
    order = list(FEEDS)
    return [
        row | {"title": FEEDS[row["feed"]].title, "channel_name": Channel(row["channel"]).label}
        for row in sorted(rows, key=lambda row: (order.index(row["feed"]), row["channel"]))
    ]


def volumes(sent: QuerySet[Batch], at: datetime) -> list[dict[str, Any]]:
    """Rows a day over the last 30 days, days without any included."""
    found: dict[date, list[int]] = {}
    recent = sent.filter(state=BatchState.DONE, received_at__gte=at - LATELY)
    for received_at, rows, rejected in recent.values_list("received_at", "rows", "rejected"):
        counts = found.setdefault(beijing_day(received_at), [0, 0, 0])
        counts[0] += 1
        counts[1] += rows
        counts[2] += rejected
    today = beijing_day(at)
    most = max((counts[1] for counts in found.values()), default=0)
    days = [today - timedelta(days=back) for back in range(LATELY.days, -1, -1)]
    return [
        {"day": day, "batches": counts[0], "rows": counts[1], "rejected": counts[2], "most": most}
        for day in days
        for counts in [found.get(day, [0, 0, 0])]
    ]


def reasons(sent: QuerySet[Batch], at: datetime) -> list[dict[str, Any]]:
    """What rows were rejected for in the last 30 days, the most frequent first."""
    batches = sent.filter(state=BatchState.DONE, rejected__gt=0, received_at__gte=at - LATELY).values("pk")
    rows = (
        Finding.objects.filter(batch__in=batches)
        .values("batch__feed", "code")
        .annotate(n=Count("id"))
        .order_by("-n")[:15]
    )
    return [
        {
            "feed": FEEDS[row["batch__feed"]],
            "code": row["code"],
            "count": row["n"],
            "words": " · ".join(_open(text) for text in words_of(row["batch__feed"], row["code"])),
        }
        for row in rows
    ]


def _open(text: str) -> str:
    return text.replace("%(", "‹").replace(")s", "›") if "%(" in text else text


def punctuality(feed: Feed, found: Organisation, since: date, until: date) -> Punctuality:
    """Counts of one dataset's records by how long they took, events of this year; voided ones left out."""
    table = feed.model._meta.db_table
    lag = "(received_at AT TIME ZONE 'Asia/Shanghai')::date - event_on"
    low = -1_000_000
    counted = []
    for high in (*LAG_STEPS, None):
        upper = f"AND {lag} <= {high}" if high is not None else ""
        counted.append(f"count(*) FILTER (WHERE {lag} > {low} {upper})")
        low = high if high is not None else low
    own = "AND insurer_id = %(partner)s" if feed.of_insurer else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), count(*) FILTER (WHERE received_at <= report_due_at), {', '.join(counted)} "
            f"FROM {table} WHERE NOT is_void AND event_on BETWEEN %(since)s AND %(until)s {own}",
            {"partner": found.pk, "since": since, "until": until},
        )
        total, in_time, *steps = cursor.fetchone()
    screen = CLOCKS[feed.name]
    narrowed = {"event_from": since.isoformat(), "event_to": until.isoformat()}
    if feed.of_insurer:
        narrowed["insurer"] = str(found.pk)
    return Punctuality(
        feed, total, in_time, tuple(steps), screen.link(**narrowed, reported="late"), screen.link(**narrowed)
    )


def step_names() -> list[str]:
    names = [_now("same day")]
    low = 0
    for high in LAG_STEPS[1:]:
        first = low + 1
        span = f"{first}–{high}" if first != high else str(high)
        names.append(ngettext("%(days)s day", "%(days)s days", high) % {"days": span})
        low = high
    names.append(_now("more than %(days)s days") % {"days": low})
    return names


def soon(request: HttpRequest, found: Organisation) -> list[dict[str, Any]]:
    """What will be late after the next working day, as far as the platform can know.

    A record nobody has sent yet is unknown here. Known are: records that were rejected and not yet corrected,
    files that were checked and not confirmed, and policies whose service plan is due.
    """
    at: datetime = request.at  # type: ignore[attr-defined]
    actor: Actor = request.actor  # type: ignore[attr-defined]
    end = end_of_next_workday(at)
    words = {"sender": str(found.pk)}
    rejected = RejectedRow.objects.filter(sender=found)
    made = [
        {
            "title": _now("Rejected records, due by the end of the next working day"),
            "count": rejected.filter(report_due_at__gte=at, report_due_at__lte=end).count(),
            "url": REJECTED.link(due="next", **words),
            "tone": "warning",
        },
        {
            "title": _now("Rejected records, already overdue"),
            "count": rejected.filter(report_due_at__lt=at).count(),
            "url": REJECTED.link(due="overdue", **words),
            "tone": "danger",
        },
        {
            "title": _now("Uploaded files that wait to be confirmed"),
            "count": Batch.objects.filter(sender=found, state=BatchState.CHECKED).count(),
            "url": BATCHES.link(state="CHECKED", **words),
            "tone": "warning",
        },
    ]
    if found.kind == OrganisationKind.INSURER and actor.may(Permission.SEE_SERVICES):
        due = plans_due(Asking(actor, at)).filter(insurer_id=found.pk)
        made.append(
            {
                "title": _now("Policies whose service plan is due by the end of the next working day"),
                "count": due.count(),
                "rows": list(due.order_by("start_on").values("pk", "policy_no", "start_on")[:20])
                if actor.may(Permission.SEE_UNDERWRITING)
                else [],
                "url": "",
                "tone": "warning",
            }
        )
    return [{"rows": [], **each} for each in made]


# keys -----------------------------------------------------------------------------------------------------


def keys_of(found: Organisation, at: datetime) -> list[dict[str, Any]]:
    made = []
    for key in PartnerKey.objects.filter(partner=found).order_by("-issued_at")[:50]:
        if key.revoked_at:
            state, tone = _now("revoked"), "danger"
        elif key.expires_at and key.expires_at <= at:
            state, tone = _now("expired"), ""
        elif key.expires_at:
            state, tone = _now("ends"), "warning"
        else:
            state, tone = _now("valid"), "success"
        made.append({"key": key, "state": state, "tone": tone, "works": tone in ("success", "warning")})
    return made


def _with_secret(request: HttpRequest, found: Organisation, key: PartnerKey, secret: str) -> HttpResponse:
    """The partner's page with the new key's secret, which is not to be had again."""
    words = monitor_of(request, found) | {"shown": {"key": key, "secret": secret}}
    response = render(request, "exchange/partner.html", words)
    response["Cache-Control"] = "no-store"
    return response


@page(
    "exchange/partners/<uuid:pk>/keys/", name="partner-key-issue", permission=Permission.MANAGE_KEYS, methods=("POST",)
)
def issue(request: HttpRequest, pk: Any) -> HttpResponse:
    """Issue a key; its secret stands on the answer and nowhere else."""
    found = partner_named(request, pk)
    algorithm = request.POST.get("algorithm", "")
    if algorithm not in KeyAlgorithm.values:
        raise Http404
    key, secret = issue_key(
        found,
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        algorithm=algorithm,
        public_key=request.POST.get("public_key", "").strip() or None,
        expires_at=_end_of(request.POST.get("expires_on", "")),
        is_sandbox=request.POST.get("is_sandbox") == "1",
    )
    return _with_secret(request, found, key, secret)


def _end_of(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return end_of_day(date.fromisoformat(text))
    except ValueError:
        raise Refused(
            "not_a_day",
            _("The last day of the key cannot be read."),
            remedy=_("Write it as 2027-12-31, or leave it empty."),
            field="expires_on",
        ) from None


def _key(request: HttpRequest, pk: Any) -> PartnerKey:
    check_reader(request, PartnerKey)
    found = PartnerKey.objects.select_related("partner").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("exchange/keys/<uuid:pk>/rotate/", name="key-rotate", permission=Permission.MANAGE_KEYS, methods=("POST",))
def rotate(request: HttpRequest, pk: Any) -> HttpResponse:
    """Replace a key: the new one is shown, the old one works for another week."""
    old = _key(request, pk)
    key, secret = rotate_key(
        old,
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        public_key=request.POST.get("public_key", "").strip() or None,
    )
    return _with_secret(request, old.partner, key, secret)


@page("exchange/keys/<uuid:pk>/revoke/", name="key-revoke", permission=Permission.MANAGE_KEYS, methods=("POST",))
def revoke(request: HttpRequest, pk: Any) -> HttpResponse:
    """End a key at once."""
    key = revoke_key(_key(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(
        request,
        _now("The key %(key)s was revoked at %(when)s.")
        % {"key": key.key_id, "when": f"{timezone.localtime(key.revoked_at):%H:%M:%S}"},
    )
    return redirect("partner", key.partner_id)


@page("exchange/sample-client.zip", name="sample-client", permission=Permission.SEE_EXCHANGE)
def sample_client(request: HttpRequest) -> HttpResponse:
    """The sample client with its instructions, to be tried at once."""
    if not CLIENT.is_dir():
        raise Http404
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(CLIENT.rglob("*")):
            if path.suffix in (".py", ".md", ".toml") and "build" not in path.parts:
                archive.write(path, Path("anze-client") / path.relative_to(CLIENT))
    return download(packed.getvalue(), "anze-client.zip", "application/zip")
