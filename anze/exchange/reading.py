"""Understanding what people type: one cell, read as the kind its column declares.

Excel sheets and web forms pass through here before the strict decoding that the API uses, so that all
four ways in end in the same checks. A reader either returns the canonical JSON value (text, number as
text, ISO date, true) or raises `Unreadable`; it never guesses between two meanings and never changes an
amount. An empty cell is None. Decimals are returned as text so that no binary fraction touches money.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from anze.exchange.folding import plain, tidy, unspaced
from anze.exchange.refusals import Unreadable
from anze.kernel.identifiers import Problem, clean_uscc, uscc_check_character, uscc_problem

BEIJING = ZoneInfo("Asia/Shanghai")
YEARS = range(1990, 2101)  # a date outside is a slip of the keyboard or a serial number in the wrong column
EXACT_DIGITS = 15  # spreadsheets keep no more digits of a number than this
UNCALCULATED = "#UNCALCULATED!"  # stands for a formula saved without its result; see workbooks.py

Words = str | Promise


_EXCEL_ERROR = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|GETTING_DATA|#+)")


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _text_in(value: object) -> str | None:
    """The text of a text cell, '' for a blank one, None for a cell of another type. Refuses Excel errors."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return None
    if "#" in value:
        _refuse_excel_error(value.strip())
    return value


def _refuse_excel_error(text: str) -> None:
    if text == UNCALCULATED:
        raise Unreadable("formula_not_calculated")
    if _EXCEL_ERROR.fullmatch(text):
        raise Unreadable("excel_error", shown=text)


# Text and identifiers


def read_text(value: object, *, identifier: bool = False) -> str | None:
    """Running text; with `identifier`, a number or code that must survive character by character.

    Wide letters and digits become plain ones. Chinese punctuation is kept in running text and folded in
    identifiers, which also lose all blanks. A number is accepted as long as no digit of it can be lost.
    """
    text = _text_in(value)
    if text is not None:
        if not identifier:
            return tidy(text) or None
        text = unspaced(text)
        if re.fullmatch(r"[0-9](\.[0-9]+)?[Ee]\+[0-9]+", text):
            raise _number_as_identifier(text)
        return text or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, date | time | timedelta):
        raise Unreadable("date_in_text", shown=_shown(value))
    if isinstance(value, int | float) and abs(value) < 10**EXACT_DIGITS:
        if value == int(value):
            return str(int(value))
        if not identifier:
            return f"{value:.15g}"
    raise _number_as_identifier(value)


def _number_as_identifier(value: object) -> Unreadable:
    return Unreadable("number_in_text", shown=_shown(value))


_LOOKALIKE = str.maketrans("OQISZV", "001527")


def read_uscc(value: object) -> str | None:
    """A unified social credit code: cleaned, 18 characters, check character right."""
    typed = read_text(value, identifier=True)
    if typed is None:
        return None
    code = clean_uscc(typed)
    problem = uscc_problem(code)
    if problem is None:
        return code
    if problem is Problem.LENGTH:
        raise Unreadable("uscc_length", shown=_shown(code), length=len(code))
    if problem is Problem.ALPHABET:
        likely = code.translate(_LOOKALIKE)
        if uscc_problem(likely) is None:
            raise Unreadable("uscc_lookalike", shown=code, suggestion=likely)
        raise Unreadable("uscc_alphabet", shown=code)
    raise Unreadable("uscc_check", shown=code, check=uscc_check_character(code[:17]))


# Codes and yes/no


class CodeList:
    """The codes a column takes, found by code or by any label, whatever the case, width or blanks.

    The first label is the one shown to people. Raises ValueError if one label stands for two codes.
    """

    __slots__ = ("_found", "_shown")

    def __init__(self, codes: Mapping[str, Iterable[Words]]) -> None:
        self._shown: dict[str, Words] = {}
        self._found: dict[str, str] = {}
        for code, words in codes.items():
            labels = list(words)
            self._shown[code] = labels[0] if labels else code
            for word in (code, *map(str, labels)):
                if self._found.setdefault(self._key(word), code) != code:
                    raise ValueError(f"{word!r} stands for two codes")

    @staticmethod
    def _key(text: str) -> str:
        return unspaced(text).casefold()

    def find(self, text: str) -> str | None:
        return self._found.get(self._key(text))

    def nearest(self, text: str) -> str | None:
        close = difflib.get_close_matches(self._key(text), self._found, n=1, cutoff=0.6)
        return str(self._shown[self._found[close[0]]]) if close else None

    def labels(self) -> list[str]:
        return [str(label) for label in self._shown.values()]


