"""What is told of cameras: those that see a point, shares, blind spots and the four works."""

from __future__ import annotations

from dataclasses import dataclass

from onemap.analyses.camera_sight import LonLat
from onemap.domain.layer import Title


@dataclass(frozen=True, slots=True)
class SeeingCamera:
    """A camera whose view holds a point; offline it would see it if it worked, on a vehicle it stands where it was."""

    fid: int
    camera_id: str
    title: str
    camera_class: str
    status: str | None
    is_online: bool
    is_vehicle: bool
    point: LonLat
    metres: float
    height_m: float | None


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many cameras of a class, and in what state."""

    camera_class: str
    n: int
    n_online: int
    n_linked: int
    n_old: int


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of a whole is seen (twice: by two or more): square metres, metres or a count; 0 of 0 is no share."""

    seen: float
    total: float
    share: float | None
    share_twice: float | None


@dataclass(frozen=True, slots=True)
class GridSight:
    """One grid's ground; ``want`` is what makes it urgent: households times the unseen share."""

    fid: int
    grid_code: str
    title: str
    households: int
    n_cameras: int
    ground_share: float
    want: float


@dataclass(frozen=True, slots=True)
class PlaceKind:
    """Key places of one kind: crossing, estate_gate, square_gate, market, school_front."""

    kind: str
    n: int
    seen: int
    share: float | None


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A key place that no camera sees."""

    kind: str
    title: str | None
    point: LonLat


@dataclass(frozen=True, slots=True)
class CameraToDo:
    """A camera to be linked, repaired or replaced, and why."""

    fid: int
    camera_id: str
    title: str
    camera_class: str
    status: str | None
    age_years: int | None
    why: str


@dataclass(frozen=True, slots=True)
class BlindStreet:
    """A street that cameras see least of, by metres unseen."""

    fid: int
    title: str | None
    length_m: float
    unseen_m: float


@dataclass(frozen=True, slots=True)
class Works:
    """The four works: fill gaps 填空, densify 加密, integrate 集成, improve 提效; the most wanted first."""

    fill: list[KeyPlace]
    densify: list[GridSight]
    integrate: list[CameraToDo]
    improve: list[CameraToDo]


@dataclass(frozen=True, slots=True)
class CameraCoverage:
    """What the cameras of an area see of it."""

    area: str | None
    n_cameras: int
    n_seeing: int
    n_unusable: int
    offline_share: float | None
    classes: list[ClassCount]
    ground: Seen
    roads: Seen
    buildings: Seen
    places: list[PlaceKind]
    grids: list[GridSight]
    blind_streets: list[BlindStreet]
    works: Works
    lattice_m: float
    assumptions: list[Title]
