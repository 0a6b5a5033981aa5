"""Publishing materials and counting their use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import put, store
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.library.models import Material
from anze.library.rules import EXTENSIONS, MAX_MATERIAL, OF_KIND, MaterialKind, Use, media_type_of
from anze.parties.rules import Permission


def keep_material_file(data: bytes, kind: str) -> dict[str, Any]:
    """Store a file under its own hash, unchanged, where the evidence lies, and say what it is."""
    if not data:
        raise Refused("file_empty", _("The file is empty."), remedy=_("Choose another file."), field="file")
    if len(data) > MAX_MATERIAL:
        raise Refused("file_too_big", _("The file is larger than 200 MB."), remedy=_("Make it smaller."), field="file")
    media_type = media_type_of(data[:16])
    if media_type not in OF_KIND[MaterialKind(kind)]:
        raise Refused(
            "file_type",
            _("This is not a file of a kind taken here."),
            remedy=_("Videos as MP4 or WebM, posters as PDF, PNG or JPEG, handbooks as PDF."),
            field="file",
        )
    sha256 = hashlib.sha256(data).hexdigest()
    name = f"library/{sha256[:2]}/{sha256}.{EXTENSIONS[media_type]}"
    put(name, ContentFile(data))
    return {"file": name, "media_type": media_type, "size": len(data), "sha256": sha256}


def open_material_file(material: Material) -> File[Any]:
    return store().open(material.file, "rb")


@action(Permission.KEEP_LIBRARY, "material.published")
def publish_material(
    code: str,
    *,
    by: Actor,
    at: datetime,
    kind: str,
    title_zh: str,
    title_en: str,
    data: bytes,
    sectors: Sequence[str] = (),
    audience: str = "ALL",
    about_zh: str = "",
    about_en: str = "",
    pages: int | None = None,
    minutes: int | None = None,
) -> Material:
    kept = keep_material_file(data, kind)
    try:
        with transaction.atomic():
            return Material.objects.create(
                code=code, kind=kind, title_zh=title_zh, title_en=title_en, sectors=list(sectors), audience=audience,
                about_zh=about_zh, about_en=about_en, pages=pages, minutes=minutes, published_on=beijing_day(at), **kept,
            )  # fmt: skip
    except IntegrityError:
        raise Refused(
            "code_taken",
            _("Another material has this code."),
            remedy=_("Choose another code."),
            field="code",
        ) from None


@action(Permission.KEEP_LIBRARY, "material.withdrawn")
def withdraw_material(material: Material, *, by: Actor, at: datetime) -> Material:
    """Take a material out of the lists; its counts stay."""
    if material.withdrawn_on:
        raise Refused("withdrawn", _("The material is withdrawn already."), remedy=_("Nothing is left to do."))
    material.withdrawn_on = beijing_day(at)
    material.save(update_fields=["withdrawn_on"])
    return material


_COUNT = """
WITH fresh AS (
    INSERT INTO library_materialuse (material_id, "on", account_id, use) VALUES (%(material)s, %(on)s, %(account)s, %(use)s)
    ON CONFLICT DO NOTHING RETURNING material_id, "on", (use = 'VIEW')::int AS views, (use = 'DOWNLOAD')::int AS downloads
), counted AS (
    INSERT INTO library_materialday AS d (material_id, "on", views, downloads)
    SELECT material_id, "on", views, downloads FROM fresh
    ON CONFLICT (material_id, "on") DO UPDATE SET views = d.views + excluded.views,
                                                  downloads = d.downloads + excluded.downloads
    RETURNING 1
)
UPDATE library_material m SET views = m.views + f.views, downloads = m.downloads + f.downloads
FROM fresh f WHERE m.id = f.material_id
"""


def count_use(material: UUID, use: Use, *, account: UUID, at: datetime) -> bool:
    """Count that somebody opened or downloaded a material, once a day; true when it was the first time today.

    The platform's own bookkeeping, hence no action: nobody asks to be counted, and the log need not be told.
    """
    with widened(EVERYTHING), connection.cursor() as cursor:
        words: dict[str, Any] = {"material": material, "on": beijing_day(at), "account": account, "use": use.value}
        cursor.execute(_COUNT, words)
        return bool(cursor.rowcount)
