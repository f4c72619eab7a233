"""Peers of the road network engine, each on the same network and asked the same questions; absent ones say why."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import Transformer

# The invented city is laid down near Hefei for peers that want degrees.
_ONTO_EARTH = Transformer.from_crs(32650, 4326, always_xy=True)
_EAST, _NORTH = 450_000.0, 3_300_000.0
WALKING_KMH = 4.0


def degrees(x: Any, y: Any) -> tuple[Any, Any]:
    """Longitude and latitude of places in the invented city."""
    return _ONTO_EARTH.transform(np.asarray(x) + _EAST, np.asarray(y) + _NORTH)


def plane(lon: Any, lat: Any) -> tuple[Any, Any]:
    """The way back."""
    x, y = _ONTO_EARTH.transform(lon, lat, direction="INVERSE")
    return np.asarray(x) - _EAST, np.asarray(y) - _NORTH


def absent(name: str) -> str | None:
    """Why a Python peer cannot be asked, or None."""
    return None if importlib.util.find_spec(name) else f"{name} is not installed (requirements-bench.txt)"


def write_extract(streets: Any, path: Path) -> None:
    """The invented streets as an OpenStreetMap extract, for peers that read nothing else."""
    import osmium

    lon, lat = degrees(streets.point_x, streets.point_y)
    writer = osmium.SimpleWriter(str(path), overwrite=True)
    for i in range(len(lon)):
        writer.add_node(osmium.osm.mutable.Node(id=i + 1, location=(float(lon[i]), float(lat[i])), version=1))
    vertex, start = streets.vertex + 1, streets.way_start
    one_way = streets.backward_kmh["car"] == 0
    for k in range(streets.n_way):
        tags = {"highway": "residential"} | ({"oneway": "yes"} if one_way[k] else {})
        nodes = [int(v) for v in vertex[start[k] : start[k + 1]]]
        writer.add_way(osmium.osm.mutable.Way(id=k + 1, nodes=nodes, tags=tags, version=1))
    writer.close()


class Valhalla:
    """Valhalla's tiles of an extract, asked from Python as a caller would: a question in, Python objects out."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    def isochrones(self, lon: float, lat: float, minutes: list[float]) -> dict[str, Any]:
        """Polygons of a walk at 4 km/h; all parts and holes are kept and no outline is simplified, as with ours."""
        return self.actor.isochrone(self._isochrone_question(lon, lat, minutes))

    def isochrones_text(self, lon: float, lat: float, minutes: list[float]) -> Callable[[], str]:
        """The same as text in and text out: what Valhalla itself needs."""
        question = json.dumps(self._isochrone_question(lon, lat, minutes))
        return lambda: self.actor.isochrone(question)

    def matrix(self, sources: list[tuple[float, float]], target: tuple[float, float]) -> list[float | None] | None:
        """Seconds from every source to the target; None where Valhalla refuses the question as a whole."""
        import valhalla

        question = {
            "sources": [{"lon": lon, "lat": lat} for lon, lat in sources],
            "targets": [{"lon": target[0], "lat": target[1]}],
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": WALKING_KMH}},
        }
        try:
            answer = self.actor.matrix(question)
        except valhalla.ValhallaError:
            return None
        return [row[0]["time"] for row in answer["sources_to_targets"]]

    def _isochrone_question(self, lon: float, lat: float, minutes: list[float]) -> dict[str, Any]:
        return {
            "locations": [{"lon": lon, "lat": lat}],
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": WALKING_KMH}},
            "contours": [{"time": minute} for minute in minutes],
            "polygons": True,
            "denoise": 0,
            "generalize": 0,
        }


@contextmanager
def valhalla_of(osm: Path, limit_s: float = 600.0) -> Iterator[Valhalla]:
    """Tiles built from an extract into a folder that goes away; ``TimeoutExpired`` after the limit."""
    import valhalla
    from valhalla.config import get_config

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tiles").mkdir()
        (Path(folder) / "none.tar").touch()
        config = get_config(tile_extract=f"{folder}/none.tar", tile_dir=f"{folder}/tiles", verbose=False)
        del config["mjolnir"]["tile_extract"]
        config["logging"] = {"type": ""}
        config["mjolnir"]["logging"] = {"type": ""}
        (Path(folder) / "valhalla.json").write_text(json.dumps(config), encoding="utf-8")
        tool = Path(str(valhalla.__file__)).parent / "bin" / "valhalla_build_tiles"
        command = [str(tool), "-c", f"{folder}/valhalla.json", str(osm)]
        subprocess.run(command, check=True, capture_output=True, timeout=limit_s)
        yield Valhalla(valhalla.Actor(config))


