"""Invented names, drawn without repeats: places and posts, never persons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

CITY, DISTRICT, STREET, COMMUNITY, RIVER = "示例市", "示范区", "云桥街道", "晴川社区", "晴川河"

#: Estates as the first community has them; the others combine `_FIRST` and `_SECOND`.
ESTATES = (
    "桂花坞",
    "银杏苑",
    "桃源里",
    "南浦新村",
    "金粟苑",
    "采薇苑",
    "鹿鸣园",
    "青枫家园",
    "望河小区",
    "北苑小区",
    "明月里",
    "秋实园",
    "朝晖里",
    "柳岸花园",
    "云杉园",
    "兰亭苑",
    "春晓园",
    "书香里",
    "晴川苑",
    "云桥新村",
    "石桥小区",
    "听雨轩",
    "梧桐里",
    "杏花村",
    "竹溪园",
    "翠屏苑",
    "松风里",
    "荷塘月色",
    "清和园",
    "锦绣里",
    "海棠苑",
    "玉兰里",
    "紫藤园",
    "橘颂苑",
    "临风小区",
    "印月里",
    "棠梨苑",
    "芳草园",
    "枕河人家",
    "流云里",
)
EAST_WEST = ("图书街", "滨河北街", "滨河南街", "文澜街", "杏林街", "采荷街", "棠荫街", "听松街", "织锦街", "知春街")
NORTH_SOUTH = (
    "学前街",
    "晴河大道",
    "青枫街",
    "竹影路",
    "平安里街",
    "弦歌路",
    "枫林路",
    "莲溪路",
    "石渠路",
    "月季路",
    "麦香路",
    "槐荫路",
)
ARTERIALS_EW = (
    "示例大道",
    "书院大道",
    "锦程大道",
    "长虹大道",
    "云岭大道",
    "朝阳大道",
    "麓山大道",
    "华章大道",
    "丰乐大道",
    "新安大道",
    "珍珠大道",
)
ARTERIALS_NS = (
    "云桥大道",
    "望江大道",
    "紫云大道",
    "汇源大道",
    "金穗大道",
    "临湖大道",
    "青阳大道",
    "文昌大道",
    "凤栖大道",
    "龙门大道",
    "天柱大道",
)

_FIRST = tuple("桂银桃金采鹿青望北明秋朝柳兰春书晴云石听梧杏竹翠松荷清锦海玉紫临印芳枕流枫榆槐菊梅莲岚溪澜泓沁霁昭蕴")
_SECOND = tuple("川花源粟薇鸣枫河苑月实晖岸亭晓香桥泉雨桐坞溪屏风塘和绣棠兰藤颂枝榭汀洲岭畔庭筑泽原林")
_ESTATE_ENDS = ("苑", "园", "里", "小区", "家园", "新村", "花园", "坊", "雅居", "公馆")
_ROAD_ENDS_EW, _ROAD_ENDS_NS = ("街", "街", "东街", "横街"), ("路", "路", "巷路", "大街")


def communities(n: int) -> list[str]:
    """Names of n communities; the first is always the fixtures'."""
    return [COMMUNITY, *(f"{name}社区" for name in _pairs(n, skip="晴川"))][:n]


def streets(n: int) -> list[str]:
    """Names of n street offices; the first is always the fixtures'."""
    return [STREET, *(f"{name}街道" for name in reversed(_pairs(n + 900, skip="云桥")))][:n]


def rivers(n: int) -> list[str]:
    """Names of n rivers."""
    return [RIVER, "栖霞河", "沁水河", "白鹭河", "杏花溪", "青衣河", "石潭河", "玉带河", "柳叶河", "梅溪河"][:n]


class Draw:
    """Names without repeats: first the prepared ones, then pairs of characters in an order of chance."""

    def __init__(self, rng: np.random.Generator, prepared: Sequence[str], ends: Sequence[str]) -> None:
        self._prepared = list(prepared)
        self._ends = ends
        self._order = rng.permutation(len(_FIRST) * len(_SECOND))
        self._next = 0

    def __call__(self) -> str:
        """The next name."""
        if self._prepared:
            return self._prepared.pop(0)
        first, second = divmod(int(self._order[self._next % len(self._order)]), len(_SECOND))
        self._next += 1
        return _FIRST[first] + _SECOND[second] + self._ends[self._next % len(self._ends)]


def stem(name: str) -> str:
    """A name without its ending: what schools and parks are called after."""
    for ending in ("小区", "新村", "家园", "花园", "雅居", "公馆", "人家", *"苑园里坊坞轩溪村"):
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name


def estate_names(rng: np.random.Generator, first: bool) -> Draw:
    """Names for the estates of one community."""
    return Draw(rng, [str(name) for name in rng.permutation(ESTATES)] if first else (), _ESTATE_ENDS)


def street_names(rng: np.random.Generator, first: bool) -> tuple[Draw, Draw]:
    """Names for the east-west and the north-south streets of one community."""
    return (
        Draw(rng, EAST_WEST if first else (), _ROAD_ENDS_EW),
        Draw(rng, NORTH_SOUTH if first else (), _ROAD_ENDS_NS),
    )


def _pairs(n: int, *, skip: str) -> list[str]:
    order = np.random.default_rng(7).permutation(len(_FIRST) * len(_SECOND))
    pairs = list(product(_FIRST, _SECOND))
    found = ["".join(pairs[k]) for k in order]
    return [name for name in found if name != skip and name[0] != name[1]][:n]
