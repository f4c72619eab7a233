"""Rows that could not be taken: their reasons, the limit on them, and the files that list them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import shapely

from onemap.errors import InputRefused, UsageError


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that was left out. ``row`` counts from 1, without any header; 0 where there are no rows."""

    layer: str
    row: int
    key: str
    reason: str
    wkb: bytes | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """How many rows may be rejected before the import is refused: a number, or a share of those read."""

    number: int | None
    share: float | None

    def allows(self, n_rejected: int, n_read: int) -> bool:
        """Whether an import with so many rejects still goes on."""
        if self.number is not None:
            return n_rejected <= self.number
        return n_rejected <= (self.share or 0.0) * n_read

    def __str__(self) -> str:
        return f"{self.number:,}" if self.number is not None else f"{(self.share or 0.0) * 100:g} %"


def parse_limit(text: str) -> Limit:
    """``--max-rejects``: "100" rows or "20%" of them."""
    plain = text.strip()
    try:
        if plain.endswith("%"):
            share = float(plain[:-1]) / 100.0
            if 0.0 <= share <= 1.0:
                return Limit(None, share)
        elif int(plain) >= 0:
            return Limit(int(plain), None)
    except ValueError:
        pass
    raise UsageError(f"--max-rejects {text}: write a number of rows or a share such as 20%.")


def hold_to(limit: Limit, layer: str, rejects: Sequence[Reject], n_read: int, listed: Path | None) -> None:
    """``InputRefused`` where a layer has more rejects than the limit allows, with the commonest reasons."""
    if limit.allows(len(rejects), n_read):
        return
    where = f" All are listed in {listed}." if listed else ""
    raise InputRefused(
        f"{len(rejects):,} of {n_read:,} rows for '{layer}' cannot be taken, more than --max-rejects {limit} allows: "
        f"{summary(rejects)}.{where}"
    )


def summary(rejects: Sequence[Reject], most: int = 4) -> str:
    """The commonest reasons, each with its first row: "3 x no geometry (first: row 7)"."""
    counts = Counter(reject.reason for reject in rejects)
    first = {reject.reason: reject for reject in reversed(rejects)}
    told = [f"{n:,} x {reason} (first: {_place(first[reason])})" for reason, n in counts.most_common(most)]
    return "; ".join(told) + ("; …" if len(counts) > most else "")


def write(rejects: Iterable[Reject], path: Path) -> Path:
    """List rejects in a CSV file (UTF-8), and those with a geometry in a GeoJSON file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = []
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(("layer", "row", "key", "reason"))
        for reject in rejects:
            table.writerow((reject.layer, reject.row or "", _safe(reject.key), _safe(reject.reason)))
            if reject.wkb is not None:
                drawn.append(_feature(reject))
    if drawn:
        collection = {"type": "FeatureCollection", "features": drawn}
        path.with_suffix(".geojson").write_bytes(orjson.dumps(collection))
    return path


def _feature(reject: Reject) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {"layer": reject.layer, "row": reject.row, "key": reject.key, "reason": reject.reason},
        "geometry": orjson.Fragment(shapely.to_geojson(shapely.from_wkb(reject.wkb))),
    }


def _place(reject: Reject) -> str:
    return f"row {reject.row:,}" if reject.row else reject.key


def _safe(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
