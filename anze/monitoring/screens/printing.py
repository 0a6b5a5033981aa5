"""A bulletin as tables, and the tables as PDF, Excel and Word: three forms of one thing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _now
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from anze.kernel.actor import Actor
from anze.kernel.alert import AlertLevel
from anze.monitoring.bulletin import figure_of
from anze.monitoring.figures import Figure
from anze.monitoring.models import Bulletin
from anze.monitoring.rules import Unit
from anze.monitoring.screens.figures import part_shown, value_shown
from anze.monitoring.screens.pictures import Chart, Series, as_png, bars, drawn, imported, lines
from anze.monitoring.screens.workbooks import workbook_of
from anze.parties.rules import Permission
from anze.screen.pages import day, is_chinese, moment, percent
from anze.screen.typesetting import typeset

DASH = "–"


@dataclass(frozen=True)
class Cell:
    """What a reader sees, and the number a spreadsheet reckons with; `look` says how it writes that number."""

    text: str
    number: float | None = None
    look: str = ""  # "share" as percent, "points" as percentage points


@dataclass(frozen=True)
class Table:
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1  # columns from the left that hold words; the others hold numbers
    charts: tuple[Chart, ...] = ()

    @property
    def is_long(self) -> bool:
        """On a page the charts come first, and the numbers are opened by who wants them."""
        return bool(self.charts) and len(self.rows) > 20

    @property
    def is_prose(self) -> bool:
        return self.words == len(self.heads)

    @property
    def widths(self) -> list[int]:
        """How wide each column has to be beside the others: numbers stay in one line, words may take two, and no word of
        a head is torn."""
        columns = zip(*(tuple(cell.text for cell in row) for row in self.rows), strict=True)
        most = 26 if self.is_prose else 36  # the full name of an insurer
        return [
            min(max(map(_width, cells)), most)
            if place < self.words
            else max(*map(_width, cells), *(_width(word) * 6 // 5 + 1 for word in self.heads[place].split()), 8)
            for place, cells in enumerate(columns)
        ]


def _width(text: str) -> int:
    """In halves of a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@dataclass(frozen=True)
