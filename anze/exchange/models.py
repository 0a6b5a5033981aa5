"""Partners' keys, batches as they came in, and what was found in them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.exchange.rules import BatchState, ConnectorState, KeyAlgorithm, PullFailure, RunState
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Channel
from anze.parties.models import Organisation


class PartnerKey(ScopedTable):
    """A key a partner signs with. The secret of an Ed25519 key never reaches us; an HMAC secret is kept
    encrypted with the platform's key and shown once."""

    partner = models.ForeignKey(Organisation, models.CASCADE, related_name="keys", verbose_name=_("partner"))
    insurer_id = models.UUIDField(null=True, editable=False)
    region_code = models.CharField(max_length=6, editable=False)
    key_id = models.CharField(_("key id"), max_length=60, unique=True)
    algorithm = models.CharField(_("algorithm"), max_length=12, choices=KeyAlgorithm.choices)
    material = models.TextField(editable=False)
    issued_at = models.DateTimeField(_("issued at"))
    issued_by = models.CharField(_("issued by"), max_length=120)
    expires_at = models.DateTimeField(_("valid until"), null=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True)
    # what it sends is checked like everything else and published nowhere; `conformance` holds the verdicts on it
    is_sandbox = models.BooleanField(_("for the sandbox"), default=False, db_default=False)
    conformance = models.JSONField(_("conformance"), default=dict, db_default={}, editable=False)

    class Meta:
        verbose_name = _("interface key")
        verbose_name_plural = _("interface keys")

    def __str__(self) -> str:
        return self.key_id


class Nonce(models.Model):
    """A nonce already seen within the allowed clock skew; a second use is a replay."""

    key_id = models.CharField(max_length=60)
    nonce = models.CharField(max_length=120)
    seen_at = models.DateTimeField()

    is_private: ClassVar[bool] = True

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["key_id", "nonce"], name="nonce_once")]
        indexes: ClassVar = [models.Index(fields=["seen_at"], name="nonce_by_time")]

    def __str__(self) -> str:
        return self.nonce


class Batch(ScopedTable):
    """Rows of one feed from one sender, as they arrived, and their receipt.

    `payload` is what was sent, compressed, kept so that nothing acknowledged can be lost. `outcomes` holds one
    letter a row in the order sent (see rules.Outcome): a receipt for every row without a table of them.
    """

    keeps_history = False

    feed = models.CharField(_("dataset"), max_length=40)
    sender = models.ForeignKey(Organisation, models.PROTECT, related_name="batches", verbose_name=_("sender"))
    insurer_id = models.UUIDField(null=True, editable=False)
    region_code = models.CharField(_("region"), max_length=6)
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices)
    state = models.CharField(_("state"), max_length=10, choices=BatchState.choices)
    idempotency_key = models.CharField(_("idempotency key"), max_length=100)
    content_sha256 = models.CharField(_("content SHA-256"), max_length=64)
    content_type = models.CharField(max_length=100)
    payload = models.BinaryField()
    size = models.PositiveIntegerField(_("bytes"))
    file_name = models.CharField(_("file"), max_length=200, blank=True)
    received_at = models.DateTimeField(_("received at"))
    finished_at = models.DateTimeField(_("processed at"), null=True)
    by = models.UUIDField(null=True)
    by_name = models.CharField(_("sent by"), max_length=120, blank=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    outcomes = models.TextField(blank=True, default="")
    failure = models.CharField(_("failure"), max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    started_at = models.DateTimeField(_("processing since"), null=True)
    remarks = models.JSONField(_("remarks"), default=list)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sender", "feed", "idempotency_key"], name="idempotency_key_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["-received_at", "-id"], name="batch_by_time"),
            models.Index(
                fields=["state", "received_at"],
                name="batch_waiting",
                condition=models.Q(state__in=["RECEIVED", "CHECKING"]),
            ),
            models.Index(fields=["sender", "feed", "-received_at"], name="batch_by_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.feed} {self.received_at:%Y-%m-%d %H:%M}"


class Finding(ScopedTable):
    """What a check found in one row of a batch: field, rule, remedy. The row's content stays with it."""

    keeps_history = False

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="findings", verbose_name=_("batch"))
    insurer_id = models.UUIDField(null=True, editable=False)
    region_code = models.CharField(max_length=6)
    row = models.PositiveIntegerField(_("row"))
    field = models.CharField(_("field"), max_length=60)
    code = models.CharField(_("code"), max_length=40)
    values = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        indexes: ClassVar = [models.Index(fields=["batch", "row"], name="finding_by_row")]

    def __str__(self) -> str:
        return f"{self.row} {self.field} {self.code}"


class RejectedRow(ScopedTable):
    """A record that was sent and rejected and is not on file: its reporting deadline runs on.

    It goes when a record of the same number is accepted. Kept only where number and day could be read.
    """

    keeps_history = False

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="rejected_rows", verbose_name=_("batch"))
    sender = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("sender"))
    insurer_id = models.UUIDField(null=True, editable=False)
    region_code = models.CharField(_("region"), max_length=6)
    feed = models.CharField(_("dataset"), max_length=40)
    row = models.PositiveIntegerField(_("row"))
    key = models.CharField(_("number of the record"), max_length=200)
    event_on = models.DateField(_("event date"))
    received_at = models.DateTimeField(_("received at"))
    report_due_at = models.DateTimeField(_("report due at"))

    class Meta:
        verbose_name = _("rejected record")
        verbose_name_plural = _("rejected records, not yet corrected")
        constraints: ClassVar = [models.UniqueConstraint(fields=["sender", "feed", "key"], name="rejected_record_once")]
        indexes: ClassVar = [models.Index(fields=["report_due_at", "id"], name="rejected_row_by_due")]

    def __str__(self) -> str:
        return f"{self.feed} {self.key}"


