"""Schemes come in as files, are checked, and issued; what was issued is not changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions import kinds_of
from anze.assessment.models import Scheme, SchemeCopy
from anze.assessment.rules import SchemeState, SchemeText, content_of, differences, problems, read_scheme, scheme_digest
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission

DATA = Path(__file__).resolve().parent.parent / "data"
SHIPPED = ("scheme-insurers", "scheme-agencies", "scheme-experts")
_SHIPPED_AT = datetime(2026, 11, 1, tzinfo=UTC)


# a new edition is offered from a new year on: a scheme does not change in the middle of the year it assesses
_OFFERED_FROM = date(2027, 1, 1)


def load_schemes() -> None:
    """Bring the shipped examples in, issued where there is no version yet.

    Where there is, a shipped edition that says something new is only offered: as a draft of the next version, which
    somebody compares and issues, or leaves. What was issued stays, with everything that was assessed by it. Running
    it again changes nothing.
    """
    for name in SHIPPED:
        text = read_scheme((DATA / f"{name}.json").read_bytes())
        known = list(Scheme.objects.filter(code=text.code).order_by("version"))
        if not known:
            _keep(text, by_name="Anze", at=_SHIPPED_AT, state=SchemeState.ISSUED)
        elif all(_says_more(text, each.text) for each in known):
            after = date(max(each.valid_from.year for each in known) + 1, 1, 1)
            offered = msgspec.structs.replace(
                text, version=known[-1].version + 1, valid_from=max(_OFFERED_FROM, after), valid_to=None
            )
            _keep(offered, by_name="Anze", at=_SHIPPED_AT, state=SchemeState.DRAFT)


def _says_more(text: SchemeText, than: SchemeText) -> bool:
    """Whether two versions differ in more than their number and the days they are valid."""
    same_days = msgspec.structs.replace(than, valid_from=text.valid_from, valid_to=text.valid_to)
    return bool(differences(same_days, text))


def _keep(text: SchemeText, *, by_name: str, at: datetime, state: SchemeState) -> Scheme:
    content = content_of(text)
    issued = state == SchemeState.ISSUED
    return Scheme.objects.create(
        code=text.code,
        version=text.version,
        subject=text.subject,
        title_zh=text.title.zh,
        title_en=text.title.en,
        region_code=text.region_code,
        valid_from=text.valid_from,
        valid_to=text.valid_to,
        state=state,
        is_example=text.is_example,
        content=content,
        sha256=scheme_digest(content),
        made_at=at,
        made_by=by_name[:120],
        issued_at=at if issued else None,
        issued_by=by_name[:120] if issued else "",
    )


def check_scheme(text: SchemeText) -> None:
    """Refused with every problem and its place."""
    found = problems(text, kinds_of(text.subject))
    if found:
        raise Refused(
            "scheme_faulty",
            _("The scheme cannot be used: %(problems)s."),
            remedy=_("Correct these places in the file and load it again."),
            field="file",
            values={"problems": "; ".join(map(str, found[:10]))},
        )


@action(Permission.RUN_ASSESSMENT, "scheme.added")
def add_scheme(raw: bytes, *, by: Actor, at: datetime) -> Scheme:
    """Take a scheme in from its file, as a draft of a new version."""
    text = read_scheme(raw)
    check_scheme(text)
    with widened(EVERYTHING):
        if Scheme.objects.filter(code=text.code, version=text.version).exists():
            raise Refused(
                "scheme_version_taken",
                _("There is a version %(version)s of the scheme %(code)s already."),
                remedy=_("Give the file a higher version."),
                field="file",
                values={"version": text.version, "code": text.code},
            )
        return _keep(text, by_name=by.name, at=at, state=SchemeState.DRAFT)


@action(Permission.RUN_ASSESSMENT, "scheme.issued")
def issue_scheme(scheme: Scheme, *, by: Actor, at: datetime) -> Scheme:
    """Let a version be used. Of one code and region only one version is in force on a day: the one before ends."""
    check_scheme(scheme.text)
    with transaction.atomic(), widened(EVERYTHING):
        changed = Scheme.objects.filter(pk=scheme.pk, state=SchemeState.DRAFT).update(
            state=SchemeState.ISSUED, issued_at=at, issued_by=by.name[:120]
        )
        if not changed:
            raise Refused(
                "scheme_issued_already",
                _("This version is issued already."),
                remedy=_("Load a new version to change something."),
                status=409,
            )
        scheme.refresh_from_db()
        others = Scheme.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gte=scheme.valid_from),
            code=scheme.code,
            region_code=scheme.region_code,
            state=SchemeState.ISSUED,
        ).exclude(pk=scheme.pk)
        if later := others.filter(valid_from__gte=scheme.valid_from).order_by("version").first():
            raise Refused(
                "scheme_overlaps",
                _("Version %(version)s is in force from %(day)s on."),
                remedy=_("Let this version begin later."),
                values={"version": later.version, "day": later.valid_from},
            )
    return scheme


@action(Permission.SEE_ASSESSMENT, "scheme.copied")
def keep_copy(scheme: Scheme, *, by: Actor, at: datetime, title: str, text: SchemeText) -> SchemeCopy:
    """Keep what somebody tried out, for himself alone. Nothing official reads it."""
    assert by.account_id is not None
    with widened(EVERYTHING):
        return SchemeCopy.objects.create(
            account_id=by.account_id,
            title=title.strip()[:80] or text.title.zh[:80],
            scheme=scheme,
            content=content_of(text),
            made_at=at,
        )
