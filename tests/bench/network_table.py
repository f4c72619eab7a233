"""The table that the network bench prints, and how it measures."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """One line of the table: ours, the peer's in the same run, and what was asked for."""

    what: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The line as words."""
        times = "" if self.ratio is None else f"{self.ratio:.3g}x"
        return (
            self.what,
            self.ours,
            self.peer,
            times,
            self.goal,
            "" if self.met is None else "yes" if self.met else "NO",
        )


HEADS = ("what", "ours", "peer in the same run", "times", "goal", "met")


def table(rows: list[Row]) -> str:
    """The rows for people."""
    lines = [HEADS, *(row.cells() for row in rows)]
    width = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    text = ["  ".join(cell.ljust(width[i]) for i, cell in enumerate(line)).rstrip() for line in lines]
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]]) + "\n"


def markdown(rows: list[Row]) -> str:
    """The rows for docs/network.md."""
    lines = [HEADS, ("---",) * len(HEADS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cell.strip().replace('|', ';') for cell in line)} |" for line in lines) + "\n"


def note(text: str) -> None:
    """Progress, on the side."""
    sys.stderr.write(f"bench-network {time.strftime('%H:%M:%S')}: {text}\n")
    sys.stderr.flush()


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the seconds it took."""
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun


def milliseconds(spent_ms: list[float]) -> str:
    """p50 and p99."""
    return f"p50 {np.median(spent_ms):.3g} ms, p99 {np.quantile(spent_ms, 0.99):.3g} ms"


def bounded(work: Callable[..., Any], *given: Any, limit_s: float) -> Any:
    """What a peer answers from a process of its own; ``TimeoutError`` where it has not after the limit."""
    context = multiprocessing.get_context("fork")  # what is given may be large: it is shared, not sent
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(work, given, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(limit_s):
            raise TimeoutError(f"> {limit_s:.0f} s")
        return ours.recv()
    finally:
        process.kill()
        process.join()


def _answer(work: Callable[..., Any], given: tuple[Any, ...], pipe: Any) -> None:
    pipe.send(work(*given))
