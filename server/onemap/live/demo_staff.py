"""Keeps the demo city's staff on the move. Only invented posts: their area codes begin with 99."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import numpy as np
import shapely
import structlog

from onemap.demo import Beats, walk
from onemap.errors import OneMapError
from onemap.store import demo, overview
from onemap.store.db import Db

#: No city has codes that begin so.
INVENTED = "99"
STEP_S = 5.0
#: More posts than this are left standing: a benchmark's city need not move.
_MOST = 500

_log = structlog.get_logger()


async def move_demo_staff(db: Db) -> None:
    """Write where the demo's staff are every few seconds, until cancelled; at once over where there is no demo city."""
    try:
        beats = await asyncio.to_thread(_beats, db)
    except OneMapError as error:
        _log.warning("demo.staff", error=str(error))
        return
    while beats is not None:
        try:
            await asyncio.to_thread(_step, db, beats, datetime.now(UTC))
        except OneMapError as error:
            _log.warning("demo.staff", error=str(error))
        await asyncio.sleep(STEP_S)


def _beats(db: Db) -> Beats | None:
    with db.connection() as connection:
        if overview.meta(connection, "demo") is None:
            return None
        posts = demo.on_duty(connection, INVENTED)
        if not 0 < len(posts) <= _MOST:
            return None
        streets = shapely.from_wkb(np.array(demo.streets(connection, INVENTED), dtype=object))
    return Beats.along(
        streets,
        tuple(post.responder_id for post in posts),
        tuple(post.role for post in posts),
        np.array([(post.lon, post.lat) for post in posts]),
    )


def _step(db: Db, beats: Beats, now: datetime) -> None:
    places = walk(beats, now.timestamp())
    with db.connection() as connection:
        demo.move(connection, beats.ids, places[:, 0].tolist(), places[:, 1].tolist(), now)
