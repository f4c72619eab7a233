"""pygeoapi as a library: one API object for each reader and address, asked for documents, not for HTTP answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pygeoapi import api as pygeoapi
from pygeoapi.api import itemtypes

from onemap.domain.layer import Language
from onemap.ogc.adapt import teach


@dataclass(frozen=True, slots=True)
class _Asked:
    """What pygeoapi reads of a request."""

    query_params: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=lambda: {"path": ""})


class Refusal(Exception):
    """pygeoapi will not: a status, the word of the OGC exception, a sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class Library:
    """One reader's feed at one address."""

    def __init__(self, config: dict[str, Any]) -> None:
        teach()
        self._api = pygeoapi.API(config, {})

    def landing(self, language: Language) -> dict[str, Any]:
        """The landing page."""
        return self._ask(pygeoapi.landing_page, language)

    def collections(self, language: Language) -> dict[str, Any]:
        """All collections."""
        return self._ask(pygeoapi.describe_collections, language)

    def collection(self, language: Language, name: str) -> dict[str, Any]:
        """One collection."""
        return self._ask(pygeoapi.describe_collections, language, {}, name)

    def queryables(self, language: Language, name: str) -> dict[str, Any]:
        """What a collection can be filtered by."""
        return self._ask(itemtypes.get_collection_queryables, language, {}, name)

    def schema(self, language: Language, name: str) -> dict[str, Any]:
        """The form of a collection's features."""
        return self._ask(pygeoapi.get_collection_schema, language, {}, name)

    def items(self, language: Language, name: str, params: Mapping[str, str]) -> dict[str, Any]:
        """A page of features."""
        return self._ask(itemtypes.get_collection_items, language, params, name)

    def item(self, language: Language, name: str, fid: str, params: Mapping[str, str]) -> dict[str, Any]:
        """One feature."""
        return self._ask(itemtypes.get_collection_item, language, params, name, fid)

    def _ask(
        self,
        function: Callable[..., tuple[Any, int, Any]],
        language: Language,
        params: Mapping[str, str] | None = None,
        *args: str,
    ) -> dict[str, Any]:
        asked = {name: value for name, value in (params or {}).items() if name not in ("f", "lang")}
        request = pygeoapi.APIRequest(_Asked({**asked, "lang": language}), self._api.locales)
        _, status, document = function(self._api, request, *args)
        if int(status) != 200:
            raise Refusal(int(status), str(document["code"]), str(document["description"]))
        found: dict[str, Any] = document
        return found
