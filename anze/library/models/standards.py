"""Standards with their editions, their criteria clause by clause, and the library of hazards that cites them.

A new edition is new rows. What was published never changes its meaning, so that a finding can be read for good
under the edition it was made by.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.db import connection, models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import PublicTable
from anze.kernel.rules import HazardClass, Sector
from anze.library.rules import Clause, Difference, StandardKind, TextStatus, difference


def worded(row: Any, name: str) -> str:
    """A text kept in both languages, in the reader's; English that is missing falls back to the original."""
    english = getattr(row, f"{name}_en") if (get_language() or "").startswith("en") else ""
    return english or getattr(row, f"{name}_zh")


def in_force(on: date, prefix: str = "") -> Q:
    """Rows in force on a day. Without a first day a text is in force since it was issued."""
    return (Q(**{f"{prefix}effective_from__isnull": True}) | Q(**{f"{prefix}effective_from__lte": on})) & (
        Q(**{f"{prefix}effective_to__isnull": True}) | Q(**{f"{prefix}effective_to__gte": on})
    )


class Edition(PublicTable):
    """What all versioned rows have: the days they are in force, and whether the program ships them."""

    effective_from = models.DateField(_("in force from"), null=True, blank=True)
    effective_to = models.DateField(_("in force until"), null=True, blank=True)
    is_shipped = models.BooleanField(_("comes with the program"), default=True, db_default=True, editable=False)

    class Meta:
        abstract = True


class Standard(Edition):
    """One edition of a standard. Editions of one standard share the family."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    family = models.CharField(_("family"), max_length=40)
    edition = models.CharField(_("edition"), max_length=20)
    kind = models.CharField(_("kind"), max_length=16, choices=StandardKind.choices)
    number = models.CharField(_("number"), max_length=60)
    title_zh = models.CharField(_("title (Chinese)"), max_length=160)
    title_en = models.CharField(_("title (English)"), max_length=200)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    issued = models.CharField(_("issued"), max_length=10, help_text=_("As far as it is known: year, month or day."))
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("replaces")
    )
    status = models.CharField(_("status"), max_length=12, choices=TextStatus.choices)
    source = models.CharField(_("source"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("standard")
        verbose_name_plural = _("standards")
        indexes: ClassVar = [models.Index(fields=["family", "issued"], name="standard_by_family")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["family", "edition"], name="standard_edition_once"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True)
                | Q(effective_from__isnull=True)
                | Q(effective_to__gte=F("effective_from")),
                name="standard_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.number}"

    @property
    def title(self) -> str:
        return worded(self, "title")


class Criterion(Edition):
    """One criterion of one edition, in our own short words. The code is what findings keep."""

    standard = models.ForeignKey(Standard, models.PROTECT, related_name="criteria", verbose_name=_("standard"))
    code = models.CharField(_("code"), max_length=20)
    seq = models.PositiveIntegerField(_("order"))
    clause = models.CharField(_("clause"), max_length=40, blank=True)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    text_zh = models.CharField(_("text (Chinese)"), max_length=600)
    text_en = models.CharField(_("text (English)"), max_length=800)
    status = models.CharField(_("status"), max_length=12, choices=TextStatus.choices)

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["standard", "code"], name="criterion_once_per_edition"),
            models.UniqueConstraint(
                fields=["standard", "seq"], name="criterion_place_once", deferrable=models.Deferrable.DEFERRED
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["code"], name="criterion_by_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.text}"

    @property
    def text(self) -> str:
        return worded(self, "text")


# SQL: the code of the edition a criterion stood in on a day; NULL where it stood in none. Where the first day in force
# is not known, a text is in force since it was issued, as far as that is known: year, month or day.
EDITION_ON = (
    "(SELECT s.code FROM library_criterion c JOIN library_standard s ON s.id = c.standard_id "
    "WHERE c.code = {code} AND coalesce(s.effective_from::text, s.issued) <= ({day})::text "
    "AND (s.effective_to IS NULL OR s.effective_to >= {day}) "
    "ORDER BY coalesce(s.effective_from::text, s.issued) DESC LIMIT 1)"
)

# SQL: the same for a finding that names a hazard of the library: what its version of that day rests on
EDITION_OF_ENTRY_ON = (
    "(SELECT s.code FROM library_hazardentry e LEFT JOIN library_criterion c ON c.id = e.criterion_id "
    "JOIN library_standard s ON s.id = coalesce(c.standard_id, e.standard_id) WHERE e.code = {code} "
    "AND (e.effective_from IS NULL OR e.effective_from <= {day}) "
    "AND (e.effective_to IS NULL OR e.effective_to >= {day}) ORDER BY e.version DESC LIMIT 1)"
)


def edition_on(criterion: str, on: date) -> str:
    """The code of the edition a criterion stands in on a day; empty where it stands in none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {EDITION_ON.format(code='%(code)s', day='%(on)s::date')}", {"code": criterion, "on": on}
        )
        found = cursor.fetchone()
    return (found and found[0]) or ""


