"""What the child process does with a file: read it, agree on its coordinate system, settle its geometries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onemap.domain.layer import GeometryType
from onemap.ingest.crs import SourceCrs, agreed
from onemap.ingest.geometry import max_vertices, settle
from onemap.ingest.read import Ask, read
from onemap.ingest.rows import write_rows
from onemap.ingest.source import Kind


def decode_file(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Do one job; the answer names the arrow file and says what was found."""
    limit = max_vertices(job["target"])
    raw = read(
        Ask(
            kind=Kind(job["kind"]),
            file=Path(job["file"]),
            name=job["name"],
            layer=job["layer"],
            prefer=job["target"],
            encoding=job["encoding"],
            max_vertices=limit,
            places=job["places"],
        )
    )
    crs = agreed(raw.crs, job["crs"], job["name"], by_rule=raw.crs_by_rule)
    found = settle(raw.found, GeometryType(job["geometry"]), crs, limit)
    file = write_rows(folder / "rows.arrow", raw.columns, found, keep_source=job["keep_source"])
    return {
        "files": {job["target"]: file},
        "crs": crs.name,
        "encoding": raw.encoding,
        "notes": [*raw.notes, *_crs_notes(crs)],
    }


def _crs_notes(crs: SourceCrs) -> list[str]:
    if not crs.doubtful_shift:
        return []
    return [f"No public shift from {crs.name} to CGCS2000 is known; positions may be wrong by up to 100 m."]
