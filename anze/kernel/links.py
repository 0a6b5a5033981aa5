"""Links that open one thing for whoever holds them, until a moment: for people who have no account.

The token is its own proof (purpose, row, end, and a code over all three); nothing is stored. It is short enough for a
QR code that an old phone reads. What it opens must stay harmless in wrong hands, for it can be passed on.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from anze.kernel.refusal import Refused

_CODE = 15  # bytes: far beyond guessing, and the whole is a multiple of three


def make_link(purpose: str, row: UUID, *, until: datetime) -> str:
    """A token for one row. `purpose` tells links of different pages apart: none opens another's page."""
    content = row.bytes + int(until.timestamp()).to_bytes(5, "big")
    return base64.urlsafe_b64encode(content + _code(purpose, content)).decode()


def read_link(purpose: str, token: str, *, at: datetime) -> UUID:
    """The row a token opens; refused when it is not one of ours or its time is over."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    content, code = raw[:21], raw[21:]
    if len(raw) != 21 + _CODE or not constant_time_compare(code, _code(purpose, content)):
        raise Refused(
            "link_invalid",
            _("This link does not open anything."),
            remedy=_("Scan the code again, or ask for a new link."),
        )
    if datetime.fromtimestamp(int.from_bytes(content[16:], "big"), UTC) <= at:
        raise Refused(
            "link_expired", _("The time of this link is over."), remedy=_("Ask the one who sent it for a new one.")
        )
    return UUID(bytes=content[:16])


def _code(purpose: str, content: bytes) -> bytes:
    return salted_hmac(f"anze.link.{purpose}", content, algorithm="sha256").digest()[:_CODE]
