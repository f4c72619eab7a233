"""OGC API Processes over the registry of analyses and the queue of jobs: describe, run, ask how far, fetch, dismiss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError, best_match  # type: ignore[import-untyped]

from onemap.analyses.registry import Analysis, Context, Input, Registry
from onemap.analyses.responders import Responders
from onemap.analyses.streets import StreetNetworks
from onemap.domain.layer import Catalog
from onemap.errors import AnalysisNotFound, BadQuery, JobNotFound, OneMapError
from onemap.ogc.answer import Answer, json_answer, problem, refused
from onemap.ogc.links import JSON, OGC, Link, link, own_links
from onemap.ogc.query import read_limit
from onemap.ogc.request import Request
from onemap.store import jobs
from onemap.store.db import Db
from onemap.store.jobs import Job

#: An execute request larger than this is refused, bytes.
MAX_BODY_B = 4_000_000

_EXCEPTION = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
_MODES = ["sync-execute", "async-execute"]
_MEMBERS = frozenset({"inputs", "outputs", "response"})

type Json = dict[str, Any]


class Processes:
    """Answers for everything below ``/processes`` and ``/jobs``; called from threads."""

    def __init__(
        self,
        registry: Registry,
        catalog: Catalog,
        db: Db,
        *,
        streets: StreetNetworks | None = None,
        posts: Responders | None = None,
    ) -> None:
        self._registry, self._catalog, self._db = registry, catalog, db
        self._streets, self._posts = streets, posts

    # Describing -----------------------------------------------------------------------------------------------------

    def processes(self, request: Request) -> Json:
        """The list of processes."""
        request.only("limit")
        limit = read_limit(request.params.get("limit"))
        return {
            "processes": [_summary(request, analysis) for analysis in list(self._registry)[:limit]],
            "links": own_links(request, "/processes"),
        }

    def process(self, request: Request, name: str) -> Json:
        """One process: its inputs and outputs."""
        request.only()
        analysis = self._registry.analysis(name)
        language = request.language
        return {
            **_summary(request, analysis),
            "links": [
                *own_links(request, f"/processes/{name}"),
                link(f"{OGC}execute", JSON, name, f"{request.base_url}/processes/{name}/execution"),
            ],
            "inputs": {
                key: {
                    "title": asked.title.in_language(language),
                    "minOccurs": 1 if asked.required else 0,
                    "maxOccurs": 1,
                    "schema": dict(asked.schema),
                }
                for key, asked in analysis.inputs.items()
            },
            "outputs": {key: {"title": key, "schema": dict(schema)} for key, schema in analysis.outputs.items()},
        }

    # Running --------------------------------------------------------------------------------------------------------

    def execute(self, request: Request, name: str, body: bytes) -> Answer:
        """Run a process now, or leave it as a job."""
        request.only()
        analysis = self._registry.analysis(name)
        asked = _execute_request(body)
        inputs = read_inputs(analysis, asked.get("inputs"))
        wanted = _wanted(analysis, asked.get("outputs"))
        preferred = request.headers.get(b"prefer", b"").decode("latin-1").lower()
        if "respond-async" in preferred or ("respond-sync" not in preferred and analysis.is_long(inputs)):
            return self._submit(request, analysis, inputs, preferred)
        context = Context(
            db=self._db, catalog=self._catalog, scope=request.scope, report=lambda *_: None, streets=self._streets,
            responders=self._posts,
        )  # fmt: skip
        outputs = {key: value for key, value in analysis.run(context, inputs).items() if key in wanted}
        if asked.get("response", "raw") == "raw" and len(wanted) == 1 and len(outputs) == 1:
            return _raw(analysis, *outputs.popitem())
        return json_answer(outputs)

    def _submit(self, request: Request, analysis: Analysis, inputs: Json, preferred: str) -> Answer:
        with self._db.connection() as connection:
            job_id = jobs.submit(connection, analysis.name, inputs, request.scope, request.post)
            status = _status(request, jobs.job(connection, job_id, request.post))
        headers = [(b"location", f"{request.base_url}/jobs/{job_id}".encode())]
        if "respond-async" in preferred:
            headers.append((b"preference-applied", b"respond-async"))
        return json_answer(status, status=201, headers=headers)

    # Jobs -----------------------------------------------------------------------------------------------------------

    def jobs(self, request: Request) -> Json:
        """The reader's jobs, newest first."""
        request.only("limit", "offset")
        limit, offset = read_limit(request.params.get("limit", "100")), request.params.get("offset", "0")
        if not offset.isdigit() or len(offset) > 9:
            raise BadQuery(f"offset is '{offset[:20]}'; it must be a whole number.")
        with self._db.connection() as connection:
            found = jobs.jobs(connection, request.post, limit=limit, offset=int(offset))
        return {"jobs": [_status(request, job) for job in found], "links": own_links(request, "/jobs")}

    def job(self, request: Request, job_id: str) -> Json:
        """How far a job is."""
        request.only()
        with self._db.connection() as connection:
            return _status(request, jobs.job(connection, _job_id(job_id), request.post))

    def results(self, request: Request, job_id: str) -> Answer:
        """What a job found; 404 while it runs."""
        request.only()
        with self._db.connection() as connection:
            job = jobs.job(connection, _job_id(job_id), request.post)
            found = jobs.results(connection, job.job_id, request.post) if job.state == "successful" else None
        if found is not None:
            return json_answer(found)
        if job.state == "failed":
            return _exception(400, "ProcessFailed", job.message or "The process failed.", "about:blank")
        if job.state == "dismissed":
            return _exception(410, "JobDismissed", "The job was dismissed.", "about:blank")
        return _exception(404, "ResultNotReady", "The job has no results yet.", f"{_EXCEPTION}result-not-ready")

    def dismiss(self, request: Request, job_id: str) -> Json:
        """Stop a job and forget its results."""
        request.only()
        with self._db.connection() as connection:
            job = jobs.job(connection, _job_id(job_id), request.post)
            if job.state != "dismissed":
                jobs.dismiss(connection, job.job_id, request.post)
        return _status(request, job) | {"status": "dismissed", "message": "The job was dismissed."}


