"""A request to the feed as its parts see it: where, by whom, in which language and form, with which parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl, quote

from onemap.domain.layer import Language
from onemap.domain.scope import PUBLIC, Scope, scope_of
from onemap.errors import BadQuery

type Form = Literal["json", "html"]

#: A query string longer than this is refused, bytes: a filter of 2 KB, percent-encoded, fits.
MAX_QUERY_B = 12_000
MAX_PARAMETERS = 60

#: Parameters of every document.
COMMON = frozenset({"f", "lang"})

_PLAIN = re.compile(r"[A-Za-z0-9._~,:/()-]*")
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_LANGUAGE_RANGE = re.compile(r"\s*([A-Za-z*-]+)[^;,]*(?:;\s*q=([\d.]+))?\s*$")
_MEDIA_RANGE = re.compile(r"\s*([\w*.+-]+/[\w*.+-]+)[^,]*?(?:;\s*q=([\d.]+))?\s*$")


class Request:
    """One request, read from its ASGI scope."""

    __slots__ = ("base_url", "form", "headers", "language", "method", "params", "path", "post", "scope")

    def __init__(self, asgi: Mapping[str, Any], path: str, addresses: Addresses) -> None:
        self.method: str = asgi["method"]
        self.path = path
        self.scope: Scope = scope_of(asgi)
        #: The post that asks, where it signed in.
        self.post: str | None = asgi.get("onemap.post")
        self.headers = dict(asgi["headers"])
        self.base_url = addresses.base_url(asgi, self.headers)
        self.params = _params(asgi["query_string"])
        self.language: Language = self._language()
        self.form: Form = self._form()

    def _language(self) -> Language:
        asked = self.params.get("lang")
        if asked is None:
            return _preferred_language(self.headers.get(b"accept-language", b""))
        if asked[:2].lower() in ("zh", "en"):
            return "zh" if asked[:2].lower() == "zh" else "en"
        raise BadQuery(f"lang is '{asked}'; this feed speaks zh and en.")

    def _form(self) -> Form:
        asked = self.params.get("f")
        if asked is None:
            return _preferred_form(self.headers.get(b"accept", b""))
        if asked in ("json", "html"):
            return "html" if asked == "html" else "json"
        if asked == "mvt" and "/tiles/" in self.path:
            return "json"
        raise BadQuery(f"f is '{asked}'; this feed writes json and html.")

    def only(self, *allowed: str) -> None:
        """Refuse parameters that a document does not know: a misspelt one would be silently without effect."""
        for name in self.params:
            if name not in COMMON and name not in allowed:
                raise BadQuery(f"'{name}' is no parameter here.")

    def href(self, path: str, **changes: str | None) -> str:
        """An address below the feed with this request's parameters, changed; None takes one away."""
        params = {**self.params, **changes}
        query = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in params.items() if value is not None])
        return f"{self.base_url}{path}{'?' if query else ''}{query}"

    def without_reader(self) -> Request:
        """The same place asked without parameters by nobody in particular: what addresses depend on, to be kept."""
        bare = object.__new__(Request)
        bare.method, bare.path, bare.params, bare.headers = self.method, self.path, {}, {}
        bare.scope, bare.post = PUBLIC, None
        bare.base_url, bare.language, bare.form = self.base_url, self.language, self.form
        return bare


class Addresses:
    """Under which address readers know the feed.

    Parameters
    ----------
    public_url
        The server's address, where a proxy stands before it; empty to believe the request.
    trusted_proxies
        Peers whose ``X-Forwarded-Host`` and ``X-Forwarded-Proto`` are believed.
    """

    def __init__(self, base_path: str, *, public_url: str = "", trusted_proxies: frozenset[str] = frozenset()) -> None:
        self.base_path = base_path
        self._public = f"{public_url.rstrip('/')}{base_path}" if public_url else ""
        self._trusted = trusted_proxies

    def base_url(self, asgi: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
        """The address of the landing page, without a slash at its end."""
        if self._public:
            return self._public
        scheme, host = asgi.get("scheme", "http"), headers.get(b"host", b"").decode("latin-1")
        client = asgi.get("client")
        if self._trusted and client and client[0] in self._trusted:
            host = headers.get(b"x-forwarded-host", host.encode()).decode("latin-1").split(",")[0].strip()
            forwarded = headers.get(b"x-forwarded-proto", scheme.encode()).decode("latin-1").split(",")[0].strip()
            scheme = forwarded if forwarded in ("http", "https") else scheme
        if not _HOST.fullmatch(host):
            server = asgi.get("server") or ("127.0.0.1", None)
            host = server[0] if server[1] is None else f"{server[0]}:{server[1]}"
        return f"{scheme}://{host}{asgi.get('root_path', '')}{self.base_path}"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=",:/()")


def _params(query: bytes) -> dict[str, str]:
    if not query:
        return {}
    if len(query) > MAX_QUERY_B:
        raise BadQuery(f"The query has {len(query)} bytes; at most {MAX_QUERY_B} are read.")
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError:
        raise BadQuery("The query is not percent-encoded UTF-8 with a moderate number of parameters.") from None
    params = dict(pairs)
    if len(params) != len(pairs):
        raise BadQuery("A parameter may stand only once.")
    return params


@lru_cache(maxsize=256)
def _preferred_language(header: bytes) -> Language:
    best: tuple[float, Language] = (0.0, "zh")
    for part in header.decode("latin-1").split(","):
        found = _LANGUAGE_RANGE.match(part)
        if found is not None and (language := found[1][:2].lower()) in ("zh", "en"):
            quality = _quality(found[2])
            if quality > best[0]:
                best = (quality, "zh" if language == "zh" else "en")
    return best[1]


@lru_cache(maxsize=256)
def _preferred_form(header: bytes) -> Form:
    """HTML for those who ask for it before JSON, as browsers do; JSON for all others."""
    html = json = 0.0
    for part in header.decode("latin-1").split(","):
        found = _MEDIA_RANGE.match(part)
        if found is None:
            continue
        kind, quality = found[1].lower(), _quality(found[2])
        if kind == "text/html":
            html = max(html, quality)
        elif kind in ("application/json", "application/geo+json", "application/schema+json"):
            json = max(json, quality)
    return "html" if html > json else "json"


def _quality(text: str | None) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
