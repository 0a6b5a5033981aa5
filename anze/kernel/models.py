"""Tables everything stands on: parameters, working days, audit events, row history.

Every table of the platform derives from one of four bases, and the base says who may read it:
`PublicTable` everybody who is signed in, `PrivateTable` only the sign-in machinery and the platform,
`ScopedTable` those whose scope covers the row, `FedTable` a scoped table filled through a feed.
`anze.kernel.database` turns that into row-level security.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from anze.kernel.rules import CalendarStatus, Channel, ParameterStatus, ParameterUnit, SampleState


class NewId(models.Func):
    """A time-ordered UUID (version 7) made by the database, so neighbours in time are neighbours on disk."""

    function = "kernel_new_id"
    template = "%(function)s()"
    output_field = models.UUIDField()


class Table(models.Model):
    """Every table of ours: a key in the order of time, and what the database is told about it (`kernel/database.py`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=NewId(), editable=False)

    # extra policies by database role, for tables whose rows a role reaches by another way than its column
    policies: ClassVar[dict[str, str]] = {}
    keeps_history: ClassVar[bool] = False
    # counted by the statistics: every change is queued so that only the touched figures are refreshed
    is_counted: ClassVar[bool] = False
    # a story: rows are added and never changed, by nobody
    is_append_only: ClassVar[bool] = False

    class Meta:
        abstract = True


class PublicTable(Table):
    """Read by every role."""

    keeps_history = True

    class Meta:
        abstract = True


class PrivateTable(Table):
    """Read by the platform alone, and by those a table names in its `policies`."""

    class Meta:
        abstract = True


class ScopedTable(Table):
    """Read by role, through its scope columns and `policies`; a role whose column is lacking sees nothing."""

    keeps_history = True

    class Meta:
        abstract = True


class FedTable(ScopedTable):
    """A table filled through a feed, by whichever of the four channels.

    Event time, entry time and receive time are three different things and all are kept. The reporting
    deadline is computed once, when the row first arrives, from the working-day calendar and the channel.
    """

    is_counted = True

    batch_id = models.UUIDField(_("batch"), editable=False)
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices, editable=False)
    event_on = models.DateField(_("event date"), editable=False, help_text=_("The day the reported thing happened."))
    entered_at = models.DateTimeField(_("entered at"), null=True, editable=False)
    received_at = models.DateTimeField(_("first received at"), editable=False)
    report_due_at = models.DateTimeField(_("report due at"), editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, db_default=1, editable=False)
    content_hash = models.CharField(max_length=32, editable=False)
    is_void = models.BooleanField(_("void"), default=False, db_default=False, editable=False)
    void_reason = models.CharField(_("reason for voiding"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        abstract = True


class DrawnSample(PublicTable):
    """One draw. The population is fixed and its digest published before the seed is known; then anybody can draw it
    again (`anze.kernel.drawing`). Public by its purpose: the population names records by meaningless keys."""

    title = models.CharField(_("title"), max_length=120)
    period_from = models.DateField(_("records from"))
    period_to = models.DateField(_("records until"))
    size = models.PositiveIntegerField(_("to be drawn"))
    population_count = models.PositiveIntegerField(_("records in the population"))
    population_sha256 = models.CharField(_("digest of the population"), max_length=64)
    fixed_at = models.DateTimeField(_("population fixed at"))
    fixed_by = models.CharField(_("fixed by"), max_length=120)
    state = models.CharField(_("state"), max_length=8, choices=SampleState.choices, default=SampleState.FIXED)
    seed = models.CharField(_("seed"), max_length=100, blank=True)
    seed_source = models.CharField(_("where the seed comes from"), max_length=200, blank=True)
    drawn_at = models.DateTimeField(_("drawn at"), null=True)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="DRAWN", drawn_at__isnull=False) & ~models.Q(seed="")
                | models.Q(state="FIXED", drawn_at__isnull=True, seed=""),
                name="%(app_label)s_%(class)s_drawn_has_seed",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-fixed_at", "-id"], name="%(class)s_by_time")]

    def __str__(self) -> str:
        return self.title


class DrawnPopulation(PublicTable):
    """The keys a sample is drawn from, one a line, as they are published. A room adds `sample`, one to one."""

    keeps_history = False

    keys = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.sample_id)  # type: ignore[attr-defined]


