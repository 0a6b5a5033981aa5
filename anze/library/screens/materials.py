"""Videos, posters and handbooks: browsing, opening, counting, publishing; and the overview of the whole room."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.kernel.wording import listed
from anze.library.actions import count_use, open_material_file, publish_material, withdraw_material
from anze.library.models import Checklist, HazardEntry, Material, SignUp, Standard, Training, in_force
from anze.library.rules import EXTENSIONS, Audience, MaterialKind, SignUpState, TrainingState, Use
from anze.library.screens import worded
from anze.parties.rules import Permission
from anze.screen.columns import Column, Kind, labels
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Search
from anze.screen.forms import Form, Several, answer_page
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.pages import url
from anze.screen.ranges import file_answer, is_beginning
from anze.screen.registry import PAGES, Hit, page, search
from anze.screen.registry import Search as SearchAnswer

SEE, KEEP = Permission.SEE_LIBRARY, Permission.KEEP_LIBRARY


def _format(asking: Asking, media_type: str) -> str:
    """The format by the name people know it by."""
    return EXTENSIONS.get(media_type, media_type).upper()


def _sectors(asking: Asking, sectors: list[str]) -> str:
    names = labels(Sector.choices)
    return listed(names[each] for each in sectors) if sectors else _now("all sectors")


def _for_sector(sector: str) -> Case:
    return Case(Sector(sector).label, lambda asking: Q(sectors__contains=[sector]) | Q(sectors=[]))


MATERIALS = list_screen(
    ListScreen(
        name="materials",
        path="library/materials/",
        title=_("Videos, posters, handbooks"),
        about=_(
            "What is made for everybody in the province. Opening and downloading is counted once a day for each person."
        ),
        model=Material,
        permission=SEE,
        detail="material",
        sort="-published_on",
        sorts=("views", "downloads"),
        columns=(
            worded("title", _("Title")),
            Column("kind"),
            Column("sectors", title=_("Sectors"), needs=("sectors",), compute=_sectors),
            Column("audience"),
            Column("minutes", optional=True),
            Column("pages", optional=True),
            Column("views"),
            Column("downloads"),
            Column("published_on"),
            Column("code", kind=Kind.CODE, optional=True),
        ),
        filters=(
            Search(inside=("code", "title_zh", "title_en", "about_zh", "about_en"), title=_("Title or words")),
            Choice("kind", main=True),
            Cases("sector", _("Sector"), main=True, cases={each.value: _for_sector(each) for each in Sector}),
            Choice("audience"),
            Dates("published_on"),
            Cases(
                "offered",
                _("Offered"),
                default="yes",
                cases={
                    "yes": Case(_("yes"), lambda asking: Q(withdrawn_on__isnull=True)),
                    "no": Case(_("withdrawn"), lambda asking: Q(withdrawn_on__isnull=False)),
                },
            ),
        ),
        buttons=(Button(_("New material"), "material-new", KEEP, "upload"),),
        order=50,
        icon="movie",
    )
)


def _offer(request: HttpRequest, material: Any) -> dict[str, Any]:
    return {
        "may_keep": request.actor.may(KEEP),  # type: ignore[attr-defined]
        "megabytes": f"{material.size / 1_048_576:.2f}",
    }


detail_screen(
    DetailScreen(
        name="material",
        path="library/materials/<uuid:pk>/",
        title=_("Material"),
        model=Material,
        permission=SEE,
        named=(),
        state=Column("kind"),
        of_list="materials",
        template="library/material.html",
        extra=_offer,
        sections=(
            Section(
                _("About"),
                (
                    Column("sectors", title=_("Sectors"), needs=("sectors",), compute=_sectors),
                    "audience",
                    "minutes",
                    "pages",
                    "published_on",
                    "withdrawn_on",
                    Column("media_type", title=_("File type"), kind=None, needs=("media_type",), compute=_format),
                    Column("sha256", kind=Kind.CODE),
                ),
            ),
            Section(_("Use"), ("views", "downloads")),
        ),
    )
)


@page("library/materials/<uuid:pk>/file/", name="material-file", permission=SEE)
def material_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The file itself or a part of it, as it was handed in; `download=1` saves it instead of opening it."""
    material = Material.objects.filter(pk=pk).first()
    if material is None:
        raise Http404
    use = Use.DOWNLOAD if request.GET.get("download") else Use.VIEW
    if is_beginning(request):
        count_use(material.pk, use, account=request.actor.account_id, at=request.at)  # type: ignore[attr-defined]
    response = file_answer(
        request,
        partial(open_material_file, material),
        size=material.size,
        content_type=material.media_type,
        mark=material.sha256,
    )
    name = quote(f"{material.title}.{EXTENSIONS[material.media_type]}")
    kind = "attachment" if use is Use.DOWNLOAD else "inline"
    response["Content-Disposition"] = f"{kind}; filename*=UTF-8''{name}"
    # kept by the reader's own browser, which asks whether it is still the same
    response["Cache-Control"] = "private, no-cache"
    return response  # type: ignore[return-value]


