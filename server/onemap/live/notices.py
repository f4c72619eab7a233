"""Keeps caches honest: one LISTEN a process; a lost connection forgets everything and is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from onemap.errors import DatabaseError
from onemap.store.listen import layer_notices

_RETRY_S = 1.0
_log = structlog.get_logger()


async def follow_layers(url: str, written: Callable[[str, int], None], lost: Callable[[], None]) -> None:
    """
    Call ``written`` with each layer as it is written, and the backend that wrote it, until cancelled.

    Parameters
    ----------
    lost
        Called whenever notices may have been missed: everything remembered is to be forgotten.
    """
    while True:
        try:
            async for layer, backend in layer_notices(url):
                written(layer, backend) if layer else lost()
        except DatabaseError as gone:
            lost()
            _log.warning("notices.lost", error=str(gone))
        await asyncio.sleep(_RETRY_S)
