"""Check a report of the Anze platform without the platform: `python verify_report.py --keys keys.json LINE-OR-PDF`.

The signed line stands in the QR code of the report, after the # of its address, and in the file itself. The keys
come from `/.well-known/anze-report-keys.json` of the platform; keep them beside this file. Works with nothing but
Python's standard library and without a network.

Exit status: 0 signed by the platform, 1 not, 2 cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LINE = re.compile(rb"AZ1\.[a-z]+\.[A-Za-z0-9-]+\.[A-Za-z0-9_:~%-]*\.[A-Za-z0-9_-]{86}")
# what the fields of each kind of document are
FIELDS = {
    "report": ("number", "issue", "date", "insurer", "agency", "enterprise", "content_sha256"),
    "archive": ("policy", "insurer", "enterprise", "made", "manifest_sha256"),
    "campaign": ("number", "issue", "date", "campaign", "content_sha256"),
    "assessment": ("assessment", "date", "files", "manifest_sha256"),
}


# Ed25519 (RFC 8032), verification only: nothing secret is touched, so plain arithmetic is enough -------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # extended coordinates


def _x_of(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = _x_of(_BASE_Y, 0) or 0
BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(n: int, p: Point) -> Point:
    q: Point = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = _add(q, p)
        p = _add(p, p)
        n >>= 1
    return q


def _point(raw: bytes) -> Point | None:
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature of the message is that of the key's holder."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _times(s, BASE), _add(r, _times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# signed lines -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    is_valid: bool
    why: str
    kind: str = ""
    fields: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        names = FIELDS.get(self.kind, ())
        return {names[i] if i < len(names) else f"field {i + 1}": value for i, value in enumerate(self.fields)}


def raw_of(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ValueError("another spelling of the same signature")
    return raw


def check_line(line: str, keys: dict[str, Any]) -> Answer:
    """Whether one of the published keys signed the line; a revoked key proves nothing."""
    if not LINE.fullmatch(line.encode()):
        return Answer(False, "this is no signed line of the platform")
    _format, kind, key_id, body, signature = line.split(".")
    fields = tuple(unquote(field) for field in body.split("~"))
    key = next((each for each in keys.get("keys", []) if each.get("kid") == key_id), None)
    if key is None:
        return Answer(False, f"the key {key_id} is not among the published keys", kind, fields)
    if key.get("revoked_at"):
        return Answer(False, f"the key {key_id} was revoked: what it signed proves nothing", kind, fields)
    try:
        good = verify(raw_of(key["x"]), line.rpartition(".")[0].encode(), raw_of(signature))
    except (ValueError, KeyError):
        good = False
    return Answer(
        good, "signed by the platform" if good else "the signature does not fit: forged or altered", kind, fields
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", help="the text of the QR code, or the PDF file")
    parser.add_argument("--keys", required=True, type=Path, help="the published keys (anze-report-keys.json)")
    asked = parser.parse_args()
    path = Path(asked.report)
    is_file = len(asked.report) < 240 and path.is_file()
    try:
        keys = json.loads(asked.keys.read_text(encoding="utf-8"))
        content = path.read_bytes() if is_file else asked.report.encode()
    except (OSError, ValueError) as problem:
        print(f"cannot be read: {problem}")
        return 2
    found = LINE.search(content)
    if found is None:
        print("there is no signed line of the platform in it")
        return 2
    answer = check_line(found[0].decode(), keys)
    print(("VALID: " if answer.is_valid else "NOT VALID: ") + answer.why)
    for name, value in answer.named().items():
        print(f"  {name}: {value or '-'}")
    if is_file:
        print(f"  SHA-256 of this file: {hashlib.sha256(content).hexdigest()}")
        print(
            "  Whether exactly this file was issued, and whether a later one replaced it, the page of its QR code says."
        )
    return 0 if answer.is_valid else 1


if __name__ == "__main__":
    sys.exit(main())
