"""The outbox, what each person wants to hear of, and organisations' webhooks."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel
from anze.kernel.models import PrivateTable
from anze.notices.rules import HookKind, NoticeState, Way
from anze.parties.models import Account, Organisation


class Preference(PrivateTable):
    """What somebody wants to hear of, and when not. Without a row: urgent things, on the platform only."""

    account = models.OneToOneField(Account, models.CASCADE, related_name="notice_preference")
    least = models.CharField(
        _("tell me at once of"), max_length=10, choices=AlertLevel.choices, blank=True, default=AlertLevel.URGENT
    )
    by_email = models.BooleanField(_("also by e-mail"), default=False)
    by_sms = models.BooleanField(_("also by text message"), default=False)
    quiet_from = models.TimeField(_("quiet from"), null=True)
    quiet_to = models.TimeField(_("quiet until"), null=True)
    digest_at = models.TimeField(_("daily summary at"), null=True)
    digested_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("wishes about notices")
        verbose_name_plural = _("wishes about notices")

    def __str__(self) -> str:
        return str(self.account_id)


class Hook(PrivateTable):
    """Where an organisation's own system, or its group robot, is told. The secret is sealed. A robot's address holds
    its key, so the audit log knows a hook by its host."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+", verbose_name=_("organisation"))
    kind = models.CharField(_("kind"), max_length=10, choices=HookKind.choices)
    url = models.CharField(_("address"), max_length=500)
    sealed = models.TextField(editable=False)
    least = models.CharField(_("told of"), max_length=10, choices=AlertLevel.choices, default=AlertLevel.URGENT)
    language = models.CharField(_("language"), max_length=8, default="zh-hans")
    is_active = models.BooleanField(_("active"), default=True)
    made_at = models.DateTimeField(_("made at"))
    made_by = models.CharField(_("made by"), max_length=120)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "url"], name="hook_once")]

    def __str__(self) -> str:
        return urlsplit(self.url).hostname or ""


class Notice(PrivateTable):
    """One message to one recipient by one way. Its id is the message id, the same at every attempt.

    `key` names cause and recipient: the same thing is never put into the outbox twice.
    """

    key = models.CharField(max_length=200, unique=True)
    way = models.CharField(_("way"), max_length=8, choices=Way.choices)
    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="+")
    hook = models.ForeignKey(Hook, models.CASCADE, null=True, related_name="+")
    level = models.CharField(pgettext_lazy("alert", "level"), max_length=10, choices=AlertLevel.choices)
    said = models.JSONField(_("text"))  # title and text by language
    path = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=8, choices=NoticeState.choices, default=NoticeState.WAITING)
    made_at = models.DateTimeField(_("made at"))
    not_before = models.DateTimeField(_("not before"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    read_at = models.DateTimeField(_("read at"), null=True)
    failure = models.CharField(pgettext_lazy("notice", "failure"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(way="WEBHOOK", hook__isnull=False, account__isnull=True)
                | (~models.Q(way="WEBHOOK") & models.Q(hook__isnull=True, account__isnull=False)),
                name="notice_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=models.Q(state="SENT") ^ models.Q(sent_at__isnull=True), name="notice_sent_with_its_moment"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["not_before"], name="notice_waiting", condition=models.Q(state="WAITING")),
            models.Index(fields=["account", "-made_at"], name="notice_by_account"),
            models.Index(fields=["hook", "-made_at"], name="notice_by_hook"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """In the reader's language; where a notice is sent, in that of its recipient."""
        return self._words()[0]

    @property
    def text(self) -> str:
        return self._words()[1]

    def _words(self) -> list[str]:
        """Those in the language of the moment, else those there are."""
        said: dict[str, list[str]] = self.said
        return said.get(get_language() or "") or next(iter(said.values()))