class MaterialForm(Form):
    code = forms.RegexField(r"^[A-Z0-9-]{2,20}$", label=_("Code"), help_text=_("Capital letters, digits and dashes."))
    kind = forms.ChoiceField(label=_("Kind"), choices=MaterialKind.choices)
    title_zh = forms.CharField(label=_("Title (Chinese)"), max_length=120)
    title_en = forms.CharField(label=_("Title (English)"), max_length=160)
    about_zh = forms.CharField(label=_("About (Chinese)"), max_length=300, required=False, widget=forms.Textarea)
    about_en = forms.CharField(label=_("About (English)"), max_length=400, required=False, widget=forms.Textarea)
    sectors = Several(
        label=_("Sectors"), choices=Sector.choices, required=False, help_text=_("None chosen: for all sectors.")
    )
    audience = forms.ChoiceField(label=_("Audience"), choices=Audience.choices)
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, required=False)
    pages = forms.IntegerField(label=_("Pages"), min_value=1, required=False)
    file = forms.FileField(
        label=_("File"),
        help_text=_("Videos as MP4 or WebM, posters as PDF, PNG or JPEG, handbooks as PDF; up to 200 MB."),
    )


@page("library/materials/new/", name="material-new", title=_("New material"), permission=KEEP, methods=("GET", "POST"))
def new_material(request: HttpRequest) -> HttpResponse:
    form = MaterialForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if form.is_bound and form.is_valid():
        given = dict(form.cleaned_data)
        data = given.pop("file").read()
        try:
            made = publish_material(given.pop("code"), by=request.actor, at=request.at, data=data, **given)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("material", made.pk)
    return form_page(request, form, _("New material"), _("Publish"), "materials")


@page("library/materials/<uuid:pk>/withdraw/", name="material-withdraw", permission=KEEP, methods=("POST",))
def material_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    material = Material.objects.filter(pk=pk).first()
    if material is None:
        raise Http404
    withdraw_material(material, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("“%(title)s” is no longer offered.") % {"title": material.title})
    return redirect("materials")


def form_page(
    request: HttpRequest, form: Form, title: Any, done: Any, back: str, *words: Any, about: Any = ""
) -> HttpResponse:
    return answer_page(
        request, form, title=title, done=done, back=url(back, *words), back_title=PAGES[back].title, about=about
    )


# the overview -------------------------------------------------------------------------------------------------


@page("library/", name="library", title=_("Overview"), permission=SEE, in_menu=True, order=1, icon="books")
def overview(request: HttpRequest) -> HttpResponse:
    """What there is, how much it is used, what comes next. Each number opens its rows."""
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    offered = Material.objects.filter(withdrawn_on__isnull=True)
    of_kind = dict(offered.values_list("kind").annotate(Count("id")).order_by())
    kinds = [(label, of_kind.get(kind, 0), MATERIALS.link(kind=kind)) for kind, label in MaterialKind.choices]
    used = offered.aggregate(views=Sum("views"), downloads=Sum("downloads"))
    held = Training.objects.filter(state=TrainingState.HELD).count()
    words = {
        "kinds": kinds,
        "used": used,
        "trainings_held": held,
        "present": SignUp.objects.filter(state=SignUpState.PRESENT).count(),
        "standards": Standard.objects.filter(in_force(today)).count(),
        "checklists": Checklist.objects.filter(in_force(today)).count(),
        "hazards": HazardEntry.objects.filter(in_force(today)).count(),
        "most_used": offered.order_by("-views", "-id")[:10],
        "next": Training.objects.filter(ends_at__gte=request.at, state__in=("OPEN", "UNDER_WAY"))  # type: ignore[attr-defined]
        .select_related("host")
        .order_by("starts_at")[:5],
        "coming": Standard.objects.filter(effective_from__gt=today).order_by("effective_from")[:5],
    }
    return render(request, "library/overview.html", words)


def find_materials(words: str, limit: int) -> list[Hit]:
    rows = Material.objects.filter(
        Q(title_zh__contains=words) | Q(title_en__icontains=words) | Q(code=words.upper()), withdrawn_on__isnull=True
    )
    return [Hit(each.title, each.get_kind_display(), reverse("material", args=[each.pk])) for each in rows[:limit]]


search(SearchAnswer("materials", _("Videos, posters, handbooks"), SEE, find_materials, order=84))
