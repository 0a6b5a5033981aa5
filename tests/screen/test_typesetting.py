"""Typesetting: the same input gives the same bytes, data are never markup, nothing of the machine is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import typst

from anze.screen import typesetting
from anze.screen.typesetting import qr_svg, qr_uri, typeset

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CERTIFICATE = {
    "language": "zh", "title": "证书", "heading": "培训合格证书", "number_line": "编号 PX-1", "name": "示例学员䶮",
    "organisation": "示例单位", "sentence": "参加并通过考核", "training": "重大事故隐患判定标准", "details": "2026-11-23",
    "issuer": "示例专委会", "issued_line": "2026-11-23", "note": "", "verify_line": "扫码核验",
}  # fmt: skip


def certificate(**words: str) -> bytes:
    return typeset("library/certificate.typ", {**CERTIFICATE, **words}, files={"code.svg": qr_svg("https://x/")}, at=AT)


def test_the_same_data_at_the_same_moment_give_the_same_file() -> None:
    made = certificate()
    assert made.startswith(b"%PDF-")
    assert b"NotoSansSC" in made
    assert certificate() == made
    assert certificate(name="另一学员") != made


@pytest.mark.parametrize(
    "hostile", ['#panic("x")', '#read("/etc/passwd")', "$x$ *b* ] ) }", '"; #1/0', "\\u{0}", "<a>"]
)
def test_what_looks_like_markup_in_the_data_stays_text(hostile: str) -> None:
    assert certificate(name=hostile).startswith(b"%PDF-")


def test_a_template_reads_no_file_of_the_machine(monkeypatch) -> None:
    monkeypatch.setattr(typesetting, "source_of", lambda _name: b'#read("/etc/hostname")')
    with pytest.raises(typst.TypstError, match="not found"):
        typeset("any.typ", {})


def test_a_code_is_a_picture_for_pages_and_for_paper() -> None:
    assert qr_svg("https://example.org/a").startswith(b"<svg")
    assert qr_uri("https://example.org/a").startswith("data:image/svg+xml")
