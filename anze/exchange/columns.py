"""The columns of a spreadsheet: what a template shows, what an upload is matched against and read as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from django.utils.functional import Promise

from anze.exchange.folding import unspaced
from anze.exchange.reading import (
    CodeList,
    read_bool,
    read_code,
    read_codes,
    read_date,
    read_decimal,
    read_integer,
    read_moment,
    read_text,
    read_uscc,
)
from anze.kernel.wording import in_each_language

Words = str | Promise


class Kind(StrEnum):
    """How a cell is read. IDENTIFIER is text that must survive character by character."""

    TEXT = "TEXT"
    IDENTIFIER = "IDENTIFIER"
    USCC = "USCC"
    CODE = "CODE"
    CODES = "CODES"
    INTEGER = "INTEGER"
    DECIMAL = "DECIMAL"
    RATIO = "RATIO"
    DATE = "DATE"
    MOMENT = "MOMENT"
    BOOL = "BOOL"


@dataclass(frozen=True)
class Column:
    """One column. `title` and the labels of `codes` (value, label) are translated; `aliases` are further
    titles it may be found under; `examples` are the values of the template's example rows."""

    name: str
    title: Words
    kind: Kind = Kind.TEXT
    required: bool = False
    note: Words = ""
    codes: tuple[tuple[str, Words], ...] = ()
    examples: tuple[object, ...] = ()
    places: int = 2
    aliases: tuple[str, ...] = ()

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Every title the column may be found under, as `title_key` folds them."""
        return tuple(
            dict.fromkeys(title_key(each) for each in (self.name, *in_all_languages(self.title), *self.aliases))
        )

    @cached_property
    def code_list(self) -> CodeList:
        return CodeList({code: (label, *in_all_languages(label)) for code, label in self.codes})

    def read(self, value: object) -> object:
        """The canonical JSON value of a cell, None if it is empty. Raises `Unreadable`."""
        match self.kind:
            case Kind.TEXT:
                return read_text(value)
            case Kind.IDENTIFIER:
                return read_text(value, identifier=True)
            case Kind.USCC:
                return read_uscc(value)
            case Kind.CODE:
                return read_code(value, self.code_list)
            case Kind.CODES:
                return read_codes(value, self.code_list)
            case Kind.INTEGER:
                return read_integer(value)
            case Kind.DECIMAL | Kind.RATIO:
                return read_decimal(value, self.places, ratio=self.kind is Kind.RATIO)
            case Kind.DATE:
                return read_date(value)
            case Kind.MOMENT:
                return read_moment(value)
            case Kind.BOOL:
                return read_bool(value)


def in_all_languages(words: Words) -> list[str]:
    """The words in the reader's language first, then in every other language of the platform."""
    if isinstance(words, str):
        return [words]
    return list(dict.fromkeys([str(words), *in_each_language(lambda: str(words)).values()]))


def title_key(title: str) -> str:
    """A title without blanks, line breaks, case and the mark of a required column."""
    return unspaced(title).strip("*").casefold()
