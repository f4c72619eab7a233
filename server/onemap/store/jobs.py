"""The queue of long questions: submitted by any process, run by any process, seen by all.

A reader sees the jobs of the own post; readers without one share theirs, as they share their rights.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from onemap.domain.layer import DataClass
from onemap.domain.scope import Scope
from onemap.errors import JobNotFound
from onemap.store.db import Connection
from onemap.store.named import compose, named, statement

#: A runner that says nothing for this long is taken for dead, seconds.
SILENCE_S = 60
KEEP_DAYS = 7

_COLUMNS = ("job_id", "process", "state", "progress", "message", "created_at", "started_at", "finished_at", "seen_at")


@dataclass(frozen=True, slots=True)
class Job:
    """How far a long question is; ``progress`` in percent."""

    job_id: UUID
    process: str
    state: str
    progress: int
    message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is ours to run."""

    job_id: UUID
    process: str
    inputs: dict[str, Any]
    scope: Scope


def submit(connection: Connection, process: str, inputs: dict[str, Any], scope: Scope, asked_by: str | None) -> UUID:
    """Put a question into the queue; its number."""
    values = {"process": process, "inputs": Jsonb(inputs), "scope": Jsonb(_pack(scope)), "asked_by": asked_by}
    row = connection.execute(statement(named("jobs")["submit"]), values).fetchone()
    if row is None:
        raise JobNotFound("new")
    job_id: UUID = row[0]
    return job_id


def claim(connection: Connection, processes: list[str]) -> Claimed | None:
    """The next job that this process can run; None when none waits."""
    values = {"processes": processes, "silence_s": SILENCE_S}
    row = connection.execute(statement(named("jobs")["claim"]), values).fetchone()
    return Claimed(row[0], row[1], row[2], _unpack(row[3])) if row else None


def report(connection: Connection, job_id: UUID, progress: int, message: str | None) -> bool:
    """Say how far a job is; False when it was dismissed meanwhile and should stop."""
    values = {"job_id": job_id, "progress": max(0, min(100, progress)), "message": message}
    return connection.execute(statement(named("jobs")["progress"]), values).fetchone() is not None


def beat(connection: Connection, job_id: UUID) -> None:
    """Say that a job's runner is alive."""
    connection.execute(statement(named("jobs")["beat"]), {"job_id": job_id})


def finish(connection: Connection, job_id: UUID, results: dict[str, Any]) -> None:
    """Leave a job's results."""
    _finish(connection, job_id, "successful", None, Jsonb(results))


def fail(connection: Connection, job_id: UUID, sentence: str) -> None:
    """Say why a job has no results."""
    _finish(connection, job_id, "failed", sentence, None)


def job(connection: Connection, job_id: UUID, asked_by: str | None) -> Job:
    """One job of a reader; ``JobNotFound`` where there is none."""
    row = connection.execute(_query("one", asked_by), {"job_id": job_id}).fetchone()
    if row is None:
        raise JobNotFound(job_id)
    return Job(*row)


def jobs(connection: Connection, asked_by: str | None, *, limit: int = 100, offset: int = 0) -> list[Job]:
    """A reader's jobs, newest first."""
    rows = connection.execute(_query("many", asked_by), {"n_rows": limit, "n_before": offset}).fetchall()
    return [Job(*row) for row in rows]


def results(connection: Connection, job_id: UUID, asked_by: str | None) -> dict[str, Any] | None:
    """What a job found; None while there is nothing."""
    row = connection.execute(_query("results", asked_by), {"job_id": job_id}).fetchone()
    if row is None:
        raise JobNotFound(job_id)
    found: dict[str, Any] | None = row[0]
    return found


def dismiss(connection: Connection, job_id: UUID, asked_by: str | None) -> None:
    """Stop a job and forget its results; ``JobNotFound`` where there is none to dismiss."""
    if connection.execute(_query("dismiss", asked_by), {"job_id": job_id}).fetchone() is None:
        raise JobNotFound(job_id)


def purge(connection: Connection) -> int:
    """Forget jobs that ended long ago; how many."""
    return connection.execute(statement(named("jobs")["purge"]), {"days": KEEP_DAYS}).rowcount


def _finish(connection: Connection, job_id: UUID, state: str, message: str | None, results: Jsonb | None) -> None:
    values = {"job_id": job_id, "state": state, "message": message, "results": results}
    connection.execute(statement(named("jobs")["finish"]), values)


def _query(block: str, asked_by: str | None) -> sql.Composed:
    mine = sql.SQL("asked_by IS NOT DISTINCT FROM {}").format(sql.Literal(asked_by))
    fields = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    return compose(named("jobs")[block], mine=mine, fields=fields)


def _pack(scope: Scope) -> dict[str, Any]:
    return {"areas": scope.areas, "classes": sorted(scope.classes)}


def _unpack(packed: dict[str, Any]) -> Scope:
    areas = packed["areas"]
    return Scope(None if areas is None else tuple(areas), frozenset(DataClass(name) for name in packed["classes"]))
