"""
The responders who reach a point soonest: a search on the reversed graph that stops when k are settled.

Responders hang in per-edge linked lists, so that moving one is a few writes and a search meets them as it passes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from onemap.engine._heap import pop, push, widened
from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64, Bool
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.errors import InvalidValue

_ANY = np.iinfo(np.int64).max


class NotAtOnce(Exception):
    """An answer was wanted only if it can be had without waiting."""


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates as a search leaves them; ``code`` is the edge each sets out on, ``direct`` if it ends there too."""

    row: I32
    seconds: F64
    code: I32
    direct: Bool
    fraction: F64
    snap_m: F64


class ResponderIndex:
    """
    Where every responder stands on one network; add, move and remove as reports come in.

    Rows are small integers chosen by the caller and stable for a responder. All methods may be called from any thread.
    """

    def __init__(self, network: Network, capacity: int = 64) -> None:
        self.network = network
        self._lock = threading.Lock()
        self._head = np.full(network.n_edge, -1, dtype=np.int32)
        self._edge = np.full(capacity, -1, dtype=np.int32)
        self._next = np.full(capacity, -1, dtype=np.int32)
        self._previous = np.full(capacity, -1, dtype=np.int32)
        self._fraction = np.zeros(capacity)
        self._snap_m = np.zeros(capacity)
        self._all = np.ones(capacity, dtype=np.bool_)

    def __len__(self) -> int:
        return int((self._edge >= 0).sum())

    @property
    def capacity(self) -> int:
        """Rows below this number have a place in the arrays."""
        return len(self._edge)

    def place(self, rows: I64, places: Places) -> None:
        """Add or move responders to snapped places; those without a street are taken off the network."""
        if len(rows) != len(places):
            raise InvalidValue(f"{len(rows)} responders cannot take {len(places)} places.")
        if len(rows) == 0:
            return
        if int(rows.min()) < 0:
            raise InvalidValue("A responder's row cannot be negative.")
        with self._lock:
            self._grow(int(rows.max()) + 1)
            _place(
                rows, places.edge, places.fraction, places.snap_m, self._head, self._edge, self._next, self._previous,
                self._fraction, self._snap_m,
            )  # fmt: skip

    def remove(self, rows: I64) -> None:
        """Take responders off the network."""
        nowhere = np.full(len(rows), -1, dtype=np.int32)
        empty = np.zeros(len(rows))
        self.place(rows, Places(nowhere, empty, empty, np.zeros(len(rows), dtype=np.bool_)))

    def places(self) -> Places:
        """A copy of where everybody stands, by row."""
        with self._lock:
            snap_m = np.where(self._edge >= 0, self._snap_m, np.inf)
            return Places(self._edge.copy(), self._fraction.copy(), snap_m, np.zeros(self.capacity, dtype=np.bool_))

    def find(
        self, event: Places, k: int, eligible: Bool | None, budget_s: float, work: Workspace, most_nodes: int = _ANY
    ) -> Found:
        """The k soonest as a search leaves them: without routes; ``NotAtOnce`` where that takes more nodes."""
        if k < 1:
            raise InvalidValue(f"{k} responders cannot be asked for: at least one.")
        if len(event) != 1 or event.edge[0] < 0:
            raise InvalidValue("The search begins at one point that has a street.")
        network = self.network
        into = network.into
        row, seconds = np.full(k, -1, dtype=np.int32), np.full(k, np.inf)
        code, direct = np.zeros(k, dtype=np.int32), np.zeros(k, dtype=np.bool_)
        with self._lock:
            who = self._all if eligible is None else eligible
            if len(who) < self.capacity:
                who = np.append(who, np.zeros(self.capacity - len(who), dtype=np.bool_))
            n, work.heap_s, work.heap_node = _nearest(
                into.first, into.head, into.cost_s, into.edge, network.edge_from, network.edge_to,
                network.edge_forward_s, network.edge_backward_s, event.edge[0], event.fraction[0],
                event.snap_m[0] / network.access_ms, self._head, self._next, self._fraction, self._snap_m,
                1.0 / network.access_ms, who, budget_s,
                work.stamp, work.seconds, work.arc, work.parent, work.next_turn(), work.heap_s, work.heap_node, row,
                seconds, code, direct, most_nodes,
            )  # fmt: skip
            if n < 0:
                raise NotAtOnce
            row = row[:n]
            return Found(row, seconds[:n], code[:n], direct[:n], self._fraction[row], self._snap_m[row])

    def _grow(self, needed: int) -> None:
        if needed > self.capacity:
            extra = max(needed, 2 * self.capacity) - self.capacity
            self._edge = np.append(self._edge, np.full(extra, -1, dtype=np.int32))
            self._next = np.append(self._next, np.full(extra, -1, dtype=np.int32))
            self._previous = np.append(self._previous, np.full(extra, -1, dtype=np.int32))
            self._fraction = np.append(self._fraction, np.zeros(extra))
            self._snap_m = np.append(self._snap_m, np.zeros(extra))
            self._all = np.ones(len(self._edge), dtype=np.bool_)


