"""`anze run`: everything a visitor needs, from an empty machine to the open site."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import translation
from rich.console import Console
from rich.table import Table

from anze.exchange.synthetic import marking
from anze.exchange.synthetic.people import LOGINS, PASSWORD
from anze.kernel.readiness import NotReady, require_fit
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Account
from anze.web.serving import ServingProblem, Watch, children_of, free_port, url_of
from tools.stop import LOCK

ROOT = Path(__file__).resolve().parents[4]

_DEMO = (sys.executable, str(ROOT / "manage.py"), "demo")


class Command(BaseCommand):
    help = "Prepare the database, load the synthetic province if it is empty, and serve the platform."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", type=float, default=1.0, help="of the synthetic province; 1 is the whole")
        parser.add_argument("--seed", type=int, default=2024)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000, help="if it is taken, the next free one")
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--workers", type=int, default=2, help="processes of the web server")
        parser.add_argument("--threads", type=int, default=4, help="threads in each of them")

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console(stderr=True)
        watch: Watch | None = None
        rest: subprocess.Popen[bytes] | None = None
        # ^C as well: a shell lets what it starts in the background ignore it
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        lock = self._only_one()
        try:
            self._prepare()
            if not options["no_demo"]:
                self._fill(options["scale"], options["seed"])
            port = free_port(options["host"], options["port"])
            if port != options["port"]:
                self.console.print(f"Port {options['port']} is taken; the site is at {port}.")
            url = url_of(options["host"], port)
            logs = settings.STATE / "log"
            watch = Watch(
                children_of(ROOT, logs, options["host"], port, options["workers"], options["threads"]),
                self.console.print,
            )
            watch.start()
            with self.console.status("Starting the web server and the worker"):
                watch.until_answers(url, 90)
            lock.write(f"{url}\n")
            lock.flush()
            self._welcome(url)
            rest = self._rest_of_demo(logs)
            while True:
                time.sleep(0.5)
                watch.look_after()
                if rest and rest.poll() is not None:
                    said = "are there now" if rest.returncode == 0 else f"could not be made: see {logs / 'demo.log'}"
                    self.console.print(f"Photos, assessments, effect and compared reports {said}.")
                    rest = None
        except (ServingProblem, NotReady) as problem:
            raise CommandError(str(problem)) from None
        except KeyboardInterrupt:
            self.console.print("\nStopping …")
        finally:
            if rest and rest.poll() is None:  # taken back as a whole, and done again at the next start
                rest.terminate()
                rest.wait()
            if watch:
                watch.end()
        if os.environ.get("ANZE_EMBEDDED_DATABASE") == "1":
            self.console.print("The database keeps its data and goes on running; `make stop` stops it.")

    def _only_one(self) -> IO[str]:
        """One platform per folder: a second is told where the first is, and `make stop` which process it is."""
        settings.STATE.mkdir(parents=True, exist_ok=True)
        lock = (settings.STATE / LOCK).open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            _process, _end, where = lock.read().strip().partition("\n")
            raise CommandError(
                f"The platform already runs{f' at {where}' if where else ', and is just starting'}: "
                "open it, or stop it there with Ctrl-C or here with `make stop`."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock

    def _prepare(self) -> None:
        require_fit(os.environ["DATABASE_URL"])
        with self.console.status("Preparing the database"):
            done = subprocess.run(
                [sys.executable, str(ROOT / "manage.py"), "prepare"],
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            raise ServingProblem(f"The database could not be prepared: {said[-1] if said else done.returncode}")

    def _fill(self, scale: float, seed: int) -> None:
        with inside(EVERYTHING):
            found = marking.what_is_there()
        if found is marking.Found.BROKEN:
            self.console.print("The last load of the synthetic province was interrupted; it is done again.")
        if found not in (marking.Found.EMPTY, marking.Found.BROKEN):
            return
        done = subprocess.run(
            [*_DEMO, "--assessments", "later", "--scale", str(scale), "--seed", str(seed)],
            check=False,
        )
        if done.returncode:
            raise ServingProblem("The synthetic province could not be loaded, for the reason given above.")

    def _rest_of_demo(self, logs: Path) -> subprocess.Popen[bytes] | None:
        """What takes long and nobody needs at first is added while the site is open."""
        with inside(EVERYTHING):
            if not marking.lacks_assessments():
                return None
        self.console.print("Photos, assessments, effect and compared reports are still being made; all else is there.")
        with (logs / "demo.log").open("ab") as log:
            return subprocess.Popen(
                [*_DEMO, "--assessments", "only"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _welcome(self, url: str) -> None:
        with inside(EVERYTHING):
            known = set(Account.objects.filter(is_active=True).values_list("username", flat=True))
        self.console.print(f"\n[bold]Anze runs at [link={url}]{url}[/link][/bold]   (Ctrl-C stops it)\n")
        logins = [login for login in LOGINS if login.username in known]
        if not logins:
            return
        table = Table("User name", "Role", "角色", title=f"Password for all of them: {PASSWORD}", title_justify="left")
        for login in logins:
            names = []
            for language in ("en", "zh-hans"):
                with translation.override(language):
                    names.append(str(login.role.label))
            table.add_row(login.username, *names)
        self.console.print(table)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
