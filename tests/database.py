"""Loaded by pytest before Django reads its settings (see addopts): the test cluster and the owner's login."""

from __future__ import annotations

import os
from pathlib import Path

from tools.postgres import ensure_cluster

if not os.environ.get("DATABASE_URL"):
    cluster = Path(__file__).resolve().parent.parent / "var" / "postgres-test"
    os.environ["DATABASE_URL"] = str(ensure_cluster(cluster, fast_and_unsafe=True))
os.environ["ANZE_DATABASE_LOGIN"] = "owner"
# playwright's synchronous interface keeps an event loop in the test's thread
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