class Workspace:
    """Scratch arrays of one thread's searches: kept so that a search touches only what it visits."""

    def __init__(self, network: Network) -> None:
        self.stamp = np.zeros(network.n_node, dtype=np.int64)
        self.seconds = np.empty(network.n_node)
        self.arc = np.empty(network.n_node, dtype=np.int32)
        self.parent = np.empty(network.n_node, dtype=np.int32)
        self.turn = 0
        self.heap_s = np.empty(4096)
        self.heap_node = np.empty(4096, dtype=np.int32)

    def next_turn(self) -> int:
        """A number that no label carries yet."""
        self.turn += 1
        return self.turn


@dataclass(frozen=True, slots=True)
class Nearest:
    """
    The k soonest responders, soonest first; ties go to the lower row.

    Attributes
    ----------
    row : (k,)
        Responder rows.
    seconds, metres, snap_m : (k,)
        The journey with the walks to and from the street; length of the same; the responder's distance to the street.
    edges : k arrays
        The edges of each journey from responder to event, as the network numbers them: ``e`` along, ``~e`` against.
    span : (k, 2)
        Where on its first edge the journey begins and where on its last it ends, as fractions in drawn direction.
    """

    row: I32
    seconds: F64
    metres: F64
    snap_m: F64
    edges: tuple[I32, ...]
    span: F64


def nearest(
    index: ResponderIndex,
    event: Places,
    k: int,
    *,
    eligible: Bool | None = None,
    budget_s: float = np.inf,
    workspace: Workspace | None = None,
    most_nodes: int = _ANY,
) -> Nearest:
    """
    The k responders who can reach the event soonest.

    Parameters
    ----------
    event
        One snapped point with a street.
    eligible : (capacity,)
        Rows that may be chosen; everybody by default.
    budget_s
        Responders farther than this are not found.
    most_nodes
        A search that would settle more is given up with ``NotAtOnce``.

    Notes
    -----
    Equals the k smallest of the times of a full search. The search stops when no unseen responder can be among them.
    """
    found = index.find(event, k, eligible, budget_s, work := workspace or Workspace(index.network), most_nodes)
    return _with_routes(index.network, event, found, work)


def _with_routes(network: Network, event: Places, found: Found, work: Workspace) -> Nearest:
    """Follow the search tree from each candidate to the event, adding up lengths."""
    n = len(found.row)
    metres = found.snap_m + event.snap_m[0]
    edges: list[I32] = []
    span = np.empty((n, 2))
    for i in range(n):
        path = [int(found.code[i])]
        span[i] = found.fraction[i], event.fraction[0]
        if found.direct[i]:
            metres[i] += abs(span[i, 1] - span[i, 0]) * network.edge_length_m[_edge(path[0])]
            edges.append(np.array(path, dtype=np.int32))
            continue
        metres[i] += _rest(path[0], span[i, 0]) * network.edge_length_m[_edge(path[0])]
        node = int(network.edge_to[path[0]] if path[0] >= 0 else network.edge_from[~path[0]])
        while work.parent[node] >= 0:
            path.append(int(work.arc[node]))
            metres[i] += network.edge_length_m[_edge(path[-1])]
            node = int(work.parent[node])
        path.append(int(work.arc[node]))
        metres[i] += (1.0 - _rest(path[-1], span[i, 1])) * network.edge_length_m[_edge(path[-1])]
        edges.append(np.array(path, dtype=np.int32))
    return Nearest(found.row, found.seconds, metres, found.snap_m, tuple(edges), span)