class Connector(ScopedTable):
    """An insurer's app that is pulled. `cursors` says for each of its lists how far it was taken over; it is written
    in the transaction that keeps the rows, so that nothing is lost and nothing doubled."""

    insurer = models.ForeignKey(Organisation, models.PROTECT, related_name="connectors", verbose_name=_("insurer"))
    region_code = models.CharField(_("region"), max_length=6)
    name = models.CharField(_("name"), max_length=80)
    mapping = models.CharField(_("kind of app"), max_length=60)
    base_url = models.URLField(_("address"), max_length=200)
    token = models.TextField(editable=False)  # sealed
    every_minutes = models.PositiveIntegerField(_("every so many minutes"), default=60)
    state = models.CharField(_("state"), max_length=10, choices=ConnectorState.choices, default=ConnectorState.ACTIVE)
    cursors = models.JSONField(_("taken over up to"), default=dict)
    made_at = models.DateTimeField(_("made at"))
    made_by = models.CharField(_("made by"), max_length=120, blank=True)
    last_run_at = models.DateTimeField(_("last run at"), null=True)
    next_run_at = models.DateTimeField(_("next run at"))
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)

    class Meta:
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints: ClassVar = [models.UniqueConstraint(fields=["insurer", "name"], name="connector_name_once")]
        indexes: ClassVar = [models.Index(fields=["name", "id"], name="connector_by_name")]

    def __str__(self) -> str:
        return self.name


class ConnectorRun(ScopedTable):
    """One time an app was pulled: what was taken and what refused."""

    keeps_history = False

    connector = models.ForeignKey(Connector, models.CASCADE, related_name="runs", verbose_name=_("connector"))
    insurer_id = models.UUIDField(editable=False)
    region_code = models.CharField(max_length=6)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=RunState.choices, default=RunState.RUNNING)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    photos = models.PositiveIntegerField(_("photos"), default=0)
    photos_missing = models.PositiveIntegerField(_("photos not to be had"), default=0)
    cause = models.CharField(_("why"), max_length=12, choices=PullFailure.choices, blank=True, default="")
    failure = models.CharField(_("failure"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("run of a connector")
        verbose_name_plural = _("runs of connectors")
        indexes: ClassVar = [models.Index(fields=["-started_at", "-id"], name="connector_run_by_time")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class SandboxDelivery(ScopedTable):
    """What a sandbox was sent, in the order it came; or, with a `code`, a request that was refused."""

    keeps_history = False

    key = models.ForeignKey(PartnerKey, models.CASCADE, related_name="deliveries", verbose_name=_("interface key"))
    insurer_id = models.UUIDField(null=True, editable=False)
    region_code = models.CharField(max_length=6)
    feed = models.CharField(_("dataset"), max_length=40)
    idempotency_key = models.CharField(_("idempotency key"), max_length=100)
    content_sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    content_type = models.CharField(max_length=100)
    received_at = models.DateTimeField(_("received at"))
    is_repeat = models.BooleanField(_("repeated"), default=False)
    code = models.CharField(_("refused with"), max_length=40, blank=True, default="")
    receipt = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("delivery to a sandbox")
        verbose_name_plural = _("deliveries to sandboxes")
        indexes: ClassVar = [models.Index(fields=["key", "received_at"], name="sandbox_delivery_by_key")]

    def __str__(self) -> str:
        return f"{self.feed} {self.received_at:%Y-%m-%d %H:%M:%S}"
