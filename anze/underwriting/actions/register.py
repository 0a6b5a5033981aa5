"""Keeping the obligation register: confirming, disputing and deciding, suspending, merging."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission
from anze.underwriting.models import Obligation, ObligationSource, RegisterDispute
from anze.underwriting.rules import DATED, DECIDE_DISPUTE, DISPUTE, DisputeState, Ground, ObligationState, Side


def side_of(by: Actor) -> Side:
    """Whom somebody speaks for."""
    if by.scope.enterprise_id is not None:
        return Side.ENTERPRISE
    if by.scope.insurer_id is not None:
        return Side.INSURER
    return Side.AUTHORITY if by.organisation_id is not None or by.role.endswith("REGULATOR") else Side.PLATFORM


@action(Permission.KEEP_REGISTER, "obligation.confirmed")
def confirm_entries(entries: QuerySet[Obligation], *, by: Actor, at: datetime) -> int:
    """They were looked at and are right. Those in dispute are decided, not confirmed over somebody's head."""
    return entries.filter(state=ObligationState.UNCERTAIN, is_void=False).update(
        state=ObligationState.CONFIRMED, version=F("version") + 1
    )


@action(Permission.ANSWER_COVER, "obligation.disputed")
def dispute_entry(
    entry: Obligation,
    *,
    by: Actor,
    at: datetime,
    ground: str,
    words: str,
    from_on: date | None = None,
    to_on: date | None = None,
    workers: int | None = None,
) -> RegisterDispute:
    """Somebody concerned says that an entry is wrong. Until it is decided, the entry counts as uncertain."""
    if ground in DATED and from_on is None:
        raise Refused("day_missing", _("Since when?"), remedy=_("Give the first day."), field="from_on")
    if from_on and to_on and to_on < from_on:
        raise Refused(
            "ends_before_start", _("The last day lies before the first."), remedy=_("Correct one."), field="to_on"
        )
    with widened(EVERYTHING):  # an insurer does not read the register, but may say what it knows
        if entry.disputes.filter(ground=ground, state=DisputeState.OPEN).exists():
            raise Refused(
                "disputed_already",
                _("This is being looked at already."),
                remedy=_("Wait for the decision, or add to it in writing."),
                status=409,
            )
        dispute = RegisterDispute.objects.create(
            obligation=entry,
            ground=ground,
            words=words,
            from_on=from_on,
            to_on=to_on,
            workers=workers,
            side=side_of(by),
            raised_by=(by.organisation_name or by.name)[:120],
            raised_at=at,
            due_at=DECIDE_DISPUTE.due_at(beijing_day(at), calendar=load_calendar()),
            state=DisputeState.OPEN,
            enterprise_id=entry.enterprise_id,
            region_code=entry.region_code,
            sector=entry.sector,
        )
        _write(entry, state=ObligationState.DISPUTED, dispute_note=words[:300])
    return dispute


@action(Permission.KEEP_REGISTER, "obligation.dispute_granted")
def grant_dispute(dispute: RegisterDispute, *, by: Actor, at: datetime, decision: str) -> RegisterDispute:
    """The authority agrees, and the entry is made right at once."""
    _decide(dispute, "grant", by, at, decision)
    entry, today = dispute.obligation, beijing_day(at)
    if dispute.ground == Ground.SUSPENDED:
        _write(entry, suspended_from_on=dispute.from_on, suspended_to_on=dispute.to_on)
    elif dispute.ground == Ground.WORKERS:
        if dispute.workers:
            _write(entry, registered_workers=dispute.workers)
    else:
        day = max(dispute.from_on or today, entry.listed_on)
        _write(entry, delisted_on=day, delisting_reason=f"{dispute.get_ground_display()}：{decision}"[:200])
    _settle(entry)
    return dispute


@action(Permission.KEEP_REGISTER, "obligation.dispute_refused")
def refuse_dispute(dispute: RegisterDispute, *, by: Actor, at: datetime, decision: str) -> RegisterDispute:
    _decide(dispute, "refuse", by, at, decision)
    _settle(dispute.obligation)
    return dispute


def _decide(dispute: RegisterDispute, way: str, by: Actor, at: datetime, decision: str) -> None:
    DISPUTE.move(dispute, way, decided_at=at, decided_by=(by.organisation_name or by.name)[:120], decision=decision)


