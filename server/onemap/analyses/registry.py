"""The form of an analysis, and the registry that everything else derives from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onemap.analyses.responders import Responders
from onemap.analyses.streets import StreetNetworks
from onemap.domain.layer import Catalog, Title
from onemap.domain.scope import Scope
from onemap.errors import AnalysisNotFound
from onemap.store.db import Db

#: ``report(percent, sentence)``; raises :class:`Dismissed` when nobody wants the answer any more.
type Report = Callable[[int, str | None], None]


#: Communities have codes of this length; anything shorter is a street or more, and a job.
_COMMUNITY_DIGITS = 12


class Dismissed(Exception):
    """The job was dismissed: stop."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an analysis may use: the map's data as far as the asker sees it."""

    db: Db
    catalog: Catalog
    scope: Scope
    report: Report
    #: What the process holds in memory, where it holds any.
    streets: StreetNetworks | None = None
    responders: Responders | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that an analysis is asked by: its name for people, and the JSON schema of its values."""

    title: Title
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """
    One question that can be asked of the map.

    Attributes
    ----------
    inputs, outputs
        What it is asked by, and JSON schemas of what it answers, by name.
    run
        ``run(context, inputs) -> outputs by name``; inputs are validated against their schemas before.
    is_long
        ``is_long(inputs)``: whether it should be a job when the asker leaves it open.
    """

    name: str
    version: str
    title: Title
    description: Title
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Mapping[str, Any]]
    run: Callable[[Context, Mapping[str, Any]], dict[str, Any]]
    is_long: Callable[[Mapping[str, Any]], bool] = lambda _: False


@dataclass(frozen=True)
class Registry:
    """All analyses by name."""

    analyses: tuple[Analysis, ...]

    def __iter__(self) -> Iterator[Analysis]:
        return iter(self.analyses)

    def analysis(self, name: str) -> Analysis:
        """The analysis of this name; ``AnalysisNotFound`` where there is none."""
        for candidate in self.analyses:
            if candidate.name == name:
                return candidate
        raise AnalysisNotFound(name)


def by_area(*, required: bool = False) -> Input:
    """The input that names an area."""
    return Input(Title("区划代码", "Area code"), {"type": "string", "pattern": "^[0-9]{2,12}$"}, required)


def is_large(inputs: Mapping[str, Any]) -> bool:
    """Whether the area asked for is more than a community, and so a job; none is all that the asker sees."""
    return len(inputs.get("area_code", "")) < _COMMUNITY_DIGITS
