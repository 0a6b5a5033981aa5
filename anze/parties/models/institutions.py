"""Regions, organisations of every kind, experts, enterprises, people and their roles."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import FedTable, PrivateTable, PublicTable, ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.rules import (
    AlternativeId,
    EnterpriseSize,
    OrganisationKind,
    QualificationKind,
    RegionKind,
    RiskTier,
    Role,
)


class Region(models.Model):
    """A region by GB/T 2260, with the days it existed; functional zones carry a code of ours under their city."""

    code = models.CharField(_("code"), max_length=6, primary_key=True)
    name = models.CharField(_("name"), max_length=60)
    name_en = models.CharField(_("name (English)"), max_length=80)
    kind = models.CharField(_("kind"), max_length=16, choices=RegionKind.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid until"), null=True, blank=True)
    pinyin = models.CharField(max_length=120, blank=True)
    lon = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    lat = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)

    is_public: ClassVar[bool] = True

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") and self.name_en else self.name


class Organisation(PublicTable):
    """A regulator, committee, insurer, agency, broker or the operator. Public by its nature."""

    kind = models.CharField(_("kind"), max_length=20, choices=OrganisationKind.choices)
    code = models.CharField(_("code"), max_length=20, unique=True)
    uscc = models.CharField(_("credit code"), max_length=18, blank=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name (English)"), max_length=160, blank=True)
    short_name = models.CharField(_("short name"), max_length=40, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="branches")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("region"))
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    entered_on = models.DateField(_("on the platform since"), null=True, blank=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        indexes: ClassVar = [models.Index(fields=["kind", "code"], name="organisation_by_kind")]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") and self.name_en else self.name


class Expert(PublicTable):
    """A safety professional. Telephone numbers and identity documents are not kept here."""

    name = models.CharField(pgettext_lazy("person", "name"), max_length=60)
    number = models.CharField(_("expert number"), max_length=30, unique=True)
    agency = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="experts", verbose_name=_("agency")
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("region"))
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    title = models.CharField(pgettext_lazy("person", "title"), max_length=60, blank=True)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)

    class Meta:
        verbose_name = _("expert")
        verbose_name_plural = _("experts")

    def __str__(self) -> str:
        return self.name


class Qualification(PublicTable):
    """A licence or certificate and the days it is valid. Judged at the time of each service.

    One that is renewed under the same number gets another row, so that a gap between the two stays visible.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=QualificationKind.choices)
    organisation = models.ForeignKey(Organisation, models.CASCADE, null=True, blank=True, related_name="qualifications")
    expert = models.ForeignKey(Expert, models.CASCADE, null=True, blank=True, related_name="qualifications")
    number = models.CharField(_("number"), max_length=40)
    issuer = models.CharField(pgettext_lazy("qualification", "issued by"), max_length=80, blank=True)
    scope = models.CharField(_("scope"), max_length=120, blank=True)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid until"))

    class Meta:
        verbose_name = _("qualification")
        verbose_name_plural = _("qualifications")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "number", "valid_from"], name="qualification_number_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to__gte=models.F("valid_from")),
                name="qualification_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(organisation__isnull=False) ^ models.Q(expert__isnull=False),
                name="qualification_of_one_holder",
            ),
        ]

    def __str__(self) -> str:
        return self.number


_OF_PARTY = "id IN (SELECT enterprise_id FROM parties_engagement WHERE party_id = {})"