class DrawnRecord(models.Model):
    """What was drawn: its place in the draw, the reviewer's marks, and what came of it. A room adds `sample`."""

    rank = models.PositiveIntegerField(_("place in the draw"))
    digest = models.CharField(_("digest of the draw"), max_length=64)
    marks = models.JSONField(_("marks"), default=dict)
    mark = models.PositiveSmallIntegerField(_("mark"), null=True)
    reasons = models.CharField(_("reasons"), max_length=1000, blank=True)
    reviewer = models.UUIDField(null=True)
    reviewer_name = models.CharField(_("reviewer"), max_length=120, blank=True)
    marked_at = models.DateTimeField(_("marked at"), null=True)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(mark__isnull=True) | models.Q(mark__range=(0, 100)),
                name="%(class)s_mark_from_0_to_100",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="RETURNED") | ~models.Q(reasons=""), name="%(class)s_returned_with_reasons"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["sample", "rank"], name="%(class)s_by_rank")]

    def __str__(self) -> str:
        return f"{self.rank}"


class Parameter(PublicTable):
    """A legal or configurable number with the days it is in force, its source, and how sure we are of it."""

    key = models.CharField(_("key"), max_length=80)
    value = models.CharField(_("value"), max_length=80, blank=True)
    unit = models.CharField(_("unit"), max_length=30, choices=ParameterUnit.choices, blank=True)
    region_code = models.CharField(_("region"), max_length=6, blank=True, default="")
    effective_from = models.DateField(_("in force from"))
    effective_to = models.DateField(_("in force until"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=ParameterStatus.choices)
    title_en = models.CharField(_("title (English)"), max_length=200)
    title_zh = models.CharField(_("title (Chinese)"), max_length=200)
    note = models.CharField(_("note"), max_length=400, blank=True)

    class Meta:
        verbose_name = _("parameter")
        verbose_name_plural = _("parameters")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "region_code", "effective_from"], name="parameter_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(effective_to__isnull=True) | models.Q(effective_to__gte=models.F("effective_from")),
                name="parameter_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"


