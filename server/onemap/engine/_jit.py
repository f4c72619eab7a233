"""One spelling for compiled loops: ``@kernel`` is numba's ``njit`` that releases the GIL and keeps its compilation."""

from collections.abc import Callable
from typing import Any, cast

import numba


def kernel[F: Callable[..., Any]](function: F) -> F:
    """The function compiled to machine code; arrays in, arrays out."""
    return cast(F, numba.njit(nogil=True, cache=True)(function))
