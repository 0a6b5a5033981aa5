"""A worker killed in the middle of sending, against a real web server and a real mail server.

Nothing is lost. What was under way at the kill is sent again under the same id, by which its receiver knows it: an
outbox can promise no more, because the answer that never arrived may have been a yes.
"""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.exchange.live import PYTHON, ROOT, Copied, Platform
from tests.notices.servers import Received, mail_server, web_server

pytestmark = pytest.mark.slow
COUNT = 8


def start(platform: Platform, mail: Received) -> subprocess.Popen[bytes]:
    env = platform.environment | {
        "ANZE_SMTP": f"smtp://127.0.0.1:{mail.port}",
        "ANZE_PRIVATE_NETWORKS": "127.0.0.0/8",
    }
    return subprocess.Popen([PYTHON, "-m", "tests.notices.outbox", "send"], cwd=ROOT, env=env, start_new_session=True)


@pytest.mark.parametrize("where", ["web", "mail"])
def test_nothing_is_lost_and_what_comes_twice_has_the_same_id(copied: Copied, tmp_path: Path, where: str) -> None:
    with copied(tmp_path) as own, web_server() as web, mail_server() as mail:
        env = own.environment | {"ANZE_SMTP": f"smtp://127.0.0.1:{mail.port}"}
        filling = [PYTHON, "-m", "tests.notices.outbox", "fill", str(web.port), str(COUNT)]
        subprocess.run(filling, cwd=ROOT, env=env, check=True)
        assert own.ask("SELECT way, count(*) FROM notices_notice WHERE state = 'WAITING' GROUP BY 1 ORDER BY 1") == [
            ("EMAIL", COUNT),
            ("WEBHOOK", COUNT),
        ]
        stalls = web if where == "web" else mail
        stalls.stall_at = 3
        worker = start(own, mail)
        assert stalls.stalled.wait(60)
        worker.send_signal(signal.SIGKILL)
        worker.wait(30)
        stalls.go_on.set()
        under_way = stalls.ids[-1]
        # claimed, and not sent as far as anybody knows
        assert own.ask("SELECT state, attempts FROM notices_notice WHERE id = %s", under_way) == [("WAITING", 1)]
        # the lease is over; two workers beside each other go on
        own.ask("UPDATE notices_notice SET not_before = now() WHERE state = 'WAITING' RETURNING id")
        workers = [start(own, mail), start(own, mail)]
        assert [each.wait(120) for each in workers] == [0, 0]
        sent = {
            str(key): way
            for key, way in own.ask("SELECT id, way FROM notices_notice WHERE state = 'SENT' AND way <> 'IN_APP'")
        }
        assert len(sent) == 2 * COUNT
        for received, way in ((web, "WEBHOOK"), (mail, "EMAIL")):
            times = Counter(received.ids)
            assert times.keys() == {key for key, kind in sent.items() if kind == way}
            assert {key for key, number in times.items() if number > 1} <= {under_way}
        assert Counter(stalls.ids)[under_way] == 2
