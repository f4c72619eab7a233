"""Where posts on duty are: reports one by one or many at once, kept before they are acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NoReturn

from fastapi import APIRouter, Body
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from onemap.api.deps import CurrentParts, CurrentScope, parts_of
from onemap.domain.scope import scope_of
from onemap.store.positions import Report

PATH = "/api/positions"
router = APIRouter(prefix=PATH, tags=["positions"])

MOST_REPORTS = 1_000

_ClientId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_.:-]{1,80}$", description="the handset's or gateway's own id")]


class PositionIn(BaseModel):
    """Where a post was; ``seq`` is the client's own number: sent twice, kept once."""

    model_config = ConfigDict(extra="forbid")

    seq: int = Field(ge=0, lt=2**63)
    responder_id: str = Field(pattern=r"^[^\x00-\x1f]{1,80}$")
    at: AwareDatetime = Field(description="when it was there, not when it is sent")
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)


class SinglePositionIn(PositionIn):
    """One report."""

    client_id: _ClientId


class PositionsIn(BaseModel):
    """Many reports of one client, in any order."""

    model_config = ConfigDict(extra="forbid")

    client_id: _ClientId
    reports: list[PositionIn] = Field(min_length=1, max_length=MOST_REPORTS)


class ReceiptOut(BaseModel):
    """What became of the reports; all of them are safe now."""

    received_at: datetime
    n_accepted: int
    n_duplicate: int
    n_off_duty: int
    n_expired: int


@router.post(
    "", response_model=ReceiptOut, responses={204: {"description": "All of the posts are off duty: nothing was kept."}}
)
async def report_positions(
    told: Annotated[SinglePositionIn | PositionsIn, Body()], parts: CurrentParts, scope: CurrentScope
) -> ReceiptOut | Response:
    """
    Report positions; answered when they are kept.

    All reports of a request are taken or, where one is wrong, none. Reports of posts off duty are not kept; reports
    that arrive late keep their own time and do not move anybody back.
    """
    one_by_one = [told] if isinstance(told, SinglePositionIn) else told.reports
    reports = tuple(Report(told.client_id, r.seq, r.responder_id, r.at, r.lon, r.lat, r.accuracy_m) for r in one_by_one)
    receipt = await parts.report(scope, reports)
    if receipt.n_off_duty == len(reports):
        return Response(status_code=204)
    return ReceiptOut.model_validate(receipt, from_attributes=True)


class PositionRoute(BaseRoute):
    """
    The short way to :func:`report_positions`, for it is called some hundred times a second.

    Before the other routes, the body read in one pass; FastAPI's own way to the same function costs three times that.
    """

    _told: TypeAdapter[SinglePositionIn | PositionsIn] = TypeAdapter(SinglePositionIn | PositionsIn)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """POST only: what else may be asked of this address, the others answer."""
        is_report = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        return (Match.FULL, {}) if is_report else (Match.NONE, {})

    def url_path_for(self, name: str, /, **_: object) -> NoReturn:
        """Nobody asks for its address by name."""
        raise NoMatchFound(name, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, keep, answer."""
        body = await Request(scope, receive).body()
        try:
            told = self._told.validate_json(body)
        except ValidationError as wrong:
            errors = wrong.errors(include_url=False)
            raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in errors]) from wrong
        receipt = await report_positions(told, parts_of(scope["app"]), scope_of(scope))
        if isinstance(receipt, BaseModel):
            receipt = Response(receipt.model_dump_json(), media_type="application/json")
        await receipt(scope, receive, send)
