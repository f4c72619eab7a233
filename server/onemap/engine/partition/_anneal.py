"""
Simulated annealing of grids by moving and swapping atoms at their borders: the kernels.

A grid's worth is ``band - PP + balance``; the plan's worth adds the cost of inner boundary and of what left its
present grid. No move ever disconnects a grid. Several calls may run at once on disjoint sets of grids: each writes
only its own grids' rows.
"""

import numpy as np

from onemap.engine._jit import kernel

#: Columns of the target table, one row per unit (households, persons).
MINIMUM, TARGET, MAXIMUM = 0, 1, 2
#: How the units combine.
FIRST_ONLY, ANY, ALL = 0, 1, 2
_MISS, _MISS_SLOPE = 2.0, 12.0


@kernel
def miss_of(w0, w1, band, logic):  # type: ignore[no-untyped-def]
    """How far a grid of these households and persons is out of its band, in shares of the target; 0 inside."""
    m0 = max(0.0, band[0, MINIMUM] - w0, w0 - band[0, MAXIMUM]) / band[0, TARGET]
    if logic == FIRST_ONLY:
        return m0
    m1 = max(0.0, band[1, MINIMUM] - w1, w1 - band[1, MAXIMUM]) / band[1, TARGET]
    return min(m0, m1) if logic == ANY else max(m0, m1)


@kernel
def worth(w0, w1, area, perimeter, band, logic, weights):  # type: ignore[no-untyped-def]
    """What a grid costs: its band, how far it is from the target, less its Polsby-Popper value."""
    miss = miss_of(w0, w1, band, logic)
    e = 0.0
    if miss > 0:
        e = weights[0] * (_MISS + _MISS_SLOPE * miss)
    off = (w0 - band[0, TARGET]) / band[0, TARGET]
    e += weights[3] * off * off
    if perimeter > 0:
        e -= weights[1] * 12.566370614359172 * area / (perimeter * perimeter)
    return e


@kernel
def totals(zone, n_zone, weight, area, perimeter, first, to, length):  # type: ignore[no-untyped-def]
    """Households, persons, ground, outline and atoms of every grid: (n_zone, 5)."""
    z = np.zeros((n_zone, 5))
    for a in range(len(zone)):
        q = zone[a]
        if q < 0:
            continue
        z[q, 0] += weight[a, 0]
        z[q, 1] += weight[a, 1]
        z[q, 2] += area[a]
        z[q, 3] += perimeter[a]
        z[q, 4] += 1
        for e in range(first[a], first[a + 1]):
            if zone[to[e]] == q:
                z[q, 3] -= length[e]
    return z


@kernel
def stays_whole(a, zone, first, to, joins, mark, stamp, queue):  # type: ignore[no-untyped-def]
    """Whether the grid of atom a is still connected, and not empty, without a. ``mark`` takes 2 stamps."""
    z = zone[a]
    n_wanted = 0
    start = -1
    for e in range(first[a], first[a + 1]):
        b = to[e]
        if joins[e] and zone[b] == z:
            mark[b] = stamp
            n_wanted += 1
            start = b
    if n_wanted == 0:
        return False
    if n_wanted == 1:
        return True
    queue[0] = start
    mark[start] = stamp + 1
    n_wanted -= 1
    head, tail = 0, 1
    mark[a] = stamp + 1
    while head < tail:
        b = queue[head]
        head += 1
        for e in range(first[b], first[b + 1]):
            c = to[e]
            if joins[e] and zone[c] == z and mark[c] != stamp + 1:
                if mark[c] == stamp:
                    n_wanted -= 1
                    if n_wanted == 0:
                        return True
                mark[c] = stamp + 1
                queue[tail] = c
                tail += 1
    return False


