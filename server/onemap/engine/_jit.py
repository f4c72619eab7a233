"""One spelling for compiled loops: ``@kernel`` is numba's ``njit`` that releases the GIL and keeps its compilation."""

import hashlib
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import numba

_ROOT = Path(__file__).resolve().parents[2]
#: ``import onemap.engine…`` and ``from onemap.engine… import …``, over several lines too.
_IMPORT = re.compile(r"^(?:from|import)\s+(onemap\.engine[\w.]*)(?:\s+import\s+(\([^)]*\)|[^\n]*))?", re.MULTILINE)


def kernel[F: Callable[..., Any]](function: F) -> F:
    """The function compiled to machine code; arrays in, arrays out."""
    # numba looks only whether the function's own file has changed, but compiles what it calls into it.
    config = cast(Any, numba.config)
    kept, config.CACHE_DIR = config.CACHE_DIR, str(_folder() / version_of(_ROOT, function.__module__))
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    finally:
        config.CACHE_DIR = kept


@cache
def version_of(root: Path, module: str) -> str:
    """A name for what a module of the engine is made of: its text, and that of all it imports from the engine."""
    found: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name], imported = _read(root, name)
            waiting.extend(imported)
    return hashlib.blake2b(b"\0".join(found[name] for name in sorted(found)), digest_size=8).hexdigest()


@cache
def _read(root: Path, module: str) -> tuple[bytes, tuple[str, ...]]:
    """A module's text, and what of the engine it may import; nothing for a name that is no module."""
    path = root.joinpath(*module.split("."))
    file = next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)
    if file is None:
        return b"", ()
    text = file.read_text("utf-8")
    imported: list[str] = []
    for source, names in _IMPORT.findall(text):
        imported += [source, *(f"{source}.{name}" for name in re.findall(r"\w+", names))]
    return text.encode(), tuple(imported)


def _folder() -> Path:
    """Where compilations are kept: as the environment says, else beside this file, else the user's cache."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    beside = Path(__file__).resolve().parent
    if os.access(beside, os.W_OK):
        return beside / "__pycache__"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onemap" / "kernels"