class PgRouting:
    """pgr_dijkstraCost over the 50 responders that are nearest by line, on edges around the event."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def fill(self, network: Any, x: Any, y: Any, node: Any) -> None:
        """The network's edges and the responders at their nodes."""
        run = self.connection.execute
        run("CREATE EXTENSION IF NOT EXISTS postgis")
        run("CREATE EXTENSION IF NOT EXISTS pgrouting")
        run("CREATE TABLE edge (id int, source int, target int, cost float8, reverse_cost float8, geom geometry)")
        ends = np.stack([network.edge_from, network.edge_to], axis=1)
        with self.connection.cursor().copy("COPY edge FROM STDIN") as copy:
            for i, (a, b) in enumerate(ends.tolist()):
                line = (
                    f"LINESTRING({network.node_x[a]:.2f} {network.node_y[a]:.2f},"
                    f"{network.node_x[b]:.2f} {network.node_y[b]:.2f})"
                )
                copy.write_row((i, a, b, network.edge_forward_s[i], network.edge_backward_s[i], line))
        run("CREATE TABLE responder (id int, node int, geom geometry)")
        with self.connection.cursor().copy("COPY responder FROM STDIN") as copy:
            for i in range(len(x)):
                copy.write_row((i, int(node[i]), f"POINT({x[i]:.2f} {y[i]:.2f})"))
        for table in ("edge", "responder"):
            run(f"CREATE INDEX ON {table} USING gist (geom)")
            run(f"ANALYZE {table}")

    def nearest(self, x: float, y: float, node: int) -> int | None:
        """The responder with the least cost to the event's node."""
        near = self.connection.execute(
            "SELECT id, node, ST_X(geom), ST_Y(geom) FROM responder ORDER BY geom <-> ST_MakePoint(%s, %s) LIMIT 50",
            (x, y),
        ).fetchall()
        far = 1.3 * max(np.hypot(row[2] - x, row[3] - y) for row in near) + 200.0
        edges = (
            "SELECT id, source, target, cost, reverse_cost FROM edge WHERE geom && "
            f"ST_MakeEnvelope({x - far}, {y - far}, {x + far}, {y + far})"
        )
        costs = self.connection.execute(
            "SELECT start_vid FROM pgr_dijkstraCost(%s, %s, %s::bigint) ORDER BY agg_cost LIMIT 1",
            (edges, sorted({row[1] for row in near if row[1] != node}), node),
        ).fetchone()
        here = [row[0] for row in near if row[1] == node]
        if here:
            return int(here[0])
        return None if costs is None else next(int(row[0]) for row in near if row[1] == costs[0])


@contextmanager
def pgrouting(limit_s: float) -> Iterator[PgRouting]:
    """A throw-away PostgreSQL with pgRouting, no statement longer than the limit; raises where it is missing."""
    import psycopg

    from onemap.store.cluster import throwaway

    with throwaway() as cluster, psycopg.connect(cluster.url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pgrouting'").fetchone()
        if found is None:
            version = connection.info.server_version // 10_000
            raise LookupError(f"pgRouting is not installed: apt-get install postgresql-{version}-pgrouting")
        connection.execute(f"SET statement_timeout = {int(1000.0 * limit_s)}")
        try:
            yield PgRouting(connection)
        except psycopg.errors.QueryCanceled as late:
            raise TimeoutError(f"pgRouting > {limit_s:.0f} s") from late


def pandana(network: Any, x: Any, y: Any, where: list[Any], limit_s: float) -> dict[str, float]:
    """pandana on the same graph; queries by CPU seconds, its building of hierarchies apart."""
    import pandana as pdna
    import pandas as pd

    nodes = np.arange(network.n_node)
    edges = pd.DataFrame({"a": network.edge_from, "b": network.edge_to, "s": network.edge_forward_s})
    begun = time.process_time()
    theirs = pdna.Network(
        pd.Series(network.node_x, nodes), pd.Series(network.node_y, nodes), edges["a"], edges["b"], edges[["s"]]
    )
    theirs.precompute(limit_s)
    built, begun = time.process_time() - begun, time.process_time()
    ids = theirs.get_node_ids(pd.Series(x), pd.Series(y))
    snapped, begun = time.process_time() - begun, time.process_time()
    for i, (fx, fy) in enumerate(where):
        theirs.set_pois(str(i), limit_s, 1, pd.Series(fx), pd.Series(fy))
        theirs.nearest_pois(limit_s, str(i), num_pois=1).iloc[:, 0].reindex(ids)
    return {"build_cpu_s": built, "snap_cpu_s": snapped, "query_cpu_s": time.process_time() - begun}


def spopt_mclp(seconds: Any, weight: Any, limit: float, p: int) -> dict[str, float]:
    """spopt.locate's MCLP on the same table."""
    import pulp
    from spopt.locate import MCLP

    begun = time.perf_counter()
    model = MCLP.from_cost_matrix(seconds.T, weight, limit, p_facilities=p)
    model = model.solve(pulp.PULP_CBC_CMD(msg=False))
    return {"s": time.perf_counter() - begun, "objective": float(model.problem.objective.value())}
