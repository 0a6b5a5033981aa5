"""Typeset documents: a typst template of a room and plain data make a PDF with its fonts inside.

Templates lie beside the pages (`templates/<room>/*.typ`) and read the data with
`#let data = json(bytes(sys.inputs.data))`; what stands in the data is text and never read as markup. Pictures are
handed over as files and placed with `#image("name")`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import segno
import typst
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders


@cache
def font_folder() -> Path:
    """The folder of the whole Chinese faces (Noto Sans SC in 400 and 700) that the front-end build laid down."""
    found = finders.find("dist/type/noto-sans-sc-400.ttf")
    if found is None:
        raise RuntimeError("the fonts for typesetting are missing: run tools/bootstrap.py")
    return Path(str(found)).parent


@cache
def _fonts() -> Any:
    """The fonts, read once a process."""
    return typst.Fonts(font_paths=[str(font_folder())], include_system_fonts=False, include_embedded_fonts=False)


@cache
def _source(template: str) -> bytes:
    for config in apps.get_app_configs():
        path = Path(config.path) / "templates" / template
        if path.is_file():
            return path.read_bytes()
    raise LookupError(f"no template {template}")


def source_of(template: str) -> bytes:
    """A template's text; read once, but while developing anew each time."""
    if settings.DEBUG:
        _source.cache_clear()
    return _source(template)


def typeset(
    template: str,
    data: Mapping[str, Any],
    *,
    files: Mapping[str, bytes] | None = None,
    at: datetime | None = None,
    archival: bool = True,
) -> bytes:
    """The PDF of a template with its data. The same input and moment give the same bytes.

    `archival` makes PDF/A-2b, which is what is kept for years.
    """
    made: Any = _compiled(
        template,
        data,
        files,
        pdf_standards=["a-2b"] if archival else [],
        timestamp=at.astimezone(UTC).replace(microsecond=0) if at else None,
    )
    return bytes(made)


def pictures(template: str, data: Mapping[str, Any], *, files: Mapping[str, bytes] | None = None) -> list[bytes]:
    """Each page of a template with its data as a PNG."""
    made: Any = _compiled(template, data, files, format="png", ppi=200.0)
    return [bytes(each) for each in made] if isinstance(made, list) else [bytes(made)]


def _compiled(template: str, data: Mapping[str, Any], files: Mapping[str, bytes] | None, **how: Any) -> Any:
    """Nothing is fetched and no file of the machine is read: a template sees only itself and `files`."""
    with TemporaryDirectory() as folder:
        # a folder of its own rather than sources in memory, which may be text only: pictures are not
        for name, content in {**(files or {}), "main.typ": source_of(template)}.items():
            if Path(name).name != name:
                raise ValueError(f"{name} does not lie beside its template")
            Path(folder, name).write_bytes(content)
        return typst.compile(
            str(Path(folder, "main.typ")),
            root=folder,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=str)},
            font_paths=_fonts(),
            **how,
        )


def qr_svg(text: str, *, scale: int = 4, border: int = 2) -> bytes:
    """A QR code as an SVG file, for typesetting."""
    made = BytesIO()
    segno.make(text, error="m", micro=False).save(made, kind="svg", scale=scale, border=border, xmldecl=False, nl=False)
    return made.getvalue()


def qr_uri(text: str, *, scale: int = 5, border: int = 2) -> str:
    """A QR code as the source of a page's picture."""
    return str(segno.make(text, error="m", micro=False).svg_data_uri(scale=scale, border=border))
