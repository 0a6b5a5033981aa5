"""Originals, who sent them for what, uploads under way, fingerprints, and pictures that were there before."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.evidence.rules import (
    LONGEST_KIND,
    FileType,
    Grade,
    MatchKind,
    MatchState,
    MediaKind,
    MediaRole,
    UploadState,
)
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import READERS, party
from anze.parties.models import Enterprise, Expert, Organisation

_OTHERS = [role for role in READERS if role != "anze_all"]


def _party(to: type[models.Model], title: Any) -> Any:
    """A key to a party: set from rows just read, nobody may delete one; an index where lists need it."""
    return models.ForeignKey(
        to, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+", verbose_name=title
    )


class Original(ScopedTable):
    """One content, kept once whoever sent it and however often; the file itself is never changed.

    Who sees a piece of evidence sees its original. `keeps_history` is off: nothing here ever changes.
    """

    keeps_history = False
    policies: ClassVar = dict.fromkeys(
        _OTHERS, "EXISTS (SELECT FROM evidence_media AS m WHERE m.original_id = evidence_original.id)"
    )

    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    size = models.BigIntegerField(_("size in bytes"))
    media_type = models.CharField(_("file type"), max_length=20, choices=FileType.choices)
    width = models.PositiveIntegerField(_("width in pixels"), null=True)
    height = models.PositiveIntegerField(_("height in pixels"), null=True)
    is_damaged = models.BooleanField(_("incomplete picture"), default=False)
    stored_at = models.DateTimeField(_("stored at"))

    class Meta:
        verbose_name = _("original")
        verbose_name_plural = _("originals")

    def __str__(self) -> str:
        return self.sha256


class Media(ScopedTable):
    """A photo, video or document that somebody sent for something. Voided, never deleted.

    `subject` is a row of a room above, which this one does not know; the scope columns are that row's. What the
    device said and what the file itself says (EXIF) are kept apart.
    """

    policies: ClassVar = {"anze_expert": f"expert_id = {party('expert')}"}

    original = models.ForeignKey(Original, models.PROTECT, related_name="media", verbose_name=_("original"))
    kind = models.CharField(_("kind"), max_length=10, choices=MediaKind.choices)
    role = models.CharField(_("shows"), max_length=24, choices=MediaRole.choices)
    subject_kind = models.CharField(_("belongs to"), max_length=LONGEST_KIND)
    subject = models.UUIDField(_("record it belongs to"))
    part = models.UUIDField(_("finding or step"), null=True)
    client_id = models.UUIDField(_("number made by the device"), unique=True)
    file_name = models.CharField(_("file name"), max_length=160, blank=True)
    captured_at = models.DateTimeField(_("taken at"), null=True)
    device_at = models.DateTimeField(_("device's clock when sent"), null=True)
    received_at = models.DateTimeField(_("received at"))
    clock_offset_s = models.IntegerField(_("device's clock ahead by seconds"), null=True)
    lon = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True)
    lat = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True)
    accuracy_m = models.PositiveIntegerField(_("accuracy in metres"), null=True)
    exif_at = models.DateTimeField(_("time in the file"), null=True)
    exif_lon = models.DecimalField(_("longitude in the file"), max_digits=9, decimal_places=6, null=True)
    exif_lat = models.DecimalField(_("latitude in the file"), max_digits=9, decimal_places=6, null=True)
    device = models.CharField(_("device"), max_length=120, blank=True)
    annotation = models.JSONField(_("drawn over it"), default=dict, blank=True)
    hints = ArrayField(models.CharField(max_length=24), verbose_name=_("hints"), default=list)
    grade = models.CharField(_("weight of the hints"), max_length=8, choices=Grade.choices, blank=True, default="")
    taken_by = models.UUIDField(_("account"), null=True)
    taken_by_name = models.CharField(pgettext_lazy("file", "sent by"), max_length=120, blank=True)
    expert = _party(Expert, _("expert"))
    region_code = models.CharField(_("region"), max_length=6, blank=True)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    insurer = _party(Organisation, _("insurer"))
    agency = _party(Organisation, _("agency"))
    enterprise = _party(Enterprise, _("enterprise"))
    voided_at = models.DateTimeField(_("voided at"), null=True)
    void_reason = models.CharField(_("reason for voiding"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("photo or file")
        verbose_name_plural = _("photos and files")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(voided_at__isnull=True) | ~models.Q(void_reason=""), name="media_void_has_reason"
            ),
            models.CheckConstraint(
                condition=models.Q(lon__isnull=True, lat__isnull=True)
                | models.Q(lon__range=(-180, 180), lat__range=(-90, 90)),
                name="media_position_on_earth",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["subject", "received_at"], name="media_by_subject"),
            models.Index(fields=["-received_at", "-id"], name="media_by_time"),
            models.Index(fields=["region_code", "-received_at", "-id"], name="media_by_region"),
            models.Index(fields=["insurer", "-received_at", "-id"], name="media_by_insurer"),
            models.Index(fields=["agency", "-received_at", "-id"], name="media_by_agency"),
            models.Index(fields=["expert", "-received_at", "-id"], name="media_by_expert"),
            models.Index(fields=["enterprise", "-received_at", "-id"], name="media_by_enterprise"),
            models.Index(
                fields=["-received_at", "-id"], name="media_with_hints", condition=~models.Q(grade="")
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.file_name or str(self.id)


class Upload(ScopedTable):
    """A file on its way, sent in pieces; the pieces lie in one part file until the last one is there.

    `received` counts what is safely on the disk: the server never acknowledges more. Everybody sees his own.
    """

    keeps_history = False
    policies: ClassVar = dict.fromkeys(_OTHERS, f"account_id = {party('by')}")

    client_id = models.UUIDField(_("number made by the device"), unique=True)
    account_id = models.UUIDField(_("account"), null=True)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.BigIntegerField(_("size in bytes"))
    received = models.BigIntegerField(_("bytes received"), default=0)
    declared = models.JSONField(_("declared"), default=dict)
    state = models.CharField(_("state"), max_length=8, choices=UploadState.choices, default=UploadState.OPEN)
    refusal = models.CharField(_("refused because of"), max_length=40, blank=True)
    media = models.ForeignKey(Media, models.CASCADE, null=True, related_name="+", verbose_name=_("photo or file"))
    started_at = models.DateTimeField(_("started at"))
    expires_at = models.DateTimeField(_("kept until"))

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(received__gte=0, received__lte=models.F("size")), name="upload_within_its_size"
            ),
            models.CheckConstraint(
                condition=models.Q(state="DONE", media__isnull=False)
                | (~models.Q(state="DONE") & models.Q(media__isnull=True)),
                name="upload_done_has_media",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account_id", "started_at"], name="upload_by_account"),
            models.Index(fields=["expires_at"], name="upload_by_expiry", condition=~models.Q(state="DONE")),
        ]

    def __str__(self) -> str:
        return str(self.client_id)


class Fingerprint(models.Model):
    """What a picture is found again by. It has no scope columns: only the platform itself reads it.

    `whole` is the 256-bit perceptual hash (PDQ), `corners` are the corner points with their words and places, for
    the check that follows the search. The number is short because it stands beside each of the keys.
    """

    is_scoped: ClassVar[bool] = True

    id = models.AutoField(primary_key=True)
    original = models.OneToOneField(Original, models.CASCADE, related_name="fingerprint")
    whole = models.BinaryField(max_length=32)
    quality = models.PositiveSmallIntegerField()
    corners = models.BinaryField()

    class Meta:
        verbose_name = _("fingerprint")
        verbose_name_plural = _("fingerprints")

    def __str__(self) -> str:
        return str(self.original_id)


class FingerprintKey(models.Model):
    """One of the some fifty keys a fingerprint is looked up by: a 16-bit band of its hash or the word of a point.

    The primary key holds the whole row, so that the search reads nothing else. An inverted index over an array
    (GIN) would hold the same in one column, but words are nearly all different: filling it takes the hundredfold
    of sorting these rows.
    """

    is_scoped: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("key", "fingerprint_id")
    key = models.IntegerField()
    fingerprint = models.ForeignKey(
        Fingerprint, models.CASCADE, db_constraint=False, db_index=False, related_name="keys"
    )

    class Meta:
        verbose_name = _("key of a fingerprint")
        verbose_name_plural = _("keys of fingerprints")

    def __str__(self) -> str:
        return f"{self.key} {self.fingerprint_id}"


DECIDED_WITH_REASON = models.Q(state="OPEN", decided_at__isnull=True) | (
    ~models.Q(state="OPEN") & models.Q(decided_at__isnull=False) & ~models.Q(reason="")
)


class Resemblance(ScopedTable):
    """Two records of which one repeats the other, and what a person decided about it: `first` was there before
    `second`.

    The scope columns hold what both sides have in common: the smallest region around both, the insurer, agency
    or expert only where it is the same one. So whoever is not set over both sides does not see it, nor the
    events about it, nor its history: regulators see what lies within their region across insurers, an insurer,
    an agency or an expert what is wholly his own.
    """

    grade = models.CharField(_("weight"), max_length=8, choices=Grade.choices)
    found_at = models.DateTimeField(_("found at"))
    is_across = models.BooleanField(_("different insurers"))
    state = models.CharField(_("decision"), max_length=10, choices=MatchState.choices, default=MatchState.OPEN)
    decided_at = models.DateTimeField(_("judged at"), null=True)
    decided_by = models.UUIDField(_("account"), null=True)
    decided_by_name = models.CharField(_("judged by"), max_length=120, blank=True)
    reason = models.CharField(pgettext_lazy("match", "reason"), max_length=300, blank=True)
    region_code = models.CharField(_("region around both"), max_length=6)
    sector = models.CharField(_("sector of both"), max_length=12, choices=Sector.choices, blank=True)
    insurer_id = models.UUIDField(null=True)
    agency_id = models.UUIDField(null=True)

    class Meta:
        abstract = True


class Match(Resemblance):
    """Two pieces of evidence that show the very same picture."""

    policies: ClassVar = {"anze_expert": f"expert_id = {party('expert')}"}

    first = models.ForeignKey(
        Media, models.PROTECT, db_index=False, related_name="matches_after", verbose_name=_("earlier picture")
    )
    second = models.ForeignKey(
        Media, models.PROTECT, db_index=False, related_name="matches_before", verbose_name=_("later picture")
    )
    kind = models.CharField(_("sameness"), max_length=10, choices=MatchKind.choices)
    distance = models.PositiveSmallIntegerField(_("bits that differ (of 256)"), null=True)
    likeness = models.DecimalField(_("tiles that agree"), max_digits=4, decimal_places=3, null=True)
    expert_id = models.UUIDField(null=True)
    first_insurer = _party(Organisation, _("insurer of the earlier picture"))
    second_insurer = _party(Organisation, _("insurer of the later picture"))
    first_enterprise = _party(Enterprise, _("enterprise of the earlier picture"))
    second_enterprise = _party(Enterprise, _("enterprise of the later picture"))

    class Meta:
        verbose_name = _("picture used before")
        verbose_name_plural = _("pictures used before")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["second", "first"], name="match_once_a_pair"),
            models.CheckConstraint(condition=~models.Q(first=models.F("second")), name="match_of_two"),
            models.CheckConstraint(condition=DECIDED_WITH_REASON, name="match_decided_with_reason"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-found_at", "-id"], name="match_by_time"),
            models.Index(fields=["insurer_id", "-found_at", "-id"], name="match_by_insurer"),
            models.Index(fields=["region_code", "-found_at", "-id"], name="match_by_region"),
            models.Index(fields=["first"], name="match_by_first"),
            models.Index(fields=["-found_at"], name="match_open", condition=models.Q(state="OPEN")),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} – {self.second_id}"
