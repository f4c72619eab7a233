"""Processes as the official suite asks them: described, run at once or as a job, refused in the right words."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from onemap.analyses.all import ALL
from onemap.analyses.runner import run_next
from onemap.domain.layer import Catalog
from onemap.ogc.processes import MAX_BODY_B
from onemap.store.db import Db

from .conftest import BASE, Get

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
TEXT = {"text": "teststring"}

#: The standard's statusInfo: nothing that is not set is null.
STATUS_INFO = {
    "type": "object",
    "required": ["jobID", "status", "type"],
    "properties": {
        "processID": {"type": "string"},
        "type": {"enum": ["process"]},
        "jobID": {"type": "string"},
        "status": {"enum": ["accepted", "running", "successful", "failed", "dismissed"]},
        "message": {"type": "string"},
        "created": {"type": "string"},
        "started": {"type": "string"},
        "finished": {"type": "string"},
        "updated": {"type": "string"},
        "progress": {"type": "integer", "minimum": 0, "maximum": 100},
        "links": {"type": "array"},
    },
}


@pytest.fixture
def execute(client: TestClient) -> Any:
    def post(inputs: Any, prefer: str = "", post: str | None = None, **more: Any) -> Any:
        headers = {"prefer": prefer} if prefer else {}
        if post is not None:
            headers["x-post"] = post
        return client.post("/ogc/processes/echo/execution", json={"inputs": inputs, **more}, headers=headers)

    return post


@pytest.fixture
def run_jobs(town: str, catalog: Catalog) -> Any:
    """Run every waiting job, as the worker does."""

    def run() -> None:
        with Db(town, max_size=2) as db:
            while run_next(db, catalog, ALL):
                pass

    return run


def test_processes_are_listed_and_the_limit_holds(get: Get):
    listed = get("/processes")["processes"]
    assert "echo" in [process["id"] for process in listed]
    assert len(get("/processes", limit=1)["processes"]) == 1
    get("/processes", limit="x", status=400)


def test_a_process_is_described_with_schemas_that_are_schemas(get: Get):
    for listed in get("/processes")["processes"]:
        process = get(f"/processes/{listed['id']}")
        assert {"sync-execute", "async-execute"} == set(process["jobControlOptions"])
        for part in (*process["inputs"].values(), *process["outputs"].values()):
            jsonschema.Draft202012Validator.check_schema(part["schema"])


def test_echo_has_what_the_suite_needs(get: Get):
    process = get("/processes/echo")
    inputs, first = process["inputs"], next(iter(process["inputs"]))
    assert inputs[first]["schema"]["type"] == "string"
    assert "contentMediaType" in inputs[first]["schema"]
    assert first in process["outputs"]
    assert inputs["pause"]["minOccurs"] == 0
    arrays = [part["schema"] for part in inputs.values() if part["schema"].get("type") == "array"]
    assert [schema["items"]["type"] for schema in arrays] == ["integer"]
    boxes = [part["schema"] for part in inputs.values() if "allOf" in part["schema"]]
    assert [[entry["format"] for entry in schema["allOf"]] for schema in boxes] == [["ogc-bbox"]]
    mixed = [part["schema"] for part in inputs.values() if "oneOf" in part["schema"]]
    assert {"string", "object"} <= {entry["type"] for entry in mixed[0]["oneOf"]}


def test_the_inputs_of_the_suite_are_echoed(execute: Any):
    inputs = {
        "text": "teststring",
        "numbers": [1, 2, 3],
        "box": {"bbox": [345345345] * 4, "crs": "urn:ogc:def:crs:EPSG:6.6:4326"},
        "mixed": {"value": "teststring"},
    }
    answer = execute(inputs, outputs={name: {"transmissionMode": "value"} for name in inputs})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == inputs
    assert execute(inputs, response="document").json() == inputs
    assert execute(inputs).json() == inputs


def test_one_raw_output_comes_as_it_is(execute: Any):
    answer = execute(TEXT, outputs={"text": {}}, response="raw")
    assert answer.text == "teststring"
    assert answer.headers["content-type"].startswith("text/plain")
    assert execute(TEXT, outputs={}, response="raw").json() == TEXT


@pytest.mark.parametrize("inputs", [
    {"text": {"href": "http://127.0.0.1:1/x"}},
    {"text": {"type": "wrong/type"}},
    {"text": 5},
    {"numbers": "many"},
    {"box": {"bbox": [1, 2]}},
    {"pause": -1},
    {"no_such": 1},
    [],
    None,
])  # fmt: skip
def test_inputs_that_do_not_fit_are_400_in_plain_json(execute: Any, inputs: Any):
    answer = execute(inputs)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert {"type", "title", "status", "detail"} <= set(answer.json())


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"invalid-execute-request":"true)"}', b'{"inputs":{},"outputs":{"x":{}}}',
                                  b'{"inputs":{},"subscriber":{"successUri":"http://x"}}', b"{" * 100_000])  # fmt: skip
def test_a_request_that_is_none_is_400(client: TestClient, body: bytes):
    answer = client.post("/ogc/processes/echo/execution", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_request_that_is_too_large_is_400(client: TestClient):
    answer = client.post("/ogc/processes/echo/execution", content=b" " * (MAX_BODY_B + 1))
    assert answer.status_code == 400


def test_a_job_is_asked_for_run_and_fetched(client: TestClient, execute: Any, run_jobs: Any):
    answer = execute(TEXT, prefer="respond-async", outputs={"text": {}})
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "respond-async"
    address = answer.headers["location"]
    assert address.startswith(f"{BASE}/jobs/")
    jsonschema.validate(answer.json(), STATUS_INFO)

    early = client.get(f"{address}/results")
    assert early.status_code == 404
    assert early.headers["content-type"] == "application/json"
    assert early.json()["type"] == f"{EXCEPTIONS}result-not-ready"

    run_jobs()
    status = client.get(address).json()
    jsonschema.validate(status, STATUS_INFO)
    assert (status["status"], status["progress"]) == ("successful", 100)
    (results,) = (link for link in status["links"] if link["rel"].endswith("/results"))
    assert client.get(results["href"]).json() == TEXT


def test_a_long_question_becomes_a_job_by_itself(execute: Any):
    assert execute({**TEXT, "pause": 30}).status_code == 201
    assert execute({**TEXT, "pause": 0}).status_code == 200


def test_jobs_are_listed_without_a_second_slash(client: TestClient, get: Get, execute: Any):
    execute(TEXT, prefer="respond-async")
    (jobs,) = (link for link in get("/")["links"] if link["rel"].endswith("/job-list"))
    assert jobs["href"] == f"{BASE}/jobs"
    listed = get("/jobs", limit=2)["jobs"]
    assert listed
    for status in listed:
        jsonschema.validate(status, STATUS_INFO)
    assert "//jobs" not in client.get("/ogc/").text


def test_a_job_is_dismissed_once_and_for_all(client: TestClient, execute: Any, run_jobs: Any):
    address = execute({**TEXT, "pause": 20}, prefer="respond-async").headers["location"]
    for _ in range(2):
        answer = client.delete(address)
        assert answer.status_code == 200
        assert answer.json()["status"] == "dismissed"
    assert client.get(f"{address}/results").status_code == 410


def test_a_job_belongs_to_who_asked(client: TestClient, execute: Any):
    address = execute(TEXT, prefer="respond-async", post="grid officer 1").headers["location"]
    for headers in ({}, {"x-post": "grid officer 2"}):
        for answer in (client.get(address, headers=headers), client.delete(address, headers=headers)):
            assert answer.status_code == 404
            assert answer.json()["type"] == f"{EXCEPTIONS}no-such-job"
        assert address.rsplit("/", 1)[1] not in client.get("/ogc/jobs", headers=headers).text
    assert client.get(address, headers={"x-post": "grid officer 1"}).status_code == 200


@pytest.mark.parametrize(("path", "kind"), [
    ("/processes/no-such", "no-such-process"),
    ("/jobs/no-such", "no-such-job"),
    ("/jobs/00000000-0000-0000-0000-000000000000", "no-such-job"),
    ("/jobs/no-such/results", "no-such-job"),
])  # fmt: skip
def test_what_is_not_there_is_404_with_its_exception(client: TestClient, path: str, kind: str):
    answer = client.get(f"/ogc{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["type"] == f"{EXCEPTIONS}{kind}"


def test_other_methods_do_nothing(client: TestClient):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.request(method, "/ogc/collections/buildings/items").status_code == 405
    assert client.request("OPTIONS", "/ogc/collections").headers["allow"] == "GET, HEAD, OPTIONS"
    head = client.head("/ogc/collections/buildings/items/1")
    assert head.status_code == 200
    assert head.content == b""
