"""A four-ary heap of (cost, item) over plain arrays, for searches that visit little."""

from __future__ import annotations

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import F64, I32


@kernel
def push(heap_cost: F64, heap_item: I32, n: int, cost: float, item: int) -> int:
    """Add an entry to the n in the heap; how many there are now."""
    at = n
    while at > 0:
        up = (at - 1) // 4
        if heap_cost[up] <= cost:
            break
        heap_cost[at], heap_item[at] = heap_cost[up], heap_item[up]
        at = up
    heap_cost[at], heap_item[at] = cost, item
    return n + 1


@kernel
def pop(heap_cost: F64, heap_item: I32, n: int) -> int:
    """Take the least entry, which stands first, off the heap; how many are left."""
    n -= 1
    cost, item = heap_cost[n], heap_item[n]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= n:
            break
        least = child
        for other in range(child + 1, min(child + 4, n)):
            if heap_cost[other] < heap_cost[least]:
                least = other
        if heap_cost[least] >= cost:
            break
        heap_cost[at], heap_item[at] = heap_cost[least], heap_item[least]
        at = least
    heap_cost[at], heap_item[at] = cost, item
    return n


@kernel
def widened(heap_cost: F64, heap_item: I32) -> tuple[F64, I32]:
    """The same full heap with room for as many entries again."""
    n = len(heap_cost)
    cost, item = np.empty(2 * n, dtype=np.float64), np.empty(2 * n, dtype=np.int32)
    cost[:n], item[:n] = heap_cost, heap_item
    return cost, item