class HazardEntry(Edition):
    """A hazard as experts meet it again and again: wording, basis, advice. The class is suggested, never decided."""

    code = models.CharField(_("code"), max_length=20)
    version = models.PositiveIntegerField(_("version"), default=1)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    place_zh = models.CharField(_("place or equipment (Chinese)"), max_length=40)
    place_en = models.CharField(_("place or equipment (English)"), max_length=80)
    wording_zh = models.CharField(_("wording (Chinese)"), max_length=300)
    wording_en = models.CharField(_("wording (English)"), max_length=400)
    criterion = models.ForeignKey(
        Criterion, models.PROTECT, null=True, blank=True, related_name="entries", verbose_name=_("criterion")
    )
    standard = models.ForeignKey(
        Standard, models.PROTECT, null=True, blank=True, related_name="entries", verbose_name=_("standard")
    )
    basis_zh = models.CharField(_("basis (Chinese)"), max_length=160, blank=True)
    basis_en = models.CharField(_("basis (English)"), max_length=200, blank=True)
    suggested_class = models.CharField(
        _("suggested class"), max_length=8, choices=HazardClass.choices, help_text=_("A person decides.")
    )
    suggested_days = models.PositiveSmallIntegerField(_("suggested days to rectify"))
    advice_zh = models.CharField(_("advice (Chinese)"), max_length=300)
    advice_en = models.CharField(_("advice (English)"), max_length=400)
    keywords = models.CharField(_("keywords"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=TextStatus.choices)

    class Meta:
        verbose_name = _("hazard of the library")
        verbose_name_plural = _("hazard library")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="hazard_entry_once_per_version"),
            models.CheckConstraint(
                condition=Q(criterion__isnull=False) | Q(standard__isnull=False) | ~Q(basis_zh=""),
                name="hazard_entry_has_a_basis",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["sector", "code"], name="hazard_entry_by_sector")]

    def __str__(self) -> str:
        return f"{self.code} {self.wording}"

    @property
    def wording(self) -> str:
        return worded(self, "wording")

    @property
    def place(self) -> str:
        return worded(self, "place")

    @property
    def advice(self) -> str:
        return worded(self, "advice")

    @property
    def basis(self) -> str:
        """Number of the standard, code of the criterion, and what else is said. Load both relations with it."""
        return basis_of(self)


def basis_of(row: Any) -> str:
    """What a row rests on, as one line: number, criterion and own words, as far as there are any."""
    standard = row.criterion.standard if row.criterion_id else row.standard
    parts = [standard.number if standard else "", row.criterion.code if row.criterion_id else "", worded(row, "basis")]
    return " ".join(part for part in parts if part)


def edition_difference(old: Standard, new: Standard) -> list[Difference]:
    """What the new edition changes, clause by clause, in the reader's language.

    Which open hazards should be looked at again for it is shown by `anze.hazards.screens.editions`.
    """
    texts: dict[Any, list[Clause]] = {old.pk: [], new.pk: []}
    for each in Criterion.objects.filter(standard__in=(old, new)).order_by("seq"):
        texts[each.standard_id].append(Clause(each.code, each.text))
    return difference(texts[old.pk], texts[new.pk])
