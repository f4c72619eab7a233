"""The one table from an error to a status, and errors as ``application/problem+json``."""

from __future__ import annotations

from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from onemap import errors

MEDIA_TYPE = "application/problem+json"

#: The first class that fits decides; anything that is no OneMapError is a bug.
STATUS: tuple[tuple[type[errors.OneMapError], int], ...] = (
    (errors.LayerNotFound, 404),
    (errors.FeatureNotFound, 404),
    (errors.BadTile, 404),
    (errors.JobNotFound, 404),
    (errors.AnalysisNotFound, 404),
    (errors.SignInNeeded, 401),
    (errors.NotAllowed, 403),
    (errors.Conflict, 409),
    (errors.UsageError, 400),
    (errors.InvalidValue, 400),
    (errors.InputRefused, 422),
    (errors.TooBusy, 503),
    (errors.DatabaseError, 503),
    (errors.ClusterError, 503),
    (errors.OneMapError, 400),
)

_log = structlog.get_logger()


def status_of(error: errors.OneMapError) -> int:
    """The HTTP status of an error."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def problem(status: int, detail: str, *, title: str | None = None, zh: str | None = None) -> Response:
    """A problem document (RFC 9457); ``detail_zh`` is the same sentence in Chinese where there is one."""
    title = title or HTTPStatus(status).phrase
    headers = {"WWW-Authenticate": 'Bearer realm="onemap"'} if status == 401 else None
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if zh is not None:
        body["detail_zh"] = zh
    return Response(orjson.dumps(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let an app answer every error with a problem document."""

    @app.exception_handler(errors.OneMapError)
    def _known(_: Request, error: errors.OneMapError) -> Response:
        return problem(status_of(error), str(error), title=type(error).__name__, zh=error.zh)

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> Response:
        said = "; ".join(f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors())
        return problem(400, f"The request cannot be read: {said}.")

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    def _bug(request: Request, error: Exception) -> Response:
        _log.error("bug", path=request.url.path, exc_info=error)
        return problem(500, "Something went wrong on our side; the log has the details.")