@kernel
def _apply(a, z, zone, sums, weight, area, perimeter, first, to, length, cost):  # type: ignore[no-untyped-def]
    """Move atom a to grid z; returns the change in cost of inner boundary."""
    old = zone[a]
    with_old, with_new, change = 0.0, 0.0, 0.0
    for e in range(first[a], first[a + 1]):
        q = zone[to[e]]
        if q == old:
            with_old += length[e]
            change += cost[e]
        elif q == z:
            with_new += length[e]
            change -= cost[e]
    sums[old, 0] -= weight[a, 0]
    sums[old, 1] -= weight[a, 1]
    sums[old, 2] -= area[a]
    sums[old, 3] += 2 * with_old - perimeter[a]
    sums[old, 4] -= 1
    sums[z, 0] += weight[a, 0]
    sums[z, 1] += weight[a, 1]
    sums[z, 2] += area[a]
    sums[z, 3] += perimeter[a] - 2 * with_new
    sums[z, 4] += 1
    zone[a] = z
    return change


@kernel
def anneal(  # type: ignore[no-untyped-def]
    atoms,
    group_of_zone,
    group,
    zone,
    sums,
    weight,
    area,
    perimeter,
    first,
    to,
    length,
    cost,
    joins,
    home,
    band,
    logic,
    weights,
    n_step,
    hot,
    cold,
    seed,
):
    """
    Improve the grids of one group in place; returns the change in worth.

    ``weights`` are (band, compactness, boundary per metre, balance, home per household, households that a
    building counts for besides its own); ``home`` is the grid an atom
    should stay in, -1 none. Zones with ``group_of_zone != group`` are not touched.
    """
    np.random.seed(seed)  # noqa: NPY002 - numba
    mark = np.zeros(len(zone), dtype=np.int64)
    queue = np.empty(len(zone) + 1, dtype=np.int32)
    stamp = 1
    total = 0.0
    n = len(atoms)
    if n == 0:
        return 0.0
    cool = (cold / hot) ** (1.0 / max(n_step, 1))
    t = hot
    for _ in range(n_step):
        t *= cool
        a = atoms[np.random.randint(n)]  # noqa: NPY002 - numba
        z = zone[a]
        # A neighbouring grid, each border edge equally likely.
        n_out = 0
        target = -1
        for e in range(first[a], first[a + 1]):
            q = zone[to[e]]
            if q != z and q >= 0 and joins[e] and group_of_zone[q] == group:
                n_out += 1
                if np.random.randint(n_out) == 0:  # noqa: NPY002 - numba
                    target = q
        if target < 0 or sums[z, 4] <= 1:
            continue
        before = worth(sums[z, 0], sums[z, 1], sums[z, 2], sums[z, 3], band, logic, weights)
        before += worth(sums[target, 0], sums[target, 1], sums[target, 2], sums[target, 3], band, logic, weights)
        change = weights[2] * _apply(a, target, zone, sums, weight, area, perimeter, first, to, length, cost)
        after = worth(sums[z, 0], sums[z, 1], sums[z, 2], sums[z, 3], band, logic, weights)
        after += worth(sums[target, 0], sums[target, 1], sums[target, 2], sums[target, 3], band, logic, weights)
        change += after - before
        if home[a] >= 0:
            burden = weights[4] * (weight[a, 0] + weights[5])
            if home[a] == z:
                change += burden
            elif home[a] == target:
                change -= burden
        swap = -1
        if change > 0 and weight[a, 0] > 0 and after > before + 1.0:
            # The move breaks a band: give something back.
            seen = 0
            for e in range(first[a], first[a + 1]):
                b = to[e]
                if zone[b] == target:
                    for f in range(first[b], first[b + 1]):
                        c = to[f]
                        if c != a and zone[c] == target and _touches(c, z, zone, first, to, joins):
                            seen += 1
                            if np.random.randint(seen) == 0:  # noqa: NPY002 - numba
                                swap = c
                    if b != a and _touches(b, z, zone, first, to, joins):
                        seen += 1
                        if np.random.randint(seen) == 0:  # noqa: NPY002 - numba
                            swap = b
            if swap >= 0:
                change += weights[2] * _apply(swap, z, zone, sums, weight, area, perimeter, first, to, length, cost)
                then = worth(sums[z, 0], sums[z, 1], sums[z, 2], sums[z, 3], band, logic, weights)
                then += worth(sums[target, 0], sums[target, 1], sums[target, 2], sums[target, 3], band, logic, weights)
                change += then - after
                if home[swap] >= 0:
                    burden = weights[4] * (weight[swap, 0] + weights[5])
                    if home[swap] == target:
                        change += burden
                    elif home[swap] == z:
                        change -= burden
        accept = change <= 0 or np.random.random() < np.exp(-change / t)  # noqa: NPY002 - numba
        if accept:
            if swap >= 0:
                zone[swap] = target  # look at the state between the two moves
                zone[a] = z
                accept = _whole_after_swap(a, swap, z, target, zone, first, to, joins, mark, stamp, queue)
                stamp += 4
            else:
                zone[a] = z
                accept = stays_whole(a, zone, first, to, joins, mark, stamp, queue)
                stamp += 2
                zone[a] = target
        if accept:
            total += change
        else:
            if swap >= 0:
                zone[swap] = z
                zone[a] = target
                _apply(swap, target, zone, sums, weight, area, perimeter, first, to, length, cost)
            _apply(a, z, zone, sums, weight, area, perimeter, first, to, length, cost)
    return total


