"""The reference pages of `docs/`, written from what the program declares, Chinese and English side by side."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from django.db.models import TextChoices
from django.utils.text import capfirst
from django.utils.translation import override

from anze.exchange.feed import INTERFACE_TIME, MANUAL_TIME, Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.rules import FINDINGS
from anze.exchange.screens.datasets import described, rules_of
from anze.kernel.alert import AlertRule, load_alerts
from anze.kernel.duty import load_duties
from anze.kernel.rules import ParameterStatus, ParameterUnit
from anze.monitoring.definitions import HEADLINES, INDICATORS, NOT_COMPUTED
from anze.monitoring.rules import REASONS, Family, Indicator
from anze.parties.rules import ROLES, Permission, Role

ROOT = Path(__file__).resolve().parent.parent.parent
PARAMETERS = ROOT / "anze" / "kernel" / "data" / "parameters.csv"
GLOSSARY = ROOT / "docs" / "glossary.csv"

T = TypeVar("T")


def both(make: Callable[[], T]) -> tuple[T, T]:
    """The same in Chinese and in English."""
    with override("zh-hans"):
        chinese = make()
    with override("en"):
        return chinese, make()


def words(text: object) -> tuple[str, str]:
    return both(lambda: capfirst(str(text)))


def pages() -> dict[str, str]:
    """Path under the project → text, of every generated page."""
    return {
        "docs/indicators.md": indicators_page(),
        "docs/feeds.md": feeds_page(),
        "docs/permissions.md": permissions_page(),
        "docs/parameters.md": parameters_page(),
        "docs/duties.md": duties_page(),
        "docs/alerts.md": alerts_page(),
        "docs/glossary.md": glossary_page(),
    }


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ").strip()


def _table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> list[str]:
    cells = [_cell(head) for head in heads]
    lines = [f"| {' | '.join(cells)} |", f"|{'---|' * len(cells)}"]
    return [*lines, *(f"| {' | '.join(_cell(value) for value in row)} |" for row in rows), ""]


def _page(chinese: str, english: str, about: tuple[str, str], body: Iterable[str]) -> str:
    generated = "<!-- Written by `anze document` from the program; do not edit by hand. -->"
    return "\n".join([f"# {chinese} · {english}", "", generated, "", about[0], "", about[1], "", *body]).rstrip() + "\n"


# indicators --------------------------------------------------------------------------------------------------


def indicators_page() -> str:
    body: list[str] = []
    for family in Family:
        zh, en = words(family.label)
        body += [f"## {zh} · {en}", ""]
        of_family = [each for each in INDICATORS.values() if each.family == family]
        for indicator in of_family:
            if not indicator.fixed:
                body += _indicator(indicator)
        if by_part := [(f"`{each.code}`", *words(each.title)) for each in of_family if each.fixed]:
            body += ["分项 By part", "", *_table(("代码 Code", "中文", "English"), by_part)]
    body += ["## 未计算的口径 · What is not computed", ""]
    body += _table(("口径", "原因", "Measure", "Why"), _in_pairs(NOT_COMPUTED))
    body += ["## 原因代码 · Reason codes", ""]
    body += _table(("代码 Code", "中文", "English"), ((f"`{code}`", *words(text)) for code, text in REASONS.items()))
    return _page(
        "指标口径",
        "Indicators",
        (
            (
                "每个指标由分子和分母构成，两个数都保存并展示，均可打开到逐条记录，并列出未计入的记录及原因；分母为 0 时为空值，显示“–”。"
                "百分比只在显示时四舍五入。默认期间为当年年初至今。作废记录及作废保单项下的记录一律不计。"
            ),
            (
                "Each indicator is a numerator and a denominator; both are kept and shown, and both open their very rows, "
                "with the rows left out and why. Where the denominator is 0 the value is null, shown as “–”. Percentages "
                "are rounded for display only, half up. The period is the year to date unless another is chosen. Voided "
                "records, and records under a voided policy, never count."
            ),
        ),
        body,
    )


def _in_pairs(texts: Iterable[tuple[object, object]]) -> Iterable[tuple[str, str, str, str]]:
    for title, why in texts:
        (zh, en), (zh_why, en_why) = words(title), words(why)
        yield zh, zh_why, en, en_why


def _indicator(indicator: Indicator) -> list[str]:
    fields = {field.name: field for field in indicator.fact.cell._meta.local_concrete_fields}
    stock = (
        (
            "时点数：所选截止月份的月末（当月为当日）状态",
            "stock: the state at the end of the last month, today's in the present one",
        )
        if indicator.is_stock
        else ("期间数：所选月份之和", "flow: the sum of the months chosen")
    )
    key, variants = HEADLINES.get(indicator.family, ("", {}))
    headline = [value for value, code in variants.items() if code == indicator.code]
    rows: list[tuple[str, str, str]] = [
        ("定义 Definition", *words(indicator.about)),
        ("分子 Numerator", *words(fields[indicator.numerator].verbose_name)),
        ("分母 Denominator", *words(fields[indicator.denominator].verbose_name)),
        ("时间 Time", *stock),
        ("单位 Unit", *words(indicator.unit.label)),
        ("方向 Direction", *words(indicator.direction.label)),
        ("来源 Source", indicator.source, indicator.source),
        ("版本 Version", str(indicator.version), str(indicator.version)),
    ]
    if headline:
        rows.append(("主口径参数 Headline", f"`{key}` = `{headline[0]}`", f"`{key}` = `{headline[0]}`"))
    codes = "、".join(f"`{code}`" for code in indicator.reasons)
    rows.append(("未计入的原因 Reasons", codes or "–", codes.replace("、", ", ") or "–"))
    zh, en = words(indicator.title)
    return [f"### {zh} · {en} (`{indicator.code}`)", "", *_table(("", "中文", "English"), rows)]


# feeds -------------------------------------------------------------------------------------------------------


def feeds_page() -> str:
    body = []
    for feed in FEEDS.values():
        body += _feed(feed)
    body += ["## 通用检查 · Checks of every dataset", ""]
    body += _table(
        ("代码 Code", "问题", "处理", "Problem", "Remedy"),
        ((f"`{code}`", *_pair(message, remedy)) for code, (message, remedy) in FINDINGS.items()),
    )
    return _page(
        "数据字典",
        "Data dictionary",
        (
            "每个数据集只声明一次；接口、OpenAPI、Excel 模板、录入表单和本页都由同一声明生成。四种渠道的检查完全相同。",
            (
                "Each dataset is declared once; the interface, its OpenAPI text, the Excel template, the entry form and "
                "this page are made of that one declaration. The checks are the same for all four ways in."
            ),
        ),
        body,
    )


def _pair(message: object, remedy: object) -> tuple[str, str, str, str]:
    (zh, en), (zh_remedy, en_remedy) = words(message), words(remedy)
    return zh, zh_remedy, en, en_remedy


def _feed(feed: Feed) -> list[str]:
    (zh, en), (zh_about, en_about) = words(feed.title), words(feed.about)
    sender_zh, sender_en = words(feed.sender.label)
    event = words(feed.get(feed.event).title)
    key = "、".join(f"`{name}`" for name in feed.key_fields)
    lines = [f"## {zh} · {en} (`{feed.name}`)", "", zh_about, "", en_about, ""]
    lines += _table(
        ("", "中文", "English"),
        [
            ("报送方 Sender", sender_zh, sender_en),
            ("主键 Key", key, key.replace("、", ", ")),
            ("时限起算 Clock", f"`{feed.event}`（{event[0]}）", f"`{feed.event}` ({event[1]})"),
        ],
    )
    chinese, english = both(lambda: described(feed.fields))
    lines += _fields(chinese, english)
    lines += _codes(feed)
    rules_zh, rules_en = both(lambda: rules_of(feed))
    if rules_zh:
        lines += ["检查 Checks", ""]
        lines += _table(
            ("代码 Code", "字段 Field", "问题", "处理", "Problem", "Remedy"),
            (
                (f"`{a['code']}`", f"`{a['field']}`", a["message"], a["remedy"], b["message"], b["remedy"])
                for a, b in zip(rules_zh, rules_en, strict=True)
            ),
        )
    return lines


def _fields(chinese: list[dict[str, Any]], english: list[dict[str, Any]]) -> list[str]:
    heads = ("字段 Field", "名称", "Name", "类型 Type", "必填 Required", "限制 Limits", "说明", "Note")

    def rows(zh: list[dict[str, Any]], en: list[dict[str, Any]], above: str = "") -> Iterable[tuple[str, ...]]:
        for a, b in zip(zh, en, strict=True):
            yield (
                f"`{above}{a['name']}`", a["title"], b["title"], f"{a['kind']} {b['kind']}", "✓" if a["required"] else "",
                "; ".join(dict.fromkeys(filter(None, (a["limits"], b["limits"])))), a["note"], b["note"],
            )  # fmt: skip
            yield from rows(a["lines"], b["lines"], f"{above}{a['name']}[].")

    return _table(heads, rows(chinese, english))


def _codes(feed: Feed) -> list[str]:
    """The code lists of a dataset, its lines included."""
    lists: dict[str, type[TextChoices]] = {}
    for each in feed.fields:
        lists |= {f"{each.name}[].{line.name}": line.codes for line in each.of if line.codes}
        if each.codes:
            lists[each.name] = each.codes
    if not lists:
        return []
    rows = (
        (f"`{name}`", f"`{value}`", *words(label)) for name, codes in lists.items() for value, label in codes.choices
    )
    return ["代码 Codes", "", *_table(("字段 Field", "代码 Code", "中文", "English"), rows)]


# permissions -------------------------------------------------------------------------------------------------


def permissions_page() -> str:
    body = ["## 角色及可见范围 · Roles and what they reach", ""]
    body += _table(
        ("代码 Code", "角色", "Role", "可见范围", "Reach"),
        ((f"`{role.value}`", *words(role.label), *words(ROLES[role].reach.label)) for role in Role),
    )
    body += ["## 权限矩阵 · Permissions", ""]
    roles = list(Role)
    heads = ("权限", "Permission", *("<br>".join(words(role.label)) for role in roles))
    body += _table(
        heads,
        (
            (*words(permission.label), *("✓" if permission in ROLES[role].permissions else "" for role in roles))
            for permission in Permission
        ),
    )
    return _page(
        "角色与权限",
        "Roles and permissions",
        (
            "权限决定能打开哪些页面、能做哪些操作；可见范围决定能看到哪些行，由数据库行级安全强制执行。",
            (
                "Permissions decide which pages one may open and what one may do; the reach decides which rows exist, and "
                "the database's row-level security enforces it."
            ),
        ),
        body,
    )


# parameters and duties ---------------------------------------------------------------------------------------


def _parameter_rows() -> list[dict[str, str]]:
    with PARAMETERS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _unit(unit: str) -> str:
    return " ".join(both(lambda: str(ParameterUnit(unit).label))) if unit else "–"


def parameters_page() -> str:
    body = _table(
        ("键 Key", "名称", "Title", "值 Value", "单位 Unit", "地区 Region", "生效 From", "失效 To", "状态 Status", "来源 Source",
         "说明 Note"),
        (
            (
                f"`{row['key']}`", row["title_zh"], row["title_en"], row["value"] or "–", _unit(row["unit"]),
                row["region_code"] or "–", row["effective_from"], row["effective_to"] or "–",
                " ".join(words(ParameterStatus(row["status"]).label)), row["source"] or "–", row["note"],
            )
            for row in _parameter_rows()
        ),
    )  # fmt: skip
    return _page(
        "参数",
        "Parameters",
        (
            (
                "随程序提供的法定数值和平台默认值。每条记录按其自身日期适用当时有效的数值；平台上修改的参数另立新行，不覆盖原值。"
                "“未核实”和“平台默认”的数值没有公布的依据。"
            ),
            (
                "Legal numbers and platform defaults as shipped. Each record is judged by the number in force on its own "
                "date; a change on the platform is a new row and overwrites nothing. What is “unverified” or a “platform "
                "default” has no published ground."
            ),
        ),
        body,
    )


def _listed(*labels: object) -> str:
    """Several words of one cell, in Chinese, then in English."""
    return " ".join(both(lambda: ", ".join(str(each) for each in labels)))


def duties_page() -> str:
    """Who must do what within which time: the reporting deadlines, and every duty a room declares."""
    in_force = {row["key"]: row for row in _parameter_rows() if not row["region_code"] and not row["effective_to"]}
    manual, interface = in_force[MANUAL_TIME], in_force[INTERFACE_TIME]
    by_interface = "当日 the same day" if interface["value"] == "0" else f"{interface['value']} 日 days"
    body = ["## 数据报送时限 · Reporting deadlines", ""]
    body += _table(
        ("数据集", "Dataset", "报送方", "Sender", "起算日 Clock starts on", "手工录入 By hand", "系统对接 By interface"),
        (
            (
                *words(feed.title), *words(feed.sender.label), f"`{feed.event}`",
                f"{manual['value']} 个工作日 working days", by_interface,
            )
            for feed in FEEDS.values()
        ),
    )  # fmt: skip
    body += _table(
        ("参数 Parameter", "名称", "Title", "状态 Status", "来源 Source"),
        (
            (f"`{row['key']}`", row["title_zh"], row["title_en"], " ".join(words(ParameterStatus(row["status"]).label)),
             row["source"] or "–")
            for row in (manual, interface)
        ),
    )  # fmt: skip
    duties = load_duties()
    body += ["## 其他职责 · Further duties", ""]
    if duties:
        body += _table(
            ("代码 Code", "谁 Who", "职责", "Duty", "起算 Clock starts", "参数 Parameter", "值 Value", "单位 Unit", "来源 Source"),
            (
                (f"`{duty.code}`", _listed(*(party.label for party in duty.whose)), *words(duty.title),
                 " ".join(words(duty.after)), f"`{duty.parameter}`",
                 in_force.get(duty.parameter, {}).get("value", "–"), duty.unit,
                 " ".join(dict.fromkeys(words(duty.source))))
                for duty in duties
            ),
        )  # fmt: skip
    else:
        body += ["尚未声明。 None is declared yet.", ""]
    return _page(
        "时限",
        "Duties and deadlines",
        (
            (
                "自事件发生次日起算，至最后一日北京时间 24 时止；工作日以国务院办公厅公布的节假日安排为准，逐日登记在工作日历中。"
                "首次收到的时间决定是否按时，以后的更正不改变结论。"
            ),
            (
                "Counted from the day after the event to 24:00 Beijing time of the last day; working days are those of the "
                "State Council's yearly holiday notices, kept day by day in the calendar. The first arrival decides "
                "whether a record is on time; later corrections change nothing."
            ),
        ),
        body,
    )


# glossary ----------------------------------------------------------------------------------------------------


def glossary_page() -> str:
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    body = _table(
        ("中文", "代码用语 Code term", "Meaning"),
        ((row["chinese"], f"`{row['term']}`", row["meaning"]) for row in rows),
    )
    return _page(
        "术语表",
        "Glossary",
        (
            "业务用语与程序用语的对照。程序、数据字典和页面使用同一套用语。",
            "The field's words and the program's. Code, data dictionary and pages use the same.",
        ),
        body,
    )


# alerts ------------------------------------------------------------------------------------------------------


def alerts_page() -> str:
    values = {row["key"]: row for row in _parameter_rows() if not row["region_code"]}
    body: list[str] = []
    for rule in load_alerts().values():
        body += [f"## {' · '.join(words(rule.title))}", ""]
        body += _table(("", "中文", "English"), _alert_rows(rule))
        keys = dict.fromkeys((*rule.thresholds.values(), *(f"{rule.escalates_by}.{level}" for level in _LEVELS)))
        body += _table(
            ("参数 Parameter", "名称", "Title", "默认值 Default"),
            (
                (
                    f"`{key}`",
                    values[key]["title_zh"],
                    values[key]["title_en"],
                    f"{values[key]['value']} {values[key]['unit']}",
                )
                for key in keys
            ),
        )
    return _page(
        "预警规则",
        "Alerts",
        (
            (
                "每条预警规则与其所依据的业务规则同处声明。同一原因只有一条预警；原因消失，预警自动关闭。"
                "未按时处置的预警按工作日逐级上报县、市、省。参数按日期、按区划生效，可先在规则页用上一年数据试算，再作调整。"
            ),
            (
                "Each alert is declared beside the rule it watches. There is one alert for one cause, and it closes by "
                "itself when the cause is gone. What is not mended goes up from county to city to province, by working "
                "days. Thresholds are dated and may differ by region; the rule's page tries another value on last "
                "year's data before it is saved."
            ),
        ),
        body,
    )


_LEVELS = ("COUNTY", "CITY", "PROVINCE")


def _alert_rows(rule: AlertRule) -> Iterable[tuple[str, str, str]]:
    yield "代码 Code", f"`{rule.code}`", f"`{rule.code}`"
    yield ("级别 Level", *words(rule.level.label))
    yield ("由谁处置 Who acts", *both(lambda: ", ".join(str(party.label) for party in rule.parties)))
    yield ("原因 Why", *words(rule.why))
    yield ("处置 Remedy", *words(rule.remedy))
    if rule.basis:
        yield ("依据 Basis", *words(rule.basis))
