"""Posts with their last position, for whoever asks who should go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.store.db import Connection
from onemap.store.named import compose, named
from onemap.store.scope import TRUE, predicate


@dataclass(frozen=True, slots=True)
class Post:
    """One post; ``lon``, ``lat`` in degrees, None off duty or where nothing was reported."""

    responder_id: str
    post: str
    role: str
    skills: tuple[str, ...]
    on_duty: bool
    home_area: str
    grid_code: str
    n_tasks: int
    position_at: datetime | None
    lon: float | None
    lat: float | None


def roster(connection: Connection, layer: Layer, scope: Scope) -> list[Post]:
    """All posts that a reader may see, by id."""
    query = compose(named("responders")["roster"], scope=predicate(layer, scope, "e"))
    rows = connection.execute(query).fetchall()
    return [
        Post(row[0], row[1], row[2], tuple(row[3]), row[4], row[5], row[6], row[7], row[8], row[9], row[10])
        for row in rows
    ]


def sees_all(layer: Layer, scope: Scope) -> bool:
    """Whether a reader sees every post; ``LayerNotFound`` where it sees none of the layer."""
    return predicate(layer, scope, "e") is TRUE


def visible(connection: Connection, layer: Layer, scope: Scope) -> frozenset[str]:
    """The posts that a reader may see."""
    query = compose(named("responders")["visible"], scope=predicate(layer, scope, "e"))
    return frozenset(row[0] for row in connection.execute(query).fetchall())