def read_code(value: object, codes: CodeList | Mapping[str, Iterable[Words]]) -> str | None:
    """The code that was meant, given as code or label in either language."""
    if not isinstance(codes, CodeList):
        codes = CodeList(codes)
    typed = read_text(value)
    if typed is None:
        return None
    found = codes.find(typed)
    if found is not None:
        return found
    nearest = codes.nearest(typed)
    labels = codes.labels()
    choices = ", ".join(labels[:12]) + (" …" if len(labels) > 12 else "")
    raise Unreadable(
        "unknown_code_near" if nearest else "unknown_code",
        shown=_shown(typed),
        suggestion=nearest or "",
        choices=choices,
    )


_LONGEST_LABEL = 7  # words and separators: a label may hold three commas


def read_codes(value: object, codes: CodeList | Mapping[str, Iterable[Words]]) -> list[str] | None:
    """Several codes in one cell, separated by commas, semicolons, 、 or line breaks; each counted once."""
    if not isinstance(codes, CodeList):
        codes = CodeList(codes)
    if isinstance(value, list | tuple):  # as a web form sends them
        read = [read_code(each, codes) for each in value]
        return list(dict.fromkeys(code for code in read if code is not None)) or None
    typed = read_text(value)
    if typed is None:
        return None
    if codes.find(typed) is not None:  # a label may itself hold a separator
        return [codes.find(typed) or ""]
    words = re.split(r"([,，、;；|\n])", typed)  # every second one is a separator
    found: list[str] = []
    at = 0
    while at < len(words):
        # the longest run that is a label: some labels hold separators themselves
        for end in range(min(at + _LONGEST_LABEL, len(words)), at, -2):
            code = codes.find("".join(words[at:end])) if end > at + 1 else read_code(words[at], codes)
            if code is not None:
                found.append(code)
                break
        else:
            end = at + 1  # nothing stands between two separators
        at = end + 1
    return list(dict.fromkeys(found)) or None


_YES = frozenset(("是", "有", "对", "y", "yes", "true", "t", "1", "√", "✓", "✔", "☑"))
_NO = frozenset(("否", "无", "没有", "不是", "错", "n", "no", "false", "f", "0", "×", "x", "✗", "✘"))


def read_bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    typed = read_text(value)
    if typed is None:
        return None
    word = unspaced(typed).casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unreadable("not_yes_or_no", shown=_shown(typed))


# Numbers

_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:¥|RMB|CNY|人民币)?(?P<inner>[+-]?)"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]*)"
    r"(?P<fraction>\.[0-9]*)?"
    r"(?P<unit>万亿|千万|百万|十万|亿|万|千|百)?(?:元整|元|圆)?(?P<percent>%)?",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(?<=[0-9万])\s*(?:人次|人|名|位|次|个|家|项|条|份|天|日|年|小时)$")
