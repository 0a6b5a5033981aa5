"""What everybody may see: the signed result, its PDF, open data, packs; the badge on a profile; the forecast."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.course import counts_drawn, last_of
from anze.assessment.actions.forecasts import forecast
from anze.assessment.actions.packing import (
    decisions_content,
    export_pack,
    is_personal,
    manifest_file,
    open_data,
    parties_of,
    results_content,
    sign_result,
)
from anze.assessment.actions.results import Sums
from anze.assessment.definitions import PARTY
from anze.assessment.models import Campaign, Forecast, Outcome
from anze.assessment.rules import SchemeText, Standing, SubjectKind, WhyNot, score
from anze.assessment.rules.campaigns import AppealState, CampaignState
from anze.assessment.rules.scoring import is_small
from anze.assessment.screens.campaigns import RUN, SEE, campaign_or_404
from anze.assessment.screens.results import gain_of
from anze.assessment.screens.spread import spread_words
from anze.assessment.screens.words import (
    formula_text,
    input_title,
    measure_text,
    points_text,
    scheme_table,
    supervision_text,
)
from anze.kernel.scope import EVERYTHING, PROVINCE, Scope, widened
from anze.parties.rules import Permission
from anze.parties.screens import REGION_NAMES
from anze.screen.columns import readers_of
from anze.screen.details import Tile, tile
from anze.screen.pages import is_chinese
from anze.screen.registry import page
from anze.screen.typesetting import qr_svg, typeset


@page("assessment/<uuid:pk>/sign/", name="assessment-sign", permission=RUN, methods=("POST",))
def assessment_sign(request: HttpRequest, pk: UUID) -> HttpResponse:
    sign_result(campaign_or_404(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("Signed: every row, score and grade is sealed."))
    return redirect("assessment", pk)


@page("assessment/<uuid:pk>/pack/", name="assessment-pack", permission=SEE)
def assessment_pack(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The evidence pack: of everybody for those who may see premiums, of oneself for the assessed."""
    campaign = campaign_or_404(pk)
    scope = request.actor.scope  # type: ignore[attr-defined]
    with transaction.atomic(), widened(EVERYTHING):
        parties = parties_of(campaign)
    sees_all = scope.reader == "anze_all" and (is_personal(campaign) or request.actor.may(Permission.SEE_PREMIUMS))  # type: ignore[attr-defined]
    whole_area = scope.region_from in ("", PROVINCE)
    codes = tuple(code for code, each in parties.items() if sees_all or (_is_of(scope, each) and whole_area))
    file = export_pack(campaign, by=request.actor, at=request.at, codes=codes)  # type: ignore[attr-defined]
    return cast("HttpResponse", FileResponse(file, as_attachment=True, filename=f"{campaign.code}.zip"))


def _is_of(scope: Scope, each: Outcome) -> bool:
    """Whether a result is the reader's own; an agency's own are its experts' too."""
    own = scope.expert_id or scope.insurer_id or scope.agency_id
    return own is not None and own in (each.expert_id, each.insurer_id, each.agency_id)


def published_campaign(code: str) -> Campaign:
    found = Campaign.objects.select_related("scheme").filter(code=code, state=CampaignState.PUBLISHED).first()
    if found is None or is_personal(found):
        raise Http404
    return found


def _name(result: dict[str, Any]) -> str:
    return str(result["name"] if is_chinese() or not result["name_en"] else result["name_en"])


def published_words(campaign: Campaign) -> dict[str, Any]:
    """The published result: points and no sums. Inside a wide scope."""
    scheme = campaign.scheme.text
    grades = {grade.code: str(grade.title) for grade in scheme.grades}
    results = [each for each in results_content(campaign) if each["region"] == PROVINCE]
    drawn = counts_drawn(campaign)
    parties = parties_of(campaign)
    lines = [
        {
            "name": _name(each),
            "code": each["code"],
            "url": "",  # its own page is for those who are signed in
            "rank": each["rank"],
            "score": each["score"],
            "grade": each["grade"],
            "grade_title": grades.get(each["grade"], ""),
            "why_not": str(WhyNot(each["why_not"]).label) if each["why_not"] else "",
            "vetoes": [scheme.titled(code) for code in each["vetoes"]],
            "share": min(float(each["score"]), 100),
            "dimensions": _dimension_points(scheme, each["points"]),
            "drawn": drawn.get(parties[each["code"]].party, 0),
        }
        for each in results
    ]
    lines.sort(key=lambda line: (line["rank"] is None, line["rank"] or 0, line["name"]))
    states = dict(AppealState.choices)
    names = {each["code"]: _name(each) for each in results}
    return {
        "campaign": campaign,
        "scheme": scheme,
        "results": lines,
        "supervision_text": supervision_text,
        "kept": KEPT if any(grade.supervision for grade in scheme.grades) else "",
        "codes": [dimension.code for dimension in scheme.dimensions],
        "dimensions": scheme_table(scheme),
        "counts": [
            (grade.code, str(grade.title), sum(line["grade"] == grade.code and not line["why_not"] for line in lines))
            for grade in scheme.grades
        ],
        "appeals": [
            {
                **each,
                "decision": states.get(each["decision"], ""),
                "name": names.get(each["code"], ""),
                "titled": scheme.titled(each["element"]),
            }
            for each in decisions_content(campaign)
        ],
    }