def _edge(code: int) -> int:
    return code if code >= 0 else ~code


def _rest(code: int, fraction: float) -> float:
    """The share of an edge that lies ahead of a traveller at the fraction."""
    return 1.0 - fraction if code >= 0 else fraction


def route_line(network: Network, edges: I32, span: F64) -> F64:
    """Coordinates of a journey in travel order: (n, 2), metres in the plane."""
    numbers = np.where(edges >= 0, edges, ~edges)
    room = int((network.edge_last[numbers] - network.edge_first[numbers]).sum()) + 3 * len(edges)
    line = np.empty((room, 2))
    n = _draw(
        edges, span[0], span[1], network.edge_first, network.edge_last, network.along_m, network.x, network.y, line
    )
    return line[:n] if n > 1 else np.repeat(line[:1], 2, axis=0)  # who is there already goes nowhere


@kernel
def _draw(
    edges: I32, begin: float, end: float, first: I64, last: I64, along: F64, x: F64, y: F64, line: F64
) -> int:  # fmt: skip
    n = 0
    for i in range(len(edges)):
        forth = edges[i] >= 0
        edge = edges[i] if forth else ~edges[i]
        low, high = first[edge], last[edge]
        start, length = along[low], along[high] - along[low]
        a = begin * length if i == 0 else (0.0 if forth else length)
        b = end * length if i == len(edges) - 1 else (length if forth else 0.0)
        n = _point(a, low, high, along, x, y, n, line)
        if a <= b:
            for v in range(low + 1, high):
                if a < along[v] - start < b:
                    n = _add(x[v], y[v], n, line)
        else:
            for v in range(high - 1, low, -1):
                if b < along[v] - start < a:
                    n = _add(x[v], y[v], n, line)
        n = _point(b, low, high, along, x, y, n, line)
    return n


@kernel
def _point(s: float, low: int, high: int, along: F64, x: F64, y: F64, n: int, line: F64) -> int:
    """Add the point that lies so far along an edge; how many there are now."""
    if s >= along[high] - along[low]:
        return _add(x[high], y[high], n, line)
    v = low
    while v < high - 1 and along[v + 1] - along[low] <= s:
        v += 1
    step = along[v + 1] - along[v]
    t = (s - (along[v] - along[low])) / step if step > 0.0 else 0.0
    return _add(x[v] + t * (x[v + 1] - x[v]), y[v] + t * (y[v + 1] - y[v]), n, line)


@kernel
def _add(x: float, y: float, n: int, line: F64) -> int:
    """Add a point unless it is where the last one is."""
    if n > 0 and line[n - 1, 0] == x and line[n - 1, 1] == y:
        return n
    line[n, 0], line[n, 1] = x, y
    return n + 1


@kernel
def _place(
    rows: I64, edge: I32, fraction: F64, snap_m: F64, head: I32, at: I32, after: I32, before: I32, at_fraction: F64,
    at_snap_m: F64,
) -> None:  # fmt: skip
    for i in range(len(rows)):
        row = rows[i]
        if at[row] >= 0:
            if before[row] >= 0:
                after[before[row]] = after[row]
            else:
                head[at[row]] = after[row]
            if after[row] >= 0:
                before[after[row]] = before[row]
        at[row], at_fraction[row], at_snap_m[row] = edge[i], fraction[i], snap_m[i]
        before[row], after[row] = -1, -1
        if edge[i] >= 0:
            after[row] = head[edge[i]]
            if after[row] >= 0:
                before[after[row]] = row
            head[edge[i]] = row


