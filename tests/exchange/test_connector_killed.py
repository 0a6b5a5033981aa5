"""A puller killed in the middle of a page, and pulled again: nothing is lost, nothing doubled."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.exchange.apps import App, serving, visit, wait_until
from tests.exchange.live import Copied

pytestmark = pytest.mark.slow


def test_killed_while_a_page_is_published(copied: Copied, tmp_path: Path) -> None:
    with copied(tmp_path) as own, serving(App(visits=[visit(n) for n in range(7)])) as app:
        connector = own.run("-m", "tests.exchange.connector_seed", app.base).splitlines()[-1]
        [(insurer,)] = own.ask("SELECT insurer_id FROM exchange_connector WHERE id = %s", connector)
        with own.database() as holder:
            holder.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"services {insurer}"])
            puller = own._start("-m", "tests.exchange.connector_seed", connector, log="puller.log")
            # the first page is fetched with its photos, and its rows wait to be published
            wait_until(lambda: own.ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
            own.stop(puller, signal.SIGKILL)
            holder.execute("SELECT pg_advisory_unlock_all()")
        assert own.ask("SELECT cursors FROM exchange_connector") == [({},)]
        assert own.ask("SELECT count(*) FROM prevention_service WHERE channel = 'APP'") == [(0,)]
        own.run("-m", "tests.exchange.connector_seed", connector)
        own.run("-m", "tests.exchange.connector_seed", connector)
        assert own.ask("SELECT cursors FROM exchange_connector") == [({"visits": "7"},)]
        assert own.ask("SELECT count(*), max(version) FROM prevention_service WHERE channel = 'APP'") == [(7, 1)]
        assert own.ask("SELECT count(*), count(DISTINCT subject) FROM evidence_media") == [(7, 7)]
        assert own.ask("SELECT state FROM exchange_connectorrun ORDER BY started_at") == [
            ("FAILED",), ("DONE",), ("DONE",),
        ]  # fmt: skip