KEPT = _("Whoever is not graded keeps the tier of the last result that graded him.")


def _uses(scheme: SchemeText) -> list[str]:
    """What follows from each grade, line by line."""
    lines = [f"{grade.code} {grade.title}: {grade.use}" for grade in scheme.grades if grade.use.zh]
    return [*lines, str(KEPT)] if any(grade.supervision for grade in scheme.grades) else lines


def _dimension_points(scheme: Any, points: dict[str, list[str]]) -> list[str]:
    """Points by dimension; of one in which nothing was scored there are none to tell."""
    found = []
    for dimension in scheme.dimensions:
        scored = [Decimal(points[e.code][0]) for e in dimension.elements if points[e.code][1] == Standing.SCORED]
        found.append(points_text(sum(scored, Decimal(0)) if scored else None))
    return found


@page("assessment/published/<str:code>/", name="assessment-published", title=_("Published assessment"), is_open=True)
def published(request: HttpRequest, code: str) -> HttpResponse:
    """For everybody, signed in or not: ranking, grades, scheme, decisions, signature."""
    with transaction.atomic(), widened(EVERYTHING):
        campaign = published_campaign(code)
        words = published_words(campaign)
        words["spread"] = spread_words(words["scheme"], words["results"])
        return render(request, "assessment/published.html", words)


@page("assessment/published/<str:code>/data.csv", name="assessment-data", is_open=True)
def published_data(request: HttpRequest, code: str) -> HttpResponse:
    with transaction.atomic(), widened(EVERYTHING):
        content = open_data(published_campaign(code))
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{code}.csv"'
    return answer


