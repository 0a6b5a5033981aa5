"""Writes anze/kernel/data/calendar.csv: one row a day, workday or not, and on whose word.

    python tools/make_calendar.py            writes the file
    python tools/make_calendar.py --check    exit 1 if the file is not what this would write

Years whose State Council holiday notice is published come from the package `chinesecalendar`
(status CONFIRMED). A year without a notice has Monday to Friday minus the statutory days of the
holiday regulation as revised on 2024-11-10 (status PROVISIONAL): no swapped days, because only the
notice can say which. When the notice for such a year is out: update `chinesecalendar`, move the year
into NOTICES, and run this again.
"""

import csv
import io
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar

TARGET = Path(__file__).resolve().parent.parent / "anze" / "kernel" / "data" / "calendar.csv"

NOTICES = {
    2023: "国办发明电〔2022〕16号",
    2024: "国办发明电〔2023〕7号",
    2025: "国办发明电〔2024〕12号",
    2026: "国办发明电〔2025〕7号",
}

REGULATION = "全国年节及纪念日放假办法（2024年11月10日修订）"

# Statutory days of the years without a notice. The moving ones follow the lunar calendar and the solar
# term: in 2027 the lunar new year is 6 February, its eve the 5th, Qingming 5 April, the 5th day of the
# 5th month 9 June and the 15th of the 8th month 15 September.
STATUTORY = {
    2027: {
        (1, 1): "元旦",
        **{(2, day): "春节" for day in (5, 6, 7, 8)},
        (4, 5): "清明节",
        (5, 1): "劳动节",
        (5, 2): "劳动节",
        (6, 9): "端午节",
        (9, 15): "中秋节",
        **{(10, day): "国庆节" for day in (1, 2, 3)},
    }
}

NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}


def days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def confirmed_rows(year: int) -> Iterator[tuple[str, int, str, str, str]]:
    for day in days_of(year):
        off, holiday = chinese_calendar.get_holiday_detail(day)
        # On a day that is worked, a holiday's name means the day was swapped for that holiday.
        name = "" if holiday is None else NAMES[holiday] + ("" if off else "调休上班")
        yield day.isoformat(), int(not off), name, NOTICES[year], "CONFIRMED"


def provisional_rows(year: int) -> Iterator[tuple[str, int, str, str, str]]:
    for day in days_of(year):
        name = STATUTORY[year].get((day.month, day.day), "")
        workday = day.weekday() < 5 and not name
        yield day.isoformat(), int(workday), name, REGULATION, "PROVISIONAL"


def calendar_text() -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("date", "is_workday", "name", "source", "status"))
    for year in sorted(NOTICES):
        writer.writerows(confirmed_rows(year))
    for year in sorted(STATUTORY):
        writer.writerows(provisional_rows(year))
    return out.getvalue()


def main() -> int:
    text = calendar_text()
    if "--check" in sys.argv[1:]:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print("calendar.csv is up to date" if same else "calendar.csv differs: run tools/make_calendar.py")
        return 0 if same else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    print(f"wrote {text.count(chr(10)) - 1} days to {TARGET.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
