"""
What every extract of a folder becomes as a network, as the tables of docs/network.md.

    python tests/bench/extracts.py FOLDER

Every .osm.pbf, .osm.gz and .gpkg in the folder is built in all three modes and its buildings are snapped. An extract that
cannot be built ends the run with its sentence.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pyogrio
import shapely
from pyproj import CRS

from onemap.engine.network.access import MODES
from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.osm_network import read_osm_streets
from onemap.ingest.street_file import read_street_file


def main() -> None:
    """Both tables on standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    rows, told = [], []
    for path in sorted(folder.iterdir()):
        if not path.name.endswith((".osm.pbf", ".osm.gz", ".gpkg")):
            continue
        name = path.name.split(".")[0]
        built, notes = extract(path)
        rows += [f"| {name} | {row} |" for row in built]
        told.append(f"| {name} | {'; '.join(notes) or 'nothing'} |")
    heads = (
        "extract | mode | nodes | edges | parts (islets) | outside | failed | passed over an islet | snap median / p95"
    )
    sys.stdout.write("\n".join([f"| {heads} |", "|" + "---|" * 9, *rows, "", "| extract | assumptions |", "|---|---|"]))
    sys.stdout.write("\n" + "\n".join(told) + "\n")


def extract(path: Path) -> tuple[list[str], list[str]]:
    """A row for each mode, and what was assumed."""
    rules = read_network_rules()
    if path.suffix == ".gpkg":
        source = read_street_file(path, rules, layer="streets")
        lon, lat = gpkg_buildings(path)
    else:
        source = read_osm_streets(path, rules)
        lon, lat = osm_buildings(path)
    x, y = source.plane.xy(lon, lat, CRS.from_epsg(4326))
    rows, notes = [], []
    for mode in MODES:
        network = build(source.streets, mode, rules)
        places = snap(network, x, y)
        told = places.statistics()
        parts = network.components
        rows.append(
            f"{mode} | {network.n_node:,} | {network.n_edge:,} | {len(parts.n_node)} ({int(parts.islet.sum())}) | "
            f"{100.0 * parts.outside_share:.1f} % | {told['failed']} of {len(x):,} | {told['passed_over_islet']} | "
            f"{told['median_m']:.0f} / {told['p95_m']:.0f} m"
        )
        notes += [note for note in network.notes if note not in notes]
    return rows, notes


class Buildings(osmium.SimpleHandler):
    """Centres of closed ways and of relations' outer ways that are buildings."""

    def __init__(self) -> None:
        super().__init__()
        self.centres: list[Any] = []
        self._wkb = osmium.geom.WKBFactory()

    def area(self, area: Any) -> None:
        """One building as osmium assembles it; what is broken is left out."""
        if "building" in area.tags:
            try:
                self.centres.append(shapely.centroid(shapely.from_wkb(self._wkb.create_multipolygon(area))))
            except RuntimeError:
                return


def osm_buildings(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of an extract's buildings."""
    handler = Buildings()
    handler.apply_file(str(path), locations=True)
    centres = np.array(handler.centres, dtype=object)
    return shapely.get_x(centres), shapely.get_y(centres)


def gpkg_buildings(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same of the layer ``buildings``."""
    frame = pyogrio.read_dataframe(path, layer="buildings")
    centres = frame.geometry.centroid.to_crs(4326)
    return centres.x.to_numpy(), centres.y.to_numpy()


if __name__ == "__main__":
    main()
