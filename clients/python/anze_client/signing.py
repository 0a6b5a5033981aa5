"""Sign HTTP requests by RFC 9421, with Content-Digest by RFC 9530.

Written from the standards alone and independent of the server, so that each checks the other. HMAC needs
only the standard library; Ed25519 needs the package `cryptography`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


class Signer:
    """Signs with one key. `secret` is the line shown when the key was issued (`hmac-sha256:BASE64` or
    `ed25519:BASE64`), or the PEM text of an Ed25519 private key."""

    def __init__(self, key_id: str, secret: str) -> None:
        self.key_id = key_id
        self._private: Any = None
        secret = secret.strip()
        if secret.startswith("-----BEGIN"):
            self.algorithm, material = "ed25519", b""
        else:
            self.algorithm, _, text = secret.partition(":")
            try:
                material = base64.b64decode(text, validate=True)
            except ValueError:
                material = b""
            if self.algorithm not in ("ed25519", "hmac-sha256") or len(material) < 32:
                raise ValueError("the secret must read hmac-sha256:BASE64, ed25519:BASE64 or be a PEM private key")
        self._material = material
        if self.algorithm == "ed25519":
            self._private = _ed25519(secret, material)

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """`headers` and those that sign them, the address and the body. Each call has a nonce of its own."""
        signed = dict(headers)
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            signed["Content-Digest"] = f"sha-256=:{digest}:"
        address = urlsplit(url)
        values = {
            "@method": method,
            # These three rather than @target-uri: they survive a proxy that ends TLS.
            "@authority": address.netloc.lower().removesuffix({"http": ":80", "https": ":443"}[address.scheme]),
            "@path": address.path or "/",
            "@query": "?" + address.query,
        }
        values |= {name.lower(): value.strip() for name, value in signed.items()}
        covered = " ".join(f'"{name}"' for name in values)
        parameters = (
            f'({covered});created={int(time.time())};keyid="{self.key_id}"'
            f';alg="{self.algorithm}";nonce="{secrets.token_urlsafe(18)}"'
        )
        lines = [f'"{name}": {value}' for name, value in values.items()]
        lines.append(f'"@signature-params": {parameters}')
        signature = base64.b64encode(self._sign("\n".join(lines).encode("ascii"))).decode()
        return signed | {"Signature-Input": f"sig1={parameters}", "Signature": f"sig1=:{signature}:"}

    def _sign(self, base: bytes) -> bytes:
        if self._private is None:
            return hmac.digest(self._material, base, "sha256")
        signature: bytes = self._private.sign(base)
        return signature


def _ed25519(pem: str, seed: bytes) -> Any:
    """The private key from its 32 bytes, or without them from the PEM text."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ValueError("Ed25519 keys need the package cryptography: pip install cryptography") from None
    if seed:
        return Ed25519PrivateKey.from_private_bytes(seed)
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the private key is not an Ed25519 key")
    return key


def new_pair() -> tuple[str, str]:
    """A fresh Ed25519 pair: the secret line to keep, and the public key in Base64 to hand in."""
    seed = secrets.token_bytes(32)
    public = _ed25519("", seed).public_key().public_bytes_raw()
    return f"ed25519:{base64.b64encode(seed).decode()}", base64.b64encode(public).decode()
