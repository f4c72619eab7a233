"""What pygeoapi is taught, in one place: it is used as a library, and a few of its functions are replaced by ours.

Measured and read in pygeoapi 0.24: most of a stock request is ``CRS.to_epsg`` on CRS84 (14-26 ms); its ``to_json``
turns ``<`` in data into ``&lt;``; its filter parser has no limits; its box transformation moves two corners only; its
logging takes the standard output. ``tests/ogc/test_adapt.py`` holds that each name is still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pyproj
from pygeoapi import api as api_module
from pygeoapi import crs as crs_module
from pygeoapi.api import collection, itemtypes
from pygeoapi.provider import base

from onemap.domain.feature import CRS84, Filter
from onemap.ogc.cql import read_filter


class BoxIn(list[float]):
    """A box as it was sent, with the CRS that it was sent in."""

    def __init__(self, values: Sequence[float], crs_uri: str) -> None:
        super().__init__(values)
        self.crs_uri = crs_uri


class FilterIn:
    """A filter as it was sent, with the CRS of its coordinates."""

    def __init__(self, text: str, crs_uri: str) -> None:
        self.text, self.crs_uri = text, crs_uri


_get_crs = crs_module.get_crs


@cache
def _crs(uri: Any) -> pyproj.CRS:
    """A CRS, built once."""
    found: pyproj.CRS = _get_crs(uri)
    return found


def _document(document: Any, pretty: bool = False) -> Any:  # noqa: ARG001 - pygeoapi's signature
    """The document itself: we write it as JSON or as a page."""
    return document


def _box_as_sent(box: Sequence[float], from_crs: str, to_crs: str, always_xy: bool = False) -> BoxIn:  # noqa: ARG001
    return BoxIn(box, from_crs)


def _filter_as_sent(text: str) -> Filter:
    return read_filter(text, None, CRS84)


def _filter_in_crs(tree: Filter, *, filter_crs_uri: str, **_: Any) -> FilterIn:
    return FilterIn(tree.text, filter_crs_uri)


def _no_logger(_: Mapping[str, Any]) -> None:
    """Logging is set up by the app."""


def teach() -> None:
    """Replace what is replaced; doing it again changes nothing."""
    for module in (crs_module, base):
        module.get_crs = _crs
    for module in (api_module, itemtypes):
        module.to_json = _document
    itemtypes.transform_bbox = _box_as_sent
    itemtypes.parse_cql2_text = _filter_as_sent
    itemtypes.modify_pygeofilter = _filter_in_crs
    for module in (collection, itemtypes):
        module.get_dataset_formatters = lambda _: {}
    api_module.setup_logger = _no_logger
