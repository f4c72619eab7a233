"""The invented city (虚拟数据): seeded, with the numbers of the fixtures; nothing in it exists."""

from onemap.demo.city import City, Part, invent
from onemap.demo.table import Table
from onemap.demo.walk import Beats, walk

__all__ = ["Beats", "City", "Part", "Table", "invent", "walk"]
