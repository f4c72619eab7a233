"""Taking data out and looking at what lies on a piece of ground: as far as the reader sees it, and written down."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.parse import quote

import shapely
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from onemap.api.deps import CurrentActor, CurrentCatalog, CurrentDb, CurrentScope, NamedLayer, parse_box
from onemap.api.events import Wanted
from onemap.domain.event import EventFilter
from onemap.domain.layer import Catalog, Layer
from onemap.domain.region import Region, parse_polygon
from onemap.domain.scope import Permission, Scope
from onemap.errors import BadQuery, InputRefused, TooBusy
from onemap.ingest import sheets
from onemap.ingest.export import Format, write_batches
from onemap.store import selection as store
from onemap.store.accounts import audit
from onemap.store.db import Connection, Db

router = APIRouter(prefix="/api", tags=["export"])

MOST_ROWS, MOST_SELECTED = 1_000_000, 500
#: Exports that one process writes at a time.
_AT_ONCE = threading.BoundedSemaphore(4)
_CHUNK_B = 1 << 18


class ExportFormat(StrEnum):
    """What an export can be."""

    CSV = "csv"
    XLSX = "xlsx"
    GEOJSON = "geojson"
    GPKG = "gpkg"


class EventFormat(StrEnum):
    """What an export of events can be."""

    CSV = "csv"
    XLSX = "xlsx"
    GEOJSON = "geojson"


_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.partition(";")[0]: _BYTES for kind in _MEDIA.values()}}
}


class SelectedOut(BaseModel):
    """One feature of a selection, and a point on it."""

    fid: int
    title: str
    properties: dict[str, Any]
    point: tuple[float, float]


class SelectionOut(BaseModel):
    """What lies on a piece of ground; ``exact`` is false where counting stopped, then it is "at least" and no sums."""

    n: int
    exact: bool
    households: int | None
    persons: int | None
    features: list[SelectedOut]
    next: str | None


def _region(area: str = "", bbox: str | None = None, polygon: str | None = None) -> Region:
    return Region(area, parse_box(bbox) if bbox else None, parse_polygon(polygon) if polygon else None)


Ground = Annotated[Region, Depends(_region)]
Listed = Annotated[bool, Query(description="of events: those that the filter means, closed ones too")]


@router.get("/events/export", response_class=StreamingResponse, responses=_FILES)
def export_events(
    wanted: Wanted,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    actor: CurrentActor,
    format: EventFormat = EventFormat.CSV,  # noqa: A002 the name in the address
) -> StreamingResponse:
    """The events of a filter as a file: the same that the list shows."""
    layer = catalog.layer("events")
    filled = ((name, getattr(wanted, name)) for name in wanted.__dataclass_fields__)
    meant = {name: _plain(value) for name, value in filled if value not in (None, frozenset())}
    export = _Export(db, catalog, layer, scope, actor, Format(format.value))
    return export.answer(store.of_filter(layer, scope, wanted), wanted.area or "", meant)


@router.get("/export/{layer}", response_class=StreamingResponse, responses=_FILES)
def export_layer(
    layer: NamedLayer,
    ground: Ground,
    wanted: Wanted,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    actor: CurrentActor,
    format: ExportFormat = ExportFormat.CSV,  # noqa: A002 the name in the address
    shown: Annotated[bool, Query(description="leave out what the map leaves out, such as closed events")] = False,
    listed: Listed = False,
) -> StreamingResponse:
    """The features of a layer on a piece of ground as a file."""
    meant = {"area": ground.area, "bounds": ground.bounds, "shown": shown, "listed": listed}
    export = _Export(db, catalog, layer, scope, actor, Format(format.value))
    return export.answer(_meant(layer, scope, ground, wanted if listed else None, shown=shown), ground.area, meant)


@router.get("/select/{layer}")
def select_features(
    layer: NamedLayer,
    ground: Ground,
    wanted: Wanted,
    db: CurrentDb,
    scope: CurrentScope,
    limit: Annotated[int, Query(ge=1, le=MOST_SELECTED)] = MOST_SELECTED,
    after: Annotated[str, Query(pattern="^[0-9]{0,18}$", description="next of the page before")] = "",
    shown: Annotated[bool, Query(description="leave out what the map leaves out, such as closed events")] = True,
    listed: Listed = False,
) -> SelectionOut:
    """What lies on a piece of ground: how many, whom they house, and a page of them by number."""
    if ground.bounds is None:
        raise BadQuery("A selection needs a polygon or a bbox.").in_chinese("请给出多边形或范围。")
    matching = _meant(layer, scope, ground, wanted if listed else None, shown=shown)
    with db.connection() as connection:
        totals = store.totals(connection, layer, scope, matching)
        found = store.page(connection, layer, scope, matching, limit=limit + 1, behind=int(after or -1))
    return SelectionOut(
        n=totals.n,
        exact=totals.exact,
        households=totals.households,
        persons=totals.persons,
        features=[SelectedOut.model_validate(one, from_attributes=True) for one in found[:limit]],
        next=str(found[limit - 1].fid) if len(found) > limit else None,
    )


def _meant(layer: Layer, scope: Scope, ground: Region, wanted: EventFilter | None, *, shown: bool) -> store.Matching:
    """What lies on the ground; of the events those that a filter means, where one is given."""
    if wanted is None:
        return store.on_ground(layer, scope, ground, shown=shown)
    if layer.name != "events":
        raise BadQuery(f"listed is for events; '{layer.name}' has no list.").in_chinese(
            f"listed 只用于事件，图层“{layer.name}”没有列表。"
        )
    return store.both(store.on_ground(layer, scope, ground), store.of_filter(layer, scope, wanted))


class _Export:
    """One file on its way to a reader who may have it."""

    def __init__(self, db: Db, catalog: Catalog, layer: Layer, scope: Scope, actor: str, kind: Format) -> None:
        scope.require(Permission.EXPORT)
        self._db, self._catalog, self._layer, self._scope = db, catalog, layer, scope
        self._actor, self._kind = actor, kind

    def answer(self, matching: store.Matching, area: str, meant: dict[str, Any]) -> StreamingResponse:
        """The file, written and noted before the first byte leaves."""
        with _turn(), tempfile.TemporaryDirectory(prefix="onemap-export-") as folder:
            unfinished = Path(folder, f"{self._layer.name}.{self._kind.value}")
            with self._db.connection() as connection:
                n = store.count(connection, self._layer, matching, MOST_ROWS)
                if n > MOST_ROWS:
                    raise InputRefused(
                        f"More than {MOST_ROWS:,} rows would have to be written; choose an area or a shorter time."
                    ).in_chinese(f"超过 {MOST_ROWS:,} 行，不能导出：请缩小范围或时段。")
                n = self._write(connection, unfinished, matching)
                place = store.area_name(connection, self._catalog.layer("areas"), self._scope, area) if area else None
                detail = {"layer": self._layer.name, "format": self._kind.value, "n": n, **meant}
                audit(connection, self._actor, "export", detail)
            size = unfinished.stat().st_size
            opened = unfinished.open("rb")  # stays readable when its name is gone
        name = "_".join((self._layer.title.zh, place or area or "全部", f"{datetime.now(sheets.CLOCK):%Y%m%d-%H%M}"))
        plain = f"{self._layer.name}-{datetime.now(UTC):%Y%m%d-%H%M}.{self._kind.value}"
        quoted = quote(f"{name}.{self._kind.value}")
        headers = {
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quoted}",
            "Content-Length": str(size),
            "Cache-Control": "no-store",
        }
        return StreamingResponse(_chunks(opened), headers=headers, media_type=_MEDIA[self._kind.value])

    def _write(self, connection: Connection, file: Path, matching: store.Matching) -> int:
        fields = store.export_fields(self._layer, self._scope)
        found = store.batches(connection, self._layer, fields, matching)
        if self._kind is Format.CSV:
            return sheets.write_csv(file, fields, (row[:-1] for batch in found for row in batch))
        if self._kind is Format.XLSX:
            rows = (row[:-1] for batch in found for row in batch)
            return sheets.write_xlsx(file, fields, rows, self._layer.title.zh)
        n = 0

        def shapes() -> Iterator[tuple[list[tuple[Any, ...]], Any]]:
            nonlocal n
            for batch in found:
                n += len(batch)
                yield [row[:-3] for row in batch], shapely.from_wkb([row[-1] for row in batch])

        write_batches(self._kind, self._layer, fields, file, shapes())
        return n


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, datetime) else value


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(blocking=False):
        raise TooBusy("Several exports are being written already; ask again in a moment.").in_chinese(
            "已有几个导出在进行，请稍后再试。"
        )
    try:
        yield
    finally:
        _AT_ONCE.release()


def _chunks(opened: IO[bytes]) -> Iterator[bytes]:
    with opened:
        while chunk := opened.read(_CHUNK_B):
            yield chunk
