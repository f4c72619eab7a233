"""
Zoning in a process of its own, atoms given in a file: what it needs of memory, without the atoms' making and the peers.

``partition.py`` calls it; by itself: ``python tests/bench/partition_alone.py GRAPH.npz WORKERS`` prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

import numpy as np

from onemap.engine.partition import Effort, Goal
from onemap.engine.partition.graph import Graph
from onemap.engine.partition.zoning import make_zones

GOAL = Goal.of(300, 400, 500)


def alone(graph: Graph, workers: int) -> dict[str, float]:
    """CPU seconds of the zoning in a new process that reads this graph, its peak in MB and what it was before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.npz"
        np.savez(path, **{field.name: getattr(graph, field.name) for field in fields(graph)})
        command = [sys.executable, __file__, str(path), str(workers)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _peak_mb() -> int:
    """Linux counts this from exec on; ``ru_maxrss`` would be that of the parent, where the parent is larger."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024


def _main(path: str, workers: int) -> None:
    with np.load(path) as file:
        graph = Graph(**file)
    before = _peak_mb()
    make_zones(graph, GOAL, effort=Effort(steps_per_atom=1, rounds=1, repair_tries=1))  # load the kernels
    started, cpu = time.perf_counter(), time.process_time()
    zone = make_zones(graph, GOAL, seed=1, effort=Effort(workers=workers))
    answer = {
        "grids": int(zone.max()) + 1,
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "before_mb": before,
        "peak_mb": _peak_mb(),
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
