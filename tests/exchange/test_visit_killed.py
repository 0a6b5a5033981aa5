"""A server killed between the steps of putting a visit on file leaves exactly one service in the end."""

from __future__ import annotations

import re
import signal
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.e2e.visits_seed import PEOPLE
from tests.exchange.live import PASSWORD, Copied, Platform
from tests.exchange.test_resilience import wait_until

pytestmark = pytest.mark.slow


class Session:
    """Somebody signed in over real HTTP."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.jar = platform, CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        )
        page = self.opener.open(f"{platform.base}/sign-in/").read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        words = {"username": PEOPLE[0], "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        self.opener.open(f"{platform.base}/sign-in/", urlencode(words).encode()).read()

    def submit(self, visit: str) -> int:
        token = next(each.value for each in self.jar if each.name == "csrftoken")
        request = urllib.request.Request(
            f"{self.platform.base}/visits/{visit}/submit/",
            method="POST",
            data=b"",
            headers={"X-CSRFToken": token or "", "Accept": "application/json"},
        )
        with self.opener.open(request, timeout=60) as answer:
            answer.read()
            status: int = answer.status
        return status


def test_a_server_killed_between_service_and_hazards(copied: Copied, tmp_path: Path) -> None:
    with copied(tmp_path) as own:
        visit = own.run("-m", "tests.exchange.visit_seed").splitlines()[-1]
        server = own.start_server(workers=1)
        person = Session(own)
        [(insurer,)] = own.ask("SELECT insurer_id FROM prevention_visit WHERE id = %s", visit)
        with own.database() as holder:
            # the lock under which hazards are published: the service is written, the hazards wait
            holder.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"hazards {insurer}"])

            def submit() -> None:
                with suppress(OSError, urllib.error.URLError):
                    person.submit(visit)

            waiting = threading.Thread(target=submit, daemon=True)
            waiting.start()
            wait_until(lambda: own.ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
            own.stop(server, signal.SIGKILL)
            waiting.join(30)
            holder.execute("SELECT pg_advisory_unlock_all()")
        assert own.ask("SELECT state FROM prevention_visit WHERE id = %s", visit) == [("FINISHED",)]
        assert own.ask("SELECT count(*) FROM prevention_service WHERE channel = 'PHONE'") == [(0,)]
        own.start_server(workers=1)
        assert person.submit(visit) == 200
        assert person.submit(visit) == 200
        assert own.ask("SELECT state FROM prevention_visit WHERE id = %s", visit) == [("DELIVERED",)]
        assert own.ask("SELECT count(*), max(version) FROM prevention_service WHERE channel = 'PHONE'") == [(1, 1)]
        assert own.ask("SELECT count(*) FROM hazards_hazard WHERE channel = 'PHONE'") == [(1,)]
