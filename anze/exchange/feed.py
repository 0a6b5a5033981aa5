"""A feed: everything that is true of one dataset an outsider sends, said once.

From one `Feed` come the signed endpoint and its OpenAPI text, the Excel template and its upload, the web
form, the data dictionary, the contract tests, and the input of the synthetic province.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, Optional

import msgspec
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


class Kind(Enum):
    """What a field holds: its JSON form and its column type."""

    TEXT = "text"
    CODE = "code"
    CODES = "codes"
    INTEGER = "integer"
    DECIMAL = "numeric"
    DATE = "date"
    MOMENT = "timestamptz"
    BOOL = "boolean"
    USCC = "uscc"
    ROWS = "rows"  # numbered lines under the row, published to a table of their own
    LIST = "list"  # short structured list kept with the row as JSON

    @property
    def sql(self) -> str:
        if self is Kind.CODES:
            return "text[]"
        if self in (Kind.TEXT, Kind.CODE, Kind.USCC):
            return "text"
        return "jsonb" if self is Kind.LIST else self.value


MOST_LINES = 200  # lines under one row
MOST = 2_000_000_000  # the largest whole number where a field sets no limit of its own
USCC_SHAPE = r"^[0-9A-HJ-NP-RTUW-Y]{18}$"


@dataclass(frozen=True)
class Field:
    """One field. `example` gives the values of the two example rows; `column` the table's column if it
    differs from the name ("" when the field only helps to find another row). For ROWS and LIST `minimum` is
    the fewest lines allowed."""

    name: str
    kind: Kind
    title: Words
    example: tuple[Any, Any]
    note: Words = ""
    required: bool = True
    column: str | None = None
    codes: type[models.TextChoices] | None = None
    max_length: int = 200
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    digits: int = 14
    places: int = 2
    of: tuple[Field, ...] = ()

    @property
    def stored_as(self) -> str:
        return self.name if self.column is None else self.column

    @property
    def is_nullable(self) -> bool:
        """Optional text and codes are empty, everything else is null, when nothing is known."""
        return not self.required and self.kind not in (
            Kind.TEXT,
            Kind.CODE,
            Kind.CODES,
            Kind.ROWS,
            Kind.LIST,
            Kind.USCC,
        )

    @property
    def blank(self) -> Any:
        if self.kind in (Kind.CODES, Kind.ROWS, Kind.LIST):
            return []
        return "" if self.kind in (Kind.TEXT, Kind.CODE, Kind.USCC) else None

    def json_type(self) -> Any:
        """The strict type of the field in JSON; the same for every channel."""
        base: Any
        if self.kind is Kind.TEXT:
            base = Annotated[str, msgspec.Meta(max_length=self.max_length, min_length=1 if self.required else None)]
        elif self.kind is Kind.USCC:
            # the length too, because $ lets a line end follow
            pattern = USCC_SHAPE if self.required else f"^$|{USCC_SHAPE}"
            base = Annotated[str, msgspec.Meta(pattern=pattern, max_length=18)]
        elif self.kind in (Kind.CODE, Kind.CODES):
            if self.codes is None:
                raise TypeError(f"the field {self.name} has no code list")
            values = tuple(self.codes.values) if self.required or self.kind is Kind.CODES else ("", *self.codes.values)
            base = Literal[values]
            if self.kind is Kind.CODES:
                base = list[base]
        elif self.kind is Kind.INTEGER:
            low = 0 if self.minimum is None else int(self.minimum)
            high = MOST if self.maximum is None else int(self.maximum)
            base = Annotated[int, msgspec.Meta(ge=low, le=high)]
        elif self.kind is Kind.DECIMAL:
            base = Decimal
        elif self.kind is Kind.DATE:
            base = date
        elif self.kind is Kind.MOMENT:
            base = Annotated[datetime, msgspec.Meta(tz=True)]
        elif self.kind is Kind.BOOL:
            base = bool
        else:
            fewest = int(self.minimum) if self.minimum else None
            size = msgspec.Meta(max_length=MOST_LINES, min_length=fewest)
            base = Annotated[list[self.struct], size]  # type: ignore[name-defined]
        return Optional[base] if self.is_nullable else base  # noqa: UP045 - built at run time

    @cached_property
    def strict_type(self) -> Any:
        return self.json_type()

    @cached_property
    def struct(self) -> type[msgspec.Struct]:
        """The line type of a ROWS or LIST field."""
        return _struct(self.name.title().replace("_", ""), self.of)


def _struct(name: str, fields: tuple[Field, ...]) -> type[msgspec.Struct]:
    words: list[Any] = []
    for each in fields:
        if each.required:
            words.append((each.name, each.json_type()))
        elif each.kind in (Kind.CODES, Kind.ROWS, Kind.LIST):
            words.append((each.name, each.json_type(), msgspec.field(default_factory=list)))
        else:
            words.append((each.name, each.json_type(), each.blank))
    # what is left at its default is not written out: to say nothing and to say "nothing" are the same content
    return msgspec.defstruct(name, words, forbid_unknown_fields=True, kw_only=True, omit_defaults=True)


SENDER = "sender"  # stands for the sender's id in a reference


@dataclass(frozen=True)
class Reference:
    """Finds the row of another table that a field names, and takes columns over from it.

    `match`: that table's column → field name (or SENDER, or a column found by an earlier reference).
    `gives`: our column → that table's column. `helps` the same for columns that are not stored, but that
    later references and checks need.
    `missing`: the finding when nothing is found; `foreign`: when it exists, but is another insurer's.
    """

    field: str
    model: type[models.Model]
    match: Mapping[str, str]
    gives: Mapping[str, str]
    missing: str
    foreign: str = ""
    where: str = ""  # further SQL on alias {t}; {sender} is the sender's id
    helps: Mapping[str, str] = attribute(default_factory=dict)

    @property
    def alias(self) -> str:
        return f"ref_{self.field}"

    @property
    def found(self) -> str:
        """SQL that is NULL when nothing was found."""
        return f"{self.alias}.{self.model._meta.pk.column}"


@dataclass(frozen=True)
class Check:
    """A rule over one row and what it refers to. `fails` is SQL over alias `r`; NULL counts as passed.

    In the SQL `{sender}` is the sender's id and `{today}` the Beijing day on which the batch arrived.
    `parameter` (key, date column) makes `{value}` the number in force on that day in the row's region."""

    code: str
    field: str
    fails: str
    message: Words
    remedy: Words
    parameter: tuple[str, str] | None = None
    # looked at only when a correction would give a record to another enterprise: to plan it takes a while
    if_moved: bool = False


