"""scipy's Dijkstra on our networks: the independent search that answers are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from onemap.engine.network.reach import Reach, as_sources, times


def least(tail: Any, head: Any, cost: Any, n: int) -> Any:
    """A CSR graph that keeps the least of parallel arcs (scipy's own conversion adds them up)."""
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    keep = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))
    return csr_array(coo_array((cost[keep], (tail[keep], head[keep])), shape=(n, n)))


def super_source(network: Any, sources: Any) -> Any:
    """The reversed graph with one more node that leads to every seed; parallel arcs reduced to the least first."""
    arcs = network.into
    tail = np.repeat(np.arange(network.n_node), np.diff(arcs.first))
    t = sources.fraction
    seeds = np.concatenate([network.edge_from[sources.edge], network.edge_to[sources.edge]])
    seconds = np.concatenate(
        [
            sources.lead_s + t * network.edge_forward_s[sources.edge],
            sources.lead_s + (1 - t) * network.edge_backward_s[sources.edge],
        ]
    )
    tails = np.append(tail, np.full(len(seeds), network.n_node))
    # scipy takes a stored 0 for no arc.
    costs = np.maximum(np.append(arcs.cost_s, seconds), 1e-12)
    return least(tails, np.append(arcs.head, seeds), costs, network.n_node + 1)


class Around:
    """
    Dijkstra around one place at a time, on all nodes that a walk within its limit can touch.

    A walk of ``limit`` seconds stays within ``limit x fastest`` of where it begins, so nothing outside that circle
    changes an answer; scipy on the whole city would spend 0.1 s on each place to prepare arrays for all nodes.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        tail = np.repeat(np.arange(network.n_node), np.diff(network.into.first))
        self.graph = least(tail, network.into.head, network.into.cost_s, network.n_node)
        self.nodes = cKDTree(np.column_stack([network.node_x, network.node_y]))
        straight = np.hypot(
            network.node_x[tail] - network.node_x[network.into.head],
            network.node_y[tail] - network.node_y[network.into.head],
        )
        self.fastest_ms = float((straight / np.maximum(network.into.cost_s, 1e-9)).max())
        self.node_s = np.full(network.n_node, np.inf)

    def agrees(self, event: Any, places: Any, seconds: Any) -> bool:
        """Whether scipy, searching as far as the last candidate and a little farther, finds the same times."""
        network, sources = self.network, as_sources(self.network, event)
        edge, t, lead = sources.edge[0], sources.fraction[0], sources.lead_s[0]
        limit = float(seconds[-1]) + 1.0
        ends = np.array([network.edge_from[edge], network.edge_to[edge]])
        starts = np.array([t * network.edge_forward_s[edge], (1 - t) * network.edge_backward_s[edge]]) + lead
        far = 1.001 * limit * self.fastest_ms + 1.0
        circles = self.nodes.query_ball_point(np.column_stack([network.node_x[ends], network.node_y[ends]]), far)
        near = np.unique(np.concatenate([np.asarray(one, dtype=np.int64) for one in circles] + [ends]))
        graph = self.graph[near][:, near]
        found = dijkstra(graph, indices=np.searchsorted(near, ends), limit=limit)
        self.node_s[near] = np.minimum(found[0] + starts[0], found[1] + starts[1])
        everybody = times(network, Reach(self.node_s, sources, True, limit), places)
        self.node_s[near] = np.inf
        return bool(np.allclose(np.sort(everybody)[: len(seconds)], seconds, atol=1e-6))
