"""Who is asking: puts a :class:`Scope` into every request before anything else looks at it.

A token comes as ``Authorization: Bearer``, as the password of Basic (QGIS), or as our cookie. Without one a reader is
the public, or a viewer when sitting at this very machine (docs/adr/0005-local-viewer.md). A token that nobody holds is
refused rather than taken for the public.

A browser sends the cookie, and is at this very machine, for whatever page it shows. So a request that would change
something must come from a page of ours, unless it names its token itself.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from onemap.api.problems import problem
from onemap.domain.scope import ASGI_KEY, PUBLIC, Scope
from onemap.errors import SignInNeeded

COOKIE = "onemap"
#: A token that was taken away stops working within this time, seconds.
_REMEMBER_S = 10.0
_MOST_REMEMBERED = 10_000
_LOOPBACK_PEERS = ("127.0.0.1", "::1")
_LOOPBACK_HOSTS = (b"127.0.0.1", b"localhost", b"[::1]")
_SAFE = ("GET", "HEAD", "OPTIONS")
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")

type FindAccount = Callable[[str], Awaitable[tuple[str, Scope] | None]]


def unknown_token() -> SignInNeeded:
    """What a token that nobody holds is answered."""
    return SignInNeeded("This token is not valid (any more); ask whoever runs the server for a new one.").in_chinese(
        "令牌无效或已失效，请向管理员索取新的。"
    )


class SignIn:
    """ASGI middleware that recognises the reader.

    Parameters
    ----------
    find_account
        The post and scope behind a token.
    local_scope
        What a direct request from this machine is without a token.
    public_url
        Address that readers use, where a proxy stands before us; else the request's own ``Host`` counts.
    """

    def __init__(self, app: ASGIApp, *, find_account: FindAccount, local_scope: Scope, public_url: str = "") -> None:
        self._app = app
        self._find_account = find_account
        self._local_scope = local_scope
        self._public_host = urlsplit(public_url).netloc
        self._known: dict[str, tuple[float, tuple[str, Scope] | None]] = {}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Recognise the reader and pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if scope["method"] not in _SAFE and not (_names_its_token(headers) or self._is_ours(headers)):
            refusal = problem(
                403,
                "This request comes from a page of another site, which may not change the map.",
                zh="请求来自其他网站的页面，不能改动地图。",
            )
            await refusal(scope, receive, send)
            return
        token = _token(headers)
        if token is None:
            scope[ASGI_KEY] = self._local_scope if _is_local(scope, headers) else PUBLIC
        else:
            account = await self._account(token)
            if account is None:
                unknown = unknown_token()
                answer = problem(401, str(unknown), zh=unknown.zh)
                answer.delete_cookie(COOKIE)
                await answer(scope, receive, send)
                return
            scope["onemap.post"], scope[ASGI_KEY] = account
            scope["onemap.still_allowed"] = partial(self._still, token, account)
        await self._app(scope, receive, send)

    def _is_ours(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request comes from a page of ours, or from no page at all."""
        if headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none"):
            return False
        if b"origin" not in headers:
            return True
        origin = urlsplit(headers[b"origin"].decode("latin-1")).netloc
        return origin in (headers.get(b"host", b"").decode("latin-1"), self._public_host) and bool(origin)

    async def _still(self, token: str, account: tuple[str, Scope]) -> bool:
        """Whether a token still stands for what it stood for, for answers that last."""
        return await self._account(token) == account

    async def _account(self, token: str) -> tuple[str, Scope] | None:
        now = time.monotonic()
        until, account = self._known.get(token, (0.0, None))
        if until < now:
            account = await self._find_account(token)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[token] = (now + _REMEMBER_S, account)
        return account


def _names_its_token(headers: dict[bytes, bytes]) -> bool:
    """A browser adds cookie and password by itself, a bearer token never."""
    return headers.get(b"authorization", b"").lower().startswith(b"bearer ")


def _token(headers: dict[bytes, bytes]) -> str | None:
    kind, _, value = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    if b"cookie" not in headers:
        return None
    try:
        cookie = SimpleCookie(headers[b"cookie"].decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _is_local(scope: AsgiScope, headers: dict[bytes, bytes]) -> bool:
    """A request straight from this machine: not through a proxy, nor from a page elsewhere that rebinds its name."""
    peer = scope.get("client")
    host = headers.get(b"host", b"")
    host = host[: host.index(b"]") + 1] if host.startswith(b"[") and b"]" in host else host.partition(b":")[0]
    return (
        peer is not None
        and peer[0] in _LOOPBACK_PEERS
        and host in _LOOPBACK_HOSTS
        and not any(name in headers for name in _FORWARDED)
    )