class Paper:
    """A bulletin as one reader may see it, in his language."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    bulletin: Bulletin


def paper_of(bulletin: Bulletin, actor: Actor) -> Paper:
    content = bulletin.content
    language = get_language() or "zh-hans"
    words = content["words"].get(language) or content["words"]["zh-hans"]
    hidden = set() if actor.may(Permission.SEE_PREMIUMS) else set(content["money"])
    region = words["regions"].get(bulletin.region_code, bulletin.region_code)
    insurer = words["insurers"].get(content["insurer"], "") if "insurer" in content else ""
    of = {"region": region, "month": f"{bulletin.month:%Y-%m}", "insurer": insurer}
    title = (
        _now("Monthly bulletin of work-safety liability insurance for %(insurer)s: %(region)s, %(month)s")
        if insurer
        else _now("Monthly bulletin of work-safety liability insurance: %(region)s, %(month)s")
    )
    facts = (
        (_now("Region"), region),
        (_now("Month"), f"{bulletin.month:%Y-%m}"),
        (_now("Filter"), _now("all sectors, %(insurer)s alone") % of if insurer else _now("all sectors, all insurers")),
        (_now("As of"), _now("%(day)s, figures refreshed %(moment)s")
         % {"day": day(bulletin.as_of), "moment": moment(bulletin.refreshed_at)}),
        (pgettext("bulletin", "Edition"), str(bulletin.edition)),
        (_now("Published"), f"{moment(bulletin.made_at)} · {bulletin.made_by}"),
        (_now("Checksum (SHA-256)"), bulletin.checksum),
    )  # fmt: skip
    return Paper(
        title % of,
        facts,
        tuple(_tables(content, words, hidden)),
        bulletin,
    )


def _tables(content: dict[str, Any], words: dict[str, Any], hidden: set[str]) -> Iterator[Table]:
    known = words["indicators"]
    five = [code for code in content["five"] if code not in hidden]
    yield Table(
        _now("The five indicators"),
        (*_heads(_now("Indicator")), _now("Year to date"), _now("Target")),
        tuple(
            (
                Cell(known[code]["title"]),
                *_compared(code, content["whole"][code]),
                _value(figure_of(code, content["year"][code])),
                _target(content["targets"].get(code)),
            )
            for code in five
        ),
    )
    if "beside" in content:
        yield _beside(content, known, five)
    if content.get("trend"):
        yield _trend(content, known, five)
    for key, title, head in (
        ("regions", _now("By region"), _now("Region")),
        ("insurers", _now("By insurer"), _now("Insurer")),
    ):
        if content[key]:
            yield Table(
                title,
                (_now("Indicator"), *_heads(head)),
                tuple(
                    (Cell(known[code]["title"]), Cell(words[key].get(each, each)), *_compared(code, by_code[code]))
                    for code in five
                    for each, by_code in content[key].items()
                    if (key == "regions" and "insurer" not in content) or _is_counted(by_code[code])
                ),
                2,
                tuple(filter(None, (_bars(key, content, words, code) for code in five))),
            )
    levels = dict(AlertLevel.choices)
    yield Table(
        _now("Open alerts by kind"),
        (_now("Alert"), _now("Level"), pgettext("bulletin", "Open")),
        tuple(
            (Cell(words["alerts"][code]), Cell(str(levels.get(level, level))), Cell(f"{number:,}", number))
            for code, level, number in content["alerts"]
        ),
        2,
    )
    further = [code for code in content["further"] if code not in hidden]
    for title, is_money in ((_now("Hazards and major hazards"), False), (pgettext("bulletin", "Expenses"), True)):
        codes = [code for code in further if (code in content["money"]) == is_money]
        if codes:
            yield Table(
                title,
                _heads(_now("Indicator")),
                tuple((Cell(known[code]["title"]), *_compared(code, content["whole"][code])) for code in codes),
            )
    yield Table(
        _now("Definitions"),
        (
            _now("Indicator"),
            _now("Definition"),
            _now("Numerator"),
            _now("Denominator"),
            _now("Unit"),
            pgettext("bulletin", "Source"),
        ),
        tuple(
            tuple(Cell(known[code][part]) for part in ("title", "about", "numerator", "denominator", "unit", "source"))
            for code in dict.fromkeys([*five, *further])
        ),
        6,
    )


def _beside(content: dict[str, Any], known: dict[str, Any], five: list[str]) -> Table:
    """An insurer's own values, and those of all."""
    rows = []
    for code in five:
        own, found = figure_of(code, content["whole"][code][0]), content["beside"][code]
        whole, middle = (Decimal(found[name]) if found[name] else None for name in ("whole", "middle"))
        rows.append(
            (
                Cell(known[code]["title"]), _value(own), _other(own, whole), _apart(own, whole), _other(own, middle),
                _apart(own, middle), Cell(str(found["insurers"]), found["insurers"]),
            )
        )  # fmt: skip
    heads = (
        _now("Indicator"), pgettext("bulletin", "Own value"), _now("All insurers together"), _now("Difference from all"),
        _now("The middle insurer"), _now("Difference from the middle"), _now("Insurers compared"),
    )  # fmt: skip
    return Table(_now("Beside the others"), heads, tuple(rows))


def _trend(content: dict[str, Any], known: dict[str, Any], five: list[str]) -> Table:
    """The year up to the month; in an insurer's bulletin with what all come to."""
    months = sorted(content["trend"])
    own, whole = _now("This insurer"), _now("All insurers together")
    rows, charts = [], []
    for code in five:
        figures = [figure_of(code, content["trend"][month][code]) for month in months]
        title = known[code]["title"]
        series = [Series(own if "beside" in content else title, tuple(map(_number, figures)))]
        rows.append((Cell(title), *map(_value, figures)))
        if "beside" in content:
            texts = [content["beside"][code]["trend"].get(month, "") for month in months]
            values = [Decimal(text) if text else None for text in texts]
            series.append(Series(whole, tuple(None if value is None else float(value) for value in values)))
            rows.append(
                (Cell(f"{title} · {whole}"), *(_other(one, value) for one, value in zip(figures, values, strict=True)))
            )
        if figures[0].indicator.unit == Unit.RATIO and any(value is not None for value in series[0].values):
            charts.append(lines(title, months, series, _target(content["targets"].get(code)).number))
    return Table(_now("Month by month"), (_now("Indicator"), *months), tuple(rows), 1, tuple(filter(None, charts)))


def _is_counted(pairs: list[list[str]]) -> bool:
    """Whether an insurer did anything there, now or at one of the times compared."""
    return any(Decimal(part) for pair in pairs for part in pair)


