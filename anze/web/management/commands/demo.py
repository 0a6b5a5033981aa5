"""`anze demo`: fill an empty database with the synthetic province."""

from __future__ import annotations

import gc
import json
import os
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from anze.assessment.actions import load_schemes
from anze.assessment.actions.demonstration import show_assessments
from anze.exchange.synthetic import anomalies, marking
from anze.exchange.synthetic.afterwards import issue_reports, record_on_platform
from anze.exchange.synthetic.agreements import load_agreements
from anze.exchange.synthetic.calendar import shipped_calendar
from anze.exchange.synthetic.campaigns import create_campaign
from anze.exchange.synthetic.chain import load_chain
from anze.exchange.synthetic.cover import decide_register, load_cover
from anze.exchange.synthetic.drawing import Draft, begin
from anze.exchange.synthetic.entering import create_entering
from anze.exchange.synthetic.entities import Province
from anze.exchange.synthetic.learning import create_learning
from anze.exchange.synthetic.loading import REGISTER, Late, LoadProblem, load
from anze.exchange.synthetic.market import load_market
from anze.exchange.synthetic.on_site import order_visits
from anze.exchange.synthetic.people import create_people, issue_keys
from anze.exchange.synthetic.photos import show_photos
from anze.kernel.duty import beijing_day
from anze.kernel.readiness import NotReady, connect_as_owner
from anze.kernel.scope import EVERYTHING, inside
from anze.monitoring.alerting import run as run_alerts
from anze.monitoring.definitions import FACTS
from anze.monitoring.demonstration import raise_alerts
from anze.monitoring.effect import take_stock
from anze.monitoring.refresh import recompute
from anze.prevention.actions import look_for_likeness

_LOCK = 0x64656D6F  # one load at a time
# the planner must know how the tables grow, or it reads the large ones from end to end for every batch
_ANALYZE_AT = (3_000, 12_000, 50_000, 120_000, 250_000, 450_000)
_ROWS_A_POLICY = 6.1  # what insurers send, of all datasets together; hazards are known only when drawn
_TABLES = (
    "parties_enterprise, parties_engagement, underwriting_obligation, underwriting_policy, "
    "underwriting_endorsement, underwriting_premiumreceipt, prevention_plan, prevention_planitem, "
    "prevention_service, prevention_serviceperson, hazards_hazard, expenses_expense, claims_accident, "
    "claims_claim, claims_victim, claims_payment"
)


