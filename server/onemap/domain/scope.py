"""What a reader may see: the one object that every store function takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onemap.domain.layer import DataClass, Field, Layer
from onemap.errors import InvalidValue, NotAllowed


class Permission(StrEnum):
    """What a reader may do beyond reading; none of them comes with a class."""

    DISPATCH = "dispatch"
    EXPORT = "export"
    POSITIONS = "positions"


@dataclass(frozen=True, slots=True)
class Scope:
    """Areas, classes and permissions of one reader.

    Attributes
    ----------
    areas
        Area code prefixes; ``None`` is everywhere, ``()`` nowhere.
    classes
        Data classes the reader may see.
    may
        What the reader may do with what is seen.
    """

    areas: tuple[str, ...] | None
    classes: frozenset[DataClass]
    may: frozenset[Permission] = frozenset()

    def __post_init__(self) -> None:
        for prefix in self.areas or ():
            if not prefix.isdigit() or len(prefix) > 12:
                raise InvalidValue(f"'{prefix}' is not the beginning of an area code.")

    def sees(self, layer: Layer) -> bool:
        """Whether the reader may know of a layer."""
        return layer.data_class in self.classes

    def sees_field(self, layer: Layer, field: Field) -> bool:
        """Whether the reader may know a property of the layer's features."""
        return (field.data_class or layer.data_class) in self.classes

    def require(self, permission: Permission) -> None:
        """``NotAllowed`` unless the reader may do this."""
        if permission not in self.may:
            raise NotAllowed(
                f"This takes the permission '{permission}'; whoever runs the server gives it with "
                f"'onemap users add POST --may {permission}'."
            ).in_chinese(f"没有“{permission}”权限：由管理员用 onemap users add 岗位 --may {permission} 授予。")

    @property
    def sees_restricted(self) -> bool:
        """Whether restricted rows are shown."""
        return DataClass.RESTRICTED in self.classes


PUBLIC = Scope(areas=None, classes=frozenset({DataClass.PUBLIC}))
STAFF = Scope(areas=None, classes=frozenset({DataClass.PUBLIC, DataClass.INTERNAL}))
EVERYTHING = Scope(areas=None, classes=frozenset(DataClass))

#: Who sits at this machine (docs/adr/0005-local-viewer.md), by the role that the operator chose.
LOCAL_ROLES = {
    "desk": Scope(STAFF.areas, STAFF.classes, frozenset({Permission.DISPATCH, Permission.EXPORT})),
    "viewer": STAFF,
    "none": PUBLIC,
}

#: Where the sign-in middleware leaves the reader's scope in an ASGI scope.
ASGI_KEY = "onemap.scope"


def scope_of(asgi_scope: Mapping[str, Any]) -> Scope:
    """The scope of the reader who sent a request; the public's where nobody was recognised."""
    scope = asgi_scope.get(ASGI_KEY, PUBLIC)
    if not isinstance(scope, Scope):
        raise InvalidValue("The request carries no scope.")
    return scope