_MULTIPLES = {"百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "万亿": 12}
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?[Ee][+-]?[0-9]+")


def read_decimal(value: object, places: int = 2, *, ratio: bool = False) -> str | None:
    """A number with at most `places` decimals, as text with exactly that many.

    With `ratio`, 15% and 0.15 both mean 0.15, and a number above 1 is refused. Amounts in 万元 and the like
    are refused with the converted amount in the remedy, never multiplied on the quiet.
    """
    number = _number(value, ratio=ratio)
    if number is None:
        return None
    if ratio and number > 1:
        raise Unreadable(
            "ratio_over_one",
            shown=_shown(value),
            suggestion=f"{(number / 100).normalize():f}",
            percent=f"{number.normalize():f}%",
        )
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if rounded != number:
        raise Unreadable("too_many_decimals", shown=_shown(value), places=places, suggestion=f"{rounded:f}")
    return f"{rounded or abs(rounded):f}"  # never -0.00


def read_integer(value: object) -> int | None:
    """A whole number. A counting word behind it (人, 次, 家 …) is understood."""
    if isinstance(value, str):
        value = _COUNTED.sub("", plain(value))
    number = _number(value)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise Unreadable("not_whole", shown=_shown(value))
    return int(number)


def _number(value: object, *, ratio: bool = False) -> Decimal | None:
    text = _text_in(value)
    if text is not None:
        text = plain(text)
        return _typed_number(text, ratio=ratio) if text else None
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(f"{value:.15g}")  # what the sheet shows: the tail of a binary fraction is not typed by anyone
        if number.is_finite() and number.adjusted() < EXACT_DIGITS:
            return number
    raise _not_a_number(value)


def _not_a_number(value: object) -> Unreadable:
    return Unreadable("not_a_number", shown=_shown(value))


def _typed_number(text: str, *, ratio: bool) -> Decimal:
    if len(text) > 60:
        raise _not_a_number(text)
    inner = re.fullmatch(r"\(([^-+]+)\)", text)
    if inner and _NUMBER.fullmatch(inner[1]):
        raise Unreadable("parentheses", shown=_shown(text), suggestion=f"-{inner[1]}")
    if _SCIENTIFIC.fullmatch(text):
        raise Unreadable("scientific", shown=text)
    text = re.sub(r"(?<=[^0-9.]) +| +(?=[^0-9.])", "", text)
    found = _NUMBER.fullmatch(text)
    if not found and re.fullmatch(r"[+-]?[0-9][0-9,. ]*", text):
        raise Unreadable("separators", shown=_shown(text))
    if not found or not (found["whole"] or (found["fraction"] or "")[1:]) or (found["sign"] and found["inner"]):
        raise _not_a_number(text)
    whole = re.sub(r"[, ]", "", found["whole"])
    number = Decimal((found["sign"] or found["inner"]) + (whole or "0") + (found["fraction"] or ""))
    if number.adjusted() >= EXACT_DIGITS:
        raise _not_a_number(text)
    if found["unit"]:
        converted = number.scaleb(_MULTIPLES[found["unit"]])
        raise Unreadable(
            "other_unit",
            shown=_shown(text),
            unit=found["unit"] + ("元" if "元" in text or "圆" in text else ""),
            suggestion=f"{converted:f}" if converted == converted.to_integral_value() else f"{converted.normalize():f}",
        )
    if found["percent"] and not ratio:
        raise Unreadable("percent", shown=_shown(text))
    return number / 100 if found["percent"] else number


# Days and moments

_DAY = re.compile(
    r"(?P<y>\d{4})(?P<s>[-/.年])(?P<m>\d{1,2})(?P<t>[-/.月])(?P<d>\d{1,2})(?:(?P<u>[日号])|(?!\d))", re.ASCII
)
_COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?!\d)", re.ASCII)
_WEEKDAY = re.compile(r"\(?(?:星期|周|礼拜)[一二三四五六日天]\)?")
_CLOCK = re.compile(
    r"(?P<half>上午|下午|凌晨|早上|中午|晚上)?"
    r"(?P<h>\d{1,2})[:时点](?:(?P<m>\d{1,2})(?:[:分](?:(?P<s>\d{1,2})(?:[.,]\d+)?秒?)?)?)?"
    r"(?P<ampm>[AaPp][Mm])?(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_EPOCH = date(1899, 12, 30)  # day 0 of the 1900 date system from March 1900 on


def read_date(value: object) -> str | None:
    """A day as YYYY-MM-DD. A time behind the day is left out; with a zone, the day is Beijing's."""
    found = _day_and_clock(value)
    if found is None:
        return None
    day, clock = found
    if isinstance(clock, datetime):
        day = clock.astimezone(BEIJING).date()
    return day.isoformat()


def read_moment(value: object, tz: tzinfo = BEIJING) -> str | None:
    """A moment as ISO 8601 with its offset, to the second. A day alone is its first moment; 24:00 its end."""
    found = _day_and_clock(value, tz)
    if found is None:
        return None
    day, clock = found
    if isinstance(clock, datetime):
        return clock.astimezone(tz).isoformat(timespec="seconds")
    moment = datetime.combine(day, time.min) + (clock or timedelta())
    return moment.replace(tzinfo=tz).isoformat(timespec="seconds")


def _day_and_clock(value: object, tz: tzinfo = BEIJING) -> tuple[date, timedelta | datetime | None] | None:
    """The day, and what follows it: nothing, a time since midnight, or the exact moment if it has a zone."""
    text = _text_in(value)
    if text is not None:
        text = plain(text)
        return _typed_day(text) if text else None
    if isinstance(value, datetime):
        if value.tzinfo:
            return _within(value.astimezone(tz).date(), value), value
        value = (value + timedelta(milliseconds=500)).replace(microsecond=0)  # serial numbers fall just short
        return _within(value.date(), value), value - datetime.combine(value.date(), time.min)
    if isinstance(value, date):
        return _within(value, value), None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _serial(value)
    raise _not_a_date(value)


def _serial(value: float) -> tuple[date, timedelta | None]:
    """A number in a date column: YYYYMMDD, or the days of the 1900 system with the time as the fraction."""
    if not math.isfinite(value):
        raise _not_a_date(value)
    if value == int(value) and 10_000_000 <= value <= 99_999_999:
        return _calendar_day(str(int(value)), int(value) // 10_000, int(value) // 100 % 100, int(value) % 100), None
    first, last = (date(YEARS[0], 1, 1) - _EPOCH).days, (date(YEARS[-1], 12, 31) - _EPOCH).days
    if not first <= value < last + 1:
        raise _not_a_date(f"{value:g}")
    days = int(value)
    seconds = round((value - days) * 86400)
    return _EPOCH + timedelta(days=days), timedelta(seconds=seconds) if seconds else None


def _typed_day(text: str) -> tuple[date, timedelta | datetime | None]:
    text = re.sub(r"\s*([-/.年月日号:时点分秒])\s*", r"\1", text) if " " in text else text
    found = _DAY.match(text) or _COMPACT.match(text)
    if not found:
        if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", text):
            return _serial(float(text))
        if re.match(r"[0-9]{1,2}[-/.年][0-9]{1,2}[-/.月][0-9]{1,4}", text):
            raise Unreadable("ambiguous_date", shown=_shown(text))
        raise _not_a_date(text)
    parts = found.groupdict()
    if parts.get("s") == "年" or parts.get("t") == "月" or parts.get("u"):
        if (parts.get("s"), parts.get("t")) != ("年", "月"):
            raise _not_a_date(text)
    elif parts.get("s") != parts.get("t"):
        raise _not_a_date(text)
    day = _calendar_day(text, int(parts["y"]), int(parts["m"]), int(parts["d"]))
    rest = _WEEKDAY.sub("", text[found.end() :]).strip().removeprefix("T").strip()
    if rest.removesuffix("止") in ("", "零时", "零点"):
        return day, None
    return day, _clock(text, day, rest)


def _clock(text: str, day: date, rest: str) -> timedelta | datetime:
    found = _CLOCK.fullmatch(rest.removesuffix("止").replace(" ", ""))
    if not found:
        raise _not_a_time(text)
    hour, minute, second = int(found["h"]), int(found["m"] or 0), int(found["s"] or 0)
    half, ampm = found["half"], (found["ampm"] or "").upper()
    if half == "晚上" and not (5 <= hour <= 11 or hour >= 17):
        raise _not_a_time(text)  # twelve or one at night may belong to either day
    if hour < 12 and (half in ("下午", "晚上") or ampm == "PM" or (half == "中午" and hour < 6)):
        hour += 12
    elif hour == 12 and (half in ("上午", "凌晨") or ampm == "AM"):
        hour = 0
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        raise _not_a_time(text)
    since_midnight = timedelta(hours=hour, minutes=minute, seconds=second)
    if not found["zone"]:
        return since_midnight
    zone = found["zone"].upper().replace("Z", "+00:00")
    try:
        offset = datetime.strptime(zone, "%z").tzinfo
    except ValueError:
        raise _not_a_time(text) from None
    return datetime.combine(day, time.min, tzinfo=offset) + since_midnight


def _calendar_day(text: str, year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise Unreadable("no_such_day", shown=_shown(text)) from None
    return _within(found, text)


def _within(day: date, shown: object) -> date:
    if day.year not in YEARS:
        raise Unreadable("year_out_of_range", shown=_shown(shown), first=YEARS[0], last=YEARS[-1])
    return day


def _not_a_date(value: object) -> Unreadable:
    return Unreadable("not_a_date", shown=_shown(value))


def _not_a_time(text: str) -> Unreadable:
    return Unreadable("not_a_time", shown=_shown(text))
