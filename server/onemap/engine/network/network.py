"""The street network of one mode: a frozen value that every search reads and none changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.engine.network.arrays import F64, I32, I64, Bool


@dataclass(frozen=True, slots=True)
class Arcs:
    """
    A directed graph in CSR form.

    Attributes
    ----------
    first : (n_node + 1,)
        Where each node's arcs begin.
    head : (n_arc,)
        The node an arc leads to.
    cost_s : (n_arc,)
        Seconds along the arc.
    edge : (n_arc,)
        Edge number ``e`` where a traveller on the arc follows the edge's drawn direction, ``~e`` where against it; in
        the reversed graph the traveller comes from the head.
    longest_s, mean_s
        The longest arc and the average one: they decide the width of a search's buckets.
    """

    first: I32
    head: I32
    cost_s: F64
    edge: I32
    longest_s: float
    mean_s: float


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """
    A uniform lattice over the street segments: which of them touch each cell.

    ``clearance`` (n_cell,) counts the cells to the nearest occupied one (Chebyshev): a search leaps over empty ground.
    """

    west: float
    south: float
    cell_m: float
    n_column: int
    n_row: int
    first: I64
    segment: I32
    clearance: I32


@dataclass(frozen=True, slots=True)
class Components:
    """
    Parts of the network that do not hang together, the longest first.

    Attributes
    ----------
    of_node : (n_node,)
        The part each node belongs to.
    n_node, length_m : (n_component,)
        Size of each part.
    islet : (n_component,)
        Parts so small that no point is snapped onto them.
    """

    of_node: I32
    n_node: I64
    length_m: F64
    islet: Bool

    @property
    def outside_share(self) -> float:
        """The share of nodes that lie outside the largest part."""
        total = int(self.n_node.sum())
        return 1.0 - float(self.n_node[0]) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Network:
    """
    Streets of one mode as graph, geometry and index.

    Attributes
    ----------
    mode
        ``foot``, ``ebike`` or ``car``.
    access_kmh
        Speed of the walk between a place and the street.
    uniform_kmh
        The one speed of every edge, or None: where it is set, metres are seconds times speed.
    node_x, node_y : (n_node,)
        Metres in the plane.
    node_point : (n_node,)
        The point of ``Streets`` at the node.
    edge_from, edge_to : (n_edge,)
        End nodes in drawn direction.
    edge_length_m, edge_forward_s, edge_backward_s : (n_edge,)
        Length, seconds along and against the drawn direction; ``inf`` where not allowed.
    edge_way, edge_first, edge_last : (n_edge,)
        The way an edge is a piece of, and its first and last vertex.
    x, y, along_m : (n_vertex,)
        Vertices of the ways; true length from the way's beginning.
    segment_edge : (n_vertex,)
        The edge of the segment that begins at a vertex; -1 where none does.
    out, into
        Arcs to travel forwards, and the same arcs reversed.
    """

    mode: str
    access_kmh: float
    uniform_kmh: float | None
    max_snap_m: float
    node_x: F64
    node_y: F64
    node_point: I64
    edge_from: I32
    edge_to: I32
    edge_length_m: F64
    edge_forward_s: F64
    edge_backward_s: F64
    edge_way: I32
    edge_first: I64
    edge_last: I64
    x: F64
    y: F64
    along_m: F64
    segment_edge: I32
    out: Arcs
    into: Arcs
    components: Components
    snappable: Bool
    index: SegmentIndex
    notes: tuple[str, ...]

    @property
    def n_node(self) -> int:
        """How many nodes the graph has."""
        return len(self.node_x)

    @property
    def n_edge(self) -> int:
        """How many edges, each counted once whatever its directions."""
        return len(self.edge_from)

    @property
    def n_arc(self) -> int:
        """How many directed arcs."""
        return len(self.out.head)

    @property
    def access_ms(self) -> float:
        """Speed of the walk to the street, metres per second."""
        return self.access_kmh / 3.6

    def position(self, edge: I32, fraction: F64) -> tuple[F64, F64]:
        """Plane coordinates of places on edges: (n,), (n,)."""
        xs, ys = np.empty(len(edge)), np.empty(len(edge))
        for i, (e, t) in enumerate(zip(edge, fraction, strict=True)):
            first, last = self.edge_first[e], self.edge_last[e]
            along = self.along_m[first : last + 1] - self.along_m[first]
            xs[i] = np.interp(t * along[-1], along, self.x[first : last + 1])
            ys[i] = np.interp(t * along[-1], along, self.y[first : last + 1])
        return xs, ys

    def edge_line(self, edge: int) -> F64:
        """Coordinates of an edge in drawn direction: (n, 2), metres in the plane."""
        first, last = self.edge_first[edge], self.edge_last[edge]
        return np.column_stack([self.x[first : last + 1], self.y[first : last + 1]])
