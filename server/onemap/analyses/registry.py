"""The form of an analysis, and the registry that everything else derives from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onemap.analyses.responders import Responders
from onemap.analyses.streets import StreetNetworks
from onemap.domain.layer import Catalog, Title
from onemap.domain.scope import Scope
from onemap.errors import AnalysisNotFound
from onemap.store.db import Db

#: ``report(percent, sentence)``; raises :class:`Dismissed` when nobody wants the answer any more.
type Report = Callable[[int, str | None], None]


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
class Analysis:
    """
    One question that can be asked of the map.

    Attributes
    ----------
    inputs, outputs
        JSON schemas by name; an input without ``default`` in its schema and not in ``optional`` must be given.
    run
        ``run(context, inputs) -> outputs by name``; inputs are validated against their schemas before.
    is_long
        ``is_long(inputs)``: whether it should be a job when the asker leaves it open.
    """

    name: str
    version: str
    title: Title
    description: Title
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    run: Callable[[Context, Mapping[str, Any]], dict[str, Any]]
    optional: frozenset[str] = frozenset()
    input_titles: Mapping[str, Title] = field(default_factory=dict)
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
