"""A policy, and a connector of an app at the address given; prints its id. With an id instead, pulls that connector.
Run by tests/exchange/test_connector_killed.py."""

from __future__ import annotations

import sys

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django comes first
from django.utils import timezone  # noqa: E402

from anze.exchange.actions import make_connector, process_batch, pull, receive_batch  # noqa: E402
from anze.exchange.actions.pulling import fetcher_of  # noqa: E402
from anze.exchange.connectors.fetching import Fetcher  # noqa: E402
from anze.exchange.feeds import FEEDS  # noqa: E402
from anze.exchange.models import Connector  # noqa: E402
from anze.kernel.actor import platform  # noqa: E402
from anze.kernel.rules import Channel  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Organisation  # noqa: E402
from anze.parties.rules import Permission  # noqa: E402
from tests.cast import XINGHUO, policy_row  # noqa: E402
from tests.exchange.apps import TOKEN  # noqa: E402

settings.PRIVATE_NETWORKS = ["127.0.0.0/8"]


def made(base: str) -> str:
    import json

    at = timezone.now()
    by = platform(frozenset({Permission.MANAGE_KEYS, Permission.ENTER_DATA}))
    with inside(EVERYTHING):
        huaihai = Organisation.objects.get(code="INS01")
        batch, _new = receive_batch(
            huaihai, by=by, at=at, feed=FEEDS["policies"], channel=Channel.API,
            body=json.dumps(policy_row("PA", XINGHUO)).encode(), content_type="application/x-ndjson",
            idempotency_key="policy",
        )  # fmt: skip
        process_batch(batch)
        connector = make_connector(
            huaihai,
            by=by,
            at=at,
            name="现场应用",
            mapping="field-service",
            base_url=base,
            token=TOKEN.encode(),
            every_minutes=60,
        )
    return str(connector.pk)


def quick(connector: Connector) -> Fetcher:
    fetcher = fetcher_of(connector)
    fetcher.per_minute = 60_000
    return fetcher


if __name__ == "__main__":
    if sys.argv[1].startswith("http"):
        print(made(sys.argv[1]))
    else:
        from uuid import UUID

        pull(UUID(sys.argv[1]), fetcher=quick)
