"""What the enterprise says about a service: links it answers by, its word, disputes, private ratings, calls."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Enterprise, Organisation
from anze.prevention.models.records import Service
from anze.prevention.rules import ServiceType
from anze.prevention.rules.confirmations import Answer, DisputeFinding, DisputeKind, DisputeState, Way

OF_VISITED = "service_id IN (SELECT service_id FROM prevention_serviceperson WHERE expert_id = {})".format(
    party("expert")
)


class OfService(ScopedTable):
    """Something that hangs on a service, with the service's scope."""

    policies: ClassVar = {"anze_expert": OF_VISITED}

    service = models.ForeignKey(Service, models.PROTECT, related_name="+", verbose_name=_("service"))
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("enterprise")
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+",
        verbose_name=_("agency"),
    )  # fmt: skip
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        abstract = True


class ConfirmationLink(OfService):
    """A link by which an enterprise answers for one service without signing in.

    Its secret is shown once and kept as a hash; it serves one answer, and not for ever. From which network it was
    made and used is kept, because whoever holds it can answer.
    """

    keeps_history = False
    policies: ClassVar = {"anze_expert": OF_VISITED, "anze_enterprise": "false"}

    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(_("made at"))
    made_by = models.CharField(_("made by"), max_length=120)
    made_from = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("answered at"), null=True)

    class Meta:
        verbose_name = _("confirmation link")
        verbose_name_plural = _("confirmation links")
        indexes: ClassVar = [models.Index(fields=["service", "-made_at"], name="link_by_service")]

    def __str__(self) -> str:
        return f"{self.service_id}"


class Confirmation(OfService):
    """The enterprise's own word about a service. It speaks of the day and the kind of service that stood there."""

    answer = models.CharField(_("answer"), max_length=8, choices=Answer.choices)
    by_name = models.CharField(_("said by"), max_length=60)
    way = models.CharField(_("how"), max_length=8, choices=Way.choices)
    said_at = models.DateTimeField(_("said at"))
    said_on = models.DateField(_("said on"))
    performed_on = models.DateField(_("performed on"))
    service_type = models.CharField(_("service"), max_length=12, choices=ServiceType.choices)
    is_same_network = models.BooleanField(
        _("answered from the network the link was made in"),
        default=False,
        help_text=_("Usual where the code is scanned from the expert's phone on site; otherwise worth a call."),
    )

    class Meta:
        verbose_name = _("word of the enterprise")
        verbose_name_plural = _("words of the enterprises")
        indexes: ClassVar = [
            models.Index(fields=["service", "-said_at"], name="confirmation_by_service"),
            models.Index(fields=["-said_on", "-id"], name="confirmation_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} {self.answer}"


class Rating(OfService):
    """Stars and a comment, given in private: whoever is rated reads no single one, only means of many.

    Never changed, so without a history, which the rated would read. `quarter` is that of the day it was given.
    """

    keeps_history = False
    policies: ClassVar = {"anze_insurer": "false", "anze_agency": "false", "anze_expert": "false"}

    stars = models.PositiveSmallIntegerField(_("stars"))
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    rated_on = models.DateField(_("rated on"))
    quarter = models.CharField(_("quarter"), max_length=6)

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service"], name="one_rating_a_service"),
            models.CheckConstraint(condition=models.Q(stars__range=(1, 5)), name="stars_from_1_to_5"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-rated_on", "-id"], name="rating_by_day"),
            models.Index(fields=["insurer", "quarter"], name="rating_by_insurer"),
            models.Index(fields=["agency", "quarter"], name="rating_by_agency"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id}"


class Dispute(OfService):
    """The enterprise says that nobody came, or that something is wrong; answered by the insurer, closed by others."""

    kind = models.CharField(_("what is disputed"), max_length=8, choices=DisputeKind.choices)
    text = models.CharField(_("what the enterprise says"), max_length=1000, blank=True)
    raised_by = models.CharField(_("raised by"), max_length=60)
    raised_at = models.DateTimeField(_("raised at"))
    raised_on = models.DateField(_("raised on"))
    answer_due_at = models.DateTimeField(_("answer due at"))
    state = models.CharField(_("state"), max_length=10, choices=DisputeState.choices, default=DisputeState.OPEN)
    answer = models.CharField(_("the insurer's answer"), max_length=1000, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    answered_by = models.CharField(_("answered by"), max_length=120, blank=True)
    finding = models.CharField(_("what was found"), max_length=14, choices=DisputeFinding.choices, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    closed_at = models.DateTimeField(pgettext_lazy("dispute", "closed at"), null=True)
    closed_by = models.CharField(pgettext_lazy("dispute", "closed by"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service"], condition=~models.Q(state="CLOSED"), name="one_open_dispute_a_service"
            ),
            models.CheckConstraint(
                condition=models.Q(state="CLOSED", closed_at__isnull=False) & ~models.Q(reason="")
                | ~models.Q(state="CLOSED") & models.Q(closed_at__isnull=True),
                name="closed_dispute_has_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-raised_on", "-id"], name="dispute_by_day"),
            models.Index(fields=["service", "-raised_on"], name="dispute_by_service"),
        ]

    def __str__(self) -> str:
        return f"{self.raised_on} {self.kind}"


class FollowUp(OfService):
    """A call after a service (AQ 9010, follow-up): who called whom, and what was said."""

    called_on = models.DateField(_("called on"))
    called_by = models.CharField(_("called by"), max_length=120)
    spoke_with = models.CharField(_("spoke with"), max_length=60, blank=True)
    is_reached = models.BooleanField(_("reached"))
    score = models.PositiveSmallIntegerField(_("satisfaction (1–5)"), null=True)
    opinion = models.CharField(_("opinion"), max_length=300, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("follow-up call")
        verbose_name_plural = _("follow-up calls")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__range=(1, 5)), name="call_score_from_1_to_5"
            ),
            models.CheckConstraint(
                condition=models.Q(is_reached=True) | models.Q(score__isnull=True, opinion=""),
                name="call_reached_or_empty",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["service", "-called_on"], name="call_by_service")]

    def __str__(self) -> str:
        return f"{self.called_on} {self.called_by}"
