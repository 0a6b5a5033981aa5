"""The platform's own signature on what leaves it: reports, certificates, archives.

A signed text is one line that fits a QR code and can be checked without the platform, with the published key:

    AZ1.<kind>.<key id>.<field>~<field>~….<signature>

Fields hold letters, digits, `-`, `_` and `:` as they are and everything else percent-encoded, so the line reads
the same everywhere. The signature (Ed25519, base64url) covers all that stands before its dot.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.models import SigningKey
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.kernel.sealing import seal, unseal

FORMAT = "AZ1"


@dataclass(frozen=True)
class Signed:
    """A signed text taken apart. `is_valid`: the signature is ours and the key was not revoked."""

    kind: str
    key_id: str
    fields: tuple[str, ...]
    is_valid: bool


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Raises ValueError for anything else; one text has one value, so a changed last letter is no other spelling."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64url(raw) != text:
        raise ValueError("not base64url")
    return raw


def body_of(fields: Sequence[str]) -> str:
    """The signed text of some fields: what separates them is written otherwise inside them, so that no two lists agree."""
    return "~".join(quote(field, safe="-_:").replace(".", "%2E").replace("~", "%7E") for field in fields)


def sign(kind: str, fields: Sequence[str], *, at: datetime) -> str:
    """The signed line of a kind of document. The first key is made when it is first needed."""
    with transaction.atomic(), widened(EVERYTHING):
        key = _current(at)
        private = Ed25519PrivateKey.from_private_bytes(unseal(key.sealed, key.key_id))
    text = f"{FORMAT}.{kind}.{key.key_id}.{body_of(fields)}"
    return f"{text}.{base64url(private.sign(text.encode()))}"


def read_signed(text: str) -> Signed | None:
    """What a signed line says and whether that is true; nothing if it is no such line."""
    parts = text.strip().split(".")
    if len(parts) != 5 or parts[0] != FORMAT:
        return None
    _format, kind, key_id, body, signature = parts
    with transaction.atomic(), widened(EVERYTHING):
        key = SigningKey.objects.filter(key_id=key_id, revoked_at__isnull=True).first()
    is_valid = False
    if key is not None:
        try:
            public = Ed25519PublicKey.from_public_bytes(from_base64url(key.public_key))
            public.verify(from_base64url(signature), text.strip().rpartition(".")[0].encode())
            is_valid = True
        except (InvalidSignature, ValueError):
            pass
    return Signed(kind, key_id, tuple(unquote(field) for field in body.split("~")), is_valid)


def _current(at: datetime) -> SigningKey:
    found = SigningKey.objects.filter(signs_until__isnull=True).first()
    if found is None:
        with connection.cursor() as cursor:
            # two that need the first key at the same moment make one
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('kernel_signingkey'))")
        found = SigningKey.objects.filter(signs_until__isnull=True).first() or _make(at, "Anze")
    return found


def _make(at: datetime, by_name: str) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    key_id = f"{at:%y%m}-{secrets.token_hex(3)}"
    return SigningKey.objects.create(
        key_id=key_id,
        public_key=base64url(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
        sealed=seal(raw, key_id),
        valid_from=at,
        made_by=by_name[:120],
    )


@action("RUN_PLATFORM", "signing_key.replaced")
def replace_signing_key(_subject: None, *, by: Actor, at: datetime, revoke: bool = False) -> SigningKey:
    """From now on another key signs. What the old one signed stays valid, unless the key is revoked: then
    nothing it signed proves anything any more, because whoever has it may have signed that too."""
    with widened(EVERYTHING):
        old = SigningKey.objects.select_for_update().filter(signs_until__isnull=True).first()
        if old is None:
            raise Refused(
                "no_signing_key",
                _("There is no signing key yet."),
                remedy=_("It is made by itself when the first report is issued."),
                status=409,
            )
        old.signs_until = at
        old.revoked_at = at if revoke else None
        old.save(update_fields=["signs_until", "revoked_at"])
        return _make(at, by.name)


def published_keys() -> list[SigningKey]:
    """Every key that ever signed, the present one first."""
    with transaction.atomic(), widened(EVERYTHING):
        return list(SigningKey.objects.order_by("-valid_from"))
