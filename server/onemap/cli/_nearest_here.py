"""``onemap nearest`` with no files: the responders and roads of the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from onemap.analyses.nearest import document, nearest_to
from onemap.analyses.responders import Responders
from onemap.analyses.streets import StreetNetworks
from onemap.catalog.read import read_catalog
from onemap.cli.common import database
from onemap.domain.scope import EVERYTHING
from onemap.engine.network.roster import Ask
from onemap.settings import Settings


def answer(lon: float, lat: float, mode: str, ask: Ask) -> tuple[dict[str, Any], str]:
    """The JSON document and what a person reads."""
    settings = Settings.from_env()
    catalog = read_catalog(settings.layers_dir)
    with database(settings) as db:
        found = nearest_to(
            Responders(db, catalog, StreetNetworks(db, catalog)), EVERYTHING, lon=lon, lat=lat, mode=mode, ask=ask,
            now=datetime.now(UTC),
        )  # fmt: skip
    rows = [
        f"{rank}. {one.post.post}: {one.candidate.seconds / 60:.1f} min, {one.candidate.metres:.0f} m "
        f"({one.candidate.reason})"
        for rank, one in enumerate(found.routes, 1)
    ]
    return {**document(found), "mode": mode}, "\n".join([*rows, f"{len(found.skipped)} passed over."])