@page("assessment/published/<str:code>/manifest.json", name="assessment-manifest", is_open=True)
def published_manifest(request: HttpRequest, code: str) -> HttpResponse:
    """The signed manifest: the hash of every file behind the result."""
    with transaction.atomic(), widened(EVERYTHING):
        content = manifest_file(published_campaign(code))
    answer = HttpResponse(content, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{code}-manifest.json"'
    return answer


@page("assessment/published/<str:code>/result.pdf", name="assessment-pdf", is_open=True)
def published_pdf(request: HttpRequest, code: str) -> HttpResponse:
    """The result on paper, with its signature as a code."""
    with transaction.atomic(), widened(EVERYTHING):
        campaign = published_campaign(code)
        words = published_words(campaign)
    address = request.build_absolute_uri(reverse("assessment-published", args=[code]))
    signed_on = timezone.localtime(campaign.signed_at).date().isoformat() if campaign.signed_at else ""
    data = {
        "language": "zh" if is_chinese() else "en",
        "title": campaign.title,
        "subtitle": _now("Result of the effectiveness assessment, %(first)s to %(last)s")
        % {"first": campaign.period_from, "last": campaign.period_to},
        "scheme": str(campaign.scheme),
        "note": str(words["scheme"].note) if words["scheme"].is_example else "",
        "heads": [_now("Rank"), _now("Assessed"), _now("Score"), _now("Grade"), *words["codes"]],
        "rows": [
            [
                str(line["rank"] or "–"), line["name"], "–" if line["why_not"] else str(line["score"]),
                line["why_not"] or f"{line['grade']} {line['grade_title']}", *line["dimensions"],
            ]
            for line in words["results"]
        ],
        "legend": "　".join(f"{d['code']} {d['title']} ({d['weight']})" for d in words["dimensions"]),
        "uses_title": _now("What follows from a grade"),
        "uses": _uses(words["scheme"]),
        "appeals_title": _now("Decided appeals") if words["appeals"] else "",
        "appeals": [
            f"{each['number']} {each['name']} {each['titled']}: {each['decision']}, "
            f"{each['before'].get('score', '')} → {each['after'].get('score', '')}"
            for each in words["appeals"]
        ],
        "signed": _now("Signed on %(day)s by %(name)s") % {"day": signed_on, "name": campaign.signed_by},
        "digest": _now("Digest of the manifest") + f" SHA-256 {campaign.manifest_sha256}",
        "signature": campaign.signature,
        "address": address,
    }  # fmt: skip
    made = typeset(
        "assessment/result.typ",
        data,
        files={"code.svg": qr_svg(f"{address}#{campaign.signature}")},
        at=campaign.signed_at,
    )
    answer = HttpResponse(made, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{code}.pdf"'
    return answer


# the badge on an organisation's page --------------------------------------------------------------------------


def _badge(request: HttpRequest, organisation: Any) -> tuple[str, str, str]:
    outcome = last_of(organisation)
    if outcome is None:
        return "", "", ""
    year = f"{outcome.campaign.period_to:%Y}"
    is_expert = outcome.expert_id is not None  # whose page shows it to those alone who may read it
    address = (
        reverse("assessment-result", args=[outcome.pk])
        if is_expert
        else reverse("assessment-published", args=[outcome.campaign.code])
    )
    if outcome.why_not:
        return f"{year} {WhyNot(outcome.why_not).label}", "", address
    titles = {grade.code: str(grade.title) for grade in outcome.campaign.scheme.text.grades}
    tone = {"A": "success", "B": "info", "C": "warning", "D": "danger"}.get(outcome.grade, "")
    return f"{outcome.grade} {titles.get(outcome.grade, '')} · {outcome.score} ({year})", tone, address


for _of in ("insurer", "agency", "expert"):
    tile(Tile(_of, "assessment", _("Effectiveness assessment"), SEE, _badge, order=5))


def _public_grade(request: HttpRequest, profile: Any) -> tuple[str, str, str]:
    """What was published to everybody, for whoever chooses an insurer."""
    with widened(EVERYTHING):
        value, tone, address = _badge(request, profile.insurer)
    return value or _now("not assessed yet"), tone, address


tile(Tile("insurer-profile", "grade", _("Latest grade"), Permission.SEE_MARKET, _public_grade, order=10))


# the forecast -------------------------------------------------------------------------------------------------


@page("assessment/forecast/", name="assessment-forecast", title=_("Where we stand now"), permission=SEE, in_menu=True,
      order=20, icon="trending-up", methods=("GET", "POST"),
      not_in_menu_of=frozenset({"anze_enterprise", "anze_sector"}))  # fmt: skip
def forecast_page(request: HttpRequest) -> HttpResponse:
    """The score of the year so far, by the rows and the scoring of the official one, and what would raise it most."""
    scope = request.actor.scope  # type: ignore[attr-defined]
    own = scope.expert_id or scope.insurer_id or scope.agency_id
    if request.method == "POST" and own is not None:
        with widened(EVERYTHING):
            subject = next(kind for kind, column in PARTY.items() if getattr(scope, column) == own)
            forecast(subject, at=request.at, of=own)  # type: ignore[attr-defined]
        messages.success(request, _now("Counted anew."))
        return redirect("assessment-forecast")
    found = Forecast.objects.select_related("scheme", "organisation", "expert").order_by("-score")
    if scope.reader not in readers_of(Forecast):
        found = found.none()
    asked = request.GET.get("of", "")
    rows = list(found.filter(region_code__in=_regions_of(request)))
    kinds = [kind for kind in SubjectKind.values if any(row.scheme.subject == kind for row in rows)]
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds else next(iter(kinds), "")
    chosen = next((row for row in rows if str(row.pk) == asked), None)
    if own is not None:  # an agency reads of its experts too; whose page it is stands first
        rows.sort(key=lambda row: row.party != own)
        chosen = chosen or next((row for row in rows if row.party == own), None)
    else:
        rows = [row for row in rows if row.scheme.subject == kind]
    words: dict[str, Any] = {
        "rows": _forecast_lines(rows),
        "chosen": chosen,
        "is_own": own is not None,
        "kind": kind,
        "kinds": [(each, SubjectKind(each).label) for each in kinds] if own is None and len(kinds) > 1 else [],
    }
    if chosen is not None:
        words |= _forecast_words(chosen)
    return render(request, "assessment/forecast.html", words)


def _forecast_lines(rows: list[Forecast]) -> list[dict[str, Any]]:
    """Those who have too few stand below: what they reached in a few elements says nothing beside the others."""
    texts = {row.scheme_id: row.scheme.text for row in rows}
    few = {row.pk for row in rows if is_small(texts[row.scheme_id], Sums(row.measures, row.cases).as_measures())}
    return [
        {
            "pk": row.pk,
            "name": str(row.assessed),
            "score": "–" if row.pk in few else row.score,
            "why_not": WhyNot.TOO_FEW.label if row.pk in few else "",
            "as_of": row.as_of,
        }
        for row in sorted(rows, key=lambda row: row.pk in few)
    ]


def _regions_of(request: HttpRequest) -> list[str]:
    """The whole province for those who see it, else one's own city."""
    region = request.actor.scope.region_from or PROVINCE  # type: ignore[attr-defined]
    return [region if region.endswith("0000") else region[:4] + "00"]


def _forecast_words(row: Forecast) -> dict[str, Any]:
    scheme = row.scheme.text
    result = score(scheme, Sums(row.measures, row.cases).as_measures(), row.cases)
    lines, gains = [], []
    for element in scheme.elements:
        found = result.of(element.code)
        line = {
            "code": element.code,
            "title": element.title,
            "weight": element.weight,
            "measure": measure_text(element, found.value),
            "formula": formula_text(element, found) if found.standing == Standing.SCORED else str(found.standing.label),
            "points": points_text(found.points) if found.standing == Standing.SCORED else "–",
            "input": input_title(element.input),
        }
        lines.append(line)
        gain = gain_of(scheme, element.code, row.measures, result)
        if gain:
            gains.append({**line, **gain})
    gains.sort(key=lambda each: -each["order"])
    grades = {grade.code: grade.title for grade in scheme.grades}
    return {
        "result": result,
        "lines": lines,
        "gains": gains[:5],
        "grade_title": grades[result.grade],
        "why_not": WhyNot(result.why_not).label if result.why_not else "",
        "region_name": REGION_NAMES.name(row.region_code),
    }
