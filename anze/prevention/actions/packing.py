"""The archive as one file that is readable without the platform: asked for, packed by a job, kept for some days."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any, cast
from uuid import UUID

from django.core.files import File
from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import store
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, inside, widened
from anze.kernel.signing import published_keys, sign
from anze.parties.access import actor_for
from anze.parties.models import Enterprise, Membership, Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.archive import Content, contents_of_archive
from anze.prevention.models import Pack
from anze.prevention.rules.archive import UNDER_WAY, PackState
from anze.screen.columns import readers_of, show_value
from anze.screen.exports import safe
from anze.underwriting.models import Policy

TASK = "prevention.pack_archives"
MOST_ATTEMPTS = 3
SILENCE = timedelta(minutes=3)  # a file nobody went on packing for so long is begun anew
TOLD_EVERY = 0.5  # seconds between two words on how far it is
CHUNK = 1 << 20
LANGUAGES = (("zh-hans", "index.html"), ("en", "index-en.html"))
# what stands in no table for people
_HIDDEN = {"batch_id", "content_hash", "check_code", "content", "region_code", "sector"}


# asking ---------------------------------------------------------------------------------------------------


@action(Permission.SEE_SERVICES, "archive.asked_for")
def ask_for_pack(policy: Policy, *, by: Actor, at: datetime) -> Pack:
    """Have the archive packed; who asked already and waits gets no second one."""
    from procrastinate.contrib.django import app

    account, membership = by.account_id, by.extra.get("membership")
    if account is None or not isinstance(membership, UUID):
        raise Refused("no_account", _("Only somebody who is signed in may ask for the file."), status=403)
    under_way = Pack.objects.filter(policy=policy, asked_by=account, state__in=UNDER_WAY).first()
    if under_way is not None:
        return under_way
    with widened(EVERYTHING):
        made = Pack.objects.create(
            policy=policy,
            asked_by=account,
            membership=membership,
            asked_at=at,
        )
    app.configure_task(TASK).defer()
    return made


def file_name_of(pack: Pack) -> str:
    return f"archives/{pack.pk}.zip"


@action(Permission.SEE_SERVICES, "archive.exported")
def open_pack(pack: Pack, *, by: Actor, at: datetime) -> IO[bytes]:
    """The file, for the one who asked for it."""
    if pack.state != PackState.READY or by.account_id != pack.asked_by:
        raise Refused(
            "pack_not_ready",
            _("This file is not there, or no longer."),
            remedy=_("Have the archive packed again."),
            status=409,
        )
    return cast("IO[bytes]", store().open(file_name_of(pack), "rb"))


def forget_packs(*, at: datetime) -> int:
    """Files whose time is over go; that they were made stays on record."""
    gone = list(Pack.objects.filter(state=PackState.READY, until__lte=at))
    for pack in gone:
        store().delete(file_name_of(pack))
        Pack.objects.filter(pk=pack.pk).update(state=PackState.GONE)
    return len(gone)


# packing --------------------------------------------------------------------------------------------------


def pack_next(*, at: datetime) -> bool:
    """Pack the next archive that is waited for; False if there is none.

    That it was begun is committed first: what brings the worker down is then not tried for ever. Rows are read in
    one transaction with the asker's own rights as they are now; files are copied outside of it.
    """
    with inside(EVERYTHING):
        waiting = Q(state=PackState.WAITING) | Q(state=PackState.PACKING, moved_at__lt=at - SILENCE)
        pack = Pack.objects.filter(waiting).order_by("asked_at").select_for_update(skip_locked=True).first()
        if pack is None:
            return False
        if pack.attempts >= MOST_ATTEMPTS:
            _end(pack, PackState.FAILED, failure=pack.failure or "The worker ended before the file was done.")
            return True
        pack.attempts += 1
        _end(pack, PackState.PACKING, attempts=pack.attempts, moved_at=at, done=0)
        found = Membership.objects.select_related("account", "organisation", "organisation__parent", "expert", "region")
        membership = found.filter(pk=pack.membership, is_active=True, account__is_active=True).first()
    if membership is None:
        with inside(EVERYTHING):
            _end(pack, PackState.FAILED, failure="The role it was asked for in has ended.")
        return True
    try:
        with tempfile.TemporaryFile() as file:
            _write(pack, actor_for(membership), file, at)
    except Exception as problem:
        with inside(EVERYTHING):
            last = pack.attempts >= MOST_ATTEMPTS
            _end(
                pack,
                PackState.FAILED if last else PackState.WAITING,
                failure=f"{type(problem).__name__}: {problem}"[:300],
            )
        if last:
            raise
    return True


def _end(pack: Pack, state: PackState, **words: Any) -> None:
    Pack.objects.filter(pk=pack.pk).update(state=state, **words)


def _write(pack: Pack, by: Actor, file: IO[bytes], at: datetime) -> None:
    today = beijing_day(at)
    with zipfile.ZipFile(file, "w") as archive:
        packing = _Packing(archive)
        files: dict[str, Callable[[], Any]] = {}
        said: dict[str, _Said] = {}
        with inside(by.scope, by=by.account_id):
            policy = Policy.objects.get(pk=pack.policy_id)
            enterprise = Enterprise.objects.get(pk=policy.enterprise_id)
            insurer = Organisation.objects.get(pk=policy.insurer_id)
            for language, _name in LANGUAGES:
                with translation.override(language):
                    contents = contents_of_archive(policy, by, today)
                    said[language] = _Said.of(policy, enterprise, insurer, contents, at)
            for content in contents:
                for name, rows in content.held.rows:
                    # a table that the reader's kind cannot read at all stays out
                    if by.scope.reader in readers_of(cast("Any", rows.model)):
                        packing.put(f"{content.part.name}/{name}.csv", io.BytesIO(_csv(rows)))
                files.update(content.held.files)
        of_part = {content.part.name: [name for name, _opens in content.held.files] for content in contents}
        progress = _Progress(pack.pk, len(files))
        for name, opens in files.items():
            try:
                with opens() as source:
                    packing.put(name, source)
            except FileNotFoundError:
                packing.lost.append(name)
            progress.one_more()
        for language, name in LANGUAGES:
            with translation.override(language):
                packing.put(name, io.BytesIO(_index(said[language], of_part, packing, name)))
        manifest = json.dumps(
            {
                "policy": policy.policy_no,
                "enterprise": enterprise.uscc,
                "insurer": insurer.code,
                "made_at": at.isoformat(),
                "files": sorted(packing.listed, key=lambda each: each["name"]),
                "lost": packing.lost,
            },
            ensure_ascii=False,
            indent=1,
        ).encode()
        digest = hashlib.sha256(manifest).hexdigest()
        fields = (policy.policy_no, insurer.code, enterprise.uscc, today.isoformat(), digest)
        with inside(EVERYTHING):
            line, keys = sign("archive", fields, at=at), keys_file()
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.sig", line + "\n")
        archive.writestr("keys.json", keys)
    size = file.tell()
    file.seek(0)
    sha256 = hashlib.file_digest(cast("Any", file), "sha256").hexdigest()
    file.seek(0)
    store().delete(file_name_of(pack))
    store().save(file_name_of(pack), File(file))
    with inside(EVERYTHING):
        until = at + timedelta(days=int(parameter("archive_file_days", today)))
        _end(pack, PackState.READY, size=size, sha256=sha256, ready_at=at, until=until, lost=packing.lost, failure="")


@dataclass
class _Progress:
    """How far it is, told now and then in transactions of their own."""

    pack: UUID
    total: int
    done: int = 0
    told: float = 0.0

    def __post_init__(self) -> None:
        self._tell()

    def one_more(self) -> None:
        self.done += 1
        if time.monotonic() - self.told > TOLD_EVERY:
            self._tell()

    def _tell(self) -> None:
        from django.utils import timezone

        self.told = time.monotonic()
        with inside(EVERYTHING):
            Pack.objects.filter(pk=self.pack).update(done=self.done, total=self.total, moved_at=timezone.now())


@dataclass
class _Packing:
    """A ZIP under way, with the digest of everything put into it."""

    archive: zipfile.ZipFile
    listed: list[dict[str, Any]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)

    def put(self, name: str, source: IO[bytes] | Any) -> None:
        if name in self.names:
            return
        self.names.add(name)
        digest, size = hashlib.sha256(), 0
        packed = not name.startswith(("originals/", "reports/", "papers/"))
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with self.archive.open(info, "w", force_zip64=True) as target:
            while piece := source.read(CHUNK):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        self.listed.append({"name": name, "size": size, "sha256": digest.hexdigest()})


def keys_file() -> str:
    """Every key that ever signed, as a pack carries them."""
    keys = [
        {"kid": each.key_id, "x": each.public_key, "revoked_at": each.revoked_at and each.revoked_at.isoformat()}
        for each in published_keys()
    ]
    return json.dumps({"keys": keys}, indent=1)


def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [
        each for each in model._meta.local_concrete_fields if each.name not in _HIDDEN and each.attname not in _HIDDEN
    ]


def _csv(rows: Iterable[Any]) -> bytes:
    """Rows as they are kept, one column a field; what a spreadsheet would take for a formula is disarmed."""
    out = io.StringIO()
    writer = csv.writer(out)
    model = rows.model  # type: ignore[attr-defined]
    fields = _fields(model)
    more = list(rows.query.annotations)  # type: ignore[attr-defined]
    writer.writerow([*(each.name for each in fields), *more])
    for row in rows:
        found = (getattr(row, name) for name in (*(each.attname for each in fields), *more))
        values = ("" if value is None else str(value) for value in found)
        writer.writerow([safe(value) for value in values])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


# the page in it -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Said:
    """What the page says, in one language."""

    title: str
    heads: tuple[str, ...]
    parts: tuple[tuple[str, str, tuple[str, ...]], ...]  # name, title, what is missing

    @classmethod
    def of(
        cls, policy: Policy, enterprise: Enterprise, insurer: Organisation, contents: list[Content], at: datetime
    ) -> _Said:
        heads = (
            f"{enterprise.name} · {enterprise.uscc}",
            f"{policy.policy_no} · {policy.start_on} – {policy.end_on}",
            str(insurer),
            show_value(at),
        )
        parts = tuple(
            (
                content.part.name,
                str(content.part.title),
                tuple(f"{each.what}: {each.why} ({each.who})" for each in content.held.lacks),
            )
            for content in contents
        )
        return cls(_now("Archive of prevention services"), heads, parts)


def _index(said: _Said, of_part: dict[str, list[str]], packing: _Packing, own: str) -> bytes:
    """A page that opens from the unpacked folder: what is here, what is missing."""
    e = html.escape
    words = {"zh-hans": "中文", "en": "English"}
    others = " · ".join(f"<a href='{name}'>{words[language]}</a>" for language, name in LANGUAGES if name != own)
    made = [
        f"<!doctype html><html lang='{translation.get_language()}'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width'>",
        f"<title>{e(said.heads[0])} · {e(said.heads[1])}</title>",
        (
            "<style>body{font:16px/1.6 'Noto Sans SC',sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
            "overflow-wrap:anywhere}.missing{border-left:4px solid #c77700;padding-left:.8rem}</style></head><body>"
        ),
        f"<p>{others}</p><h1>{e(said.title)}</h1><p>{'<br>'.join(e(each) for each in said.heads)}</p>",
    ]
    lost = set(packing.lost)
    for name, title, lacks in said.parts:
        here = [each["name"] for each in packing.listed if each["name"].startswith(f"{name}/")]
        here += [each for each in dict.fromkeys(of_part.get(name, ())) if each not in lost]
        made.append(f"<h2>{e(title)}</h2><ul>")
        made += [f"<li><a href='{e(each)}'>{e(each)}</a></li>" for each in here]
        made.append("</ul>")
        gone = [
            _now("%(name)s cannot be read any more.") % {"name": each} for each in of_part.get(name, ()) if each in lost
        ]
        if lacks or gone:
            made.append(f"<div class='missing'><p>{e(_now('Missing'))}</p><ul>")
            made += [f"<li>{e(each)}</li>" for each in (*lacks, *gone)]
            made.append("</ul></div>")
    made.append(
        f"<p><small>{e(_now('The manifest lists every file with its digest and is signed; the keys lie beside it.'))}</small></p>"
    )
    made.append("</body></html>")
    return "".join(made).encode()
