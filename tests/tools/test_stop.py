"""`make stop` ends a running platform and waits for it; what no longer runs, and whoever has its number now, it leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import stop

HOLDER = """
import fcntl, os, signal, sys, time
def end(*_): print("ended", flush=True); time.sleep(0.3); sys.exit(0)
signal.signal(signal.SIGTERM, {reaction})
lock = open(sys.argv[1], "a+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.truncate(0); lock.write(f"{{os.getpid()}}\\nhttp://127.0.0.1:1/\\n"); lock.flush()
print("runs", flush=True)
time.sleep(60)
"""


def holder(state: Path, reaction: str = "end") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER.format(reaction=reaction), str(state / stop.LOCK)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "runs\n"
    return process


def test_a_running_platform_is_ended_and_waited_for(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert stop.stop_platform(tmp_path)
        assert process.wait(5) == 0
        assert process.stdout
        assert process.stdout.read() == "ended\n"
    assert not stop.stop_platform(tmp_path)


def test_where_none_runs_nobody_is_ended(tmp_path: Path) -> None:
    assert not stop.stop_platform(tmp_path)
    # its lock file outlived it, and another program has its number now
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / stop.LOCK).write_text(f"{other.pid}\n")
    assert not stop.stop_platform(tmp_path)
    time.sleep(0.2)
    assert other.poll() is None
    other.kill()
    other.wait()


def test_one_that_does_not_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "STOP_SECONDS", 0.5)
    with holder(tmp_path, "signal.SIG_IGN") as process:
        with pytest.raises(stop.StopProblem, match=str(process.pid)):
            stop.stop_platform(tmp_path)
        process.send_signal(signal.SIGKILL)
