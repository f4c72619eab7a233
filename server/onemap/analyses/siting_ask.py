"""What siting is asked: how many sites of a category, by which model, chosen from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onemap.analyses.life_circle import CircleAsk
from onemap.errors import InvalidValue

MODELS = ("mclp", "pmedian", "lscp")
KINDS = ("nodes", "buildings", "estates")
MOST_SITES = 20
MOST_GIVEN = 2_000

type LonLat = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SitingAsk:
    """
    What is to be placed, how many, chosen from where.

    Attributes
    ----------
    model
        ``mclp`` most households covered, ``pmedian`` least average walk, ``lscp`` fewest sites that cover all.
    candidates
        ``nodes``, ``buildings``, ``estates``, ``layer:NAME``, or places in degrees.
    """

    circle: CircleAsk
    category: str
    n: int = 1
    model: str = "mclp"
    candidates: str | Sequence[LonLat] = "nodes"

    def __post_init__(self) -> None:
        """Refuse what cannot be placed."""
        if not 1 <= self.n <= MOST_SITES:
            raise InvalidValue(f"{self.n} new sites cannot be placed: between 1 and {MOST_SITES}.").in_chinese(
                f"不能新增 {self.n} 处：须 1 至 {MOST_SITES} 处。"
            )
        if self.model not in MODELS:
            raise InvalidValue(f"There is no model '{self.model}'; it is one of {', '.join(MODELS)}.").in_chinese(
                f"没有模型“{self.model}”，可选：{'、'.join(MODELS)}。"
            )
        if isinstance(self.candidates, str):
            if self.candidates not in KINDS and not self.candidates.startswith("layer:"):
                raise InvalidValue(
                    f"Candidates cannot be '{self.candidates}': they are {', '.join(KINDS)}, layer:NAME, or points."
                ).in_chinese(f"候选不能是“{self.candidates}”，可选：{'、'.join(KINDS)}、layer:图层名，或若干个点。")
        elif not 1 <= len(self.candidates) <= MOST_GIVEN:
            raise InvalidValue(
                f"{len(self.candidates)} candidates cannot be chosen from: between 1 and {MOST_GIVEN}."
            ).in_chinese(f"不能从 {len(self.candidates)} 个候选中选：须 1 至 {MOST_GIVEN} 个。")
