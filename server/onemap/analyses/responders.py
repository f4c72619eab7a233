"""The posts of one process with their last places, held in memory and placed on the streets; PostGIS stays the truth.

Reports that this process writes move the posts at once; whatever others write is read anew when the database says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import structlog
from numpy.typing import NDArray

from onemap.analyses.grid_neighbours import GridNeighbours
from onemap.analyses.streets import DEGREES, HeldNetwork, StreetNetworks
from onemap.domain.layer import Catalog, Layer
from onemap.domain.scope import EVERYTHING, Scope
from onemap.engine.network.arrays import F64, I64, Bool
from onemap.engine.network.index import snap
from onemap.engine.network.responders import ResponderIndex, Workspace
from onemap.engine.network.roster import Roster
from onemap.errors import OneMapError
from onemap.store import responders as store
from onemap.store.db import Db
from onemap.store.positions import Report
from onemap.store.responders import EPOCH, Post, PostColumns

#: Of more posts than this the list is read again once in so many seconds at most, whoever writes; an answer is never
#: older than the last number of seconds.
MANY, PAUSE_S, LATE_S = 2_000, 1.0, 3.0
_SCOPES = 64
_log = structlog.get_logger()
_US = timedelta(microseconds=1)
_UNKNOWN = int(np.iinfo(np.int64).min)
_NOBODY = PostColumns([], [], [], [], [], [], [], [], [], [], [])


@dataclass(frozen=True, slots=True)
class Posts:
    """The posts by row, as the database had them; what moves is in :class:`Places`."""

    read: PostColumns
    row_of: dict[str, int]
    on_duty: Bool
    n_tasks: I64
    skills: list[frozenset[str]]
    area: NDArray[np.str_]
    role: NDArray[np.str_]
    grid_code: NDArray[np.str_]

    @classmethod
    def of(cls, read: PostColumns) -> Posts:
        """Posts in the order given."""
        return cls(
            read,
            {name: row for row, name in enumerate(read.responder_id)},
            np.array(read.on_duty, dtype=np.bool_),
            np.array(read.n_tasks, dtype=np.int64),
            [frozenset(skills) for skills in read.skills],
            np.array(read.home_area, dtype=np.str_),
            np.array(read.role, dtype=np.str_),
            np.array(read.grid_code, dtype=np.str_),
        )

    def __len__(self) -> int:
        return len(self.read)


@dataclass(slots=True)
class _Places:
    """Where the posts are: degrees (NaN where unknown) and microseconds since 1970."""

    lon: F64
    lat: F64
    at_us: I64

    @classmethod
    def of(cls, read: PostColumns) -> _Places:
        return cls(
            np.array(read.lon, dtype=np.float64),
            np.array(read.lat, dtype=np.float64),
            np.array([_UNKNOWN if at_us is None else at_us for at_us in read.at_us], dtype=np.int64),
        )


@dataclass(slots=True)
class _OnStreets:
    """The posts on the network of one mode, and where they are in its plane."""

    held: HeldNetwork
    posts: Posts
    index: ResponderIndex
    x: F64
    y: F64


@dataclass(frozen=True, slots=True)
class Sight:
    """What one question is answered from: the posts on the streets, those hidden from the asker, times."""

    held: HeldNetwork
    index: ResponderIndex
    roster: Roster
    hidden: Bool | None
    workspace: Workspace
    _posts: Posts
    _places: _Places

    def name(self, row: int) -> str:
        """What a post is called."""
        return self._posts.read.post[row]

    def post(self, row: int) -> Post:
        """A post as it is now."""
        lon, lat, at_us = self._places.lon[row], self._places.lat[row], int(self._places.at_us[row])
        known = bool(np.isfinite(lon))
        return replace(
            self._posts.read.row(row),
            position_at=None if at_us == _UNKNOWN else EPOCH + at_us * _US,
            lon=float(lon) if known else None,
            lat=float(lat) if known else None,
        )


class Responders:
    """The posts of one process; all methods may be called from any thread."""

    def __init__(
        self, db: Db, catalog: Catalog, streets: StreetNetworks, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db, self._layer, self._streets, self._clock = db, catalog.layer("responders"), streets, clock
        #: Which grid a question lies in.
        self.grids = GridNeighbours(db, catalog)
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._stale, self._stale_since, self._read_at = True, -np.inf, -np.inf
        self._reader: threading.Thread | None = None
        self._posts, self._places = Posts.of(_NOBODY), _Places.of(_NOBODY)
        self._since: list[Report] | None = None
        self._on_streets: dict[str, _OnStreets] = {}
        self._visible: dict[Scope, Bool] = {}
        self._own = threading.local()

    @property
    def layer(self) -> Layer:
        """The layer of the posts."""
        return self._layer

    def written(self, layer: str) -> None:
        """Read the posts again before the next question when their layer was written."""
        self.grids.written(layer)
        if layer == self._layer.name and not self._stale:
            self._stale, self._stale_since = True, self._clock()

    def forget(self) -> None:
        """Read the posts again before the next question."""
        self.grids.forget()
        self._stale, self._stale_since = True, -np.inf

    def moved(self, reports: Iterable[Report]) -> None:
        """Move posts to where they reported to be, unless they are known to have been elsewhere since."""
        with self._lock:
            if self._since is not None:
                self._since += reports
            self._move(reports)

    def answers_at_once(self, scope: Scope, mode: str) -> bool:
        """Whether a question needs neither the database nor another thread to finish first."""
        return (
            (not self._is_stale() or self._may_be_late())
            and mode in self._on_streets
            and self._streets.holds(mode)
            and (scope in self._visible or store.sees_all(self._layer, scope))
            and self.grids.is_read
            and not self._lock.locked()
        )

    def sight(self, scope: Scope, mode: str, now: datetime) -> Sight:
        """What a question of a reader is answered from."""
        self._refresh()
        held = self._streets.network(mode)
        hidden = self._hidden(scope)
        with self._lock:
            on = self._placed(mode, held)
            places = _Places(self._places.lon.copy(), self._places.lat.copy(), self._places.at_us.copy())
            posts, x, y = on.posts, on.x.copy(), on.y.copy()
        if hidden is not None and len(hidden) != len(posts):  # the posts were read again meanwhile
            return self.sight(scope, mode, now)
        age_s = (_microseconds(now) - places.at_us.astype(np.float64)) / 1e6
        age_s[places.at_us == _UNKNOWN] = np.nan
        duty = posts.on_duty if hidden is None else posts.on_duty & ~hidden
        roster = Roster(
            posts.read.responder_id, x, y, duty, posts.skills, np.maximum(age_s, 0.0), posts.n_tasks, posts.area,
            posts.role, posts.grid_code,
        )  # fmt: skip
        return Sight(held, on.index, roster, hidden, self._workspace(held), posts, places)

    # ----------------------------------------------------------------------------------------------------------------

    def _is_stale(self) -> bool:
        return self._stale

    def _may_be_late(self) -> bool:
        return len(self._posts) > MANY and self._clock() < self._stale_since + LATE_S

    def _refresh(self) -> None:
        if not self._is_stale():
            return
        if self._may_be_late():
            # Many posts are written all the time: questions are answered from what is held while one thread reads.
            now = self._clock()
            if now >= self._read_at + PAUSE_S and (self._reader is None or not self._reader.is_alive()):
                self._reader = threading.Thread(target=self._read_behind, name="onemap posts", daemon=True)
                self._reader.start()
            return
        self._read()

    def _read_behind(self) -> None:
        try:
            self._read()
        except OneMapError as error:  # stale still: the next question tries again, and hears of it before long
            _log.warning("responders.read", error=str(error))

    def _read(self) -> None:
        with self._reading:
            if not self._is_stale():
                return
            since, self._stale = self._stale_since, False  # what is written from here on is read the next time
            with self._lock:
                self._since = []
            try:
                with self._db.connection() as connection:
                    read = store.roster(connection, self._layer, EVERYTHING)
                posts, places = Posts.of(read), _Places.of(read)
            except BaseException:
                self._stale, self._stale_since = True, since
                raise
            finally:
                with self._lock:
                    missed, self._since = self._since, None
            self._read_at = self._clock()
            with self._lock:
                self._take(posts, places)
                self._move(missed)

    def _take(self, posts: Posts, places: _Places) -> None:
        """Another list of posts; the same posts at other places are moved, others are placed anew at the question."""
        same = posts.read.responder_id == self._posts.read.responder_id
        before = self._places
        self._posts, self._places, self._visible = posts, places, {}
        if not same:
            self._on_streets = {}
            return
        rows = np.flatnonzero((places.lon != before.lon) | (places.lat != before.lat))
        rows = rows[~(np.isnan(places.lon[rows]) & np.isnan(before.lon[rows]))]
        for on in self._on_streets.values():
            on.posts = posts
            self._put(on, rows)

    def _move(self, reports: Iterable[Report]) -> None:
        newest: dict[int, Report] = {}
        for report in reports:
            row = self._posts.row_of.get(report.responder_id)
            if row is None or not self._posts.on_duty[row]:
                continue
            at_us = _microseconds(report.at)
            if at_us > self._places.at_us[row]:
                newest[row] = report
                self._places.at_us[row] = at_us
                self._places.lon[row], self._places.lat[row] = report.lon, report.lat
        rows = np.fromiter(newest, dtype=np.int64, count=len(newest))
        for on in self._on_streets.values():
            self._put(on, rows)

    def _placed(self, mode: str, held: HeldNetwork) -> _OnStreets:
        """The posts on a network; all of them are placed when it is another network or other posts."""
        on = self._on_streets.get(mode)
        if on is None or on.held is not held:
            n = len(self._posts)
            index = ResponderIndex(held.network, capacity=max(1, n))
            on = _OnStreets(held, self._posts, index, np.full(n, np.nan), np.full(n, np.nan))
            self._put(on, np.flatnonzero(np.isfinite(self._places.lon)))
            self._on_streets[mode] = on
        return on

    def _put(self, on: _OnStreets, rows: I64) -> None:
        if not len(rows):
            return
        lon, lat = self._places.lon[rows], self._places.lat[rows]
        gone = np.isnan(lon)
        if gone.any():
            on.x[rows[gone]], on.y[rows[gone]] = np.nan, np.nan
            on.index.remove(rows[gone])
            rows, lon, lat = rows[~gone], lon[~gone], lat[~gone]
        if not len(rows):
            return
        on.x[rows], on.y[rows] = on.held.plane.xy(lon, lat, DEGREES)
        on.index.place(rows, snap(on.held.network, on.x[rows], on.y[rows]))

    def _hidden(self, scope: Scope) -> Bool | None:
        """The rows that a reader may not see; None for a reader who sees all."""
        if store.sees_all(self._layer, scope):
            return None
        posts = self._posts
        known = self._visible.get(scope)
        if known is None or len(known) != len(posts):
            with self._db.connection() as connection:
                seen = store.visible(connection, self._layer, scope)
            known = np.array([name not in seen for name in posts.read.responder_id], dtype=np.bool_)
            if len(self._visible) >= _SCOPES:
                self._visible = {}
            self._visible[scope] = known
        return known

    def _workspace(self, held: HeldNetwork) -> Workspace:
        """Scratch space of this thread for a network, kept for its next question."""
        kept: dict[str, tuple[HeldNetwork, Workspace]] = self._own.__dict__.setdefault("kept", {})
        mode = held.network.mode
        if mode not in kept or kept[mode][0] is not held:
            kept[mode] = (held, Workspace(held.network))
        return kept[mode][1]


def _microseconds(moment: datetime | None) -> int:
    return _UNKNOWN if moment is None else (moment - EPOCH) // _US
