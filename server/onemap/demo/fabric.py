"""Buildings on an atom: homes, or what the parcel is for."""

from __future__ import annotations

from collections.abc import Sequence

from onemap.demo.homes import Style, homes
from onemap.demo.parcels import LAYOUTS
from onemap.demo.plan import Use
from onemap.demo.site import Built, Site


def build(site: Site, use: Use, style: Style, *, shop_sides: Sequence[str] = (), kindergarten: bool = False) -> Built:
    """What stands on an atom."""
    if use is Use.HOMES:
        homes(site, style, shop_sides=shop_sides, kindergarten=kindergarten)
    else:
        LAYOUTS[use](site)
    return site.built
