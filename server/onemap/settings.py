"""Everything an operator may change, each with a sentence; read once from the environment and passed on as a value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from onemap.domain.scope import LOCAL_ROLES, PUBLIC, Scope
from onemap.errors import SettingsError

_ROOT = Path(__file__).resolve().parents[2]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _setting(variable: str, sentence: str, default: str) -> Any:
    return field(default=default, metadata={"variable": variable, "sentence": sentence})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process; texts as they stand in the environment, their meaning in the properties."""

    data: str = _setting("ONEMAP_DATA", "Folder of the private cluster and caches.", "")
    database_url: str = _setting("ONEMAP_DATABASE_URL", "PostGIS database; empty starts a private cluster.", "")
    host: str = _setting("ONEMAP_HOST", "Address to listen on.", "127.0.0.1")
    port: str = _setting("ONEMAP_PORT", "Port to listen on.", "8000")
    demo: str = _setting("ONEMAP_DEMO", "First data: 'default', 'none', or a scale such as 100.", "default")
    workers: str = _setting("ONEMAP_WORKERS", "Server processes.", "1")
    layers: str = _setting("ONEMAP_LAYERS", "Folder of the layer catalogue.", str(_ROOT / "layers"))
    tiles: str = _setting("ONEMAP_TILES", "Folder of tile styles and symbols.", str(_ROOT / "tiles"))
    public_url: str = _setting("ONEMAP_PUBLIC_URL", "Address that readers use, where a proxy stands before us.", "")
    local_role: str = _setting(
        "ONEMAP_LOCAL_ROLE",
        "What a reader at this machine may do without signing in while we listen on loopback: "
        "'desk' sees internal layers, exports and dispatches, 'viewer' sees, 'none' is the public.",
        "desk",
    )

    demo_live: str = _setting(
        "ONEMAP_DEMO_LIVE",
        "Whether the demo city goes on, with new invented events: 'on' or 'off'.",
        "on",
    )
    position_days: str = _setting("ONEMAP_POSITION_DAYS", "How long positions of posts are kept, days.", "30")

    def __post_init__(self) -> None:
        if not self.port.isdigit() or not 0 <= int(self.port) <= 65535:
            raise SettingsError(f"ONEMAP_PORT is '{self.port}'; it must be a port number.")
        if not self.workers.isdigit() or not 1 <= int(self.workers) <= 64:
            raise SettingsError(f"ONEMAP_WORKERS is '{self.workers}'; it must be a number from 1 to 64.")
        if self.demo_live not in ("on", "off"):
            raise SettingsError(f"ONEMAP_DEMO_LIVE is '{self.demo_live}'; it must be 'on' or 'off'.")
        if not self.position_days.isdigit() or not 1 <= int(self.position_days) <= 30:
            raise SettingsError(
                f"ONEMAP_POSITION_DAYS is '{self.position_days}'; it must be a number of days from 1 to 30."
            )
        if self.demo not in ("default", "none") and not (self.demo.isdigit() and 1 <= int(self.demo) <= 1000):
            raise SettingsError(
                f"ONEMAP_DEMO is '{self.demo}'; it must be 'default', 'none' or a scale from 1 to 1000."
            )
        if self.local_role not in LOCAL_ROLES:
            raise SettingsError(
                f"ONEMAP_LOCAL_ROLE is '{self.local_role}'; it must be one of {', '.join(LOCAL_ROLES)}."
            )
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            raise SettingsError(f"ONEMAP_PUBLIC_URL is '{self.public_url}'; it must begin with http:// or https://.")

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings of this process; ``SettingsError`` names the first that cannot be used."""
        environment = os.environ if environment is None else environment
        given = {f.name: environment.get(f.metadata["variable"], "").strip() or str(f.default) for f in fields(cls)}
        given["data"] = given["data"] or _default_data(environment)
        return cls(**given)

    def to_env(self) -> dict[str, str]:
        """The environment that gives these settings to another process of ours."""
        return {f.metadata["variable"]: str(getattr(self, f.name)) for f in fields(self)}

    @property
    def data_dir(self) -> Path:
        """Folder of the private cluster and caches."""
        return Path(self.data).expanduser()

    @property
    def layers_dir(self) -> Path:
        """Folder of the layer catalogue."""
        return Path(self.layers)

    @property
    def tiles_dir(self) -> Path:
        """Folder of tile styles and symbols."""
        return Path(self.tiles)

    @property
    def demo_goes_on(self) -> bool:
        """Whether the demo city lives: not where there is to be none."""
        return self.demo_live == "on" and self.demo_scale is not None

    @property
    def demo_scale(self) -> int | None:
        """How large a demo city the first start invents; None for none."""
        return {"default": 1, "none": None}.get(self.demo, int(self.demo) if self.demo.isdigit() else None)

    @property
    def local_scope(self) -> Scope:
        """What a direct reader at this machine is without a token (docs/adr/0005-local-viewer.md)."""
        return LOCAL_ROLES[self.local_role] if self.host in _LOOPBACK else PUBLIC

    @property
    def url(self) -> str:
        """Where the map is."""
        everywhere = self.host in ("0.0.0.0", "::")  # noqa: S104 recognised here, not bound
        host = "127.0.0.1" if everywhere else f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"


def _default_data(environment: Mapping[str, str]) -> str:
    home = environment.get("XDG_DATA_HOME", "").strip()
    return str((Path(home) if home else Path("~/.local/share").expanduser()) / "onemap")