@kernel
def _offer(
    who: int, s: float, way: int, straight: bool, n: int, row: I32, seconds: F64, code: I32, direct: Bool
) -> int:
    """Insert a candidate into the sorted best-so-far, or improve it there; how many there are now."""
    k = len(row)
    at = -1
    for j in range(n):
        if row[j] == who:
            at = j
            break
    if at >= 0:
        if s >= seconds[at]:
            return n
    elif n < k:
        at = n
        n += 1
    elif s < seconds[k - 1] or (s == seconds[k - 1] and who < row[k - 1]):
        at = k - 1
    else:
        return n
    while at > 0 and (s < seconds[at - 1] or (s == seconds[at - 1] and who < row[at - 1])):
        row[at], seconds[at], code[at], direct[at] = row[at - 1], seconds[at - 1], code[at - 1], direct[at - 1]
        at -= 1
    row[at], seconds[at], code[at], direct[at] = who, s, way, straight
    return n


@kernel
def _nearest(
    first: I32, head: I32, cost: F64, arc_edge: I32, edge_from: I32, edge_to: I32, forward_s: F64, backward_s: F64,
    event_edge: int, event_fraction: float, event_lead_s: float, on_edge: I32, after: I32, fraction: F64, snap_m: F64,
    s_per_m: float, eligible: Bool, budget: float, stamp: I64, label: F64, arc: I32, parent: I32, turn: int,
    heap_s: F64, heap_node: I32, row: I32, seconds: F64, code: I32, direct: Bool, most_nodes: int,
) -> tuple[int, F64, I32]:  # fmt: skip
    k = len(row)
    n_found = 0
    n_heap = 0
    n_settled = 0
    ahead, back = forward_s[event_edge], backward_s[event_edge]
    # Responders on the event's own edge may go straight to it.
    r = on_edge[event_edge]
    while r >= 0:
        if eligible[r]:
            gap = event_fraction - fraction[r]
            if gap >= 0.0 and ahead < np.inf:
                s = gap * ahead + event_lead_s + snap_m[r] * s_per_m
                if s <= budget:
                    n_found = _offer(r, s, event_edge, True, n_found, row, seconds, code, direct)
            if gap <= 0.0 and back < np.inf:
                s = -gap * back + event_lead_s + snap_m[r] * s_per_m
                if s <= budget:
                    n_found = _offer(r, s, ~event_edge, True, n_found, row, seconds, code, direct)
        r = after[r]
    for end in range(2):
        if end == 0:
            node, s, way = edge_from[event_edge], event_fraction * ahead + event_lead_s, event_edge
            usable = ahead < np.inf
        else:
            node, s, way = edge_to[event_edge], (1.0 - event_fraction) * back + event_lead_s, ~event_edge
            usable = back < np.inf
        if usable and s <= budget and (stamp[node] != turn or s < label[node]):
            stamp[node], label[node], arc[node], parent[node] = turn, s, way, -1
            n_heap = push(heap_s, heap_node, n_heap, s, node)
    while n_heap > 0:
        here, node = heap_s[0], heap_node[0]
        n_heap = pop(heap_s, heap_node, n_heap)
        if here > label[node]:
            continue
        if n_found == k and here > seconds[k - 1]:
            break
        n_settled += 1
        if n_settled > most_nodes:
            return -1, heap_s, heap_node
        for a in range(first[node], first[node + 1]):
            way, c = arc_edge[a], cost[a]
            e = way if way >= 0 else ~way
            r = on_edge[e]
            while r >= 0:
                if eligible[r]:
                    part = 1.0 - fraction[r] if way >= 0 else fraction[r]
                    s = here + part * c + snap_m[r] * s_per_m
                    if s <= budget:
                        n_found = _offer(r, s, way, False, n_found, row, seconds, code, direct)
                r = after[r]
            onto, there = head[a], here + c
            if there <= budget and (stamp[onto] != turn or there < label[onto]):
                if n_found == k and there > seconds[k - 1]:
                    continue
                stamp[onto], label[onto], arc[onto], parent[onto] = turn, there, way, node
                if n_heap == len(heap_s):
                    heap_s, heap_node = widened(heap_s, heap_node)
                n_heap = push(heap_s, heap_node, n_heap, there, onto)
    return n_found, heap_s, heap_node
