"""The one table from an error to a status, and errors as ``application/problem+json``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

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

#: What is wrong with a parameter, by the kind that Pydantic gives it; braces are filled from what it tells beside.
_WRONG_ZH = {
    "missing": "未给出",
    "extra_forbidden": "不是可给的项",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "须小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "int_parsing": "须为整数",
    "int_type": "须为整数",
    "int_from_float": "须为整数",
    "float_parsing": "须为数字",
    "float_type": "须为数字",
    "finite_number": "须为有限的数字",
    "bool_parsing": "须为 true 或 false",
    "datetime_parsing": "须为日期和时间",
    "datetime_from_date_parsing": "须为日期和时间",
    "timezone_aware": "须带时区",
    "date_from_datetime_parsing": "须为日期",
    "string_pattern_mismatch": "格式不对",
    "string_too_short": "至少 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "literal_error": "须为 {expected} 之一",
    "json_invalid": "不是 JSON",
}

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
        wrong = [(".".join(str(part) for part in one["loc"][1:]), one) for one in error.errors()]
        said = "; ".join(f"{where}: {one['msg']}" for where, one in wrong)
        zh = "；".join(f"“{where or '正文'}”{_in_chinese(one)}" for where, one in wrong)
        return problem(400, f"The request cannot be read: {said}.", zh=f"请求无法读取：{zh}。")

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    def _bug(request: Request, error: Exception) -> Response:
        _log.error("bug", path=request.url.path, exc_info=error)
        return problem(500, "Something went wrong on our side; the log has the details.", zh="服务器出错，详情见日志。")


def _in_chinese(wrong: dict[str, Any]) -> str:
    try:
        return _WRONG_ZH[wrong["type"]].format_map(wrong.get("ctx", {})).replace(" or ", " 或 ")
    except KeyError:  # a kind that has no words here, or one that came without its limits
        return "不合要求"
