"""Make the locks anew: `make lock`. They name versions and hashes, never a host.

uv's own lock format and npm's default one record where each file was fetched; the formats used here do
not, so that any index or mirror serves.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
LOCKS = {
    "requirements.lock": ["pyproject.toml"],
    # Held to the versions of the first: what is tested is what runs.
    "requirements-dev.lock": ["pyproject.toml", "--group", "dev", "--constraint", "requirements.lock"],
    "requirements-uv.lock": ["--group", "pyproject.toml:uv"],
    "requirements-node.lock": ["--group", "pyproject.toml:node"],
}


def lock_python(*, upgrade: bool) -> None:
    for name, source in LOCKS.items():
        command = [
            str(UV),
            "pip",
            "compile",
            *source,
            "--universal",
            "--generate-hashes",
            "--no-header",
            "--quiet",
        ]
        subprocess.run([*command, *(["--upgrade"] if upgrade else []), "--output-file", name], cwd=ROOT, check=True)
        print(f"{name}: {(ROOT / name).read_text(encoding='utf-8').count('==')} packages")


def lock_frontend() -> None:
    folder = ROOT / "frontend"
    subprocess.run(["npm", "install", "--package-lock-only"], cwd=folder, check=True)
    path = folder / "package-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        package.pop("funding", None)  # links that nothing reads
    path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"package-lock.json: {len(lock['packages']) - 1} packages")


if __name__ == "__main__":
    lock_python(upgrade="--upgrade" in sys.argv[1:])
    lock_frontend()
