"""Long questions: asked by one process, run by any, dismissed by the asker, explained when they fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from onemap.analyses import runner
from onemap.analyses.registry import Analysis, Context, Input, Registry
from onemap.analyses.runner import run_next
from onemap.domain.layer import Catalog, Title
from onemap.domain.scope import STAFF
from onemap.errors import InputRefused, JobNotFound
from onemap.store import jobs
from onemap.store.db import Db

NAME = Title("双倍", "Double")


def registry(run: Any) -> Registry:
    return Registry(
        (Analysis("double", "1", NAME, NAME, {"n": Input(NAME, {"type": "integer"}, required=True)}, {"n": {}}, run),)
    )


def double(_: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"n": inputs["n"] * 2}


def submit(db: Db, asked_by: str | None = None) -> UUID:
    with db.connection() as connection:
        return jobs.submit(connection, "double", {"n": 21}, STAFF, asked_by)


def look(db: Db, job_id: UUID, asked_by: str | None = None) -> jobs.Job:
    with db.connection() as connection:
        return jobs.job(connection, job_id, asked_by)


def test_a_job_is_run_once_and_leaves_its_results(db: Db, catalog: Catalog) -> None:
    job_id = submit(db)
    assert look(db, job_id).state == "accepted"
    assert run_next(db, catalog, registry(double))
    assert not run_next(db, catalog, registry(double))
    assert (look(db, job_id).state, look(db, job_id).progress) == ("successful", 100)
    with db.connection() as connection:
        assert jobs.results(connection, job_id, None) == {"n": 42}


def test_an_analysis_sees_what_the_asker_may_see(db: Db, catalog: Catalog) -> None:
    seen = []

    def run(context: Context, _: Mapping[str, Any]) -> dict[str, Any]:
        seen.append(context.scope)
        return {}

    submit(db)
    run_next(db, catalog, registry(run))
    assert seen == [STAFF]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(InputRefused("There are no buildings here."), "There are no buildings here."), (KeyError("x"), "on our side")],
)
def test_a_failed_job_says_why_and_the_queue_goes_on(db: Db, catalog: Catalog, error: Exception, sentence: str) -> None:
    def run(_: Context, __: Mapping[str, Any]) -> dict[str, Any]:
        raise error

    job_id = submit(db)
    assert run_next(db, catalog, registry(run))
    job = look(db, job_id)
    assert job.state == "failed"
    assert sentence in (job.message or "")


def test_a_dismissed_job_stops_at_its_next_report(db: Db, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_SAY_S", 0.0)
    job_id = submit(db)
    reached = []

    def run(context: Context, _: Mapping[str, Any]) -> dict[str, Any]:
        context.report(30, "on the way")
        reached.append(look(db, job_id).progress)
        with db.connection() as connection:
            jobs.dismiss(connection, job_id, None)
        context.report(60, None)
        reached.append(60)
        return {}

    run_next(db, catalog, registry(run))
    assert reached == [30]
    assert look(db, job_id).state == "dismissed"


def test_a_reader_sees_the_own_jobs_only(db: Db) -> None:
    job_id = submit(db, "desk-1")
    with db.connection() as connection:
        assert [job.job_id for job in jobs.jobs(connection, "desk-1")] == [job_id]
        assert jobs.jobs(connection, "desk-2") == []
        for ask in (jobs.job, jobs.results, jobs.dismiss):
            with pytest.raises(JobNotFound):
                ask(connection, job_id, "desk-2")
        with pytest.raises(JobNotFound):
            jobs.job(connection, uuid4(), "desk-1")


def test_the_job_of_a_killed_runner_is_run_again(db: Db, catalog: Catalog) -> None:
    job_id = submit(db)
    with db.connection() as connection:
        assert jobs.claim(connection, ["double"]) is not None
        assert jobs.claim(connection, ["double"]) is None
        connection.execute("UPDATE core.job SET seen_at = now() - make_interval(secs => %s)", (jobs.SILENCE_S + 1,))
    assert run_next(db, catalog, registry(double))
    assert look(db, job_id).state == "successful"


def test_old_jobs_are_forgotten(db: Db) -> None:
    submit(db)
    with db.connection() as connection:
        connection.execute("UPDATE core.job SET finished_at = now() - make_interval(days => %s)", (jobs.KEEP_DAYS + 1,))
        assert jobs.purge(connection) == 1