def _bars(key: str, content: dict[str, Any], words: dict[str, Any], code: str) -> Chart | None:
    figures = {each: figure_of(code, by_code[code][0]) for each, by_code in content[key].items()}
    if any(figure.indicator.unit != Unit.RATIO for figure in figures.values()):
        return None
    values = ((words[key].get(each, each), _number(figure)) for each, figure in figures.items())
    return bars(words["indicators"][code]["title"], values, _target(content["targets"].get(code)).number)


def _number(figure: Figure) -> float | None:
    return None if figure.value is None else float(figure.value)


def _heads(first: str) -> tuple[str, ...]:
    return (
        first, _now("Value"), _now("Numerator"), _now("Denominator"), _now("Month before"),
        _now("Change on the month before"), _now("Same month last year"), _now("Change on last year"),
    )  # fmt: skip


def _compared(code: str, pairs: list[list[str]]) -> tuple[Cell, ...]:
    now, before, last_year = (figure_of(code, pair) for pair in pairs)
    return (
        _value(now),
        Cell(part_shown(now, "numerator"), float(now.numerator)),
        Cell(part_shown(now, "denominator"), float(now.denominator)),
        _value(before),
        _change(now, before),
        _value(last_year),
        _change(now, last_year),
    )


def _value(figure: Figure) -> Cell:
    return _other(figure, figure.value)


def _other(figure: Figure, value: Decimal | None) -> Cell:
    """A value of another of the same indicator."""
    look = "share" if figure.indicator.unit == Unit.RATIO else ""
    return Cell(value_shown(figure.indicator, value), None if value is None else float(value), look)


def _change(now: Figure, then: Figure) -> Cell:
    return _apart(now, then.value)


def _apart(now: Figure, other: Decimal | None) -> Cell:
    """Ratios are apart by percentage points."""
    if now.value is None or other is None:
        return Cell(DASH)
    change = now.value - other
    if now.indicator.unit != Unit.RATIO:
        return Cell(f"{change:+,.1f}", float(change))
    apart = round(change * 100, 2)
    points = _now("%(points)s percentage points") % {"points": f"{abs(apart) if apart == 0 else apart:+.2f}"}
    return Cell(points, float(change), "points")


def _target(value: str | None) -> Cell:
    return Cell(percent(Decimal(value), 0), float(value), "share") if value else Cell(DASH)


# the three forms ----------------------------------------------------------------------------------------------


def as_pdf(paper: Paper) -> bytes:
    data = {
        "language": "zh" if is_chinese() else "en",
        "title": paper.title,
        "facts": [list(each) for each in paper.facts],
        "tables": [
            {
                "title": table.title,
                "heads": list(table.heads),
                "words": table.words,
                "widths": table.widths,
                "charts": [drawn(each) for each in table.charts],
                "rows": [[cell.text for cell in row] for row in table.rows],
                "empty": _now("Nothing."),
            }
            for table in paper.tables
        ],
        "checksum": paper.bulletin.checksum,
    }
    return typeset("monitoring/bulletin.typ", data, files=imported(), at=paper.bulletin.made_at)


def as_word(paper: Paper) -> bytes:
    document = Document()
    document.styles["Normal"].font.size = Pt(9)
    for name in ("Normal", "Title", "Heading 1", "Table Grid"):
        _in_our_fonts(document.styles[name], "宋体" if name in ("Normal", "Table Grid") else "黑体")
    for name, size in (("Title", 20), ("Heading 1", 13)):
        font = document.styles[name].font
        font.size, font.color.rgb = Pt(size), RGBColor(0x1F, 0x5F, 0x8B)
    _in_cells(document)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(1.6)
    _word_footer(section.footer.paragraphs[0], f"SHA-256 {paper.bulletin.checksum}")
    document.core_properties.title = paper.title
    document.core_properties.author = paper.bulletin.made_by
    document.core_properties.created = paper.bulletin.made_at
    document.core_properties.language = "zh-CN" if is_chinese() else "en"
    document.add_heading(paper.title, 0)
    _word_table(document, [], [list(each) for each in paper.facts], [20, 120], 2, "Normal Table")
    for table in paper.tables:
        document.add_heading(table.title, 1)
        _word_charts(document, table.charts)
        if table.rows:
            rows = [[cell.text for cell in row] for row in table.rows]
            _word_table(document, list(table.heads), rows, table.widths, table.words)
        else:
            document.add_paragraph(_now("Nothing."))
    made = BytesIO()
    document.save(made)
    return made.getvalue()


