"""A sender with one fault, as partners' programs have them: `broken.py FAULT FEED FILE KEY`. FAULT "none" is none."""

from __future__ import annotations

import json
import os
import secrets as random_secrets
import struct
import sys
import time
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients" / "python"))

from anze_client import Client, Refused, Unreachable, client, signing  # noqa: E402

STATE = Path(os.environ.get("BROKEN_STATE", "/nonexistent"))


def changed(fault: str, rows: list[dict], key: str) -> list[dict]:
    """The rows as the faulty program sends them."""
    if fault == "loses rows":
        return rows[:-1] if len(rows) > 1 else rows
    if fault == "garbles text":
        return [
            json.loads(json.dumps(row, ensure_ascii=False).encode("gb2312", "replace").decode("gb2312")) for row in rows
        ]
    if fault == "own dates":
        return [
            {name: value.replace("-", "/") if name.endswith("_on") else value for name, value in row.items()}
            for row in rows
        ]
    if fault == "small floats":

        def small(text: str) -> str:
            return f"{struct.unpack('f', struct.pack('f', float(text)))[0]:.2f}"

        return [
            {name: small(value) if name == "premium_written" else value for name, value in row.items()} for row in rows
        ]
    if fault == "only changes" and key == "conform-fixed":
        return [{"policy_no": row["policy_no"], "premium_written": row["premium_written"]} for row in rows]
    return rows


def send(fault: str, feed: str, file: str, key: str) -> int:
    secret = Path(os.environ["ANZE_SECRET_FILE"]).read_text().strip()
    if fault == "wrong secret":
        algorithm, _, material = secret.partition(":")
        secret = f"{algorithm}:{material[::-1].lstrip('=')}{'=' * (len(material) - len(material.rstrip('=')))}"
    sender = Client(os.environ["ANZE_BASE"], os.environ["ANZE_KEY_ID"], secret, attempts=1)
    rows = changed(fault, [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()], key)
    usual = signing.Signer.headers

    def headers(self, method, url, given, body):
        if fault == "wrong digest":
            return usual(self, method, url, given, body + b" ")
        if fault == "no key":
            given = {name: value for name, value in given.items() if name != "Idempotency-Key"}
        if fault == "other form":
            given = {**given, "Content-Type": "text/csv"} if body else given
        return usual(self, method, url, given, body)

    if fault == "new key each time":
        key = f"{key} {time.time_ns()}"
    patches = [patch.object(signing.Signer, "headers", headers)]
    if fault == "slow clock":
        then = time.time() - 3600
        patches.append(patch.object(signing.time, "time", lambda: then))
    if fault == "old nonce":
        kept = STATE / "nonce"
        if not kept.exists():
            kept.write_text(random_secrets.token_urlsafe(18))
        patches.append(patch.object(signing.secrets, "token_urlsafe", lambda _n: kept.read_text()))
    for each in patches:
        each.start()
    try:
        receipt = sender.push(feed, rows, key)
    except (Refused, Unreachable) as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0 if fault == "deaf to rejections" or not receipt.rejected else 1


if __name__ == "__main__":
    assert client  # the module under the patches
    sys.exit(send(*sys.argv[1:5]))
