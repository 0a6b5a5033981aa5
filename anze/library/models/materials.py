"""Videos, posters and handbooks, and how often they are used."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import PrivateTable, PublicTable
from anze.kernel.rules import Sector
from anze.library.models.standards import worded
from anze.library.rules import Audience, MaterialKind, Use


class Material(PublicTable):
    """Something to watch, hang up or read. Without sectors it is for all of them."""

    keeps_history = False  # counted at every use; who changed what stands in the audit log

    code = models.CharField(_("code"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=MaterialKind.choices)
    title_zh = models.CharField(_("title (Chinese)"), max_length=120)
    title_en = models.CharField(_("title (English)"), max_length=160)
    about_zh = models.CharField(_("about (Chinese)"), max_length=300, blank=True)
    about_en = models.CharField(_("about (English)"), max_length=400, blank=True)
    sectors = ArrayField(
        models.CharField(max_length=12, choices=Sector.choices), verbose_name=_("sectors"), default=list, blank=True
    )
    audience = models.CharField(_("audience"), max_length=12, choices=Audience.choices, default=Audience.ALL)
    file = models.CharField(max_length=120, editable=False)
    media_type = models.CharField(_("file type"), max_length=40, editable=False)
    size = models.PositiveBigIntegerField(_("size in bytes"), editable=False)
    sha256 = models.CharField(_("SHA-256"), max_length=64, editable=False)
    pages = models.PositiveIntegerField(_("pages"), null=True, blank=True)
    minutes = models.PositiveIntegerField(_("minutes"), null=True, blank=True)
    published_on = models.DateField(_("published on"))
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, blank=True)
    views = models.PositiveIntegerField(_("opened"), default=0, db_default=0)
    downloads = models.PositiveIntegerField(_("downloaded"), default=0, db_default=0)

    class Meta:
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        indexes: ClassVar = [
            models.Index(fields=["-published_on", "-id"], name="material_by_day"),
            models.Index(fields=["-views", "-id"], name="material_by_views"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return worded(self, "title")

    @property
    def about(self) -> str:
        return worded(self, "about")


class MaterialDay(PublicTable):
    """How often a material was used on one day."""

    keeps_history = False

    material = models.ForeignKey(Material, models.CASCADE, related_name="days")
    on = models.DateField(_("day"))
    views = models.PositiveIntegerField(_("opened"), default=0, db_default=0)
    downloads = models.PositiveIntegerField(_("downloaded"), default=0, db_default=0)

    class Meta:
        verbose_name = _("use of a material")
        verbose_name_plural = _("uses of materials")
        constraints: ClassVar = [models.UniqueConstraint(fields=["material", "on"], name="material_day_once")]

    def __str__(self) -> str:
        return f"{self.material_id} {self.on}"


class MaterialUse(PrivateTable):
    """Who used what on a day, so that nobody is counted twice. Read by nobody but the counting itself."""

    material = models.ForeignKey(Material, models.CASCADE, related_name="+", db_index=False)
    on = models.DateField(_("day"))
    account_id = models.UUIDField()
    use = models.CharField(max_length=8, choices=Use.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["material", "on", "account_id", "use"], name="material_use_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.material_id} {self.on} {self.use}"