_WIDE = 26.5  # centimetres between the margins
_MARGIN = 3  # left and right of a cell's text, in halves of a Chinese character
_IN_A_LINE = 3  # charts
_CELL = "Table Text"


def _in_our_fonts(style: Any, chinese: str) -> None:
    """The template names fonts of its theme, which go before any font named beside them."""
    style.font.name = "Arial"
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), chinese)


def _in_cells(document: Any) -> None:
    """How tables look: small text with air above and below, thin grey lines."""
    style = document.styles.add_style(_CELL, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    style.font.size = Pt(8)
    style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(1.5)
    for line in document.styles["Table Grid"].element.xpath(".//w:tblBorders/*"):
        line.set(qn("w:color"), "B8C1CB")


def _word_footer(paragraph: Any, text: str) -> None:
    """The checksum, and at the right the number of the page and of how many, as fields."""
    paragraph.text = f"{text}\t"
    paragraph.paragraph_format.tab_stops.clear_all()
    paragraph.style = "Normal"  # the footer's own style has its stops at a page that stands upright
    paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(_WIDE), WD_TAB_ALIGNMENT.RIGHT)
    for kind, code in (
        ("begin", ""), ("", "PAGE"), ("end", ""), ("text", " / "), ("begin", ""), ("", "NUMPAGES"), ("end", ""),
    ):  # fmt: skip
        run = paragraph.add_run(code if kind == "text" else None)
        if kind == "text":
            continue
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = code
        run._r.append(part)
    for run in paragraph.runs:
        run.font.size = Pt(7)


def _word_charts(document: Any, charts: tuple[Chart, ...]) -> None:
    """Three beside one another, their heads at one height; a page may end between two lines."""
    if not charts:
        return
    count = -(-len(charts) // _IN_A_LINE)
    table = document.add_table(rows=count, cols=_IN_A_LINE, style="Normal Table")
    cells, look = table._cells, document.styles[_CELL]
    for place, content in enumerate(as_png(charts, "zh" if is_chinese() else "en")):
        cells[place].paragraphs[0].style = look
        shape = cells[place].paragraphs[0].add_run().add_picture(BytesIO(content), width=Cm(_WIDE / _IN_A_LINE - 0.5))
        shape._inline.docPr.set("descr", charts[place].said)
    for row in table._tbl.tr_lst:
        row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    document.add_paragraph(style=look)  # or the table below would be one with this


def _word_table(
    document: Any, heads: list[str], rows: list[list[str]], widths: list[int], words: int, style: str = "Table Grid"
) -> None:
    """Numbers stand at the right; the heads are repeated on every page, and no row is torn in two."""
    lines = [heads, *rows] if heads else rows
    table = document.add_table(rows=len(lines), cols=len(lines[0]), style=style)
    table.autofit = False
    beside = [width + _MARGIN for width in widths]
    wide = [Cm(_WIDE * width / sum(beside)) for width in beside]
    for column, width in zip(table.columns, wide, strict=True):
        column.width = width
    # each access to a cell by its place walks the whole table, so its cells are taken once
    cells, look = iter(table._cells), document.styles[_CELL]
    for place, line in enumerate(lines):
        is_head = bool(heads) and not place
        for column, text in enumerate(line):
            cell = next(cells)
            cell.text, cell.width = text, wide[column]
            paragraph = cell.paragraphs[0]
            paragraph.style = look
            if column >= words:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if is_head:
                paragraph.runs[0].bold = True
                cell._tc.get_or_add_tcPr().append(_shaded())
        properties = table._tbl.tr_lst[place].get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if is_head:
            properties.append(OxmlElement("w:tblHeader"))


def _shaded() -> Any:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", "E8EDF2")):
        shade.set(qn(f"w:{name}"), value)
    return shade


@dataclass(frozen=True)
class Form:
    code: str
    title: str
    icon: str
    media: str
    write: Callable[[Paper], bytes]


FORMS = (
    Form("pdf", "PDF", "file-download", "application/pdf", as_pdf),
    Form(
        "xlsx", "Excel", "file-spreadsheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook_of,
    ),
    Form(
        "docx", "Word", "file-text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document", as_word,
    ),
)  # fmt: skip