class CalendarDay(models.Model):
    """One day of the working-day calendar. `ordinal` counts the working days up to and including it."""

    day = models.DateField(_("day"), primary_key=True)
    is_workday = models.BooleanField(_("working day"))
    name = models.CharField(_("name"), max_length=60, blank=True)
    source = models.CharField(_("source"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=CalendarStatus.choices)
    ordinal = models.IntegerField(default=0)

    is_public: ClassVar[bool] = True

    class Meta:
        verbose_name = _("calendar day")
        verbose_name_plural = _("calendar days")
        # deadlines are looked up row by row while batches are published
        indexes: ClassVar = [models.Index(fields=["ordinal", "day"], name="calendar_day_by_ordinal")]

    def __str__(self) -> str:
        return f"{self.day}"


class Event(ScopedTable):
    """Something somebody did: append-only, never changed, never deleted."""

    keeps_history = False

    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("action"), max_length=60)
    by = models.UUIDField(_("account"), null=True)
    by_name = models.CharField(_("who"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=40, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    table = models.CharField(_("table"), max_length=80, blank=True)
    row_id = models.UUIDField(_("row"), null=True)
    label = models.CharField(_("about"), max_length=200, blank=True)
    details = models.JSONField(_("details"), default=dict)
    region_code = models.CharField(_("region"), max_length=6, blank=True)
    sector = models.CharField(_("sector"), max_length=12, blank=True)
    insurer_id = models.UUIDField(null=True)
    agency_id = models.UUIDField(null=True)
    enterprise_id = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="event_by_time"),
            models.Index(fields=["row_id", "-at"], name="event_by_row"),
            models.Index(fields=["kind", "-at", "-id"], name="event_by_kind"),
            models.Index(fields=["by", "-at", "-id"], name="event_by_account"),
            models.Index(fields=["by_name"], name="event_by_name", opclasses=["text_pattern_ops"]),
            models.Index(fields=["label"], name="event_by_label", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.kind


class Change(models.Model):
    """What a row looked like before somebody changed or deleted it; written by triggers, so raw SQL is caught."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    by = models.UUIDField(_("account"), null=True)
    event_id = models.UUIDField(null=True)
    table_name = models.CharField(max_length=63)
    row_id = models.UUIDField()
    operation = models.CharField(max_length=6)
    before = models.JSONField()
    region_code = models.CharField(max_length=6, null=True)
    sector = models.CharField(max_length=12, null=True)
    insurer_id = models.UUIDField(null=True)
    agency_id = models.UUIDField(null=True)
    enterprise_id = models.UUIDField(null=True)

    is_history: ClassVar[bool] = True

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["row_id", "id"], name="change_by_row"),
            models.Index(fields=["table_name", "at"], name="change_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.table_name} {self.row_id}"


class Touch(models.Model):
    """A counted row that changed since the figures were last refreshed. Consumed by the refresh."""

    id = models.BigAutoField(primary_key=True)
    table_name = models.CharField(max_length=63)
    row_id = models.UUIDField()
    change = models.BigIntegerField(null=True)  # its state before, or NULL when it was new

    is_queue: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_id}"


class SigningKey(PrivateTable):
    """A key the platform signs reports, certificates and archives with (Ed25519). See `anze.kernel.signing`.

    Signatures outlive the key: one that no longer signs stays published. A revoked one proves nothing any more.
    """

    key_id = models.CharField(_("key id"), max_length=20, unique=True)
    public_key = models.CharField(_("public key"), max_length=60)
    sealed = models.TextField(editable=False)
    valid_from = models.DateTimeField(_("signs from"))
    signs_until = models.DateTimeField(_("signs until"), null=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    made_by = models.CharField(_("made by"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(signs_until__isnull=True), name="one_key_signs"
            ),
        ]

    def __str__(self) -> str:
        return self.key_id


class WrongTry(PrivateTable):
    """Wrong guesses at something open to everybody, and what is left there, counted by sender and span of time."""

    what = models.CharField(max_length=20)
    sender = models.CharField(max_length=64)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["what", "sender", "since"], name="wrong_tries_once"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.count}"


def parameter_row(key: str, on: date, region_code: str = "") -> Parameter | None:
    """The parameter in force on a day: the county's own, else its city's, else the province's, else the general one."""
    return parameter_rows((key,), on, region_code).get(key)


def parameter_rows(keys: Iterable[str], on: date, region_code: str = "") -> dict[str, Parameter]:
    """The parameters in force on a day, by one query; those that have none are missing."""
    found = (
        Parameter.objects.filter(
            models.Q(region_code__in=region_chain(region_code)),
            models.Q(effective_to__isnull=True) | models.Q(effective_to__gte=on),
            key__in=tuple(keys),
            effective_from__lte=on,
        )
        .exclude(value="")
        .order_by("region_code", "effective_from")
    )
    return {each.key: each for each in found}


def region_chain(region_code: str) -> list[str]:
    """A region and everything it lies in, nearest first, ending with '' for everywhere."""
    if not region_code:
        return [""]
    return list(dict.fromkeys([region_code, region_code[:4] + "00", region_code[:2] + "0000", ""]))


def parameter_text(key: str, on: date, region_code: str = "", default: str | None = None) -> str:
    """The value in force on a day as it stands in the table; without one and without a default, LookupError."""
    found = parameter_row(key, on, region_code)
    if found is None:
        if default is None:
            raise LookupError(f"no parameter {key} in force on {on}")
        return default
    return found.value


def parameter(key: str, on: date, region_code: str = "", default: Any = None) -> Decimal:
    """The number in force on a day. Units are the parameter's own (yuan, ratio, days)."""
    return Decimal(parameter_text(key, on, region_code, None if default is None else str(default)))


def parameters(prefix: str, on: date) -> dict[str, Decimal]:
    """All general numbers in force on a day whose key begins so, by one query; their keys without the beginning."""
    rows = (
        Parameter.objects.filter(
            models.Q(effective_to__isnull=True) | models.Q(effective_to__gte=on),
            key__startswith=prefix,
            region_code="",
            effective_from__lte=on,
        )
        .exclude(value="")
        .order_by("effective_from")
        .values_list("key", "value")
    )
    return {key.removeprefix(prefix): Decimal(value) for key, value in rows}
