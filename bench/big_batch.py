"""Take one batch of 50 MB as the endpoint and the worker do, and print this process's peak memory in MB."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django

django.setup()

import gzip  # noqa: E402

from django.utils import timezone  # noqa: E402

from anze.exchange.actions import process_batch, receive_batch  # noqa: E402
from anze.exchange.feeds import FEEDS  # noqa: E402
from anze.kernel.actor import platform  # noqa: E402
from anze.kernel.rules import Channel  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Organisation  # noqa: E402
from anze.parties.rules import Permission  # noqa: E402
from bench.stage import peak_of  # noqa: E402


def main() -> None:
    body = gzip.decompress(Path(sys.argv[1]).read_bytes())
    with inside(EVERYTHING):
        batch, _new = receive_batch(
            Organisation.objects.get(code="INS01"),
            by=platform(frozenset({Permission.ENTER_DATA})),
            at=timezone.now(),
            feed=FEEDS["hazards"],
            channel=Channel.API,
            body=body,
            content_type="application/x-ndjson",
            idempotency_key="fifty",
        )
        del body
        process_batch(batch)
    print(peak_of(os.getpid()) / 2**20)


if __name__ == "__main__":
    main()