@dataclass(frozen=True)
class Lines:
    """Where the lines of a ROWS field go. `takes` are columns copied from the parent row; `checks` are SQL
    over the line as alias `l` and its parent as alias `r`."""

    field: str
    model: type[models.Model]
    parent: str
    takes: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    unlink: tuple[str, ...] = ()  # SQL run before surplus lines go; {surplus} selects their ids


# the parameters of the reporting clock: working days by hand, days by interface
MANUAL_TIME, INTERFACE_TIME = "manual_entry_workdays", "interface_entry_days"


class Sender(models.TextChoices):
    INSURER = "INSURER", _("insurers")
    REGULATOR = "REGULATOR", _("regulators")


@dataclass(frozen=True, eq=False)  # every feed is one object
class Feed:
    name: str
    title: Words
    about: Words
    sender: Sender
    model: type[models.Model]
    key: tuple[str, ...]  # columns of the natural key, the insurer's id apart
    event: str  # the field whose day starts the reporting clock
    own_fields: tuple[Field, ...]
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    lines: tuple[Lines, ...] = ()
    sets: Mapping[str, str] = attribute(default_factory=dict)  # column → SQL over alias r
    # name → (date field, SQL over one.day and one.region, the parameter in it): worked out once for each of its days
    # in a batch, and once more for a region that has a number of its own; `sets` read <name>.value
    by_day: Mapping[str, tuple[str, str, str]] = attribute(default_factory=dict)
    # columns of the record on file that checks, `sets` and `after` see as r.known_<column>; NULL for a new one
    remembers: tuple[str, ...] = ()
    # SQL run once after publishing; the temporary table `resolved` holds every row with its id and outcome
    after: tuple[str, ...] = ()
    # SQL run only if a correction gave a record to another enterprise: what stands under it goes along
    followers: tuple[str, ...] = ()
    row_check: Callable[[Any], tuple[str, str] | None] | None = None  # (field, code) for what SQL cannot judge
    module: str = ""  # the room whose navigation it belongs to

    def __str__(self) -> str:
        return self.name

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return (
            *self.own_fields,
            Field(
                "entered_at",
                Kind.MOMENT,
                _("entered at"),
                (None, None),
                _("When the record was entered in your own system, if it is known."),
                required=False,
            ),
            Field(
                "is_void",
                Kind.BOOL,
                _("void"),
                (None, None),
                _("Yes takes the record out of every count; it stays on file."),
                required=False,
            ),
            Field("void_reason", Kind.TEXT, _("reason for voiding"), ("", ""), required=False),
        )

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def of_insurer(self) -> bool:
        return self.sender == Sender.INSURER

    @cached_property
    def row_type(self) -> type[msgspec.Struct]:
        return _struct(self.name.title().replace("-", ""), self.fields)

    @cached_property
    def all_checks(self) -> tuple[Check, ...]:
        """The checks of the row and of its lines."""
        return (*self.checks, *(check for lines in self.lines for check in lines.checks))

    @cached_property
    def key_fields(self) -> tuple[str, ...]:
        """The fields whose values make the natural key, to tell two rows of a batch apart."""
        by_column = {each.stored_as: each.name for each in self.fields}
        for reference in self.references:
            for ours in reference.gives:
                by_column.setdefault(ours, reference.field)
        return tuple(dict.fromkeys(by_column[column] for column in self.key))

    def get(self, name: str) -> Field:
        return next(each for each in self.fields if each.name == name)

    def example_rows(self) -> list[dict[str, Any]]:
        """Two rows that would be accepted if what they refer to exists."""
        return [
            {each.name: each.example[i] for each in self.fields if each.example[i] not in (None, "", [])}
            for i in (0, 1)
        ]
