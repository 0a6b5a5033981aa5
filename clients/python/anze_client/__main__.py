"""The command `anze-client`. Exit codes: 0 all rows taken, 1 some not, 2 refused, 3 no answer."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import Client, Receipt, Refused, Unreachable, conform, new_pair


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="anze-client", description="Send data to Anze over its signed interface.")
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    for option, variable in (
        ("--base", "ANZE_BASE"),
        ("--key-id", "ANZE_KEY_ID"),
        ("--secret-file", "ANZE_SECRET_FILE"),
    ):
        value = os.environ.get(variable)
        common.add_argument(option, default=value, required=not value, help=f"or the variable {variable}")
    push = commands.add_parser("push", parents=[common], help="send a file and print the receipt")
    push.add_argument("--feed", required=True, help="the dataset, for example policies")
    push.add_argument("--idempotency-key", help="default: the hash of dataset and content")
    push.add_argument("--no-gzip", action="store_true", help="send uncompressed")
    push.add_argument("file", type=Path, help=".ndjson, .json (an array) or .csv (names in the first line)")
    commands.add_parser("receipt", parents=[common], help="print a receipt").add_argument("id")
    commands.add_parser("feeds", parents=[common], help="list the datasets this key may send")
    conform = commands.add_parser(
        "conform", parents=[common], help="try your program against the sandbox: pass or fail, with field and fix"
    )
    conform.add_argument("--certificate", type=Path, help="where to keep the certificate if every case passes")
    conform.add_argument("--stop", action="store_true", help="stop at the first case that fails")
    conform.add_argument("--program", help="called with FEED FILE IDEMPOTENCY_KEY; default: this client", default="")
    keygen = commands.add_parser("keygen", help="make an Ed25519 pair: keeps the secret, prints the public key")
    keygen.add_argument("--secret-file", type=Path, required=True)
    return parser.parse_args(words)


def _rows(path: Path, kinds: dict[str, str]) -> Iterator[dict[str, Any] | bytes]:
    """The rows of a file. NDJSON lines are passed on untouched; `kinds` tells what CSV text stands for."""
    if path.suffix.lower() == ".json":
        yield from json.loads(path.read_bytes())
    elif path.suffix.lower() == ".csv":
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("gb18030")  # as Chinese Excel saves it
        for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
            yield {name: _value(cell, kinds.get(name, "")) for name, cell in row.items() if cell}
    else:
        with path.open("rb") as file:
            yield from (line for line in file if line.strip())


def _value(cell: str, kind: str) -> Any:
    """Whole numbers and yes/no as JSON has them; what does not fit goes as it is and is refused there."""
    if kind == "integer" and re.fullmatch(r"\s*-?[0-9]+\s*", cell):
        return int(cell)
    if kind == "boolean":
        return {"true": True, "false": False, "是": True, "否": False}.get(cell.strip().lower(), cell)
    return cell.split("|") if kind == "codes" else cell


def _kinds(feeds: Any, feed: str) -> dict[str, str]:
    """Field kinds of a feed, as far as the server tells them."""
    listed = feeds.get("feeds", []) if isinstance(feeds, dict) else feeds
    fields = next((each.get("fields") or [] for each in listed if each.get("name") == feed), [])
    return {field["name"]: field.get("kind", "") for field in fields}


def _show(receipt: Receipt) -> int:
    names = ("ids", "state", "rows", "created", "updated", "unchanged", "rejected", "outcomes", "findings")
    print(json.dumps({name: getattr(receipt, name) for name in names}, ensure_ascii=False, indent=2))
    return 1 if receipt.rejected or receipt.state == "FAILED" else 0


def _conform(client: Client, options: argparse.Namespace) -> int:
    program = shlex.split(options.program) or conform.OWN
    environment = {
        "ANZE_BASE": options.base,
        "ANZE_KEY_ID": options.key_id,
        "ANZE_SECRET_FILE": str(options.secret_file),
    }
    verdicts, certificate = conform.run(client, program, environment, stop=options.stop)
    passed = sum(each["passed"] for each in verdicts)
    print(f"{passed} of {len(verdicts)} passed")
    if certificate is None:
        return 1
    text = json.dumps(certificate, ensure_ascii=False, indent=2)
    print(text)
    if options.certificate:
        options.certificate.write_text(text + "\n", encoding="utf-8")
    return 0


def main(words: list[str] | None = None) -> int:
    options = _arguments(words)
    try:
        if options.command == "keygen":
            secret, public = new_pair()
            handle = os.open(options.secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secret + "\n")
            print(public)
            return 0
        client = Client(options.base, options.key_id, Path(options.secret_file).read_text())
        if options.command == "push":
            kinds = _kinds(client.feeds(), options.feed) if options.file.suffix.lower() == ".csv" else {}
            rows = _rows(options.file, kinds)
            return _show(client.push(options.feed, rows, options.idempotency_key, gzip=not options.no_gzip))
        if options.command == "receipt":
            return _show(client.receipt(options.id))
        if options.command == "conform":
            return _conform(client, options)
        print(json.dumps(client.feeds(), ensure_ascii=False, indent=2))
    except Refused as refused:
        print(json.dumps(refused.problem, ensure_ascii=False, indent=2), file=sys.stderr)
        if refused.delivered and refused.delivered.batches:
            print(f"taken before: {', '.join(refused.delivered.ids)}", file=sys.stderr)
        return 2
    except Unreachable as problem:
        print(f"anze-client: {problem}", file=sys.stderr)
        return 3
    except (OSError, ValueError, csv.Error) as problem:
        print(f"anze-client: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