class Command(BaseCommand):
    help = "Load the synthetic province into an empty database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", type=float, default=1.0, help="1 is the whole province (default)")
        parser.add_argument("--seed", type=int, default=2024, help="another seed, another province")
        parser.add_argument("--as-of", type=date.fromisoformat, help="the day after the last data (default: today)")
        parser.add_argument("--truth", type=Path, help="where the list of planted anomalies goes")
        parser.add_argument("--processes", type=int, default=2, help="how many load at once")
        parser.add_argument(
            "--assessments",
            choices=("with", "later", "only"),
            default="with",
            help="they take long: leave them for later, or add them to a province that is there",
        )
        parser.add_argument(
            "--replace", action="store_true", help="take away a synthetic province that is there already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            owner = connect_as_owner(os.environ["DATABASE_URL"])
        except NotReady as problem:
            raise CommandError(str(problem)) from None
        with owner:
            row = owner.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
            if not row or not row[0]:
                raise CommandError("Another load of the synthetic province is under way: wait for it to end.")
            try:
                if options["assessments"] == "only":
                    self._assess(options["truth"])
                else:
                    self._make_room(replace=options["replace"])
                    self._run(owner, options)
            except OperationalError as problem:
                raise CommandError(f"The database went away: {str(problem).splitlines()[0]}") from None
            except (LoadProblem, ValueError) as problem:
                raise CommandError(str(problem)) from None

    def _make_room(self, *, replace: bool) -> None:
        with inside(EVERYTHING):
            found = marking.what_is_there()
            if found is marking.Found.EMPTY:
                return
            if found is marking.Found.OTHER or not marking.all_is_synthetic():
                raise CommandError(
                    "The database holds data that are not synthetic: the demonstration needs an empty one."
                )
            if found is marking.Found.COMPLETE and not replace:
                raise CommandError("There is a synthetic province already: --replace takes it away first.")
            marking.clear()
            load_schemes()

    def _run(self, owner: psycopg.Connection, options: dict[str, Any]) -> None:
        started = time.monotonic()
        as_of = options["as_of"] or min(beijing_day(timezone.now()), shipped_calendar().last - timedelta(days=60))
        console = Console(stderr=True)
        # without a thread of its own: the loading processes are forked
        progress = Progress(
            SpinnerColumn(), TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), console=console, auto_refresh=False,
        )  # fmt: skip
        with progress:
            show = _Stages(progress, plain=not console.is_terminal)
            show.begin("Enterprises and policies", 1)
            draft = begin(options["seed"], options["scale"], as_of)
            show.advance(1)
            with inside(EVERYTHING):
                marking.mark(
                    marking.STARTED,
                    timezone.now(),
                    seed=draft.seed,
                    scale=draft.scale,
                    as_of=as_of.isoformat(),
                )
            gc.disable()
            province, late = self._load(owner, draft, show, options["processes"])
            gc.enable()
            with inside(EVERYTHING):
                decide_register(as_of, timezone.now())
            show.begin("Figures", len(FACTS))
            owner.execute(f"ANALYZE {_TABLES}")  # type: ignore[arg-type] # names, not input
            recompute(at=timezone.now(), progress=lambda _fact: show.advance(1))
            show.begin("People, keys, materials and trainings", 1)
            keys = settings.STATE / "demo" / "keys"
            with inside(EVERYTHING):
                create_people(province)
                order_visits(as_of, timezone.now())
                issue_keys(keys, timezone.now())
                create_learning(draft.seed, draft.as_of)
            show.advance(1)
            show.begin("Topics, tasks and orders", 1)
            with inside(EVERYTHING):
                load_chain(as_of)
                create_entering(as_of)
                load_agreements(province.price_lists, as_of, timezone.now())
                record_on_platform(timezone.now())
                load_cover(as_of, timezone.now())
                load_market(as_of, timezone.now())
                create_campaign(draft.as_of, timezone.now())
            show.begin("Alerts", 1)
            raise_alerts(timezone.now())
            truth = self._write_truth(province, late, options["truth"])
            with inside(EVERYTHING):
                marking.mark(marking.FINISHED, timezone.now(), scale=province.scale, as_of=as_of.isoformat())
            show.advance(1)
            if options["assessments"] == "with":
                show.begin("Photos, effect, repeated reports, assessments", 1)
                self._assess(options["truth"])
                show.advance(1)
        console.print(
            f"Loaded in {time.monotonic() - started:.0f} s. What was planted: {truth}; interface keys: {keys}"
        )

    def _assess(self, truth: Path | None) -> None:
        """What takes long and nobody opens first. What was interrupted is done again and doubles nothing."""
        with inside(EVERYTHING):
            if not marking.lacks_assessments():
                return
            planted = show_photos(marking.seed_loaded(), timezone.now())
            issue_reports(timezone.now())
        self._tell_truth(truth, planted)
        take_stock(at=timezone.now())
        with inside(EVERYTHING):
            look_for_likeness(at=timezone.now())
            show_assessments(marking.as_of_loaded(), timezone.now())
            marking.mark(marking.ASSESSED, timezone.now())
        run_alerts(at=timezone.now(), full=True)

    def _load(self, owner: psycopg.Connection, draft: Draft, show: _Stages, processes: int) -> tuple[Province, Late]:
        listed = sum((each.listed_on is not None) + bool(each.also_in) for each in draft.enterprises)
        show.begin("Services of the year, register", len(draft.enterprises) + listed)
        of_register = of_insurers = 0
        due = list(_ANALYZE_AT)

        def advance(feed: str, rows: int) -> None:
            nonlocal of_register, of_insurers
            if feed in REGISTER:
                of_register += rows
            elif feed:
                if not of_insurers:
                    show.begin("Insurers' data", round(_ROWS_A_POLICY * len(draft.policies)))
                of_insurers += rows
            show.advance(rows)
            if due and of_register + of_insurers >= due[0]:
                due.pop(0)
                owner.execute(f"ANALYZE {_TABLES}")  # type: ignore[arg-type] # names, not input

        return load(draft, advance=advance, processes=processes)

    def _write_truth(self, province: Province, late: Late, path: Path | None) -> Path:
        content = {
            "seed": province.seed,
            "scale": province.scale,
            "as_of": province.as_of.isoformat(),
            "late_rows": [
                {"insurer": insurer, "dataset": feed, "rows": count} for (insurer, feed), count in sorted(late.items())
            ],
            **anomalies.truth(province),
        }
        _truth(path).unlink(missing_ok=True)
        return self._tell_truth(path, content)

    def _tell_truth(self, path: Path | None, more: Mapping[str, Any]) -> Path:
        """Add to the list of what was planted."""
        path = _truth(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**known, **more}, ensure_ascii=False, indent=1), encoding="utf-8")
        return path


def _truth(path: Path | None) -> Path:
    return path or settings.STATE / "demo" / "truth.json"


class _Stages:
    """One bar a stage; where there is no terminal, one line a stage."""

    def __init__(self, progress: Progress, *, plain: bool) -> None:
        self._progress = progress
        self._plain = plain
        self._task: Any = None
        self._shown = 0.0
        self._since = timezone.now()
        self._title = ""

    def begin(self, title: str, total: int) -> None:
        self.end()
        self._title, self._since = title, timezone.now()
        if self._plain:
            self._progress.console.print(f"  … {title}")
        else:
            self._task = self._progress.add_task(title, total=total)
            self._progress.refresh()

    def advance(self, steps: int) -> None:
        if self._task is None:
            return
        self._progress.advance(self._task, steps)
        if time.monotonic() - self._shown > 0.1:
            self._shown = time.monotonic()
            self._progress.refresh()

    def end(self) -> None:
        if self._task is not None:
            task = self._progress.tasks[self._task]
            self._progress.update(self._task, total=task.completed, completed=task.completed)
            self._progress.refresh()
            self._task = None
        elif self._title:
            took = (timezone.now() - self._since).total_seconds()
            self._progress.console.print(f"  ✓ {self._title} ({took:.0f} s)")
            self._title = ""
