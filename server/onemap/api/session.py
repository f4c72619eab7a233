"""Signing in from the browser: a token becomes a cookie that scripts cannot read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from onemap.api.deps import CurrentScope
from onemap.api.sign_in import COOKIE, FindAccount, unknown_token
from onemap.domain.scope import Scope

router = APIRouter(prefix="/api/session", tags=["session"])

_DAY_S = 86_400


class TokenIn(BaseModel):
    """What whoever runs the server gave to the reader (``onemap users add``)."""

    token: str = Field(max_length=200)


class SessionOut(BaseModel):
    """Who the server takes the reader for."""

    post: str | None
    classes: list[str]
    areas: list[str] | None
    may: list[str]


@router.get("")
def who_am_i(request: Request, scope: CurrentScope) -> SessionOut:
    """The reader's post, and what the reader may see."""
    return _out(request.scope.get("onemap.post"), scope)


@router.post("")
async def sign_in(request: Request, response: Response, given: TokenIn) -> SessionOut:
    """Trade a token for a cookie."""
    find_account: FindAccount = request.app.state.find_account
    account = await find_account(given.token)
    if account is None:
        raise unknown_token()
    post, scope = account
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, given.token, max_age=_DAY_S, httponly=True, samesite="strict", secure=secure)
    return _out(post, scope)


@router.delete("", status_code=204)
def sign_out(response: Response) -> None:
    """Forget the cookie."""
    response.delete_cookie(COOKIE)


def _out(post: str | None, scope: Scope) -> SessionOut:
    return SessionOut(
        post=post,
        classes=sorted(scope.classes),
        areas=None if scope.areas is None else list(scope.areas),
        may=sorted(scope.may),
    )