@kernel
def _touches(c, z, zone, first, to, joins):  # type: ignore[no-untyped-def]
    for e in range(first[c], first[c + 1]):  # noqa: SIM110 - numba compiles no any()
        if joins[e] and zone[to[e]] == z:
            return True
    return False


@kernel
def _whole_after_swap(a, b, za, zb, zone, first, to, joins, mark, stamp, queue):  # type: ignore[no-untyped-def]
    """Whether grids za and zb are connected once a has gone to zb and b to za; leaves the swap done."""
    zone[a], zone[b] = zb, za
    ok = _connected_around(a, b, za, zone, first, to, joins, mark, stamp, queue)
    if ok:
        ok = _connected_around(b, a, zb, zone, first, to, joins, mark, stamp + 2, queue)
    return ok


@kernel
def _connected_around(gone, came, z, zone, first, to, joins, mark, stamp, queue):  # type: ignore[no-untyped-def]
    """Whether what surrounds the atom that left, and the atom that came, are one piece of grid z."""
    n_wanted = 1
    mark[came] = stamp
    for e in range(first[gone], first[gone + 1]):
        b = to[e]
        if joins[e] and zone[b] == z and mark[b] != stamp:
            mark[b] = stamp
            n_wanted += 1
    touches_rest = False
    for e in range(first[came], first[came + 1]):
        if joins[e] and zone[to[e]] == z:
            touches_rest = True
    if not touches_rest:
        return False
    if n_wanted == 1:
        return True
    queue[0] = came
    mark[came] = stamp + 1
    n_wanted -= 1
    head, tail = 0, 1
    while head < tail:
        b = queue[head]
        head += 1
        for e in range(first[b], first[b + 1]):
            c = to[e]
            if joins[e] and zone[c] == z and mark[c] != stamp + 1:
                if mark[c] == stamp:
                    n_wanted -= 1
                    if n_wanted == 0:
                        return True
                mark[c] = stamp + 1
                queue[tail] = c
                tail += 1
    return False


@kernel
def parts_of(zone, n_zone, first, to, joins):  # type: ignore[no-untyped-def]
    """(n_zone,) how many connected parts each grid has."""
    n = len(zone)
    seen = np.zeros(n, dtype=np.bool_)
    queue = np.empty(n + 1, dtype=np.int32)
    parts = np.zeros(n_zone, dtype=np.int32)
    for a in range(n):
        if seen[a] or zone[a] < 0:
            continue
        parts[zone[a]] += 1
        seen[a] = True
        queue[0] = a
        head, tail = 0, 1
        while head < tail:
            b = queue[head]
            head += 1
            for e in range(first[b], first[b + 1]):
                c = to[e]
                if joins[e] and not seen[c] and zone[c] == zone[a]:
                    seen[c] = True
                    queue[tail] = c
                    tail += 1
    return parts
