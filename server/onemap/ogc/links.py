"""Links: every document says where it is, in which other form, and what belongs to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from onemap.domain.layer import Layer, Title
from onemap.ogc.request import Request

JSON, HTML, GEOJSON = "application/json", "text/html", "application/geo+json"
SCHEMA_JSON, OPENAPI = "application/schema+json", "application/vnd.oai.openapi+json;version=3.0"
MVT = "application/vnd.mapbox-vector-tile"
OGC = "http://www.opengis.net/def/rel/ogc/1.0/"

type Link = dict[str, Any]

_SELF = Title("本文档", "This document")
_ALTERNATE = {
    "html": Title("本文档的网页形式", "This document as HTML"),
    "json": Title("本文档的 JSON 形式", "This document as JSON"),
}


def link(rel: str, kind: str, title: str, href: str, **more: Any) -> Link:
    """One link."""
    return {"rel": rel, "type": kind, "title": title, "href": href, **more}


def own_links(request: Request, path: str, kind: str = JSON, *, html: bool = True) -> list[Link]:
    """Where a document is, and where in the other form; ``kind`` is the media type of its JSON form."""
    as_json = request.href(path, f="json")
    if not html:
        return [link("self", kind, _SELF.in_language(request.language), as_json)]
    as_html = request.href(path, f="html")
    forms = {"json": (kind, as_json), "html": (HTML, as_html)}
    other = "json" if request.form == "html" else "html"
    return [
        link("self", forms[request.form][0], _SELF.in_language(request.language), forms[request.form][1]),
        link("alternate", forms[other][0], _ALTERNATE[other].in_language(request.language), forms[other][1]),
    ]


def landing_links(request: Request, *, processes: bool) -> list[Link]:
    """What the landing page leads to."""
    base, say = request.base_url, _speaker(request)
    links = [
        *own_links(request, "/"),
        link("service-desc", OPENAPI, say("接口定义", "API definition"), f"{base}/openapi"),
        link("service-doc", HTML, say("接口说明", "API documentation"), f"{base}/openapi?f=html"),
        link("conformance", JSON, say("符合的标准", "Conformance classes"), f"{base}/conformance"),
        link("data", JSON, say("数据集", "Collections"), f"{base}/collections"),
        link(f"{OGC}tilesets-vector", JSON, say("矢量瓦片", "Vector tiles"), f"{base}/tiles?f=json"),
        link(f"{OGC}tiling-schemes", JSON, say("瓦片矩阵集", "Tile matrix sets"), f"{base}/tileMatrixSets?f=json"),
    ]
    if processes:
        links += [
            link(f"{OGC}processes", JSON, say("分析", "Processes"), f"{base}/processes"),
            link(f"{OGC}job-list", JSON, say("任务", "Jobs"), f"{base}/jobs"),
        ]
    return links


def collection_links(request: Request, layer: Layer, *, alone: bool) -> list[Link]:
    """What a collection leads to; ``alone`` where the document is about it, not about all."""
    base, say = f"{request.base_url}/collections/{layer.name}", _speaker(request)
    own = (
        own_links(request, f"/collections/{layer.name}")
        if alone
        else [
            link("self", JSON, _SELF.in_language(request.language), f"{base}?f=json"),
            link("alternate", HTML, _ALTERNATE["html"].in_language(request.language), f"{base}?f=html"),
        ]
    )
    return [
        *own,
        # no '?f=json' at the end: GDAL 3.6 appends the number of a feature to this address
        link("items", GEOJSON, say("要素", "Items"), f"{base}/items"),
        link("items", HTML, say("要素网页", "Items as HTML"), f"{base}/items?f=html"),
        link(f"{OGC}schema", SCHEMA_JSON, say("字段", "Schema"), f"{base}/schema?f=json"),
        link(f"{OGC}queryables", SCHEMA_JSON, say("可查询字段", "Queryables"), f"{base}/queryables?f=json"),
        link(f"{OGC}tilesets-vector", JSON, say("矢量瓦片", "Vector tiles"), f"{base}/tiles?f=json"),
        link("root", JSON, say("首页", "Landing page"), request.base_url),
    ]


def items_links(request: Request, layer: Layer, cursor: str | None) -> list[Link]:
    """Where a page of features is, and the next one."""
    path, say = f"/collections/{layer.name}/items", _speaker(request)
    links = own_links(request, path, GEOJSON)
    if cursor is not None:
        following = request.href(path, after=cursor, offset=None)
        links.append(link("next", links[0]["type"], say("下一页", "Next page"), following))
    links.append(link("collection", JSON, layer.title.in_language(request.language), _collection(request, layer)))
    return links


def item_links(request: Request, layer: Layer, fid: str) -> list[Link]:
    """Where a feature is, and its collection."""
    links = own_links(request, f"/collections/{layer.name}/items/{quote(fid)}", GEOJSON)
    links.append(link("collection", JSON, layer.title.in_language(request.language), _collection(request, layer)))
    return links


def _collection(request: Request, layer: Layer) -> str:
    return f"{request.base_url}/collections/{layer.name}"


def _speaker(request: Request) -> Any:
    return lambda zh, en: zh if request.language == "zh" else en
