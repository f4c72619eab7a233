"""METIS without its voice: it prints complaints to stdout, which belongs to the answer of whoever calls us."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import pymetis

from onemap.engine.geometry.types import I32, I64

_LIBC = ctypes.CDLL(None)
_ONE_AT_A_TIME = Lock()


def part_graph(
    n_part: int, first: I64, to: I64, vertex_weight: I64, edge_weight: I64, options: pymetis.Options, recursive: bool
) -> I32:
    """(n,) the part of every vertex; what METIS prints goes to stderr."""
    adjacency = pymetis.CSRAdjacency(first, to)
    with _ONE_AT_A_TIME, _stdout_to_stderr():
        _, part = pymetis.part_graph(
            n_part, adjacency, vweights=vertex_weight, eweights=edge_weight, recursive=recursive, options=options
        )
    return np.asarray(part, dtype=np.int32)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """File descriptor 1 is 2 meanwhile; C's buffer is emptied before and after, or it would speak later."""
    _LIBC.fflush(None)
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        _LIBC.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
