"""Keeping the job queue itself in order."""

from __future__ import annotations

import logging

from procrastinate import exceptions
from procrastinate.contrib.django import app
from procrastinate.job_context import JobContext
from procrastinate.jobs import Status
from procrastinate.manager import JobManager

log = logging.getLogger("anze.kernel")

KEPT_HOURS = 72


@app.periodic(cron="* * * * *", periodic_id="stalled")
@app.task(name="kernel.revive_stalled_jobs", queueing_lock="kernel stalled", pass_context=True)
async def revive_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Start again what a killed worker left unfinished; its lock would keep all later jobs like it waiting."""
    await revive(context.app.job_manager)


async def revive(manager: JobManager) -> None:
    for job in await manager.get_stalled_jobs():
        log.warning("job %s (%s) was left unfinished by a worker and starts again", job.id, job.task_name)
        try:
            await manager.retry_job(job)
        except exceptions.UniqueViolation:
            # one like it waits already, and does the same
            await manager.finish_job(job, status=Status.FAILED, delete_job=True)


@app.periodic(cron="17 3 * * *", periodic_id="old")
@app.task(name="kernel.forget_old_jobs", queueing_lock="kernel old", pass_context=True)
async def forget_old_jobs(context: JobContext, timestamp: int) -> None:
    """Finished jobs are looked at for some days, if at all."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
