"""The queue runner: takes jobs one by one, runs their analysis, leaves results or a sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from onemap.analyses.registry import Context, Dismissed, Registry
from onemap.analyses.responders import Responders
from onemap.analyses.streets import StreetNetworks
from onemap.domain.layer import Catalog
from onemap.errors import OneMapError
from onemap.store import jobs
from onemap.store.db import Db

#: How long an idle runner waits before it looks again, seconds.
IDLE_S = 1.0
#: Progress is written this often at most, seconds; a dismissal is noticed as fast.
_SAY_S = 0.5

_log = structlog.get_logger()


def work(
    db: Db,
    catalog: Catalog,
    registry: Registry,
    stop: threading.Event,
    *,
    streets: StreetNetworks | None = None,
    posts: Responders | None = None,
) -> None:
    """Run jobs until told to stop; ``streets`` and ``posts`` are what this process holds of them, if anything."""
    while not stop.is_set():
        try:
            busy = run_next(db, catalog, registry, streets=streets, posts=posts)
        except OneMapError as error:
            _log.warning("worker.waits", error=str(error))
            busy = False
        if not busy:
            stop.wait(IDLE_S)


def run_next(
    db: Db,
    catalog: Catalog,
    registry: Registry,
    *,
    streets: StreetNetworks | None = None,
    posts: Responders | None = None,
) -> bool:
    """Run the next waiting job, if any; whether there was one."""
    with db.connection() as connection:
        job = jobs.claim(connection, [analysis.name for analysis in registry])
        if job is None:
            jobs.purge(connection)
            return False
    analysis = registry.analysis(job.process)
    context = Context(
        db=db, catalog=catalog, scope=job.scope, report=_Reporter(db, job), streets=streets, responders=posts
    )
    try:
        with _alive(db, job):
            outputs = analysis.run(context, job.inputs)
    except Dismissed:
        return True
    except OneMapError as refused:
        with db.connection() as connection:
            jobs.fail(connection, job.job_id, str(refused))
    except Exception as bug:  # noqa: BLE001 one broken job must not end the queue
        _log.error("bug", process=job.process, job_id=str(job.job_id), exc_info=bug)
        with db.connection() as connection:
            jobs.fail(connection, job.job_id, "Something went wrong on our side; the log has the details.")
    else:
        with db.connection() as connection:
            jobs.finish(connection, job.job_id, outputs)
    return True


@contextmanager
def _alive(db: Db, job: jobs.Claimed) -> Iterator[None]:
    """Keep saying that we are alive while a job runs: an analysis may think for minutes without a report."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(jobs.SILENCE_S / 4):
            with db.connection() as connection:
                jobs.beat(connection, job.job_id)

    thread = threading.Thread(target=beat, name="onemap job alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Reporter:
    def __init__(self, db: Db, job: jobs.Claimed) -> None:
        self._db = db
        self._job = job
        self._said_at = 0.0

    def __call__(self, percent: int, sentence: str | None = None) -> None:
        now = time.monotonic()
        if now - self._said_at < _SAY_S:
            return
        self._said_at = now
        with self._db.connection() as connection:
            wanted = jobs.report(connection, self._job.job_id, percent, sentence)
        if not wanted:
            raise Dismissed