class Enterprise(FedTable):
    """A production or business unit (生产经营单位), insured or obliged to be."""

    policies: ClassVar = {
        "anze_insurer": _OF_PARTY.format(party("insurer")),
        "anze_agency": _OF_PARTY.format(party("agency")),
        "anze_expert": _OF_PARTY.format(party("expert")),
        "anze_enterprise": f"id = {party('enterprise')}",
    }

    uscc = models.CharField(_("credit code"), max_length=18, unique=True)
    alternative_id_kind = models.CharField(
        _("kind of other number"), max_length=12, choices=AlternativeId.choices, blank=True
    )
    name = models.CharField(_("name"), max_length=120)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    industry_code = models.CharField(_("industry"), max_length=4, blank=True)
    size = models.CharField(_("size"), max_length=8, choices=EnterpriseSize.choices)
    risk_tier = models.CharField(_("risk tier"), max_length=8, choices=RiskTier.choices)
    registered_workers = models.PositiveIntegerField(_("registered workers"))
    address = models.CharField(_("address"), max_length=200, blank=True)
    lon = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True)
    lat = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True)
    contact_name = models.CharField(_("contact"), max_length=60, blank=True)
    contact_phone = models.CharField(_("contact phone"), max_length=20, blank=True)
    is_high_risk = models.BooleanField(
        _("high-risk unit"),
        default=False,
        help_text=_("山东省安全生产条例 Art. 19; wider than, and different from, the duty to insure"),
    )
    closed_on = models.DateField(_("closed on"), null=True)

    class Meta:
        verbose_name = _("enterprise")
        verbose_name_plural = _("enterprises")
        indexes: ClassVar = [
            models.Index(fields=["region_code", "sector"], name="enterprise_by_region"),
            models.Index(fields=["name"], name="enterprise_by_name", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.name


class Engagement(ScopedTable):
    """An insurer, agency or expert works with an enterprise; it opens the enterprise's sheet to that party."""

    keeps_history = False
    policies: ClassVar = {
        "anze_region": "true",
        "anze_sector": "true",
        "anze_insurer": f"party_id = {party('insurer')}",
        "anze_agency": f"party_id = {party('agency')}",
        "anze_expert": f"party_id = {party('expert')}",
        "anze_enterprise": f"enterprise_id = {party('enterprise')}",
    }

    party_id = models.UUIDField()
    enterprise = models.ForeignKey(Enterprise, models.CASCADE, related_name="engagements")
    since_on = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["party_id", "enterprise"], name="engagement_once"),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} – {self.enterprise_id}"


class OfEnterprise(FedTable):
    """A fed row about an enterprise: the scope columns, taken over from the enterprise when the row arrives,
    so that a record stays with the region and sector it was made in.

    Enterprise, insurer and agency are keys without a constraint in the database: publishing sets them from rows
    it has just joined, nobody may delete one, and checking each again is most of what a row would cost.
    """

    # every table of this kind has an index that begins with the enterprise, so the key needs none of its own
    enterprise = models.ForeignKey(
        Enterprise,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("enterprise"),
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        abstract = True


class OfInsurer(OfEnterprise):
    # the unique key (insurer, number) of every table of this kind serves as its index
    insurer = models.ForeignKey(
        Organisation,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("insurer"),
    )

    class Meta:
        abstract = True


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(username__iexact=(username or "").strip())

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Account:
        account = self.model(username=username.strip().lower(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser, PrivateTable):
    """A person who signs in. An insurer's readers see those who work for it or its branches."""

    policies: ClassVar = {"anze_insurer": "id IN (SELECT account_id FROM parties_membership)"}

    username = models.CharField(_("user name"), max_length=60, unique=True)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=60)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=8, default="zh-hans")
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    must_change_password = models.BooleanField(_("must change the password"), default=False)
    present_memberships: list[Membership] | None = None  # read with it when somebody asks for a page

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar = ["name"]
    objects = AccountManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name


class Membership(PrivateTable):
    """A person's role in an organisation, and the rows that come with it."""

    policies: ClassVar = {
        "anze_insurer": "organisation_id IN (SELECT id FROM parties_organisation "
        "WHERE id = {0} OR parent_id = {0})".format(party("insurer"))
    }

    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=24, choices=Role.choices)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("organisation")
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="+")
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    expert = models.ForeignKey(Expert, models.CASCADE, null=True, blank=True, related_name="+")
    enterprise = models.ForeignKey(Enterprise, models.CASCADE, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("role of a person")
        verbose_name_plural = _("roles of people")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "role", "organisation", "region", "expert", "enterprise"],
                name="membership_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} · {self.get_role_display()}"

    @property
    def role_name(self) -> str:
        """As `get_role_display`, which goes through the whole list: every page names its reader's role."""
        return str(Role(self.role).label)
