"""The feed as routes of the app: ``ogc_routes`` gives one route that answers everything below ``/ogc``.

JSON items, single items and tiles take the fast path; every other document comes from pygeoapi, as JSON or as a page.
Who may see what is decided before both, and whatever is kept between requests is kept by reader and address.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote

from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope as AsgiScope, Send

from onemap.analyses.registry import Registry
from onemap.domain.feature import Crs, crs_list
from onemap.domain.layer import Catalog, Layer
from onemap.domain.scope import EVERYTHING, Scope
from onemap.errors import BadQuery, BadTile, OneMapError
from onemap.ogc import documents, fast, html, tiles
from onemap.ogc.answer import Answer, json_answer, problem, refused
from onemap.ogc.config import TITLE, pygeoapi_config
from onemap.ogc.library import Library, Refusal
from onemap.ogc.links import GEOJSON, JSON, MVT, OPENAPI, SCHEMA_JSON
from onemap.ogc.openapi import openapi_document
from onemap.ogc.processes import MAX_BODY_B, Processes, refused_process
from onemap.ogc.query import read_ask, read_crs
from onemap.ogc.request import Addresses, Request
from onemap.store.db import AsyncDb, Db
from onemap.store.features import Facts, Features
