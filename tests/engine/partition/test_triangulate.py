"""The constrained Delaunay triangulation beside scipy's and beside its own laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from onemap.engine.geometry.triangulate import triangulate

NO_EDGES = np.zeros((0, 2), dtype=np.int32)
NO_KINDS = np.zeros(0, dtype=np.int8)


def scattered(seed: int, n: int, extent: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = np.unique(rng.integers(0, extent, (n, 2)), axis=0)
    return points[:, 0].copy(), points[:, 1].copy()


def inner(mesh, n: int) -> set[tuple[int, ...]]:
    return {tuple(sorted(row)) for row in mesh.vertex.tolist() if max(row) < n}


def test_triangles_away_from_the_hull_are_scipys() -> None:
    x, y = scattered(1, 400, 1_000_000)
    ours = inner(triangulate(x, y, NO_EDGES, NO_KINDS), len(x))
    theirs = {tuple(sorted(row)) for row in Delaunay(np.stack([x, y], axis=1)).simplices.tolist()}
    assert len(ours - theirs) == 0
    assert len(theirs - ours) < 40  # only the hull, which our square's corners take part in


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([20, 300]), st.sampled_from([12, 400, 1_000_000]))
def test_triangles_fill_the_square_and_turn_left(seed: int, n: int, extent: int) -> None:
    x, y = scattered(seed, n, extent)
    mesh = triangulate(x, y, NO_EDGES, NO_KINDS)
    assert len(mesh.vertex) == 2 * len(x) + 2
    inside = mesh.vertex[(mesh.vertex < len(x)).all(axis=1)]
    a, b, c = inside.T
    area = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])
    assert (area > 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_every_constraint_is_an_edge_or_a_chain_of_edges(seed: int) -> None:
    x, y = scattered(seed, 200, 300)
    order = np.lexsort((y, x))  # a chain from west to east never crosses itself
    edges = np.stack([order[:-1], order[1:]], axis=1).astype(np.int32)
    mesh = triangulate(x, y, edges, np.ones(len(edges), dtype=np.int8))
    assert mesh.n_lost == 0
    kept = set()
    for t, i in zip(*np.nonzero(mesh.kind), strict=True):
        kept.add(frozenset((int(mesh.vertex[t, (i + 1) % 3]), int(mesh.vertex[t, (i + 2) % 3]))))
    length = sum(np.hypot(x[a] - x[b], y[a] - y[b]) for a, b in map(tuple, kept))
    assert length == pytest.approx(np.hypot(np.diff(x[order]), np.diff(y[order])).sum())
