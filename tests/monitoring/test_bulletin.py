"""The monthly bulletin: what the dashboard says, kept as published, in three forms that say the same."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from datetime import date, datetime
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils.translation import override
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from anze.kernel.actor import Actor, platform
from anze.kernel.models import Event
from anze.kernel.refusal import Refused
from anze.monitoring.bulletin import FIVE, checksum, publish_bulletin, publish_due
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.figures import figures, headlines, present_state
from anze.monitoring.models import Bulletin
from anze.monitoring.rules import Family
from anze.monitoring.screens.figures import part_shown, shown
from anze.monitoring.screens.printing import paper_of
from anze.parties.models import Organisation, Region
from anze.parties.rules import Permission, Role
from tests.cast import NOW, YUANFAN
from tests.monitoring.counting import count, cut_of
from tests.monitoring.deliveries import obligation, policy, receipt
from tests.stages import stage

MONTH = "2026-03"  # premiums came in


@stage
def counted(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy("P1"))
    cast.accepted(cast.huaihai, "receipts", receipt("HUAIHAI-R1"))
    cast.accepted(cast.bohai, "policies", policy("B1", YUANFAN))
    cast.accepted(cast.bohai, "receipts", receipt("BOHAI-R9", "777.77", policy_no="B1"))
    count()
    return cast


@pytest.fixture
def filled(counted):
    cache.clear()
    return counted


def publish(
    region: str = "370000", month: str = MONTH, at: datetime = NOW, insurer: Organisation | None = None
) -> Bulletin:
    by = platform(frozenset({Permission.PUBLISH_BULLETINS}))
    first = date.fromisoformat(f"{month}-01")
    return publish_bulletin(Region.objects.get(pk=region), by=by, at=at, month=first, insurer=insurer)


def taken(browser: Any, bulletin: Bulletin, form: str) -> bytes:
    answer = browser.get(f"/bulletins/{bulletin.pk}/file/?format={form}")
    assert answer.status_code == 200
    return answer.content


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def dashboard(by: str = "", region: str = "370000") -> Any:
    heads = headlines(FIVE, present_state().as_of).values()
    return figures(heads, cut_of(region, f"{MONTH} {MONTH}"), by=by)


def test_one_click_publishes_what_the_dashboard_says(filled, browser_of):
    province = browser_of(Role.PROVINCE_REGULATOR)
    page = province.get(f"/statistics/?from={MONTH}&to={MONTH}").content.decode()
    assert f'form="publish-bulletin" name="month" value="{MONTH}"' in page
    answer = province.post("/bulletins/publish/", {"region": "370000", "month": MONTH})
    made = Bulletin.objects.get()
    assert answer["Location"].endswith(f"/bulletins/{made.pk}/")
    assert (made.region_code, made.month, made.edition) == ("370000", date(2026, 3, 1), 1)
    assert made.checksum == checksum(made.content)
    assert len(made.checksum) == 64
    assert Event.objects.filter(kind="bulletin.published", row_id=made.pk).count() == 1
    listed = province.get("/bulletins/").content.decode()
    assert str(made.pk) in listed
    read = province.get(f"/bulletins/{made.pk}/").content.decode()
    for code, figure in dashboard()[""].items():
        for said in (INDICATORS[code].title, shown(figure), part_shown(figure, "denominator"), made.checksum):
            assert str(said) in read


def test_excel_holds_the_dashboards_cells(filled, browser_of):
    content = taken(browser_of(Role.PROVINCE_REGULATOR), publish(), "xlsx")
    with override("zh-hans"):
        five = {str(INDICATORS[code].title): figure for code, figure in dashboard()[""].items()}
        places = {
            (str(INDICATORS[code].title), str(Region.objects.get(pk=region))): figure
            for region, by_code in dashboard("region").items()
            for code, figure in by_code.items()
        }
        insurers = {
            (str(INDICATORS[code].title), name): figure
            for name, pk in ((str(filled.huaihai), filled.huaihai.pk), (str(filled.bohai), filled.bohai.pk))
            for code, figure in dashboard("insurer")[pk].items()
            if figure.numerator or figure.denominator
        }
    assert insurers
    found = list(sheets(content).values())
    assert {row[0]: row[1:4] for row in found[1][1:]} == {title: numbers(each) for title, each in five.items()}
    assert any(each.numerator for each in five.values())
    assert {tuple(row[:2]): row[2:5] for row in found[3][1:]} == {key: numbers(each) for key, each in places.items()}
    by_insurer = {tuple(row[:2]): row[2:5] for row in found[4][1:]}
    assert {key: by_insurer[key] for key in insurers} == {key: numbers(each) for key, each in insurers.items()}


def test_excel_draws_what_page_pdf_and_word_draw(filled, browser_of):
    made, browser = publish(), browser_of(Role.PROVINCE_REGULATOR)
    content = taken(browser, made, "xlsx")
    with override("zh-hans"):
        charts = [each for table in paper_of(made, _everything_open()).tables for each in table.charts]
    assert {each.shape for each in charts} == {"line", "bar"}
    with zipfile.ZipFile(BytesIO(content)) as archive:
        drawn = {
            name: archive.read(name).decode()
            for name in archive.namelist()
            if re.fullmatch(r"xl/charts/chart\d+\.xml", name)
        }
    assert len(drawn) == len(charts)
    *_before, shown, data = sheets(content)
    assert (shown, data) == ("图表", "图表数据")
    rows = sheets(content)[data]
    for place, chart in enumerate(charts, 1):
        text = drawn[f"xl/charts/chart{place}.xml"]
        assert f"<c:{'barChart' if chart.shape == 'bar' else 'lineChart'}>" in text
        assert chart.title in text
        first = int(re.search(rf"<c:f>'?{data}'?!\$A\$(\d+):", text).group(1))
        for number, label in enumerate(chart.labels):
            line = rows[first - 1 + number]
            assert line[0] == label
            for value, each in zip(line[1:], chart.series, strict=False):
                wanted = each.values[number]
                assert value == ("" if wanted is None else pytest.approx(wanted))


def _everything_open() -> Actor:
    return platform(frozenset(Permission))


def numbers(figure: Any) -> list[Any]:
    value = "" if figure.value is None else pytest.approx(float(figure.value))
    return [value, pytest.approx(float(figure.numerator)), pytest.approx(float(figure.denominator))]


def test_pdf_and_word_say_the_same_with_filter_moment_and_checksum(filled, browser_of):
    made, browser = publish(), browser_of(Role.PROVINCE_REGULATOR)
    pdf = "".join(page.extract_text() for page in PdfReader(BytesIO(taken(browser, made, "pdf"))).pages)
    document = Document(BytesIO(taken(browser, made, "docx")))
    word = " ".join(cell.text for table in document.tables for cell in table._cells)
    with override("zh-hans"):
        said = [part_shown(each, "numerator") for each in dashboard()[""].values()]
        said += [shown(each) for each in dashboard()[""].values()]
        said += [str(INDICATORS[code].title) for code in dashboard()[""]]
        said += [made.checksum, "全部行业、全部保险机构", made.as_of.isoformat(), str(filled.bohai)]
    squeezed = {"pdf": "".join(pdf.split()), "word": "".join(word.split())}
    for name, text in squeezed.items():
        for each in said:
            assert "".join(each.split()) in text, (name, each)


def test_word_repeats_the_heads_and_keeps_numbers_in_their_columns(filled, browser_of):
    document = Document(BytesIO(taken(browser_of(Role.PROVINCE_REGULATOR), publish(), "docx")))
    section = document.sections[0]
    between = section.page_width - section.left_margin - section.right_margin
    facts, *found = document.tables
    tables = [table for table in found if not table._tbl.xpath(".//w:drawing")]  # the others hold pictures
    assert facts.cell(0, 0).text == "地区"
    for table in tables:
        head, *lines = table._tbl.tr_lst
        assert head.xpath("w:trPr/w:tblHeader")
        assert all(line.xpath("w:trPr/w:cantSplit") for line in lines)
        assert abs(sum(column.width for column in table.columns) - between) < Cm(0.1)
    figures = tables[0].rows[1].cells
    assert [cell.paragraphs[0].alignment for cell in figures[:2]] == [None, WD_ALIGN_PARAGRAPH.RIGHT]
    fonts = document.styles["Heading 1"].element.rPr.rFonts.attrib
    assert not [name for name in fonts if name.endswith("Theme")]
    assert "PAGE" in section.footer.paragraphs[0]._p.xml


def test_excel_prints_as_it_reads(filled, browser_of):
    """A sheet is as wide as a page, its heads on each; a share is written as percent, a difference in points."""
    content = taken(browser_of(Role.PROVINCE_REGULATOR), publish(), "xlsx")
    with zipfile.ZipFile(BytesIO(content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")}
    pages = [text for name, text in files.items() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
    assert len(pages) == len(sheets(content))
    for text in pages:
        assert '<pageSetUpPr fitToPage="1"/>' in text
        assert re.search(r'<pageSetup paperSize="9"[^>]* orientation="landscape"', text)
    assert "Print_Titles" in files["xl/workbook.xml"]
    looks = re.findall(r'formatCode="([^"]*)"', files["xl/styles.xml"])
    assert any("个百分点" in look for look in looks)
    five = next(iter(list(sheets(content).values())[1][1:]))
    with override("zh-hans"):
        paper = paper_of(Bulletin.objects.get(), _everything_open())
    change = paper.tables[0].rows[0][5]
    assert five[5] == pytest.approx(float(change.text.split()[0]), abs=0.005)


def test_of_an_insurer_with_nothing_to_count_there_is_no_line(filled, browser_of):
    made = publish()
    with override("zh-hans"):
        paper = paper_of(made, _everything_open())
        coverage = str(INDICATORS["coverage_rate"].title)
    table = next(each for each in paper.tables if each.title == "分保险机构统计")
    assert table.rows
    assert coverage not in {row[0].text for row in table.rows}
    for row in table.rows:
        assert any(cell.number for cell in row[2:])


def test_changes_are_against_the_month_before_and_the_year_before(filled, browser_of):
    made = publish()
    coverage = headlines([Family.COVERAGE], made.as_of)[Family.COVERAGE]
    before = figures([coverage], cut_of(months="2026-02 2026-02"))[""][coverage.code]
    year_before = figures([coverage], cut_of(months="2025-03 2025-03"))[""][coverage.code]
    kept = made.content["whole"][coverage.code]
    assert kept[1:] == [[str(each.numerator), str(each.denominator)] for each in (before, year_before)]


def test_a_city_reads_and_publishes_its_own_only(filled, browser_of):
    whole, foreign, own = publish(), publish("370200"), publish("370100")
    city = browser_of(Role.CITY_REGULATOR)
    listed = city.get("/bulletins/").content.decode()
    assert str(own.pk) in listed
    assert str(whole.pk) not in listed
    assert str(foreign.pk) not in listed
    read = city.get(f"/bulletins/{own.pk}/").content.decode()
    assert "36,500.00" in read
    assert "37,277.77" not in read
    assert "777.77" not in read
    for each in (whole, foreign):
        assert city.get(f"/bulletins/{each.pk}/").status_code == 404
        assert city.get(f"/bulletins/{each.pk}/file/").status_code == 404
    assert "370200" not in own.content["regions"]
    for region in ("370000", "370200"):
        assert city.post("/bulletins/publish/", {"region": region, "month": "2026-10"}).status_code == 403
    assert city.post("/bulletins/publish/", {"region": "370102", "month": MONTH}).status_code == 302
    assert Bulletin.objects.filter(region_code="370102").exists()


def test_one_of_a_region_is_for_authorities_and_premiums_for_those_who_may_see_them(filled, browser_of):
    made = publish()
    clerk = browser_of(Role.INSURER_CLERK)
    assert str(made.pk) not in clerk.get("/bulletins/").content.decode()
    for path in (f"/bulletins/{made.pk}/", f"/bulletins/{made.pk}/file/"):
        assert clerk.get(path).status_code == 404
    committee, province = browser_of(Role.COMMITTEE), browser_of(Role.PROVINCE_REGULATOR)
    assert "37,277.77" in province.get(f"/bulletins/{made.pk}/").content.decode()
    for path in (f"/bulletins/{made.pk}/", f"/bulletins/{made.pk}/file/?format=docx"):
        assert committee.get(path).status_code == 200
    assert "37,277.77" not in committee.get(f"/bulletins/{made.pk}/").content.decode()
    book = str(sheets(taken(committee, made, "xlsx")))
    assert "37277.77" not in book
    assert "37277.77" in str(sheets(taken(province, made, "xlsx")))


def test_one_of_an_insurer_holds_his_figures_and_of_others_only_what_all_come_to(filled, browser_of):
    foreign, made = publish(insurer=filled.bohai), publish(insurer=filled.huaihai)
    own = figures(
        headlines(FIVE, made.as_of).values(), replace(cut_of(months=f"{MONTH} {MONTH}"), insurer_id=filled.huaihai.pk)
    )
    for code, figure in own[""].items():
        assert made.content["whole"][code][0] == [str(figure.numerator), str(figure.denominator)]
        together = dashboard()[""][code].value
        assert made.content["beside"][code]["whole"] == ("" if together is None else str(together))
    kept = json.dumps(made.content, ensure_ascii=False)
    assert "777.77" not in kept
    assert str(filled.bohai) not in kept
    assert str(filled.bohai.pk) not in kept
    clerk, city = browser_of(Role.INSURER_CLERK), browser_of(Role.CITY_REGULATOR)
    listed = clerk.get("/bulletins/").content.decode()
    assert str(made.pk) in listed
    assert str(foreign.pk) not in listed
    read = clerk.get(f"/bulletins/{made.pk}/").content.decode()
    assert "与全体比较" in read
    assert f"{filled.huaihai}" in read.split("<main")[1].split("</h1>")[0]
    for form in ("pdf", "xlsx", "docx"):
        assert taken(clerk, made, form)
        assert clerk.get(f"/bulletins/{foreign.pk}/file/?format={form}").status_code == 404
    assert clerk.get(f"/bulletins/{foreign.pk}/").status_code == 404
    assert city.get(f"/bulletins/{made.pk}/").status_code == 404  # it is of the whole province
    assert clerk.post("/bulletins/publish/", {"region": "370000", "month": MONTH}).status_code == 403


def test_an_authority_publishes_the_bulletin_of_the_insurer_it_has_chosen(filled, browser_of):
    province = browser_of(Role.PROVINCE_REGULATOR)
    words = {"region": "370000", "month": MONTH, "insurer": str(filled.huaihai.pk)}
    assert province.post("/bulletins/publish/", words).status_code == 302
    assert Bulletin.objects.get().insurer == filled.huaihai
    page = province.get(f"/statistics/?from={MONTH}&to={MONTH}&insurer={filled.huaihai.pk}").content.decode()
    assert f'form="publish-bulletin" name="insurer" value="{filled.huaihai.pk}"' in page
    assert province.post("/bulletins/publish/", {**words, "insurer": str(filled.agency.pk)}).status_code == 422
    assert province.post("/bulletins/publish/", {**words, "insurer": ""}).status_code == 302
    assert {each.edition for each in Bulletin.objects.all()} == {1}
    only = province.get("/bulletins/?whose=regions").content.decode()
    assert str(Bulletin.objects.get(insurer=None).pk) in only
    assert str(Bulletin.objects.get(insurer=filled.huaihai).pk) not in only


def test_charts_say_what_the_tables_say(filled, browser_of):
    made, province = publish(), browser_of(Role.PROVINCE_REGULATOR)
    read = province.get(f"/bulletins/{made.pk}/").content.decode()
    options = [json.loads(each) for each in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', read)]
    coverage = headlines([Family.COVERAGE], made.as_of)[Family.COVERAGE]
    trend = next(each for each in options if each["series"][0]["name"] == str(coverage.title))
    assert trend["xAxis"]["data"] == sorted(made.content["trend"])
    assert trend["series"][0]["data"][-1] == float(dashboard()[""][coverage.code].value)
    found = {str(Region.objects.get(pk=key)): each[coverage.code].value for key, each in dashboard("region").items()}
    places = {name: float(value) for name, value in found.items() if value is not None}
    bars = [each for each in options if each["series"][0]["type"] == "bar"]
    of_places = [each for each in bars if set(each["yAxis"]["data"]) == set(places)]
    assert [places[name] for name in of_places[0]["yAxis"]["data"]] == of_places[0]["series"][0]["data"]
    assert all(each["series"][0]["data"] == sorted(each["series"][0]["data"], reverse=True) for each in bars)
    pdf = PdfReader(BytesIO(taken(province, made, "pdf"))).pages
    first, drawn_lines = min(made.content["trend"]), len(options) - len(bars)
    # below each line, and at the head of the table of the months
    assert sum(page.extract_text().count(first) for page in pdf) == drawn_lines + 1
    word = Document(BytesIO(taken(province, made, "docx")))
    drawn = [shape._inline.docPr.get("descr") for shape in word.inline_shapes]
    assert any(str(coverage.title) in each for each in drawn)
    assert len(drawn) == len(options)


def test_what_is_put_in_a_row_of_the_paper_is_said_once_and_in_one_line(filled, browser_of):
    paper = paper_of(publish(), platform(frozenset(Permission)))
    with override("zh-hans"):
        paper = paper_of(Bulletin.objects.get(), platform(frozenset(Permission)))
    facts = dict(paper.facts)
    assert "截至" in "".join(facts)
    assert "截至" not in facts["数据截至"]
    for table in paper.tables:
        for row in table.rows:
            for place in range(table.words, len(row)):
                assert table.widths[place] >= len(row[place].text)


def test_a_correction_is_a_further_edition_and_the_first_stays(filled, browser_of):
    first = publish()
    kept = (first.content, first.checksum)
    with pytest.raises(Refused) as refused:
        publish()
    assert refused.value.code == "nothing_changed"
    filled.accepted(filled.huaihai, "policies", {**policy("P1"), "is_void": True, "void_reason": "重复"})
    count()
    second = publish()
    assert second.edition == 2
    assert second.checksum != first.checksum
    first.refresh_from_db()
    assert (first.content, first.checksum) == kept
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Bulletin.objects.filter(pk=first.pk).update(made_by="x")
    again = Bulletin(**{
        name: getattr(first, name) for name in ("region_code", "month", "edition", "as_of", "refreshed_at", "made_at",
                                                "made_by", "content", "checksum")
    })  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


def test_the_time_machine_shows_the_figure_as_it_was_published(filled, browser_of):
    made = publish()
    code = headlines([Family.COVERAGE], made.as_of)[Family.COVERAGE].code
    filled.accepted(filled.huaihai, "policies", {**policy("P1"), "is_void": True, "void_reason": "重复"})
    count()
    province = browser_of(Role.PROVINCE_REGULATOR)
    for months in (f"from={MONTH}&to={MONTH}", f"from=2026-01&to={MONTH}"):
        page = province.get(f"/statistics/{code}/then/?{months}").content.decode()
        assert "第 1 版" in page
        assert f"/bulletins/{made.pk}/" in page
        assert page.index("发布时") < page.index("100.00%") < page.index("50.00%")
    for reader, query in ((province, "from=2026-02&to=2026-03"), (browser_of(Role.INSURER_CLERK), "")):
        assert "/bulletins/" not in reader.get(f"/statistics/{code}/then/?{query}").content.decode().split("<main")[-1]


def test_no_bulletin_of_what_is_not_yet_counted(filled):
    with pytest.raises(Refused):
        publish(month="2026-12")


def test_the_job_publishes_the_month_before_once_and_not_before_its_working_day(filled):
    early, due = (datetime.fromisoformat(f"2026-{day}T06:13:00+08:00") for day in ("11-03", "11-23"))
    assert publish_due(at=early) == []
    made = publish_due(at=due)
    assert {each.month for each in made} == {date(2026, 10, 1)}
    assert ("370000", None) in {(each.region_code, each.insurer) for each in made}
    assert [each.insurer for each in made if each.insurer] == [filled.huaihai, filled.bohai]
    assert all(each.region_code.endswith("00") and each.edition == 1 for each in made)
    assert publish_due(at=due) == []
    assert Bulletin.objects.count() == len(made)