def refused_process(error: OneMapError) -> Answer:
    """An error below ``/processes`` and ``/jobs``: the standard's exception types, as plain JSON."""
    if isinstance(error, AnalysisNotFound):
        return refused(error, kind=JSON, about=f"{_EXCEPTION}no-such-process")
    if isinstance(error, JobNotFound):
        return refused(error, kind=JSON, about=f"{_EXCEPTION}no-such-job")
    return refused(error, kind=JSON)


def read_inputs(analysis: Analysis, given: Any) -> Json:
    """Inputs that fit their schemas; ``BadQuery`` names the one that does not."""
    if not isinstance(given, Mapping):
        raise BadQuery("An execute request has 'inputs', an object.")
    for name in given:
        if name not in analysis.inputs:
            raise BadQuery(f"Process '{analysis.name}' has no input '{name}'.").in_chinese(
                f"“{analysis.title.zh}”没有输入项“{name}”。"
            )
    inputs: Json = {}
    for name, asked in analysis.inputs.items():
        if name in given:
            inputs[name] = _input(name, given[name], asked)
        elif asked.required:
            raise BadQuery(f"Process '{analysis.name}' needs the input '{name}'.").in_chinese(
                f"“{analysis.title.zh}”缺少输入项“{asked.title.zh}”。"
            )
    return inputs


def _input(name: str, value: Any, asked: Input) -> Any:
    """A value inline, or wrapped with its media type; never fetched from elsewhere."""
    if isinstance(value, Mapping) and "href" in value:
        raise BadQuery(f"Input '{name}' is given by reference; this server fetches nothing, send the value itself.")
    validator = Draft202012Validator(asked.schema)
    if isinstance(value, Mapping) and "value" in value and not validator.is_valid(value):
        value = value["value"]
    wrong: ValidationError | None = best_match(validator.iter_errors(value))
    if wrong is not None:
        raise BadQuery(f"Input '{name}' does not fit its schema: {wrong.message[:200]}.").in_chinese(
            f"输入项“{asked.title.zh}”不合要求。"
        )
    return value


def _execute_request(body: bytes) -> Json:
    if len(body) > MAX_BODY_B:
        raise BadQuery(f"The request has {len(body)} bytes; at most {MAX_BODY_B} are read.")
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadQuery("An execute request is JSON.") from None
    if not isinstance(asked, dict):
        raise BadQuery("An execute request is an object.")
    for name in asked:
        if name not in _MEMBERS:
            raise BadQuery(f"An execute request has inputs, outputs and response, not '{name}'.")
    if asked.get("response", "raw") not in ("raw", "document"):
        raise BadQuery("response is raw or document.")
    return asked


def _wanted(analysis: Analysis, asked: Any) -> set[str]:
    if asked is None or asked in ({}, []):
        return set(analysis.outputs)
    if not isinstance(asked, Mapping | list):
        raise BadQuery("outputs is an object of outputs.")
    for name in asked:
        if name not in analysis.outputs:
            raise BadQuery(f"Process '{analysis.name}' has no output '{name}'.")
    return set(asked)


def _raw(analysis: Analysis, name: str, value: Any) -> Answer:
    kind = analysis.outputs[name].get("contentMediaType")
    if isinstance(value, str) and isinstance(kind, str):
        return Answer(value.encode(), f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    return json_answer(value)


def _summary(request: Request, analysis: Analysis) -> Json:
    return {
        "id": analysis.name,
        "title": analysis.title.in_language(request.language),
        "description": analysis.description.in_language(request.language),
        "version": analysis.version,
        "jobControlOptions": _MODES,
        "outputTransmission": ["value"],
        "links": [link("self", JSON, analysis.name, f"{request.base_url}/processes/{analysis.name}?f=json")],
    }


def _status(request: Request, job: Job) -> Json:
    """How far a job is; what is not known is left out."""
    address = f"{request.base_url}/jobs/{job.job_id}"
    links: list[Link] = [link("self", JSON, "status", address)]
    if job.state == "successful":
        links.append(link(f"{OGC}results", JSON, "results", f"{address}/results?f=json"))
    known = {
        "processID": job.process,
        "type": "process",
        "jobID": str(job.job_id),
        "status": job.state,
        "message": job.message,
        "progress": job.progress,
        "created": job.created_at,
        "started": job.started_at,
        "finished": job.finished_at,
        "updated": job.seen_at or job.finished_at or job.created_at,
        "links": links,
    }
    return {name: value for name, value in known.items() if value is not None}


def _job_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise JobNotFound(text) from None


def _exception(status: int, code: str, detail: str, about: str) -> Answer:
    return problem(status, code, detail, kind=JSON, about=about)
