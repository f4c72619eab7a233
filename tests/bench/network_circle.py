"""Life circle, its memory, one facility dragged, and pandana."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import network_peers as peers
import numpy as np
from invented import scattered
from network_scipy import super_source
from network_table import Row, bounded, milliseconds, timed
from network_town import LIMIT_S, Town, homes_and_places, homes_and_services, town
from scipy.sparse.csgraph import dijkstra

from onemap.engine.coverage.life_circle import covered, life_circle
from onemap.engine.coverage.what_if import Drag, covered_weight
from onemap.engine.network.index import snap
from onemap.engine.network.reach import Reach, as_sources, times

# Not getrusage: what it tells of a process begins with the memory of the one that started it.
_ALONE = (
    "import sys, re; sys.path.insert(0, sys.argv[1]); import network_circle; network_circle.alone(int(sys.argv[2]));"
    "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) * 1024 / 1e9)"
)


def bench_life_circle(here: Town) -> list[Row]:
    """1,000,000 buildings and 20 categories; scipy's Dijkstra from a super-source in the same run."""
    network = here.network
    (homes, services), snap_s = timed(lambda: homes_and_services(here))
    begun = time.process_time()
    circle, two_s = timed(lambda: life_circle(network, homes, services, budget_s=LIMIT_S, threads=2))
    two_cpu_s = time.process_time() - begun
    begun = time.process_time()
    life_circle(network, homes, services, budget_s=LIMIT_S, threads=1)
    one_cpu_s = time.process_time() - begun
    scipy_s, worst, verdicts = 0.0, 0.0, 0
    for name, places in services.items():
        sources = as_sources(network, places)
        graph = super_source(network, sources)
        begun = time.process_time()
        node_s = dijkstra(graph, indices=network.n_node, limit=LIMIT_S + 1.0)
        theirs = times(network, Reach(node_s[:-1], sources, True, LIMIT_S), homes)
        scipy_s += time.process_time() - begun
        ours = circle.of(name)
        both = np.isfinite(ours) & np.isfinite(theirs)
        worst = max(worst, float(np.abs(ours[both] - theirs[both]).max(initial=0.0)))
        verdicts += int((covered(ours, LIMIT_S - 1e-6) != covered(theirs, LIMIT_S - 1e-6)).sum())
    n = f"{len(homes):,} x {len(services)}"
    return [
        Row(f"life circle {n}, 15 min, snapping included", f"{snap_s + two_s:.2f} s", "", None, "<= 10 s",
            snap_s + two_s <= 10.0),
        Row("  without snapping, two threads", f"{two_s:.2f} s (CPU {two_cpu_s:.2f} s)", "", None, "<= 3 s", two_s <= 3.0),
        Row("  one thread, CPU, beside scipy's dijkstra and the same gather", f"{one_cpu_s:.2f} s", f"scipy {scipy_s:.2f} s",
            scipy_s / one_cpu_s, ">= 1.3x", scipy_s / one_cpu_s >= 1.3),
        Row("  largest difference from scipy; verdicts that differ", f"{worst:.1e} s; {verdicts}", "", None, "rounding",
            worst < 1e-6 and verdicts == 0),
    ]  # fmt: skip


def bench_memory(here: Town) -> list[Row]:
    """The life circle alone in a process of its own: what it takes at most."""
    command = [sys.executable, "-c", _ALONE, str(Path(__file__).parent), str(here.side)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=600)
    gb = float(done.stdout)
    return [Row("  its memory, the whole process", f"{gb:.2f} GB", goal="<= 1 GB", met=gb <= 1.0)]


def alone(side: int) -> None:
    """Streets to times, and nothing else."""
    here = Town(side, None, town(side).network)
    homes, services = homes_and_services(here)
    life_circle(here.network, homes, services, budget_s=LIMIT_S, threads=2)


def bench_pandana(here: Town, limit_s: float) -> list[Row]:
    """pandana's queries by CPU, its contraction apart (minutes), beside ours on one thread."""
    what = "life circle, CPU of the queries alone"
    why = peers.absent("pandana")
    if why:
        return [Row(what, "", why)]
    x, y, where = homes_and_places(here)
    homes, services = homes_and_services(here)
    begun = time.process_time()
    life_circle(here.network, homes, services, budget_s=LIMIT_S, threads=1)
    ours = time.process_time() - begun
    try:
        theirs = bounded(peers.pandana, here.network, x, y, where, LIMIT_S, limit_s=limit_s)
    except TimeoutError as late:
        return [Row(what, f"{ours:.2f} s", f"pandana, building included, {late}", None, ">= 25x")]
    ratio = theirs["query_cpu_s"] / ours
    return [
        Row(what, f"{ours:.2f} s", f"pandana {theirs['query_cpu_s']:.1f} s", ratio, ">= 25x", ratio >= 25.0),
        Row("  what pandana builds first, CPU", "0 s", f"pandana {theirs['build_cpu_s']:.0f} s"),
    ]


def bench_drag(here: Town) -> list[Row]:
    """One facility of a category moved about the city: new covered households at every position."""
    network, side, rng = here.network, here.side, np.random.default_rng(2)
    homes = snap(network, *scattered(int(1_000_000 * here.share), side, rng), threads=2)
    weight = rng.integers(1, 30, len(homes)).astype(float)
    others = snap(network, *scattered(max(2, int(900 * here.share)), side, rng))
    drag, begin_s = timed(lambda: Drag(network, homes, others, budget_s=LIMIT_S))
    base = float(weight[covered(drag.seconds, LIMIT_S)].sum())
    spent = []
    for _ in range(50):
        place = snap(network, *scattered(1, side, rng))
        _, s = timed(lambda place=place: covered_weight(base, drag.seconds, drag.at(place), weight, LIMIT_S))
        spent.append(1000.0 * s)
    return [
        Row(f"one facility dragged over {len(homes):,} buildings", milliseconds(spent), "", None, "each <= 1 s",
            max(spent) <= 1000.0),
        Row("  picking it up (once)", f"{begin_s:.2f} s", "", None, "<= 1 s", begin_s <= 1.0),
    ]  # fmt: skip