def _settle(entry: Obligation) -> None:
    """With nothing left to decide the entry is confirmed."""
    if not entry.disputes.filter(state=DisputeState.OPEN).exists():
        _write(entry, state=ObligationState.CONFIRMED, dispute_note="")


def _write(entry: Obligation, **values: object) -> None:
    """A decision is another version of the entry; what was there before stays in its history."""
    Obligation.objects.filter(pk=entry.pk).update(**values, version=F("version") + 1)
    entry.refresh_from_db()


@action(Permission.KEEP_REGISTER, "obligation.suspended")
def suspend_entry(
    entry: Obligation, *, by: Actor, at: datetime, from_on: date, to_on: date | None, words: str
) -> Obligation:
    """The unit does not operate for a time; the duty rests as long. Without a last day until further notice."""
    if to_on and to_on < from_on:
        raise Refused(
            "ends_before_start", _("The last day lies before the first."), remedy=_("Correct one."), field="to_on"
        )
    _write(entry, suspended_from_on=from_on, suspended_to_on=to_on)
    return entry


@action(Permission.KEEP_REGISTER, "obligation.resumed")
def resume_entry(entry: Obligation, *, by: Actor, at: datetime, on: date) -> Obligation:
    """It operates again from a day on."""
    if entry.suspended_from_on is None or (entry.suspended_to_on and entry.suspended_to_on < on):
        raise Refused(
            "not_suspended", _("It is not suspended on that day."), remedy=_("Choose another day."), field="on"
        )
    if on <= entry.suspended_from_on:
        _write(entry, suspended_from_on=None, suspended_to_on=None)
    else:
        _write(entry, suspended_to_on=date.fromordinal(on.toordinal() - 1))
    return entry


def duplicates_of(entry: Obligation) -> QuerySet[Obligation]:
    """Entries that may mean the same unit: the same credit code under another sector, or another code with the
    same name in the same county. A person decides."""
    same_code = Obligation.objects.filter(enterprise_id=entry.enterprise_id)
    same_name = Obligation.objects.filter(
        enterprise__name=entry.enterprise.name, enterprise__region_code=entry.enterprise.region_code
    )
    found = (same_code | same_name).exclude(pk=entry.pk)
    return found.filter(is_void=False, delisted_on__isnull=True).select_related("enterprise").order_by("listed_on")


@action(Permission.KEEP_REGISTER, "obligation.merged")
def merge_entries(entry: Obligation, *, by: Actor, at: datetime, into: Obligation) -> Obligation:
    """One unit, one entry: the duplicate leaves the register and stays on file; its sources go along."""
    if entry.pk == into.pk or into.merged_into_id == entry.pk or into.merged_into_id is not None:
        raise Refused(
            "merged_already",
            _("That entry was itself merged into another."),
            remedy=_("Choose the one that stands."),
            status=409,
        )
    if entry.delisted_on is not None or into.delisted_on is not None:
        raise Refused(
            "entry_off_register",
            _("That entry is no longer on the register."),
            remedy=_("Choose one that stands."),
            status=409,
        )
    today = max(beijing_day(at), entry.listed_on)
    said = _now("Merged into the entry of %(name)s (%(uscc)s).") % {
        "name": into.enterprise.name, "uscc": into.enterprise.uscc,
    }  # fmt: skip
    own = ObligationSource.objects.filter(obligation=entry)
    known = set(into.sources.values_list("source", flat=True))
    listed = list(own) or [
        ObligationSource(source=entry.source, reason=entry.reason, listed_on=entry.listed_on,
                         registered_workers=entry.registered_workers)
    ]  # fmt: skip
    ObligationSource.objects.bulk_create(
        ObligationSource(
            obligation=into,
            source=each.source if each.source not in known else f"{each.source} ({entry.enterprise.uscc})"[:120],
            reason=each.reason,
            listed_on=each.listed_on,
            registered_workers=each.registered_workers,
            from_entry=entry,
            enterprise_id=into.enterprise_id,
            region_code=into.region_code,
            sector=into.sector,
        )
        for each in listed
    )
    _write(
        entry, delisted_on=today, delisting_reason=said[:200], merged_into=into, merged_on=today,
        state=ObligationState.CONFIRMED,
    )  # fmt: skip
    return entry
