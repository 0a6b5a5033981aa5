"""Applications with their papers, standing, seats on the committee, appeals."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import PublicTable, ScopedTable
from anze.kernel.scope import READERS, party
from anze.parties.models.institutions import Enterprise, Expert, Organisation
from anze.parties.rules.entering import (
    AppealState,
    ApplicationKind,
    ApplicationState,
    DocumentKind,
    RefusalCode,
    SeatRole,
    SeatState,
    StandingKind,
)

# an enterprise is the business of its region; all other parties are that of the province and of themselves
_OF_THE_PARTY: dict[str, str] = {
    "anze_region": READERS["anze_region"][1].join(("enterprise_id IS NOT NULL AND (", ")")),
    "anze_sector": "false",
    "anze_insurer": f"organisation_id = {party('insurer')}",
    "anze_agency": f"organisation_id = {party('agency')}",
    "anze_expert": f"expert_id = {party('expert')}",
    "anze_enterprise": f"enterprise_id = {party('enterprise')}",
}


def _key(to: type[models.Model], title: Any) -> Any:
    return models.ForeignKey(to, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=title)


class Application(ScopedTable):
    """Somebody asks to be let in, or a party asks that its renewed qualification be taken up.

    `details` holds what only one kind of applicant states (see `anze.parties.actions.entering.DETAILS`). The
    party is empty until the application of somebody new is accepted.
    """

    policies: ClassVar = {
        **_OF_THE_PARTY,
        "anze_region": f"kind = 'ENTERPRISE' AND {READERS['anze_region'][1]}",
    }

    number = models.CharField(_("application no."), max_length=20, unique=True)
    kind = models.CharField(_("who enters"), max_length=16, choices=ApplicationKind.choices)
    state = models.CharField(_("state"), max_length=12, choices=ApplicationState.choices)
    name = models.CharField(pgettext_lazy("applicant", "name"), max_length=120)
    uscc = models.CharField(_("credit code"), max_length=18, blank=True)
    region_code = models.CharField(_("region"), max_length=6)
    details = models.JSONField(_("details"), default=dict)
    contact_name = models.CharField(_("contact"), max_length=60)
    contact_phone = models.CharField(_("contact phone"), max_length=20, blank=True)
    contact_email = models.EmailField(_("e-mail"), blank=True)
    username = models.CharField(_("wanted user name"), max_length=60, blank=True)
    begun_at = models.DateTimeField(_("begun at"))
    submitted_at = models.DateTimeField(_("submitted at"), null=True)
    due_at = models.DateTimeField(_("to be decided by"), null=True)
    rounds = models.PositiveSmallIntegerField(_("times submitted"), default=0)
    advice = models.CharField(_("advice of the committee"), max_length=500, blank=True)
    advised_by = models.CharField(_("advice given by"), max_length=120, blank=True)
    refusal = models.CharField(_("why it is refused"), max_length=16, choices=RefusalCode.choices, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    decided_at = models.DateTimeField(pgettext_lazy("application", "decided at"), null=True)
    decided_by = models.UUIDField(null=True)
    decided_by_name = models.CharField(_("decided by"), max_length=120, blank=True)
    decided_role = models.CharField(max_length=24, blank=True)
    organisation = _key(Organisation, _("organisation"))
    expert = _key(Expert, _("expert"))
    enterprise = _key(Enterprise, _("enterprise"))
    account_id = models.UUIDField(null=True)  # opened by the acceptance

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=("DRAFT", "WITHDRAWN")) | Q(submitted_at__isnull=False, due_at__isnull=False),
                name="application_submitted_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(state="REFUSED") | (~Q(refusal="") & ~Q(reason="")), name="application_refused_why"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("ACCEPTED", "REFUSED")) | Q(decided_at__isnull=False),
                name="application_decided_when",
            ),
            # a party is asked for once at a time; who lost his link asks for another one
            models.UniqueConstraint(
                fields=["kind", "uscc"],
                condition=Q(state__in=("SUBMITTED", "RETURNED")) & ~Q(uscc="") & ~Q(kind="QUALIFICATION"),
                name="application_open_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-begun_at", "-id"], name="application_by_time"),
            models.Index(fields=["state", "due_at"], name="application_by_state"),
        ]

    def __str__(self) -> str:
        return self.number


class Standing(PublicTable):
    """An insurer, agency or expert that is suspended or blacklisted for a time: it takes no new business.

    Lifted early, it ends with the day before; the days it held stay on file.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=StandingKind.choices)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, null=True, blank=True, related_name="standings", verbose_name=_("organisation")
    )
    expert = models.ForeignKey(
        Expert, models.CASCADE, null=True, blank=True, related_name="standings", verbose_name=_("expert")
    )
    from_on = models.DateField(_("from"))
    to_on = models.DateField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    decided_by = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("decided by"))
    decided_account = models.UUIDField(null=True)
    decided_role = models.CharField(max_length=24, blank=True)
    decided_on = models.DateField(_("decided on"), null=True)
    lifted_on = models.DateField(_("lifted on"), null=True)
    lift_reason = models.CharField(_("why it was lifted"), max_length=300, blank=True)
    lifted_by = models.CharField(_("lifted by"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(to_on__isnull=True) | Q(to_on__gte=models.F("from_on")),
                                   name="standing_ends_after_start"),
            models.CheckConstraint(condition=Q(organisation__isnull=False) ^ Q(expert__isnull=False),
                                   name="standing_of_one_party"),
            models.CheckConstraint(condition=Q(lifted_on__isnull=True) | ~Q(lift_reason=""),
                                   name="standing_lifted_why"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.organisation or self.expert}"

    @staticmethod
    def holding(day: date) -> Q:
        """Those in force on a day."""
        return (
            Q(from_on__lte=day)
            & (Q(to_on__isnull=True) | Q(to_on__gte=day))
            & (Q(lifted_on__isnull=True) | Q(lifted_on__gt=day))
        )

    def holds_on(self, day: date) -> bool:
        is_over = (self.to_on is not None and self.to_on < day) or (
            self.lifted_on is not None and self.lifted_on <= day
        )
        return self.from_on <= day and not is_over


class Seat(PublicTable):
    """An institution's membership in the committee: asked for, held, ended. One row each time it joins."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="seats", verbose_name=_("organisation"))
    state = models.CharField(_("state"), max_length=10, choices=SeatState.choices)
    role = models.CharField(_("role"), max_length=10, choices=SeatRole.choices, default=SeatRole.MEMBER)
    representative = models.CharField(_("representative"), max_length=60, blank=True)
    asked_on = models.DateField(_("asked on"))
    joined_on = models.DateField(_("member since"), null=True)
    ended_on = models.DateField(pgettext_lazy("committee", "ended on"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    decided_at = models.DateTimeField(pgettext_lazy("application", "decided at"), null=True)
    decided_by = models.UUIDField(null=True)
    decided_by_name = models.CharField(_("decided by"), max_length=120, blank=True)
    decided_role = models.CharField(max_length=24, blank=True)

    class Meta:
        verbose_name = _("seat on the committee")
        verbose_name_plural = _("seats on the committee")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(state__in=("ASKED", "MEMBER")), name="seat_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="MEMBER") | Q(joined_on__isnull=False, ended_on__isnull=True),
                name="seat_of_member_since",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("LEFT", "EXCLUDED")) | Q(ended_on__isnull=False), name="seat_ended_when"
            ),
            models.CheckConstraint(condition=~Q(state__in=("DECLINED", "EXCLUDED")) | ~Q(reason=""),
                                   name="seat_refused_why"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.organisation)


class Appeal(ScopedTable):
    """A party asks that somebody else looks at a decision again.

    `subject` is the row the decision stands in; `subject_kind` names the room's rule for it
    (`anze.parties.actions.appeals.APPEALABLE`), so that every room's decisions can be appealed against here.
    """

    policies: ClassVar = _OF_THE_PARTY

    number = models.CharField(_("appeal no."), max_length=20, unique=True)
    subject_kind = models.CharField(_("against"), max_length=16)
    subject = models.UUIDField(pgettext_lazy("appeal on entering", "decision"))
    title = models.CharField(_("decision appealed against"), max_length=200)
    decided_on = models.DateField(_("decided on"))
    decided_by = models.UUIDField(null=True)
    decided_by_name = models.CharField(pgettext_lazy("appeal", "first decided by"), max_length=120, blank=True)
    decided_role = models.CharField(max_length=24, blank=True)
    organisation = _key(Organisation, _("organisation"))
    expert = _key(Expert, _("expert"))
    enterprise = _key(Enterprise, _("enterprise"))
    party_name = models.CharField(_("party"), max_length=120)
    region_code = models.CharField(_("region"), max_length=6, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=AppealState.choices, default=AppealState.OPEN)
    grounds = models.CharField(_("grounds"), max_length=2000)
    raised_at = models.DateTimeField(_("raised at"))
    raised_by = models.CharField(_("raised by"), max_length=120)
    due_at = models.DateTimeField(_("to be decided by"))
    reasons = models.CharField(_("reasons"), max_length=2000, blank=True)
    closed_at = models.DateTimeField(pgettext_lazy("appeal", "decided at"), null=True)
    closed_by = models.UUIDField(null=True)
    closed_by_name = models.CharField(pgettext_lazy("appeal", "decided by"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject", "decided_on"], condition=~Q(state="WITHDRAWN"), name="appeal_once"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("UPHELD", "DISMISSED")) | (Q(closed_at__isnull=False) & ~Q(reasons="")),
                name="appeal_decided_why",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-raised_at", "-id"], name="appeal_by_time")]

    def __str__(self) -> str:
        return self.number


class Document(ScopedTable):
    """A paper that came with an application, a standing or an appeal. The file itself lies with the evidence."""

    keeps_history = False
    policies: ClassVar = {
        reader: "application_id IN (SELECT id FROM parties_application) OR standing_id IS NOT NULL "
        "OR appeal_id IN (SELECT id FROM parties_appeal)"
        for reader in READERS
        if reader not in ("anze_all", "anze_sector")
    } | {"anze_sector": "false"}

    application = models.ForeignKey(Application, models.CASCADE, null=True, related_name="documents")
    standing = models.ForeignKey(Standing, models.CASCADE, null=True, related_name="documents")
    appeal = models.ForeignKey(Appeal, models.CASCADE, null=True, related_name="documents")
    kind = models.CharField(_("document"), max_length=20, choices=DocumentKind.choices)
    media = models.UUIDField(_("file"))
    file_name = models.CharField(_("file name"), max_length=160)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.BigIntegerField(_("size in bytes"))
    added_at = models.DateTimeField(pgettext_lazy("document", "added at"))
    added_by = models.CharField(pgettext_lazy("document", "added by"), max_length=120, blank=True)
    removed_at = models.DateTimeField(_("removed at"), null=True)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(application__isnull=False, standing__isnull=True, appeal__isnull=True)
                | Q(application__isnull=True, standing__isnull=False, appeal__isnull=True)
                | Q(application__isnull=True, standing__isnull=True, appeal__isnull=False),
                name="document_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


__all__ = ["Appeal", "Application", "Document", "Seat", "Standing"]
