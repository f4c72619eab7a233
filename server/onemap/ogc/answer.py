"""Answers: bytes with their headers, sent as they are; errors as the feed's documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import Send

from onemap import errors
from onemap.domain.layer import Language

PROBLEM_JSON = "application/problem+json"

#: The first class that fits decides the status and the word of the OGC exception.
_STATUS: tuple[tuple[type[errors.OneMapError], int, str], ...] = (
    (errors.LayerNotFound, 404, "NotFound"),
    (errors.FeatureNotFound, 404, "NotFound"),
    (errors.JobNotFound, 404, "NoSuchJob"),
    (errors.AnalysisNotFound, 404, "NoSuchProcess"),
    (errors.BadTile, 404, "NotFound"),
    (errors.SignInNeeded, 401, "Unauthorized"),
    (errors.NotAllowed, 403, "Forbidden"),
    (errors.DatabaseError, 503, "ServiceUnavailable"),
    (errors.OneMapError, 400, "InvalidParameterValue"),
)

#: An answer depends on these beside its address.
_VARY = (b"vary", b"accept, accept-language, authorization, cookie")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    body: bytes
    kind: str
    status: int = 200
    language: Language | None = None
    headers: Sequence[tuple[bytes, bytes]] = field(default=())

    async def send(self, send: Send, *, body: bool = True) -> None:
        """Send it; without its body where only the headers were asked for."""
        headers = [
            (b"content-type", self.kind.encode()),
            (b"content-length", b"%d" % len(self.body)),
            _VARY,
            *self.headers,
        ]
        if self.language is not None:
            headers.append((b"content-language", self.language.encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if body else b""})


def json_answer(document: Any, kind: str = "application/json", **more: Any) -> Answer:
    """A document as JSON."""
    return Answer(orjson.dumps(document), kind, **more)


def problem(
    status: int, code: str, detail: str, *, zh: str | None = None, kind: str = PROBLEM_JSON, about: str = "about:blank"
) -> Answer:
    """An error: a problem document (RFC 9457) that is an OGC exception as well; ``detail_zh`` where there is one."""
    document = {
        "type": about,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "description": detail,
    }
    if zh is not None:
        document["detail_zh"] = zh
    headers = ((b"www-authenticate", b'Bearer realm="onemap"'),) if status == 401 else ()
    return Answer(orjson.dumps(document), kind, status, headers=headers)


def refused(error: errors.OneMapError, **more: Any) -> Answer:
    """What we can explain, explained."""
    status, code = next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))
    return problem(status, code, str(error), zh=error.zh, **more)
