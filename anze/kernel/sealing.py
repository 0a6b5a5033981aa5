"""Keeping secrets in the database: partners' HMAC secrets and the platform's own signing keys.

They are encrypted with a key derived from the platform's secret, so that a copy of the database alone is not
enough to sign in somebody's name. AES-256-GCM, the key by HKDF from `SECRET_KEY`; the key id is bound in, so
that a secret copied to another row does not open.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE = 12


class Unsealable(Exception):
    """The text was sealed under another secret key, or changed since."""


def _keys() -> Iterator[bytes]:
    """The present key first, then those it replaced."""
    # the label is older than the second use of this file; what was sealed under it must open
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield HKDF(SHA256(), 32, salt=None, info=b"anze partner key").derive(str(secret).encode())


def seal(plain: bytes, context: str) -> str:
    """Encrypt a secret for one place: it opens with the same `context` only, which is not kept with it."""
    nonce = secrets.token_bytes(_NONCE)
    return base64.b64encode(nonce + AESGCM(next(_keys())).encrypt(nonce, plain, context.encode())).decode()


def unseal(sealed: str, context: str) -> bytes:
    """What was sealed for `context`; raises `Unsealable`."""
    raw = base64.b64decode(sealed)
    for key in _keys():
        try:
            return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], context.encode())
        except InvalidTag:
            continue
    raise Unsealable(context)
