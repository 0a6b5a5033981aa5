"""“Why 82.4?”: a score opened down to its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import ROUND_CEILING, Decimal
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from anze.assessment.actions.course import counts_drawn, seed_of
from anze.assessment.actions.results import result_of
from anze.assessment.definitions import INPUTS, KEPT, PARTY
from anze.assessment.models import (
    Appeal,
    Correction,
    Feedback,
    FrozenRow,
    Outcome,
    ReviewItem,
    SelfReport,
    Supervised,
    Tally,
)
from anze.assessment.rules import (
    Cases,
    Checklist,
    Points,
    Result,
    SchemeText,
    Standing,
    SubjectKind,
    TierState,
    WhyNot,
    case_input,
    share_of,
)
from anze.assessment.rules.campaigns import STANDING, CampaignState, ItemState, Level, ReportState
from anze.assessment.rules.schemes import Grade, Linear
from anze.assessment.rules.scoring import Measure
from anze.assessment.rules.spread import FEWEST
from anze.assessment.screens.photos import behind_elements, checklists_of, photos_of
from anze.assessment.screens.words import (
    formula_text,
    input_title,
    kept_text,
    measure_text,
    points_text,
    supervision_text,
)
from anze.kernel.actor import Actor
from anze.kernel.scope import EVERYTHING, widened
from anze.monitoring.screens import RECORD_PAGES
from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.parties.screens import REGION_NAMES
from anze.screen.columns import Column, readers_of
from anze.screen.details import Crumb, DetailScreen, Section, detail_screen
from anze.screen.lists import check_reader
from anze.screen.pages import money, percent, url, whole
from anze.screen.registry import PAGES, page

SEE = Permission.SEE_ASSESSMENT
PARTS = {
    "short": _("Counted, but short"),
    "counted": _("Counted"),
    "left_out": _("Left out"),
    "corrected": _("Corrected by review or appeal"),
}
AT_ONCE = 50
# sums of something else than records: one more is nothing anybody should aim at
NO_RECORDS = ("expert_findings",)
# kinds of record the statistics do not know
PAGES_OF = {
    **RECORD_PAGES, "alerts": "alert", "complaints": "complaint", "cases": "conduct-case", "orders": "order",
}  # fmt: skip


def element_points(outcome: Outcome) -> dict[str, Decimal]:
    return {code: Decimal(found[0]) for code, found in outcome.points.items()}


@contextmanager
def _among_all(outcome: Outcome) -> Iterator[Any]:
    """The results of the same level and region, whether the reader sees them or not: for what is told of many
    together, and for a rank, which says nothing without how many there are."""
    with widened(EVERYTHING):
        yield Outcome.objects.filter(campaign=outcome.campaign, region_code=outcome.region_code)


def medians_of(outcome: Outcome) -> dict[str, Decimal]:
    """Element → median of its points among those of the same level and region who were scored by it."""
    by_code: dict[str, list[Decimal]] = {}
    with _among_all(outcome) as rows:
        for points in rows.values_list("points", flat=True):
            for code, (value, standing) in points.items():
                if standing == Standing.SCORED:
                    by_code.setdefault(code, []).append(Decimal(value))
    fewest = 3 if outcome.campaign.state == CampaignState.PUBLISHED and not outcome.expert_id else FEWEST
    return {code: median(values) for code, values in by_code.items() if len(values) >= fewest}


def year_before(outcome: Outcome) -> Outcome | None:
    before = outcome.campaign.before_id
    if before is None:
        return None
    return Outcome.objects.filter(campaign_id=before, region_code=outcome.region_code, **outcome.who).first()


def gain_of(scheme: SchemeText, code: str, measures: dict[str, list[Any]], result: Result) -> dict[str, Any] | None:
    """What an element would bring at most, and what one more record in order would bring; before the points of a curve
    begin, how many are missing until they do."""
    element, found = scheme.element(code), result.of(code)
    if found.standing != Standing.SCORED or found.points >= element.weight:
        return None
    scale = Decimal(100) / result.possible if result.possible else Decimal(0)
    gain = (element.weight - found.points) * scale
    said = ""
    sums = measures.get(element.input)
    if sums and found.value is not None and not isinstance(element.curve, Cases | Checklist):
        known = INPUTS.get(element.input)
        numerator, denominator = Decimal(sums[0]), Decimal(sums[1])
        if denominator > 0 and not (known and known.is_money) and element.input not in NO_RECORDS:
            falls = element.input == "data_error_rate"
            step = Decimal(-1) if falls else Decimal(100) if "quality" in element.input else Decimal(1)
            moved = Measure(numerator + step, denominator).value
            if moved is not None:
                one = (share_of(element.curve, element.weight, moved) - found.share) * element.weight * scale
                if one > 0:
                    said = _now("each record in order: +%(points)s") % {"points": points_text(one)}
                elif step == 1 and isinstance(element.curve, Linear) and found.value < element.curve.anchors[0][0]:
                    start = element.curve.anchors[0][0]
                    count = int((start * denominator - numerator).to_integral_value(ROUND_CEILING))
                    said = ngettext(
                        "%(count)s record more in order reaches %(measure)s, where the points begin",
                        "%(count)s records more in order reach %(measure)s, where the points begin",
                        count,
                    ) % {"count": count, "measure": percent(start, 0)}
    return {"gain": points_text(gain), "order": gain, "said": said}


def explanation(outcome: Outcome, tally: Tally | None) -> dict[str, Any]:
    """Everything the page says about a score. Without the sums (another's published result) only points."""
    scheme = outcome.campaign.scheme.text
    result = result_of(scheme, tally) if tally else None
    medians, before = medians_of(outcome), year_before(outcome)
    last = element_points(before) if before else {}
    lines, gains = [], []
    for dimension in scheme.dimensions:
        inside = []
        for element in dimension.elements:
            points, standing = outcome.points.get(element.code, ["0", Standing.MISSING])
            line: dict[str, Any] = {
                "code": element.code,
                "title": element.title,
                "weight": element.weight,
                "points": points_text(points) if standing == Standing.SCORED else "–",
                "raw": Decimal(points),
                "is_scored": standing == Standing.SCORED,
                "standing": str(Standing(standing).label),
                "median": points_text(medians.get(element.code)),
                "last": points_text(last.get(element.code)) if before else "–",
                "share": int(Decimal(points) / element.weight * 100),
            }
            if result is not None and tally is not None:
                line |= _with_sums(scheme, element.code, result.of(element.code), tally, outcome)
                gain = gain_of(scheme, element.code, tally.measures, result)
                if gain:
                    gains.append({**line, **gain})
            inside.append(line)
        own = sum((line["raw"] for line in inside), Decimal(0))
        lines.append({"code": dimension.code, "title": dimension.title, "weight": dimension.weight,
                      "points": points_text(own), "raw": own, "elements": inside})  # fmt: skip
    grades = {grade.code: grade for grade in scheme.grades}
    vetoes = {veto.code: veto.title for veto in scheme.vetoes}
    gains.sort(key=lambda each: -each["order"])
    return {
        "scheme": scheme,
        "dimensions": lines,
        "gains": gains[:5],
        "result": result,
        "grade": grades[outcome.grade],
        "before": before,
        "supervision": _supervision(outcome, grades[outcome.grade]),
        "gates_said": [scheme.titled(code) for code in outcome.gates],
        "vetoed": [(code, vetoes.get(code, code)) for code in outcome.vetoes],
        "why_not": WhyNot(outcome.why_not).label if outcome.why_not else "",
        "is_scaled": outcome.possible != 100,
        "chart": waterfall(lines, outcome),
    }


def _supervision(outcome: Outcome, grade: Grade) -> str:
    """What a grade leads to; of somebody not graded, the tier he keeps from an earlier result."""
    if not outcome.why_not:
        return supervision_text(grade.supervision)
    kept = Supervised.objects.filter(
        organisation=outcome.organisation_id, region_code=outcome.region_code, later=outcome.campaign_id,
        state=TierState.KEPT,
    ).select_related("campaign", "later")  # fmt: skip
    return kept_text(kept[0]) if outcome.organisation_id and kept else ""


def _with_sums(scheme: SchemeText, code: str, found: Points, tally: Tally, outcome: Outcome) -> dict[str, Any]:
    element = scheme.element(code)
    numerator, denominator, counted, left_out = tally.measures.get(element.input, [None, None, 0, 0])
    known = INPUTS.get(element.input)
    show = money if known and known.is_money else whole
    has_rows = bool(counted or left_out)
    rows = {part: url("assessment-result-rows", outcome.pk, element=code, part=part) for part in PARTS}
    return {
        "measure": measure_text(element, found.value),
        "formula": formula_text(element, found) if found.standing == Standing.SCORED else "",
        "input": input_title(element.input),
        "numerator": show(Decimal(numerator)) if numerator is not None else "–",
        "denominator": show(Decimal(denominator)) if denominator is not None else "–",
        "left_out": left_out,
        "rows": rows if has_rows else None,
    }


def waterfall(lines: Iterable[dict[str, Any]], outcome: Outcome) -> dict[str, Any]:
    """From nothing to the score, dimension by dimension: what each brought, what it left, and what nobody could score;
    then what makes the sum the score."""
    names: list[str] = []
    bars: dict[str, list[float]] = {part: [] for part in ("base", "got", "lost", "open")}

    def add(name: str, base: Decimal, **parts: Decimal) -> None:
        names.append(name)
        for part, values in bars.items():
            values.append(round(float({"base": base, **parts}.get(part, 0)), 3))

    running = Decimal(0)
    for line in lines:
        scored = [each for each in line["elements"] if each["is_scored"]]
        within = sum((Decimal(each["weight"]) for each in scored), Decimal(0))
        add(f"{line['code']} {line['title']}", running, got=line["raw"], lost=within - line["raw"],
            open=line["weight"] - within)  # fmt: skip
        running += line["raw"]
    if outcome.possible and outcome.possible != 100:
        scaled = running * 100 / outcome.possible
        add(_now("Made out of 100"), running, got=scaled - running)
        running = scaled
    if outcome.bonus:
        add(_now("Bonus"), running, got=outcome.bonus)
        running += outcome.bonus
    if outcome.deduction:
        add(_now("Deduction"), running - outcome.deduction, lost=outcome.deduction)
    add(_now("Score"), Decimal(0), got=outcome.score)
    said = {
        "got": pgettext("points", "reached"), "lost": pgettext("points", "not reached"),
        "open": pgettext("points", "not scored"),
    }  # fmt: skip
    looks: dict[str, dict[str, Any]] = {"lost": {"opacity": 0.35}, "open": {"color": "#868e96", "opacity": 0.25}}
    shown = {part: title for part, title in said.items() if any(bars[part])}
    quiet = {"color": "transparent"}
    return {
        "tooltip": {"trigger": "axis", "valueFormatter": "@amount"},
        "legend": {"data": list(shown.values())},
        "grid": {"left": 8, "right": 16, "containLabel": True},
        "xAxis": {"type": "value", "max": 100 if outcome.score <= 100 else float(outcome.score)},
        "yAxis": {"type": "category", "inverse": True, "data": names},
        "series": [
            {"type": "bar", "stack": "all", "name": "", "data": bars["base"], "itemStyle": quiet,
             "tooltip": {"show": False}, "emphasis": {"disabled": True}},
            *({"type": "bar", "stack": "all", "name": title, "data": bars[part], "itemStyle": looks.get(part, {})}
              for part, title in shown.items()),
        ],
    }  # fmt: skip


def tally_of(request: HttpRequest, outcome: Any) -> Tally | None:
    """The sums behind a result, where the reader's kind of organisation has any."""
    if request.actor.scope.reader not in readers_of(Tally):  # type: ignore[attr-defined]
        return None
    return Tally.objects.filter(outcome=outcome).first()


def _awaited(outcome: Outcome, report: SelfReport | None) -> str:
    """Why a checklist gives nothing yet: what was handed in counts from the provisional result on."""
    if report is None or outcome.campaign.state not in (CampaignState.COMPUTED, CampaignState.REVIEW):
        return ""
    if report.state == ReportState.DRAFT:
        return _now("self-report not handed in yet")
    return _now("self-report handed in: it counts from the provisional result on")


def _cases(outcome: Any, may_appeal: bool) -> list[dict[str, Any]]:
    """The confirmed cases that count against or for somebody, each with its document and where to appeal."""
    scheme = outcome.campaign.scheme.text
    codes, bonus = {case_input(code): code for code in scheme.case_codes}, {each.code for each in scheme.bonus.items}
    rows = list(rows_of(outcome, *codes).order_by("pk")[:AT_ONCE])
    dropped = {each.row_id for each in Correction.objects.filter(row__in=rows, numerator=0)}
    return [
        {
            "title": scheme.titled(codes[row.input]),
            "label": row.label,
            "url": url(PAGES_OF["cases"], row.row_id),
            "is_dropped": row.pk in dropped,
            "appeal": url("assessment-result-appeal", outcome.pk, element=codes[row.input], records=row.label)
            if may_appeal and codes[row.input] not in bonus
            else "",
        }
        for row in rows
    ]


def _may_appeal(request: HttpRequest, outcome: Any) -> bool:
    """Whether the reader may appeal now against a result that is his own."""
    scope, column = request.actor.scope, PARTY[SubjectKind(outcome.campaign.subject)]  # type: ignore[attr-defined]
    return bool(
        outcome.campaign.state == CampaignState.PROVISIONAL
        and outcome.level == Level.PROVINCE
        and getattr(scope, column) == outcome.party
        and request.actor.may(Permission.ANSWER_ASSESSMENT)  # type: ignore[attr-defined]
        and request.at <= outcome.campaign.appeal_until_at  # type: ignore[attr-defined]
    )


def _words(request: HttpRequest, outcome: Any) -> dict[str, Any]:
    tally = tally_of(request, outcome)
    party = {PARTY[SubjectKind(outcome.campaign.subject)]: outcome.party}
    with _among_all(outcome) as rows:
        ranked = rows.filter(rank__isnull=False).count()
        drawn = counts_drawn(outcome.campaign, **party).get(outcome.party, 0)
    words = explanation(outcome, tally)
    is_own = tally is not None
    region = Q() if outcome.level == Level.PROVINCE else Q(region_code__startswith=outcome.region_code[:4])
    items = (
        ReviewItem.objects.filter(region, campaign=outcome.campaign, **party) if is_own else ReviewItem.objects.none()
    )
    appeals = Appeal.objects.filter(outcome=outcome).order_by("-submitted_at") if is_own else []
    report = SelfReport.objects.filter(outcome=outcome).first() if is_own else None
    awaited, checklists = _awaited(outcome, report), checklists_of(outcome.campaign.scheme.text)
    shown = behind_elements(outcome, report, request.actor) if is_own else {}  # type: ignore[attr-defined]
    for line in (line for dimension in words["dimensions"] for line in dimension["elements"]):
        line["photos"] = shown.get(line["code"], [])
        line["note"] = awaited if line["code"] in checklists else ""
    feedback = Feedback.objects.filter(outcome=outcome).first() if is_own else None
    may_appeal = is_own and _may_appeal(request, outcome)
    return {
        **words,
        **({"heading": outcome.expert.name} if outcome.expert else {}),
        "feedback": feedback,
        "may_say": is_own
        and feedback is None
        and outcome.level == Level.PROVINCE
        and outcome.campaign.state in STANDING
        and request.actor.may(Permission.RUN_ASSESSMENT),  # type: ignore[attr-defined]
        "may_answer": feedback is not None
        and feedback.answered_at is None
        and feedback.due_at is not None
        and getattr(request.actor.scope, next(iter(party))) == outcome.party  # type: ignore[attr-defined]
        and request.actor.may(Permission.ANSWER_ASSESSMENT),  # type: ignore[attr-defined]
        "is_own": is_own,
        "ranked": ranked,
        "drawn": drawn,
        "region_name": REGION_NAMES.name(outcome.region_code),
        "reviewed": list(items.exclude(state=ItemState.WAITING)[:50]) if is_own else [],
        "waiting_items": items.filter(state=ItemState.WAITING).count() if is_own else 0,
        "appeals": appeals,
        "report": report,
        "may_appeal": may_appeal,
        "cases": _cases(outcome, may_appeal) if is_own else [],
        "seed": seed_of(outcome.campaign.seed, outcome.known_as) if is_own and outcome.campaign.seed else "",
        "input_title": input_title,
    }


def _crumbs(request: HttpRequest, outcome: Any) -> list[Crumb]:
    return [Crumb("", outcome.campaign.title, url("assessment", outcome.campaign_id))]


detail_screen(
    DetailScreen(
        name="assessment-result",
        path="assessment/results/<uuid:pk>/",
        title=_("Result of an assessment"),
        model=Outcome,
        permission=SEE,
        named=("organisation",),
        of_list="assessments",
        template="assessment/result.html",
        extra=_words,
        climb=_crumbs,
        has_history=False,
        sections=(
            Section(
                pgettext_lazy("assessment", "The result"),
                (
                    Column("organisation"), Column("expert__name", title=_("Expert")), Column("region_code"), "score", "grade", "rank", "earned", "possible",
                    "bonus", "deduction", "computed_score", "provisional_score",
                ),
            ),
        ),
    )
)  # fmt: skip


@page(
    "assessment/results/<uuid:pk>/rows/", name="assessment-result-rows", title=_("Rows behind a score"), permission=SEE
)
def result_rows(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The frozen rows of one element: what counts, what falls short and why, what was left out."""
    check_reader(request, Outcome)
    outcome = Outcome.objects.select_related("campaign__scheme", "organisation", "expert").filter(pk=pk).first()
    tally = tally_of(request, outcome) if outcome else None
    if outcome is None or tally is None:
        raise Http404
    scheme = outcome.campaign.scheme.text
    code = request.GET.get("element", "")
    if code not in {element.code for element in scheme.elements}:
        code = scheme.elements[0].code
    element = scheme.element(code)
    part = request.GET.get("part", "")
    part = part if part in PARTS else "counted"
    after = request.GET.get("after", "")
    rows = rows_of(outcome, element.input)
    corrections = corrections_of(outcome, element.input)
    condition = {
        "short": ~Q(denominator=0) & ~Q(reason=""),
        "counted": ~Q(denominator=0) | ~Q(numerator=0),
        "left_out": Q(denominator=0, numerator=0),
        "corrected": Q(pk__in=list(corrections)),
    }[part]
    found = rows.filter(condition)
    if after.isdecimal() and len(after) < 19:
        found = found.filter(pk__gt=int(after))
    shown = list(found.order_by("pk")[: AT_ONCE + 1])
    more = shown[AT_ONCE - 1].pk if len(shown) > AT_ONCE else None
    shown = shown[:AT_ONCE]
    known = INPUTS.get(element.input)
    line = _with_sums(scheme, code, result_of(scheme, tally).of(code), tally, outcome)
    words = {
        "outcome": outcome,
        "element": element,
        "line": line,
        "part": part,
        "parts": [
            (name, title, url("assessment-result-rows", pk, element=code, part=name)) for name, title in PARTS.items()
        ],
        "rows": row_lines(
            shown,
            corrections,
            is_money=bool(known and known.is_money),
            actor=request.actor,  # type: ignore[attr-defined]
        ),
        "next": url("assessment-result-rows", pk, element=code, part=part, after=more) if more else "",
        "back": url("assessment-result", pk),
        "appeal": url("assessment-result-appeal", pk, element=code) if _may_appeal(request, outcome) else "",
    }
    return render(request, "assessment/rows.html", words)


def rows_of(outcome: Outcome, *inputs: str) -> Any:
    """The frozen rows of an input or several of a result, by an index."""
    party = {PARTY[SubjectKind(outcome.campaign.subject)]: outcome.party}
    rows = FrozenRow.objects.filter(campaign=outcome.campaign, input__in=inputs, **party)
    if outcome.level == Level.CITY:
        rows = rows.filter(region_code__startswith=outcome.region_code[:4])
    return rows


def corrections_of(outcome: Outcome, code: str) -> dict[int, Correction]:
    party = {PARTY[SubjectKind(outcome.campaign.subject)]: outcome.party}
    rows = Correction.objects.filter(campaign=outcome.campaign, input=code, **party).order_by("id")
    return {each.row_id: each for each in rows}


def row_lines(
    rows: list[FrozenRow], corrections: dict[int, Correction], *, is_money: bool, actor: Actor
) -> list[dict[str, Any]]:
    """Rows as a page shows them, each with the page of its record and its photos; enterprises are named by one query."""
    show, photos = money if is_money else whole, photos_of(rows, actor)
    keys = {row.enterprise_id for row in rows if row.enterprise_id}
    names = dict(Enterprise.objects.filter(pk__in=keys).values_list("pk", "name")) if keys else {}
    lines = []
    for row in rows:
        fixed = corrections.get(row.pk)
        name = PAGES_OF.get(row.source, "")
        lines.append(
            {
                "pk": row.pk,
                "label": row.label,
                "url": url(name, row.row_id) if name in PAGES and row.row_id else "",
                "enterprise": names.get(row.enterprise_id, "") if row.enterprise_id else "",
                "enterprise_url": url("enterprise", row.enterprise_id) if row.enterprise_id in names else "",
                "region": REGION_NAMES.name(row.region_code),
                "numerator": show(row.numerator),
                "denominator": show(row.denominator),
                "reason": str(KEPT.get(row.reason, row.reason)) if row.reason else "",
                "content": row.content,
                "fixed": f"{show(fixed.numerator)} / {show(fixed.denominator)}" if fixed else "",
                "why": fixed.reasons if fixed else "",
                "by": fixed.by_name if fixed else "",
                "photos": photos.get(row.row_id, []) if row.row_id else [],
            }
        )
    return lines
