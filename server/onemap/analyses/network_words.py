"""What a network took for granted while it was read, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from onemap.domain.layer import Title

#: The sentences of ``ingest.street_file``; a sentence that is not among them is shown as it is.
_CHINESE = (
    (r"(\d+) of (\d+) rows hold no line and were left out\.", r"\2 行中有 \1 行没有线，未计入。"),
    (
        r"The streets state no class \(highway or road_class\): all are taken as '(\w+)'\.",
        r"道路未写明等级（highway 或 road_class），一律按 \1 计。",
    ),
    (r"The streets state no one-way directions: all run both ways\.", "道路未写明单行方向，一律按双向通行计。"),
    (r"Streets of classes that the rule does not know were left out: (.+)\.", r"规则未列的道路等级未计入：\1。"),
)


def said(notes: Iterable[str]) -> list[Title]:
    """The notes of a network as titles."""
    return [Title(_chinese(note), note) for note in notes]


def _chinese(note: str) -> str:
    for pattern, sentence in _CHINESE:
        if found := re.fullmatch(pattern, note):
            return found.expand(sentence)
    return note
