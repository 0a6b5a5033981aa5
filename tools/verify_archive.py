"""Check an archive exported from the Anze platform: `python verify_archive.py archive.zip [--keys keys.json]`.

The signature of the manifest, and size and SHA-256 of every file in it. `verify_report.py` must lie beside this file.
Give the platform's published keys: those inside the archive only prove that it is whole, not whose it is.
Exit status: 0 all is as it was signed, 1 something is not, 2 cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import runpy
import sys
import zipfile
from pathlib import Path
from typing import Any

check_line = runpy.run_path(str(Path(__file__).resolve().with_name("verify_report.py")))["check_line"]

OWN = {"manifest.json", "manifest.sig", "keys.json"}


def findings(archive: zipfile.ZipFile, keys: dict[str, Any]) -> list[str]:
    """What is wrong, in sentences; nothing if all is well."""
    names = archive.namelist()
    if not set(names) >= {"manifest.json", "manifest.sig"}:
        return ["there is no signed manifest in it"]
    found = []
    manifest = archive.read("manifest.json")
    answer = check_line(archive.read("manifest.sig").decode().strip(), keys)
    if not answer.is_valid or answer.kind != "archive":
        found.append(f"manifest: {answer.why}")
    elif answer.named().get("manifest_sha256") != hashlib.sha256(manifest).hexdigest():
        found.append("manifest: changed after it was signed")
    listed = {each["name"]: each for each in json.loads(manifest)["files"]}
    found += [f"{name}: not in the manifest" for name in names if name not in listed and name not in OWN]
    found += [f"{name}: there more than once" for name in sorted({name for name in names if names.count(name) > 1})]
    for name, each in listed.items():
        if name not in names:
            found.append(f"{name}: missing")
            continue
        digest = hashlib.sha256()
        with archive.open(name) as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        if digest.hexdigest() != each["sha256"]:
            found.append(f"{name}: changed")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--keys", type=Path, help="the platform's published keys")
    asked = parser.parse_args()
    try:
        with zipfile.ZipFile(asked.archive) as archive:
            keys = json.loads(asked.keys.read_text(encoding="utf-8") if asked.keys else archive.read("keys.json"))
            found = findings(archive, keys)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as problem:
        print(f"cannot be read: {problem}")
        return 2
    print("\n".join(found) if found else "VALID: signed by the platform, every file as it was")
    if not found and not asked.keys:
        print("The keys came from the archive itself: compare them with those the platform publishes.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
