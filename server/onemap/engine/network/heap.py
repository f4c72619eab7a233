"""A four-ary heap of (seconds, node) over plain arrays, for searches that visit little."""

from __future__ import annotations

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32


@kernel
def push(heap_s: F64, heap_node: I32, n: int, s: float, node: int) -> int:
    """Add an entry to the n in the heap; how many there are now."""
    at = n
    while at > 0:
        up = (at - 1) // 4
        if heap_s[up] <= s:
            break
        heap_s[at], heap_node[at] = heap_s[up], heap_node[up]
        at = up
    heap_s[at], heap_node[at] = s, node
    return n + 1


@kernel
def pop(heap_s: F64, heap_node: I32, n: int) -> int:
    """Take the least entry, which stands first, off the heap; how many are left."""
    n -= 1
    s, node = heap_s[n], heap_node[n]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= n:
            break
        least = child
        for other in range(child + 1, min(child + 4, n)):
            if heap_s[other] < heap_s[least]:
                least = other
        if heap_s[least] >= s:
            break
        heap_s[at], heap_node[at] = heap_s[least], heap_node[least]
        at = least
    heap_s[at], heap_node[at] = s, node
    return n
