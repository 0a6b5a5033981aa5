"""A draw that anybody can do again: the frozen rows a sample was drawn from, and those that were drawn."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from anze.assessment.actions.course import population_of
from anze.assessment.actions.packing import parties_of
from anze.assessment.definitions import PARTY
from anze.assessment.models import Campaign, Outcome, ReviewItem
from anze.assessment.rules import SubjectKind
from anze.assessment.screens.published import published_campaign
from anze.kernel.drawing import population_text
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission
from anze.screen.lists import check_reader
from anze.screen.registry import page

PARTS = ("population", "sample")


def drawn_of(campaign: Campaign, party: UUID) -> str:
    """Place, key and digest of each row drawn, line by line as `tools/draw_sample.py` prints them."""
    items = ReviewItem.objects.filter(campaign=campaign, **{PARTY[SubjectKind(campaign.subject)]: party})
    return "".join(f"{each.rank:5} {each.row_id} {each.digest}\n" for each in items.order_by("rank"))


def file_name(part: str, outcome: Outcome) -> str:
    return f"{part}-{outcome.known_as}.txt"


def draw_file(outcome: Outcome, part: str) -> HttpResponse:
    """The population or the sample; nothing before there was a draw. The keys tell nothing of the records, so all who
    see a result get those of the whole province."""
    campaign, part = outcome.campaign, part if part in PARTS else PARTS[0]
    with transaction.atomic(), widened(EVERYTHING):
        if not campaign.seed:
            text = ""
        elif part == "sample":
            text = drawn_of(campaign, outcome.party)
        else:
            text = population_text(population_of(campaign, outcome.party))
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, file_name(part, outcome)) or ""
    return answer


@page("assessment/results/<uuid:pk>/draw/", name="assessment-result-draw", permission=Permission.SEE_ASSESSMENT)
def result_draw(request: HttpRequest, pk: UUID) -> HttpResponse:
    check_reader(request, Outcome)
    outcome = Outcome.objects.select_related("campaign", "organisation", "expert").filter(pk=pk).first()
    if outcome is None:
        raise Http404
    return draw_file(outcome, request.GET.get("part", ""))


@page("assessment/published/<str:code>/draw/<str:party>/", name="assessment-draw", is_open=True)
def published_draw(request: HttpRequest, code: str, party: str) -> HttpResponse:
    """For everybody, signed in or not."""
    with transaction.atomic(), widened(EVERYTHING):
        found = parties_of(published_campaign(code)).get(party)
    if found is None:
        raise Http404
    return draw_file(found, request.GET.get("part", ""))
